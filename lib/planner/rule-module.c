/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Modules that devices need: vfio_pci, vfio_iommu_type1, vfio_virqfd where it exists (7.1). */
#include <string.h>

#include "early.h"
#include "module-list.h"
#include "paths.h"
#include "planning.h"

static int wanted_modules(struct planning *p, struct words *ret)
{
	array_foreach(it, &p->spec->devices) {
		const char *module = module_name_kernel(p->a, it->driver);

		if (!module || words_add(p->a, ret, module) < 0)
			return -ENOMEM;
		if (strcmp(it->driver, SPEC_DEFAULT_DRIVER) != 0)
			continue;
		if (words_add(p->a, ret, "vfio_iommu_type1") < 0)
			return -ENOMEM;
		/* A name that one kernel lacks fails modules-load there (note 6). */
		if (kernels_all_have(p, "vfio_virqfd", MODULE_LOADABLE) &&
		    words_add(p->a, ret, "vfio_virqfd") < 0)
			return -ENOMEM;
	}
	return 0;
}

static bool is_list(const char *path)
{
	static const char *const dirs[] = {"/etc/modules-load.d/", "/usr/lib/modules-load.d/",
					   "/lib/modules-load.d/"};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (strncmp(path, dirs[i], strlen(dirs[i])) == 0)
			return true;
	return strcmp(path, "/etc/modules") == 0;
}

/* Names that another hand has loaded at boot; systemd takes the whole line as the name (5.18). */
static int foreign_names(struct planning *p, const struct host_file *file, struct words *ret)
{
	if (!is_list(file->path) || strcmp(file->path, PATH_MODULES_LOAD) == 0)
		return 0;
	return module_list_parse(p->a, file->text, ret);
}

static int foreign_modules(struct planning *p, struct words *ret)
{
	array_foreach(it, &p->host->files) {
		struct words names = {0};

		if (foreign_names(p, it, &names) < 0)
			return -ENOMEM;
		array_foreach(name, &names)
			if (words_add(p->a, ret, *name) < 0)
				return -ENOMEM;
	}
	return 0;
}

/* Whether what loads the module by its name takes a device from a rule that is read beside it. */
static const char *taken_by(const struct planning *p, const struct device_wish *wish,
			    const char *name)
{
	if (words_has(&wish->early.rivals, name))
		return name;
	/* A blacklist does not count for what another module needs. */
	array_foreach(driver, &wish->drivers)
		array_foreach(kernel, &p->host->kernels)
			if (kernel->vmlinuz && host_kernel_needs(kernel, name, *driver))
				return *driver;
	return NULL;
}

/* Whether no image binds it early: at the real root modules are loaded by name meanwhile (5.19). */
static bool at_real_root(const struct planning *p)
{
	return p->builder && p->builder->bare;
}

int judge_loaded_beside(struct planning *p, const struct device_wish *wish)
{
	int err = 0;

	if (!at_real_root(p) || wish->method != METHOD_OVERRIDE)
		return 0;
	array_foreach(it, &p->host->files) {
		struct words names = {0};

		if (foreign_names(p, it, &names) < 0)
			return -ENOMEM;
		array_foreach(name, &names) {
			const char *driver = err == 0 ? taken_by(p, wish, *name) : NULL;
			bool same = driver && strcmp(driver, *name) == 0;

			if (driver)
				err = item_block(p, wish->item, CODE_FOREIGN_CONFLICT,
						 "%s has %s%s%s loaded at boot, beside our rule, "
						 "and it may come first; take it out there, or use "
						 "method: ids",
						 it->path, *name, same ? "" : ", which needs ",
						 same ? "" : driver);
		}
	}
	return err;
}

static bool in_early(const struct planning *p, const char *module)
{
	return words_has(&p->early.modules, module);
}

static int boot_layer(struct planning *p, const struct word_wish *wish)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < p->kernels.n; i++) {
		const struct host_kernel *kernel = p->kernels.at[i].kernel;
		bool right = image_leaves(p, i, wish->text) ||
			     words_has(&kernel->image.modules, wish->text) ||
			     host_kernel_module(kernel, wish->text) == MODULE_BUILTIN;

		err = image_says(p, i, wish->item, right, NULL);
	}
	return err;
}

static int judge(struct planning *p, struct word_wish *wish, const struct words *foreign,
		 const struct words *own)
{
	struct plan_item *item = ITEM(p, wish->item);
	const struct modprobe_line *black = modprobe_blacklisted(&p->foreign, wish->text);
	bool builtin = kernels_all_have(p, wish->text, MODULE_BUILTIN);

	wish->ours = !builtin && !words_has(foreign, wish->text);
	item->files = !wish->ours || words_has(own, wish->text) ? LAYER_RIGHT : LAYER_WRONG;
	if (item->files == LAYER_WRONG && item_reason(p, wish->item, "not loaded at boot") < 0)
		return -ENOMEM;
	if (in_early(p, wish->text) && boot_layer(p, wish) < 0)
		return -ENOMEM;
	item->live = host_module(p->host, wish->text) ? LAYER_RIGHT
		     : p->host->modules_known	      ? LAYER_WRONG
						      : LAYER_UNKNOWN;
	if (item->live != LAYER_RIGHT && item_reason(p, wish->item, "not loaded now") < 0)
		return -ENOMEM;
	if (black)
		return item_block(p, wish->item, CODE_FOREIGN_CONFLICT,
				  "%s is needed, and %s:%u blacklists it; remove that line",
				  wish->text, black->path, black->line);
	if (p->kernels.n && !builtin && !kernels_any_have(p, wish->text, MODULE_LOADABLE) &&
	    !kernels_any_have(p, wish->text, MODULE_BUILTIN))
		return item_block(p, wish->item, CODE_NO_EFFECT,
				  "no installed kernel has the module %s", wish->text);
	return 0;
}

int rule_modules(struct planning *p)
{
	struct words wanted = {0}, foreign = {0}, own = {0};
	int err = wanted_modules(p, &wanted);

	if (err == 0)
		err = foreign_modules(p, &foreign);
	if (err == 0)
		err = module_list_parse(p->a, host_text(p->host, PATH_MODULES_LOAD), &own);
	for (size_t i = 0; err == 0 && i < wanted.n; i++) {
		ssize_t item = item_add(p, ITEM_MODULE, "%s", wanted.at[i]);
		struct word_wish *wish = array_add(p->a, &p->modules);

		if (item < 0 || !wish)
			return -ENOMEM;
		*wish = (struct word_wish){.item = (size_t)item, .text = wanted.at[i]};
		err = judge(p, wish, &foreign, &own);
	}
	for (size_t i = 0; err == 0 && i < own.n; i++)
		if (!words_has(&wanted, own.at[i]))
			err = surplus_add(p, ITEM_MODULE, own.at[i]);
	return err;
}

int modules_load_text(struct planning *p, const char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};

	array_foreach(it, &p->modules) {
		if (!it->ours || item_blocked(p, it->item))
			continue;
		if (!out.len)
			strbuf_add(&out, MANAGED_BY);
		strbuf_addf(&out, "%s\n", it->text);
	}
	return strbuf_to_arena(&out, p->a, ret);
}
