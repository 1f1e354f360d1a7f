/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An apply under way: what the actions of all step kinds share. */
#pragma once

#include "apply.h"
#include "digest.h"
#include "journal.h"

#define FILE_MAX_SIZE (64u << 20)
/* What an image may grow by, beside a sixteenth: vfio's modules and our files in it. */
#define IMAGE_MARGIN (1u << 20)

struct trace {		    /* what one step found and did, for taking it back */
	bool existed;	    /* file steps: as found before anything was written */
	const char *before; /* its bytes */
	size_t before_size;
	struct file_attr attr;
	bool touched; /* files: written or removed; builders: what they produce may have changed */
	/* builders that were run beside an earlier step's: what came of it; NULL: not yet run */
	const struct ops_outcome *ahead;
	const char *identity; /* of what it produces, before */
};

struct doing {
	const struct plan *plan;
	const struct ops *ops;
	const struct progress *progress;
	const struct ledger *first; /* the ledger as it was */
	struct ledger *ledger;	    /* as it becomes */
	struct strbuf saved;	    /* the text of it that is on the disk */
	struct report *report;
	struct arena *arena;  /* the report's */
	struct trace *traces; /* one a step */
	struct journal journal;
};

/*
 * What a step kind does. act returns 0, or a negative errno after step_fail. undo takes a step
 * back after a later one failed; NULL: it stays.
 */
struct action {
	int (*act)(struct doing *d, size_t index, struct report_step *out);
	int (*undo)(struct doing *d, size_t index);
	bool halts; /* its failure takes files back and skips what follows */
};
extern const struct action actions[_STEP_KIND_MAX];

/* Notes why a step failed, in the report's diagnostics too; returns error. */
int step_fail(struct doing *d, struct report_step *out, int error, enum code code, const char *fmt,
	      ...) _printf_(5, 6);

/* The code that fits an errno of a file operation. */
enum code file_code(int error);

/* "write-file /etc/modprobe.d/x.conf" */
const char *step_words(struct doing *d, const struct step *step);

/* Saves the ledger if it differs from what is on the disk. 0 or negative errno. */
int save_ledger(struct doing *d);

/*
 * prepare.c: looks at everything before anything is written, and notes in the ledger what is about
 * to be done. Refusals go to the report. Returns 0 or negative errno.
 */
int prepare(struct doing *d);

/* recover.c: finishes what an apply that was cut left half done. Returns 0 or -ENOMEM. */
int recover(struct doing *d);

/* rollback.c: takes files back and lets images agree with them. failed: the step that did. */
void roll_back(struct doing *d, size_t failed);

/* settle.c: makes the ledger say what is ours now that the plan is done. Returns 0 or -ENOMEM. */
int settle_ledger(struct doing *d);

/* act-*.c: one a step kind. */
int act_write(struct doing *d, size_t index, struct report_step *out);
int act_remove(struct doing *d, size_t index, struct report_step *out);
int act_build(struct doing *d, size_t index, struct report_step *out);
int act_load(struct doing *d, size_t index, struct report_step *out);
int act_parameter(struct doing *d, size_t index, struct report_step *out);
int act_bind(struct doing *d, size_t index, struct report_step *out);
int act_return(struct doing *d, size_t index, struct report_step *out);
int act_guest(struct doing *d, size_t index, struct report_step *out);
int act_flag(struct doing *d, size_t index, struct report_step *out);
/* act-beside.c: runs the builders of this step and of those behind it that may run beside it. */
void build_beside(struct doing *d, size_t index);

/* What the path is now, by ops->identity; "": it is not there. NULL: nobody can tell. */
const char *identity_of(struct doing *d, const char *path);

int undo_file(struct doing *d, size_t index);
int undo_build(struct doing *d, size_t index);

/* Reads the file of a file step as it is now into now. 0, also when absent; negative errno. */
int look_at_file(struct doing *d, const struct step *step, struct trace *now);

/* Whether what now holds is what the plan was made for (by step->before), or done already. */
bool as_planned(const struct step *step, const struct trace *now);

/* Removes folders that we made and that nothing needs any more. last: says which cannot be. */
void drop_folders(struct doing *d, bool last);
