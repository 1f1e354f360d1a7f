/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FAT file systems that mkfs.vfat and mtools make: what was put there is found and read. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fat.h"
#include "macro.h"

static int read_file(void *ctx, uint64_t at, size_t n, void *to)
{
	ssize_t got = pread(*(int *)ctx, to, n, (off_t)at);

	return got < 0 ? -errno : (size_t)got == n ? 0 : -EIO;
}

/* A long name, a deep folder, a file of many clusters with another one between, one that is gone.
 */
static const char making[] =
	"set -e; d=$(mktemp -d); cd \"$d\"; export MTOOLS_SKIP_CHECK=1\n"
	"truncate -s \"$2\" disk; mkfs.vfat $3 disk >/dev/null\n"
	"mmd -i disk ::/EFI ::/EFI/proxmox ::/EFI/proxmox/6.8.12-4-pve ::/loader "
	"::/loader/entries\n"
	"printf 'title Proxmox\\n' > e; mcopy -i disk e "
	"'::/loader/entries/proxmox-6.8.12-4-pve.conf'\n"
	"i=0; while [ $i -lt 40 ]; do printf x > s; mcopy -i disk s ::/f$i.txt; i=$((i+1)); done\n"
	"i=0; while [ $i -lt 40 ]; do mdel -i disk ::/f$i.txt; i=$((i+2)); done\n"
	"seq 1 40000 > big; mcopy -i disk big ::/EFI/proxmox/6.8.12-4-pve/initrd.img-6.8.12-4-pve\n"
	": > e; mcopy -i disk e ::/EMPTY\n"
	"mv disk \"$1\"; cd /; rm -rf \"$d\"\n";

struct disk {
	char path[64];
	int fd;
	struct arena *arena;
	struct fat *fat;
};

static void make(struct disk *d, const char *size, const char *options)
{
	char command[sizeof(making) + 256];

	snprintf(d->path, sizeof(d->path), "/tmp/pthru-fat-%d", (int)getpid());
	snprintf(command, sizeof(command), "PATH=$PATH:/usr/sbin:/sbin; set -- '%s' '%s' '%s'\n%s",
		 d->path, size, options, making);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test's own words */
	d->fd = open(d->path, O_RDWR | O_CLOEXEC);
	assert_true(d->fd >= 0);
	d->arena = arena_new();
	assert_int_equal(fat_open(d->arena, (struct fat_source){read_file, &d->fd}, &d->fat), 0);
}

static void done(struct disk *d)
{
	close(d->fd);
	unlink(d->path);
	arena_free(d->arena);
}

static void check_text(struct disk *d, const char *path, const char *text)
{
	struct fat_node node;
	const char *found;

	assert_int_equal(fat_find(d->fat, path, d->arena, &node), 0);
	assert_false(node.folder);
	assert_int_equal(fat_read(d->fat, &node, 1u << 20, d->arena, &found), 0);
	assert_int_equal(node.size, strlen(text));
	assert_string_equal(found, text);
}

static void check_big(struct disk *d)
{
	struct fat_node node;
	const char *found;
	char *end;

	assert_int_equal(fat_find(d->fat, "/efi/Proxmox/6.8.12-4-PVE/INITRD.IMG-6.8.12-4-pve",
				  d->arena, &node),
			 0);
	assert_int_equal(fat_read(d->fat, &node, node.size - 1, d->arena, &found), -EFBIG);
	assert_int_equal(fat_read(d->fat, &node, node.size, d->arena, &found), 0);
	for (long i = 1; i <= 40000; i++, found = end)
		assert_int_equal(strtol(found, &end, 10), i);
	assert_string_equal(found, "\n");
}

static void reads(const char *size, const char *options)
{
	struct disk d;
	struct fat_node node;
	struct words names = {0};

	make(&d, size, options);
	check_text(&d, "/loader/entries/proxmox-6.8.12-4-pve.conf", "title Proxmox\n");
	check_text(&d, "/f1.txt", "x");
	check_text(&d, "/EMPTY", "");
	check_big(&d);
	assert_int_equal(fat_find(d.fat, "/f2.txt", d.arena, &node), -ENOENT);
	assert_int_equal(fat_find(d.fat, "/f1.txt/x", d.arena, &node), -ENOTDIR);
	assert_int_equal(fat_find(d.fat, "/EFI", d.arena, &node), 0);
	assert_int_equal(fat_list(d.fat, &node, d.arena, &names), 0);
	assert_int_equal(names.n, 1);
	assert_string_equal(names.at[0], "proxmox");
	names.n = 0;
	assert_int_equal(fat_find(d.fat, "//", d.arena, &node), 0);
	assert_int_equal(fat_list(d.fat, &node, d.arena, &names), 0);
	assert_int_equal(names.n, 3 + 20);
	done(&d);
}

static void reads_12_bits(void **state _unused_)
{
	reads("4M", "-F 12");
}

static void reads_16_bits(void **state _unused_)
{
	reads("32M", "-F 16");
}

static void reads_32_bits(void **state _unused_)
{
	reads("64M", "-F 32 -s 1");
}

static void reads_large_sectors(void **state _unused_)
{
	reads("128M", "-F 16 -S 2048");
}

/* A file that is cut: its clusters end before it does. */
static void a_cut_file_is_bad(void **state _unused_)
{
	struct disk d;
	struct fat_node node;
	const char *found;

	make(&d, "32M", "-F 16");
	assert_int_equal(fat_find(d.fat, "/EFI/proxmox/6.8.12-4-pve/initrd.img-6.8.12-4-pve",
				  d.arena, &node),
			 0);
	node.size *= 2;
	assert_int_equal(fat_read(d.fat, &node, 1u << 30, d.arena, &found), -EBADMSG);
	node.size = UINT32_MAX;
	assert_int_equal(fat_read(d.fat, &node, SIZE_MAX, d.arena, &found), -EBADMSG);
	done(&d);
}

static void other_disks_are_none(void **state _unused_)
{
	static const char *const options[] = {"/dev/zero", "/dev/urandom"};
	_cleanup_arena_ struct arena *a = arena_new();
	struct fat *fat;

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		_cleanup_close_ int fd = open(options[i], O_RDONLY | O_CLOEXEC);

		assert_int_equal(fat_open(a, (struct fat_source){read_file, &fd}, &fat), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_12_bits),     cmocka_unit_test(reads_16_bits),
		cmocka_unit_test(reads_32_bits),     cmocka_unit_test(reads_large_sectors),
		cmocka_unit_test(a_cut_file_is_bad), cmocka_unit_test(other_disks_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
