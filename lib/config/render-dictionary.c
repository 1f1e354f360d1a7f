/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key table as words for a fuzzer: keys, examples, choices, and YAML's own signs. */
#include "schema.h"

static void word(const char *text, const char *suffix, struct strbuf *out)
{
	strbuf_addc(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			strbuf_addc(out, '\\');
		strbuf_addf(out, *text == '\n' ? "\\x0a" : "%c", *text);
	}
	strbuf_add(out, suffix);
	strbuf_add(out, "\"\n");
}

static void section(const struct section *s, struct strbuf *out)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct key *key = &s->keys[i];

		word(key->name, ": ", out);
		word(key->example, "\\x0a", out);
		for (int v = key->type->first; key->type->word && key->type->word(v); v++)
			word(key->type->word(v), "", out);
		if (key->section)
			section(key->section, out);
		else if (key->map)
			section(key->map->section, out);
	}
}

void config_render_dictionary(struct strbuf *out)
{
	static const char *const signs[] = {
		"null", "~",  "true",  "false", "all",	 "- ",	     "? ", "---\n", "...\n",
		"&a ",	"*a", "!!str", "!<",	"<<: ",	 "{",	     "}",  "[",	    "]",
		"\"",	"| ", "> ",    "# ",	"%YAML", "\n%%%%\n", "\t",
	};

	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		word(signs[i], "", out);
	for (int i = 0; i < _CODE_MAX; i++)
		if (code_acceptable((enum code)i))
			word(code_name((enum code)i), "", out);
	section(&section_top, out);
}
