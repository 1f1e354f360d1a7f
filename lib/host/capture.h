/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host as one reviewable text: what observe reads, recorded, serial numbers masked. */
#pragma once

#include "strbuf.h"
#include "tree.h"

/*
 * Observes the tree with everything switched on and writes what was asked for as a capture
 * (format: lib/host/README.md). Identities become digests (note 7, mask.h), long texts keep the
 * lines that are judged by, and the text ends with the end mark. 0 or negative errno.
 */
int capture_write(struct tree *tree, struct strbuf *out);

/*
 * Lays a capture out as real files below dir, which must be empty or absent; images become
 * real cpio archives. For tests and the quickstart, which then use --root. 0; -EBADMSG with
 * diagnostics; -ENOTEMPTY; another negative errno.
 */
int capture_lay_out(const char *name, const char *text, size_t size, const char *dir,
		    struct diags *diags);
