/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What writing and reading the ledger share. */
#pragma once

#include <json-c/json.h>

#include "macro.h"

#define LEDGER_VERSION 1

static inline struct json_object *json_free(struct json_object *json)
{
	json_object_put(json);
	return NULL;
}
DEFINE_CLEANUP(struct json_object *, json_free);
