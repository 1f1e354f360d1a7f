/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of network uses share: interfaces, routes, and the way down to hardware. */
#pragma once

#include <arpa/inet.h>

#include "observe-parts.h"

#define NET "/sys/class/net"

/* 0 without a text. */
static inline unsigned long hex_of(const char *text)
{
	return text ? strtoul(text, NULL, 16) : 0;
}

struct net_address { /* IPv4 as ::ffff:a.b.c.d */
	uint8_t at[16];
};

struct iface {
	const char *name;
	bool hardware; /* addr holds */
	struct pci_addr addr;
	bool up, routed, addressed; /* interface up; some route; a global IPv6 address */
};

struct route {
	const char *name;
	struct net_address to;
	unsigned length; /* 96 and more for IPv4 */
	unsigned long metric;
	bool direct; /* no gateway */
};

struct local { /* an address of the host's, of IPv6 */
	const char *name;
	struct net_address at;
};

struct net {
	ARRAY_OF(struct iface) ifaces; /* sorted by name */
	ARRAY_OF(struct route) routes;
	ARRAY_OF(struct local) locals;
};

struct iface *iface_named(struct net *net, const char *name);

/* Routes of the main table and IPv6 addresses; marks interfaces that have some. */
void net_read_routes(struct observer *o, struct net *net);
bool route_is_default(const struct route *route);

/* The interface that has the address; the one that leads to it. NULL: none. */
const char *net_local(const struct net *net, const struct net_address *a);
const char *net_toward(const struct net *net, const struct net_address *a);

/* As people write it, and as /proc/net does: 32 digits as they are sent, or words of 8 digits, each
 * as the CPU has it. */
bool net_address_parse(const char *text, struct net_address *ret);
bool net_address_bytes(const char *hex, struct net_address *ret);
bool net_address_words(const char *hex, struct net_address *ret);

/* For people; false never happens to what was parsed. */
bool net_address_write(const struct net_address *a, char ret[static INET6_ADDRSTRLEN]);
const char *net_address_text(struct observer *o, const struct net_address *a);

bool net_is_loopback(const struct net_address *a);
/* Keeps an address that a use was found by, for a capture; name: see struct host_address. */
void net_note_address(struct observer *o, const char *text, const char *name);

/* Adds the use to every function below the interface; before and after stand around the way. */
void net_use(struct observer *o, struct net *net, const char *name, enum use_kind kind,
	     const char *before, const char *after);

/* SSH sessions to this host. */
void observe_sessions(struct observer *o, struct net *net);
