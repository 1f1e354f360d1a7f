/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "macro.h"
#include "wire.h"

#define MESSAGE_MAX 4096 /* bytes of one thing said */

struct worker {
	const struct worker_kind *kind;
	void *owner, *argument;
	int fd;
	pid_t pid; /* of a forked child, 0: it is systemd's */
	int files[WIRE_FDS];
	sd_event_source *said;
	struct workers *all;
	struct worker *next;
};

void *worker_argument(const struct worker *w)
{
	return w->argument;
}

int worker_out(const struct worker *w)
{
	return w->files[0];
}

int worker_err(const struct worker *w)
{
	return w->files[1];
}

static void worker_free(struct worker *w)
{
	for (struct worker **at = &w->all->first; *at; at = &(*at)->next)
		if (*at == w) {
			*at = w->next;
			break;
		}
	sd_event_source_disable_unref(w->said);
	closep(&w->fd);
	closep(&w->files[0]);
	closep(&w->files[1]);
	free(w);
}

static void finish(struct worker *w, int code)
{
	if (code < 0) {
		log_event(MESSAGE_CUT, LOG_PRIORITY_ERROR, (struct log_fields){.state = "cut"},
			  "%s ended without an answer", w->kind->name);
		code = PTHRU_EXIT_FAILED;
	}
	w->kind->ended(w->owner, w, code);
	worker_free(w);
}

static void hear(struct worker *w, const char *text)
{
	const size_t n = strlen(JOB_SAYS_LOG);

	if (strncmp(text, JOB_SAYS_LOG, n) == 0)
		log_relayed(text + n);
	else if (w->kind->heard)
		w->kind->heard(w->owner, text);
}

/* Takes one packet; false when there is none now, or none any more: the worker is freed then. */
static bool listen_once(struct worker *w)
{
	char text[MESSAGE_MAX];
	int n = wire_receive(w->fd, MSG_DONTWAIT, text, sizeof(text), w->files);

	if (n == -EAGAIN)
		return false;
	if (n > 0 && w->files[0] < 0) {
		hear(w, text);
		return true;
	}
	finish(w, n > 0 ? wire_reply_code(text) : -EBADMSG);
	return false;
}

static int on_said(sd_event_source *source _unused_, int fd _unused_, uint32_t events _unused_,
		   void *userdata)
{
	listen_once(userdata);
	return 0;
}

/* Something that hangs below it may keep the socket open: its own end is what counts. */
static int on_exit_of_child(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	struct workers *all = userdata;

	for (struct worker *w = all->first; w; w = w->next) {
		if (w->pid != info->si_pid)
			continue;
		while (listen_once(w))
			;
		break;
	}
	for (struct worker *w = all->first; w; w = w->next) {
		if (w->pid == info->si_pid) {
			finish(w, -EBADMSG);
			break;
		}
	}
	(void)sd_event_source_set_floating(source, 0); /* the loop's, no longer */
	return 0;
}

/* The child is a process like any other: the loop's blocked signals are not its own (10.5). */
static _Noreturn void become_child(struct workers *all, int fd)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	unsetenv("NOTIFY_SOCKET"); /* the daemon speaks for itself */
	_exit(job_serve(all->ctx, fd));
}

static int fork_child(struct workers *all, struct worker *w)
{
	int ends[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	w->fd = ends[0];
	w->pid = fork();
	err = w->pid < 0 ? -errno : 0;
	if (w->pid == 0)
		become_child(all, ends[1]);
	close(ends[1]);
	if (err < 0)
		return err;
	err = sd_event_add_child(all->event, NULL, w->pid, WEXITED, on_exit_of_child, all);
	if (err < 0) { /* nobody would ever hear of it */
		kill(w->pid, SIGKILL);
		waitpid(w->pid, NULL, 0);
	}
	return err < 0 ? err : 0;
}

static int ask_systemd(struct workers *all, struct worker *w)
{
	w->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (w->fd < 0)
		return -errno;
	return connect(w->fd, (const struct sockaddr *)&all->address, sizeof(all->address)) < 0
		       ? -errno
		       : 0;
}

bool workers_outlive(const struct workers *all)
{
	return *all->address.sun_path;
}

static int hand_over(struct worker *w, const struct job *job)
{
	char text[JOB_SIZE];
	size_t size = job_format(job, text);

	if (!size)
		return -EMSGSIZE;
	return send(w->fd, text, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int worker_start(struct workers *all, const struct job *job, const struct worker_kind *kind,
		 void *owner, void *argument)
{
	struct worker *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	*w = (struct worker){.kind = kind,
			     .owner = owner,
			     .argument = argument,
			     .fd = -1,
			     .files = {-1, -1},
			     .all = all,
			     .next = all->first};
	all->first = w;
	err = workers_outlive(all) ? ask_systemd(all, w) : fork_child(all, w);
	if (err == 0)
		err = hand_over(w, job);
	if (err == 0)
		err = sd_event_add_io(all->event, &w->said, w->fd, EPOLLIN, on_said, w);
	if (err < 0) {
		worker_free(w);
		return err;
	}
	return 0;
}

void workers_drop(struct workers *all)
{
	while (all->first)
		worker_free(all->first);
}
