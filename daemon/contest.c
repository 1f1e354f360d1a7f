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

static struct contest_file *slot(struct contest *c, const char *path)
{
	struct contest_file *empty = NULL;

	for (size_t i = 0; i < CONTEST_FILES; i++) {
		if (strcmp(c->files[i].path, path) == 0)
			return &c->files[i];
		if (!*c->files[i].path && !empty)
			empty = &c->files[i];
	}
	if (!empty || strlen(path) >= sizeof(empty->path))
		return NULL;
	snprintf(empty->path, sizeof(empty->path), "%s", path);
	return empty;
}

int contest_healed(struct contest *c, const char *path, sd_event *event,
		   sd_event_time_handler_t again, void *owner)
{
	struct contest_file *file = slot(c, path);
	uint64_t now = 0;
	int err = sd_event_now(event, CLOCK_MONOTONIC, &now);

	if (err < 0 || !file)
		return err < 0 ? err : 0;
	if (!file->heals || now - file->since > WINDOW)
		*file = (struct contest_file){.since = now};
	snprintf(file->path, sizeof(file->path), "%s", path);
	if (++file->heals < HEALS)
		return 0;
	c->pause = c->pause ? c->pause * 2 : PAUSE_MIN;
	if (c->pause > PAUSE_MAX)
		c->pause = PAUSE_MAX;
	c->source = sd_event_source_disable_unref(c->source);
	err = sd_event_add_time_relative(event, &c->source, CLOCK_MONOTONIC, c->pause * MINUTE,
					 MINUTE, again, owner);
	return err < 0 ? err : 1;
}

void contest_paths(const struct contest *c, char *ret, size_t size)
{
	size_t n = 0;

	*ret = '\0';
	for (size_t i = 0; i < CONTEST_FILES; i++) {
		const struct contest_file *file = &c->files[i];

		if (file->heals >= HEALS && n + strlen(file->path) + 2 < size)
			n += (size_t)snprintf(ret + n, size - n, "%s%s", n ? " " : "", file->path);
	}
}

void contest_retry(struct contest *c)
{
	memset(c->files, 0, sizeof(c->files));
	c->source = sd_event_source_disable_unref(c->source);
}

void contest_reset(struct contest *c)
{
	contest_retry(c);
	c->pause = 0;
}
