/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `explain`: everything known about one device, and why the plan treats it so. */
#include <string.h>

#include "render-host.h"

#define LABEL_WIDTH 17

int render_subject_find(const struct plan *plan, const struct host *host, const char *name,
			struct render_subject *ret)
{
	struct render_subject found = {0};
	struct pci_addr addr;

	found.device = plan ? plan_device_named(plan, name) : NULL;
	if (!found.device && pci_addr_parse(name, &addr) == 0)
		found.function = host_device(host, addr);
	if (!found.device && !found.function)
		return -ENODEV;
	found.addrs = found.device ? found.device->addrs.at : &found.function->addr;
	found.n = found.device ? found.device->addrs.n : 1;
	for (size_t i = 0; plan && found.function && i < plan->devices.n; i++)
		if (guard_takes(&plan->devices.at[i], found.function->addr))
			found.device = &plan->devices.at[i];
	*ret = found;
	return 0;
}

/* --- one function ----------------------------------------------------------------------------- */

static void label(struct page *p, const char *name)
{
	page_line(p, 4, 4 + LABEL_WIDTH);
	page_put_whole(p, INK_FAINT, name);
	page_column(p, 4 + LABEL_WIDTH);
}

static void fact(struct page *p, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	label(p, name);
	page_put(p, INK_PLAIN, value);
	page_end(p);
}

static void facts(struct page *p, const char *name, const struct words *values)
{
	if (!values->n)
		return;
	label(p, name);
	array_foreach(it, values) {
		if (it != values->at)
			page_mark(p, ',');
		page_put(p, INK_PLAIN, *it);
	}
	page_end(p);
}

static void put_title(struct page *p, const struct host_device *device)
{
	char addr[PCI_ADDR_TEXT_SIZE], id[PCI_ID_TEXT_SIZE];

	page_end(p);
	page_line(p, 2, 4);
	page_put_whole(p, INK_STRONG, pci_addr_format(device->addr, addr));
	page_putf(p, INK_PLAIN, "  %s  %s (class %06x)", pci_id_format(&device->id, id),
		  pci_class_word(device->class), device->class);
	page_end(p);
	if (!device->vendor_name && !device->device_name)
		return;
	page_line(p, 4, 4);
	page_putf(p, INK_PLAIN, "%s%s%s", device->vendor_name ? device->vendor_name : "",
		  device->vendor_name && device->device_name ? " " : "",
		  device->device_name ? device->device_name : "");
	page_end(p);
}

static void put_group(struct page *p, const struct host *host, const struct host_device *device)
{
	char addr[PCI_ADDR_TEXT_SIZE];
	bool alone = true;

	label(p, "IOMMU group");
	if (device->group < 0) {
		page_put(p, INK_PLAIN, host->iommu.active ? "none" : "none while the IOMMU is off");
		page_end(p);
		return;
	}
	page_putf(p, INK_PLAIN, "%d", device->group);
	array_foreach(it, &host->devices) {
		if (it->group != device->group || it == device)
			continue;
		page_mark(p, ',');
		page_putf(p, INK_PLAIN, "%s%s (%s)", alone ? "with " : "",
			  pci_addr_format(it->addr, addr), pci_class_word(it->class));
		alone = false;
	}
	if (alone) {
		page_mark(p, ',');
		page_put(p, INK_PLAIN, "alone");
	}
	page_end(p);
}

static void put_reset(struct page *p, const struct host_device *device)
{
	label(p, "reset");
	if (device->reset_methods)
		page_put(p, INK_PLAIN,
			 *device->reset_methods ? device->reset_methods : "no method");
	else
		page_put(p, INK_PLAIN, device->has_reset ? "possible" : "none is shown");
	page_end(p);
}

static void put_virtual(struct page *p, const struct host *host, const struct host_device *device)
{
	char addr[PCI_ADDR_TEXT_SIZE];
	bool any = false;

	if (device->is_vf)
		fact(p, "virtual of", pci_addr_format(device->physfn, addr));
	if (!device->vfs)
		return;
	label(p, "virtual ones");
	page_putf(p, INK_PLAIN, "%u", device->vfs);
	array_foreach(it, &host->devices) {
		if (!it->is_vf || pci_addr_compare(it->physfn, device->addr) != 0)
			continue;
		page_mark(p, any ? ',' : ':');
		page_put(p, INK_PLAIN, pci_addr_format(it->addr, addr));
		any = true;
	}
	page_end(p);
}

static void put_guests(struct page *p, const struct host *host, const struct host_device *device)
{
	bool any = false;

	array_foreach(it, &host->guests.list) {
		const struct guest_device *entry = it->node ? NULL : guest_gives(it, device->addr);

		if (!entry)
			continue;
		label(p, any ? "" : "guest");
		any = true;
		page_putf(p, INK_PLAIN, "%s%s%s%s as %s", it->name, it->title ? " (" : "",
			  it->title ? it->title : "", it->title ? ")" : "", entry->key);
		if (it->running == YES) {
			page_mark(p, ',');
			page_put(p, INK_PLAIN, "which runs");
		}
		page_end(p);
	}
}

static void put_function(struct page *p, const struct host *host, const struct host_device *device)
{
	char addr[PCI_ADDR_TEXT_SIZE];

	put_title(p, device);
	fact(p, "driver", device->driver ? device->driver : "none");
	fact(p, "driver override", device->override);
	put_group(p, host, device);
	if (device->has_parent)
		fact(p, "behind bridge", pci_addr_format(device->parent, addr));
	fact(p, "slot name", device->label);
	put_reset(p, device);
	if (device->boot_vga)
		fact(p, "display", "the firmware's (boot_vga)");
	if (device->reserved_region)
		fact(p, "reserved", "the firmware keeps a region of memory for it");
	put_virtual(p, host, device);
	facts(p, "serials", &device->serials);
	facts(p, "MAC", &device->macs);
	array_foreach(it, &device->uses) {
		label(p, it == device->uses.at ? "used" : "");
		page_putf(p, INK_PLAIN, "%s %s", guard_use_verb(it->kind), it->what);
		page_end(p);
	}
	put_guests(p, host, device);
}

/* --- what the plan says ----------------------------------------------------------------------- */

static void put_verdicts(struct page *p, const struct plan_device *device)
{
	if (!device->verdicts.n) {
		page_text(p, 2, INK_GOOD, "Nothing speaks against handing it over.");
		return;
	}
	array_foreach(it, &device->verdicts)
		page_verdict(p, 2, it, true);
}

static void put_steps(struct page *p, const struct plan *plan, const char *name)
{
	bool any = false;

	array_foreach(it, &plan->steps) {
		_cleanup_strbuf_ struct strbuf text = {0};

		if (!render_step_concerns(it, name))
			continue;
		if (!any)
			page_head(p, "Steps for it in this plan");
		any = true;
		render_step(it, &text);
		page_line(p, 2, 4);
		page_put(p, INK_PLAIN, strbuf_text(&text));
		page_end(p);
		if (text.error)
			p->out->error = text.error;
	}
}

static void put_item(struct page *p, const struct plan *plan, const char *name)
{
	array_foreach(it, &plan->items) {
		if (it->kind != ITEM_DEVICE || strcmp(it->id + strlen("device:"), name) != 0)
			continue;
		page_line(p, 2, 4);
		page_putf(p, INK_PLAIN, "files %s, boot %s, live %s%s%s",
			  layer_state_name(it->files), layer_state_name(it->boot),
			  layer_state_name(it->live), it->reason ? ": " : "",
			  it->reason ? it->reason : "");
		page_end(p);
	}
}

static void put_identity(struct page *p, const struct plan_device *device)
{
	if (!device->identity_why)
		return;
	page_line(p, 2, 4);
	page_putf(p, INK_PLAIN, "identity %s, %s", identity_name(device->identity),
		  device->identity_why);
	page_end(p);
}

static void put_wish(struct page *p, const struct plan *plan, const struct plan_device *device)
{
	page_line(p, 0, 4);
	page_put_whole(p, INK_STRONG, device->name);
	page_put(p, INK_PLAIN, ": ");
	page_put(p, render_state_ink(device->state), item_state_name(device->state));
	if (device->method >= 0 && device->state != STATE_BLOCKED)
		page_putf(p, INK_PLAIN, ", bound by %s%s%s", bind_method_name(device->method),
			  device->method_why ? ": " : "",
			  device->method_why ? device->method_why : "");
	page_end(p);
	if (device->state != STATE_BLOCKED)
		put_item(p, plan, device->name);
	put_identity(p, device);
	put_verdicts(p, device);
}

/* Whether its card has functions that a wish need not take along. */
static bool separable(const struct host *host, const struct host_device *function,
		      const struct plan_device *found)
{
	array_foreach(it, &host->devices)
		if (pci_addr_same_slot(it->addr, function->addr) && !it->is_vf && !it->bridge &&
		    found->addrs.n && !guard_takes(found, it->addr))
			return true;
	return false;
}

static void put_if_named(struct page *p, const struct host *host,
			 const struct host_device *function, const struct plan_device *found)
{
	page_line(p, 0, 4);
	page_put(p, INK_PLAIN, "The spec names no such device. If it were named");
	if (separable(host, function, found) && !function->is_vf) {
		page_put(p, INK_PLAIN, ", with functions: [");
		for (size_t i = 0; i < found->addrs.n; i++)
			page_putf(p, INK_PLAIN, "%s%u", i ? ", " : "", found->addrs.at[i].fn);
		page_put(p, INK_PLAIN, "]");
	} else if (found->addrs.n > 1) {
		page_put(p, INK_PLAIN, ", with the rest of its card");
	}
	page_mark(p, ':');
	page_end(p);
}

static int put_unwished(struct page *p, const struct host *host, const struct host_device *function)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct plan_device found;
	struct guard g;
	int r = a ? guard_init(&g, a, NULL, host, NULL) : -ENOMEM;

	if (r >= 0)
		r = guard_survey(&g, function, &found);
	if (r < 0)
		return r;
	put_if_named(p, host, function, &found);
	put_verdicts(p, &found);
	return 0;
}

int render_explain(const struct plan *plan, const struct host *host, const char *name,
		   struct render_style style, struct strbuf *out)
{
	struct page p = {.out = out, .style = style};
	struct render_subject subject;
	int r = render_subject_find(plan, host, name, &subject);

	if (r < 0)
		return r;
	if (subject.device)
		put_wish(&p, plan, subject.device);
	else
		r = put_unwished(&p, host, subject.function);
	if (r < 0)
		return r;
	for (size_t i = 0; i < subject.n; i++) {
		const struct host_device *function = host_device(host, subject.addrs[i]);

		if (function)
			put_function(&p, host, function);
	}
	if (plan && subject.device)
		put_steps(&p, plan, subject.device->name);
	return out->error;
}
