/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon decides: which spec is in force, when to reconcile, who waits for what. It knows
 * nothing of where requests come from: a front-end makes them and gets each answered once.
 */
#pragma once

#include <sys/un.h>
#include <systemd/sd-event.h>

#include "request.h"
#include "state.h"

struct manager;

/* ctx is borrowed. workers: where systemd starts them, NULL: they are forked. 0 or errno. */
int manager_new(sd_event *event, struct pthru_ctx *ctx, const struct sockaddr_un *workers,
		struct manager **ret);
struct manager *manager_free(struct manager *m);

/* Reads the spec files, and reconciles when they are accepted. request NULL: nobody waits. */
void manager_reload(struct manager *m, struct request *request);

/* Takes any request. */
void manager_ask(struct manager *m, struct request *request);

/* The client is gone: the request will not be touched any more. */
void manager_forget(struct manager *m, struct request *request);

/* Where the host stands; borrowed, valid until the loop runs again. */
const struct state *manager_state(const struct manager *m);

/* Tells one listener of each change from now on. */
void manager_listen(struct manager *m, const struct state_listener *listener);

/* Ends the loop, once the work under way is done. */
void manager_stop(struct manager *m);
