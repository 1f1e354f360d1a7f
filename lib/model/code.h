/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stable words of design section 4 and contract note 22: every diagnostic and every verdict
 * carries one. Scripts match on them, so a word is never renamed. Pure.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>

enum code {
	CODE_SYNTAX,
	CODE_TOO_LARGE,
	CODE_UNKNOWN_KEY,
	CODE_DUPLICATE_KEY,
	CODE_TYPE_MISMATCH,
	CODE_BAD_VALUE,
	CODE_UNSAFE_VALUE,
	CODE_UNSAFE_PERMISSIONS,
	CODE_USAGE,
	CODE_BAD_FILE,
	CODE_BAD_IMAGE,
	CODE_NO_SUCH_DEVICE,
	CODE_AMBIGUOUS_DEVICE,
	CODE_IDENTITY_MISMATCH,
	CODE_DEVICE_MOVED, /* another address, and proven to be the same device */
	CODE_SHARED_GROUP,
	CODE_GROUP_GREW, /* members that were not there when the device was chosen */
	CODE_NO_ACS,
	CODE_BOOT_DISK,
	CODE_MANAGEMENT_NIC,
	CODE_BOOT_DISPLAY,
	CODE_IN_USE,
	CODE_LAST_KEYBOARD,
	CODE_BRIDGE_DEVICE,
	CODE_IOMMU_ABSENT,
	CODE_IOMMU_OFF,
	CODE_VIRTUALIZATION_OFF,
	CODE_NO_INTERRUPT_REMAPPING,
	CODE_NO_RESET,
	CODE_RESERVED_REGION,
	CODE_VIRTUAL_FUNCTIONS_ACTIVE,
	CODE_FOREIGN_CONFLICT,
	CODE_AMBIGUOUS_BOOT_LOADER,
	CODE_NO_BUILDER,
	CODE_NO_SPACE,
	CODE_READ_ONLY,
	CODE_CMDLINE_TOO_LONG,
	CODE_NO_EFFECT,
	CODE_PROMISE_BROKEN, /* armed, and a reboot did not bring it */
	CODE_INTERRUPTED,    /* an apply was cut */
	CODE_NOT_NEEDED,
	CODE_UNPROVEN,
	CODE_NOT_SUPPORTED, /* understood, but this version does not act on it yet */
	CODE_BUILDER_FAILED,
	CODE_NO_HYPERVISOR,
	CODE_NO_SUCH_GUEST,
	CODE_GUEST_ELSEWHERE, /* another node of the cluster has it */
	CODE_GUEST_LOCKED,
	CODE_GUEST_CHANGED,  /* since the plan was made */
	CODE_GUEST_REFUSED,  /* by the hypervisor's tool */
	CODE_GUEST_CONFLICT, /* two guests, one device */
	CODE_GUEST_BLOCKED,  /* starts with the host, and cannot be given its device */
	CODE_GUEST_LEFT,     /* was ours, and is another hand's by now */
	CODE_SNAPSHOT_DIFFERS,
	CODE_NO_QUORUM,
	CODE_NEEDS_Q35,
	CODE_NO_OVMF,
	CODE_CONSOLE_LOST,
	CODE_ROM_NEEDED,
	CODE_OUT_OF_MEMORY,
	CODE_HOST_MOVED, /* apply --plan: the host is not the one the plan was made for */
	CODE_LEDGER_LOST,
	CODE_BUSY, /* others build or change packages */
	CODE_NO_PERMISSION,
	CODE_NO_DAEMON,
	CODE_TIMED_OUT,
	_CODE_MAX,
	_CODE_INVALID = -EINVAL,
};

/* The word, e.g. "unknown-key". */
const char *code_name(enum code code);

/* The code of a word, or _CODE_INVALID. */
enum code code_from_name(const char *name);

/* One sentence for the manual and `explain`: what it means and what to do. */
const char *code_help(enum code code);

/* Whether a device's accept: may name it (contract note 21). */
bool code_acceptable(enum code code);

enum severity {
	SEVERITY_NOTE,
	SEVERITY_WARNING,
	SEVERITY_ERROR,
	_SEVERITY_MAX,
	_SEVERITY_INVALID = -EINVAL,
};

const char *severity_name(enum severity severity);
