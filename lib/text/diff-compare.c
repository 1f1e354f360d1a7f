/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Myers' comparison in linear space: a path's middle is sought from both ends at once. */
#include "diff-compare.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* Differences after which a stretch counts as replaced as a whole; bounds the time. */
#define EFFORT 1024

static int cut_lines(struct arena *a, const char *bytes, size_t size, struct diff_text *ret)
{
	struct diff_text t = {0};
	size_t n = 1;

	for (size_t i = 0; i < size; i++)
		n += bytes[i] == '\n';
	t.lines = arena_alloc(a, n * sizeof(*t.lines));
	if (!t.lines)
		return -ENOMEM;
	for (size_t i = 0; i < size; t.n++) {
		const char *end = memchr(bytes + i, '\n', size - i);
		size_t len = end ? (size_t)(end - bytes) - i + 1 : size - i;

		t.lines[t.n] = (struct diff_line){.at = bytes + i, .len = len};
		i += len;
	}
	*ret = t;
	return 0;
}

static uint64_t hash(const struct diff_line *line)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (size_t i = 0; i < line->len; i++)
		h = (h ^ (unsigned char)line->at[i]) * 1099511628211u;
	return h;
}

/* Numbers the lines so that equal ones have equal numbers. */
static int number_lines(struct arena *a, struct diff_text texts[2])
{
	size_t room = 16, next = 0;
	const struct diff_line **table;

	while (room < 2 * (texts[0].n + texts[1].n))
		room *= 2;
	table = arena_alloc(a, room * sizeof(const struct diff_line *));
	if (!table)
		return -ENOMEM;
	for (size_t k = 0; k < texts[0].n + texts[1].n; k++) {
		struct diff_line *line = k < texts[0].n ? &texts[0].lines[k]
							: &texts[1].lines[k - texts[0].n];
		size_t at = hash(line) & (room - 1);

		while (table[at] && (table[at]->len != line->len ||
				     memcmp(table[at]->at, line->at, line->len) != 0))
			at = (at + 1) & (room - 1);
		line->same_as = table[at] ? table[at]->same_as : next++;
		if (!table[at])
			table[at] = line;
	}
	return 0;
}

/* Lines [from, to) of both texts that are still to be compared. */
struct box {
	size_t from[2], to[2];
};

struct search {
	struct diff_text *texts;
	/* Furthest line of the first text on each diagonal, from the start and from the end. */
	ptrdiff_t *forth, *back;
};

static bool equal(const struct search *s, size_t i, size_t j)
{
	return s->texts[0].lines[i].same_as == s->texts[1].lines[j].same_as;
}

static void shrink(const struct search *s, struct box *b)
{
	while (b->from[0] < b->to[0] && b->from[1] < b->to[1] && equal(s, b->from[0], b->from[1])) {
		b->from[0]++;
		b->from[1]++;
	}
	while (b->from[0] < b->to[0] && b->from[1] < b->to[1] &&
	       equal(s, b->to[0] - 1, b->to[1] - 1)) {
		b->to[0]--;
		b->to[1]--;
	}
}

/* Furthest start on diagonal k, given those of the neighbours with one difference less. */
static ptrdiff_t step(const ptrdiff_t *reach, ptrdiff_t k, ptrdiff_t d)
{
	if (k == -d || (k != d && reach[k - 1] < reach[k + 1]))
		return reach[k + 1];
	return reach[k - 1] + 1;
}

/*
 * Extends all paths of d differences from one end of the box; in the backward direction all is
 * mirrored. True when one meets a path from the other end: then *x, *y is where, counted from
 * this end.
 */
static bool extend(const struct search *s, const struct box *b, bool backward, ptrdiff_t d,
		   ptrdiff_t *x, ptrdiff_t *y)
{
	ptrdiff_t n = (ptrdiff_t)(b->to[0] - b->from[0]), m = (ptrdiff_t)(b->to[1] - b->from[1]);
	ptrdiff_t *mine = backward ? s->back : s->forth;
	const ptrdiff_t *other = backward ? s->forth : s->back;
	ptrdiff_t delta = n - m, limit = backward ? d : d - 1;
	bool odd = delta & 1;

	for (ptrdiff_t k = -d; k <= d; k += 2) {
		ptrdiff_t i = d ? step(mine, k, d) : 0, j = i - k;

		while (i < n && j < m && i >= 0 && j >= 0 &&
		       (backward ? equal(s, b->to[0] - 1 - (size_t)i, b->to[1] - 1 - (size_t)j)
				 : equal(s, b->from[0] + (size_t)i, b->from[1] + (size_t)j))) {
			i++;
			j++;
		}
		mine[k] = i;
		/* Paths meet on one diagonal, and only at the parity of their lengths' sum. */
		if (odd == backward || delta - k < -limit || delta - k > limit)
			continue;
		if (i + other[delta - k] >= n) {
			*x = i;
			*y = j;
			return true;
		}
	}
	return false;
}

/* A point inside the box on a shortest path, or false when the effort is not worth it. */
static bool middle(const struct search *s, const struct box *b, size_t ret[2])
{
	ptrdiff_t x, y;

	for (ptrdiff_t d = 0; d <= EFFORT; d++) {
		if (extend(s, b, false, d, &x, &y)) {
			ret[0] = b->from[0] + (size_t)x;
			ret[1] = b->from[1] + (size_t)y;
			return true;
		}
		if (extend(s, b, true, d, &x, &y)) {
			ret[0] = b->to[0] - (size_t)x;
			ret[1] = b->to[1] - (size_t)y;
			return true;
		}
	}
	return false;
}

static void mark(struct diff_text *t, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		t->lines[i].changed = true;
}

/* Depth is bounded by the halving of differences: at most log2 of EFFORT twice over. */
static void compare(const struct search *s, struct box b)
{
	struct box head, tail;
	size_t at[2];

	for (;;) {
		shrink(s, &b);
		if (b.from[0] == b.to[0] || b.from[1] == b.to[1] || !middle(s, &b, at) ||
		    (at[0] == b.from[0] && at[1] == b.from[1]) ||
		    (at[0] == b.to[0] && at[1] == b.to[1])) {
			mark(&s->texts[0], b.from[0], b.to[0]);
			mark(&s->texts[1], b.from[1], b.to[1]);
			return;
		}
		head = tail = b;
		head.to[0] = tail.from[0] = at[0];
		head.to[1] = tail.from[1] = at[1];
		compare(s, head);
		b = tail;
	}
}

int diff_compare(struct arena *a, const char *const bytes[2], const size_t size[2],
		 struct diff_text ret[2])
{
	struct diff_text texts[2];
	struct search s = {.texts = texts};
	ptrdiff_t *room;

	for (int k = 0; k < 2; k++)
		if (cut_lines(a, bytes[k], size[k], &texts[k]) < 0)
			return -ENOMEM;
	room = arena_alloc(a, 2 * (2 * EFFORT + 3) * sizeof(*room));
	if (!room || number_lines(a, texts) < 0)
		return -ENOMEM;
	s.forth = room + EFFORT + 1;
	s.back = s.forth + 2 * EFFORT + 3;
	compare(&s, (struct box){.to = {texts[0].n, texts[1].n}});
	memcpy(ret, texts, sizeof(texts));
	return 0;
}
