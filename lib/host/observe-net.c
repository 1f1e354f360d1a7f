/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which functions carry the network: from default routes and addresses down through bridges, VLANs
 * and bonds to the interfaces of hardware.
 */
#include "observe-parts.h"

#define NET   "/sys/class/net"
#define DEPTH 16 /* layers; a stack that deep is a loop */

#define FLAG_UP 0x1 /* IFF_UP, and RTF_UP of a route */

struct iface {
	const char *name;
	bool hardware; /* addr holds */
	struct pci_addr addr;
	bool up, routed, addressed; /* interface up; some route; a global IPv6 address */
};

struct net {
	ARRAY_OF(struct iface) ifaces; /* sorted by name */
	struct words defaults;	       /* interfaces that default routes leave by */
};

static int name_order(const void *key, const void *at)
{
	return strcmp(key, ((const struct iface *)at)->name);
}

static struct iface *iface_named(struct net *net, const char *name)
{
	return net->ifaces.n ? bsearch(name, net->ifaces.at, net->ifaces.n, sizeof(*net->ifaces.at),
				       name_order)
			     : NULL;
}

static unsigned long hex_of(const char *text)
{
	return text ? strtoul(text, NULL, 16) : 0;
}

/* The address burnt in: a bond gives all its members one. */
static void add_mac(struct observer *o, const struct iface *i)
{
	struct host_device *d = device_at(o, i->addr);
	const char *mac;

	/* The device's own folder was asked first; virtio's interfaces stand deeper. */
	if (!d || d->macs.n)
		return;
	mac = see_line(o, NET "/%s/bonding_slave/perm_hwaddr", i->name);
	if (!mac)
		mac = see_line(o, NET "/%s/address", i->name);
	keep_serial(o, &d->macs, mac);
}

static void add_iface(struct observer *o, struct net *net, const char *name)
{
	struct iface i = {.name = name};
	const char *path = see_link(o, NET "/%s", name);

	/* A laid-out root may have a folder in the link's place, and the link to the device in it.
	 */
	if (!path)
		path = see_link(o, NET "/%s/device", name);
	i.hardware = path && path_function(path, &i.addr);
	i.up = hex_of(see_line(o, NET "/%s/flags", name)) & FLAG_UP;
	if (i.hardware)
		add_mac(o, &i);
	kept(o, array_push(o->scratch, &net->ifaces, i) == 0);
}

/* --- routes and addresses -------------------------------------------------------------------- */

static void note_route(struct observer *o, struct net *net, const char *name, bool is_default)
{
	struct iface *i = name ? iface_named(net, name) : NULL;

	if (!i)
		return;
	i->routed = true;
	if (is_default)
		see_first(o, &net->defaults, name);
}

/* Iface Destination Gateway Flags RefCnt Use Metric Mask: hexadecimal, a head line first. */
static void read_routes4(struct observer *o, struct net *net)
{
	const char *text = see_text(o, MAX_CONFIG, "/proc/net/route");

	for (const char *line; text && (line = next_line(o, &text));) {
		const char *destination = field_of(o, line, 1), *mask = field_of(o, line, 7);

		if (mask && hex_of(field_of(o, line, 3)) & FLAG_UP)
			note_route(o, net, field_of(o, line, 0),
				   hex_of(destination) == 0 && hex_of(mask) == 0);
	}
}

/* Destination Length Source Length Gateway Metric RefCnt Use Flags Iface. */
static void read_routes6(struct observer *o, struct net *net)
{
	const char *text = see_text(o, MAX_CONFIG, "/proc/net/ipv6_route");

	for (const char *line; text && (line = next_line(o, &text));) {
		const char *destination = field_of(o, line, 0), *length = field_of(o, line, 1);
		const char *name = field_of(o, line, 9);

		/* The kernel keeps a rejecting default route on lo. */
		if (name && strcmp(name, "lo") != 0 && hex_of(field_of(o, line, 8)) & FLAG_UP &&
		    hex_of(length) == 0 && strspn(destination, "0") == strlen(destination))
			note_route(o, net, name, true);
	}
}

/* Address Index Length Scope Flags Iface; scope 0 is global, what every link has is 20. */
static void read_addresses6(struct observer *o, struct net *net)
{
	const char *text = see_text(o, MAX_CONFIG, "/proc/net/if_inet6");

	for (const char *line; text && (line = next_line(o, &text));) {
		const char *scope = field_of(o, line, 3), *name = field_of(o, line, 5);
		struct iface *i = name ? iface_named(net, name) : NULL;

		if (i && hex_of(scope) == 0)
			i->addressed = true;
	}
}

/* --- the way down ---------------------------------------------------------------------------- */

static void add_below(struct observer *o, struct words *below, const char *name)
{
	see_first(o, below, name);
}

/* "bond0.100 | 100 | bond0" */
static void add_vlan_parent(struct observer *o, struct words *below, const char *name)
{
	const char *text = see_text(o, MAX_LINE, "/proc/net/vlan/config");

	for (const char *line; text && (line = next_line(o, &text));) {
		const char *vlan = field_of(o, line, 0), *parent = field_of(o, line, 4);

		if (vlan && parent && strcmp(vlan, name) == 0)
			add_below(o, below, parent);
	}
}

/* Interfaces that name stands on: the kernel's lower_* links, else what each kind has. */
static struct words layers_below(struct observer *o, const char *name)
{
	struct words names = see_list(o, NET "/%s", name), below = {0}, ports;
	const char *slaves;

	array_foreach(it, &names)
		if (has_prefix(*it, "lower_"))
			add_below(o, &below, *it + strlen("lower_"));
	if (below.n)
		return below;
	ports = see_list(o, NET "/%s/brif", name);
	array_foreach(it, &ports)
		add_below(o, &below, *it);
	slaves = see_line(o, NET "/%s/bonding/slaves", name);
	for (unsigned i = 0; slaves; i++) {
		const char *slave = field_of(o, slaves, i);

		if (!slave)
			break;
		add_below(o, &below, slave);
	}
	add_vlan_parent(o, &below, name);
	/* An Open vSwitch bridge is a port beside those of hardware: their common master is. */
	if (!below.n && words_has(&names, "upper_ovs-system"))
		add_below(o, &below, "ovs-system");
	return below;
}

static void go_down(struct observer *o, struct net *net, const char *name, const char *above,
		    unsigned depth, struct words *seen)
{
	const struct iface *i = iface_named(net, name);
	struct words below = {0};
	const char *chain;

	/* Open vSwitch ports lead back to their bridge. */
	if (depth == DEPTH || !see_first(o, seen, name))
		return;
	chain = arena_printf(o->scratch, "%s, %s", name, above);
	if (!kept(o, chain))
		return;
	if (i && i->hardware)
		add_use(o, i->addr, USE_DEFAULT_ROUTE, chain);
	else
		below = layers_below(o, name);
	array_foreach(it, &below)
		go_down(o, net, *it, chain, depth + 1, seen);
}

static void use_iface(struct observer *o, const struct iface *i)
{
	const char *master = see_link(o, NET "/%s/master", i->name);

	if (!i->up)
		return;
	if (master)
		add_use(o, i->addr, USE_NET_UP,
			keep_printf(o, "%s, up in %s", i->name, base_name(master)));
	else if (i->routed || i->addressed)
		add_use(o, i->addr, USE_NET_UP, keep_printf(o, "%s, up with an address", i->name));
}

void observe_net_uses(struct observer *o)
{
	struct words names = see_list(o, NET);
	struct net net = {0};

	array_foreach(it, &names)
		add_iface(o, &net, *it);
	read_routes4(o, &net);
	read_routes6(o, &net);
	read_addresses6(o, &net);
	array_foreach(it, &net.defaults) {
		struct words seen = {0};

		go_down(o, &net, *it, "default route", 0, &seen);
	}
	array_foreach(it, &net.ifaces)
		if (it->hardware)
			use_iface(o, it);
}
