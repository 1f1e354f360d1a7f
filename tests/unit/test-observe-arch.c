/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arch Linux: kernels, images and entries that have no version in their names. */
#include "observe-text.h"

static const struct observe_options plain = {0};

#define V12 "6.12.61-1-lts"
#define V17 "6.17.9-arch1-1"
#define V18 "6.18.2-arch2-1"

#define MODULES(version, pkgbase)                                                                  \
	"[/lib/modules/" version "]\nmodules.dep : \nvmlinuz = k\npkgbase = " pkgbase "\n"
#define RUNS(version) "[/proc/sys/kernel]\nosrelease = " version "\n"

/* "version pkgbase vmlinuz image[ runs]" a line. */
static const char *kernels_of(struct host *host)
{
	struct strbuf text = {0};
	const char *all;

	array_foreach(it, &host->kernels)
		strbuf_addf(&text, "%s %s %s %s%s\n", it->version, it->pkgbase ? it->pkgbase : "-",
			    it->vmlinuz ? it->vmlinuz : "-", it->image.path ? it->image.path : "-",
			    it->running ? " runs" : "");
	assert_int_equal(strbuf_to_arena(&text, host->arena, &all), 0);
	strbuf_done(&text);
	return all;
}

static void kernels_are_known_by_their_modules(void **state _unused_)
{
	static const struct {
		const char *text, *kernels;
	} rows[] = {
		{"[/boot]\nvmlinuz-linux = k\nvmlinuz-linux-lts = k\ninitramfs-linux.img = i\n"
		 "initramfs-linux-fallback.img = i\ninitramfs-linux-lts.img = i\n" MODULES(
			 V18, "linux") MODULES(V12, "linux-lts") RUNS(V18),
		 V12 " linux-lts /boot/vmlinuz-linux-lts /boot/initramfs-linux-lts.img\n" V18
		     " linux /boot/vmlinuz-linux /boot/initramfs-linux.img runs\n"},
		/* The package was upgraded, and somebody keeps the modules of what still runs. */
		{"[/boot]\nvmlinuz-linux = k\ninitramfs-linux.img = i\n" MODULES(V17, "linux")
			 MODULES(V18, "linux") RUNS(V17),
		 V17 " - - - runs\n" V18 " linux /boot/vmlinuz-linux /boot/initramfs-linux.img\n"},
		/* It lies where no entry of /boot is. */
		{"[/boot]\n" MODULES(V18, "linux") RUNS(V18), V18 " linux - - runs\n"},
		/* Modules that are gone, or that are of no package: a name is all there is. */
		{"[/boot]\nvmlinuz-linux = k\n", "linux - /boot/vmlinuz-linux -\n"},
		{"[/boot]\nvmlinuz-linux = k\n" MODULES(V18, "../linux"),
		 V18 " - - -\nlinux - /boot/vmlinuz-linux -\n"},
		/* Both kinds side by side. */
		{"[/boot]\nvmlinuz-linux = k\nvmlinuz-6.18.0 = k\ninitramfs-6.18.0.img = i\n"
		 "[/lib/modules/6.18.0]\nmodules.dep : \n" MODULES(V18, "linux"),
		 "6.18.0 - /boot/vmlinuz-6.18.0 /boot/initramfs-6.18.0.img\n" V18
		 " linux /boot/vmlinuz-linux -\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = observe_text(rows[i].text, &plain);

		assert_string_equal(kernels_of(host), rows[i].kernels);
	}
}

#define BOOT                                                                                       \
	"[/boot]\nvmlinuz-linux = k\nvmlinuz-linux-lts = k\n" MODULES(V18, "linux")                \
		MODULES(V12, "linux-lts")

static void entries_name_them(void **state _unused_)
{
	static const struct {
		const char *text;
		enum loader loader;
		const char *versions[5]; /* "" : not known */
	} rows[] = {
		{BOOT "[/boot/grub]\ngrub.cfg <<\n"
		      "\tmenuentry 'Arch Linux' {\n\t\tlinux /boot/vmlinuz-linux root=a rw\n\t}\n"
		      "\tmenuentry 'LTS' {\n\t\tlinux /@/boot/vmlinuz-linux-lts root=a rw\n\t}\n"
		      "\tmenuentry 'Zen' {\n\t\tlinux /boot/vmlinuz-linux-zen root=a rw\n\t}\n"
		      "\tmenuentry 'Plain' {\n\t\tlinux /boot/linux root=a rw\n\t}\n",
		 LOADER_GRUB,
		 {V18, V12, "", ""}},
		{BOOT "[/boot/loader/entries]\narch.conf <<\n\ttitle Arch Linux\n"
		      "\tlinux /vmlinuz-linux\n\tinitrd /initramfs-linux.img\n\toptions rw\n",
		 LOADER_ENTRIES,
		 {V18}},
		/* one that kernel-install made of the same kernel */
		{BOOT "[/boot/loader/entries]\nm-" V18 ".conf <<\n\tversion " V18 "\n"
		      "\tlinux /m/" V18 "/linux\n\toptions rw\n",
		 LOADER_SYSTEMD_BOOT,
		 {V18}},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = observe_text(rows[i].text, &plain);
		size_t n = 0;

		for (; rows[i].versions[n]; n++) {
			assert_true(n < host->boot.entries.n);
			assert_int_equal(host->boot.entries.at[n].loader, rows[i].loader);
			assert_text(host->boot.entries.at[n].kernel,
				    *rows[i].versions[n] ? rows[i].versions[n] : NULL);
		}
		assert_int_equal(host->boot.entries.n, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels_are_known_by_their_modules),
		cmocka_unit_test(entries_name_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
