/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pci.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "macro.h"

#define DOMAIN_DIGITS 8

/* Reads min..max hex digits; returns the end, NULL when there are not as many. */
static const char *hex(const char *text, int min, int max, uint32_t *ret)
{
	uint32_t value = 0;
	int n = 0;

	for (; n < max; n++) {
		char c = text[n];

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint32_t)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			value = value << 4 | (uint32_t)((c | 32) - 'a' + 10);
		else
			break;
	}
	if (n < min)
		return NULL;
	*ret = value;
	return text + n;
}

static const char *expect(const char *text, char c)
{
	return text && *text == c ? text + 1 : NULL;
}

/* "bb:dd" after an optional "dddd:". */
static const char *slot(const char *text, struct pci_addr *ret)
{
	const char *first = strchr(text, ':');
	const char *second = first ? strchr(first + 1, ':') : NULL;
	uint32_t domain = 0, bus, dev;

	if (second) {
		text = hex(text, 4, DOMAIN_DIGITS, &domain);
		text = expect(text, ':');
	}
	text = text ? hex(text, 2, 2, &bus) : NULL;
	text = expect(text, ':');
	text = text ? hex(text, 2, 2, &dev) : NULL;
	if (!text || dev > 0x1f)
		return NULL;
	*ret = (struct pci_addr){.domain = domain, .bus = (uint8_t)bus, .dev = (uint8_t)dev};
	return text;
}

int pci_slot_parse(const char *text, struct pci_addr *ret)
{
	struct pci_addr addr;

	text = slot(text, &addr);
	if (!text || *text)
		return -EINVAL;
	*ret = addr;
	return 0;
}

int pci_addr_parse(const char *text, struct pci_addr *ret)
{
	struct pci_addr addr;

	text = expect(slot(text, &addr), '.');
	if (!text || text[0] < '0' || text[0] > '7' || text[1])
		return -EINVAL;
	addr.fn = (uint8_t)(text[0] - '0');
	*ret = addr;
	return 0;
}

const char *pci_addr_format(struct pci_addr addr, char ret[static PCI_ADDR_TEXT_SIZE])
{
	snprintf(ret, PCI_ADDR_TEXT_SIZE, "%04x:%02x:%02x.%x", addr.domain, addr.bus, addr.dev,
		 addr.fn);
	return ret;
}

int pci_addr_compare(struct pci_addr a, struct pci_addr b)
{
	uint32_t la = (uint32_t)a.bus << 16 | (uint32_t)a.dev << 8 | a.fn;
	uint32_t lb = (uint32_t)b.bus << 16 | (uint32_t)b.dev << 8 | b.fn;

	if (a.domain != b.domain)
		return a.domain < b.domain ? -1 : 1;
	return la < lb ? -1 : la > lb;
}

bool pci_addr_same_slot(struct pci_addr a, struct pci_addr b)
{
	return a.domain == b.domain && a.bus == b.bus && a.dev == b.dev;
}

int pci_id_parse(const char *text, struct pci_id *ret)
{
	struct pci_id id = {.subvendor = PCI_ANY, .subdevice = PCI_ANY};

	text = hex(text, 4, 4, &id.vendor);
	text = expect(text, ':');
	text = text ? hex(text, 4, 4, &id.device) : NULL;
	if (text && *text) {
		text = expect(text, ':');
		text = text ? hex(text, 4, 4, &id.subvendor) : NULL;
		text = expect(text, ':');
		text = text ? hex(text, 4, 4, &id.subdevice) : NULL;
	}
	if (!text || *text)
		return -EINVAL;
	*ret = id;
	return 0;
}

const char *pci_id_format(const struct pci_id *id, char ret[static PCI_ID_TEXT_SIZE])
{
	if (id->subvendor == PCI_ANY || id->subdevice == PCI_ANY)
		snprintf(ret, PCI_ID_TEXT_SIZE, "%04x:%04x", id->vendor, id->device);
	else
		snprintf(ret, PCI_ID_TEXT_SIZE, "%04x:%04x:%04x:%04x", id->vendor, id->device,
			 id->subvendor, id->subdevice);
	return ret;
}

bool pci_id_match(const struct pci_id *pattern, const struct pci_id *id)
{
	return pci_id_same_model(pattern, id) &&
	       (pattern->subvendor == PCI_ANY || pattern->subvendor == id->subvendor) &&
	       (pattern->subdevice == PCI_ANY || pattern->subdevice == id->subdevice);
}

bool pci_id_same_model(const struct pci_id *a, const struct pci_id *b)
{
	return a->vendor == b->vendor && a->device == b->device;
}

/* Class codes of the PCI Code and ID Assignment Specification that people name. */
static const struct class_row {
	const char *name; /* in a selector */
	const char *word; /* in a listing */
	uint32_t class, mask;
} class_rows[] = {
	{"vga", "VGA", 0x030000, 0xffff00},
	{"3d", "3D", 0x030200, 0xffff00},
	{"display", "display", 0x030000, 0xff0000},
	{"nvme", "NVMe", 0x010802, 0xffffff},
	{"sata", "SATA", 0x010600, 0xffff00},
	{"storage", "storage", 0x010000, 0xff0000},
	{"ethernet", "Ethernet", 0x020000, 0xffff00},
	{"network", "network", 0x020000, 0xff0000},
	{"hd-audio", "audio", 0x040300, 0xffff00},
	{"audio", "audio", 0x040100, 0xffff00},
	{"multimedia", "multimedia", 0x040000, 0xff0000},
	{"usb", "USB", 0x0c0300, 0xffff00},
	{"serial-bus", "serial bus", 0x0c0000, 0xff0000},
	{"wireless", "wireless", 0x0d0000, 0xff0000},
	{"accelerator", "accelerator", 0x120000, 0xff0000},
	{"bridge", "bridge", 0x060000, 0xff0000},
	{"memory", "memory", 0x050000, 0xff0000},
	{"communication", "communication", 0x070000, 0xff0000},
	{"system", "system", 0x080000, 0xff0000},
	{"encryption", "encryption", 0x100000, 0xff0000},
	{"signal", "signal", 0x110000, 0xff0000},
};

int pci_class_parse(const char *text, uint32_t *ret_class, uint32_t *ret_mask)
{
	uint32_t value;
	size_t n = strlen(text);
	const char *end = hex(text, 1, 6, &value);

	for (size_t i = 0; i < ARRAY_LEN(class_rows); i++) {
		if (strcasecmp(class_rows[i].name, text) != 0)
			continue;
		*ret_class = class_rows[i].class;
		*ret_mask = class_rows[i].mask;
		return 0;
	}
	if (!end || *end || (n != 2 && n != 4 && n != 6))
		return -EINVAL;
	*ret_class = value << (24 - 4 * n);
	*ret_mask = 0xffffffu << (24 - 4 * n) & 0xffffffu;
	return 0;
}

bool pci_class_is_display(uint32_t class)
{
	return class >> 16 == 0x03;
}

const char *pci_class_word(uint32_t class)
{
	for (size_t i = 0; i < ARRAY_LEN(class_rows); i++)
		if ((class & class_rows[i].mask) == class_rows[i].class)
			return class_rows[i].word;
	return "other";
}

const char *pci_class_name_at(unsigned n)
{
	return n < ARRAY_LEN(class_rows) ? class_rows[n].name : NULL;
}
