/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A captured host laid out as a machine that is planned for and applied to, turn by turn. */
#pragma once

#include "../unit/scratch.h"

#include <dirent.h>
#include <errno.h>

#include "apply.h"
#include "capture.h"
#include "config.h"
#include "digest.h"
#include "fake-ops.h"
#include "observe.h"
#include "paths.h"
#include "planner.h"

struct cycle {
	const char *host, *spec; /* names */
	struct scratch *s;
	struct fake *fake;
	struct spec *wish;
	struct words modules; /* whose parameters are looked at */
};

#define say(c, ...)                                                                                \
	fail_msg("%s under %s: %s", (c)->host, (c)->spec, arena_printf((c)->s->arena, __VA_ARGS__))

/* --- reading ---------------------------------------------------------------------------------- */

static const char *read_file(struct arena *a, const char *dir, const char *name, size_t *ret_size)
{
	struct root *root;
	const char *text = NULL;

	assert_int_equal(root_open(dir, &root), 0);
	assert_int_equal(
		root_read(root, arena_printf(a, "/%s", name), 16 << 20, a, &text, ret_size), 0);
	root_free(root);
	return text;
}

static inline struct host *observe(struct cycle *c)
{
	struct observe_options options = {
		.aliases = true, .images = true, .serials = true, .modules = &c->modules};
	struct tree *tree;
	struct host *host;

	assert_int_equal(tree_root_new(c->s->root, NULL, &tree), 0);
	assert_int_equal(host_observe(tree, &options, &host), 0);
	tree_free(tree);
	return host;
}

static inline struct spec *load_spec(struct cycle *c, const struct host *host)
{
	struct diags diags = {.arena = c->s->arena};
	const char *file = arena_printf(c->s->arena, "%s.yaml", c->spec);
	struct config_input input = {.path = file};
	struct config_facts facts = {.hostname = host->hostname,
				     .cpu_vendor = host->cpu.vendor,
				     .dmi_vendor = host->dmi_vendor,
				     .dmi_product = host->dmi_product,
				     .dmi_board = host->dmi_board};
	struct pci_id *ids = arena_alloc(c->s->arena, (host->devices.n + 1) * sizeof(*ids));
	struct spec *spec = NULL;

	for (size_t i = 0; i < host->devices.n; i++)
		ids[i] = host->devices.at[i].id;
	facts.ids = ids;
	facts.n_ids = host->devices.n;
	input.bytes = read_file(c->s->arena, TEST_DIR "/cases/specs", file, &input.size);
	if (config_load(&input, 1, &facts, &diags, &spec) < 0)
		say(c, "the spec is refused: %s",
		    diags.list.n ? diags.list.at[0].message : "no reason");
	array_foreach(it, &spec->options)
		words_add(c->s->arena, &c->modules, it->module);
	return spec;
}

/* As whoever plans for a real host loads it: begun writes are looked after. */
static inline struct ledger *load_ledger(struct cycle *c)
{
	struct ledger *ledger = NULL;

	assert_int_equal(ledger_load(&c->fake->ops, &ledger), 0);
	array_foreach(it, &ledger->files) {
		char digest[DIGEST_TEXT_SIZE];
		const char *text;
		size_t size;

		if (!*it->intent ||
		    root_read(c->s->root, it->path, 1 << 20, c->s->arena, &text, &size) < 0)
			continue;
		digest_bytes(text, size, digest);
		assert_int_equal(ledger_file_settle(ledger->arena, it, digest), 0);
		ledger->settled = true;
	}
	return ledger;
}

/* --- one turn --------------------------------------------------------------------------------- */

/* Plans for wish, applies, and plans again; what the second plan still wants is returned. */
struct turn {
	struct host *host, *host_after; /* which the plans borrow from, and from the ledgers */
	struct ledger *ledger, *ledger_after;
	struct plan *plan, *after;
	struct report *report;
	unsigned changes, writes; /* writes: to sysfs */
};

static inline struct turn turn(struct cycle *c, const struct spec *wish)
{
	struct turn t = {0};

	fake_restart(c->fake);
	t.ledger = load_ledger(c);
	t.host = observe(c);
	assert_int_equal(plan_make(wish, t.host, t.ledger, &t.plan), 0);
	assert_int_equal(plan_apply(t.plan, t.ledger, &c->fake->ops, NULL, &t.report), 0);
	t.changes = c->fake->changes;
	t.writes = c->fake->attr_writes;
	t.ledger_after = load_ledger(c);
	assert_false(t.ledger_after->damaged);
	t.host_after = observe(c);
	assert_int_equal(plan_make(wish, t.host_after, t.ledger_after, &t.after), 0);
	return t;
}

static inline void turn_done(struct turn *t)
{
	plan_free(t->plan);
	plan_free(t->after);
	report_free(t->report);
	host_free(t->host);
	host_free(t->host_after);
	ledger_free(t->ledger);
	ledger_free(t->ledger_after);
}

/* --- snapshots -------------------------------------------------------------------------------- */

struct entry {
	const char *path, *text;
	size_t size;
	mode_t mode;
};

struct snapshot {
	ARRAY_OF(struct entry) list;
};

static inline void add_folder(struct scratch *s, const char *dir, struct snapshot *to)
{
	struct words names = {0};

	assert_int_equal(root_list(s->root, dir, s->arena, &names), 0);
	array_foreach(it, &names) {
		struct entry e = {.path = arena_printf(s->arena, "%s/%s", dir, *it), .text = ""};
		struct stat st;

		assert_int_equal(root_lstat(s->root, e.path, &st), 0);
		e.mode = st.st_mode;
		if (S_ISREG(st.st_mode))
			assert_int_equal(
				root_read(s->root, e.path, 16 << 20, s->arena, &e.text, &e.size),
				0);
		else if (S_ISLNK(st.st_mode))
			assert_int_equal(root_readlink(s->root, e.path, s->arena, &e.text), 0);
		array_push(s->arena, &to->list, e);
		if (S_ISDIR(st.st_mode))
			add_folder(s, e.path, to);
	}
}

static inline const struct entry *find(const struct snapshot *shot, const char *path)
{
	array_foreach(it, &shot->list)
		if (strcmp(it->path, path) == 0)
			return it;
	return NULL;
}

static inline void must_equal(struct cycle *c, const struct snapshot *have,
			      const struct snapshot *want)
{
	array_foreach(it, &want->list) {
		const struct entry *e = find(have, it->path);

		if (!e || e->mode != it->mode || e->size != it->size ||
		    memcmp(e->text, it->text, e->size) != 0)
			say(c, "%s is not as it was before:\n%s\nbut\n%s", it->path, it->text,
			    e ? e->text : "absent");
	}
	array_foreach(it, &have->list)
		if (!find(want, it->path))
			say(c, "%s was left behind", it->path);
}

/* --- what must hold --------------------------------------------------------------------------- */

static inline void must_go_well(struct cycle *c, const struct turn *t)
{
	array_foreach(it, &t->report->diags.list)
		say(c, "%s", it->message);
	if (t->report->failed || t->report->refused)
		say(c, "failed without a word");
}

static inline void must_be_done(struct cycle *c, const struct turn *t)
{
	array_foreach(it, &t->after->steps)
		say(c, "there is still to do: %s %s, because of %s", step_kind_name(it->kind),
		    it->target, it->why);
}

/* How a host's shared files may look beside what its capture says; NULL text: absent. */
struct variant {
	const char *host, *spec, *path, *text;
};

#define NO_DROPIN_HERE "/usr/sbin/grub-mkconfig", "#!/bin/sh\n# reads no folder (2.4)\n"

/* --- life and death ----------------------------------------------------------------------------
 */

static inline struct cycle open_cycle(const char *host, const char *spec)
{
	struct cycle c = {.host = host, .spec = spec};
	struct diags diags;
	const char *text;
	void *state = NULL;
	size_t size;

	assert_int_equal(scratch_setup(&state), 0);
	c.s = state;
	diags = (struct diags){.arena = c.s->arena};
	text = read_file(c.s->arena, TEST_DIR "/hosts", host, &size);
	if (capture_lay_out(host, text, size, c.s->dir, &diags) < 0)
		say(&c, "cannot be laid out: %s", diags.list.n ? diags.list.at[0].message : "");
	return c;
}

static inline void begin(struct cycle *c)
{
	struct host *seen;

	assert_int_equal(fake_new(c->s->dir, &c->fake), 0);
	seen = observe(c);
	c->wish = load_spec(c, seen);
	host_free(seen);
}

static inline void close_cycle(struct cycle *c)
{
	void *state = c->s;

	spec_free(c->wish);
	fake_free(c->fake);
	scratch_teardown(&state);
}
