/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What changes between two states, told to the journal. */
#pragma once

#include "state.h"

void events_tell(const struct state *before, const struct state *now);
