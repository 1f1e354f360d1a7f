/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "paths.h"

#define JOURNAL_MAX  (256u << 10) /* about 200 applies */
#define JOURNAL_KEEP (64u << 10)
#define STAMP_SIZE   21 /* "2024-05-01T12:00:00Z " */
#define ENDS	     " ends: "

static void add_line(struct journal *j, const char *text)
{
	struct timespec now;
	char stamp[32];
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	if (!gmtime_r(&now.tv_sec, &tm) ||
	    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ ", &tm) != STAMP_SIZE)
		strcpy(stamp, "0000-00-00T00:00:00Z ");
	strbuf_add(&j->lines, stamp);
	strbuf_add(&j->lines, text);
	strbuf_addc(&j->lines, '\n');
}

static int flush(struct journal *j)
{
	int err = j->lines.error;

	if (err == 0 && j->lines.len)
		err = j->ops->append(j->ops->ctx, PATH_JOURNAL, strbuf_text(&j->lines));
	if (err == 0)
		strbuf_done(&j->lines);
	return err;
}

static int read_journal(const struct ops *ops, struct arena *a, const char **ret, size_t *ret_size)
{
	int err = ops->read(ops->ctx, PATH_JOURNAL, 64 * JOURNAL_MAX, a, ret, ret_size, NULL);

	if (err != -ENOENT)
		return err;
	*ret = "";
	*ret_size = 0;
	return 0;
}

/* Drops old lines; ends a line that was cut. */
static int tidy(struct journal *j)
{
	static const struct file_attr attr = {.mode = 0644};
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text, *keep;
	size_t size;
	int err;

	if (!a)
		return -ENOMEM;
	err = read_journal(j->ops, a, &text, &size);
	if (err < 0)
		return err;
	if (size && text[size - 1] != '\n')
		strbuf_addc(&j->lines, '\n');
	if (size <= JOURNAL_MAX)
		return 0;
	keep = memchr(text + size - JOURNAL_KEEP, '\n', JOURNAL_KEEP);
	keep = keep ? keep + 1 : text + size;
	return j->ops->replace(j->ops->ctx, PATH_JOURNAL, keep, (size_t)(text + size - keep), &attr,
			       false);
}

int journal_begin(struct journal *j, const struct ops *ops, const struct plan *plan)
{
	char line[64];
	int err;

	*j = (struct journal){.ops = ops, .count = plan->steps.n};
	snprintf(j->name, sizeof(j->name), "%s", plan->id);
	err = tidy(j);
	if (err < 0)
		return err;
	snprintf(line, sizeof(line), "apply %s begins: %zu steps", j->name, j->count);
	add_line(j, line);
	return flush(j);
}

static void add_step(struct journal *j, size_t index, const char *text)
{
	_cleanup_strbuf_ struct strbuf line = {0};

	strbuf_addf(&line, "%zu/%zu %s", index + 1, j->count, text);
	if (line.error)
		j->lines.error = line.error;
	add_line(j, strbuf_text(&line));
}

int journal_intent(struct journal *j, size_t index, const char *what)
{
	add_step(j, index, what);
	return flush(j);
}

void journal_result(struct journal *j, size_t index, const char *result)
{
	add_step(j, index, result);
}

int journal_note(struct journal *j, const char *what, const char *target)
{
	_cleanup_strbuf_ struct strbuf line = {0};

	strbuf_addf(&line, "%s %s", what, target);
	if (line.error)
		return line.error;
	add_line(j, line.text);
	return flush(j);
}

int journal_end(struct journal *j, const char *result)
{
	char line[64];
	int err;

	snprintf(line, sizeof(line), "apply %s" ENDS "%s", *j->name ? j->name : "before", result);
	add_line(j, line);
	err = flush(j);
	journal_done(j);
	return err;
}

int journal_close(const struct ops *ops)
{
	struct journal j = {.ops = ops};
	int err = tidy(&j);

	if (err == 0)
		err = journal_end(&j, "was cut");
	journal_done(&j);
	return err;
}

void journal_done(struct journal *j)
{
	strbuf_done(&j->lines);
}

static const char *last_line(struct arena *a, const char *text, size_t size)
{
	const char *end = text + size, *at;

	while (end > text && end[-1] == '\n')
		end--;
	for (at = end; at > text && at[-1] != '\n'; at--)
		;
	return arena_strndup(a, at, (size_t)(end - at));
}

int apply_unfinished(const struct ops *ops, struct arena *a, const char **ret)
{
	const char *text, *line;
	size_t size;
	int err = read_journal(ops, a, &text, &size);

	if (err < 0)
		return err;
	line = last_line(a, text, size);
	if (!line)
		return -ENOMEM;
	if (!*line || (strlen(line) > STAMP_SIZE && strncmp(line + STAMP_SIZE, "apply ", 6) == 0 &&
		       strstr(line, ENDS)))
		return 0;
	*ret = line;
	return 1;
}
