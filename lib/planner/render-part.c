/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render-part.h"

#include <string.h>

#define ID_MIN	    24 /* width of the id's column */
#define ID_MAX	    44
#define STATE_WIDTH 12
#define LAYER_WIDTH 7

enum ink render_state_ink(enum item_state state)
{
	switch (state) {
	case STATE_ACTIVE:
		return INK_GOOD;
	case STATE_BLOCKED:
		return INK_BAD;
	case STATE_WANTED:
	case STATE_CONFIGURED:
	case STATE_ARMED:
		return INK_WARN;
	case _ITEM_STATE_MAX:
	case _ITEM_STATE_INVALID:
		break;
	}
	return INK_PLAIN;
}

/* --- items ------------------------------------------------------------------------------------ */

static const struct layer_row {
	const char *word;
	enum ink ink;
} layer_rows[_LAYER_STATE_MAX] = {
	[LAYER_NONE] = {"-", INK_FAINT},
	[LAYER_RIGHT] = {"right", INK_GOOD},
	[LAYER_WRONG] = {"wrong", INK_WARN},
	[LAYER_UNKNOWN] = {"unknown", INK_MARK},
};

static void item_line(struct page *p, const struct plan_item *item, unsigned width)
{
	const enum layer_state layers[] = {item->files, item->boot, item->live};
	unsigned column = 2 + width + 2;

	page_line(p, 2, 6);
	page_put_whole(p, INK_PLAIN, item->id);
	page_column(p, column);
	page_put_whole(p, render_state_ink(item->state), item_state_name(item->state));
	column += STATE_WIDTH;
	for (size_t i = 0; i < ARRAY_LEN(layers); i++, column += LAYER_WIDTH + 2) {
		page_column(p, column);
		page_put_whole(p, layer_rows[layers[i]].ink, layer_rows[layers[i]].word);
	}
	page_end(p);
	/* Why a device is blocked stands with the device. */
	if (item->reason && item->state != STATE_ACTIVE &&
	    !(item->kind == ITEM_DEVICE && item->state == STATE_BLOCKED && !item->surplus))
		page_text(p, 6, item->state == STATE_BLOCKED ? INK_BAD : INK_FAINT, item->reason);
}

void page_items(struct page *p, const struct plan *plan)
{
	unsigned width = ID_MIN, column;
	size_t shown = 0;

	array_foreach(it, &plan->items) {
		unsigned n = page_width_of(p, it->id);

		shown += render_item_shown(it);
		width = n > width && n <= ID_MAX ? n : width;
	}
	if (!shown)
		return;
	column = 2 + width + 2;
	page_end(p);
	page_line(p, 0, 0);
	page_put_whole(p, INK_STRONG, "Items");
	page_column(p, column);
	page_put_whole(p, INK_STRONG, "state");
	column += STATE_WIDTH;
	for (size_t i = 0; i < 3; i++, column += LAYER_WIDTH + 2) {
		static const char *const heads[] = {"files", "boot", "live"};

		page_column(p, column);
		page_put_whole(p, INK_STRONG, heads[i]);
	}
	page_end(p);
	array_foreach(it, &plan->items)
		if (render_item_shown(it))
			item_line(p, it, width);
}

/* --- devices ---------------------------------------------------------------------------------- */

static const char *verdict_word(const struct verdict *verdict)
{
	if (verdict->accepted)
		return "accepted";
	return verdict->severity == SEVERITY_ERROR ? "refused" : severity_name(verdict->severity);
}

static enum ink severity_ink(enum severity severity)
{
	switch (severity) {
	case SEVERITY_ERROR:
		return INK_BAD;
	case SEVERITY_WARNING:
		return INK_WARN;
	case SEVERITY_NOTE:
	case _SEVERITY_MAX:
	case _SEVERITY_INVALID:
		break;
	}
	return INK_MARK;
}

void page_verdict(struct page *p, unsigned indent, const struct verdict *verdict, bool evidence)
{
	page_line(p, indent, indent + 2);
	page_putf(p, severity_ink(verdict->severity), "%s %s:", verdict_word(verdict),
		  code_name(verdict->code));
	page_put(p, INK_PLAIN, " ");
	page_put(p, INK_PLAIN, verdict->message);
	page_end(p);
	for (size_t i = 0; evidence && i < verdict->evidence.n; i++) {
		page_line(p, indent + 2, indent + 4);
		page_put(p, INK_FAINT, "- ");
		page_put(p, INK_PLAIN, verdict->evidence.at[i]);
		page_end(p);
	}
}

void page_device(struct page *p, const struct plan_device *device, bool evidence)
{
	char addr[PCI_ADDR_TEXT_SIZE];

	page_line(p, 2, 6);
	page_put_whole(p, INK_STRONG, device->name);
	page_put(p, INK_PLAIN, "  ");
	page_put_whole(p, render_state_ink(device->state), item_state_name(device->state));
	if (device->method >= 0 && device->state != STATE_BLOCKED)
		page_putf(p, INK_PLAIN, ", bound by %s%s%s", bind_method_name(device->method),
			  device->method_why ? ": " : "",
			  device->method_why ? device->method_why : "");
	page_end(p);
	if (device->addrs.n) {
		page_line(p, 4, 4);
		array_foreach(it, &device->addrs) {
			page_put_whole(p, INK_PLAIN, pci_addr_format(*it, addr));
			page_put(p, INK_PLAIN, "  ");
		}
		page_end(p);
	}
	array_foreach(it, &device->verdicts)
		page_verdict(p, 4, it, evidence);
}

/* --- reboot, diagnostics ---------------------------------------------------------------------- */

void page_reboot(struct page *p, const struct plan *plan)
{
	if (!plan->reboot_required)
		return;
	page_head(p, "A reboot is needed for");
	array_foreach(it, &plan->reboot_why) {
		page_line(p, 2, 4);
		page_put(p, INK_PLAIN, *it);
		page_end(p);
	}
}

static void page_place(struct page *p, const struct place *place)
{
	if (!place->file)
		return;
	page_put(p, INK_PLAIN, place->file);
	if (place->line)
		page_putf(p, INK_PLAIN, ":%u", place->line);
	if (place->line && place->column)
		page_putf(p, INK_PLAIN, ":%u", place->column);
	page_put(p, INK_PLAIN, ": ");
}

void page_diags(struct page *p, const struct diags *diags)
{
	if (!diags->list.n && !diags->lost)
		return;
	page_head(p, "Remarks");
	array_foreach(it, &diags->list) {
		page_line(p, 2, 4);
		page_putf(p, severity_ink(it->severity), "%s %s: ", severity_name(it->severity),
			  code_name(it->code));
		page_place(p, &it->place);
		page_put(p, INK_PLAIN, it->message);
		page_end(p);
	}
	if (diags->lost)
		page_text(p, 2, INK_BAD, "and others, for which memory ran out");
}
