/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan.h"

#include <string.h>

#include "names.h"

static const char *const item_kinds[_ITEM_KIND_MAX] = {
	[ITEM_KERNEL_FLAG] = "kernel-flag",
	[ITEM_MODULE] = "module",
	[ITEM_MODULE_OPTION] = "module-option",
	[ITEM_BLACKLIST] = "blacklist",
	[ITEM_DEVICE] = "device",
	[ITEM_VM] = "vm",
};
DEFINE_NAMES(item_kind, enum item_kind, item_kinds);

static const char *const layers[_LAYER_STATE_MAX] = {
	[LAYER_NONE] = "none",
	[LAYER_RIGHT] = "right",
	[LAYER_WRONG] = "wrong",
	[LAYER_UNKNOWN] = "unknown",
};
DEFINE_NAMES(layer_state, enum layer_state, layers);

static const char *const states[_ITEM_STATE_MAX] = {
	[STATE_WANTED] = "wanted", [STATE_CONFIGURED] = "configured", [STATE_ARMED] = "armed",
	[STATE_ACTIVE] = "active", [STATE_BLOCKED] = "blocked",
};
DEFINE_NAMES(item_state, enum item_state, states);

static const char *const classes[_STEP_CLASS_MAX] = {
	[CLASS_LIVE] = "live",		 [CLASS_FILES] = "files",
	[CLASS_INITRAMFS] = "initramfs", [CLASS_BOOT_LOADER] = "boot-loader",
	[CLASS_REBOOT] = "reboot",
};
DEFINE_NAMES(step_class, enum step_class, classes);

static const char *const identities[_IDENTITY_MAX] = {
	[IDENTITY_NEW] = "new",
	[IDENTITY_SAME] = "same",
	[IDENTITY_MOVED] = "moved",
	[IDENTITY_REPLACED] = "replaced",
	[IDENTITY_TWIN] = "ambiguous-twin",
};
DEFINE_NAMES(identity, enum identity, identities);

static const char *const step_kinds[_STEP_KIND_MAX] = {
	[STEP_WRITE_FILE] = "write-file",
	[STEP_REMOVE_FILE] = "remove-file",
	[STEP_BUILD_INITRAMFS] = "build-initramfs",
	[STEP_REFRESH_LOADER] = "refresh-boot-loader",
	[STEP_LOAD_MODULE] = "load-module",
	[STEP_SET_PARAMETER] = "set-parameter",
	[STEP_BIND] = "bind",
	[STEP_RETURN] = "return",
	[STEP_SET_GUEST] = "set-guest",
	[STEP_FLAG_REBOOT] = "flag-reboot",
};
DEFINE_NAMES(step_kind, enum step_kind, step_kinds);

enum step_class step_kind_class(enum step_kind kind)
{
	static const enum step_class of[_STEP_KIND_MAX] = {
		[STEP_WRITE_FILE] = CLASS_FILES,
		[STEP_REMOVE_FILE] = CLASS_FILES,
		[STEP_BUILD_INITRAMFS] = CLASS_INITRAMFS,
		[STEP_REFRESH_LOADER] = CLASS_BOOT_LOADER,
		[STEP_LOAD_MODULE] = CLASS_LIVE,
		[STEP_SET_PARAMETER] = CLASS_LIVE,
		[STEP_BIND] = CLASS_LIVE,
		[STEP_RETURN] = CLASS_LIVE,
		[STEP_SET_GUEST] = CLASS_FILES,
		[STEP_FLAG_REBOOT] = CLASS_REBOOT,
	};

	return kind >= 0 && kind < _STEP_KIND_MAX ? of[kind] : _STEP_CLASS_INVALID;
}

const struct ledger_device *plan_claim(const struct plan *plan, struct pci_addr addr)
{
	array_foreach(it, &plan->claims)
		if (pci_addr_compare(it->addr, addr) == 0)
			return it;
	return NULL;
}

const struct plan_device *plan_device_named(const struct plan *plan, const char *name)
{
	array_foreach(it, &plan->devices)
		if (strcmp(it->name, name) == 0)
			return it;
	return NULL;
}

bool plan_wishes(const struct plan *plan)
{
	array_foreach(it, &plan->items)
		if (!it->surplus)
			return true;
	return false;
}

bool plan_pending(const struct plan *plan)
{
	array_foreach(it, &plan->steps)
		if (step_kind_class(it->kind) != CLASS_REBOOT)
			return true;
	return false;
}

bool plan_blocked(const struct plan *plan)
{
	array_foreach(it, &plan->items)
		if (it->state == STATE_BLOCKED)
			return true;
	return false;
}

bool plan_converged(const struct plan *plan)
{
	return !plan_pending(plan) && !plan_blocked(plan) && !plan->reboot_required;
}

int plan_defer_live(struct plan *plan)
{
	array_foreach(it, &plan->steps) {
		if (step_kind_class(it->kind) != CLASS_LIVE)
			continue;
		if (words_add(plan->arena, &plan->reboot_why, it->why) < 0)
			return -ENOMEM;
		plan->reboot_required = true;
	}
	return 0;
}

int plan_exit_code(const struct plan *plan)
{
	if (plan_pending(plan))
		return 2;
	if (plan_blocked(plan))
		return 4;
	return plan->reboot_required ? 3 : 0;
}

struct plan *plan_new(void)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct plan *plan = a ? arena_new_of(a, struct plan) : NULL;

	if (!plan)
		return NULL;
	plan->id = "";
	plan->diags.arena = a;
	plan->arena = TAKE(a);
	return plan;
}

struct plan *plan_free(struct plan *plan)
{
	if (plan)
		arena_free(plan->arena);
	return NULL;
}
