/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The deployment of ostree that the next boot starts: one that is staged, else the first entry. */
#include <stdlib.h>
#include <string.h>

#include "gvariant.h"
#include "observe-parts.h"
#include "paths.h"

#define NO_ENTRY "no entry of a deployment is in /boot/loader/entries"

static void join(struct observer *o, const struct words *args, struct host_deployment *d)
{
	const char *line = "";

	array_foreach(it, args)
		line = keep_printf(o, "%s%s%s", line, *line ? " " : "", *it);
	d->line = line;
}

/*
 * 1 when a deployment is staged. One that is locked is given up when the host goes down
 * (ostree-sysroot-deploy.c); one that brings no line of its own has that of the entries.
 */
static int by_staged(struct observer *o, struct host_deployment *d)
{
	struct gvariant value;
	struct words args = {0};
	const char *bytes;
	size_t size;
	int r = o->tree->ops->read(o->tree, PATH_STAGED, MAX_CONFIG, o->scratch, &bytes, &size);

	if (!kept(o, r != -ENOMEM) || r == -ENOENT || see_exists(o, PATH_STAGED "-locked"))
		return 0;
	d->source = PATH_STAGED;
	if (r < 0) {
		d->why = "it cannot be read";
		return 1;
	}
	if (gvariant_find(bytes, size, "locked", &value) == 0 && gvariant_true(&value))
		return 0;
	d->staged = true;
	r = gvariant_find(bytes, size, "kargs", &value);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = gvariant_strings(o->scratch, &value, &args);
	if (!kept(o, r != -ENOMEM))
		return 1;
	if (r < 0)
		d->why = "it is not what libostree is known to write there";
	else
		join(o, &args, d);
	return 1;
}

/* ostree-N.conf: the highest comes first. */
static long number_of(const char *source)
{
	static const char begin[] = "ostree-";
	const char *name = base_name(source);
	char *end;
	long n;

	if (!has_prefix(name, begin))
		return -1;
	n = strtol(name + strlen(begin), &end, 10);
	return end > name + strlen(begin) && (*end == '.' || *end == '-') ? n : -1;
}

static void by_entries(struct observer *o, struct host_deployment *d)
{
	const struct host_entry *first = NULL;

	array_foreach(it, &o->host->boot.entries)
		if (number_of(it->source) >= 0 &&
		    (!first || number_of(it->source) > number_of(first->source)))
			first = it;
	d->source = d->staged ? PATH_STAGED : first ? first->source : NULL;
	d->line = first ? first->options : NULL;
	d->why = first ? NULL : NO_ENTRY;
}

void observe_deployment(struct observer *o)
{
	struct host_deployment *d = &o->host->boot.deployment;

	if (by_staged(o, d) == 0)
		by_entries(o, d);
}
