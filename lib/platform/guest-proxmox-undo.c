/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What nobody wishes any more: an entry that we made goes, one that we changed becomes what it was,
 * with what others changed since. One that is of something else by now stays.
 */
#include <errno.h>
#include <string.h>

#include "guest-proxmox.h"

static int leave(struct undone *ret, const char *why)
{
	*ret = (struct undone){UNDO_LEAVE, why};
	return why ? 0 : -ENOMEM;
}

static int undo_device(struct arena *a, const struct guest_task *task,
		       const struct ledger_guest *entry, struct undone *ret)
{
	const struct guest_device *there = guest_device_at(&task->guest->next, entry->key);
	struct qm_properties now, ours, before;
	int err;

	if (!there)
		return 0;
	err = qm_properties_parse(a, "host", there->text, &now);
	if (err == 0)
		err = qm_properties_parse(a, "host", entry->text, &ours);
	if (err == -ENOMEM)
		return err;
	if (err < 0 || !proxmox_same_device(&now, &ours))
		return leave(ret, arena_printf(a, "%s is of another device by now, and stays: %s",
					       entry->key, there->text));
	ret->undo = UNDO_DELETE;
	if (!*entry->before)
		return 0;
	err = qm_properties_parse(a, "host", entry->before, &before);
	if (err == 0)
		err = qm_properties_merge(a, &before, &ours, &now, &before);
	if (err < 0)
		return err == -ENOMEM ? err : 0;
	ret->undo = qm_properties_same(&before, &now) ? UNDO_NOTHING : UNDO_SET;
	ret->text = qm_properties_print(a, &before);
	return ret->text ? 0 : -ENOMEM;
}

/* Whether an entry needs q35 once all else that is surplus has gone back. 0, 1, -ENOMEM. */
static int needs_q35(struct arena *a, const struct guest_task *task,
		     const struct guest_device *device)
{
	const char *text = device->text;
	struct qm_properties p;
	int err;

	array_foreach(it, &task->surplus) {
		struct undone undone = {0};

		if (strcmp(it->key, device->key) != 0)
			continue;
		if (undo_device(a, task, it, &undone) < 0)
			return -ENOMEM;
		if (undone.undo == UNDO_DELETE)
			return 0;
		if (undone.undo == UNDO_SET)
			text = undone.text;
	}
	err = qm_properties_parse(a, "host", text, &p);
	if (err < 0)
		return err == -ENOMEM ? err : 0;
	return qm_boolean(qm_property(&p, "pcie")) == YES;
}

static int undo_machine(struct arena *a, const struct guest_task *task,
			const struct ledger_guest *entry, struct undone *ret)
{
	const char *there = task->guest->next.machine;

	if (!there)
		return 0;
	if (strcmp(there, entry->text) != 0)
		return leave(ret, arena_printf(a, "its machine is %s by now, and stays so", there));
	for (size_t i = 0; i < task->guest->next.devices.n && !strstr(entry->before, "q35"); i++) {
		const struct guest_device *device = &task->guest->next.devices.at[i];
		int r = needs_q35(a, task, device);

		if (r < 0)
			return r;
		if (r)
			return leave(ret, arena_printf(a, "its machine stays %s, which %s needs",
						       there, device->key));
	}
	*ret = (struct undone){*entry->before ? UNDO_SET : UNDO_DELETE, entry->before};
	return 0;
}

int proxmox_undo(struct arena *a, const struct guest_task *task, const struct ledger_guest *entry,
		 struct undone *ret)
{
	*ret = (struct undone){UNDO_NOTHING, NULL};
	if (strcmp(entry->key, GUEST_KEY_MACHINE) == 0)
		return undo_machine(a, task, entry, ret);
	return undo_device(a, task, entry, ret);
}
