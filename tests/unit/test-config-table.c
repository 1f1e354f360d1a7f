/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of keys: complete rows, and what is rendered from it. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>

#include "config-load.h"
#include "schema.h"

/* Calls visit for every key, in whatever section. */
static void each_key(const struct section *section,
		     void (*visit)(const struct section *, const struct key *))
{
	for (size_t i = 0; i < section->n; i++) {
		const struct key *key = &section->keys[i];

		visit(section, key);
		if (key->section)
			each_key(key->section, visit);
		if (key->map)
			each_key(key->map->section, visit);
	}
}

static void check_row(const struct section *section, const struct key *key)
{
	size_t n = strlen(key->name);

	assert_true(n > 0 && key->name[strspn(key->name, "abcdefghijklmnopqrstuvwxyz-")] == '\0');
	assert_non_null(key->type->read);
	assert_true(key->type->takes[0]);
	assert_true(isupper((unsigned char)key->doc[0]));
	assert_int_equal(key->doc[strlen(key->doc) - 1], '.');
	assert_null(strstr(key->doc, ". "));
	assert_true(strncmp(key->example, key->name, n) == 0 && key->example[n] == ':');
	if (!key->section && !key->map)
		assert_non_null(key->type->schema);
	if (!key->section && !key->not_merged && strncmp(section->path, "match", 5) != 0)
		assert_non_null(key->type->write);
}

static void every_row_is_complete(void **state _unused_)
{
	each_key(&section_top, check_row);
}

/* Puts lines below a section's path: "vms.NAME.devices.NAME", each level indented. */
static void place_lines(const char *path, const char *lines, struct strbuf *out)
{
	unsigned depth = 0;

	while (*path) {
		size_t n = strcspn(path, ".");

		write_indent(depth++, out);
		if (strncmp(path, "NAME", n) == 0)
			strbuf_add(out, "\"100\"");
		else
			strbuf_addn(out, path, n);
		strbuf_add(out, ":\n");
		path += n + (path[n] == '.');
	}
	while (*lines) {
		size_t n = strcspn(lines, "\n");

		write_indent(depth, out);
		strbuf_addn(out, lines, n);
		strbuf_addc(out, '\n');
		lines += n + (lines[n] == '\n');
	}
}

/* What makes a spec of the lines: devices that can be named, and a selector. */
static const char ground[] = "devices: {gpu: {serial: x}, \"100\": {serial: x}}\n";

static void load_placed(const char *path, const char *lines, struct loaded *ret)
{
	_cleanup_strbuf_ struct strbuf yaml = {0};
	const char *files[] = {ground, NULL, NULL};

	place_lines(path, lines, &yaml);
	files[1] = strbuf_text(&yaml);
	load_files(files, NULL, ret);
	if (!ret->spec)
		fail_msg("%s\n%s", files[1], message(ret, 0));
}

static void check_example(const struct section *section, const struct key *key)
{
	_cleanup_loaded_ struct loaded l = {0};

	load_placed(section->path, key->example, &l);
	assert_int_equal(l.diags.list.n, 0);
}

static void every_example_loads(void **state _unused_)
{
	each_key(&section_top, check_example);
}

/* Saying a default changes nothing. */
static void check_default(const struct section *section, const struct key *key)
{
	_cleanup_loaded_ struct loaded said = {0}, left_out = {0};
	_cleanup_strbuf_ struct strbuf line = {0};

	if (!key->fallback)
		return;
	strbuf_addf(&line, "%s: %s", key->name, key->fallback);
	load_placed(section->path, strbuf_text(&line), &said);
	load_placed(section->path, "{}", &left_out);
	assert_string_equal(outcome(&said), outcome(&left_out));
}

static void every_default_is_what_happens(void **state _unused_)
{
	each_key(&section_top, check_default);
}

static struct node *parse(struct arena *a, const char *text)
{
	struct config_input input = {"schema", text, strlen(text)};
	struct diags diags = {.arena = a};
	struct source source;
	struct node *root = NULL;

	assert_int_equal(source_open(a, &input, &diags, &source), 0);
	/* The source outlives the call only for its nodes' places, which nobody asks for. */
	assert_int_equal(tree_read(a, &source, &diags, &root), 0);
	if (diags.list.n)
		fail_msg("%u:%u %s", diags.list.at[0].place.line, diags.list.at[0].place.column,
			 diags.list.at[0].message);
	return root;
}

static void check_section(const struct node *node, const struct section *section)
{
	const struct node *properties = tree_get(node, "properties");

	assert_non_null(properties);
	assert_int_equal(properties->entries.n, section->n);
	assert_string_equal(tree_get(node, "additionalProperties")->text, "false");
	for (size_t i = 0; i < section->n; i++) {
		const struct key *key = &section->keys[i];
		const struct node *property = tree_get(properties, key->name);

		assert_string_equal(tree_get(property, "description")->text, key->doc);
		assert_int_equal(tree_get(property, "default") != NULL, key->fallback != NULL);
		if (key->section)
			check_section(property, key->section);
		if (key->map)
			check_section(tree_get(property, "additionalProperties"),
				      key->map->section);
	}
}

/* JSON is YAML, so the reader of trees reads the schema as well. */
static void the_schema_has_every_key(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf text = {0};

	config_render_schema(&text);
	check_section(parse(a, strbuf_text(&text)), &section_top);
}

static struct strbuf manual;

static void check_manual(const struct section *section _unused_, const struct key *key)
{
	_cleanup_strbuf_ struct strbuf item = {0};

	strbuf_addf(&item, ".It Cm %s\n", key->name);
	assert_non_null(strstr(strbuf_text(&manual), strbuf_text(&item)));
}

static void the_manual_has_every_key(void **state _unused_)
{
	config_render_manual(&manual);
	each_key(&section_top, check_manual);
	strbuf_done(&manual);
}

/* libFuzzer: a line is "..." with \\, \" and \xAB. */
static void the_dictionary_is_one(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	unsigned lines = 0;

	config_render_dictionary(&text);
	for (const char *p = strbuf_text(&text); *p; lines++) {
		assert_int_equal(*p++, '"');
		for (; *p != '"'; p++) {
			assert_true((unsigned char)*p >= 0x20 || *p == '\t');
			if (*p != '\\')
				continue;
			p++;
			assert_true(*p == '\\' || *p == '"' ||
				    (*p == 'x' && isxdigit(p[1]) && isxdigit(p[2])));
		}
		assert_int_equal(p[1], '\n');
		p += 2;
	}
	assert_true(lines > 100);
}

/* What we hand out as examples is right, down to warnings. */
static void the_examples_load(void **state _unused_)
{
	static const char dir[] = TEST_DIR "/../conf/examples";
	DIR *d = opendir(dir);
	struct dirent *e;
	unsigned n = 0;

	assert_non_null(d);
	while ((e = readdir(d))) {
		_cleanup_loaded_ struct loaded l = {0};
		char path[512], text[8192];
		FILE *f;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		f = fopen(path, "re");
		assert_non_null(f);
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		fclose(f);
		load_text(text, &l);
		if (l.diags.list.n)
			fail_msg("%s: %s", path, message(&l, 0));
		assert_true(l.spec->devices.n > 0);
		n++;
	}
	closedir(d);
	assert_true(n >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_complete),
		cmocka_unit_test(every_example_loads),
		cmocka_unit_test(every_default_is_what_happens),
		cmocka_unit_test(the_schema_has_every_key),
		cmocka_unit_test(the_manual_has_every_key),
		cmocka_unit_test(the_dictionary_is_one),
		cmocka_unit_test(the_examples_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
