/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mkinitcpio: Arch Linux (facts 5.29 to 5.33). */
#include "mkinitcpio-preset.h"

#include <string.h>

#include "early.h"
#include "paths.h"
#include "rows.h"
#include "sources.h"

#define SETTINGS PATH_PRESETS "/%s.preset"

static const char *const formats[] = {"/boot/initramfs-%s.img", NULL};
static const char *const owned[] = {PATH_MKCPIO_DROPIN, NULL};

/* What /init of busybox loads before udev, and what systemd loads beside it (5.30). */
#define IN_CONFIG  "config"
#define IN_MODULES "etc/modules-load.d/MODULES.conf"

static int image_in(struct arena *a, const char *settings, const char **ret)
{
	struct mkinitcpio_preset preset;
	int r = mkinitcpio_preset_parse(a, settings, &preset);

	if (r == 0)
		*ret = preset.image;
	return r;
}

/* --- what an image says that it loads -------------------------------------------------------- */

/* Whether a list of names, each between blanks, newlines or quotes, has it; '-' and '_' alike. */
static bool list_has(const char *list, const char *end, const char *module)
{
	static const char between[] = " \t\n\"";

	while (list < end) {
		size_t n, i = 0;

		list += strspn(list, between);
		n = strcspn(list, between);
		while (i < n && module[i] && (list[i] == '-' ? '_' : list[i]) == module[i])
			i++;
		if (n && i == n && !module[i])
			return list < end;
		list += n + !n;
	}
	return false;
}

/* Whether the image says that it loads the module by itself, by the one of its two ways. */
static bool loads(const struct host_image *image, const char *module)
{
	const struct image_file *config = image_file(image, IN_CONFIG);
	const struct image_file *list = image_file(image, IN_MODULES);
	const char *line = config ? config->text : NULL;

	if (list)
		return list_has(list->text, list->text + list->size, module);
	while (line && strncmp(line, "MODULES=", strlen("MODULES=")) != 0) {
		line = strchr(line, '\n');
		line += line != NULL;
	}
	line = line ? line + strlen("MODULES=") : NULL;
	return line && list_has(line, line + strcspn(line, "\n"), module);
}

/*
 * What somebody's own list loads first takes a device before any rule is read, or races with it
 * (5.30). NULL: nothing does.
 */
static const char *rival_in(const struct host_image *image, const struct early_wish *wish)
{
	array_foreach(it, &wish->rivals)
		if (image->status == IMAGE_READ && loads(image, *it))
			return *it;
	return NULL;
}

/* --- what keeps a drop-in from being read ---------------------------------------------------- */

/* NULL: the kernel has no preset. */
static const struct host_file *preset_of(struct arena *a, const struct host *host,
					 const struct host_kernel *kernel, bool *lost)
{
	const char *path = kernel->pkgbase ? image_by_format(a, SETTINGS, kernel) : NULL;
	const struct host_file *file = path ? host_file(host, path) : NULL;

	*lost |= kernel->pkgbase && !path;
	return file && file->status == FILE_PRESENT ? file : NULL;
}

/* With a configuration file of its own mkinitcpio reads no drop-in (5.29). */
static const char *own_config(struct arena *a, const char *path,
			      const struct mkinitcpio_preset *preset)
{
	bool option = !strstr(preset->variable, "_config");
	bool usual = strcmp(preset->config, PATH_MKCPIO) == 0;

	return arena_printf(
		a,
		"%s:%u sets %s, with which mkinitcpio reads %s and nothing of " PATH_MKCPIO
		".d; %s%s",
		path, preset->line, preset->variable, preset->config,
		option ? "take -c out of that line" : "make that line a comment",
		usual ? "" : ", and move what differs there into " PATH_MKCPIO);
}

/* Why this preset makes no image that we could have a part in; NULL: it does. */
static int preset_obstacle(struct arena *a, const struct host *host, const struct host_file *file,
			   const char **ret_why)
{
	bool unified = host->boot.unified.maker == UNIFIED_BY_MKINITCPIO;
	struct mkinitcpio_preset preset;
	int r = mkinitcpio_preset_parse(a, file->text, &preset);

	if (r < 0)
		return r;
	*ret_why = NULL;
	if (preset.strange)
		*ret_why = arena_printf(a,
					"%s:%u is more than an assignment of a fixed value, and "
					"what mkinitcpio makes of it is not known here",
					file->path, preset.strange);
	else if (preset.config)
		*ret_why = own_config(a, file->path, &preset);
	else if (!preset.image && !(preset.uki && unified))
		*ret_why = arena_printf(a,
					"%s makes no image of an initramfs alone%s%s, and nothing "
					"here knows how to prove what it makes",
					file->path, preset.uki ? ", but " : "",
					preset.uki ? preset.uki : "");
	else
		return 0;
	return *ret_why ? 0 : -ENOMEM;
}

static int image_obstacle(struct arena *a, const struct host_image *image,
			  const struct early_wish *wish, const char **ret_why)
{
	const char *rival = *ret_why ? NULL : rival_in(image, wish);

	if (!rival)
		return 0;
	*ret_why = arena_printf(a,
				"%s loads %s by itself, which may take a device before our rule is "
				"read; take it out of MODULES in " PATH_MKCPIO " or " PATH_MKCPIO
				".d, and run mkinitcpio -P",
				image->path, rival);
	return *ret_why ? 0 : -ENOMEM;
}

static int rival_obstacle(struct arena *a, const struct host *host, const struct early_wish *wish,
			  const char **ret_why)
{
	int r = 0;

	array_foreach(it, &host->kernels) {
		if (r == 0)
			r = image_obstacle(a, &it->image, wish, ret_why);
		array_foreach(copy, &it->copies)
			if (r == 0 && image_file(copy, UNIFIED_SECTIONS))
				r = image_obstacle(a, copy, wish, ret_why);
	}
	return r;
}

/* booster is gone, and its image is what boots all the same (5.34). */
static int booster_obstacle(struct arena *a, const struct host *host, const char **ret_why)
{
	const char *word;
	int r = early_started_with(a, host, "booster-", &word);

	if (r <= 0 || *ret_why)
		return r < 0 ? r : 0;
	*ret_why = arena_printf(a,
				"this host was started with an image of booster's (%s), and what "
				"mkinitcpio makes would not reach it; boot with mkinitcpio's image "
				"instead",
				word);
	return *ret_why ? 0 : -ENOMEM;
}

static int obstacle(struct arena *a, const struct host *host, const struct early_wish *wish,
		    const char **ret_why)
{
	bool lost = false;
	int r = 0;

	*ret_why = NULL;
	if (host->builder_old)
		*ret_why =
			"mkinitcpio here is older than version 36 and reads nothing of " PATH_MKCPIO
			".d; upgrade it";
	for (size_t i = 0; r == 0 && !*ret_why && i < host->kernels.n; i++) {
		const struct host_file *file = preset_of(a, host, &host->kernels.at[i], &lost);

		if (file)
			r = preset_obstacle(a, host, file, ret_why);
	}
	if (r == 0)
		r = booster_obstacle(a, host, ret_why);
	if (r == 0)
		r = rival_obstacle(a, host, wish, ret_why);
	return lost ? -ENOMEM : r;
}

/* --- what we write --------------------------------------------------------------------------- */

/* One that a kernel lacks makes its build fail, though the image is written (5.32). */
static bool all_have(const struct host *host, const char *module)
{
	array_foreach(it, &host->kernels)
		if (it->vmlinuz && host_kernel_module(it, module) == MODULE_ABSENT)
			return false;
	return true;
}

/* The lists may be strings (mkinitcpio.conf(5)): += would then make one name of their words. */
static void open_list(struct strbuf *b, const char *name)
{
	strbuf_addf(b, "[[ ${%s@a} == *a* ]] || %s=($%s)\n", name, name, name);
}

/*
 * All of /etc/mkinitcpio.conf.d is joined to one text: what stands before it may lack its last
 * newline. Ours come first, since busybox's /init loads the list in order. The hook modconf need
 * not be there for our options (5.31); of our two files each may be missing, and a file that is
 * fails the build. The last command's code must be 0.
 */
static int render(struct arena *a, const struct host *host, const struct early_wish *wish, size_t i,
		  const char **ret, unsigned *ret_mode)
{
	_cleanup_strbuf_ struct strbuf b = {};
	struct words all = {};
	int r;

	if (i > 0 || !early_wish_safe(wish))
		return -EINVAL;
	r = early_modules(a, wish, &all);
	if (r < 0)
		return r;
	if (all.n) {
		strbuf_add(&b, "\n" MANAGED_BY
			       "# Loaded before udev starts; our options and rule come along.\n");
		open_list(&b, "MODULES");
		strbuf_add(&b, "MODULES=(");
		array_foreach(name, &all)
			if (all_have(host, *name))
				strbuf_addf(&b, "%s ", *name);
		strbuf_add(&b, "\"${MODULES[@]}\")\n");
		if (early_wish_serials(wish)) {
			open_list(&b, "BINARIES");
			strbuf_add(&b, "BINARIES+=(" PATH_PCI_SERIAL ")\n");
		}
		open_list(&b, "FILES");
		strbuf_add(&b, "[[ ! -f " PATH_MODPROBE " ]] || FILES+=(" PATH_MODPROBE ")\n"
			       "[[ ! -f " PATH_UDEV_RULES " ]] || FILES+=(" PATH_UDEV_RULES ")\n");
	}
	r = strbuf_to_arena(&b, a, ret);
	if (r == 0)
		*ret_mode = 0644;
	return r;
}

/* --- the command ----------------------------------------------------------------------------- */

/* Sourced as bash (5.29, 5.33). */
static const char *const check[] = {
	SOURCES_SOUND("bash", PATH_MKCPIO " " PATH_MKCPIO ".d/*.conf " PATH_PRESETS "/*.preset")};

/*
 * A preset's images are built together, and no other kernel's: -P would build them all (5.33).
 * What no package has brought has no preset.
 */
static int command_for(struct arena *a, const struct host *host, const struct host_kernel *kernel,
		       struct step *step)
{
	bool lost = false;
	const struct host_file *file = preset_of(a, host, kernel, &lost);
	struct mkinitcpio_preset preset = {};
	const char *image = early_image_path(a, host, kernel, formats);
	const char *by_preset[] = {"mkinitcpio", "-p", kernel->pkgbase};
	const char *plain[] = {"mkinitcpio", "-k", kernel->version, "-g", image};
	int r = lost || !image ? -ENOMEM : 0;

	if (r == 0 && file)
		r = mkinitcpio_preset_parse(a, file->text, &preset);
	if (r == 0)
		r = file ? words_push(a, &step->argv, by_preset, ARRAY_LEN(by_preset))
			 : words_push(a, &step->argv, plain, ARRAY_LEN(plain));
	if (r == 0)
		r = words_push(a, &step->check, check, ARRAY_LEN(check));
	if (r == 0)
		step->produces = preset.image ? preset.image : image;
	return r;
}

/* --- proof ----------------------------------------------------------------------------------- */

/*
 * Busybox's /init has loaded the list when udev begins. With systemd the two race (5.30): there it
 * is the rule that wins, which is set before any device's event and loads the driver itself, and
 * the softdeps of our modprobe.d file for what is bound by ids. Both ways the list shows that our
 * file was read.
 */
static bool proof(const struct early_wish *wish, const struct host_kernel *kernel, struct arena *a,
		  const char **ret_why)
{
	struct words all = {};
	const char *rival;

	if (!early_proof_along(wish, kernel, a, ret_why, &all))
		return false;
	array_foreach(name, &all)
		if (host_kernel_module(kernel, *name) == MODULE_LOADABLE &&
		    !loads(&kernel->image, *name))
			return early_disproof(a, ret_why, "%s does not load %s by itself",
					      kernel->image.path, *name);
	rival = rival_in(&kernel->image, wish);
	return !rival ||
	       early_disproof(a, ret_why, "%s loads %s by itself, before our rule is read",
			      kernel->image.path, rival);
}

const struct initramfs_builder mkinitcpio = {
	.name = "mkinitcpio",
	.command = "mkinitcpio",
	.image_formats = formats,
	.settings_format = SETTINGS,
	.image_in = image_in,
	.reads_owned = "_d_config",
	.owned = owned,
	.obstacle = obstacle,
	.render = render,
	.command_for = command_for,
	.proof = proof,
};
