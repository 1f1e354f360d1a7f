/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /etc/default/grub: values beside the real shell's, and edits that can be taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "grub-defaults.h"
#include "kcmdline.h"
#include "strbuf.h"

#define X "GRUB_CMDLINE_LINUX_DEFAULT"

enum outcome { CERTAIN, UNCERTAIN, BAD };

static const struct row {
	enum outcome outcome;
	const char *text, *value; /* value: of X; or the place and reason */
} rows[] = {
	{CERTAIN, "", ""},
	{CERTAIN, "# comment \" '\n\n", ""},
	{CERTAIN, X "=\"quiet splash\"\n", "quiet splash"},
	{CERTAIN, X "='quiet splash'\n", "quiet splash"},
	{CERTAIN, X "=quiet", "quiet"},
	{CERTAIN, X "=\n", ""},
	{CERTAIN, "  \t" X "=a # b\n", "a"},
	{CERTAIN, X "=a#b\n", "a#b"},
	{CERTAIN, X "=a;" X "=b\n", "b"},
	{CERTAIN, X "=a Y=2 " X "=b\n", "b"},
	{CERTAIN, X "='a'\"b\"c\\ d\n", "abc d"},
	{CERTAIN, X "=a\\\nb\n", "ab"},
	{CERTAIN, X "=\"a\\\nb\"\n", "ab"},
	{CERTAIN, X "='a\\\nb'\n", "a\\\nb"},
	{CERTAIN, X "=\"a\nb\"\n", "a\nb"},
	{CERTAIN, X "=\"a\\$b \\`c \\\"d \\\\e \\f\"\n", "a$b `c \"d \\e \\f"},
	{CERTAIN, X "=\"a$ b\"\n", "a$ b"},
	{CERTAIN, X "=a\\", "a\\"},
	{CERTAIN, X "=\"a\"\r\n", "a\r"},
	{CERTAIN, X "=a\xc3\xa4\x81\xff\n", "a\xc3\xa4\x81\xff"},
	{CERTAIN, "export " X "=a\n", "a"},
	{CERTAIN, "export " X "='a b' Y=c\n", "a b"},
	{CERTAIN, "export \"" X "=a b\"\n", "a b"},
	{CERTAIN, X "=a\nexport " X "\n", "a"},
	{CERTAIN, X "=a\nunset " X "\n", ""},
	{CERTAIN, X "=a\n" X "=\"$" X " b\"\n", "a b"},
	{CERTAIN, X "=\"${" X "} b\"\n", " b"},
	{CERTAIN, "GRUB_CMDLINE_LINUX=c\n" X "=$GRUB_CMDLINE_LINUX\n", "c"},
	{CERTAIN, "A=1\nB=\"$A 2\"\n" X "=\"$B 3\"\n", "1 2 3"},
	{CERTAIN, X "=a\n" X "=\"${" X ":+$" X " }\\$tuned_params\"\n", "a $tuned_params"},
	{CERTAIN, X "=\"${" X ":+$" X " }b\"\n", "b"},
	{CERTAIN, X "=\"${" X ":-b c}\"\n", "b c"},
	{CERTAIN, X "=\n" X "=\"${" X "-b}${" X ":-c}${" X "+d}${" X ":+e}\"\n", "cd"},
	{CERTAIN, X "=a\n" X "=${" X ":-\"b c\"}d\n", "ad"},
	/* other variables may be as odd as they like */
	{CERTAIN, "GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`\n" X "=q\n",
	 "q"},
	{CERTAIN,
	 "GRUB_DISTRIBUTOR=`( . /etc/os-release; echo ${NAME:-Debian} ) 2>/dev/null || echo "
	 "Debian`\n" X "=q\n",
	 "q"},
	{CERTAIN, "A=$(case x in x) echo ')';; esac; cat <<E\n)\nE\n)\n" X "=q\n", "q"},
	{CERTAIN, "A=\"$(echo \"a'b\")\" B=$((1 + (2)))\n" X "=q\n", "q"},
	{CERTAIN, "if [ \"$Z\" = \"\" ]; then\n  A=1\nelif x; then B=2; else C=3\nfi\n" X "=q\n",
	 "q"},
	{CERTAIN, X "=q\nif [ -z \"$A\" ]; then echo \"" X "=no\"; A=$(printf \"%s\" x); fi\n",
	 "q"},
	{CERTAIN, X "=q\nfor i in a b; do A=$i; done; while false; do A=1; done\n", "q"},
	{CERTAIN, X "=q\ncase $A in (a|b) B=1;; *) B=2; esac\n", "q"},
	{CERTAIN, X "=q\nf() { " X "=no; }\n", "q"},
	{CERTAIN, X "=q\n( " X "=no )\n", "q"},
	{CERTAIN, X "=q\n" X "=no &\n", "q"},
	{CERTAIN, X "=q\n" X "=no env\n", "q"},
	{CERTAIN, X "=q\necho " X "=no $" X "\n", "q"},
	{CERTAIN, X "=q\nA=$(" X "=no)\n", "q"},
	{CERTAIN, X "=q\ncat <<EOF >/dev/null\n" X "=no\nEOF\n", "q"},
	{CERTAIN, X "=q\ncat <<-'EOF' >/dev/null\n" X "=$(no\n\tEOF\n", "q"},
	{CERTAIN, "{ " X "=a; }\n", "a"},
	{CERTAIN, "! " X "=a\n", "a"},
	{CERTAIN, X "=a && A=b\n", "a"},
	{CERTAIN, "echo }; echo if; A=if; " X "=a\n", "a"},
	{CERTAIN, "if false; then " X "=a; fi\n" X "=b\n", "b"},
	{CERTAIN, "unset A; A=b;: ${C:=d} ; " X "=$A\n", "b"},
	{CERTAIN, X "=a\nread B </dev/null\nprintf 'x%s' y\n", "a"},
	{CERTAIN, "A=`x; } '`\n" X "=q\n", "q"}, /* dash does not look behind the } */
	/* said, never guessed */
	{UNCERTAIN, X "=$(cat x)\n", "f:1: the output of a command"},
	{UNCERTAIN, "\n" X "=\"a `b` c\"\n", "f:2: the output of a command"},
	{UNCERTAIN, X "=$((1+1))\n", "f:1: arithmetic"},
	{UNCERTAIN, X "=\"a $FOO\"\n", "f:1: $FOO is not set here"},
	{UNCERTAIN, X "=$1\n", "f:1: a positional or special parameter"},
	{UNCERTAIN, X "=${1:-a}\n", "f:1: a positional or special parameter"},
	{UNCERTAIN, X "=~/a\n", "f:1: a home directory"},
	{UNCERTAIN, X "=a:~\n", "f:1: a home directory"},
	{UNCERTAIN, X "=$'a'\n", "f:1: $ before a quote"},
	{UNCERTAIN, X "=a\n" X "=\"${" X "%a}\"\n", "f:2: an expansion that assigns or cuts"},
	{UNCERTAIN, X "=a\n" X "=\"${" X "//a/b}\"\n", "f:2: an expansion of its own kind"},
	{UNCERTAIN, "A=$(x)\nB=$A\n" X "=\"a $B\"\n", "f:1: the output of a command"},
	{UNCERTAIN, X "=a\n[ -f x ] && " X "=b\n", "f:2: it depends on a condition"},
	{UNCERTAIN, X "=a\nif x; then\n" X "=b\nfi\n", "f:3: it depends on a condition"},
	{UNCERTAIN, X "=a\nif x; then unset " X "; fi\n", "f:2: it depends on a condition"},
	{UNCERTAIN, X "=a\nwhile x; do export " X "=b; done\n", "f:2: it depends on a condition"},
	{UNCERTAIN, X "=a\ncase a in a) " X "=b;; esac\n", "f:2: it depends on a condition"},
	{UNCERTAIN, X "=a\nfor " X " in b; do :; done\n", "f:2: a loop"},
	{UNCERTAIN, X "=a\nf() { " X "=b; }\nf\n", "f:3: \"f\" may change it"},
	{UNCERTAIN, X "=a\neval x\n", "f:2: \"eval\" may change it"},
	{UNCERTAIN, ". /etc/other\n" X "=a\n", "f:1: \".\" may change it"},
	{UNCERTAIN, "return\n" X "=a\n", "f:1: \"return\" may change it"},
	{UNCERTAIN, X "=a\nif x; then exit 0; fi\n" X "=b\n", "f:2: \"exit\" may change it"},
	{UNCERTAIN, X "=a\n'eval' x\n", "f:2: \"'eval'\" may change it"},
	{UNCERTAIN, X "=a\n$CMD x\n", "f:2: \"$CMD\" may change it"},
	{UNCERTAIN, X "=a\nread " X " </dev/null\n", "f:2: read into a variable"},
	{UNCERTAIN, X "=a\nread " X "= <<E\nb\nE\n", "f:2: read into a variable"},
	{UNCERTAIN, X "=a\nprintf -v " X " b\n", "f:2: read into a variable"},
	{UNCERTAIN, X "=a :\n", "f:1: set before a command"},
	{UNCERTAIN, X "=a\n" X "+=b\n", "f:2: an assignment that not every shell knows"},
	{UNCERTAIN, X "=a\n: ${" X ":=b}\n", "f:2: ${...=...}"},
	{UNCERTAIN, "A= B=${A:=b}\n" X "=$A\n", "f:1: ${...=...}"},
	{UNCERTAIN, X "=a\n: ${B:?gone}\n", "f:2: ${...?...} may stop the shell"},
	{UNCERTAIN, X "=a\n: $((B = 2))\n", "f:2: arithmetic"},
	{UNCERTAIN, "A='b c'\nexport " X "=$A\n", "f:2: an unquoted expansion in an argument"},
	{UNCERTAIN, "export " X "=a*\n", "f:1: a pattern of file names"},
	{UNCERTAIN, X "=a\nexport $Y=b\n", "f:2: an odd export"},
	{UNCERTAIN, X "=a >/dev/null\n", "f:1: it depends on a condition"},
	{UNCERTAIN, X "=a 2>/dev/null\n", "f:1: it depends on a condition"},
	{UNCERTAIN, X "=a | cat\n", "f:1: it depends on a condition"},
	{UNCERTAIN, X "=a\nreadonly " X "\n", "f:2: \"readonly\" may change it"},
	{UNCERTAIN, X "=a\n((" X "=2))\n", "f:2: (("},
	{UNCERTAIN, X "=a\ncat <<EOF >/dev/null\n${" X ":=b}\nEOF\n",
	 "f:3: expansions in a here-document"},
	{UNCERTAIN, X "=a\nexit 0\nwhatever ' (", "f:2: \"exit\" may change it"},
	/* no shell would source these (2.2) */
	{BAD, X "=\"quiet\n", "1: unterminated double quote"},
	{BAD, "A=1\n\n" X "='quiet\n\n", "3: unterminated single quote"},
	{BAD, X "=\"a\\\"\n", "1: unterminated double quote"},
	{BAD, X "=`a\n", "1: unterminated `"},
	{BAD, X "=$(a\n\n", "3: unexpected end of the file"},
	{BAD, X "=${A\n", "1: unterminated ${"},
	{BAD, X "=$((1+\n", "1: unterminated $(("},
	{BAD, X "=(a b)\n", "1: unexpected operator"},
	{BAD, X "=a b)\n", "1: unexpected operator"},
	{BAD, X "=a\nfi\n", "2: unexpected fi"},
	{BAD, "if x; then\n" X "=a\n", "3: unexpected end of the file"},
	{BAD, "f() {\n" X "=a\n", "3: unexpected end of the file"},
	{BAD, "if x\nthen fi\n", "2: unexpected fi"},
	{BAD, X "=a;;\n", "1: unexpected operator"},
	{BAD, "; " X "=a\n", "1: unexpected operator"},
	{BAD, X "=a &&\n", "2: unexpected end of the file"},
	{BAD, X "=a >\n", "1: a redirection without a file"},
	{BAD, "a b() { :; }\n", "1: unexpected operator"},
	{BAD, "A=`'`\n", "1: unterminated single quote"},
	{BAD, "A=\"$(\")\"\n", "2: unexpected end of the file"},
	{BAD, "A=$(return)\nif eval x; then return 0\n", "3: unexpected end of the file"},
	{BAD, "if [ a ]; then\r\nA=1\r\nfi\r\n", "4: unexpected end of the file"},
};

static void one_file(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct grub_source source = {"f", rows[i].text};
		struct grub_error error;
		struct grub_value v;
		int r = grub_defaults_value(a, &source, 1, X, &v, &error);

		if (r != (rows[i].outcome == BAD ? -EBADMSG : 0))
			fail_msg("%d for %s", r, rows[i].text);
		if (r < 0) {
			assert_string_equal(error.path, "f");
			assert_string_equal(arena_printf(a, "%u: %s", error.line, error.why),
					    rows[i].value);
		} else if (v.uncertain != (rows[i].outcome == UNCERTAIN)) {
			fail_msg("%s for %s", v.why ? v.why : v.text, rows[i].text);
		} else {
			assert_string_equal(v.uncertain ? v.why : v.text, rows[i].value);
			assert_true(v.uncertain == (v.why != NULL));
		}
	}
}

static void several_files(void **state _unused_)
{
	static const struct grub_source sources[] = {
		{"/etc/default/grub", "# x\n" X "=\"quiet\"\nGRUB_CMDLINE_LINUX=\"a\"\n"},
		{"/etc/default/grub.d/50-cloud.cfg", X "=\"console=ttyS0\"\nf() { :; }\n"},
		{"/etc/default/grub.d/kdump.cfg", "\n" X "=\"$" X " crashkernel=384M-:128M\"\n"},
	};
	static const struct grub_source calls = {"z.cfg", "f\n"}, cut = {"z.cfg", "A='\n"};
	_cleanup_arena_ struct arena *a = arena_new();
	struct grub_source more[4];
	struct grub_error error;
	struct grub_value v;

	assert_int_equal(grub_defaults_value(a, sources, 3, X, &v, &error), 0);
	assert_string_equal(v.text, "console=ttyS0 crashkernel=384M-:128M");
	assert_string_equal(v.last_path, "/etc/default/grub.d/kdump.cfg");
	assert_int_equal(v.last_line, 2);
	assert_true(v.last_appends);
	assert_int_equal(grub_defaults_value(a, sources, 2, X, &v, &error), 0);
	assert_string_equal(v.text, "console=ttyS0");
	assert_false(v.last_appends);
	assert_int_equal(grub_defaults_value(a, sources, 3, GRUB_LINUX, &v, &error), 0);
	assert_string_equal(v.text, "a");
	assert_int_equal(v.last_line, 3);
	assert_int_equal(grub_defaults_value(a, sources, 3, "OTHER", &v, &error), 0);
	assert_string_equal(v.text, "");
	assert_null(v.last_path);
	/* A function of one file is known in the next. */
	memcpy(more, sources, sizeof(sources));
	more[3] = calls;
	assert_int_equal(grub_defaults_value(a, more, 4, X, &v, &error), 0);
	assert_string_equal(v.why, "z.cfg:1: \"f\" may change it");
	more[3] = cut;
	assert_int_equal(grub_defaults_value(a, more, 4, X, &v, &error), -EBADMSG);
	assert_string_equal(error.path, "z.cfg");
	assert_int_equal(grub_defaults_value(a, NULL, 0, X, &v, &error), 0);
	assert_string_equal(v.text, "");
}

/* --- beside the real shell ---------------------------------------------------------------- */

static void write_file(const char *dir, const char *text)
{
	_cleanup_strbuf_ struct strbuf path = {0};
	FILE *f;

	strbuf_addf(&path, "%s/file", dir);
	f = fopen(strbuf_text(&path), "we");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

/* Runs what with "sh -c" in an empty environment without programs; yields its exit code. */
static int run_shell(const char *dir, const char *what, struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf command = {0};
	char buffer[4096];
	size_t n;
	FILE *f;

	strbuf_addf(&command, "cd %s && exec env -i PATH=%s /bin/sh -c '%s' 2>/dev/null", dir, dir,
		    what);
	f = popen(strbuf_text(&command), "re");
	assert_non_null(f);
	while ((n = fread(buffer, 1, sizeof(buffer), f)))
		strbuf_addn(out, buffer, n);
	return pclose(f);
}

static void beside_the_shell(const char *dir, const char *text)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf out = {0}, none = {0};
	struct grub_source source = {"f", text};
	struct grub_error error;
	struct grub_value v;
	int r = grub_defaults_value(a, &source, 1, X, &v, &error), code;

	write_file(dir, text);
	if (r == 0 && v.uncertain)
		return;
	code = run_shell(dir, ". ./file >/dev/null; printf %s \"$" X "\"", &out);
	if (r < 0 && code == 0 && run_shell(dir, "set -n; . ./file", &none) == 0)
		fail_msg("sh takes what is bad to us (%u: %s): %s", error.line, error.why, text);
	if (r == 0 && strcmp(strbuf_text(&out), v.text) != 0)
		fail_msg("sh says \"%s\", we \"%s\": %s", strbuf_text(&out), v.text, text);
}

static void remove_dir(const char *dir)
{
	_cleanup_strbuf_ struct strbuf command = {0};

	strbuf_addf(&command, "rm -r %s", dir);
	assert_int_equal(system(strbuf_text(&command)), 0);
}

static void agrees_with_sh(void **state _unused_)
{
	char dir[] = "/tmp/test-grub-XXXXXX";

	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		beside_the_shell(dir, rows[i].text);
	remove_dir(dir);
}

/* A reproducible sequence; no test depends on its quality. */
static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16 & 0x7fff;
}

/* Pieces of files, stuck together at random; none of them can reach outside the folder. */
static const char *const pieces[] = {
	X "=",	    X "=",	   "\"",    "\"",	"'",	      "\n",   "\n",	   ";",
	" ",	    " ",	   "a",	    "b c",	"\\",	      "\\\n", "$",	   "$" X,
	"${" X "}", "A=",	   "$A",    "#",	"export ",    "if ",  "; then ",   "; fi\n",
	"&& ",	    "|| ",	   "| ",    "&",	"(",	      ")",    "$(",	   "`",
	"{ ",	    "; }\n",	   "f() ",  "${A:-",	"${" X ":+",  "}",    ": ",	   "false ",
	"unset ",   "for A in ",   "; do ", "; done\n", "case a in ", ") ",   ";; esac\n", "<<E\n",
	"\nE\n",    ">/dev/null ", "2>",    "~",	"else ",      "! ",   "while ",	   "read ",
	"${" X "=", "=",	   ":",	    "+=",	"\t",	      "\r",   "$((",	   "))",
	"'x'",	    "\"y\"",	   X,	    "eval ",	"return\n",   "*",    "\xff",
};

/* Statements that mostly work, to be mixed with what may stand between them. */
static const char *const statements[] = {
	X "=a",
	X "=\"b c\"",
	X "='d  e'",
	X "=f\\ g\"h\"'i'",
	X "=\"$" X " j\"",
	X "=${" X "}k",
	X "=\"$A$B l\"",
	X "=\"${A:-m}${B:+n}${A-o}${B+p}\"",
	X "=\"q\\\"r\\$s\\t\"",
	X "=",
	X "=\"\\\nu\"",
	"A=1",
	"A=\"$A$" X "\"",
	"B=$A",
	"B=",
	"unset A",
	"unset " X,
	"export " X,
	"export A=v B='w x'",
	"export \"" X "=y z\"",
	"A=1 B=2 " X "=$A$B",
	X "=no env",
	"A=2 true",
	"A=3 :",
	": ${A:=4}",
	"A=$(echo 5)",
	"A=`echo 6`",
	"if true\nthen " X "=no\nfi",
	"if false; then A=7; else B=8; fi",
	"for A in 1 2; do :; done",
	"case $A in 1) B=9;; *) B=10; esac",
	"while false; do " X "=no; done",
	"f() { " X "=no; }",
	"g() { A=11; }",
	"g",
	"( " X "=no )",
	"{ " X "=aa; }",
	"! A=12",
	"cat <<E\n$" X "\nE\n",
	"cat <<'E'\n" X "=no\n$(\nE\n",
	"read A B <<E\n1 2\nE\n",
	"echo " X "=no >/dev/null 2>&1",
	"# " X "=no\n",
	"return",
};

static const char *const joints[] = {"\n",   "\n",  "\n",  "; ",    " && ",
				     " || ", " & ", " | ", ";\n\t", " # c\n"};

static void random_statements(struct strbuf *text, unsigned *seed)
{
	for (unsigned n = next_random(seed) % 6 + 1; n > 0; n--) {
		strbuf_add(text, statements[next_random(seed) % ARRAY_LEN(statements)]);
		strbuf_add(text, n > 1 ? joints[next_random(seed) % ARRAY_LEN(joints)] : "\n");
	}
}

static void random_pieces(struct strbuf *text, unsigned *seed)
{
	for (unsigned n = next_random(seed) % 14 + 1; n > 0; n--)
		strbuf_add(text, pieces[next_random(seed) % ARRAY_LEN(pieces)]);
}

/* TEST_RANDOM_TEXTS=N in the environment: that many texts, and others for each N. */
static void agrees_with_sh_on_random_text(void **state _unused_)
{
	char dir[] = "/tmp/test-grub-XXXXXX";
	const char *more = getenv("TEST_RANDOM_TEXTS");
	unsigned long texts = more ? strtoul(more, NULL, 10) : 1000;
	unsigned seed = more ? (unsigned)texts : 1;

	assert_non_null(mkdtemp(dir));
	while (texts--) {
		_cleanup_strbuf_ struct strbuf text = {0};

		if (texts % 2)
			random_statements(&text, &seed);
		else
			random_pieces(&text, &seed);
		beside_the_shell(dir, strbuf_text(&text));
	}
	remove_dir(dir);
}

/* --- edits ------------------------------------------------------------------------------------ */

static const struct edit_row {
	const char *text, *token, *added;
} edits[] = {
	{X "=\"quiet\"\n", "iommu=pt", X "=\"quiet iommu=pt\"\n"},
	{X "='quiet'\n", "iommu=pt", X "='quiet iommu=pt'\n"},
	{X "=\"\"\n", "iommu=pt", X "=\"iommu=pt\"\n"},
	{X "=''\n", "iommu=pt", X "='iommu=pt'\n"},
	{X "=\n", "iommu=pt", X "=iommu=pt\n"},
	{X "=", "iommu=pt", X "=iommu=pt"},
	{X "=quiet", "iommu=pt", X "=quiet\" iommu=pt\""},
	{X "=quiet # why\n", "iommu=pt", X "=quiet\" iommu=pt\" # why\n"},
	{X "=\"quiet\"\r\n", "iommu=pt", X "=\"quiet iommu=pt\"\r\n"},
	{X "=\"\"\r\n", "iommu=pt", X "=\"iommu=pt\"\r\n"},
	{X "=quiet\r\n", "iommu=pt", X "=quiet\" iommu=pt\"\r\n"},
	{"# c\n\t" X "=\"  quiet  \" A=1;B=2\n\n", "iommu=pt",
	 "# c\n\t" X "=\"  quiet iommu=pt  \" A=1;B=2\n\n"},
	{X "=\"  \"\n", "iommu=pt", X "=\"iommu=pt  \"\n"},
	{X "=a\n" X "=\"b\"\n", "c", X "=a\n" X "=\"b c\"\n"},
	{X "=a\n" X "=\"$" X " b\"\nA=1", "c", X "=a\n" X "=\"$" X " b c\"\nA=1"},
	{X "=\"$" X "\"\n", "c", X "=\"$" X " c\"\n"},
	{X "=a\n" X "=$" X "\n", "c", X "=a\n" X "=$" X "\" c\"\n"},
	{X "=\"a$GRUB_CMDLINE_LINUX\"\n", "c", X "=\"a$GRUB_CMDLINE_LINUX c\"\n"},
	{"export " X "=\"a\"\n", "c", "export " X "=\"a c\"\n"},
	{"export " X "=a\n", "c", "export " X "=a\" c\"\n"},
	{"export \"" X "=a\"\n", "c", "export \"" X "=a c\"\n"},
	{X "=\"a -- b\"\n", "c", X "=\"a c -- b\"\n"},
	{X "=\"-- b\"\n", "c", X "=\"c -- b\"\n"},
	{X "='\t-- b'\n", "c", X "='c \t-- b'\n"},
	{X "=--\n", "c", X "=\"c \"--\n"},
	{X "='a \"b c'\n", "d", X "='a d \"b c'\n"},
	{X "=\"a \\\"b c\\\"\"\n", "d", X "=\"a \\\"b c\\\" d\"\n"},
	{X "=\"a \\\nb\"\n", "c", X "=\"a \\\nb c\"\n"},
	{X "=\"a \\\n\"\n", "c", X "=\"a c \\\n\"\n"},
	{X "='a'\"b\"c\n", "d", X "='a'\"b\"c\" d\"\n"},
	{X "=\"a\"''\n", "c", X "=\"a c\"''\n"},
	{X "=a\\ b\n", "c", X "=a\\ b\" c\"\n"},
	{X "=\"quiet intel_iommu=off\"\n", "intel_iommu=on",
	 X "=\"quiet intel_iommu=off intel_iommu=on\"\n"},
	{X "=\"a\"\n", "b=\"c $d\"", X "=\"a b=\\\"c \\$d\\\"\"\n"},
	{X "=a\nif x; then A=b; fi\n", "c", X "=a\" c\"\nif x; then A=b; fi\n"},
	/* none there yet */
	{"", "iommu=pt", X "=\"iommu=pt\" # added by passthroughd\n"},
	{"A=1\n", "iommu=pt", "A=1\n" X "=\"iommu=pt\" # added by passthroughd\n"},
	{"A=1", "iommu=pt", "A=1\n" X "=\"iommu=pt\" # added by passthroughd"},
	{"# " X "=no", "iommu=pt", "# " X "=no\n" X "=\"iommu=pt\" # added by passthroughd"},
	{"A=1\r\n", "iommu=pt", "A=1\r\n" X "=\"iommu=pt\" # added by passthroughd\n"},
};

static void edits_can_be_taken_back(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *added, *again;

	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		const struct edit_row *e = &edits[i];

		if (grub_defaults_add(a, e->text, X, e->token, &added) != 0)
			fail_msg("not added to %s", e->text);
		assert_string_equal(added, e->added);
		assert_int_equal(grub_defaults_add(a, added, X, e->token, &again), 0);
		assert_string_equal(again, added);
		if (grub_defaults_remove(a, added, X, e->token, &again) != 0)
			fail_msg("not removed from %s", added);
		assert_string_equal(again, e->text);
		assert_int_equal(grub_defaults_remove(a, e->text, X, e->token, &again), 0);
		assert_string_equal(again, e->text);
	}
}

/* Three tokens, taken back in the reverse order. */
static void several_edits_can_be_taken_back(void **state _unused_)
{
	static const char *const tokens[] = {"intel_iommu=on", "iommu=pt", "pcie_aspm=off"};
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		const char *text = edits[i].text;

		for (size_t k = 0; k < ARRAY_LEN(tokens); k++)
			assert_int_equal(grub_defaults_add(a, text, X, tokens[k], &text), 0);
		for (size_t k = ARRAY_LEN(tokens); k > 0; k--)
			assert_int_equal(grub_defaults_remove(a, text, X, tokens[k - 1], &text), 0);
		assert_string_equal(text, edits[i].text);
	}
}

static void adds_nothing_that_holds_already(void **state _unused_)
{
	static const struct {
		const char *text, *token;
	} table[] = {
		{X "=\"quiet\"\n", "quiet"},
		{X "=\"intel_iommu=on,sm_on\"\n", "intel_iommu=on"},
		{X "=iommu.passthrough=1\n", "iommu=pt"},
		{X "=a\n" X "=\"$" X " b\"\n", "a"},
		{X "=\"'a'\" \n", "'a'"},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		assert_int_equal(grub_defaults_add(a, table[i].text, X, table[i].token, &text), 0);
		assert_string_equal(text, table[i].text);
	}
}

static void removes_one_token(void **state _unused_)
{
	static const struct {
		const char *text, *token, *left;
	} table[] = {
		{X "=\"a b c\"\n", "b", X "=\"a c\"\n"},
		{X "=\"a b c\"\n", "a", X "=\"b c\"\n"},
		{X "=\"a\"\n", "a", X "=\"\"\n"},
		{X "=a\n", "a", X "=\n"},
		{X "=\"a b a\"\n", "a", X "=\"a b\"\n"},
		{X "=\"a -- b\"\n", "b", X "=\"a -- b\"\n"},
		{X "=\"a \\\n b\"\n", "b", X "=\"a \\\n\"\n"},
		{X "=\"a 'b'\"\n", "b", X "=\"a 'b'\"\n"},
		{X "=\"a\"\" b\"c\n", "bc", X "=\"a\"\"\"\n"},
		{X "=\"a\\\\ b\"\n", "b", X "=\"a\\\\\"\n"},
		/* out of the assignment that the last one appends to */
		{X "=\"a b\"\n" X "=\"$" X " c\"\n", "b", X "=\"a\"\n" X "=\"$" X " c\"\n"},
		{X "=\"a b\"\n" X "=\"c\"\n", "b", X "=\"a b\"\n" X "=\"c\"\n"},
		/* somebody else's words stay in our line */
		{X "=\"a b\" # added by passthroughd\n", "a", X "=\"b\" # added by passthroughd\n"},
		{"GRUB_CMDLINE_LINUX=\"a\"\n", "a", "GRUB_CMDLINE_LINUX=\"a\"\n"},
		{"A=1\n", "a", "A=1\n"},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	const char *left;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (grub_defaults_remove(a, table[i].text, X, table[i].token, &left) != 0)
			fail_msg("not removed from %s", table[i].text);
		assert_string_equal(left, table[i].left);
	}
}

static void declines(void **state _unused_)
{
	static const struct {
		int error;
		const char *text, *token;
	} table[] = {
		{-EBADMSG, X "=\"quiet\n", "a"},
		{-EBADMSG, X "=\"quiet\"\nif x\n", "a"},
		{-EOPNOTSUPP, X "=\"$(x)\"\n", "a"},
		{-EOPNOTSUPP, X "=\"$FOO b\"\n", "a"},
		{-EOPNOTSUPP, X "=b\nif x; then " X "=c; fi\n", "a"},
		{-EOPNOTSUPP, "if x; then " X "=c; fi\n", "a"},
		{-EOPNOTSUPP, X "=b\n. ./x\n", "a"},
		{-EOPNOTSUPP, "if x; then exit; fi\n" X "=b\n", "a"},
		{-EOPNOTSUPP, X "=b\nunset " X "\n", "a"},
		{-EOPNOTSUPP, "A=b \\", "a"}, /* an appended line would join it */
		{-EOPNOTSUPP, "cat <<E", "a"},
		{-EOPNOTSUPP, X "='b'\n", "a='"},
		{-EOPNOTSUPP, "A='b -- c'\n" X "=\"$A\"\n", "a"},
		{-EINVAL, X "=b\n", "a c"},
		{-EINVAL, X "=b\n", ""},
		{-EINVAL, X "=b\n", "--"},
		{-EINVAL, X "=b\n", " a"},
		{-EINVAL, X "=b\n", "a=\"b"},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	const char *left = "untouched";

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		int r = grub_defaults_add(a, table[i].text, X, table[i].token, &left);

		if (r != table[i].error)
			fail_msg("%d for %s", r, table[i].text);
		assert_string_equal(left, "untouched");
	}
	assert_int_equal(grub_defaults_add(a, "", "1X", "a", &left), -EINVAL);
	assert_int_equal(grub_defaults_remove(a, "", "", "a", &left), -EINVAL);
	assert_int_equal(grub_defaults_remove(a, "A='", X, "a", &left), -EBADMSG);
	assert_int_equal(grub_defaults_remove(a, X "=\"$(x) a\"", X, "a", &left), -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_file),
		cmocka_unit_test(several_files),
		cmocka_unit_test(agrees_with_sh),
		cmocka_unit_test(agrees_with_sh_on_random_text),
		cmocka_unit_test(edits_can_be_taken_back),
		cmocka_unit_test(several_edits_can_be_taken_back),
		cmocka_unit_test(adds_nothing_that_holds_already),
		cmocka_unit_test(removes_one_token),
		cmocka_unit_test(declines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
