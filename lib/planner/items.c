/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Items, notes and steps of a plan in the making. */
#include "planning.h"

#include <stdio.h>
#include <string.h>

ssize_t item_add(struct planning *p, enum item_kind kind, const char *fmt, ...)
{
	struct plan_item *item = array_add(p->a, &p->plan->items);
	const char *name;
	va_list ap;

	if (!item)
		return -ENOMEM;
	va_start(ap, fmt);
	name = arena_vprintf(p->a, fmt, ap);
	va_end(ap);
	item->kind = kind;
	item->id = name ? arena_printf(p->a, "%s:%s", item_kind_name(kind), name) : NULL;
	if (!item->id) {
		p->plan->items.n--;
		return -ENOMEM;
	}
	return (ssize_t)p->plan->items.n - 1;
}

static int note(struct planning *p, enum severity severity, enum code code, const char *message)
{
	struct diags *d = &p->plan->diags;

	array_foreach(it, &d->list)
		if (it->code == code && strcmp(it->message, message) == 0)
			return 0;
	diags_add(d, severity, code, (struct place){0}, NULL, "%s", message);
	return d->lost ? -ENOMEM : 0;
}

int plan_note(struct planning *p, enum severity severity, enum code code, const char *fmt, ...)
{
	const char *message;
	va_list ap;

	va_start(ap, fmt);
	message = arena_vprintf(p->a, fmt, ap);
	va_end(ap);
	return message ? note(p, severity, code, message) : -ENOMEM;
}

int item_block(struct planning *p, size_t item, enum code code, const char *fmt, ...)
{
	const char *message;
	va_list ap;

	if (item_blocked(p, item))
		return 0;
	va_start(ap, fmt);
	message = arena_vprintf(p->a, fmt, ap);
	va_end(ap);
	if (!message)
		return -ENOMEM;
	ITEM(p, item)->state = STATE_BLOCKED;
	ITEM(p, item)->reason = message;
	return note(p, SEVERITY_ERROR, code, message);
}

int item_reason(struct planning *p, size_t item, const char *fmt, ...)
{
	va_list ap;

	if (ITEM(p, item)->reason)
		return 0;
	va_start(ap, fmt);
	ITEM(p, item)->reason = arena_vprintf(p->a, fmt, ap);
	va_end(ap);
	return ITEM(p, item)->reason ? 0 : -ENOMEM;
}

bool item_blocked(const struct planning *p, size_t item)
{
	return ITEM(p, item)->state == STATE_BLOCKED;
}

static bool fine(enum layer_state layer)
{
	return layer != LAYER_WRONG;
}

bool item_armed(const struct plan_item *item)
{
	return fine(item->files) && fine(item->boot);
}

void layer_add(enum layer_state *layer, enum layer_state seen)
{
	static const int rank[_LAYER_STATE_MAX] = {
		[LAYER_NONE] = 0,
		[LAYER_RIGHT] = 1,
		[LAYER_UNKNOWN] = 2,
		[LAYER_WRONG] = 3,
	};

	if (rank[seen] > rank[*layer])
		*layer = seen;
}

/* What boots is the copy on each ESP, and the last apply did not come to refresh them (4.3). */
static bool esps_are_behind(const struct planning *p)
{
	return p->host->boot.proxmox &&
	       words_has(&p->ledger->unbuilt, boot_loader(LOADER_PROXMOX)->name);
}

const struct host_esp *esp_without(const struct planning *p, const char **ret_version)
{
	const char *newest = NULL;

	array_foreach(it, &p->host->kernels)
		if (it->vmlinuz)
			newest = it->version;
	for (size_t i = 0; newest && i < p->host->boot.esps.n; i++) {
		const struct host_esp *esp = &p->host->boot.esps.at[i];
		bool has = !esp->seen;

		array_foreach(it, &p->host->boot.entries)
			has = has || (it->esp && strcmp(it->esp, esp->uuid) == 0 && it->kernel &&
				      strcmp(it->kernel, newest) == 0);
		if (!has) {
			*ret_version = newest;
			return esp;
		}
	}
	return NULL;
}

int esps_say(struct planning *p, size_t item)
{
	const char *version;
	const struct host_esp *esp = esp_without(p, &version);

	if (!esp)
		return 0;
	layer_add(&ITEM(p, item)->boot, LAYER_WRONG);
	p->refresh[LOADER_PROXMOX] = true;
	p->refresh_why = p->refresh_why ? p->refresh_why
					: item_why(p, item,
						   arena_printf(p->a,
								"the ESP %s has no entry of "
								"%s",
								esp->uuid, version));
	if (!p->refresh_why)
		return -ENOMEM;
	return item_reason(p, item, "the ESP %s has no entry of %s", esp->uuid, version);
}

int image_says(struct planning *p, size_t view, size_t item, bool right, const char *why)
{
	const struct host_kernel *kernel = p->kernels.at[view].kernel;
	struct image_lack lack = {.view = view, .item = item};

	if (kernel->image.status == IMAGE_UNREADABLE) {
		layer_add(&ITEM(p, item)->boot, LAYER_UNKNOWN);
		return 0;
	}
	if (right && kernel->image.status == IMAGE_READ) {
		bool behind = esps_are_behind(p);

		if (esps_say(p, item) < 0)
			return -ENOMEM;
		layer_add(&ITEM(p, item)->boot, behind ? LAYER_WRONG : LAYER_RIGHT);
		return behind ? item_reason(p, item, "the initramfs of %s is not on the ESPs yet",
					    kernel->version)
			      : 0;
	}
	layer_add(&ITEM(p, item)->boot, LAYER_WRONG);
	if (array_push(p->a, &p->lacks, lack) < 0)
		return -ENOMEM;
	if (!why)
		why = "does not hold it";
	return p->kernels.at[view].copy
		       ? item_reason(p, item, "the copy that the entry of %s boots, %s, %s",
				     kernel->version, kernel->image.path, why)
		       : item_reason(p, item, "the initramfs of %s %s", kernel->version, why);
}

bool image_leaves(const struct planning *p, size_t view, const char *module)
{
	return p->builder && p->builder->bare &&
	       !words_has(&p->kernels.at[view].kernel->image.modules, module);
}

int block_kinds(struct planning *p, unsigned kinds, enum code code, const char *why)
{
	if (!why)
		return -ENOMEM;
	for (size_t i = 0; i < p->plan->items.n; i++) {
		const struct plan_item *item = ITEM(p, i);

		if ((kinds & KIND(item->kind)) && (item->surplus || !item_armed(item)) &&
		    item_block(p, i, code, "%s", why) < 0)
			return -ENOMEM;
	}
	return 0;
}

const char *item_why(struct planning *p, size_t item, const char *text)
{
	return arena_printf(p->a, "%s: %s", ITEM(p, item)->id, text);
}

int surplus_add(struct planning *p, enum item_kind kind, const char *name)
{
	ssize_t item = item_add(p, kind, "%s", name);

	if (item < 0)
		return (int)item;
	ITEM(p, item)->surplus = true;
	ITEM(p, item)->files = LAYER_WRONG;
	return item_reason(p, (size_t)item, "no longer wished");
}

const char *why_of_kinds(struct planning *p, unsigned kinds)
{
	const struct plan_item *first = NULL, *surplus = NULL;

	array_foreach(it, &p->plan->items) {
		if (!(kinds & KIND(it->kind)) || (it->state == STATE_BLOCKED && !it->surplus))
			continue;
		if (it->surplus && !surplus)
			surplus = it;
		if (!it->surplus && !item_armed(it))
			return arena_printf(p->a, "%s: %s", it->id, it->reason ? it->reason : "");
		if (!it->surplus && !first)
			first = it;
	}
	if (surplus)
		return arena_printf(p->a, "%s: %s", surplus->id, surplus->reason);
	return first ? arena_printf(p->a, "%s: written anew", first->id) : NULL;
}

struct step *step_add(struct planning *p, enum step_kind kind, const char *target, const char *why)
{
	struct step *step = target && why ? array_add(p->a, &p->plan->steps) : NULL;

	if (!step)
		return NULL;
	step->kind = kind;
	step->target = target;
	step->why = why;
	return step;
}
