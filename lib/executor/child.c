/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "clock.h"
#include "surroundings.h"

#define TAIL_LINES 40
#define TAIL_BYTES 16384
#define TICK_MS	   1000
#define GRACE_MS   10000 /* between the asking and the killing of a builder, and after it */

static const char *const scrubbed[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/root",
};

static int wait_for(pid_t pid, int *ret_status)
{
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* The grandchild does the work, so that init reaps it should it be left behind. */
static void disposable(int (*fn)(void *arg), void *arg, int answer)
{
	pid_t pid = fork();
	int err;

	if (pid > 0)
		_exit(0);
	err = pid < 0 ? -errno : fn(arg);
	while (write(answer, &err, sizeof(err)) < 0 && errno == EINTR)
		;
	_exit(0);
}

static int read_answer(int fd, unsigned deadline_ms)
{
	int64_t end = clock_ms() + deadline_ms;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = end - clock_ms();
		int n = poll(&p, 1, left > 0 ? (int)left : 0), err;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ETIMEDOUT;
		if (read(fd, &err, sizeof(err)) == (ssize_t)sizeof(err))
			return err;
		return -EIO; /* it died without a word */
	}
}

int child_call(int (*fn)(void *arg), void *arg, unsigned deadline_ms)
{
	_cleanup_close_ int ask = -1, answer = -1;
	int ends[2], status, err;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	ask = ends[0];
	answer = ends[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		disposable(fn, arg, answer);
	close(take_fd(&answer));
	err = wait_for(pid, &status);
	return err < 0 ? err : read_answer(ask, deadline_ms);
}

static int build_argv(struct arena *a, const struct words *argv, char ***ret)
{
	char **copy = arena_alloc(a, (argv->n + 1) * sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < argv->n; i++) {
		copy[i] = arena_strdup(a, argv->at[i]);
		if (!copy[i])
			return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

static bool is_given(const struct words *env, const char *var)
{
	size_t name = (size_t)(strchr(var, '=') - var) + 1;

	if (env)
		array_foreach(it, env)
			if (strncmp(*it, var, name) == 0)
				return true;
	return false;
}

static int add_vars(struct arena *a, const struct words *vars, struct words *ret)
{
	array_foreach(it, vars)
		if (!is_given(ret, *it) && array_push(a, ret, *it) < 0)
			return -ENOMEM;
	return 0;
}

/* What is given counts first, then the host's locale, then what every builder gets. */
static int build_environment(const struct root *root, struct arena *a, const struct words *env,
			     char ***ret)
{
	struct words all = {0}, locale, fixed = {0};
	int err = host_locale(root, a, &locale);

	for (size_t i = 0; err == 0 && i < ARRAY_LEN(scrubbed); i++)
		err = array_push(a, &fixed, scrubbed[i]);
	if (err == 0 && env)
		err = add_vars(a, env, &all);
	if (err == 0)
		err = add_vars(a, &locale, &all);
	if (err == 0)
		err = add_vars(a, &fixed, &all);
	return err < 0 ? err : build_argv(a, &all, ret);
}

/* Callers may block or ignore signals (fact 10.5); a builder starts with none of that. */
static void reset_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* ioprio_set(2): no header has these. */
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_LEAST	   (2 << 13 | 7) /* best effort, the last of its levels */

/* Minutes of work for a later boot: what the host is for goes first. */
static void step_back(void)
{
	(void)!nice(10);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_LEAST);
}

/* What a child is given: input is -1 where it has nothing to read. */
struct ends {
	int input, log, answer;
};

static int enter(const struct root *root, const struct ends *ends)
{
	int null;

	umask(022); /* an image is as readable as one that the host's own tools make */
	if (setpgid(0, 0) < 0 || fchdir(root_fd(root)) < 0)
		return -errno;
	if (!root_is_live(root)) {
		int err = provide_dev();

		if (err < 0)
			return err;
		if (chroot(".") < 0)
			return -errno;
	}
	if (chdir("/") < 0)
		return -errno;
	null = ends->input >= 0 ? ends->input : open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		if (dup2(null, STDIN_FILENO) < 0)
			return -errno;
	} else {
		close(STDIN_FILENO); /* a root without /dev: no input all the same */
	}
	if (dup2(ends->log, STDOUT_FILENO) < 0 || dup2(ends->log, STDERR_FILENO) < 0)
		return -errno;
	return 0;
}

static void builder(const struct root *root, char **argv, char **env, const struct ends *ends)
{
	int err;

	reset_signals();
	step_back();
	err = enter(root, ends);
	if (err == 0) {
		environ = env; /* execvp searches the PATH that stands there */
		execvp(argv[0], argv);
		err = -errno;
	}
	while (write(ends->answer, &err, sizeof(err)) < 0 && errno == EINTR)
		;
	_exit(127);
}

/* Frees what a talkative builder wrote, all but its end. */
static void forget_output(int log)
{
	off_t size = lseek(log, 0, SEEK_END);

	if (size > 4 * TAIL_BYTES)
		(void)fallocate(log, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				size - 4 * TAIL_BYTES);
}

/* Whether it ended in time. */
static bool wait_with_ticks(int fd, int log, const struct progress *progress, unsigned deadline_ms)
{
	int64_t began = clock_ms(), past = 0;
	unsigned told = 0;

	while (past < deadline_ms) {
		int64_t left = deadline_ms - past;
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int n = poll(&p, 1, left < TICK_MS ? (int)left : TICK_MS);

		if (n > 0 || (n < 0 && errno != EINTR))
			return true;
		forget_output(log);
		past = clock_ms() - began;
		if (progress && progress->tick && past / 1000 > told)
			progress->tick(progress->ctx, told = (unsigned)(past / 1000));
	}
	return false;
}

/* A builder that is stuck in the kernel cannot even be killed: it is left behind. */
static int wait_for_builder(pid_t pid, int log, const struct progress *progress,
			    unsigned deadline_ms, int *ret_status)
{
	_cleanup_close_ int fd = pidfd_open(pid, 0);

	if (fd < 0 || wait_with_ticks(fd, log, progress, deadline_ms))
		return wait_for(pid, ret_status);
	kill(-pid, SIGTERM);
	if (!wait_with_ticks(fd, log, NULL, GRACE_MS)) {
		kill(-pid, SIGKILL);
		if (!wait_with_ticks(fd, log, NULL, GRACE_MS))
			return -ETIMEDOUT;
	}
	(void)wait_for(pid, ret_status);
	return -ETIMEDOUT;
}

static int read_log(int log, struct arena *a, const char **ret)
{
	_cleanup_free_ char *text = malloc(TAIL_BYTES);
	off_t size = lseek(log, 0, SEEK_END);
	off_t from = size > TAIL_BYTES ? size - TAIL_BYTES : 0;
	ssize_t n;

	if (!text)
		return -ENOMEM;
	n = pread(log, text, TAIL_BYTES, from);
	if (n < 0)
		return -errno;
	*ret = output_tail(a, text, (size_t)n, TAIL_LINES, TAIL_BYTES);
	return *ret ? 0 : -ENOMEM;
}

/* The errno with which exec failed, 0 when the command runs. */
static int exec_error(int ask)
{
	ssize_t n;
	int err;

	do
		n = read(ask, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(err) ? err : 0;
}

/* The text as a file to read: one that may be opened anew by its name, as /dev/stdin is. */
static int make_input(const char *text, int *ret)
{
	_cleanup_close_ int fd = -1;
	int err;

	*ret = -1;
	if (!text)
		return 0;
	fd = memfd_create("input", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write_all(fd, text, strlen(text));
	if (err < 0)
		return err;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	*ret = take_fd(&fd);
	return 0;
}

static int start(const struct root *root, const struct ops_command *command, struct arena *a,
		 int log, pid_t *ret)
{
	_cleanup_close_ int input = -1, ask = -1, answer = -1;
	char **args = NULL, **vars = NULL;
	int pair[2], status, err = build_argv(a, command->argv, &args);
	pid_t pid;

	if (err == 0)
		err = build_environment(root, a, command->env, &vars);
	if (err == 0)
		err = make_input(command->input, &input);
	if (err < 0)
		return err;
	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	ask = pair[0];
	answer = pair[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		builder(root, args, vars,
			&(struct ends){.input = input, .log = log, .answer = answer});
	close(take_fd(&answer));
	err = exec_error(ask);
	if (err < 0)
		(void)wait_for(pid, &status);
	*ret = pid;
	return err;
}

int child_start(const struct root *root, const struct ops_command *command, struct arena *a,
		struct child *ret)
{
	/*
	 * A memory file and no pipe: a builder goes on unharmed when we are killed, and one that
	 * leaves a process behind that holds its output does not keep us waiting.
	 */
	_cleanup_close_ int log = memfd_create("builder", MFD_CLOEXEC);
	pid_t pid = -1;
	int err;

	if (log < 0)
		return -errno;
	if (!command->argv->n)
		return -EINVAL;
	err = start(root, command, a, log, &pid);
	if (err < 0)
		return err;
	*ret = (struct child){.pid = pid,
			      .log = take_fd(&log),
			      .began = clock_ms(),
			      .deadline_ms = command->deadline_ms};
	return 0;
}

int child_wait(struct child *child, const struct progress *progress, struct arena *a,
	       struct ops_result *ret)
{
	_cleanup_close_ int log = take_fd(&child->log);
	int64_t past = clock_ms() - child->began;
	/* One that ended while another was waited for is not asked to end. */
	unsigned left = past < child->deadline_ms ? child->deadline_ms - (unsigned)past : 1;
	int status, read, err = wait_for_builder(child->pid, log, progress, left, &status);

	if (err < 0 && err != -ETIMEDOUT)
		return err;
	if (err == 0)
		ret->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	read = read_log(log, a, &ret->output);
	return err < 0 ? err : read;
}

int child_run(const struct root *root, const struct ops_command *command,
	      const struct progress *progress, struct arena *a, struct ops_result *ret)
{
	struct child child;
	int err = child_start(root, command, a, &child);

	return err < 0 ? err : child_wait(&child, progress, a, ret);
}
