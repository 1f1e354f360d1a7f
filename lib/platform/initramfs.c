/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initramfs.h"

#include <string.h>

#include "rows.h"
#include "strbuf.h"

/* Debian's dracut-core may lie beside initramfs-tools as somebody's dependency: it comes second. */
const struct initramfs_builder *const initramfs_builders[] = {&initramfs_tools, &dracut,
							      &mkinitcpio, &booster};
const size_t initramfs_builders_n = ARRAY_LEN(initramfs_builders);

const struct initramfs_builder *initramfs_builder(const char *name)
{
	for (size_t i = 0; name && i < initramfs_builders_n; i++)
		if (strcmp(initramfs_builders[i]->name, name) == 0)
			return initramfs_builders[i];
	return NULL;
}

const char *initramfs_commands(struct arena *a)
{
	_cleanup_strbuf_ struct strbuf b = {};
	const char *text;

	for (size_t i = 0; i < initramfs_builders_n; i++)
		strbuf_addf(&b, "%s%s", i ? ", " : "", initramfs_builders[i]->command);
	return strbuf_to_arena(&b, a, &text) < 0 ? NULL : text;
}
