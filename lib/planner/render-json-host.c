/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `devices --json` and `explain --json`. */
#include <stdio.h>

#include "render-json.h"

#define GROUP_NONE (-1)

/* address, ids, class, driver, group, uses[]; verdicts[] are the caller's. */
static struct json_object *put_function(struct doc *b, struct json_object *array,
					const struct host_device *device)
{
	struct json_object *row = doc_row(b, array), *uses;
	char text[PCI_ID_TEXT_SIZE];

	doc_put_text(b, row, "address", pci_addr_format(device->addr, text));
	doc_put_text(b, row, "ids", pci_id_format(&device->id, text));
	snprintf(text, sizeof(text), "%06x", device->class);
	doc_put_text(b, row, "class", text);
	doc_put_text(b, row, "driver", device->driver);
	if (device->group > GROUP_NONE)
		doc_put_count(b, row, "group", (uint64_t)device->group);
	else
		doc_put_text(b, row, "group", NULL);
	uses = doc_array(b, row, "uses");
	array_foreach(it, &device->uses) {
		struct json_object *use = doc_row(b, uses);

		doc_put_text(b, use, "kind", use_kind_name(it->kind));
		doc_put_text(b, use, "what", it->what);
	}
	return row;
}

int render_devices_json(const struct host *host, const struct diags *diags, struct strbuf *out)
{
	const struct diags *const lists[3] = {diags, NULL, NULL};
	_cleanup_arena_ struct arena *a = arena_new();
	struct json_object *document, *array;
	struct doc b = {0};
	struct guard g;

	if (!a || guard_init(&g, a, NULL, host, NULL) < 0)
		return -ENOMEM;
	document = json_object_new_object();
	array = doc_array(&b, document, "devices");
	array_foreach(it, &host->devices) {
		struct json_object *row = put_function(&b, array, it);
		struct plan_device found = {0};

		if (guard_survey(&g, it, &found) < 0)
			b.error = -ENOMEM;
		doc_put_verdicts(&b, row, &found);
	}
	doc_put_diags(&b, document, lists);
	return doc_finish(&b, document, out);
}

/* --- explain ---------------------------------------------------------------------------------- */

/* What is known beyond `devices`. */
static void put_details(struct doc *b, struct json_object *row, const struct host_device *device)
{
	char addr[PCI_ADDR_TEXT_SIZE];

	doc_put_text(b, row, "vendor_name", device->vendor_name);
	doc_put_text(b, row, "device_name", device->device_name);
	doc_put_text(b, row, "driver_override", device->override);
	doc_put_text(b, row, "parent",
		     device->has_parent ? pci_addr_format(device->parent, addr) : NULL);
	doc_put_text(b, row, "slot_name", device->label);
	doc_put_text(b, row, "reset_methods",
		     device->reset_methods ? device->reset_methods
		     : device->has_reset   ? "unknown"
					   : NULL);
	doc_put_bool(b, row, "boot_vga", device->boot_vga);
	doc_put_bool(b, row, "reserved_region", device->reserved_region);
	doc_put_count(b, row, "virtual_functions", device->vfs);
	doc_put_text(b, row, "physical_function",
		     device->is_vf ? pci_addr_format(device->physfn, addr) : NULL);
	doc_put_words(b, row, "serials", &device->serials);
	doc_put_words(b, row, "macs", &device->macs);
}

/* Guests that have it from their next start on. */
static void put_guests(struct doc *b, struct json_object *row, const struct host *host,
		       const struct host_device *device)
{
	struct json_object *array = doc_array(b, row, "guests");

	array_foreach(it, &host->guests.list) {
		const struct guest_device *entry = it->node ? NULL : guest_gives(it, device->addr);
		struct json_object *guest = entry ? doc_row(b, array) : NULL;

		if (!entry)
			continue;
		doc_put_text(b, guest, "hypervisor", hypervisor_name(it->hypervisor));
		doc_put_text(b, guest, "guest", it->name);
		doc_put_text(b, guest, "entry", entry->key);
		doc_put_bool(b, guest, "running", it->running == YES);
	}
}

static void put_explained(struct doc *b, struct json_object *array, const struct guard *g,
			  const struct host_device *device, const struct plan_device *owner)
{
	struct json_object *row = put_function(b, array, device);
	struct plan_device found = {0};

	put_details(b, row, device);
	put_guests(b, row, g->host, device);
	if (!owner && guard_survey(g, device, &found) < 0)
		b->error = -ENOMEM;
	doc_put_verdicts(b, row, owner ? owner : &found);
}

/* The same rows as everywhere: the wish, its functions (or the one asked for), its steps. */
int render_explain_json(const struct plan *plan, const struct host *host, const char *name,
			const struct diags *diags, struct strbuf *out)
{
	const struct diags *const lists[3] = {plan ? &plan->diags : NULL, diags, NULL};
	_cleanup_arena_ struct arena *a = arena_new();
	struct json_object *document, *array;
	struct render_subject subject;
	struct doc b = {0};
	struct guard g;
	int r = a ? render_subject_find(plan, host, name, &subject) : -ENOMEM;

	if (r >= 0)
		r = guard_init(&g, a, NULL, host, NULL);
	if (r < 0)
		return r;
	document = json_object_new_object();
	array = doc_array(&b, document, "devices");
	if (subject.device)
		doc_put_device(&b, array, subject.device);
	array = doc_array(&b, document, "functions");
	for (size_t i = 0; i < subject.n; i++) {
		const struct host_device *it = host_device(host, subject.addrs[i]);

		if (it)
			put_explained(&b, array, &g, it, subject.device);
	}
	array = doc_array(&b, document, "steps");
	for (size_t i = 0; plan && subject.device && i < plan->steps.n; i++)
		if (render_step_concerns(&plan->steps.at[i], subject.device->name))
			doc_put_step(&b, array, &plan->steps.at[i]);
	doc_put_diags(&b, document, lists);
	return doc_finish(&b, document, out);
}
