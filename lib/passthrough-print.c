/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The values of the surface as text and JSON. */
#include <errno.h>
#include <string.h>

#include "surface.h"

#define SUMMARY_REASONS 3 /* items named in one line */

static struct render_style style(const struct pthru_ctx *ctx)
{
	return (struct render_style){.color = ctx->form == PTHRU_COLOR, .width = ctx->width};
}

static const struct diags *inner(const struct pthru_diags *diags)
{
	return diags ? &diags->d : NULL;
}

static int finish(struct strbuf *out, int err, char **ret)
{
	return err < 0 ? err : strbuf_take(out, ret);
}

int pthru_diags_print(const struct pthru_diags *diags, bool color, char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};

	diags_render(&diags->d, color, &out);
	return finish(&out, 0, ret);
}

int pthru_devices_print(const struct pthru_ctx *ctx, const struct pthru_host *host,
			const struct pthru_diags *diags, char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	int err;

	if (ctx->form == PTHRU_JSON)
		err = render_devices_json(host->host, inner(diags), &out);
	else
		err = render_devices(host->host, style(ctx), &out);
	return finish(&out, err, ret);
}

static int print_plan(const struct pthru_ctx *ctx, const struct pthru_plan *p,
		      const struct pthru_diags *diags,
		      void (*text)(const struct plan *, struct render_style, struct strbuf *),
		      char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	int err = 0;

	if (ctx->form == PTHRU_JSON && ctx->open)
		err = render_open_json(p ? p->plan : NULL, inner(diags), &out);
	else if (ctx->form == PTHRU_JSON)
		err = render_plan_json(p ? p->plan : NULL, inner(diags), NULL, &out);
	else if (p)
		text(p->plan, style(ctx), &out);
	return finish(&out, err, ret);
}

int pthru_plan_print(const struct pthru_ctx *ctx, const struct pthru_plan *p,
		     const struct pthru_diags *diags, char **ret)
{
	return print_plan(ctx, p, diags, render_plan, ret);
}

int pthru_status_print(const struct pthru_ctx *ctx, const struct pthru_plan *p,
		       const struct pthru_diags *diags, char **ret)
{
	return print_plan(ctx, p, diags, render_status, ret);
}

int pthru_explain_print(const struct pthru_ctx *ctx, const struct pthru_plan *p, const char *name,
			const struct pthru_diags *diags, char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	bool boot = strcmp(name, "boot") == 0 && !plan_device_named(p->plan, name);
	int err;

	if (boot)
		err = ctx->form == PTHRU_JSON ? render_boot_json(p->host, inner(diags), &out)
					      : render_boot(p->host, style(ctx), &out);
	else if (ctx->form == PTHRU_JSON)
		err = render_explain_json(p->plan, p->host, name, inner(diags), &out);
	else
		err = render_explain(p->plan, p->host, name, style(ctx), &out);
	return finish(&out, err, ret);
}

/* diags of the call and of the report as one; the caller frees. */
static int join(const struct pthru_diags *diags, const struct pthru_report *r,
		struct pthru_diags **ret)
{
	struct pthru_diags *all = NULL;
	int err = pthru_diags_new(&all);

	if (err < 0)
		return err;
	if (diags)
		pthru_diags_join(all, diags);
	pthru_diags_join(all, r->diags);
	*ret = all;
	return 0;
}

int pthru_report_print(const struct pthru_ctx *ctx, const struct pthru_report *r,
		       const struct pthru_diags *diags, char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	const struct plan *after = pthru_report_plan(r)->plan;
	struct pthru_diags *all = NULL;
	int err = join(diags, r, &all);

	if (err < 0)
		return err;
	if (ctx->form == PTHRU_JSON) {
		err = render_plan_json(after, &all->d, r->report, &out);
	} else {
		if (r->report->steps.n)
			render_report(r->before->plan, r->report, style(ctx), &out);
		render_status(after, style(ctx), &out);
	}
	pthru_diags_free(all);
	return finish(&out, err, ret);
}

const struct pthru_diags *pthru_report_diags(const struct pthru_report *r)
{
	return r->diags;
}

static void add_device(const struct plan_device *device, struct strbuf *out)
{
	char text[PCI_ADDR_TEXT_SIZE];

	strbuf_addf(out, "device %s %s %s", device->name, item_state_name(device->state),
		    device->state == STATE_BLOCKED ? "-" : bind_method_name(device->method));
	array_foreach(it, &device->addrs)
		strbuf_addf(out, " %s", pci_addr_format(*it, text));
	strbuf_addc(out, '\n');
}

/* Why a blocked item is so: of its device's verdict, or of the diagnostic that gives its reason. */
static const char *code_of(const struct plan *plan, const struct plan_item *item)
{
	const struct plan_device *device =
		item->kind == ITEM_DEVICE ? plan_device_named(plan, strchr(item->id, ':') + 1)
					  : NULL;

	if (item->state != STATE_BLOCKED)
		return "-";
	for (size_t i = 0; device && i < device->verdicts.n; i++)
		if (device->verdicts.at[i].severity == SEVERITY_ERROR)
			return code_name(device->verdicts.at[i].code);
	array_foreach(it, &plan->diags.list)
		if (item->reason && strcmp(it->message, item->reason) == 0)
			return code_name(it->code);
	return "-";
}

static void add_item(const struct plan *plan, const struct plan_item *item, struct strbuf *out)
{
	strbuf_addf(out, "item %s %s %s\n", item->id, item_state_name(item->state),
		    code_of(plan, item));
}

int pthru_plan_state(const struct pthru_plan *p, char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};

	strbuf_addf(&out, "reboot %s\n", p && p->plan->reboot_required ? "yes" : "no");
	for (size_t i = 0; p && i < p->plan->devices.n; i++)
		add_device(&p->plan->devices.at[i], &out);
	for (size_t i = 0; p && i < p->plan->items.n; i++)
		if (!p->plan->items.at[i].surplus)
			add_item(p->plan, &p->plan->items.at[i], &out);
	return finish(&out, 0, ret);
}

struct tally {
	size_t active, blocked, pending;
};

static struct tally count(const struct plan *plan)
{
	struct tally t = {0};

	array_foreach(it, &plan->items) {
		t.active += it->state == STATE_ACTIVE && !it->surplus;
		t.blocked += it->state == STATE_BLOCKED;
	}
	array_foreach(it, &plan->steps)
		t.pending += step_kind_class(it->kind) != CLASS_REBOOT;
	return t;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* Of the item's id with which a reason begins. */
static int item_length(const char *why)
{
	int n = (int)strcspn(why, " \n");

	return n > 0 && why[n - 1] == ':' ? n - 1 : n;
}

/* The items only: the reasons themselves fill more than one line. */
static void add_reboot(const struct plan *plan, struct strbuf *out)
{
	strbuf_add(out, "reboot outstanding");
	for (size_t i = 0; i < plan->reboot_why.n && i < SUMMARY_REASONS; i++) {
		const char *why = plan->reboot_why.at[i];

		strbuf_addf(out, "%s%.*s", i ? ", " : ": ", item_length(why), why);
	}
	if (plan->reboot_why.n > SUMMARY_REASONS)
		strbuf_addf(out, " and %zu more", plan->reboot_why.n - SUMMARY_REASONS);
}

static void summarise(const struct plan *plan, struct strbuf *out)
{
	const struct tally t = count(plan);
	const char *sep = "";

	if (plan->observe_only)
		strbuf_add(out, "observing only: ");
	if (plan_converged(plan)) {
		if (t.active)
			strbuf_addf(out, "converged: %zu item%s active", t.active,
				    plural(t.active));
		else
			strbuf_add(out, "converged: nothing is wished");
		return;
	}
	if (t.pending) {
		strbuf_addf(out, "%zu change%s pending", t.pending, plural(t.pending));
		sep = "; ";
	}
	if (t.blocked) {
		strbuf_addf(out, "%s%zu item%s blocked, see passthroughctl status", sep, t.blocked,
			    plural(t.blocked));
		sep = "; ";
	}
	if (plan->reboot_required) {
		strbuf_add(out, sep);
		add_reboot(plan, out);
	}
}

int pthru_plan_summary(const struct pthru_plan *p, char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};

	summarise(p->plan, &out);
	return finish(&out, 0, ret);
}

static void add_codes(const struct plan_device *device, struct strbuf *out)
{
	const char *sep = " (";

	array_foreach(it, &device->verdicts)
		if (it->severity == SEVERITY_ERROR) {
			strbuf_addf(out, "%s%s", sep, code_name(it->code));
			sep = ", ";
		}
	strbuf_add(out, *sep == ',' ? ")" : "");
}

static void add_blocked(const struct plan *plan, struct strbuf *out)
{
	const char *sep = out->len ? "; blocked: " : "blocked: ";
	const struct plan_device *device;

	array_foreach(it, &plan->items) {
		if (it->state != STATE_BLOCKED)
			continue;
		strbuf_addf(out, "%s%s", sep, it->id);
		sep = ", ";
		device = it->kind == ITEM_DEVICE ? plan_device_named(plan, strchr(it->id, ':') + 1)
						 : NULL;
		if (device)
			add_codes(device, out);
	}
}

int pthru_plan_brief(const struct pthru_plan *p, char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	const struct tally t = count(p->plan);

	if (t.pending)
		strbuf_addf(&out, "%zu change%s", t.pending, plural(t.pending));
	if (p->plan->reboot_required)
		strbuf_add(&out, t.pending ? ", then a reboot" : "a reboot");
	add_blocked(p->plan, &out);
	if (!out.len)
		strbuf_add(&out, t.active ? "nothing to do" : "nothing is wished here");
	return finish(&out, 0, ret);
}

int pthru_report_summary(const struct pthru_report *r, char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};

	array_foreach(it, &r->report->steps) {
		if (it->result != RESULT_FAILED)
			continue;
		strbuf_addf(&out, "failed: %s %s [%s]", step_kind_name(it->kind), it->target,
			    it->code >= 0 ? code_name(it->code) : strerror(-it->error));
		return finish(&out, 0, ret);
	}
	if (r->unproven)
		strbuf_add(&out, "failed: what was done has no effect, see passthroughctl status");
	else
		summarise(pthru_report_plan(r)->plan, &out);
	return finish(&out, 0, ret);
}
