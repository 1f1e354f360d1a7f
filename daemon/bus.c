/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection: its beginning, its end, and the next one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bus-part.h"
#include "log.h"
#include "macro.h"

#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"
#define LOCAL	   "org.freedesktop.DBus.Local"
#define LOCAL_PATH "/org/freedesktop/DBus/Local"
#define STABLE	   UINT64_C(5000000) /* usec; a bus that ends sooner is not run after */

static void begin(struct bus *b);

static int on_named(sd_bus_message *reply, void *userdata _unused_, sd_bus_error *error _unused_)
{
	const sd_bus_error *why = sd_bus_message_get_error(reply);

	if (why)
		log_line(LOG_PRIORITY_WARNING, "D-Bus: " BUS_NAME " is not ours: %s",
			 why->message ? why->message : why->name);
	return 0;
}

static int on_connected(sd_bus_message *signal _unused_, void *userdata,
			sd_bus_error *error _unused_)
{
	struct bus *b = userdata;
	int err;

	b->up = true;
	(void)sd_event_now(b->event, CLOCK_MONOTONIC, &b->since);
	/* The bus may not have seen yet that the daemon before us has ended. */
	err = sd_bus_request_name_async(b->bus, NULL, BUS_NAME, SD_BUS_NAME_QUEUE, on_named, NULL);
	if (err < 0)
		log_line(LOG_PRIORITY_WARNING, "D-Bus: %s", strerror(-err));
	return 0;
}

static void drop(struct bus *b)
{
	b->up = false;
	bus_calls_drop(b);
	b->bus = sd_bus_close_unref(b->bus);
}

static int on_again(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata)
{
	begin(userdata);
	return 0;
}

static void try_later(struct bus *b)
{
	int err = retry_later(&b->retry, b->event, on_again, b);

	if (err < 0)
		log_line(LOG_PRIORITY_ERROR, "D-Bus: no new attempt: %s", strerror(-err));
}

/* A bus that was restarted is waited for; one that throws us out again and again is left alone for
 * a while. */
static int on_lost(sd_event_source *source _unused_, void *userdata)
{
	struct bus *b = userdata;
	uint64_t now = 0;
	bool stable;

	b->lost = sd_event_source_disable_unref(b->lost);
	(void)sd_event_now(b->event, CLOCK_MONOTONIC, &now);
	stable = b->up && now > b->since + STABLE;
	drop(b);
	if (stable) {
		retry_reset(&b->retry);
		begin(b);
	} else {
		try_later(b);
	}
	return 0;
}

/* The connection is still in use while it says this. */
static int on_disconnected(sd_bus_message *signal _unused_, void *userdata,
			   sd_bus_error *error _unused_)
{
	struct bus *b = userdata;

	if (!b->lost && sd_event_add_defer(b->event, &b->lost, on_lost, b) < 0)
		log_line(LOG_PRIORITY_ERROR, "D-Bus: the connection is lost");
	return 0;
}

static int add_signals(struct bus *b)
{
	int err = sd_bus_match_signal(b->bus, NULL, LOCAL, LOCAL_PATH, LOCAL, "Connected",
				      on_connected, b);

	return err < 0 ? err
		       : sd_bus_match_signal(b->bus, NULL, LOCAL, LOCAL_PATH, LOCAL, "Disconnected",
					     on_disconnected, b);
}

/* A bus that is not there yet is waited for by inotify on its socket's folders. */
static int prepare(struct bus *b)
{
	int err = sd_bus_new(&b->bus);

	if (err >= 0)
		err = sd_bus_set_address(b->bus, b->address);
	if (err >= 0)
		err = sd_bus_set_bus_client(b->bus, 1);
	if (err >= 0)
		err = sd_bus_set_watch_bind(b->bus, 1);
	if (err >= 0)
		err = sd_bus_set_connected_signal(b->bus, 1);
	if (err >= 0)
		err = sd_bus_negotiate_fds(b->bus, 0); /* nobody has a file for us */
	if (err >= 0)
		err = add_signals(b);
	if (err >= 0)
		err = bus_manager_add(b);
	return err < 0 ? err : bus_devices_add(b);
}

static void begin(struct bus *b)
{
	int err = prepare(b);

	if (err >= 0)
		err = sd_bus_attach_event(b->bus, b->event, SD_EVENT_PRIORITY_NORMAL);
	if (err >= 0)
		err = sd_bus_start(b->bus);
	if (err >= 0)
		return;
	log_line(LOG_PRIORITY_WARNING, "D-Bus at %s: %s", b->address, strerror(-err));
	drop(b);
	try_later(b);
}

static void on_change(void *owner, const struct state *before, const struct state *now)
{
	struct bus *b = owner;

	bus_devices_changed(b, before, now);
	bus_manager_changed(b, before, now);
}

int bus_new(sd_event *event, struct pthru_ctx *ctx, struct manager *manager, struct bus **ret)
{
	const char *address = getenv("DBUS_SYSTEM_BUS_ADDRESS");
	struct bus *b;

	if (!address && !pthru_is_live(ctx)) {
		*ret = NULL;
		return 0;
	}
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	*b = (struct bus){.event = event,
			  .manager = manager,
			  .address = address ? address : SYSTEM_BUS,
			  .shown = manager_state(manager)};
	bus_readings_init(b);
	manager_listen(manager, &(struct state_listener){b, on_change});
	begin(b);
	*ret = b;
	return 0;
}

struct bus *bus_free(struct bus *b)
{
	if (!b)
		return NULL;
	manager_listen(b->manager, &(struct state_listener){0});
	bus_readings_done(b);
	drop(b);
	sd_event_source_disable_unref(b->lost);
	retry_stop(&b->retry);
	free(b);
	return NULL;
}
