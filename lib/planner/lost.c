/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger is gone or cannot be read: what was here before us is not known. Nothing is guessed.
 * Files that say that they are ours can go; whatever else may be ours is listed for a person.
 */
#include <string.h>

#include "paths.h"
#include "planning.h"

/* A file that says that it is ours is to go, and the ledger has never heard of it. */
static bool removes_unknown(const struct planning *p)
{
	array_foreach(it, &p->plan->steps)
		if (it->kind == STEP_REMOVE_FILE && it->owned &&
		    !ledger_file(p->ledger, it->target))
			return true;
	return false;
}

static int list_flags(struct planning *p)
{
	for (size_t i = 0; i < boot_loaders_n; i++) {
		const struct boot_loader *loader = boot_loaders[i];
		struct loader_files files = {0};

		/* Where grub.d is read, what we wish lies in a file of our own. */
		if (!loader_kept(p, loader) ||
		    (loader->loader == LOADER_GRUB && p->host->boot.grub_dir_read))
			continue;
		if (loader->files(p->a, p->host, &files) < 0)
			return -ENOMEM;
		if (files.known && *files.line &&
		    plan_note(
			    p, SEVERITY_WARNING, CODE_LEDGER_LOST,
			    "%s has the kernel flags \"%s\": which of them passthroughd put there "
			    "is not known; take out by hand those that are not wanted",
			    files.where, files.line) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int list_devices(struct planning *p)
{
	char at[PCI_ADDR_TEXT_SIZE];

	array_foreach(it, &p->host->devices)
		if (it->driver && it->override && strcmp(it->driver, it->override) == 0 &&
		    !ledger_device(p->ledger, it->addr) &&
		    plan_note(p, SEVERITY_WARNING, CODE_LEDGER_LOST,
			      "%s is on %s by its driver override, and by whom is not known; once "
			      "nothing sets it any more, a reboot gives the device back",
			      pci_addr_format(it->addr, at), it->driver) < 0)
			return -ENOMEM;
	return 0;
}

int plan_lost(struct planning *p)
{
	bool wishes = plan_wishes(p->plan);
	int err;

	if (!p->ledger->damaged && (wishes || !removes_unknown(p)))
		return 0;
	if (!p->ledger->damaged)
		err = plan_note(
			p, SEVERITY_WARNING, CODE_LEDGER_LOST,
			"%s is not there, so what passthroughd changed here is not known: only "
			"files that say that they are its own are removed",
			PATH_LEDGER);
	else
		err = plan_note(
			p, SEVERITY_WARNING, CODE_LEDGER_LOST,
			"%s cannot be read, so what passthroughd changed here is not known: "
			"%s",
			PATH_LEDGER,
			wishes ? "nothing more is changed; mend it, or use revert, which "
				 "takes back what is recognisably ours"
			       : "only files that say that they are its own are removed");
	if (err == 0 && !wishes)
		err = list_flags(p);
	return err < 0 || wishes ? err : list_devices(p);
}
