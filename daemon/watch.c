/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "macro.h"
#include "news.h"

#define MSEC UINT64_C(1000)
/* What is pushed comes in quick succession; drift is to be healed within two seconds all the same.
 */
#define QUIET	   (250 * MSEC)
#define AT_MOST	   (1500 * MSEC)
#define OPEN_QUIET (10000 * MSEC) /* how long a spec file may stay open for writing */

struct watch {
	sd_event *event; /* borrowed */
	struct watch_owner owner;
	struct news_files *files;
	struct news_kernel *kernel;
	sd_event_source *timer;
	uint64_t since; /* first piece of news that was not told, monotonic usec */
	bool host, spec;
};

static uint64_t now_usec(const struct watch *w)
{
	uint64_t now = 0;

	(void)sd_event_now(w->event, CLOCK_MONOTONIC, &now);
	return now;
}

static int on_settled(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata);

static void arm(struct watch *w, uint64_t at)
{
	int err = 0;

	if (!w->timer)
		err = sd_event_add_time(w->event, &w->timer, CLOCK_MONOTONIC, at, 10 * MSEC,
					on_settled, w);
	if (err >= 0)
		err = sd_event_source_set_time(w->timer, at);
	if (err >= 0)
		err = sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
	if (err < 0)
		log_line(LOG_PRIORITY_ERROR, "news cannot be waited for: %s", strerror(-err));
}

static void hear(void *owner, bool spec)
{
	struct watch *w = owner;
	uint64_t now = now_usec(w), at;

	if (!w->host && !w->spec)
		w->since = now;
	w->host |= !spec;
	w->spec |= spec;
	/* A push of many files is taken as one; drift alone may go on for ever. */
	at = now + QUIET;
	if (!w->spec && at > w->since + AT_MOST)
		at = w->since + AT_MOST;
	arm(w, at);
}

static int on_settled(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata)
{
	struct watch *w = userdata;
	bool spec = w->spec;

	/* Half a file is not read: its writer closes it, or is given up on. */
	if (spec && news_files_open(w->files) && now_usec(w) < w->since + OPEN_QUIET) {
		arm(w, now_usec(w) + QUIET);
		return 0;
	}
	w->host = w->spec = false;
	/* Folders that came since are watched before anybody looks. */
	news_files_again(w->files);
	w->owner.changed(w->owner.owner, spec);
	return 0;
}

int watch_paths(struct watch *w, const char *paths)
{
	return news_files_set(w->files, paths);
}

void watch_forget(struct watch *w)
{
	news_files_drain(w->files);
	news_kernel_drain(w->kernel);
	w->host = false;
	if (!w->spec && w->timer)
		(void)sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
}

int watch_new(sd_event *event, struct pthru_ctx *ctx, const struct watch_owner *owner,
	      struct watch **ret)
{
	struct watch *w = calloc(1, sizeof(*w));
	_cleanup_free_ char *spec = NULL;
	int err;

	if (!w)
		return -ENOMEM;
	w->event = event;
	w->owner = *owner;
	err = news_files_new(event, ctx, hear, w, &w->files);
	/* What else is to be watched, the first look says. */
	if (err == 0)
		err = pthru_plan_watches(NULL, &spec);
	if (err == 0)
		err = watch_paths(w, spec);
	if (err == 0 && pthru_is_live(ctx))
		err = news_kernel_new(event, hear, w, &w->kernel);
	if (err < 0) {
		watch_free(w);
		return err;
	}
	*ret = w;
	return 0;
}

struct watch *watch_free(struct watch *w)
{
	if (!w)
		return NULL;
	sd_event_source_disable_unref(w->timer);
	news_files_free(w->files);
	news_kernel_free(w->kernel);
	free(w);
	return NULL;
}
