/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in force in a parsed modprobe.d. */
#include "modprobe.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "kcmdline-token.h"
#include "strbuf.h"

static bool is_keyword(const struct modprobe_line *line, const char *keyword)
{
	return strcmp(line->keyword, keyword) == 0;
}

static bool names(const struct modprobe_line *line, const char *module)
{
	return piece_names((struct piece){line->module, strlen(line->module)}, module);
}

/* fnmatch over the kernel's spelling of module, which may be written with '-'. */
static bool fits(const struct modprobe_line *line, const char *module)
{
	char name[256];
	size_t i;

	for (i = 0; module[i] && i < sizeof(name) - 1; i++)
		name[i] = module[i] == '-' ? '_' : module[i];
	name[i] = '\0';
	return !module[i] && fnmatch(line->module, name, 0) == 0;
}

static const struct modprobe_line *first_fit(const struct modprobe *m, const char *keyword,
					     const char *module)
{
	array_foreach(it, &m->lines)
		if (is_keyword(it, keyword) && fits(it, module))
			return it;
	return NULL;
}

const struct modprobe_line *modprobe_softdep(const struct modprobe *m, const char *module)
{
	return first_fit(m, "softdep", module);
}

const struct modprobe_line *modprobe_install(const struct modprobe *m, const char *module)
{
	return first_fit(m, "install", module);
}

const struct modprobe_line *modprobe_blacklisted(const struct modprobe *m, const char *module)
{
	array_foreach(it, &m->lines)
		if (is_keyword(it, "blacklist") && names(it, module))
			return it;
	return NULL;
}

bool modprobe_softdep_pre(const struct modprobe_line *line, const char *name)
{
	static const char blanks[] = " \t\r\n\v\f";
	bool pre = false;

	for (const char *at = line->rest + strspn(line->rest, blanks); *at;) {
		struct piece word = {at, strcspn(at, blanks)};

		if (piece_is(word, "pre:") || piece_is(word, "post:"))
			pre = piece_is(word, "pre:");
		else if (pre && piece_names(word, name))
			return true;
		at += word.len;
		at += strspn(at, blanks);
	}
	return false;
}

/* All options lines of module as the one string that the kernel gets (6.7). */
struct options {
	struct strbuf text;
	ARRAY_OF(struct origin {
		size_t end; /* in text */
		const struct modprobe_line *line;
	})
	origins;
};

static void options_done(struct options *o)
{
	strbuf_done(&o->text);
}

static int collect(struct arena *a, const struct modprobe *m, const char *module,
		   struct options *ret)
{
	array_foreach(it, &m->lines) {
		if (!is_keyword(it, "options") || !names(it, module))
			continue;
		strbuf_add(&ret->text, it->rest);
		strbuf_addc(&ret->text, ' ');
		if (array_push(a, &ret->origins, ((struct origin){ret->text.len, it})) < 0)
			return -ENOMEM;
	}
	return ret->text.error;
}

static const struct modprobe_line *origin_of(const struct options *o, size_t at)
{
	array_foreach(it, &o->origins)
		if (at < it->end)
			return it->line;
	return NULL;
}

/* The value that the kernel takes, which is the last; at NULL: none. */
static struct piece last_value(const struct options *o, const char *param, size_t *ret_at)
{
	const char *text = strbuf_text(&o->text);
	struct piece name, value, last = {0};
	struct token t;
	size_t pos = 0;

	while (token_next(text, &pos, &t)) {
		token_split(text + t.at, t.len, &name, &value);
		if (!value.at && piece_is(name, "--")) /* the kernel ignores what follows */
			break;
		if (!piece_names(name, param))
			continue;
		/* A switch without '=' is on: the kernel puts "1" for it. */
		last = value.at ? value : (struct piece){"1", 1};
		*ret_at = t.at;
	}
	return last;
}

const char *modprobe_option(struct arena *a, const struct modprobe *m, const char *module,
			    const char *param, const struct modprobe_line **ret_where)
{
	_cleanup_(options_done) struct options o = {0};
	struct piece value;
	const char *copy;
	size_t at = 0;

	if (collect(a, m, module, &o) < 0)
		return NULL;
	value = last_value(&o, param, &at);
	if (!value.at)
		return NULL;
	copy = arena_strndup(a, value.at, value.len);
	if (copy && ret_where)
		*ret_where = origin_of(&o, at);
	return copy;
}
