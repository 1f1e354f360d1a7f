/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passthroughd as a library: one engine for the command, the daemon and tests.
 *
 * Opaque values. _load, _observe and _make produce; _free destroys (NULL is fine, returns NULL);
 * _print renders to a text that the caller frees. Every function returns 0 or a positive answer,
 * or a negative errno, and leaves its ret_ arguments alone on failure. What a person or a program
 * has to know about a failure stands in the diagnostics. Nothing logs, exits or keeps global
 * state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr_un;

struct pthru_ctx;    /* a root directory or a capture, and where specs are read from */
struct pthru_spec;   /* what the administrator wants; always valid */
struct pthru_host;   /* what this machine is; a snapshot */
struct pthru_plan;   /* what to do about the difference; possibly nothing */
struct pthru_report; /* what was done, step by step */
struct pthru_diags;  /* everything wrong with the input, with positions */

/* Exit codes of design section 4. */
enum pthru_exit {
	PTHRU_EXIT_DONE = 0,	/* nothing to do */
	PTHRU_EXIT_FAILED = 1,	/* something was tried and went wrong */
	PTHRU_EXIT_PENDING = 2, /* changes pending */
	PTHRU_EXIT_REBOOT = 3,	/* only a reboot is outstanding */
	PTHRU_EXIT_REFUSED = 4, /* something is refused or blocked and the rest is done */
	PTHRU_EXIT_INVALID = 5, /* invalid spec or usage */
};

/* Of two codes the one that counts: the first of 5, 1, 2, 4, 3, 0. */
enum pthru_exit pthru_exit_worse(enum pthru_exit a, enum pthru_exit b);

/* The exit code for a negative errno that a function of this header returned. */
enum pthru_exit pthru_exit_of_error(int error);

/* How values are printed. */
enum pthru_form {
	PTHRU_TEXT,  /* for people */
	PTHRU_COLOR, /* the same with terminal colours */
	PTHRU_JSON,  /* one JSON document, the interface of design section 4 */
};

/* --- context ---------------------------------------------------------------------------------- */

/* A context for the running system: root "/", default spec folders, plain text. 0 or -ENOMEM. */
int pthru_ctx_new(struct pthru_ctx **ret);
struct pthru_ctx *pthru_ctx_free(struct pthru_ctx *ctx);

/* Everything is read and written below dir. 0 or errno with a diagnostic. */
int pthru_ctx_set_root(struct pthru_ctx *ctx, const char *dir, struct pthru_diags *diags);

/*
 * The host is read from the capture at path, which is the caller's path (note 28); nothing can be
 * applied then. -EINVAL with diagnostics for a malformed or cut one (note 31), or errno.
 */
int pthru_ctx_set_capture(struct pthru_ctx *ctx, const char *path, struct pthru_diags *diags);

/* File or folder, the caller's path, that stands in for the default folders (note 28).
 * 0 or -ENOMEM. */
int pthru_ctx_set_spec(struct pthru_ctx *ctx, const char *path);

/* Targets of steps (paths, functions, parameters), a blank between two, that plans leave alone,
 * since somebody else keeps changing them. 0 or -ENOMEM. */
int pthru_ctx_set_contested(struct pthru_ctx *ctx, const char *targets);

/* How to print from now on; width in columns, 0: do not fold. */
void pthru_ctx_set_form(struct pthru_ctx *ctx, enum pthru_form form, unsigned width);
enum pthru_form pthru_ctx_form(const struct pthru_ctx *ctx);
unsigned pthru_ctx_width(const struct pthru_ctx *ctx);

/* Whether everybody will read the documents of plans: they have no diffs then, which quote files
 * that not everybody can read. */
void pthru_ctx_set_open(struct pthru_ctx *ctx, bool open);

/*
 * Whom to tell while applying. step: the index-th of count steps begins (done false) or has
 * succeeded, and what it is; tick: about once a second while a builder runs, with the seconds since
 * it began; wait: we wait for holder, as "apt-get (process 812)". Each may be NULL; userdata is
 * handed on.
 */
void pthru_ctx_set_progress(struct pthru_ctx *ctx, void *userdata,
			    void (*step)(void *userdata, size_t index, size_t count,
					 const char *what, bool done),
			    void (*tick)(void *userdata, unsigned seconds),
			    void (*wait)(void *userdata, const char *holder));

/*
 * For how long an apply waits while others change packages or build images, in seconds; 10 minutes
 * if not said. Then it is refused.
 */
void pthru_ctx_set_patience(struct pthru_ctx *ctx, unsigned seconds);

/* Called while applying, before each look at the host: what changes after it may go unseen. */
void pthru_ctx_set_look(struct pthru_ctx *ctx, void (*look)(void *userdata));

/* --- diagnostics ------------------------------------------------------------------------------ */

int pthru_diags_new(struct pthru_diags **ret);
struct pthru_diags *pthru_diags_free(struct pthru_diags *diags);

/* Adds an error without a place; code is one of the stable words of design section 4. */
void pthru_diags_error(struct pthru_diags *diags, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same as a note: worth knowing, not a failure. */
void pthru_diags_note(struct pthru_diags *diags, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds copies of all of them. */
void pthru_diags_join(struct pthru_diags *diags, const struct pthru_diags *more);

/* How many errors there are among them. */
size_t pthru_diags_errors(const struct pthru_diags *diags);

/*
 * For people, whatever the context's form: "file:line:column: error: message [code]" with the
 * line and a caret; "" when there are none. For programs: pthru_plan_print without a plan.
 */
int pthru_diags_print(const struct pthru_diags *diags, bool color, char **ret);

/* --- spec ------------------------------------------------------------------------------------- */

/*
 * Reads the context's spec: the one path, or the three folders of design section 3, where a file
 * hides those of its name in later folders. Owners and permissions are judged (note 29). A
 * missing default folder is a wish for nothing. -EINVAL with diagnostics when it is rejected.
 */
int pthru_spec_load(struct pthru_ctx *ctx, struct pthru_diags *diags, struct pthru_spec **ret);

/*
 * Reads the caller's own files in this order as `check` does: on any machine, whoever owns them.
 * A folder stands for the spec files in it. -EINVAL with diagnostics.
 */
int pthru_spec_load_files(char *const *paths, size_t n, struct pthru_diags *diags,
			  struct pthru_spec **ret);

/* Reads the last accepted spec. -ENOENT when none was ever accepted. */
int pthru_spec_load_accepted(struct pthru_ctx *ctx, struct pthru_diags *diags,
			     struct pthru_spec **ret);

/*
 * Reads the spec in force: the files while they say what was accepted last, for their places are
 * what people know (ret_current), else the one accepted last. What is wrong in the files goes to
 * diags. -ENOENT when none was ever accepted, or errno.
 */
int pthru_spec_load_in_force(struct pthru_ctx *ctx, struct pthru_diags *diags, bool *ret_current,
			     struct pthru_spec **ret);

/* A wish for nothing: planning with it takes back all that the ledger says is ours. */
int pthru_spec_new_empty(struct pthru_spec **ret);

struct pthru_spec *pthru_spec_free(struct pthru_spec *spec);

/* Number of files it was read from. */
size_t pthru_spec_files(const struct pthru_spec *spec);

/* --- host ------------------------------------------------------------------------------------- */

/* Looks at the host as `devices` shows it: names and uses of devices, no images. */
int pthru_host_observe(struct pthru_ctx *ctx, struct pthru_host **ret);
struct pthru_host *pthru_host_free(struct pthru_host *host);

/* All PCI devices: a table, or JSON (note 24). diags may be NULL. */
int pthru_devices_print(const struct pthru_ctx *ctx, const struct pthru_host *host,
			const struct pthru_diags *diags, char **ret);

/* The host as a capture, serial numbers masked; text in every form. */
int pthru_capture_print(struct pthru_ctx *ctx, char **ret);

/* --- plan ------------------------------------------------------------------------------------- */

/*
 * Observes the host, leaves out the files whose match: does not hold here, loads the ledger and
 * plans. Changes nothing at all (note 3). names: look up names of devices, for explain.
 * -EINVAL with diagnostics when the files that remain do not make a valid spec.
 */
int pthru_plan_make(struct pthru_ctx *ctx, const struct pthru_spec *spec, bool names,
		    struct pthru_diags *diags, struct pthru_plan **ret);
struct pthru_plan *pthru_plan_free(struct pthru_plan *plan);

/* Digest of the spec and of everything observed that the plan depends on; borrowed. */
const char *pthru_plan_id(const struct pthru_plan *plan);

/*
 * What the spec of a plan is made of: each file, in merge order and then those that are hidden,
 * with why it does not count on the plan's host (NULL: it does); then each value, as
 * "devices.gpu.id", with the file and line that say so. spec: what the plan was made of. 0 or
 * -ENOMEM.
 */
struct pthru_trace {
	void (*file)(void *userdata, const char *path, const char *missed);
	void (*value)(void *userdata, const char *key, const char *value, const char *file,
		      unsigned line);
};
int pthru_spec_trace(const struct pthru_spec *spec, const struct pthru_plan *plan,
		     const struct pthru_trace *trace, void *userdata);

/* Exit code of a plan that is only shown. */
enum pthru_exit pthru_plan_exit(const struct pthru_plan *plan);

/* One line on where the host stands, as systemd shows it: "converged: 9 items active". */
int pthru_plan_summary(const struct pthru_plan *plan, char **ret);

/*
 * The same for a row of a table, without reasons but with the codes of devices: "9 changes, then a
 * reboot; blocked: device:gpu (shared-group)". 0 or -ENOMEM.
 */
int pthru_plan_brief(const struct pthru_plan *plan, char **ret);

/* `plan`. In JSON plan may be NULL when there is none; diags may be NULL. */
int pthru_plan_print(const struct pthru_ctx *ctx, const struct pthru_plan *plan,
		     const struct pthru_diags *diags, char **ret);

/* `status`; as above. */
int pthru_status_print(const struct pthru_ctx *ctx, const struct pthru_plan *plan,
		       const struct pthru_diags *diags, char **ret);

/*
 * `explain`; name "boot", where no device is called so, is about what boots the host. -ENODEV when
 * neither plan nor host knows a device of that name or address.
 */
int pthru_explain_print(const struct pthru_ctx *ctx, const struct pthru_plan *plan,
			const char *name, const struct pthru_diags *diags, char **ret);

/* --- apply ------------------------------------------------------------------------------------ */

/*
 * Takes the lock, plans, carries the plan out, observes again and plans again: what is still to
 * be written or built then is a failure that names its item. plan_id NULL, or the id the plan must
 * have: -ESTALE when the host has moved since. -EINVAL as pthru_plan_make; -EOPNOTSUPP for a
 * capture; or errno, each with a diagnostic, and nothing was changed then. Failures of steps are no
 * error here: the report tells of them.
 */
int pthru_apply(struct pthru_ctx *ctx, const struct pthru_spec *spec, const char *plan_id,
		struct pthru_diags *diags, struct pthru_report **ret);
struct pthru_report *pthru_report_free(struct pthru_report *report);

/* The plan of after; borrowed. */
const struct pthru_plan *pthru_report_plan(const struct pthru_report *report);

/* What failed, and what is still to be done although it was carried out; borrowed. */
const struct pthru_diags *pthru_report_diags(const struct pthru_report *report);

/* Exit code of `apply`. Below a root live steps are skipped and count as a reboot (note 2). */
enum pthru_exit pthru_report_exit(const struct pthru_report *report);

/* The stable word for what failed first, "" when nothing did. */
const char *pthru_report_code(const struct pthru_report *report);

/* One line: what failed, or the summary of the plan of after. */
int pthru_report_summary(const struct pthru_report *report, char **ret);

/*
 * What nothing but its being in use keeps from what is wanted: devices, as "gpu, disk", and
 * builders;
 * "" for none, and where nothing is to be changed. Trying again may help. 0 or -ENOMEM.
 */
int pthru_report_held(const struct pthru_report *report, char **ret);

/* What was done, and where the host stands now. diags may be NULL. */
int pthru_report_print(const struct pthru_ctx *ctx, const struct pthru_report *report,
		       const struct pthru_diags *diags, char **ret);

/* Whether any step was carried out or tried. */
bool pthru_report_did(const struct pthru_report *report);

/* --- for the daemon --------------------------------------------------------------------------- */

/*
 * Keeps the spec, as it holds on this host, as the last accepted one, atomically. Observes only
 * what match: looks at. -EINVAL with diagnostics when it does not hold here, or errno.
 */
int pthru_spec_accept(struct pthru_ctx *ctx, const struct pthru_spec *spec,
		      struct pthru_diags *diags);

/* Makes the folder for run-time files below the root. 0 or errno. */
int pthru_run_make(struct pthru_ctx *ctx);

struct pthru_metrics {
	enum pthru_exit exit; /* of the apply that has just ended */
	uint64_t apply_ms;
	int64_t last_success; /* seconds since 1970, 0: none yet */
	unsigned heals;	      /* changes by others that were put right */
};

/*
 * Leaves where the host stands for node_exporter's textfile collector; plan as after the apply. 0,
 * -ENOENT where there is no such folder, or errno.
 */
int pthru_metrics_save(struct pthru_ctx *ctx, const struct pthru_plan *plan,
		       const struct pthru_metrics *metrics);

/*
 * The places in which a change may alter the plan, a line each: "spec DIR" for the spec's folders,
 * "any DIR" for all that lies in a folder, "file PATH". Paths are absolute below the root; they
 * need not be there. plan NULL: those of the spec alone. 0 or -ENOMEM.
 */
int pthru_plan_watches(const struct pthru_plan *plan, char **ret);

/*
 * The state in lines for programs: "reboot yes" when one is outstanding, else "reboot no"; then for
 * each device "device NAME STATE METHOD ADDRESS...", METHOD "-" while it is blocked; for each
 * item "item ID STATE CODE", CODE "-" unless it is blocked. plan NULL: there is none. 0 or -ENOMEM.
 */
int pthru_plan_state(const struct pthru_plan *plan, char **ret);

/* Opens a path of pthru_plan_watches with O_PATH, for inotify. The descriptor, or errno. */
int pthru_watch_open(struct pthru_ctx *ctx, const char *path);

/* Whether the root is the running system, whose kernel sends news of devices. */
bool pthru_is_live(struct pthru_ctx *ctx);

/* Replaces the status file with the document. 0 or errno. */
int pthru_status_save(struct pthru_ctx *ctx, const char *document);

/*
 * The control socket's address below the root; valid as long as the context. -ENOENT without a
 * run-time folder, -EOPNOTSUPP for a capture.
 */
int pthru_control_address(struct pthru_ctx *ctx, struct sockaddr_un *ret);
