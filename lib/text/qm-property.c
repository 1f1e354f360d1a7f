/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qm-property.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "strbuf.h"

#define HEX "0123456789abcdef"

static const char *key_of(const struct qm_properties *p, const struct qm_property *it)
{
	return it->key ? it->key : p->nameless;
}

static struct qm_property *find(const struct qm_properties *p, const char *key)
{
	array_foreach(it, &p->list)
		if (strcmp(key_of(p, it), key) == 0)
			return it;
	return NULL;
}

/* One property of n bytes, not blank. */
static int add(struct arena *a, struct qm_properties *p, const char *at, size_t n)
{
	const char *equals = memchr(at, '=', n);
	struct qm_property it = {0};

	if (equals == at || (equals && equals + 1 == at + n) || (!equals && !*p->nameless))
		return -EBADMSG;
	if (equals)
		it.key = arena_strndup(a, at, (size_t)(equals - at));
	if (equals && !it.key)
		return -ENOMEM;
	if (find(p, key_of(p, &it)))
		return -EBADMSG;
	it.value = equals ? arena_strndup(a, equals + 1, (size_t)(at + n - equals - 1))
			  : arena_strndup(a, at, n);
	return it.value ? array_push(a, &p->list, it) : -ENOMEM;
}

int qm_properties_parse(struct arena *a, const char *nameless, const char *text,
			struct qm_properties *ret)
{
	struct qm_properties p = {.nameless = nameless};
	int err = 0;

	while (err == 0 && *text) {
		size_t n = strcspn(text, ",");

		if (strspn(text, " \t\r") < n)
			err = add(a, &p, text, n);
		text += n + (text[n] == ',');
	}
	if (err == 0 && !p.list.n)
		err = -EBADMSG;
	if (err == 0)
		*ret = p;
	return err;
}

const char *qm_property(const struct qm_properties *p, const char *key)
{
	const struct qm_property *it = find(p, key);

	return it ? it->value : NULL;
}

int qm_property_set(struct arena *a, struct qm_properties *p, const char *key, const char *value)
{
	struct qm_property *it = find(p, key);

	if (it && value) {
		it->value = value;
		return 0;
	}
	if (it) {
		size_t at = (size_t)(it - p->list.at);

		memmove(it, it + 1, (p->list.n - at - 1) * sizeof(*it));
		p->list.n--;
		return 0;
	}
	if (!value)
		return 0;
	return array_push(
		a, &p->list,
		((struct qm_property){strcmp(key, p->nameless) == 0 ? NULL : key, value}));
}

const char *qm_properties_print(struct arena *a, const struct qm_properties *p)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	const char *text;

	array_foreach(it, &p->list)
		strbuf_addf(&out, "%s%s%s%s", out.len ? "," : "", it->key ? it->key : "",
			    it->key ? "=" : "", it->value);
	return strbuf_to_arena(&out, a, &text) < 0 ? NULL : text;
}

enum tristate qm_boolean(const char *text)
{
	static const char *const yes[] = {"1", "on", "yes", "true"};
	static const char *const no[] = {"0", "off", "no", "false"};

	for (size_t i = 0; text && i < ARRAY_LEN(yes); i++) {
		if (strcasecmp(text, yes[i]) == 0)
			return YES;
		if (strcasecmp(text, no[i]) == 0)
			return NO;
	}
	return UNKNOWN;
}

/* --- ids ------------------------------------------------------------------------------------- */

/* Upper case is none of theirs. */
static bool parse_id(const char *text, size_t n, struct pci_addr *ret, bool *ret_whole)
{
	char id[PCI_ADDR_TEXT_SIZE];

	if (n >= sizeof(id) || strspn(text, HEX ":.") < n)
		return false;
	memcpy(id, text, n);
	id[n] = '\0';
	*ret_whole = !strchr(id, '.');
	return (*ret_whole ? pci_slot_parse(id, ret) : pci_addr_parse(id, ret)) == 0;
}

bool qm_ids_parse(const char *text, struct qm_ids *ret)
{
	ret->n = 0;
	while (true) {
		size_t n = strcspn(text, ";");

		if (ret->n == ARRAY_LEN(ret->at) ||
		    !parse_id(text, n, &ret->at[ret->n].addr, &ret->at[ret->n].whole_slot))
			return false;
		ret->n++;
		if (!text[n])
			return true;
		text += n + 1;
	}
}

/* --- comparing ------------------------------------------------------------------------------- */

static bool ids_hold(const struct qm_ids *in, const struct qm_ids *of)
{
	for (size_t i = 0; i < of->n; i++) {
		bool found = false;

		for (size_t k = 0; k < in->n && !found; k++)
			found = pci_addr_compare(in->at[k].addr, of->at[i].addr) == 0 &&
				in->at[k].whole_slot == of->at[i].whole_slot;
		if (!found)
			return false;
	}
	return true;
}

bool qm_value_same(const char *a, const char *b)
{
	struct qm_ids x, y;

	if (!a || !b)
		return a == b;
	if (qm_boolean(a) != UNKNOWN && qm_boolean(b) != UNKNOWN)
		return qm_boolean(a) == qm_boolean(b);
	if (qm_ids_parse(a, &x) && qm_ids_parse(b, &y))
		return ids_hold(&x, &y) && ids_hold(&y, &x);
	return strcmp(a, b) == 0;
}

/* Whether b has all that a has, and as it has it. */
static bool has_all(const struct qm_properties *a, const struct qm_properties *b)
{
	array_foreach(it, &a->list)
		if (!qm_value_same(it->value, qm_property(b, key_of(a, it))))
			return false;
	return true;
}

bool qm_properties_same(const struct qm_properties *a, const struct qm_properties *b)
{
	return has_all(a, b) && has_all(b, a);
}

static int take_changes(struct arena *a, const struct qm_properties *from,
			const struct qm_properties *ours, const struct qm_properties *now,
			struct qm_properties *to)
{
	array_foreach(it, &from->list) {
		const char *key = key_of(from, it), *value = qm_property(now, key);

		if (!qm_value_same(qm_property(ours, key), value) &&
		    qm_property_set(a, to, key, value) < 0)
			return -ENOMEM;
	}
	return 0;
}

int qm_properties_merge(struct arena *a, const struct qm_properties *before,
			const struct qm_properties *ours, const struct qm_properties *now,
			struct qm_properties *ret)
{
	struct qm_properties merged = {.nameless = before->nameless};

	array_foreach(it, &before->list)
		if (array_push(a, &merged.list, *it) < 0)
			return -ENOMEM;
	if (take_changes(a, now, ours, now, &merged) < 0 ||
	    take_changes(a, ours, ours, now, &merged) < 0)
		return -ENOMEM;
	*ret = merged;
	return 0;
}
