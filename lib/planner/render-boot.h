/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `explain boot` says, for its two forms. Pure. */
#pragma once

#include "chain.h"
#include "loader.h"

struct loader_view {
	const struct boot_loader *loader;
	struct loader_files files;
	const char *command; /* that makes its entries anew; NULL: none is here */
	size_t entries;
	bool edited; /* they are edited themselves, and no command is needed */
	bool left;   /* over: another started this host, and nothing makes its entries anew */
};

struct boot_view {
	struct arena *arena;
	struct boot_chain chain;
	ARRAY_OF(struct loader_view) loaders; /* those on this host */
};

/* 0 or -ENOMEM. */
int boot_view_make(struct arena *a, const struct host *host, struct boot_view *ret);
