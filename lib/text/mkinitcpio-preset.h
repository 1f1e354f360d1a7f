/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Presets of mkinitcpio, /etc/mkinitcpio.d/PKGBASE.preset: bash that it sources (5.33). What each
 * package brings is assignments, a line each; what is more than that is said to be so. Pure.
 */
#pragma once

#include "array.h"

struct mkinitcpio_preset {
	const char *name; /* the first of PRESETS, which is what boots: "default"; NULL: none */
	const char
		*config; /* its configuration file, in the place of all others; NULL: the usual */
	const char *variable; /* that says so, and */
	unsigned line;	      /* where */
	const char *image;    /* that it builds, NULL: none */
	const char *uki;      /* the unified kernel image that it builds, NULL: none */
	unsigned strange;     /* line that cannot be followed, 0: all can */
};

/* 0 or -ENOMEM. */
int mkinitcpio_preset_parse(struct arena *a, const char *text, struct mkinitcpio_preset *ret);
