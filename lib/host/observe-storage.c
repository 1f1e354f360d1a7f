/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which functions hold the file systems: from each mount down through device-mapper, md, ZFS and
 * partitions to the hardware, with the way there as evidence.
 */
#include "observe-parts.h"

#define DEPTH	     16 /* layers below a mount; a stack that deep is a loop */
#define VIRTUAL_DISK "/virtual/block/"

/* One way down from something that is in use. */
struct way {
	enum use_kind kind;
	struct words seen;
};

/* --- names of block devices ------------------------------------------------------------------ */

/* "dm-0" of "/dev/mapper/pve-root", by udev's link or by the device-mapper's own name. */
static const char *name_of_node(struct observer *o, const char *node)
{
	const char *name = base_name(node), *link;

	if (block_named(o, name))
		return name;
	link = see_link(o, "%s", node);
	if (link)
		return base_name(link);
	array_foreach(it, &o->blocks) {
		const char *mapped = it->functions.n
					     ? NULL
					     : see_line(o, "/sys/class/block/%s/dm/name", it->name);

		if (mapped && strcmp(mapped, name) == 0)
			return it->name;
	}
	return name;
}

/* By number where sysfs knows it, else by the mount's source. */
static const char *name_of_mount(struct observer *o, const struct mount *m)
{
	const char *link = NULL;

	if (!has_prefix(m->dev, "0:"))
		link = see_link(o, "/sys/dev/block/%s", m->dev);
	if (link)
		return base_name(link);
	return has_prefix(m->source, "/dev/") ? name_of_node(o, m->source) : NULL;
}

/* --- the way down ---------------------------------------------------------------------------- */

/* What a layer is to people: "LUKS", "LVM pve-root", "md0". */
static const char *layer_name(struct observer *o, const char *name)
{
	const char *uuid = see_line(o, "/sys/class/block/%s/dm/uuid", name);
	const char *mapped = uuid ? see_line(o, "/sys/class/block/%s/dm/name", name) : NULL;

	if (!uuid || !mapped)
		return name;
	if (has_prefix(uuid, "CRYPT-LUKS"))
		return "LUKS";
	if (has_prefix(uuid, "LVM-"))
		return keep_printf(o, "LVM %s", mapped);
	if (has_prefix(uuid, "mpath-"))
		return keep_printf(o, "multipath %s", mapped);
	return mapped;
}

/* What a virtual device lies on: its slaves, or the disk that it is a partition of. */
static struct words layers_below(struct observer *o, const char *name)
{
	struct words below = see_list(o, "/sys/class/block/%s/slaves", name);
	const char *path = below.n ? NULL : see_link(o, "/sys/class/block/%s", name);
	const char *disk = path ? strstr(path, VIRTUAL_DISK) : NULL;
	size_t n;

	if (!disk)
		return below;
	disk += strlen(VIRTUAL_DISK);
	n = strcspn(disk, "/");
	if (!disk[n])
		return below;
	disk = arena_strndup(o->scratch, disk, n);
	if (kept(o, disk))
		kept(o, array_push(o->scratch, &below, disk) == 0);
	return below;
}

static void use_remote(struct observer *o, enum use_kind kind, const char *server, const char *what)
{
	struct remote remote = {.kind = kind, .what = what, .server = server};

	kept(o, array_push(o->a, &o->remotes, remote) == 0);
}

static void go_down(struct observer *o, struct way *way, const char *name, const char *above,
		    unsigned depth)
{
	struct block *block = block_named(o, name);
	struct words below;
	const char *chain;

	if (depth == DEPTH || !see_first(o, &way->seen, name))
		return;
	if (block && block->functions.n) {
		block->used = true;
		chain = arena_printf(o->scratch, "%s%s", name, above);
		array_foreach(it, &block->functions)
			if (kept(o, chain))
				add_use(o, *it, way->kind, chain);
		return;
	}
	if (block && block->server) {
		use_remote(o, way->kind, block->server,
			   keep_printf(o, "%s%s, iSCSI target %s", name, above, block->server));
		return;
	}
	chain = arena_printf(o->scratch, ", %s%s", layer_name(o, name), above);
	below = layers_below(o, name);
	array_foreach(it, &below)
		if (kept(o, chain))
			go_down(o, way, *it, chain, depth + 1);
}

static void use_block(struct observer *o, enum use_kind kind, const char *name, const char *what)
{
	struct way way = {.kind = kind};

	go_down(o, &way, name, what, 0);
}

/* --- mounts ---------------------------------------------------------------------------------- */

static enum use_kind kind_of(const struct mount *m)
{
	bool fat = strcmp(m->type, "vfat") == 0;

	if (strcmp(m->point, "/") == 0)
		return USE_ROOT;
	if (strcmp(m->point, "/efi") == 0 || strcmp(m->point, "/boot/efi") == 0)
		return USE_ESP;
	if (strcmp(m->point, "/boot") == 0)
		return fat ? USE_ESP : USE_BOOT;
	return USE_MOUNT;
}

/* All block devices that udev calls members of one pool or file system. */
static void use_members(struct observer *o, enum use_kind kind, const char *type,
			const char *identity, const char *what)
{
	bool zfs = strcmp(type, "zfs_member") == 0;

	array_foreach(it, &o->blocks)
		if (strcmp(it->fs_type, type) == 0 &&
		    strcmp(zfs ? it->fs_label : it->fs_uuid, identity) == 0)
			use_block(o, kind, it->name, what);
}

/* A dataset's source is "pool/path"; the pool's members carry its name as their label. */
static void use_pool(struct observer *o, const struct mount *m, const char *what)
{
	const char *pool = arena_strndup(o->scratch, m->source, strcspn(m->source, "/"));
	const char *chain = kept(o, pool) ? arena_printf(o->scratch, ", ZFS pool %s%s", pool, what)
					  : NULL;

	if (kept(o, chain))
		use_members(o, kind_of(m), "zfs_member", pool, chain);
}

static void use_mount(struct observer *o, const struct mount *m)
{
	const char *what = arena_printf(o->scratch, ", mounted on %s", m->point);
	const struct block *block;
	const char *name;

	if (!kept(o, what))
		return;
	if (m->server)
		use_remote(o, kind_of(m), m->server,
			   keep_printf(o, "%s server %s%s", m->type, m->server, what));
	if (strcmp(m->type, "zfs") == 0) {
		use_pool(o, m, what);
		return;
	}
	name = name_of_mount(o, m);
	if (!name)
		return;
	use_block(o, kind_of(m), name, what);
	/* btrfs names one of its devices: the others share its UUID. */
	block = strcmp(m->type, "btrfs") == 0 ? block_named(o, name) : NULL;
	if (block && *block->fs_uuid)
		use_members(o, kind_of(m), "btrfs", block->fs_uuid, what);
}

/* Bind mounts repeat a file system: the first mount of a device speaks for the ordinary ones. */
static bool repeats(struct observer *o, const struct mount *m)
{
	if (kind_of(m) != USE_MOUNT || has_prefix(m->dev, "0:"))
		return false;
	for (const struct mount *it = o->mounts.at; it < m; it++)
		if (strcmp(it->dev, m->dev) == 0)
			return true;
	return false;
}

/* --- swap, ESPs that are not mounted, members ------------------------------------------------ */

/* The mount that holds a file: the last one on the longest path. */
static const struct mount *mount_of(const struct observer *o, const char *path)
{
	const struct mount *best = NULL;

	array_foreach(it, &o->mounts)
		if (path_holds(it->point, path) &&
		    (!best || strlen(it->point) >= strlen(best->point)))
			best = it;
	return best;
}

static void use_swaps(struct observer *o)
{
	const char *text = see_text(o, MAX_LINE, "/proc/swaps");

	for (const char *line; text && (line = next_line(o, &text));) {
		const char *path = field_of(o, line, 0), *type = field_of(o, line, 1);
		const struct mount *m = NULL;
		const char *name = NULL, *what = ", swap";

		if (!path || !type || *path != '/')
			continue;
		if (strcmp(type, "file") == 0) {
			m = mount_of(o, path);
			name = m ? name_of_mount(o, m) : NULL;
			what = arena_printf(o->scratch, ", swap file %s", path);
		} else {
			name = name_of_node(o, path);
		}
		if (kept(o, what) && name)
			use_block(o, USE_SWAP, name, what);
	}
}

/* ESPs that Proxmox refreshes or firmware booted from: they are mounted only for moments. */
static void use_esps(struct observer *o)
{
	const char *booted = loader_variable(o, "LoaderDevicePartUUID");

	array_foreach(it, &o->host->boot.esps) {
		const char *name = block_of_uuid(o, it->uuid);

		if (*name && !it->mounted)
			use_block(o, USE_ESP, name, ", ESP of proxmox-boot-tool");
	}
	array_foreach(it, &o->blocks)
		if (booted && *it->part_uuid && strcasecmp(it->part_uuid, booted) == 0)
			use_block(o, USE_ESP, it->name, ", ESP that the firmware booted from");
}

/* What fstab names: "UUID=...", "PARTUUID=..." or a node; "" when there is no such device. */
static const char *name_of_source(struct observer *o, const char *source)
{
	if (has_prefix(source, "UUID="))
		return block_of_uuid(o, source + strlen("UUID="));
	if (has_prefix(source, "/dev/"))
		return name_of_node(o, source);
	if (has_prefix(source, "PARTUUID="))
		array_foreach(it, &o->blocks)
			if (strcasecmp(it->part_uuid, source + strlen("PARTUUID=")) == 0)
				return it->name;
	return "";
}

/* Whether something stands there; what only waits to be mounted does not. */
static bool is_mounted(const struct observer *o, const char *point)
{
	array_foreach(it, &o->mounts)
		if (strcmp(it->point, point) == 0 && strcmp(it->type, "autofs") != 0)
			return true;
	return false;
}

/* What boots may be mounted only when somebody looks into it. */
static void use_fstab(struct observer *o)
{
	const char *text = see_text(o, MAX_CONFIG, "/etc/fstab");

	for (const char *line; text && (line = next_line(o, &text));) {
		const char *source = field_of(o, line, 0), *point = field_of(o, line, 1);
		const char *type = field_of(o, line, 2), *what;
		struct mount m = {.point = point, .type = type};

		if (!type || *source == '#' || kind_of(&m) == USE_MOUNT || is_mounted(o, point))
			continue;
		what = arena_printf(o->scratch, ", %s by /etc/fstab", point);
		if (kept(o, what))
			use_block(o, kind_of(&m), name_of_source(o, source), what);
	}
}

/* File system types of udev that mean: part of something larger (note 30). */
static const char *const member_types[] = {
	"LVM2_member", "LVM1_member",	 "linux_raid_member",  "crypto_LUKS",
	"zfs_member",  "mpath_member",	 "ddf_raid_member",    "isw_raid_member",
	"bcache",      "ceph_bluestore", "VMFS_volume_member", "DM_snapshot_cow",
	"drbd",	       "stratis",
};

static bool is_member(const struct block *b)
{
	for (size_t i = 0; i < ARRAY_LEN(member_types); i++)
		if (strcmp(b->fs_type, member_types[i]) == 0)
			return true;
	return false;
}

static void use_as_member(struct observer *o, struct block *b)
{
	struct words holders = see_list(o, "/sys/class/block/%s/holders", b->name);
	const char *type = is_member(b) ? b->fs_type : NULL, *what;

	if (holders.n)
		what = arena_printf(o->scratch, "%s%s, held by %s", type ? ", " : "",
				    type ? type : "", layer_name(o, holders.at[0]));
	else if (type)
		what = arena_printf(o->scratch, ", %s", type);
	else
		return;
	if (kept(o, what))
		use_block(o, USE_MEMBER, b->name, what);
}

void observe_storage_uses(struct observer *o)
{
	array_foreach(it, &o->mounts)
		if (!repeats(o, it))
			use_mount(o, it);
	use_swaps(o);
	use_esps(o);
	use_fstab(o);
	array_foreach(it, &o->blocks)
		if (it->functions.n && !it->used)
			use_as_member(o, it);
}
