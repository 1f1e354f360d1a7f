/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loader entries that GRUB reads: what their lines come to at boot, and who makes them anew. That
 * is told by the scripts themselves, since it changed within releases (2.15 to 2.18).
 */
#include "entry-options.h"
#include "grubenv.h"
#include "observe-parts.h"
#include "paths.h"

static const char *const mkconfigs[] = {"/usr/sbin/grub2-mkconfig", "/usr/bin/grub2-mkconfig",
					"/sbin/grub2-mkconfig"};

/*
 * Whether a run of grub2-mkconfig, by anybody, makes the lines anew: entries by Fedora's script
 * (2.15), and grubenv's kernelopts by RHEL 8's (2.17); later RHEL's has to be asked to (2.16).
 */
static bool remade(struct observer *o)
{
	const char *script = NULL, *maker = see_text(o, MAX_CONFIG, "/etc/grub.d/10_linux");

	for (size_t i = 0; i < ARRAY_LEN(mkconfigs) && !script; i++)
		script = see_text(o, MAX_CONFIG, "%s", mkconfigs[i]);
	if (!script || !maker || strstr(script, "--update-bls-cmdline"))
		return false;
	return strstr(maker, "update_bls_cmdline") || strstr(maker, "kernelopts");
}

/* What the kernel gets of the first options line, with what GRUB's environment has for it. */
static void read_options(struct observer *o, struct host_entry *entry, const char *env)
{
	const char *text = see_text(o, MAX_CONFIG, "%s", entry->source), *options = NULL;

	if (!text || !kept(o, entry_options(o->scratch, text, &options) == 0))
		return;
	if (!options)
		entry->options = "";
	else
		kept(o, grubenv_expand(o->a, env, options, &entry->options) == 0);
}

void observe_bls(struct observer *o)
{
	struct host_boot *boot = &o->host->boot;
	const char *env;

	boot->ostree = see_exists(o, "/run/ostree-booted") ||
		       (boot->blscfg && see_exists(o, "/ostree/repo"));
	if (!boot->blscfg)
		return;
	boot->bls_remade = remade(o);
	env = see_text(o, MAX_CONFIG, PATH_GRUBENV);
	array_foreach(it, &boot->entries)
		if (it->loader == LOADER_BLS) {
			const char *written = it->options;

			read_options(o, it, env);
			/* GRUB saves other things there at each boot: none of ours to look at. */
			if (strstr(written, "kernelopts") && !host_file(o->host, PATH_GRUBENV))
				observe_file(o, PATH_GRUBENV);
			if (!host_file(o->host, it->source))
				observe_file(o, it->source);
		}
}
