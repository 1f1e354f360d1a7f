/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a PCI function has a Device Serial Number, for udev's rules and the scripts of an
 * initramfs, which cannot read configuration space. Needs libc alone. Anything unexpected is "no".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "pci-config.h"

#define DEVICES "/sys/bus/pci/devices"

static bool sound_address(const char *text)
{
	size_t n = strspn(text, "0123456789abcdefABCDEF:.");

	return n && !text[n] && strchr(text, ':');
}

/* How many bytes of the attribute were read, or a negative errno. */
static ssize_t read_all(const char *folder, const char *address, const char *name, void *to,
			size_t size)
{
	char path[4096];
	size_t have = 0;
	ssize_t n = 1;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s/%s", folder, address, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (have < size && (n = read(fd, (char *)to + have, size - have)) > 0)
		have += (size_t)n;
	n = n < 0 ? -errno : (ssize_t)have;
	close(fd);
	return n;
}

/* Newer kernels say it themselves. False: this one does not. */
static bool from_attribute(const char *folder, const char *address,
			   char ret[static PCI_SERIAL_SIZE])
{
	ssize_t n = read_all(folder, address, "serial_number", ret, PCI_SERIAL_SIZE);

	if (n == -ENOENT)
		return false;
	if (n == (ssize_t)PCI_SERIAL_SIZE && ret[PCI_SERIAL_SIZE - 1] == '\n')
		n--;
	ret[n == (ssize_t)PCI_SERIAL_SIZE - 1 ? n : 0] =
		'\0'; /* what is no serial number is empty */
	return true;
}

/* From configuration space; empty without the capability, or where only 64 bytes can be read. */
static void from_config(const char *folder, const char *address, char ret[static PCI_SERIAL_SIZE])
{
	unsigned char config[PCI_CONFIG_SIZE];
	ssize_t size = read_all(folder, address, "config", config, sizeof(config));
	const unsigned char *found = size > 0 ? pci_extended(config, (size_t)size,
							     PCI_EXTENDED_SERIAL, PCI_SERIAL_LENGTH)
					      : NULL;

	ret[0] = '\0';
	if (found)
		pci_serial_text(found, ret);
}

int main(int argc, char **argv)
{
	const char *folder = argc == 4 ? argv[3] : DEVICES;
	char serial[PCI_SERIAL_SIZE];

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "Usage: pci-serial ADDRESS SERIAL [FOLDER]\n"
				"Exits 0 if the PCI function at ADDRESS has this Device Serial "
				"Number, and\n"
				"1 if it has another, has none, or cannot be read. FOLDER stands "
				"for\n" DEVICES ".\n");
		return 2;
	}
	if (!sound_address(argv[1]))
		return 1;
	if (!from_attribute(folder, argv[1], serial))
		from_config(folder, argv[1], serial);
	return serial[0] && strcasecmp(serial, argv[2]) == 0 ? 0 : 1;
}
