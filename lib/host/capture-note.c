/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a recording tree notes: nodes with the links on the way to them, and what holds a device. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "capture-record.h"

#define LINKS_MAX 40

/* --- nodes ----------------------------------------------------------------------------------- */

bool node_path(const struct tree_capture *c, uint32_t node, char *ret, size_t size)
{
	char *at = ret + size - 1;

	*at = '\0';
	for (; node != NODE_ROOT; node = c->nodes.at[node].parent) {
		size_t n = c->nodes.at[node].name_len;

		if ((size_t)(at - ret) < n + 1)
			return false;
		at -= n;
		memcpy(at, c->nodes.at[node].name, n);
		*--at = '/';
	}
	if (!*at)
		*--at = '/';
	memmove(ret, at, strlen(at) + 1);
	return true;
}

bool record_kept(struct record *r, bool ok)
{
	if (!ok)
		r->lost = true;
	return ok;
}

uint32_t record_add(struct record *r, uint32_t parent, const char *name, enum node_kind kind)
{
	size_t n = strlen(name);
	const char *copy = arena_memdup(r->noted->arena, name, n);
	uint32_t at = NODE_NONE;

	if (!record_kept(
		    r, copy && node_add(r->noted, parent, (struct slice){copy, n}, kind, &at) == 0))
		return NODE_NONE;
	r->noted->nodes.at[at].form = FORM_BYTES;
	return at;
}

void record_text(struct record *r, uint32_t at, const char *text, size_t size)
{
	const char *copy = arena_memdup(r->noted->arena, text, size);

	if (!record_kept(r, copy && size <= UINT32_MAX))
		return;
	r->noted->nodes.at[at].text = copy;
	r->noted->nodes.at[at].raw = r->noted->nodes.at[at].size = (uint32_t)size;
}

void record_error(struct record *r, uint32_t at, int error)
{
	struct node_attr *attr = node_attr(r->noted, at);

	if (record_kept(r, attr))
		attr->error = error;
}

bool record_by_itself(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -EISDIR || error == -ELOOP ||
	       error == -ENAMETOOLONG || error == -ENOMEM;
}

/* --- what is not noted ----------------------------------------------------------------------- */

/* Attributes of sysfs folders that say nothing about what may be done with a device. */
static const char *const dull_attributes[] = {
	"aer_dev_correctable",
	"aer_dev_fatal",
	"aer_dev_nonfatal",
	"ari_enabled",
	"broken_parity_status",
	"consistent_dma_mask_bits",
	"current_link_speed",
	"current_link_width",
	"d3cold_allowed",
	"dma_mask_bits",
	"enable",
	"irq",
	"link",
	"local_cpulist",
	"local_cpus",
	"max_link_speed",
	"max_link_width",
	"msi_bus",
	"msi_irqs",
	"numa_node",
	"power",
	"power_state",
	"remove",
	"rescan",
	"revision",
	"rom",
	"vpd",
	"firmware_node",
	"wakeup",
	"subsystem",
	"consumer",
	"supplier",
	"waiting_for_supplier",
};

static bool starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool record_dull(const char *folder, const char *name)
{
	/* Only processes are looked for there, and noted when they hold something. */
	if (strcmp(folder, "/proc") == 0)
		return true;
	/* Of what is on USB only interfaces, of the firmware's tables only what names slots. */
	if (strcmp(folder, "/sys/bus/usb/devices") == 0)
		return !strchr(name, ':');
	if (strcmp(folder, "/sys/firmware/dmi/entries") == 0)
		return !starts(name, "9-");
	if (!starts(folder, "/sys/devices/"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(dull_attributes); i++)
		if (strcmp(dull_attributes[i], name) == 0)
			return true;
	return starts(name, "resource") || starts(name, "consumer:") || starts(name, "supplier:");
}

/* Of the device numbers only those of PCI functions are looked for. */
static bool dull_link(const char *folder, const char *target)
{
	return strcmp(folder, "/sys/dev/char") == 0 && !strstr(target, "/pci");
}

/* --- paths ----------------------------------------------------------------------------------- */

static void copy_text(struct record *r, uint32_t at, const char *path)
{
	const char *text;
	size_t size;
	int err = r->inner->ops->read(r->inner, path, SIZE_MAX, r->scratch, &text, &size);

	record_kept(r, err != -ENOMEM);
	if (err == 0)
		record_text(r, at, text, size);
	else if (!record_by_itself(err) && err != -EINVAL)
		record_error(r, at, err);
}

static uint32_t new_child(struct record *r, uint32_t parent, const char *name)
{
	char path[PATH_MAX], folder[PATH_MAX];
	struct tree *inner = r->inner;
	const char *target;
	struct tree_stat st;
	uint32_t at;
	int err;

	if (!node_path(r->noted, parent, folder, sizeof(folder)) ||
	    snprintf(path, sizeof(path), "%s/%s", parent == NODE_ROOT ? "" : folder, name) >=
		    (int)sizeof(path))
		return NODE_NONE;
	/* The observing process is nothing to write down. */
	if (strcmp(path, "/proc/self") == 0)
		return record_add(r, parent, name, NODE_DIR);
	err = inner->ops->readlink(inner, path, r->scratch, &target);
	record_kept(r, err != -ENOMEM);
	if (err == 0) {
		if (dull_link(folder, target))
			return NODE_NONE;
		at = record_add(r, parent, name, NODE_LINK);
		target = arena_strdup(r->noted->arena, target);
		if (at == NODE_NONE || !record_kept(r, target))
			return NODE_NONE;
		r->noted->nodes.at[at].text = target;
		return at;
	}
	if (err != -EINVAL)
		return NODE_NONE;
	err = inner->ops->stat(inner, path, &st);
	at = record_add(r, parent, name, err == 0 && S_ISDIR(st.mode) ? NODE_DIR : NODE_FILE);
	/* What stands in a capture and is not read stays in it. */
	if (inner->capture && at != NODE_NONE && r->noted->nodes.at[at].kind == NODE_FILE)
		copy_text(r, at, path);
	return at;
}

uint32_t record_child(struct record *r, uint32_t parent, const char *name)
{
	uint32_t at = node_find(r->noted, parent, name, strlen(name));

	return at != NODE_NONE ? at : new_child(r, parent, name);
}

uint32_t record_resolve(struct record *r, const char *path, bool follow_last)
{
	const struct tree_capture *c = r->noted;
	char left[2][PATH_MAX], name[CAPTURE_NAME_MAX + 1];
	uint32_t at = NODE_ROOT, next;
	unsigned links = 0;

	for (;;) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (!n)
			return at;
		if (n > CAPTURE_NAME_MAX || c->nodes.at[at].kind != NODE_DIR)
			return NODE_NONE;
		memcpy(name, path, n);
		name[n] = '\0';
		path += n;
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) {
			at = c->nodes.at[at].parent;
			continue;
		}
		next = record_child(r, at, name);
		if (next == NODE_NONE)
			return NODE_NONE;
		if (c->nodes.at[next].kind != NODE_LINK || (!*path && !follow_last)) {
			at = next;
			continue;
		}
		if (++links > LINKS_MAX || snprintf(left[links % 2], PATH_MAX, "%s%s",
						    c->nodes.at[next].text, path) >= PATH_MAX)
			return NODE_NONE;
		path = left[links % 2];
		if (*path == '/')
			at = NODE_ROOT;
	}
}

uint32_t record_resolve_file(struct record *r, const char *path)
{
	uint32_t at = record_resolve(r, path, true);

	return at != NODE_NONE && r->noted->nodes.at[at].kind == NODE_FILE ? at : NODE_NONE;
}

/* --- processes ------------------------------------------------------------------------------- */

size_t record_process(const char *path)
{
	size_t n = sizeof("/proc/") - 1, digits;

	if (!starts(path, "/proc/"))
		return 0;
	digits = strspn(path + n, "0123456789");
	return digits ? n + digits : 0;
}

/* Where the kernel says which nodes belong to what. */
static const struct {
	const char *folder, *mark; /* the link's target has the mark, and ends as the node */
} node_lists[] = {
	{"/sys/dev/char", "/pci"},
	{"/sys/class/block", "/pci"},
	{"/sys/class/block", "/nvme-subsystem/"},
};

/* Whether a link in the folder leads to what has the node's name, behind what has the mark. */
static bool lists_node(const struct tree_capture *c, uint32_t folder, const char *mark,
		       const char *name)
{
	if (c->nodes.at[folder].kind != NODE_DIR)
		return false;
	for (uint32_t i = c->nodes.at[folder].first; i != NODE_NONE; i = c->nodes.at[i].next) {
		const char *link = c->nodes.at[i].kind == NODE_LINK ? c->nodes.at[i].text : "";
		const char *slash = strrchr(link, '/');

		if (slash && strcmp(slash + 1, name) == 0 && strstr(link, mark))
			return true;
	}
	return false;
}

/* Whether a node below /dev belongs to a PCI function, as far as that was looked up. */
static bool of_function(struct record *r, const char *target)
{
	const char *name = strrchr(target, '/') + 1;

	if (starts(target, "/dev/vfio/") || starts(target, "/dev/nvidia"))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(node_lists); i++) {
		uint32_t folder;

		if (node_at(r->noted, node_lists[i].folder, &folder) == 0 &&
		    lists_node(r->noted, folder, node_lists[i].mark, name))
			return true;
	}
	return false;
}

void record_open(struct record *r, const char *path, const char *target)
{
	size_t n = record_process(path), size;
	char comm[64];
	const char *text;
	uint32_t at;
	int err;

	if (!starts(target, "/dev/") || !of_function(r, target))
		return;
	record_resolve(r, path, false);
	snprintf(comm, sizeof(comm), "%.*s/comm", (int)n, path);
	at = record_resolve_file(r, comm);
	if (at == NODE_NONE || r->noted->nodes.at[at].text)
		return;
	err = r->inner->ops->read(r->inner, comm, NAME_MAX, r->scratch, &text, &size);
	record_kept(r, err != -ENOMEM);
	if (err == 0)
		record_text(r, at, text, size);
}
