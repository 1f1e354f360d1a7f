/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trying again while somebody holds a device: first after 5 s, then twice as long each time, up to
 * 5 minutes. Nothing wakes up while nothing is held.
 */
#pragma once

#include <systemd/sd-event.h>

struct retry { /* zero-initialise; free with retry_stop */
	sd_event_source *source;
	unsigned pause; /* seconds, 0: not trying */
};

/* Calls again(owner) once the next pause is over. 0 or negative errno. */
int retry_later(struct retry *r, sd_event *event, sd_event_time_handler_t again, void *owner);

/* The next pause is as short as the first. */
void retry_reset(struct retry *r);

/* Nothing is called any more until the next retry_later. */
void retry_stop(struct retry *r);
