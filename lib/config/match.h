/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a file counts on this host. Pure. */
#pragma once

#include "schema.h"

/* Whether anything is asked for. */
bool match_given(const struct match *match);

/*
 * The first of what is given that does not hold, one phrase; NULL: all holds. Nothing given always
 * holds. 0 or -ENOMEM.
 */
int match_missed(struct arena *a, const struct match *match, const struct config_facts *facts,
		 const char **ret);
