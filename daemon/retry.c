/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "retry.h"

#include <stdint.h>
#include <time.h>

#define PAUSE_FIRST 5
#define PAUSE_MAX   300
#define USEC	    UINT64_C(1000000)

int retry_later(struct retry *r, sd_event *event, sd_event_time_handler_t again, void *owner)
{
	int err;

	r->source = sd_event_source_disable_unref(r->source);
	r->pause = r->pause ? r->pause * 2 : PAUSE_FIRST;
	if (r->pause > PAUSE_MAX)
		r->pause = PAUSE_MAX;
	err = sd_event_add_time_relative(event, &r->source, CLOCK_MONOTONIC, r->pause * USEC, 0,
					 again, owner);
	return err < 0 ? err : 0;
}

void retry_reset(struct retry *r)
{
	r->pause = 0;
}

void retry_stop(struct retry *r)
{
	r->source = sd_event_source_disable_unref(r->source);
}
