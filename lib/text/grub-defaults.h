/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/default/grub and grub.d files: POSIX shell that grub-mkconfig sources (2.1, 2.2). We read
 * the plain part of it (assignments, quotes, appends through $VAR) and edit single tokens inside
 * one assignment, leaving every other byte alone. What we cannot follow is said, never guessed.
 */
/* Pure. */
#pragma once

#include <stdbool.h>

#include "array.h"

#define GRUB_LINUX	   "GRUB_CMDLINE_LINUX"
#define GRUB_LINUX_DEFAULT "GRUB_CMDLINE_LINUX_DEFAULT"

struct grub_source { /* one file, in the order in which it is sourced */
	const char *path;
	const char *text;
};

struct grub_value {
	const char *text;      /* value after all files, "" when never set; a part if uncertain */
	bool uncertain;	       /* $(...), conditionals, unknown variables touch it */
	const char *why;       /* path:line and what we could not follow; NULL */
	const char *last_path; /* file of the last assignment, NULL when never set */
	unsigned last_line;
	bool last_appends; /* the last assignment keeps the former value ($VAR inside) */
};

struct grub_error {
	const char *path;
	unsigned line;
	const char *why; /* "unterminated double quote" */
};

/*
 * Value of variable var after sourcing the n files in order. Returns 0; -EBADMSG when a file is no
 * shell that could be sourced (unterminated quote: grub-mkconfig would abort, 2.2), ret_error
 * then says where; -ENOMEM.
 */
int grub_defaults_value(struct arena *a, const struct grub_source *sources, size_t n,
			const char *var, struct grub_value *ret, struct grub_error *ret_error);

/*
 * Text with token added to (removed from) the value of var's last effective assignment in this one
 * file. Every other byte stays; what is handed out was read again and says what it should.
 *
 * Adding goes behind the last token, before "--"; nothing changes when the value satisfies the
 * token already (kcmdline_satisfies). Behind unquoted text the token brings its own quotes:
 * X=quiet becomes X=quiet" iommu=pt". An assignment is appended, with a comment that says whose
 * it is, when there is none. Removing takes the last token that equals ours, and if the last
 * assignment appends (X="$X b"), also out of the one before. Removing gives back every byte that
 * adding changed, also after several tokens, as long as they go in the reverse order; in another
 * order an unquoted, empty value (X=) may become X="".
 *
 * 0; -EBADMSG as above; -EOPNOTSUPP when the assignment cannot be edited safely: its value is
 * uncertain, or set again on a condition; -EINVAL when var or token is none; -ENOMEM.
 */
int grub_defaults_add(struct arena *a, const char *text, const char *var, const char *token,
		      const char **ret);
int grub_defaults_remove(struct arena *a, const char *text, const char *var, const char *token,
			 const char **ret);
