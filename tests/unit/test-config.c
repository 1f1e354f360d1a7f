/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One file to a spec: what each key does, and what each mistake gets to hear. */
#include "config-load.h"

#define NOTHING                                                                                    \
	"devices: {}\nblacklist: []\nkernel-flags: []\nmodule-options: {}\n"                       \
	"iommu:\n  enable: false\n  mode: pt\n  unsafe-interrupts: false\n"                        \
	"reboot:\n  flag: true\nmode: enforce\nvms: {}\n"

static void the_empty_spec(void **state _unused_)
{
	static const char *const texts[] = {"",
					    "\n",
					    "# nothing\n",
					    "---\n",
					    "{}",
					    "null",
					    "devices:\n",
					    "\xef\xbb\xbf",
					    "%YAML 1.1\n---",
					    "--- {}\n...\n",
					    "blacklist: []\nvms: {}",
					    "match: {}\n"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_loaded_ struct loaded l;

		load_text(texts[i], &l);
		assert_string_equal(outcome(&l), NOTHING);
		assert_int_equal(l.diags.list.n, 0);
	}
}

static void the_smallest_useful_file(void **state _unused_)
{
	_cleanup_loaded_ struct loaded l;
	const struct spec_device *gpu;

	load_text("devices:\n  gpu:\n    id: 10DE:1B81\n", &l);
	assert_non_null(l.spec);
	assert_int_equal(l.spec->devices.n, 1);
	gpu = &l.spec->devices.at[0];
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
	assert_string_equal(gpu->place.file, "a");
	assert_int_equal(gpu->place.line, 2);
	assert_int_equal(gpu->place.column, 3);
	assert_true(l.spec->iommu_enable);
	assert_int_equal(l.spec->iommu_mode, IOMMU_PT);
	assert_false(l.spec->unsafe_interrupts);
	assert_true(l.spec->reboot_flag);
	assert_int_equal(l.spec->mode, MODE_ENFORCE);
	assert_int_equal(l.spec->files.n, 1);
	assert_string_equal(l.spec->files.at[0], "a");
}

/* Every key once, other than by default. */
static const char every_key[] =
	"devices:\n"
	"  d:\n"
	"    id: 10de:1b81:1043:85A3\n"
	"    address: 0a:00.1\n"
	"    class: 0300\n"
	"    slot: 10000:0A:1f\n"
	"    serial: 'S 1\"\\2'\n"
	"    mac: 52:54:00:AB:cd:ef\n"
	"    label: 'PCIe [Ss]lot 3*'\n"
	"    bound-to: snd_hda_intel\n"
	"    functions: [0, 2]\n"
	"    count: 1\n"
	"    driver: mlx5_vfio_pci\n"
	"    method: ids\n"
	"    accept: [in-use, shared-group]\n"
	"blacklist: [snd-hda-intel, nouveau]\n"
	"kernel-flags: [b=1, a]\n"
	"module-options: {kvm-intel: {nested-x: '0x1'}, kvm: {b: Y, a: 1}}\n"
	"iommu: {enable: false, mode: translated, unsafe-interrupts: true}\n"
	"reboot: {flag: false}\n"
	"mode: observe\n"
	"vms: {'101': {hypervisor: proxmox, machine: q35, devices:\n"
	"  {d: {pcie: true, primary-gpu: false, rom-file: vbios/a.rom, mapping: gpu,\n"
	"  id: 10de:1b81, index: 15}}}}\n";

static void every_key_of_a_device_reaches_its_field(void **state _unused_)
{
	_cleanup_loaded_ struct loaded l;
	const struct spec_device *d;

	load_text(every_key, &l);
	assert_string_equal(strbuf_text(&l.text), "");
	d = &l.spec->devices.at[0];
	assert_int_equal(d->selector.id.subdevice, 0x85a3);
	assert_int_equal(d->selector.address.bus, 10);
	assert_int_equal(d->selector.address.fn, 1);
	assert_int_equal(d->selector.class, 0x030000);
	assert_int_equal(d->selector.class_mask, 0xffff00);
	assert_int_equal(d->selector.slot.domain, 0x10000);
	assert_int_equal(d->selector.slot.dev, 0x1f);
	assert_string_equal(d->selector.serial, "S 1\"\\2");
	assert_string_equal(d->selector.mac, "52:54:00:ab:cd:ef");
	assert_string_equal(d->selector.label, "PCIe [Ss]lot 3*");
	assert_string_equal(d->selector.bound_to, "snd_hda_intel");
	assert_int_equal(d->functions, 5);
	assert_string_equal(d->driver, "mlx5_vfio_pci");
	assert_int_equal(d->method, METHOD_IDS);
	assert_int_equal(d->accept, UINT64_C(1) << CODE_IN_USE | UINT64_C(1) << CODE_SHARED_GROUP);
}

static void every_other_key_reaches_its_field(void **state _unused_)
{
	_cleanup_loaded_ struct loaded l;
	const struct spec_vm_device *g;

	load_text(every_key, &l);
	assert_string_equal(l.spec->blacklist.at[0].text, "nouveau");
	assert_string_equal(l.spec->blacklist.at[1].text, "snd_hda_intel");
	assert_int_equal(l.spec->blacklist.at[1].place.column, 13);
	assert_string_equal(l.spec->kernel_flags.at[0].text, "b=1");
	assert_string_equal(l.spec->kernel_flags.at[1].text, "a");
	assert_int_equal(l.spec->options.n, 3);
	assert_string_equal(l.spec->options.at[0].module, "kvm");
	assert_string_equal(l.spec->options.at[0].param, "a");
	assert_string_equal(l.spec->options.at[2].module, "kvm_intel");
	assert_string_equal(l.spec->options.at[2].param, "nested_x");
	assert_string_equal(l.spec->options.at[2].value, "0x1");
	assert_false(l.spec->iommu_enable);
	assert_int_equal(l.spec->iommu_mode, IOMMU_TRANSLATED);
	assert_true(l.spec->unsafe_interrupts);
	assert_false(l.spec->reboot_flag);
	assert_int_equal(l.spec->mode, MODE_OBSERVE);
	assert_string_equal(l.spec->vms.at[0].name, "101");
	assert_int_equal(l.spec->vms.at[0].hypervisor, HYPERVISOR_PROXMOX);
	assert_string_equal(l.spec->vms.at[0].machine, "q35");
	g = &l.spec->vms.at[0].devices.at[0];
	assert_string_equal(g->device, "d");
	assert_true(g->pcie.given && g->pcie.value);
	assert_true(g->primary_gpu.given && !g->primary_gpu.value);
	assert_false(g->rom_bar.given);
	assert_string_equal(g->rom_file, "vbios/a.rom");
	assert_string_equal(g->mapping, "gpu");
	assert_true(g->shown.has_id && g->shown.id.device == 0x1b81);
	assert_true(g->index.given && g->index.value == 15);
}

/* Ways to write a value, and the line of the canonical text that comes of it. */
static const struct {
	const char *yaml, *line;
} values[] = {
	{"devices: {d: {id: 8086:15B8}}", "    id: \"8086:15b8\"\n"},
	{"devices: {d: {id: \"1000:0072\"}}", "    id: \"1000:0072\"\n"},
	{"devices: {d: {address: 0000:0A:00.0}}", "    address: \"0000:0a:00.0\"\n"},
	{"devices: {d: {address: 3b:00.7}}", "    address: \"0000:3b:00.7\"\n"},
	{"devices: {d: {slot: 01:00}}", "    slot: \"0000:01:00\"\n"},
	{"devices: {d: {class: 03}}", "    class: \"03\"\n"},
	{"devices: {d: {class: 0C0330}}", "    class: \"0c0330\"\n"},
	{"devices: {d: {class: display}}", "    class: \"03\"\n"},
	{"devices: {d: {class: VGA}}", "    class: \"0300\"\n"},
	{"devices: {d: {class: nvme}}", "    class: \"010802\"\n"},
	{"devices: {d: {serial: 0123}}", "    serial: \"0123\"\n"},
	{"devices: {d: {serial: 1e5}}", "    serial: \"1e5\"\n"},
	{"devices: {d: {serial: x, functions: all}}", "    functions: all\n"},
	{"devices: {d: {serial: x, functions: [3]}}", "    functions: [3]\n"},
	{"devices: {d: {serial: x, functions: [7, 0, 7]}}", "    functions: [0, 7]\n"},
	{"devices: {d: {serial: x, functions: [0, 1, 2, 3, 4, 5, 6, 7]}}", "    functions: all\n"},
	{"devices: {d: {serial: x, count: 65535}}", "    count: 65535\n"},
	{"devices: {d: {serial: x, accept: [no-reset, boot-display]}}",
	 "    accept: [boot-display, no-reset]\n"},
	{"devices: {0: {serial: x}}", "  \"0\":\n"},
	{"devices: {a.b_c-D: {serial: x}}", "  \"a.b_c-D\":\n"},
	{"blacklist:\n- b\n- a\n- b\n", "blacklist: [\"a\", \"b\"]\n"},
	{"blacklist: [snd-hda-intel, snd_hda_intel]", "blacklist: [\"snd_hda_intel\"]\n"},
	{"kernel-flags: [z, a=b, z]", "kernel-flags: [\"z\", \"a=b\"]\n"},
	{"kernel-flags: ['vfio-pci.disable_vga=1']",
	 "kernel-flags: [\"vfio-pci.disable_vga=1\"]\n"},
	{"module-options: {kvm: {ignore_msrs: 1}}", "  \"kvm\":\n    \"ignore_msrs\": \"1\"\n"},
	{"module-options: {kvm: {ignore-msrs: Y}}", "    \"ignore_msrs\": \"Y\"\n"},
	{"module-options: {kvm: {x: on}}", "    \"x\": \"on\"\n"},
	{"module-options: {kvm: {x: \"true\"}}", "    \"x\": \"true\"\n"},
	{"module-options: {kvm: {x: 0x10}}", "    \"x\": \"0x10\"\n"},
	{"module-options: {kvm: {x: null}}", "module-options: {}\n"},
	{"module-options: {kvm: {}}", "module-options: {}\n"},
	{"iommu: {enable: True}", "  enable: true\n"},
	{"iommu: {mode: \"translated\"}", "  mode: translated\n"},
	{"devices: {d: {serial: x}}\niommu: {enable: false}", "  enable: false\n"},
	{"devices: {d: {serial: x}}\niommu: {enable: null}", "  enable: true\n"},
	{"mode: observe", "mode: observe\n"},
	{"vms: {101: {}}", "vms:\n  \"101\":\n    hypervisor: present\n    devices: {}\n"},
	{"vms: {win10: {hypervisor: libvirt}}", "    hypervisor: libvirt\n"},
};

static void values_are_read_in_every_form(void **state _unused_)
{
	unsigned bad = 0;

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		_cleanup_loaded_ struct loaded l;

		load_text(values[i].yaml, &l);
		bad += lacks(values[i].yaml, outcome(&l), values[i].line);
	}
	assert_int_equal(bad, 0);
}

#define VM(options) "devices: {d: {serial: x}}\nvms:\n 1:\n  devices:\n   d: " options

/* A file, and the place and code of everything that is wrong with it. */
static const struct {
	const char *yaml, *expected;
} mistakes[] = {
	/* unknown and repeated keys: the key */
	{"device: {}", "1:1 unknown-key\n"},
	{"Devices: {}", "1:1 unknown-key\n"},
	{"devices: {d: {serial: x, cuont: 1}}", "1:26 unknown-key\n"},
	{"id: 10de:1b81", "1:1 unknown-key\n"},
	{"iommu: {flag: true}", "1:9 unknown-key\n"},
	{"<<: {}", "1:1 unknown-key\n"},
	{"? \n: 1", "1:2 unknown-key\n"},
	{"mode: observe\nmode: observe\n", "2:1 duplicate-key\n"},
	{"mode: observe\n'mode': observe\nmode: enforce\n",
	 "2:1 duplicate-key\n3:1 duplicate-key\n"},
	{"devices: {d: {serial: x}, d: {serial: y}}", "1:27 duplicate-key\n"},
	{"devices:\n  d: {serial: x}\ndevices:\n  e: {serial: y}\n", "3:1 duplicate-key\n"},
	{"module-options: {kvm: {a-b: 1, a_b: 2}}", "1:32 duplicate-key\n"},
	{"module-options: {a-b: {x: 1}, a_b: {x: 1}}", "1:31 duplicate-key\n"},
	{"unknown: {a: 1, a: 2}", "1:1 unknown-key\n1:17 duplicate-key\n"},
	/* wrong types: the value */
	{"[]", "1:1 type-mismatch\n"},
	{"just words", "1:1 type-mismatch\n"},
	{"devices: []", "1:10 type-mismatch\n"},
	{"devices: gpu", "1:10 type-mismatch\n"},
	{"devices: {d: x}", "1:14 type-mismatch\n"},
	{"devices: {d: [1]}", "1:14 type-mismatch\n"},
	{"devices: {d: {id: [10de:1b81]}}", "1:19 type-mismatch\n"},
	{"devices: {d: {mac: {a: b}}}", "1:20 type-mismatch\n"},
	{"devices: {d: {serial: x, count: one}}", "1:33 type-mismatch\n"},
	{"devices: {d: {serial: x, count: '1'}}", "1:33 type-mismatch\n"},
	{"devices: {d: {serial: x, count: 1.5}}", "1:33 type-mismatch\n"},
	{"devices: {d: {serial: x, count: 010}}", "1:33 type-mismatch\n"},
	{"devices: {d: {serial: x, count: -1}}", "1:33 type-mismatch\n"},
	{"devices: {d: {serial: x, functions: {}}}", "1:37 type-mismatch\n"},
	{"devices: {d: {serial: x, accept: in-use}}", "1:34 type-mismatch\n"},
	{"devices: {d: {serial: x, accept: [[in-use]]}}", "1:35 type-mismatch\n"},
	{"blacklist: nouveau", "1:12 type-mismatch\n"},
	{"blacklist: {nouveau: true}", "1:12 type-mismatch\n"},
	{"blacklist: [nouveau, {a: b}, null]", "1:22 type-mismatch\n1:30 type-mismatch\n"},
	{"kernel-flags: quiet", "1:15 type-mismatch\n"},
	{"module-options: [kvm]", "1:17 type-mismatch\n"},
	{"module-options: {kvm: ignore_msrs=1}", "1:23 type-mismatch\n"},
	{"module-options: {kvm: {a: [1]}}", "1:27 type-mismatch\n"},
	{"module-options: {kvm: {a: true, b: False}}", "1:27 type-mismatch\n1:36 type-mismatch\n"},
	{"iommu: true", "1:8 type-mismatch\n"},
	{"iommu: {enable: yes}", "1:17 type-mismatch\n"},
	{"iommu: {enable: 1}", "1:17 type-mismatch\n"},
	{"iommu: {enable: 'true'}", "1:17 type-mismatch\n"},
	{"iommu: {mode: [pt]}", "1:15 type-mismatch\n"},
	{"reboot: {flag: off}", "1:16 type-mismatch\n"},
	{"vms: [101]", "1:6 type-mismatch\n"},
	{VM("{index: 16}"), "5:15 bad-value\n"},
	{VM("{index: -1}"), "5:15 type-mismatch\n"},
	{VM("{index: 01}"), "5:15 type-mismatch\n"},
	{VM("{rom-file: ../x}"), "5:18 bad-value\n"},
	{VM("{rom-file: 'a,b'}"), "5:18 bad-value\n"},
	{VM("{mapping: x}"), "5:17 bad-value\n"},
	{VM("{mapping: 1x}"), "5:17 bad-value\n"},
	{VM("{mapping: 'a b'}"), "5:17 bad-value\n"},
	{VM("{pcie: 1}"), "5:14 type-mismatch\n"},
	{VM("{id: 10de}"), "5:12 bad-value\n"},
	{VM("{x-vga: 1}"), "5:8 unknown-key\n"},
	{"devices: {a: {serial: x}, b: {serial: y}}\n"
	 "vms: {1: {devices: {a: {index: 3}, b: {index: 3}}}}",
	 "2:40 bad-value\n"},
	{"devices: {a: {serial: x}}\n"
	 "vms: {1: {hypervisor: libvirt, devices: {a: {index: 3, mapping: gpu, primary-gpu: "
	 "true}}}}",
	 "2:46 bad-value\n2:56 bad-value\n2:70 bad-value\n"},
	{"match: pve*", "1:8 type-mismatch\n"},
	{"match: {hostname: [a, b]}", "1:19 type-mismatch\n"},
	{"match: {has-device: {}}", "1:21 type-mismatch\n"},
	{"{[a]: b}", "1:2 type-mismatch\n"},
	/* selectors */
	{"devices: {d: {}}", "1:11 bad-value\n"},
	{"devices:\n  d: {method: ids}\n  e: {serial: x}\n  f: {id: }\n",
	 "2:3 bad-value\n4:3 bad-value\n4:7 no-effect\n"},
	{"devices: {d: {id: 10de}}", "1:19 bad-value\n"},
	{"devices: {d: {id: 10de:1b8}}", "1:19 bad-value\n"},
	{"devices: {d: {id: 10de:1b81:1043}}", "1:19 bad-value\n"},
	{"devices: {d: {id: 10de:*}}", "1:19 bad-value\n"},
	{"devices: {d: {id: ''}}", "1:19 bad-value\n"},
	{"devices: {d: {id: '10de:1b81 '}}", "1:19 bad-value\n"},
	{"devices: {d: {address: 01:00}}", "1:24 bad-value\n"},
	{"devices: {d: {address: 1:0.0}}", "1:24 bad-value\n"},
	{"devices: {d: {address: 01:20.0}}", "1:24 bad-value\n"},
	{"devices: {d: {address: 01:00.8}}", "1:24 bad-value\n"},
	{"devices: {d: {address: 01:00.0, count: 2}}", "1:11 bad-value\n"},
	{"devices: {d: {slot: 01:00.0}}", "1:21 bad-value\n"},
	{"devices: {d: {class: 3}}", "1:22 bad-value\n"},
	{"devices: {d: {class: card}}", "1:22 bad-value\n"},
	{"devices: {d: {serial: ''}}", "1:23 bad-value\n"},
	{"devices: {d: {serial: 'ab*'}}", "1:23 bad-value\n"},
	{"devices: {d: {serial: ' ab'}}", "1:23 bad-value\n"},
	{"devices: {d: {serial: \"a\\nb\"}}", "1:23 bad-value\n"},
	{"devices: {d: {serial: \xc3\xbc}}", "1:23 bad-value\n"},
	{"devices: {d: {mac: 52:54:00:12:34}}", "1:20 bad-value\n"},
	{"devices: {d: {mac: 52-54-00-12-34-56}}", "1:20 bad-value\n"},
	{"devices: {d: {mac: 52:54:00:12:34:56:78}}", "1:20 bad-value\n"},
	{"devices: {d: {label: ''}}", "1:22 bad-value\n"},
	{"devices: {d: {label: '*'}}", "1:22 bad-value\n"},
	{"devices: {d: {label: '**'}}", "1:22 bad-value\n"},
	{"devices: {d: {label: '?*'}}", "1:22 bad-value\n"},
	{"devices: {d: {label: '[a-z]* -'}}", "1:22 bad-value\n"},
	{"devices: {d: {label: 'Slot [3'}}", "1:22 bad-value\n"},
	{"devices: {d: {label: [Slot 3]}}", "1:22 type-mismatch\n"},
	{"devices: {d: {bound-to: 'a b'}}", "1:25 bad-value\n"},
	{"devices: {d: {bound-to: ../x}}", "1:25 bad-value\n"},
	/* what is done with them */
	{"devices: {d: {serial: x, functions: []}}", "1:37 bad-value\n"},
	{"devices: {d: {serial: x, functions: [8]}}", "1:38 bad-value\n"},
	{"devices: {d: {serial: x, functions: [0, x, 10]}}", "1:41 bad-value\n1:44 bad-value\n"},
	{"devices: {d: {serial: x, functions: none}}", "1:37 bad-value\n"},
	{"devices: {d: {serial: x, count: 0}}", "1:33 bad-value\n"},
	{"devices: {d: {serial: x, count: 65536}}", "1:33 bad-value\n"},
	{"devices: {d: {serial: x, count: 99999999999999999999}}", "1:33 bad-value\n"},
	{"devices: {d: {serial: x, driver: vfio_pci}}", "1:34 bad-value\n"},
	{"devices: {d: {serial: x, driver: a/b}}", "1:34 bad-value\n"},
	{"devices: {d: {serial: x, driver: ''}}", "1:34 bad-value\n"},
	{"devices: {d: {serial: x, method: Auto}}", "1:34 bad-value\n"},
	{"devices: {d: {serial: x, accept: [boot-disk]}}", "1:35 bad-value\n"},
	{"devices: {d: {serial: x, accept: [unknown-key, foo, in-use]}}",
	 "1:35 bad-value\n1:48 bad-value\n"},
	{"devices: {'a b': {serial: x}}", "1:11 bad-value\n"},
	{"devices: {a/b: {serial: x}, 'a:b': {serial: x}, -a: {serial: x}}",
	 "1:11 bad-value\n1:29 bad-value\n1:49 bad-value\n"},
	{"devices: {\"\": {serial: x}}", "1:11 bad-value\n"},
	{"blacklist: ['a b', ../x, '', -x]",
	 "1:13 bad-value\n1:20 bad-value\n1:26 bad-value\n1:30 bad-value\n"},
	/* what would stop a boot */
	{"kernel-flags: ['a b']", "1:16 unsafe-value\n"},
	{"kernel-flags: [\"a\\\"b\", 'a$b', 'a`b', 'a;b', \"a\\nb\", \"a\\\\b\", \"a'b\"]",
	 "1:16 unsafe-value\n1:24 unsafe-value\n1:31 unsafe-value\n1:38 unsafe-value\n"
	 "1:45 unsafe-value\n1:53 unsafe-value\n1:61 unsafe-value\n"},
	{"kernel-flags: [root=/dev/sda1, init=/bin/sh, single, '3', --, '']",
	 "1:16 unsafe-value\n1:32 unsafe-value\n1:46 unsafe-value\n1:54 unsafe-value\n"
	 "1:59 unsafe-value\n1:63 unsafe-value\n"},
	{"kernel-flags: [vfio-iommu-type1.allow_unsafe_interrupts=1, vfio_pci.ids=10de:1b81]",
	 "1:16 unsafe-value\n1:60 unsafe-value\n"},
	{"module-options: {kvm: {a: 'x y', b: \"1\\n\", c: '$(x)', d: ''}}",
	 "1:27 unsafe-value\n1:37 unsafe-value\n1:47 unsafe-value\n1:58 unsafe-value\n"},
	{"module-options: {vfio_iommu_type1: {allow-unsafe-interrupts: 1}}", "1:37 unsafe-value\n"},
	{"module-options: {vfio-pci: {ids: 10de:1b81, disable_vga: 1}}", "1:29 unsafe-value\n"},
	{"module-options: {'k vm': {a: 1}, kvm: {'a b': 1}}", "1:18 bad-value\n1:40 bad-value\n"},
	/* the rest */
	{"iommu: {mode: passthrough}", "1:15 bad-value\n"},
	{"mode: dry-run", "1:7 bad-value\n"},
	{"vms: {101: {hypervisor: xen}}", "1:25 bad-value\n"},
	{"vms: {101: {machine: 'q35 x'}}", "1:22 bad-value\n"},
	{"vms: {101: {devices: {gpu: {}}}}", "1:23 bad-value\n"},
	{"vms: {win10: {hypervisor: proxmox}}", "1:7 bad-value\n"},
	{"devices: {gpu: {serial: x}}\nvms: {'1': {devices: {gpv: {}, gpu: {}, nic: {}}}}",
	 "2:23 bad-value\n2:41 bad-value\n"},
	{"match: {hostname: ''}", "1:19 bad-value\n"},
	{"match: {hostname: 'a[b'}", "1:19 bad-value\n"},
	{"match: {cpu-vendor: other}", "1:21 bad-value\n"},
	{"match: {dmi: {vendor: \"a\\nb\"}}", "1:23 bad-value\n"},
	{"match: {has-device: '10de:*'}", "1:21 bad-value\n"},
	{"match: {has-device: [10de:1b81, x]}", "1:33 bad-value\n"},
	/* one mistake is no reason to keep silent about the others, nor to find followers */
	{"devices:\n  a: {id: x}\n  b: {}\n  c: {adress: 01:00.0}\nmode: x\n",
	 "2:11 bad-value\n3:3 bad-value\n4:7 unknown-key\n5:7 bad-value\n"},
	{"devices: {gpu: {id: x}}\nvms: {'1': {devices: {gpu: {}}}}", "1:21 bad-value\n"},
};

static void every_mistake_has_its_place_and_code(void **state _unused_)
{
	unsigned bad = 0;

	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		_cleanup_loaded_ struct loaded l;
		_cleanup_strbuf_ struct strbuf errors = {0};

		load_text(mistakes[i].yaml, &l);
		assert_null(l.spec);
		array_foreach(it, &l.diags.list)
			strbuf_addf(&errors, "%u:%u %s\n", it->place.line, it->place.column,
				    code_name(it->code));
		bad += differs(mistakes[i].yaml, strbuf_text(&errors), mistakes[i].expected);
	}
	assert_int_equal(bad, 0);
}

/* What a message must say, beside being there. */
static const struct {
	const char *yaml, *says;
} words[] = {
	{"devices: {d: {cuont: 1}}", "did you mean \"count\""},
	{"devices: {d: {bound_to: x}}", "did you mean \"bound-to\""},
	{"kernel_flags: []", "did you mean \"kernel-flags\""},
	{"driver: vfio-pci", "belongs below devices.NAME"},
	{"unsafe-interrupts: true", "belongs below iommu"},
	{"iommu: {blacklist: []}", "belongs at the top"},
	{"zzzzzz: 1", "a spec has no key \"zzzzzz\""},
	{"devices: {d: {serial: x, driver: vfio_pci}}", "vfio-pci"},
	{"devices: {d: {serial: x, accept: [boot-disk]}}", "never accepted"},
	{"devices: {d: {serial: x, accept: [in-yse]}}", "did you mean \"in-use\""},
	{"devices: {d: {serial: x, method: overide}}", "did you mean \"override\""},
	{"devices: {d: {id: 10de:*}}", "globs are read in match and label only"},
	{"devices: {d: {label: '*'}}", "nothing but wildcards"},
	{"devices: {d: {}}", "\"d\" selects nothing"},
	{"devices: {gpu: {serial: x}}\nvms: {1: {devices: {gpv: {}}}}", "did you mean \"gpu\""},
	{"blacklist: nouveau", "brackets"},
	{"iommu: {enable: 'true'}", "without quotes"},
	{"kernel-flags: [root=/dev/sda]", "root file system"},
	{"module-options: {vfio_iommu_type1: {allow_unsafe_interrupts: 1}}",
	 "iommu: {unsafe-interrupts: true}"},
	{"mode: enforce\nmode: observe", "the first is in line 1"},
	{"mode: \"a\\u001b[31m\\u0085b\"", "\"a?[31m"},
};

static void messages_say_what_to_do(void **state _unused_)
{
	unsigned bad = 0;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		_cleanup_loaded_ struct loaded l;

		load_text(words[i].yaml, &l);
		bad += lacks(words[i].yaml, message(&l, 0), words[i].says);
	}
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_empty_spec),
		cmocka_unit_test(the_smallest_useful_file),
		cmocka_unit_test(every_key_of_a_device_reaches_its_field),
		cmocka_unit_test(every_other_key_reaches_its_field),
		cmocka_unit_test(values_are_read_in_every_form),
		cmocka_unit_test(every_mistake_has_its_place_and_code),
		cmocka_unit_test(messages_say_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
