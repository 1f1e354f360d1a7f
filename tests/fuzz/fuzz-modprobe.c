/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as modprobe.d files, and as module lists and aliases. What was read reads the same
 * when it is written out again.
 */
#include "must.h"

#include "modprobe.h"
#include "module-list.h"
#include "strbuf.h"

#define SOURCES_MAX 4

/* libkmod drops a backslash and keeps what follows. */
static void add_escaped(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\')
			strbuf_addc(out, '\\');
		strbuf_addc(out, *text);
	}
}

static void check_again(struct arena *a, const struct modprobe *m)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	struct modprobe_source source;
	struct modprobe again;

	array_foreach(it, &m->lines) {
		add_escaped(&out, it->keyword);
		strbuf_addc(&out, ' ');
		add_escaped(&out, it->module);
		strbuf_add(&out, "  "); /* an empty rest is one all the same */
		add_escaped(&out, it->rest);
		strbuf_addc(&out, '\n');
	}
	source = (struct modprobe_source){"again", strbuf_text(&out)};
	MUST(modprobe_parse(a, &source, 1, &again) == 0);
	MUST(again.bad.n == 0 && again.lines.n == m->lines.n);
	for (size_t i = 0; i < m->lines.n; i++) {
		MUST(strcmp(again.lines.at[i].keyword, m->lines.at[i].keyword) == 0);
		MUST(strcmp(again.lines.at[i].module, m->lines.at[i].module) == 0);
		MUST(strcmp(again.lines.at[i].rest, m->lines.at[i].rest) == 0);
	}
}

static void check_questions(struct arena *a, const struct modprobe *m)
{
	array_foreach(it, &m->lines) {
		const struct modprobe_line *where = NULL;
		const char *value = modprobe_option(a, m, it->module, "ids", &where);

		MUST(!value == !where);
		MUST(!value || strcmp(where->module, it->module) == 0);
		if (strcmp(it->keyword, "blacklist") == 0)
			MUST(modprobe_blacklisted(m, it->module) <= it);
		if (modprobe_softdep(m, it->module))
			modprobe_softdep_pre(modprobe_softdep(m, it->module), it->module);
		if (modprobe_install(m, it->module))
			MUST(strcmp(modprobe_install(m, it->module)->keyword, "install") == 0);
	}
}

static void check_lists(struct arena *a, const char *text)
{
	struct words words;

	MUST(module_list_parse(a, text, &words) == 0);
	array_foreach(it, &words)
		MUST(**it && !strchr(*it, '\n') && !strchr(*it, '-'));
	MUST(module_list_parse_args(a, text, &words) == 0);
	array_foreach(it, &words)
		MUST(**it && !strpbrk(*it, " \t\n-"));
	MUST(module_alias_lookup(a, text, text, "pci:v000010DEd00001B81bc03sc00i00", &words) == 0);
	array_foreach(it, &words)
		MUST(!strchr(*it, '-'));
}

static void check_order(struct arena *a, const char *text)
{
	static const char *const dirs[] = {"/etc/modprobe.d", "/lib/modprobe.d/"};
	struct words paths = {0}, order;
	const char *last = "";

	for (char *rest = arena_strdup(a, text), *line; (line = strsep(&rest, "\n"));)
		MUST(array_push(a, &paths, (const char *)line) == 0);
	MUST(modprobe_order(a, &paths, dirs, 2, &order) == 0);
	array_foreach(it, &order) {
		const char *slash = strrchr(*it, '/'), *name = slash ? slash + 1 : *it;

		MUST(strcmp(last, name) < 0);
		last = name;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct modprobe_source sources[SOURCES_MAX];
	const char *parts[SOURCES_MAX];
	size_t n = must_split(a, data, size, parts, SOURCES_MAX);
	struct modprobe m;

	for (size_t i = 0; i < n; i++)
		sources[i] = (struct modprobe_source){"f", parts[i]};
	MUST(modprobe_parse(a, sources, n, &m) == 0);
	check_again(a, &m);
	check_questions(a, &m);
	check_lists(a, parts[0]);
	check_order(a, parts[0]);
	return 0;
}
