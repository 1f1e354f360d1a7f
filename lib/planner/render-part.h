/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts that several pages are made of. Pure. */
#pragma once

#include "render-page.h"

enum ink render_state_ink(enum item_state state);

/* What a plan comes to, counted. */
struct plan_sum {
	size_t configured; /* guests' items that wait for a start */
	size_t written, removed, images, refreshes, loaded, set, bound, returned, guests;
	size_t pending;	       /* all of those */
	size_t blocked;	       /* items */
	size_t refused;	       /* devices */
	size_t items, devices; /* all there are */
};
struct plan_sum render_sum(const struct plan *plan);

/* "write 2 files, rebuild 1 initramfs image, refresh the boot loader"; "" when nothing is pending.
 */
void render_work(const struct plan_sum *sum, struct strbuf *out);

/* The first sentence of plan and status: where this host stands. */
void page_standing(struct page *p, const struct plan *plan);

/* What is refused or blocked, by name; nothing when nothing is. */
void page_obstacles(struct page *p, const struct plan *plan);

/* A line per item: id, state, the three layers, and the reason where it is not active. */
void page_items(struct page *p, const struct plan *plan);

/* A device: state, method and why, functions, verdicts. */
void page_device(struct page *p, const struct plan_device *device, bool evidence);

/* "refused CODE: MESSAGE" and its evidence below it. */
void page_verdict(struct page *p, unsigned indent, const struct verdict *verdict, bool evidence);

void page_reboot(struct page *p, const struct plan *plan);
void page_diags(struct page *p, const struct diags *diags);

/* What a step does, as a person says it: "bind 0000:01:00.0 to vfio-pci". */
void render_step(const struct step *step, struct strbuf *out);

/* The unified diff of a file's step. */
void render_diff(const struct step *step, struct strbuf *out);

/* Whether a diff shows it: of a file, or of a guest's entries; what that is called. */
bool render_has_diff(const struct step *step);
void render_diff_name(const struct step *step, struct strbuf *out);

/* Whether the step is for the device of that name. */
bool render_step_concerns(const struct step *step, const char *device);

/* Not what is only taken back, unless that is blocked. */
bool render_item_shown(const struct plan_item *item);

/* The command line of a build or refresh step, as one could type it. */
void render_command(const struct step *step, struct strbuf *out);
