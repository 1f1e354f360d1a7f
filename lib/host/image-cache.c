/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache's text is a line with version and digest, then a capture (lib/host/README.md) of the
 * images, named by their keys.
 */
#include "image-cache.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capture-put.h"
#include "capture-text.h"
#include "digest.h"
#include "tree.h"

#define FIRST_LINE "# passthroughd images 2 "
#define KEY_SIZE   96
#define IMAGES_MAX 256 /* remembered at once */

struct known {
	const char *path;
	struct image_key key;
	struct host_image image; /* ABSENT: stands in the text that was read */
};

struct image_cache {
	struct arena *arena;
	struct tree *old; /* NULL: none */
	ARRAY_OF(struct known) known;
	bool changed;
};

static void key_text(const struct image_key *key, char ret[static KEY_SIZE])
{
	snprintf(ret, KEY_SIZE, "/%llx-%llx-%llx-%llx-%llx", (unsigned long long)key->dev,
		 (unsigned long long)key->ino, (unsigned long long)key->size,
		 (unsigned long long)key->mtime_ns, (unsigned long long)key->ctime_ns);
}

/* The capture behind the first line, NULL when that is not as it should be. */
static const char *checked(const char *text, size_t size)
{
	const size_t first = sizeof(FIRST_LINE) - 1, line = first + DIGEST_TEXT_SIZE;
	char digest[DIGEST_TEXT_SIZE];

	if (size < line || memcmp(text, FIRST_LINE, first) != 0 || text[line - 1] != '\n')
		return NULL;
	digest_bytes(text + line, size - line, digest);
	return memcmp(text + first, digest, DIGEST_TEXT_SIZE - 1) == 0 ? text + line : NULL;
}

static int load(struct image_cache *c, const char *text, size_t size)
{
	const char *capture = checked(text, size);
	struct diags diags = {.arena = c->arena};
	int r;

	if (!capture)
		return 0;
	r = tree_capture_new("cache", capture, size - (size_t)(capture - text), &diags, &c->old);
	return r == -ENOMEM ? r : 0;
}

int image_cache_new(const char *text, size_t size, struct image_cache **ret)
{
	_cleanup_image_cache_ struct image_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->arena = arena_new();
	if (!c->arena || load(c, text, size) < 0)
		return -ENOMEM;
	*ret = TAKE(c);
	return 0;
}

struct image_cache *image_cache_free(struct image_cache *c)
{
	if (!c)
		return NULL;
	tree_free(c->old);
	arena_free(c->arena);
	free(c);
	return NULL;
}

static int copy_image(const struct host_image *from, struct arena *a, struct host_image *ret)
{
	struct host_image image = {.status = from->status, .size = from->size};

	image.compression = from->compression ? arena_strdup(a, from->compression) : NULL;
	image.why = from->why ? arena_strdup(a, from->why) : NULL;
	if (!image.compression != !from->compression || !image.why != !from->why)
		return -ENOMEM;
	array_foreach(it, &from->files) {
		struct image_file file = {.size = it->size};

		file.path = arena_strdup(a, it->path);
		file.text = arena_memdup(a, it->text, it->size);
		if (!file.path || !file.text || array_push(a, &image.files, file) < 0)
			return -ENOMEM;
	}
	array_foreach(it, &from->modules) {
		const char *name = arena_strdup(a, *it);

		if (!name || array_push(a, &image.modules, name) < 0)
			return -ENOMEM;
	}
	*ret = image;
	return 0;
}

static struct known *slot(struct image_cache *c, const char *path)
{
	struct known *known;

	array_foreach(it, &c->known)
		if (strcmp(it->path, path) == 0)
			return it;
	path = c->known.n < IMAGES_MAX ? arena_strdup(c->arena, path) : NULL;
	known = path ? array_add(c->arena, &c->known) : NULL;
	if (known)
		known->path = path;
	return known;
}

int image_cache_find(struct image_cache *c, const char *path, const struct image_key *key,
		     struct arena *a, struct host_image *ret)
{
	char name[KEY_SIZE];
	struct host_image image;
	struct known *known;
	int r;

	key_text(key, name);
	array_foreach(it, &c->known) {
		char other[KEY_SIZE];

		key_text(&it->key, other);
		if (it->image.status != IMAGE_ABSENT && strcmp(name, other) == 0)
			return copy_image(&it->image, a, ret) < 0 ? -ENOMEM : 1;
	}
	if (!c->old)
		return 0;
	r = c->old->ops->image(c->old, name, a, &image);
	if (r < 0)
		return r;
	if (image.status == IMAGE_ABSENT)
		return 0;
	known = slot(c, path);
	if (!known && c->known.n < IMAGES_MAX)
		return -ENOMEM;
	if (known) {
		known->key = *key;
		known->image = (struct host_image){.status = IMAGE_ABSENT};
	}
	image.path = NULL;
	*ret = image;
	return 1;
}

int image_cache_add(struct image_cache *c, const char *path, const struct image_key *key,
		    const struct host_image *image)
{
	struct host_image copy;
	struct known *known;

	if (copy_image(image, c->arena, &copy) < 0)
		return -ENOMEM;
	known = slot(c, path);
	/* A host of so many kernels reads the others each time. */
	if (!known)
		return c->known.n < IMAGES_MAX ? -ENOMEM : 0;
	known->key = *key;
	known->image = copy;
	c->changed = true;
	return 0;
}

bool image_cache_changed(const struct image_cache *c)
{
	return c->changed;
}

static int put_known(struct image_cache *c, const struct known *known, struct strbuf *lines,
		     struct strbuf *sections)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host_image image = known->image;
	char name[KEY_SIZE];
	int r = a ? 0 : -ENOMEM;

	key_text(&known->key, name);
	if (r == 0 && image.status == IMAGE_ABSENT)
		r = c->old->ops->image(c->old, name, a, &image);
	if (r < 0)
		return r;
	capture_put_image_line(lines, name + 1, &image);
	capture_put_image(sections, name, &image);
	return 0;
}

int image_cache_write(struct image_cache *c, struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf lines = {0}, sections = {0};
	char digest[DIGEST_TEXT_SIZE];

	strbuf_add(&lines, CAPTURE_FIRST_LINE "\n[/]\n");
	array_foreach(it, &c->known) {
		int r = put_known(c, it, &lines, &sections);

		if (r < 0)
			return r;
	}
	strbuf_add(&lines, strbuf_text(&sections));
	strbuf_add(&lines, CAPTURE_END_MARK "\n");
	if (lines.error || sections.error)
		return -ENOMEM;
	digest_bytes(lines.text, lines.len, digest);
	strbuf_addf(out, FIRST_LINE "%s\n", digest);
	strbuf_addn(out, lines.text, lines.len);
	return out->error;
}
