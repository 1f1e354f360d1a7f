/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who else builds: dpkg by its lock, builders by their names, each below its own root. */
#include "scratch.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "macro.h"
#include "others.h"
#include "paths.h"

static void make_lock(struct scratch *s)
{
	assert_int_equal(root_mkdirs(s->root, "/var/lib/dpkg"), 0);
	assert_int_equal(root_append(s->root, PATH_DPKG_LOCK, "", 0640), 0);
}

static int lock_it(struct scratch *s)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = root_openat(s->root, PATH_DPKG_LOCK, O_RDWR);

	return fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0 ? fd : -1;
}

/* A child that has done before(), and waits to be killed. */
static pid_t begin(struct scratch *s, bool (*before)(struct scratch *s, const char *name),
		   const char *name)
{
	int ends[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		if (before(s, name) && write(ends[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static bool hold_lock(struct scratch *s, const char *name)
{
	return prctl(PR_SET_NAME, name) == 0 && lock_it(s) >= 0;
}

static bool run_below(struct scratch *s, const char *name)
{
	return prctl(PR_SET_NAME, name) == 0 && chroot(s->dir) == 0;
}

static bool run_beside(struct scratch *s _unused_, const char *name)
{
	return prctl(PR_SET_NAME, name) == 0;
}

static int ask(struct scratch *s, int *ret_fd, const char **ret_who)
{
	bool above = false;
	int err = others_keep_out(s->root, s->arena, ret_fd, ret_who, &above);

	assert_false(above);
	return err;
}

static void without_dpkg_there_is_nothing_to_hold(void **state)
{
	const char *who = NULL;
	int fd = -1;

	assert_int_equal(ask(*state, &fd, &who), 0);
	assert_int_equal(fd, -1);
}

static void the_lock_is_held_until_it_is_closed(void **state)
{
	struct scratch *s = *state;
	const char *who = NULL;
	int fd = -1, status;
	pid_t pid;

	make_lock(s);
	assert_int_equal(ask(s, &fd, &who), 0);
	assert_true(fd >= 0);
	pid = fork();
	if (pid == 0)
		_exit(lock_it(s) < 0 ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fd);
	pid = fork();
	if (pid == 0)
		_exit(lock_it(s) < 0 ? 1 : 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void who_changes_packages_is_named(void **state)
{
	struct scratch *s = *state;
	const char *who = NULL;
	char wanted[64];
	int fd = -1;
	pid_t pid;

	make_lock(s);
	pid = begin(s, hold_lock, "apt-get");
	assert_int_equal(ask(s, &fd, &who), -EBUSY);
	snprintf(wanted, sizeof(wanted), "apt-get (process %d)", (int)pid);
	assert_string_equal(who, wanted);
	assert_int_equal(fd, -1);
	end(pid);
	assert_int_equal(ask(s, &fd, &who), 0);
	close(fd);
}

static void a_builder_below_the_same_root_is_named(void **state)
{
	static const char *const names[] = {"update-initramfs", "dracut", "proxmox-boot-tool"};
	struct scratch *s = *state;

	if (geteuid() != 0)
		skip(); /* chroot */
	make_lock(s);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		pid_t pid = begin(s, run_below, names[i]);
		const char *who = NULL;
		char wanted[64];
		int fd = -1;

		assert_int_equal(ask(s, &fd, &who), -EBUSY);
		/* The kernel keeps 15 bytes of it. */
		snprintf(wanted, sizeof(wanted), "%.15s (process %d)", names[i], (int)pid);
		assert_string_equal(who, wanted);
		assert_int_equal(fd, -1);
		end(pid);
	}
}

static void a_builder_of_another_root_is_no_matter(void **state)
{
	pid_t pid = begin(*state, run_beside, "update-initramfs");
	const char *who = NULL;
	int fd = -1;

	assert_int_equal(ask(*state, &fd, &who), 0);
	end(pid);
}

static void waiting_for_who_waits_for_us_would_never_end(void **state)
{
	struct scratch *s = *state;
	int fd, status;
	pid_t pid;

	make_lock(s);
	fd = lock_it(s);
	assert_true(fd >= 0);
	pid = fork();
	if (pid == 0) {
		const char *who = NULL;
		bool above = false;
		int none = -1;

		_exit(others_keep_out(s->root, s->arena, &none, &who, &above) == -EBUSY && above
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(without_dpkg_there_is_nothing_to_hold),
		TEST(the_lock_is_held_until_it_is_closed),
		TEST(who_changes_packages_is_named),
		TEST(a_builder_below_the_same_root_is_named),
		TEST(a_builder_of_another_root_is_no_matter),
		TEST(waiting_for_who_waits_for_us_would_never_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
