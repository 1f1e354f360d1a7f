/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the front-end on D-Bus, for each other. */
#pragma once

#include <systemd/sd-bus.h>

#include "bus.h"
#include "retry.h"

#define BUS_NAME   "org.passthroughd.Passthrough1"
#define BUS_PATH   "/org/passthroughd/Passthrough1"
#define BUS_DEVICE BUS_PATH "/device"

enum bus_reading_kind {
	READING_STATUS,
	READING_PLAN,
	READING_PLAN_OPEN, /* for those who may not read every file */
	_READING_MAX
};

struct bus_call;

/* What many callers may ask for at once is read for all of them by one worker. */
struct bus_reading {
	struct request request; /* first: an answer leads back to the reading */
	struct bus *bus;
	bool under_way;
	uint64_t began; /* the last one, monotonic usec */
	sd_event_source *timer;
};

struct bus {
	sd_event *event;	 /* borrowed */
	struct manager *manager; /* borrowed */
	const char *address;
	sd_bus *bus;	/* NULL while it is not even waited for */
	bool up;	/* connected */
	uint64_t since; /* when, monotonic usec */
	sd_event_source *lost;
	struct retry retry;
	uint64_t questions;	   /* that polkit was asked so far */
	const struct state *shown; /* borrowed: what devices are looked up in */
	struct bus_call *calls;
	struct bus_reading readings[_READING_MAX];
};

/* --- calls (bus-call.c) ----------------------------------------------------------------------- */

struct bus_verb {
	enum wire_verb verb;
	const char *action; /* what polkit is asked for; NULL: everybody may */
};

/* One call that is answered later; freed by its answer, or when the caller has gone. */
struct bus_call {
	struct request request; /* first: an answer leads back to the call */
	struct bus *bus;
	const struct bus_verb *verb;
	sd_bus_message *message;
	sd_bus_slot *gone;	     /* hears of the caller's end */
	sd_bus_slot *waits;	     /* for the caller's user, or for polkit */
	uint64_t question;	     /* that polkit has not answered yet; 0 */
	uint32_t uid;		     /* the caller's */
	bool root;		     /* that is root, or who runs the daemon */
	bool others;		     /* the caller is not, and counts as one of many */
	bool asked;		     /* the manager holds the request */
	struct bus_reading *reading; /* which it shares; NULL */
	bool begun;		     /* the worker that reads for it is at work */
	struct bus_call *next;
};

/* A method's handler: takes the call in, or refuses it. */
int bus_call_take(struct bus *b, sd_bus_message *message, const struct bus_verb *verb,
		  sd_bus_error *error);

/* Replies, and frees the call. text "": nobody could say anything. */
void bus_call_reply(struct bus_call *call, int code, const char *text);

/* Nobody is to be answered any more. */
void bus_calls_drop(struct bus *b);

/* --- reading (bus-reading.c) ------------------------------------------------------------------ */

void bus_readings_init(struct bus *b);
void bus_readings_done(struct bus *b);

/* The call is answered by a worker that begins from now on. */
void bus_reading_join(struct bus_call *call);

/* --- objects ---------------------------------------------------------------------------------- */

/* Each adds its objects to a new connection. 0 or negative errno. */
int bus_manager_add(struct bus *b);
int bus_devices_add(struct bus *b);

/* Each emits what has changed; devices set what is shown. */
void bus_manager_changed(struct bus *b, const struct state *before, const struct state *now);
void bus_devices_changed(struct bus *b, const struct state *before, const struct state *now);

/* --- polkit (bus-polkit.c) -------------------------------------------------------------------- */

/* Asks whether the caller may: answered is called with polkit's reply. 0 or negative errno. */
int bus_polkit_ask(struct bus_call *call, sd_bus_message_handler_t answered);

/* The question is no longer of interest; nobody need type a password for it. */
void bus_polkit_cancel(const struct bus_call *call);

/* Whether polkit's reply says yes; sets error when it does not. */
bool bus_polkit_granted(sd_bus_message *reply, const struct bus_call *call, sd_bus_error *error);
