/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unified diffs: records, and what patch(1) makes of them where it is present. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "diff.h"
#include "root.h"

#define HEAD "--- a/etc/x\n+++ b/etc/x\n"

static void records(void **state _unused_)
{
	static const struct {
		const char *before, *after, *diff;
	} table[] = {
		{"", "", ""},
		{"a\nb\n", "a\nb\n", ""},
		{NULL, "a\n", "--- /dev/null\n+++ b/etc/x\n@@ -0,0 +1 @@\n+a\n"},
		{"a\nb\n", NULL, "--- a/etc/x\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n"},
		{NULL, "", ""},
		{NULL, NULL, ""},
		{"", "a\n", HEAD "@@ -0,0 +1 @@\n+a\n"},
		{"a\n", "b\n", HEAD "@@ -1 +1 @@\n-a\n+b\n"},
		{"a\nb\n", "b\n", HEAD "@@ -1,2 +1 @@\n-a\n b\n"},
		{"b\n", "a\nb\n", HEAD "@@ -1 +1,2 @@\n+a\n b\n"},
		{"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n",
		 HEAD "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n"},
		/* six lines between two changes: one hunk; seven: two */
		{"a\n1\n2\n3\n4\n5\n6\nb\n", "1\n2\n3\n4\n5\n6\n",
		 HEAD "@@ -1,8 +1,6 @@\n-a\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n"},
		{"a\n1\n2\n3\n4\n5\n6\n7\nb\n", "1\n2\n3\n4\n5\n6\n7\n",
		 HEAD "@@ -1,4 +1,3 @@\n-a\n 1\n 2\n 3\n@@ -6,4 +5,3 @@\n 5\n 6\n 7\n-b\n"},
		/* last newline */
		{"a", "a\n", HEAD "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"},
		{"x\na", "x\nb",
		 HEAD "@@ -1,2 +1,2 @@\n x\n-a\n\\ No newline at end of file\n"
		      "+b\n\\ No newline at end of file\n"},
		{"x\na", "y\na",
		 HEAD "@@ -1,2 +1,2 @@\n-x\n+y\n a\n\\ No newline at end of file\n"},
		/* what a terminal would obey, and what is no UTF-8 */
		{"", "\x1b[31m\r\ta\x7f\n", HEAD "@@ -0,0 +1 @@\n+\\x1b[31m\\x0d\ta\\x7f\n"},
		{"", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\n",
		 HEAD "@@ -0,0 +1 @@\n+\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\n"},
		{"", "\xe4\xc2\x9b\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82\n",
		 HEAD "@@ -0,0 +1 @@\n+\\xe4\\xc2\\x9b\\xc0\\xaf\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80"
		      "\\xe2\\x82\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		_cleanup_strbuf_ struct strbuf out = {0};
		const char *before = table[i].before, *after = table[i].after;

		diff_unified(&out, "/etc/x", before, before ? strlen(before) : 0, after,
			     after ? strlen(after) : 0);
		assert_int_equal(out.error, 0);
		assert_string_equal(strbuf_text(&out), table[i].diff);
	}
}

static void shows_zero_bytes_and_odd_names(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf out = {0};

	diff_unified(&out, "a b\n", "", 0, "x\0y\n", 4);
	assert_string_equal(strbuf_text(&out),
			    "--- a/a b\\x0a\t\n+++ b/a b\\x0a\t\n@@ -0,0 +1 @@\n+x\\x00y\n");
}

/* A reproducible sequence; no test depends on its quality. */
static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16 & 0x7fff;
}

static void random_text(struct strbuf *out, unsigned *seed, unsigned lines, unsigned alphabet)
{
	for (unsigned i = 0; i < lines; i++)
		strbuf_addf(out, "line %u\n", next_random(seed) % alphabet);
	if (out->len && next_random(seed) % 4 == 0)
		out->text[--out->len] = '\0';
}

static void write_file(const char *dir, const char *name, const struct strbuf *text)
{
	_cleanup_strbuf_ struct strbuf path = {0};
	FILE *f;

	strbuf_addf(&path, "%s/%s", dir, name);
	f = fopen(strbuf_text(&path), "we");
	assert_non_null(f);
	assert_int_equal(fwrite(strbuf_text(text), 1, text->len, f), text->len);
	assert_int_equal(fclose(f), 0);
}

static void check_with_patch(const char *dir, const struct strbuf *before,
			     const struct strbuf *after)
{
	_cleanup_strbuf_ struct strbuf diff = {0}, command = {0};

	diff_unified(&diff, "x", strbuf_text(before), before->len, strbuf_text(after), after->len);
	assert_int_equal(diff.error, 0);
	write_file(dir, "x", before);
	write_file(dir, "want", after);
	write_file(dir, "diff", &diff);
	strbuf_addf(&command,
		    "cd %s && if [ -s diff ]; then patch -s -F0 -p1 <diff; fi && cmp x want", dir);
	assert_int_equal(system(strbuf_text(&command)), 0);
}

static void patch_takes_them(void **state _unused_)
{
	static const struct {
		unsigned before, after, alphabet;
	} sizes[] = {{0, 5, 3},	    {5, 0, 3},		{8, 8, 3},	 {20, 25, 4},
		     {40, 40, 30},  {100, 90, 2},	{300, 310, 150}, {2000, 2000, 50},
		     {1500, 4, 10}, {3000, 3000, 30000}};
	char dir[] = "/tmp/test-diff-XXXXXX";
	unsigned seed = 1;

	if (system("patch --version >/dev/null 2>&1") != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	for (unsigned i = 0; i < 4 * ARRAY_LEN(sizes); i++) {
		_cleanup_strbuf_ struct strbuf before = {0}, after = {0};
		unsigned k = i % ARRAY_LEN(sizes);

		random_text(&before, &seed, sizes[k].before, sizes[k].alphabet);
		random_text(&after, &seed, sizes[k].after, sizes[k].alphabet);
		check_with_patch(dir, &before, &after);
	}
	{
		_cleanup_strbuf_ struct strbuf command = {0};

		strbuf_addf(&command, "rm -r %s", dir);
		assert_int_equal(system(strbuf_text(&command)), 0);
	}
}

/* Few changes in a long text make few lines of diff. */
static void is_short_where_changes_are_few(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf before = {0}, after = {0}, diff = {0};
	unsigned marks = 0;

	for (unsigned i = 0; i < 5000; i++) {
		strbuf_addf(&before, "line %u\n", i);
		if (i % 1000 != 500)
			strbuf_addf(&after, "line %u\n", i);
		if (i % 1000 == 700)
			strbuf_addf(&after, "new %u\n", i);
	}
	diff_unified(&diff, "x", before.text, before.len, after.text, after.len);
	for (const char *c = diff.text; (c = strchr(c, '\n')); c++)
		marks += c[1] == '+' || c[1] == '-';
	assert_int_equal(marks, 10 + 1); /* and the name of the new file */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records),
		cmocka_unit_test(shows_zero_bytes_and_odd_names),
		cmocka_unit_test(patch_takes_them),
		cmocka_unit_test(is_short_where_changes_are_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
