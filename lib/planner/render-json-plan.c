/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `plan --json`, `status --json`, `apply --json`: the interface of design section 4. */
#include <string.h>

#include "diff.h"
#include "render-json.h"

void doc_put_verdicts(struct doc *b, struct json_object *to, const struct plan_device *device)
{
	struct json_object *array = doc_array(b, to, "verdicts");

	array_foreach(it, &device->verdicts) {
		struct json_object *row = doc_row(b, array);

		doc_put_text(b, row, "code", code_name(it->code));
		doc_put_text(b, row, "severity", severity_name(it->severity));
		doc_put_text(b, row, "message", it->message);
		doc_put_words(b, row, "evidence", &it->evidence);
	}
}

void doc_put_device(struct doc *b, struct json_object *array, const struct plan_device *device)
{
	struct json_object *row = doc_row(b, array), *addresses;
	char addr[PCI_ADDR_TEXT_SIZE];

	doc_put_text(b, row, "name", device->name);
	addresses = doc_array(b, row, "addresses");
	array_foreach(it, &device->addrs)
		doc_push(b, addresses, doc_text(b, pci_addr_format(*it, addr)));
	doc_put_text(b, row, "method",
		     device->state == STATE_BLOCKED ? NULL : bind_method_name(device->method));
	doc_put_text(b, row, "state", item_state_name(device->state));
	doc_put_text(b, row, "identity",
		     device->addrs.n || device->identity != IDENTITY_NEW
			     ? identity_name(device->identity)
			     : NULL);
	doc_put_verdicts(b, row, device);
}

void doc_put_step(struct doc *b, struct json_object *array, const struct step *step)
{
	struct json_object *row = doc_row(b, array);

	doc_put_text(b, row, "kind", step_kind_name(step->kind));
	doc_put_text(b, row, "target", step->target);
	doc_put_text(b, row, "class", step_class_name(step_kind_class(step->kind)));
	doc_put_text(b, row, "why", step->why);
}

static void put_items(struct doc *b, struct json_object *to, const struct plan *plan)
{
	struct json_object *array = doc_array(b, to, "items");

	for (size_t i = 0; plan && i < plan->items.n; i++) {
		const struct plan_item *item = &plan->items.at[i];
		struct json_object *row;

		if (!render_item_shown(item))
			continue;
		row = doc_row(b, array);
		doc_put_text(b, row, "id", item->id);
		doc_put_text(b, row, "kind", item_kind_name(item->kind));
		doc_put_text(b, row, "state", item_state_name(item->state));
		doc_put_text(b, row, "files", layer_state_name(item->files));
		doc_put_text(b, row, "boot", layer_state_name(item->boot));
		doc_put_text(b, row, "live", layer_state_name(item->live));
		doc_put_text(b, row, "reason", item->reason);
	}
}

static void put_diffs(struct doc *b, struct json_object *to, const struct plan *plan)
{
	struct json_object *array = doc_array(b, to, "diffs");

	for (size_t i = 0; plan && i < plan->steps.n; i++) {
		const struct step *step = &plan->steps.at[i];
		_cleanup_strbuf_ struct strbuf diff = {0}, name = {0};
		struct json_object *row;

		if (!render_has_diff(step))
			continue;
		render_diff(step, &diff);
		render_diff_name(step, &name);
		if (diff.error || name.error)
			b->error = diff.error ? diff.error : name.error;
		if (!diff.len)
			continue;
		row = doc_row(b, array);
		doc_put_text(b, row, "path", strbuf_text(&name));
		doc_put_text(b, row, "diff", strbuf_text(&diff));
	}
}

static void put_reboot(struct doc *b, struct json_object *to, const struct plan *plan)
{
	struct json_object *reboot = doc_object(b, to, "reboot");
	struct words none = {0};

	doc_put_bool(b, reboot, "required", plan && plan->reboot_required);
	doc_put_words(b, reboot, "why", plan ? &plan->reboot_why : &none);
}

/* --- diagnostics ------------------------------------------------------------------------------ */

static bool same(const struct diag *a, const struct diag *b)
{
	const char *fa = a->place.file ? a->place.file : "",
		   *fb = b->place.file ? b->place.file : "";

	return a->code == b->code && a->severity == b->severity && a->place.line == b->place.line &&
	       a->place.column == b->place.column && strcmp(fa, fb) == 0 &&
	       strcmp(a->message, b->message) == 0;
}

static bool said_before(const struct diags *const lists[static 3], size_t list,
			const struct diag *diag)
{
	for (size_t i = 0; i < list; i++)
		for (size_t j = 0; lists[i] && j < lists[i]->list.n; j++)
			if (same(&lists[i]->list.at[j], diag))
				return true;
	return false;
}

static void put_diag(struct doc *b, struct json_object *array, const struct diag *diag)
{
	struct json_object *row = doc_row(b, array);

	doc_put_text(b, row, "severity", severity_name(diag->severity));
	doc_put_text(b, row, "code", code_name(diag->code));
	doc_put_text(b, row, "message", diag->message);
	doc_put_text(b, row, "file", diag->place.file);
	if (diag->place.file && diag->place.line) {
		doc_put_count(b, row, "line", diag->place.line);
		doc_put_count(b, row, "column", diag->place.column);
	} else {
		doc_put_text(b, row, "line", NULL);
		doc_put_text(b, row, "column", NULL);
	}
}

void doc_put_diags(struct doc *b, struct json_object *to, const struct diags *const lists[static 3])
{
	static const struct diag lost = {
		.severity = SEVERITY_ERROR,
		.code = CODE_OUT_OF_MEMORY,
		.message = "memory ran out while diagnostics were collected",
	};
	struct json_object *array = doc_array(b, to, "diagnostics");
	bool any_lost = false;

	for (size_t i = 0; i < 3; i++) {
		if (!lists[i])
			continue;
		any_lost = any_lost || lists[i]->lost;
		array_foreach(it, &lists[i]->list)
			if (!said_before(lists, i, it))
				put_diag(b, array, it);
	}
	if (any_lost)
		put_diag(b, array, &lost);
}

/* --- report ----------------------------------------------------------------------------------- */

static void put_report(struct doc *b, struct json_object *to, const struct report *report)
{
	struct json_object *object = doc_object(b, to, "report");
	struct json_object *steps = doc_array(b, object, "steps");

	array_foreach(it, &report->steps) {
		struct json_object *row = doc_row(b, steps);

		doc_put_text(b, row, "kind", step_kind_name(it->kind));
		doc_put_text(b, row, "target", it->target);
		doc_put_text(b, row, "result", step_result_name(it->result));
		doc_put_text(b, row, "message", it->message);
		doc_put_text(b, row, "output", it->output);
		doc_put(b, row, "seconds", json_object_new_double((double)it->usec / 1e6));
	}
	doc_put_bool(b, object, "failed", report->failed);
	doc_put_bool(b, object, "rolled_back", report->rolled_back);
}

static int render(const struct plan *plan, const struct diags *diags, const struct report *report,
		  bool open, struct strbuf *out)
{
	const struct diags *const lists[3] = {plan ? &plan->diags : NULL, diags,
					      report ? &report->diags : NULL};
	struct json_object *document = json_object_new_object(), *array;
	struct doc b = {0};

	doc_put_bool(&b, document, "converged", plan && plan_converged(plan));
	doc_put_text(&b, document, "plan_id", plan ? plan->id : NULL);
	put_items(&b, document, plan);
	array = doc_array(&b, document, "devices");
	for (size_t i = 0; plan && i < plan->devices.n; i++)
		doc_put_device(&b, array, &plan->devices.at[i]);
	array = doc_array(&b, document, "steps");
	for (size_t i = 0; plan && i < plan->steps.n; i++)
		doc_put_step(&b, array, &plan->steps.at[i]);
	put_diffs(&b, document, open ? NULL : plan);
	put_reboot(&b, document, plan);
	doc_put_diags(&b, document, lists);
	if (report)
		put_report(&b, document, report);
	return doc_finish(&b, document, out);
}

int render_plan_json(const struct plan *plan, const struct diags *diags,
		     const struct report *report, struct strbuf *out)
{
	return render(plan, diags, report, false, out);
}

int render_open_json(const struct plan *plan, const struct diags *diags, struct strbuf *out)
{
	return render(plan, diags, NULL, true, out);
}
