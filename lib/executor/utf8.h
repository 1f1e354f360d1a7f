/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8 by RFC 3629. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the well-formed character that text begins with, 0 when there is none. */
size_t utf8_length(const char *text, size_t size);

/* Whether the whole text is well-formed and holds no NUL. */
bool utf8_text(const char *text, size_t size);
