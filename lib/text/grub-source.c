/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grub-source.h"

#include <errno.h>
#include <string.h>

/*
 * Variables that grub-mkconfig has not set when it sources the files (2.1); unset ones expand to
 * nothing (2.2). Any other name may come from its environment or from itself.
 */
#define OURS "GRUB_CMDLINE_"

struct shell_variable shell_lookup(const struct shell_env *env, const char *name)
{
	struct shell_variable v = {.name = name, .why = env->all_why, .placed = true};

	bool known = strncmp(name, OURS, strlen(OURS)) == 0 || strcmp(name, env->own) == 0;

	array_foreach(it, &env->variables) {
		if (strcmp(it->name, name) != 0)
			continue;
		v = *it;
		known = true;
	}
	if (env->lost)
		v = (struct shell_variable){.why = env->lost, .placed = true, .value = v.value};
	if (!known && !v.why)
		v = (struct shell_variable){.name = name, .why = "is not set here"};
	return v;
}

static struct shell_variable *find(struct shell_env *env, const char *name)
{
	array_foreach(it, &env->variables)
		if (strcmp(it->name, name) == 0)
			return it;
	return NULL;
}

static int set(struct grub_state *g, struct shell_variable v)
{
	struct shell_variable *known = v.name ? find(&g->env, v.name) : NULL;

	if (!v.name)
		return -ENOMEM; /* the one way for an effect to lack its name */
	if (!known)
		return array_push(g->arena, &g->env.variables, v);
	*known = v;
	return 0;
}

struct follower {
	struct grub_state *g;
	const struct shell *shell;
	const char *path;
};

static const char *placed(const struct follower *f, unsigned line, const char *why)
{
	const char *text = arena_printf(f->g->arena, "%s:%u: %s", f->path, line, why);

	f->g->lost_memory = f->g->lost_memory || !text;
	return text ? text : why;
}

static bool asked_for(const struct follower *f, const char *name)
{
	return name && strcmp(name, f->g->var) == 0;
}

static int taint(const struct follower *f, const char *name, const struct shell_effect *e,
		 const char *why)
{
	why = placed(f, e->line, why);
	if (asked_for(f, name))
		f->g->spoiled = why;
	return set(f->g, (struct shell_variable){.name = name, .why = why, .placed = true});
}

static void taint_all(const struct follower *f, const struct shell_effect *e)
{
	const char *why = placed(f, e->line, e->why);

	f->g->env.all_why = why;
	f->g->spoiled = why;
	array_foreach(it, &f->g->env.variables)
		*it = (struct shell_variable){.name = it->name, .why = why, .placed = true};
}

static int note_assignment(const struct follower *f, const struct shell_effect *e,
			   const struct shell_sink *sink, size_t at, const struct shell_variable *v)
{
	struct grub_state *g = f->g;

	g->last_path = f->path;
	g->last_line = e->line;
	g->last_appends = sink->keeps_self;
	if (e->conditional)
		return 0;
	g->spoiled = NULL;
	return array_push(g->arena, &g->assignments,
			  ((struct grub_assignment){.line = e->line,
						    .at = at,
						    .units = sink->units,
						    .value = v->value,
						    .why = v->why,
						    .appends = sink->keeps_self}));
}

static void sink_done(struct shell_sink *sink)
{
	strbuf_done(&sink->value);
}

/* Drops the name and the '=' from the units of an export argument. */
static int drop_name(struct shell_sink *sink, size_t *ret_at, size_t *ret_skip)
{
	size_t n = 0;

	while (n < sink->units.list.n && !sink->units.list.at[n].expansion &&
	       sink->value.text[sink->units.list.at[n].from] != '=')
		n++;
	if (n == sink->units.list.n || sink->units.list.at[n].expansion)
		return -EINVAL;
	*ret_at = sink->units.list.at[n].at + sink->units.list.at[n].len;
	*ret_skip = sink->units.list.at[n].from + 1;
	n++;
	for (size_t i = n; i < sink->units.list.n; i++)
		sink->units.list.at[i].from -= *ret_skip;
	sink->units.list.at += n;
	sink->units.list.n -= n;
	sink->units.list.cap -= n;
	return 0;
}

/* An assignment of value, whose source begins at at. */
static int finish(const struct follower *f, const struct shell_effect *e, const char *name,
		  const struct shell_sink *sink, const char *value, size_t at)
{
	struct shell_variable v = {
		.name = name, .value = arena_strdup(f->g->arena, value), .placed = true};
	int r;

	if (!v.value)
		return -ENOMEM;
	if (sink->why)
		v.why = sink->why_line ? placed(f, sink->why_line, sink->why) : sink->why;
	if (asked_for(f, name)) {
		r = note_assignment(f, e, sink, at, &v);
		if (r < 0)
			return r;
	}
	return e->conditional ? taint(f, name, e, "it depends on a condition") : set(f->g, v);
}

static int assign(const struct follower *f, const struct shell_effect *e)
{
	_cleanup_(sink_done) struct shell_sink sink = {.env = &f->g->env, .self = e->name};
	int r = shell_expand(f->shell, e->at, e->line, &sink);

	return r < 0 ? r : finish(f, e, e->name, &sink, strbuf_text(&sink.value), e->at);
}

static int export(const struct follower *f, const struct shell_effect *e)
{
	/* Whether it appends depends on its name, which only its value tells. */
	_cleanup_(sink_done) struct shell_sink sink = {
		.env = &f->g->env, .self = f->g->var, .argument = true};
	size_t at, skip;
	const char *name;
	int r = shell_expand(f->shell, e->at, e->line, &sink);

	if (r < 0)
		return r;
	if (drop_name(&sink, &at, &skip) < 0) {
		taint_all(f, &(struct shell_effect){.line = e->line, .why = "an odd export"});
		return 0;
	}
	name = arena_strndup(f->g->arena, sink.value.text, skip - 1);
	if (!name)
		return -ENOMEM;
	return finish(f, e, name, &sink, sink.value.text + skip, at);
}

static int apply(const struct follower *f, const struct shell_effect *e)
{
	switch (e->kind) {
	case EFFECT_ASSIGN:
		return assign(f, e);
	case EFFECT_EXPORT:
		return export(f, e);
	case EFFECT_UNSET:
		if (e->conditional)
			return taint(f, e->name, e, "it depends on a condition");
		if (asked_for(f, e->name))
			f->g->spoiled = placed(f, e->line, "it is unset");
		return set(f->g, (struct shell_variable){.name = e->name});
	case EFFECT_TAINT:
		return taint(f, e->name, e, e->why);
	case EFFECT_TAINT_ALL:
		taint_all(f, e);
		return 0;
	case EFFECT_LOSE:
		if (!f->g->env.lost)
			f->g->env.lost = placed(f, e->line, e->why);
		return 0;
	}
	return -EINVAL;
}

void grub_state_start(struct grub_state *g, struct arena *a, const char *var)
{
	*g = (struct grub_state){.arena = a, .var = var, .env.own = var};
}

int grub_state_follow(struct grub_state *g, const struct grub_source *source,
		      struct grub_error *ret_error)
{
	struct shell shell;
	struct follower f = {.g = g, .shell = &shell, .path = source->path};
	const char *lost = g->env.lost;
	int r = 0;

	shell_parse(&shell, g->arena, source->text, &g->env.functions);
	if (shell.failed == -ENOMEM)
		return -ENOMEM;
	g->assignments.n = 0;
	g->spoiled = NULL;
	for (size_t i = 0; r == 0 && i < shell.effects.list.n; i++)
		r = apply(&f, &shell.effects.list.at[i]);
	if (r < 0)
		return r;
	/* Once lost, the shell may never come to read what we cannot. */
	if (shell.failed == -EBADMSG && g->env.lost == lost) {
		*ret_error = (struct grub_error){source->path, shell.why_line, shell.why};
		return -EBADMSG;
	}
	if (shell.failed)
		apply(&f, &(struct shell_effect){
				  .kind = EFFECT_LOSE, .line = shell.why_line, .why = shell.why});
	if (g->env.lost)
		g->spoiled = g->env.lost;
	return g->lost_memory ? -ENOMEM : 0;
}
