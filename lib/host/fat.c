/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "strbuf.h"

#define SECTOR_MIN   512
#define SECTOR_MAX   4096
#define FOLDER_MAX   (2u << 20) /* bytes: 65,536 entries */
#define WINDOW	     4096	/* bytes of the table that are read at once */
#define CLUSTERS_12  0xff4	/* more make it 16 bits, as Linux decides */
#define ENTRY	     32
#define NAME_PARTS   20
#define PART_LETTERS 13

/* Bits of an entry's attributes. */
#define ATTR_LABEL  0x08
#define ATTR_FOLDER 0x10
#define ATTR_LONG   0x0f

struct fat {
	struct fat_source source;
	unsigned bits; /* of an entry of the table */
	uint32_t cluster_size, clusters, root_cluster;
	uint64_t table, table_end, root, data; /* where they begin; the table's end */
	size_t root_size;		       /* 12 and 16 bits: bytes of the root folder */
	unsigned char window[WINDOW + 4];
	uint64_t window_at; /* UINT64_MAX: nothing was read */
};

static uint32_t u16(const unsigned char *at)
{
	return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t u32(const unsigned char *at)
{
	return u16(at) | u16(at + 2) << 16;
}

static bool power_of_two(uint32_t n)
{
	return n && !(n & (n - 1));
}

/* --- opening ---------------------------------------------------------------------------------- */

static int lay_out(struct fat *f, const unsigned char *boot)
{
	uint32_t sector = u16(boot + 11), per_cluster = boot[13], reserved = u16(boot + 14);
	uint32_t tables = boot[16], total = u16(boot + 19), table = u16(boot + 22);
	bool wide = !table;
	uint64_t root_sectors, data_sector;

	if (wide)
		table = u32(boot + 36);
	if (!total)
		total = u32(boot + 32);
	if (!power_of_two(sector) || sector < SECTOR_MIN || sector > SECTOR_MAX ||
	    !power_of_two(per_cluster) || !reserved || !tables || !table)
		return -EBADMSG;
	f->root_size = (size_t)u16(boot + 17) * ENTRY;
	root_sectors = (f->root_size + sector - 1) / sector;
	data_sector = reserved + (uint64_t)tables * table + root_sectors;
	if (data_sector >= total || (wide ? f->root_size != 0 : f->root_size == 0))
		return -EBADMSG;
	f->cluster_size = sector * per_cluster;
	f->clusters = (uint32_t)((total - data_sector) / per_cluster);
	f->bits = wide ? 32 : f->clusters > CLUSTERS_12 ? 16 : 12;
	f->root_cluster = wide ? u32(boot + 44) : 0;
	f->table = (uint64_t)reserved * sector;
	f->table_end = f->table + (uint64_t)table * sector;
	f->root = f->table + (uint64_t)tables * table * sector;
	f->data = data_sector * sector;
	return f->clusters ? 0 : -EBADMSG;
}

int fat_open(struct arena *a, struct fat_source source, struct fat **ret)
{
	struct fat *f = arena_alloc(a, sizeof(*f));
	unsigned char boot[SECTOR_MIN];
	int err;

	if (!f)
		return -ENOMEM;
	*f = (struct fat){.source = source, .window_at = UINT64_MAX};
	err = source.read(source.ctx, 0, sizeof(boot), boot);
	if (err < 0)
		return err;
	if (boot[510] != 0x55 || boot[511] != 0xaa)
		return -EBADMSG;
	err = lay_out(f, boot);
	if (err == 0)
		*ret = f;
	return err;
}

/* --- clusters --------------------------------------------------------------------------------- */

/* Four bytes of the table; those behind its end are zero. */
static int table_bytes(struct fat *f, uint64_t at, const unsigned char **ret)
{
	uint64_t base = at / WINDOW * WINDOW, left = f->table_end - base;
	size_t want = sizeof(f->window);
	int err = 0;

	if (base != f->window_at) {
		f->window_at = UINT64_MAX;
		memset(f->window, 0, sizeof(f->window));
		err = f->source.read(f->source.ctx, base, left < want ? (size_t)left : want,
				     f->window);
	}
	if (err < 0)
		return err;
	f->window_at = base;
	*ret = f->window + (at - base);
	return 0;
}

static bool is_cluster(const struct fat *f, uint32_t cluster)
{
	return cluster >= 2 && cluster - 2 < f->clusters;
}

/* The table's entry of a cluster. */
static int table_entry(struct fat *f, uint32_t cluster, uint32_t *ret)
{
	uint64_t at = f->table +
		      (f->bits == 12 ? cluster + cluster / 2 : (uint64_t)cluster * (f->bits / 8));
	const unsigned char *bytes;
	uint32_t entry;
	int err;

	if (at + 2 > f->table_end)
		return -EBADMSG;
	err = table_bytes(f, at, &bytes);
	if (err < 0)
		return err;
	entry = f->bits == 32 ? u32(bytes) & 0x0fffffff : u16(bytes);
	if (f->bits == 12)
		entry = cluster & 1 ? entry >> 4 : entry & 0xfff;
	*ret = entry;
	return 0;
}

/* What follows a cluster; 0: nothing does, or what follows is none. */
static int next_cluster(struct fat *f, uint32_t cluster, uint32_t *ret)
{
	uint32_t next;
	int err = table_entry(f, cluster, &next);

	if (err == 0)
		*ret = is_cluster(f, next) ? next : 0;
	return err;
}

int fat_free(struct fat *f, uint64_t *ret)
{
	uint64_t n = 0;

	for (uint32_t c = 2; is_cluster(f, c); c++) {
		uint32_t entry;
		int err = table_entry(f, c, &entry);

		if (err < 0)
			return err;
		n += entry == 0;
	}
	*ret = n * f->cluster_size;
	return 0;
}

static uint64_t place_of(const struct fat *f, uint32_t cluster)
{
	return f->data + (uint64_t)(cluster - 2) * f->cluster_size;
}

/*
 * Reads up to size bytes along the clusters, neighbours in one go; ret_size: how many there were.
 * One that leads in a circle ends with size.
 */
static int read_chain(struct fat *f, uint32_t cluster, size_t size, char *to, size_t *ret_size)
{
	size_t done = 0;

	while (done < size && is_cluster(f, cluster)) {
		uint64_t at = place_of(f, cluster);
		size_t n = 0;
		uint32_t next;
		int err;

		do {
			n += f->cluster_size;
			err = next_cluster(f, cluster, &next);
			if (err < 0)
				return err;
			cluster = next;
		} while (n < size - done && is_cluster(f, cluster) &&
			 place_of(f, cluster) == at + n);
		n = n < size - done ? n : size - done;
		err = f->source.read(f->source.ctx, at, n, to + done);
		if (err < 0)
			return err;
		done += n;
	}
	*ret_size = done;
	return 0;
}

/* --- folders ---------------------------------------------------------------------------------- */

struct folder {
	const unsigned char *at;
	size_t n; /* entries */
};

static int read_folder(struct fat *f, const struct fat_node *node, struct arena *a,
		       struct folder *ret)
{
	bool fixed = !node->cluster && f->bits != 32;
	uint32_t first = node->cluster ? node->cluster : f->root_cluster;
	size_t size = 0, max = fixed ? f->root_size : 0;
	char *bytes;
	int err = 0;

	/* How long it is, only its clusters tell. */
	for (uint32_t c = first; !fixed && is_cluster(f, c) && max < FOLDER_MAX && err == 0;) {
		max += f->cluster_size;
		err = next_cluster(f, c, &c);
	}
	bytes = err == 0 ? arena_alloc(a, max + 1) : NULL;
	if (!bytes)
		return err < 0 ? err : -ENOMEM;
	if (fixed)
		err = f->source.read(f->source.ctx, f->root, max, bytes);
	else
		err = read_chain(f, first, max, bytes, &size);
	if (err == 0)
		*ret = (struct folder){(const unsigned char *)bytes, (fixed ? max : size) / ENTRY};
	return err;
}

struct long_name {
	uint16_t letters[NAME_PARTS * PART_LETTERS + 1];
	unsigned left; /* parts that are still to come; they stand in falling order */
	unsigned char sum;
	bool whole;
};

static void take_part(struct long_name *l, const unsigned char *entry)
{
	static const unsigned char places[PART_LETTERS] = {1,  3,  5,  7,  9,  14, 16,
							   18, 20, 22, 24, 28, 30};
	unsigned number = entry[0] & 0x3f;

	if (entry[0] & 0x40) {
		*l = (struct long_name){.left = number, .sum = entry[13]};
		if (!number || number > NAME_PARTS)
			l->left = 0;
	}
	if (!l->left || number != l->left || entry[13] != l->sum) {
		*l = (struct long_name){0};
		return;
	}
	for (size_t i = 0; i < PART_LETTERS; i++)
		l->letters[(number - 1) * PART_LETTERS + i] = (uint16_t)u16(entry + places[i]);
	l->whole = --l->left == 0;
}

/* The parts belong to the entry behind them when they have the sum of its short name. */
static bool is_of(const struct long_name *l, const unsigned char *entry)
{
	unsigned char sum = 0;

	for (size_t i = 0; i < 11; i++)
		sum = (unsigned char)((sum << 7 | sum >> 1) + entry[i]);
	return l->whole && sum == l->sum;
}

static void put_short(struct strbuf *out, const unsigned char *entry)
{
	for (size_t i = 0; i < 11; i++) {
		bool extension = i >= 8, low = entry[12] & (extension ? 0x10 : 0x08);
		unsigned char c = i == 0 && entry[0] == 0x05 ? 0xe5 : entry[i];

		if (c == ' ')
			continue;
		if (extension && i >= 8 && !strchr(strbuf_text(out), '.'))
			strbuf_addc(out, '.');
		strbuf_addc(out, (char)(low && c >= 'A' && c <= 'Z' ? c + 32 : c));
	}
}

/* NULL: out of memory. "" for a name that is none here. */
static const char *name_of(const struct long_name *l, const unsigned char *entry, struct arena *a)
{
	_cleanup_strbuf_ struct strbuf name = {0};
	const char *text;

	if (is_of(l, entry))
		for (const uint16_t *c = l->letters; *c && *c != 0xffff; c++)
			strbuf_add_letter(&name, *c);
	else
		put_short(&name, entry);
	if (strbuf_to_arena(&name, a, &text) < 0)
		return NULL;
	return strchr(text, '/') || strcmp(text, ".") == 0 || strcmp(text, "..") == 0 ? "" : text;
}

static struct fat_node node_of(const struct fat *f, const unsigned char *entry)
{
	bool folder = entry[11] & ATTR_FOLDER;
	uint32_t high = f->bits == 32 ? u16(entry + 20) << 16 : 0;

	return (struct fat_node){
		.cluster = u16(entry + 26) | high,
		.size = folder ? 0 : u32(entry + 28),
		.stamp = u16(entry + 24) << 16 | u16(entry + 22),
		.folder = folder,
	};
}

/*
 * Looks for one name (NULL: for none), or adds all to ret_names. 1 when it is found, 0, negative
 * errno.
 */
static int walk(struct fat *f, const struct fat_node *folder, struct arena *a, const char *name,
		size_t len, struct fat_node *ret, struct words *ret_names)
{
	struct long_name parts = {0};
	struct folder all;
	int err = folder->folder ? read_folder(f, folder, a, &all) : -ENOTDIR;

	for (size_t i = 0; err == 0 && i < all.n; i++) {
		const unsigned char *entry = all.at + i * ENTRY;
		const char *own;

		if (!entry[0])
			break;
		if (entry[0] != 0xe5 && (entry[11] & 0x3f) == ATTR_LONG) {
			take_part(&parts, entry);
			continue;
		}
		own = entry[0] == 0xe5 || entry[11] & ATTR_LABEL ? "" : name_of(&parts, entry, a);
		parts = (struct long_name){0};
		if (!own)
			return -ENOMEM;
		if (ret_names && *own && array_push(a, ret_names, own) < 0)
			return -ENOMEM;
		if (name && strlen(own) == len && strncasecmp(own, name, len) == 0 && len) {
			*ret = node_of(f, entry);
			return 1;
		}
	}
	return err;
}

int fat_find(struct fat *f, const char *path, struct arena *a, struct fat_node *ret)
{
	struct fat_node node = {.folder = true};

	while (*path) {
		size_t len;
		int found;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (!len)
			break;
		found = walk(f, &node, a, path, len, &node, NULL);
		if (found <= 0)
			return found < 0 ? found : -ENOENT;
		path += len;
	}
	*ret = node;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int fat_list(struct fat *f, const struct fat_node *folder, struct arena *a, struct words *ret)
{
	struct words names = {0};
	int err = walk(f, folder, a, NULL, 0, NULL, &names);

	if (err < 0)
		return err;
	if (names.n)
		qsort(names.at, names.n, sizeof(*names.at), by_bytes);
	*ret = names;
	return 0;
}

int fat_read(struct fat *f, const struct fat_node *file, size_t max, struct arena *a,
	     const char **ret)
{
	size_t size;
	char *bytes;
	int err;

	if (file->folder)
		return -EISDIR;
	if (file->size > max)
		return -EFBIG;
	/* A size that the disk cannot have would cost its memory. */
	if (file->size > (uint64_t)f->clusters * f->cluster_size)
		return -EBADMSG;
	bytes = arena_alloc(a, (size_t)file->size + 1);
	if (!bytes)
		return -ENOMEM;
	err = read_chain(f, file->cluster, file->size, bytes, &size);
	if (err == 0 && size < file->size)
		err = -EBADMSG;
	if (err < 0)
		return err;
	bytes[size] = '\0';
	*ret = bytes;
	return 0;
}
