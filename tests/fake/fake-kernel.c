/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The running kernel's part: drivers, overrides, modules, parameters, as facts 7.2 to 7.11 say. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fake-part.h"
#include "module-list.h"
#include "paths.h"

#define LINK "../../../../bus/pci/drivers/"

static const char *path_of(struct fake *f, const char *addr, const char *name)
{
	return arena_printf(f->arena, PATH_PCI_DEVICES "/%s/%s", addr, name);
}

static bool exists(struct fake *f, const char *path)
{
	struct stat st;

	return root_lstat(f->root, path, &st) == 0;
}

static const char *driver_of(struct fake *f, const char *addr)
{
	const char *link;

	if (root_readlink(f->root, path_of(f, addr, "driver"), f->arena, &link) < 0)
		return NULL;
	return strrchr(link, '/') ? strrchr(link, '/') + 1 : link;
}

static const char *override_of(struct fake *f, const char *addr)
{
	const char *text = fake_read(f, path_of(f, addr, "driver_override"));

	text = text ? arena_strndup(f->arena, text, strcspn(text, "\n")) : NULL;
	return text && *text && strcmp(text, "(null)") != 0 ? text : NULL;
}

static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
			return false;
	return *a == *b;
}

static bool driver_present(struct fake *f, const char *driver)
{
	return exists(f, arena_printf(f->arena, PATH_PCI_DRIVERS "/%s", driver));
}

static int bind(struct fake *f, const char *addr, const char *driver)
{
	const char *target = arena_printf(f->arena, LINK "%s", driver);
	const char *full = arena_printf(f->arena, "%s%s", f->dir, path_of(f, addr, "driver"));

	if (f->refuses && strcmp(addr, f->refuses) == 0 && strcmp(driver, "vfio-pci") == 0)
		return 0; /* the probe fails, and nobody is told (7.8) */
	return symlink(target, full) < 0 ? -errno : 0;
}

/* The loaded driver that matches by alias. vfio-pci does so by override alone (7.4). */
static const char *driver_by_alias(struct fake *f, const char *addr)
{
	const char *modalias = fake_read(f, path_of(f, addr, "modalias"));
	const char *release = fake_read(f, "/proc/sys/kernel/osrelease");
	const char *aliases = NULL;
	struct words found = {0}, drivers = {0};

	if (modalias && release)
		aliases = fake_read(f, arena_printf(f->arena, "/lib/modules/%.*s/modules.alias",
						    (int)strcspn(release, "\n"), release));
	if (!aliases)
		return NULL;
	modalias = arena_strndup(f->arena, modalias, strcspn(modalias, "\n"));
	if (module_alias_lookup(f->arena, aliases, "", modalias, &found) < 0 ||
	    root_list(f->root, PATH_PCI_DRIVERS, f->arena, &drivers) < 0)
		return NULL;
	array_foreach(module, &found)
		array_foreach(driver, &drivers)
			if (same_name(*module, *driver))
				return *driver;
	return NULL;
}

static int probe(struct fake *f, const char *addr)
{
	const char *driver = override_of(f, addr);

	if (!exists(f, path_of(f, addr, "vendor")))
		return -EINVAL;
	if (driver_of(f, addr))
		return 0;
	if (!driver)
		driver = driver_by_alias(f, addr);
	return driver && driver_present(f, driver) ? bind(f, addr, driver) : 0;
}

static int unbind(struct fake *f, const char *addr, const char *value)
{
	if (!driver_of(f, addr))
		return -ENOENT;
	if (strcmp(addr, value) != 0)
		return -ENODEV;
	if (f->hangs && strcmp(addr, f->hangs) == 0)
		return -ETIMEDOUT;
	return root_unlink(f->root, path_of(f, addr, "driver"));
}

static int set_override(struct fake *f, const char *addr, const char *value)
{
	const char *text = *value && *value != '\n' ? arena_printf(f->arena, "%s\n", value)
						    : "(null)\n";

	return fake_write(f, path_of(f, addr, "driver_override"), text, strlen(text));
}

static int set_parameter(struct fake *f, const char *path, const char *value)
{
	const char *now = fake_read(f, path);

	if (!now)
		return -ENOENT;
	if (*now == 'Y' || *now == 'N') {
		if (!strchr("01YNyn", *value) || value[1])
			return -EINVAL;
		value = strchr("1Yy", *value) ? "Y" : "N";
	}
	value = arena_printf(f->arena, "%s\n", value);
	return fake_write(f, path, value, strlen(value));
}

int fake_kernel_write(struct fake *f, const char *path, const char *value)
{
	static const char params[] = PATH_MODULES "/", devices[] = PATH_PCI_DEVICES "/";
	const char *rest, *addr;

	if (strcmp(path, PATH_PCI_PROBE) == 0)
		return probe(f, value);
	if (strncmp(path, params, strlen(params)) == 0 && strstr(path, "/parameters/"))
		return set_parameter(f, path, value);
	if (strncmp(path, devices, strlen(devices)) != 0)
		return -EACCES;
	rest = strchr(path + strlen(devices), '/');
	if (!rest)
		return -EACCES;
	path += strlen(devices);
	addr = arena_strndup(f->arena, path, (size_t)(rest - path));
	if (strcmp(rest, "/driver_override") == 0)
		return set_override(f, addr, value);
	if (strcmp(rest, "/driver/unbind") == 0)
		return unbind(f, addr, value);
	return -EACCES;
}

/* --- modules ---------------------------------------------------------------------------------- */

/* A line of modules.dep or modules.builtin that is of the module; NULL: none. */
static const char *line_of(struct fake *f, const char *list, const char *name)
{
	const char *release = fake_read(f, "/proc/sys/kernel/osrelease");
	const char *text = release ? fake_read(f, arena_printf(f->arena, "/lib/modules/%.*s/%s",
							       (int)strcspn(release, "\n"), release,
							       list))
				   : NULL;

	while (text && *text) {
		const char *end = text + strcspn(text, ":\n"), *base = end;
		const char *file;

		while (base > text && base[-1] != '/')
			base--;
		file = arena_strndup(f->arena, base, (size_t)(end - base));
		if (strstr(file, ".ko"))
			file = arena_strndup(f->arena, file, (size_t)(strstr(file, ".ko") - file));
		if (same_name(file, name))
			return arena_strndup(f->arena, text, strcspn(text, "\n"));
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return NULL;
}

static int add_loaded(struct fake *f, const char *name)
{
	const char *old = fake_read(f, "/proc/modules");
	const char *text = arena_printf(f->arena, "%s%s 16384 0 - Live 0x0000000000000000\n",
					old ? old : "", name);

	return fake_write(f, "/proc/modules", text, strlen(text));
}

/* 7.9: it takes every unbound function that names it. */
static int take_overrides(struct fake *f, const char *driver)
{
	struct words all = {0};
	int err = root_list(f->root, PATH_PCI_DEVICES, f->arena, &all);

	array_foreach(it, &all) {
		const char *override = override_of(f, *it);

		if (err == 0 && override && strcmp(override, driver) == 0 && !driver_of(f, *it))
			err = bind(f, *it, driver);
	}
	return err;
}

/* Options of our own modprobe.d file show up as the module's parameters. */
static int add_parameters(struct fake *f, const char *module)
{
	const char *text = fake_read(f, PATH_MODPROBE), *mark;
	int err;

	mark = arena_printf(f->arena, "options %s ", module);
	text = text ? strstr(text, mark) : NULL;
	if (!text)
		return 0;
	err = root_mkdirs(f->root, arena_printf(f->arena, PATH_MODULES "/%s/parameters", module));
	for (text += strlen(mark); err == 0 && *text && *text != '\n'; text += strspn(text, " ")) {
		size_t name = strcspn(text, "="), n = strcspn(text, " \n");
		const char *path = arena_printf(f->arena, PATH_MODULES "/%s/parameters/%.*s",
						module, (int)name, text);
		const char *value = arena_printf(f->arena, "%.*s\n", (int)(n - name - 1),
						 text + name + 1);

		err = fake_write(f, path, value, strlen(value));
		text += n;
	}
	return err;
}

static int load_one(struct fake *f, const char *name)
{
	char *module = arena_strdup(f->arena, name);
	const char *folder;
	int err;

	for (char *c = module; (c = strchr(c, '-'));)
		*c = '_';
	folder = arena_printf(f->arena, PATH_MODULES "/%s", module);
	if (exists(f, folder))
		return 0;
	err = root_mkdirs(f->root, folder);
	if (err == 0)
		err = add_loaded(f, module);
	if (err == 0)
		err = add_parameters(f, module);
	if (err < 0 || strcmp(module, "vfio_pci") != 0)
		return err;
	err = root_mkdirs(f->root, PATH_PCI_DRIVERS "/vfio-pci");
	return err < 0 ? err : take_overrides(f, "vfio-pci");
}

int fake_kernel_load(struct fake *f, const char *name)
{
	const char *line = line_of(f, "modules.dep", name), *at;
	int err = 0;

	if (!line)
		return line_of(f, "modules.builtin", name) ? 0 : -ENOENT;
	/* What it depends on comes first: "a.ko: c.ko b.ko" is loaded from the right. */
	while (err == 0 && (at = strrchr(line, '/'))) {
		const char *base = arena_strndup(f->arena, at + 1, strcspn(at + 1, "."));

		err = load_one(f, base);
		line = arena_strndup(f->arena, line, (size_t)(at - line));
		at = strrchr(line, ' ');
		line = at ? arena_strndup(f->arena, line, (size_t)(at - line)) : "";
	}
	return err;
}
