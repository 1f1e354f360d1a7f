/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of a domain of libvirt as elements and as one line of text. */
#include <errno.h>
#include <string.h>

#include "domain-xml.h"

/* --- XML -------------------------------------------------------------------------------------- */

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '\'':
		return "&apos;";
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	}
	return NULL;
}

static void add_escaped(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		const char *e = entity(*text);

		if (e)
			strbuf_add(out, e);
		else
			strbuf_addc(out, *text);
	}
}

static void add_attribute(struct strbuf *out, const char *name, const char *value)
{
	if (!value)
		return;
	strbuf_addf(out, " %s='", name);
	add_escaped(out, value);
	strbuf_add(out, "'");
}

static void add_source(struct strbuf *out, const struct domain_device *device)
{
	const struct pci_addr *addr = &device->addr;

	strbuf_add(out, "  <source");
	if (device->kind == DOMAIN_DISK)
		strbuf_addf(out, " type='pci' managed='%s'", device->managed ? "yes" : "no");
	strbuf_addf(out,
		    ">\n    <address%s domain='0x%04x' bus='0x%02x' slot='0x%02x' "
		    "function='0x%x'/>\n  </source>\n",
		    device->kind == DOMAIN_INTERFACE ? " type='pci'" : "", addr->domain, addr->bus,
		    addr->dev, addr->fn);
}

static void add_rom(struct strbuf *out, const struct domain_device *device)
{
	bool none = device->rom && strcmp(device->rom, "none") == 0;

	if (!device->rom && !device->rom_file)
		return;
	strbuf_add(out, "  <rom");
	add_attribute(out, none ? "enabled" : "bar", none ? "no" : device->rom);
	add_attribute(out, "file", device->rom_file);
	strbuf_add(out, "/>\n");
}

void domain_device_element(const struct domain_device *device, struct strbuf *out)
{
	static const struct {
		const char *name, *head;
	} words[_DOMAIN_DEVICE_MAX] = {
		[DOMAIN_HOSTDEV] = {"hostdev", "hostdev mode='subsystem' type='pci'"},
		[DOMAIN_INTERFACE] = {"interface", "interface type='hostdev'"},
		[DOMAIN_DISK] = {"disk", "disk type='nvme' device='disk'"},
	};

	strbuf_addf(out, "<%s", words[device->kind].head);
	if (device->kind != DOMAIN_DISK)
		add_attribute(out, "managed", device->managed ? "yes" : "no");
	strbuf_add(out, ">\n");
	if (device->driver) {
		strbuf_add(out, "  <driver");
		add_attribute(out, "model", device->driver);
		strbuf_add(out, "/>\n");
	}
	add_source(out, device);
	add_rom(out, device);
	strbuf_addf(out, "</%s>\n", words[device->kind].name);
}

void domain_xml_print(const struct domain_xml *domain, struct strbuf *out)
{
	strbuf_add(out, "<domain>\n<name>");
	add_escaped(out, domain->name);
	strbuf_addf(out, "</name>\n<os%s>\n", domain->uefi ? " firmware='efi'" : "");
	if (domain->machine) {
		strbuf_add(out, "<type");
		add_attribute(out, "machine", domain->machine);
		strbuf_add(out, ">hvm</type>\n");
	}
	strbuf_add(out, "</os>\n<devices>\n");
	array_foreach(it, &domain->devices)
		domain_device_element(it, out);
	strbuf_add(out, "</devices>\n</domain>\n");
}

/* --- one line --------------------------------------------------------------------------------- */

static const char *const prefixes[_DOMAIN_DEVICE_MAX] = {
	[DOMAIN_HOSTDEV] = "",
	[DOMAIN_INTERFACE] = "interface ",
	[DOMAIN_DISK] = "disk ",
};

const char *domain_device_text(struct arena *a, const struct domain_device *device)
{
	return arena_printf(a, "%smanaged=%s%s%s%s%s%s%s", prefixes[device->kind],
			    device->managed ? "yes" : "no", device->driver ? " driver=" : "",
			    device->driver ? device->driver : "", device->rom ? " rom=" : "",
			    device->rom ? device->rom : "", device->rom_file ? " rom-file=" : "",
			    device->rom_file ? device->rom_file : "");
}

/* Whether the text goes on with the word; then it is behind that. */
static bool skip(const char **text, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*text, word, n) != 0)
		return false;
	*text += n;
	return true;
}

/* One of the words that rom= has. */
static const char *rom_word(const char **text)
{
	static const char *const words[] = {"on", "off", "none"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (skip(text, words[i]))
			return words[i];
	return NULL;
}

int domain_device_parse(struct arena *a, const char *text, struct domain_device *ret)
{
	struct domain_device device = {.kind = DOMAIN_HOSTDEV};

	if (skip(&text, prefixes[DOMAIN_INTERFACE]))
		device.kind = DOMAIN_INTERFACE;
	else if (skip(&text, prefixes[DOMAIN_DISK]))
		device.kind = DOMAIN_DISK;
	device.managed = skip(&text, "managed=yes");
	if (!device.managed && !skip(&text, "managed=no"))
		return -EBADMSG;
	if (skip(&text, " driver=")) {
		size_t n = strcspn(text, " ");

		device.driver = arena_strndup(a, text, n);
		if (!device.driver)
			return -ENOMEM;
		text += n;
	}
	if (skip(&text, " rom=")) {
		device.rom = rom_word(&text);
		if (!device.rom)
			return -EBADMSG;
	}
	if (skip(&text, " rom-file=")) {
		device.rom_file = arena_strdup(a, text);
		if (!device.rom_file)
			return -ENOMEM;
		text = "";
	}
	if (*text)
		return -EBADMSG;
	*ret = device;
	return 0;
}
