/* SPDX-License-Identifier: GPL-2.0-or-later */
/* booster, as far as its configuration names modules one by one, and modprobe.d gives options. */
#include <string.h>

#include "fake-part.h"
#include "strbuf.h"

#define USUAL "ahci crc16 ext4 nvme xhci_pci"

static bool has_word(const char *list, const char *word)
{
	while (*list) {
		size_t n = strcspn(list, ", \n");

		if (n == strlen(word) && strncmp(list, word, n) == 0)
			return true;
		list += n + (list[n] != '\0');
	}
	return false;
}

/* The value of a key at the beginning of a line, "" without one. */
static const char *value(struct fake *f, const char *text, const char *key)
{
	const char *at = text ? strstr(text, arena_printf(f->arena, "\n%s: ", key)) : NULL;

	at = at ? at + strlen(key) + strlen("\n: ") : "";
	return arena_strndup(f->arena, at, strcspn(at, "\n"));
}

struct wish {
	const char *modules, *forced;
};

static bool wanted(const char *module, const void *data)
{
	const struct wish *wish = data;

	if (has_word(wish->modules, module) || has_word(wish->forced, module))
		return true;
	return has_word(USUAL, module) &&
	       !(strchr(wish->modules, '-') && strstr(wish->modules, module));
}

static void add_options(struct fake *f, struct build *b, struct strbuf *out)
{
	struct words names = {0};

	strbuf_add(out, "modprobeoptions:\n");
	if (root_list(f->root, "/etc/modprobe.d", f->arena, &names) < 0)
		return;
	array_foreach(it, &names) {
		char *text = (char *)(uintptr_t)fake_read(
			     f, arena_printf(f->arena, "/etc/modprobe.d/%s", *it)),
		     *lines;

		for (char *line = text ? strtok_r(text, "\n", &lines) : NULL; line;
		     line = strtok_r(NULL, "\n", &lines)) {
			char *module = strncmp(line, "options ", 8) == 0 ? line + 8 : NULL;
			char *rest = module ? strchr(module, ' ') : NULL;

			if (!rest)
				continue;
			*rest = '\0';
			if (fake_has_module(b, module))
				strbuf_addf(out, "    %s: %s\n", module, rest + 1);
		}
	}
}

static void by_booster(struct build *b, struct fake *f, const char *image _unused_)
{
	const char *text = fake_read(f, "/etc/booster.yaml");
	_cleanup_strbuf_ struct strbuf init = {0};
	struct wish wish;

	text = text ? arena_printf(f->arena, "\n%s", text) : NULL;
	wish = (struct wish){value(f, text, "modules"), value(f, text, "modules_force_load")};
	fake_keep_modules(b, wanted, &wish);
	add_options(f, b, &init);
	strbuf_addf(&init, "kernel: %s\n", fake_version(b));
	fake_add_file(b, "etc/booster.init.yaml", strbuf_text(&init));
}

int fake_booster(struct fake *f, const struct words *argv, bool spoil)
{
	if (argv->n != 6 || strcmp(argv->at[1], "build") != 0)
		return 1;
	return fake_build_image(f, argv->at[5], argv->at[4], by_booster, spoil);
}
