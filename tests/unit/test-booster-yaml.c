/* SPDX-License-Identifier: GPL-2.0-or-later */
/* booster's two files: what a person says of modules, and what an image says of itself (5.34). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "booster-yaml.h"
#include "strbuf.h"

static const struct {
	const char *text;
	const char *said; /* "MODULES:line ...|FORCED:line ... NETWORK STRANGE" */
} rows[] = {
	{"", "| 0 0"},
	{"# nothing\n\n", "| 0 0"},
	{"---\nmodules: a\n", "a:2 | 0 0"},
	{"modules: -*,hid_apple, kernel/sound/usb/ ,,x\n",
	 "-*:1 hid_apple:1 kernel/sound/usb/:1 x:1 | 0 0"},
	{"compression: zstd\nmodules_force_load: nouveau # mine\nmodules: \"-a,b\"\n",
	 "-a:3 b:3 |nouveau:2  0 0"},
	{"modules: 'a,b'", "a:1 b:1 | 0 0"},
	{"modules : a\r\n", "a:1 | 0 0"},
	{"modules:\nuniversal: true\n", "| 0 0"},
	{"modules: a#b\n", "a#b:1 | 0 0"},
	/* what is below another key is none of ours */
	{"extra_files: |\n  modules: a\nother-key:\n  - modules_force_load: b\n", "| 0 0"},
	{"network:\n  dhcp: on\n\n  # and more\nmodules: a\n", "a:5 | 1 0"},
	{"network: {dhcp: on}\n", "| 1 0"},
	{"network:\nnetwork_x: 1\n", "| 0 0"},
	{"network: ~\n", "| 0 0"},
	{"network: null\n", "| 0 0"},
	/* what cannot be followed */
	{"modules: |\n  a\n", "| 0 1"},
	{"modules: a,\n  b\n", "| 0 1"},
	{"modules:\n  - a\n", "| 0 1"},
	{"modules:\n- a\n", "| 0 2"},
	{"a: b\nmodules: *x\n", "| 0 2"},
	{"modules: &x a\n", "| 0 1"},
	{"modules: !!str a\n", "| 0 1"},
	{"modules: \"a\\x20b\"\n", "| 0 1"},
	{"modules: 'a''b'\n", "| 0 1"},
	{"modules: 'a\n", "| 0 1"},
	{"modules: a\nmodules: b\n", "a:1 | 0 2"},
	{"{modules: a}\n", "| 0 1"},
	{"<<: *x\n", "| 0 1"},
	{"modules:a\n", "| 0 1"},
	{"\"modules\": a\n", "| 0 1"},
	{"a: b\n---\nmodules: c\n", "c:3 | 0 2"},
	{"  modules: a\n", "| 0 1"},
};

static void lists_are_read_as_booster_does(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf said = {0};
		struct booster_config c;

		assert_int_equal(booster_config_parse(a, rows[i].text, &c), 0);
		array_foreach(it, &c.modules)
			strbuf_addf(&said, "%s:%u ", it->text, it->line);
		strbuf_add(&said, "|");
		array_foreach(it, &c.force_load)
			strbuf_addf(&said, "%s:%u ", it->text, it->line);
		strbuf_addf(&said, " %u %u", c.network, c.strange);
		print_message("%s", rows[i].text);
		assert_string_equal(strbuf_text(&said), rows[i].said);
	}
}

/* --- of an image ----------------------------------------------------------------------------- */

#define PRIVATE                                                                                    \
	"network:\n    dhcp: true\n    ssh_host_key: |\n        -----BEGIN OPENSSH PRIVATE "       \
	"KEY-----\n        kernel: no\n\n        -----END OPENSSH PRIVATE KEY-----\n"

#define INIT                                                                                       \
	PRIVATE "moduledependencies:\n    vfio_pci:\n        - vfio_pci_core\n        - vfio\n"    \
		"modprobeoptions:\n    kvm: ignore_msrs=1\n    snd_hda_intel: 'model=auto,''x'' "  \
		"index=1'\n    vfio_pci: ids=10de:1b81,10de:10f0 disable_vga=1\n    z: "           \
		"\"a=\\\"b\\\"\"\n    empty:\nbuiltinmodules:\n    ext4: true\n"                   \
		"kernel: 6.18.2-arch2-1\nemergency_shell_password: $argon2id$secret\n"

#define KEPT                                                                                       \
	"modprobeoptions:\n    kvm: ignore_msrs=1\n    snd_hda_intel: 'model=auto,''x'' "          \
	"index=1'\n    vfio_pci: ids=10de:1b81,10de:10f0 disable_vga=1\n    z: "                   \
	"\"a=\\\"b\\\"\"\n    empty:\nkernel: 6.18.2-arch2-1\n"

static void private_parts_are_not_kept(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text, *again;

	assert_int_equal(booster_init_reduce(a, INIT, &text), 0);
	assert_string_equal(text, KEPT);
	assert_int_equal(booster_init_reduce(a, text, &again), 0);
	assert_string_equal(again, text);
	assert_int_equal(booster_init_reduce(a, "", &text), 0);
	assert_string_equal(text, "");
}

static void images_say_what_they_are_for(void **state _unused_)
{
	static const struct {
		const char *text, *kernel, *options;
	} said[] = {
		{INIT, "6.18.2-arch2-1",
		 "options kvm ignore_msrs=1\noptions snd_hda_intel model=auto,'x' index=1\n"
		 "options vfio_pci ids=10de:1b81,10de:10f0 disable_vga=1\noptions z a=\"b\"\n"},
		{KEPT, "6.18.2-arch2-1",
		 "options kvm ignore_msrs=1\noptions snd_hda_intel model=auto,'x' index=1\n"
		 "options vfio_pci ids=10de:1b81,10de:10f0 disable_vga=1\noptions z a=\"b\"\n"},
		{"kernel: \"6.18\"\n", "6.18", ""},
		{"kernel: |\n  6.18\n", "", ""},
		{"modprobeoptions: {}\nx:\n    kvm: a=1\n", "", ""},
		{"", "", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		const char *text;

		assert_int_equal(booster_init_kernel(a, said[i].text, &text), 0);
		assert_string_equal(text, said[i].kernel);
		assert_int_equal(booster_init_options(a, said[i].text, &text), 0);
		assert_string_equal(text, said[i].options);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_read_as_booster_does),
		cmocka_unit_test(private_parts_are_not_kept),
		cmocka_unit_test(images_say_what_they_are_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
