/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What somebody else keeps changing back, files, bindings and parameters: healed a few times, then
 * left alone for a while, ever longer, so that two tools do not work against each other for ever.
 */
#pragma once

#include <stddef.h>
#include <systemd/sd-event.h>

#define CONTEST_THINGS 32 /* what does not fit is healed without end */

struct contest {
	struct contest_thing {
		char name[64];
		unsigned heals;
		uint64_t since; /* of the first of them, monotonic usec */
	} things[CONTEST_THINGS];
	unsigned pause;		 /* minutes, of the last time that any was left alone; 0: never */
	sd_event_source *source; /* its end */
};

/*
 * What a step of that target is for was healed: nobody had asked for a change of it. again is
 * called when it may be tried once more. Returns 1 when it is left alone from now on, 0, or errno.
 */
int contest_healed(struct contest *c, const char *name, sd_event *event,
		   sd_event_time_handler_t again, void *owner);

/* The targets that are left alone, a blank between. */
void contest_names(const struct contest *c, char *ret, size_t size);

/* Forgets who changed what, but not for how long it was left alone last. */
void contest_retry(struct contest *c);

/* Forgets everything: somebody has asked. */
void contest_reset(struct contest *c);
