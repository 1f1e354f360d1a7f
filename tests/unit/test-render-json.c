/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The documents for programs, parsed back: stable names, types, order, and text that is UTF-8. */
#include "made-plan.h"

#include <json-c/json.h>

#include "render.h"

static struct json_object *parse(const struct strbuf *text)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *document;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	document = json_tokener_parse_ex(tokener, strbuf_text(text), (int)text->len);
	assert_non_null(document);
	assert_int_equal(json_tokener_get_error(tokener), json_tokener_success);
	assert_int_equal(strbuf_text(text)[text->len - 1], '\n');
	json_tokener_free(tokener);
	return document;
}

/* Keys of an object in their order, blank-separated. */
static void assert_keys(struct json_object *object, const char *expected)
{
	_cleanup_strbuf_ struct strbuf keys = {0};

	assert_true(json_object_is_type(object, json_type_object));
	json_object_object_foreach(object, key, value)
	{
		(void)value;
		strbuf_addf(&keys, "%s%s", keys.len ? " " : "", key);
	}
	assert_string_equal(strbuf_text(&keys), expected);
}

/* The value at a path "items.0.id". */
static struct json_object *at(struct json_object *from, const char *path)
{
	char copy[128], *rest = NULL;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *part = strtok_r(copy, ".", &rest); part; part = strtok_r(NULL, ".", &rest)) {
		if (json_object_is_type(from, json_type_array))
			from = json_object_array_get_idx(from, (size_t)atoi(part));
		else if (!json_object_object_get_ex(from, part, &from))
			fail_msg("no %s in %s", part, path);
	}
	return from;
}

static const char *text_at(struct json_object *from, const char *path)
{
	return json_object_get_string(at(from, path));
}

#define PLAN_KEYS "converged plan_id items devices steps diffs reboot diagnostics"

static struct json_object *plan_document(const struct plan *plan, const struct diags *diags,
					 const struct report *report)
{
	_cleanup_strbuf_ struct strbuf out = {0};

	assert_int_equal(render_plan_json(plan, diags, report, &out), 0);
	return parse(&out);
}

static void names_and_types(void **state _unused_)
{
	static const struct {
		const char *path, *value; /* NULL: JSON null */
	} table[] = {
		{"converged", "false"},
		{"plan_id", PLAN_ID},
		{"items.0.id", "device:disk"},
		{"items.0.kind", "device"},
		{"items.0.state", "blocked"},
		{"items.0.files", "none"},
		{"items.5.boot", "unknown"},
		{"items.5.live", "wrong"},
		{"items.6.files", "right"},
		{"items.6.reason", NULL},
		{"devices.0.name", "disk"},
		{"devices.0.method", NULL},
		{"devices.0.verdicts.0.code", "boot-disk"},
		{"devices.0.verdicts.0.severity", "error"},
		{"devices.0.verdicts.0.evidence.0", "0000:03:00.0 holds nvme0n1p3, mounted on /"},
		{"devices.0.identity", "new"},
		{"devices.1.identity", "same"},
		{"devices.1.method", "override"},
		{"devices.1.addresses.1", "0000:01:00.1"},
		{"devices.1.verdicts.0.severity", "warning"},
		{"devices.1.verdicts.1.severity", "note"},
		{"steps.0.kind", "write-file"},
		{"steps.0.class", "files"},
		{"steps.3.target", "6.1.0-18-amd64"},
		{"steps.3.class", "initramfs"},
		{"steps.4.class", "boot-loader"},
		{"steps.7.kind", "bind"},
		{"steps.7.target", "0000:01:00.0"},
		{"steps.7.class", "live"},
		{"steps.9.class", "reboot"},
		{"diffs.1.path", "/etc/default/grub"},
		{"diffs.2.diff", "--- a/etc/udev/rules.d/00-passthroughd.rules\n+++ /dev/null\n"
				 "@@ -1 +0,0 @@\n-# \\x1b[2J\\xff\n"},
		{"reboot.required", "true"},
		{"reboot.why.1", "kernel-flag:iommu=pt: not on the running kernel's line"},
		{"diagnostics.0.severity", "warning"},
		{"diagnostics.0.code", "no-effect"},
		{"diagnostics.0.file", "/etc/default/grub"},
		{"diagnostics.0.line", "3"},
		{"diagnostics.0.column", "30"},
	};
	struct plan *plan = made_plan();
	struct json_object *document = plan_document(plan, NULL, NULL);

	assert_keys(document, PLAN_KEYS);
	assert_keys(at(document, "items.0"), "id kind state files boot live reason");
	assert_keys(at(document, "devices.0"), "name addresses method state identity verdicts");
	assert_keys(at(document, "devices.0.verdicts.0"), "code severity message evidence");
	assert_keys(at(document, "steps.0"), "kind target class why");
	assert_keys(at(document, "diffs.0"), "path diff");
	assert_keys(at(document, "reboot"), "required why");
	assert_keys(at(document, "diagnostics.0"), "severity code message file line column");
	assert_true(json_object_is_type(at(document, "converged"), json_type_boolean));
	assert_true(json_object_is_type(at(document, "diagnostics.0.line"), json_type_int));
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *value = text_at(document, table[i].path);

		if (!table[i].value)
			assert_null(value);
		else if (!value || strcmp(value, table[i].value) != 0)
			fail_msg("%s is %s", table[i].path, value);
	}
	json_object_put(document);
	plan_free(plan);
}

/* Without a plan, because the spec failed, every key is there all the same. */
static void every_key_on_failure(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct json_object *document;

	diags_add(&diags, SEVERITY_ERROR, CODE_UNKNOWN_KEY, (struct place){"a.yaml", 2, 1},
		  "blacklst: [x]", "unknown key blacklst");
	diags_add(&diags, SEVERITY_ERROR, CODE_USAGE, (struct place){0}, NULL, "no such verb");
	document = plan_document(NULL, &diags, NULL);
	assert_keys(document, PLAN_KEYS);
	assert_string_equal(text_at(document, "converged"), "false");
	assert_null(text_at(document, "plan_id"));
	assert_string_equal(text_at(document, "reboot.required"), "false");
	assert_int_equal(json_object_array_length(at(document, "items")), 0);
	assert_int_equal(json_object_array_length(at(document, "diagnostics")), 2);
	assert_string_equal(text_at(document, "diagnostics.0.code"), "unknown-key");
	assert_null(text_at(document, "diagnostics.1.file"));
	assert_null(text_at(document, "diagnostics.1.line"));
	json_object_put(document);
}

static void report_and_diagnostics(void **state _unused_)
{
	struct plan *plan = made_converged();
	struct report *report = made_report();
	/* The caller may have joined the report's own diagnostics to its list: said once. */
	struct json_object *document = plan_document(plan, &report->diags, report);

	assert_keys(document, PLAN_KEYS " report");
	assert_keys(at(document, "report"), "steps failed rolled_back");
	assert_keys(at(document, "report.steps.0"), "kind target result message output seconds");
	assert_string_equal(text_at(document, "report.failed"), "true");
	assert_string_equal(text_at(document, "report.steps.0.result"), "done");
	assert_null(text_at(document, "report.steps.0.message"));
	assert_string_equal(text_at(document, "report.steps.1.result"), "failed");
	assert_non_null(strstr(text_at(document, "report.steps.1.output"), "\x1b[31mNo space"));
	assert_true(json_object_get_double(at(document, "report.steps.1.seconds")) > 42.3);
	assert_string_equal(text_at(document, "report.steps.2.result"), "skipped");
	assert_int_equal(json_object_array_length(at(document, "diagnostics")), 1);
	assert_string_equal(text_at(document, "converged"), "true");
	json_object_put(document);
	report_free(report);
	plan_free(plan);
}

static void devices(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	struct host *host = made_host(MADE_HOST);
	struct json_object *document;

	assert_int_equal(render_devices_json(host, NULL, &out), 0);
	document = parse(&out);
	assert_keys(document, "devices diagnostics");
	assert_int_equal(json_object_array_length(at(document, "devices")), host->devices.n);
	assert_keys(at(document, "devices.0"), "address ids class driver group uses verdicts");
	assert_string_equal(text_at(document, "devices.0.address"), "0000:00:01.0");
	assert_string_equal(text_at(document, "devices.0.verdicts.0.code"), "bridge-device");
	assert_null(text_at(document, "devices.1.group"));
	assert_null(text_at(document, "devices.3.driver"));
	assert_string_equal(text_at(document, "devices.4.ids"), "10de:1b81:1458:3702");
	assert_string_equal(text_at(document, "devices.4.class"), "030000");
	assert_int_equal(json_object_get_int(at(document, "devices.4.group")), 11);
	assert_string_equal(text_at(document, "devices.4.uses.0.kind"), "console");
	assert_string_equal(text_at(document, "devices.4.uses.0.what"), "boot display (boot_vga)");
	json_object_put(document);
	host_free(host);
}

static void explain(void **state _unused_)
{
	static const struct {
		const char *name;
		size_t devices, functions, steps;
		const char *address; /* of the first function */
	} table[] = {
		{"gpu", 1, 2, 1, "0000:01:00.0"},
		{"01:00.1", 1, 1, 1, "0000:01:00.1"},
		{"disk", 1, 1, 0, "0000:03:00.0"},
		{"0000:05:00.0", 0, 1, 0, "0000:05:00.0"},
	};
	struct host *host = made_host(MADE_HOST);
	struct plan *plan = made_plan();
	_cleanup_strbuf_ struct strbuf nothing = {0};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		_cleanup_strbuf_ struct strbuf out = {0};
		struct json_object *document;

		assert_int_equal(render_explain_json(plan, host, table[i].name, NULL, &out), 0);
		document = parse(&out);
		assert_keys(document, "devices functions steps diagnostics");
		assert_int_equal(json_object_array_length(at(document, "devices")),
				 table[i].devices);
		assert_int_equal(json_object_array_length(at(document, "functions")),
				 table[i].functions);
		assert_int_equal(json_object_array_length(at(document, "steps")), table[i].steps);
		assert_string_equal(text_at(document, "functions.0.address"), table[i].address);
		json_object_put(document);
	}
	assert_int_equal(render_explain_json(plan, host, "nobody", NULL, &nothing), -ENODEV);
	assert_int_equal(nothing.len, 0);
	plan_free(plan);
	host_free(host);
}

/* Any bytes of a host become text that every JSON reader takes, and still tell what they were. */
static void any_bytes(void **state _unused_)
{
	static const struct {
		const char *raw, *shown;
	} table[] = {
		{"plain", "plain"},
		{"tab\tand \x1b[0m", "tab\tand \x1b[0m"},
		{"\xff\xfe", "\\xff\\xfe"},
		{"cut \xe2\x82", "cut \\xe2\\x82"},
		{"euro \xe2\x82\xac", "euro \xe2\x82\xac"},
		{"overlong \xc0\xaf", "overlong \\xc0\\xaf"},
		{"surrogate \xed\xa0\x80", "surrogate \\xed\\xa0\\x80"},
		{"beyond \xf4\x90\x80\x80", "beyond \\xf4\\x90\\x80\\x80"},
		{"\"quoted\" \\ /", "\"quoted\" \\ /"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct plan *plan = plan_new();
		struct json_object *document;

		plan->id = PLAN_ID;
		made_item(plan, "kernel-flag:quiet", STATE_WANTED, "www", table[i].raw);
		document = plan_document(plan, NULL, NULL);
		assert_string_equal(text_at(document, "items.0.reason"), table[i].shown);
		json_object_put(document);
		plan_free(plan);
	}
}

/* The same values give the same bytes. */
static void documents_are_stable(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf one = {0}, two = {0};
	struct strbuf *const outs[] = {&one, &two};

	for (size_t i = 0; i < ARRAY_LEN(outs); i++) {
		struct host *host = made_host(MADE_HOST);
		struct plan *plan = made_plan();

		assert_int_equal(render_plan_json(plan, NULL, NULL, outs[i]), 0);
		assert_int_equal(render_devices_json(host, NULL, outs[i]), 0);
		assert_int_equal(render_explain_json(plan, host, "gpu", NULL, outs[i]), 0);
		plan_free(plan);
		host_free(host);
	}
	assert_string_equal(strbuf_text(&one), strbuf_text(&two));
}

/* A file's step whose bytes are the present ones is no difference. */
static void equal_files_have_no_diff(void **state _unused_)
{
	struct plan *plan = plan_new();
	struct json_object *document;

	made_file_step(plan, "/etc/a", "module:x", "same\n", "same\n");
	document = plan_document(plan, NULL, NULL);
	assert_int_equal(json_object_array_length(at(document, "diffs")), 0);
	assert_int_equal(json_object_array_length(at(document, "steps")), 1);
	json_object_put(document);
	plan_free(plan);
}

/* For everybody: all of it but what files hold. */
static void open_documents_quote_no_file(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	struct plan *plan = made_plan();
	struct json_object *document = plan_document(plan, NULL, NULL), *open;

	assert_int_equal(json_object_array_length(at(document, "diffs")), 3);
	assert_int_equal(render_open_json(plan, NULL, &out), 0);
	open = parse(&out);
	json_object_object_add(document, "diffs", json_object_new_array());
	assert_int_equal(json_object_equal(open, document), 1);
	json_object_put(open);
	json_object_put(document);
	plan_free(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_types),
		cmocka_unit_test(every_key_on_failure),
		cmocka_unit_test(report_and_diagnostics),
		cmocka_unit_test(devices),
		cmocka_unit_test(explain),
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(documents_are_stable),
		cmocka_unit_test(equal_files_have_no_diff),
		cmocka_unit_test(open_documents_quote_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
