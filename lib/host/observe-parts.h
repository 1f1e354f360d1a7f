/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of observe share: the tree, the HOST under construction, and short reads. */
#pragma once

#include <string.h>

#include "observe.h"

#define MAX_LINE   (64u << 10) /* sysfs and procfs values */
#define MAX_CONFIG (1u << 20)  /* one configuration file */
#define MAX_INDEX  (64u << 20) /* modules.dep, modules.alias, grub.cfg, a kernel's config */

struct mount {		 /* a line of mountinfo */
	const char *dev; /* "259:3" */
	const char *point, *type, *source;
	const char *server; /* address, of network file systems; NULL */
	bool read_only;
};

struct block { /* a block device that hardware or device-mapper or md stands behind */
	const char *name;
	const char *dev;		     /* "259:3", "" when unknown */
	ARRAY_OF(struct pci_addr) functions; /* that it lies on; empty for virtual ones */
	/* udev's, "" when unknown */
	const char *fs_type, *fs_uuid, *fs_label, *part_uuid, *serial;
	const char *server; /* address of the iSCSI target that it is; NULL: none */
	bool used;	    /* something was found that uses it */
};

struct remote { /* a use of what a server has: of the network cards on the way there */
	enum use_kind kind;
	const char *what, *server;
};

struct observer {
	struct tree *tree;
	const struct observe_options *options;
	struct host *host;
	struct arena *a;       /* the host's */
	struct arena *scratch; /* what was read and is not kept; gone after each part */
	ARRAY_OF(struct mount) mounts;
	bool mounts_elsewhere; /* they are this process's, its paths not those of the tree */
	ARRAY_OF(struct block) blocks; /* sorted by name */
	ARRAY_OF(struct remote) remotes;
	const char *esp; /* whose entries are being read; NULL: no ESP's of proxmox-boot-tool */
	bool lost;	 /* memory ran out: sticks, asked once at the end */
	char path[4096];
};

/*
 * Short reads. The path is a printf format. What is missing or unreadable gives NULL (or false):
 * an ordinary answer. Results live in the scratch arena unless said otherwise.
 */

/* First line of a file, without its end. */
const char *see_line(struct observer *o, const char *fmt, ...) _printf_(2, 3);
/* The whole text, at most max bytes. */
const char *see_text(struct observer *o, size_t max, const char *fmt, ...) _printf_(3, 4);
/* The same of a path that stands ready; it may not be o->path. */
const char *see_file(struct observer *o, size_t max, const char *path);
/* The first line of a text, a copy when more follows; NULL for NULL. */
const char *first_line(struct observer *o, const char *text);
/* The whole text in the host's arena, "" when missing. */
const char *keep_text(struct observer *o, size_t max, const char *fmt, ...) _printf_(3, 4);
/* Target of a symbolic link. */
const char *see_link(struct observer *o, const char *fmt, ...) _printf_(2, 3);
/* Names in a directory; empty when it is missing. */
struct words see_list(struct observer *o, const char *fmt, ...) _printf_(2, 3);
/* The same, kept in the host's arena. */
struct words keep_list(struct observer *o, const char *fmt, ...) _printf_(2, 3);
bool see_stat(struct observer *o, struct tree_stat *ret, const char *fmt, ...) _printf_(3, 4);
bool see_exists(struct observer *o, const char *fmt, ...) _printf_(2, 3);

/* A copy in the host's arena; NULL stays NULL. "" when memory ran out. */
const char *keep(struct observer *o, const char *s);
const char *keep_printf(struct observer *o, const char *fmt, ...) _printf_(2, 3);
void keep_word(struct observer *o, struct words *w, const char *s);

/* Adds s to a scratch list; true when it was not there before. */
bool see_first(struct observer *o, struct words *seen, const char *s);

/* A serial number or other identity without the blanks that pad it; nothing when it is empty. */
void keep_serial(struct observer *o, struct words *w, const char *s);

struct message { /* of the kernel's log */
	const char *text;
	enum tristate says;
};

/*
 * observe-log.c: the last line that has one of the messages, as "kernel log: ...", by the running
 * kernel's log or what was saved of it; NULL when none has.
 */
const char *search_logs(struct observer *o, const struct message *messages, size_t n,
			enum tristate *ret);

/* observe-log.c: when each function's driver first spoke of it. */
void observe_takers(struct observer *o);

/* Remembers that memory ran out when ok is false; yields ok. */
bool kept(struct observer *o, bool ok);

/* Empties the scratch arena once it has grown beyond a mebibyte: what it gave is gone. */
void scratch_trim(struct observer *o);

static inline bool has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static inline bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && strcmp(s + n - m, suffix) == 0;
}

/* The n-th (from 0) blank-separated field of a line, in scratch; NULL when there are fewer. */
const char *field_of(struct observer *o, const char *line, unsigned n);

/*
 * The next line of text, in scratch and without its end; NULL after the last. *at is the place
 * to go on from.
 */
const char *next_line(struct observer *o, const char **at);

/* The last PCI function named in a sysfs path: the one that a class device belongs to. */
bool path_function(const char *path, struct pci_addr *ret);

/* The parts, in the order in which they run: later ones look at what earlier ones found. */
void observe_running(struct observer *o); /* names, command line, modules */
void observe_commands(struct observer *o);
void observe_kernels(struct observer *o);
/* The image at path, which may be a unified one. */
void observe_image(struct observer *o, const char *path, struct host_image *image);
/* The image at path is what an entry of that version (NULL: of none) boots. */
void observe_copy(struct observer *o, const char *version, const char *path);
/* The installed kernel of that version, to be filled in further; NULL without. */
struct host_kernel *kernel_named(struct host *host, const char *version);
void observe_files(struct observer *o);
/* One more file, which only what was found meanwhile asks for. */
void observe_file(struct observer *o, const char *path);
void observe_devices(struct observer *o);
void observe_support(struct observer *o); /* CPU and IOMMU */
void observe_blocks(struct observer *o);  /* mounts and block devices, for the next two */
void observe_boot(struct observer *o);
void observe_bls(struct observer *o);

/* Of ostree, once the entries are there. */
void observe_deployment(struct observer *o);
void observe_extlinux(struct observer *o);
/* Unified images below the root of a boot partition; then what makes them. */
void observe_unified(struct observer *o, const char *root);
void observe_unified_maker(struct observer *o);
/*
 * Whether a loader's entry of that partition starts a unified image: then it is one of the host's
 * entries where its own options stand in for those inside, and nothing else (3.16).
 */
struct boot_line;
bool observe_unified_start(struct observer *o, enum loader loader, const char *root,
			   const char *source, const struct boot_line *line);
/* One more entry of the loader's. */
void observe_entry(struct observer *o, enum loader loader, const char *source,
		   const struct boot_line *line);
void observe_uses(struct observer *o);
void observe_guests(struct observer *o);  /* of all hypervisors, sorted */
void observe_domains(struct observer *o); /* those of libvirt */

/* Of devices: what is dear to look at, and only where it counts. */
void observe_chosen(struct observer *o);
void observe_labels(struct observer *o);

/* Raw config space in scratch; NULL when it cannot be read. It wakes what sleeps. */
#define CONFIG_HEADER_TYPE 0x0e
const unsigned char *see_config(struct observer *o, struct pci_addr addr, size_t *ret_size);

/* The parts of uses. */
void observe_storage_uses(struct observer *o);
void observe_net_uses(struct observer *o);

void observe_holders(struct observer *o);

/* The device to be filled in further, NULL when the host has none at addr. */
struct host_device *device_at(struct observer *o, struct pci_addr addr);

/* The block device of that name; the one with that file system UUID, "" when there is none. */
struct block *block_named(struct observer *o, const char *name);
const char *block_of_uuid(struct observer *o, const char *uuid);

/* Whether path lies at or below the mount point. */
bool path_holds(const char *point, const char *path);

/* Text of one of the loader's EFI variables (3.1), NULL without. */
const char *loader_variable(struct observer *o, const char *name);

/* Adds a use to the function, if the host has it; the same one is not added twice. */
void add_use(struct observer *o, struct pci_addr addr, enum use_kind kind, const char *what);

/* watches.c: the places that these looked at, whether they are there or not. */
void watch_files(struct strbuf *out);
void watch_boot(const struct host_boot *boot, struct strbuf *out);
