/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unified kernel images, made anew in the place of those that are there: by kernel-install with
 * ukify of /etc/kernel/cmdline (3.13), by dracut of its own configuration (3.15).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "early.h"
#include "fake-part.h"
#include "image.h"
#include "pe-write.h"

#define FOLDER "/boot/efi/EFI/Linux"
#define INITRD "/boot/.initrd"

static struct pe_part part_of(struct fake *f, const struct host_image *old, const char *name,
			      const char *line)
{
	const struct image_file *file = image_file(old, name);
	struct pe_part part = {.name = name, .bytes = "stub", .size = 4};
	const char *bytes;

	if (strcmp(name, UNIFIED_CMDLINE) == 0)
		part = (struct pe_part){name, line, strlen(line)};
	else if (file)
		part = (struct pe_part){name, file->text, file->size};
	else if (strcmp(name, ".initrd") == 0 &&
		 root_read(f->root, INITRD, 64u << 20, f->arena, &bytes, &part.size) == 0)
		part.bytes = bytes;
	return part;
}

static void write_sections(struct fake *f, const struct host_image *old, const char *line,
			   struct strbuf *out)
{
	const struct image_file *sections = image_file(old, UNIFIED_SECTIONS);
	char *copy = arena_strdup(f->arena, sections ? sections->text : ""), *rest;
	struct pe_part parts[32];
	bool signature = false;
	size_t n = 0;

	for (char *name = strtok_r(copy, "\n", &rest); name && n < 32;
	     name = strtok_r(NULL, "\n", &rest)) {
		if (strcmp(name, UNIFIED_SIGNATURE) == 0)
			signature = true;
		else
			parts[n++] = part_of(f, old, name, line);
	}
	pe_write(parts, n, signature, out);
}

/* The initramfs is dracut's, unless one is handed in. */
static int make(struct fake *f, const char *path, const char *version, const char *line, bool spoil)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	struct host_image old = {0};
	const char *bytes;
	size_t size;
	int err = root_read(f->root, path, 64u << 20, f->arena, &bytes, &size);

	if (err < 0 || image_read_memory(bytes, size, f->arena, &old) < 0 || !line ||
	    fake_build_image(f, INITRD, version, fake_by_dracut, false) != 0)
		return 1;
	write_sections(f, &old, line, &out);
	if (out.error < 0 || remove(arena_printf(f->arena, "%s" INITRD, f->dir)) < 0 ||
	    fake_write(f, arena_printf(f->arena, "%s.new", path), out.text,
		       spoil ? out.len / 2 : out.len) < 0)
		return 1;
	return rename(arena_printf(f->arena, "%s%s.new", f->dir, path),
		      arena_printf(f->arena, "%s%s", f->dir, path)) < 0 ||
	       spoil;
}

int fake_kernel_install(struct fake *f, const struct words *argv, bool spoil)
{
	const char *line = fake_read(f, "/etc/kernel/cmdline");
	struct words names = {0};

	if (argv->n < 4 || root_list(f->root, FOLDER, f->arena, &names) < 0)
		return 1;
	array_foreach(it, &names)
		if (strstr(*it, arena_printf(f->arena, "-%s.efi", argv->at[2])) &&
		    !strstr(*it, ".extra.d"))
			return make(f, arena_printf(f->arena, FOLDER "/%s", *it), argv->at[2], line,
				    spoil);
	return 1;
}

/* A real bash reads what dracut would source (5.20). */
static const char *dracut_line(struct fake *f)
{
	static const char script[] =
		"cd '%s' && exec env -i PATH=/usr/bin:/bin LC_ALL=C bash -c 'for x in "
		"etc/dracut.conf etc/dracut.conf.d/*.conf; do [ ! -e \"$x\" ] || . \"./$x\"; "
		"done; echo \"$kernel_cmdline\"' 2>/dev/null";
	FILE *in = popen(arena_printf(f->arena, script, f->dir), "re");
	char line[4096] = "";
	bool good;

	if (!in)
		return NULL;
	good = fgets(line, sizeof(line), in);
	return pclose(in) == 0 && good ? arena_strdup(f->arena, line) : NULL;
}

int fake_dracut_uefi(struct fake *f, const struct words *argv, bool spoil)
{
	return make(f, argv->at[argv->n - 2], argv->at[argv->n - 1], dracut_line(f), spoil);
}
