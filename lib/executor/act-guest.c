/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests: the hypervisor's own tool does it (9.9), and the next look at the guest is the proof. */
#include <errno.h>
#include <string.h>

#include "doing.h"
#include "ledger-edit.h"

#define TOOL_MS 180000 /* these tools wait for locks, and give up by themselves long before */

/* A cut between this and the command leaves a note of what is not there: the next plan sees that.
 */
static int note_guests(struct doing *d, const struct step *step)
{
	array_foreach(it, &step->guests) {
		struct ledger_guest *known = edit_guest(d->ledger, it);

		if (!known)
			return -ENOMEM;
		*known = *it;
	}
	return step->guests.n ? save_ledger(d) : 0;
}

/* Proxmox VE's words for a digest that is not the one given, of mappings and of guests (9.9). */
static bool has_changed(const char *output)
{
	return strstr(output, "detected modified configuration") ||
	       strstr(output, "checksum mismatch");
}

int act_guest(struct doing *d, size_t index, struct report_step *out)
{
	const struct step *step = &d->plan->steps.at[index];
	const struct ops_command command = {
		.argv = &step->argv,
		.env = &step->env,
		.input = step->input,
		.deadline_ms = TOOL_MS,
	};
	const char *tool = step->argv.n ? step->argv.at[0] : step->target;
	struct ops_result result = {.output = ""};
	int err = note_guests(d, step);

	if (err < 0)
		return step_fail(d, out, err, file_code(err), "the ledger could not be saved: %s",
				 strerror(-err));
	err = d->ops->run(d->ops->ctx, &command, d->arena, &result);
	out->output = result.output;
	if (err == -ENOENT)
		return step_fail(d, out, err, CODE_NO_HYPERVISOR, "%s is not installed", tool);
	if (err == -ETIMEDOUT)
		return step_fail(d, out, err, CODE_GUEST_REFUSED,
				 "%s did not come to an end and was killed; see whether its "
				 "service answers",
				 tool);
	if (err < 0)
		return step_fail(d, out, err, CODE_GUEST_REFUSED, "%s could not be run: %s", tool,
				 strerror(-err));
	if (result.status && has_changed(result.output))
		return step_fail(d, out, -ESTALE, CODE_GUEST_CHANGED,
				 "%s changed since the plan was made; plan again", step->target);
	if (result.status)
		return step_fail(d, out, -EIO, CODE_GUEST_REFUSED,
				 "%s did not change %s: it ended with exit code %d; its last lines "
				 "say why",
				 tool, step->target, result.status);
	return 0;
}
