/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "strbuf.h"

void log_line(enum log_priority priority, const char *fmt, ...)
{
	_cleanup_strbuf_ struct strbuf message = {0};
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&message, fmt, ap);
	va_end(ap);
	/* Set by systemd when standard error is the journal's. */
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", (int)priority, strbuf_text(&message));
	else
		fprintf(stderr, "passthroughd: %s\n", strbuf_text(&message));
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
