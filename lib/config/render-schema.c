/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The key table as JSON Schema (draft 2020-12) for editors. It is no stricter than the reader:
 * what it refuses is refused here too. Null is allowed everywhere, as it removes.
 */
#include "schema.h"

static void members(const struct section *section, unsigned indent, struct strbuf *out);

static void line(unsigned indent, const char *text, struct strbuf *out)
{
	write_indent(indent, out);
	strbuf_add(out, text);
	strbuf_addc(out, '\n');
}

static void map_members(const struct map *map, unsigned indent, struct strbuf *out)
{
	line(indent, "\"type\": [\"object\", \"null\"],", out);
	write_indent(indent, out);
	strbuf_addf(out, "\"propertyNames\": {\"pattern\": \"%s\"},\n", map->pattern);
	line(indent, "\"additionalProperties\": {", out);
	members(map->section, indent + 1, out);
	line(indent, "}", out);
}

static void describe(const struct key *key, unsigned indent, struct strbuf *out)
{
	write_indent(indent, out);
	strbuf_add(out, "\"description\": ");
	write_quoted(key->doc, out);
	strbuf_add(out, ",\n");
	if (!key->fallback)
		return;
	write_indent(indent, out);
	strbuf_add(out, "\"default\": ");
	if (key->type->bare)
		strbuf_add(out, key->fallback);
	else
		write_quoted(key->fallback, out);
	strbuf_add(out, ",\n");
}

static void property(const struct key *key, unsigned indent, struct strbuf *out)
{
	write_indent(indent, out);
	write_quoted(key->name, out);
	strbuf_add(out, ": {\n");
	describe(key, indent + 1, out);
	if (key->section) {
		members(key->section, indent + 1, out);
	} else if (key->map) {
		map_members(key->map, indent + 1, out);
	} else {
		write_indent(indent + 1, out);
		key->type->schema(key, out);
		strbuf_addc(out, '\n');
	}
	write_indent(indent, out);
	strbuf_addc(out, '}');
}

static void members(const struct section *section, unsigned indent, struct strbuf *out)
{
	line(indent, "\"type\": [\"object\", \"null\"],", out);
	line(indent, "\"additionalProperties\": false,", out);
	line(indent, "\"properties\": {", out);
	for (size_t i = 0; i < section->n; i++) {
		property(&section->keys[i], indent + 1, out);
		strbuf_add(out, i + 1 < section->n ? ",\n" : "\n");
	}
	line(indent, "}", out);
}

void config_render_schema(struct strbuf *out)
{
	line(0, "{", out);
	line(1, "\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",", out);
	line(1, "\"title\": \"passthroughd.yaml\",", out);
	line(1, "\"description\": \"PCI devices that this host hands to virtual machines.\",", out);
	members(&section_top, 1, out);
	line(0, "}", out);
}
