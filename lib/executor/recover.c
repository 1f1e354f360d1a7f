/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After a cut. Files are whole, and what is missing the new plan does; but there may be temporary
 * files, and a function between two drivers.
 */
#include <errno.h>

#include "doing.h"
#include "paths.h"

/* Its override says whose it is to be: cleared before an unbind on the way back, set on the way in.
 */
static int probe_again(struct doing *d, struct pci_addr addr)
{
	char text[PCI_ADDR_TEXT_SIZE];
	const char *name = pci_addr_format(addr, text), *link;
	const char *path = arena_printf(d->arena, PATH_PCI_DEVICES "/%s", name), *word;
	int err = path ? d->ops->identity(d->ops->ctx, path, d->arena, &word) : -ENOMEM;

	if (err == 0) {
		path = arena_printf(d->arena, "%s/driver", path);
		err = path ? d->ops->readlink(d->ops->ctx, path, d->arena, &link) : -ENOMEM;
		if (err == -ENOENT)
			d->ops->write_attr(d->ops->ctx, PATH_PCI_PROBE, name);
	}
	return err == -ENOMEM ? err : 0;
}

int recover(struct doing *d)
{
	const char *line;
	int err = apply_unfinished(d->ops, d->arena, &line);

	if (err <= 0)
		return err == -ENOMEM ? err : 0;
	array_foreach(it, &d->first->files)
		d->ops->sweep(d->ops->ctx, it->path);
	array_foreach(it, &d->first->devices)
		if (d->ops->live && it->bound && probe_again(d, it->addr) < 0)
			return -ENOMEM;
	/* A journal that cannot be written now will be by the next apply. */
	journal_close(d->ops);
	return 0;
}
