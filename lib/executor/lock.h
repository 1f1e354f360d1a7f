/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One apply at a time on one host. Effects. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "root.h"

/*
 * Takes the lock at PATH_LOCK below the root without waiting. Returns 0 and a file descriptor
 * that holds it until it is closed; -EBUSY with the holder's process id, 0 where it lives in
 * another PID namespace. The lock is the process's: children do not hold it on.
 */
int apply_lock(const struct root *root, int *ret_fd, pid_t *ret_holder);

/*
 * Locks the open file for writing, without waiting and until it is closed. -EBUSY with the holder's
 * process id, 0 where it lives in another PID namespace; -EAGAIN when it has just let go.
 */
int lock_file(int fd, pid_t *ret_holder);

/* Whether another process holds it. Not for one that holds it itself: it would lose it by this. */
bool apply_is_running(const struct root *root);
