/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guards and pages say -ENOMEM wherever memory runs out, and leak nothing on the way. */
#include "made-plan.h"

#include "guard.h"
#include "oom.h"
#include "render.h"

struct things {
	struct host *host;
	struct spec *spec;
	struct ledger *ledger;
	struct plan *plan;
	struct report *report;
	const char *name; /* for explain */
};

static int judge(void *arg)
{
	const struct things *t = arg;
	_cleanup_plan_ struct plan *plan = plan_new();
	struct plan_device found;
	struct guard guard;
	const char *text;
	int r;

	if (!plan)
		return -ENOMEM;
	r = guard_init(&guard, plan->arena, t->spec, t->host, t->ledger);
	if (r == 0)
		r = guard_devices(&guard, plan);
	array_foreach(it, &t->host->devices)
		r = r ? r : guard_survey(&guard, it, &found);
	array_foreach(it, &t->host->devices)
		r = r ? r : guard_fingerprint(&guard, "gpu", it, &text);
	return r;
}

typedef int page(const struct things *t, struct strbuf *out);

static int page_plan(const struct things *t, struct strbuf *out)
{
	render_plan(t->plan, (struct render_style){.color = true, .width = 60}, out);
	return out->error;
}

static int page_status(const struct things *t, struct strbuf *out)
{
	render_status(t->plan, (struct render_style){0}, out);
	return out->error;
}

static int page_report(const struct things *t, struct strbuf *out)
{
	render_report(t->plan, t->report, (struct render_style){.width = 60}, out);
	return out->error;
}

static int page_devices(const struct things *t, struct strbuf *out)
{
	return render_devices(t->host, (struct render_style){.width = 60}, out);
}

static int page_explain(const struct things *t, struct strbuf *out)
{
	return render_explain(t->plan, t->host, t->name, (struct render_style){0}, out);
}

static int page_plan_json(const struct things *t, struct strbuf *out)
{
	return render_plan_json(t->plan, NULL, t->report, out);
}

static int page_devices_json(const struct things *t, struct strbuf *out)
{
	return render_devices_json(t->host, NULL, out);
}

static int page_explain_json(const struct things *t, struct strbuf *out)
{
	return render_explain_json(t->plan, t->host, t->name, NULL, out);
}

struct page_work {
	page *render;
	const struct things *things;
};

static int draw(void *arg)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	const struct page_work *work = arg;

	return work->render(work->things, &out);
}

static void setup(struct things *t)
{
	*t = (struct things){
		.host = made_host(MADE_HOST),
		.spec = made_spec("@ unsafe\n"
				  "audio address=01:00.1\n"
				  "disk class=nvme accept=in-use\n"
				  "gone id=10de:1b82\n"
				  "gpu id=10de:1b81\n"
				  "nic mac=00:00:00:00:00:01\n"
				  "usb class=usb\n"
				  "vf id=8086:1520\n"),
		.ledger = made_ledger("gone 05:00.0 10de:1b82 serial=\"serial A\"\n"
				      "vf 02:10.0 8086:1521"),
		.plan = made_plan(),
		.report = made_report(),
		.name = "gpu",
	};
}

static void teardown(struct things *t)
{
	report_free(t->report);
	plan_free(t->plan);
	ledger_free(t->ledger);
	spec_free(t->spec);
	host_free(t->host);
}

static void guards(void **state _unused_)
{
	struct things t;

	setup(&t);
	assert_true(oom_everywhere(judge, &t) > 100);
	teardown(&t);
}

static void pages(void **state _unused_)
{
	static page *const all[] = {page_plan,	       page_status,	 page_report,
				    page_devices,      page_explain,	 page_plan_json,
				    page_devices_json, page_explain_json};
	struct things t;

	setup(&t);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct page_work work = {all[i], &t};

		assert_true(oom_everywhere(draw, &work) > 1);
	}
	t.name = "05:00.0";
	assert_true(oom_everywhere(draw, &(struct page_work){page_explain, &t}) > 1);
	assert_true(oom_everywhere(draw, &(struct page_work){page_explain_json, &t}) > 1);
	teardown(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guards),
		cmocka_unit_test(pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
