/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hosts of ostree: the line is the deployment's, and rpm-ostree makes another deployment with
 * another line (2.26). Each of its runs makes one, so that all is done by one.
 */
#pragma once

#include "planning.h"

#define DEPLOYMENT_COMMAND "rpm-ostree"

/* What the deployment that boots next says of a flag. 0 or -ENOMEM, as all here. */
int deployment_judge(struct planning *p, size_t item, const char *flag);

/* Blocks the item where no other deployment can be made. */
int deployment_refusal(struct planning *p, size_t item, const char *flag);

/* Adds to p->flags_ours those on its line that we gave to it; what is not known is said. */
int deployment_ours(struct planning *p);

/* The one step that makes another with all of wanted and nothing of surplus; or blocks the flags.
 */
int deployment_plan(struct planning *p, const struct words *wanted, const struct words *surplus);
