/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device is read past the page cache (O_DIRECT): what another mount of it writes to its files
 * does not go through the cache of the device, and one that was filled before would go on saying
 * what stood there.
 */
#include "tree-attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_SIZE (1u << 20)
#define ALIGNMENT  4096

/* Time zones differ by multiples of a quarter of an hour; FAT's steps are two seconds. */
#define ZONE_STEP 900
#define UNSETTLED 6

static int fill_block(struct attached *d, uint64_t at)
{
	ssize_t n;

	d->block_size = 0;
	do {
		n = pread(d->fd, d->block, BLOCK_SIZE, (off_t)at);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	d->block_at = at;
	d->block_size = (size_t)n;
	return 0;
}

static int read_device(void *ctx, uint64_t at, size_t n, void *to)
{
	struct attached *d = ctx;
	char *out = to;

	while (n) {
		size_t part;
		int err = 0;

		if (at < d->block_at || at - d->block_at >= d->block_size)
			err = fill_block(d, at / ALIGNMENT * ALIGNMENT);
		if (err < 0)
			return err;
		if (at - d->block_at >= d->block_size)
			return -EIO; /* behind the end */
		part = d->block_size - (size_t)(at - d->block_at);
		part = part < n ? part : n;
		memcpy(out, d->block + (at - d->block_at), part);
		out += part;
		at += part;
		n -= part;
	}
	return 0;
}

static int open_device(const struct root *root, const char *name, uint64_t *ret_device)
{
	char path[64];
	struct stat st;
	int fd;

	if (snprintf(path, sizeof(path), "/dev/%s", name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	/* Not opened before it is known what it is: opening some devices does something. */
	fd = root_stat(root, path, &st);
	if (fd < 0)
		return fd;
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return -ENOTBLK;
	fd = root_openat(root, path, O_RDONLY | O_DIRECT);
	if (fd == -EINVAL)
		fd = root_openat(root, path, O_RDONLY);
	*ret_device = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_ino;
	return fd;
}

int attach_device(struct attachments *all, const struct root *root, const char *name,
		  const char *at, uint64_t *ret_free)
{
	struct attached *d;
	uint64_t space;
	int err;

	if (!all->arena)
		all->arena = arena_new();
	d = all->arena ? arena_alloc(all->arena, sizeof(*d)) : NULL;
	if (!d)
		return -ENOMEM;
	*d = (struct attached){.at = arena_strdup(all->arena, at), .len = strlen(at), .fd = -1};
	d->block = d->at ? aligned_alloc(ALIGNMENT, BLOCK_SIZE) : NULL;
	if (!d->block)
		return -ENOMEM;
	d->fd = open_device(root, name, &d->device);
	err = d->fd < 0 ? d->fd
			: fat_open(all->arena, (struct fat_source){read_device, d}, &d->fat);
	if (err == 0)
		err = fat_free(d->fat, &space);
	if (err == 0)
		err = array_push(all->arena, &all->list, d);
	if (err == 0)
		*ret_free = space;
	if (err < 0) {
		if (d->fd >= 0)
			close(d->fd);
		free(d->block);
	}
	return err;
}

void attachments_done(struct attachments *all)
{
	array_foreach(it, &all->list) {
		close((*it)->fd);
		free((*it)->block);
	}
	arena_free(all->arena);
}

struct attached *attached_of(const struct attachments *all, const char *path,
			     const char **ret_inside)
{
	array_foreach(it, &all->list) {
		struct attached *d = *it;

		if (strncmp(path, d->at, d->len) == 0 && (!path[d->len] || path[d->len] == '/')) {
			*ret_inside = path + d->len;
			return d;
		}
	}
	return NULL;
}

int attached_read(struct attached *d, const char *path, size_t max, struct arena *a,
		  const char **ret, size_t *ret_size)
{
	struct fat_node node;
	int err = fat_find(d->fat, path, a, &node);

	if (err == 0)
		err = fat_read(d->fat, &node, max, a, ret);
	if (err == 0)
		*ret_size = node.size;
	return err;
}

int attached_list(struct attached *d, const char *path, struct arena *a, struct words *ret)
{
	struct fat_node node;
	int err = fat_find(d->fat, path, a, &node);

	return err < 0 ? err : fat_list(d->fat, &node, a, ret);
}

static int find_node(struct attached *d, const char *path, struct fat_node *ret)
{
	_cleanup_arena_ struct arena *a = arena_new();

	return a ? fat_find(d->fat, path, a, ret) : -ENOMEM;
}

int attached_stat(struct attached *d, const char *path, struct tree_stat *ret)
{
	struct fat_node node;
	int err = find_node(d, path, &node);

	if (err < 0)
		return err;
	*ret = (struct tree_stat){
		.mode = node.folder ? S_IFDIR | 0700 : S_IFREG | 0700, /* as 4.10 mounts them */
		.size = node.size,
		.dev = d->device,
	};
	return 0;
}

/* Seconds since 1970 of a date and time of FAT, as if it were UTC. */
static int64_t seconds_of(uint32_t stamp)
{
	uint32_t date = stamp >> 16, clock = stamp & 0xffff;
	struct tm tm = {
		.tm_year = (int)(date >> 9) + 80,
		.tm_mon = (int)(date >> 5 & 15) - 1,
		.tm_mday = (int)(date & 31),
		.tm_hour = (int)(clock >> 11),
		.tm_min = (int)(clock >> 5 & 63),
		.tm_sec = (int)(clock & 31) * 2,
	};

	return timegm(&tm);
}

int attached_key(struct attached *d, const char *path, struct image_key *ret)
{
	struct fat_node node;
	int64_t written, age;
	int err = find_node(d, path, &node);

	if (err < 0)
		return err;
	written = seconds_of(node.stamp);
	*ret = (struct image_key){
		.dev = d->device,
		.ino = node.cluster,
		.size = node.size,
		.mtime_ns = written * INT64_C(1000000000),
	};
	age = (time(NULL) - written) % ZONE_STEP;
	age = age < 0 ? age + ZONE_STEP : age;
	return age >= UNSETTLED && age <= ZONE_STEP - UNSETTLED;
}
