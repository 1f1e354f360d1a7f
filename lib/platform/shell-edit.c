/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shell-edit.h"

#include <string.h>

#include "early.h"
#include "flags.h"

struct edit {
	const struct host *host;
	const struct ledger *ledger;
	const struct words *wanted, *surplus;
	const struct shell_place *place;
	const char *defaults, *dropin; /* texts as they will be; NULL: absent */
	struct words removed;	       /* ours, taken from the shared file */
	struct words kept;	       /* in our drop-in, neither wanted nor surplus: blocked */
	struct words missing;	       /* to be added */
	const char *conflict;
	bool stop; /* nothing can be edited, for that reason */
};

int shell_own_flags(struct arena *a, const struct host *host, const char *path, const char *var,
		    struct words *ret)
{
	/* What stands before ours is told by a word that is no flag. */
	const struct grub_source sources[] = {{"", arena_printf(a, "%s=_\n", var)},
					      {path, file_text(host, path)}};
	struct grub_error error;
	struct grub_value value;
	struct kcmdline line = {};
	int r;

	if (!sources[0].text)
		return -ENOMEM;
	if (!sources[1].text)
		return 0;
	r = grub_defaults_value(a, sources, ARRAY_LEN(sources), var, &value, &error);
	if (r == 0)
		r = kcmdline_parse(a, value.text, &line);
	if (r < 0)
		return r == -EBADMSG ? 0 : r;
	array_foreach(param, &line.params)
		if (strcmp(param->raw, "_") != 0 && words_add(a, ret, param->raw) < 0)
			return -ENOMEM;
	return 0;
}

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
	why = arena_printf(a, "%s: %s cannot be edited safely", e->place->shared, e->place->var);
	return why ? stop(e, why) : -ENOMEM;
}

static int take_back(struct arena *a, struct edit *e)
{
	int r = flags_ours(a, e->ledger, e->place->shared, e->surplus, &e->removed);

	array_foreach(token, &e->removed)
		if (r == 0 && e->defaults && !e->stop)
			r = edited(a, e,
				   grub_defaults_remove(a, e->defaults, e->place->var, *token,
							&e->defaults));
	return r;
}

/* A flag that cannot be judged now is not taken from a host that may boot by it. */
static int keep_blocked(struct arena *a, struct edit *e)
{
	struct words own = {};
	int r = e->place->own_read ? shell_own_flags(a, e->host, e->place->own, e->place->var, &own)
				   : 0;

	array_foreach(flag, &own)
		if (r == 0 && !kflag_refused(*flag) && !words_has(e->wanted, *flag) &&
		    !words_has(e->surplus, *flag))
			r = words_add(a, &e->kept, *flag) < 0 ? -ENOMEM : 0;
	return r;
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
	int r = e->place->outcome(a, e->host, e->defaults, NULL, &base);

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

	strbuf_addf(&b, MANAGED_BY "%s=\"%s", e->place->var, e->place->takes_up);
	array_foreach(flag, &e->kept)
		strbuf_addf(&b, " %s", *flag);
	array_foreach(flag, &e->missing)
		strbuf_addf(&b, " %s", *flag);
	strbuf_addf(&b, "%s\"\n", e->place->ends ? e->place->ends : "");
	return strbuf_to_arena(&b, a, &e->dropin);
}

static int write_missing(struct arena *a, struct edit *e)
{
	int r = 0;

	if (e->place->own_read)
		return e->kept.n || e->missing.n ? write_dropin(a, e) : 0;
	array_foreach(flag, &e->missing)
		if (r == 0 && !e->stop)
			r = edited(a, e,
				   grub_defaults_add(a, e->defaults ? e->defaults : "",
						     e->place->var, *flag, &e->defaults));
	return r;
}

/*
 * Reads the files as they will be and looks for the flags again: a file that is sourced later may
 * set the line anew (note 17), a bare "--" may hand them to init (1.4).
 */
static int check_written(struct arena *a, struct edit *e)
{
	struct outcome o;
	int r = e->place->outcome(a, e->host, e->defaults, e->dropin, &o);

	if (r < 0 || o.broken)
		return r < 0 ? r : stop(e, o.broken);
	array_foreach(flag, &e->missing) {
		const char *where = o.normal.last_path ? o.normal.last_path : e->place->shared;
		const char *why;

		r = flag_in_force(a, o.line, *flag);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		why = strcmp(where, e->dropin ? e->place->own : e->place->shared) == 0
			      ? arena_printf(a, "%s:%u: what is added stands behind a bare --",
					     where, o.normal.last_line)
			      : arena_printf(a, "%s:%u: %s is set anew, after ours", where,
					     o.normal.last_line, e->place->var);
		return why ? stop(e, why) : -ENOMEM;
	}
	return 0;
}

static int make_edits(struct arena *a, const struct edit *e, struct loader_edits *ret)
{
	const struct host_file *shared = host_file(e->host, e->place->shared);
	bool there = shared && shared->status == FILE_PRESENT;
	struct loader_edit defaults = {
		.path = e->place->shared,
		.text = e->defaults,
		.mode = there ? shared->mode : 0644,
	};
	struct loader_edit dropin = {
		.path = e->place->own, .owned = true, .text = e->dropin, .mode = 0644};
	const struct words none = {};
	int r = flags_after(a, e->ledger, e->place->shared, &e->removed,
			    e->place->own_read ? &none : &e->missing, &defaults.tokens);

	if (r == 0 && e->wanted->n == 0 && defaults.tokens.n == 0)
		edit_restore(e->host, e->ledger, &defaults);
	if (r == 0 && e->defaults)
		r = edits_add(a, e->host, ret, defaults);
	return r < 0 ? r : edits_add(a, e->host, ret, dropin);
}

int shell_edit(struct arena *a, const struct host *host, const struct ledger *ledger,
	       const struct shell_place *place, const struct words *wanted,
	       const struct words *surplus, struct loader_edits *ret, const char **ret_conflict)
{
	struct edit e = {
		.host = host,
		.ledger = ledger,
		.wanted = wanted,
		.surplus = surplus,
		.place = place,
		.defaults = file_text(host, place->shared),
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
