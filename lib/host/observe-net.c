/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which functions carry the network: from default routes and addresses down through bridges, VLANs
 * and bonds to the interfaces of hardware.
 */
#include "observe-net.h"

#define DEPTH 16 /* layers; a stack that deep is a loop */

#define FLAG_UP 0x1 /* IFF_UP */

/* All ports of Open vSwitch, of whatever bridge: which ones belong together it keeps to itself. */
#define VSWITCH "ovs-system"

static int name_order(const void *key, const void *at)
{
	return strcmp(key, ((const struct iface *)at)->name);
}

struct iface *iface_named(struct net *net, const char *name)
{
	return net->ifaces.n ? bsearch(name, net->ifaces.at, net->ifaces.n, sizeof(*net->ifaces.at),
				       name_order)
			     : NULL;
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

static const char *master_of(struct observer *o, const char *name)
{
	const char *master = see_link(o, NET "/%s/master", name);

	return master ? base_name(master) : "";
}

/* The virtual switch's ports, where it has no links to them. */
static void add_ports(struct observer *o, const struct net *net, struct words *below)
{
	array_foreach(it, &net->ifaces)
		if (strcmp(master_of(o, it->name), VSWITCH) == 0)
			add_below(o, below, it->name);
}

/* Interfaces that name stands on: the kernel's lower_* links, else what each kind has. */
static struct words layers_below(struct observer *o, const struct net *net, const char *name)
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
	if (strcmp(name, VSWITCH) == 0)
		add_ports(o, net, &below);
	/* A bridge of it is a port beside those of hardware: their common master is. */
	else if (!below.n &&
		 (words_has(&names, "upper_" VSWITCH) || strcmp(master_of(o, name), VSWITCH) == 0))
		add_below(o, &below, VSWITCH);
	return below;
}

struct way {
	enum use_kind kind;
	const char *before; /* the interfaces on the way */
	struct words seen;
};

static void go_down(struct observer *o, struct net *net, struct way *way, const char *name,
		    const char *above, unsigned depth)
{
	const struct iface *i = iface_named(net, name);
	struct words below = {0};
	const char *chain;

	/* Open vSwitch ports lead back to their bridge. */
	if (depth == DEPTH || !see_first(o, &way->seen, name))
		return;
	chain = arena_printf(o->scratch, "%s%s%s", name, above ? ", " : "", above ? above : "");
	if (!kept(o, chain))
		return;
	if (i && i->hardware)
		add_use(o, i->addr, way->kind, keep_printf(o, "%s%s", way->before, chain));
	else
		below = layers_below(o, net, name);
	array_foreach(it, &below)
		go_down(o, net, way, *it, chain, depth + 1);
}

void net_use(struct observer *o, struct net *net, const char *name, enum use_kind kind,
	     const char *before, const char *after)
{
	struct way way = {.kind = kind, .before = before};

	go_down(o, net, &way, name, after, 0);
}

static void use_iface(struct observer *o, const struct iface *i)
{
	const char *master = i->up ? master_of(o, i->name) : "";

	if (!i->up)
		return;
	if (*master)
		add_use(o, i->addr, USE_NET_UP, keep_printf(o, "%s, up in %s", i->name, master));
	else if (i->routed || i->addressed)
		add_use(o, i->addr, USE_NET_UP, keep_printf(o, "%s, up with an address", i->name));
}

/* File systems on servers, as storage uses found them. */
static void use_remotes(struct observer *o, struct net *net)
{
	array_foreach(it, &o->remotes) {
		struct net_address a;
		const char *name;

		if (!net_address_parse(it->server, &a) || net_is_loopback(&a))
			continue;
		name = net_toward(net, &a);
		if (!name)
			continue;
		net_note_address(o, net_address_text(o, &a), name);
		net_use(o, net, name, it->kind, keep_printf(o, "%s, over ", it->what), NULL);
	}
}

void observe_net_uses(struct observer *o)
{
	struct words names = see_list(o, NET);
	struct net net = {0};

	array_foreach(it, &names)
		add_iface(o, &net, *it);
	net_read_routes(o, &net);
	array_foreach(it, &net.routes)
		if (route_is_default(it))
			net_use(o, &net, it->name, USE_DEFAULT_ROUTE, "", "default route");
	observe_sessions(o, &net);
	use_remotes(o, &net);
	array_foreach(it, &net.ifaces)
		if (it->hardware)
			use_iface(o, it);
}
