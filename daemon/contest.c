/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "contest.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "macro.h"

#define HEALS	  3 /* within WINDOW; the next change is left alone */
#define MINUTE	  (60 * UINT64_C(1000000))
#define WINDOW	  (10 * MINUTE)
#define PAUSE_MIN 10	    /* minutes */
#define PAUSE_MAX (24 * 60) /* minutes */

static struct contest_thing *slot(struct contest *c, const char *name)
{
	struct contest_thing *empty = NULL;

	for (size_t i = 0; i < CONTEST_THINGS; i++) {
		if (strcmp(c->things[i].name, name) == 0)
			return &c->things[i];
		if (!*c->things[i].name && !empty)
			empty = &c->things[i];
	}
	if (!empty || strlen(name) >= sizeof(empty->name))
		return NULL;
	snprintf(empty->name, sizeof(empty->name), "%s", name);
	return empty;
}

int contest_healed(struct contest *c, const char *name, sd_event *event,
		   sd_event_time_handler_t again, void *owner)
{
	struct contest_thing *thing = slot(c, name);
	uint64_t now = 0;
	int err = sd_event_now(event, CLOCK_MONOTONIC, &now);

	if (err < 0 || !thing)
		return err < 0 ? err : 0;
	if (!thing->heals || now - thing->since > WINDOW)
		*thing = (struct contest_thing){.since = now};
	snprintf(thing->name, sizeof(thing->name), "%s", name);
	if (++thing->heals < HEALS)
		return 0;
	c->pause = c->pause ? c->pause * 2 : PAUSE_MIN;
	if (c->pause > PAUSE_MAX)
		c->pause = PAUSE_MAX;
	c->source = sd_event_source_disable_unref(c->source);
	err = sd_event_add_time_relative(event, &c->source, CLOCK_MONOTONIC, c->pause * MINUTE,
					 MINUTE, again, owner);
	return err < 0 ? err : 1;
}

void contest_names(const struct contest *c, char *ret, size_t size)
{
	size_t n = 0;

	*ret = '\0';
	for (size_t i = 0; i < CONTEST_THINGS; i++) {
		const struct contest_thing *thing = &c->things[i];

		if (thing->heals >= HEALS && n + strlen(thing->name) + 2 < size)
			n += (size_t)snprintf(ret + n, size - n, "%s%s", n ? " " : "", thing->name);
	}
}

void contest_retry(struct contest *c)
{
	memset(c->things, 0, sizeof(c->things));
	c->source = sd_event_source_disable_unref(c->source);
}

void contest_reset(struct contest *c)
{
	contest_retry(c);
	c->pause = 0;
}
