/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a grub.cfg, as a loader entry and as GRUB's environment block. A whole file stays
 * one with another entry behind it, which is then found, and none with a block left open. What is
 * set in an entry or a block is found there, and setting what was there before gives back every
 * byte.
 */
#include "must.h"

#include <errno.h>

#include "boot-entries.h"
#include "entry-options.h"
#include "grubenv.h"
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

static void check_extlinux(struct arena *a, const char *text)
{
	struct boot_lines lines, more;

	MUST(extlinux_parse(a, text, &lines) == 0);
	array_foreach(it, &lines.list) {
		MUST(*it->image || !it->kernel);
		check_line(a, it);
	}
	text = arena_printf(a, "%s\nlabel x\nlinux /vmlinuz-9\nappend a b\n", text);
	MUST(extlinux_parse(a, text, &more) == 0 && more.list.n == lines.list.n + 1);
	MUST(strcmp(more.list.at[lines.list.n].options, "a b") == 0);
}

static void check_options(struct arena *a, const char *text)
{
	const char *was, *is, *changed, *back;
	struct boot_line line;

	MUST(entry_options(a, text, &was) == 0);
	if (!was) {
		MUST(entry_options_set(a, text, "a b", &changed) == -ENOENT);
		return;
	}
	MUST(entry_options_set(a, text, "a b", &changed) == 0);
	MUST(entry_options(a, changed, &is) == 0 && strcmp(is, "a b") == 0);
	MUST(entry_options_set(a, changed, was, &back) == 0 && strcmp(back, text) == 0);
	MUST(loader_entry_parse(a, text, &line) == 0);
	MUST(strncmp(line.options, was, strlen(was)) == 0);
}

static void check_block(struct arena *a, const char *text)
{
	const char *was, *is, *changed, *back;
	int r = grubenv_set(a, text, "kernelopts", "a \\ b", &changed);

	MUST(r == 0 || r == -EBADMSG || r == -ENOSPC);
	MUST(grubenv_get(a, text, "kernelopts", &was) == 0);
	MUST(r != -EBADMSG || !was);
	MUST(grubenv_expand(a, text, text, &is) == 0);
	if (r < 0)
		return;
	MUST(strlen(changed) == strlen(text));
	MUST(grubenv_get(a, changed, "kernelopts", &is) == 0 && strcmp(is, "a \\ b") == 0);
	MUST(grubenv_expand(a, changed, "x${kernelopts}$y", &is) == 0);
	MUST(strcmp(is, "xa \\ b$y") == 0);
	if (was && grubenv_set(a, changed, "kernelopts", was, &back) == 0)
		MUST(grubenv_get(a, back, "kernelopts", &is) == 0 && strcmp(is, was) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text;

	must_split(a, data, size, &text, 1);
	check_grub(a, text);
	check_loader(a, text);
	check_extlinux(a, text);
	check_options(a, text);
	check_block(a, text);
	check_block(a, arena_printf(a, "# GRUB Environment Block\n%s\n#########################",
				    text));
	return 0;
}
