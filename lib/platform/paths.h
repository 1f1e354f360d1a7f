/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every path that we own, edit or read by name; each stands here and nowhere else. */
#pragma once

/* Ours (design section 5). */
#define PATH_GRUB_DROPIN    "/etc/default/grub.d/90-passthroughd.cfg"
#define PATH_UBOOT_DROPIN   "/etc/u-boot-menu/conf.d/90-passthroughd.conf"
#define PATH_MODPROBE	    "/etc/modprobe.d/00-passthroughd.conf"
#define PATH_MODULES_LOAD   "/etc/modules-load.d/passthroughd.conf"
#define PATH_UDEV_RULES	    "/etc/udev/rules.d/00-passthroughd.rules"
#define PATH_ITOOLS_HOOK    "/etc/initramfs-tools/hooks/passthroughd"
#define PATH_ITOOLS_INITTOP "/etc/initramfs-tools/scripts/init-top/00-passthroughd"
#define PATH_DRACUT_DROPIN  "/etc/dracut.conf.d/90-passthroughd.conf"
#define PATH_MKCPIO_DROPIN  "/etc/mkinitcpio.conf.d/90-passthroughd.conf"
#define PATH_DRACUT_LINE    "/etc/dracut.conf.d/zz-passthroughd.conf"
#define PATH_ITOOLS_AFTER   "/etc/initramfs/post-update.d"
#define PATH_STATE_DIR	    "/var/lib/passthroughd"
#define PATH_LEDGER	    PATH_STATE_DIR "/ledger.json"
#define PATH_LEDGER_DAMAGED PATH_STATE_DIR "/ledger.damaged"
#define PATH_JOURNAL	    PATH_STATE_DIR "/journal"
#define PATH_LAST_SPEC	    PATH_STATE_DIR "/accepted.yaml"
#define PATH_CACHE	    PATH_STATE_DIR "/images.cache"
#define PATH_RUN_DIR	    "/run/passthroughd"
#define PATH_LOCK	    PATH_RUN_DIR "/lock"
#define PATH_STATUS	    PATH_RUN_DIR "/status.json"
#define PATH_SOCKET	    PATH_RUN_DIR "/control"

/* Compares a function's serial number where there is nothing but a shell: daemon/pci-serial.c. */
#define PATH_PCI_SERIAL "/usr/libexec/passthroughd/pci-serial"

/* The three folders of the spec, strongest first (design section 3). */
#define PATH_SPEC_ETC "/etc/passthroughd"
#define PATH_SPEC_RUN "/run/passthroughd"
#define PATH_SPEC_USR "/usr/lib/passthroughd"

/* Shared. */
#define PATH_GRUB_DEFAULTS  "/etc/default/grub"
#define PATH_GRUB_DIR	    "/etc/default/grub.d"
#define PATH_UBOOT_DEFAULTS "/etc/default/u-boot"
#define PATH_UBOOT_DIR	    "/etc/u-boot-menu/conf.d"
#define PATH_UBOOT_USR_DIR  "/usr/share/u-boot-menu/conf.d"
#define PATH_EXTLINUX	    "/boot/extlinux/extlinux.conf"
#define PATH_KERNEL_CMDLINE "/etc/kernel/cmdline"
#define PATH_STAGED	    "/run/ostree/staged-deployment"
#define PATH_KERNEL_TRIES   "/etc/kernel/tries"
#define PATH_MKCPIO	    "/etc/mkinitcpio.conf"
#define PATH_PRESETS	    "/etc/mkinitcpio.d"
#define PATH_BOOSTER	    "/etc/booster.yaml"
#define PATH_DRACUT	    "/etc/dracut.conf"
#define PATH_DRACUT_DIR	    "/etc/dracut.conf.d"
#define PATH_DRACUT_USR_DIR "/usr/lib/dracut/dracut.conf.d"
#define PATH_GRUBENV	    "/boot/grub2/grubenv"
#define PATH_BLS_ENTRIES    "/boot/loader/entries"
#define PATH_PROXMOX_UUIDS  "/etc/kernel/proxmox-boot-uuids"
#define PATH_DPKG_LOCK	    "/var/lib/dpkg/lock-frontend"
/* What node_exporter of Debian reads, and our file in it. */
#define PATH_METRICS_DIR "/var/lib/prometheus/node-exporter"
#define PATH_METRICS	 PATH_METRICS_DIR "/passthroughd.prom"
#define PATH_REBOOT	 "/run/reboot-required"
#define PATH_REBOOT_PKGS "/run/reboot-required.pkgs"

/* The kernel's. */
#define PATH_PCI_DEVICES "/sys/bus/pci/devices"
#define PATH_PCI_DRIVERS "/sys/bus/pci/drivers"
#define PATH_PCI_PROBE	 "/sys/bus/pci/drivers_probe"
#define PATH_MODULES	 "/sys/module"
#define PATH_BOOT_ID	 "/proc/sys/kernel/random/boot_id"

/* Proxmox VE's: its cluster file system, and what runs (9.7, 9.8). Read, never written. */
#define PATH_PVE	  "/etc/pve"
#define PATH_PVE_LOCAL	  PATH_PVE "/local"
#define PATH_PVE_NODES	  PATH_PVE "/nodes"
#define PATH_PVE_MEMBERS  PATH_PVE "/.members"
#define PATH_PVE_MAPPINGS PATH_PVE "/mapping/pci.cfg"
#define PATH_QEMU_RUN	  "/run/qemu-server"

/* libvirt's: domains as they are defined, autostart/ of those that start with it, and what runs.
 * Read, never written. */
#define PATH_LIBVIRT_DOMAINS "/etc/libvirt/qemu"
#define PATH_LIBVIRT_RUN     "/run/libvirt/qemu"
