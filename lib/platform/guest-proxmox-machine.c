/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's machine type: "q35" is any version of it, an exact one that one alone (9.13). */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "guest-proxmox.h"

static bool starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* What stands there may be pinned to a version by Proxmox VE itself. */
static bool satisfies(const char *wished, const char *type)
{
	if (strcmp(wished, "q35") == 0 && starts(type, "pc-q35-"))
		return true;
	if (strcmp(wished, "pc") == 0 && (!*type || starts(type, "pc-i440fx-") ||
					  (starts(type, "pc-") && isdigit((unsigned char)type[3]))))
		return true;
	return strcmp(wished, type) == 0;
}

/* Types that Proxmox VE knows: others are libvirt's. */
static bool is_type(const char *type)
{
	static const char *const versions[] = {"pc-q35-", "pc-i440fx-", "pc-", "virt-"};

	if (strcmp(type, "q35") == 0 || strcmp(type, "pc") == 0 || strcmp(type, "virt") == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		if (starts(type, versions[i]))
			return isdigit((unsigned char)type[strlen(versions[i])]);
	return false;
}

bool proxmox_has_q35(const struct guest_task *task)
{
	if (task->machine && task->machine_code == _CODE_INVALID)
		return strstr(task->machine, "q35") != NULL;
	return task->guest->next.q35;
}

/* It is judged with the part that it serves, or goes. */
static bool is_judged_elsewhere(struct proxmox *p, const struct guest_device *entry)
{
	array_foreach(part, &p->task->parts)
		array_foreach(it, &part->addrs)
			if (guest_device_has(entry, *it))
				return true;
	array_foreach(it, &p->task->surplus) {
		struct undone undone = {0};

		if (strcmp(it->key, entry->key) == 0 &&
		    proxmox_kept(p, proxmox_undo(p->a, p->task, it, &undone) == 0) &&
		    undone.undo == UNDO_DELETE)
			return true;
	}
	return false;
}

/* An entry of another hand's that starts on q35 alone; NULL without. */
static const struct guest_device *needs_q35(struct proxmox *p)
{
	array_foreach(it, &p->task->guest->next.devices) {
		struct qm_properties text;
		int err = qm_properties_parse(p->a, "host", it->text, &text);

		proxmox_kept(p, err != -ENOMEM);
		if (err == 0 && !is_judged_elsewhere(p, it) &&
		    qm_boolean(qm_property(&text, "pcie")) == YES)
			return it;
	}
	return NULL;
}

static void refuse(struct proxmox *p, enum code code, const char *why)
{
	if (!proxmox_kept(p, why != NULL))
		return;
	p->task->machine_code = code;
	p->task->machine_why = why;
}

static bool is_refused(struct proxmox *p, const struct qm_properties *now)
{
	struct guest_task *task = p->task;
	const struct guest_device *entry;
	const char *viommu = qm_property(now, "viommu");

	if (!is_type(task->machine)) {
		refuse(p, CODE_NOT_SUPPORTED,
		       arena_printf(p->a,
				    "%s is no machine type of Proxmox VE; q35 and pc are, and "
				    "versions of them",
				    task->machine));
		return true;
	}
	if (strstr(task->machine, "q35"))
		return false;
	entry = needs_q35(p);
	if (!entry && !(viommu && strcmp(viommu, "intel") == 0))
		return false;
	refuse(p, CODE_NEEDS_Q35,
	       arena_printf(p->a, "machine %s is not q35, which %s needs", task->machine,
			    entry ? entry->key : "viommu=intel"));
	return true;
}

static void claim(struct proxmox *p, const char *text, const char *before)
{
	const struct ledger_guest ours = {
		.hypervisor = HYPERVISOR_PROXMOX,
		.guest = p->task->guest->name,
		.device = "",
		.key = GUEST_KEY_MACHINE,
		.text = text,
		.before = before,
	};

	proxmox_kept(p, array_push(p->a, &p->task->machine_ours, ours) == 0);
}

void proxmox_match_machine(struct proxmox *p)
{
	struct guest_task *task = p->task;
	const char *there = task->guest->next.machine, *text;
	const struct ledger_guest *known = ledger_guest(task->ledger, HYPERVISOR_PROXMOX,
							task->guest->name, GUEST_KEY_MACHINE);
	struct qm_properties now = {.nameless = "type"};
	int err;

	if (!task->machine)
		return;
	err = there ? qm_properties_parse(p->a, "type", there, &now) : 0;
	if (!proxmox_kept(p, err != -ENOMEM))
		return;
	if (err < 0) {
		refuse(p, CODE_FOREIGN_CONFLICT,
		       arena_printf(p->a, "its machine cannot be understood: %s", there));
		return;
	}
	if (is_refused(p, &now))
		return;
	if (satisfies(task->machine, qm_property(&now, "type") ? qm_property(&now, "type") : "")) {
		if (known && there)
			claim(p, there, known->before);
		return;
	}
	if (!proxmox_kept(p, qm_property_set(p->a, &now, "type", task->machine) == 0))
		return;
	text = qm_properties_print(p->a, &now);
	task->machine_why = arena_printf(p->a, "its machine is %s, and is to be %s",
					 there ? there : "the default", task->machine);
	if (proxmox_kept(p, text && task->machine_why))
		claim(p, text, known ? known->before : there ? there : "");
}
