/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The canonical text: a spec as one YAML file, every default written out, in the table's order. */
#include "schema.h"

void write_indent(unsigned indent, struct strbuf *out)
{
	while (indent--)
		strbuf_add(out, "  ");
}

/* Every text in a spec is printable ASCII, so only these two need escaping. */
void write_quoted(const char *text, struct strbuf *out)
{
	strbuf_addc(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			strbuf_addc(out, '\\');
		strbuf_addc(out, *text);
	}
	strbuf_addc(out, '"');
}

void write_section(const struct section *section, const void *object, unsigned indent,
		   struct strbuf *out)
{
	bool empty = true;

	for (size_t i = 0; i < section->n; i++) {
		const struct key *key = &section->keys[i];
		const void *field = (const char *)object + key->offset;

		if (key->not_merged || (key->type->given && !key->type->given(field)))
			continue;
		empty = false;
		write_indent(indent, out);
		strbuf_add(out, key->name);
		strbuf_addc(out, ':');
		if (key->section) {
			strbuf_addc(out, '\n');
			write_section(key->section, object, indent + 1, out);
		} else {
			key->type->write(key, field, indent, out);
		}
	}
	/* A name without a body would be a removal (note 10). */
	if (empty && indent) {
		write_indent(indent, out);
		strbuf_add(out, "{}\n");
	}
}
