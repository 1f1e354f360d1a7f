/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may be written at all: allowed bytes (2.7) and flags that would stop the boot. */
#include <string.h>

#include "kcmdline-token.h"
#include "kcmdline.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"

/* Safe in a grub.cfg without quotes (2.7), hence also in modprobe.d and on a kernel line. */
#define SAFE LETTERS DIGITS "._:,=/+@%-"

/* The kernel's MODULE_NAME_LEN is 56 on 64-bit machines and counts the final NUL. */
#define MODULE_NAME_MAX 55

static const struct {
	const char *name, *why;
} refused[] = {
	{"root", "names the root file system, which is not ours to change"},
	{"rootflags", "belongs to the root file system, which is not ours to change"},
	{"init", "replaces the first program, so that the host may not boot"},
	{"rdinit", "replaces the first program, so that the host may not boot"},
	{"initrd", "is set by the boot loader"},
	{"BOOT_IMAGE", "is set by the boot loader"},
	{"single", "boots into a rescue shell instead of the system"},
	{"emergency", "boots into a rescue shell instead of the system"},
	{"rescue", "boots into a rescue shell instead of the system"},
	{"rd.emergency", "boots into a rescue shell instead of the system"},
	{"rd.rescue", "boots into a rescue shell instead of the system"},
	{"break", "stops the boot in the initramfs"},
	{"rd.break", "stops the boot in the initramfs"},
	{"systemd.unit", "boots into another target"},
	{"rd.systemd.unit", "boots into another target"},
	/* systemd takes these for runlevels, as it does bare digits. */
	{"s", "is a runlevel and boots into a rescue shell"},
	{"S", "is a runlevel and boots into a rescue shell"},
	{"-s", "is a runlevel and boots into a rescue shell"},
	{"-b", "is a runlevel and boots into a rescue shell"},
};

const char *kflag_refused(const char *flag)
{
	struct piece name, value;

	if (!*flag)
		return "is empty";
	if (flag[strspn(flag, SAFE)])
		return "has characters other than letters, digits and ._:,=/+@%-";
	if (*flag == '=')
		return "has no name";
	token_split(flag, strlen(flag), &name, &value);
	if (strspn(name.at, "-") >= name.len)
		return "ends the kernel's part of the line";
	if (strspn(name.at, DIGITS) >= name.len)
		return "is a runlevel, so that the host may not come up as usual";
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (piece_names(name, refused[i].name))
			return refused[i].why;
	return NULL;
}

const char *option_value_refused(const char *value)
{
	if (!*value)
		return "is empty";
	if (value[strspn(value, SAFE)])
		return "has characters other than letters, digits and ._:,=/+@%-";
	return NULL;
}

const char *module_name_refused(const char *name)
{
	if (!*name)
		return "is empty";
	if (name[strspn(name, LETTERS DIGITS "_-")])
		return "has characters other than letters, digits, _ and -";
	if (*name == '-')
		return "begins with -";
	if (strlen(name) > MODULE_NAME_MAX)
		return "is longer than the kernel's 55 characters";
	return NULL;
}
