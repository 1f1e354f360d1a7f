/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hosts, specs and ledgers as text, so that a test is a table of readable rows. Words are
 * separated by blanks; KEY="some text" keeps blanks. A line each:
 *
 *   host    "@ vendor=intel virt dmar active ..."   what the machine is
 *           "01:00.0 10de:1b81 030000 driver=nouveau group=1 use=root:\"sda1, mounted on /\""
 *   spec    "@ unsafe no-iommu"
 *           "gpu id=10de:1b81 accept=in-use,no-reset functions=0,1 count=2"
 *   ledger  "gpu 01:00.0 10de:1b81 driver=vfio-pci previous=nouveau serial=\"mac 52:54:...\""
 *           ";" in a serial parts its lines
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "ledger.h"
#include "spec.h"

/* The next word of *at, without its quotes; NULL at the end of the line. */
static inline char *made_word(struct arena *a, const char **at)
{
	char *word, *to;
	bool quoted = false;

	*at += strspn(*at, " ");
	if (!**at || **at == '\n')
		return NULL;
	word = to = arena_strdup(a, *at);
	for (; **at && (quoted || (**at != ' ' && **at != '\n')); (*at)++) {
		if (**at == '"')
			quoted = !quoted;
		else
			*to++ = **at;
	}
	*to = '\0';
	return word;
}

static inline const char *made_next_line(const char *at)
{
	at = strchrnul(at, '\n');
	return *at ? at + 1 : at;
}

/* The value behind "KEY=", "" for a bare KEY, NULL for another word. */
static inline const char *made_value(const char *word, const char *key)
{
	size_t n = strlen(key);

	if (strncmp(word, key, n) != 0)
		return NULL;
	return word[n] == '=' ? word + n + 1 : word[n] ? NULL : "";
}

static inline struct pci_addr made_addr(const char *text)
{
	struct pci_addr addr = {0};

	if (pci_addr_parse(text, &addr) < 0)
		fail_msg("address %s", text);
	return addr;
}

static inline enum tristate made_tristate(const char *text)
{
	return strcmp(text, "yes") == 0 ? YES : strcmp(text, "no") == 0 ? NO : UNKNOWN;
}

static inline void made_machine(struct host *host, const char *word)
{
	struct arena *a = host->arena;
	const char *v;

	if ((v = made_value(word, "vendor")))
		host->cpu.vendor = cpu_vendor_from_name(v);
	else if ((v = made_value(word, "model")))
		host->cpu.model = v;
	else if (made_value(word, "virt"))
		host->cpu.virt = true;
	else if ((v = made_value(word, "locked")))
		host->cpu.virt_locked = made_tristate(v);
	else if ((v = made_value(word, "locked-why")))
		host->cpu.virt_evidence = v;
	else if ((v = made_value(word, "firmware")))
		host->iommu.firmware = made_tristate(v);
	else if (made_value(word, "dmar"))
		host->iommu.dmar = true, host->iommu.firmware = YES;
	else if (made_value(word, "ivrs"))
		host->iommu.ivrs = true, host->iommu.firmware = YES;
	else if (made_value(word, "active"))
		host->iommu.active = true;
	else if ((v = made_value(word, "groups")))
		host->iommu.groups = (unsigned)atoi(v);
	else if ((v = made_value(word, "remap")))
		host->iommu.remapping = made_tristate(v);
	else if ((v = made_value(word, "remap-why")))
		host->iommu.remapping_evidence = v;
	else if ((v = made_value(word, "off")))
		host->iommu.off_evidence = v;
	else if ((v = made_value(word, "cmdline")))
		host->cmdline = v, host->cmdline_known = true;
	else if ((v = made_value(word, "boot")))
		host->boot_id = v;
	else if ((v = made_value(word, "unknown")))
		words_add(a, &host->unknown_flags, v);
	else if ((v = made_value(word, "runs")))
		host->running_version = v;
	else if (made_value(word, "live"))
		host->live_root = true;
	else if (made_value(word, "serial-tool"))
		host->pci_serial_tool = true;
	else if ((v = made_value(word, "builtin"))) /* of an installed kernel */
		array_push(
			a, &host->kernels,
			((struct host_kernel){.version = "6.1.0",
					      .vmlinuz = "/boot/vmlinuz-6.1.0",
					      .running = true,
					      .iommu_default_on = UNKNOWN,
					      .modules_dep = "vfio-pci.ko:\nvfio_iommu_type1.ko:\n",
					      .modules_builtin = arena_printf(a, "%s.ko\n", v),
					      .modules_softdep = "",
					      .modules_alias = ""}));
	else if ((v = made_value(word, "entry")))
		array_push(a, &host->boot.entries,
			   ((struct host_entry){.loader = LOADER_GRUB,
						.source = "/boot/grub/grub.cfg",
						.line = 10,
						.options = v}));
	else if ((v = made_value(word, "kernel")))
		array_push(a, &host->kernels,
			   ((struct host_kernel){.version = "6.1.0",
						 .running = true,
						 .iommu_default_on = made_tristate(v)}));
	else
		fail_msg("host word %s", word);
}

static inline enum use_kind made_use_kind(const char *text, size_t n)
{
	for (int i = 0; i < _USE_KIND_MAX; i++)
		if (strlen(use_kind_name((enum use_kind)i)) == n &&
		    strncmp(use_kind_name((enum use_kind)i), text, n) == 0)
			return (enum use_kind)i;
	fail_msg("use %s", text);
	return _USE_KIND_INVALID;
}

static inline void made_function(struct host *host, struct host_device *d, const char *word)
{
	struct arena *a = host->arena;
	const char *v;

	if ((v = made_value(word, "driver")))
		d->driver = v;
	else if ((v = made_value(word, "taken")))
		d->taken = v;
	else if ((v = made_value(word, "group")))
		d->group = atoi(v);
	else if ((v = made_value(word, "parent")))
		d->parent = made_addr(v), d->has_parent = true;
	else if ((v = made_value(word, "vf")))
		d->physfn = made_addr(v), d->is_vf = true;
	else if ((v = made_value(word, "vfs")))
		d->vfs = (unsigned)atoi(v);
	else if (made_value(word, "reset"))
		d->has_reset = true;
	else if ((v = made_value(word, "methods")))
		d->reset_methods = v;
	else if (made_value(word, "rmrr"))
		d->reserved_region = true;
	else if (made_value(word, "boot-vga"))
		d->boot_vga = true;
	else if (made_value(word, "builtin-driver"))
		d->driver_builtin = true;
	else if ((v = made_value(word, "module")))
		d->driver_module = v;
	else if ((v = made_value(word, "override")))
		d->override = v;
	else if ((v = made_value(word, "label")))
		d->label = v;
	else if ((v = made_value(word, "acs")))
		d->acs = made_tristate(v);
	else if ((v = made_value(word, "serial")))
		words_add(a, &d->serials, v);
	else if ((v = made_value(word, "pcie-serial")))
		d->pcie_serial = v, words_add(a, &d->serials, v);
	else if ((v = made_value(word, "mac")))
		words_add(a, &d->macs, v);
	else if ((v = made_value(word, "vendor")))
		d->vendor_name = v;
	else if ((v = made_value(word, "name")))
		d->device_name = v;
	else if ((v = made_value(word, "use")))
		array_push(a, &d->uses,
			   ((struct host_use){made_use_kind(v, strcspn(v, ":")),
					      v + strcspn(v, ":") + (strchr(v, ':') ? 1 : 0)}));
	else
		fail_msg("function word %s", word);
}

/* Functions must stand in address order, as in every host. */
static inline struct host *made_host(const char *text)
{
	struct host *host = host_new();

	for (const char *line = text; *line; line = made_next_line(line)) {
		const char *at = line;
		char *word = made_word(host->arena, &at);
		struct host_device *d;
		uint32_t mask;

		if (!word)
			continue;
		if (strcmp(word, "@") == 0) {
			while ((word = made_word(host->arena, &at)))
				made_machine(host, word);
			continue;
		}
		d = array_add(host->arena, &host->devices);
		d->addr = made_addr(word);
		assert_true(d == host->devices.at || pci_addr_compare(d[-1].addr, d->addr) < 0);
		d->group = -1;
		d->acs = UNKNOWN;
		assert_int_equal(pci_id_parse(made_word(host->arena, &at), &d->id), 0);
		assert_int_equal(pci_class_parse(made_word(host->arena, &at), &d->class, &mask), 0);
		d->bridge = d->class >> 16 == 0x06;
		while ((word = made_word(host->arena, &at)))
			made_function(host, d, word);
	}
	return host;
}

static inline uint64_t made_accept(const char *text)
{
	uint64_t accept = 0;

	while (*text) {
		char word[64];
		size_t n = strcspn(text, ",");
		enum code code;

		snprintf(word, sizeof(word), "%.*s", (int)n, text);
		code = code_from_name(word);
		assert_true(code >= 0);
		accept |= UINT64_C(1) << code;
		text += n + (text[n] == ',');
	}
	return accept;
}

static inline uint8_t made_functions(const char *text)
{
	uint8_t bits = 0;

	if (strcmp(text, "all") == 0)
		return 0xff;
	for (; *text; text++)
		if (*text != ',')
			bits |= (uint8_t)(1u << (*text - '0'));
	return bits;
}

static inline void made_wish(struct spec_device *d, const char *word)
{
	const char *v;

	if ((v = made_value(word, "id")))
		d->selector.has_id = pci_id_parse(v, &d->selector.id) == 0;
	else if ((v = made_value(word, "address")))
		d->selector.address = made_addr(v), d->selector.has_address = true;
	else if ((v = made_value(word, "class")))
		d->selector.has_class = pci_class_parse(v, &d->selector.class,
							&d->selector.class_mask) == 0;
	else if ((v = made_value(word, "slot")))
		d->selector.has_slot = pci_slot_parse(v, &d->selector.slot) == 0;
	else if ((v = made_value(word, "serial")))
		d->selector.serial = v;
	else if ((v = made_value(word, "mac")))
		d->selector.mac = v;
	else if ((v = made_value(word, "label")))
		d->selector.label = v;
	else if ((v = made_value(word, "bound-to")))
		d->selector.bound_to = v;
	else if ((v = made_value(word, "functions")))
		d->functions = made_functions(v);
	else if ((v = made_value(word, "count")))
		d->count = (unsigned)atoi(v);
	else if ((v = made_value(word, "driver")))
		d->driver = v;
	else if ((v = made_value(word, "accept")))
		d->accept = made_accept(v);
	else if ((v = made_value(word, "method")))
		d->method = bind_method_from_name(v);
	else
		fail_msg("wish word %s", word);
}

static inline struct spec *made_spec(const char *text)
{
	struct spec *spec = spec_new();

	spec->iommu_enable = true;
	for (const char *line = text; *line; line = made_next_line(line)) {
		const char *at = line;
		char *word = made_word(spec->arena, &at);
		struct spec_device *d;

		if (!word)
			continue;
		if (strcmp(word, "@") == 0) {
			while ((word = made_word(spec->arena, &at))) {
				if (made_value(word, "unsafe"))
					spec->unsafe_interrupts = true;
				else if (made_value(word, "no-iommu"))
					spec->iommu_enable = false;
				else
					fail_msg("spec word %s", word);
			}
			continue;
		}
		d = array_add(spec->arena, &spec->devices);
		*d = (struct spec_device){
			.name = word, .functions = 0xff, .count = 1, .driver = SPEC_DEFAULT_DRIVER};
		while ((word = made_word(spec->arena, &at)))
			made_wish(d, word);
	}
	return spec;
}

static inline const char *made_lines(struct arena *a, const char *text)
{
	char *lines = arena_strdup(a, text);

	for (char *at = lines; (at = strchr(at, ';'));)
		*at = '\n';
	return lines;
}

static inline void made_group(struct arena *a, struct ledger_device *d, char const *text)
{
	char *list = arena_strdup(a, text);

	d->group_known = true;
	for (char *at = list, *id; (id = strsep(&at, ","));)
		if (*id)
			array_push(a, &d->group, id);
}

static inline struct ledger *made_ledger(const char *text)
{
	struct ledger *ledger = ledger_new();

	for (const char *line = text; *line; line = made_next_line(line)) {
		const char *at = line;
		char *word = made_word(ledger->arena, &at);
		struct ledger_device *d;

		if (!word)
			continue;
		if (strcmp(word, "contested") == 0) {
			words_add(ledger->arena, &ledger->contested, made_word(ledger->arena, &at));
			continue;
		}
		d = array_add(ledger->arena, &ledger->devices);
		*d = (struct ledger_device){.name = word,
					    .serial = "",
					    .path = "",
					    .wish = "",
					    .consent = "",
					    .driver = SPEC_DEFAULT_DRIVER,
					    .previous = "",
					    .host_drivers = ""};
		d->addr = made_addr(made_word(ledger->arena, &at));
		assert_int_equal(pci_id_parse(made_word(ledger->arena, &at), &d->id), 0);
		while ((word = made_word(ledger->arena, &at))) {
			if (made_value(word, "driver"))
				d->driver = made_value(word, "driver");
			else if (made_value(word, "previous"))
				d->previous = made_value(word, "previous");
			else if (made_value(word, "builtin-driver"))
				d->builtin = true;
			else if (made_value(word, "modules"))
				d->host_drivers = made_value(word, "modules");
			else if (made_value(word, "serial"))
				d->serial = made_lines(ledger->arena, made_value(word, "serial"));
			else if (made_value(word, "path"))
				d->path = made_value(word, "path");
			else if (made_value(word, "wish"))
				d->wish = made_value(word, "wish");
			else if (made_value(word, "consent"))
				d->consent = made_value(word, "consent");
			else if (made_value(word, "group"))
				made_group(ledger->arena, d, made_value(word, "group"));
			else if (made_value(word, "bound"))
				d->bound = true;
			else
				fail_msg("ledger word %s", word);
		}
	}
	return ledger;
}
