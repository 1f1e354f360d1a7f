/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a list of properties. What is read is printed so that it reads the same; setting
 * one property leaves all others as they are, in their order.
 */
#include "must.h"

#include "qm-property.h"

static void must_keep_others(const struct qm_properties *before, const struct qm_properties *after)
{
	size_t i = 0;

	array_foreach(it, &before->list) {
		if (it->key && strcmp(it->key, "pcie") == 0) {
			i += i < after->list.n && after->list.at[i].key &&
			     strcmp(after->list.at[i].key, "pcie") == 0;
			continue;
		}
		MUST(i < after->list.n && strcmp(after->list.at[i].value, it->value) == 0);
		MUST(!it->key == !after->list.at[i].key);
		i++;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct qm_properties p, again, edited;
	const char *text, *printed;
	struct qm_ids ids;
	int err;

	must_split(a, data, size, &text, 1);
	if (qm_ids_parse(text, &ids))
		MUST(ids.n >= 1 && ids.n <= ARRAY_LEN(ids.at));
	err = qm_properties_parse(a, "host", text, &p);
	MUST(err == 0 || err == -EBADMSG);
	if (err < 0)
		return 0;
	printed = qm_properties_print(a, &p);
	MUST(printed && qm_properties_parse(a, "host", printed, &again) == 0);
	MUST(strcmp(printed, qm_properties_print(a, &again)) == 0);
	MUST(qm_properties_parse(a, "host", text, &edited) == 0);
	MUST(qm_property_set(a, &edited, "pcie", "1") == 0);
	MUST(strcmp(qm_property(&edited, "pcie"), "1") == 0);
	must_keep_others(&p, &edited);
	MUST(qm_property_set(a, &edited, "pcie", NULL) == 0 && !qm_property(&edited, "pcie"));
	must_keep_others(&p, &edited);
	/* Nothing changed since: what was before us comes back. */
	MUST(qm_properties_same(&p, &again) && qm_properties_same(&p, &p));
	MUST(qm_properties_merge(a, &p, &edited, &edited, &again) == 0);
	MUST(strcmp(qm_properties_print(a, &again), printed) == 0);
	return 0;
}
