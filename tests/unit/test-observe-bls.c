/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loader entries that GRUB reads: who makes their lines anew, told by scripts (2.15 to 2.18). */
#include "observe-text.h"

#include "paths.h"

#define MENU	   "[/boot/grub2]\ngrub.cfg <<\n\tinsmod blscfg\n\tblscfg\n"
#define MAKE(text) "[/usr/sbin]\ngrub2-mkconfig = " text "\n"
#define HOOK(text) "[/etc/grub.d]\n10_linux = " text "\n"

static void scripts_say_who_makes_lines_anew(void **state _unused_)
{
	static const struct {
		const char *text;
		bool blscfg, remade, ostree;
	} rows[] = {
		/* Fedora; RHEL from 9.2; RHEL 8 */
		{MENU MAKE("x") HOOK("update_bls_cmdline() {"), true, true, false},
		{MENU MAKE("--update-bls-cmdline)") HOOK("update_bls_cmdline() {"), true, false,
		 false},
		{MENU MAKE("x") HOOK("editenv - set kernelopts=a"), true, true, false},
		/* A script of neither kind, one without the other, none. */
		{MENU MAKE("x") HOOK("x"), true, false, false},
		{MENU MAKE("x"), true, false, false},
		{MENU HOOK("update_bls_cmdline() {"), true, false, false},
		{MENU, true, false, false},
		{MENU "[/run]\nostree-booted :\n", true, false, true},
		{MENU "[/ostree/repo]\nconfig :\n", true, false, true},
		/* A menu of GRUB's own, whatever scripts there are. */
		{"[/boot/grub2]\ngrub.cfg <<\n\tset a=blscfg\n" MAKE("x")
			 HOOK("update_bls_cmdline() {") "[/run]\nostree-booted :\n",
		 false, false, true},
		{"[/boot/grub2]\ngrub.cfg = x\n[/ostree/repo]\nconfig :\n", false, false, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = observe_text(rows[i].text,
								&(struct observe_options){0});

		assert_int_equal(host->boot.blscfg, rows[i].blscfg);
		assert_int_equal(host->boot.bls_remade, rows[i].remade);
		assert_int_equal(host->boot.ostree, rows[i].ostree);
	}
}

/* grubenv changes at each boot: it is looked at, as a file, only where an entry is made of it. */
static void files_are_looked_at_that_lines_stand_in(void **state _unused_)
{
	static const struct {
		const char *options;
		bool env;
	} rows[] = {{"$kernelopts", true}, {"root=/dev/sda1 $tuned_params", false}};
	static const char name[] = "/boot/loader/entries/m-5.conf";

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_host_ struct host *host = observe_text(
			arena_printf(a,
				     MENU "grubenv = # GRUB Environment Block\n"
					  "[/boot/loader/entries]\n"
					  "m-5.conf <<\n\tlinux /vmlinuz-5\n\toptions %s\n",
				     rows[i].options),
			&(struct observe_options){0});
		const struct host_file *file = host_file(host, name);

		assert_int_equal(host_file(host, PATH_GRUBENV) != NULL, rows[i].env);
		assert_non_null(file);
		assert_int_equal(file->status, FILE_PRESENT);
		assert_non_null(strstr(file->text, rows[i].options));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripts_say_who_makes_lines_anew),
		cmocka_unit_test(files_are_looked_at_that_lines_stand_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
