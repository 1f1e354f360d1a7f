/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several files to one spec: merging, removing, match, and what only the whole can show. */
#include "config-load.h"

/* The parts of the canonical text that tests compare: what differs from the empty spec. */
static void shorten(const struct loaded *l, struct strbuf *out)
{
	static const char *const empty[] = {
		"devices: {}\n",
		"blacklist: []\n",
		"kernel-flags: []\n",
		"module-options: {}\n",
		"vms: {}\n",
		"mode: enforce\n",
		"reboot:\n",
		"  flag: true\n",
		"iommu:\n",
		"  mode: pt\n",
		"    count: 1\n",
		"    functions: all\n",
		"    method: auto\n",
		"    accept: []\n",
		"    driver: \"vfio-pci\"\n",
		"  enable: true\n",
		"  enable: false\n",
		"  unsafe-interrupts: false\n",
		"    hypervisor: present\n",
	};
	const char *text = outcome(l);

	if (!l->spec) {
		strbuf_add(out, text);
		return;
	}
	while (*text) {
		size_t n = strcspn(text, "\n") + 1, i = 0;

		while (i < ARRAY_LEN(empty) &&
		       (strlen(empty[i]) != n || strncmp(empty[i], text, n) != 0))
			i++;
		if (i == ARRAY_LEN(empty))
			strbuf_addn(out, text, n);
		text += n;
	}
	strbuf_add(out, strbuf_text(&l->text));
}

static const struct {
	const char *files[FILES_MAX + 1];
	const char *expected; /* what is not by default, then the diagnostics */
} merges[] = {
	/* mappings by key, scalars replaced, lists joined */
	{{"mode: observe"}, "mode: observe\n"},
	{{"mode: observe", "mode: enforce"}, ""},
	{{"mode: enforce", "mode: observe", ""}, "mode: observe\n"},
	{{"devices: {a: {serial: x}}", "devices: {b: {serial: y}}"},
	 "devices:\n  \"a\":\n    serial: \"x\"\n  \"b\":\n    serial: \"y\"\n"},
	{{"devices: {b: {serial: x}}", "devices: {a: {serial: y}}"},
	 "devices:\n  \"a\":\n    serial: \"y\"\n  \"b\":\n    serial: \"x\"\n"},
	{{"devices: {a: {serial: x, count: 2}}", "devices: {a: {serial: y, driver: d}}"},
	 "devices:\n  \"a\":\n    serial: \"y\"\n    count: 2\n    driver: \"d\"\n"},
	{{"blacklist: [b, a]", "blacklist: [c, a]"}, "blacklist: [\"a\", \"b\", \"c\"]\n"},
	{{"blacklist: [x-y]", "blacklist: [x_y]"}, "blacklist: [\"x_y\"]\n"},
	{{"kernel-flags: [z, b]", "kernel-flags: [a, b, z, c]"},
	 "kernel-flags: [\"z\", \"b\", \"a\", \"c\"]\n"},
	{{"devices: {a: {serial: x, accept: [in-use]}}", "devices: {a: {accept: [no-reset]}}"},
	 "devices:\n  \"a\":\n    serial: \"x\"\n    accept: [in-use, no-reset]\n"},
	{{"devices: {a: {serial: x, functions: [0]}}", "devices: {a: {functions: [2]}}"},
	 "devices:\n  \"a\":\n    serial: \"x\"\n    functions: [0, 2]\n"},
	{{"devices: {a: {serial: x, functions: [0]}}", "devices: {a: {functions: all}}"},
	 "devices:\n  \"a\":\n    serial: \"x\"\n"},
	{{"devices: {a: {serial: x, functions: all}}", "devices: {a: {functions: [1]}}"},
	 "devices:\n  \"a\":\n    serial: \"x\"\n    functions: [1]\n"},
	{{"module-options: {k: {a: 1, b: 1}}", "module-options: {k: {b: 2}, l: {c: 3}}"},
	 "module-options:\n  \"k\":\n    \"a\": \"1\"\n    \"b\": \"2\"\n  \"l\":\n"
	 "    \"c\": \"3\"\n"},
	{{"module-options: {k-x: {a-b: 1}}", "module-options: {k_x: {a_b: 2}}"},
	 "module-options:\n  \"k_x\":\n    \"a_b\": \"2\"\n"},
	{{"iommu: {mode: translated}", "iommu: {unsafe-interrupts: true}"},
	 "  mode: translated\n  unsafe-interrupts: true\n"},
	/* null removes */
	{{"mode: observe", "mode: ~"}, ""},
	{{"mode: observe", "mode: null", "mode: observe"}, "mode: observe\n"},
	{{"devices: {a: {serial: x}}", "devices: {a: }"}, ""},
	{{"devices: {a: {serial: x}}", "devices: null"}, ""},
	{{"devices: {a: {serial: x, count: 2}}", "devices: {a: null}", "devices: {a: {serial: y}}"},
	 "devices:\n  \"a\":\n    serial: \"y\"\n"},
	{{"devices: {a: {serial: x, count: 2}}", "devices: {a: {count: }}"},
	 "devices:\n  \"a\":\n    serial: \"x\"\n"},
	{{"blacklist: [a]", "blacklist: ~", "blacklist: [b]"}, "blacklist: [\"b\"]\n"},
	{{"module-options: {k: {a: 1, b: 2}}", "module-options: {k: {a: null}}"},
	 "module-options:\n  \"k\":\n    \"b\": \"2\"\n"},
	{{"module-options: {k-x: {a: 1}}", "module-options: {k_x: }"}, ""},
	{{"iommu: {mode: translated}", "iommu: null"}, ""},
	{{"devices: {a: {serial: x}}\nvms: {v: {devices: {a: {pcie: true}}}}",
	  "vms: {v: {devices: {a: {pcie: null}}}}"},
	 "devices:\n  \"a\":\n    serial: \"x\"\nvms:\n  \"v\":\n    devices:\n"
	 "      \"a\":\n        {}\n"},
	/* a removal of nothing is a warning, an emptied section is not */
	{{"devices: {a: }"}, "warning 1:11 no-effect\n"},
	{{"devices: {a: }", "devices: {a: {serial: x}}"},
	 "devices:\n  \"a\":\n    serial: \"x\"\na:warning 1:11 no-effect\n"},
	{{"devices: {a: {serial: x}}", "devices: {b: }\niommu: {mode: }\nblacklist:\n"},
	 "devices:\n  \"a\":\n    serial: \"x\"\nb:warning 1:11 no-effect\n"
	 "b:warning 2:9 no-effect\n"},
	{{"match: {hostname: other}\ndevices: {a: {serial: x}}", "devices: {a: }"}, ""},
	/* and so is a section that is left empty and takes something back */
	{{"devices: {a: {serial: x}}", "devices:\n# a: {count: 1}\n"}, "b:warning 1:1 bad-value\n"},
	{{"mode: observe", "mode:", "mode:"}, "b:warning 1:1 bad-value\n"},
	/* match */
	{{"mode: observe\nmatch: {hostname: other}"}, ""},
	{{"mode: observe\nmatch: {hostname: pve1}"}, "mode: observe\n"},
	{{"match: {hostname: other}", "mode: observe"}, "mode: observe\n"},
	{{"match: {hostname: other}\nmode: x", "mode: observe"}, "a:2:7 bad-value\n"},
	{{"match: {hostname: other}\nblacklist: [a]", "match: {hostname: pve1}\nblacklist: [b]"},
	 "blacklist: [\"b\"]\n"},
	{{"match: {hostname: other}", "match: null\nmode: observe"}, "mode: observe\n"},
	/* what only the whole can show */
	{{"devices: {a: {method: ids}}", "devices: {a: {serial: x}}"},
	 "devices:\n  \"a\":\n    serial: \"x\"\n    method: ids\n"},
	{{"devices: {a: {serial: x}}", "devices: {a: {serial: null}}"}, "a:1:11 bad-value\n"},
	{{"match: {hostname: other}\ndevices: {a: {serial: x}}", "devices: {a: {method: ids}}"},
	 "b:1:11 bad-value\n"},
	{{"match: {hostname: other}\ndevices: {a: {method: ids}}", ""}, ""},
	{{"vms: {v: {devices: {a: {}}}}", "devices: {a: {serial: x}}"},
	 "devices:\n  \"a\":\n    serial: \"x\"\nvms:\n  \"v\":\n    devices:\n"
	 "      \"a\":\n        {}\n"},
	{{"vms: {v: {devices: {a: {}}}}\ndevices: {a: {serial: x}}", "devices: {a: null}"},
	 "a:1:21 bad-value\n"},
	{{"vms: {v: {}}", "vms: {v: {hypervisor: proxmox}}"}, "a:1:7 bad-value\n"},
	{{"vms: {v: {hypervisor: proxmox}}", "vms: {v: {hypervisor: libvirt}}"},
	 "vms:\n  \"v\":\n    hypervisor: libvirt\n    devices: {}\n"},
	/* errors of all files, in the order of places; a broken file spares us followers */
	{{"mdoe: x", "mode: x", "mode: observe\nmode: observe"},
	 "a:1:1 unknown-key\nb:1:7 bad-value\nc:2:1 duplicate-key\n"},
	{{"devices: {a: {", "vms: {v: {devices: {a: {}, b: {}}}}", "devices: {c: {}}"},
	 "a:1:14 syntax\n"},
	{{"[]", "vms: {v: {devices: {a: {}}}}"}, "a:1:1 type-mismatch\n"},
};

static const struct pci_id ids[] = {
	{0x10de, 0x1b81, 0x1043, 0x85a3},
	{0x8086, 0x1572, PCI_ANY, PCI_ANY},
};
static const struct config_facts facts = {
	.hostname = "pve1",
	.machine_id = "3f2a9c0d",
	.kernel = "6.8.12-4-pve",
	.cpu_vendor = CPU_INTEL,
	.dmi_vendor = "Supermicro",
	.dmi_product = "SYS-5019",
	.dmi_board = "",
	.ids = ids,
	.n_ids = ARRAY_LEN(ids),
};

static void files_are_merged(void **state _unused_)
{
	unsigned bad = 0;

	for (size_t i = 0; i < ARRAY_LEN(merges); i++) {
		_cleanup_strbuf_ struct strbuf out = {0}, files = {0};
		_cleanup_loaded_ struct loaded l;

		load_files(merges[i].files, &facts, &l);
		shorten(&l, &out);
		for (size_t j = 0; merges[i].files[j]; j++)
			strbuf_addf(&files, "%s\n", merges[i].files[j]);
		bad += differs(strbuf_text(&files), strbuf_text(&out), merges[i].expected);
	}
	assert_int_equal(bad, 0);
}

static const struct {
	const char *match;
	bool holds;
} matches[] = {
	{"{}", true},
	{"null", true},
	{"{hostname: pve1}", true},
	{"{hostname: PVE1}", true},
	{"{hostname: pve*}", true},
	{"{hostname: 'pve[0-9]'}", true},
	{"{hostname: 'pve[!0-9]'}", false},
	{"{hostname: 'pve?'}", true},
	{"{hostname: pve}", false},
	{"{hostname: pve1?}", false},
	{"{hostname: '*'}", true},
	{"{machine-id: 3f2a9c0d}", true},
	{"{machine-id: 3F2A*}", true},
	{"{machine-id: 4f2a*}", false},
	{"{kernel: '6.*-pve'}", true},
	{"{kernel: '6.8*', machine-id: '3*'}", true},
	{"{kernel: '6.1.*'}", false},
	{"{cpu-vendor: intel}", true},
	{"{cpu-vendor: amd}", false},
	{"{dmi: {}}", true},
	{"{dmi: {vendor: Super*}}", true},
	{"{dmi: {vendor: super*, product: '*-5019'}}", true},
	{"{dmi: {vendor: Super*, product: x*}}", false},
	/* an empty text fits only stars */
	{"{dmi: {board: '*'}}", true},
	{"{dmi: {board: '**'}}", true},
	{"{dmi: {board: '?*'}}", false},
	{"{dmi: {board: X*}}", false},
	{"{has-device: 10DE:1B81}", true},
	{"{has-device: 10de:1b81:1043:85a3}", true},
	{"{has-device: 10de:1b81:1043:0000}", false},
	{"{has-device: [8086:1572, 10de:1b81]}", true},
	{"{has-device: [8086:1572, 10de:1b82]}", false},
	{"{has-device: []}", true},
	{"{hostname: pve1, cpu-vendor: amd}", false},
	{"{hostname: pve1, cpu-vendor: intel, dmi: {vendor: '*'}, has-device: 8086:1572}", true},
};

static void match_decides_by_facts(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(matches); i++) {
		_cleanup_strbuf_ struct strbuf yaml = {0};
		_cleanup_loaded_ struct loaded l = {0}, anywhere = {0};
		const char *files[] = {NULL, NULL};

		strbuf_addf(&yaml, "match: %s\nmode: observe\n", matches[i].match);
		files[0] = strbuf_text(&yaml);
		load_files(files, &facts, &l);
		assert_non_null(l.spec);
		if ((l.spec->mode == MODE_OBSERVE) != matches[i].holds)
			fail_msg("%s", matches[i].match);
		assert_int_equal(l.spec->files.n, matches[i].holds);
		load_files(files, NULL, &anywhere);
		assert_int_equal(anywhere.spec->mode, MODE_OBSERVE);
	}
}

/* Without facts all files count, so what they are together on no host is not judged. */
static void without_a_host_the_whole_is_not_judged(void **state _unused_)
{
	static const char *const fleet[] = {
		"match: {hostname: a}\ndevices: {gpu: {serial: x}}\nvms: {1: {devices: {gpu: {}}}}",
		"match: {hostname: b}\ndevices: {gpu: null}", "devices: {nic: {method: ids}}",
		NULL};
	_cleanup_loaded_ struct loaded any = {0}, one = {0}, here = {0};

	load_files(fleet, NULL, &any);
	assert_non_null(any.spec);
	assert_int_equal(any.diags.list.n, 0);
	/* One file alone, or a host, and there is nothing to wait for. */
	load_files((const char *const[]){fleet[2], NULL}, NULL, &one);
	assert_string_equal(strbuf_text(&one.text), "1:11 bad-value\n");
	load_files(fleet, &facts, &here);
	assert_string_equal(strbuf_text(&here.text), "c:1:11 bad-value\n");
}

static void no_files_are_a_wish_for_nothing(void **state _unused_)
{
	_cleanup_loaded_ struct loaded none = {0}, empty = {0};

	load_inputs(NULL, 0, NULL, &none);
	load_text("", &empty);
	assert_string_equal(outcome(&none), outcome(&empty));
	assert_int_equal(none.spec->files.n, 0);
}

/* The caller's own findings are kept, and decide as well. */
static void the_callers_diagnostics_stay(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	const struct config_input input = {"b", "mode: x", 7};
	struct spec *spec = NULL;

	diags_add(&diags, SEVERITY_ERROR, CODE_UNSAFE_PERMISSIONS, (struct place){.file = "a"},
		  NULL, "x");
	assert_int_equal(config_load(NULL, 0, NULL, &diags, &spec), -EINVAL);
	assert_int_equal(config_load(&input, 1, NULL, &diags, &spec), -EINVAL);
	assert_null(spec);
	assert_int_equal(diags.list.n, 2);
	assert_int_equal(diags.list.at[0].code, CODE_UNSAFE_PERMISSIONS);
	assert_int_equal(diags.list.at[1].code, CODE_BAD_VALUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_merged),
		cmocka_unit_test(match_decides_by_facts),
		cmocka_unit_test(without_a_host_the_whole_is_not_judged),
		cmocka_unit_test(no_files_are_a_wish_for_nothing),
		cmocka_unit_test(the_callers_diagnostics_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
