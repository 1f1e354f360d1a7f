/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a mount or a screen down to the function that carries it, with the way there. */
#include "observe-uses.h"

#define BLOCK(name, dev) name "/dev = " dev "\n"

#define NVME0 "/sys/devices/pci0000:00/0000:00:01.0/nvme/nvme0/nvme0n1"
#define NVME1 "/sys/devices/pci0000:00/0000:00:02.0/nvme/nvme1/nvme1n1"
#define VIRT  "/sys/devices/virtual/block"

/* Both disks have three partitions, as the class folder and the numbers list them. */
#define DISKS                                                                                      \
	"[/sys/class/block]\n"                                                                     \
	"nvme0n1 -> ../../devices/pci0000:00/0000:00:01.0/nvme/nvme0/nvme0n1\n"                    \
	"nvme0n1p1 -> ../../devices/pci0000:00/0000:00:01.0/nvme/nvme0/nvme0n1/nvme0n1p1\n"        \
	"nvme0n1p2 -> ../../devices/pci0000:00/0000:00:01.0/nvme/nvme0/nvme0n1/nvme0n1p2\n"        \
	"nvme0n1p3 -> ../../devices/pci0000:00/0000:00:01.0/nvme/nvme0/nvme0n1/nvme0n1p3\n"        \
	"nvme1n1 -> ../../devices/pci0000:00/0000:00:02.0/nvme/nvme1/nvme1n1\n"                    \
	"nvme1n1p3 -> ../../devices/pci0000:00/0000:00:02.0/nvme/nvme1/nvme1n1/nvme1n1p3\n"        \
	"[" NVME0 "]\n" BLOCK("nvme0n1p1", "259:1") BLOCK("nvme0n1p2", "259:2")                    \
		BLOCK("nvme0n1p3",                                                                 \
		      "259:3") "dev = 259:0\n"                                                     \
			       "[" NVME1                                                           \
			       "]\n" BLOCK("nvme1n1p3",                                            \
					   "259:7") "dev = 259:4\n"                                \
						    "[/sys/dev/block]\n"                           \
						    "259:1 -> ../../class/block/nvme0n1p1\n"       \
						    "259:2 -> ../../class/block/nvme0n1p2\n"       \
						    "259:3 -> ../../class/block/nvme0n1p3\n"       \
						    "259:7 -> ../../class/block/nvme1n1p3\n"       \
						    "253:0 -> ../../class/block/dm-0\n"            \
						    "253:1 -> ../../class/block/dm-1\n"            \
						    "9:0 -> ../../class/block/md0\n"

static void partitions_are_mounted(void **state _unused_)
{
	assert_uses(DISKS "[/proc]\nself/mountinfo <<\n"
			  "\t1 0 259:2 / / rw - ext4 /dev/nvme0n1p2 rw\n"
			  "\t2 1 259:1 / /boot/efi rw shared:7 - vfat /dev/nvme0n1p1 rw\n"
			  "\t3 1 259:7 / /srv/a\\\\040b rw - xfs /dev/nvme1n1p3 rw\n"
			  "\t4 1 259:7 /sub /mnt rw - xfs /dev/nvme1n1p3 rw\n"
			  "\t5 1 0:5 / /proc rw - proc proc rw\n",
		    "1 root: nvme0n1p2, mounted on /\n"
		    "1 esp: nvme0n1p1, mounted on /boot/efi\n"
		    "2 mount: nvme1n1p3, mounted on /srv/a b\n");
}

#define STACK                                                                                      \
	"[/sys/class/block]\n"                                                                     \
	"md0 -> ../../devices/virtual/block/md0\n"                                                 \
	"dm-0 -> ../../devices/virtual/block/dm-0\n"                                               \
	"dm-1 -> ../../devices/virtual/block/dm-1\n"                                               \
	"[" VIRT "/md0]\ndev = 9:0\n"                                                              \
	"slaves/nvme0n1p3 -> ../../../../pci0000:00/0000:00:01.0/nvme/nvme0/nvme0n1/nvme0n1p3\n"   \
	"slaves/nvme1n1p3 -> ../../../../pci0000:00/0000:00:02.0/nvme/nvme1/nvme1n1/nvme1n1p3\n"   \
	"[" VIRT "/dm-0]\ndev = 253:0\ndm/name = crypt\ndm/uuid = CRYPT-LUKS2-0123-crypt\n"        \
	"slaves/md0 -> ../../md0\n"                                                                \
	"[" VIRT "/dm-1]\ndev = 253:1\ndm/name = pve-root\ndm/uuid = LVM-abcdef\n"                 \
	"slaves/dm-0 -> ../../dm-0\n"

/* Root on LVM on LUKS on md over two disks: both hold it. */
static void layers_are_gone_through(void **state _unused_)
{
	static const char expected[] = "1 root: nvme0n1p3, md0, LUKS, LVM pve-root, mounted on /\n"
				       "1 boot: nvme0n1p2, mounted on /boot\n"
				       "2 root: nvme1n1p3, md0, LUKS, LVM pve-root, mounted on /\n";

	assert_uses(DISKS STACK "[/proc]\nself/mountinfo <<\n"
				"\t1 0 253:1 / / rw - ext4 /dev/mapper/pve-root rw\n"
				"\t2 1 259:2 / /boot rw - ext4 /dev/nvme0n1p2 rw\n",
		    expected);
}

/* Without the numbers' folder the source's name leads there, through the mapper's own names. */
static void sources_lead_there_too(void **state _unused_)
{
	assert_uses(
		"[/sys/class/block]\n"
		"sda1 -> ../../devices/pci0000:00/0000:00:01.0/ata1/host0/target0:0:0/0:0:0:0/"
		"block/sda/sda1\n"
		"dm-0 -> ../../devices/virtual/block/dm-0\n"
		"[/sys/devices/pci0000:00/0000:00:01.0/ata1/host0/target0:0:0/0:0:0:0/block/sda]\n"
		"sda1/dev = 8:1\n"
		"[" VIRT "/dm-0]\ndev = 253:0\ndm/name = vg-root\ndm/uuid = LVM-x\n"
		"slaves/sda1/\n"
		"[/proc]\nself/mountinfo <<\n"
		"\t1 0 253:0 / / rw - ext4 /dev/mapper/vg-root rw\n"
		"swaps <<\n\tFilename Type Size Used Priority\n\t/dev/sda1 partition 1 0 -2\n",
		"1 root: sda1, LVM vg-root, mounted on /\n"
		"1 swap: sda1, swap\n");
}

static void pools_are_made_of_members(void **state _unused_)
{
	assert_uses(DISKS "[/run/udev/data]\n"
			  "b259:3 <<\n\tS:disk/by-id/x\n\tE:ID_FS_TYPE=zfs_member\n"
			  "\tE:ID_FS_LABEL=rpool\n"
			  "b259:7 <<\n\tE:ID_FS_LABEL=rpool\n\tE:ID_FS_TYPE=zfs_member\n"
			  "b259:2 <<\n\tE:ID_FS_LABEL=tank\n\tE:ID_FS_TYPE=zfs_member\n"
			  "[/proc]\nself/mountinfo <<\n"
			  "\t1 0 0:30 / / rw - zfs rpool/ROOT/pve-1 rw\n",
		    "1 root: nvme0n1p3, ZFS pool rpool, mounted on /\n"
		    "1 member: nvme0n1p2, zfs_member\n"
		    "2 root: nvme1n1p3, ZFS pool rpool, mounted on /\n");
}

static void btrfs_spans_its_devices(void **state _unused_)
{
	assert_uses(DISKS "[/run/udev/data]\n"
			  "b259:3 <<\n\tE:ID_FS_TYPE=btrfs\n\tE:ID_FS_UUID=aa\n"
			  "b259:7 <<\n\tE:ID_FS_TYPE=btrfs\n\tE:ID_FS_UUID=aa\n"
			  "[/proc]\nself/mountinfo <<\n"
			  "\t1 0 0:30 /@ / rw - btrfs /dev/nvme0n1p3 rw\n",
		    "1 root: nvme0n1p3, mounted on /\n"
		    "2 root: nvme1n1p3, mounted on /\n");
}

static void members_are_in_use(void **state _unused_)
{
	assert_uses(DISKS "[/run/udev/data]\n"
			  "b259:3 = E:ID_FS_TYPE=LVM2_member\n"
			  "b259:2 = E:ID_FS_TYPE=ext4\n"
			  "b259:7 = E:ID_FS_TYPE=linux_raid_member\n"
			  "[" NVME1 "/nvme1n1p3/holders]\nmd0/\n"
			  "[" NVME0 "/nvme0n1p1/holders]\ndm-3/\n"
			  "[/sys/class/block]\ndm-3 -> ../../devices/virtual/block/dm-3\n"
			  "[" VIRT "/dm-3]\ndm/name = secret\ndm/uuid = CRYPT-LUKS1-x\n",
		    "1 member: nvme0n1p1, held by LUKS\n"
		    "1 member: nvme0n1p3, LVM2_member\n"
		    "2 member: nvme1n1p3, linux_raid_member, held by md0\n");
}

/* Native NVMe multipath: the namespace hangs below the subsystem, not below a function. */
static void subsystems_name_their_controllers(void **state _unused_)
{
	assert_uses("[/sys/class/block]\n"
		    "nvme0n1 -> ../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1\n"
		    "nvme0c0n1 -> ../../devices/pci0000:00/0000:00:01.0/nvme/nvme0/nvme0c0n1\n"
		    "[/sys/class/nvme-subsystem]\n"
		    "nvme-subsys0 -> ../../devices/virtual/nvme-subsystem/nvme-subsys0\n"
		    "[/sys/devices/virtual/nvme-subsystem/nvme-subsys0]\n"
		    "nvme0 -> ../../../pci0000:00/0000:00:01.0/nvme/nvme0\n"
		    "nvme1 -> ../../../pci0000:00/0000:00:02.0/nvme/nvme1\n"
		    "nvme0n1/dev = 259:0\n"
		    "[/sys/dev/block]\n"
		    "259:0 -> ../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1\n"
		    "[/proc]\nself/mountinfo <<\n"
		    "\t1 0 259:0 / / rw - ext4 /dev/nvme0n1 rw\n",
		    "1 root: nvme0n1, mounted on /\n"
		    "2 root: nvme0n1, mounted on /\n");
}

static void swap_is_a_use(void **state _unused_)
{
	assert_uses(DISKS "[/proc]\nself/mountinfo <<\n"
			  "\t1 0 259:2 / / rw - ext4 /dev/nvme0n1p2 rw\n"
			  "\t2 1 259:7 / /srv rw - ext4 /dev/nvme1n1p3 rw\n"
			  "swaps <<\n\tFilename\tType\tSize\tUsed\tPriority\n"
			  "\t/srv/swap.img\tfile\t1\t0\t-2\n"
			  "\t/dev/nvme0n1p3 partition 1 0 -3\n"
			  "\t/dev/zram0 partition 1 0 -4\n",
		    "1 root: nvme0n1p2, mounted on /\n"
		    "1 swap: nvme0n1p3, swap\n"
		    "2 mount: nvme1n1p3, mounted on /srv\n"
		    "2 swap: nvme1n1p3, swap file /srv/swap.img\n");
}

/* What boots is not mounted, and a disk with somebody else's ESP is not what boots. */
static void esps_need_no_mount(void **state _unused_)
{
	assert_uses(DISKS "[/etc/kernel]\nproxmox-boot-uuids = ABCD-1234\n"
			  "[/run/udev/data]\n"
			  "b259:1 <<\n\tE:ID_FS_TYPE=vfat\n\tE:ID_FS_UUID=ABCD-1234\n"
			  "b259:7 <<\n\tE:ID_FS_TYPE=vfat\n\tE:ID_FS_UUID=0000-1111\n",
		    "1 esp: nvme0n1p1, ESP of proxmox-boot-tool\n");
	assert_uses(DISKS "[/etc/kernel]\nproxmox-boot-uuids = ABCD-1234\n"
			  "[/dev/disk/by-uuid]\nABCD-1234 -> ../../nvme1n1p3\n",
		    "2 esp: nvme1n1p3, ESP of proxmox-boot-tool\n");
	assert_uses(DISKS "[/sys/firmware/efi/efivars]\n"
			  "LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f : "
			  "\\x06\\x00\\x00\\x00A\\x00B\\x00-\\x001\\x00\\x00\\x00\n"
			  "[/run/udev/data]\n"
			  "b259:1 = E:ID_PART_ENTRY_UUID=ab-1\n"
			  "b259:7 = E:ID_PART_ENTRY_UUID=ab-2\n",
		    "1 esp: nvme0n1p1, ESP that the firmware booted from\n");
}

static void fstab_names_what_boots(void **state _unused_)
{
	assert_uses(DISKS "[/etc]\nfstab <<\n"
			  "\t# <file system> <mount point> <type>\n"
			  "\tUUID=aa-1 / ext4 defaults 0 1\n"
			  "\tPARTUUID=PP-2 /boot/efi vfat noauto,x-systemd.automount 0 1\n"
			  "\t/dev/nvme1n1p3 /srv ext4 defaults 0 2\n"
			  "\t/dev/gone /boot ext4 defaults 0 2\n"
			  "\tshort\n"
			  "[/run/udev/data]\n"
			  "b259:3 = E:ID_FS_UUID=aa-1\n"
			  "b259:1 = E:ID_PART_ENTRY_UUID=pp-2\n"
			  "[/proc]\nself/mountinfo <<\n"
			  "\t1 0 259:3 / / rw - ext4 /dev/nvme0n1p3 rw\n"
			  "\t2 1 0:44 / /boot/efi rw - autofs systemd-1 rw\n",
		    "1 root: nvme0n1p3, mounted on /\n"
		    "1 esp: nvme0n1p1, /boot/efi by /etc/fstab\n");
}

static void loops_end(void **state _unused_)
{
	assert_uses("[/sys/class/block]\n"
		    "dm-0 -> ../../devices/virtual/block/dm-0\n"
		    "dm-1 -> ../../devices/virtual/block/dm-1\n"
		    "[" VIRT "]\ndm-0/slaves/dm-1/\ndm-0/slaves/dm-0/\n"
		    "dm-1/slaves/dm-0/\ndm-1/slaves/dm-1/\n"
		    "[/proc]\nself/mountinfo <<\n"
		    "\t1 0 253:0 / / rw - ext4 /dev/dm-0 rw\n"
		    "\tcut short\n\t- - -\n\t1 0 253:0 / / rw - \n",
		    "");
}

/* --- console --------------------------------------------------------------------------------- */

static void screens_are_in_use(void **state _unused_)
{
	assert_uses("[/sys/devices/pci0000:00/0000:00:02.0]\nboot_vga = 1\n"
		    "[/sys/devices/pci0000:00/0000:00:03.0]\nboot_vga = 0\n"
		    "[/sys/class/graphics]\nfbcon -> ../../devices/virtual/graphics/fbcon\n"
		    "fb0 -> ../../devices/pci0000:00/0000:00:04.0/graphics/fb0\n"
		    "fb1 -> ../../devices/platform/efi-framebuffer.0/graphics/fb1\n",
		    "2 console: boot display (boot_vga)\n"
		    "4 console: framebuffer fb0\n");
}

static void serials_of_disks_count(void **state _unused_)
{
	static const char text[] = MACHINE DISKS "[/run/udev/data]\n"
						 "b259:0 = E:ID_SERIAL_SHORT=S4EW1\n"
						 "b259:3 = E:ID_SERIAL_SHORT=S4EW1\n"
						 "[/sys/devices/pci0000:00/0000:00:01.0]\n"
						 "nvme/nvme0/serial = S4EW1  \n";
	_cleanup_host_ struct host *host = observe_text(text, &plain);
	const struct words *serials = &host->devices.at[0].serials;

	assert_int_equal(serials->n, 1);
	assert_string_equal(serials->at[0], "S4EW1");
	assert_int_equal(host->devices.at[1].serials.n, 0);
}

/* --- keyboards ------------------------------------------------------------------------------- */

#define USB(port, name)                                                                            \
	"[/sys/bus/usb/devices]\n" name " -> ../../../devices/pci0000:00/" port "/usb1/" name "\n"
#define USB_FOLDER(port, name) "[/sys/devices/pci0000:00/" port "/usb1/" name "]\n"
#define KEYBOARD	       "bInterfaceClass = 03\nbInterfaceProtocol = 01\n"

static void keyboards_hold_their_controller(void **state _unused_)
{
	static const struct {
		const char *lines, *uses;
	} rows[] = {
		{USB("0000:00:03.0", "1-4") USB("0000:00:03.0",
						"1-4:1.0") USB_FOLDER("0000:00:03.0", "1-4:1.0")
			 KEYBOARD USB_FOLDER("0000:00:03.0", "1-4") "product = USB Keyboard\n",
		 "3 keyboard: USB Keyboard\n"},
		/* Two interfaces of one; one without a name behind a hub. */
		{USB("0000:00:04.0", "2-1.3:1.0") USB_FOLDER("0000:00:04.0", "2-1.3:1.0")
			 KEYBOARD USB("0000:00:04.0", "2-1.3:1.1")
				 USB_FOLDER("0000:00:04.0", "2-1.3:1.1") KEYBOARD,
		 "4 keyboard: keyboard without a name\n"},
		/* A mouse, a disk, one that hangs nowhere. */
		{USB("0000:00:03.0", "1-5:1.0")
			 USB_FOLDER("0000:00:03.0",
				    "1-5:1.0") "bInterfaceClass = 03\nbInterfaceProtocol = 02\n",
		 ""},
		{USB("0000:00:03.0", "1-5:1.0")
			 USB_FOLDER("0000:00:03.0",
				    "1-5:1.0") "bInterfaceClass = 08\nbInterfaceProtocol = 01\n",
		 ""},
		{"[/sys/bus/usb/devices/1-4:1.0]\n" KEYBOARD, ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_uses(rows[i].lines, rows[i].uses);
}

/* --- processes ------------------------------------------------------------------------------- */

#define HELD                                                                                       \
	MACHINE                                                                                    \
	"[/sys/devices/pci0000:00/0000:00:02.0]\n"                                                 \
	"driver -> ../../../bus/pci/drivers/vfio-pci\n"                                            \
	"iommu_group -> ../../../kernel/iommu_groups/14\n"                                         \
	"[/sys/devices/pci0000:00/0000:00:03.0]\n"                                                 \
	"driver -> ../../../bus/pci/drivers/pcieport\n"                                            \
	"iommu_group -> ../../../kernel/iommu_groups/14\n"                                         \
	"[/sys/dev/char]\n"                                                                        \
	"226:0 -> ../../devices/pci0000:00/0000:00:01.0/drm/card0\n"                               \
	"1:3 -> ../../devices/virtual/mem/null\n"                                                  \
	"[/proc]\n"                                                                                \
	"driver/nvidia/gpus/0000:00:04.0/information <<\n\tModel: x\n\tDevice Minor: 	 1\n"        \
	"driver/nvidia/gpus/nonsense/information = Device Minor: 0\n"                              \
	"100/comm = Xorg\n100/fd/0 -> /dev/null\n100/fd/5 -> /dev/dri/card0\n"                     \
	"100/fd/6 -> /dev/dri/card0\n100/fd/7 -> socket:[1]\n"                                     \
	"200/fd/9 -> /dev/vfio/14\n200/fd/8 -> /dev/vfio/vfio\n"                                   \
	"300/comm = python3\n300/fd/3 -> /dev/nvidia1\n"                                           \
	"400/fd ! EACCES\n"

static void processes_hold_nodes(void **state _unused_)
{
	static const struct observe_options asked = {.holders = true};
	_cleanup_host_ struct host *live = observe_as(HELD, &asked, true);
	_cleanup_host_ struct host *unasked = observe_as(HELD, &plain, true);
	_cleanup_host_ struct host *saved = observe_as(HELD, &asked, false);

	assert_string_equal(uses_of(live), "1 open: /dev/dri/card0, held by Xorg (100)\n"
					   "2 open: /dev/vfio/14, held by process (200)\n"
					   "4 open: /dev/nvidia1, held by python3 (300)\n");
	assert_true(live->vfio_in_use);
	assert_string_equal(uses_of(unasked), "");
	assert_false(unasked->vfio_in_use);
	/* A capture has those that held something when it was made. */
	assert_string_equal(uses_of(saved), uses_of(live));
}

/* Disks and partitions, VFIO's nodes of single devices; not what is mounted. */
static void nodes_are_of_many_kinds(void **state _unused_)
{
	static const struct observe_options asked = {.holders = true};
	static const char text[] = MACHINE DISKS
		"[/sys/devices/pci0000:00/0000:00:03.0]\n"
		"driver -> ../../../bus/pci/drivers/vfio-pci\n"
		"iommu_group -> ../../../kernel/iommu_groups/14\n"
		"[/sys/dev/char]\n"
		"226:128 -> ../../devices/pci0000:00/0000:00:04.0/drm/renderD128\n"
		"511:0 -> ../../devices/pci0000:00/0000:00:03.0/vfio-dev/vfio0\n"
		"[/proc]\nself/mountinfo <<\n"
		"\t1 0 259:3 / / rw - ext4 /dev/nvme0n1p3 rw\n"
		"100/comm = kvm\n100/fd/5 -> /dev/nvme1n1p3\n100/fd/6 -> /dev/vfio/devices/vfio0\n"
		"200/comm = smartd\n200/fd/3 -> /dev/nvme0n1\n200/fd/4 -> /dev/nvme0n1p3\n"
		"200/fd/5 -> /dev/shm/nvme1n1\n"
		"300/comm = Xorg\n300/fd/9 -> /dev/dri/renderD128\n";
	_cleanup_host_ struct host *host = observe_as(text, &asked, true);

	assert_string_equal(uses_of(host), "1 root: nvme0n1p3, mounted on /\n"
					   "1 open: /dev/nvme0n1, held by smartd (200)\n"
					   "2 open: /dev/nvme1n1p3, held by kvm (100)\n"
					   "3 open: /dev/vfio/devices/vfio0, held by kvm (100)\n"
					   "4 open: /dev/dri/renderD128, held by Xorg (300)\n");
	assert_true(host->vfio_in_use);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(partitions_are_mounted),
		cmocka_unit_test(layers_are_gone_through),
		cmocka_unit_test(sources_lead_there_too),
		cmocka_unit_test(pools_are_made_of_members),
		cmocka_unit_test(btrfs_spans_its_devices),
		cmocka_unit_test(members_are_in_use),
		cmocka_unit_test(subsystems_name_their_controllers),
		cmocka_unit_test(swap_is_a_use),
		cmocka_unit_test(esps_need_no_mount),
		cmocka_unit_test(fstab_names_what_boots),
		cmocka_unit_test(loops_end),
		cmocka_unit_test(screens_are_in_use),
		cmocka_unit_test(serials_of_disks_count),
		cmocka_unit_test(keyboards_hold_their_controller),
		cmocka_unit_test(processes_hold_nodes),
		cmocka_unit_test(nodes_are_of_many_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
