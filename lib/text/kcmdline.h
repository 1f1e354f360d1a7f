/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel command line, by the kernel's own rules (facts 1.1 to 1.8). Pure. */
#pragma once

#include <stdbool.h>

#include "array.h"

struct kparam {
	const char *raw;   /* the token as it stands, quotes included */
	const char *name;  /* after unquoting (1.3) */
	const char *value; /* NULL: no '=' */
	bool for_init;	   /* is a bare "--" or stands after it (1.4) */
};

struct kcmdline {
	ARRAY_OF(struct kparam) params;
};

/* Splits a line. Any bytes are accepted. Returns 0 or -ENOMEM. */
int kcmdline_parse(struct arena *a, const char *line, struct kcmdline *ret);

/* Equal parameter names: '-' and '_' alike, case counts (1.5). */
bool kparam_name_equal(const char *a, const char *b);

/*
 * Whether the wish (one token: "quiet", "iommu=pt", "intel_iommu=on,sm_on") is in force on the
 * line before "--". For names whose values accumulate ("iommu", "intel_iommu", "amd_iommu": 1.8)
 * every comma part of the wish must appear in some occurrence; for all others the last
 * occurrence decides, except names that may stand several times (console, earlycon...).
 */
bool kcmdline_satisfies(const struct kcmdline *line, const char *wish);

/*
 * A token that contradicts the wish: same name, other value, and the wish is not in force, or for
 * accumulating names an opposite word (on/off, pt/nopt). NULL when none.
 */
const struct kparam *kcmdline_conflict(const struct kcmdline *line, const char *wish);

/*
 * The line with token added at the end, before a bare "--" (1.4) and before a last token whose
 * quote is never closed (1.6); nothing else changes a byte. A line that satisfies token already
 * is returned as it is. 0, -ENOMEM, -EINVAL when token is not one whole token.
 */
int kcmdline_add(struct arena *a, const char *line, const char *token, const char **ret);

/*
 * The line without the tokens before "--" that equal token (after parsing, 1.3; names byte by
 * byte); one blank goes with each. Errors as above.
 */
int kcmdline_remove(struct arena *a, const char *line, const char *token, const char **ret);

/* NULL when the flag may be written, else one phrase why not (2.7 and contract note 26). */
const char *kflag_refused(const char *flag);

/*
 * NULL when a module option's value may be written to modprobe.d and a kernel line, else why: the
 * same bytes as in flags, at least one.
 */
const char *option_value_refused(const char *value);

/* NULL when a module or parameter name is one (letters, digits, _ and -), else why not. */
const char *module_name_refused(const char *name);

/* Copies name with '-' made '_': the kernel's spelling. NULL: out of memory. */
const char *module_name_kernel(struct arena *a, const char *name);
