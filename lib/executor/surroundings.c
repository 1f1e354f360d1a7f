/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "surroundings.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define LOCALE_MAX 65536

/* --- locale ----------------------------------------------------------------------------------- */

static const char *const locale_files[] = {"/etc/default/locale", "/etc/locale.conf"};

static bool is_locale_name(const char *line, size_t n)
{
	return (n == 4 && strncmp(line, "LANG", n) == 0) ||
	       (n == 8 && strncmp(line, "LANGUAGE", n) == 0) ||
	       (n > 3 && strncmp(line, "LC_", 3) == 0);
}

/* A value is a locale's name, perhaps in quotes: nothing that a shell would read otherwise. */
static const char *locale_value(struct arena *a, const char *text, size_t n)
{
	if (n >= 2 && (text[0] == '"' || text[0] == '\'') && text[n - 1] == text[0]) {
		text++;
		n -= 2;
	}
	for (size_t i = 0; i < n; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.@:-",
			    text[i]))
			return "";
	return arena_strndup(a, text, n);
}

static int add_line(struct arena *a, const char *line, size_t n, struct words *ret)
{
	const char *equal = memchr(line, '=', n), *value, *word;
	size_t name = equal ? (size_t)(equal - line) : 0;

	if (!equal || !is_locale_name(line, name))
		return 0;
	value = locale_value(a, equal + 1, n - name - 1);
	word = value ? arena_printf(a, "%.*s=%s", (int)name, line, value) : NULL;
	if (!word)
		return -ENOMEM;
	return *value ? array_push(a, ret, word) : 0;
}

int host_locale(const struct root *root, struct arena *a, struct words *ret)
{
	const char *text = "", *fallback = "LANG=C.UTF-8";
	struct words words = {0};
	size_t size;
	int err = -ENOENT;

	for (size_t i = 0; err < 0 && i < ARRAY_LEN(locale_files); i++)
		err = root_read(root, locale_files[i], LOCALE_MAX, a, &text, &size);
	for (size_t n; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		err = add_line(a, text, n, &words);
		if (err < 0)
			return err;
	}
	array_foreach(it, &words)
		if (strncmp(*it, "LANG=", 5) == 0)
			fallback = NULL;
	if (fallback && array_push(a, &words, fallback) < 0)
		return -ENOMEM;
	*ret = words;
	return 0;
}

/* --- /dev ------------------------------------------------------------------------------------- */

static int make_nodes(void)
{
	static const struct {
		const char *path;
		unsigned minor;
	} nodes[] = {{"dev/null", 3},
		     {"dev/zero", 5},
		     {"dev/full", 7},
		     {"dev/random", 8},
		     {"dev/urandom", 9}};

	for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
		if (mknod(nodes[i].path, S_IFCHR | 0666, makedev(1, nodes[i].minor)) < 0)
			return -errno;
	return 0;
}

int provide_dev(void)
{
	struct stat st;

	if (stat("dev/null", &st) == 0 && S_ISCHR(st.st_mode))
		return 0;
	/* A link could lead out of the tree: then the builder has to do without. */
	if (lstat("dev", &st) == 0 && !S_ISDIR(st.st_mode))
		return 0;
	if (mkdir("dev", 0755) < 0 && errno != EEXIST)
		return -errno;
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("dev", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755") < 0)
		return -errno;
	return make_nodes();
}
