/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes the host's unified images, by what its configuration says of itself (3.13 to 3.15),
 * and whether what it makes would be signed.
 */
#include "observe-parts.h"

#define PLUGIN_UKIFY "60-ukify.install"
#define PLUGIN_SBCTL "91-sbctl.install"

/* kernel-install's, strongest first (3.13). */
static const char *const kernel_dirs[] = {"/etc/kernel", "/run/kernel", "/usr/local/lib/kernel",
					  "/usr/lib/kernel"};

/* The last value of a key in a text of KEY=VALUE lines, in scratch, without quotes; "" for none. */
static const char *value_of(struct observer *o, const char *text, const char *key)
{
	const char *found = "";
	size_t n = strlen(key);

	for (const char *line; text && (line = next_line(o, &text));) {
		const char *at = line + strspn(line, " \t");
		size_t len;

		if (strncmp(at, key, n) != 0 || at[n + strspn(at + n, " \t")] != '=')
			continue;
		at += n + strspn(at + n, " \t") + 1;
		at += strspn(at, " \t\"'");
		len = strcspn(at, "\"'#");
		while (len && strchr(" \t\r", at[len - 1]))
			len--;
		found = arena_strndup(o->scratch, at, len);
		if (!kept(o, found))
			return "";
	}
	return found;
}

/* --- kernel-install -------------------------------------------------------------------------- */

/* The file of that name in the strongest folder that has it; ret_path is kept. */
static const char *kernel_file(struct observer *o, const char *name, const char **ret_path)
{
	for (size_t i = 0; i < ARRAY_LEN(kernel_dirs); i++) {
		const char *text = see_text(o, MAX_CONFIG, "%s/%s", kernel_dirs[i], name);

		if (!text)
			continue;
		*ret_path = keep_printf(o, "%s/%s", kernel_dirs[i], name);
		return text;
	}
	return NULL;
}

struct layout {
	const char *layout, *generator, *path;
};

static void read_layout(struct observer *o, const char *name, struct layout *l)
{
	const char *path = NULL, *text = kernel_file(o, name, &path), *value;

	value = value_of(o, text, "layout");
	if (*value) {
		l->layout = value;
		l->path = path;
	}
	value = value_of(o, text, "uki_generator");
	if (*value)
		l->generator = value;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* install.conf, and from version 256 what is dropped in, in the order of names. */
static struct layout find_layout(struct observer *o)
{
	struct layout l = {.layout = "", .generator = ""};
	struct words names = {0};

	read_layout(o, "install.conf", &l);
	for (size_t i = 0; i < ARRAY_LEN(kernel_dirs); i++) {
		struct words here = see_list(o, "%s/install.conf.d", kernel_dirs[i]);

		array_foreach(it, &here)
			if (has_suffix(*it, ".conf"))
				kept(o, words_add(o->scratch, &names, *it) >= 0);
	}
	if (names.n)
		qsort(names.at, names.n, sizeof(*names.at), by_bytes);
	array_foreach(it, &names) {
		const char *name = keep_printf(o, "install.conf.d/%s", *it);

		read_layout(o, name, &l);
	}
	return l;
}

/* /etc hides one of that name, if only by a link to /dev/null (3.8). */
static bool has_plugin(struct observer *o, const char *name)
{
	const char *link = see_link(o, "/etc/kernel/install.d/%s", name);

	if (link && strcmp(link, "/dev/null") == 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(kernel_dirs); i++)
		if (see_exists(o, "%s/install.d/%s", kernel_dirs[i], name))
			return true;
	return false;
}

static bool has_ukify(struct observer *o)
{
	return host_has_command(o->host, "ukify") || see_exists(o, "/usr/lib/systemd/ukify");
}

/* By ukify's own configuration, or by a plugin that comes after all others. */
static const char *signs(struct observer *o)
{
	static const char *const keys[] = {"SecureBootPrivateKey", "SecureBootCertificateName"};
	static const char *const stores[] = {"/var/lib/sbctl/keys", "/usr/share/secureboot/keys"};
	const char *path = NULL, *text = kernel_file(o, "uki.conf", &path);

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (*value_of(o, text, keys[i]))
			return keep_printf(o, "%s has %s=", path, keys[i]);
	if (!host_has_command(o->host, "sbctl") || !has_plugin(o, PLUGIN_SBCTL))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(stores); i++)
		if (see_exists(o, "%s", stores[i]))
			return keep_printf(o, PLUGIN_SBCTL " signs with %s", stores[i]);
	return NULL;
}

static void by_kernel_install(struct observer *o, const struct layout *l, struct host_unified *u)
{
	const char *tries = see_line(o, "/etc/kernel/tries");

	if (*l->generator && strcmp(l->generator, "ukify") != 0) {
		u->why = keep_printf(o,
				     "%s has kernel-install make them by %s, which is not known "
				     "here",
				     l->path, l->generator);
	} else if (!host_has_command(o->host, "kernel-install") || !has_plugin(o, PLUGIN_UKIFY) ||
		   !has_ukify(o)) {
		u->why = keep_printf(o,
				     "%s says layout=uki, and kernel-install with " PLUGIN_UKIFY
				     " and ukify is not all here",
				     l->path);
	} else {
		u->maker = UNIFIED_BY_UKIFY;
		u->by = keep_printf(o, "%s says layout=uki", l->path);
		u->tries = keep(o, tries);
		u->signs = signs(o);
	}
}

/* --- others ---------------------------------------------------------------------------------- */

static const struct other {
	const char *dir, *suffix, *key, *name;
} others[] = {
	{"/etc/dracut.conf.d", ".conf", "uefi", "dracut"},
	{"/usr/lib/dracut/dracut.conf.d", ".conf", "uefi", "dracut"},
	{"/etc/mkinitcpio.d", ".preset", "default_uki", "mkinitcpio"},
};

/* Those that are known by name alone. */
static const char *by_other(struct observer *o)
{
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct words names = see_list(o, "%s", others[i].dir);

		array_foreach(it, &names) {
			const char *text = has_suffix(*it, others[i].suffix)
						   ? see_text(o, MAX_CONFIG, "%s/%s", others[i].dir,
							      *it)
						   : NULL;
			const char *value = value_of(o, text, others[i].key);

			if (*value && strcmp(value, "no") != 0)
				return keep_printf(
					o, "%s makes them, as %s/%s says by %s=", others[i].name,
					others[i].dir, *it, others[i].key);
		}
	}
	return NULL;
}

static bool has_images(const struct host *host)
{
	array_foreach(it, &host->boot.entries)
		if (it->loader == LOADER_UNIFIED)
			return true;
	return host->boot.stub_info;
}

void observe_unified_maker(struct observer *o)
{
	struct host_unified *u = &o->host->boot.unified;
	const char *other;
	struct layout l;

	if (!has_images(o->host))
		return;
	l = find_layout(o);
	other = by_other(o);
	if (strcmp(l.layout, "uki") == 0 && !other)
		by_kernel_install(o, &l, u);
	else if (strcmp(l.layout, "uki") == 0)
		u->why = keep_printf(o, "%s says layout=uki, and at once %s", l.path, other);
	else if (other)
		u->why = keep_printf(o, "%s, which nothing here can have done anew yet", other);
	else
		u->why = "nothing says what makes them: no layout=uki in "
			 "/etc/kernel/install.conf";
}
