/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * booster: Arch Linux by choice (fact 5.34). Its /init looks for modules by itself, all at once,
 * and waits for none: there is no udev, no softdep of modprobe.d and no blacklist, and a list of
 * modules that are loaded by name races with the devices' own. So nothing of ours goes inside; what
 * counts is that no module inside takes a device, and our rule at the real root finds it free.
 */
#include <string.h>

#include "booster-yaml.h"
#include "early.h"
#include "kcmdline.h"
#include "module-list.h"
#include "paths.h"
#include "rows.h"

static const char *const formats[] = {"/boot/booster-%s.img", NULL};
static const char *const owned[] = {NULL};

#define IN_INIT "etc/booster.init.yaml"

#define OTHERS "mkinitcpio and dracut can do it"

/* --- what would come inside ------------------------------------------------------------------ */

/*
 * Drivers of PCI functions that every image gets where the host uses them at the time, unless they
 * are taken out by name.
 */
static const char *const usual[] = {
	"kernel/drivers/ata/",
	"kernel/drivers/char/tpm/",
	"kernel/drivers/scsi/",
	"kernel/drivers/usb/host/",
	"ahci",
	"mptspi",
	"nvme",
	"sdhci_pci",
	"virtio_pci",
	"vmd",
};

#define NETWORK "kernel/drivers/net/ethernet/"

/* Why a module comes inside. */
struct cause {
	enum { CAUSE_NONE, CAUSE_USUAL, CAUSE_NAMED, CAUSE_NETWORK, CAUSE_UNKNOWN } kind;
	const char *text; /* the word that names it */
	unsigned line;
};

static bool same_name(const char *path, size_t n, const char *module)
{
	size_t i = 0;

	while (i < n && module[i] && (path[i] == '-' ? '_' : path[i]) == module[i])
		i++;
	return i == n && !module[i];
}

/* Where the kernel has it, below its folder of modules, "" when it has not. NULL: no memory. */
static const char *path_of(struct arena *a, const struct host_kernel *kernel, const char *module)
{
	for (const char *at = kernel->modules_dep; *at;) {
		size_t n = strcspn(at, ":\n"), name = n;
		const char *base;

		while (name && at[name - 1] != '/')
			name--;
		base = at + name;
		if (same_name(base, strcspn(base, ".:\n"), module))
			return arena_strndup(a, at, n);
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	return "";
}

/* Names are compared as they stand: booster looks for them in the kernel's spelling alone. */
static bool names(const char *word, const char *module, const char *path)
{
	size_t n = strlen(word), m = strlen(path);

	if (strcmp(word, "*") == 0)
		return *path;
	if (n && word[n - 1] == '/')
		return strncmp(path, word, n) == 0;
	/* What a module is compressed with may be left out. */
	return strcmp(word, module) == 0 ||
	       (n && n <= m && strncmp(path, word, n) == 0 &&
		(n == m || (path[n] == '.' && n > 3 && strcmp(word + n - 3, ".ko") == 0)));
}

static void judge_item(const struct booster_item *item, const char *module, const char *path,
		       struct cause *cause)
{
	bool out = *item->text == '-';

	if (names(item->text + out, module, path))
		*cause = (struct cause){out ? CAUSE_NONE : CAUSE_NAMED, item->text, item->line};
}

/* In booster's own order: what comes last counts, and the network's drivers nothing keeps out. */
static int cause_of(struct arena *a, const struct booster_config *config,
		    const struct host_kernel *kernel, const char *module, struct cause *ret)
{
	const char *path = path_of(a, kernel, module);
	struct cause cause = {0};

	if (!path)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		if (names(usual[i], module, path))
			cause.kind = CAUSE_USUAL;
	array_foreach(it, &config->modules)
		judge_item(it, module, path, &cause);
	array_foreach(it, &config->force_load)
		judge_item(it, module, path, &cause);
	if (config->network && names(NETWORK, module, path))
		cause = (struct cause){.kind = CAUSE_NETWORK, .line = config->network};
	if (config->strange)
		cause = (struct cause){.kind = CAUSE_UNKNOWN, .line = config->strange};
	*ret = cause;
	return 0;
}

/* --- what is in the way ---------------------------------------------------------------------- */

static const char *inside(const struct host_image *image, const struct early_wish *wish)
{
	array_foreach(it, &wish->outside)
		if (words_has(&image->modules, *it))
			return *it;
	return NULL;
}

/* Whether the function is that module's, by its driver or by what it could have. 1, 0, -ENOMEM. */
static int is_for(struct arena *a, const struct host_kernel *kernel,
		  const struct host_device *device, const char *module)
{
	const char *driver = device->driver ? module_name_kernel(a, device->driver) : "";
	struct words found = {0};

	if (!driver)
		return -ENOMEM;
	if (strcmp(driver, module) == 0)
		return 1;
	if (device->modalias &&
	    module_alias_lookup(a, kernel->modules_alias, "", device->modalias, &found) < 0)
		return -ENOMEM;
	return words_has(&found, module);
}

/* What the host needs that driver for before its root is there; "": nothing known. NULL: no memory.
 */
static const char *host_needs(struct arena *a, const struct host *host,
			      const struct host_kernel *kernel, const char *module)
{
	array_foreach(it, &host->devices)
		array_foreach(use, &it->uses) {
			int r = use->kind == USE_ROOT ? is_for(a, kernel, it, module) : 0;

			if (r)
				return r < 0 ? NULL : use->what;
		}
	return "";
}

static const char *remedy(struct arena *a, const struct host *host,
			  const struct host_kernel *kernel, const char *module,
			  const struct cause *cause)
{
	const char *needs = host_needs(a, host, kernel, module);

	if (!needs)
		return NULL;
	if (*needs)
		return arena_printf(a,
				    "the host needs it there too (%s), and booster cannot tell two "
				    "devices of one driver apart; " OTHERS,
				    needs);
	switch (cause->kind) {
	case CAUSE_NAMED:
		return arena_printf(a, PATH_BOOSTER ":%u names it (%s); take that out", cause->line,
				    cause->text);
	case CAUSE_NETWORK:
		return arena_printf(a,
				    PATH_BOOSTER ":%u switches the network on, with the drivers of "
						 "all cards; take that out, or " OTHERS,
				    cause->line);
	case CAUSE_USUAL:
		return arena_printf(
			a,
			"booster puts it there by itself: add -%s to modules: in " PATH_BOOSTER
			", if nothing needs that driver before the root is mounted, "
			"as a keyboard does for a password",
			module);
	case CAUSE_UNKNOWN:
		return arena_printf(a,
				    "why, is not known here: " PATH_BOOSTER
				    ":%u is no plain \"KEY: VALUE\"; write it as one",
				    cause->line);
	case CAUSE_NONE:
		break;
	}
	return "";
}

/* One module inside that the next image would have again. */
static int image_obstacle(struct arena *a, const struct host *host,
			  const struct host_kernel *kernel, const struct host_image *image,
			  const struct booster_config *config, const struct early_wish *wish,
			  const char **ret_why)
{
	array_foreach(it, &wish->outside) {
		const char *what;
		struct cause cause;

		if (*ret_why || !words_has(&image->modules, *it))
			continue;
		if (cause_of(a, config, kernel, *it, &cause) < 0)
			return -ENOMEM;
		if (cause.kind == CAUSE_NONE)
			continue;
		what = remedy(a, host, kernel, *it, &cause);
		if (!what)
			return -ENOMEM;
		*ret_why = arena_printf(a,
					"%s has the module %s, which takes its devices before our "
					"rule is read, and no blacklist counts there; %s",
					image->path, *it, what);
		if (!*ret_why)
			return -ENOMEM;
	}
	return 0;
}

/* A device of a driver that is built in is taken long before the real root. */
static int rebind_obstacle(struct arena *a, const struct early_wish *wish, const char **ret_why)
{
	char addr[PCI_ADDR_TEXT_SIZE];

	array_foreach(it, &wish->overrides) {
		if (!it->rebind || *ret_why)
			continue;
		*ret_why = arena_printf(a,
					"a driver that is built into the kernel has %s, and "
					"nothing in an image of booster's could take it from "
					"there; " OTHERS,
					pci_addr_format(it->addr, addr));
		if (!*ret_why)
			return -ENOMEM;
	}
	return 0;
}

/* What somebody else makes we do not know how to make anew. */
static int foreign_obstacle(struct arena *a, const struct host_image *image, const char **ret_why)
{
	if (*ret_why || image->status != IMAGE_READ || image_file(image, IN_INIT))
		return 0;
	*ret_why = arena_printf(a,
				"%s is no image of booster's, which makes the images of this host; "
				"have one made by it and boot with that",
				image->path);
	return *ret_why ? 0 : -ENOMEM;
}

/* mkinitcpio or dracut is gone, and its image is what boots all the same. */
static int started_obstacle(struct arena *a, const struct host *host, const char **ret_why)
{
	const char *word;
	int r = early_started_with(a, host, "initramfs-", &word);

	if (r <= 0)
		return r;
	*ret_why = arena_printf(a,
				"this host was started with an image of another builder's (%s), "
				"and what booster makes would not reach it; boot with booster's "
				"image instead",
				word);
	return *ret_why ? 0 : -ENOMEM;
}

static int kernel_obstacle(struct arena *a, const struct host *host,
			   const struct host_kernel *kernel, const struct booster_config *config,
			   const struct early_wish *wish, const char **ret_why)
{
	int r = foreign_obstacle(a, &kernel->image, ret_why);

	if (r == 0)
		r = image_obstacle(a, host, kernel, &kernel->image, config, wish, ret_why);
	array_foreach(copy, &kernel->copies) {
		if (r == 0)
			r = foreign_obstacle(a, copy, ret_why);
		if (r == 0)
			r = image_obstacle(a, host, kernel, copy, config, wish, ret_why);
	}
	return r;
}

static int obstacle(struct arena *a, const struct host *host, const struct early_wish *wish,
		    const char **ret_why)
{
	struct booster_config config;
	int r;

	*ret_why = NULL;
	if (!wish->outside.n && !wish->overrides.n)
		return 0;
	r = booster_config_parse(a, host_text(host, PATH_BOOSTER), &config);
	if (r == 0)
		r = started_obstacle(a, host, ret_why);
	if (r == 0)
		r = rebind_obstacle(a, wish, ret_why);
	array_foreach(it, &host->kernels)
		if (r == 0 && it->vmlinuz)
			r = kernel_obstacle(a, host, it, &config, wish, ret_why);
	return r;
}

/* --- the command ----------------------------------------------------------------------------- */

/* As the package's own regenerate_images does it; renamed when it is whole, a file of its own. */
static int command_for(struct arena *a, const struct host *host _unused_,
		       const struct host_kernel *kernel, struct step *step)
{
	const char *image = image_by_format(a, formats[0], kernel);
	const char *argv[] = {"booster",	  "build",	   "--force",
			      "--kernel-version", kernel->version, image};

	if (!image || words_push(a, &step->argv, argv, ARRAY_LEN(argv)) < 0)
		return -ENOMEM;
	step->produces = image;
	step->beside = true;
	return 0;
}

/* --- proof ----------------------------------------------------------------------------------- */

static int options_in(struct arena *a, const struct host_image *image, const char **ret)
{
	const struct image_file *file = image_file(image, IN_INIT);

	return booster_init_options(a, file ? file->text : "", ret);
}

/* Its /init stops at any other kernel than the one that it was made for. */
static bool proof_kernel(const struct host_kernel *kernel, struct arena *a, const char **ret_why)
{
	const struct image_file *file = image_file(&kernel->image, IN_INIT);
	const char *version;

	if (!file)
		return early_disproof(a, ret_why, "%s is no image of booster's",
				      kernel->image.path);
	if (booster_init_kernel(a, file->text, &version) < 0)
		return early_unwritten(ret_why, -ENOMEM);
	return strcmp(version, kernel->version) == 0 ||
	       early_disproof(a, ret_why, "%s is made for %s %s, and starts no other",
			      kernel->image.path, *version ? "the kernel" : "no kernel",
			      *version ? version : "that it names");
}

static bool proof(const struct early_wish *wish, const struct host_kernel *kernel, struct arena *a,
		  const char **ret_why)
{
	const char *module;
	char addr[PCI_ADDR_TEXT_SIZE];

	if (!early_proof_read(kernel, a, ret_why))
		return false;
	if (!wish->outside.n && early_wish_empty(wish))
		return true;
	if (!proof_kernel(kernel, a, ret_why))
		return false;
	module = inside(&kernel->image, wish);
	if (module)
		return early_disproof(a, ret_why,
				      "%s has the module %s, which takes its devices before our "
				      "rule is read",
				      kernel->image.path, module);
	array_foreach(it, &wish->overrides)
		if (it->rebind)
			return early_disproof(
				a, ret_why,
				"a driver that is built into the kernel has %s before it",
				pci_addr_format(it->addr, addr));
	return true;
}

const struct initramfs_builder booster = {
	.name = "booster",
	.command = "booster",
	.image_formats = formats,
	.owned = owned,
	.bare = true,
	.options_in = options_in,
	.obstacle = obstacle,
	.command_for = command_for,
	.proof = proof,
};
