/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boot counting (3.11): loader entries and unified images have the tries that are left in their
 * names, NAME+LEFT[-DONE].conf. kernel-install writes a new file with a full count, or none, and
 * leaves the former one where it is: the two boot the same kernel, by different lines, and as long
 * as there is one without a count systemd-bless-boot never takes the count off the other. Pure.
 */
#pragma once

#include "host.h"
#include "plan.h"

/* The length of path, which ends in suffix, before the count; version: the kernel's, which may end
 * in what looks like one. */
size_t counted_stem(const char *path, const char *suffix, const char *version);

/* Whether kernel-install named it: TOKEN-VERSION, then a count. */
bool counted_named(const struct host_entry *entry, const char *suffix);

/* Why kernel-install would fail at the count, as a sentence for people; NULL: it would not. */
const char *counted_trouble(const struct host *host);

/*
 * Sets step->produces to the file that kernel-install writes next in the place of entry's, and
 * step->supersedes to those observed that then are former ones of the same name. 0 or -ENOMEM.
 */
int counted_next(struct arena *a, const struct host *host, const struct host_entry *entry,
		 const char *suffix, struct step *step);
