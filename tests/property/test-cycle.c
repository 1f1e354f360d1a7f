/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every captured host under each of its specs, on a machine whose builders build and whose kernel
 * binds: apply and there is nothing left to do; apply again and nothing is written; wish for
 * nothing and every byte is as it was. No step speaks of a device that nobody named.
 */
#include "cycle.h"

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

static bool has_entries(const struct host *host)
{
	array_foreach(it, &host->boot.entries)
		if (it->loader == LOADER_BLS || it->loader == LOADER_ENTRIES)
			return true;
	return false;
}

/* What is edited, and by no builder: of /boot only where entries are files that no tool makes. */
static void add_shared(struct cycle *c, struct snapshot *to)
{
	struct host *seen = observe(c);

	add_folder(c->s, "/etc", to);
	if (has_entries(seen))
		add_folder(c->s, "/boot/loader", to);
	if (seen->boot.blscfg)
		add_folder(c->s, "/boot/grub2", to);
	host_free(seen);
}

static void go_round(struct cycle *c)
{
	_cleanup_spec_ struct spec *nothing = spec_new();
	struct snapshot before = {0}, after = {0};
	struct turn t;

	add_shared(c, &before);
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
	add_shared(c, &after);
	must_equal(c, &after, &before);
	t = turn(c, nothing);
	if (t.changes)
		say(c, "a second apply of nothing changes something: %s",
		    c->fake->log.n ? c->fake->log.at[0] : "?");
	turn_done(&t);
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
	/* not ours to change, but an image is made anew by what it says */
	{"arch-booster.host", "guide", "/etc/booster.yaml", "modules: i915\n"},
	{"arch-booster.host", "guide", "/etc/booster.yaml", NULL},
	{"arch-booster.host", "ids-method", "/etc/booster.yaml", "modules: kvm,-ahci\n"},
};

static void shared_files_come_back_to_the_byte(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(shared); i++) {
		const struct variant both[] = {shared[i], {NULL, NULL, NO_DROPIN_HERE}};

		one_cycle(shared[i].host, shared[i].spec, both, ARRAY_LEN(both));
	}
}

/* Somebody adds a token between two writes of ours: it is no part of what was there before us. */
static void what_others_add_meanwhile_stays(void **state _unused_)
{
	static const char *const path = "/etc/default/grub";
	_cleanup_spec_ struct spec *nothing = spec_new(), *second = NULL;
	struct cycle c = open_cycle("pve8-gtx1080.host", "guide");
	struct host *host;
	const char *text, *quote;
	struct turn t;

	scratch_write(c.s, path, "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n");
	scratch_write(c.s, NO_DROPIN_HERE);
	begin(&c);
	t = turn(&c, c.wish);
	must_go_well(&c, &t);
	turn_done(&t);
	text = scratch_read(c.s, path);
	quote = strrchr(text, '"');
	scratch_write(
		c.s, path,
		arena_printf(c.s->arena, "%.*s theirs=1%s", (int)(quote - text), text, quote));
	c.spec = "kernel-flags";
	host = observe(&c);
	second = load_spec(&c, host);
	host_free(host);
	t = turn(&c, second);
	must_go_well(&c, &t);
	must_be_done(&c, &t);
	turn_done(&t);
	t = turn(&c, nothing);
	must_go_well(&c, &t);
	must_be_done(&c, &t);
	turn_done(&t);
	scratch_holds(c.s, path, "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet theirs=1\"\n");
	close_cycle(&c);
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
	ledger = load_ledger(c);
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
		cmocka_unit_test(what_others_add_meanwhile_stays),
		cmocka_unit_test(unchanged_devices_are_not_written),
		cmocka_unit_test(a_cut_is_mended_by_the_next_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
