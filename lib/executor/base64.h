/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base64 of RFC 4648 section 4, padded: bytes of any kind inside JSON. Pure. */
#pragma once

#include <stddef.h>

#include "arena.h"
#include "strbuf.h"

void base64_add(struct strbuf *out, const void *bytes, size_t size);

/* -EBADMSG for what base64_add would not have written; 0 or -ENOMEM. NUL added after the bytes. */
int base64_read(struct arena *a, const char *text, const char **ret, size_t *ret_size);
