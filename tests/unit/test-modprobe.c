/* SPDX-License-Identifier: GPL-2.0-or-later */
/* modprobe.d by libkmod's rules (6.1 to 6.13), and beside the real modprobe where there is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "modprobe.h"
#include "root.h"

static const char *joined(struct arena *a, const struct words *w)
{
	const char *text = "";

	array_foreach(it, w)
		text = arena_printf(a, "%s%s\n", text, *it);
	return text;
}

static void orders_files_as_libkmod_does(void **state _unused_)
{
	static const char *const dirs[] = {"/etc/modprobe.d", "/run/modprobe.d",
					   "/usr/local/lib/modprobe.d", "/lib/modprobe.d/"};
	static const char *const paths[] = {
		"/lib/modprobe.d/vfio.conf",	 "/lib/modprobe.d/aliases.conf",
		"/etc/modprobe.d/vfio.conf",	 "/etc/modprobe.d/.hidden.conf",
		"/etc/modprobe.d/readme",	 "/etc/modprobe.d/x.conf~",
		"/etc/modprobe.d/sub/y.conf",	 "/etc/passwd.conf",
		"/run/modprobe.d/aliases.conf",	 "/lib/modules/6.1/modules.softdep",
		"/etc/modprobe.d/00-first.conf", "/etc/modprobe.d/.conf",
	};
	_cleanup_arena_ struct arena *a = arena_new();
	struct words in = {0}, out;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		assert_int_equal(words_add(a, &in, paths[i]), 1);
	assert_int_equal(modprobe_order(a, &in, dirs, ARRAY_LEN(dirs), &out), 0);
	/* 6.3: vfio.conf sorts after modules.softdep, 00-first.conf before it. */
	assert_string_equal(joined(a, &out), "/etc/modprobe.d/00-first.conf\n"
					     "/run/modprobe.d/aliases.conf\n"
					     "/lib/modules/6.1/modules.softdep\n"
					     "/etc/modprobe.d/vfio.conf\n");
	assert_int_equal(modprobe_order(a, &(struct words){0}, dirs, 0, &out), 0);
	assert_int_equal(out.n, 0);
}

static const char sample[] = "# options kvm no=1\n"
			     "options kvm ignore_msrs=1 report_ignored_msrs=0\n"
			     "options vfio-pci ids=10de:1b81\n"
			     "options k* pattern=1\n"
			     "  options vfio_pci ids=10de:1b81,10de:10f0 disable_vga=1\n"
			     "options snd-hda-intel x=\\q\\\\y z=1\\\n cont=1\n"
			     "options kvm\n"
			     "options kvm \n"
			     "options kvm  \n"
			     "\t# indented\n"
			     "Options kvm x\n"
			     "blacklist nouveau # comment\n"
			     "blacklist snd_*\n"
			     "install vfio* /bin/echo hi\n"
			     "install vfio_pci /bin/false\n"
			     "softdep snd[-_]hda-intel pre: kvm vfio-pci\n"
			     "softdep snd_hda_intel pre: never\n"
			     "blacklist a[b\n"
			     "blacklist a]b\n"
			     "include foo\n"
			     "blacklist crlf\r\n"
			     "options kvm \"quoted a=1\n"
			     "options kvm b=1\" switch\n"
			     "weakdep kvm foo\n"
			     "alias a-b c-d e\n"
			     "alias only\n"
			     "remove kvm /bin/true x\n"
			     "softdep kvm\n"
			     " \t\n"
			     " \\\n blacklist joined\n"
			     "blacklist last\\";

static const char *shown(struct arena *a, const struct modprobe_line *l)
{
	return arena_printf(a, "%u %s %s|%s\n", l->line, l->keyword, l->module, l->rest);
}

static const struct modprobe *parse(struct arena *a, const char *text)
{
	struct modprobe *m = arena_new_of(a, struct modprobe);
	struct modprobe_source source = {"x.conf", text};

	assert_int_equal(modprobe_parse(a, &source, 1, m), 0);
	return m;
}

static void reads_lines(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct modprobe *m = parse(a, sample);
	const char *good = "", *bad = "";

	array_foreach(it, &m->lines)
		good = arena_printf(a, "%s%s", good, shown(a, it));
	array_foreach(it, &m->bad)
		bad = arena_printf(a, "%s%u %s\n", bad, it->line, it->keyword);
	assert_string_equal(good, "2 options kvm|ignore_msrs=1 report_ignored_msrs=0\n"
				  "3 options vfio_pci|ids=10de:1b81\n"
				  "4 options k*|pattern=1\n"
				  "5 options vfio_pci|ids=10de:1b81,10de:10f0 disable_vga=1\n"
				  "6 options snd_hda_intel|x=q\\y z=1 cont=1\n"
				  "10 options kvm|\n"
				  "13 blacklist nouveau|# comment\n"
				  "14 blacklist snd_*|\n"
				  "15 install vfio*|/bin/echo hi\n"
				  "16 install vfio_pci|/bin/false\n"
				  "17 softdep snd[-_]hda_intel|pre: kvm vfio-pci\n"
				  "18 softdep snd_hda_intel|pre: never\n"
				  "22 blacklist crlf\r|\n"
				  "23 options kvm|\"quoted a=1\n"
				  "24 options kvm|b=1\" switch\n"
				  "25 weakdep kvm|foo\n"
				  "26 alias a_b|c_d\n"
				  "28 remove kvm|/bin/true x\n"
				  "31 blacklist joined|\n"
				  "33 blacklist last|\n");
	assert_string_equal(bad, "8 options\n9 options\n11 #\n12 Options\n19 blacklist\n"
				 "20 blacklist\n21 include\n27 alias\n29 softdep\n");
}

static void answers_what_is_in_force(void **state _unused_)
{
	static const struct {
		const char *module, *param, *value;
		unsigned line;
	} table[] = {
		{"kvm", "ignore_msrs", "1", 2},
		{"vfio-pci", "ids", "10de:1b81,10de:10f0", 5}, /* 6.7: the last one only */
		{"vfio_pci", "disable-vga", "1", 5},
		{"snd_hda_intel", "x", "q\\y", 6},
		{"snd_hda_intel", "cont", "1", 6},
		{"kvm", "pattern", NULL, 0},
		{"kvm", "quoted a", "1 b=1", 23}, /* one string for the kernel: quotes span lines */
		{"kvm", "b", NULL, 0},
		{"kvm", "switch", "1", 24},
		{"kvm", "no", NULL, 0},
		{"nouveau", "modeset", NULL, 0},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	const struct modprobe *m = parse(a, sample);

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct modprobe_line *where = NULL;
		const char *value = modprobe_option(a, m, table[i].module, table[i].param, &where);

		if (!table[i].value) {
			assert_null(value);
			assert_null(where);
			continue;
		}
		assert_string_equal(value ? value : "none", table[i].value);
		assert_int_equal(where->line, table[i].line);
	}
	m = parse(a, "options a x=1 -- x=2\noptions b x=1");
	assert_string_equal(modprobe_option(a, m, "a", "x", NULL), "1");
}

static void answers_who_is_kept_out(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct modprobe *m = parse(a, sample);
	const struct modprobe_line *dep = modprobe_softdep(m, "snd-hda-intel");

	assert_int_equal(modprobe_blacklisted(m, "nouveau")->line, 13);
	assert_null(modprobe_blacklisted(m, "snd_pcm")); /* no patterns there */
	assert_null(modprobe_blacklisted(m, "crlf"));
	assert_int_equal(modprobe_install(m, "vfio-pci")->line, 15); /* 6.8 */
	assert_null(modprobe_install(m, "kvm"));
	assert_int_equal(dep->line, 17); /* 6.9 */
	assert_null(modprobe_softdep(m, "kvm"));
	assert_true(modprobe_softdep_pre(dep, "kvm"));
	assert_true(modprobe_softdep_pre(dep, "vfio_pci"));
	assert_false(modprobe_softdep_pre(&(struct modprobe_line){.rest = "pre: a post: b"}, "b"));
	assert_false(modprobe_softdep_pre(dep, "pre:"));
	assert_false(modprobe_softdep_pre(&(struct modprobe_line){.rest = "kvm"}, "kvm"));
	assert_true(modprobe_softdep_pre(&(struct modprobe_line){.rest = "post: a pre: b"}, "b"));
}

/* The lines of "modprobe -c" that come from our folder, as we would show them. */
static const char *expected(struct arena *a, const struct modprobe *m)
{
	static const char *const order[] = {"blacklist", "install", "remove",
					    "alias",	 "options", "softdep"};
	const char *text = "";

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		array_foreach(it, &m->lines)
			if (strcmp(it->keyword, order[i]) == 0)
				text = arena_printf(a, "%s%s %s%s%s\n", text, it->keyword,
						    it->module, *it->rest && i ? " " : "",
						    i ? it->rest : "");
	return text;
}

static const char *real_modprobe(struct arena *a, const char *dir)
{
	char *command = arena_printf(a,
				     "/sbin/modprobe -C %s/c -d %s -S 1.0 -c 2>/dev/null | "
				     "sed -n '/^# End/q; s/[ \\t]*$//; p'",
				     dir, dir);
	const char *text = "";
	char line[512];
	FILE *f = popen(command, "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		text = arena_printf(a, "%s%s", text, line);
	pclose(f);
	return text;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

/*
 * modprobe lists the kernel line's options, too; they stand behind ours, so that ours must be a
 * prefix within each keyword. A weakdep is unknown to it before version 32.
 */
static void agrees_with_modprobe(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char dir[] = "/tmp/test-modprobe-XXXXXX";
	const char *real, *ours, *text;
	char *at, *line;

	if (access("/sbin/modprobe", X_OK) < 0)
		skip();
	assert_non_null(mkdtemp(dir));
	assert_int_equal(mkdir(arena_printf(a, "%s/c", dir), 0755), 0);
	/* Version 30 takes a backslash at the very end for a byte of the name. */
	text = arena_strndup(a, sample, strlen(sample) - 1);
	write_file(arena_printf(a, "%s/c/b.conf", dir), text);
	/* Sorted before: read before. */
	write_file(arena_printf(a, "%s/c/a.conf", dir), "options kvm early=1\n");
	write_file(arena_printf(a, "%s/c/c.txt", dir), "options kvm never=1\n");
	real = real_modprobe(a, dir);
	assert_int_equal(system(arena_printf(a, "rm -r %s", dir)), 0);
	ours = expected(a, parse(a, arena_printf(a, "options kvm early=1\n%s", text)));
	at = arena_strdup(a, ours);
	while ((line = strsep(&at, "\n")) && *line) {
		const char *hit = strstr(real, arena_printf(a, "%s\n", line));

		if (!hit)
			fail_msg("modprobe has no \"%s\" in\n%s", line, real);
		real = hit + strlen(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_files_as_libkmod_does),
		cmocka_unit_test(reads_lines),
		cmocka_unit_test(answers_what_is_in_force),
		cmocka_unit_test(answers_who_is_kept_out),
		cmocka_unit_test(agrees_with_modprobe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
