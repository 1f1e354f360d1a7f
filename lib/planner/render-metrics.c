/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text format of Prometheus, for the folder that node_exporter reads. */
#include <inttypes.h>

#include "render.h"

static void head(struct strbuf *out, const char *name, const char *type, const char *help)
{
	strbuf_addf(out, "# HELP passthroughd_%s %s\n# TYPE passthroughd_%s %s\n", name, help, name,
		    type);
}

static void gauge(struct strbuf *out, const char *name, const char *help, int64_t value)
{
	head(out, name, "gauge", help);
	strbuf_addf(out, "passthroughd_%s %" PRId64 "\n", name, value);
}

static void add_items(const struct plan *plan, struct strbuf *out)
{
	size_t by_state[_ITEM_STATE_MAX] = {0};

	array_foreach(it, &plan->items)
		by_state[it->state] += !it->surplus;
	head(out, "items", "gauge", "Wished items by state.");
	for (int i = 0; i < _ITEM_STATE_MAX; i++)
		strbuf_addf(out, "passthroughd_items{state=\"%s\"} %zu\n",
			    item_state_name((enum item_state)i), by_state[i]);
}

static bool refused_by(const struct plan_device *device, int code)
{
	array_foreach(it, &device->verdicts)
		if (it->severity == SEVERITY_ERROR && (int)it->code == code)
			return true;
	return false;
}

static void add_refusals(const struct plan *plan, struct strbuf *out)
{
	head(out, "devices_refused", "gauge", "Wished devices by the code of what refuses them.");
	for (int i = 0; i < _CODE_MAX; i++) {
		size_t n = 0;

		array_foreach(it, &plan->devices)
			n += refused_by(it, i);
		if (n)
			strbuf_addf(out, "passthroughd_devices_refused{code=\"%s\"} %zu\n",
				    code_name((enum code)i), n);
	}
}

void render_metrics(const struct plan *plan, const struct render_metrics *m, struct strbuf *out)
{
	add_items(plan, out);
	add_refusals(plan, out);
	gauge(out, "reboot_required", "Whether only a reboot brings what is armed.",
	      plan->reboot_required);
	gauge(out, "exit_code", "How the last apply ended, as passthroughctl(1) lists.",
	      m->exit_code);
	gauge(out, "last_success_timestamp_seconds",
	      "When an apply last left nothing to do but a reboot; 0: not yet.", m->last_success);
	head(out, "apply_seconds", "gauge", "How long the last apply took.");
	strbuf_addf(out, "passthroughd_apply_seconds %" PRIu64 ".%03u\n", m->apply_ms / 1000,
		    (unsigned)(m->apply_ms % 1000));
	head(out, "heals_total", "counter", "Changes by others that were put right.");
	strbuf_addf(out, "passthroughd_heals_total %u\n", m->heals);
}
