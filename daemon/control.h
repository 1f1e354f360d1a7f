/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The front-end that listens on the control socket. Only root, or who runs the daemon, may ask. */
#pragma once

#include "manager.h"

struct control;

/* -EADDRINUSE when another daemon answers there; or errno. */
int control_new(sd_event *event, struct pthru_ctx *ctx, struct manager *manager,
		struct control **ret);
struct control *control_free(struct control *control);
