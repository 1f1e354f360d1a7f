/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `plan --explain-merge`: which file each value of the spec comes from on this host. */
#pragma once

#include "call.h"

/* Fills call->out, by the form that was asked for. 0 or -ENOMEM. */
int merge_print(struct call *call, const struct pthru_spec *spec, const struct pthru_plan *plan);
