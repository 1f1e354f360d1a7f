/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What both programs do with texts and standard descriptors. */
#pragma once

#include <stddef.h>

struct strbuf;

/* Writes all of it. 0 or errno; -EPIPE when the reader has gone. */
int text_write(int fd, const char *text, size_t size);

/* Reads an open file from its start, whatever its offset; the caller frees. 0 or errno. */
int text_read(int fd, char **ret);

/* Adds a JSON string with its quotes. */
void text_add_json(struct strbuf *out, const char *text);

/* Opens what is closed of the descriptors 0 to 2, so that no file we open becomes one of them. */
int text_keep_standard_fds(void);
