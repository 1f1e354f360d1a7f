/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "deployment.h"
#include "flags.h"
#include "paths.h"

#define COMMAND DEPLOYMENT_COMMAND
#define FLAGS	KIND(ITEM_KERNEL_FLAG)

/* Either leaves alone what is so already. */
#define APPEND "append-if-missing"
#define DELETE "delete-if-present"

static const struct host_deployment *next_of(const struct planning *p)
{
	return &p->host->boot.deployment;
}

static const char *source_of(const struct planning *p)
{
	return next_of(p)->source ? next_of(p)->source : "the deployment that boots next";
}

static const char *unknown_line(const struct planning *p)
{
	return next_of(p)->why ? next_of(p)->why : "its line is not known";
}

int deployment_judge(struct planning *p, size_t item, const char *flag)
{
	const struct host_deployment *next = next_of(p);
	const struct kparam *conflict;
	struct kcmdline line = {0};

	if (!next->line) {
		ITEM(p, item)->files = ITEM(p, item)->boot = LAYER_UNKNOWN;
		return item_block(p, item, CODE_BAD_FILE, "%s cannot be followed: %s", source_of(p),
				  unknown_line(p));
	}
	if (kcmdline_parse(p->a, next->line, &line) < 0)
		return -ENOMEM;
	if (kcmdline_satisfies(&line, flag)) {
		ITEM(p, item)->files = ITEM(p, item)->boot = LAYER_RIGHT;
		return 0;
	}
	ITEM(p, item)->files = ITEM(p, item)->boot = LAYER_WRONG;
	conflict = kcmdline_conflict(&line, flag);
	if (conflict && !words_has(&p->flags_ours, conflict->raw))
		return item_block(p, item, CODE_FOREIGN_CONFLICT,
				  "%s has %s, which contradicts %s; remove it there (" COMMAND
				  " kargs --delete=%s) or here",
				  source_of(p), conflict->raw, flag, conflict->raw);
	return item_reason(p, item, "not on the line of %s", source_of(p));
}

int deployment_refusal(struct planning *p, size_t item, const char *flag)
{
	if (host_has_command(p->host, COMMAND))
		return 0;
	return item_block(p, item, CODE_NO_BUILDER,
			  "this host's boot entries are deployments of ostree, and " COMMAND
			  ", which makes one with another line, is not installed; give the image "
			  "%s in /usr/lib/bootc/kargs.d, and it counts as done once the deployment "
			  "that boots next has it",
			  flag);
}

/* Of what we gave to it, what the next deployment has. */
int deployment_ours(struct planning *p)
{
	struct kcmdline line = {0};

	if (!p->ledger->deployed.n)
		return 0;
	if (!next_of(p)->line)
		return plan_note(p, SEVERITY_WARNING, CODE_UNPROVEN,
				 "flags were given to " COMMAND ", and whether the next boot has "
				 "them cannot be seen: %s: %s",
				 source_of(p), unknown_line(p));
	if (kcmdline_parse(p->a, next_of(p)->line, &line) < 0)
		return -ENOMEM;
	array_foreach(it, &p->ledger->deployed)
		array_foreach(param, &line.params)
			if (strcmp(param->raw, *it) == 0 &&
			    words_add(p->a, &p->flags_ours, *it) < 0)
				return -ENOMEM;
	return 0;
}

static int push(struct planning *p, struct words *argv, const char *option, const char *flag)
{
	const char *word = arena_printf(p->a, "--%s=%s", option, flag);

	return !word || words_add(p->a, argv, word) < 0 ? -ENOMEM : 0;
}

static int push_both(struct planning *p, struct step *step, const char *option, const char *back,
		     const char *flag)
{
	int r = push(p, &step->argv, option, flag);

	return r < 0 ? r : push(p, &step->undo, back, flag);
}

/* Tokens that another one of ours puts in force are not given twice (a spec may say both). */
static int wanted_here(struct planning *p, const struct words *wanted, struct words *ret)
{
	array_foreach(it, wanted) {
		int there = flag_in_force(p->a, next_of(p)->line, *it);

		if (there < 0 || (!there && words_add(p->a, ret, *it) < 0))
			return -ENOMEM;
	}
	return 0;
}

static int begin(struct planning *p, struct step *step)
{
	static const char *const base[] = {COMMAND, "kargs"};

	for (size_t i = 0; i < ARRAY_LEN(base); i++)
		if (words_add(p->a, &step->argv, base[i]) < 0 ||
		    words_add(p->a, &step->undo, base[i]) < 0)
			return -ENOMEM;
	step->produces = PATH_STAGED;
	step->deploys = true;
	return 0;
}

/* What is ours afterwards: what of ours stays, and what is added. */
static int tokens_after(struct planning *p, const struct words *added, const struct words *surplus,
			struct step *step)
{
	array_foreach(it, &p->flags_ours)
		if (!words_has(surplus, *it) && words_add(p->a, &step->tokens, *it) < 0)
			return -ENOMEM;
	array_foreach(it, added)
		if (words_add(p->a, &step->tokens, *it) < 0)
			return -ENOMEM;
	return 0;
}

int deployment_plan(struct planning *p, const struct words *wanted, const struct words *surplus)
{
	struct words added = {0};
	struct step *step;
	int r;

	if (!next_of(p)->line)
		return 0;
	r = wanted_here(p, wanted, &added);
	if (r < 0 || (!added.n && !surplus->n))
		return r;
	if (!flags_safe(wanted))
		return -EINVAL;
	if (!host_has_command(p->host, COMMAND))
		return block_kinds(p, FLAGS, CODE_NO_BUILDER,
				   COMMAND ", which gave the deployment that boots next flags of "
					   "ours and could take them back, is not installed");
	if (words_has(&p->ledger->contested, COMMAND))
		return block_kinds(p, FLAGS, CODE_FOREIGN_CONFLICT,
				   "the flags of the deployment that boots next are changed by "
				   "something else again and again, and are left alone for now; "
				   "find out what does so, then reload passthroughd");
	step = step_add(p, STEP_REFRESH_LOADER, COMMAND, why_of_kinds(p, FLAGS));
	r = step ? begin(p, step) : -ENOMEM;
	array_foreach(it, &added)
		r = r < 0 ? r : push_both(p, step, APPEND, DELETE, *it);
	array_foreach(it, surplus)
		r = r < 0 ? r : push_both(p, step, DELETE, APPEND, *it);
	return r < 0 ? r : tokens_after(p, &added, surplus, step);
}
