/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Did you mean": the word of a list that is nearest to a misspelt one. Pure. */
#pragma once

struct near {
	const char *word; /* as written */
	const char *best; /* near enough, or NULL */
	unsigned distance;
};

/* Considers one word of the list. Zero-initialise and set word first. */
void near_offer(struct near *near, const char *candidate);

/* "; did you mean \"x\"?" or "". Returns buf. */
#define NEAR_SIZE 96
const char *near_phrase(const struct near *near, char buf[static NEAR_SIZE]);
