/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "job.h"
#include "macro.h"
#include "strbuf.h"

static int daemon_socket = -1;

/* Without waiting: a journal that hangs must not make its services hang. */
static bool takes_more(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, 0) == 1 && p.revents & POLLOUT;
}

static void print(int priority, const char *text)
{
	/* Set by systemd when standard error is the journal's. */
	if (!getenv("JOURNAL_STREAM"))
		fprintf(stderr, "passthroughd: %s\n", text);
	else if (takes_more(STDERR_FILENO))
		fprintf(stderr, "<%d>%s\n", priority, text);
}

#define FIELDS_MAX 8

struct fields {
	struct strbuf texts[FIELDS_MAX];
	struct iovec at[FIELDS_MAX];
	int n;
	bool lost;
};

static void put_field(struct fields *f, const char *name, const char *value)
{
	struct strbuf *text = &f->texts[f->n];

	if (!value)
		return;
	strbuf_addf(text, "%s=%s", name, value);
	f->lost = f->lost || text->error;
	f->at[f->n++] = (struct iovec){text->text, text->len};
}

/*
 * Libsystemd sends there, is content when nobody is, and waits where its queue is full. Only a
 * connected socket can be asked for that.
 */
static bool journal_listens(void)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX,
					    .sun_path = "/run/systemd/journal/socket"};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	       takes_more(fd);
}

/* Whether the journal has it. */
static bool journal(enum message message, int priority, const struct log_fields *fields,
		    const char *text)
{
	struct fields f = {0};
	char digit[2] = {(char)('0' + priority), '\0'};
	bool done;

	if (message == _MESSAGE_INVALID || !getenv("JOURNAL_STREAM") || !journal_listens())
		return false;
	put_field(&f, "MESSAGE", text);
	put_field(&f, "PRIORITY", digit);
	put_field(&f, "MESSAGE_ID", message_id(message));
	put_field(&f, "PTHRU_ITEM", fields->item);
	put_field(&f, "PTHRU_DEVICE", fields->device);
	put_field(&f, "PTHRU_STATE", fields->state);
	put_field(&f, "PTHRU_CODE", fields->code);
	put_field(&f, "SYSLOG_IDENTIFIER", "passthroughd");
	done = !f.lost && sd_journal_sendv(f.at, f.n) >= 0;
	for (int i = 0; i < f.n; i++)
		strbuf_done(&f.texts[i]);
	return done;
}

static bool relay(enum message message, int priority, const struct log_fields *fields,
		  const char *text)
{
	_cleanup_strbuf_ struct strbuf packet = {0};

	if (daemon_socket < 0)
		return false;
	/* Of the fields a worker's messages have no other. */
	strbuf_addf(&packet, JOB_SAYS_LOG "%d %d %s %s", priority, message,
		    fields->state ? fields->state : "-", text);
	return send(daemon_socket, strbuf_text(&packet), packet.len, MSG_NOSIGNAL) >= 0;
}

static void put(enum message message, int priority, const struct log_fields *fields,
		const char *text)
{
	if (!journal(message, priority, fields, text))
		print(priority, text);
}

static void say(enum message message, int priority, const struct log_fields *fields,
		const char *fmt, va_list ap)
{
	_cleanup_strbuf_ struct strbuf text = {0};

	strbuf_vaddf(&text, fmt, ap);
	if (!relay(message, priority, fields, strbuf_text(&text)))
		put(message, priority, fields, strbuf_text(&text));
}

void log_line(enum log_priority priority, const char *fmt, ...)
{
	const struct log_fields none = {0};
	va_list ap;

	va_start(ap, fmt);
	say(_MESSAGE_INVALID, (int)priority, &none, fmt, ap);
	va_end(ap);
}

void log_event(enum message message, enum log_priority priority, struct log_fields fields,
	       const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(message, (int)priority, &fields, fmt, ap);
	va_end(ap);
}

void log_lines(enum log_priority priority, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n)
			log_line(priority, "%.*s", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

void log_to_daemon(int fd)
{
	daemon_socket = fd;
}

void log_relayed(const char *text)
{
	struct log_fields fields = {0};
	char *rest, state[16];
	long priority = strtol(text, &rest, 10), message = strtol(rest, &rest, 10);
	size_t n;

	rest += *rest == ' ';
	n = strcspn(rest, " ");
	snprintf(state, sizeof(state), "%.*s", (int)n, rest);
	if (strcmp(state, "-") != 0)
		fields.state = state;
	if (priority < 0 || priority > 7 || message < _MESSAGE_INVALID || message >= _MESSAGE_MAX)
		return;
	put((enum message)message, (int)priority, &fields, rest + n + (rest[n] == ' '));
}
