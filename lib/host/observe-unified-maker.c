/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes the host's unified images, by what its configuration says of itself (3.13 to 3.15),
 * and whether what it makes would be signed.
 */
#include "mkinitcpio-preset.h"
#include "observe-parts.h"
#include "paths.h"

#define PLUGIN_UKIFY "60-ukify.install"
#define PLUGIN_SBCTL "91-sbctl.install"

/* kernel-install's, strongest first (3.13). */
static const char *const kernel_dirs[] = {"/etc/kernel", "/run/kernel", "/usr/local/lib/kernel",
					  "/usr/lib/kernel"};

/*
 * The last value of a key in a text of KEY=VALUE or KEY+=VALUE lines, in scratch, without quotes;
 * "" for none.
 */
static const char *value_of(struct observer *o, const char *text, const char *key)
{
	const char *found = "";
	size_t n = strlen(key);

	for (const char *line; text && (line = next_line(o, &text));) {
		const char *at = line + strspn(line, " \t");
		size_t len;

		if (strncmp(at, key, n) != 0)
			continue;
		at += n + strspn(at + n, " \t");
		at += at[0] == '+';
		if (*at++ != '=')
			continue;
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
static const char *find_text(struct observer *o, const char *const *dirs, size_t n,
			     const char *name, const char **ret_path)
{
	for (size_t i = 0; i < n; i++) {
		const char *text = see_text(o, MAX_CONFIG, "%s/%s", dirs[i], name);

		if (!text)
			continue;
		*ret_path = keep_printf(o, "%s/%s", dirs[i], name);
		return text;
	}
	return NULL;
}

static const char *kernel_file(struct observer *o, const char *name, const char **ret_path)
{
	return find_text(o, kernel_dirs, ARRAY_LEN(kernel_dirs), name, ret_path);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names ending in .conf below any of the folders, in their order. */
static struct words conf_names(struct observer *o, const char *const *dirs, size_t n,
			       const char *below)
{
	struct words names = {0};

	for (size_t i = 0; i < n; i++) {
		struct words here = see_list(o, "%s%s", dirs[i], below);

		array_foreach(it, &here)
			if (has_suffix(*it, ".conf"))
				kept(o, words_add(o->scratch, &names, *it) >= 0);
	}
	if (names.n)
		qsort(names.at, names.n, sizeof(*names.at), by_bytes);
	return names;
}

struct layout {
	const char *layout, *generator, *initrd, *path;
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
	value = value_of(o, text, "initrd_generator");
	if (*value)
		l->initrd = value;
}

/* install.conf, and from version 256 what is dropped in, in the order of names. */
static struct layout find_layout(struct observer *o)
{
	struct layout l = {.layout = "", .generator = "", .initrd = ""};
	struct words names = conf_names(o, kernel_dirs, ARRAY_LEN(kernel_dirs), "/install.conf.d");

	read_layout(o, "install.conf", &l);
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

/* By ukify's own configuration. */
static const char *signs_ukify(struct observer *o)
{
	static const char *const keys[] = {"SecureBootPrivateKey", "SecureBootCertificateName"};
	const char *path = NULL, *text = kernel_file(o, "uki.conf", &path);

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (*value_of(o, text, keys[i]))
			return keep_printf(o, "%s has %s=", path, keys[i]);
	return NULL;
}

/* By what is run after all others. */
static const char *signs_sbctl(struct observer *o, const char *hook)
{
	static const char *const stores[] = {"/var/lib/sbctl/keys", "/usr/share/secureboot/keys"};

	for (size_t i = 0; host_has_command(o->host, "sbctl") && i < ARRAY_LEN(stores); i++)
		if (see_exists(o, "%s", stores[i]))
			return keep_printf(o, "%s signs with %s", hook, stores[i]);
	return NULL;
}

static void by_kernel_install(struct observer *o, const struct layout *l, struct host_unified *u)
{
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
		u->signs = signs_ukify(o);
		if (!u->signs && has_plugin(o, PLUGIN_SBCTL))
			u->signs = signs_sbctl(o, PLUGIN_SBCTL);
	}
}

/* --- dracut ---------------------------------------------------------------------------------- */

static const char *const dracut_dirs[] = {PATH_DRACUT_DIR, PATH_DRACUT_USR_DIR};

/* The last value that is set, without ours; "" for none. ret_path is kept. */
static const char *dracut_value(struct observer *o, const char *key, const char **ret_path)
{
	struct words names = conf_names(o, dracut_dirs, ARRAY_LEN(dracut_dirs), "");
	const char *found = value_of(o, see_text(o, MAX_CONFIG, PATH_DRACUT), key);

	*ret_path = PATH_DRACUT;
	array_foreach(it, &names) {
		const char *path = NULL, *text, *value;

		if (strcmp(*it, base_name(PATH_DRACUT_LINE)) == 0)
			continue;
		text = find_text(o, dracut_dirs, ARRAY_LEN(dracut_dirs), *it, &path);
		value = value_of(o, text, key);
		if (*value) {
			found = value;
			*ret_path = path;
		}
	}
	return found;
}

/* What says that dracut makes them, one phrase; NULL: it does not. */
static const char *says_dracut(struct observer *o)
{
	const char *path, *value = dracut_value(o, "uefi", &path);

	return strcmp(value, "yes") == 0 ? keep_printf(o, "%s says uefi=yes", path) : NULL;
}

/* The files that make the line are looked at with all others of the layer. */
static void add_files(struct observer *o)
{
	struct words names = see_list(o, "%s", PATH_DRACUT_USR_DIR);

	observe_file(o, PATH_DRACUT);
	if (!host_file(o->host, PATH_DRACUT_LINE))
		observe_file(o, PATH_DRACUT_LINE);
	array_foreach(it, &names)
		if (has_suffix(*it, ".conf"))
			observe_file(o, keep_printf(o, "%s/%s", PATH_DRACUT_USR_DIR, *it));
}

static void by_dracut(struct observer *o, const char *says, struct host_unified *u)
{
	const char *path;

	if (!host_has_command(o->host, "dracut")) {
		u->why = keep_printf(o, "%s, and dracut is not here", says);
		return;
	}
	/* Of nothing else is it known whether root= stays in it. */
	if (!*dracut_value(o, "kernel_cmdline", &path)) {
		u->why = keep_printf(o,
				     "%s, and nothing there sets kernel_cmdline=; set it to the "
				     "whole line, root= included",
				     says);
		return;
	}
	u->maker = UNIFIED_BY_DRACUT;
	u->by = says;
	add_files(o);
	if (*dracut_value(o, "uefi_secureboot_cert", &path) &&
	    *dracut_value(o, "uefi_secureboot_key", &path))
		u->signs = keep_printf(o, "%s has uefi_secureboot_key=", path);
}

/* --- mkinitcpio ------------------------------------------------------------------------------ */

#define PRESETS	   "/etc/mkinitcpio.d"
#define CMDLINES   "/etc/cmdline.d"
#define POST_SBCTL "/usr/lib/initcpio/post/sbctl"

static const char *says_mkinitcpio(struct observer *o)
{
	struct words names = see_list(o, PRESETS);

	array_foreach(it, &names) {
		const char *text = has_suffix(*it, ".preset")
					   ? see_text(o, MAX_CONFIG, PRESETS "/%s", *it)
					   : NULL;

		if (*value_of(o, text, "default_uki"))
			return keep_printf(o, PRESETS "/%s has default_uki=", *it);
	}
	return NULL;
}

/* Whether a line that is no comment has the word. */
static bool has_word(struct observer *o, const char *text, const char *word)
{
	for (const char *line; (line = next_line(o, &text));)
		if (line[strspn(line, " \t")] != '#' && strstr(line, word))
			return true;
	return false;
}

/* Why that kernel's preset does not make the image of us alone; NULL: it does. */
static const char *preset_trouble(struct observer *o, const struct host_kernel *kernel,
				  const struct host_entry *image)
{
	const char *path = keep_printf(o, PRESETS "/%s.preset", host_kernel_name(kernel));
	const char *text = see_file(o, MAX_CONFIG, path);
	struct mkinitcpio_preset preset = {0};

	if (!text)
		return keep_printf(o, "%s, which would make %s, is not there", path, image->source);
	if (!kept(o, mkinitcpio_preset_parse(o->scratch, text, &preset) == 0))
		return NULL;
	if (preset.strange)
		return keep_printf(o, "%s:%u is more than an assignment of a fixed value", path,
				   preset.strange);
	if (!preset.uki || strcmp(preset.uki, image->source) != 0)
		return keep_printf(o, "%s does not make %s", path, image->source);
	if (preset.image)
		return keep_printf(o, "%s makes an initramfs of its own beside %s", path,
				   image->source);
	return has_word(o, text, "cmdline")
		       ? keep_printf(o, "%s takes a kernel line from elsewhere", path)
		       : NULL;
}

/* What mkinitcpio makes the line of, if not of /etc/kernel/cmdline alone (3.14). */
static const char *line_trouble(struct observer *o)
{
	struct words names = see_list(o, CMDLINES);
	const char *text = see_text(o, MAX_CONFIG, PATH_KERNEL_CMDLINE);

	array_foreach(it, &names)
		if (has_suffix(*it, ".conf"))
			return keep_printf(o,
					   CMDLINES
					   "/%s is a part of their line, and nothing "
					   "here edits that; move it to " PATH_KERNEL_CMDLINE,
					   *it);
	for (const char *line; text && (line = next_line(o, &text));)
		if (*line == '#')
			return PATH_KERNEL_CMDLINE " has comments, which mkinitcpio leaves out and "
						   "nothing here can tell from flags; remove them";
	return NULL;
}

static const char *mkinitcpio_trouble(struct observer *o)
{
	const char *why = line_trouble(o);

	array_foreach(kernel, &o->host->kernels)
		array_foreach(entry, &o->host->boot.entries)
			if (!why && kernel->vmlinuz && entry->loader == LOADER_UNIFIED &&
			    entry->kernel && strcmp(entry->kernel, kernel->version) == 0)
				why = preset_trouble(o, kernel, entry);
	return why;
}

static void by_mkinitcpio(struct observer *o, const char *says, struct host_unified *u)
{
	const char *why = mkinitcpio_trouble(o);

	if (why) {
		u->why = keep_printf(o, "mkinitcpio makes them, and %s", why);
		return;
	}
	u->maker = UNIFIED_BY_MKINITCPIO;
	u->by = says;
	/* Of uki.conf it is ukify that reads the keys; a hook comes after all others. */
	u->signs = has_ukify(o) ? signs_ukify(o) : NULL;
	if (!u->signs && see_exists(o, POST_SBCTL))
		u->signs = signs_sbctl(o, POST_SBCTL);
}

/* --- all of them ----------------------------------------------------------------------------- */

/* Each looks whether another is chosen. */
static void find_initrd_plugin(struct observer *o, const struct layout *l)
{
	static const struct {
		const char *file, *generator;
		bool asked; /* it waits to be chosen (5.34) */
	} plugins[] = {{"50-dracut.install", "dracut", false},
		       {"50-mkinitcpio.install", "mkinitcpio", false},
		       {"60-booster.install", "booster", true}};

	for (size_t i = 0; i < ARRAY_LEN(plugins); i++)
		if (has_plugin(o, plugins[i].file) &&
		    ((!*l->initrd && !plugins[i].asked) ||
		     strcmp(l->initrd, plugins[i].generator) == 0))
			o->host->boot.initrd_plugin = plugins[i].file;
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
	const char *dracut, *mkinitcpio;
	struct layout l;
	bool uki;

	if (!has_images(o->host) && !host_has_command(o->host, "kernel-install"))
		return;
	o->host->boot.tries = keep(o, see_line(o, PATH_KERNEL_TRIES));
	l = find_layout(o);
	find_initrd_plugin(o, &l);
	if (!has_images(o->host))
		return;
	uki = strcmp(l.layout, "uki") == 0;
	dracut = says_dracut(o);
	mkinitcpio = says_mkinitcpio(o);
	if (uki + (dracut != NULL) + (mkinitcpio != NULL) > 1)
		u->why = keep_printf(o, "more than one thing makes them: %s%s%s%s%s",
				     uki ? l.path : "", uki ? " says layout=uki; " : "",
				     dracut ? dracut : "", dracut && mkinitcpio ? "; " : "",
				     mkinitcpio ? mkinitcpio : "");
	else if (uki)
		by_kernel_install(o, &l, u);
	else if (dracut)
		by_dracut(o, dracut, u);
	else if (mkinitcpio)
		by_mkinitcpio(o, mkinitcpio, u);
	else
		u->why = "nothing says what makes them: no layout=uki in /etc/kernel/install.conf, "
			 "no uefi=yes in dracut's configuration, no default_uki= in a preset of "
			 "mkinitcpio";
}
