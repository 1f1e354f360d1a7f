/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GRUB with loader entries, as Fedora and RHEL have it (facts 2.14 to 2.22): what is there is
 * edited in place, since grubby loses tokens (2.21) and grub2-mkconfig may leave the entries alone
 * (2.16). Kernels to come have their line from /etc/kernel/cmdline (2.19). Where grub2-mkconfig
 * makes the lines anew, GRUB's own row keeps what it makes them of.
 */
#include "bls.h"

#include <string.h>

#include "entry-options.h"
#include "flags.h"
#include "grubenv.h"
#include "kcmdline.h"
#include "kernel-cmdline.h"
#include "kernel-line.h"
#include "paths.h"
#include "rows.h"
#include "strbuf.h"

#define KERNELOPTS "kernelopts"

static bool present(const struct host *host)
{
	return host->boot.blscfg && !host->boot.ostree;
}

/* Recovery entries and those of kernels that are gone stay as they are; so does the rescue image's,
 * which is no kernel of the host (2.5). */
static bool counts(const struct host *host, enum loader loader, const struct host_entry *entry)
{
	if (entry->loader != loader || entry->recovery || !entry->kernel)
		return false;
	array_foreach(it, &host->kernels)
		if (it->vmlinuz && strcmp(it->version, entry->kernel) == 0)
			return true;
	return false;
}

static int add_token(struct arena *a, const char *env, const char *token, struct strbuf *out)
{
	const char *value = token;
	int r = 0;

	if (strcmp(token, "$" KERNELOPTS) == 0 || strcmp(token, "${" KERNELOPTS "}") == 0)
		r = grubenv_get(a, env ? env : "", KERNELOPTS, &value);
	else if (*token == '$')
		value = NULL;
	if (r < 0 || !value)
		return r;
	strbuf_addf(out, "%s%s", out->len ? " " : "", value);
	while (out->len && out->text[out->len - 1] == ' ')
		out->text[--out->len] = '\0';
	return out->error;
}

int bls_line(struct arena *a, const struct host *host, const char **ret)
{
	const char *newest = host->kernels.n ? host->kernels.at[host->kernels.n - 1].version : "";
	_cleanup_strbuf_ struct strbuf out = {};
	const char *options = NULL, *text;
	struct kcmdline line = {};
	int r = 0;

	array_foreach(it, &host->boot.entries) {
		text = counts(host, LOADER_BLS, it) && strcmp(it->kernel, newest) == 0
			       ? file_text(host, it->source)
			       : NULL;
		if (r == 0 && text && !options)
			r = entry_options(a, text, &options);
	}
	if (r == 0 && options)
		r = kcmdline_parse(a, options, &line);
	array_foreach(it, &line.params)
		if (r == 0)
			r = add_token(a, file_text(host, PATH_GRUBENV), it->raw, &out);
	if (r == 0)
		r = kcmdline_parse(a, strbuf_text(&out), &line);
	if (r < 0)
		return r;
	*ret = NULL;
	return kernel_line_has_root(&line) ? strbuf_to_arena(&out, a, ret) : 0;
}

/* --- edits ---------------------------------------------------------------------------------- */

struct edit {
	const struct host *host;
	enum loader loader; /* whose entries */
	const struct ledger *ledger;
	const struct words *wanted, *surplus;
	const char *env; /* grubenv as it will be; NULL: not there, or nothing is read from it */
	const char *conflict;
	struct loader_edits *edits;
};

/* One line in one file: what GRUB makes of it, and what is changed in it. */
struct line {
	const char *path;
	const char *text; /* as written, and as it will be */
	struct words removed, added;
};

static int conflict(struct arena *a, struct edit *e, const struct line *l, const char *what)
{
	if (!e->conflict)
		e->conflict = arena_printf(a, "%s%s", l->path, what);
	return e->conflict ? 0 : -ENOMEM;
}

/*
 * Whether token is in an entry that was made of our line for kernels to come: we have not written
 * there, and it was not anybody's before us, as an entry of that time shows.
 */
static bool inherited(const struct edit *e, const char *path, const char *token)
{
	const struct ledger_file *source = ledger_file(e->ledger, PATH_KERNEL_CMDLINE);
	size_t n = strlen(PATH_BLS_ENTRIES);

	if (ledger_file(e->ledger, path) || !source || !words_has(&source->tokens, token))
		return false;
	array_foreach(it, &e->ledger->files)
		if (strncmp(it->path, PATH_BLS_ENTRIES, n) == 0 && words_has(&it->tokens, token))
			return true;
	return false;
}

static int take_back(struct arena *a, struct edit *e, struct line *l)
{
	int r = flags_ours(a, e->ledger, l->path, e->surplus, &l->removed);

	for (size_t i = e->surplus->n; r == 0 && i-- > 0;)
		if (inherited(e, l->path, e->surplus->at[i]))
			r = words_add(a, &l->removed, e->surplus->at[i]) < 0 ? -ENOMEM : 0;
	array_foreach(token, &l->removed)
		if (r == 0)
			r = kcmdline_remove(a, l->text, *token, &l->text);
	return r;
}

/* Adds to the line what nobody contradicts on what GRUB makes of it. */
static int want_flag(struct arena *a, struct edit *e, struct line *l, const char *flag)
{
	const char *against = NULL, *read;
	int r = grubenv_expand(a, e->env, l->text, &read);

	if (r == 0)
		r = flag_in_force(a, read, flag);
	if (r != 0)
		return r < 0 ? r : 0;
	r = flag_conflict(a, read, flag, &against);
	if (r < 0)
		return r;
	if (against) {
		against = arena_printf(a, ": %s contradicts %s", against, flag);
		return against ? conflict(a, e, l, against) : -ENOMEM;
	}
	r = kcmdline_add(a, l->text, flag, &l->text);
	if (r == 0)
		r = grubenv_expand(a, e->env, l->text, &read);
	if (r == 0)
		r = flag_in_force(a, read, flag);
	if (r == 0)
		return conflict(a, e, l, " has quotes that cannot be followed");
	return r < 0 || words_add(a, &l->added, flag) < 0 ? -ENOMEM : 0;
}

/* The ledger is to know them: the entries that say so now go with their kernels. */
static int keep_inherited(struct arena *a, struct edit *e, struct line *l)
{
	struct plan_adopt found = {.path = l->path};
	struct kcmdline line;
	int r = kcmdline_parse(a, l->text, &line);

	array_foreach(flag, e->wanted)
		if (r == 0 && inherited(e, l->path, *flag) && kcmdline_satisfies(&line, *flag) &&
		    (words_add(a, &found.tokens, *flag) < 0 || words_add(a, &l->added, *flag) < 0))
			return -ENOMEM;
	if (r < 0 || !found.tokens.n)
		return r;
	return array_push(a, &e->edits->inherited, found);
}

static int edit_line(struct arena *a, struct edit *e, struct line *l)
{
	int r = take_back(a, e, l);

	if (r == 0)
		r = keep_inherited(a, e, l);

	array_foreach(flag, e->wanted)
		if (r == 0 && !e->conflict)
			r = want_flag(a, e, l, *flag);
	return r;
}

/* The file with its line edited; text: of the whole file. */
static int push(struct arena *a, struct edit *e, const struct line *l, const char *text)
{
	const struct host_file *file = host_file(e->host, l->path);
	struct loader_edit one = {.path = l->path, .text = text, .mode = file->mode};
	int r = flags_after(a, e->ledger, l->path, &l->removed, &l->added, &one.tokens);

	if (r == 0 && e->wanted->n == 0 && one.tokens.n == 0)
		edit_restore(e->host, e->ledger, &one);
	return r < 0 ? r : edits_add(a, e->host, e->edits, one);
}

/* The file's text; NULL with a conflict when it cannot be used. 0 or -ENOMEM. */
static int usable(struct arena *a, struct edit *e, const char *path, const char **ret)
{
	const struct host_file *file = host_file(e->host, path);
	int r = file ? file_unusable(a, file, &e->conflict) : 0;

	if (r == 0 && !e->conflict && (!file || file->status != FILE_PRESENT)) {
		e->conflict = arena_printf(a, "%s is not there, and entries are made of it", path);
		r = e->conflict ? 0 : -ENOMEM;
	}
	*ret = r == 0 && !e->conflict ? file->text : NULL;
	return r;
}

/*
 * RHEL 8's entries name a variable (2.17). It is edited by ourselves and not by grub2-editenv: so
 * it is replaced by a rename, shown as a diff, and taken back to the byte as every file is.
 */
static int edit_env(struct arena *a, struct edit *e)
{
	struct line l = {.path = PATH_GRUBENV};
	const char *block;
	int r = usable(a, e, PATH_GRUBENV, &block);

	if (r == 0 && !e->conflict)
		r = grubenv_get(a, block, KERNELOPTS, &l.text);
	if (r < 0 || e->conflict)
		return r;
	if (!l.text)
		return conflict(a, e, &l,
				" has no " KERNELOPTS ", which entries are made of; run "
				"grub2-mkconfig");
	r = edit_line(a, e, &l);
	if (r < 0 || e->conflict)
		return r;
	r = grubenv_set(a, block, KERNELOPTS, l.text, &e->env);
	if (r == -ENOSPC)
		return conflict(a, e, &l, " has no room for longer " KERNELOPTS);
	return r < 0 ? r : push(a, e, &l, e->env);
}

static int edit_entry(struct arena *a, struct edit *e, const struct host_entry *entry)
{
	struct line l = {.path = entry->source};
	const char *text;
	int r = usable(a, e, entry->source, &text);

	if (r == 0 && !e->conflict)
		r = entry_options(a, text, &l.text);
	if (r < 0 || e->conflict)
		return r;
	if (!l.text)
		return conflict(a, e, &l,
				" has no options line, and what stands in for one is not known");
	/* GRUB takes the first alone, systemd-boot joins them (2.14, 3.8). */
	if (e->loader != LOADER_BLS && strcmp(l.text, entry->options) != 0)
		return conflict(a, e, &l, " has its options on several lines; join them");
	r = edit_line(a, e, &l);
	if (r == 0 && !e->conflict)
		r = entry_options_set(a, text, l.text, &text);
	return r < 0 || e->conflict ? r : push(a, e, &l, text);
}

static int edit_entries(struct arena *a, struct edit *e)
{
	int r = 0;

	/* It is looked at where entries name it. */
	if (e->loader == LOADER_BLS && host_file(e->host, PATH_GRUBENV))
		r = edit_env(a, e);
	array_foreach(it, &e->host->boot.entries)
		if (r == 0 && !e->conflict && counts(e->host, e->loader, it))
			r = edit_entry(a, e, it);
	return r;
}

static int edit(struct arena *a, const struct host *host, const struct ledger *ledger,
		const struct words *wanted, const struct words *surplus, struct loader_edits *ret,
		const char **ret_conflict)
{
	struct loader_edits edits = {};
	struct edit e = {.host = host,
			 .loader = LOADER_BLS,
			 .ledger = ledger,
			 .wanted = wanted,
			 .surplus = surplus,
			 .edits = &edits};
	/* Before the entries: a kernel that comes meanwhile finds the line. */
	int r = kernel_cmdline_edit(a, host, ledger, wanted, surplus, &edits, &e.conflict);

	if (r == 0 && !e.conflict)
		r = edit_entries(a, &e);
	if (r < 0)
		return r;
	*ret = edits;
	*ret_conflict = e.conflict;
	return 0;
}

/* Whatever boots has been edited itself. */
static int refresh(struct arena *a _unused_, const struct host *host _unused_,
		   struct step *step _unused_)
{
	return 0;
}

const struct boot_loader loader_bls = {
	.loader = LOADER_BLS,
	.name = "GRUB with BLS",
	.present = present,
	.files = kernel_cmdline_files,
	.edit = edit,
	.refresh = refresh,
};

/* --- entries that somebody keeps ------------------------------------------------------------ */

/* That of the newest kernel, NULL without. */
static const struct host_entry *kept_entry(const struct host *host)
{
	const struct host_entry *found = NULL;

	for (size_t i = host->kernels.n; !found && i-- > 0;)
		array_foreach(it, &host->boot.entries)
			if (!found && counts(host, LOADER_ENTRIES, it) &&
			    strcmp(it->kernel, host->kernels.at[i].version) == 0)
				found = it;
	return found;
}

static bool kept_present(const struct host *host)
{
	return kept_entry(host);
}

static int kept_files(struct arena *a _unused_, const struct host *host, struct loader_files *ret)
{
	const struct host_entry *entry = kept_entry(host);

	*ret = (struct loader_files){.line = entry->options, .known = true, .where = entry->source};
	return 0;
}

static int kept_edit(struct arena *a, const struct host *host, const struct ledger *ledger,
		     const struct words *wanted, const struct words *surplus,
		     struct loader_edits *ret, const char **ret_conflict)
{
	struct loader_edits edits = {};
	struct edit e = {.host = host,
			 .loader = LOADER_ENTRIES,
			 .ledger = ledger,
			 .wanted = wanted,
			 .surplus = surplus,
			 .edits = &edits};
	int r = flags_safe(wanted) ? edit_entries(a, &e) : -EINVAL;

	if (r < 0)
		return r;
	*ret = edits;
	*ret_conflict = e.conflict;
	return 0;
}

/*
 * systemd-boot on Arch Linux: its entries name kernels that have no version in their names, are
 * written by a person or once by an installer, and outlive each kernel. kernel-install would write
 * others beside them.
 */
const struct boot_loader loader_entries = {
	.loader = LOADER_ENTRIES,
	.name = "loader entries",
	.present = kept_present,
	.files = kept_files,
	.edit = kept_edit,
	.refresh = refresh,
};
