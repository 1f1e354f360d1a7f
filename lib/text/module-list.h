/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /etc/modules, modules-load.d and initramfs-tools' modules: one name a line (5.11, 5.18). Pure. */
#pragma once

#include "array.h"

/*
 * Module names of modules-load.d in order, kernel's spelling. A line that begins with '#' or ';'
 * is a comment; any other is a name as a whole, blanks and all, and loads nothing if it holds
 * more than a name (5.18). 0 or -ENOMEM.
 */
int module_list_parse(struct arena *a, const char *text, struct words *ret);

/*
 * The same of initramfs-tools' modules and an image's conf/modules, "MODULE [ARGUMENTS]" (5.11):
 * the first word of each line that does not begin with '#'. 0 or -ENOMEM.
 */
int module_list_parse_args(struct arena *a, const char *text, struct words *ret);

/*
 * A line of modules.alias / modules.builtin.modinfo: the modules (kernel's spelling) whose alias
 * pattern fits modalias, in file order without repeats. alias_text is modules.alias
 * ("alias PATTERN MODULE"); builtin_text has "MODULE.alias=PATTERN" lines; both may be "".
 */
int module_alias_lookup(struct arena *a, const char *alias_text, const char *builtin_text,
			const char *modalias, struct words *ret);
