/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images of several kernels, side by side. All of them are in the ledger as not built before the
 * first is begun, so a cut in the midst is one like any other; each step then looks at its own.
 */
#include <errno.h>
#include <string.h>

#include "doing.h"

static size_t count_beside(const struct doing *d, size_t index)
{
	size_t n = 0;

	while (index + n < d->plan->steps.n && d->plan->steps.at[index + n].beside &&
	       d->plan->steps.at[index + n].kind == STEP_BUILD_INITRAMFS)
		n++;
	return n;
}

/* Each new image stands beside the old one for a while (5.5): then all of them do at once. */
static bool has_room(struct doing *d, size_t index, size_t n)
{
	uint64_t wanted = 0, least = UINT64_MAX;

	for (size_t i = 0; i < n; i++) {
		struct ops_room room;

		if (d->ops->room(d->ops->ctx, d->plan->steps.at[index + i].produces, &room) < 0)
			return false;
		wanted += room.size + room.size / 16 + IMAGE_MARGIN;
		least = room.free < least ? room.free : least;
	}
	return wanted <= least;
}

static void set_trace(struct doing *d, size_t index, const char *before,
		      const struct ops_outcome *outcome)
{
	struct trace *trace = &d->traces[index];
	const char *after = identity_of(d, d->plan->steps.at[index].produces);

	trace->ahead = outcome;
	trace->identity = before;
	/* Its step may never come, as one before it fails: it is built again then all the same. */
	trace->touched = !before || !after || strcmp(before, after) != 0;
}

void build_beside(struct doing *d, size_t index)
{
	size_t n = d->ops->run_all ? count_beside(d, index) : 0;
	struct ops_command *commands;
	struct ops_outcome *outcomes;
	const char **before;

	if (n < 2 || !has_room(d, index, n))
		return;
	commands = arena_alloc(d->arena, n * sizeof(*commands));
	outcomes = arena_alloc(d->arena, n * sizeof(*outcomes));
	before = arena_alloc(d->arena, n * sizeof(*before));
	if (!commands || !outcomes || !before)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct step *step = &d->plan->steps.at[index + i];

		before[i] = identity_of(d, step->produces);
		commands[i] = (struct ops_command){.argv = &step->argv, .env = &step->env};
		outcomes[i] = (struct ops_outcome){.result.output = ""};
		/* The step itself has its own line; the journal is for people. */
		if (i)
			(void)journal_note(&d->journal, "beside it", step_words(d, step));
	}
	d->ops->run_all(d->ops->ctx, commands, n, d->arena, outcomes);
	for (size_t i = 0; i < n; i++)
		set_trace(d, index + i, before[i], &outcomes[i]);
}
