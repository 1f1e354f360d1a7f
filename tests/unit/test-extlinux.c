/* SPDX-License-Identifier: GPL-2.0-or-later */
/* u-boot-menu: what extlinux.conf says, where flags go, and whose line it is (2.25). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "boot-entries.h"
#include "hosts.h"
#include "paths.h"
#include "rows.h"

static void labels_are_entries(void **state _unused_)
{
	static const struct {
		const char *text, *entries; /* line|title|kernel|options[|recovery] */
	} rows[] = {
		{"default l0\nmenu title U-Boot\ntimeout 50\n\nlabel l0\n\tmenu label Debian 6.1\n"
		 "\tlinux /boot/vmlinuz-6.1\n\tinitrd /boot/initrd.img-6.1\n"
		 "\tappend root=/dev/sda1 ro quiet\n\nlabel l0r\n\tmenu label Debian 6.1 (rescue)\n"
		 "\tlinux /boot/vmlinuz-6.1\n\tappend root=/dev/sda1 ro single\n\t",
		 "7|Debian 6.1|6.1|root=/dev/sda1 ro quiet\n"
		 "13|Debian 6.1 (rescue)|6.1|root=/dev/sda1 ro single|recovery\n"},
		{"LABEL a\n KERNEL /vmlinuz-5.10\n APPEND  a  b \r\n#append c\n", "2||5.10|a  b\n"},
		/* Without a kernel, without a label, without a line. */
		{"label a\nappend x\nlabel b\nlinux /Image", "4||-|\n"},
		{"linux /vmlinuz-6.1\nappend a\nlabel b\nlinux /vmlinuz-6.1\nappend\n",
		 "4||6.1|\n"},
		{"", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct boot_lines lines;
		const char *all = "";

		assert_int_equal(extlinux_parse(a, rows[i].text, &lines), 0);
		array_foreach(it, &lines.list)
			all = arena_printf(a, "%s%u|%s|%s|%s%s\n", all, it->line, it->title,
					   it->kernel ? it->kernel : "-", it->options,
					   it->recovery ? "|recovery" : "");
		assert_string_equal(all, rows[i].entries);
	}
}

#define MANAGED	   "# managed by passthroughd: change /etc/passthroughd/*.yaml instead\n"
#define OWN(flags) MANAGED "U_BOOT_PARAMETERS=\"${U_BOOT_PARAMETERS:-ro quiet}" flags "\"\n"
#define ABSENT	   NULL

struct files {
	const char *defaults, *own, *later, *cmdline;
};

static struct host *make_host(bool dir_read, const struct files *files)
{
	struct host *host = host_new();

	assert_non_null(host);
	host->boot.extlinux = PATH_EXTLINUX;
	host->boot.uboot_dir_read = dir_read;
	host->cmdline = "root=/dev/sda1 ro";
	host->cmdline_known = true;
	host_add_file(host, PATH_UBOOT_DEFAULTS, files->defaults);
	host_add_file(host, PATH_KERNEL_CMDLINE, files->cmdline);
	host_add_file(host, PATH_UBOOT_DROPIN, files->own);
	host_add_file(host, PATH_UBOOT_DIR "/99-x.conf", files->later);
	return host;
}

static void the_line_is_what_the_command_makes(void **state _unused_)
{
	static const struct {
		bool dir_read;
		struct files files;
		const char *line, *why; /* line NULL: not known, and why */
	} rows[] = {
		{true, {"U_BOOT_PARAMETERS=\"a b\"\n", ABSENT, ABSENT, ABSENT}, "a b", NULL},
		{true, {"", OWN(" x"), ABSENT, ABSENT}, "ro quiet x", NULL},
		{true, {"U_BOOT_PARAMETERS=a\n", OWN(" x"), ABSENT, ABSENT}, "a x", NULL},
		{false, {"U_BOOT_PARAMETERS=a\n", OWN(" x"), ABSENT, ABSENT}, "a", NULL},
		{true,
		 {"U_BOOT_PARAMETERS=a\n", OWN(" x"), "U_BOOT_PARAMETERS=b\n", ABSENT},
		 "b",
		 NULL},
		{true, {ABSENT, ABSENT, ABSENT, ABSENT}, "ro quiet", NULL},
		{true, {ABSENT, ABSENT, ABSENT, "root=/dev/sda1 c\n"}, "root=/dev/sda1 c ", NULL},
		/* What ours makes of it hides the other file. */
		{true, {ABSENT, OWN(" x"), ABSENT, "root=/dev/sda1 c\n"}, "ro quiet x", NULL},
		{true,
		 {"U_BOOT_UPDATE=false\n", ABSENT, ABSENT, ABSENT},
		 NULL,
		 PATH_UBOOT_DEFAULTS ":1: U_BOOT_UPDATE switches u-boot-update off"},
		{true,
		 {"U_BOOT_PARAMETERS=\"a\n", ABSENT, ABSENT, ABSENT},
		 NULL,
		 PATH_UBOOT_DEFAULTS ":1: unterminated double quote"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = make_host(rows[i].dir_read, &rows[i].files);
		struct loader_files f = {};

		assert_int_equal(loader_extlinux.files(host->arena, host, &f), 0);
		assert_int_equal(f.known, rows[i].line != NULL);
		if (rows[i].line)
			assert_string_equal(f.line, rows[i].line);
		else
			assert_string_equal(f.why, rows[i].why);
	}
}

static void flags_go_where_the_line_is_from(void **state _unused_)
{
	static const struct {
		bool dir_read;
		struct files files;
		const char *wanted, *surplus;
		struct files then; /* only what is written; "": removed */
		const char *conflict;
	} rows[] = {
		{true,
		 {"U_BOOT_PARAMETERS=a\n", ABSENT, ABSENT, ABSENT},
		 "x y",
		 "",
		 {ABSENT, OWN(" x y"), ABSENT, ABSENT},
		 NULL},
		{true,
		 {ABSENT, ABSENT, ABSENT, ABSENT},
		 "x",
		 "",
		 {ABSENT, OWN(" x"), ABSENT, ABSENT},
		 NULL},
		{true,
		 {"U_BOOT_PARAMETERS=x\n", ABSENT, ABSENT, ABSENT},
		 "x",
		 "",
		 {ABSENT, ABSENT, ABSENT, ABSENT},
		 NULL},
		{true,
		 {ABSENT, OWN(" x"), ABSENT, ABSENT},
		 "",
		 "x",
		 {ABSENT, "", ABSENT, ABSENT},
		 NULL},
		/* One that is blocked now stays. */
		{true,
		 {ABSENT, OWN(" x z"), ABSENT, ABSENT},
		 "x",
		 "",
		 {ABSENT, OWN(" z x"), ABSENT, ABSENT},
		 NULL},
		{true,
		 {ABSENT, ABSENT, ABSENT, "root=/dev/sda1 c\n"},
		 "x",
		 "",
		 {ABSENT, ABSENT, ABSENT, "root=/dev/sda1 c x\n"},
		 NULL},
		{true,
		 {ABSENT, OWN(" x"), ABSENT, "root=/dev/sda1 c\n"},
		 "x",
		 "",
		 {ABSENT, "", ABSENT, "root=/dev/sda1 c x\n"},
		 NULL},
		{true,
		 {ABSENT, ABSENT, "U_BOOT_PARAMETERS=b\n", ABSENT},
		 "x",
		 "",
		 {ABSENT, ABSENT, ABSENT, ABSENT},
		 PATH_UBOOT_DIR "/99-x.conf:1: U_BOOT_PARAMETERS is set anew, after ours"},
		/* Before the folder was read. */
		{false,
		 {"U_BOOT_PARAMETERS=\"a b\"\n", ABSENT, ABSENT, ABSENT},
		 "x",
		 "",
		 {"U_BOOT_PARAMETERS=\"a b x\"\n", ABSENT, ABSENT, ABSENT},
		 NULL},
		{false,
		 {"#U_BOOT_PARAMETERS=a\n", ABSENT, ABSENT, ABSENT},
		 "x",
		 "",
		 {ABSENT, ABSENT, ABSENT, ABSENT},
		 PATH_UBOOT_DEFAULTS
		 ": U_BOOT_PARAMETERS is not set; set it to \"ro quiet\", which "
		 "it is now, to have flags added"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = make_host(rows[i].dir_read, &rows[i].files);
		_cleanup_ledger_ struct ledger *ledger = ledger_new();
		struct words wanted = split(host->arena, rows[i].wanted);
		struct words surplus = split(host->arena, rows[i].surplus);
		struct files then = {0};
		struct loader_edits edits = {0};
		const char *conflict = NULL;

		assert_int_equal(loader_extlinux.edit(host->arena, host, ledger, &wanted, &surplus,
						      &edits, &conflict),
				 0);
		if (rows[i].conflict) {
			assert_non_null(conflict);
			assert_string_equal(conflict, rows[i].conflict);
			continue;
		}
		assert_null(conflict);
		array_foreach(it, &edits.list) {
			const char **to = strcmp(it->path, PATH_UBOOT_DEFAULTS) == 0
						  ? &then.defaults
					  : strcmp(it->path, PATH_UBOOT_DROPIN) == 0
						  ? &then.own
						  : &then.cmdline;

			*to = it->text ? it->text : "";
		}
		assert_string_equal(then.defaults ? then.defaults : "-",
				    rows[i].then.defaults ? rows[i].then.defaults : "-");
		assert_string_equal(then.own ? then.own : "-",
				    rows[i].then.own ? rows[i].then.own : "-");
		assert_string_equal(then.cmdline ? then.cmdline : "-",
				    rows[i].then.cmdline ? rows[i].then.cmdline : "-");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_entries),
		cmocka_unit_test(the_line_is_what_the_command_makes),
		cmocka_unit_test(flags_go_where_the_line_is_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
