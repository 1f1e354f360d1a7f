/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, and which interface leads to which: what /proc/net says without a socket. */
#include "observe-net.h"

#define MAPPED	     96 /* bits in front of an IPv4 address */
#define ROUTE_UP     0x1
#define ROUTE_REJECT 0x200

/* --- addresses ------------------------------------------------------------------------------- */

static const struct net_address mapped = {.at = {[10] = 0xff, [11] = 0xff}};

bool net_address_parse(const char *text, struct net_address *ret)
{
	struct net_address a = mapped;

	if (inet_pton(AF_INET, text, a.at + 12) != 1 && inet_pton(AF_INET6, text, a.at) != 1)
		return false;
	*ret = a;
	return true;
}

bool net_address_write(const struct net_address *a, char ret[static INET6_ADDRSTRLEN])
{
	bool four = memcmp(a->at, mapped.at, 12) == 0;

	return inet_ntop(four ? AF_INET : AF_INET6, four ? a->at + 12 : a->at, ret,
			 INET6_ADDRSTRLEN);
}

const char *net_address_text(struct observer *o, const struct net_address *a)
{
	char text[INET6_ADDRSTRLEN];

	return net_address_write(a, text) ? keep(o, text) : NULL;
}

/* n bytes, two digits each. */
static bool bytes_of(const char *hex, uint8_t *ret, size_t n)
{
	if (strlen(hex) != 2 * n || strspn(hex, "0123456789abcdefABCDEF") != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char pair[] = {hex[2 * i], hex[2 * i + 1], '\0'};

		ret[i] = (uint8_t)hex_of(pair);
	}
	return true;
}

bool net_address_bytes(const char *hex, struct net_address *ret)
{
	return bytes_of(hex, ret->at, sizeof(ret->at));
}

bool net_address_words(const char *hex, struct net_address *ret)
{
	size_t n = strlen(hex) == 8 ? 4 : 16;
	struct net_address a = mapped;
	uint8_t bytes[16];

	if (!bytes_of(hex, bytes, n))
		return false;
	for (size_t i = 0; i < n; i++)
		a.at[16 - n + i] = bytes[i / 4 * 4 + 3 - i % 4];
	*ret = a;
	return true;
}

bool net_is_loopback(const struct net_address *a)
{
	static const struct net_address four = {.at = {[10] = 0xff, [11] = 0xff, [12] = 127}};
	static const struct net_address six = {.at = {[15] = 1}};

	return memcmp(a, &four, 13) == 0 || memcmp(a, &six, sizeof(six)) == 0;
}

void net_note_address(struct observer *o, const char *text, const char *name)
{
	struct host_address a = {.text = text, .iface = keep(o, name)};

	array_foreach(it, &o->host->addresses)
		if (strcmp(it->text, text) == 0)
			return;
	kept(o, array_push(o->a, &o->host->addresses, a) == 0);
}

/* --- what the kernel lists ------------------------------------------------------------------- */

static void add_route(struct observer *o, struct net *net, struct route *route)
{
	struct iface *i = iface_named(net, route->name);

	if (!i)
		return;
	route->name = i->name;
	/* Routes of IPv6 are there without an address. */
	i->routed |= route->length >= MAPPED && memcmp(route->to.at, mapped.at, 12) == 0;
	i->routed |= route_is_default(route);
	kept(o, array_push(o->scratch, &net->routes, *route) == 0);
}

/* Iface Destination Gateway Flags RefCnt Use Metric Mask: hexadecimal, a head line first. */
static void read_routes4(struct observer *o, struct net *net)
{
	const char *text = see_text(o, MAX_CONFIG, "/proc/net/route");

	for (const char *line; text && (line = next_line(o, &text));) {
		const char *destination = field_of(o, line, 1), *mask = field_of(o, line, 7);
		unsigned long flags = hex_of(field_of(o, line, 3));
		struct route r = {.name = field_of(o, line, 0)};
		const char *metric = field_of(o, line, 6);

		if (!mask || !(flags & ROUTE_UP) || flags & ROUTE_REJECT ||
		    !net_address_words(destination, &r.to))
			continue;
		r.direct = hex_of(field_of(o, line, 2)) == 0;
		r.metric = strtoul(metric, NULL, 10);
		r.length = MAPPED + (unsigned)__builtin_popcountl(hex_of(mask));
		add_route(o, net, &r);
	}
}

/* Destination Length Source Length Gateway Metric RefCnt Use Flags Iface. */
static void read_routes6(struct observer *o, struct net *net)
{
	const char *text = see_text(o, MAX_CONFIG, "/proc/net/ipv6_route");

	for (const char *line; text && (line = next_line(o, &text));) {
		const char *destination = field_of(o, line, 0), *gateway = field_of(o, line, 4);
		unsigned long flags = hex_of(field_of(o, line, 8));
		struct route r = {.name = field_of(o, line, 9)};

		/* The kernel keeps a rejecting default route on lo. */
		if (!r.name || strcmp(r.name, "lo") == 0 || !(flags & ROUTE_UP) ||
		    flags & ROUTE_REJECT || !net_address_bytes(destination, &r.to))
			continue;
		r.direct = strspn(gateway, "0") == strlen(gateway);
		r.metric = hex_of(field_of(o, line, 5));
		r.length = (unsigned)hex_of(field_of(o, line, 1));
		add_route(o, net, &r);
	}
}

/* Address Index Length Scope Flags Iface; scope 0 is global, what every link has is 20. */
static void read_addresses6(struct observer *o, struct net *net)
{
	const char *text = see_text(o, MAX_CONFIG, "/proc/net/if_inet6");

	for (const char *line; text && (line = next_line(o, &text));) {
		const char *address = field_of(o, line, 0), *name = field_of(o, line, 5);
		struct iface *i = name ? iface_named(net, name) : NULL;
		struct local local = {.name = i ? i->name : NULL};

		if (!i)
			continue;
		i->addressed |= hex_of(field_of(o, line, 3)) == 0;
		if (net_address_bytes(address, &local.at))
			kept(o, array_push(o->scratch, &net->locals, local) == 0);
	}
}

void net_read_routes(struct observer *o, struct net *net)
{
	read_routes4(o, net);
	read_routes6(o, net);
	read_addresses6(o, net);
}

/* --- which leads where ----------------------------------------------------------------------- */

bool route_is_default(const struct route *route)
{
	static const struct net_address none = {0};
	bool four = route->length == MAPPED && memcmp(route->to.at, mapped.at, 12) == 0;

	return (four && memcmp(route->to.at + 12, none.at, 4) == 0) ||
	       (!route->length && memcmp(&route->to, &none, sizeof(none)) == 0);
}

static bool covers(const struct route *route, const struct net_address *a)
{
	unsigned whole = route->length / 8, rest = route->length % 8;

	if (route->length > 128 || memcmp(route->to.at, a->at, whole) != 0)
		return false;
	/* A default route of IPv6 is none for IPv4. */
	if (route->length < MAPPED && memcmp(a->at, mapped.at, 12) == 0)
		return false;
	return !rest || (route->to.at[whole] ^ a->at[whole]) >> (8 - rest) == 0;
}

/* The longest prefix, then the least metric. */
static const char *best(const struct net *net, const struct net_address *a, bool direct)
{
	const struct route *found = NULL;

	array_foreach(it, &net->routes) {
		if (!covers(it, a) || (direct && (!it->direct || route_is_default(it))))
			continue;
		if (!found || it->length > found->length ||
		    (it->length == found->length && it->metric < found->metric))
			found = it;
	}
	return found ? found->name : NULL;
}

const char *net_toward(const struct net *net, const struct net_address *a)
{
	return best(net, a, false);
}

/* What is no address of IPv6 that is listed is in the network that its interface is directly in. */
const char *net_local(const struct net *net, const struct net_address *a)
{
	array_foreach(it, &net->locals)
		if (memcmp(&it->at, a, sizeof(*a)) == 0)
			return it->name;
	return best(net, a, true);
}
