/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs tables of guard rows: a host, a spec, a ledger, and what is said of each device. */
#pragma once

#include "guard.h"
#include "made.h"
#include "strbuf.h"

struct guard_row {
	const char *name;
	const char *host, *spec, *ledger; /* ledger NULL: none */
	/* A line per device with its functions, and " is IDENTITY, WHY" where something is
	 * remembered; " SEVERITY CODE" per verdict, "  - " per evidence. */
	const char *expected;
};

static void show_verdicts(const struct plan_device *device, struct strbuf *out)
{
	array_foreach(v, &device->verdicts) {
		strbuf_addf(out, " %s %s%s\n", severity_name(v->severity), code_name(v->code),
			    v->accepted ? " accepted" : "");
		assert_non_null(v->message);
		assert_true(*v->message);
		array_foreach(e, &v->evidence)
			strbuf_addf(out, "  - %s\n", *e);
	}
}

static void show_device(const struct plan_device *device, struct strbuf *out)
{
	char addr[PCI_ADDR_TEXT_SIZE];

	strbuf_add(out, device->name);
	array_foreach(it, &device->addrs)
		strbuf_addf(out, " %s", pci_addr_format(*it, addr));
	if (device->identity != IDENTITY_NEW)
		strbuf_addf(out, " is %s, %s", identity_name(device->identity),
			    device->identity_why);
	strbuf_add(out, "\n");
	show_verdicts(device, out);
	assert_int_equal(device->method, _METHOD_INVALID);
	assert_int_equal(device->state == STATE_BLOCKED, plan_device_refused(device));
}

static void check_text(const char *name, const char *text, const char *expected)
{
	if (strcmp(text, expected) != 0)
		fail_msg("%s:\n%s--- expected:\n%s", name, text, expected);
}

static void check_row(const struct guard_row *row)
{
	struct host *host = made_host(row->host);
	struct spec *spec = made_spec(row->spec);
	struct ledger *ledger = row->ledger ? made_ledger(row->ledger) : NULL;
	struct plan *plan = plan_new();
	struct strbuf out = {0};
	struct guard guard;

	assert_int_equal(guard_init(&guard, plan->arena, spec, host, ledger), 0);
	assert_int_equal(guard_devices(&guard, plan), 0);
	assert_int_equal(plan->devices.n, spec->devices.n);
	array_foreach(it, &plan->devices)
		show_device(it, &out);
	check_text(row->name, strbuf_text(&out), row->expected);
	strbuf_done(&out);
	plan_free(plan);
	ledger_free(ledger);
	spec_free(spec);
	host_free(host);
}
