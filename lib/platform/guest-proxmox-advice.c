/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people who hand a graphics card to a guest run into (9.4, 9.13). */
#include <errno.h>
#include <string.h>

#include "guest-proxmox.h"

static void say(struct proxmox *p, struct guest_part *part, enum severity severity, enum code code,
		const char *text)
{
	const struct guest_advice advice = {severity, code, text};

	proxmox_kept(p, array_push(p->a, &part->advice, advice) == 0);
}

static bool hides_itself(struct proxmox *p, const char *cpu)
{
	struct qm_properties text;
	int err = cpu ? qm_properties_parse(p->a, "cputype", cpu, &text) : -EBADMSG;

	proxmox_kept(p, err != -ENOMEM);
	return err == 0 && qm_boolean(qm_property(&text, "hidden")) == YES;
}

static void advise_primary(struct proxmox *p, struct guest_part *part)
{
	const struct guest_config *next = &p->task->guest->next;

	if (!next->display || strcmp(next->display, "none") == 0)
		say(p, part, SEVERITY_NOTE, CODE_CONSOLE_LOST,
		    "as its primary display the card is the only one: the console of Proxmox VE "
		    "shows nothing");
	if (hides_itself(p, next->cpu))
		say(p, part, SEVERITY_NOTE, CODE_NOT_NEEDED,
		    "hidden=1 of its cpu is not needed, as primary-gpu has Proxmox VE do the "
		    "same");
}

void proxmox_advise(struct proxmox *p, struct guest_part *part, const struct qm_properties *text)
{
	const struct host_device *card = NULL;

	array_foreach(it, &part->addrs) {
		const struct host_device *device = host_device(p->task->host, *it);

		if (device && pci_class_is_display(device->class))
			card = device;
	}
	if (!card || part->code != _CODE_INVALID)
		return;
	if (!p->task->guest->next.uefi && qm_boolean(qm_property(text, "legacy-igd")) != YES)
		say(p, part, SEVERITY_WARNING, CODE_NO_OVMF,
		    "a graphics card works best with UEFI firmware: set its bios to ovmf and give "
		    "it an EFI disk; a guest that was installed without may need that done anew");
	if (qm_boolean(qm_property(text, "x-vga")) == YES)
		advise_primary(p, part);
	if (card->boot_vga && !qm_property(text, "romfile"))
		say(p, part, SEVERITY_WARNING, CODE_ROM_NEEDED,
		    "this host was started with the card, whose ROM has been used by then: if the "
		    "screen stays dark give rom-file a copy that was read on another machine");
}
