/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory runs out at every allocation in turn: -ENOMEM, nothing returned, nothing leaked. */
#include "config-load.h"
#include "oom.h"
#include "schema.h"

/* Files that come by every function that allocates, one set without and one with mistakes. */
static const char *const good[] = {
	"devices:\n"
	"  d: {id: 10de:1b81, address: 01:00.0, serial: x, mac: 52:54:00:12:34:56}\n"
	"  e: {bound-to: x, label: s*, functions: [0], accept: [in-use], driver: y}\n"
	"blacklist: [b, a-b]\n"
	"kernel-flags: [q, a.b=c]\n"
	"module-options: {k: {a: 1, b: 2}}\n"
	"vms: {v: {machine: q35, devices: {d: {pcie: true}, e: {}}}}\n"
	"match: {hostname: '*', has-device: [10de:1b81], dmi: {vendor: '*'}}\n",
	"devices: {e: null, f: {class: vga}, d: {count: 1}, g: }\nvms: {v: {devices: {e: }}}\n",
};
static const char *const wrong[] = {
	"mdoe: x\ndevices: {a: {}, a: {}, b: {id: x}}\nmodule-options: {k: {a-b: 1, a_b: true}}\n",
	"kernel-flags: [root=x]\nvms: {v: {devices: {zz: {}}}}\nblacklist: x\n---\n",
};

struct attempt {
	int err;
	bool failed; /* an allocation did */
	bool maimed; /* a diagnostic lacks its source line, and nothing else */
};

static struct attempt load(const char *const files[2], unsigned fail_at)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_spec_ struct spec *spec = NULL;
	struct diags diags = {.arena = a};
	struct config_input inputs[2];
	struct attempt attempt = {0};

	for (size_t i = 0; i < 2; i++)
		inputs[i] = (struct config_input){"f", files[i], strlen(files[i])};
	oom_left = fail_at;
	attempt.err = config_load(inputs, 2, NULL, &diags, &spec);
	attempt.failed = oom_left == 0;
	oom_left = 0;
	array_foreach(it, &diags.list)
		attempt.maimed |= !it->source;
	assert_int_equal(spec != NULL, attempt.err == 0);
	assert_true(attempt.err != -EINVAL || diags_failed(&diags));
	return attempt;
}

static unsigned fail_everywhere(const char *const files[2], int wanted)
{
	for (unsigned n = 1;; n++) {
		struct attempt attempt = load(files, n);

		if (!attempt.failed) {
			assert_int_equal(attempt.err, wanted);
			return n;
		}
		if (attempt.err != -ENOMEM && !(attempt.maimed && attempt.err == wanted))
			fail_msg("allocation %u failed, and the answer was %d", n, attempt.err);
	}
}

static void a_spec_or_out_of_memory(void **state _unused_)
{
	assert_true(fail_everywhere(good, 0) > 100);
}

static void diagnostics_or_out_of_memory(void **state _unused_)
{
	assert_true(fail_everywhere(wrong, -EINVAL) > 100);
}

static void rendering_says_so(void **state _unused_)
{
	static void (*const render[])(struct strbuf *) = {
		config_render_schema, config_render_manual, config_render_dictionary};

	for (size_t i = 0; i < ARRAY_LEN(render); i++) {
		bool failed = true;

		for (unsigned n = 1; failed; n++) {
			_cleanup_strbuf_ struct strbuf out = {0};

			oom_left = n;
			render[i](&out);
			failed = oom_left == 0;
			oom_left = 0;
			assert_int_equal(out.error, failed ? -ENOMEM : 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_spec_or_out_of_memory),
		cmocka_unit_test(diagnostics_or_out_of_memory),
		cmocka_unit_test(rendering_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
