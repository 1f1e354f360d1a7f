/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everybody may read, and each look at the host is a worker with root's privileges: however many
 * ask however often, there is one at a time of a kind, and a pause between two.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bus-part.h"
#include "log.h"
#include "macro.h"
#include "text.h"

#define PAUSE  UINT64_C(200000) /* usec, from one beginning to the next */
#define LEEWAY UINT64_C(10000)

static void arm(struct bus_reading *r);

static bool wanted(const struct bus_reading *r)
{
	for (const struct bus_call *call = r->bus->calls; call; call = call->next)
		if (call->reading == r && !call->begun)
			return true;
	return false;
}

static void reply_all(struct bus_reading *r, int code, const char *text)
{
	for (struct bus_call *call = r->bus->calls, *next; call; call = next) {
		next = call->next;
		if (call->reading == r && call->begun)
			bus_call_reply(call, code, text);
	}
}

static void answer(struct request *request, int code, int out, int err _unused_)
{
	struct bus_reading *r = (struct bus_reading *)request;
	_cleanup_free_ char *text = NULL;

	r->under_way = false;
	if (text_read(out, &text) < 0)
		reply_all(r, code, "");
	else
		reply_all(r, code, text);
	if (wanted(r))
		arm(r);
}

static int on_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata)
{
	struct bus_reading *r = userdata;

	if (!wanted(r))
		return 0;
	for (struct bus_call *call = r->bus->calls; call; call = call->next)
		if (call->reading == r)
			call->begun = true;
	r->under_way = true;
	(void)sd_event_now(r->bus->event, CLOCK_MONOTONIC, &r->began);
	manager_ask(r->bus->manager, &r->request);
	return 0;
}

static void arm(struct bus_reading *r)
{
	const uint64_t at = r->began ? r->began + PAUSE : 0;
	int err = 0;

	if (!r->timer)
		err = sd_event_add_time(r->bus->event, &r->timer, CLOCK_MONOTONIC, at, LEEWAY,
					on_time, r);
	if (err >= 0)
		err = sd_event_source_set_time(r->timer, at);
	if (err >= 0)
		err = sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
	if (err < 0)
		log_line(LOG_PRIORITY_ERROR, "D-Bus: nothing can be read: %s", strerror(-err));
}

void bus_reading_join(struct bus_call *call)
{
	const bool plan = call->verb->verb == WIRE_PLAN;
	struct bus_reading *r = &call->bus->readings[!plan	  ? READING_STATUS
						     : call->root ? READING_PLAN
								  : READING_PLAN_OPEN];

	call->reading = r;
	if (!r->under_way)
		arm(r);
}

void bus_readings_init(struct bus *b)
{
	for (int i = 0; i < _READING_MAX; i++)
		b->readings[i] = (struct bus_reading){
			.request = {.what = {.verb = i == READING_STATUS ? WIRE_STATUS : WIRE_PLAN,
					     .form = PTHRU_JSON},
				    .open = i != READING_PLAN,
				    .answer = answer},
			.bus = b};
}

void bus_readings_done(struct bus *b)
{
	for (int i = 0; i < _READING_MAX; i++) {
		manager_forget(b->manager, &b->readings[i].request);
		sd_event_source_disable_unref(b->readings[i].timer);
	}
}
