/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contents of images are remembered by the file's identity, and a bad cache is as none. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "image-cache.h"
#include "image-write.h"
#include "tree.h"

static const char *const some_modules[] = {"e1000e", "vfio_pci"};
static const struct image_file some_file = {"etc/modprobe.d/x.conf", "blacklist a\n\tb\n", 15};
static const struct image_key some_key = {2049, 77, 1234, 1700000000123456789, -5};

static struct host_image sample(void)
{
	static struct image_file file;
	static const char *modules[2];

	file = some_file;
	memcpy(modules, some_modules, sizeof(modules));
	return (struct host_image){
		.status = IMAGE_READ,
		.compression = "zstd",
		.size = 1234,
		.files = {&file, 1, 1},
		.modules = {modules, 2, 2},
	};
}

static void expect_sample(const struct host_image *image)
{
	assert_int_equal(image->status, IMAGE_READ);
	assert_string_equal(image->compression, "zstd");
	assert_int_equal(image->files.n, 1);
	assert_string_equal(image->files.at[0].path, some_file.path);
	assert_string_equal(image->files.at[0].text, some_file.text);
	assert_int_equal(image->files.at[0].size, some_file.size);
	assert_int_equal(image->modules.n, 2);
	assert_string_equal(image->modules.at[1], "vfio_pci");
}

static struct image_cache *cache_of(const struct strbuf *text)
{
	struct image_cache *c = NULL;

	assert_int_equal(image_cache_new(strbuf_text(text), text->len, &c), 0);
	return c;
}

static void write_sample(struct strbuf *text)
{
	_cleanup_strbuf_ struct strbuf none = {0};
	_cleanup_image_cache_ struct image_cache *c = cache_of(&none);
	struct image_key bad_key = some_key;
	struct host_image image = sample(), bad = {.status = IMAGE_BAD, .why = "cut short"};

	bad_key.ino++;
	assert_false(image_cache_changed(c));
	assert_int_equal(image_cache_add(c, "/boot/a", &some_key, &image), 0);
	assert_int_equal(image_cache_add(c, "/boot/b", &bad_key, &bad), 0);
	assert_true(image_cache_changed(c));
	assert_int_equal(image_cache_write(c, text), 0);
}

static void images_come_back(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf text = {0}, again = {0};
	_cleanup_image_cache_ struct image_cache *c = NULL;
	struct image_key key = some_key;
	struct host_image image;

	write_sample(&text);
	c = cache_of(&text);
	assert_int_equal(image_cache_find(c, "/boot/a", &some_key, a, &image), 1);
	expect_sample(&image);
	assert_null(image.path);
	key.ino++;
	assert_int_equal(image_cache_find(c, "/boot/b", &key, a, &image), 1);
	assert_int_equal(image.status, IMAGE_BAD);
	assert_string_equal(image.why, "cut short");
	/* What was found is kept, and nothing is new. */
	assert_false(image_cache_changed(c));
	assert_int_equal(image_cache_write(c, &again), 0);
	assert_string_equal(again.text, text.text);
}

static void every_part_of_the_key_counts(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf text = {0};
	_cleanup_image_cache_ struct image_cache *c = NULL;
	struct image_key keys[5];
	struct host_image image;

	write_sample(&text);
	c = cache_of(&text);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		keys[i] = some_key;
	keys[0].dev++;
	keys[1].ino += 2;
	keys[2].size++;
	keys[3].mtime_ns++;
	keys[4].ctime_ns++;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_int_equal(image_cache_find(c, "/boot/a", &keys[i], a, &image), 0);
}

static void the_latest_of_a_path_is_kept(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf text = {0}, again = {0};
	_cleanup_image_cache_ struct image_cache *c = NULL, *later = NULL;
	struct image_key key = some_key;
	struct host_image image = sample();

	write_sample(&text);
	c = cache_of(&text);
	assert_int_equal(image_cache_find(c, "/boot/a", &some_key, a, &image), 1);
	key.ino = 99;
	assert_int_equal(image_cache_add(c, "/boot/a", &key, &image), 0);
	assert_int_equal(image_cache_write(c, &again), 0);
	later = cache_of(&again);
	assert_int_equal(image_cache_find(later, "/boot/a", &key, a, &image), 1);
	assert_int_equal(image_cache_find(later, "/boot/a", &some_key, a, &image), 0);
	/* Nobody asked for the other one: its kernel is gone. */
	key.ino = some_key.ino + 1;
	assert_int_equal(image_cache_find(later, "/boot/b", &key, a, &image), 0);
}

static void a_damaged_cache_is_as_none(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf text = {0};
	struct host_image image;

	write_sample(&text);
	for (size_t i = 0; i < text.len; i++) {
		struct strbuf cut = {.text = text.text, .len = i};
		_cleanup_image_cache_ struct image_cache *shorter = cache_of(&cut), *other = NULL;

		assert_int_equal(image_cache_find(shorter, "/boot/a", &some_key, a, &image), 0);
		text.text[i] ^= 1;
		other = cache_of(&text);
		text.text[i] ^= 1;
		assert_int_equal(image_cache_find(other, "/boot/a", &some_key, a, &image), 0);
	}
}

/* --- through a tree -------------------------------------------------------------------------- */

#define CACHE "/var/lib/x/images.cache"

struct scratch {
	char dir[32];
	struct root *root;
};

static int remove_one(const char *path, const struct stat *st _unused_, int kind _unused_,
		      struct FTW *ftw _unused_)
{
	return remove(path);
}

static int set_up(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	*state = s;
	strcpy(s->dir, "/tmp/pthru-cache-XXXXXX");
	return mkdtemp(s->dir) && root_open(s->dir, &s->root) == 0 ? root_mkdirs(s->root, "/boot")
								   : -1;
}

static int take_down(void **state)
{
	struct scratch *s = *state;

	root_free(s->root);
	nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(s);
	return 0;
}

static void put(const struct scratch *s, const char *path, const struct strbuf *b, mode_t mode)
{
	const struct file_attr attr = {.mode = mode, .uid = geteuid(), .gid = getegid()};

	int r = root_unlink(s->root, path);

	assert_true(r == 0 || r == -ENOENT);
	assert_int_equal(root_replace(s->root, path, strbuf_text(b), b->len, &attr), 0);
}

static void put_image(const struct scratch *s, const char *path, const struct host_image *image)
{
	const struct timespec tick = {.tv_nsec = 30000000};
	_cleanup_strbuf_ struct strbuf b = {0};

	assert_int_equal(image_write(image, &b), 0);
	put(s, path, &b, 0644);
	/* What is as young as the clock's step is not remembered. */
	nanosleep(&tick, NULL);
}

/* Reads one image by a fresh tree and saves; the number of modules found. */
static size_t read_and_save(const struct scratch *s, const char *cache, enum image_status expect)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_tree_ struct tree *t = NULL;
	struct host_image image;

	assert_int_equal(tree_root_new(s->root, cache, &t), 0);
	assert_int_equal(t->ops->image(t, "/boot/img", a, &image), 0);
	assert_int_equal(image.status, expect);
	assert_string_equal(image.path, "/boot/img");
	assert_int_equal(tree_cache_save(t), 0);
	return image.modules.n;
}

/* A cache that says something else of the image now at /boot/img: shows whether it is believed. */
static void forge(const struct scratch *s, struct strbuf *text)
{
	_cleanup_image_cache_ struct image_cache *c = cache_of(text);
	struct host_image lie = sample();
	struct image_key key;
	struct stat st;

	assert_int_equal(root_stat(s->root, "/boot/img", &st), 0);
	key = (struct image_key){
		.dev = st.st_dev,
		.ino = st.st_ino,
		.size = (uint64_t)st.st_size,
		.mtime_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec,
		.ctime_ns = st.st_ctim.tv_sec * INT64_C(1000000000) + st.st_ctim.tv_nsec,
	};
	lie.modules.n = 1;
	assert_int_equal(image_cache_add(c, "/boot/img", &key, &lie), 0);
	assert_int_equal(image_cache_write(c, text), 0);
}

static void a_tree_remembers(void **state)
{
	const struct scratch *s = *state;
	_cleanup_strbuf_ struct strbuf forged = {0};
	struct host_image image = sample();
	struct stat first, second;

	put_image(s, "/boot/img", &image);
	assert_int_equal(read_and_save(s, NULL, IMAGE_READ), 2);
	assert_int_equal(root_stat(s->root, CACHE, &first), -ENOENT);
	assert_int_equal(read_and_save(s, CACHE, IMAGE_READ), 2);
	assert_int_equal(root_stat(s->root, CACHE, &first), 0);
	assert_int_equal(first.st_mode & 07777, 0600);
	/* Nothing new, nothing written. */
	assert_int_equal(read_and_save(s, CACHE, IMAGE_READ), 2);
	assert_int_equal(root_stat(s->root, CACHE, &second), 0);
	assert_int_equal(first.st_ino, second.st_ino);
	forge(s, &forged);
	put(s, CACHE, &forged, 0600);
	assert_int_equal(read_and_save(s, CACHE, IMAGE_READ), 1);
	/* A new file is a new image. */
	put_image(s, "/boot/img", &image);
	assert_int_equal(read_and_save(s, CACHE, IMAGE_READ), 2);
}

static void what_others_can_write_is_not_believed(void **state)
{
	const struct scratch *s = *state;
	_cleanup_strbuf_ struct strbuf forged = {0};
	struct host_image image = sample();

	put_image(s, "/boot/img", &image);
	forge(s, &forged);
	put(s, CACHE, &forged, 0622);
	assert_int_equal(read_and_save(s, CACHE, IMAGE_READ), 2);
}

static void missing_and_odd_images(void **state)
{
	const struct scratch *s = *state;

	assert_int_equal(root_unlink(s->root, "/boot/img"), 0);
	read_and_save(s, CACHE, IMAGE_ABSENT);
	assert_int_equal(root_mkdirs(s->root, "/boot/img"), 0);
	read_and_save(s, CACHE, IMAGE_UNREADABLE);
}

static void a_capture_has_no_cache(void **state _unused_)
{
	static const char text[] = "# passthroughd capture 1\n# end\n";
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_tree_ struct tree *t = NULL;
	struct diags diags = {.arena = a};

	assert_int_equal(tree_capture_new("x", text, sizeof(text) - 1, &diags, &t), 0);
	assert_int_equal(tree_cache_save(t), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_come_back),
		cmocka_unit_test(every_part_of_the_key_counts),
		cmocka_unit_test(the_latest_of_a_path_is_kept),
		cmocka_unit_test(a_damaged_cache_is_as_none),
		cmocka_unit_test(a_tree_remembers),
		cmocka_unit_test(what_others_can_write_is_not_believed),
		cmocka_unit_test(missing_and_odd_images),
		cmocka_unit_test(a_capture_has_no_cache),
	};

	return cmocka_run_group_tests(tests, set_up, take_down);
}
