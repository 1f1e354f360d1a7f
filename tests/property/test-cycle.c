/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every captured host under each of its specs, on a machine whose builders build and whose kernel
 * binds: apply and there is nothing left to do; apply again and nothing is written; wish for
 * nothing and every byte is as it was. No step speaks of a device that nobody named.
 */
#include "../unit/scratch.h"

#include <dirent.h>
#include <errno.h>

#include "apply.h"
#include "capture.h"
#include "config.h"
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

static struct host *observe(struct cycle *c)
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

static struct spec *load_spec(struct cycle *c, const struct host *host)
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

/* --- one turn --------------------------------------------------------------------------------- */

/* Plans for wish, applies, and plans again; what the second plan still wants is returned. */
struct turn {
	struct host *host, *host_after; /* which the plans borrow from, and from the ledgers */
	struct ledger *ledger, *ledger_after;
	struct plan *plan, *after;
	struct report *report;
	unsigned changes, writes; /* writes: to sysfs */
};

static struct turn turn(struct cycle *c, const struct spec *wish)
{
	struct turn t = {0};

	fake_restart(c->fake);
	assert_int_equal(ledger_load(&c->fake->ops, &t.ledger), 0);
	t.host = observe(c);
	assert_int_equal(plan_make(wish, t.host, t.ledger, &t.plan), 0);
	assert_int_equal(plan_apply(t.plan, t.ledger, &c->fake->ops, NULL, &t.report), 0);
	t.changes = c->fake->changes;
	t.writes = c->fake->attr_writes;
	assert_int_equal(ledger_load(&c->fake->ops, &t.ledger_after), 0);
	assert_false(t.ledger_after->damaged);
	t.host_after = observe(c);
	assert_int_equal(plan_make(wish, t.host_after, t.ledger_after, &t.after), 0);
	return t;
}

static void turn_done(struct turn *t)
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

static void add_folder(struct scratch *s, const char *dir, struct snapshot *to)
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

static const struct entry *find(const struct snapshot *shot, const char *path)
{
	array_foreach(it, &shot->list)
		if (strcmp(it->path, path) == 0)
			return it;
	return NULL;
}

static void must_equal(struct cycle *c, const struct snapshot *have, const struct snapshot *want)
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

static void must_go_well(struct cycle *c, const struct turn *t)
{
	array_foreach(it, &t->report->diags.list)
		say(c, "%s", it->message);
	if (t->report->failed || t->report->refused)
		say(c, "failed without a word");
}

static void must_be_done(struct cycle *c, const struct turn *t)
{
	array_foreach(it, &t->after->steps)
		say(c, "there is still to do: %s %s, because of %s", step_kind_name(it->kind),
		    it->target, it->why);
}

static void must_be_named(struct cycle *c, const struct plan *p)
{
	array_foreach(step, &p->steps) {
		bool named = step->kind != STEP_BIND;

		array_foreach(device, &p->devices)
			array_foreach(addr, &device->addrs)
				named |= pci_addr_compare(*addr, step->addr) == 0;
		if (!named)
			say(c, "nobody named %s", step->target);
	}
}

static void go_round(struct cycle *c)
{
	_cleanup_spec_ struct spec *nothing = spec_new();
	struct snapshot before = {0}, after = {0};
	struct turn t;

	add_folder(c->s, "/etc", &before);
	t = turn(c, c->wish);
	must_be_named(c, t.plan);
	must_go_well(c, &t);
	must_be_done(c, &t);
	turn_done(&t);
	t = turn(c, c->wish);
	if (t.changes)
		say(c, "a second apply changes something: %s",
		    c->fake->log.n ? c->fake->log.at[0] : "?");
	turn_done(&t);
	t = turn(c, nothing);
	must_go_well(c, &t);
	must_be_done(c, &t);
	turn_done(&t);
	add_folder(c->s, "/etc", &after);
	must_equal(c, &after, &before);
	t = turn(c, nothing);
	if (t.changes)
		say(c, "a second apply of nothing changes something: %s",
		    c->fake->log.n ? c->fake->log.at[0] : "?");
	turn_done(&t);
}

/* How a host's shared files may look beside what its capture says; NULL text: absent. */
struct variant {
	const char *host, *spec, *path, *text;
};

#define NO_DROPIN_HERE "/usr/sbin/grub-mkconfig", "#!/bin/sh\n# reads no folder (2.4)\n"

static struct cycle open_cycle(const char *host, const char *spec)
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

static void begin(struct cycle *c)
{
	struct host *seen;

	assert_int_equal(fake_new(c->s->dir, &c->fake), 0);
	seen = observe(c);
	c->wish = load_spec(c, seen);
	host_free(seen);
}

static void close_cycle(struct cycle *c)
{
	void *state = c->s;

	spec_free(c->wish);
	fake_free(c->fake);
	scratch_teardown(&state);
}

static void one_cycle(const char *host, const char *spec, const struct variant *variants, size_t n)
{
	struct cycle c = open_cycle(host, spec);

	for (size_t i = 0; i < n; i++)
		if (variants[i].text)
			scratch_write(c.s, variants[i].path, variants[i].text);
		else
			unlink(scratch_at(c.s, variants[i].path));
	begin(&c);
	go_round(&c);
	close_cycle(&c);
}

/* The specs that a host names in its line "; specs: one two". */
static void all_specs(struct arena *a, const char *host)
{
	size_t size;
	const char *text = read_file(a, TEST_DIR "/hosts", host, &size);
	const char *mark = "\n; specs:", *line = strstr(text, mark);
	char *words, *rest;

	assert_non_null(line);
	line += strlen(mark);
	words = arena_strndup(a, line, strcspn(line, "\n"));
	for (char *spec = strtok_r(words, " ", &rest); spec; spec = strtok_r(NULL, " ", &rest))
		one_cycle(host, spec, NULL, 0);
}

static void every_host_comes_and_goes(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct words names = {0};
	struct root *root;

	assert_int_equal(root_open(TEST_DIR "/hosts", &root), 0);
	assert_int_equal(root_list(root, "/", a, &names), 0);
	root_free(root);
	array_foreach(it, &names)
		if (strstr(*it, ".host"))
			all_specs(a, *it);
}

static const struct variant shared[] = {
	{"pve8-gtx1080.host", "guide", "/etc/default/grub",
	 "GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX=\"\"\n"},
	{"pve8-gtx1080.host", "guide", "/etc/default/grub",
	 "GRUB_CMDLINE_LINUX_DEFAULT='quiet  splash' # mine\n\n# end"},
	{"pve8-gtx1080.host", "guide", "/etc/default/grub", "GRUB_DEFAULT=0"},
	{"pve8-gtx1080.host", "guide", "/etc/default/grub", ""},
	{"pve8-gtx1080.host", "guide", "/etc/default/grub",
	 "GRUB_CMDLINE_LINUX_DEFAULT=quiet\nGRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_"
	 "DEFAULT "
	 "a=b\"\n"},
	{"pve8-gtx1080.host", "guide", "/etc/default/grub",
	 "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet \\\n  splash\"\n"},
	{"pve8-zfs-rx6800.host", "amd-guide", "/etc/kernel/cmdline",
	 "root=ZFS=rpool/ROOT/pve-1   boot=zfs"},
	{"pve8-zfs-rx6800.host", "amd-guide", "/etc/kernel/cmdline", NULL},
	{"pve8-zfs-rx6800.host", "kernel-flags", "/etc/kernel/cmdline",
	 "root=ZFS=rpool/ROOT/pve-1 boot=zfs pcie_aspm=off\n"},
};

static void shared_files_come_back_to_the_byte(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(shared); i++) {
		const struct variant both[] = {shared[i], {NULL, NULL, NO_DROPIN_HERE}};

		one_cycle(shared[i].host, shared[i].spec, both, ARRAY_LEN(both));
	}
}

/* --- writes ----------------------------------------------------------------------------------- */

/*
 * Every write to sysfs is counted: override, unbind and probe of each function when it is bound,
 * as many when it goes back, a parameter each way, and none at all when nothing has changed.
 */
static const struct {
	const char *host, *spec;
	unsigned writes[4]; /* of the wish, the wish again, nothing, nothing again */
} counted[] = {
	{"pve8-gtx1080.host", "guide", {7, 0, 7, 0}},
	{"pve8-gtx1080.host", "ids-method", {6, 0, 6, 0}},
};

static void unchanged_devices_are_not_written(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(counted); i++) {
		_cleanup_spec_ struct spec *nothing = spec_new();
		struct cycle c = open_cycle(counted[i].host, counted[i].spec);

		begin(&c);
		for (size_t n = 0; n < 4; n++) {
			struct turn t = turn(&c, n < 2 ? c.wish : nothing);

			must_go_well(&c, &t);
			if (t.writes != counted[i].writes[n])
				say(&c, "apply %zu writes %u times", n + 1, t.writes);
			turn_done(&t);
		}
		close_cycle(&c);
	}
}

/* --- cuts ------------------------------------------------------------------------------------- */

/* Applies with the power going at the n-th change; whether it came to that. */
static bool cut(struct cycle *c, const struct spec *wish, unsigned n)
{
	struct ledger *ledger;
	struct host *host;
	struct plan *plan;
	struct report *report = NULL;

	fake_restart(c->fake);
	assert_int_equal(ledger_load(&c->fake->ops, &ledger), 0);
	host = observe(c);
	assert_int_equal(plan_make(wish, host, ledger, &plan), 0);
	c->fake->trouble = FAKE_CUT_AFTER;
	c->fake->at = n;
	(void)plan_apply(plan, ledger, &c->fake->ops, NULL, &report);
	report_free(report);
	plan_free(plan);
	host_free(host);
	ledger_free(ledger);
	return c->fake->dead;
}

/* The next plan, made from what the cut left, does all the rest: on the way in and back. */
static void a_cut_is_mended_by_the_next_plan(void **state _unused_)
{
	_cleanup_spec_ struct spec *nothing = spec_new();
	bool in = true, back = true;

	for (unsigned n = 1; in || back; n++) {
		struct cycle c = open_cycle("pve8-gtx1080.host", "guide");
		struct snapshot before = {0}, after = {0};
		struct turn t;

		begin(&c);
		add_folder(c.s, "/etc", &before);
		in = cut(&c, c.wish, n);
		t = turn(&c, c.wish);
		must_go_well(&c, &t);
		must_be_done(&c, &t);
		turn_done(&t);
		back = cut(&c, nothing, n);
		t = turn(&c, nothing);
		must_go_well(&c, &t);
		must_be_done(&c, &t);
		turn_done(&t);
		add_folder(c.s, "/etc", &after);
		must_equal(&c, &after, &before);
		close_cycle(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_host_comes_and_goes),
		cmocka_unit_test(shared_files_come_back_to_the_byte),
		cmocka_unit_test(unchanged_devices_are_not_written),
		cmocka_unit_test(a_cut_is_mended_by_the_next_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
