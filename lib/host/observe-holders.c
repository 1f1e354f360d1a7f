/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that hold a function's device nodes, its disks' or its VFIO group open, of the running
 * system or as a capture of one has them.
 */
#include <ctype.h>

#include "observe-parts.h"

struct node {		  /* a character device on a PCI function */
	const char *name; /* "card0" */
	struct pci_addr addr;
};

struct nodes {
	ARRAY_OF(struct node) list; /* sorted by name */
};

static int by_name(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* A node in /dev is named as the last part of its sysfs path, wherever below /dev it stands. */
static void read_nodes(struct observer *o, struct nodes *nodes)
{
	struct words names = see_list(o, "/sys/dev/char");

	array_foreach(it, &names) {
		const char *link = see_link(o, "/sys/dev/char/%s", *it);
		struct node node;

		if (!link || !path_function(link, &node.addr))
			continue;
		node.name = base_name(link);
		kept(o, array_push(o->scratch, &nodes->list, node) == 0);
	}
}

/* NVIDIA's own driver makes nodes without sysfs entries: "Device Minor: 0" says which is which. */
static void read_nvidia(struct observer *o, struct nodes *nodes)
{
	struct words names = see_list(o, "/proc/driver/nvidia/gpus");

	array_foreach(it, &names) {
		const char *text = see_text(o, MAX_LINE, "/proc/driver/nvidia/gpus/%s/information",
					    *it);
		const char *at = text ? strstr(text, "Device Minor:") : NULL;
		struct node node;

		if (!at || pci_addr_parse(*it, &node.addr) < 0)
			continue;
		at += strlen("Device Minor:");
		node.name = keep_printf(o, "nvidia%lu", strtoul(at, NULL, 10));
		kept(o, array_push(o->scratch, &nodes->list, node) == 0);
	}
}

static void use_group(struct observer *o, const char *group, const char *who)
{
	char *end;
	long number = strtol(group, &end, 10);

	if (end == group || *end)
		return;
	array_foreach(it, &o->host->devices) {
		if (it->group != number || !it->driver || !has_prefix(it->driver, "vfio"))
			continue;
		o->host->vfio_in_use = true;
		add_use(o, it->addr, USE_OPEN,
			keep_printf(o, "/dev/vfio/%s, held by %s", group, who));
	}
}

/* Whether a mount or swap of that block device is known: who has it open besides says no more. */
static bool is_mounted(const struct host_device *d, const char *name)
{
	size_t n = strlen(name);

	array_foreach(it, &d->uses)
		if (it->kind <= USE_MOUNT && strncmp(it->what, name, n) == 0 && it->what[n] == ',')
			return true;
	return false;
}

/* A disk or a partition that is open as it is. */
static void use_disk(struct observer *o, const char *name, const char *who)
{
	const struct block *block = block_named(o, name);

	if (!block)
		return;
	array_foreach(it, &block->functions) {
		const struct host_device *d = host_device(o->host, *it);

		if (d && !is_mounted(d, name))
			add_use(o, *it, USE_OPEN, keep_printf(o, "/dev/%s, held by %s", name, who));
	}
}

static void use_node(struct observer *o, const struct nodes *nodes, const char *target,
		     const char *who)
{
	const struct node wanted = {.name = base_name(target)}, *found;
	bool vfio_device = has_prefix(target, "/dev/vfio/devices/");

	if (has_prefix(target, "/dev/vfio/") && !vfio_device) {
		use_group(o, target + strlen("/dev/vfio/"), who);
		return;
	}
	if (wanted.name == target + strlen("/dev/"))
		use_disk(o, wanted.name, who);
	found = nodes->list.n ? bsearch(&wanted, nodes->list.at, nodes->list.n,
					sizeof(*nodes->list.at), by_name)
			      : NULL;
	if (!found)
		return;
	o->host->vfio_in_use |= vfio_device;
	add_use(o, found->addr, USE_OPEN, keep_printf(o, "%s, held by %s", target, who));
}

static void read_process(struct observer *o, const struct nodes *nodes, const char *pid)
{
	struct words fds = see_list(o, "/proc/%s/fd", pid);
	const char *comm = NULL, *who = NULL;

	array_foreach(it, &fds) {
		const char *target = see_link(o, "/proc/%s/fd/%s", pid, *it);

		if (!target || !has_prefix(target, "/dev/"))
			continue;
		if (!comm) {
			comm = see_line(o, "/proc/%s/comm", pid);
			who = arena_printf(o->scratch, "%s (%s)", comm ? comm : "process", pid);
			comm = comm ? comm : "";
		}
		if (kept(o, who))
			use_node(o, nodes, target, who);
	}
}

void observe_holders(struct observer *o)
{
	struct words names = see_list(o, "/proc");
	struct nodes nodes = {0};

	read_nodes(o, &nodes);
	read_nvidia(o, &nodes);
	if (nodes.list.n)
		qsort(nodes.list.at, nodes.list.n, sizeof(*nodes.list.at), by_name);
	array_foreach(it, &names)
		if (isdigit((unsigned char)**it))
			read_process(o, &nodes, *it);
}
