/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is mounted, and which block devices there are: by sysfs, and by what udev wrote down. */
#include "observe-parts.h"

/* Disks that no hardware stands behind, and those with no medium of the host's. */
static const char *const passed_over[] = {"loop", "ram", "zram", "zd", "nbd", "fd", "sr"};

/* --- mountinfo ------------------------------------------------------------------------------- */

static bool octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' &&
	       s[2] <= '7';
}

/* Blanks, tabs, newlines and backslashes stand as \ooo. */
static const char *unescaped(struct observer *o, const char *s)
{
	char *copy = arena_strdup(o->a, s ? s : ""), *to = copy;

	if (!kept(o, copy))
		return "";
	for (const char *at = copy; *at;) {
		if (at[0] == '\\' && octal(at + 1)) {
			*to++ = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
			at += 4;
		} else {
			*to++ = *at++;
		}
	}
	*to = '\0';
	return copy;
}

static bool option_ro(const char *options)
{
	return options && (strcmp(options, "ro") == 0 || has_prefix(options, "ro,"));
}

/* The server's address, which those that a network is below all have among their options. */
static const char *server_of(struct observer *o, const struct mount *m, const char *options)
{
	static const char *const types[] = {"nfs", "nfs4", "cifs", "smb3"};
	bool remote = false;

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		remote |= strcmp(m->type, types[i]) == 0;
	for (const char *at = remote ? options : NULL; at; at = strchr(at, ',')) {
		const char *address;

		at += *at == ',';
		if (!has_prefix(at, "addr="))
			continue;
		at += strlen("addr=");
		address = arena_strndup(o->a, at, strcspn(at, ","));
		return kept(o, address) ? address : NULL;
	}
	return NULL;
}

/* ID PARENT MAJ:MIN ROOT POINT OPTIONS [OPTIONAL...] - TYPE SOURCE SUPER-OPTIONS */
static void add_mount(struct observer *o, const char *line)
{
	const char *rest = strstr(line, " - ");
	const char *dev = field_of(o, line, 2), *point = field_of(o, line, 4);
	struct mount m = {0};

	if (!rest || !dev || !point)
		return;
	rest += 3;
	m.dev = keep(o, dev);
	m.point = unescaped(o, point);
	m.type = unescaped(o, field_of(o, rest, 0));
	m.source = unescaped(o, field_of(o, rest, 1));
	m.server = server_of(o, &m, field_of(o, rest, 2));
	m.read_only = option_ro(field_of(o, line, 5)) || option_ro(field_of(o, rest, 2));
	kept(o, array_push(o->a, &o->mounts, m) == 0);
}

static void read_mounts(struct observer *o)
{
	const char *text = see_text(o, MAX_INDEX, "/proc/self/mountinfo");
	struct tree_stat st;

	/* A real /proc below another root tells of the caller's mounts: its files have no size. */
	o->mounts_elsewhere = !o->tree->live && text && *text &&
			      see_stat(o, &st, "/proc/self/mountinfo") && st.size == 0;
	for (const char *line; text && (line = next_line(o, &text));)
		add_mount(o, line);
}

/* --- block devices --------------------------------------------------------------------------- */

/* Native NVMe multipath hangs a namespace below its subsystem, which names its controllers. */
static void functions_of_subsystem(struct observer *o, const char *path, struct block *b)
{
	const char *at = strstr(path, "/nvme-subsystem/"), *subsystem;
	struct words names;

	if (!at)
		return;
	at += strlen("/nvme-subsystem/");
	subsystem = arena_strndup(o->scratch, at, strcspn(at, "/"));
	if (!kept(o, subsystem))
		return;
	names = see_list(o, "/sys/class/nvme-subsystem/%s", subsystem);
	array_foreach(it, &names) {
		const char *link = NULL;
		struct pci_addr addr;

		/* "nvme0" is a controller, "nvme0n1" a namespace. */
		if (has_prefix(*it, "nvme") && !strchr(*it + 4, 'n'))
			link = see_link(o, "/sys/class/nvme-subsystem/%s/%s", subsystem, *it);
		if (link && path_function(link, &addr))
			kept(o, array_push(o->a, &b->functions, addr) == 0);
	}
}

/*
 * A disk of iSCSI without hardware for it hangs below a session: "/session1/target2:0:0/". Its
 * first connection knows the server.
 */
static const char *target_of(struct observer *o, const char *path)
{
	static const char connection[] = "/sys/class/iscsi_connection/connection";
	const char *at = strstr(path, "/session"), *address;
	char *end;
	unsigned long number;

	if (!at)
		return NULL;
	at += strlen("/session");
	number = strtoul(at, &end, 10);
	if (end == at || *end != '/')
		return NULL;
	address = see_line(o, "%s%lu:0/address", connection, number);
	if (!address)
		address = see_line(o, "%s%lu:0/persistent_address", connection, number);
	return address ? keep(o, address) : NULL;
}

/* Which functions it lies on: by the path that the class link leads to, or its device link. */
static void find_functions(struct observer *o, const char *path, struct block *b)
{
	const char *device;
	struct pci_addr addr;

	if (path && path_function(path, &addr)) {
		kept(o, array_push(o->a, &b->functions, addr) == 0);
		return;
	}
	if (path) {
		functions_of_subsystem(o, path, b);
		b->server = target_of(o, path);
		return;
	}
	device = see_link(o, "/sys/class/block/%s/device", b->name);
	if (device && path_function(device, &addr))
		kept(o, array_push(o->a, &b->functions, addr) == 0);
}

static const char *property(struct observer *o, const char *line, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(line, "E:", 2) != 0 || strncmp(line + 2, name, n) != 0 || line[2 + n] != '=')
		return NULL;
	return keep(o, line + 2 + n + 1);
}

static void read_udev(struct observer *o, struct block *b)
{
	const char *text = see_text(o, MAX_CONFIG, "/run/udev/data/b%s", b->dev);
	const struct {
		const char *name, **to;
	} wanted[] = {
		{"ID_FS_TYPE", &b->fs_type},	 {"ID_FS_UUID", &b->fs_uuid},
		{"ID_FS_LABEL", &b->fs_label},	 {"ID_PART_ENTRY_UUID", &b->part_uuid},
		{"ID_SERIAL_SHORT", &b->serial},
	};

	for (const char *line; text && (line = next_line(o, &text));)
		for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
			const char *value = property(o, line, wanted[i].name);

			if (value)
				*wanted[i].to = value;
		}
}

static void add_block(struct observer *o, const char *name, const char *path)
{
	struct block b = {.name = keep(o, name)};
	const char *dev = see_line(o, "/sys/class/block/%s/dev", name);

	b.fs_type = b.fs_uuid = b.fs_label = b.part_uuid = b.serial = b.dev = "";
	if (dev)
		b.dev = keep(o, dev);
	find_functions(o, path, &b);
	if (*b.dev)
		read_udev(o, &b);
	kept(o, array_push(o->a, &o->blocks, b) == 0);
}

static int by_name(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* A disk's serial number names the function that it is below. */
static void add_serials(struct observer *o, const struct block *b)
{
	array_foreach(it, &b->functions) {
		struct host_device *d = device_at(o, *it);

		if (d)
			keep_serial(o, &d->serials, b->serial);
	}
}

static int name_order(const void *key, const void *at)
{
	return strcmp(key, ((const struct block *)at)->name);
}

struct block *block_named(struct observer *o, const char *name)
{
	return o->blocks.n
		       ? bsearch(name, o->blocks.at, o->blocks.n, sizeof(*o->blocks.at), name_order)
		       : NULL;
}

const char *block_of_uuid(struct observer *o, const char *uuid)
{
	const char *link = see_link(o, "/dev/disk/by-uuid/%s", uuid);

	if (link)
		return base_name(link);
	array_foreach(it, &o->blocks)
		if (strcasecmp(it->fs_uuid, uuid) == 0)
			return it->name;
	return "";
}

bool path_holds(const char *point, const char *path)
{
	size_t n = strlen(point);

	return strcmp(point, "/") == 0 ||
	       (strncmp(point, path, n) == 0 && (!path[n] || path[n] == '/'));
}

void observe_blocks(struct observer *o)
{
	struct words names = keep_list(o, "/sys/class/block");

	read_mounts(o);
	array_foreach(it, &names) {
		bool wanted = true;

		for (size_t i = 0; i < ARRAY_LEN(passed_over); i++)
			if (has_prefix(*it, passed_over[i]))
				wanted = false;
		scratch_trim(o);
		if (wanted)
			add_block(o, *it, see_link(o, "/sys/class/block/%s", *it));
	}
	if (o->blocks.n)
		qsort(o->blocks.at, o->blocks.n, sizeof(*o->blocks.at), by_name);
	array_foreach(it, &o->blocks)
		add_serials(o, it);
}
