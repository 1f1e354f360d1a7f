/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may change something: polkit says it, without our waiting for it (10.14). */
#include <inttypes.h>
#include <stdio.h>

#include "bus-part.h"

#define POLKIT		 "org.freedesktop.PolicyKit1"
#define POLKIT_PATH	 "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE POLKIT ".Authority"
#define POLKIT_SUBJECT	 "system-bus-name"
#define INTERACTION	 1u /* polkit may ask for a password */

#define ID_SIZE 32

static bool may_interact(const struct bus_call *call)
{
	return sd_bus_message_get_allow_interactive_authorization(call->message) > 0;
}

static void format_id(uint64_t question, char ret[static ID_SIZE])
{
	snprintf(ret, ID_SIZE, "%" PRIu64, question);
}

int bus_polkit_ask(struct bus_call *call, sd_bus_message_handler_t answered)
{
	sd_bus_message *question = NULL;
	char id[ID_SIZE];
	int err = sd_bus_message_new_method_call(call->bus->bus, &question, POLKIT, POLKIT_PATH,
						 POLKIT_INTERFACE, "CheckAuthorization");

	call->question = ++call->bus->questions;
	format_id(call->question, id);
	if (err >= 0)
		err = sd_bus_message_append(question, "(sa{sv})sa{ss}us", POLKIT_SUBJECT, 1, "name",
					    "s", sd_bus_message_get_sender(call->message),
					    call->verb->action, 0,
					    may_interact(call) ? INTERACTION : 0u, id);
	/* A person may be typing: there is no limit, but the caller's patience. */
	if (err >= 0)
		err = sd_bus_call_async(call->bus->bus, &call->waits, question, answered, call,
					UINT64_MAX);
	sd_bus_message_unref(question);
	return err < 0 ? err : 0;
}

void bus_polkit_cancel(const struct bus_call *call)
{
	char id[ID_SIZE];

	format_id(call->question, id);
	(void)sd_bus_call_method_async(call->bus->bus, NULL, POLKIT, POLKIT_PATH, POLKIT_INTERFACE,
				       "CancelCheckAuthorization", NULL, NULL, "s", id);
}

bool bus_polkit_granted(sd_bus_message *reply, const struct bus_call *call, sd_bus_error *error)
{
	int granted = 0, challenge = 0;

	if (sd_bus_message_is_method_error(reply, NULL)) {
		sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED,
				 "only root may do this while polkit does not answer");
		return false;
	}
	if (sd_bus_message_enter_container(reply, 'r', "bba{ss}") < 0 ||
	    sd_bus_message_read(reply, "bb", &granted, &challenge) < 0)
		granted = challenge = 0;
	if (granted)
		return true;
	if (challenge && !may_interact(call))
		sd_bus_error_set(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
				 "this needs an administrator's password");
	else
		sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "polkit does not allow it");
	return false;
}
