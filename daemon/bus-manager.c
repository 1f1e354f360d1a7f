/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The object that stands for the whole service. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus-part.h"
#include "macro.h"

#define INTERFACE BUS_NAME ".Manager"

/* --- methods ---------------------------------------------------------------------------------- */

static int on_plan(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	static const struct bus_verb verb = {WIRE_PLAN, NULL};

	return bus_call_take(userdata, m, &verb, error);
}

static int on_status(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	static const struct bus_verb verb = {WIRE_STATUS, NULL};

	return bus_call_take(userdata, m, &verb, error);
}

static int on_apply(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	static const struct bus_verb verb = {WIRE_APPLY, BUS_NAME ".apply"};

	return bus_call_take(userdata, m, &verb, error);
}

static int on_reload(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	static const struct bus_verb verb = {WIRE_RELOAD, BUS_NAME ".reload"};

	return bus_call_take(userdata, m, &verb, error);
}

/* --- properties ------------------------------------------------------------------------------- */

#define GETTER(name)                                                                               \
	static int name(sd_bus *bus _unused_, const char *path _unused_,                           \
			const char *interface _unused_, const char *property _unused_,             \
			sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_)

static const struct state *state_of(void *userdata)
{
	const struct bus *b = userdata;

	return manager_state(b->manager);
}

GETTER(get_version)
{
	(void)userdata;
	return sd_bus_message_append(reply, "s", PTHRU_VERSION);
}

GETTER(get_state)
{
	return sd_bus_message_append(reply, "s", state_word(state_of(userdata)));
}

GETTER(get_code)
{
	return sd_bus_message_append(reply, "i", state_code(state_of(userdata)));
}

GETTER(get_reboot)
{
	return sd_bus_message_append(reply, "b", (int)state_of(userdata)->reboot);
}

GETTER(get_working)
{
	return sd_bus_message_append(reply, "b", (int)state_of(userdata)->working);
}

/* It may name a file of any bytes, and a bus throws out who sends what is not UTF-8. */
GETTER(get_summary)
{
	char text[STATE_TEXT];

	memcpy(text, state_of(userdata)->summary, sizeof(text));
	for (char *p = text; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return sd_bus_message_append(reply, "s", text);
}

#define ANSWER SD_BUS_RESULT("s", document, "i", exit_code)

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Plan", SD_BUS_NO_ARGS, ANSWER, on_plan,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Status", SD_BUS_NO_ARGS, ANSWER, on_status,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Apply", SD_BUS_NO_ARGS, ANSWER, on_apply,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, ANSWER, on_reload,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("State", "s", get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("ExitCode", "i", get_code, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("RebootRequired", "b", get_reboot, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Summary", "s", get_summary, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Working", "b", get_working, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_VTABLE_END,
};

int bus_manager_add(struct bus *b)
{
	int err = sd_bus_add_object_manager(b->bus, NULL, BUS_PATH);

	return err < 0 ? err
		       : sd_bus_add_object_vtable(b->bus, NULL, BUS_PATH, INTERFACE, vtable, b);
}

void bus_manager_changed(struct bus *b, const struct state *before, const struct state *now)
{
	const char *names[6] = {0}; /* the first NULL ends the list */
	size_t n = 0;

	if (state_code(before) != state_code(now)) {
		names[n++] = "State";
		names[n++] = "ExitCode";
	}
	if (before->reboot != now->reboot)
		names[n++] = "RebootRequired";
	if (strcmp(before->summary, now->summary) != 0)
		names[n++] = "Summary";
	if (before->working != now->working)
		names[n++] = "Working";
	if (b->up && n)
		(void)sd_bus_emit_properties_changed(b->bus, BUS_PATH, INTERFACE, names[0],
						     names[1], names[2], names[3], names[4], NULL);
}
