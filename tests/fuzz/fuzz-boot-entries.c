/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a grub.cfg and as a loader entry. A whole file stays one with another entry behind
 * it, which is then found, and none with a block left open.
 */
#include "must.h"

#include <errno.h>

#include "boot-entries.h"
#include "kcmdline.h"

static void check_line(struct arena *a, const struct boot_line *l)
{
	struct kcmdline k;
	bool recovery = false;

	MUST(l->title && l->image && l->options);
	MUST(!l->kernel || (l->kernel[0] >= '0' && l->kernel[0] <= '9'));
	MUST(kcmdline_parse(a, l->options, &k) == 0);
	array_foreach(it, &k.params)
		recovery |= !it->value &&
			    (strcmp(it->name, "single") == 0 || strcmp(it->name, "recovery") == 0 ||
			     strcmp(it->name, "emergency") == 0);
	MUST(recovery == l->recovery);
}

static void check_grub(struct arena *a, const char *text)
{
	struct boot_lines lines, more;
	unsigned last = 0;
	int r = grub_cfg_parse(a, text, &lines);

	MUST(r == 0 || r == -EBADMSG);
	if (r < 0)
		return;
	array_foreach(it, &lines.list) {
		MUST(it->line >= last);
		MUST(!it->kernel || strstr(it->image, it->kernel));
		last = it->line;
		check_line(a, it);
	}
	text = arena_printf(a, "%s\nmenuentry 'x' {\n\tlinux /boot/vmlinuz-9 a 'b c'\n", text);
	MUST(grub_cfg_parse(a, text, &more) == -EBADMSG);
	MUST(grub_cfg_parse(a, arena_printf(a, "%s}\n", text), &more) == 0);
	MUST(more.list.n == lines.list.n + 1);
	MUST(strcmp(more.list.at[more.list.n - 1].title, "x") == 0);
	MUST(strcmp(more.list.at[more.list.n - 1].kernel, "9") == 0);
	MUST(strcmp(more.list.at[more.list.n - 1].options, "a \"b c\"") == 0);
}

static void check_loader(struct arena *a, const char *text)
{
	struct boot_line line, again;

	MUST(loader_entry_parse(a, text, &line) == 0);
	check_line(a, &line);
	text = arena_printf(a, "title %s\nversion %s\nlinux %s\noptions %s\n", line.title,
			    line.kernel ? line.kernel : "", line.image, line.options);
	MUST(loader_entry_parse(a, text, &again) == 0);
	MUST(strcmp(again.title, line.title) == 0 && strcmp(again.image, line.image) == 0);
	MUST(strcmp(again.options, line.options) == 0 && again.recovery == line.recovery);
	MUST(!line.kernel == !again.kernel);
	MUST(!line.kernel || strcmp(line.kernel, again.kernel) == 0);
	array_foreach(it, &line.initrds)
		MUST(**it && !strchr(*it, '\n'));
	MUST(!strchr(line.machine_id, '\n') && !again.machine_id[0] && !again.initrds.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text;

	must_split(a, data, size, &text, 1);
	check_grub(a, text);
	check_loader(a, text);
	return 0;
}
