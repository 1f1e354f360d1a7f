/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests of Proxmox VE: hostpciN and machine of a guest, by one run of qm, and mappings of the
 * cluster's, by pvesh (9.9 to 9.11). Files of theirs are never written.
 */
#include <errno.h>
#include <string.h>

#include "early.h"
#include "guest-proxmox.h"
#include "rows.h"

bool proxmox_kept(struct proxmox *p, bool ok)
{
	if (!ok)
		p->lost = true;
	return ok;
}

void proxmox_refuse(struct proxmox *p, struct guest_part *part, enum code code, const char *why)
{
	if (!proxmox_kept(p, why != NULL))
		return;
	part->code = code;
	part->why = why;
	part->ours.n = 0;
}

/* --- match ------------------------------------------------------------------------------------ */

static int tell_left(struct arena *a, struct guest_task *task)
{
	array_foreach(it, &task->surplus) {
		struct undone undone;

		if (proxmox_undo(a, task, it, &undone) < 0 ||
		    (undone.undo == UNDO_LEAVE && array_push(a, &task->left, undone.text) < 0))
			return -ENOMEM;
	}
	return 0;
}

static int match(struct arena *a, struct guest_task *task)
{
	struct proxmox p = {.a = a, .task = task};

	proxmox_match_machine(&p);
	for (size_t i = 0; i < task->parts.n && !p.lost; i++)
		proxmox_match_part(&p, &task->parts.at[i]);
	return p.lost ? -ENOMEM : tell_left(a, task);
}

/* --- steps ------------------------------------------------------------------------------------ */

static int add_option(struct arena *a, struct step *step, const char *key, const char *text)
{
	const char *option = arena_printf(a, "--%s", key);

	return option ? words_push(a, &step->argv, (const char *const[]){option, text}, 2)
		      : -ENOMEM;
}

static int add_ours(struct arena *a, const struct guest_task *task,
		    const struct ledger_guest *entry, struct step *step)
{
	if (!*entry->guest ||
	    strcmp(guest_text_at(&task->guest->next, entry->key), entry->text) == 0)
		return 0;
	if (array_push(a, &step->guests, *entry) < 0)
		return -ENOMEM;
	return add_option(a, step, entry->key, entry->text);
}

/* What is surplus under one name and wished under another is the latter's. */
static bool is_taken(const struct guest_task *task, const char *key)
{
	array_foreach(part, &task->parts)
		array_foreach(it, &part->ours)
			if (*it->guest && strcmp(it->key, key) == 0)
				return true;
	return task->machine_ours.n && strcmp(key, GUEST_KEY_MACHINE) == 0;
}

static int add_surplus(struct arena *a, const struct guest_task *task, struct step *step)
{
	_cleanup_strbuf_ struct strbuf deleted = {0};
	const char *keys;

	array_foreach(it, &task->surplus) {
		struct undone undone;

		if (is_taken(task, it->key))
			continue;
		if (proxmox_undo(a, task, it, &undone) < 0)
			return -ENOMEM;
		if (undone.undo == UNDO_DELETE)
			strbuf_addf(&deleted, "%s%s", deleted.len ? "," : "", it->key);
		if (undone.undo == UNDO_SET && add_option(a, step, it->key, undone.text) < 0)
			return -ENOMEM;
	}
	if (!deleted.len)
		return deleted.error;
	if (strbuf_to_arena(&deleted, a, &keys) < 0)
		return -ENOMEM;
	return add_option(a, step, "delete", keys);
}

static int steps(struct arena *a, const struct guest_task *task, struct guest_steps *ret)
{
	struct step step = {.kind = STEP_SET_GUEST, .target = task->guest->name};
	const char *const argv[] = {"qm", "set", task->guest->name};

	if (proxmox_mapping_steps(a, task, ret) < 0 || words_push(a, &step.argv, argv, 3) < 0)
		return -ENOMEM;
	array_foreach(it, &task->machine_ours)
		if (add_ours(a, task, it, &step) < 0)
			return -ENOMEM;
	array_foreach(part, &task->parts)
		array_foreach(it, &part->ours)
			if (add_ours(a, task, it, &step) < 0)
				return -ENOMEM;
	if (add_surplus(a, task, &step) < 0)
		return -ENOMEM;
	if (step.argv.n == 3)
		return 0;
	if (task->guest->digest && add_option(a, &step, "digest", task->guest->digest) < 0)
		return -ENOMEM;
	return array_push(a, &ret->list, step);
}

const struct hypervisor_row hypervisor_proxmox = {
	.hypervisor = HYPERVISOR_PROXMOX,
	.title = "Proxmox VE",
	.match = match,
	.steps = steps,
	.drop = proxmox_drop,
};
