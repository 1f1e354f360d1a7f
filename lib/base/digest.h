/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 as text, and SHA-1 where another's digest is to be matched. libmd does the work: small,
 * and part of every Debian host through dpkg. */
#pragma once

#include <stddef.h>

#define DIGEST_TEXT_SIZE 65 /* 64 hexadecimal digits and NUL */
#define SHA1_TEXT_SIZE	 41

/* Writes the digest of size bytes to ret as lower-case hexadecimal. */
void digest_bytes(const void *bytes, size_t size, char ret[static DIGEST_TEXT_SIZE]);

/* The same by SHA-1: how Proxmox VE tells that a configuration changed (9.9). No proof of more. */
void digest_sha1(const void *bytes, size_t size, char ret[static SHA1_TEXT_SIZE]);
