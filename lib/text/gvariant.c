/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gvariant.h"

#include <string.h>

#define DICT_ALIGNMENT 8 /* of an entry of which one half is a variant */

/* Where the members of a container end stands behind them, in as few bytes as its size needs. */
struct container {
	const unsigned char *data;
	size_t size;
	unsigned width; /* of an offset */
	size_t members; /* bytes of all of them: there the offsets begin */
	size_t n;
};

static unsigned width_for(size_t size)
{
	return size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= 0xffffffff ? 4 : 8;
}

static size_t offset_at(const struct container *c, size_t at)
{
	size_t value = 0;

	for (unsigned i = c->width; i-- > 0;)
		value = value << 8 | c->data[at + i];
	return value;
}

/* An array of members that are of no fixed size. */
static int open_array(const unsigned char *data, size_t size, struct container *ret)
{
	struct container c = {.data = data, .size = size, .width = width_for(size)};

	if (size) {
		if (size < c.width)
			return -EBADMSG;
		c.members = offset_at(&c, size - c.width);
		if (c.members > size - c.width || (size - c.members) % c.width)
			return -EBADMSG;
		c.n = (size - c.members) / c.width;
	}
	*ret = c;
	return 0;
}

static size_t aligned(size_t at, size_t to)
{
	return (at + to - 1) / to * to;
}

/* The i-th member, which begins at *begin; that becomes where it ends. */
static int member(const struct container *c, size_t i, size_t alignment, size_t *begin,
		  const unsigned char **ret, size_t *ret_size)
{
	size_t end = offset_at(c, c->members + i * c->width);
	size_t start = aligned(*begin, alignment);

	if (start > end || end > c->members)
		return -EBADMSG;
	*ret = c->data + start;
	*ret_size = end - start;
	*begin = end;
	return 0;
}

static bool is_string(const unsigned char *data, size_t size)
{
	return size && strnlen((const char *)data, size) == size - 1;
}

/* Its type stands behind the value, after a zero. */
static int open_variant(const unsigned char *data, size_t size, struct gvariant *ret)
{
	for (size_t at = size; at-- > 0;)
		if (!data[at]) {
			ret->data = data;
			ret->size = at;
			return at + 1 < size ? 0 : -EBADMSG;
		}
	return -EBADMSG;
}

/* The types that are asked for. Any other is "". */
static const char *known_type(const unsigned char *type, size_t size)
{
	static const char *const types[] = {"as", "b"};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strlen(types[i]) == size && memcmp(types[i], type, size) == 0)
			return types[i];
	return "";
}

static int open_entry(const unsigned char *data, size_t size, const char **ret_key,
		      struct gvariant *ret)
{
	struct container c = {.data = data, .size = size, .width = width_for(size)};
	size_t key, value;
	int r;

	if (size < c.width)
		return -EBADMSG;
	c.members = size - c.width;
	key = offset_at(&c, c.members);
	value = aligned(key, DICT_ALIGNMENT);
	if (key > c.members || value > c.members || !is_string(data, key))
		return -EBADMSG;
	r = open_variant(data + value, c.members - value, ret);
	if (r < 0)
		return r;
	ret->type = known_type(ret->data + ret->size + 1, c.members - value - ret->size - 1);
	*ret_key = (const char *)data;
	return 0;
}

int gvariant_find(const void *data, size_t size, const char *key, struct gvariant *ret)
{
	struct container c;
	size_t begin = 0;
	int r = open_array(data, size, &c);

	for (size_t i = 0; r == 0 && i < c.n; i++) {
		const unsigned char *entry;
		struct gvariant value;
		const char *name;
		size_t n;

		r = member(&c, i, DICT_ALIGNMENT, &begin, &entry, &n);
		if (r == 0)
			r = open_entry(entry, n, &name, &value);
		if (r == 0 && strcmp(name, key) == 0) {
			*ret = value;
			return 0;
		}
	}
	return r < 0 ? r : -ENOENT;
}

int gvariant_strings(struct arena *a, const struct gvariant *value, struct words *ret)
{
	struct words words = {0};
	struct container c;
	size_t begin = 0;
	int r = strcmp(value->type, "as") == 0 ? open_array(value->data, value->size, &c)
					       : -EBADMSG;

	for (size_t i = 0; r == 0 && i < c.n; i++) {
		const unsigned char *text;
		size_t n;

		r = member(&c, i, 1, &begin, &text, &n);
		if (r == 0)
			r = is_string(text, n) ? array_push(a, &words, (const char *)text)
					       : -EBADMSG;
		if (r == 0) {
			words.at[words.n - 1] = arena_strndup(a, (const char *)text, n - 1);
			r = words.at[words.n - 1] ? 0 : -ENOMEM;
		}
	}
	if (r == 0)
		*ret = words;
	return r;
}

bool gvariant_true(const struct gvariant *value)
{
	return strcmp(value->type, "b") == 0 && value->size == 1 && *value->data;
}
