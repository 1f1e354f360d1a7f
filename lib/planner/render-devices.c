/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `devices`: what could leave this host, by IOMMU group, on one screen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "render-host.h"

/* Columns of the table. */
#define AT_ADDRESS 7
#define AT_IDS	   21
#define AT_CLASS   32
#define AT_DRIVER  42
#define AT_VERDICT 57

void page_support(struct page *p, const struct guard *g)
{
	const struct host_iommu *iommu = &g->host->iommu;

	page_line(p, 0, 0);
	page_put(p, INK_PLAIN, "IOMMU ");
	page_put(p, iommu->active ? INK_GOOD : INK_BAD, iommu->active ? "on" : "off");
	if (iommu->active)
		page_putf(p, INK_PLAIN, ", %u group%s", iommu->groups,
			  iommu->groups == 1 ? "" : "s");
	page_put(p, INK_PLAIN, "; interrupt remapping ");
	if (iommu->remapping == UNKNOWN)
		page_put(p, INK_WARN, "unknown");
	else
		page_put(p, iommu->remapping == YES ? INK_GOOD : INK_BAD,
			 iommu->remapping == YES ? "on" : "off");
	page_put(p, INK_PLAIN, ".");
	page_end(p);
	array_foreach(it, &g->support.verdicts)
		page_verdict(p, 0, it, true);
}

/* --- one device ------------------------------------------------------------------------------- */

/* Whether a verdict is said for the whole host at the top already. */
static bool said_above(const struct guard *g, const struct verdict *verdict)
{
	array_foreach(it, &g->support.verdicts)
		if (it->code == verdict->code)
			return true;
	return false;
}

static bool has_finding(const struct guard *g, const struct plan_device *found,
			enum severity severity)
{
	array_foreach(it, &found->verdicts)
		if (it->severity == severity && !said_above(g, it))
			return true;
	return false;
}

static void list_codes(struct page *p, const struct guard *g, const struct plan_device *found,
		       enum severity severity)
{
	bool any = false;

	array_foreach(it, &found->verdicts) {
		if (it->severity != severity || said_above(g, it))
			continue;
		if (any)
			page_mark(p, ',');
		page_put(p, INK_PLAIN, code_name(it->code));
		any = true;
	}
}

static bool is_hopeless(const struct guard *g, const struct plan_device *found)
{
	array_foreach(it, &found->verdicts)
		if (it->severity == SEVERITY_ERROR && !said_above(g, it) &&
		    !code_acceptable(it->code))
			return true;
	return false;
}

/*
 * "yes", "yes, but mind: CODES", "by consent: CODES" or "no: CODES"; consent is no help where one
 * code takes none.
 */
static void put_verdict(struct page *p, const struct guard *g, const struct plan_device *found)
{
	bool refused = has_finding(g, found, SEVERITY_ERROR), hopeless = is_hopeless(g, found);
	bool warned = has_finding(g, found, SEVERITY_WARNING);

	if (plan_device_refused(&g->support))
		page_put(p, INK_BAD, refused ? "no, see above; also " : "no, see above");
	else if (refused)
		page_put(p, hopeless ? INK_BAD : INK_WARN, hopeless ? "no: " : "by consent: ");
	else
		page_put(p, warned ? INK_WARN : INK_GOOD, warned ? "yes, but mind: " : "yes");
	if (refused)
		list_codes(p, g, found, SEVERITY_ERROR);
	else if (warned && !plan_device_refused(&g->support))
		list_codes(p, g, found, SEVERITY_WARNING);
}

static void put_details(struct page *p, const struct host_device *device)
{
	bool any = false;

	page_line(p, AT_IDS, AT_IDS);
	if (device->vendor_name || device->device_name) {
		page_putf(p, INK_FAINT, "%s%s%s", device->vendor_name ? device->vendor_name : "",
			  device->vendor_name && device->device_name ? " " : "",
			  device->device_name ? device->device_name : "");
		any = true;
	}
	array_foreach(it, &device->uses) {
		if (any)
			page_mark(p, ';');
		page_putf(p, INK_PLAIN, "%s %s", guard_use_verb(it->kind), it->what);
		any = true;
	}
	page_end(p);
}

static int put_device(struct page *p, const struct guard *g, const struct host_device *device,
		      bool first)
{
	char addr[PCI_ADDR_TEXT_SIZE], group[16] = "";
	struct pci_id id = device->id;
	struct plan_device found;
	int r = guard_survey(g, device, &found);

	if (r < 0)
		return r;
	id.subvendor = id.subdevice = PCI_ANY;
	if (device->group >= 0)
		snprintf(group, sizeof(group), "%d", device->group);
	page_line(p, 0, AT_VERDICT);
	page_putf(p, INK_STRONG, "%5s", !first ? "" : *group ? group : "-");
	page_column(p, AT_ADDRESS);
	page_put_whole(p, INK_STRONG, pci_addr_format(device->addr, addr));
	page_column(p, AT_IDS);
	page_put_whole(p, INK_PLAIN, pci_id_format(&id, addr));
	page_column(p, AT_CLASS);
	page_put_whole(p, INK_PLAIN, pci_class_word(device->class));
	page_column(p, AT_DRIVER);
	page_put_whole(p, INK_PLAIN, device->driver ? device->driver : "-");
	page_column(p, AT_VERDICT);
	put_verdict(p, g, &found);
	page_end(p);
	if (device->vendor_name || device->device_name || device->uses.n)
		put_details(p, device);
	return 0;
}

/* --- all of them ------------------------------------------------------------------------------ */

/* By group; functions without one last. */
static int by_group(const void *pa, const void *pb)
{
	const struct host_device *a = *(const struct host_device *const *)pa;
	const struct host_device *b = *(const struct host_device *const *)pb;

	if (a->group != b->group)
		return (unsigned)a->group < (unsigned)b->group ? -1 : 1;
	return pci_addr_compare(a->addr, b->addr);
}

static void table_head(struct page *p)
{
	static const struct {
		unsigned at;
		const char *text;
	} heads[] = {
		{0, "group"},	     {AT_ADDRESS, "address"}, {AT_IDS, "ids"},
		{AT_CLASS, "class"}, {AT_DRIVER, "driver"},   {AT_VERDICT, "may leave the host"},
	};

	page_end(p);
	page_line(p, 0, 0);
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		if (heads[i].at)
			page_column(p, heads[i].at);
		page_put_whole(p, INK_STRONG, heads[i].text);
	}
	page_end(p);
}

static void table_foot(struct page *p, const struct host *host, size_t bridges)
{
	page_end(p);
	page_line(p, 0, 0);
	if (bridges)
		page_putf(p, INK_FAINT, "%zu bridge%s left out: %s with the host. ", bridges,
			  bridges == 1 ? "" : "s", bridges == 1 ? "it stays" : "they stay");
	page_put(p, INK_FAINT,
		 host->devices.n > bridges
			 ? "All that is known of one: passthroughctl explain ADDRESS"
			 : "No other PCI device is here.");
	page_end(p);
}

static int put_table(struct page *p, const struct guard *g, const struct host_device **at, size_t n)
{
	if (n)
		table_head(p);
	for (size_t i = 0; i < n; i++) {
		int r = put_device(p, g, at[i],
				   i == 0 || at[i]->group < 0 || at[i]->group != at[i - 1]->group);

		if (r < 0)
			return r;
	}
	return 0;
}

int render_devices(const struct host *host, struct render_style style, struct strbuf *out)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct page p = {.out = out, .style = style};
	const struct host_device **at;
	struct guard g;
	size_t n = 0;
	int r;

	at = a ? arena_alloc(a, (host->devices.n + 1) * sizeof(*at)) : NULL;
	if (!at)
		return -ENOMEM;
	r = guard_init(&g, a, NULL, host, NULL);
	if (r < 0)
		return r;
	array_foreach(it, &host->devices)
		if (!it->bridge)
			at[n++] = it;
	qsort(at, n, sizeof(*at), by_group);
	page_support(&p, &g);
	r = put_table(&p, &g, at, n);
	if (r < 0)
		return r;
	table_foot(&p, host, host->devices.n - n);
	return out->error;
}
