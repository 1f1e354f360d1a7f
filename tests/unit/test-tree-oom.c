/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory runs out at every allocation in turn: captures, images and their cache say -ENOMEM. */
#include "scratch.h"

#include "oom.h"

#include "capture.h"
#include "image-cache.h"
#include "image-write.h"
#include "image.h"
#include "observe.h"

static const char small[] = "# passthroughd capture 1\n"
			    "[/etc]\n"
			    "hostname = a\\x20b\n"
			    "hostname @ 0600 0 0\n"
			    "machine-id = 0123456789abcdef0123456789abcdef\n"
			    "modprobe.d/x.conf <<\n"
			    "\toptions x\n"
			    "link -> hostname\n"
			    "shut ! EACCES\n"
			    "[/boot]\n"
			    "vmlinuz-6.1 :\n"
			    "initrd.img-6.1 image gzip 1000\n"
			    "[/boot/initrd.img-6.1!]\n"
			    "+ nouveau vfio_pci\n"
			    "etc/modprobe.d/a.conf = blacklist b\n"
			    "[/proc]\n"
			    "kmsg = DMAR\n"
			    "7/fd/3 -> /dev/vfio/1\n"
			    "7/comm = kvm\n"
			    "[/sys/bus/pci/devices]\n"
			    "0000:01:00.0 -> ../../../devices/pci0000:00/0000:01:00.0\n"
			    "[/sys/devices/pci0000:00/0000:01:00.0]\n"
			    "vendor = 0x10de\n"
			    "device = 0x1b81\n"
			    "class = 0x030000\n"
			    "serial_number = 01-02-03\n"
			    "config : \\x00\\x00\n"
			    "# end\n";

static const char *text_of(size_t *ret_size)
{
	*ret_size = sizeof(small) - 1;
	return small;
}

static int open_it(void *arg)
{
	_cleanup_tree_ struct tree *tree = NULL;
	struct arena *a = arg;
	struct diags diags = {.arena = a};
	size_t size;
	const char *text = text_of(&size);

	return tree_capture_new("x", text, size, &diags, &tree);
}

static int use_it(void *arg)
{
	struct tree *tree = arg;
	_cleanup_arena_ struct arena *a = arena_new();
	struct host_image image;
	struct words names;
	const char *text;
	size_t size;
	int err = a ? tree->ops->read(tree, "/etc/link", 99, a, &text, &size) : -ENOMEM;

	if (err == 0)
		err = tree->ops->readlink(tree, "/etc/link", a, &text);
	if (err == 0)
		err = tree->ops->head(tree, "/etc/hostname", 2, a, &text, &size);
	if (err == 0)
		err = tree->ops->list(tree, "/etc", a, &names);
	return err < 0 ? err : tree->ops->image(tree, "/boot/initrd.img-6.1", a, &image);
}

static int capture_it(void *arg)
{
	_cleanup_strbuf_ struct strbuf out = {0};

	return capture_write(arg, &out);
}

static void captures(void **state)
{
	struct scratch *s = *state;
	_cleanup_tree_ struct tree *tree = NULL;
	struct diags diags = {.arena = s->arena};
	size_t size;
	const char *text = text_of(&size);

	assert_true(oom_everywhere(open_it, s->arena) > 10);
	assert_int_equal(tree_capture_new("x", text, size, &diags, &tree), 0);
	assert_true(oom_everywhere(use_it, tree) > 10);
	assert_true(oom_everywhere(capture_it, tree) > 100);
	tree->capture = false;
	tree->live = true;
	assert_true(oom_everywhere(capture_it, tree) > 100);
}

static void an_error_is_not_lost(void **state _unused_)
{
	static const char wrong[] = "# passthroughd capture 1\nx\n# end\n";
	bool failed = true;

	for (unsigned n = 1; failed; n++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct diags diags = {.arena = a};
		struct tree *tree = NULL;
		int err;

		oom_left = n;
		err = tree_capture_new("x", wrong, sizeof(wrong) - 1, &diags, &tree);
		failed = oom_left == 0;
		oom_left = 0;
		assert_true(err == -EBADMSG || (failed && err == -ENOMEM));
		assert_true(err == -ENOMEM || diags_failed(&diags));
		assert_null(tree);
	}
}

static int lay_it_out(void *arg)
{
	struct scratch *s = arg;
	_cleanup_arena_ struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	size_t size;
	const char *text = text_of(&size);
	char dir[96];
	int err;

	snprintf(dir, sizeof(dir), "%s/out", s->dir);
	if (!a)
		return -ENOMEM;
	err = capture_lay_out("x", text, size, dir, &diags);
	nftw(dir, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
	return err;
}

static void laying_out(void **state)
{
	assert_true(oom_everywhere(lay_it_out, *state) > 50);
}

static int read_image(void *arg)
{
	const struct strbuf *bytes = arg;
	_cleanup_arena_ struct arena *a = arena_new();
	struct host_image image;

	return a ? image_read_memory(bytes->text, bytes->len, a, &image) : -ENOMEM;
}

static struct host_image sample(void)
{
	static struct image_file file = {"etc/modprobe.d/x.conf", "blacklist a\n", 12};
	static const char *modules[] = {"e1000e", "vfio_pci"};

	return (struct host_image){
		.status = IMAGE_READ,
		.compression = "zstd",
		.files = {&file, 1, 1},
		.modules = {modules, 2, 2},
	};
}

static int write_image(void *arg)
{
	_cleanup_strbuf_ struct strbuf out = {0};

	return image_write(arg, &out);
}

static void images(void **state _unused_)
{
	struct host_image image = sample();
	static const char *const compressions[] = {"none", "zstd", "lz4"};

	for (size_t i = 0; i < ARRAY_LEN(compressions); i++) {
		_cleanup_strbuf_ struct strbuf bytes = {0};

		image.compression = compressions[i];
		assert_int_equal(image_write(&image, &bytes), 0);
		assert_true(oom_everywhere(read_image, &bytes) > 5);
		assert_true(oom_everywhere(write_image, &image) > 5);
	}
}

static int remember(void *arg _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_image_cache_ struct image_cache *first = NULL, *second = NULL;
	_cleanup_strbuf_ struct strbuf text = {0}, again = {0};
	const struct image_key key = {1, 2, 3, 4, 5};
	struct host_image image = sample(), found;
	int err = a ? image_cache_new("", 0, &first) : -ENOMEM;

	if (err == 0)
		err = image_cache_add(first, "/boot/a", &key, &image);
	if (err == 0)
		err = image_cache_write(first, &text);
	if (err == 0)
		err = image_cache_new(text.text, text.len, &second);
	if (err == 0)
		err = image_cache_find(second, "/boot/a", &key, a, &found);
	return err < 0 ? err : image_cache_write(second, &again);
}

static void the_cache(void **state _unused_)
{
	assert_true(oom_everywhere(remember, NULL) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(captures),	     cmocka_unit_test(an_error_is_not_lost),
		scratch_test(laying_out),    cmocka_unit_test(images),
		cmocka_unit_test(the_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
