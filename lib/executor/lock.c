/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>

#include "paths.h"

/* Whether fd is still the file at PATH_LOCK: its folder may go and come with the service. */
static bool still_there(const struct root *root, int fd)
{
	struct stat here, held;

	return root_stat(root, PATH_LOCK, &here) == 0 && fstat(fd, &held) == 0 &&
	       here.st_dev == held.st_dev && here.st_ino == held.st_ino;
}

int lock_file(int fd, pid_t *ret_holder)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET}, other = lock;

	/* Not flock(2): a child that hangs in the kernel (7.11) would hold that for ever. */
	if (fcntl(fd, F_SETLK, &lock) == 0)
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return -errno;
	if (fcntl(fd, F_GETLK, &other) < 0)
		return -errno;
	if (other.l_type == F_UNLCK)
		return -EAGAIN;
	*ret_holder = other.l_pid > 0 ? other.l_pid : 0;
	return -EBUSY;
}

static int try_lock(const struct root *root, int *ret_fd, pid_t *ret_holder)
{
	_cleanup_close_ int fd = -1;
	int err = root_append(root, PATH_LOCK, "", 0644);

	if (err < 0)
		return err;
	fd = root_openat(root, PATH_LOCK, O_RDWR);
	if (fd < 0)
		return fd;
	err = lock_file(fd, ret_holder);
	if (err < 0)
		return err;
	if (!still_there(root, fd))
		return -EAGAIN;
	*ret_fd = take_fd(&fd);
	return 0;
}

int apply_lock(const struct root *root, int *ret_fd, pid_t *ret_holder)
{
	int err = root_mkdirs(root, PATH_RUN_DIR);

	for (int tries = 0; err == 0 && tries < 8; tries++) {
		err = try_lock(root, ret_fd, ret_holder);
		if (err != -EAGAIN)
			return err;
		err = 0;
	}
	return err < 0 ? err : -EAGAIN;
}

bool apply_is_running(const struct root *root)
{
	struct flock other = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	_cleanup_close_ int fd = root_openat(root, PATH_LOCK, O_RDONLY);

	return fd >= 0 && fcntl(fd, F_GETLK, &other) == 0 && other.l_type != F_UNLCK;
}
