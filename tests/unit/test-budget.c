/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a kernel line may become: the longest entry decides, with what its loader prepends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "budget.h"
#include "hosts.h"

/* A line of n bytes that says iommu=pt. */
static const char *line_of(struct arena *a, size_t n)
{
	char *line = arena_alloc(a, n + 1);

	assert_non_null(line);
	memset(line, 'x', n);
	if (n >= 9)
		memcpy(line, "iommu=pt ", 9);
	return line;
}

static void add_entry(struct host *host, enum loader loader, size_t n, bool recovery)
{
	struct host_entry *entry = array_add(host->arena, &host->boot.entries);

	assert_non_null(entry);
	*entry = (struct host_entry){
		.loader = loader,
		.kernel = "6.1.0-18-amd64",
		.options = line_of(host->arena, n),
		.recovery = recovery,
	};
}

/* "BOOT_IMAGE=(hd0,gpt99)/boot/vmlinuz-6.1.0-18-amd64 " has 51 bytes, one byte is the NUL. */
#define GRUB_ROOM    (2048 - 1 - 51)
#define PROXMOX_ROOM (2048 - 1 - 61)

static void the_longest_line_decides(void **state _unused_)
{
	static const struct {
		enum loader loader;
		size_t options;
		bool recovery;
		size_t running;
		const char *flags, *leaving;
		int excess;
	} rows[] = {
		{LOADER_GRUB, 100, false, 120, "iommu=pt pcie_aspm=off", "", 0},
		{LOADER_GRUB, GRUB_ROOM - 6, false, 0, "quiet", "", 0},
		{LOADER_GRUB, GRUB_ROOM - 5, false, 0, "quiet", "", 1},
		/* what is there costs nothing */
		{LOADER_GRUB, GRUB_ROOM, false, 0, "iommu=pt", "", 0},
		{LOADER_GRUB, GRUB_ROOM + 7, false, 0, "", "", 7},
		/* what goes makes room, and a line that becomes shorter is not too long by us */
		{LOADER_GRUB, GRUB_ROOM, false, 0, "quiet", "iommu=pt", 0},
		{LOADER_GRUB, GRUB_ROOM, false, 0, "quiet pci=nomsi", "iommu=pt", 7},
		{LOADER_GRUB, GRUB_ROOM + 70, false, 2100, "", "iommu=pt", 0},
		/* recovery entries are not ours */
		{LOADER_GRUB, GRUB_ROOM + 7, true, 0, "quiet", "", 0},
		{LOADER_PROXMOX, PROXMOX_ROOM - 6, false, 0, "quiet", "", 0},
		{LOADER_PROXMOX, PROXMOX_ROOM - 5, false, 0, "quiet", "", 1},
		/* the running line has its loader's part in it */
		{LOADER_GRUB, 100, false, 2047 - 6, "quiet", "", 0},
		{LOADER_GRUB, 100, false, 2047 - 4, "quiet", "", 2},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = host_new();
		struct words flags = split(host->arena, rows[i].flags);
		struct words leaving = split(host->arena, rows[i].leaving);

		host->cmdline = line_of(host->arena, rows[i].running);
		add_entry(host, LOADER_GRUB, 10, false);
		add_entry(host, rows[i].loader, rows[i].options, rows[i].recovery);
		assert_int_equal(cmdline_excess(host, &flags, &leaving), rows[i].excess);
	}
}

static void a_host_without_entries_has_its_running_line(void **state _unused_)
{
	_cleanup_host_ struct host *host = host_new();
	struct words flags = split(host->arena, "quiet");

	assert_int_equal(cmdline_excess(host, &flags, &(struct words){0}), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_line_decides),
		cmocka_unit_test(a_host_without_entries_has_its_running_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
