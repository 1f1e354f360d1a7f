/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dracut: Fedora, RHEL, openSUSE, Debian by choice (facts 5.20 to 5.27). */
#include <string.h>

#include "early.h"
#include "kcmdline.h"
#include "paths.h"
#include "rows.h"
#include "sources.h"

/* Debian, Fedora, openSUSE (fact 5.25). */
static const char *const formats[] = {"/boot/initrd.img-%s", "/boot/initramfs-%s.img",
				      "/boot/initrd-%s", NULL};
static const char *const owned[] = {PATH_DRACUT_DROPIN, NULL};

#define IN_CMDLINE "etc/cmdline.d/"
#define PRE	   "rd.driver.pre"

/*
 * Underscores, because only the first dash of the list is normalised (5.22); blanks, because others
 * append to it too (5.20). /etc/modprobe.d comes along by itself only in host-only mode (5.23),
 * /etc/udev/rules.d never. Our two files need not both exist. A program's libraries follow it:
 * after these items dracut resolves whatever in the image is executable.
 */
static int render(struct arena *a, const struct host *host _unused_, const struct early_wish *wish,
		  size_t i, const char **ret, unsigned *ret_mode)
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
		strbuf_add(&b, MANAGED_BY
			   "# Loaded before udev starts; our options and rule come along.\n"
			   "force_drivers+=\"");
		array_foreach(name, &all)
			strbuf_addf(&b, " %s", *name);
		strbuf_add(&b, " \"\n"
			       "install_optional_items+=\" " PATH_MODPROBE " " PATH_UDEV_RULES);
		if (early_wish_serials(wish))
			strbuf_add(&b, " " PATH_PCI_SERIAL);
		strbuf_add(&b, " \"\n");
	}
	r = strbuf_to_arena(&b, a, ret);
	if (r == 0)
		*ret_mode = 0644;
	return r;
}

/* One kernel a call: --regenerate-all adds exit codes up until they wrap (5.24). */
/* Sourced by dracut as bash (5.20). */
static const char *const check[] = {SOURCES_SOUND("bash",
						  "/etc/dracut.conf /etc/dracut.conf.d/*.conf "
						  "/usr/lib/dracut/dracut.conf.d/*.conf")};

static int command_for(struct arena *a, const struct host *host, const struct host_kernel *kernel,
		       struct step *step)
{
	const char *image = early_image_path(a, host, kernel, formats);
	const char *argv[] = {"dracut", "-q", "--force", image, kernel->version};

	if (!image || words_push(a, &step->argv, argv, ARRAY_LEN(argv)) < 0 ||
	    words_push(a, &step->check, check, ARRAY_LEN(check)) < 0)
		return -ENOMEM;
	step->produces = image;
	step->beside = true; /* a work folder of its own, and one image (5.25) */
	return 0;
}

/* Whether a comma list names the module; '-' and '_' are alike. */
static bool list_names(const char *list, const char *module)
{
	while (list) {
		size_t n = strcspn(list, ","), i = 0;

		while (i < n && module[i] && (list[i] == '-' ? '_' : list[i]) == module[i])
			i++;
		if (i == n && !module[i])
			return true;
		list = list[n] ? list + n + 1 : NULL;
	}
	return false;
}

/* Whether a file of the image's own command line has it loaded before udev. 1, 0, -ENOMEM. */
static int loaded_early(struct arena *a, const struct host_image *image, const char *module)
{
	array_foreach(file, &image->files) {
		struct kcmdline line;

		if (strncmp(file->path, IN_CMDLINE, strlen(IN_CMDLINE)) != 0)
			continue;
		if (kcmdline_parse(a, file->text, &line) < 0)
			return -ENOMEM;
		array_foreach(param, &line.params)
			if (strcmp(param->name, PRE) == 0 && list_names(param->value, module))
				return 1;
	}
	return 0;
}

static bool proof(const struct early_wish *wish, const struct host_kernel *kernel, struct arena *a,
		  const char **ret_why)
{
	struct words all = {};

	if (!early_proof_along(wish, kernel, a, ret_why, &all))
		return false;
	array_foreach(name, &all) {
		int r = host_kernel_module(kernel, *name) == MODULE_LOADABLE
				? loaded_early(a, &kernel->image, *name)
				: 1;

		if (r < 0)
			return early_unwritten(ret_why, r);
		if (r == 0)
			return early_disproof(a, ret_why, "%s does not load %s before udev",
					      kernel->image.path, *name);
	}
	return true;
}

const struct initramfs_builder dracut = {
	.name = "dracut",
	.command = "dracut",
	.image_formats = formats,
	.owned = owned,
	.render = render,
	.command_for = command_for,
	.proof = proof,
};
