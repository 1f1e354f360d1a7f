/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of verbs, and those that do their work in this process. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "call.h"
#include "fleet.h"
#include "merge.h"
#include "progress.h"
#include "strbuf.h"
#include "text.h"

#define HOST	OPTION_BIT(OPTION_HOST)
#define SPEC	OPTION_BIT(OPTION_SPEC)
#define PLAN	OPTION_BIT(OPTION_PLAN)
#define MERGE	OPTION_BIT(OPTION_EXPLAIN_MERGE)
#define DRY_RUN OPTION_BIT(OPTION_DRY_RUN)
#define TIMEOUT OPTION_BIT(OPTION_TIMEOUT)

static const char *const about_plan[] = {
	"Shows what the spec wishes, what differs on this host and why, the unified diff of",
	"every file, the commands that would run, and what needs a reboot. Nothing is",
	"changed, and root is not needed where the host can be read without.",
	"After --host there may be more captures, and folders of *.host files: a line a host.",
	NULL,
};

static const char *const about_apply[] = {
	"Carries the plan out, then looks at the host again: success is what the second look",
	"finds, not what a builder said. With --plan it does so only if the plan is still",
	"the one with that id, so nothing happens that nobody has seen.",
	NULL,
};

static const char *const about_status[] = {
	"A line for each item (which layers are right) and each device. The daemon answers if",
	"it runs; else the state is computed here. While the present spec is invalid the state",
	"is that of the last accepted one, and the diagnostics say so.",
	NULL,
};

static const char *const about_check[] = {
	"Validates the files as if they lay in one folder, on any machine: match: is checked",
	"and always holds, and it does not matter who owns them.",
	NULL,
};

static const char *const about_explain[] = {
	"NAME is one of the spec's names, ADDRESS a PCI address with or without its domain.",
	"explain boot: what started this host, by what evidence, and where each boot loader here",
	"keeps the kernel's flags.",
	NULL,
};

static const char *const about_revert[] = {
	"Takes back what the ledger says is ours, and nothing else: owned files go, shared",
	"files get back the bytes they had, devices that we bound return to their drivers.",
	"The spec stays; the next reload or boot applies it again.",
	NULL,
};

static const char *const about_capture[] = {
	"Writes what is observed as one reviewable text with serial numbers masked. It can be",
	"planned against anywhere with --host: a bug report and a test case.",
	NULL,
};

static const char *const about_reload[] = {
	"Returns when the daemon has taken the new spec over, and fails with its diagnostics",
	"when the spec is invalid; the last accepted one then stays in force. What has to be",
	"done goes on afterwards: see wait.",
	NULL,
};

static const char *const about_wait[] = {
	"Blocks until the daemon has done what it can: the host has converged, something is",
	"blocked, or only a reboot is outstanding. Prints the status then, and exits as it.",
	NULL,
};

const struct verb verbs[] = {
	{"plan", verb_plan, HOST | SPEC | MERGE, 0, -1, "[CAPTURE...]",
	 "what differs, and what would be done (default)", about_plan},
	{"apply", verb_apply, SPEC | PLAN | TIMEOUT, 0, 0, "",
	 "the same plan, carried out and proven", about_apply},
	{"status", verb_status, HOST | SPEC, 0, 0, "", "where each item and device stands",
	 about_status},
	{"check", verb_check, HOST | SPEC, 1, -1, "FILE...", "validate spec files, on any machine",
	 about_check},
	{"devices", verb_devices, HOST | SPEC, 0, 0, "",
	 "the PCI devices: group, driver, users, verdict", NULL},
	{"explain", verb_explain, HOST | SPEC, 1, 1, "NAME|ADDRESS|boot",
	 "all that is known of a device, or of booting", about_explain},
	{"revert", verb_revert, SPEC | DRY_RUN | TIMEOUT, 0, 0, "", "take back all that is ours",
	 about_revert},
	{"capture", verb_capture, HOST | SPEC, 0, 0, "", "this host as one text file",
	 about_capture},
	{"reload", verb_reload, 0, 0, 0, "", "have the daemon read its files again", about_reload},
	{"wait", verb_wait, TIMEOUT, 0, 0, "", "block until the daemon has done what it can",
	 about_wait},
};
const size_t verbs_n = ARRAY_LEN(verbs);

enum pthru_exit call_failed(struct call *call, int error)
{
	/* What went wrong in the input has told its story; what has none gets one line. */
	if (pthru_diags_errors(call->diags) == 0) {
		pthru_diags_error(call->diags, error == -ENOMEM ? "out-of-memory" : "bad-file",
				  "%s", strerror(-error));
		return error == -EINVAL ? PTHRU_EXIT_FAILED : pthru_exit_of_error(error);
	}
	return pthru_exit_of_error(error);
}

/* ret_spec NULL: it is not wanted any more. */
static int make_plan(struct call *call, bool names, struct pthru_spec **ret_spec,
		     struct pthru_plan **ret)
{
	struct pthru_spec *spec = NULL;
	int err = pthru_spec_load(call->ctx, call->diags, &spec);

	if (err == 0)
		err = pthru_plan_make(call->ctx, spec, names, call->diags, ret);
	if (err == 0 && ret_spec)
		*ret_spec = spec;
	else
		pthru_spec_free(spec);
	return err;
}

enum pthru_exit verb_plan(struct call *call)
{
	struct pthru_plan *plan = NULL;
	struct pthru_spec *spec = NULL;
	enum pthru_exit code;
	int err;

	if (fleet_asked(call->options))
		return fleet_plan(call);
	err = make_plan(call, false, &spec, &plan);
	if (err < 0)
		return call_failed(call, err);
	code = pthru_plan_exit(plan);
	err = call->options->given & MERGE
		      ? merge_print(call, spec, plan)
		      : pthru_plan_print(call->ctx, plan, call->diags, &call->out);
	pthru_spec_free(spec);
	pthru_plan_free(plan);
	return err < 0 ? call_failed(call, err) : code;
}

static void finish_first(int signal _unused_)
{
}

/*
 * An interrupt from the keyboard reaches the builder, which then fails and is rolled back; it must
 * not end us half way. Nor must a terminal that goes away, or a reader of our output.
 */
static void hold_on(void)
{
	const struct sigaction finish = {.sa_handler = finish_first, .sa_flags = SA_RESTART};

	sigaction(SIGINT, &finish, NULL);
	sigaction(SIGQUIT, &finish, NULL);
	sigaction(SIGHUP, &finish, NULL);
}

static enum pthru_exit apply(struct call *call, const struct pthru_spec *spec)
{
	struct progress progress = {0};
	struct pthru_report *report = NULL;
	enum pthru_exit code;
	int err;

	hold_on();
	if (call->options->given & TIMEOUT)
		pthru_ctx_set_patience(call->ctx, call->options->timeout);
	progress_begin(&progress, call->ctx);
	err = pthru_apply(call->ctx, spec, call->options->plan_id, call->diags, &report);
	progress_end(&progress);
	if (err < 0)
		return call_failed(call, err);
	code = pthru_report_exit(report);
	err = pthru_report_print(call->ctx, report, call->diags, &call->out);
	pthru_diags_join(call->diags, pthru_report_diags(report));
	pthru_report_free(report);
	return err < 0 ? call_failed(call, err) : code;
}

enum pthru_exit verb_apply(struct call *call)
{
	struct pthru_spec *spec = NULL;
	enum pthru_exit code;
	int err = pthru_spec_load(call->ctx, call->diags, &spec);

	if (err < 0)
		return call_failed(call, err);
	code = apply(call, spec);
	pthru_spec_free(spec);
	return code;
}

enum pthru_exit verb_revert(struct call *call)
{
	struct pthru_spec *nothing = NULL;
	struct pthru_plan *plan = NULL;
	enum pthru_exit code = PTHRU_EXIT_DONE;
	int err = pthru_spec_new_empty(&nothing);

	if (err < 0)
		return call_failed(call, err);
	if (!(call->options->given & DRY_RUN)) {
		code = apply(call, nothing);
	} else {
		err = pthru_plan_make(call->ctx, nothing, false, call->diags, &plan);
		if (err == 0) {
			code = pthru_plan_exit(plan);
			err = pthru_plan_print(call->ctx, plan, call->diags, &call->out);
		}
		pthru_plan_free(plan);
	}
	pthru_spec_free(nothing);
	return err < 0 ? call_failed(call, err) : code;
}

/*
 * The spec of now, or while it is invalid the last accepted one, or a wish for nothing where
 * nothing was ever accepted; then the answer's exit code is 5.
 */
static int spec_of_now(struct call *call, bool *ret_invalid, struct pthru_spec **ret)
{
	int err = pthru_spec_load(call->ctx, call->diags, ret);

	*ret_invalid = err == -EINVAL;
	if (err != -EINVAL)
		return err;
	err = pthru_spec_load_accepted(call->ctx, call->diags, ret);
	if (err == 0)
		pthru_diags_note(call->diags, "bad-file",
				 "the spec is invalid; this is the state of the last accepted one");
	return err;
}

enum pthru_exit verb_status(struct call *call)
{
	struct pthru_spec *spec = NULL;
	struct pthru_plan *plan = NULL;
	enum pthru_exit code = PTHRU_EXIT_INVALID;
	bool invalid = false;
	int err;

	if (!(call->options->given & (HOST | SPEC)) && ask_status(call, &code) == 0)
		return code;
	err = spec_of_now(call, &invalid, &spec);
	if (err == 0)
		err = pthru_plan_make(call->ctx, spec, false, call->diags, &plan);
	pthru_spec_free(spec);
	if (err < 0)
		return invalid ? PTHRU_EXIT_INVALID : call_failed(call, err);
	if (!invalid)
		code = pthru_plan_exit(plan);
	err = pthru_status_print(call->ctx, plan, call->diags, &call->out);
	pthru_plan_free(plan);
	return err < 0 ? call_failed(call, err) : code;
}

enum pthru_exit verb_explain(struct call *call)
{
	const char *name = call->options->args[0];
	struct pthru_spec *spec = NULL;
	struct pthru_plan *plan = NULL;
	bool invalid = false;
	int err = spec_of_now(call, &invalid, &spec);

	/* A device can be explained whatever the state of the spec is. */
	if (err < 0 && invalid)
		err = pthru_spec_new_empty(&spec);
	if (err == 0)
		err = pthru_plan_make(call->ctx, spec, true, call->diags, &plan);
	pthru_spec_free(spec);
	if (err == 0)
		err = pthru_explain_print(call->ctx, plan, name, call->diags, &call->out);
	pthru_plan_free(plan);
	if (err == -ENODEV)
		pthru_diags_error(
			call->diags, "no-such-device",
			"%s: neither a name of the spec, nor the address of a device, nor "
			"boot",
			name);
	if (err < 0)
		return call_failed(call, err);
	return invalid ? PTHRU_EXIT_INVALID : PTHRU_EXIT_DONE;
}

enum pthru_exit verb_check(struct call *call)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	struct pthru_spec *spec = NULL;
	const struct options *o = call->options;
	int err = pthru_spec_load_files(o->args, (size_t)o->n_args, call->diags, &spec);

	if (err < 0)
		return call_failed(call, err);
	strbuf_addf(&out, "%zu file%s: valid\n", pthru_spec_files(spec),
		    pthru_spec_files(spec) == 1 ? "" : "s");
	pthru_spec_free(spec);
	if (!o->json)
		err = strbuf_take(&out, &call->out);
	return err < 0 ? call_failed(call, err) : PTHRU_EXIT_DONE;
}

enum pthru_exit verb_devices(struct call *call)
{
	struct pthru_host *host = NULL;
	int err = pthru_host_observe(call->ctx, &host);

	if (err == 0)
		err = pthru_devices_print(call->ctx, host, call->diags, &call->out);
	pthru_host_free(host);
	return err < 0 ? call_failed(call, err) : PTHRU_EXIT_DONE;
}

enum pthru_exit verb_capture(struct call *call)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	_cleanup_free_ char *text = NULL;
	int err = pthru_capture_print(call->ctx, &text);

	if (err == 0 && call->options->json) {
		strbuf_add(&out, "{\"capture\": ");
		text_add_json(&out, text);
		strbuf_add(&out, ", \"diagnostics\": []}\n");
		err = strbuf_take(&out, &call->out);
	} else if (err == 0) {
		call->out = TAKE(text);
	}
	return err < 0 ? call_failed(call, err) : PTHRU_EXIT_DONE;
}
