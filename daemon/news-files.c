/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folders are watched, not files: a file that is replaced is another one, and one that is not there
 * yet has nothing to be watched. Where the folder is missing too, the nearest one above it tells
 * when it comes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "array.h"
#include "log.h"
#include "macro.h"
#include "news.h"

#define CHANGES                                                                                    \
	(IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM |          \
	 IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)

#define SUFFIX ".yaml"

enum what { WATCH_SPEC, WATCH_ANY, WATCH_FILE, _WATCH_MAX };

static const char *const words[_WATCH_MAX] = {
	[WATCH_SPEC] = "spec", [WATCH_ANY] = "any", [WATCH_FILE] = "file"};

/* One line of interest in one watched folder. */
struct interest {
	int wd;
	enum what what;
	const char *name; /* the only one that counts, NULL: all */
};

struct watched {
	struct arena *arena;
	int fd; /* inotify */
	sd_event_source *source;
	ARRAY_OF(struct interest) interests;
	struct words specs; /* folders of the spec */
};

struct news_files {
	sd_event *event;       /* borrowed */
	struct pthru_ctx *ctx; /* borrowed */
	news_handler *hear;
	void *owner;
	char *paths; /* the lines */
	struct watched now;
};

/* --- what is being written -------------------------------------------------------------------- */

static bool is_spec_name(const char *name)
{
	size_t n = strlen(name), suffix = strlen(SUFFIX);

	return name[0] != '.' && n > suffix && strcmp(name + n - suffix, SUFFIX) == 0;
}

/* A lease is to be had only while nobody has the file open for writing. */
static bool is_open(int dir, const char *name)
{
	_cleanup_close_ int fd = openat(dir, name,
					O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return errno == EAGAIN;
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	return false;
}

static bool any_open(struct news_files *f, const char *path)
{
	_cleanup_close_ int place = pthru_watch_open(f->ctx, path);
	int fd = place < 0 ? -1 : openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	bool found = false;

	if (!dir) {
		closep(&fd);
		return false;
	}
	while (!found && (e = readdir(dir)))
		found = is_spec_name(e->d_name) && is_open(dirfd(dir), e->d_name);
	closedir(dir);
	return found;
}

bool news_files_open(struct news_files *f)
{
	array_foreach(it, &f->now.specs)
		if (any_open(f, *it))
			return true;
	return false;
}

/* --- events ----------------------------------------------------------------------------------- */

static bool concerns(const struct interest *i, const struct inotify_event *e)
{
	if (i->wd != e->wd)
		return false;
	if (!e->len) /* the folder itself */
		return e->mask & (IN_DELETE_SELF | IN_MOVE_SELF);
	if (i->name)
		return strcmp(i->name, e->name) == 0;
	if (i->what == WATCH_SPEC)
		return is_spec_name(e->name);
	return e->name[0] != '.'; /* temporary files, ours too */
}

/* own: what is there may be our doing, and only the spec never is. */
static void hear_event(struct news_files *f, const struct inotify_event *e, bool own)
{
	if (e->mask & IN_Q_OVERFLOW) {
		f->hear(f->owner, true);
		return;
	}
	array_foreach(it, &f->now.interests) {
		if (!concerns(it, e))
			continue;
		if (it->what == WATCH_SPEC || !own)
			f->hear(f->owner, it->what == WATCH_SPEC);
	}
}

/* Takes what is there; false when there is nothing. */
static bool take(struct news_files *f, bool own)
{
	char buffer[8192] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n = f->now.fd < 0 ? 0 : read(f->now.fd, buffer, sizeof(buffer));

	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *e = (const struct inotify_event *)(buffer + at);

		hear_event(f, e, own);
		at += (ssize_t)(sizeof(*e) + e->len);
	}
	return n > 0 || (n < 0 && errno == EINTR);
}

void news_files_drain(struct news_files *f)
{
	while (take(f, true))
		;
}

static int on_event(sd_event_source *source _unused_, int fd _unused_, uint32_t events _unused_,
		    void *userdata)
{
	while (take(userdata, false))
		;
	return 0;
}

/* --- watching --------------------------------------------------------------------------------- */

static struct watched watched_done(struct watched *w)
{
	sd_event_source_disable_unref(w->source);
	closep(&w->fd);
	arena_free(w->arena);
	return (struct watched){.fd = -1};
}

/* 0; -ENOENT when there is no such folder. */
static int add_folder(struct news_files *f, struct watched *w, const char *dir, enum what what,
		      const char *name)
{
	_cleanup_close_ int fd = pthru_watch_open(f->ctx, dir);
	struct interest interest = {.what = what, .name = name};
	char path[64];

	if (fd < 0)
		return fd;
	/* Paths are the root's, which inotify knows nothing of: it is led through the descriptor.
	 */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	interest.wd = inotify_add_watch(w->fd, path, CHANGES | IN_ONLYDIR | IN_MASK_ADD);
	if (interest.wd < 0)
		return -errno;
	return array_push(w->arena, &w->interests, interest);
}

/* Watches dir for name, or the nearest folder above that is there for what leads to it. */
static int add_nearest(struct news_files *f, struct watched *w, char *dir, enum what what,
		       const char *name)
{
	for (;;) {
		int err = add_folder(f, w, *dir ? dir : "/", what, name);
		char *slash = strrchr(dir, '/');

		if ((err != -ENOENT && err != -ENOTDIR) || !slash)
			return err;
		name = arena_strdup(w->arena, slash + 1);
		if (!name)
			return -ENOMEM;
		*slash = '\0';
	}
}

static int add_line(struct news_files *f, struct watched *w, const char *line, size_t n)
{
	size_t word = strcspn(line, " ");
	char *path, *slash;

	if (word >= n)
		return -EBADMSG;
	path = arena_strndup(w->arena, line + word + 1, n - word - 1);
	if (!path)
		return -ENOMEM;
	for (int what = 0; what < _WATCH_MAX; what++) {
		if (strlen(words[what]) != word || strncmp(words[what], line, word) != 0)
			continue;
		if (what == WATCH_SPEC && words_add(w->arena, &w->specs, path) < 0)
			return -ENOMEM;
		slash = what == WATCH_FILE ? strrchr(path, '/') : NULL;
		if (slash)
			*slash = '\0';
		return add_nearest(f, w, path, (enum what)what, slash ? slash + 1 : NULL);
	}
	return -EBADMSG;
}

static int watch_lines(struct news_files *f, const char *paths, struct watched *w)
{
	w->arena = arena_new();
	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (!w->arena || w->fd < 0)
		return w->arena ? -errno : -ENOMEM;
	while (*paths) {
		size_t n = strcspn(paths, "\n");
		int err = add_line(f, w, paths, n);

		/* One that cannot be watched is no reason to watch none. */
		if (err == -ENOMEM || err == -ENOSPC)
			return err;
		paths += n + (paths[n] == '\n');
	}
	return sd_event_add_io(f->event, &w->source, w->fd, EPOLLIN, on_event, f);
}

int news_files_set(struct news_files *f, const char *paths)
{
	struct watched next = {.fd = -1};
	char *copy = strdup(paths);
	int err = copy ? watch_lines(f, paths, &next) : -ENOMEM;

	if (err < 0) {
		log_line(LOG_PRIORITY_WARNING, "files cannot be watched: %s", strerror(-err));
		watched_done(&next);
		free(copy);
		return err;
	}
	/* Between the two nothing is lost: both listened for a moment. */
	while (take(f, false))
		;
	watched_done(&f->now);
	f->now = next;
	free(f->paths);
	f->paths = copy;
	return 0;
}

void news_files_again(struct news_files *f)
{
	if (f->paths)
		(void)news_files_set(f, f->paths);
}

int news_files_new(sd_event *event, struct pthru_ctx *ctx, news_handler *hear, void *owner,
		   struct news_files **ret)
{
	struct news_files *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	*f = (struct news_files){
		.event = event, .ctx = ctx, .hear = hear, .owner = owner, .now = {.fd = -1}};
	*ret = f;
	return 0;
}

struct news_files *news_files_free(struct news_files *f)
{
	if (!f)
		return NULL;
	watched_done(&f->now);
	free(f->paths);
	free(f);
	return NULL;
}
