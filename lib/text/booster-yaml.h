/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What booster is told and what its images say, both YAML: /etc/booster.yaml, by a person, as far
 * as it decides on modules, and etc/booster.init.yaml, by booster itself (5.34). Pure.
 */
#pragma once

#include <stdbool.h>

#include "array.h"

struct booster_item {
	const char *text; /* "nouveau", "-xhci_pci", "kernel/drivers/gpu/", "*" */
	unsigned line;
};

struct booster_config {
	ARRAY_OF(struct booster_item) modules, force_load; /* in order */
	unsigned network; /* the line that switches it on, with its drivers; 0: it is off */
	unsigned strange; /* line that cannot be followed, 0: all can */
};

/* What is no plain "KEY: VALUE" on one line is strange where it decides on modules. 0 or -ENOMEM.
 */
int booster_config_parse(struct arena *a, const char *text, struct booster_config *ret);

/*
 * Of an image's own file what is kept: the kernel and the modules' options. It holds private keys
 * and passwords besides, which are nobody's to remember. 0 or -ENOMEM.
 */
int booster_init_reduce(struct arena *a, const char *text, const char **ret);

/* The kernel that an image is for, which alone it starts; "" when it does not say. 0 or -ENOMEM. */
int booster_init_kernel(struct arena *a, const char *text, const char **ret);

/* Options that its modules are loaded with, as lines of modprobe.d. 0 or -ENOMEM. */
int booster_init_options(struct arena *a, const char *text, const char **ret);
