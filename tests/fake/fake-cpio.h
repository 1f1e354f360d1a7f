/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plain newc cpio archives: enough to make an image and to see which modules one has. */
#pragma once

#include "array.h"
#include "strbuf.h"

void cpio_add(struct strbuf *out, const char *name, const char *bytes, size_t size);
void cpio_end(struct strbuf *out);

/* Base names of the .ko files in the plain archives that image begins with. 0 or -ENOMEM. */
int cpio_modules(struct arena *a, const char *image, size_t size, struct words *ret);
