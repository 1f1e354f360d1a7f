/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files below one root: nothing escapes, nothing is left half done, nothing is lost. */
#include "scratch.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sys/xattr.h>

static const struct file_attr plain = {.mode = 0644};

static struct file_attr mine(mode_t mode)
{
	return (struct file_attr){mode, geteuid(), getegid()};
}

static int put(struct scratch *s, const char *path, const char *text)
{
	struct file_attr attr = mine(0640);

	return root_replace(s->root, path, text, strlen(text), &attr);
}

static void a_new_file_gets_what_it_is_given(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(put(s, "/new", "text"), 0);
	scratch_holds(s, "/new", "text");
	assert_int_equal(scratch_mode(s, "/new"), 0640);
	assert_int_equal(scratch_count(s, "/"), 1);
}

static void a_replaced_file_keeps_mode_and_xattrs(void **state)
{
	struct scratch *s = *state;
	char value[8] = "";
	const char *at = scratch_at(s, "/f");
	int tagged;

	scratch_write(s, "/f", "old");
	assert_int_equal(chmod(at, 04751), 0);
	tagged = setxattr(at, "user.tag", "kept", 4, 0) == 0;
	assert_int_equal(put(s, "/f", "new"), 0);
	scratch_holds(s, "/f", "new");
	assert_int_equal(scratch_mode(s, "/f"), 04751);
	if (tagged) {
		assert_int_equal(getxattr(at, "user.tag", value, sizeof(value)), 4);
		assert_memory_equal(value, "kept", 4);
	}
}

static void a_restored_file_gets_its_former_mode(void **state)
{
	struct scratch *s = *state;
	struct file_attr attr = mine(02700);

	scratch_write(s, "/f", "ours");
	assert_int_equal(root_restore(s->root, "/f", "theirs", 6, &attr), 0);
	scratch_holds(s, "/f", "theirs");
	assert_int_equal(scratch_mode(s, "/f"), 02700);
}

static void owner_survives_a_set_group_directory(void **state)
{
	struct scratch *s = *state;
	struct file_attr attr = mine(0644);
	struct stat st;

	if (geteuid() != 0)
		skip();
	assert_int_equal(root_mkdirs(s->root, "/d"), 0);
	assert_int_equal(chown(scratch_at(s, "/d"), 0, 12345), 0);
	assert_int_equal(chmod(scratch_at(s, "/d"), 02755), 0);
	assert_int_equal(root_replace(s->root, "/d/f", "x", 1, &attr), 0);
	assert_int_equal(root_stat(s->root, "/d/f", &st), 0);
	assert_int_equal(st.st_gid, getegid());
	assert_int_equal(chown(scratch_at(s, "/d/f"), 23456, 34567), 0);
	assert_int_equal(root_replace(s->root, "/d/f", "y", 1, &attr), 0);
	assert_int_equal(root_stat(s->root, "/d/f", &st), 0);
	assert_int_equal(st.st_uid, 23456);
	assert_int_equal(st.st_gid, 34567);
}

struct link_row {
	const char *link, *target; /* a symbolic link at /l/x */
	int result;		   /* of replacing it */
	const char *lands;	   /* file that changed */
};

static const struct link_row links[] = {
	{"/l/x", "y", 0, "/l/y"},
	{"/l/x", "../z", 0, "/z"},
	{"/l/x", "/z", 0, "/z"},
	{"/l/x", "../../../../../../z", 0, "/z"},
	{"/l/x", "/gone/z", -ENOENT, NULL},
	{"/l/x", "x", -ELOOP, NULL},
	{"/l/x", "/l", -EINVAL, NULL},
	{"/l/x", "..", -EINVAL, NULL},
};

static void links_are_followed_inside_the_root(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(root_mkdirs(s->root, "/l"), 0);
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		unlink(scratch_at(s, links[i].link));
		assert_int_equal(symlink(links[i].target, scratch_at(s, links[i].link)), 0);
		assert_int_equal(put(s, links[i].link, links[i].target), links[i].result);
		if (links[i].lands)
			scratch_holds(s, links[i].lands, links[i].target);
	}
}

/* A file size limit stands for a full disk: the write comes back short, then fails. */
static int write_limited(struct scratch *s)
{
	struct rlimit limit = {8, 8};

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 1;
	return root_replace(s->root, "/d/f", "more than eight bytes", 21, &plain) == -EFBIG ? 0 : 2;
}

static void a_failed_write_leaves_nothing(void **state)
{
	struct scratch *s = *state;
	int status;
	pid_t pid;

	scratch_write(s, "/d/f", "whole");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(write_limited(s));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	scratch_holds(s, "/d/f", "whole");
	assert_int_equal(scratch_count(s, "/d"), 1);
}

static void leftovers_of_a_cut_are_swept(void **state)
{
	struct scratch *s = *state;

	scratch_write(s, "/d/f", "whole");
	scratch_write(s, "/d/.f.pthru-new", "hal");
	assert_int_equal(root_sweep(s->root, "/d/f"), 0);
	assert_int_equal(scratch_count(s, "/d"), 1);
	assert_int_equal(root_sweep(s->root, "/d/f"), 0);
	assert_int_equal(root_sweep(s->root, "/no/such/f"), 0);
	scratch_write(s, "/d/.f.pthru-new", "hal");
	assert_int_equal(put(s, "/d/f", "new"), 0);
	assert_int_equal(scratch_count(s, "/d"), 1);
}

static void what_is_no_file_is_not_replaced(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(root_mkdirs(s->root, "/d"), 0);
	assert_int_equal(mkfifo(scratch_at(s, "/fifo"), 0600), 0);
	assert_int_equal(put(s, "/d", "x"), -EINVAL);
	assert_int_equal(put(s, "/fifo", "x"), -EINVAL);
	assert_int_equal(put(s, "/no/dir", "x"), -ENOENT);
	assert_int_equal(put(s, "relative", "x"), -EINVAL);
	assert_int_equal(scratch_count(s, "/"), 2);
}

static void attributes_are_written_in_place(void **state)
{
	struct scratch *s = *state;

	scratch_write(s, "/attr", "(null)\n");
	assert_int_equal(root_write_attr(s->root, "/attr", "vfio-pci"), 0);
	assert_int_equal(root_write_attr(s->root, "/none", "x"), -ENOENT);
	if (access("/dev/full", W_OK) == 0) {
		struct root *dev;

		assert_int_equal(root_open("/dev", &dev), 0);
		assert_int_equal(root_write_attr(dev, "/full", "x"), -ENOSPC);
		root_free(dev);
	}
}

static void lines_are_appended_once(void **state)
{
	struct scratch *s = *state;
	mode_t mask = umask(077);

	assert_int_equal(root_append_line(s->root, "/pkgs", "passthroughd", 0644), 1);
	umask(mask);
	assert_int_equal(scratch_mode(s, "/pkgs"), 0644);
	assert_int_equal(root_append_line(s->root, "/pkgs", "passthroughd", 0644), 0);
	scratch_holds(s, "/pkgs", "passthroughd\n");
	scratch_write(s, "/pkgs", "linux-image\npassthroughd-extra\nlibc6");
	assert_int_equal(root_append_line(s->root, "/pkgs", "passthroughd", 0644), 1);
	scratch_holds(s, "/pkgs", "linux-image\npassthroughd-extra\nlibc6\npassthroughd\n");
	scratch_write(s, "/pkgs", "libc6\npassthroughd");
	assert_int_equal(root_append_line(s->root, "/pkgs", "passthroughd", 0644), 0);
	assert_int_equal(root_append(s->root, "/log", "a\n", 0600), 0);
	assert_int_equal(root_append(s->root, "/log", "b\n", 0600), 0);
	scratch_holds(s, "/log", "a\nb\n");
}

static void folders_are_made_and_removed(void **state)
{
	struct scratch *s = *state;
	mode_t mask = umask(077);

	assert_int_equal(root_mkdirs(s->root, "/a/b/c/"), 0);
	umask(mask);
	assert_int_equal(scratch_mode(s, "/a"), 0755);
	assert_int_equal(scratch_mode(s, "/a/b/c"), 0755);
	assert_int_equal(root_mkdirs(s->root, "/a/b"), 0);
	assert_int_equal(root_mkdirs(s->root, "/"), 0);
	scratch_write(s, "/a/f", "");
	assert_int_equal(root_mkdirs(s->root, "/a/f"), -ENOTDIR);
	assert_int_equal(root_mkdirs(s->root, "/a/f/g"), -ENOTDIR);
	assert_int_equal(root_rmdir(s->root, "/a/b"), -ENOTEMPTY);
	assert_int_equal(root_rmdir(s->root, "/a/b/c"), 0);
	assert_int_equal(root_rmdir(s->root, "/a/b/c"), -ENOENT);
	assert_int_equal(root_unlink(s->root, "/a/f"), 0);
	assert_int_equal(root_unlink(s->root, "/a/f"), -ENOENT);
}

static void reading_is_bounded(void **state)
{
	struct scratch *s = *state;
	const char *text = "untouched";
	size_t size = 7;

	scratch_write(s, "/f", "12345");
	assert_int_equal(root_read(s->root, "/f", 4, s->arena, &text, &size), -EFBIG);
	assert_string_equal(text, "untouched");
	assert_int_equal(size, 7);
	assert_int_equal(root_read(s->root, "/f", 5, s->arena, &text, &size), 0);
	assert_int_equal(size, 5);
	assert_int_equal(mkfifo(scratch_at(s, "/fifo"), 0600), 0);
	assert_int_equal(root_read(s->root, "/fifo", 5, s->arena, &text, &size), -EINVAL);
	assert_int_equal(root_read(s->root, "/", 5, s->arena, &text, &size), -EISDIR);
	assert_int_equal(symlink("/../../../etc/passwd", scratch_at(s, "/out")), 0);
	assert_int_equal(root_read(s->root, "/out", 1 << 20, s->arena, &text, &size), -ENOENT);
}

static void space_is_told(void **state)
{
	struct scratch *s = *state;
	struct root_space space;

	assert_int_equal(root_space(s->root, "/", &space), 0);
	assert_true(space.free > 0);
	assert_false(space.read_only);
	assert_int_equal(root_space(s->root, "/none", &space), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(a_new_file_gets_what_it_is_given),
		scratch_test(a_replaced_file_keeps_mode_and_xattrs),
		scratch_test(a_restored_file_gets_its_former_mode),
		scratch_test(owner_survives_a_set_group_directory),
		scratch_test(links_are_followed_inside_the_root),
		scratch_test(a_failed_write_leaves_nothing),
		scratch_test(leftovers_of_a_cut_are_swept),
		scratch_test(what_is_no_file_is_not_replaced),
		scratch_test(attributes_are_written_in_place),
		scratch_test(lines_are_appended_once),
		scratch_test(folders_are_made_and_removed),
		scratch_test(reading_is_bounded),
		scratch_test(space_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
