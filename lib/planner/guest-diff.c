/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The entries of a guest that change, as they stand and as they will: "KEY: TEXT", a line each. */
#include <string.h>

#include "guests.h"

struct sides {
	struct strbuf *before, *after;
};

static void add_line(struct strbuf *out, const char *key, const char *text)
{
	if (*text)
		strbuf_addf(out, "%s: %s\n", key, text);
}

static void add_entry(const struct sides *sides, const struct host_guest *guest, const char *key,
		      const char *text)
{
	const char *now = guest_text_at(&guest->next, key);

	if (strcmp(now, text) == 0)
		return;
	add_line(sides->before, key, now);
	add_line(sides->after, key, text);
}

static void add_all(const struct sides *sides, const struct guest_task *task)
{
	array_foreach(part, &task->parts)
		array_foreach(it, &part->ours)
			if (*it->guest)
				add_entry(sides, task->guest, it->key, it->text);
	array_foreach(it, &task->machine_ours)
		add_entry(sides, task->guest, it->key, it->text);
	array_foreach(it, &task->surplus)
		add_entry(sides, task->guest, it->key, it->before);
}

int guests_diff(struct planning *p, const struct vm_wish *wish, struct guest_steps *steps)
{
	_cleanup_strbuf_ struct strbuf before = {0}, after = {0};
	const struct sides sides = {&before, &after};
	struct step *first = NULL;
	int err;

	array_foreach(it, &steps->list)
		if (!first && strcmp(it->target, wish->task.guest->name) == 0)
			first = it;
	if (!first)
		return 0;
	add_all(&sides, &wish->task);
	first->before_size = before.len;
	first->size = after.len;
	err = strbuf_to_arena(&before, p->a, &first->before);
	return err < 0 ? err : strbuf_to_arena(&after, p->a, &first->content);
}
