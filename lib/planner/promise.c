/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Promises: what a reboot is to bring. One that a boot did not keep, though it was made of just
 * what was promised, is not made again: another reboot would end the same.
 */
#include <string.h>

#include "digest.h"
#include "planning.h"

/* What the next boot is made of, and what for; nothing that differs from boot to boot by itself. */
static int make_basis(struct planning *p)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	char text[DIGEST_TEXT_SIZE];

	strbuf_addf(&out, "spec %s\n", p->spec->canonical);
	array_foreach(it, &p->host->kernels) {
		if (!it->vmlinuz)
			continue;
		strbuf_addf(&out, "kernel %s %d\n", it->version, (int)it->image.status);
		identify_image(&it->image, &out);
	}
	array_foreach(it, &p->host->boot.entries)
		if (!it->recovery)
			strbuf_addf(&out, "entry %s %s\n", it->kernel ? it->kernel : "",
				    it->options);
	if (out.error)
		return out.error;
	digest_bytes(strbuf_text(&out), out.len, text);
	p->basis = arena_strdup(p->a, text);
	return p->basis ? 0 : -ENOMEM;
}

/* --- the judgement ---------------------------------------------------------------------------- */

static bool is_broken(const struct planning *p, const struct plan_item *item,
		      const struct ledger_promise *known)
{
	if (!known || !*known->boot_id || !*p->host->boot_id ||
	    strcmp(known->boot_id, p->host->boot_id) == 0 || strcmp(known->basis, p->basis) != 0)
		return false;
	/* That boot was told to bind nothing. */
	return item->kind != ITEM_DEVICE || !switched_off(p);
}

/*
 * Words without a dot that the kernel's log lists as unknown, and that somebody reads all the same:
 * init, initramfs-tools or plymouth; or the kernel itself, before it has its table of parameters.
 */
static bool is_read_elsewhere(const char *flag)
{
	static const char *const names[] = {"BOOTIF",
					    "blacklist",
					    "boot",
					    "break",
					    "fastboot",
					    "forcefsck",
					    "fsckfix",
					    "passthroughd",
					    "single",
					    "splash",
					    "clearcpuid",
					    "dis_ucode_ldr",
					    "mem_encrypt",
					    "no387",
					    "nofxsr",
					    "nokaslr",
					    "nopti",
					    "nospec_store_bypass_disable",
					    "nospectre_v2",
					    "noxsave",
					    "noxsaveopt",
					    "noxsaves",
					    "pti",
					    "spec_store_bypass_disable",
					    "spectre_v2",
					    "spectre_v2_user",
					    "split_lock_detect",
					    "tsx"};
	size_t n = strcspn(flag, "=");

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strlen(names[i]) == n && strncmp(names[i], flag, n) == 0)
			return true;
	return false;
}

static bool is_listed(const struct spec *spec, const char *flag)
{
	array_foreach(it, &spec->kernel_flags)
		if (strcmp(it->text, flag) == 0)
			return true;
	return false;
}

int plan_known_flag(struct planning *p, struct plan_item *item)
{
	const char *flag = strchr(item->id, ':') + 1;

	if (item->kind != ITEM_KERNEL_FLAG || item->live != LAYER_RIGHT ||
	    !words_has(&p->host->unknown_flags, flag) || !words_has(&p->flags_ours, flag) ||
	    !is_listed(p->spec, flag) || is_read_elsewhere(flag))
		return 0;
	return item_block(p, (size_t)(item - p->plan->items.at), CODE_NO_EFFECT,
			  "the running kernel does not know %s, as its log says: it passed it to "
			  "init; mend the flag or remove it",
			  flag);
}

int plan_promise(struct planning *p, struct plan_item *item)
{
	const struct ledger_promise *known = ledger_promise(p->ledger, item->id);
	struct ledger_promise promise = {.item = item->id, .boot_id = p->host->boot_id};
	const char *what;

	if (!p->basis && make_basis(p) < 0)
		return -ENOMEM;
	promise.basis = p->basis;
	if (!is_broken(p, item, known))
		return array_push(p->a, &p->plan->promises, promise);
	what = promise_seen(p, item);
	/* Kept as it was, so that it stays broken in this boot and in the next ones. */
	if (!what || array_push(p->a, &p->plan->promises, *known) < 0)
		return -ENOMEM;
	return item_block(p, (size_t)(item - p->plan->items.at), CODE_PROMISE_BROKEN,
			  "a reboot did not bring it: %s; no other is asked for until the spec, an "
			  "initramfs or a boot entry changes",
			  what);
}
