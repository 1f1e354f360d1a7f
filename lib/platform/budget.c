/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "budget.h"

#include <string.h>

#include "flags.h"

/* Bytes for the flags that the line lacks, each with its blank; -ENOMEM. */
static long lacking(struct arena *a, const char *line, const struct words *flags)
{
	long n = 0;

	array_foreach(flag, flags) {
		int r = flag_in_force(a, line, *flag);

		if (r < 0)
			return r;
		if (r == 0)
			n += 1 + (long)strlen(*flag);
	}
	return n;
}

/* Bytes of the flags that go from the line; -ENOMEM. */
static long freed(struct arena *a, const char *line, const struct words *flags)
{
	const char *rest = line;

	array_foreach(flag, flags) {
		int err = kcmdline_remove(a, rest, *flag, &rest);

		if (err == -ENOMEM)
			return err;
	}
	return (long)(strlen(line) - strlen(rest));
}

/* How long the line becomes; 0 when that is shorter than it is. -ENOMEM. */
static long length_after(struct arena *a, const char *line, const struct words *flags,
			 const struct words *leaving)
{
	long more = lacking(a, line, flags), less = more < 0 ? more : freed(a, line, leaving);

	if (less < 0)
		return less;
	return more < less ? 0 : (long)strlen(line) + more - less;
}

/* The longest form of what a loader prepends, with the blank that follows it. */
static long prepended(const struct host_entry *entry)
{
	long version = entry->kernel ? (long)strlen(entry->kernel) : 64;

	switch (entry->loader) {
	case LOADER_GRUB:
	case LOADER_BLS: /* Red Hat's form, on Debian shorter (1.18) */
		return (long)strlen("BOOT_IMAGE=(hd0,gpt99)/boot/vmlinuz- ") + version;
	case LOADER_SYSTEMD_BOOT: /* the entry token is a machine id (3.11) */
		return (long)strlen("initrd=\\\\/initrd.img-") + 32 + 2 * version + 1;
	case LOADER_ENTRIES: /* microcode has an image of its own */
		return (long)strlen("initrd=\\amd-ucode.img initrd=\\initramfs--fallback.img ") +
		       32;
	case LOADER_PROXMOX:
		return (long)strlen("initrd=\\EFI\\proxmox\\\\initrd.img- ") + 2 * version;
	case LOADER_EXTLINUX: /* U-Boot hands on what stands there */
	case LOADER_UNIFIED:  /* as the stub does */
	case LOADER_NONE:
	case _LOADER_MAX:
	case _LOADER_INVALID:
		break;
	}
	return 0;
}

int cmdline_excess(const struct host *host, const struct words *flags, const struct words *leaving)
{
	_cleanup_arena_ struct arena *a = arena_new();
	long most, n;

	if (!a)
		return -ENOMEM;
	/* What /proc/cmdline shows has the loader's part in it already (1.17, 1.18). */
	most = length_after(a, host->cmdline, flags, leaving);
	if (most < 0)
		return (int)most;
	array_foreach(entry, &host->boot.entries) {
		n = entry->recovery ? 0 : length_after(a, entry->options, flags, leaving);
		if (n < 0)
			return (int)n;
		if (n)
			n += prepended(entry);
		if (n > most)
			most = n;
	}
	return most + 1 > CMDLINE_SIZE ? (int)(most + 1 - CMDLINE_SIZE) : 0;
}
