/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether what stands at an address is still what was chosen there (fact 7.19). */
#include <ctype.h>
#include <string.h>

#include "guard-part.h"
#include "mask.h"

#define LINE_MAX_TEXT 256 /* longer than any serial */

bool guard_fingerprint_has(const char *lines, const char *kind, const char *text)
{
	size_t n = strlen(kind);

	while (lines && *lines) {
		const char *end = strchrnul(lines, '\n');
		char line[LINE_MAX_TEXT] = "";

		if (strncmp(lines, kind, n) == 0 && (size_t)(end - lines) - n < sizeof(line)) {
			memcpy(line, lines + n, (size_t)(end - lines) - n);
			if (identity_equal(line, text))
				return true;
		}
		lines = *end ? end + 1 : end;
	}
	return false;
}

/* "00-11-22-33-44-55-66-77", as a function's own serial number is shown; others are of disks. */
static bool is_own(const char *serial)
{
	for (size_t i = 0; i < 23; i++)
		if (i % 3 == 2 ? serial[i] != '-' : !isxdigit((unsigned char)serial[i]))
			return false;
	return serial[23] == '\0' || serial[23] == '\n';
}

static bool has_kind(const char *lines, bool own)
{
	while (lines && *lines) {
		const char *end = strchrnul(lines, '\n');

		if (strncmp(lines, GUARD_SERIAL, strlen(GUARD_SERIAL)) == 0 &&
		    is_own(lines + strlen(GUARD_SERIAL)) == own)
			return true;
		lines = *end ? end + 1 : end;
	}
	return false;
}

/*
 * Only what both sides show can differ: vfio-pci hides a disk's serial, and functions are asked for
 * their own only where a selector wants it.
 */
static bool other_serial(const struct ledger_device *was, const struct host_device *now)
{
	bool differs = false;

	array_foreach(it, &now->serials) {
		if (guard_fingerprint_has(was->serial, GUARD_SERIAL, *it))
			return false;
		differs = differs || has_kind(was->serial, is_own(*it));
	}
	return differs;
}

static int mismatch(const struct guard *g, const struct ledger_device *was,
		    const struct host_device *now, struct plan_device *device)
{
	char addr[PCI_ADDR_TEXT_SIZE], before[PCI_ID_TEXT_SIZE], after[PCI_ID_TEXT_SIZE];
	int r;

	pci_addr_format(now->addr, addr);
	if (!pci_id_match(&was->id, &now->id)) {
		r = guard_refuse(g->arena, device, CODE_IDENTITY_MISMATCH,
				 "another device is in that place now: name the id of the one "
				 "that is meant");
		return r < 0 ? r
			     : guard_evidence(g->arena, device, CODE_IDENTITY_MISMATCH,
					      "%s was %s when it was chosen and is %s now", addr,
					      pci_id_format(&was->id, before),
					      pci_id_format(&now->id, after));
	}
	r = guard_refuse(g->arena, device, CODE_IDENTITY_MISMATCH,
			 "another device of the same model is in that place now: name the serial "
			 "of the one that is meant");
	return r < 0 ? r
		     : guard_evidence(g->arena, device, CODE_IDENTITY_MISMATCH,
				      "the serial of %s is %s now, which is not what it was when "
				      "it was chosen",
				      addr, now->serials.at[0]);
}

int guard_identity(const struct guard *g, const struct spec_device *wish,
		   const struct host_device *now, struct plan_device *device)
{
	const struct ledger_device *was = guard_remembered(g, wish->name, now->addr);
	bool other_model = was && !pci_id_match(&was->id, &now->id);

	if (!was || wish->selector.serial || wish->selector.mac)
		return 0;
	if (other_model ? wish->selector.has_id : !other_serial(was, now))
		return 0;
	return mismatch(g, was, now, device);
}

/* --- fingerprint ----------------------------------------------------------------------------- */

static int add_line(struct arena *a, struct words *all, const char *kind, const char *text)
{
	const char *line = arena_printf(a, "%s%s", kind, text);
	int r = line ? words_add(a, all, line) : -ENOMEM;

	return r < 0 ? r : 0;
}

static int add_remembered(struct arena *a, struct words *all, const char *lines)
{
	while (lines && *lines) {
		const char *end = strchrnul(lines, '\n');
		const char *line = arena_strndup(a, lines, (size_t)(end - lines));
		int r = line ? add_line(a, all, "", line) : -ENOMEM;

		if (r < 0)
			return r;
		lines = *end ? end + 1 : end;
	}
	return 0;
}

/* Whether part of it may be hidden: no host driver has it, and it is the one remembered. */
static bool hidden(const struct ledger_device *was, const struct host_device *now)
{
	if (!was || !pci_id_match(&was->id, &now->id) || other_serial(was, now))
		return false;
	return !now->driver || (was->driver && strcmp(now->driver, was->driver) == 0);
}

int guard_fingerprint(const struct guard *g, const char *name, const struct host_device *device,
		      const char **ret)
{
	const struct ledger_device *was = guard_remembered(g, name, device->addr);
	struct words all = {0};
	const char *text = "";
	int r = 0;

	array_foreach(it, &device->serials)
		r = r < 0 ? r : add_line(g->arena, &all, GUARD_SERIAL, *it);
	array_foreach(it, &device->macs)
		r = r < 0 ? r : add_line(g->arena, &all, GUARD_MAC, *it);
	if (r >= 0 && hidden(was, device))
		r = add_remembered(g->arena, &all, was->serial);
	if (r < 0)
		return r;
	array_foreach(it, &all)
		if (text)
			text = arena_printf(g->arena, "%s%s%s", text, *text ? "\n" : "", *it);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}
