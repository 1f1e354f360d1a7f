/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "near.h"

#include <stdio.h>
#include <string.h>

#include "macro.h"

#define WORD_MAX 48 /* longer ones are no misspelt words */

/* Case and the two kinds of dash are what people mix up first: they cost nothing. */
static int letter(char c)
{
	return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? c | 32 : c;
}

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, substitutions and swaps of neighbours. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= nb; j++)
		last[j] = (unsigned)j;
	memset(before, 0, sizeof(rows[0]));
	for (size_t i = 1; i <= na; i++) {
		unsigned *spare = before;

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned differs = letter(a[i - 1]) != letter(b[j - 1]);

			now[j] = min(min(last[j], now[j - 1]) + 1, last[j - 1] + differs);
			if (i > 1 && j > 1 && letter(a[i - 1]) == letter(b[j - 2]) &&
			    letter(a[i - 2]) == letter(b[j - 1]))
				now[j] = min(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[nb];
}

void near_offer(struct near *near, const char *candidate)
{
	size_t na = strlen(near->word), nb = strlen(candidate);
	unsigned d, limit = nb > 4 ? 2 : 1;

	if (na == 0 || na > WORD_MAX || nb > WORD_MAX)
		return;
	d = distance(near->word, na, candidate, nb);
	if (d > limit || (near->best && d >= near->distance))
		return;
	near->best = candidate;
	near->distance = d;
}

const char *near_phrase(const struct near *near, char buf[static NEAR_SIZE])
{
	buf[0] = '\0';
	if (near->best)
		snprintf(buf, NEAR_SIZE, "; did you mean \"%s\"?", near->best);
	return buf;
}
