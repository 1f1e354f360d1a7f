/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "job.h"
#include "strbuf.h"

static int daemon_socket = -1;

static void print(int priority, const char *text)
{
	/* Set by systemd when standard error is the journal's. */
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", priority, text);
	else
		fprintf(stderr, "passthroughd: %s\n", text);
}

static bool relay(int priority, const char *text)
{
	_cleanup_strbuf_ struct strbuf packet = {0};

	if (daemon_socket < 0)
		return false;
	strbuf_addf(&packet, JOB_SAYS_LOG "%d %s", priority, text);
	return send(daemon_socket, strbuf_text(&packet), packet.len, MSG_NOSIGNAL) >= 0;
}

void log_line(enum log_priority priority, const char *fmt, ...)
{
	_cleanup_strbuf_ struct strbuf message = {0};
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&message, fmt, ap);
	va_end(ap);
	if (!relay((int)priority, strbuf_text(&message)))
		print((int)priority, strbuf_text(&message));
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
	char *rest;
	long priority = strtol(text, &rest, 10);

	print((int)priority, rest + (*rest == ' '));
}
