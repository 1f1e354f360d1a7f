/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans, a report and a host as the pages and documents show them. Include after cmocka.h. */
#pragma once

#include <string.h>

#include "made.h"
#include "plan.h"
#include "report.h"

#define PLAN_ID "3f2a9c1b0d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8"

static inline void made_item(struct plan *plan, const char *id, enum item_state state,
			     const char *layers, const char *reason)
{
	static const char letters[] = "-rw?"; /* in the order of enum layer_state */
	enum item_kind kind = ITEM_KERNEL_FLAG;

	for (int i = 0; i < _ITEM_KIND_MAX; i++)
		if (strncmp(id, item_kind_name((enum item_kind)i), strcspn(id, ":")) == 0)
			kind = (enum item_kind)i;
	array_push(plan->arena, &plan->items,
		   ((struct plan_item){
			   .id = id,
			   .kind = kind,
			   .state = state,
			   .files = (enum layer_state)(strchr(letters, layers[0]) - letters),
			   .boot = (enum layer_state)(strchr(letters, layers[1]) - letters),
			   .live = (enum layer_state)(strchr(letters, layers[2]) - letters),
			   .reason = reason,
		   }));
}

static inline struct plan_device *made_device(struct plan *plan, const char *name,
					      enum item_state state, const char *addresses)
{
	struct plan_device *device = array_add(plan->arena, &plan->devices);

	device->name = name;
	device->state = state;
	device->method = state == STATE_BLOCKED ? _METHOD_INVALID : METHOD_OVERRIDE;
	for (const char *at = addresses; *at; at += strspn(at, " ")) {
		char one[32] = "";
		size_t n = strcspn(at, " ");

		memcpy(one, at, n);
		array_push(plan->arena, &device->addrs, made_addr(one));
		at += n;
	}
	return device;
}

static inline void made_verdict(struct plan *plan, struct plan_device *device,
				struct verdict verdict, const char *evidence)
{
	words_add(plan->arena, &verdict.evidence, evidence);
	array_push(plan->arena, &device->verdicts, verdict);
}

static inline void made_file_step(struct plan *plan, const char *path, const char *why,
				  const char *before, const char *after)
{
	array_push(plan->arena, &plan->steps,
		   ((struct step){
			   .kind = after ? STEP_WRITE_FILE : STEP_REMOVE_FILE,
			   .target = path,
			   .why = why,
			   .before = before,
			   .before_size = before ? strlen(before) : 0,
			   .content = after,
			   .size = after ? strlen(after) : 0,
		   }));
}

static inline void made_command(struct plan *plan, enum step_kind kind, const char *target,
				const char *command, const char *why)
{
	struct step step = {.kind = kind, .target = target, .why = why};
	const char *word;

	while ((word = made_word(plan->arena, &command)))
		array_push(plan->arena, &step.argv, word);
	array_push(plan->arena, &plan->steps, step);
}

static inline void made_live_steps(struct plan *plan)
{
	const struct step steps[] = {
		{.kind = STEP_LOAD_MODULE,
		 .target = "vfio_pci",
		 .why = "module:vfio_pci: not loaded"},
		{.kind = STEP_SET_PARAMETER,
		 .target = "kvm.ignore_msrs",
		 .why = "module-option:kvm.ignore_msrs: N in the running kernel",
		 .value = "1",
		 .value_before = "N"},
		{.kind = STEP_BIND,
		 .target = "0000:01:00.0",
		 .why = "device:gpu: 0000:01:00.0 is on nouveau",
		 .device = "gpu",
		 .driver = "vfio-pci"},
		{.kind = STEP_RETURN,
		 .target = "0000:05:00.0",
		 .why = "device:old: no longer wished",
		 .device = "old",
		 .driver = ""},
		{.kind = STEP_FLAG_REBOOT,
		 .target = "/run/reboot-required",
		 .why = "kernel-flag:iommu=pt"},
	};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		array_push(plan->arena, &plan->steps, steps[i]);
}

static inline void made_devices(struct plan *plan)
{
	struct plan_device *disk = made_device(plan, "disk", STATE_BLOCKED, "03:00.0");
	struct plan_device *gpu;

	made_verdict(plan, disk,
		     (struct verdict){CODE_BOOT_DISK,
				      SEVERITY_ERROR,
				      "the host's own system is on this device; it stays with the "
				      "host",
				      {0},
				      false},
		     "0000:03:00.0 holds nvme0n1p3, mounted on /");
	gpu = made_device(plan, "gpu", STATE_WANTED, "01:00.0 01:00.1");
	gpu->identity = IDENTITY_SAME;
	gpu->identity_why = "by its place and ids";
	gpu->method_why = "its twin stays with the host: only an address tells them apart";
	made_verdict(
		plan, gpu,
		(struct verdict){CODE_BOOT_DISPLAY,
				 SEVERITY_WARNING,
				 "the host's console is on this device and will go dark, which "
				 "is accepted",
				 {0},
				 true},
		"0000:01:00.0 has the boot display (boot_vga)");
	made_verdict(
		plan, gpu,
		(struct verdict){CODE_IOMMU_OFF,
				 SEVERITY_NOTE,
				 "the IOMMU is off until the next boot; IOMMU groups are judged "
				 "then",
				 {0},
				 false},
		"this kernel waits for intel_iommu=on, which its line lacks");
}

/* Everything at once: each kind of item, state, step and verdict. */
static inline struct plan *made_plan(void)
{
	struct plan *plan = plan_new();

	plan->id = PLAN_ID;
	made_item(plan, "device:disk", STATE_BLOCKED, "---",
		  "the host's own system is on this device; it stays with the host");
	made_item(plan, "device:gpu", STATE_WANTED, "www", "early binding is not configured");
	made_item(plan, "module:vfio_pci", STATE_WANTED, "w-w",
		  "not in /etc/modules-load.d/passthroughd.conf");
	made_item(plan, "blacklist:nouveau", STATE_CONFIGURED, "rww",
		  "the image of 6.1.0-18-amd64 lacks it");
	made_item(plan, "kernel-flag:intel_iommu=on", STATE_ARMED, "rrw",
		  "not on the running kernel's line");
	made_item(plan, "kernel-flag:iommu=pt", STATE_WANTED, "w?w",
		  "not in /etc/default/grub, and the ESP 1234-ABCD is not mounted");
	made_item(plan, "module-option:kvm.ignore_msrs", STATE_ACTIVE, "rrr", NULL);
	made_devices(plan);
	made_file_step(plan, "/etc/modprobe.d/00-passthroughd.conf",
		       "blacklist:nouveau, device:gpu", NULL,
		       "# Written by passthroughd.\nblacklist nouveau\nsoftdep nouveau pre: "
		       "vfio_pci\n");
	made_file_step(plan, "/etc/default/grub", "kernel-flag:iommu=pt",
		       "GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n",
		       "GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet "
		       "iommu=pt\"\n");
	made_file_step(plan, "/etc/udev/rules.d/00-passthroughd.rules",
		       "device:old: no longer wished", "# \x1b[2J\xff\n", NULL);
	made_command(plan, STEP_BUILD_INITRAMFS, "6.1.0-18-amd64",
		     "update-initramfs -u -k 6.1.0-18-amd64",
		     "blacklist:nouveau: the image of 6.1.0-18-amd64 lacks "
		     "etc/modprobe.d/00-passthroughd.conf");
	made_command(plan, STEP_REFRESH_LOADER, "update-grub", "update-grub",
		     "kernel-flag:iommu=pt: not in grub.cfg");
	made_live_steps(plan);
	plan->reboot_required = true;
	words_add(plan->arena, &plan->reboot_why,
		  "kernel-flag:intel_iommu=on: not on the running kernel's line");
	words_add(plan->arena, &plan->reboot_why,
		  "kernel-flag:iommu=pt: not on the running kernel's line");
	diags_add(&plan->diags, SEVERITY_WARNING, CODE_NO_EFFECT,
		  (struct place){"/etc/default/grub", 3, 30}, NULL,
		  "amd_iommu=on is no option of the kernel's and does nothing; it can go");
	return plan;
}

/* Everything is as wished. */
static inline struct plan *made_converged(void)
{
	struct plan *plan = plan_new();

	plan->id = PLAN_ID;
	made_item(plan, "device:gpu", STATE_ACTIVE, "rrr", NULL);
	made_item(plan, "kernel-flag:iommu=pt", STATE_ACTIVE, "rrr", NULL);
	made_device(plan, "gpu", STATE_ACTIVE, "01:00.0 01:00.1")->method_why =
		"it names this address alone and waits for no module's turn";
	return plan;
}

/* Nothing left but the reboot; a surplus item is on its way out. */
static inline struct plan *made_armed(void)
{
	struct plan *plan = plan_new();

	plan->id = PLAN_ID;
	made_item(plan, "kernel-flag:iommu=pt", STATE_ARMED, "rrw",
		  "not on the running kernel's line");
	made_item(plan, "kernel-flag:quiet", STATE_WANTED, "rrw", "taken back");
	plan->items.at[1].surplus = true;
	plan->reboot_required = true;
	words_add(plan->arena, &plan->reboot_why,
		  "kernel-flag:iommu=pt: not on the running kernel's line");
	array_push(plan->arena, &plan->steps,
		   ((struct step){.kind = STEP_FLAG_REBOOT,
				  .target = "/run/reboot-required",
				  .why = "kernel-flag:iommu=pt"}));
	return plan;
}

/* Nothing is possible: one device does not exist, one file cannot be read. */
static inline struct plan *made_blocked(void)
{
	struct plan *plan = plan_new();
	struct plan_device *gpu;

	plan->id = PLAN_ID;
	made_item(plan, "device:gpu", STATE_BLOCKED, "---", "no device fits id");
	made_item(plan, "kernel-flag:iommu=pt", STATE_BLOCKED, "?rw",
		  "/etc/default/grub line 3: a quote is not closed");
	gpu = made_device(plan, "gpu", STATE_BLOCKED, "");
	made_verdict(plan, gpu,
		     (struct verdict){
			     CODE_NO_SUCH_DEVICE, SEVERITY_ERROR, "no device fits id", {0}, false},
		     "0000:01:00.0 10de:1b82 (VGA, driver nouveau): the same vendor");
	diags_add(&plan->diags, SEVERITY_ERROR, CODE_BAD_FILE,
		  (struct place){"/etc/default/grub", 3, 28}, NULL, "a quote is not closed");
	return plan;
}

/* A done step, one that failed with a builder's last lines, and one that depended on it. */
static inline struct report *made_report(void)
{
	struct report *report = report_new();
	const struct report_step steps[] = {
		{.kind = STEP_WRITE_FILE,
		 .target = "/etc/modprobe.d/00-passthroughd.conf",
		 .code = _CODE_INVALID,
		 .usec = 2100},
		{.kind = STEP_BUILD_INITRAMFS,
		 .target = "6.1.0-18-amd64",
		 .result = RESULT_FAILED,
		 .error = -EIO,
		 .code = CODE_BUILDER_FAILED,
		 .message = "update-initramfs exited with 1; make room in /boot and apply again",
		 .output = "update-initramfs: Generating /boot/initrd.img-6.1.0-18-amd64\n"
			   "cp: error writing '/boot/x': \x1b[31mNo space left on device\n",
		 .usec = 42345678},
		{.kind = STEP_REFRESH_LOADER,
		 .target = "update-grub",
		 .result = RESULT_SKIPPED,
		 .code = _CODE_INVALID,
		 .message = "after the failure before it"},
		{.kind = STEP_BIND,
		 .target = "0000:01:00.0",
		 .code = _CODE_INVALID,
		 .usec = 150000},
	};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		array_push(report->arena, &report->steps, steps[i]);
	report->failed = report->rolled_back = true;
	diags_add(&report->diags, SEVERITY_ERROR, CODE_BUILDER_FAILED, (struct place){0}, NULL,
		  "build-initramfs 6.1.0-18-amd64: update-initramfs exited with 1");
	return report;
}

/* The host of made_plan, with names that try to steer a terminal. */
#define MADE_HOST                                                                                  \
	"@ vendor=intel model=\"Core i7\" virt dmar active groups=16 remap=yes live\n"             \
	"00:01.0 8086:1901 060400 driver=pcieport group=1\n"                                       \
	"00:02.0 8086:3e92 030000 driver=i915 methods=flr vendor=\"Intel Corporation\" "           \
	"name=\"UHD Graphics 630\"\n"                                                              \
	"00:14.0 8086:a36d 0c0330 driver=xhci_hcd group=3 reset vendor=\"Intel Corporation\" "     \
	"name=\"Cannon Lake PCH USB 3.1 xHCI Host Controller\"\n"                                  \
	"00:14.2 8086:a36f 050000 group=3 reset\n"                                                 \
	"01:00.0 10de:1b81:1458:3702 030000 driver=nouveau override=vfio-pci group=11 "            \
	"parent=00:01.0 methods=bus boot-vga label=PCIEX16 serial=1234 vendor=\"NVIDIA "           \
	"Corporation\" name=\"GP104 [GeForce GTX 1070]\" use=console:\"boot display "              \
	"(boot_vga)\"\n"                                                                           \
	"01:00.1 10de:10f0:1458:3702 040300 driver=snd_hda_intel group=11 parent=00:01.0 "         \
	"vendor=\"NVIDIA \x1b[31mCorporation\" name=\"GP104 \xe2\x80\xae"                          \
	"Audio\xff\"\n"                                                                            \
	"02:00.0 8086:1521 020000 driver=igb group=12 parent=00:01.0 reset vfs=1 "                 \
	"mac=a0:36:9f:00:00:01 name=\"I350 Gigabit Network Connection\" "                          \
	"use=default-route:\"eno1, vmbr0, default route\" use=network:\"eno1, up in vmbr0\"\n"     \
	"02:10.0 8086:1520 020000 driver=igbvf group=13 reset vf=02:00.0\n"                        \
	"03:00.0 144d:a808 010802 driver=nvme group=14 parent=00:01.0 reset "                      \
	"vendor=\"Samsung Electronics Co Ltd\" name=\"NVMe SSD Controller SM981/PM981/PM983\" "    \
	"use=root:\"nvme0n1p3, ZFS pool rpool, mounted on /\" "                                    \
	"use=esp:\"nvme0n1p2, mounted on /boot/efi\"\n"                                            \
	"04:00.0 1b21:2142 0c0330 driver=xhci_hcd group=14 parent=00:01.0 reset rmrr\n"            \
	"05:00.0 1102:0012 040300 driver=snd_hda_intel group=15 parent=00:01.0 methods=bus\n"
