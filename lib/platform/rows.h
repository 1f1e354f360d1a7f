/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of the three tables, one file each. Pure. */
#pragma once

#include "hypervisor.h"
#include "initramfs.h"
#include "loader.h"

extern const struct initramfs_builder initramfs_tools;
extern const struct initramfs_builder dracut;
extern const struct initramfs_builder mkinitcpio;
extern const struct initramfs_builder booster;

extern const struct boot_loader loader_grub;
extern const struct boot_loader loader_bls;
extern const struct boot_loader loader_systemd_boot;
extern const struct boot_loader loader_unified;
extern const struct boot_loader loader_entries;
extern const struct boot_loader loader_extlinux;
extern const struct boot_loader loader_proxmox;

extern const struct hypervisor_row hypervisor_proxmox;
extern const struct hypervisor_row hypervisor_libvirt;
