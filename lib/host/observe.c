/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe.h"

#include "observe-parts.h"

/* In the order in which they need each other. */
static void (*const parts[])(struct observer *o) = {
	observe_running, observe_commands, observe_kernels, observe_files, observe_devices,
	observe_support, observe_blocks,   observe_boot,    observe_uses,  observe_guests,
};

int host_observe(struct tree *tree, const struct observe_options *options, struct host **ret)
{
	_cleanup_host_ struct host *host = host_new();
	struct observer o = {.tree = tree, .options = options, .host = host};

	if (!host)
		return -ENOMEM;
	o.a = host->arena;
	host->live_root = tree->live;
	host->capture = tree->capture;
	for (size_t i = 0; i < ARRAY_LEN(parts) && !o.lost; i++) {
		o.scratch = arena_new();
		if (kept(&o, o.scratch))
			parts[i](&o);
		o.scratch = arena_free(o.scratch);
	}
	if (o.lost)
		return -ENOMEM;
	if (tree->trouble)
		return tree->trouble;
	*ret = TAKE(host);
	return 0;
}
