/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grub-defaults.h"

#include <errno.h>

#include "grub-source.h"

int grub_defaults_value(struct arena *a, const struct grub_source *sources, size_t n,
			const char *var, struct grub_value *ret, struct grub_error *ret_error)
{
	struct shell_variable v;
	struct grub_state g;

	grub_state_start(&g, a, var);
	for (size_t i = 0; i < n; i++) {
		int r = grub_state_follow(&g, &sources[i], ret_error);

		if (r < 0)
			return r;
	}
	v = shell_lookup(&g.env, var);
	*ret = (struct grub_value){
		.text = v.value ? v.value : "",
		.uncertain = v.why,
		.why = v.why,
		.last_path = g.last_path,
		.last_line = g.last_line,
		.last_appends = g.last_appends,
	};
	return 0;
}
