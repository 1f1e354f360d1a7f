/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a part's hostpciN is to be (9.1 to 9.4): of one that is there only what is wished changes.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "guest-proxmox.h"

/* --- what it is to be ------------------------------------------------------------------------- */

static void set(struct proxmox *p, struct proxmox_entry *entry, const char *key, const char *value)
{
	if (qm_value_same(qm_property(&entry->text, key), value))
		return;
	entry->changed = true;
	proxmox_kept(p, qm_property_set(p->a, &entry->text, key, value) == 0);
}

/* The default needs no word. */
static void set_flag(struct proxmox *p, struct proxmox_entry *entry, const char *key,
		     struct maybe wish, bool fallback)
{
	enum tristate now = qm_boolean(qm_property(&entry->text, key));

	if (!wish.given || (now == UNKNOWN ? fallback : now == YES) == wish.value)
		return;
	set(p, entry, key, wish.value == fallback ? NULL : wish.value ? "1" : "0");
}

static void set_id(struct proxmox *p, struct proxmox_entry *entry, const char *key, uint32_t value)
{
	const char *text;

	if (value == PCI_ANY)
		return;
	text = arena_printf(p->a, "0x%04x", value);
	if (proxmox_kept(p, text != NULL) &&
	    (!qm_property(&entry->text, key) ||
	     strcasecmp(qm_property(&entry->text, key), text) != 0))
		set(p, entry, key, text);
}

static void set_device(struct proxmox *p, struct guest_part *part, struct proxmox_entry *entry)
{
	const char *list = proxmox_functions(p->a, part);

	if (!proxmox_kept(p, list != NULL))
		return;
	if (part->wish->mapping) {
		if (qm_property(&entry->text, "host"))
			set(p, entry, "host", NULL);
		set(p, entry, "mapping", part->wish->mapping);
	} else if (!entry->there || !proxmox_serves(p, entry->there, part)) {
		set(p, entry, "mapping", NULL);
		set(p, entry, "host", list);
	}
}

static void set_options(struct proxmox *p, const struct spec_vm_device *wish,
			struct proxmox_entry *entry)
{
	set_flag(p, entry, "pcie", wish->pcie, false);
	set_flag(p, entry, "x-vga", wish->primary_gpu, false);
	set_flag(p, entry, "rombar", wish->rom_bar, true);
	if (wish->rom_file)
		set(p, entry, "romfile", wish->rom_file);
	if (!wish->shown.has_id)
		return;
	set_id(p, entry, "vendor-id", wish->shown.id.vendor);
	set_id(p, entry, "device-id", wish->shown.id.device);
	set_id(p, entry, "sub-vendor-id", wish->shown.id.subvendor);
	set_id(p, entry, "sub-device-id", wish->shown.id.subdevice);
}

/* What Proxmox VE would not start the guest with (9.3). */
static bool is_refused(struct proxmox *p, struct guest_part *part,
		       const struct proxmox_entry *entry)
{
	bool legacy = qm_boolean(qm_property(&entry->text, "legacy-igd")) == YES;
	bool q35 = proxmox_has_q35(p->task);

	if (legacy && (entry->changed || q35)) {
		proxmox_refuse_entry(
			p, part, entry->there,
			"legacy-igd goes with no other option, and not with q35; take it out, "
			"or ask for nothing of the device here");
		return true;
	}
	if (qm_boolean(qm_property(&entry->text, "pcie")) == YES && !q35) {
		const char *type = p->task->machine ? p->task->machine
						    : p->task->guest->next.machine;

		proxmox_refuse(p, part, CODE_NEEDS_Q35,
			       arena_printf(p->a,
					    "PCI Express needs machine q35, and the guest has %s; "
					    "add machine: q35",
					    type ? type : "the default one, i440fx"));
		return true;
	}
	return false;
}

/* --- the answer ------------------------------------------------------------------------------- */

/* What was there before us, with what others changed since we wrote it. */
static const char *before_of(struct proxmox *p, const struct proxmox_entry *entry)
{
	const struct ledger_guest *known = entry->known;
	struct qm_properties before, ours, now;
	int err;

	if (!known)
		return entry->there ? entry->there->text : "";
	if (!*known->before || !entry->there)
		return known->before;
	err = qm_properties_parse(p->a, "host", known->before, &before);
	if (err == 0)
		err = qm_properties_parse(p->a, "host", known->text, &ours);
	if (err == 0)
		err = qm_properties_parse(p->a, "host", entry->there->text, &now);
	if (err < 0 || qm_properties_same(&ours, &now))
		return proxmox_kept(p, err != -ENOMEM) ? known->before : "";
	err = qm_properties_merge(p->a, &before, &ours, &now, &before);
	return proxmox_kept(p, err == 0) ? qm_properties_print(p->a, &before) : "";
}

/* Whether it runs with the entry as it is there already. */
static enum layer_state live_of(const struct proxmox *p, const struct guest_part *part,
				const struct proxmox_entry *entry)
{
	const struct guest_device *now = guest_device_at(&p->task->guest->now, entry->key);

	if (p->task->guest->running != YES)
		return LAYER_NONE;
	return !part->why && now && entry->there && strcmp(now->text, entry->there->text) == 0
		       ? LAYER_RIGHT
		       : LAYER_WRONG;
}

static void answer(struct proxmox *p, struct guest_part *part, struct proxmox_entry *entry)
{
	struct ledger_guest ours = {
		.hypervisor = HYPERVISOR_PROXMOX,
		.guest = p->task->guest->name,
		.device = part->device,
		.key = entry->key,
		.text = entry->changed ? qm_properties_print(p->a, &entry->text)
				       : entry->there->text,
		.before = before_of(p, entry),
	};

	if (!proxmox_kept(p, ours.text && ours.before))
		return;
	if (entry->changed) {
		part->why = arena_printf(p->a, "its %s %s%s, and is to be %s", entry->key,
					 entry->there ? "is " : "is not there",
					 entry->there ? entry->there->text : "", ours.text);
		proxmox_kept(p, part->why != NULL);
	}
	part->live = live_of(p, part, entry);
	if (entry->changed || entry->known)
		proxmox_kept(p, array_push(p->a, &part->ours, ours) == 0);
	proxmox_kept(p, words_add(p->a, &p->keys, entry->key) >= 0);
}

static bool read_text(struct proxmox *p, struct guest_part *part, struct proxmox_entry *entry)
{
	int err;

	entry->text.nameless = "host";
	if (!entry->there)
		return true;
	err = qm_properties_parse(p->a, "host", entry->there->text, &entry->text);
	if (err < 0 && proxmox_kept(p, err != -ENOMEM))
		proxmox_refuse_entry(p, part, entry->there,
				     "this cannot be understood; put it right by hand");
	return err == 0;
}

void proxmox_match_part(struct proxmox *p, struct guest_part *part)
{
	struct proxmox_entry entry = {0};

	if (!proxmox_find(p, part, &entry) || !read_text(p, part, &entry) || p->lost)
		return;
	set_device(p, part, &entry);
	set_options(p, part->wish, &entry);
	if (p->lost || is_refused(p, part, &entry))
		return;
	if (entry.changed && entry.there &&
	    (proxmox_is_shared(p, entry.there, part) || words_has(&p->keys, entry.key))) {
		proxmox_refuse_entry(
			p, part, entry.there,
			"it serves two devices, and is to change for one; give each its own");
		return;
	}
	answer(p, part, &entry);
	if (part->wish->mapping)
		proxmox_match_mapping(p, part);
	proxmox_advise(p, part, &entry.text);
}
