/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a line does what is wished: names whose values add up, repeat, or replace (1.8). */
#include <string.h>

#include "kcmdline-token.h"
#include "kcmdline.h"

/*
 * Names of which every occurrence counts, word by word, because their handlers only set flags.
 * word and against undo each other and the later one wins. word NULL: nothing sets that flag back,
 * so against beats every other word wherever it stands.
 */
static const struct opposite {
	const char *name, *word, *against;
} opposites[] = {
	{"intel_iommu", "on", "off"},  {"intel_iommu", "sm_on", "sm_off"},
	{"amd_iommu", NULL, "off"},    {"iommu", NULL, "off"},
	{"iommu", "pt", "nopt"},       {"iommu", "force", "noforce"},
	{"iommu", "merge", "nomerge"}, {"iommu", "panic", "nopanic"},
	{"intremap", "on", "off"},     {"pci", NULL, "off"},
};

/* Names of which each occurrence stands for itself. */
static const char *const repeated[] = {
	"console",   "earlycon",	   "video",	   "memmap",	    "hugepagesz",
	"hugepages", "acpi_osi",	   "crashkernel",  "initrd",	    "ip",
	"blacklist", "modprobe.blacklist", "systemd.mask", "systemd.wants", "systemd.setenv",
};

/* A parameter as name and value, iommu.passthrough= already turned into iommu= (7.27). */
struct wish {
	struct piece name, value;
};

static struct piece piece(const char *s)
{
	return (struct piece){s, s ? strlen(s) : 0};
}

/* The kernel's kstrtobool(): 1, 0, or -1 for neither. */
static int boolean(struct piece p)
{
	char first = p.len ? p.at[0] : '\0', second = p.len > 1 ? p.at[1] : '\0';

	if (first && strchr("yYtT1", first))
		return 1;
	if (first && strchr("nNfF0", first))
		return 0;
	if (first != 'o' && first != 'O')
		return -1;
	return second == 'n' || second == 'N' ? 1 : second == 'f' || second == 'F' ? 0 : -1;
}

static struct wish normal(struct piece name, struct piece value)
{
	int pass = value.at && piece_names(name, "iommu.passthrough") ? boolean(value) : -1;

	if (pass < 0)
		return (struct wish){name, value};
	return (struct wish){piece("iommu"), piece(pass ? "pt" : "nopt")};
}

static struct wish wish_of(const struct kparam *p)
{
	return normal(piece(p->name), piece(p->value));
}

/* The next comma part that is not empty; *rest moves behind it. */
static bool next_part(struct piece *rest, struct piece *ret)
{
	while (rest->len && rest->at[0] == ',')
		*rest = (struct piece){rest->at + 1, rest->len - 1};
	if (!rest->len)
		return false;
	*ret = (struct piece){rest->at, 0};
	while (ret->len < rest->len && ret->at[ret->len] != ',')
		ret->len++;
	*rest = (struct piece){rest->at + ret->len, rest->len - ret->len};
	return true;
}

static bool accumulates(struct piece name)
{
	for (size_t i = 0; i < ARRAY_LEN(opposites); i++)
		if (piece_names(name, opposites[i].name))
			return true;
	return false;
}

static bool repeats(struct piece name)
{
	for (size_t i = 0; i < ARRAY_LEN(repeated); i++)
		if (piece_names(name, repeated[i]))
			return true;
	return name.len > 3 && memcmp(name.at, "rd.", 3) == 0; /* dracut reads them all */
}

enum effect { EFFECT_NONE, EFFECT_SETS, EFFECT_UNDOES, EFFECT_FORBIDS };

/* What the word seen does to the word wanted. */
static enum effect effect_of(struct piece name, struct piece seen, struct piece wanted)
{
	if (piece_equal(seen, wanted))
		return EFFECT_SETS;
	for (size_t i = 0; i < ARRAY_LEN(opposites); i++) {
		const struct opposite *o = &opposites[i];

		if (!piece_names(name, o->name))
			continue;
		if (!o->word && piece_is(seen, o->against))
			return EFFECT_FORBIDS;
		if (o->word && ((piece_is(seen, o->word) && piece_is(wanted, o->against)) ||
				(piece_is(seen, o->against) && piece_is(wanted, o->word))))
			return EFFECT_UNDOES;
	}
	return EFFECT_NONE;
}

struct verdict {
	bool in_force;
	bool forbidden;
	const struct kparam *against;
};

static void judge_param(const struct kparam *p, struct piece word, struct verdict *v)
{
	struct wish w = wish_of(p);
	struct piece seen;

	while (next_part(&w.value, &seen)) {
		switch (effect_of(w.name, seen, word)) {
		case EFFECT_NONE:
			break;
		case EFFECT_SETS:
			v->in_force = true;
			break;
		case EFFECT_FORBIDS:
			v->forbidden = true;
			v->against = p;
			break;
		case EFFECT_UNDOES:
			v->in_force = false;
			if (!v->forbidden)
				v->against = p;
			break;
		}
		/* Ends the parsing of this occurrence (7.27). */
		if (piece_names(w.name, "iommu") && piece_is(seen, "usedac"))
			break;
	}
}

/* Follows the line as the kernel would, for one word of an accumulating name. */
static struct verdict judge_word(const struct kcmdline *line, struct piece name, struct piece word)
{
	struct verdict v = {0};

	array_foreach(it, &line->params)
		if (!it->for_init && piece_same_name(wish_of(it).name, name))
			judge_param(it, word, &v);
	v.in_force = v.in_force && !v.forbidden;
	return v;
}

static struct verdict judge_words(const struct kcmdline *line, const struct wish *w)
{
	struct verdict all = {.in_force = true};
	struct piece rest = w->value, word;

	while (next_part(&rest, &word)) {
		struct verdict v = judge_word(line, w->name, word);

		all.in_force = all.in_force && v.in_force;
		if (!v.in_force && v.against)
			all.against = v.against;
	}
	return all;
}

static struct verdict judge_value(const struct kcmdline *line, const struct wish *w)
{
	struct verdict v = {0};
	bool many = repeats(w->name);

	array_foreach(it, &line->params) {
		struct wish seen = wish_of(it);
		bool equal = piece_equal(seen.value, w->value);

		if (it->for_init || !piece_same_name(seen.name, w->name))
			continue;
		v.in_force = equal || (many && v.in_force);
		v.against = equal || many ? NULL : it;
	}
	return v;
}

static struct verdict judge(const struct kcmdline *line, const char *wish)
{
	struct piece name, value, rest, word;
	struct token t;
	struct wish w;

	if (!token_only(wish, &t))
		return (struct verdict){0};
	token_split(wish + t.at, t.len, &name, &value);
	w = normal(name, value);
	rest = w.value;
	if (accumulates(w.name) && next_part(&rest, &word))
		return judge_words(line, &w);
	return judge_value(line, &w);
}

bool kcmdline_satisfies(const struct kcmdline *line, const char *wish)
{
	return judge(line, wish).in_force;
}

const struct kparam *kcmdline_conflict(const struct kcmdline *line, const char *wish)
{
	struct verdict v = judge(line, wish);

	return v.in_force ? NULL : v.against;
}
