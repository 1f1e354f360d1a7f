/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int columns(void)
{
	struct winsize size = {0};

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

static void draw(struct progress *p, const char *tail)
{
	char line[sizeof(p->what) + 64];
	int n = p->count ? snprintf(line, sizeof(line), "[%zu/%zu] %s%s", p->index + 1, p->count,
				    p->what, tail)
			 : snprintf(line, sizeof(line), "%s%s", p->what, tail);

	if (n < 0)
		return;
	fprintf(stderr, "\r\033[K%.*s", columns() - 1, line);
	fflush(stderr);
	p->drawn = true;
}

static void step(void *userdata, size_t index, size_t count, const char *what, bool done)
{
	struct progress *p = userdata;

	if (done)
		return;
	p->index = index;
	p->count = count;
	snprintf(p->what, sizeof(p->what), "%s", what);
	draw(p, " ...");
}

static void tick(void *userdata, unsigned seconds)
{
	char tail[32];

	snprintf(tail, sizeof(tail), " ... %u s", seconds);
	draw(userdata, tail);
}

static void wait_for_other(void *userdata, const char *holder)
{
	struct progress *p = userdata;

	p->count = 0;
	snprintf(p->what, sizeof(p->what), "waiting for %s", holder);
	draw(p, " ...");
}

void progress_begin(struct progress *p, struct pthru_ctx *ctx)
{
	*p = (struct progress){0};
	if (isatty(STDERR_FILENO))
		pthru_ctx_set_progress(ctx, p, step, tick, wait_for_other);
}

void progress_end(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}
