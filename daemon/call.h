/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One call of passthroughctl: what was asked, and the answer as it comes together. */
#pragma once

#include "options.h"

struct call {
	const struct options *options;
	struct pthru_ctx *ctx;
	struct pthru_diags *diags; /* standard error; in JSON also part of the document */
	char *out; /* standard output; NULL: nothing, or a document of diags alone */
	char *err; /* further text of the daemon's for standard error; NULL */
};

/* Records what an errno means, and gives its exit code. */
enum pthru_exit call_failed(struct call *call, int error);

/* The verbs that work here (verbs.c) and those that ask the daemon (ask.c). */
enum pthru_exit verb_plan(struct call *call);
enum pthru_exit verb_apply(struct call *call);
enum pthru_exit verb_status(struct call *call);
enum pthru_exit verb_check(struct call *call);
enum pthru_exit verb_devices(struct call *call);
enum pthru_exit verb_explain(struct call *call);
enum pthru_exit verb_revert(struct call *call);
enum pthru_exit verb_capture(struct call *call);
enum pthru_exit verb_reload(struct call *call);
enum pthru_exit verb_wait(struct call *call);

/* Asks the daemon for its status; -ENOENT when none runs for this root. */
int ask_status(struct call *call, enum pthru_exit *ret);
