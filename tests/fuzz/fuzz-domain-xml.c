/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a domain of libvirt. What was read is the same when it is printed and read again,
 * as XML and as a line; and any bytes as such a line.
 */
#include "must.h"

#include "domain-xml.h"

static bool equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void same(struct arena *a, const struct domain_device *x, const struct domain_device *y)
{
	const char *one = domain_device_text(a, x), *other = domain_device_text(a, y);

	MUST(one && other && strcmp(one, other) == 0 && x->kind == y->kind);
}

static void try_domain(struct arena *a, const char *text, size_t size)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	struct domain_xml domain, again;
	const char *why = NULL;
	int err = domain_xml_parse(a, text, size, &domain, &why);

	if (err < 0) {
		MUST(err == -EBADMSG && why && *why);
		return;
	}
	domain_xml_print(&domain, &out);
	MUST(domain_xml_parse(a, strbuf_text(&out), out.len, &again, &why) == 0);
	MUST(equal(domain.name, again.name) && equal(domain.machine, again.machine));
	MUST(domain.uefi == again.uefi && domain.devices.n == again.devices.n);
	for (size_t i = 0; i < domain.devices.n; i++) {
		struct domain_device *device = &domain.devices.at[i], line;

		same(a, device, &again.devices.at[i]);
		MUST(pci_addr_compare(device->addr, again.devices.at[i].addr) == 0);
		MUST(domain_device_parse(a, domain_device_text(a, device), &line) == 0);
		same(a, device, &line);
	}
}

static void try_line(struct arena *a, const char *text)
{
	struct domain_device device, again;

	if (domain_device_parse(a, text, &device) < 0)
		return;
	MUST(domain_device_parse(a, domain_device_text(a, &device), &again) == 0);
	same(a, &device, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text;

	must_split(a, data, size, &text, 1);
	try_domain(a, text, size);
	try_line(a, text);
	return 0;
}
