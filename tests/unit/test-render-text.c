/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pages for people: what they say, that they fold, and that nothing on them steers a terminal.
 */
#include "made-plan.h"

#include "golden.h"
#include "render.h"

/* Every page that there is; the plain one at width 0 and the folded one at 80 are golden. */
static const char *const pages[] = {
	"plan-pending", "plan-observe",	  "plan-converged", "plan-reboot",    "plan-blocked",
	"plan-empty",	"status",	  "devices",	    "devices-absent", "explain-name",
	"explain-free", "explain-wished", "report-failed",  "report-done",
};

static struct plan *plan_of(const char *page)
{
	struct plan *plan;

	if (strcmp(page, "plan-converged") == 0)
		return made_converged();
	if (strcmp(page, "plan-reboot") == 0)
		return made_armed();
	if (strcmp(page, "plan-blocked") == 0)
		return made_blocked();
	if (strcmp(page, "plan-empty") == 0)
		return plan_new();
	plan = made_plan();
	plan->observe_only = strcmp(page, "plan-observe") == 0;
	return plan;
}

static void render_page(const char *page, const struct plan *plan, struct render_style style,
			struct strbuf *out)
{
	bool absent = strcmp(page, "devices-absent") == 0;
	struct host *host = made_host(absent ? "@ vendor=intel virt firmware=no remap=no\n"
					       "00:1f.0 8086:a308 060100\n"
					       "01:00.0 10de:1b81 030000 reset "
					       "use=console:\"boot display (boot_vga)\"\n"
					       "02:00.0 8086:1521 020000 reset\n"
					     : MADE_HOST);
	struct report *report = made_report();

	if (strcmp(page, "report-done") == 0) {
		report->failed = report->rolled_back = false;
		report->steps.n = 1;
	}
	if (strncmp(page, "plan", 4) == 0)
		render_plan(plan, style, out);
	else if (strcmp(page, "status") == 0)
		render_status(plan, style, out);
	else if (strncmp(page, "devices", 7) == 0)
		assert_int_equal(render_devices(host, style, out), 0);
	else if (strncmp(page, "report", 6) == 0)
		render_report(plan, report, style, out);
	else if (strcmp(page, "explain-name") == 0)
		assert_int_equal(render_explain(plan, host, "gpu", style, out), 0);
	else if (strcmp(page, "explain-free") == 0)
		assert_int_equal(render_explain(plan, host, "02:00.0", style, out), 0);
	else
		assert_int_equal(render_explain(plan, host, "0000:01:00.1", style, out), 0);
	assert_int_equal(out->error, 0);
	report_free(report);
	host_free(host);
}

static const char *render(struct arena *a, const char *page, bool color, unsigned width)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	struct plan *plan = plan_of(page);
	const char *text;

	render_page(page, plan, (struct render_style){.color = color, .width = width}, &out);
	plan_free(plan);
	assert_int_equal(strbuf_to_arena(&out, a, &text), 0);
	return text;
}

static void pages_are_golden(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		assert_golden(arena_printf(a, "render/%s.txt", pages[i]),
			      render(a, pages[i], false, 0));
		assert_golden(arena_printf(a, "render/%s-80.txt", pages[i]),
			      render(a, pages[i], false, 80));
	}
}

/* Colour adds sequences that turn it on and off, and changes nothing else. */
static void colour_only_colours(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		for (unsigned width = 0; width <= 120; width += 40) {
			_cleanup_strbuf_ struct strbuf plain = {0};
			const char *at = render(a, pages[i], true, width);
			bool on = false;

			for (; *at; at++) {
				if (*at != '\033') {
					strbuf_addc(&plain, *at);
					assert_false(on && *at == '\n');
					continue;
				}
				assert_int_equal(at[1], '[');
				on = at[2] != '0';
				at = strchr(at, 'm');
				assert_non_null(at);
			}
			assert_false(on);
			assert_string_equal(strbuf_text(&plain), render(a, pages[i], false, width));
		}
	}
}

/* No control byte but newline, and tab in diffs; and the marks that turn text round are escaped. */
static void nothing_steers_the_terminal(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		const char *text = render(a, pages[i], false, 80);

		for (const char *at = text; *at; at++)
			assert_true((unsigned char)*at >= 0x20 || *at == '\n' || *at == '\t');
		assert_null(strstr(text, "\x7f"));
		assert_null(strstr(text, "\xff"));
		assert_null(strstr(text, "\xe2\x80\xae"));
	}
}

static bool is_diff_line(const char *line)
{
	return *line && strchr("-+@ \\", *line) && strncmp(line, "  ", 2) != 0;
}

/* A folded line passes the width only where a single word is longer than the room for it. */
static void lines_fold(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		for (unsigned width = 70; width <= 100; width += 10) {
			const char *at = render(a, pages[i], false, width);

			while (*at) {
				size_t n = strcspn(at, "\n");
				const char *line = arena_strndup(a, at, n);
				const char *word = line + strspn(line, " ");

				if (n > width && !is_diff_line(line) && strchr(word, ' '))
					fail_msg("%s at %u: %s", pages[i], width, line);
				at += n + (at[n] == '\n');
			}
		}
	}
}

/* A diff stands on the page as patch(1) takes it. */
static void diffs_are_not_folded(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = render(a, "plan-pending", false, 20);

	assert_non_null(strstr(text, "\n--- a/etc/default/grub\n+++ b/etc/default/grub\n"
				     "@@ -1,3 +1,3 @@\n GRUB_DEFAULT=0\n GRUB_TIMEOUT=5\n"
				     "-GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n"
				     "+GRUB_CMDLINE_LINUX_DEFAULT=\"quiet iommu=pt\"\n"));
}

static void what_nobody_knows_is_an_error(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	struct host *host = made_host(MADE_HOST);
	struct plan *plan = made_plan();
	const struct render_style style = {0};

	assert_int_equal(render_explain(plan, host, "nobody", style, &out), -ENODEV);
	assert_int_equal(render_explain(plan, host, "09:00.0", style, &out), -ENODEV);
	assert_int_equal(render_explain(NULL, host, "gpu", style, &out), -ENODEV);
	assert_int_equal(out.len, 0);
	/* Without a plan an address can be explained all the same. */
	assert_int_equal(render_explain(NULL, host, "04:00.0", style, &out), 0);
	assert_non_null(strstr(strbuf_text(&out), "reserved-region"));
	plan_free(plan);
	host_free(host);
}

/* What scripts and the manual rely on. */
static void sentences_that_are_relied_on(void **state _unused_)
{
	static const struct {
		const char *page, *says;
	} table[] = {
		{"plan-converged", "Nothing to do: all 2 items are active, 1 device among them."},
		{"plan-empty", "Nothing to do: nothing is wished"},
		{"plan-reboot", "Only a reboot is outstanding"},
		{"plan-pending", "apply --plan " PLAN_ID},
		{"plan-observe", "mode: observe"},
		{"plan-blocked", "passthroughctl explain gpu"},
	};
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (!strstr(render(a, table[i].page, false, 0), table[i].says))
			fail_msg("%s: %s", table[i].page, render(a, table[i].page, false, 0));
	assert_null(strstr(render(a, "plan-observe", false, 0), "passthroughctl apply"));
	/* What is only taken back is no item. */
	assert_null(strstr(render(a, "plan-reboot", false, 0), "kernel-flag:quiet"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_golden),
		cmocka_unit_test(colour_only_colours),
		cmocka_unit_test(nothing_steers_the_terminal),
		cmocka_unit_test(lines_fold),
		cmocka_unit_test(diffs_are_not_folded),
		cmocka_unit_test(what_nobody_knows_is_an_error),
		cmocka_unit_test(sentences_that_are_relied_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
