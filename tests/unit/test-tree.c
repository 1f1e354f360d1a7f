/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One set of files, seen through a root directory and through a capture: the answers are equal. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tree.h"

static const char capture[] = "# passthroughd capture 1\n"
			      "[/etc]\n"
			      "hostname = pve\n"
			      "secret : key\n"
			      "mtab -> ../proc/self/mounts\n"
			      "empty :\n"
			      "lib -> /usr/lib\n"
			      "out -> ../../../../etc/hostname\n"
			      "loop -> loop2\n"
			      "loop2 -> loop\n"
			      "dangling -> nowhere\n"
			      "through -> lib/b/../b/two\n"
			      "self -> .\n"
			      "modules <<\n"
			      "\t# x\n"
			      "\t\n"
			      "\tvfio\n"
			      "modules @ 0600 0 0\n"
			      "cut <|\n"
			      "\ta\\\\b\\x00c\n"
			      "\td\n"
			      "d/\n"
			      "d @ 0700 0 0\n"
			      "[/usr/lib]\n"
			      "b/two = 2\n"
			      "B = big\n"
			      "a/one = 1\n"
			      "a.b = dot\n"
			      "# end\n";

static const struct {
	const char *path, *text; /* NULL: folder */
	size_t size;
	mode_t mode;
} files[] = {
	{"/etc", NULL, 0, 0755},
	{"/etc/d", NULL, 0, 0700},
	{"/usr/lib/a", NULL, 0, 0755},
	{"/usr/lib/b", NULL, 0, 0755},
	{"/etc/hostname", "pve\n", 4, 0644},
	{"/etc/secret", "key", 3, 0644},
	{"/etc/empty", "", 0, 0644},
	{"/etc/modules", "# x\n\nvfio\n", 10, 0600},
	{"/etc/cut", "a\\b\0c\nd", 7, 0644},
	{"/usr/lib/b/two", "2\n", 2, 0644},
	{"/usr/lib/B", "big\n", 4, 0644},
	{"/usr/lib/a/one", "1\n", 2, 0644},
	{"/usr/lib/a.b", "dot\n", 4, 0644},
};

static const char *const links[][2] = {
	{"/etc/mtab", "../proc/self/mounts"},
	{"/etc/lib", "/usr/lib"},
	{"/etc/out", "../../../../etc/hostname"},
	{"/etc/loop", "loop2"},
	{"/etc/loop2", "loop"},
	{"/etc/dangling", "nowhere"},
	{"/etc/through", "lib/b/../b/two"},
	{"/etc/self", "."},
};

struct trees {
	char dir[32];
	struct root *root;
	struct tree *at[2]; /* root, capture */
	struct arena *a;
};

static int remove_one(const char *path, const struct stat *st _unused_, int kind _unused_,
		      struct FTW *ftw _unused_)
{
	return remove(path);
}

static int take_down(void **state)
{
	struct trees *t = *state;

	for (size_t i = 0; i < ARRAY_LEN(t->at); i++)
		tree_free(t->at[i]);
	root_free(t->root);
	arena_free(t->a);
	nftw(t->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(t);
	return 0;
}

static int make_file(const struct trees *t, size_t i)
{
	char path[128];
	int fd;

	if (!files[i].text)
		return root_mkdirs(t->root, files[i].path);
	snprintf(path, sizeof(path), "%s%s", t->dir, files[i].path);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, files[i].text, files[i].size) != (ssize_t)files[i].size)
		return -1;
	return close(fd);
}

static int set_up(void **state)
{
	struct trees *t = calloc(1, sizeof(*t));
	struct diags diags = {0};
	char path[128];

	if (!t)
		return -1;
	*state = t;
	t->a = diags.arena = arena_new();
	strcpy(t->dir, "/tmp/pthru-tree-XXXXXX");
	if (!mkdtemp(t->dir) || root_open(t->dir, &t->root) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s%s", t->dir, files[i].path);
		if (make_file(t, i) < 0 || chmod(path, files[i].mode) < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		snprintf(path, sizeof(path), "%s%s", t->dir, links[i][0]);
		if (symlink(links[i][1], path) < 0)
			return -1;
	}
	if (tree_root_new(t->root, NULL, &t->at[0]) < 0)
		return -1;
	return tree_capture_new("test", capture, sizeof(capture) - 1, &diags, &t->at[1]);
}

static void files_are_read(void **state)
{
	const struct trees *t = *state;

	for (size_t k = 0; k < ARRAY_LEN(t->at); k++) {
		for (size_t i = 0; i < ARRAY_LEN(files); i++) {
			struct tree *tree = t->at[k];
			const char *text = "kept";
			size_t size = 99;
			struct tree_stat st;
			int r = tree->ops->read(tree, files[i].path, 64, t->a, &text, &size);

			assert_int_equal(tree->ops->stat(tree, files[i].path, &st), 0);
			assert_int_equal(st.mode & 07777, files[i].mode);
			assert_int_equal(S_ISDIR(st.mode), !files[i].text);
			if (!files[i].text) {
				assert_int_equal(r, -EISDIR);
				assert_string_equal(text, "kept");
				continue;
			}
			assert_int_equal(r, 0);
			assert_int_equal(size, files[i].size);
			assert_int_equal(st.size, files[i].size);
			assert_memory_equal(text, files[i].text, size + 1);
		}
	}
}

static void paths_are_walked(void **state)
{
	static const struct {
		const char *path;
		int result; /* of reading */
		const char *text;
	} rows[] = {
		{"/etc/lib/b/two", 0, "2\n"},
		{"/etc/through", 0, "2\n"},
		{"/etc/out", 0, "pve\n"},
		{"/../../etc/../etc/./hostname", 0, "pve\n"},
		{"//etc//hostname", 0, "pve\n"},
		{"/etc/self/self/hostname", 0, "pve\n"},
		{"/etc/lib/../../etc/hostname", 0, "pve\n"},
		{"etc/hostname", 0, "pve\n"},
		{"/etc/loop", -ELOOP, NULL},
		{"/etc/dangling", -ENOENT, NULL},
		{"/etc/mtab", -ENOENT, NULL},
		{"/etc/none", -ENOENT, NULL},
		{"/none/none", -ENOENT, NULL},
		{"/etc/hostname/x", -ENOTDIR, NULL},
		{"/etc/hostname/", -ENOTDIR, NULL},
		{"/etc/hostname/..", -ENOTDIR, NULL},
		{"/etc/out/", -ENOTDIR, NULL},
		{"/etc/lib/", -EISDIR, NULL},
		{"/etc/lib", -EISDIR, NULL},
		{"/", -EISDIR, NULL},
		{"", -EISDIR, NULL},
	};
	const struct trees *t = *state;

	for (size_t k = 0; k < ARRAY_LEN(t->at); k++) {
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct tree *tree = t->at[k];
			const char *text = NULL;
			size_t size = 0;
			int r = tree->ops->read(tree, rows[i].path, 64, t->a, &text, &size);

			if (r != rows[i].result)
				print_error("%zu: %s\n", k, rows[i].path);
			assert_int_equal(r, rows[i].result);
			if (r == 0)
				assert_string_equal(text, rows[i].text);
		}
	}
}

/* The last folder is kept open: what stands in it, and links out of it, are found all the same. */
static void folders_are_kept_in_mind(void **state)
{
	static const struct {
		const char *path;
		int result;
		const char *text;
	} rows[] = {
		{"/etc/hostname", 0, "pve\n"},	     {"/etc/secret", 0, "key"},
		{"/etc/through", 0, "2\n"},	     {"/etc/out", 0, "pve\n"},
		{"/etc/loop", -ELOOP, NULL},	     {"/etc/dangling", -ENOENT, NULL},
		{"/etc/..", -EISDIR, NULL},	     {"/etc/d", -EISDIR, NULL},
		{"/etc/lib", -EISDIR, NULL},	     {"/etc/none", -ENOENT, NULL},
		{"/none/a", -ENOENT, NULL},	     {"/none/b", -ENOENT, NULL},
		{"/none/c", -ENOENT, NULL},	     {"/etc/hostname/a", -ENOTDIR, NULL},
		{"/etc/hostname/b", -ENOTDIR, NULL}, {"/etc/lib/b/two", 0, "2\n"},
		{"/etc/lib/b/two", 0, "2\n"},
	};
	const struct trees *t = *state;

	for (size_t k = 0; k < ARRAY_LEN(t->at); k++) {
		struct tree *tree = t->at[k];
		struct words names = {0};
		struct tree_stat st;

		assert_int_equal(tree->ops->list(tree, "/etc", t->a, &names), 0);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const char *text = NULL;
			size_t size;
			int r = tree->ops->read(tree, rows[i].path, 64, t->a, &text, &size);

			assert_int_equal(r, rows[i].result);
			if (r == 0)
				assert_string_equal(text, rows[i].text);
			assert_int_equal(tree->ops->stat(tree, rows[i].path, &st),
					 r == -EISDIR ? 0 : r);
		}
	}
}

static void links_are_read(void **state)
{
	static const struct {
		const char *path;
		int result;
	} rows[] = {
		{"/etc/hostname", -EINVAL}, {"/etc", -EINVAL},	 {"/etc/none", -ENOENT},
		{"/none/none", -ENOENT},    {"/", -EINVAL},	 {"/etc/hostname/x", -ENOTDIR},
		{"/etc/lib/", -EINVAL},	    {"/etc/.", -EINVAL}, {"/etc/..", -EINVAL},
	};
	const struct trees *t = *state;

	for (size_t k = 0; k < ARRAY_LEN(t->at); k++) {
		struct tree *tree = t->at[k];
		const char *target = "kept";

		for (size_t i = 0; i < ARRAY_LEN(links); i++) {
			assert_int_equal(tree->ops->readlink(tree, links[i][0], t->a, &target), 0);
			assert_string_equal(target, links[i][1]);
		}
		assert_int_equal(tree->ops->readlink(tree, "/etc/self/mtab", t->a, &target), 0);
		assert_string_equal(target, "../proc/self/mounts");
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			assert_int_equal(tree->ops->readlink(tree, rows[i].path, t->a, &target),
					 rows[i].result);
	}
}

static void folders_are_listed(void **state)
{
	static const struct {
		const char *path;
		int result;
		const char *names[16];
	} rows[] = {
		{"/", 0, {"etc", "usr"}},
		{"/usr/lib", 0, {"B", "a", "a.b", "b"}},
		{"/etc/lib", 0, {"B", "a", "a.b", "b"}},
		{"/etc/d", 0, {NULL}},
		{"/etc/lib/a/", 0, {"one"}},
		{"/etc/hostname", -ENOTDIR, {NULL}},
		{"/none", -ENOENT, {NULL}},
		{"/etc/loop", -ELOOP, {NULL}},
	};
	const struct trees *t = *state;

	for (size_t k = 0; k < ARRAY_LEN(t->at); k++) {
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct tree *tree = t->at[k];
			struct words names = {0};
			size_t n = 0;

			assert_int_equal(tree->ops->list(tree, rows[i].path, t->a, &names),
					 rows[i].result);
			for (; rows[i].names[n]; n++) {
				assert_true(n < names.n);
				assert_string_equal(names.at[n], rows[i].names[n]);
			}
			assert_int_equal(names.n, n);
		}
	}
}

static void large_files_are_refused(void **state)
{
	const struct trees *t = *state;

	for (size_t k = 0; k < ARRAY_LEN(t->at); k++) {
		struct tree *tree = t->at[k];
		const char *text = "kept";
		size_t size = 99;

		assert_int_equal(tree->ops->read(tree, "/etc/hostname", 3, t->a, &text, &size),
				 -EFBIG);
		assert_string_equal(text, "kept");
		assert_int_equal(tree->ops->read(tree, "/etc/hostname", 4, t->a, &text, &size), 0);
	}
}

static void heads_are_cut(void **state)
{
	static const struct {
		const char *path;
		size_t max;
		int result;
		const char *text;
	} rows[] = {
		{"/etc/hostname", 3, 0, "pve"},	   {"/etc/hostname", 4, 0, "pve\n"},
		{"/etc/hostname", 99, 0, "pve\n"}, {"/etc/hostname", 0, 0, ""},
		{"/etc/through", 1, 0, "2"},	   {"/etc/empty", 8, 0, ""},
		{"/etc/none", 8, -ENOENT, NULL},   {"/etc/d", 8, -EISDIR, NULL},
	};
	const struct trees *t = *state;

	for (size_t k = 0; k < ARRAY_LEN(t->at); k++) {
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct tree *tree = t->at[k];
			const char *text = NULL;
			size_t size = 99;
			int r = tree->ops->head(tree, rows[i].path, rows[i].max, t->a, &text,
						&size);

			assert_int_equal(r, rows[i].result);
			if (r < 0)
				continue;
			assert_string_equal(text, rows[i].text);
			assert_int_equal(size, strlen(rows[i].text));
		}
	}
}

static void only_a_real_root_knows_its_mounts(void **state)
{
	const struct trees *t = *state;
	const char *log;

	assert_int_equal(t->at[0]->ops->read_only(t->at[0], "/etc"), 0);
	assert_int_equal(t->at[0]->ops->read_only(t->at[0], "/none"), -ENOENT);
	assert_int_equal(t->at[1]->ops->read_only(t->at[1], "/etc"), -EOPNOTSUPP);
	for (size_t k = 0; k < ARRAY_LEN(t->at); k++)
		assert_int_equal(t->at[k]->ops->kernel_log(t->at[k], t->a, &log), -EOPNOTSUPP);
}

static void trees_say_what_they_are(void **state)
{
	const struct trees *t = *state;
	struct tree_stat st[2];

	assert_false(t->at[0]->live || t->at[0]->capture || t->at[1]->live);
	assert_true(t->at[1]->capture);
	for (size_t k = 0; k < ARRAY_LEN(t->at); k++) {
		assert_int_equal(t->at[k]->ops->stat(t->at[k], "/etc/hostname", &st[0]), 0);
		assert_int_equal(t->at[k]->ops->stat(t->at[k], "/etc/out", &st[1]), 0);
		assert_int_equal(st[0].ino, st[1].ino);
		assert_int_equal(t->at[k]->ops->stat(t->at[k], "/etc/secret", &st[1]), 0);
		assert_true(st[0].ino != st[1].ino);
		assert_int_equal(t->at[k]->ops->stat(t->at[k], "/etc/dangling", &st[1]), -ENOENT);
	}
	assert_null(tree_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(paths_are_walked),
		cmocka_unit_test(folders_are_kept_in_mind),
		cmocka_unit_test(links_are_read),
		cmocka_unit_test(folders_are_listed),
		cmocka_unit_test(large_files_are_refused),
		cmocka_unit_test(heads_are_cut),
		cmocka_unit_test(only_a_real_root_knows_its_mounts),
		cmocka_unit_test(trees_say_what_they_are),
	};

	return cmocka_run_group_tests(tests, set_up, take_down);
}
