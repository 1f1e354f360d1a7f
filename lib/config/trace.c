/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The merged tree as rows: a key, its value, and the file and line that it comes from. */
#include "schema.h"

static int add(struct arena *a, const char *key, const char *value, const struct node *node,
	       struct config_trace *ret)
{
	struct place place = node_place(node);

	/* The source that node_place names lives no longer than the reading. */
	place.file = arena_strdup(a, place.file);
	return key && place.file
		       ? array_push(a, &ret->values, ((struct config_value){key, value, place}))
		       : -ENOMEM;
}

int trace_values(struct arena *a, const char *prefix, const struct node *node,
		 struct config_trace *ret)
{
	bool list = node->kind == NODE_LIST;
	int err = 0;

	if (node->kind == NODE_NULL || node->kind == NODE_SCALAR)
		return add(a, prefix, node->kind == NODE_NULL ? "null" : node->text, node, ret);
	if (!node->entries.n && *prefix)
		return add(a, prefix, list ? "[]" : "{}", node, ret);
	for (size_t i = 0; err == 0 && i < node->entries.n; i++) {
		const struct entry *entry = &node->entries.at[i];
		const char *key = list ? prefix
				       : arena_printf(a, "%s%s%s", prefix, *prefix ? "." : "",
						      entry->name);

		err = key ? trace_values(a, key, entry->value, ret) : -ENOMEM;
	}
	return err;
}
