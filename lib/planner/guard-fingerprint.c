/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tells a function from its equals: the numbers that it shows, and those written down. */
#include <ctype.h>
#include <string.h>

#include "guard-part.h"
#include "mask.h"

#define LINE_MAX_TEXT 256 /* longer than any serial */
#define CLASS_NVME    0x0108

/* "00-11-22-33-44-55-66-77", as a function's own serial number is shown; others are of disks. */
static bool is_own(const char *serial)
{
	for (size_t i = 0; i < 23; i++)
		if (i % 3 == 2 ? serial[i] != '-' : !isxdigit((unsigned char)serial[i]))
			return false;
	return serial[23] == '\0' || serial[23] == '\n';
}

enum line_kind { LINE_MAC, LINE_OWN, LINE_DISK };

/* Whether lines have one of that kind; text NULL: whatever it says. */
static bool has_line(const char *lines, enum line_kind kind, const char *text)
{
	const char *word = kind == LINE_MAC ? GUARD_MAC : GUARD_SERIAL;
	size_t n = strlen(word);

	while (lines && *lines) {
		const char *end = strchrnul(lines, '\n');
		char line[LINE_MAX_TEXT] = "";

		if (strncmp(lines, word, n) == 0 &&
		    (kind == LINE_MAC || is_own(lines + n) == (kind == LINE_OWN)) &&
		    (size_t)(end - lines) - n < sizeof(line)) {
			memcpy(line, lines + n, (size_t)(end - lines) - n);
			if (!text || identity_equal(line, text))
				return true;
		}
		lines = *end ? end + 1 : end;
	}
	return false;
}

bool guard_fingerprint_has(const char *lines, const char *kind, const char *text)
{
	if (strcmp(kind, GUARD_MAC) == 0)
		return has_line(lines, LINE_MAC, text);
	return has_line(lines, LINE_OWN, text) || has_line(lines, LINE_DISK, text);
}

/* Disks' serial numbers are an NVMe controller's own; behind others they are of what is plugged. */
static bool is_nvme(const struct host_device *device)
{
	return device->class >> 8 == CLASS_NVME;
}

static bool shows_own(const struct host_device *now, const char *serial)
{
	return now->pcie_serial && identity_equal(now->pcie_serial, serial);
}

static bool other_disk(const struct ledger_device *was, const struct host_device *now)
{
	bool any = false;

	array_foreach(it, &now->serials) {
		if (shows_own(now, *it))
			continue;
		if (has_line(was->serial, LINE_DISK, *it))
			return false;
		any = true;
	}
	return any && has_line(was->serial, LINE_DISK, NULL);
}

/*
 * Only what both sides show can differ: vfio-pci hides a disk's serial, and functions are asked for
 * their own only where a selector wants it. A MAC address may be set by anybody.
 */
bool guard_differs(const struct ledger_device *was, const struct host_device *now)
{
	if (!pci_id_match(&was->id, &now->id))
		return true;
	if (now->pcie_serial && has_line(was->serial, LINE_OWN, NULL))
		return !has_line(was->serial, LINE_OWN, now->pcie_serial);
	return is_nvme(now) && other_disk(was, now);
}

/* Whether another function of the same ids shows it too; the functions of a card share its own. */
static bool shown_twice(const struct host *host, const struct host_device *now, enum line_kind kind,
			const char *text)
{
	array_foreach(it, &host->devices) {
		const struct words *seen = kind == LINE_MAC ? &it->macs : &it->serials;

		if (it == now || !pci_id_match(&it->id, &now->id) ||
		    (kind == LINE_OWN && it->addr.fn != now->addr.fn))
			continue;
		array_foreach(word, seen)
			if (identity_equal(*word, text))
				return true;
	}
	return false;
}

static const char *shared_disk(const struct guard *g, const struct spec_device *wish,
			       const struct ledger_device *was, const struct host_device *now)
{
	array_foreach(it, &now->serials)
		if (!shows_own(now, *it) && has_line(was->serial, LINE_DISK, *it) &&
		    (is_nvme(now) ||
		     (wish->selector.serial && identity_equal(wish->selector.serial, *it))) &&
		    !shown_twice(g->host, now, LINE_DISK, *it))
			return *it;
	return NULL;
}

static const char *shared_mac(const struct guard *g, const struct ledger_device *was,
			      const struct host_device *now)
{
	array_foreach(it, &now->macs)
		if (has_line(was->serial, LINE_MAC, *it) &&
		    !shown_twice(g->host, now, LINE_MAC, *it))
			return *it;
	return NULL;
}

static bool shares_own(const struct guard *g, const struct ledger_device *was,
		       const struct host_device *now)
{
	return now->pcie_serial && was->addr.fn == now->addr.fn &&
	       has_line(was->serial, LINE_OWN, now->pcie_serial) &&
	       !shown_twice(g->host, now, LINE_OWN, now->pcie_serial);
}

int guard_proof(const struct guard *g, const struct spec_device *wish,
		const struct ledger_device *was, const struct host_device *now, const char **ret)
{
	const char *what = "serial number", *number;

	*ret = NULL;
	if (guard_differs(was, now))
		return 0;
	number = shares_own(g, was, now) ? now->pcie_serial : NULL;
	if (number)
		what = "PCIe serial number";
	else
		number = shared_disk(g, wish, was, now);
	if (!number) {
		what = "MAC address";
		number = shared_mac(g, was, now);
	}
	if (!number)
		return 0;
	*ret = arena_printf(g->arena, "%s %s", what, number);
	return *ret ? 1 : -ENOMEM;
}

/* --- what is remembered ---------------------------------------------------------------------- */

const struct ledger_device *guard_remembered(const struct guard *g, const char *name,
					     struct pci_addr addr)
{
	if (!g->ledger)
		return NULL;
	array_foreach(it, &g->ledger->devices)
		if (pci_addr_compare(it->addr, addr) == 0 && strcmp(it->name, name) == 0)
			return it;
	return NULL;
}

const struct ledger_device *guard_known(const struct guard *g, const char *name,
					const struct host_device *now)
{
	const struct ledger_device *was = guard_remembered(g, name, now->addr);

	if (was && !guard_differs(was, now))
		return was;
	for (size_t i = 0; g->ledger && now->pcie_serial && i < g->ledger->devices.n; i++) {
		was = &g->ledger->devices.at[i];
		if (strcmp(was->name, name) == 0 && pci_id_match(&was->id, &now->id) &&
		    shares_own(g, was, now))
			return was;
	}
	return NULL;
}

int guard_own_serial(const struct guard *g, const char *name, const struct host_device *now,
		     const char **ret)
{
	const struct ledger_device *was = guard_known(g, name, now);
	const char *at = was ? was->serial : NULL;

	*ret = now->pcie_serial;
	for (; !*ret && at && *at; at += strcspn(at, "\n"), at += *at == '\n') {
		if (strncmp(at, GUARD_SERIAL, strlen(GUARD_SERIAL)) != 0 ||
		    !is_own(at + strlen(GUARD_SERIAL)))
			continue;
		at += strlen(GUARD_SERIAL);
		*ret = arena_strndup(g->arena, at, strcspn(at, "\n"));
		if (!*ret)
			return -ENOMEM;
	}
	return 0;
}

/* --- as text ---------------------------------------------------------------------------------- */

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

static int add_seen(struct arena *a, struct words *all, const struct host_device *device)
{
	int r = 0;

	array_foreach(it, &device->serials)
		r = r < 0 ? r : add_line(a, all, GUARD_SERIAL, *it);
	array_foreach(it, &device->macs)
		r = r < 0 ? r : add_line(a, all, GUARD_MAC, *it);
	return r;
}

static const char *join(struct arena *a, const struct words *all, const char *between)
{
	const char *text = "";

	array_foreach(it, all)
		if (text)
			text = arena_printf(a, "%s%s%s", text, *text ? between : "", *it);
	return text;
}

/* Whether part of it may be hidden: no host driver has it. */
static bool hidden(const struct ledger_device *was, const struct host_device *now)
{
	return was && (!now->driver || (was->driver && host_device_on(now, was->driver)));
}

int guard_fingerprint(const struct guard *g, const char *name, const struct host_device *device,
		      const char **ret)
{
	const struct ledger_device *was = guard_known(g, name, device);
	struct words all = {0};
	const char *text;
	int r = add_seen(g->arena, &all, device);

	if (r >= 0 && hidden(was, device))
		r = add_remembered(g->arena, &all, was->serial);
	if (r < 0)
		return r;
	text = join(g->arena, &all, "\n");
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

static const char *describe(struct arena *a, struct pci_addr at, const struct pci_id *id,
			    const char *path, const struct words *lines)
{
	const char *numbers = join(a, lines, ", ");
	char addr[PCI_ADDR_TEXT_SIZE], ids[PCI_ID_TEXT_SIZE];
	bool any = *path || lines->n;

	if (!numbers)
		return NULL;
	return arena_printf(a, "%s at %s%s%s%s%s%s%s", pci_id_format(id, ids),
			    pci_addr_format(at, addr), any ? " (" : "", *path ? "path " : "", path,
			    *path && *numbers ? ", " : "", numbers, any ? ")" : "");
}

const char *guard_then(struct arena *a, const struct ledger_device *was)
{
	struct words lines = {0};

	if (add_remembered(a, &lines, was->serial) < 0)
		return NULL;
	return describe(a, was->addr, &was->id, was->path ? was->path : "", &lines);
}

const char *guard_now(const struct guard *g, const struct host_device *now)
{
	const char *path = host_device_path(g->host, now, g->arena);
	struct words lines = {0};

	if (!path || add_seen(g->arena, &lines, now) < 0)
		return NULL;
	return describe(g->arena, now->addr, &now->id, path, &lines);
}
