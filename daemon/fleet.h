/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One spec against many captured hosts, in one process: what a push would do to a fleet. */
#pragma once

#include "call.h"

/* Whether several hosts, or a folder of them, are asked about. */
bool fleet_asked(const struct options *options);

/*
 * `plan` for each capture among --host and the arguments, folders standing for their *.host files:
 * a row each and a last line, or one document. A capture that cannot be read is a row too. The exit
 * code is the one that counts first among theirs.
 */
enum pthru_exit fleet_plan(struct call *call);
