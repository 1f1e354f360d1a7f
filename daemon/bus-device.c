/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An object for each device that the spec names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus-part.h"
#include "macro.h"

#define INTERFACE BUS_NAME ".Device"

static int get_text(sd_bus *bus _unused_, const char *path _unused_, const char *interface _unused_,
		    const char *property, sd_bus_message *reply, void *userdata,
		    sd_bus_error *error _unused_)
{
	const struct state_device *device = userdata;
	const char *text = strcmp(property, "Name") == 0    ? device->name
			   : strcmp(property, "State") == 0 ? device->state
							    : device->method;

	return sd_bus_message_append(reply, "s", text);
}

static int get_addresses(sd_bus *bus _unused_, const char *path _unused_,
			 const char *interface _unused_, const char *property _unused_,
			 sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_)
{
	const struct state_device *device = userdata;
	_cleanup_free_ char *text = strdup(device->addresses);
	char *rest = text, *address;
	int err = text ? sd_bus_message_open_container(reply, 'a', "s") : -ENOMEM;

	while (err >= 0 && (address = strsep(&rest, " ")))
		if (*address)
			err = sd_bus_message_append(reply, "s", address);
	return err < 0 ? err : sd_bus_message_close_container(reply);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Name", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("State", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Method", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Addresses", "as", get_addresses, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_VTABLE_END,
};

static int find(sd_bus *bus _unused_, const char *path, const char *interface _unused_,
		void *userdata, void **ret, sd_bus_error *error _unused_)
{
	const struct bus *b = userdata;
	_cleanup_free_ char *name = NULL;
	int err = sd_bus_path_decode(path, BUS_DEVICE, &name);
	const struct state_device *device = err > 0 ? state_device(b->shown, name) : NULL;

	if (!device)
		return err < 0 ? err : 0;
	*ret = (void *)(uintptr_t)device; /* only ever read */
	return 1;
}

static int enumerate(sd_bus *bus _unused_, const char *prefix _unused_, void *userdata, char ***ret,
		     sd_bus_error *error _unused_)
{
	const struct bus *b = userdata;
	const size_t n = b->shown->devices ? b->shown->devices->n : 0;
	char **paths = calloc(n + 1, sizeof(*paths));
	int err = paths ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && err >= 0; i++)
		err = sd_bus_path_encode(BUS_DEVICE, b->shown->devices->at[i].name, &paths[i]);
	if (err < 0) {
		for (size_t i = 0; paths && i < n; i++)
			free(paths[i]);
		free(paths);
		return err;
	}
	*ret = paths;
	return 0;
}

int bus_devices_add(struct bus *b)
{
	int err = sd_bus_add_fallback_vtable(b->bus, NULL, BUS_DEVICE, INTERFACE, vtable, find, b);

	return err < 0 ? err : sd_bus_add_node_enumerator(b->bus, NULL, BUS_DEVICE, enumerate, b);
}

static void emit_changes(struct bus *b, const char *path, const struct state_device *before,
			 const struct state_device *now)
{
	const char *names[4] = {0}; /* the first NULL ends the list */
	size_t n = 0;

	if (strcmp(before->state, now->state) != 0)
		names[n++] = "State";
	if (strcmp(before->method, now->method) != 0)
		names[n++] = "Method";
	if (strcmp(before->addresses, now->addresses) != 0)
		names[n++] = "Addresses";
	if (n)
		(void)sd_bus_emit_properties_changed(b->bus, path, INTERFACE, names[0], names[1],
						     names[2], NULL);
}

/* Each device of one state beside the one of that name in the other; NULL where there is none. */
static void compare(struct bus *b, const struct state *these, const struct state *others,
		    void (*tell)(struct bus *b, const char *path, const struct state_device *one,
				 const struct state_device *other))
{
	for (size_t i = 0; these->devices && i < these->devices->n; i++) {
		const struct state_device *one = &these->devices->at[i];
		_cleanup_free_ char *path = NULL;

		if (sd_bus_path_encode(BUS_DEVICE, one->name, &path) >= 0)
			tell(b, path, one, state_device(others, one->name));
	}
}

static void tell_removed(struct bus *b, const char *path, const struct state_device *one _unused_,
			 const struct state_device *now)
{
	if (!now)
		(void)sd_bus_emit_object_removed(b->bus, path);
}

static void tell_present(struct bus *b, const char *path, const struct state_device *one,
			 const struct state_device *before)
{
	if (before)
		emit_changes(b, path, before, one);
	else
		(void)sd_bus_emit_object_added(b->bus, path);
}

/* sd-bus looks up what is removed while that is still there. */
void bus_devices_changed(struct bus *b, const struct state *before, const struct state *now)
{
	if (b->up && before->devices != now->devices) {
		b->shown = before;
		compare(b, before, now, tell_removed);
		b->shown = now;
		compare(b, now, before, tell_present);
	}
	b->shown = now;
}
