/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all rules look at, parsed once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "early.h"
#include "paths.h"
#include "planning.h"
#include "udev.h"

/* Reading order of modprobe.d inside an initramfs: only what was copied in exists (6.20). */
static const char *const image_dirs[] = {"/etc/modprobe.d", "/lib/modprobe.d"};

static int parse_files(struct planning *p)
{
	const struct words *order = &p->host->modprobe_order;
	struct modprobe_source *foreign = arena_alloc(p->a, (order->n + 1) * sizeof(*foreign));
	struct modprobe_source own = {.path = PATH_MODPROBE,
				      .text = host_text(p->host, PATH_MODPROBE)};
	size_t n = 0;
	int err;

	if (!foreign)
		return -ENOMEM;
	for (size_t i = 0; i < order->n; i++)
		if (strcmp(order->at[i], PATH_MODPROBE) != 0)
			foreign[n++] = (struct modprobe_source){
				.path = order->at[i], .text = host_text(p->host, order->at[i])};
	err = modprobe_parse(p->a, foreign, n, &p->foreign);
	return err < 0 ? err : modprobe_parse(p->a, &own, 1, &p->own);
}

static int parse_image(struct planning *p, struct kernel_view *view)
{
	const struct host_image *image = &view->kernel->image;
	struct words paths = {0}, order = {0};
	struct modprobe_source *sources;
	int err;

	array_foreach(it, &image->files) {
		const char *path = arena_printf(p->a, "/%s", it->path);

		if (!path || (strstr(path, "/modprobe.d/") && array_push(p->a, &paths, path) < 0))
			return -ENOMEM;
	}
	err = modprobe_order(p->a, &paths, image_dirs, ARRAY_LEN(image_dirs), &order);
	if (err < 0)
		return err;
	sources = arena_alloc(p->a, (order.n + 1) * sizeof(*sources));
	if (!sources)
		return -ENOMEM;
	for (size_t i = 0; i < order.n; i++)
		sources[i] = (struct modprobe_source){
			.path = order.at[i], .text = image_file(image, order.at[i] + 1)->text};
	if (p->builder && p->builder->options_in) {
		sources[order.n].path = image->path;
		err = p->builder->options_in(p->a, image, &sources[order.n].text);
		order.n++;
	}
	return err < 0 ? err : modprobe_parse(p->a, sources, order.n, &view->modprobe);
}

static int open_image(struct planning *p, const struct host_kernel *kernel, bool copy)
{
	struct kernel_view *view = array_add(p->a, &p->kernels);

	if (!view)
		return -ENOMEM;
	view->kernel = kernel;
	view->copy = copy;
	return kernel->image.status == IMAGE_READ ? parse_image(p, view) : 0;
}

static int open_copy(struct planning *p, const struct host_kernel *kernel,
		     const struct host_image *copy)
{
	struct host_kernel *with = arena_memdup(p->a, kernel, sizeof(*kernel));

	if (!with)
		return -ENOMEM;
	with->image = *copy;
	return open_image(p, with, true);
}

/* Of copies, what boots from a unified image is in it. */
static bool is_left(const struct planning *p, const struct host_image *copy)
{
	return p->left[image_file(copy, UNIFIED_SECTIONS) ? LOADER_UNIFIED : LOADER_SYSTEMD_BOOT];
}

/* Without an image there is nothing to prove, and none of ours to make. */
static bool has_image(const struct host_kernel *kernel)
{
	return kernel->vmlinuz && kernel->image.status != IMAGE_ABSENT;
}

static int open_kernels(struct planning *p)
{
	array_foreach(it, &p->host->kernels)
		if (has_image(it) && open_image(p, it, false) < 0)
			return -ENOMEM;
	array_foreach(it, &p->host->kernels)
		array_foreach(copy, &it->copies)
			if (it->vmlinuz && !is_left(p, copy) && open_copy(p, it, copy) < 0)
				return -ENOMEM;
	return 0;
}

int planning_open(struct planning *p)
{
	int err = parse_files(p);

	p->gate = _CODE_INVALID;
	p->builder = p->host->initramfs_builder ? initramfs_builder(p->host->initramfs_builder)
						: NULL;
	if (err == 0)
		err = kcmdline_parse(p->a, p->host->cmdline, &p->running);
	if (err == 0)
		err = loaders_open(p);
	return err < 0 ? err : open_kernels(p);
}

bool kernels_all_have(const struct planning *p, const char *module, enum module_presence form)
{
	size_t n = 0;

	array_foreach(it, &p->host->kernels) {
		if (!it->vmlinuz)
			continue;
		if (host_kernel_module(it, module) != form)
			return false;
		n++;
	}
	return n > 0;
}

bool kernels_any_have(const struct planning *p, const char *module, enum module_presence form)
{
	array_foreach(it, &p->host->kernels)
		if (it->vmlinuz && host_kernel_module(it, module) == form)
			return true;
	return false;
}

enum module_presence running_kernel_has(const struct planning *p, const char *module)
{
	array_foreach(it, &p->host->kernels)
		if (it->running)
			return host_kernel_module(it, module);
	return MODULE_ABSENT;
}

bool switched_off(const struct planning *p)
{
	array_foreach(it, &p->running.params)
		if (!it->for_init && strcmp(it->name, EARLY_OFF_NAME) == 0 && it->value &&
		    strcmp(it->value, EARLY_OFF_VALUE) == 0)
			return true;
	return false;
}

/* The kernel's own bool parser takes these; sysfs shows Y and N. */
static int as_bool(const char *s)
{
	if (strcmp(s, "Y") == 0 || strcmp(s, "y") == 0 || strcmp(s, "1") == 0)
		return 1;
	if (strcmp(s, "N") == 0 || strcmp(s, "n") == 0 || strcmp(s, "0") == 0)
		return 0;
	return -1;
}

bool param_value_equal(const char *a, const char *b)
{
	char *end_a, *end_b;
	long long na, nb;

	if (strcmp(a, b) == 0)
		return true;
	if (as_bool(a) >= 0 && as_bool(a) == as_bool(b))
		return true;
	na = strtoll(a, &end_a, 0);
	nb = strtoll(b, &end_b, 0);
	return *a && *b && !*end_a && !*end_b && na == nb;
}
