/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "others.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "lock.h"
#include "macro.h"
#include "paths.h"

#define COMM_SIZE 16 /* what the kernel keeps of a process's name, its end included */

/* All that write images or boot entries (chapters 2 to 5). A script goes by its own name. */
static const char *const builders[] = {
	"booster",	  "bootctl",	    "dracut",		"grub-mkconfig",
	"grub2-mkconfig", "kernel-install", "mkinitcpio",	"mkinitramfs",
	"update-grub",	  "update-grub2",   "update-initramfs", "proxmox-boot-tool",
};

static bool name_of(pid_t pid, char ret[static COMM_SIZE])
{
	char path[64];
	ssize_t n;
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, ret, COMM_SIZE - 1);
	if (n <= 0)
		return false;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return true;
}

static bool is_builder(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(builders); i++)
		if (strncmp(name, builders[i], COMM_SIZE - 1) == 0)
			return true;
	return false;
}

/* One in a container builds for another root. */
static bool is_below(const struct root *root, pid_t pid)
{
	struct stat ours, theirs;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	return fstat(root_fd(root), &ours) == 0 && stat(path, &theirs) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* 0 when nobody can tell. */
static pid_t parent_of(pid_t pid)
{
	char path[64], text[512];
	_cleanup_close_ int fd = -1;
	const char *rest;
	ssize_t n;
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	rest = strrchr(text, ')'); /* the name before it may hold anything */
	return rest && sscanf(rest, ") %*c %d", &parent) == 1 ? parent : 0;
}

static bool is_above_us(pid_t pid)
{
	for (pid_t at = getppid(); at > 1; at = parent_of(at))
		if (at == pid)
			return true;
	return false;
}

static int busy(struct arena *a, pid_t pid, const char **ret_who, bool *ret_above)
{
	char name[COMM_SIZE];
	const char *who;

	if (pid <= 0)
		who = "a process of another container"; /* not in our PID namespace */
	else
		who = arena_printf(a, "%s (process %d)", name_of(pid, name) ? name : "a process",
				   (int)pid);
	if (!who)
		return -ENOMEM;
	*ret_who = who;
	*ret_above = is_above_us(pid);
	return -EBUSY;
}

/* 0, also without dpkg or where its folder cannot be written; else as lock_file. */
static int lock_packages(const struct root *root, int *ret_fd, pid_t *ret_holder)
{
	_cleanup_close_ int fd = root_openat(root, PATH_DPKG_LOCK, O_RDWR);
	int err;

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -EROFS)
		return 0;
	err = fd < 0 ? fd : lock_file(fd, ret_holder);
	if (err == 0)
		*ret_fd = take_fd(&fd);
	return err;
}

static pid_t find_builder(const struct root *root)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	char name[COMM_SIZE];
	pid_t found = 0, pid;

	while (proc && !found && (entry = readdir(proc))) {
		pid = isdigit((unsigned char)*entry->d_name) ? (pid_t)atoi(entry->d_name) : 0;
		if (pid && name_of(pid, name) && is_builder(name) && is_below(root, pid))
			found = pid;
	}
	if (proc)
		closedir(proc);
	return found;
}

int others_keep_out(const struct root *root, struct arena *a, int *ret_fd, const char **ret_who,
		    bool *ret_above)
{
	_cleanup_close_ int fd = -1;
	pid_t pid = 0;
	int err = lock_packages(root, &fd, &pid);

	if (err == -EBUSY)
		return busy(a, pid, ret_who, ret_above);
	if (err < 0)
		return err;
	pid = find_builder(root);
	if (pid)
		return busy(a, pid, ret_who, ret_above);
	*ret_fd = take_fd(&fd);
	return 0;
}
