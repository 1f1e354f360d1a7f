/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal at PATH_JOURNAL: text, a line before each step and one after it, synced. An apply
 * that was cut has no "ends" line.
 */
#pragma once

#include "apply.h"

struct journal {
	const struct ops *ops;
	struct strbuf lines; /* not yet written: results wait for the next intent or the end */
	char name[13];	     /* the plan's id, shortened */
	size_t count;	     /* steps of the plan */
};

/* Begins an apply. An old journal that grew long loses its beginning first. */
int journal_begin(struct journal *j, const struct ops *ops, const struct plan *plan);

/* Writes and syncs "step index is about to be carried out" and the results before it. */
int journal_intent(struct journal *j, size_t index, const char *what);

/* Notes what became of the step; it reaches the disk with the next intent or the end. */
void journal_result(struct journal *j, size_t index, const char *result);

/* A line of another kind, at once. */
int journal_note(struct journal *j, const char *what, const char *target);

/* Writes the end line, frees. */
int journal_end(struct journal *j, const char *result);

/* Ends an apply that was cut. */
int journal_close(const struct ops *ops);

/* Frees without an end line. */
void journal_done(struct journal *j);
