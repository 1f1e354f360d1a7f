/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a token and a kernel line. Adding makes the token hold unless something contradicts
 * it, touches no other parameter, and can be taken back.
 */
#include "must.h"

#include "kcmdline.h"

static struct kcmdline parse(struct arena *a, const char *line)
{
	struct kcmdline k;

	MUST(kcmdline_parse(a, line, &k) == 0);
	return k;
}

static bool same(const struct kparam *a, const struct kparam *b)
{
	return strcmp(a->name, b->name) == 0 && !a->value == !b->value &&
	       (!a->value || strcmp(a->value, b->value) == 0);
}

static size_t count(const struct kcmdline *k, const struct kparam *p)
{
	size_t n = 0;

	array_foreach(it, &k->params)
		n += !it->for_init && same(it, p);
	return n;
}

/* shorter, with some of ours left out, is longer: order and bytes of the rest are the same. */
static void check_rest(const struct kcmdline *longer, const struct kcmdline *shorter,
		       const struct kparam *ours, size_t more)
{
	size_t i = 0;

	MUST(longer->params.n == shorter->params.n + more);
	array_foreach(it, &longer->params) {
		if (i < shorter->params.n && strcmp(shorter->params.at[i].raw, it->raw) == 0 &&
		    shorter->params.at[i].for_init == it->for_init)
			i++;
		else
			MUST(same(it, ours) && !it->for_init);
	}
	MUST(i == shorter->params.n);
}

static void check_edits(struct arena *a, const char *line, const char *token)
{
	struct kcmdline before = parse(a, line), alone = parse(a, token), after;
	const struct kparam *ours = &alone.params.at[0];
	const char *added, *again, *removed;
	size_t n = count(&before, ours);

	MUST(kcmdline_add(a, line, token, &added) == 0);
	after = parse(a, added);
	if (kcmdline_satisfies(&before, token))
		MUST(added == line);
	else
		check_rest(&after, &before, ours, 1);
	/* A wish may contradict itself: "iommu=pt,nopt". */
	if (kcmdline_satisfies(&alone, token) && !kcmdline_conflict(&before, token))
		MUST(kcmdline_satisfies(&after, token));
	if (kcmdline_satisfies(&after, token)) {
		MUST(!kcmdline_conflict(&after, token));
		MUST(kcmdline_add(a, added, token, &again) == 0 && again == added);
	}
	MUST(kcmdline_remove(a, added, token, &removed) == 0);
	if (added != line && !n)
		MUST(strcmp(removed, line) == 0);
	MUST(kcmdline_remove(a, line, token, &removed) == 0);
	after = parse(a, removed);
	MUST(count(&after, ours) == 0);
	check_rest(&before, &after, ours, n);
}

/* A flag that may be written is one token that reads as it is written. */
static void check_flag(struct arena *a, const char *flag)
{
	struct kcmdline k = parse(a, flag);
	const char *joined;

	MUST(k.params.n == 1 && !k.params.at[0].for_init);
	joined = k.params.at[0].value
			 ? arena_printf(a, "%s=%s", k.params.at[0].name, k.params.at[0].value)
			 : k.params.at[0].name;
	MUST(strcmp(joined, flag) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *parts[2] = {"", ""}, *text;
	struct kcmdline k;

	must_split(a, data, size, parts, 2);
	k = parse(a, parts[1]);
	array_foreach(it, &k.params) {
		MUST(strstr(parts[1], it->raw));
		MUST(kparam_name_equal(it->name, it->name));
	}
	kcmdline_conflict(&k, parts[0]);
	if (kcmdline_add(a, parts[1], parts[0], &text) == 0)
		check_edits(a, parts[1], parts[0]);
	else
		MUST(kcmdline_remove(a, parts[1], parts[0], &text) == -EINVAL);
	if (!kflag_refused(parts[0]))
		check_flag(a, parts[0]);
	if (!module_name_refused(parts[0]))
		MUST(!strchr(module_name_kernel(a, parts[0]), '-'));
	return 0;
}
