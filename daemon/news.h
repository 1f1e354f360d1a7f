/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where news comes from: files by inotify, the kernel by netlink and /proc/self/mountinfo. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "passthrough.h"

typedef void news_handler(void *owner, bool spec); // NOLINT: a function's type, no struct

struct news_files;

/* Watches nothing yet. 0 or errno. */
int news_files_new(sd_event *event, struct pthru_ctx *ctx, news_handler *hear, void *owner,
		   struct news_files **ret);
struct news_files *news_files_free(struct news_files *f);

/* Watches these lines (see pthru_plan_watches) instead of the former ones. 0 or errno. */
int news_files_set(struct news_files *f, const char *paths);

/* Watches the same lines anew: folders may have come or gone. */
void news_files_again(struct news_files *f);

/* Reads what is there and tells nobody, but of the spec. */
void news_files_drain(struct news_files *f);

/* Whether somebody seems to be writing a spec file just now. */
bool news_files_open(struct news_files *f);

struct news_kernel;

int news_kernel_new(sd_event *event, news_handler *hear, void *owner, struct news_kernel **ret);
struct news_kernel *news_kernel_free(struct news_kernel *k);
void news_kernel_drain(struct news_kernel *k);
