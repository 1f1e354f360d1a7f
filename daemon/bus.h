/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The front-end on the system's D-Bus: everybody may read, polkit says who may change. */
#pragma once

#include "manager.h"

struct bus;

/*
 * Connects as soon as there is a bus, and again when it went away. Below a root that is not the
 * running system only the bus that DBUS_SYSTEM_BUS_ADDRESS names is served; without one ret_ is
 * NULL. 0 or errno.
 */
int bus_new(sd_event *event, struct pthru_ctx *ctx, struct manager *manager, struct bus **ret);
struct bus *bus_free(struct bus *b);
