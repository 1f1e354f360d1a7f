/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests of libvirt. */
#include "rows.h"

static int match(struct arena *a _unused_, struct guest_task *task)
{
	array_foreach(it, &task->parts) {
		it->code = CODE_NOT_SUPPORTED;
		it->why = "this version does not change such guests; attach the device by hand";
	}
	return 0;
}

static int steps(struct arena *a _unused_, const struct guest_task *task _unused_,
		 struct guest_steps *ret _unused_)
{
	return 0;
}

const struct hypervisor_row hypervisor_libvirt = {
	.hypervisor = HYPERVISOR_LIBVIRT,
	.title = "libvirt",
	.match = match,
	.steps = steps,
};
