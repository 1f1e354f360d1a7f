/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the ledger says once all is done: whose files and devices these are now. */
#include <errno.h>
#include <string.h>

#include "doing.h"
#include "ledger-edit.h"

static const struct report_step *step_of(const struct doing *d, enum step_kind kind,
					 struct pci_addr addr)
{
	for (size_t i = 0; i < d->plan->steps.n; i++)
		if (d->plan->steps.at[i].kind == kind &&
		    pci_addr_compare(d->plan->steps.at[i].addr, addr) == 0)
			return &d->report->steps.at[i];
	return NULL;
}

static bool step_done(const struct doing *d, enum step_kind kind, struct pci_addr addr)
{
	const struct report_step *step = step_of(d, kind, addr);

	return step && step->result == RESULT_DONE;
}

/* Done, or left hanging in the kernel, where it goes on. */
static bool bind_begun(const struct doing *d, struct pci_addr addr)
{
	const struct report_step *step = step_of(d, STEP_BIND, addr);

	return step && (step->result == RESULT_DONE ||
			(step->result == RESULT_FAILED && step->error == -ETIMEDOUT));
}

static int add_tokens(struct doing *d, struct ledger_file *f, const struct words *tokens)
{
	const struct words *const both[] = {&f->tokens, tokens};
	struct words all = {0};

	for (size_t i = 0; i < ARRAY_LEN(both); i++)
		array_foreach(it, both[i])
			if (words_add(d->ledger->arena, &all, *it) < 0)
				return -ENOMEM;
	f->existed = f->mixed = true;
	f->tokens = all;
	return 0;
}

/*
 * Note 13: a file of ours that is right, though the ledger does not know it; or a shared one
 * (tokens not NULL) that came to be with tokens of ours in it, so that it has no state before us.
 */
static int adopt(struct doing *d, const char *path, const struct words *tokens)
{
	struct step look = {.target = path};
	struct trace now = {0};
	struct ledger_file *f;
	char *digest;
	int err = look_at_file(d, &look, &now);

	if (err == -ENOMEM)
		return err;
	if (err < 0 || !now.existed)
		return 0;
	digest = arena_alloc(d->arena, DIGEST_TEXT_SIZE);
	f = digest ? edit_file(d->ledger, path) : NULL;
	if (!f)
		return -ENOMEM;
	digest_bytes(now.before, now.before_size, digest);
	f->owned = !tokens;
	if (tokens && add_tokens(d, f, tokens) < 0)
		return -ENOMEM;
	f->after = digest;
	f->intent = "";
	return 0;
}

static bool as_before(const struct ledger_file *f, const struct trace *now)
{
	if (!f->existed)
		return !now->existed;
	return now->existed && now->before_size == f->before_size &&
	       memcmp(now->before, f->before, f->before_size) == 0;
}

/* A write that was begun when the power went: did it get through? */
static int settle_intent(struct doing *d, struct ledger_file *f, const struct trace *now)
{
	char digest[DIGEST_TEXT_SIZE];

	digest_bytes(now->before, now->before_size, digest);
	return ledger_file_settle(d->ledger->arena, f, digest);
}

/* Of a shared file: whether a token of ours may be in it. */
static bool holds_ours(const struct ledger_file *f, const struct trace *now)
{
	array_foreach(it, &f->tokens)
		if (strstr(now->before, *it))
			return true;
	return f->owned;
}

/* What a cut left: entries of files that are as they were before us, and intents. */
static int settle_files(struct doing *d)
{
	for (size_t i = d->ledger->files.n; i-- > 0;) {
		struct ledger_file *f = &d->ledger->files.at[i];
		struct step look = {.target = f->path};
		struct trace now = {0};
		int err = look_at_file(d, &look, &now);

		if (err == -ENOMEM)
			return err;
		if (err < 0)
			continue;
		if (as_before(f, &now))
			forget_file(d->ledger, f->path);
		else if (*f->intent && settle_intent(d, f, &now) < 0)
			return -ENOMEM;
		else if (!holds_ours(f, &now))
			forget_file(d->ledger, f->path);
	}
	return 0;
}

/*
 * The plan says which functions are ours; what was bound here and now is known better here. One
 * that should have gone back to the host and did not is kept.
 */
static int settle_devices(struct doing *d)
{
	array_foreach(claim, &d->plan->claims) {
		const struct ledger_device *was = ledger_device(d->ledger, claim->addr);
		bool bound = bind_begun(d, claim->addr) && was && was->bound;
		const char *previous = bound ? was->previous : claim->previous;
		struct ledger_device *now = edit_device(d->ledger, claim->addr);

		if (!now)
			return -ENOMEM;
		*now = *claim;
		now->bound = claim->bound || bound;
		now->previous = previous;
	}
	for (size_t i = d->ledger->devices.n; i-- > 0;) {
		const struct ledger_device *it = &d->ledger->devices.at[i];
		bool leaving = false;

		array_foreach(step, &d->plan->steps)
			leaving |= step->kind == STEP_RETURN &&
				   pci_addr_compare(step->addr, it->addr) == 0;
		if (!plan_claim(d->plan, it->addr) && !bind_begun(d, it->addr) &&
		    (!leaving || step_done(d, STEP_RETURN, it->addr)))
			forget_device(d->ledger, it->addr);
	}
	return 0;
}

/* Guests (and mappings) of which not every step was carried out: theirs is as it was noted. */
static bool guest_unfinished(const struct doing *d, const struct ledger_guest *guest)
{
	const char *target = *guest->guest ? guest->guest : guest->key;

	for (size_t i = 0; i < d->plan->steps.n; i++)
		if (d->plan->steps.at[i].kind == STEP_SET_GUEST &&
		    strcmp(d->plan->steps.at[i].target, target) == 0 &&
		    d->report->steps.at[i].result != RESULT_DONE)
			return true;
	return false;
}

static int settle_guests(struct doing *d)
{
	for (size_t i = d->ledger->guests.n; i-- > 0;)
		if (!guest_unfinished(d, &d->ledger->guests.at[i]))
			forget_guest(d->ledger, i);
	array_foreach(it, &d->plan->guests) {
		struct ledger_guest *now;

		if (guest_unfinished(d, it))
			continue;
		now = edit_guest(d->ledger, it);
		if (!now)
			return -ENOMEM;
		*now = *it;
	}
	return 0;
}

static bool same_promises(const struct plan *plan, const struct ledger *ledger)
{
	if (plan->promises.n != ledger->promises.n)
		return false;
	array_foreach(it, &plan->promises) {
		const struct ledger_promise *known = ledger_promise(ledger, it->item);

		if (!known || strcmp(known->boot_id, it->boot_id) != 0 ||
		    strcmp(known->basis, it->basis) != 0)
			return false;
	}
	return true;
}

int keep_promises(const struct ops *ops, const struct plan *plan)
{
	_cleanup_ledger_ struct ledger *ledger = NULL;
	int err = ledger_load(ops, &ledger);

	if (err < 0 || ledger->damaged || same_promises(plan, ledger))
		return err;
	ledger->promises.n = 0;
	array_foreach(it, &plan->promises)
		if (array_push(ledger->arena, &ledger->promises, *it) < 0)
			return -ENOMEM;
	return ledger_save(ops, ledger);
}

int settle_ledger(struct doing *d)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < d->plan->adopt.n; i++)
		err = adopt(d, d->plan->adopt.at[i], NULL);
	for (size_t i = 0; err == 0 && i < d->plan->inherited.n; i++)
		err = adopt(d, d->plan->inherited.at[i].path, &d->plan->inherited.at[i].tokens);
	if (err == 0)
		err = settle_devices(d);
	if (err == 0)
		err = settle_guests(d);
	if (err == 0)
		err = settle_files(d);
	if (err == 0)
		drop_folders(d, true); /* a cut may have come between a file and its folder */
	return err;
}
