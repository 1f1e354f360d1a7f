/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * News of the host, so that nothing polls: inotify on the files that the daemon answers for, the
 * kernel's uevents about PCI devices and modules, changes of mounts. What comes in quick
 * succession is told once, when it has settled.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "passthrough.h"

struct watch;

struct watch_owner {
	void *owner;
	/* spec: the spec's files, or the devices that its match: speaks of, may be others now. */
	void (*changed)(void *owner, bool spec);
};

/* Watches the spec's folders, and the live kernel; ctx is borrowed. 0 or errno. */
int watch_new(sd_event *event, struct pthru_ctx *ctx, const struct watch_owner *owner,
	      struct watch **ret);
struct watch *watch_free(struct watch *w);

/*
 * Watches paths from now on, in the lines of pthru_plan_watches. What could not be watched is
 * tried again with each piece of news. 0 or errno: the former ones stay then.
 */
int watch_paths(struct watch *w, const char *paths);

/* All news up to now is known: it is forgotten, that of the spec excepted. */
void watch_forget(struct watch *w);
