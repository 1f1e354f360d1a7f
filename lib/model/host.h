/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HOST: what this machine is, in the three layers of design section 2. A snapshot: built once by
 * lib/host, then only read. Everything lives in its arena. Pure.
 *
 * Layers: struct host_file is the "files" layer, struct host_image and struct host_entry are
 * "boot", everything under "running" is "live".
 */
#pragma once

#include <sys/types.h>

#include "array.h"
#include "guest.h"
#include "pci.h"
#include "spec.h"

/* --- files ------------------------------------------------------------------------------- */

enum file_status {
	FILE_ABSENT,
	FILE_PRESENT,
	FILE_UNSAFE,	 /* link that dangles, not a regular file, larger than allowed */
	FILE_UNREADABLE, /* error says why */
	_FILE_STATUS_MAX,
	_FILE_STATUS_INVALID = -EINVAL,
};

struct host_file {
	const char *path; /* absolute below the root */
	enum file_status status;
	int error;	  /* negative errno when not ABSENT or PRESENT */
	const char *text; /* "" unless PRESENT; NUL-terminated, may hold further NULs */
	size_t size;
	mode_t mode; /* permission bits */
	uid_t uid;
	gid_t gid;
};

/* --- kernels and their images -------------------------------------------------------------- */

enum image_status {
	IMAGE_ABSENT,
	IMAGE_READ,
	IMAGE_BAD,	  /* cut or no known format: why says which */
	IMAGE_UNREADABLE, /* no permission, I/O error */
	_IMAGE_STATUS_MAX,
	_IMAGE_STATUS_INVALID = -EINVAL,
};
const char *image_status_name(enum image_status status);

/*
 * What is kept of a unified image (UAPI.5) stands with the files of its initramfs, the texts of
 * three sections, and which sections it has, a line each, with a last one where it is signed.
 */
#define UNIFIED_CMDLINE	  ".cmdline"
#define UNIFIED_OSREL	  ".osrel"
#define UNIFIED_UNAME	  ".uname"
#define UNIFIED_SECTIONS  ".sections"
#define UNIFIED_SIGNATURE "signature"

struct image_file {
	const char *path; /* as in the archive, without leading "/" and "usr/":
			     "etc/modprobe.d/x.conf" */
	const char *text; /* NUL-terminated */
	size_t size;
};

/* What an initramfs image contains, as far as it matters to us. */
struct host_image {
	const char *path; /* "/boot/initrd.img-6.1.0-18-amd64" */
	enum image_status status;
	const char *why;	 /* for BAD and UNREADABLE, one phrase */
	const char *compression; /* "zstd", "gzip", "xz", "lz4", "bzip2", "lzma", "none" */
	uint64_t size;		 /* bytes on disk */
	/* Text files kept: {etc,lib}/modprobe.d/, {etc,lib}/udev/rules.d/ (ours only),
	 * conf/modules, etc/modules-load.d/, etc/cmdline.d/, scripts/init-top/ (ours and ORDER),
	 * config. */
	ARRAY_OF(struct image_file) files;
	struct words modules; /* names of the .ko files inside, kernel's spelling */
};

struct host_kernel {
	const char *version;
	/* What Arch Linux names its kernel, image and preset after, where each version takes the
	 * place of the one before: "linux-lts"; NULL: they are named after the version. */
	const char *pkgbase;
	const char *vmlinuz; /* path in /boot, NULL when only /lib/modules has it */
	bool running;
	enum tristate
		iommu_default_on; /* its /boot/config turns the IOMMU on for all devices (7.29) */
	const char *modules_dep;  /* raw text; "" when absent */
	const char *modules_builtin; /* raw text; "" when absent */
	const char *modules_softdep; /* raw text; "" when absent */
	const char *modules_alias;   /* raw text, read only when asked for; "" otherwise */
	const char *builtin_modinfo; /* modules.builtin.modinfo, NULs made newlines; only when asked
					for */
	struct host_image image;
	/* What its boot entries name instead: copies on an ESP, made by another tool than the
	 * image's builder (3.11, 4.3). Only those that are there. */
	ARRAY_OF(struct host_image) copies;
};

/* What its files are named after. */
const char *host_kernel_name(const struct host_kernel *kernel);

enum module_presence { MODULE_ABSENT, MODULE_LOADABLE, MODULE_BUILTIN };

/* Whether kernel has module name ('-' and '_' alike), from modules.dep and modules.builtin. */
enum module_presence host_kernel_module(const struct host_kernel *kernel, const char *name);

/* Whether module name needs the other, by modules.dep. */
bool host_kernel_needs(const struct host_kernel *kernel, const char *name, const char *other);

/* --- boot entries ---------------------------------------------------------------------------- */

enum loader {
	LOADER_NONE,
	LOADER_GRUB,
	LOADER_BLS, /* GRUB that has its menu made from loader entries (2.14) */
	LOADER_SYSTEMD_BOOT,
	LOADER_UNIFIED,	 /* unified kernel images: kernel, initramfs and line in one file each */
	LOADER_ENTRIES,	 /* systemd-boot's that somebody keeps, as on Arch Linux */
	LOADER_EXTLINUX, /* extlinux.conf as u-boot-update makes it (2.25) */
	LOADER_PROXMOX,	 /* proxmox-boot-tool, whatever it installs per ESP */
	_LOADER_MAX,
	_LOADER_INVALID = -EINVAL,
};
const char *loader_name(enum loader loader);

struct host_entry {
	enum loader loader;
	const char *source; /* file it stands in: "/boot/grub/grub.cfg" */
	unsigned line;
	const char *title;
	const char *kernel;  /* version, from the image's file name; NULL when unknown */
	const char *options; /* the kernel's line, without the image path */
	bool recovery;	     /* "single"/"recovery" entries: not ours to change (2.5) */
	const char *esp;     /* UUID of proxmox-boot-tool's ESP that it lies on; NULL */
	bool has_signature;  /* of unified images */
	/* The unified image that it starts with options of its own in place of those inside (3.16);
	 * NULL: none, or those inside count. */
	const char *starts;
};

/* Appended to the line of a unified image by its stub; one that would be refused is left out. */
struct host_addon {
	const char *path, *options;
	const char *of; /* the image's path; NULL: every one's */
};

enum unified_maker {
	UNIFIED_BY_NONE,
	UNIFIED_BY_UKIFY,      /* run by kernel-install (3.13) */
	UNIFIED_BY_DRACUT,     /* of kernel_cmdline= in its configuration (3.15) */
	UNIFIED_BY_MKINITCPIO, /* by presets (3.14) */
	_UNIFIED_MAKER_MAX,
	_UNIFIED_MAKER_INVALID = -EINVAL,
};

struct host_unified {
	enum unified_maker maker;
	const char *by;	   /* what says so, one phrase; NULL */
	const char *why;   /* not known, or known and of no use: one phrase */
	const char *signs; /* what says that new images are signed, one phrase; NULL: nothing */
	ARRAY_OF(struct host_addon) addons;
};

/* The deployment of ostree that the next boot starts (2.26, 8.7). */
struct host_deployment {
	const char *line;   /* its kernel's, NULL: not known */
	const char *source; /* the file that says so; NULL */
	const char *why;    /* not known: one phrase */
	bool staged;	    /* becomes one when the host goes down */
};

struct host_esp {
	const char *uuid;
	const char *mount; /* where it is mounted, NULL when it is not */
	bool mounted;
	bool there;	  /* a device has that UUID */
	const char *seen; /* path at which what is on it was looked at; NULL: layer "unknown" (note
			     18) */
	uint64_t free;	  /* bytes, where it is seen and not mounted; UINT64_MAX: not known */
};

struct host_boot {
	bool efi;		 /* /sys/firmware/efi exists */
	const char *loader_info; /* EFI variable LoaderInfo as UTF-8, NULL without */
	const char *stub_info;	 /* EFI variable StubInfo: a unified image booted (2.30); NULL */
	enum tristate secure;	 /* Secure Boot, by the firmware's variable */
	struct host_unified unified;
	const char *tries;	   /* from which new entries and unified images are counted down, in
				      their names (3.11); NULL */
	const char *initrd_plugin; /* of kernel-install's: makes an initramfs where none is named;
				      NULL */
	const char *grub_cfg;	   /* path of the grub.cfg found, NULL without */
	bool grub_dir_read;	   /* grub-mkconfig here reads /etc/default/grub.d (2.4) */
	bool grub_cfg_readable;
	bool blscfg;	      /* grub.cfg leaves the menu to /boot/loader/entries (2.14) */
	bool bls_remade;      /* grub2-mkconfig makes their lines anew from /etc/default/grub
				 (2.15, 2.17) */
	const char *extlinux; /* path of the extlinux.conf that u-boot-update made, NULL without */
	bool uboot_dir_read;  /* u-boot-update here reads /etc/u-boot-menu/conf.d */
	bool ostree;	      /* entries are deployments', made by its own tool (2.18, 2.26) */
	struct host_deployment deployment;
	bool grub_copies; /* grub-mkconfig copies over grub.cfg in place, and elsewhere when asked
			     to (2.9) */
	const char *grub_mkconfig; /* command found below the root: "update-grub", "grub-mkconfig",
				      NULL */
	bool proxmox;		   /* /etc/kernel/proxmox-boot-uuids exists (4.1) */
	bool proxmox_tool;	   /* the command exists */
	ARRAY_OF(struct host_esp) esps;
	ARRAY_OF(struct host_entry) entries;
	bool boot_read_only; /* /boot (or what holds it) is mounted read-only; from mountinfo */
};

/* --- running -------------------------------------------------------------------------------- */

struct host_param {
	const char *name; /* underscores */
	const char *value;
	bool writable;
};

struct host_module {
	const char *name; /* kernel's spelling */
	bool builtin;	  /* has /sys/module/NAME but is not in /proc/modules */
	ARRAY_OF(struct host_param) params;
};

/* --- devices --------------------------------------------------------------------------------- */

enum use_kind {
	USE_ROOT, /* holds /, or a member under it */
	USE_BOOT, /* /boot */
	USE_ESP,
	USE_SWAP,
	USE_MOUNT,	   /* any other mounted file system */
	USE_MEMBER,	   /* LVM, md, LUKS, ZFS, multipath member that is not mounted */
	USE_DEFAULT_ROUTE, /* a default route goes out there, through bond, bridge, VLAN */
	USE_NET_UP,	   /* interface up with an address or in a bridge */
	USE_SSH,	   /* an established SSH session to this host comes in there */
	USE_KEYBOARD,	   /* a USB controller with a keyboard behind it */
	USE_CONSOLE,	   /* boot_vga or the console's framebuffer */
	USE_OPEN,	   /* a process has its node open; what names it */
	_USE_KIND_MAX,
	_USE_KIND_INVALID = -EINVAL,
};
const char *use_kind_name(enum use_kind kind);

struct host_use {
	enum use_kind kind;
	const char *what; /* chain for people: "nvme0n1p3, mounted on /" */
};

struct host_device {
	struct pci_addr addr;
	struct pci_id id;		       /* subsystem included where sysfs has it */
	uint32_t class;			       /* 24 bits */
	const char *vendor_name, *device_name; /* from pci.ids, NULL when not looked up */
	const char *driver;		       /* NULL: none */
	const char *driver_module; /* the module that the driver is of, by sysfs: xhci_pci for
				      xhci_hcd; NULL: none, or not looked at */
	bool driver_builtin;	   /* no module's driver, by sysfs; looked at as driver_module is */
	const char *override;	   /* driver_override, NULL: unset ("(null)" in sysfs, 7.7) */
	const char *modalias;
	int group; /* IOMMU group number, -1: none */
	bool has_parent;
	struct pci_addr parent; /* upstream bridge */
	bool bridge;		/* class 06, or header type other than 0 (7.12) */
	bool boot_vga;
	bool has_reset;
	const char *reset_methods; /* NULL: attribute absent */
	unsigned vfs;		   /* sriov_numvfs */
	bool is_vf;
	struct pci_addr physfn;
	struct words serials; /* PCIe serial, NVMe and disk serials below it */
	struct words macs;
	/* Device Serial Number, "00-11-22-33-44-55-66-77", which any driver leaves to see; NULL:
	 * none, or not looked at (see observe_options). Stands in serials too. */
	const char *pcie_serial;
	enum tristate acs;    /* of a port or function: whether it keeps apart what is behind or
				 beside it (7.15), the kernel's exceptions apart (7.21a);
				 UNKNOWN: not looked at */
	const char *label;    /* firmware's slot name; NULL: none, or not looked at */
	const char *taken;    /* seconds after the kernel began when its driver first spoke of it,
				 by the kernel's log; NULL: not said, or not looked at */
	bool reserved_region; /* its group has a "direct" region (7.21) */
	ARRAY_OF(struct host_use) uses;
};

/* --- support for the IOMMU -------------------------------------------------------------------- */

struct host_cpu {
	enum cpu_vendor vendor;
	const char *model;
	bool virt;		   /* vmx or svm flag present */
	enum tristate virt_locked; /* firmware switched it off (7.32): YES by the kernel's log */
	const char *virt_evidence; /* the line or file that says so; NULL */
};

struct host_iommu {
	enum tristate firmware; /* DMAR or IVRS table; UNKNOWN when the tables cannot be seen */
	bool dmar, ivrs;
	bool active; /* /sys/class/iommu and iommu_groups both non-empty (7.23) */
	unsigned groups;
	enum tristate remapping; /* interrupt remapping enabled (note 30, 7.24) */
	const char *remapping_evidence;
	const char *off_evidence; /* what switched it off: "intel_iommu=off on the running line" */
};

struct host_address { /* that a use was found by */
	const char *text;
	const char *iface; /* that has it or leads to it, as the way was taken; NULL */
};

struct host {
	struct arena *arena;
	bool live_root; /* observed at "/" of the running system */
	bool capture;	/* read from a capture: nothing can be applied */
	const char *hostname;
	const char *machine_id;
	const char *boot_id;	     /* "" when unknown */
	const char *running_version; /* kernel release, "" when unknown */
	const char *cmdline;	     /* /proc/cmdline without its newline, "" when unknown */
	bool cmdline_known;
	struct words
		unknown_flags; /* of it, as the kernel's log says (1.10); read when asked for */
	const char *dmi_vendor, *dmi_product, *dmi_board; /* "" when unknown */
	struct host_cpu cpu;
	struct host_iommu iommu;
	struct host_boot boot;
	ARRAY_OF(struct host_kernel) kernels; /* sorted by version, newest last (as strverscmp) */
	ARRAY_OF(struct host_device) devices; /* sorted by address */
	ARRAY_OF(struct host_module) modules; /* sorted by name */
	bool modules_known;		      /* /proc/modules could be read */
	ARRAY_OF(struct host_file) files;     /* sorted by path; see host_file() */
	struct words modprobe_order; /* paths of the modprobe.d files that count, libkmod's order
					(6.1-6.3) */
	struct words commands; /* builder commands found below the root: "update-initramfs", ... */
	const char
		*initramfs_builder; /* "initramfs-tools", "dracut", "mkinitcpio", "booster"; NULL */
	struct words image_hooks;   /* run by update-initramfs after each image (5.7), names */
	bool builder_old; /* by its own text it reads none of the files that would be ours (5.29) */
	struct host_guests guests;
	ARRAY_OF(struct host_address) addresses; /* for captures, which keep no others */
	bool vfio_in_use;			 /* not used by plan_id */
	bool pci_serial_tool; /* PATH_PCI_SERIAL is there, for early binding by serial */
};

/* The file at path, or NULL when it was not looked at. Every path of platform's tables was. */
const struct host_file *host_file(const struct host *host, const char *path);

/* Its text, "" when absent or unreadable. */
const char *host_text(const struct host *host, const char *path);

const struct host_device *host_device(const struct host *host, struct pci_addr addr);

/* Whether the function is on that driver. */
bool host_device_on(const struct host_device *device, const char *driver);

/*
 * Where a function hangs, by the device and function numbers of the bridges above it:
 * "0000:00:1c.4/00.0". A change of bus numbers leaves it alone, another slot does not (7.19). NULL:
 * out of memory.
 */
const char *host_device_path(const struct host *host, const struct host_device *device,
			     struct arena *a);

/*
 * Whether a function fits those selectors that a look at sysfs answers and a driver does not hide:
 * id, address, slot and class. What may be chosen is looked at more closely.
 */
bool selector_may_fit(const struct selector *s, const struct host_device *device);

const struct host_module *host_module(const struct host *host, const char *name);
const struct host_param *host_param(const struct host *host, const char *module, const char *param);
bool host_has_command(const struct host *host, const char *name);

struct host *host_new(void);
struct host *host_free(struct host *host);
DEFINE_CLEANUP(struct host *, host_free);
#define _cleanup_host_ _cleanup_(host_freep)
