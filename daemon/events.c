/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "events.h"

#include <string.h>

#include "log.h"

#define DEVICE	"device:"
#define BLOCKED "blocked"

static enum log_priority priority_of(const char *state)
{
	return strcmp(state, BLOCKED) == 0 ? LOG_PRIORITY_WARNING : LOG_PRIORITY_INFO;
}

/* The name behind "device:", NULL for items of another kind. */
static const char *device_of(const char *id)
{
	return strncmp(id, DEVICE, strlen(DEVICE)) == 0 ? id + strlen(DEVICE) : NULL;
}

static void tell_item(const struct state_item *item, const char *before)
{
	const char *device = device_of(item->id), *code = *item->code ? item->code : NULL;
	const struct log_fields fields = {
		.item = item->id, .device = device, .state = item->state, .code = code};

	log_event(device ? MESSAGE_DEVICE : MESSAGE_ITEM, priority_of(item->state), fields,
		  "%s is %s%s%s%s%s", item->id, item->state, code ? " by " : "", code ? code : "",
		  before ? "; it was " : "", before ? before : "");
}

static void tell_items(const struct state *before, const struct state *now)
{
	for (size_t i = 0; i < now->devices->n_items; i++) {
		const struct state_item *item = &now->devices->items[i];
		const struct state_item *was = state_item(before, item->id);

		if (!was || strcmp(was->state, item->state) != 0 ||
		    strcmp(was->code, item->code) != 0)
			tell_item(item, was ? was->state : NULL);
	}
	for (size_t i = 0; before->devices && i < before->devices->n_items; i++) {
		const struct state_item *item = &before->devices->items[i];

		if (state_item(now, item->id))
			continue;
		log_event(device_of(item->id) ? MESSAGE_DEVICE : MESSAGE_ITEM, LOG_PRIORITY_INFO,
			  (struct log_fields){
				  .item = item->id, .device = device_of(item->id), .state = "gone"},
			  "%s is no longer wished; it was %s", item->id, item->state);
	}
}

void events_tell(const struct state *before, const struct state *now)
{
	if (before->devices == now->devices || !now->devices)
		return;
	tell_items(before, now);
	if (before->reboot != now->reboot)
		log_event(MESSAGE_REBOOT, now->reboot ? LOG_PRIORITY_NOTICE : LOG_PRIORITY_INFO,
			  (struct log_fields){.state = now->reboot ? "outstanding" : "none"},
			  now->reboot ? "a reboot is outstanding" : "no reboot is outstanding");
}
