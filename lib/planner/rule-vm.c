/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual machines: checked by lib/config, not acted on by this version, and said so. */
#include "planning.h"

int rule_vms(struct planning *p)
{
	array_foreach(vm, &p->spec->vms) {
		array_foreach(it, &vm->devices) {
			ssize_t item = item_add(p, ITEM_VM, "%s/%s", vm->name, it->device);

			if (item < 0)
				return (int)item;
			if (item_block(p, (size_t)item, CODE_NOT_SUPPORTED,
				       "vms: this version prepares the host and leaves guest %s "
				       "alone; "
				       "attach the device there by hand",
				       vm->name) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}
