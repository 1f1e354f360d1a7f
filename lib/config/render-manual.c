/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key table as mdoc(7): the reference part of passthroughd.yaml(5). */
#include <string.h>

#include "schema.h"

#define WIDTH 78

/* One sentence as lines. A backslash, or a control character in front, would be an instruction. */
static void text(const char *s, struct strbuf *out)
{
	size_t column = 0;

	while (*s) {
		size_t n = strcspn(s, " ");

		if (column && column + 1 + n > WIDTH) {
			strbuf_addc(out, '\n');
			column = 0;
		} else if (column) {
			strbuf_addc(out, ' ');
			column++;
		}
		if (column == 0 && (*s == '.' || *s == '\''))
			strbuf_add(out, "\\&");
		for (size_t i = 0; i < n; i++)
			strbuf_addf(out, s[i] == '\\' ? "\\e" : "%c", s[i]);
		column += n;
		s += n + strspn(s + n, " ");
	}
	strbuf_addc(out, '\n');
}

static void example(const char *yaml, struct strbuf *out)
{
	strbuf_add(out, ".Bd -literal -offset indent\n");
	for (const char *end; *yaml; yaml = *end ? end + 1 : end) {
		end = yaml + strcspn(yaml, "\n");
		strbuf_addn(out, yaml, (size_t)(end - yaml));
		strbuf_addc(out, '\n');
	}
	strbuf_add(out, ".Ed\n");
}

static void list_words(const struct key *key, struct strbuf *out)
{
	const char *word;

	if (key->type != &type_class)
		return;
	strbuf_add(out, "The words are");
	for (unsigned i = 0; (word = pci_class_name_at(i)); i++)
		strbuf_addf(out, "\n.Cm %s%s", word, pci_class_name_at(i + 1) ? " ," : " .");
	strbuf_addc(out, '\n');
}

/* What is consented to, in the words of the refusal. */
static void list_codes(const struct key *key, struct strbuf *out)
{
	if (key->type != &type_accept)
		return;
	strbuf_add(out, ".Bl -tag -width management-nic -compact\n");
	for (int i = 0; i < _CODE_MAX; i++) {
		if (!code_acceptable((enum code)i))
			continue;
		strbuf_addf(out, ".It Cm %s\n", code_name((enum code)i));
		text(code_help((enum code)i), out);
	}
	strbuf_add(out, ".El\n");
}

static void item(const struct key *key, struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf takes = {0};

	strbuf_addf(out, ".It Cm %s\n", key->name);
	text(key->doc, out);
	strbuf_addf(&takes, "Takes %s.", key->type->takes);
	text(strbuf_text(&takes), out);
	if (takes.error)
		out->error = takes.error;
	list_words(key, out);
	if (key->fallback)
		strbuf_addf(out, "Default:\n.Cm %s .\n", key->fallback);
	else if (key->fallback_note)
		strbuf_addf(out, "Default: %s.\n", key->fallback_note);
	list_codes(key, out);
	example(key->example, out);
}

static void section(const struct section *s, struct strbuf *out)
{
	if (*s->path)
		strbuf_addf(out, ".Ss Below %s\n", s->path);
	else
		strbuf_add(out, ".Ss Top of the file\n");
	strbuf_add(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < s->n; i++)
		item(&s->keys[i], out);
	strbuf_add(out, ".El\n");
	for (size_t i = 0; i < s->n; i++) {
		if (s->keys[i].section)
			section(s->keys[i].section, out);
		else if (s->keys[i].map)
			section(s->keys[i].map->section, out);
	}
}

void config_render_manual(struct strbuf *out)
{
	section(&section_top, out);
}
