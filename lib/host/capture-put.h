/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the lines of the capture format (lib/host/README.md). Pure. */
#pragma once

#include "host.h"
#include "strbuf.h"

/* [PATH] */
void capture_put_section(struct strbuf *out, const char *path);

/* A file in the shortest form that holds its bytes. */
void capture_put_file(struct strbuf *out, const char *name, const char *bytes, size_t size);

/* NAME/, NAME ! ERROR, NAME @ MODE UID GID */
void capture_put_folder(struct strbuf *out, const char *name);
void capture_put_error(struct strbuf *out, const char *name, const char *error);
void capture_put_mode(struct strbuf *out, const char *name, unsigned mode, unsigned uid,
		      unsigned gid);

void capture_put_link(struct strbuf *out, const char *name, const char *target);

/* NAME image ..., and the section with what is inside when it was read. */
void capture_put_image_line(struct strbuf *out, const char *name, const struct host_image *image);
void capture_put_image(struct strbuf *out, const char *path, const struct host_image *image);
