/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan comes to, in one sentence. */
#include <string.h>

#include "render-part.h"

#define NAMES_MAX 4 /* names in one sentence */

/* Several commands may change one guest. */
static bool is_first_of(const struct plan *plan, const struct step *step)
{
	for (const struct step *it = plan->steps.at; it < step; it++)
		if (it->kind == step->kind && strcmp(it->target, step->target) == 0)
			return false;
	return true;
}

struct plan_sum render_sum(const struct plan *plan)
{
	struct plan_sum sum = {.devices = plan->devices.n};
	size_t flags = 0, changes = 0;
	size_t *const counts[_STEP_KIND_MAX] = {
		[STEP_WRITE_FILE] = &sum.written,
		[STEP_REMOVE_FILE] = &sum.removed,
		[STEP_BUILD_INITRAMFS] = &sum.images,
		[STEP_REFRESH_LOADER] = &sum.refreshes,
		[STEP_LOAD_MODULE] = &sum.loaded,
		[STEP_SET_PARAMETER] = &sum.set,
		[STEP_BIND] = &sum.bound,
		[STEP_RETURN] = &sum.returned,
		[STEP_SET_GUEST] = &changes,
		[STEP_FLAG_REBOOT] = &flags,
	};

	array_foreach(it, &plan->steps) {
		++*counts[it->kind];
		sum.guests += it->kind == STEP_SET_GUEST && is_first_of(plan, it);
	}
	sum.pending = plan->steps.n - flags;
	array_foreach(it, &plan->items) {
		sum.items += render_item_shown(it);
		sum.blocked += it->state == STATE_BLOCKED;
		sum.configured += it->kind == ITEM_VM && it->state == STATE_CONFIGURED;
	}
	array_foreach(it, &plan->devices)
		sum.refused += it->state == STATE_BLOCKED;
	return sum;
}

void render_work(const struct plan_sum *sum, struct strbuf *out)
{
	const struct {
		size_t n;
		const char *one, *many; /* many has a %zu */
	} parts[] = {
		{sum->written, "write 1 file", "write %zu files"},
		{sum->removed, "remove 1 file", "remove %zu files"},
		{sum->images, "rebuild 1 initramfs image", "rebuild %zu initramfs images"},
		{sum->refreshes, "refresh the boot loader", "refresh %zu boot loaders"},
		{sum->loaded, "load 1 module", "load %zu modules"},
		{sum->set, "set 1 running parameter", "set %zu running parameters"},
		{sum->bound, "bind 1 function now", "bind %zu functions now"},
		{sum->guests, "change 1 guest", "change %zu guests"},
		{sum->returned, "give 1 function back now", "give %zu functions back now"},
	};
	size_t left = 0, done = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		left += parts[i].n > 0;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const char *many = strstr(parts[i].many, "%zu");

		if (!parts[i].n)
			continue;
		strbuf_add(out, !done ? "" : done + 1 == left ? " and " : ", ");
		done++;
		if (parts[i].n == 1) {
			strbuf_add(out, parts[i].one);
			continue;
		}
		strbuf_addn(out, parts[i].many, (size_t)(many - parts[i].many));
		strbuf_addf(out, "%zu%s", parts[i].n, many + strlen("%zu"));
	}
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void stand_converged(struct page *p, const struct plan_sum *sum)
{
	page_put(p, INK_GOOD, "Nothing to do: ");
	if (!sum->items)
		page_put(p, INK_PLAIN, "nothing is wished, and nothing known to be ours is here.");
	else if (sum->configured)
		page_putf(p, INK_PLAIN,
			  "%zu of %zu item%s %s active, the others wait for a guest's start",
			  sum->items - sum->configured, sum->items, plural(sum->items),
			  sum->items - sum->configured == 1 ? "is" : "are");
	else
		page_putf(p, INK_PLAIN, "%s%zu item%s %s active", sum->items == 1 ? "the " : "all ",
			  sum->items, plural(sum->items), sum->items == 1 ? "is" : "are");
	if (sum->items && sum->devices) {
		page_mark(p, ',');
		page_putf(p, INK_PLAIN, "%zu device%s among them", sum->devices,
			  plural(sum->devices));
	}
	if (sum->items)
		page_mark(p, '.');
}

void page_standing(struct page *p, const struct plan *plan)
{
	const struct plan_sum sum = render_sum(plan);
	_cleanup_strbuf_ struct strbuf work = {0};

	page_line(p, 0, 0);
	render_work(&sum, &work);
	if (sum.pending) {
		page_put(p, INK_STRONG,
			 plan->observe_only ? "Would be done (mode: observe): " : "To do: ");
		page_putf(p, INK_PLAIN, "%s%s.", strbuf_text(&work),
			  plan->reboot_required ? "; then a reboot" : "");
	} else if (plan->reboot_required) {
		page_put(p, INK_WARN, "Only a reboot is outstanding");
		page_putf(p, INK_PLAIN, ": %s is ready for the next boot.",
			  sum.blocked ? "what is possible" : "everything");
	} else if (sum.blocked) {
		page_put(p, INK_BAD, "Nothing more can be done: ");
		page_putf(p, INK_PLAIN, "%zu of %zu item%s %s blocked.", sum.blocked, sum.items,
			  plural(sum.items), sum.blocked == 1 ? "is" : "are");
	} else {
		stand_converged(p, &sum);
	}
	page_end(p);
	if (work.error)
		p->out->error = work.error;
}

/* "Refused: disk, nic, and 2 more." */
static void name_some(struct page *p, const char *what, const char *const *names, size_t n)
{
	if (!n)
		return;
	page_line(p, 0, 0);
	page_put(p, INK_BAD, what);
	page_put(p, INK_PLAIN, " ");
	for (size_t i = 0; i < n && i < NAMES_MAX; i++) {
		if (i)
			page_mark(p, ',');
		page_put(p, INK_PLAIN, names[i]);
	}
	if (n > NAMES_MAX) {
		page_mark(p, ',');
		page_putf(p, INK_PLAIN, "and %zu more", n - NAMES_MAX);
	}
	page_mark(p, '.');
	page_end(p);
}

void page_obstacles(struct page *p, const struct plan *plan)
{
	const char *names[NAMES_MAX];
	size_t n = 0;

	array_foreach(it, &plan->devices)
		if (it->state == STATE_BLOCKED && n++ < NAMES_MAX)
			names[n - 1] = it->name;
	name_some(p, "Refused:", names, n);
	n = 0;
	array_foreach(it, &plan->items)
		if (it->state == STATE_BLOCKED && it->kind != ITEM_DEVICE && n++ < NAMES_MAX)
			names[n - 1] = it->id;
	name_some(p, "Blocked:", names, n);
}
