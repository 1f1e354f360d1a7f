/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 as text. libmd does the work: small, and part of every Debian host through dpkg. */
#pragma once

#include <stddef.h>

#define DIGEST_TEXT_SIZE 65 /* 64 hexadecimal digits and NUL */

/* Writes the digest of size bytes to ret as lower-case hexadecimal. */
void digest_bytes(const void *bytes, size_t size, char ret[static DIGEST_TEXT_SIZE]);
