/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PLAN, HOST or REPORT as text for people and as JSON for programs (design section 4). Pure. */
#pragma once

#include "diag.h"
#include "host.h"
#include "plan.h"
#include "report.h"
#include "strbuf.h"

struct render_style {
	bool color;
	unsigned width; /* columns of the terminal, 0: do not fold */
};

/* `plan`: what differs, why, diffs, commands, reboot. */
void render_plan(const struct plan *plan, struct render_style style, struct strbuf *out);

/* `status`: a line per item with its layers, a line per device, what is outstanding. */
void render_status(const struct plan *plan, struct render_style style, struct strbuf *out);

/* `devices`: one screen, groups visible, verdict and user of each device. */
int render_devices(const struct host *host, struct render_style style, struct strbuf *out);

/* `explain`: everything known about the device of that name or address, and why the plan treats
 * it so. -ENODEV when the plan and host know none. */
int render_explain(const struct plan *plan, const struct host *host, const char *name,
		   struct render_style style, struct strbuf *out);

/* `explain boot`: what started this host, by what evidence, what each loader holds. 0 or -ENOMEM.
 */
int render_boot(const struct host *host, struct render_style style, struct strbuf *out);

/* `apply`: what was done, a line a step, failures with the builder's last lines. */
void render_report(const struct plan *plan, const struct report *report, struct render_style style,
		   struct strbuf *out);

struct render_metrics { /* what a plan does not know */
	int exit_code;
	int64_t last_success; /* seconds since 1970, 0: none */
	uint64_t apply_ms;
	unsigned heals;
};

/* Where the host stands, in the text format of Prometheus. */
void render_metrics(const struct plan *plan, const struct render_metrics *m, struct strbuf *out);

/*
 * The JSON documents. diags holds diagnostics beside the plan's own and may be NULL; plan may be
 * NULL when there is none because the spec failed: then only diagnostics (and the empty other
 * keys) are given. report may be NULL; with it `apply --json` adds "report". 0 or -ENOMEM.
 */
int render_plan_json(const struct plan *plan, const struct diags *diags,
		     const struct report *report, struct strbuf *out);
/* What everybody may read: no diffs, which quote files that not everybody can. */
int render_open_json(const struct plan *plan, const struct diags *diags, struct strbuf *out);
int render_devices_json(const struct host *host, const struct diags *diags, struct strbuf *out);
int render_boot_json(const struct host *host, const struct diags *diags, struct strbuf *out);
int render_explain_json(const struct plan *plan, const struct host *host, const char *name,
			const struct diags *diags, struct strbuf *out);
