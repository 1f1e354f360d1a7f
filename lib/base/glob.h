/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Globs of match and label: "*", "?" and "[a-z]", "[!a-z]", case ignored. Not fnmatch(3): its time
 * grows without bound with the number of stars, and it follows the locale. Pure.
 */
#pragma once

#include <stdbool.h>

/* Whether the whole text fits. An empty text fits only globs of stars. */
bool glob_match(const char *glob, const char *text);

/* NULL when it is a glob, else one phrase why not. */
const char *glob_refused(const char *glob);

/* Whether it names anything: outside of its wildcards it has a letter or a digit. */
bool glob_names(const char *glob);
