/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/kernel/cmdline: the one line from which proxmox-boot-tool and kernel-install make loader
 * entries (facts 3.9, 4.3, 4.8). Their rows share everything but who reads how much of it.
 */
#include "kernel-cmdline.h"

#include <string.h>

#include "bls.h"
#include "flags.h"
#include "kernel-line.h"
#include "paths.h"

/* --- files ---------------------------------------------------------------------------------- */

int kernel_cmdline_files(struct arena *a, const struct host *host, struct loader_files *ret)
{
	const struct host_file *file = host_file(host, PATH_KERNEL_CMDLINE);
	struct loader_files f = {.line = "", .known = true, .where = PATH_KERNEL_CMDLINE};
	int r = 0;

	if (file)
		r = file_unusable(a, file, &f.why);
	f.known = !f.why;
	if (r < 0)
		return r;
	if (file && file->status == FILE_PRESENT && f.known)
		r = kernel_line_in_force(a, host, file->text, &f.line);
	else if (f.known)
		r = kernel_line_running(a, host, &f.line);
	if (f.known && !f.line[0] && (!file || file->status == FILE_ABSENT)) {
		f.known = false;
		f.why = PATH_KERNEL_CMDLINE " is absent, and what stands in for it, the running "
					    "kernel's line, is not known";
	}
	if (r == 0)
		*ret = f;
	return r;
}

/* --- edits ---------------------------------------------------------------------------------- */

struct edit {
	const struct host *host;
	const struct ledger *ledger;
	const struct words *wanted, *surplus;
	const char *read; /* what its readers make of it now */
	const char *line; /* as it will be; NULL: the file stays absent */
	struct words removed, added;
	struct words warnings;
	const char *conflict;
	bool stop; /* nothing can be edited, for that reason */
};

static int stop(struct edit *e, const char *why)
{
	e->conflict = why;
	e->stop = true;
	return 0;
}

static int warn(struct arena *a, struct edit *e, const char *text)
{
	return text ? array_push(a, &e->warnings, text) : -ENOMEM;
}

/* What is broken is mended, once there is something to write (note 8). */
static int mend_lines(struct arena *a, struct edit *e, const char *text)
{
	struct kernel_line m;
	int r = kernel_line_mend(a, text, &m);

	if (r < 0)
		return r;
	e->line = text; /* one good line keeps its blanks */
	if (m.whole)
		return 0;
	e->line = arena_printf(a, "%s\n", m.line);
	if (!e->line)
		return -ENOMEM;
	if (m.comments)
		r = warn(a, e,
			 PATH_KERNEL_CMDLINE
			 " has comments, which would reach the kernel: dropped");
	if (r == 0 && m.lines > 1)
		r = warn(a, e,
			 arena_printf(a,
				      PATH_KERNEL_CMDLINE " is broken into %u lines where one "
							  "is read: joined",
				      m.lines));
	return r;
}

/* Only proxmox-boot-tool loses the other lines. */
static int look_lines(struct arena *a, struct edit *e, const char *text)
{
	struct kernel_line m;
	int r = kernel_line_mend(a, text, &m);

	if (r < 0 || m.lines < 2 || !e->host->boot.proxmox || e->wanted->n == 0)
		return r;
	return warn(a, e,
		    arena_printf(a,
				 PATH_KERNEL_CMDLINE " is broken into %u lines where one is read",
				 m.lines));
}

/* A line without root= does not boot, or makes proxmox-boot-tool refuse it (4.8). */
static int mend_root(struct arena *a, struct edit *e)
{
	struct kcmdline line, running;
	const char *root;

	if (kcmdline_parse(a, e->line, &line) < 0 ||
	    kcmdline_parse(a, e->host->cmdline, &running) < 0)
		return -ENOMEM;
	if (kernel_line_has_root(&line))
		return 0;
	if (kernel_line_root(a, &running, &root) < 0)
		return -ENOMEM;
	if (!root && !e->host->boot.proxmox)
		return 0; /* found by its partition's type, as it is now */
	if (!root)
		return stop(e,
			    PATH_KERNEL_CMDLINE " has no root=, nor has the running kernel's line");
	e->line = arena_printf(a, "%s%s%s", root, line.params.n ? " " : "\n",
			       line.params.n ? e->line : "");
	if (!e->line)
		return -ENOMEM;
	return warn(a, e,
		    arena_printf(a,
				 PATH_KERNEL_CMDLINE " has no root=: %s taken from the running "
						     "kernel's line",
				 root));
}

/*
 * Without the file its readers take the running line (4.9, 3.9); once it is there they do not, so
 * it begins as that line (3.10), or as an entry's, which has no words of one boot alone.
 */
static int seed(struct arena *a, struct edit *e)
{
	struct kcmdline running;
	const char *word, *entry;
	int r = bls_line(a, e->host, &entry);

	e->line = r == 0 ? entry : NULL;
	if (r == 0 && !entry)
		r = kernel_line_running(a, e->host, &e->line);
	if (r == 0)
		r = kcmdline_parse(a, e->line, &running);
	if (r < 0)
		return r;
	word = kernel_line_once(&running);
	if (word) {
		word = arena_printf(a,
				    PATH_KERNEL_CMDLINE " is absent, and the running line cannot "
							"stand in for it: it says %s",
				    word);
		return word ? stop(e, word) : -ENOMEM;
	}
	if (!kernel_line_has_root(&running))
		return stop(e, PATH_KERNEL_CMDLINE " is absent, and the running line has no root=");
	array_foreach(token, e->surplus)
		if (r == 0)
			r = kcmdline_remove(a, e->line, *token, &e->line);
	e->line = arena_printf(a, "%s\n", e->line);
	if (r < 0 || !e->line)
		return r < 0 ? r : -ENOMEM;
	return warn(a, e,
		    entry ? PATH_KERNEL_CMDLINE
			    " did not exist: begun with the line of the newest kernel's entry"
			  : PATH_KERNEL_CMDLINE
			    " did not exist: begun with the running kernel's line");
}

/* Adds to the line what nobody contradicts. 1 when it did, 0, -ENOMEM. */
static int put_flag(struct arena *a, struct edit *e, const char *flag)
{
	const char *against = NULL;
	int r = flag_conflict(a, e->line, flag, &against);

	if (r < 0 || (against && e->conflict))
		return r;
	if (!against) {
		r = kcmdline_add(a, e->line, flag, &e->line);
		return r < 0 ? r : 1;
	}
	e->conflict = arena_printf(a, PATH_KERNEL_CMDLINE ": %s contradicts %s", against, flag);
	return e->conflict ? 0 : -ENOMEM;
}

/* A flag is ours when this edit puts it in force, even where somebody's lost line has it too. */
static int want_flag(struct arena *a, struct edit *e, const char *flag)
{
	int r = flag_in_force(a, e->read, flag);

	if (r > 0)
		return 0;
	if (r == 0)
		r = flag_in_force(a, e->line, flag);
	if (r == 0)
		r = put_flag(a, e, flag);
	return r > 0 && words_add(a, &e->added, flag) < 0 ? -ENOMEM : r < 0 ? r : 0;
}

/* Whether readers of that line find all that is wanted. 1, 0, -ENOMEM. */
static int all_in_force(struct arena *a, const struct edit *e, const char *line)
{
	array_foreach(flag, e->wanted) {
		int r = flag_in_force(a, line, *flag);

		if (r <= 0)
			return r;
	}
	return 1;
}

/* A file that does what is wanted is left as it is; what else is wrong with it is only said. */
static int start_present(struct arena *a, struct edit *e, const struct host_file *file)
{
	int r = kernel_line_in_force(a, e->host, file->text, &e->read), right;

	if (r == 0)
		r = flags_ours(a, e->ledger, PATH_KERNEL_CMDLINE, e->surplus, &e->removed);
	right = r < 0 ? r : all_in_force(a, e, e->read);
	if (right < 0)
		return right;
	e->line = file->text;
	r = right ? look_lines(a, e, file->text) : mend_lines(a, e, file->text);
	array_foreach(token, &e->removed)
		if (r == 0)
			r = kcmdline_remove(a, e->line, *token, &e->line);
	return r < 0 || right ? r : mend_root(a, e);
}

/* While it is absent its readers take the running line (4.9, 3.9). */
static int start_absent(struct arena *a, struct edit *e)
{
	int r = kernel_line_running(a, e->host, &e->read);

	if (r == 0)
		r = all_in_force(a, e, e->read);
	if (r != 0)
		return r < 0 ? r : 0;
	e->read = "";
	return seed(a, e);
}

/* Reads the line as it will be and looks for the flags again. */
static int check_written(struct arena *a, struct edit *e)
{
	const char *read;
	int r = kernel_line_in_force(a, e->host, e->line, &read);

	array_foreach(flag, &e->added) {
		if (r == 0)
			r = flag_in_force(a, read, *flag);
		if (r == 0)
			return stop(e, PATH_KERNEL_CMDLINE " has quotes that cannot be followed");
		r = r < 0 ? r : 0;
	}
	return r;
}

static int make(struct arena *a, struct edit *e, const struct host_file *file)
{
	bool there = file && file->status != FILE_ABSENT;
	const char *unusable = NULL;
	int r;

	if (!flags_safe(e->wanted))
		return -EINVAL;
	r = there ? file_unusable(a, file, &unusable) : 0;
	if (r < 0 || unusable)
		return r < 0 ? r : stop(e, unusable);
	r = there ? start_present(a, e, file) : start_absent(a, e);
	array_foreach(flag, e->wanted)
		if (r == 0 && e->line && !e->stop)
			r = want_flag(a, e, *flag);
	return r == 0 && e->line && !e->stop ? check_written(a, e) : r;
}

int kernel_cmdline_edit(struct arena *a, const struct host *host, const struct ledger *ledger,
			const struct words *wanted, const struct words *surplus,
			struct loader_edits *ret, const char **ret_conflict)
{
	const struct host_file *file = host_file(host, PATH_KERNEL_CMDLINE);
	struct edit e = {.host = host, .ledger = ledger, .wanted = wanted, .surplus = surplus};
	struct loader_edit one = {
		.path = PATH_KERNEL_CMDLINE,
		.mode = file && file->status == FILE_PRESENT ? file->mode : 0644,
	};
	struct loader_edits edits = {};
	int r = make(a, &e, file);

	if (r == 0)
		r = flags_after(a, ledger, one.path, &e.removed, &e.added, &one.tokens);
	one.text = e.line;
	if (r == 0 && wanted->n == 0 && one.tokens.n == 0)
		edit_restore(host, ledger, &one);
	if (r == 0 && e.line && !e.stop)
		r = edits_add(a, host, &edits, one);
	if (r < 0)
		return r;
	if (!e.stop)
		edits.warnings = e.warnings;
	*ret = edits;
	*ret_conflict = e.conflict;
	return 0;
}
