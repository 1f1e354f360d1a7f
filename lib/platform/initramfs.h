/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Initramfs builders, a const table: how to recognise one, what to put where so that vfio-pci wins
 * (table 5I), what to run per kernel, and what proves that it worked. Pure.
 */
#pragma once

#include "host.h"
#include "plan.h"

/* One function that is bound by driver_override from the first moment. */
struct early_device {
	struct pci_addr addr;
	struct pci_id id;
	const char *driver;
	const char
		*serial; /* PCIe serial number that it must have, by PATH_PCI_SERIAL; NULL: any */
	bool rebind;	 /* its host driver is built in and has it before any image's script */
};

/* What early binding needs inside an image. */
struct early_wish {
	struct words modules;			 /* to be inside: vfio_pci, vfio_iommu_type1, ... */
	ARRAY_OF(struct early_device) overrides; /* in address order */
	/* Modules that would take one of them where they are loaded before our rule is read, and
	 * that nobody blacklists. */
	struct words rivals;
	/* All modules that would take one of them, and all that are blacklisted: none may be in an
	 * image that knows neither our rule nor a blacklist. */
	struct words outside;
};

struct initramfs_builder {
	const char *name;    /* "initramfs-tools" */
	const char *command; /* "update-initramfs": its presence means that it is used */
	/* Path of a kernel's image below the root, "" forms tried in order by observe. */
	const char *const *image_formats; /* printf formats with one %s for host_kernel_name(),
					     NULL-terminated */
	/* Where one kernel's image has settings of its own, as such a format, and the path that
	 * they name for it (NULL: none; 0 or -ENOMEM). NULL: there are none. */
	const char *settings_format;
	int (*image_in)(struct arena *a, const char *settings, const char **ret);
	/* What the command's own text says where it reads files of ours; NULL: every version does.
	 */
	const char *reads_owned;
	const char *const *owned; /* files of ours for it, NULL-terminated */
	/*
	 * Its images hold nothing of ours: what they leave alone is bound at the real root, by the
	 * same files as on every host, and what is proven is that they do leave it alone.
	 */
	bool bare;
	/* What an image says of options that its modules get, as lines of modprobe.d, where no file
	 * of modprobe.d is inside. 0 or -ENOMEM. NULL: the files are. */
	int (*options_in)(struct arena *a, const struct host_image *image, const char **ret);
	/* Why files of ours would never get into an image, for people; NULL: they would. 0 or
	 * -ENOMEM. The function may be NULL. */
	int (*obstacle)(struct arena *a, const struct host *host, const struct early_wish *wish,
			const char **ret_why);
	/*
	 * Text of owned[i] for the wish; "" : not wanted. mode: of the file. 0, -ENOMEM, or -EINVAL
	 * when a driver's or module's name is none: nothing of it may reach a script. NULL where
	 * there are no files.
	 */
	int (*render)(struct arena *a, const struct host *host, const struct early_wish *wish,
		      size_t i, const char **ret, unsigned *ret_mode);
	/*
	 * Fills in argv, env, check and produces of a step that builds one kernel's image; produces
	 * is the image that must be new. 0 or -ENOMEM.
	 */
	int (*command_for)(struct arena *a, const struct host *host,
			   const struct host_kernel *kernel, struct step *step);
	/*
	 * Whether the image binds early what the wish names and nothing else; ret_why one phrase
	 * otherwise. For an empty wish: that nothing of ours is left inside.
	 */
	bool (*proof)(const struct early_wish *wish, const struct host_kernel *kernel,
		      struct arena *a, const char **ret_why);
};

/* The path of one such format for that kernel. NULL: out of memory. */
const char *image_by_format(struct arena *a, const char *format, const struct host_kernel *kernel);

/* The commands of all of them: "update-initramfs, dracut". NULL: out of memory. */
const char *initramfs_commands(struct arena *a);

/* All builders known; the first whose command exists is the host's. */
extern const struct initramfs_builder *const initramfs_builders[];
extern const size_t initramfs_builders_n;

/* The builder of that name, NULL when unknown. */
const struct initramfs_builder *initramfs_builder(const char *name);
