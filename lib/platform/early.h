/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the builders' rows share: checks of names and the parts of a proof. Pure. */
#pragma once

#include "initramfs.h"
#include "strbuf.h"

/* First line of every file of ours. */
#define MANAGED_BY "# managed by passthroughd: change /etc/passthroughd/*.yaml instead\n"

/* Whether the wish asks for nothing. */
bool early_wish_empty(const struct early_wish *wish);

/* Whether any function is told by its serial number, which takes a program of ours. */
bool early_wish_serials(const struct early_wish *wish);

/* Whether all names in the wish are names of modules and drivers: letters, digits, "_", "-"; serial
 * numbers too. */
bool early_wish_safe(const struct early_wish *wish);

/* The overrides' drivers, then the modules, in the kernel's spelling without repeats. 0 or -ENOMEM.
 */
int early_modules(struct arena *a, const struct early_wish *wish, struct words *ret);

/* A file inside the image by its path there, NULL when the image has none. */
const struct image_file *image_file(const struct host_image *image, const char *path);

/*
 * The path of a kernel's image: where it is, else by the format of another kernel's image, else by
 * the builder's first. NULL: out of memory.
 */
const char *early_image_path(struct arena *a, const struct host *host,
			     const struct host_kernel *kernel, const char *const *formats);

/*
 * Whether the running line has an initrd= whose value has part in it, as boot loaders put it there
 * (1.19): 1, *ret_word the word; 0; -ENOMEM.
 */
int early_started_with(struct arena *a, const struct host *host, const char *part,
		       const char **ret_word);

/* Appends the words to argv or env. 0 or -ENOMEM. */
int words_push(struct arena *a, struct words *w, const char *const *words, size_t n);

/*
 * Proofs: each returns true, or false with one phrase in ret_why.
 * early_proof_read: the image was read.
 * early_proof_modules: that, and it has every module that its kernel does not have
 * built in. early_proof_file: the image's file at path is text, byte for byte; text "": it is
 * absent. early_proof_program: PATH_PCI_SERIAL is inside where the wish needs it.
 */
bool early_proof_read(const struct host_kernel *kernel, struct arena *a, const char **ret_why);
bool early_proof_modules(const struct early_wish *wish, const struct host_kernel *kernel,
			 struct arena *a, const char **ret_why);
bool early_proof_file(const struct host_kernel *kernel, const char *path, const char *text,
		      struct arena *a, const char **ret_why);

bool early_proof_program(const struct early_wish *wish, const struct host_kernel *kernel,
			 struct arena *a, const char **ret_why);

/*
 * All of these, for builders that keep a file's path: our rule is where it is on the host. ret_all:
 * as early_modules.
 */
bool early_proof_along(const struct early_wish *wish, const struct host_kernel *kernel,
		       struct arena *a, const char **ret_why, struct words *ret_all);

/* Says why: always false, so that a proof can return it. */
bool early_disproof(struct arena *a, const char **ret_why, const char *fmt, ...) _printf_(3, 4);

/* The same for an error while the proof was looked for: -ENOMEM, or -EINVAL for a name. */
bool early_unwritten(const char **ret_why, int error);
