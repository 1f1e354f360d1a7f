/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Presets of mkinitcpio: what they say of the first of their images, and what cannot be told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mkinitcpio-preset.h"
#include "strbuf.h"

#define IMAGE "default_image=\"/boot/initramfs-linux.img\"\n"
#define FIRST "PRESETS=('default')\n"

static const struct {
	const char *text;
	const char *said; /* "name image uki config variable:line strange" */
} rows[] = {
	/* as mkinitcpio's own template makes it (5.33), and as older packages brought it */
	{"# mkinitcpio preset file for the 'linux' package\n\n"
	 "#ALL_config=\"/etc/mkinitcpio.conf\"\nALL_kver=\"/boot/vmlinuz-linux\"\n\n"
	 "PRESETS=('default')\n#PRESETS=('default' 'fallback')\n\n"
	 "#default_config=\"/etc/mkinitcpio.conf\"\n" IMAGE
	 "#default_uki=\"/efi/EFI/Linux/arch-linux.efi\"\n"
	 "#default_options=\"--splash /usr/share/systemd/bootctl/splash-arch.bmp\"\n",
	 "default /boot/initramfs-linux.img - - -:0 0"},
	{"ALL_config=\"/etc/mkinitcpio.conf\"\nALL_kver='/boot/vmlinuz-linux-lts'\n"
	 "ALL_microcode=(/boot/*-ucode.img)\nPRESETS=('default' 'fallback')\n" IMAGE
	 "fallback_image=\"/boot/initramfs-linux-fallback.img\"\n"
	 "fallback_options=\"-S autodetect\"\n",
	 "default /boot/initramfs-linux.img - /etc/mkinitcpio.conf ALL_config:1 0"},
	/* whose configuration counts (5.29) */
	{FIRST IMAGE "default_config=/etc/mine.conf\nALL_config=/etc/all.conf\n",
	 "default /boot/initramfs-linux.img - /etc/mine.conf default_config:3 0"},
	{FIRST IMAGE "fallback_config=/etc/mine.conf\n",
	 "default /boot/initramfs-linux.img - - -:0 0"},
	{FIRST IMAGE "default_config=\"\"\n", "default /boot/initramfs-linux.img - - -:0 0"},
	{FIRST IMAGE "ALL_config=x\nALL_config=\n", "default /boot/initramfs-linux.img - - -:0 0"},
	{FIRST IMAGE "default_options=\"-S autodetect -c /etc/mine.conf\"\n",
	 "default /boot/initramfs-linux.img - /etc/mine.conf default_options:3 0"},
	{FIRST IMAGE "default_options=(-v --config '/etc/my conf')\n",
	 "default /boot/initramfs-linux.img - /etc/my default_options:3 0"},
	{FIRST IMAGE "default_options='--config=/etc/mine.conf'\n",
	 "default /boot/initramfs-linux.img - /etc/mine.conf default_options:3 0"},
	{FIRST IMAGE "default_options='-S -confuse'\n",
	 "default /boot/initramfs-linux.img - - -:0 0"},
	/* which image, and what a unified one is called in which version */
	{"PRESETS=(zen)\n" IMAGE "zen_image=/efi/initramfs.img # here\n",
	 "zen /efi/initramfs.img - - -:0 0"},
	{FIRST "default_uki=\"/efi/EFI/Linux/arch-linux.efi\"\n",
	 "default - /efi/EFI/Linux/arch-linux.efi - -:0 0"},
	{FIRST IMAGE "default_efi_image=/efi/a.efi\n",
	 "default /boot/initramfs-linux.img /efi/a.efi - -:0 0"},
	{"PRESETS=()\n" IMAGE, "- - - - -:0 0"},
	{"PRESETS=( 'default'\t\"fallback\" ) # both\n" IMAGE,
	 "default /boot/initramfs-linux.img - - -:0 0"},
	{"", "- - - - -:0 0"},
	/* quotes in the midst of a word, and the last line without an end */
	{FIRST "default_image=/boot/\"initramfs-\"'linux'.img",
	 "default /boot/initramfs-linux.img - - -:0 0"},
	/* what is more than assignments */
	{FIRST IMAGE "if true; then\nALL_config=x\nfi\n",
	 "default /boot/initramfs-linux.img - x ALL_config:4 3"},
	{FIRST IMAGE ". /etc/mkinitcpio.d/common\n", "default /boot/initramfs-linux.img - - -:0 3"},
	{"PRESETS=(\n'default'\n)\n" IMAGE, "- - - - -:0 1"},
	{FIRST "default_image=$(cat /x)\n", "default - - - -:0 2"},
	{FIRST IMAGE "default_options='-S a\n", "default /boot/initramfs-linux.img - - -:0 3"},
	{FIRST IMAGE "a=b reboot\n", "default /boot/initramfs-linux.img - - -:0 3"},
	{FIRST IMAGE "a=b; reboot\n", "default /boot/initramfs-linux.img - - -:0 3"},
	{FIRST IMAGE "a=(b;c)\n", "default /boot/initramfs-linux.img - - -:0 3"},
	{FIRST IMAGE "a=(b c\n", "default /boot/initramfs-linux.img - - -:0 3"},
	{FIRST IMAGE "PRESETS+=(more)\n", "default /boot/initramfs-linux.img - - -:0 3"},
	{FIRST IMAGE "1a=b\n", "default /boot/initramfs-linux.img - - -:0 3"},
	{FIRST IMAGE "a=b\\c\n", "default /boot/initramfs-linux.img - - -:0 3"},
	/* a variable or a pattern counts only where it would be looked at */
	{FIRST IMAGE "mine=$HOME\nother=(/boot/*)\n",
	 "default /boot/initramfs-linux.img - - -:0 0"},
	{FIRST "base=/boot\ndefault_image=\"$base/x.img\"\n", "default $base/x.img - - -:0 3"},
	{"PRESETS=($all)\n" IMAGE, "$all - - - -:0 1"},
};

static void presets_are_read(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf said = {};
		struct mkinitcpio_preset p;

		assert_int_equal(mkinitcpio_preset_parse(a, rows[i].text, &p), 0);
		strbuf_addf(&said, "%s %s %s %s %s:%u %u", p.name ? p.name : "-",
			    p.image ? p.image : "-", p.uki ? p.uki : "-", p.config ? p.config : "-",
			    p.variable ? p.variable : "-", p.line, p.strange);
		print_message("preset %zu\n", i);
		assert_string_equal(strbuf_text(&said), rows[i].said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presets_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
