/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One file to a spec: what each key does, and what each mistake gets to hear. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"

#define NOTHING                                                                                    \
	"devices: {}\nblacklist: []\nkernel-flags: []\nmodule-options: {}\n"                       \
	"iommu:\n  enable: false\n  mode: pt\n  unsafe-interrupts: false\n"                        \
	"reboot:\n  flag: true\nmode: enforce\nvms: {}\n"

/* "line:column code" of each diagnostic, one a line. */
static void summarise(const struct diags *diags, struct strbuf *out)
{
	array_foreach(it, &diags->list)
		strbuf_addf(out, "%u:%u %s\n", it->place.line, it->place.column,
			    code_name(it->code));
}

/* Loads one text; yields the canonical text, or the summary of what is wrong with it. */
static void load(const char *yaml, size_t size, struct strbuf *out)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_spec_ struct spec *spec = NULL;
	struct diags diags = {.arena = a};
	struct config_input input = {"t.yaml", yaml, size};
	int err = config_load(&input, 1, NULL, &diags, &spec);

	assert_int_equal(err, diags_failed(&diags) ? -EINVAL : 0);
	assert_int_equal(!spec, err < 0);
	strbuf_add(out, spec ? spec->canonical : "");
	summarise(&diags, out);
	assert_int_equal(out->error, 0);
}

static void the_empty_spec(void **state _unused_)
{
	static const char *const texts[] = {"",	  "\n",	  "# nothing\n", "---\n",
					    "{}", "null", "devices:\n",	 "\xef\xbb\xbf"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_strbuf_ struct strbuf out = {0};

		load(texts[i], strlen(texts[i]), &out);
		assert_string_equal(strbuf_text(&out), NOTHING);
	}
}

static void the_smallest_useful_file(void **state _unused_)
{
	static const char yaml[] = "devices:\n  gpu:\n    id: 10DE:1B81\n";
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_spec_ struct spec *spec = NULL;
	struct diags diags = {.arena = a};
	struct config_input input = {"t.yaml", yaml, strlen(yaml)};
	const struct spec_device *gpu;

	assert_int_equal(config_load(&input, 1, NULL, &diags, &spec), 0);
	assert_int_equal(spec->devices.n, 1);
	gpu = &spec->devices.at[0];
	assert_string_equal(gpu->name, "gpu");
	assert_true(gpu->selector.has_id);
	assert_int_equal(gpu->selector.id.vendor, 0x10de);
	assert_int_equal(gpu->selector.id.device, 0x1b81);
	assert_int_equal(gpu->selector.id.subvendor, PCI_ANY);
	assert_false(gpu->selector.has_address || gpu->selector.has_class ||
		     gpu->selector.has_slot);
	assert_int_equal(gpu->functions, 0xff);
	assert_int_equal(gpu->count, 1);
	assert_string_equal(gpu->driver, "vfio-pci");
	assert_int_equal(gpu->method, METHOD_AUTO);
	assert_int_equal(gpu->accept, 0);
	assert_string_equal(gpu->place.file, "t.yaml");
	assert_int_equal(gpu->place.line, 2);
	assert_int_equal(gpu->place.column, 3);
	assert_true(spec->iommu_enable);
	assert_true(spec->reboot_flag);
	assert_int_equal(spec->files.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_empty_spec),
		cmocka_unit_test(the_smallest_useful_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
