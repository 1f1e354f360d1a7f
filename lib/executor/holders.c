/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "holders.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "paths.h"

#define COMM_MAX 256

static int read_link(const struct root *root, struct arena *a, const char *path, const char **ret)
{
	*ret = NULL;
	if (!path)
		return -ENOMEM;
	return root_readlink(root, path, a, ret) == -ENOMEM ? -ENOMEM : 0;
}

/* Its VFIO group's node, the whole path. */
static int add_group(const struct root *root, const char *addr, struct arena *a,
		     struct words *nodes)
{
	const char *link, *node;
	int err = read_link(root, a, arena_printf(a, PATH_PCI_DEVICES "/%s/iommu_group", addr),
			    &link);

	if (err < 0 || !link)
		return err;
	node = arena_printf(a, "/dev/vfio/%s", base_name(link));
	return node && words_add(a, nodes, node) >= 0 ? 0 : -ENOMEM;
}

/* Nodes that drivers made on it: the last part of their sysfs path, wherever below /dev it is. */
static int add_nodes(const struct root *root, const char *addr, const char *folder, struct arena *a,
		     struct words *nodes)
{
	const char *part = arena_printf(a, "/%s/", addr);
	struct words names = {0};
	int err = part ? 0 : -ENOMEM;

	if (err == 0 && root_list(root, folder, a, &names) == -ENOMEM)
		err = -ENOMEM;
	for (size_t i = 0; err == 0 && i < names.n; i++) {
		const char *link;

		err = read_link(root, a, arena_printf(a, "%s/%s", folder, names.at[i]), &link);
		if (err == 0 && link && strstr(link, part))
			err = words_add(a, nodes, base_name(link)) < 0 ? -ENOMEM : 0;
	}
	return err;
}

static bool is_node(const struct words *nodes, const char *target)
{
	if (strncmp(target, "/dev/", strlen("/dev/")) != 0)
		return false;
	/* A group's node is a number, which others' last parts may be as well. */
	array_foreach(it, nodes)
		if (strcmp(**it == '/' ? target : base_name(target), *it) == 0)
			return true;
	return false;
}

static int add_holder(const struct root *root, const char *pid, const char *node, struct arena *a,
		      struct words *ret)
{
	const char *path = arena_printf(a, "/proc/%s/comm", pid), *comm = "process\n", *line;
	size_t size;

	if (!path || root_read(root, path, COMM_MAX, a, &comm, &size) == -ENOMEM)
		return -ENOMEM;
	line = arena_printf(a, "%.*s (%s): %s", (int)strcspn(comm, "\n"), comm, pid, node);
	return line && words_add(a, ret, line) >= 0 ? 0 : -ENOMEM;
}

static int look_at_process(const struct root *root, const char *pid, const struct words *nodes,
			   struct arena *a, struct words *ret)
{
	const char *folder = arena_printf(a, "/proc/%s/fd", pid);
	struct words fds = {0};

	if (!folder || root_list(root, folder, a, &fds) == -ENOMEM)
		return -ENOMEM;
	array_foreach(it, &fds) {
		const char *target;

		if (read_link(root, a, arena_printf(a, "%s/%s", folder, *it), &target) < 0)
			return -ENOMEM;
		if (target && is_node(nodes, target))
			return add_holder(root, pid, target, a, ret);
	}
	return 0;
}

int holders_find(const struct root *root, struct pci_addr addr, struct arena *a, struct words *ret)
{
	struct words nodes = {0}, processes = {0};
	char text[PCI_ADDR_TEXT_SIZE];
	int err = add_group(root, pci_addr_format(addr, text), a, &nodes);

	if (err == 0)
		err = add_nodes(root, text, "/sys/dev/char", a, &nodes);
	if (err == 0)
		err = add_nodes(root, text, "/sys/dev/block", a, &nodes);
	if (err == 0 && root_list(root, "/proc", a, &processes) == -ENOMEM)
		err = -ENOMEM;
	for (size_t i = 0; err == 0 && nodes.n && i < processes.n; i++)
		if (isdigit((unsigned char)*processes.at[i]))
			err = look_at_process(root, processes.at[i], &nodes, a, ret);
	return err;
}
