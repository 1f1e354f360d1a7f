/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole of a host: nothing there, memory that runs out, the running system, a real folder. */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/resource.h>

#include "observe-text.h"

static const struct observe_options everything = {
	.aliases = true, .names = true, .images = true, .holders = true, .serials = true};
static const struct observe_options plain = {0};

static void nothing_is_ordinary(void **state _unused_)
{
	_cleanup_host_ struct host *host = observe_text("", &everything);

	assert_true(host->capture);
	assert_false(host->live_root || host->cmdline_known || host->modules_known);
	assert_string_equal(host->hostname, "");
	assert_string_equal(host->machine_id, "");
	assert_string_equal(host->boot_id, "");
	assert_string_equal(host->running_version, "");
	assert_string_equal(host->cmdline, "");
	assert_string_equal(host->dmi_vendor, "");
	assert_string_equal(host->cpu.model, "");
	assert_int_equal(host->cpu.virt_locked, UNKNOWN);
	assert_int_equal(host->iommu.firmware, UNKNOWN);
	assert_int_equal(host->iommu.remapping, UNKNOWN);
	assert_false(host->iommu.active || host->boot.efi || host->boot.proxmox ||
		     host->boot.boot_read_only || host->boot.grub_dir_read);
	assert_null(host->initramfs_builder);
	assert_int_equal(host->kernels.n + host->devices.n + host->modules.n + host->commands.n +
				 host->modprobe_order.n,
			 0);
	/* Files that are asked for by name are known to be absent. */
	assert_int_equal(host_file(host, "/etc/default/grub")->status, FILE_ABSENT);
}

static void the_running_system_is_read(void **state _unused_)
{
	_cleanup_host_ struct host *host =
		observe_text("[/etc]\nhostname = from-the-file\nmachine-id = 0123456789abcdef\n"
			     "[/proc]\ncmdline = BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro\n"
			     "sys/kernel/osrelease = 6.1.0-18-amd64\n"
			     "sys/kernel/hostname = pve\n"
			     "sys/kernel/random/boot_id = 11111111-2222\n"
			     "[/sys/class/dmi/id]\nsys_vendor = ASUS\nproduct_name = X570\n"
			     "board_name = ROG\n",
			     &plain);

	assert_string_equal(host->hostname, "pve");
	assert_string_equal(host->machine_id, "0123456789abcdef");
	assert_string_equal(host->boot_id, "11111111-2222");
	assert_string_equal(host->running_version, "6.1.0-18-amd64");
	assert_true(host->cmdline_known);
	assert_string_equal(host->cmdline, "BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro");
	assert_string_equal(host->dmi_vendor, "ASUS");
	assert_string_equal(host->dmi_product, "X570");
	assert_string_equal(host->dmi_board, "ROG");
}

static void modules_and_parameters_are_read(void **state _unused_)
{
	static const char text[] =
		"[/proc]\nmodules <<\n\tvfio_pci 16384 0 - Live 0x0000000000000000\n"
		"\tnouveau 2433024 1 - Live 0x0 (E)\n"
		"[/sys/module]\nvfio_pci/parameters/ids = 10de:1b81\n"
		"vfio_pci/parameters/ids @ 0444 0 0\n"
		"vfio_pci/parameters/disable_idle_d3 = N\n"
		"kvm/parameters/ignore_msrs = Y\n"
		"nouveau/parameters/modeset = -1\n"
		"nouveau/parameters/secret ! EACCES\n"
		"snd_hda_intel/parameters/power_save = 1\n"
		"xhci_hcd/\n";
	static const char *const wanted[] = {"nouveau"};
	const struct words modules = {.at = (const char **)(uintptr_t)wanted, .n = 1};
	const struct observe_options asked = {.modules = &modules};
	_cleanup_host_ struct host *host = observe_text(text, &asked);

	assert_true(host->modules_known);
	assert_int_equal(host->modules.n, 5);
	assert_false(host_module(host, "vfio_pci")->builtin);
	assert_false(host_module(host, "nouveau")->builtin);
	assert_true(host_module(host, "kvm")->builtin);
	assert_true(host_module(host, "xhci_hcd")->builtin);
	assert_string_equal(host_param(host, "vfio_pci", "ids")->value, "10de:1b81");
	assert_false(host_param(host, "vfio_pci", "ids")->writable);
	assert_true(host_param(host, "vfio_pci", "disable_idle_d3")->writable);
	assert_string_equal(host_param(host, "kvm", "ignore_msrs")->value, "Y");
	assert_string_equal(host_param(host, "nouveau", "modeset")->value, "-1");
	assert_null(host_param(host, "nouveau", "secret"));
	/* Nobody asked for this one's. */
	assert_null(host_param(host, "snd_hda_intel", "power_save"));
}

/* Without the list of loaded modules none can be told to be built in. */
static void unknown_modules_stay_unknown(void **state _unused_)
{
	_cleanup_host_ struct host *host =
		observe_text("[/proc]\nmodules ! EACCES\n[/sys/module]\nkvm/\n", &plain);

	assert_false(host->modules_known);
	assert_int_equal(host->modules.n, 0);
}

/* --- memory ---------------------------------------------------------------------------------- */

/* A tree that says once that memory ran out. */
struct failing {
	struct tree tree;
	struct tree *inner;
	unsigned left;
};

static struct tree *inner(struct tree *t)
{
	struct failing *f = (struct failing *)t;

	return f->left-- ? f->inner : NULL;
}

static int failing_read(struct tree *t, const char *path, size_t max, struct arena *a,
			const char **ret, size_t *ret_size)
{
	struct tree *i = inner(t);

	return i ? i->ops->read(i, path, max, a, ret, ret_size) : -ENOMEM;
}

static int failing_head(struct tree *t, const char *path, size_t max, struct arena *a,
			const char **ret, size_t *ret_size)
{
	struct tree *i = inner(t);

	return i ? i->ops->head(i, path, max, a, ret, ret_size) : -ENOMEM;
}

static int failing_link(struct tree *t, const char *path, struct arena *a, const char **ret)
{
	struct tree *i = inner(t);

	return i ? i->ops->readlink(i, path, a, ret) : -ENOMEM;
}

static int failing_list(struct tree *t, const char *path, struct arena *a, struct words *ret)
{
	struct tree *i = inner(t);

	return i ? i->ops->list(i, path, a, ret) : -ENOMEM;
}

static int failing_image(struct tree *t, const char *path, struct arena *a, struct host_image *ret)
{
	struct tree *i = inner(t);

	return i ? i->ops->image(i, path, a, ret) : -ENOMEM;
}

static int plain_stat(struct tree *t, const char *path, struct tree_stat *ret)
{
	struct tree *i = ((struct failing *)t)->inner;

	return i->ops->stat(i, path, ret);
}

static int failing_log(struct tree *t, struct arena *a, const char **ret)
{
	struct tree *i = inner(t);

	return i ? i->ops->kernel_log(i, a, ret) : -ENOMEM;
}

static int failing_attach(struct tree *t, const char *device, const char *at, uint64_t *ret_free)
{
	struct tree *i = inner(t);

	return i ? i->ops->attach(i, device, at, ret_free) : -ENOMEM;
}

static int plain_read_only(struct tree *t, const char *path)
{
	struct tree *i = ((struct failing *)t)->inner;

	return i->ops->read_only(i, path);
}

static const struct tree_ops failing_ops = {
	.read = failing_read,
	.head = failing_head,
	.readlink = failing_link,
	.list = failing_list,
	.stat = plain_stat,
	.image = failing_image,
	.read_only = plain_read_only,
	.attach = failing_attach,
	.kernel_log = failing_log,
};

static const char small_host[] = CAPTURE(
	"[/boot]\nvmlinuz-6.1 = k\ninitrd.img-6.1 image none 1\ngrub/grub.cfg = linux "
	"/vmlinuz-6.1\n"
	"[/lib/modules/6.1]\nmodules.dep : \nmodules.softdep = softdep a pre: b\n"
	"[/etc]\nmodprobe.d/x.conf = x\ndriverctl.d/x = y\nkernel/proxmox-boot-uuids = A-1\n"
	"[/proc]\nmodules = kvm 1 0 - Live 0x0\n"
	"cpuinfo <<\n\tvendor_id : GenuineIntel\n\tflags : fpu\n"
	"self/mountinfo = 1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
	"net/route = eth0 00000000 0 0003 0 0 0 00000000\n"
	"[/sys/bus/pci/devices/0000:01:00.0]\nuevent <<\n\tPCI_CLASS=20000\n\tPCI_ID=8086:10D3\n"
	"net/eth0/address = 52:54:00:00:00:01\n"
	"[/sys]\nclass/net/eth0 -> ../../bus/pci/devices/0000:01:00.0/net/eth0\n"
	"class/block/sda1 -> ../../bus/pci/devices/0000:01:00.0/x/sda1\n"
	"bus/pci/devices/0000:01:00.0/x/sda1/dev = 8:1\n"
	"module/kvm/parameters/ignore_msrs = N\n"
	"dev/block/8:1 -> ../../class/block/sda1\n"
	"firmware/efi/\n");

static void memory_that_runs_out_is_said(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_tree_ struct tree *tree = NULL;
	struct diags diags = {.arena = a};
	unsigned failures = 0;
	int err;

	assert_int_equal(
		tree_capture_new("small", small_host, sizeof(small_host) - 1, &diags, &tree), 0);
	do {
		struct failing f = {.tree = {.ops = &failing_ops}, .inner = tree, .left = failures};
		_cleanup_host_ struct host *host = NULL;

		err = host_observe(&f.tree, &everything, &host);
		if (err < 0) {
			assert_int_equal(err, -ENOMEM);
			assert_null(host);
			failures++;
		} else {
			assert_int_equal(host->devices.at[0].uses.n, 2);
		}
	} while (err < 0);
	/* Every read of such a host was made to fail once. */
	assert_true(failures > 100);
}

/* --- a real folder --------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st _unused_, int kind _unused_,
		      struct FTW *ftw _unused_)
{
	return remove(path);
}

/* Devices are folders in the bus' folder here, with no config, irq or resource. */
static void a_folder_is_a_host(void **state _unused_)
{
	static const char *const files[][2] = {
		{"/proc/cmdline", "quiet\n"},
		{"/proc/self/mountinfo", "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"},
		{"/etc/modprobe.d/local.conf", "options kvm ignore_msrs=1\n"},
		{"/boot/vmlinuz-6.1", "kernel\n"},
		{"/sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n"},
		{"/sys/bus/pci/devices/0000:01:00.0/device", "0x1b81\n"},
		{"/sys/bus/pci/devices/0000:01:00.0/class", "0x030000\n"},
	};
	static const struct file_attr attr = {.mode = 0644};
	char dir[] = "/tmp/pthru-observe-XXXXXX";
	_cleanup_root_ struct root *root = NULL;
	_cleanup_tree_ struct tree *tree = NULL;
	_cleanup_host_ struct host *host = NULL;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(root_open(dir, &root), 0);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char parent[128];

		snprintf(parent, sizeof(parent), "%s", files[i][0]);
		*strrchr(parent, '/') = '\0';
		assert_int_equal(root_mkdirs(root, parent), 0);
		assert_int_equal(
			root_replace(root, files[i][0], files[i][1], strlen(files[i][1]), &attr),
			0);
	}
	assert_int_equal(tree_root_new(root, NULL, &tree), 0);
	assert_int_equal(host_observe(tree, &everything, &host), 0);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	assert_false(host->live_root || host->capture || host->boot.boot_read_only);
	assert_string_equal(host->cmdline, "quiet");
	assert_int_equal(host->devices.n, 1);
	assert_int_equal(host->devices.at[0].class, 0x030000);
	assert_false(host->devices.at[0].has_parent || host->devices.at[0].bridge);
	assert_int_equal(host->kernels.n, 1);
	assert_string_equal(host_text(host, "/etc/modprobe.d/local.conf"),
			    "options kvm ignore_msrs=1\n");
	assert_int_equal(host->modprobe_order.n, 1);
}

/* A file that cannot be opened for want of descriptors is not an absent one. */
static void descriptors_that_run_out_are_said(void **state _unused_)
{
	_cleanup_root_ struct root *root = NULL;
	_cleanup_tree_ struct tree *tree = NULL;
	struct host *host = NULL;
	struct rlimit before, none;

	assert_int_equal(root_open("/usr", &root), 0);
	assert_int_equal(tree_root_new(root, NULL, &tree), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(host_observe(tree, &everything, &host), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_ordinary),
		cmocka_unit_test(the_running_system_is_read),
		cmocka_unit_test(modules_and_parameters_are_read),
		cmocka_unit_test(unknown_modules_stay_unknown),
		cmocka_unit_test(memory_that_runs_out_is_said),
		cmocka_unit_test(a_folder_is_a_host),
		cmocka_unit_test(descriptors_that_run_out_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
