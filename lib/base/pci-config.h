/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What observing a host and daemon/pci-serial.c, which has nothing but libc, both read in a
 * function's configuration space. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PCI_CONFIG_SIZE	    4096
#define PCI_CONFIG_EXTENDED 0x100  /* where extended capabilities begin */
#define PCI_EXTENDED_SERIAL 0x0003 /* Device Serial Number: two dwords after the header */
#define PCI_SERIAL_LENGTH   12	   /* bytes of it, the header too */
#define PCI_SERIAL_SIZE	    sizeof("00-11-22-33-44-55-66-77")

static inline uint32_t pci_dword(const unsigned char *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

/*
 * The extended capability of that id with length bytes, in size bytes of configuration space. NULL:
 * there is none, or not all of it could be read.
 */
static inline const unsigned char *pci_extended(const unsigned char *config, size_t size,
						uint32_t id, size_t length)
{
	size_t at = PCI_CONFIG_EXTENDED;

	/* Capabilities are 4 bytes apart at least: a loop ends with the count. */
	for (unsigned i = 0; i < PCI_CONFIG_SIZE / 4 && at >= PCI_CONFIG_EXTENDED && at + 4 <= size;
	     i++) {
		uint32_t header = pci_dword(config + at);

		if ((header & 0xffff) == id)
			return at + length <= size ? config + at : NULL;
		at = header >> 20 & 0xffc;
	}
	return NULL;
}

/* As lspci and newer kernels' serial_number write it; capability is PCI_EXTENDED_SERIAL. */
static inline void pci_serial_text(const unsigned char *capability,
				   char ret[static PCI_SERIAL_SIZE])
{
	const unsigned char *s = capability + 4;

	snprintf(ret, PCI_SERIAL_SIZE, "%02x-%02x-%02x-%02x-%02x-%02x-%02x-%02x", s[7], s[6], s[5],
		 s[4], s[3], s[2], s[1], s[0]);
}
