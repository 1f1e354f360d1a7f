/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is not the YAML that we read, what is too large, and where exactly. */
#include "config-load.h"

static const struct {
	const char *yaml;
	size_t size; /* 0: up to the NUL */
	const char *expected;
} broken[] = {
	/* the grammar */
	{"devices: {a: {serial: x}\nmode: enforce\n", 0, "2:1 syntax\n"},
	{"devices: {\n", 0, "1:10 syntax\n"},
	{"devices:\n  a: {serial: x}\n b: {}\n", 0, "3:2 syntax\n"},
	{"devices:\n\ta: {serial: x}\n", 0, "2:1 syntax\n"},
	{"mode: 'enforce\n", 0, "1:7 syntax\n"},
	{"mode: \"\\q\"\n", 0, "1:8 syntax\n"},
	{"mode: @x\n", 0, "1:7 syntax\n"},
	{"mode: a: b\n", 0, "1:7 bad-value\n1:8 syntax\n"},
	{"{a", 0, "1:1 syntax\n1:2 unknown-key\n"},
	{"%FOO\n", 0, "1:1 syntax\n"},
	{"%YAML 3.0\n---\n", 0, "1:1 syntax\n"},
	/* what YAML has and a spec has not */
	{"mode: &a enforce\n", 0, "1:7 syntax\n"},
	{"devices: &a {}\n", 0, "1:10 syntax\n"},
	{"blacklist: &a [x]\nkernel-flags: *a\n", 0, "1:12 syntax\n2:15 syntax\n"},
	{"match: {hostname: *.lab}\n", 0, "1:19 syntax\n"},
	{"mode: !!str enforce\n", 0, "1:7 syntax\n"},
	{"mode: ! enforce\n", 0, "1:7 syntax\n"},
	{"!x {}\n", 0, "1:1 syntax\n"},
	{"!x mode: enforce\n", 0, "1:1 syntax\n"},
	{"devices: !!map {}\nblacklist: !!seq []\n", 0, "1:10 syntax\n2:12 syntax\n"},
	{"%TAG ! tag:x,2000:\n---\nmode: enforce\n", 0, "1:1 syntax\n"},
	{"mode: enforce\n---\nmode: observe\n", 0, "2:1 syntax\n"},
	{"mode: enforce\n...\nmode: observe\n", 0, "3:1 syntax\n"},
	{"--- {}\n--- {}\n--- {}\n", 0, "2:1 syntax\n"},
	{"mode: \"a\\0b\"\n", 0, "1:7 syntax\n"},
	/* no text at all */
	{"mode: a\0b\n", 10, "1:7 bad-value\n1:8 syntax\n"},
	{"\0", 1, "1:1 syntax\n"},
	{"mode: \x07\n", 0, "1:7 syntax\n"},
	{"mode: \x7f\n", 0, "1:7 syntax\n"},
	{"# \xff\n", 0, "1:3 syntax\n"},
	{"\xff\xfe", 0, "1:1 syntax\n"},
	{"\xfe\xff\0m", 4, "1:1 syntax\n"},
	{"# \xc0\x80\n", 0, "1:3 syntax\n"},		      /* overlong */
	{"# \xe0\x80\x80\n", 0, "1:3 syntax\n"},	      /* overlong */
	{"# \xed\xa0\x80\n", 0, "1:3 syntax\n"},	      /* surrogate */
	{"# \xf4\x90\x80\x80\n", 0, "1:3 syntax\n"},	      /* beyond Unicode */
	{"# \xe2\x82", 0, "1:3 syntax\n"},		      /* cut */
	{"# \xe2\x82\xac \xef\xbf\xbf\n", 0, "1:5 syntax\n"}, /* U+FFFF */
	{"# a\xef\xbb\xbf\n", 0, "1:4 syntax\n"},	      /* a mark in the middle */
	/* columns are characters, lines are those of an editor */
	{"devices: {\xc3\xbc: {}, x: {}}\nmdoe: x\n", 0,
	 "1:11 bad-value\n1:18 bad-value\n2:1 unknown-key\n"},
	{"# \xf0\x9f\x90\xa7\r\nmode: \"\xe2\x82\xac\" x\r\n", 0, "2:7 bad-value\n2:11 syntax\n"},
	{"\xef\xbb\xbfmdoe: x\n", 0, "1:1 unknown-key\n"},
	{"mode:\tx\n", 0, "1:7 bad-value\n"},
	/* what stands before the break is told as well */
	{"mdoe: x\ndevices: {\n", 0, "1:1 unknown-key\n2:10 syntax\n"},
	{"devices:\n  a: {serial: '*'}\n  b: {}\nblacklist: [x\n", 0,
	 "2:15 bad-value\n4:12 syntax\n"},
	{"mdoe: x\nmode: \xff\n", 0, "1:1 unknown-key\n2:7 syntax\n"},
	{"mode: enforce\nmode: observe\n--- {}\n", 0, "2:1 duplicate-key\n3:1 syntax\n"},
};

static void what_is_broken_has_a_place(void **state _unused_)
{
	unsigned bad = 0;

	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		_cleanup_loaded_ struct loaded l;
		struct config_input input = {"a", broken[i].yaml, broken[i].size};

		if (!input.size)
			input.size = strlen(input.bytes);
		load_inputs(&input, 1, NULL, &l);
		assert_null(l.spec);
		bad += differs(broken[i].yaml, strbuf_text(&l.text), broken[i].expected);
	}
	assert_int_equal(bad, 0);
}

static const struct {
	const char *yaml, *says;
} hints[] = {
	{"devices:\n\ta: {}\n", "blanks only"},
	{"match:\n  hostname: *.lab\n", "in quotes"},
	{"match: {hostname: *lab}\n", "in quotes"},
	{"mode: @x\n", "in quotes"},
	{"a: b\n--- {}\n", "second document"},
	{"devices: {\n\n\n", "this { is not closed"},
	{"devices: {a: b,\nc: {}\nmode: x\n", "begins in line 1"},
	{"mode: \xff", "byte 0xff is not UTF-8"},
	{"\xff\xfe", "UTF-16"},
	{"mode: \x07", "U+0007"},
};

static void hints_name_the_usual_slip(void **state _unused_)
{
	unsigned bad = 0;

	for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
		_cleanup_strbuf_ struct strbuf all = {0};
		_cleanup_loaded_ struct loaded l;

		load_text(hints[i].yaml, &l);
		diags_render(&l.diags, false, &all);
		bad += lacks(hints[i].yaml, strbuf_text(&all), hints[i].says);
	}
	assert_int_equal(bad, 0);
}

/* The line for the caret is text, is cut, and never holds what would confuse a terminal. */
static void the_source_line_is_shown(void **state _unused_)
{
	static const struct {
		const char *yaml, *source;
	} rows[] = {
		{"# x\n  mdoe: 1\n# y\n", "  mdoe: 1"},
		{"mdoe: 1\r\n", "mdoe: 1"},
		{"mode: \xff\xfe\n", "mode: "},
		{"mdoe: a\xe2\x80\xa8"
		 "b\n",
		 "mdoe: a\xe2\x80\xa8"},
	};
	_cleanup_strbuf_ struct strbuf text = {0};
	_cleanup_loaded_ struct loaded far = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_loaded_ struct loaded l;

		load_text(rows[i].yaml, &l);
		assert_string_equal(l.diags.list.at[0].source, rows[i].source);
	}
	strbuf_add(&text, "{");
	for (int i = 0; i < 300; i++)
		strbuf_add(&text, " ");
	strbuf_add(&text, "mdoe: 1}");
	load_text(strbuf_text(&text), &far);
	assert_int_equal(far.diags.list.at[0].place.column, 302);
	assert_null(far.diags.list.at[0].source);
}

static void a_long_value_is_shown_in_part(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	_cleanup_loaded_ struct loaded l = {0};
	const char *shown;

	strbuf_add(&text, "mode: x");
	for (int i = 0; i < 100; i++)
		strbuf_add(&text, "\xe2\x82\xac");
	load_text(strbuf_text(&text), &l);
	shown = strstr(message(&l, 0), "\"x\xe2");
	assert_non_null(shown);
	/* Whole characters, then dots. */
	shown += 2;
	while (strncmp(shown, "\xe2\x82\xac", 3) == 0)
		shown += 3;
	assert_string_equal(shown, "...\"");
}

static void repeat(struct strbuf *out, const char *text, size_t n)
{
	while (n--)
		strbuf_add(out, text);
	assert_int_equal(out->error, 0);
}

static void the_size_is_limited(void **state _unused_)
{
	struct config_input input = {"a", NULL, 100u << 20};
	_cleanup_loaded_ struct loaded huge = {0}, one_more = {0}, just = {0};
	_cleanup_strbuf_ struct strbuf text = {0};

	/* Not looked into: there is nothing to look at. */
	load_inputs(&input, 1, NULL, &huge);
	assert_string_equal(strbuf_text(&huge.text), "0:0 too-large\n");
	repeat(&text, "# 0123456789abc\n", SPEC_FILE_MAX / 16 + 1);
	input = (struct config_input){"a", text.text, SPEC_FILE_MAX + 1};
	load_inputs(&input, 1, NULL, &one_more);
	assert_string_equal(strbuf_text(&one_more.text), "0:0 too-large\n");
	input.size = SPEC_FILE_MAX;
	load_inputs(&input, 1, NULL, &just);
	assert_non_null(just.spec);
}

static void the_depth_is_limited(void **state _unused_)
{
	static const struct {
		const char *open;
		size_t n;
		const char *expected;
	} rows[] = {
		{"[", 10000, "1:33 too-large\n"},
		{"{a: ", 10000, "1:1 unknown-key\n1:129 too-large\n"},
		{"- ", 10000, "1:65 too-large\n"},
		{"? ", 10000, "1:1 type-mismatch\n1:65 too-large\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf text = {0};
		_cleanup_loaded_ struct loaded l;

		repeat(&text, rows[i].open, rows[i].n);
		load_text(strbuf_text(&text), &l);
		/* Of the keys that are no words only the outermost matters here. */
		assert_non_null(strstr(strbuf_text(&l.text), "too-large\n"));
		if (i < 2)
			continue;
		assert_null(l.spec);
	}
}

/* Many of anything: an answer, soon, and not a flood of messages. */
static void many_of_anything_are_survived(void **state _unused_)
{
	static const struct {
		const char *before, *item, *after; /* # in an item: its number */
		size_t n;
		size_t diags; /* 0: a spec */
	} rows[] = {
		{"blacklist: [", "a,", "]", 250000, 0},
		{"blacklist: [", "a,", "]", 300000, 1}, /* too many nodes */
		{"blacklist: [", "#,", "]", 90000, 0},
		{"blacklist: [", "#,", "]", 150000, 1}, /* the whole cannot be written */
		{"blacklist: [", "*,", "]", 1000, 1},
		{"blacklist: [", "'*',", "]", 1000, 101},
		{"{", "k#: 1,", "}", 90000, 101},
		{"{", "mode: enforce,", "}", 50000, 101},
		{"devices: {", "d#: {serial: x}, ", "}", 5000, 0},
		{"devices: {", "d#: {}, ", "}", 5000, 101},
		{"vms: {a: {devices: {", "d#: {},", "}}}", 40000, 101},
		{"module-options: {m: {", "p#: 1,", "}}", 40000, 0},
		{"devices: {", "d#: , ", "}", 1000, 1000}, /* warnings */
		{"", "\n", "", 1000000, 0},
		{"#", "\xe2\x82\xac", "", 300000, 0},
		{"mode: '", "x", "'", 1000000, 1},
		{"mode: >\n", " x\n", "", 300000, 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf text = {0};
		_cleanup_loaded_ struct loaded l;

		strbuf_add(&text, rows[i].before);
		for (size_t j = 0; j < rows[i].n; j++) {
			const char *item = rows[i].item;
			size_t n = strcspn(item, "#");

			strbuf_addn(&text, item, n);
			if (item[n])
				strbuf_addf(&text, "%zx%s", j, item + n + 1);
		}
		strbuf_add(&text, rows[i].after);
		load_text(strbuf_text(&text), &l);
		if (l.diags.list.n != rows[i].diags)
			fail_msg("row %zu: %zu diagnostics, first: %s", i, l.diags.list.n,
				 l.diags.list.n ? message(&l, 0) : "none");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_broken_has_a_place),
		cmocka_unit_test(hints_name_the_usual_slip),
		cmocka_unit_test(the_source_line_is_shown),
		cmocka_unit_test(a_long_value_is_shown_in_part),
		cmocka_unit_test(the_size_is_limited),
		cmocka_unit_test(the_depth_is_limited),
		cmocka_unit_test(many_of_anything_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
