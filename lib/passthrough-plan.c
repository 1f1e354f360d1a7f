/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Observing and planning: the read-only half of the surface. */
#include <errno.h>
#include <string.h>

#include "apply.h"
#include "capture.h"
#include "digest.h"
#include "observe.h"
#include "paths.h"
#include "planner.h"
#include "surface.h"

#define LEDGER_MAX (64u << 20) /* bytes */
#define FILE_MAX   (64u << 20)

int pthru_host_observe(struct pthru_ctx *ctx, struct pthru_host **ret)
{
	struct pthru_host *host = calloc(1, sizeof(*host));
	struct tree *tree = NULL;
	int err;

	if (!host)
		return -ENOMEM;
	err = surface_tree(ctx, NULL, &host->tree, &tree);
	if (err == 0) {
		const struct observe_options options = {.names = true, .holders = tree->live};

		err = host_observe(tree, &options, &host->host);
	}
	if (err < 0) {
		pthru_host_free(host);
		return err;
	}
	*ret = host;
	return 0;
}

struct pthru_host *pthru_host_free(struct pthru_host *host)
{
	if (!host)
		return NULL;
	host_free(host->host);
	tree_free(host->tree);
	free(host);
	return NULL;
}

int pthru_capture_print(struct pthru_ctx *ctx, char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	_cleanup_tree_ struct tree *owned = NULL;
	struct tree *tree = NULL;
	int err = surface_tree(ctx, NULL, &owned, &tree);

	if (err == 0)
		err = capture_write(tree, &out);
	return err < 0 ? err : strbuf_take(&out, ret);
}

/*
 * After a cut: the plan must know which tokens of shared files are ours, or a revert would leave
 * them.
 */
static int settle_intents(struct tree *tree, struct ledger *ledger)
{
	array_foreach(it, &ledger->files) {
		_cleanup_arena_ struct arena *a = *it->intent ? arena_new() : NULL;
		char digest[DIGEST_TEXT_SIZE];
		const char *text;
		size_t size;
		int err;

		if (!*it->intent)
			continue;
		err = a ? tree->ops->read(tree, it->path, FILE_MAX, a, &text, &size) : -ENOMEM;
		if (err == -ENOMEM)
			return err;
		if (err < 0)
			continue;
		digest_bytes(text, size, digest);
		if (ledger_file_settle(ledger->arena, it, digest) < 0)
			return -ENOMEM;
		ledger->settled = true;
	}
	return 0;
}

/* What cannot be read is damaged: nothing is guessed about what is ours. */
static int load_ledger(struct tree *tree, struct ledger **ret)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = NULL;
	size_t size = 0;
	int err = a ? tree->ops->read(tree, PATH_LEDGER, LEDGER_MAX, a, &text, &size) : -ENOMEM;
	bool absent = err == -ENOENT;

	if (err == 0)
		err = ledger_parse(text, size, ret);
	if (err == 0)
		return settle_intents(tree, *ret);
	if (err == -ENOMEM)
		return err;
	*ret = ledger_new();
	if (!*ret)
		return -ENOMEM;
	(*ret)->damaged = !absent;
	return 0;
}

/* What is not in the ledger's file, but known to who plans. */
static int add_contested(struct ledger *ledger, const char *paths)
{
	while (paths && *paths) {
		size_t n = strcspn(paths, " ");
		const char *path = arena_strndup(ledger->arena, paths, n);

		if (!path || array_push(ledger->arena, &ledger->contested, path) < 0)
			return -ENOMEM;
		paths += n + (paths[n] == ' ');
	}
	return 0;
}

static int plan_once(struct pthru_plan *p, const struct pthru_spec *spec, struct tree *tree,
		     const struct observe_options *options, struct pthru_diags *diags)
{
	int err;

	p->host = host_free(p->host);
	p->spec = spec_free(p->spec);
	p->plan = plan_free(p->plan);
	err = host_observe(tree, options, &p->host);
	if (err == 0)
		err = surface_narrow(spec, p->host, diags, &p->spec);
	return err < 0 ? err : plan_make(p->spec, p->host, p->ledger, &p->plan);
}

static bool moves_devices(const struct plan *plan)
{
	array_foreach(it, &plan->steps)
		if (it->kind == STEP_BIND || it->kind == STEP_RETURN)
			return true;
	return false;
}

/* What is dear to look at is looked at only where it counts. */
struct needs {
	struct arena *arena;
	struct words modules;
	ARRAY_OF(struct selector) chosen;
	struct observe_options options;
	int more; /* 1: something joined since it was last asked; -ENOMEM */
};

static void need(struct needs *n, bool *what, bool wanted)
{
	if (wanted && !*what && n->more >= 0)
		n->more = 1;
	*what = *what || wanted;
}

static void need_module(struct needs *n, const char *name)
{
	int added = words_add(n->arena, &n->modules, name);

	if (added && n->more >= 0)
		n->more = added;
}

static bool same_choice(const struct selector *a, const struct selector *b)
{
	return a->has_id == b->has_id && a->has_address == b->has_address &&
	       a->has_slot == b->has_slot && a->has_class == b->has_class &&
	       memcmp(&a->id, &b->id, sizeof(a->id)) == 0 &&
	       pci_addr_compare(a->address, b->address) == 0 &&
	       pci_addr_compare(a->slot, b->slot) == 0 && a->class == b->class &&
	       a->class_mask == b->class_mask;
}

/* What it may choose is looked at more closely. The texts of a selector do not outlive its spec. */
static void need_selector(struct needs *n, const struct selector *s)
{
	struct selector copy = *s;

	copy.serial = copy.mac = copy.label = copy.bound_to = NULL;
	array_foreach(it, &n->chosen)
		if (same_choice(it, s))
			return;
	if (array_push(n->arena, &n->chosen, copy) < 0)
		n->more = -ENOMEM;
	else if (n->more >= 0)
		n->more = 1;
	n->options.chosen = n->chosen.at;
	n->options.chosen_n = n->chosen.n;
}

static void need_for_spec(struct needs *n, const struct spec *spec)
{
	need(n, &n->options.aliases, spec->devices.n > 0);
	need(n, &n->options.flags, spec->kernel_flags.n > 0);
	array_foreach(it, &spec->devices) {
		need_selector(n, &it->selector);
		need(n, &n->options.labels, it->selector.label);
	}
	array_foreach(it, &spec->options)
		need_module(n, it->module);
}

/* Plans until nothing more has to be known than what was looked at. */
static int plan_fully(struct pthru_plan *p, const struct pthru_spec *spec, struct tree *tree,
		      struct needs *n, struct pthru_diags *diags)
{
	while (n->more >= 0) {
		int err;

		n->more = 0;
		err = plan_once(p, spec, tree, &n->options, diags);
		if (err < 0)
			return err;
		need_for_spec(n, p->spec);
		need(n, &n->options.takers, diags_have(&p->plan->diags, CODE_PROMISE_BROKEN));
		need(n, &n->options.holders, p->host->live_root && moves_devices(p->plan));
		if (n->more == 0)
			return 0;
	}
	return n->more;
}

static int fill(struct pthru_plan *p, const struct pthru_spec *spec, struct tree *tree, bool names,
		struct pthru_diags *diags)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct needs needs = {.arena = a, .options = {.names = names, .images = true}};

	if (!a)
		return -ENOMEM;
	needs.options.modules = &needs.modules;
	array_foreach(it, &p->ledger->params)
		need_module(&needs, it->module);
	array_foreach(it, &p->ledger->devices)
		need_selector(&needs, &(struct selector){.has_id = true, .id = it->id});
	/* Read as if every match: held, the spec seldom needs less than it does here. */
	if (spec->everywhere)
		need_for_spec(&needs, spec->everywhere);
	return plan_fully(p, spec, tree, &needs, diags);
}

int pthru_plan_make(struct pthru_ctx *ctx, const struct pthru_spec *spec, bool names,
		    struct pthru_diags *diags, struct pthru_plan **ret)
{
	struct pthru_plan *p = calloc(1, sizeof(*p));
	struct tree *tree = NULL;
	int err;

	if (!p)
		return -ENOMEM;
	err = surface_tree(ctx, diags, &p->tree, &tree);
	if (err == 0)
		err = load_ledger(tree, &p->ledger);
	if (err == 0)
		err = add_contested(p->ledger, ctx->contested);
	if (err == 0)
		err = fill(p, spec, tree, names, diags);
	if (err == 0 && !ctx->capture && !ctx->locked)
		err = surface_tell_cut(ctx, &p->plan->diags);
	if (err < 0) {
		pthru_plan_free(p);
		return err;
	}
	*ret = p;
	return 0;
}

struct pthru_plan *pthru_plan_free(struct pthru_plan *p)
{
	if (!p)
		return NULL;
	plan_free(p->plan);
	spec_free(p->spec);
	ledger_free(p->ledger);
	host_free(p->host);
	tree_free(p->tree);
	free(p);
	return NULL;
}

const char *pthru_plan_id(const struct pthru_plan *p)
{
	return p->plan->id;
}

enum pthru_exit pthru_plan_exit(const struct pthru_plan *p)
{
	return (enum pthru_exit)plan_exit_code(p->plan);
}
