/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "log.h"
#include "macro.h"
#include "strbuf.h"

#define MESSAGE_MAX 512 /* bytes of one thing said */

struct worker {
	const struct worker_kind *kind;
	void *owner, *argument;
	struct worker_ends ends; /* talk: the daemon's end */
	sd_event_source *child, *said;
	struct workers *all;
	struct worker *next;
};

void *worker_argument(const struct worker *w)
{
	return w->argument;
}

int worker_out(const struct worker *w)
{
	return w->ends.out;
}

int worker_err(const struct worker *w)
{
	return w->ends.err;
}

static void worker_free(struct worker *w)
{
	for (struct worker **at = &w->all->first; *at; at = &(*at)->next)
		if (*at == w) {
			*at = w->next;
			break;
		}
	sd_event_source_disable_unref(w->child);
	sd_event_source_disable_unref(w->said);
	closep(&w->ends.out);
	closep(&w->ends.err);
	closep(&w->ends.talk);
	free(w);
}

/* Takes one message; false when there is none. */
static bool listen_once(struct worker *w)
{
	char text[MESSAGE_MAX];
	ssize_t n = recv(w->ends.talk, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (n <= 0)
		return false;
	text[n] = '\0';
	if (w->kind->heard)
		w->kind->heard(w->owner, text);
	return true;
}

static int on_said(sd_event_source *source, int fd _unused_, uint32_t events, void *userdata)
{
	/* The child's end is closed: what comes next is its exit. */
	if (!listen_once(userdata) && (events & (EPOLLHUP | EPOLLERR)))
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

static int on_exit_of_child(sd_event_source *source _unused_, const siginfo_t *info, void *userdata)
{
	struct worker *w = userdata;
	int code = info->si_status;

	if (info->si_code != CLD_EXITED) {
		log_line(LOG_PRIORITY_ERROR, "%s ended by signal %d", w->kind->name,
			 info->si_status);
		code = 1;
	}
	while (listen_once(w))
		;
	w->kind->ended(w->owner, w, code);
	worker_free(w);
	return 0;
}

/* The child is a process like any other: the loop's blocked signals are not its own (10.5). */
static _Noreturn void become_child(const struct worker_kind *kind, void *owner, void *argument,
				   const struct worker_ends *ends)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	_exit(kind->work(owner, argument, ends));
}

static int open_files(struct worker_ends *ends)
{
	ends->out = memfd_create("answer", MFD_CLOEXEC);
	if (ends->out < 0)
		return -errno;
	ends->err = memfd_create("diagnostics", MFD_CLOEXEC);
	return ends->err < 0 ? -errno : 0;
}

static int watch(sd_event *event, struct worker *w, pid_t pid)
{
	int err = sd_event_add_child(event, &w->child, pid, WEXITED, on_exit_of_child, w);

	if (err >= 0)
		err = sd_event_add_io(event, &w->said, w->ends.talk, EPOLLIN, on_said, w);
	return err < 0 ? err : 0;
}

int worker_start(struct workers *all, const struct worker_kind *kind, void *owner, void *argument)
{
	struct worker *w = calloc(1, sizeof(*w));
	int talk[2] = {-1, -1}, err;
	pid_t pid = -1;

	if (!w)
		return -ENOMEM;
	*w = (struct worker){.kind = kind,
			     .owner = owner,
			     .argument = argument,
			     .ends = {-1, -1, -1},
			     .all = all,
			     .next = all->first};
	all->first = w;
	err = open_files(&w->ends);
	if (err == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, talk) < 0)
		err = -errno;
	if (err == 0) {
		w->ends.talk = talk[0];
		pid = fork();
		err = pid < 0 ? -errno : 0;
	}
	if (pid == 0) {
		const struct worker_ends ends = {w->ends.out, w->ends.err, talk[1]};

		become_child(kind, owner, argument, &ends);
	}
	closep(&talk[1]);
	if (err == 0) {
		err = watch(all->event, w, pid);
		if (err < 0) { /* nobody would ever hear of it */
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
	}
	if (err) {
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

void worker_tell(const struct worker_ends *ends, const char *fmt, ...)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	send(ends->talk, strbuf_text(&text), text.len < MESSAGE_MAX ? text.len : MESSAGE_MAX - 1,
	     MSG_DONTWAIT | MSG_NOSIGNAL);
}
