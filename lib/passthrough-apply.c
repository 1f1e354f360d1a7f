/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Applying and proving: the half of the surface that writes. */
#include <errno.h>
#include <string.h>

#include "apply.h"
#include "lock.h"
#include "paths.h"
#include "surface.h"

/*
 * How long one write to sysfs may take. A driver that waits for its user to let go of the device
 * does so for 10 s at a time (7.11); what takes longer hangs.
 */
#define SYSFS_DEADLINE_MS 15000

/* An image takes minutes on a slow host. What takes an hour never ends. */
#define BUILD_DEADLINE_MS 3600000

static const struct ops_limits limits = {SYSFS_DEADLINE_MS, BUILD_DEADLINE_MS};

int surface_tell_cut(struct pthru_ctx *ctx, struct diags *diags)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct ops ops = {0};
	const char *line;
	int err = a ? ops_root_new(ctx->root, NULL, &limits, &ops) : -ENOMEM;

	if (err == 0)
		err = apply_unfinished(&ops, a, &line);
	ops_done(&ops);
	if (err > 0 && (ctx->locked || !apply_is_running(ctx->root)))
		diags_add(diags, SEVERITY_WARNING, CODE_INTERRUPTED, (struct place){0}, NULL,
			  "the last apply was cut, after: %s; what it left undone is planned again",
			  line);
	/* A journal that cannot be read now will be looked at by the next apply. */
	return err == -ENOMEM || diags->lost ? -ENOMEM : 0;
}

static int carry_out(struct pthru_ctx *ctx, const struct pthru_plan *p, struct pthru_diags *diags,
		     struct report **ret)
{
	const struct progress progress = {
		.ctx = ctx->userdata,
		.step = ctx->step,
		.tick = ctx->tick,
	};
	struct ops ops = {0};
	int err = ops_root_new(ctx->root, &progress, &limits, &ops);

	if (err < 0)
		return err;
	err = plan_apply(p->plan, p->ledger, &ops, &progress, ret);
	ops_done(&ops);
	if (err < 0)
		surface_errno(diags, err, PATH_LEDGER);
	return err;
}

static bool is_proof_class(enum step_class class)
{
	return class == CLASS_FILES || class == CLASS_INITRAMFS || class == CLASS_BOOT_LOADER;
}

/* The second observation is the proof, not a builder's exit code (facts chapter 12). */
static void prove(struct pthru_report *r)
{
	array_foreach(it, &r->report->steps)
		if (it->result == RESULT_FAILED && !diags_have(&r->diags->d, it->code))
			surface_error(r->diags, it->code, "%s %s: %s", step_kind_name(it->kind),
				      it->target, it->message ? it->message : strerror(-it->error));
	if (r->report->failed || r->report->refused || !r->after)
		return;
	array_foreach(it, &r->after->plan->steps) {
		const char *why = it->why ? it->why : it->target;

		if (!is_proof_class(step_kind_class(it->kind)))
			continue;
		r->unproven = true;
		surface_error(r->diags, CODE_NO_EFFECT,
			      "%s, although everything was carried out: %s %s is still to be done",
			      why, step_kind_name(it->kind), it->target);
	}
}

static void tell_look(const struct pthru_ctx *ctx)
{
	if (ctx->look)
		ctx->look(ctx->userdata);
}

/* Observes and plans again. That this fails is told, and leaves the report without an after. */
static int look_again(struct pthru_ctx *ctx, const struct pthru_spec *spec, struct pthru_report *r)
{
	int err;

	tell_look(ctx);
	err = pthru_plan_make(ctx, spec, false, r->diags, &r->after);
	if (err == -ENOMEM)
		return err;
	if (err < 0) {
		surface_error(r->diags, CODE_UNPROVEN,
			      "what was done could not be looked at again: %s", strerror(-err));
		r->unproven = true;
	}
	return 0;
}

/* What the next boot is to bring goes into the ledger, as it is proven only now. */
static int promise(struct pthru_ctx *ctx, struct pthru_report *r)
{
	const struct pthru_plan *p = r->after ? r->after : r->before;
	struct ops ops = {0};
	int err;

	if (r->report->refused || (r->report->steps.n && !r->after))
		return 0;
	err = ops_root_new(ctx->root, NULL, &limits, &ops);
	if (err < 0)
		return err;
	err = keep_promises(&ops, p->plan);
	ops_done(&ops);
	if (err < 0 && err != -ENOMEM) {
		surface_errno(r->diags, err, PATH_LEDGER);
		r->unproven = true;
		return 0;
	}
	return err;
}

/* Afterwards nothing shows any more that the ledger was lost, or what was let go of (guests). */
static void join_lost(struct pthru_report *r)
{
	array_foreach(it, &r->before->plan->diags.list)
		if (it->code == CODE_LEDGER_LOST || it->code == CODE_GUEST_LEFT)
			diags_add(&r->diags->d, it->severity, it->code, it->place, NULL, "%s",
				  it->message);
}

static int work(struct pthru_ctx *ctx, const struct pthru_spec *spec, struct pthru_diags *diags,
		struct pthru_report *r)
{
	int err;

	if (r->before->plan->observe_only || r->busy) {
		r->report = report_new();
		if (r->report)
			r->report->refused = r->busy;
		return r->report ? 0 : -ENOMEM;
	}
	if (spec->from_folders) {
		err = surface_keep_spec(ctx, r->before->spec, diags);
		if (err < 0)
			return err;
	}
	/* Who looks at the host while builders run need not open the images again. */
	(void)tree_cache_save(r->before->tree);
	err = carry_out(ctx, r->before, diags, &r->report);
	if (err < 0)
		return err;
	surface_join(r->diags, &r->report->diags);
	join_lost(r);
	if (r->report->steps.n) {
		err = look_again(ctx, spec, r);
		if (err < 0)
			return err;
	}
	err = promise(ctx, r);
	if (err < 0)
		return err;
	prove(r);
	if (!r->live && r->after && plan_defer_live(r->after->plan) < 0)
		return -ENOMEM;
	/* A cache that cannot be kept only costs time. */
	(void)tree_cache_save(r->after ? r->after->tree : r->before->tree);
	return 0;
}

static bool will_build(const struct plan *plan)
{
	array_foreach(it, &plan->steps)
		if (step_kind_class(it->kind) == CLASS_INITRAMFS ||
		    step_kind_class(it->kind) == CLASS_BOOT_LOADER)
			return !plan->observe_only;
	return false;
}

/* Waits for others who build, as far as patience goes. 0, or errno with a diagnostic. */
static int begin_to_build(struct pthru_ctx *ctx, struct pthru_diags *diags, struct pthru_report *r,
			  bool *ret_waited)
{
	const char *who = NULL;
	int err = surface_keep_others_out(ctx, r->diags->arena, &r->others, ret_waited, &who);

	if (err == -EBUSY) {
		r->busy = who;
		surface_error(r->diags, CODE_BUSY,
			      "%s is changing packages or building images: two at once would spoil "
			      "them; apply again when it has ended",
			      who);
		return 0;
	}
	if (err < 0)
		surface_errno(diags, err, PATH_DPKG_LOCK);
	return err;
}

/* Who waited for others to build finds another host than the one that was planned for. */
static int plan_undisturbed(struct pthru_ctx *ctx, const struct pthru_spec *spec,
			    struct pthru_diags *diags, struct pthru_report *r)
{
	bool waited = true;
	int err = 0;

	while (err == 0 && waited) {
		waited = false;
		tell_look(ctx);
		r->before = pthru_plan_free(r->before);
		err = pthru_plan_make(ctx, spec, false, diags, &r->before);
		if (err == 0 && r->others < 0 && will_build(r->before->plan))
			err = begin_to_build(ctx, diags, r, &waited);
	}
	return err;
}

static int prepare(struct pthru_ctx *ctx, const struct pthru_spec *spec, const char *plan_id,
		   struct pthru_diags *diags, struct pthru_report *r)
{
	int err = pthru_diags_new(&r->diags);

	if (err < 0)
		return err;
	err = surface_tell_cut(ctx, &r->diags->d);
	if (err < 0)
		return err;
	err = plan_undisturbed(ctx, spec, diags, r);
	if (err < 0)
		return err;
	r->live = ctx->root && root_is_live(ctx->root);
	if (!plan_id || strcmp(plan_id, r->before->plan->id) == 0)
		return 0;
	surface_error(diags, CODE_HOST_MOVED,
		      "the host is no longer the one that plan %.16s was made for; "
		      "the plan is %s now",
		      plan_id, r->before->plan->id);
	return -ESTALE;
}

int pthru_apply(struct pthru_ctx *ctx, const struct pthru_spec *spec, const char *plan_id,
		struct pthru_diags *diags, struct pthru_report **ret)
{
	_cleanup_close_ int lock = -1;
	struct pthru_report *r;
	int err;

	if (ctx->capture) {
		surface_error(diags, CODE_USAGE, "a capture is only read: nothing can be applied");
		return -EOPNOTSUPP;
	}
	err = surface_root(ctx, diags);
	if (err == 0)
		err = surface_take_turn(ctx, diags, &lock);
	if (err < 0)
		return err;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->others = -1;
	ctx->locked = true;
	err = prepare(ctx, spec, plan_id, diags, r);
	if (err == 0)
		err = work(ctx, spec, diags, r);
	closep(&r->others);
	ctx->locked = false;
	if (err < 0) {
		pthru_report_free(r);
		return err;
	}
	*ret = r;
	return 0;
}

struct pthru_report *pthru_report_free(struct pthru_report *r)
{
	if (!r)
		return NULL;
	report_free(r->report);
	pthru_plan_free(r->after);
	pthru_plan_free(r->before);
	pthru_diags_free(r->diags);
	free(r);
	return NULL;
}

const struct pthru_plan *pthru_report_plan(const struct pthru_report *r)
{
	return r->after ? r->after : r->before;
}

const char *pthru_report_code(const struct pthru_report *r)
{
	array_foreach(it, &r->diags->d.list)
		if (it->severity == SEVERITY_ERROR)
			return code_name(it->code);
	return "";
}

static bool is_only_held(const struct plan_device *device)
{
	bool held = false;

	if (device->state != STATE_BLOCKED)
		return false;
	array_foreach(it, &device->verdicts) {
		if (it->severity == SEVERITY_ERROR && it->code != CODE_IN_USE)
			return false;
		held |= it->severity == SEVERITY_ERROR;
	}
	return held;
}

/* Whether the item is blocked with that code: its reason is the planner's diagnostic then. */
static bool blocked_with(const struct plan *plan, const struct plan_item *item, enum code code)
{
	if (item->state != STATE_BLOCKED)
		return false;
	array_foreach(it, &plan->diags.list)
		if (it->code == code && strcmp(it->message, item->reason) == 0)
			return true;
	return false;
}

/* A device that is to go back to the host and is open, or a guest whose hypervisor is at work. */
static bool only_waits(const struct plan *plan, const struct plan_item *item)
{
	if (item->kind == ITEM_VM)
		return blocked_with(plan, item, CODE_GUEST_LOCKED) ||
		       blocked_with(plan, item, CODE_NO_QUORUM);
	return item->kind == ITEM_DEVICE && item->surplus && blocked_with(plan, item, CODE_IN_USE);
}

/* Devices that are wished, and such as are to go back. Adds their names; 0 or -ENOMEM. */
static int add_held(struct arena *a, const struct plan *plan, struct words *names)
{
	int err = 0;

	array_foreach(it, &plan->devices)
		if (err >= 0 && is_only_held(it))
			err = words_add(a, names, it->name);
	array_foreach(it, &plan->items)
		if (err >= 0 && only_waits(plan, it))
			err = words_add(a, names, strchr(it->id, ':') + 1);
	return err;
}

static int add_builders(struct arena *a, const char *who, struct words *names)
{
	const char *text = arena_printf(a, "dpkg and builders, by %s", who);

	return text ? words_add(a, names, text) : -ENOMEM;
}

int pthru_report_held(const struct pthru_report *r, char **ret)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	_cleanup_arena_ struct arena *a = arena_new();
	const struct plan *before = r->before->plan;
	struct words names = {0};
	int err = a ? 0 : -ENOMEM;

	for (size_t i = 0; err >= 0 && i < r->report->steps.n; i++) {
		const struct report_step *step = &r->report->steps.at[i];

		if (step->result == RESULT_FAILED && step->code == CODE_IN_USE)
			err = words_add(a, &names, before->steps.at[i].device);
		if (step->result == RESULT_FAILED && step->code == CODE_GUEST_CHANGED)
			err = words_add(a, &names, step->target);
	}
	if (err >= 0 && !before->observe_only)
		err = add_held(a, pthru_report_plan(r)->plan, &names);
	if (err >= 0 && r->busy)
		err = add_builders(a, r->busy, &names);
	array_foreach(it, &names)
		strbuf_addf(&text, "%s%s", text.len ? ", " : "", *it);
	return err < 0 ? err : strbuf_take(&text, ret);
}

bool pthru_report_did(const struct pthru_report *r)
{
	return r->report->steps.n > 0;
}

static bool only_live_pending(const struct plan *plan)
{
	array_foreach(it, &plan->steps)
		if (is_proof_class(step_kind_class(it->kind)))
			return false;
	return true;
}

enum pthru_exit pthru_report_exit(const struct pthru_report *r)
{
	const struct plan *after = pthru_report_plan(r)->plan;
	enum pthru_exit code = (enum pthru_exit)plan_exit_code(after);

	if (r->report->refused)
		return PTHRU_EXIT_REFUSED;
	if (r->report->failed)
		return PTHRU_EXIT_FAILED;
	if (r->unproven)
		return PTHRU_EXIT_FAILED;
	if (code == PTHRU_EXIT_PENDING && !r->live && !after->observe_only &&
	    only_live_pending(after))
		code = plan_blocked(after) ? PTHRU_EXIT_REFUSED : PTHRU_EXIT_REBOOT;
	/* What may be left of ours is not known to be none. */
	return diags_have(&r->diags->d, CODE_LEDGER_LOST)
		       ? pthru_exit_worse(code, PTHRU_EXIT_REFUSED)
		       : code;
}
