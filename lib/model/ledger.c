/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger.h"

#include <errno.h>
#include <string.h>

#include "digest.h"

struct ledger *ledger_new(void)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct ledger *ledger = a ? arena_new_of(a, struct ledger) : NULL;

	if (!ledger)
		return NULL;
	ledger->boot_id = ledger->spec_digest = "";
	ledger->arena = TAKE(a);
	return ledger;
}

struct ledger *ledger_free(struct ledger *ledger)
{
	if (ledger)
		arena_free(ledger->arena);
	return NULL;
}

bool ledger_file_ours(const struct ledger_file *file, const char *digest)
{
	return *digest && ((file->after && strcmp(file->after, digest) == 0) ||
			   (file->intent && strcmp(file->intent, digest) == 0));
}

/* Whether what is there is as it was when the write began, which then never got through. */
static bool never_written(const struct ledger_file *file, const char *digest)
{
	char before[DIGEST_TEXT_SIZE];

	if (*file->after)
		return strcmp(digest, file->after) == 0;
	digest_bytes(file->before, file->existed ? file->before_size : 0, before);
	return strcmp(digest, before) == 0;
}

int ledger_file_settle(struct arena *a, struct ledger_file *file, const char *digest)
{
	if (strcmp(digest, file->intent) == 0) {
		file->after = file->intent;
		file->tokens = file->intended;
	} else if (!file->owned && !never_written(file, digest)) {
		/* Somebody else has been there since: what we intended may be among it. */
		array_foreach(it, &file->intended)
			if (words_add(a, &file->tokens, *it) < 0)
				return -ENOMEM;
		file->mixed = true;
	}
	file->intent = "";
	file->intended = (struct words){0};
	return 0;
}

const struct ledger_file *ledger_file(const struct ledger *ledger, const char *path)
{
	array_foreach(it, &ledger->files)
		if (strcmp(it->path, path) == 0)
			return it;
	return NULL;
}

const struct ledger_device *ledger_device(const struct ledger *ledger, struct pci_addr addr)
{
	array_foreach(it, &ledger->devices)
		if (pci_addr_compare(it->addr, addr) == 0)
			return it;
	return NULL;
}

bool ledger_guest_same(const struct ledger_guest *a, const struct ledger_guest *b)
{
	return a->hypervisor == b->hypervisor && strcmp(a->guest, b->guest) == 0 &&
	       strcmp(a->key, b->key) == 0;
}

const struct ledger_guest *ledger_guest(const struct ledger *ledger, enum hypervisor hypervisor,
					const char *guest, const char *key)
{
	const struct ledger_guest wanted = {.hypervisor = hypervisor, .guest = guest, .key = key};

	array_foreach(it, &ledger->guests)
		if (ledger_guest_same(it, &wanted))
			return it;
	return NULL;
}

const struct ledger_promise *ledger_promise(const struct ledger *ledger, const char *item)
{
	array_foreach(it, &ledger->promises)
		if (strcmp(it->item, item) == 0)
			return it;
	return NULL;
}
