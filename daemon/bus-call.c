/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One method call: who asks, whether they may, and the answer when there is one. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus-part.h"
#include "log.h"
#include "macro.h"
#include "strbuf.h"
#include "text.h"

#define CALLS_MAX	128 /* at once */
#define CALLS_OF_OTHERS 32  /* of those who are not root */
#define CALLS_OF_ONE	8   /* of one connection */

#define TEXT_MAX (16u << 20) /* half of what a bus takes in one message */

#define DBUS	  "org.freedesktop.DBus"
#define DBUS_PATH "/org/freedesktop/DBus"

static void call_free(struct bus_call *call)
{
	for (struct bus_call **at = &call->bus->calls; *at; at = &(*at)->next) {
		if (*at == call) {
			*at = call->next;
			break;
		}
	}
	if (call->question)
		bus_polkit_cancel(call);
	if (call->asked)
		manager_forget(call->bus->manager, &call->request);
	sd_bus_slot_unref(call->gone);
	sd_bus_slot_unref(call->waits);
	sd_bus_message_unref(call->message);
	free(call);
}

void bus_calls_drop(struct bus *b)
{
	while (b->calls)
		call_free(b->calls);
}

static void refuse(struct bus_call *call, const char *name, const char *why)
{
	(void)sd_bus_reply_method_errorf(call->message, name, "%s", why);
	call_free(call);
}

void bus_call_reply(struct bus_call *call, int code, const char *text)
{
	if (strlen(text) > TEXT_MAX)
		(void)sd_bus_reply_method_errorf(call->message, SD_BUS_ERROR_LIMITS_EXCEEDED,
						 "the document is too large for a message");
	else if (*text)
		(void)sd_bus_reply_method_return(call->message, "si", text, code);
	else
		(void)sd_bus_reply_method_errorf(
			call->message, SD_BUS_ERROR_FAILED,
			"no worker could answer, see the journal of passthroughd.service");
	call_free(call);
}

static void answer(struct request *request, int code, int out, int err _unused_)
{
	struct bus_call *call = (struct bus_call *)request;
	_cleanup_free_ char *text = NULL;

	call->asked = false;
	bus_call_reply(call, code, text_read(out, &text) < 0 ? "" : text);
}

/* The caller may: what it asks for is done. */
static void go(struct bus_call *call)
{
	if (call->verb->verb == WIRE_PLAN || call->verb->verb == WIRE_STATUS) {
		bus_reading_join(call);
		return;
	}
	log_line(LOG_PRIORITY_NOTICE, "D-Bus: user %" PRIu32 " asks for %s", call->uid,
		 sd_bus_message_get_member(call->message));
	call->request = (struct request){.what = {.verb = call->verb->verb, .form = PTHRU_JSON},
					 .open = !call->root,
					 .answer = answer};
	call->asked = true;
	manager_ask(call->bus->manager, &call->request);
}

static int on_judged(sd_bus_message *reply, void *userdata, sd_bus_error *unused _unused_)
{
	struct bus_call *call = userdata;
	sd_bus_error error = SD_BUS_ERROR_NULL;

	call->question = 0;
	if (bus_polkit_granted(reply, call, &error))
		go(call);
	else
		refuse(call, error.name, error.message);
	sd_bus_error_free(&error);
	return 0;
}

static unsigned count_others(const struct bus *b)
{
	unsigned n = 0;

	for (const struct bus_call *call = b->calls; call; call = call->next)
		n += call->others;
	return n;
}

static void judge(struct bus_call *call)
{
	int err;

	if (count_others(call->bus) >= CALLS_OF_OTHERS) {
		refuse(call, SD_BUS_ERROR_LIMITS_EXCEEDED, "too many calls wait for an answer");
		return;
	}
	call->others = true;
	if (!call->verb->action) {
		go(call);
		return;
	}
	call->waits = sd_bus_slot_unref(call->waits);
	err = bus_polkit_ask(call, on_judged);
	if (err < 0)
		refuse(call, SD_BUS_ERROR_ACCESS_DENIED, "polkit cannot be asked");
}

static int on_user(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_)
{
	struct bus_call *call = userdata;

	/* Most likely it has gone. */
	if (sd_bus_message_is_method_error(reply, NULL) ||
	    sd_bus_message_read(reply, "u", &call->uid) < 0) {
		refuse(call, SD_BUS_ERROR_ACCESS_DENIED, "the bus does not say who asks");
		return 0;
	}
	/* As on the control socket: root, or who runs the daemon. */
	call->root = call->uid == 0 || call->uid == geteuid();
	if (call->root)
		go(call);
	else
		judge(call);
	return 0;
}

static int on_gone(sd_bus_message *signal _unused_, void *userdata, sd_bus_error *error _unused_)
{
	call_free(userdata);
	return 0;
}

/* That nobody tells when the caller goes costs us no more than its answer. */
static int on_match(sd_bus_message *reply _unused_, void *userdata _unused_,
		    sd_bus_error *error _unused_)
{
	return 0;
}

/* Asked after its end was to be told: one of the two tells it. */
static int ask_who(struct bus_call *call, const char *sender)
{
	_cleanup_strbuf_ struct strbuf match = {0};
	int err;

	strbuf_addf(&match,
		    "type='signal',sender='" DBUS "',path='" DBUS_PATH "',interface='" DBUS
		    "',member='NameOwnerChanged',arg0='%s'",
		    sender);
	err = match.error;
	if (err >= 0)
		err = sd_bus_add_match_async(call->bus->bus, &call->gone, strbuf_text(&match),
					     on_gone, on_match, call);
	if (err >= 0)
		err = sd_bus_call_method_async(call->bus->bus, &call->waits, DBUS, DBUS_PATH, DBUS,
					       "GetConnectionUnixUser", on_user, call, "s", sender);
	return err;
}

static bool too_many(const struct bus *b, const char *sender)
{
	unsigned all = 0, own = 0;

	for (const struct bus_call *call = b->calls; call; call = call->next) {
		all++;
		own += strcmp(sd_bus_message_get_sender(call->message), sender) == 0;
	}
	return all >= CALLS_MAX || own >= CALLS_OF_ONE;
}

int bus_call_take(struct bus *b, sd_bus_message *message, const struct bus_verb *verb,
		  sd_bus_error *error)
{
	const char *sender = sd_bus_message_get_sender(message);
	struct bus_call *call;
	int err;

	if (!sender)
		return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "who asks?");
	if (too_many(b, sender))
		return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
					"too many calls wait for an answer");
	call = calloc(1, sizeof(*call));
	if (!call)
		return -ENOMEM;
	*call = (struct bus_call){
		.bus = b, .verb = verb, .message = sd_bus_message_ref(message), .next = b->calls};
	b->calls = call;
	err = ask_who(call, sender);
	if (err < 0) {
		call_free(call);
		return err;
	}
	return 1;
}
