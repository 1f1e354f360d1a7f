/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mkinitcpio, as far as drop-ins and presets go (5.29 to 5.33): each image keeps to the one of the
 * two kinds that it was of.
 */
#include <string.h>

#include "fake-part.h"
#include "strbuf.h"

#define DROPIN	"/etc/mkinitcpio.conf.d/90-passthroughd.conf"
#define MODULES "/usr/lib/modules"
#define LIST	"etc/modules-load.d/MODULES.conf"

/* The words between before and the next of the bytes in end, of the first line that has it. */
static char *list_in(struct fake *f, const char *text, const char *before, const char *end)
{
	const char *at = strstr(text, before);

	return at ? arena_strndup(f->arena, at + strlen(before), strcspn(at + strlen(before), end))
		  : NULL;
}

static void add_modules(struct build *b, struct fake *f, const char *text, bool systemd)
{
	_cleanup_strbuf_ struct strbuf config = {0}, list = {0};
	char *names = list_in(f, text, "\nMODULES=(", "\")"), *rest;

	for (char *word = names ? strtok_r(names, " ", &rest) : NULL; word;
	     word = strtok_r(NULL, " ", &rest)) {
		strbuf_addf(&list, "%s\n", word);
		if (fake_add_module(b, word))
			strbuf_addf(&config, "%s%s", config.len ? " " : "MODULES=\"", word);
	}
	strbuf_add(&config, config.len ? "\"\n" : "");
	strbuf_addf(&config, "HOOKS=\"%s\"\n", systemd ? "" : "udev");
	fake_add_file(b, "config", strbuf_text(&config));
	if (systemd)
		fake_add_file(b, LIST, list.len ? strbuf_text(&list) : "\n");
}

static void add_named_files(struct build *b, struct fake *f, const char *text)
{
	static const char before[] = "FILES+=(";

	while ((text = strstr(text, before))) {
		char *path = list_in(f, text, before, ")");
		const char *held = fake_read(f, path);

		if (held)
			fake_add_file(b, path + 1, held);
		text += strlen(before);
	}
}

static void by_mkinitcpio(struct build *b, struct fake *f, const char *image)
{
	const char *text = fake_read(f, DROPIN), *bytes;
	size_t size;
	bool systemd = root_read(f->root, image, 64u << 20, f->arena, &bytes, &size) == 0 &&
		       memmem(bytes, size, LIST, strlen(LIST));

	fake_add_files(b, "/etc/modprobe.d", ".conf", "etc/modprobe.d");
	add_modules(b, f, text ? text : "", systemd);
	if (text)
		add_named_files(b, f, text);
}

static const char *version_of(struct fake *f, const char *pkgbase)
{
	struct words names = {0};

	if (root_list(f->root, MODULES, f->arena, &names) < 0)
		return NULL;
	array_foreach(it, &names) {
		const char *text = fake_read(f, arena_printf(f->arena, MODULES "/%s/pkgbase", *it));

		if (text && strncmp(text, pkgbase, strlen(pkgbase)) == 0 &&
		    text[strlen(pkgbase)] == '\n')
			return *it;
	}
	return NULL;
}

int fake_mkinitcpio(struct fake *f, const struct words *argv, bool spoil)
{
	const char *version;

	if (argv->n == 5 && strcmp(argv->at[1], "-k") == 0)
		return fake_build_image(f, argv->at[4], argv->at[2], by_mkinitcpio, spoil);
	version = argv->n == 3 && strcmp(argv->at[1], "-p") == 0 ? version_of(f, argv->at[2])
								 : NULL;
	return version ? fake_build_image(
				 f, arena_printf(f->arena, "/boot/initramfs-%s.img", argv->at[2]),
				 version, by_mkinitcpio, spoil)
		       : 1;
}
