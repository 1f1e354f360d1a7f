/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI addresses and ids: parse, print, compare. Pure. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

struct pci_addr {
	uint32_t domain; /* wider than 16 bits on VMD and Hyper-V hosts */
	uint8_t bus, dev, fn;
};

#define PCI_ADDR_TEXT_SIZE 24

/* Reads "[dddd:]bb:dd.f", either case. Returns 0 or -EINVAL. */
int pci_addr_parse(const char *text, struct pci_addr *ret);

/* Reads a slot "[dddd:]bb:dd" (fn is 0 then). Returns 0 or -EINVAL. */
int pci_slot_parse(const char *text, struct pci_addr *ret);

/* Writes "dddd:bb:dd.f" in lower case; returns ret. */
const char *pci_addr_format(struct pci_addr addr, char ret[static PCI_ADDR_TEXT_SIZE]);

int pci_addr_compare(struct pci_addr a, struct pci_addr b);
bool pci_addr_same_slot(struct pci_addr a, struct pci_addr b);

#define PCI_ANY UINT32_MAX

/* Ids; subvendor and subdevice are PCI_ANY in a pattern that does not name them. */
struct pci_id {
	uint32_t vendor, device, subvendor, subdevice;
};

#define PCI_ID_TEXT_SIZE 24

/* Reads "vvvv:dddd[:ssss:ssss]", hex in either case. Returns 0 or -EINVAL. */
int pci_id_parse(const char *text, struct pci_id *ret);

/* Writes "vvvv:dddd", and ":ssss:ssss" where the subsystem is known; returns ret. */
const char *pci_id_format(const struct pci_id *id, char ret[static PCI_ID_TEXT_SIZE]);

/* Whether the device's id fits the pattern. */
bool pci_id_match(const struct pci_id *pattern, const struct pci_id *id);

/* Equal vendor and device: what vfio-pci ids= would catch (fact 7.3). */
bool pci_id_same_model(const struct pci_id *a, const struct pci_id *b);

/*
 * Reads a class: 2, 4 or 6 hex digits, or a documented word ("display", "vga", "network", "nvme",
 * "usb", "audio", ...). ret_mask has ones where digits were given; class is 24 bits.
 * Returns 0 or -EINVAL.
 */
int pci_class_parse(const char *text, uint32_t *ret_class, uint32_t *ret_mask);

/* Whether it is one of a display: VGA, 3D and the like. */
bool pci_class_is_display(uint32_t class);

/* A short word for people: "VGA", "NVMe", "Ethernet", "USB", "audio", "bridge", ... */
const char *pci_class_word(uint32_t class);

/* The n-th word pci_class_parse knows, NULL past the end: for manual and schema. */
const char *pci_class_name_at(unsigned n);
