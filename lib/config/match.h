/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a file counts on this host. Pure. */
#pragma once

#include "schema.h"

/* Whether anything is asked for. */
bool match_given(const struct match *match);

/* All that is given must hold; nothing given always holds. */
bool match_holds(const struct match *match, const struct config_facts *facts);
