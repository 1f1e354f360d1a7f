/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Initramfs images: which have to be rebuilt, and what is blocked when none can be. */
#include <string.h>

#include "early.h"
#include "paths.h"
#include "planning.h"
#include "systemd-boot.h"

static bool wishes_images(const struct planning *p)
{
	array_foreach(it, &p->plan->items)
		if (IMAGE_KINDS & KIND(it->kind))
			return true;
	return false;
}

static int note_images(struct planning *p)
{
	array_foreach(it, &p->kernels) {
		const struct host_image *image = &it->kernel->image;

		if (image->status == IMAGE_BAD &&
		    plan_note(p, SEVERITY_WARNING, CODE_BAD_IMAGE, "%s is damaged: %s", image->path,
			      image->why ? image->why : "of no known format") < 0)
			return -ENOMEM;
		if (image->status == IMAGE_UNREADABLE &&
		    plan_note(p, SEVERITY_WARNING, CODE_UNPROVEN,
			      "%s cannot be read (%s): what it holds is not known", image->path,
			      image->why ? image->why : "no permission") < 0)
			return -ENOMEM;
	}
	return 0;
}

/*
 * Where proxmox-boot-tool copies the images to the ESPs, a boot loader's file that stops it (2.2,
 * 4.21) keeps a new image from ever being booted.
 */
static int check_refresh(struct planning *p)
{
	for (size_t i = 0; p->host->boot.proxmox && i < boot_loaders_n; i++) {
		struct loader_files files = {0};

		if (!loader_kept(p, boot_loaders[i]))
			continue;
		if (boot_loaders[i]->files(p->a, p->host, &files) < 0)
			return -ENOMEM;
		if (files.known)
			continue;
		p->gate = CODE_BAD_FILE;
		p->gate_why = arena_printf(
			p->a,
			"proxmox-boot-tool would stop before a new initramfs reaches the "
			"ESPs, since %s cannot be followed: %s",
			files.where, files.why);
		return p->gate_why ? 0 : -ENOMEM;
	}
	return 0;
}

static bool has_copies(const struct planning *p)
{
	array_foreach(it, &p->kernels)
		if (it->copy)
			return true;
	return false;
}

static int close_gate(struct planning *p, enum code code, const char *why)
{
	p->gate = code;
	p->gate_why = why;
	return why ? 0 : -ENOMEM;
}

static const char *no_builder(struct planning *p)
{
	const char *commands = initramfs_commands(p->a);

	return commands ? arena_printf(p->a,
				       "no initramfs builder (%s) is installed, and an initramfs "
				       "here would have to be rebuilt",
				       commands)
			: NULL;
}

/* 0, -ENOMEM; p->gate when it is closed. */
static int find_gate(struct planning *p)
{
	const struct host *host = p->host;
	const char *why = NULL;

	if (p->builder && p->builder->obstacle &&
	    p->builder->obstacle(p->a, host, &p->early, &why) < 0)
		return -ENOMEM;
	/* Deployments' images lie apart, and are there all the same; so are others'. */
	if (!p->kernels.n && !host->boot.ostree && !systemd_boot_foreign(host) && !p->sealed &&
	    !why)
		return 0;
	if (check_refresh(p) < 0)
		return -ENOMEM;
	if (host->boot.ostree)
		return close_gate(
			p, CODE_NO_BUILDER,
			"this host boots deployments of ostree, whose initramfs rpm-ostree makes, "
			"and nothing here does that yet; give it the driver and the flags by hand "
			"(rpm-ostree initramfs --enable --arg=--add-drivers --arg=vfio-pci; "
			"rpm-ostree kargs --append=rd.driver.pre=vfio-pci "
			"--append=vfio-pci.ids=VENDOR:DEVICE)");
	if (p->sealed)
		return close_gate(p, CODE_AMBIGUOUS_BOOT_LOADER, p->sealed);
	if (!p->builder)
		return close_gate(p, CODE_NO_BUILDER, no_builder(p));
	if (why)
		return close_gate(p, CODE_FOREIGN_CONFLICT, why);
	if (systemd_boot_foreign(host) ||
	    (systemd_boot_stuck(host) && !p->left[LOADER_SYSTEMD_BOOT] && has_copies(p)))
		return close_gate(p, CODE_NO_BUILDER, systemd_boot_stuck(host));
	if (host->boot.boot_read_only)
		return close_gate(p, CODE_READ_ONLY,
				  "/boot is mounted read-only, and an initramfs there would have "
				  "to be rebuilt; remount it writable");
	return 0;
}

int plan_gate(struct planning *p)
{
	if (!wishes_images(p))
		return 0;
	if (find_gate(p) < 0 || note_images(p) < 0)
		return -ENOMEM;
	return p->gate == _CODE_INVALID ? 0 : block_kinds(p, IMAGE_KINDS, p->gate, p->gate_why);
}

static int make_stale(struct kernel_view *view, const char *why)
{
	if (!why)
		return -ENOMEM;
	view->stale = true;
	view->why = why;
	return 0;
}

static int lacking(struct planning *p)
{
	array_foreach(it, &p->lacks) {
		struct kernel_view *view = &p->kernels.at[it->view];
		const char *reason;

		if (view->stale || item_blocked(p, it->item))
			continue;
		reason = ITEM(p, it->item)->reason;
		if (make_stale(view, item_why(p, it->item, reason ? reason : "not in the image")) <
		    0)
			return -ENOMEM;
	}
	return 0;
}

/* A module inside has other options than those that m's lines of it come to beside others'. */
static bool option_stale(struct planning *p, const struct kernel_view *view,
			 const struct modprobe *wished, const struct modprobe_line *line)
{
	for (const char *at = line->rest; *at;) {
		size_t n = strcspn(at, " \t"), name = strcspn(at, "= \t");
		const char *param = arena_strndup(p->a, at, name);
		const char *held, *other, *want;

		if (!param)
			return true;
		held = modprobe_option(p->a, &view->modprobe, line->module, param, NULL);
		other = modprobe_option(p->a, &p->foreign, line->module, param, NULL);
		want = modprobe_option(p->a, wished, line->module, param, NULL);
		want = other ? other : want;
		if (held && want ? !param_value_equal(held, want) : held != want)
			return true;
		at += n + strspn(at + n, " \t");
	}
	return false;
}

/* What modules inside get of the options that are ours, where no file of ours is. */
static int options_stale(struct planning *p, const struct kernel_view *view, const char *modprobe)
{
	const struct modprobe_source source = {.path = PATH_MODPROBE, .text = modprobe};
	struct modprobe wished;
	const struct modprobe *const both[] = {&wished, &p->own};

	if (modprobe_parse(p->a, &source, 1, &wished) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LEN(both); i++)
		array_foreach(it, &both[i]->lines)
			if (strcmp(it->keyword, "options") == 0 &&
			    words_has(&view->kernel->image.modules, it->module) &&
			    option_stale(p, view, &wished, it))
				return 1;
	return 0;
}

/* Whether what our modprobe.d file is to say is inside as it is to be. 1, 0, -ENOMEM. */
static int modprobe_inside(struct planning *p, const struct kernel_view *view, const char *modprobe)
{
	const struct image_file *held = image_file(&view->kernel->image, PATH_MODPROBE + 1);
	int r;

	if (!p->builder->bare)
		return strcmp(held ? held->text : "", modprobe) == 0;
	r = options_stale(p, view, modprobe);
	return r < 0 ? r : !r;
}

/* Whether the image still holds what we no longer say, or holds it in other words. */
static int outdated(struct planning *p, struct kernel_view *view, const char *modprobe)
{
	const struct host_image *image = &view->kernel->image;
	const char *why = "the image is out of date", *named;
	int r;

	/* What it was built from is not ours to say just now. */
	if (view->stale || image->status != IMAGE_READ || plan_images_contested(p))
		return 0;
	r = modprobe_inside(p, view, modprobe);
	if (r < 0 || (r && p->builder->proof(&p->early, view->kernel, p->a, &why)))
		return r < 0 ? r : 0;
	named = why_of_kinds(p, IMAGE_KINDS);
	return make_stale(view, named ? named : arena_printf(p->a, "%s: %s", image->path, why));
}

static int left_unbuilt(struct planning *p, struct kernel_view *view)
{
	const char *named;

	if (view->stale || !words_has(&p->ledger->unbuilt, view->kernel->version))
		return 0;
	named = why_of_kinds(p, IMAGE_KINDS);
	return make_stale(view, arena_printf(p->a, "%s; the last apply did not come to build it",
					     named ? named : view->kernel->image.path));
}

/* What boots there is the copy on each ESP, which only a refresh brings up to date (4.14). */
static void refresh_esps(struct planning *p, const char *why)
{
	p->refresh[LOADER_PROXMOX] = true;
	p->refresh_why = why;
}

static int add_build(struct planning *p, const struct kernel_view *view)
{
	struct step *step = step_add(p, STEP_BUILD_INITRAMFS, view->kernel->version, view->why);

	if (p->host->boot.proxmox)
		refresh_esps(p, view->why);
	return step ? p->builder->command_for(p->a, p->host, view->kernel, step) : -ENOMEM;
}

int plan_images(struct planning *p)
{
	const char *modprobe;
	int err;

	if (!p->builder || !p->kernels.n || p->gate != _CODE_INVALID)
		return 0;
	err = modprobe_text(p, &modprobe);
	if (err == 0)
		err = lacking(p);
	for (size_t i = 0; err == 0 && i < p->kernels.n; i++) {
		struct kernel_view *view = &p->kernels.at[i];

		err = outdated(p, view, modprobe);
		if (err == 0 && !view->copy)
			err = left_unbuilt(p, view);
		if (err == 0 && view->stale && view->copy && p->host->boot.proxmox)
			refresh_esps(p, view->why);
		/* A copy is made anew with its kernel's entries (loaders.c). */
		if (err == 0 && view->stale && !view->copy)
			err = add_build(p, view);
	}
	return err;
}
