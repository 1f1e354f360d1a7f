/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changing a ledger. Entries move when one is added or forgotten: keep no pointers. Pure. */
#pragma once

#include "ledger.h"

/* A copy that can be changed; what it points to stays the original's. NULL: out of memory. */
struct ledger *ledger_clone(const struct ledger *l);

/* The entry, added empty when there is none; NULL: out of memory. */
struct ledger_file *edit_file(struct ledger *l, const char *path);
struct ledger_device *edit_device(struct ledger *l, struct pci_addr addr);
/* The entry for the same key of the same guest. */
struct ledger_guest *edit_guest(struct ledger *l, const struct ledger_guest *of);
struct ledger_param *edit_param(struct ledger *l, const char *module, const char *param);

/* NULL when there is none. */
struct ledger_param *find_param(struct ledger *l, const char *module, const char *param);

/* Nothing happens when there is none. */
void forget_file(struct ledger *l, const char *path);
void forget_device(struct ledger *l, struct pci_addr addr);
void forget_guest(struct ledger *l, size_t index);
void forget_param(struct ledger *l, const char *module, const char *param);
void forget_word(struct words *w, const char *word);
