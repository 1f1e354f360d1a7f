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

/* --- edits ---------------------------------------------------------------------------------- */

struct edit {
	const struct host *host;
	const struct ledger *ledger;
	const struct words *wanted, *surplus;
	const char *var;	       /* that ours go to */
	const char *defaults, *dropin; /* texts as they will be; NULL: absent */
	struct words removed;	       /* ours, taken from /etc/default/grub */
	struct words kept;	       /* in our drop-in, neither wanted nor surplus: blocked */
	struct words missing;	       /* to be added */
	const char *conflict;
	bool stop; /* nothing can be edited, for that reason */
};

static int stop(struct edit *e, const char *why)
{
	e->conflict = why;
	e->stop = true;
	return 0;
}

/* Takes what grub_defaults_add and _remove answer. */
static int edited(struct arena *a, struct edit *e, int r)
{
	const char *why;

	if (r != -EOPNOTSUPP && r != -EBADMSG)
		return r;
	why = arena_printf(a, PATH_GRUB_DEFAULTS ": %s cannot be edited safely", e->var);
	return why ? stop(e, why) : -ENOMEM;
}

static int take_back(struct arena *a, struct edit *e)
{
	int r = flags_ours(a, e->ledger, PATH_GRUB_DEFAULTS, e->surplus, &e->removed);

	array_foreach(token, &e->removed)
		if (r == 0 && e->defaults && !e->stop)
			r = edited(
				a, e,
				grub_defaults_remove(a, e->defaults, e->var, *token, &e->defaults));
	return r;
}

/* A flag that cannot be judged now is not taken from a host that may boot by it. */
static int keep_blocked(struct arena *a, struct edit *e)
{
	const struct grub_source dropin = {PATH_GRUB_DROPIN, file_text(e->host, PATH_GRUB_DROPIN)};
	struct grub_error error;
	struct grub_value value;
	struct kcmdline line = {};
	int r;

	if (!dropin.text || !e->host->boot.grub_dir_read)
		return 0;
	r = grub_defaults_value(a, &dropin, 1, e->var, &value, &error);
	if (r == 0)
		r = kcmdline_parse(a, value.text, &line);
	if (r < 0)
		return r == -EBADMSG ? 0 : r;
	array_foreach(param, &line.params)
		if (!kflag_refused(param->raw) && !words_has(e->wanted, param->raw) &&
		    !words_has(e->surplus, param->raw) && words_add(a, &e->kept, param->raw) < 0)
			return -ENOMEM;
	return 0;
}

/* Names the last assignment of the variable that says so: where a person will look first. */
static int contradicted(struct arena *a, struct edit *e, const struct outcome *base,
			const char *against, const char *flag)
{
	const struct grub_value *value = &base->all;
	struct kcmdline normal = {};
	int r = kcmdline_parse(a, base->normal.text, &normal);

	if (r < 0 || e->conflict)
		return r;
	array_foreach(param, &normal.params)
		if (strcmp(param->raw, against) == 0)
			value = &base->normal;
	e->conflict = arena_printf(a, "%s:%u: %s contradicts %s", value->last_path,
				   value->last_line, against, flag);
	return e->conflict ? 0 : -ENOMEM;
}

/* Flags that nobody has put in force yet and nobody contradicts. */
static int find_missing(struct arena *a, struct edit *e)
{
	struct outcome base;
	int r = grub_outcome(a, e->host, e->defaults, NULL, &base);

	if (r < 0 || base.broken)
		return r < 0 ? r : stop(e, base.broken);
	array_foreach(flag, e->wanted) {
		const char *against = NULL;

		r = flag_in_force(a, base.line, *flag);
		if (r > 0)
			continue;
		if (r == 0)
			r = flag_conflict(a, base.line, *flag, &against);
		if (r == 0 && against)
			r = contradicted(a, e, &base, against, *flag);
		else if (r == 0)
			r = words_add(a, &e->missing, *flag) < 0 ? -ENOMEM : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int write_dropin(struct arena *a, struct edit *e)
{
	_cleanup_strbuf_ struct strbuf b = {};

	strbuf_addf(&b, MANAGED_BY "%s=\"$%s", e->var, e->var);
	array_foreach(flag, &e->kept)
		strbuf_addf(&b, " %s", *flag);
	array_foreach(flag, &e->missing)
		strbuf_addf(&b, " %s", *flag);
	strbuf_add(&b, "\"\n");
	return strbuf_to_arena(&b, a, &e->dropin);
}

static int write_missing(struct arena *a, struct edit *e)
{
	int r = 0;

	if (e->host->boot.grub_dir_read)
		return e->kept.n || e->missing.n ? write_dropin(a, e) : 0;
	array_foreach(flag, &e->missing)
		if (r == 0 && !e->stop)
			r = edited(a, e,
				   grub_defaults_add(a, e->defaults ? e->defaults : "", e->var,
						     *flag, &e->defaults));
	return r;
}

/*
 * Reads the files as they will be and looks for the flags again: a file that is sourced later may
 * set the line anew (note 17), a bare "--" may hand them to init (1.4).
 */
static int check_written(struct arena *a, struct edit *e)
{
	struct outcome o;
	int r = grub_outcome(a, e->host, e->defaults, e->dropin, &o);

	if (r < 0 || o.broken)
		return r < 0 ? r : stop(e, o.broken);
	array_foreach(flag, &e->missing) {
		const char *where = o.normal.last_path ? o.normal.last_path : PATH_GRUB_DEFAULTS;
		const char *why;

		r = flag_in_force(a, o.line, *flag);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		why = strcmp(where, e->dropin ? PATH_GRUB_DROPIN : PATH_GRUB_DEFAULTS) == 0
			      ? arena_printf(a, "%s:%u: what is added stands behind a bare --",
					     where, o.normal.last_line)
			      : arena_printf(a, "%s:%u: %s is set anew, after ours", where,
					     o.normal.last_line, e->var);
		return why ? stop(e, why) : -ENOMEM;
	}
	return 0;
}

static int make_edits(struct arena *a, const struct edit *e, struct loader_edits *ret)
{
	const struct host_file *shared = host_file(e->host, PATH_GRUB_DEFAULTS);
	bool there = shared && shared->status == FILE_PRESENT;
	struct loader_edit defaults = {
		.path = PATH_GRUB_DEFAULTS,
		.text = e->defaults,
		.mode = there ? shared->mode : 0644,
	};
	struct loader_edit dropin = {
		.path = PATH_GRUB_DROPIN, .owned = true, .text = e->dropin, .mode = 0644};
	const struct words none = {};
	int r = flags_after(a, e->ledger, PATH_GRUB_DEFAULTS, &e->removed,
			    e->host->boot.grub_dir_read ? &none : &e->missing, &defaults.tokens);

	if (r == 0 && e->wanted->n == 0 && defaults.tokens.n == 0)
		edit_restore(e->host, e->ledger, &defaults);
	if (r == 0 && e->defaults)
		r = edits_add(a, e->host, ret, defaults);
	return r < 0 ? r : edits_add(a, e->host, ret, dropin);
}

static int edit(struct arena *a, const struct host *host, const struct ledger *ledger,
		const struct words *wanted, const struct words *surplus, struct loader_edits *ret,
		const char **ret_conflict)
{
	struct edit e = {
		.host = host,
		.ledger = ledger,
		.wanted = wanted,
		.surplus = surplus,
		.var = grub_variable(host),
		.defaults = file_text(host, PATH_GRUB_DEFAULTS),
	};
	struct loader_edits edits = {};
	int r = flags_safe(wanted) ? take_back(a, &e) : -EINVAL;

	if (r == 0)
		r = keep_blocked(a, &e);
	if (r == 0 && !e.stop)
		r = find_missing(a, &e);
	if (r == 0 && !e.stop)
		r = write_missing(a, &e);
	if (r == 0 && !e.stop)
		r = check_written(a, &e);
	if (r == 0 && !e.stop)
		r = make_edits(a, &e, &edits);
	if (r == 0) {
		*ret = edits;
		*ret_conflict = e.conflict;
	}
	return r;
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
