/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GRUB: /etc/default/grub and, where grub-mkconfig reads it, /etc/default/grub.d (facts 2.1 to 2.5,
 * 2.13). Normal entries get GRUB_CMDLINE_LINUX and then GRUB_CMDLINE_LINUX_DEFAULT; ours go to the
 * second, which spares recovery entries. Where grub2-mkconfig writes loader entries instead, it
 * takes the first alone (2.15).
 */
#include <string.h>

#include "early.h"
#include "flags.h"
#include "grub-outcome.h"
#include "paths.h"
#include "rows.h"
#include "shell-edit.h"
#include "sources.h"

static bool present(const struct host *host)
{
	/* In GRUB mode of proxmox-boot-tool grub.cfg lies on the ESPs alone (4.4). */
	if (!host->boot.grub_cfg)
		return host->boot.proxmox && host->boot.grub_mkconfig;
	/* Loader entries have their lines from here where grub2-mkconfig makes them anew. */
	return !host->boot.blscfg || (host->boot.bls_remade && !host->boot.ostree);
}

static int files(struct arena *a, const struct host *host, struct loader_files *ret)
{
	const char *dropin = host->boot.grub_dir_read ? file_text(host, PATH_GRUB_DROPIN) : NULL;
	const struct host_file *ours = host_file(host, PATH_GRUB_DROPIN);
	struct outcome o;
	int r = grub_outcome(a, host, file_text(host, PATH_GRUB_DEFAULTS), dropin, &o);

	if (r == 0 && !o.broken && ours && host->boot.grub_dir_read)
		r = file_unusable(a, ours, &o.broken);
	if (r < 0)
		return r;
	*ret = (struct loader_files){
		.line = o.line,
		.known = !o.broken,
		.why = o.broken		    ? o.broken
		       : o.normal.uncertain ? o.normal.why
					    : o.all.why,
		.where = o.normal.last_path ? o.normal.last_path : PATH_GRUB_DEFAULTS,
	};
	return 0;
}

static int edit(struct arena *a, const struct host *host, const struct ledger *ledger,
		const struct words *wanted, const struct words *surplus, struct loader_edits *ret,
		const char **ret_conflict)
{
	const char *var = grub_variable(host);
	const struct shell_place place = {
		.shared = PATH_GRUB_DEFAULTS,
		.own = PATH_GRUB_DROPIN,
		.own_read = host->boot.grub_dir_read,
		.var = var,
		.takes_up = arena_printf(a, "$%s", var),
		.outcome = grub_outcome,
	};

	return place.takes_up
		       ? shell_edit(a, host, ledger, &place, wanted, surplus, ret, ret_conflict)
		       : -ENOMEM;
}

/* Sourced by grub-mkconfig (2.1); who does not read the folder is not hurt by it being sound. */
static const char *const check[] = {
	SOURCES_SOUND("sh", PATH_GRUB_DEFAULTS " " PATH_GRUB_DIR "/*.cfg")};

/*
 * update-grub is grub-mkconfig for Debian's path (2.8); elsewhere the path goes with the prefix of
 * the command (2.13). On hosts of proxmox-boot-tool either would run a whole refresh (4.15): there
 * that tool's row has the one step. Loader entries are none of grub.cfg's, and edited themselves.
 *
 * What copies over grub.cfg in place would leave a host that does not boot when the power goes in
 * that moment (2.9): it is told to write beside it. Of two -o the last counts.
 */
static int refresh(struct arena *a, const struct host *host, struct step *step)
{
	const char *command = host->boot.grub_mkconfig, *cfg = host->boot.grub_cfg;
	const char *argv[] = {command, "-o", NULL};
	size_t n = ARRAY_LEN(argv);
	char *staged = NULL;

	if (!command || host->boot.blscfg || (host->boot.proxmox && host->boot.proxmox_tool))
		return 0;
	if (!cfg)
		cfg = strncmp(command, "grub2-", 6) == 0 ? "/boot/grub2/grub.cfg"
							 : "/boot/grub/grub.cfg";
	if (host->boot.grub_copies) {
		staged = arena_printf(a, "%s.passthroughd", cfg);
		if (!staged)
			return -ENOMEM;
	}
	argv[2] = staged ? staged : cfg;
	if (!staged && strcmp(command, "update-grub") == 0)
		n = 1;
	if (words_push(a, &step->argv, argv, n) < 0 ||
	    words_push(a, &step->check, check, ARRAY_LEN(check)) < 0)
		return -ENOMEM;
	step->target = command;
	step->produces = cfg;
	step->staged = staged;
	return 1;
}

const struct boot_loader loader_grub = {
	.loader = LOADER_GRUB,
	.name = "GRUB",
	.present = present,
	.files = files,
	.edit = edit,
	.refresh = refresh,
};
