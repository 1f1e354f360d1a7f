/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The power goes, or the disk is full, at each single change of an apply. Whatever the moment:
 * every file is whole, the ledger can be read and knows what is ours, and the next apply arrives
 * where an undisturbed one does.
 */
#include <dirent.h>
#include <errno.h>

#include "machine.h"

/* --- all files of the machine ----------------------------------------------------------------- */

struct entry {
	const char *path, *text; /* or a link's target */
	size_t size;
	mode_t mode;
};

struct snapshot {
	ARRAY_OF(struct entry) list;
};

static void add_folder(struct scratch *s, const char *dir, struct snapshot *to)
{
	struct words names = {0};

	assert_int_equal(root_list(s->root, *dir ? dir : "/", s->arena, &names), 0);
	array_foreach(it, &names) {
		struct entry e = {.path = arena_printf(s->arena, "%s/%s", dir, *it), .text = ""};
		struct stat st;

		assert_int_equal(root_lstat(s->root, e.path, &st), 0);
		if (strcmp(e.path, PATH_JOURNAL) == 0)
			continue;
		e.mode = st.st_mode;
		if (S_ISREG(st.st_mode))
			assert_int_equal(
				root_read(s->root, e.path, 1 << 20, s->arena, &e.text, &e.size), 0);
		else if (S_ISLNK(st.st_mode))
			assert_int_equal(root_readlink(s->root, e.path, s->arena, &e.text), 0);
		array_push(s->arena, &to->list, e);
		if (S_ISDIR(st.st_mode))
			add_folder(s, e.path, to);
	}
}

static struct snapshot take(struct machine *m)
{
	struct snapshot shot = {0};

	add_folder(m->s, "", &shot);
	return shot;
}

static const struct entry *find(const struct snapshot *shot, const char *path)
{
	array_foreach(it, &shot->list)
		if (strcmp(it->path, path) == 0)
			return it;
	return NULL;
}

static bool same_entry(const struct entry *a, const struct entry *b)
{
	return a && b && a->mode == b->mode && a->size == b->size &&
	       memcmp(a->text, b->text, a->size) == 0 && strcmp(a->text, b->text) == 0;
}

static void must_equal(const struct snapshot *have, const struct snapshot *want, const char *when)
{
	array_foreach(it, &want->list)
		if (!same_entry(it, find(have, it->path)))
			fail_msg("%s: %s is not as it should be: %s", when, it->path,
				 find(have, it->path) ? find(have, it->path)->text : "absent");
	array_foreach(it, &have->list)
		if (!find(want, it->path))
			fail_msg("%s: %s was left behind", when, it->path);
}

/* --- the undisturbed way ---------------------------------------------------------------------- */

static int go(struct machine *m)
{
	struct plan *p = plan_everything(m);
	int err = machine_apply(m, p);

	plan_free(p);
	return err;
}

struct course {
	struct machine *m; /* whose arena holds the snapshots */
	struct snapshot before, after;
	unsigned changes;
};

static struct course undisturbed(void)
{
	struct course c = {0};
	void *state;

	assert_int_equal(machine_setup(&state), 0);
	c.m = state;
	c.before = take(c.m);
	assert_int_equal(go(c.m), 0);
	assert_false(c.m->report->failed);
	c.changes = c.m->fake->changes;
	c.after = take(c.m);
	return c;
}

/* Configuration and images: what a boot reads. */
static bool boots(const char *path)
{
	return strncmp(path, "/etc/", 5) == 0 || strncmp(path, "/boot/", 6) == 0;
}

/* The old or the new one, never something between. */
static void must_be_whole(const struct course *c, const struct snapshot *now, const char *when)
{
	array_foreach(it, &now->list) {
		if (!boots(it->path) || !S_ISREG(it->mode) || strstr(it->path, "/."))
			continue;
		if (!same_entry(it, find(&c->before, it->path)) &&
		    !same_entry(it, find(&c->after, it->path)) && !strstr(it->path, "initrd") &&
		    !strstr(it->path, "grub.cfg"))
			fail_msg("%s: %s is neither old nor new", when, it->path);
	}
}

/* Nothing of ours is on the disk that the ledger does not know. */
static void must_be_known(struct machine *m, const char *when)
{
	static const char *const ours[] = {PATH_MODPROBE, PATH_GRUB_DROPIN};

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (scratch_read(m->s, ours[i]) && !ledger_file(m->ledger, ours[i]))
			fail_msg("%s: %s is ours, and the ledger does not know", when, ours[i]);
	if (strcmp(machine_driver(m, CARD), "vfio-pci") == 0 &&
	    !ledger_device(m->ledger, (struct pci_addr){0, 1, 0, 0})->bound)
		fail_msg("%s: the card is bound by us, and the ledger does not know", when);
	if (strcmp(scratch_read(m->s, PATH_MODULES "/kvm/parameters/ignore_msrs"), "Y\n") == 0 &&
	    m->ledger->params.n != 1)
		fail_msg("%s: a parameter is ours, and the ledger does not know", when);
}

static void must_converge(const struct course *c, struct machine *m, const char *when)
{
	struct snapshot now;

	fake_restart(m->fake);
	assert_int_equal(go(m), 0);
	if (m->report->failed || m->report->refused)
		fail_msg("%s: the next apply failed: %s", when,
			 m->report->diags.list.n ? m->report->diags.list.at[0].message : "");
	now = take(m);
	must_equal(&now, &c->after, when);
	fake_restart(m->fake);
	assert_int_equal(go(m), 0);
	if (m->fake->changes)
		fail_msg("%s: it takes a third apply", when);
}

/* --- cuts ------------------------------------------------------------------------------------- */

static void cut_at(const struct course *c, enum fake_trouble trouble, unsigned n)
{
	struct machine *m;
	struct snapshot now;
	const char *line, *when;
	void *state;

	assert_int_equal(machine_setup(&state), 0);
	m = state;
	when = arena_printf(m->s->arena, "cut %d at change %u", trouble, n);
	m->fake->trouble = trouble;
	m->fake->at = n;
	go(m);
	assert_true(m->fake->dead);
	now = take(m);
	must_be_whole(c, &now, when);
	must_be_known(m, when);
	/* It begins with the ledger; from the next change on a journal is there that tells. */
	if (n > 2 && n < c->changes)
		assert_int_equal(apply_unfinished(&m->fake->real, m->s->arena, &line), 1);
	must_converge(c, m, when);
	machine_teardown(&state);
}

/* The entries cannot be written, so files are being put back and images built again: and cut. */
static bool cut_while_taking_back(const struct course *c, enum fake_trouble trouble, unsigned n)
{
	struct machine *m;
	struct snapshot now;
	const char *when;
	void *state;
	bool dead;

	assert_int_equal(machine_setup(&state), 0);
	m = state;
	when = arena_printf(m->s->arena, "cut %d at change %u of taking back", trouble, n);
	m->fake->loader = FAKE_FAILS;
	m->fake->good_runs = 2;
	m->fake->trouble = trouble;
	m->fake->at = n;
	go(m);
	dead = m->fake->dead;
	now = take(m);
	must_be_whole(c, &now, when);
	must_be_known(m, when);
	must_converge(c, m, when);
	machine_teardown(&state);
	return dead;
}

static void a_cut_while_taking_back_is_harmless(void **unused _unused_)
{
	struct course c = undisturbed();
	void *state = c.m;
	unsigned n = 1;

	while (cut_while_taking_back(&c, FAKE_CUT_BEFORE, n) &&
	       cut_while_taking_back(&c, FAKE_CUT_AFTER, n) &&
	       cut_while_taking_back(&c, FAKE_CUT_WITHIN, n))
		n++;
	assert_true(n > 20);
	machine_teardown(&state);
}

static void a_cut_at_any_point_is_harmless(void **unused _unused_)
{
	struct course c = undisturbed();
	void *state = c.m;

	assert_true(c.changes > 20);
	for (unsigned n = 1; n <= c.changes; n++) {
		cut_at(&c, FAKE_CUT_BEFORE, n);
		cut_at(&c, FAKE_CUT_AFTER, n);
		cut_at(&c, FAKE_CUT_WITHIN, n);
	}
	machine_teardown(&state);
}

/* The wish is withdrawn before the next apply, which then has nothing to write. */
static void an_empty_plan_cleans_up_after_a_cut(void **state)
{
	struct machine *m = *state;
	struct plan *none;
	struct snapshot before = take(m), now;
	const char *line;

	m->fake->trouble = FAKE_CUT_WITHIN;
	m->fake->at = 4; /* after the ledger and two lines of the journal: the first file */
	go(m);
	assert_true(m->fake->dead);
	now = take(m);
	assert_non_null(find(&now, "/etc/modprobe.d/.00-passthroughd.conf.pthru-new"));
	assert_int_equal(m->ledger->unbuilt.n, 3);
	fake_restart(m->fake);
	m->ledger->unbuilt.n = 0; /* the planner would build */
	none = plan_new();
	*array_add(none->arena, &none->claims) = m->ledger->devices.at[0];
	assert_int_equal(machine_apply(m, none), 0);
	now = take(m);
	assert_int_equal(apply_unfinished(&m->fake->real, m->s->arena, &line), 0);
	array_foreach(it, &before.list)
		assert_true(same_entry(it, find(&now, it->path)) ||
			    strcmp(it->path, PATH_LEDGER) == 0);
	assert_int_equal(now.list.n, before.list.n);
	assert_null(ledger_file(m->ledger, PATH_MODPROBE));
	assert_int_equal(m->ledger->files.n, 1);
	plan_free(none);
}

/* --- errors ----------------------------------------------------------------------------------- */

/* All of the files, or none: a failed apply puts back what it wrote. */
static void must_be_all_or_nothing(const struct course *c, struct machine *m, const char *when)
{
	struct snapshot now = take(m);
	bool any_old = false, any_new = false;

	array_foreach(it, &c->after.list) {
		const struct entry *was = find(&c->before, it->path);
		bool config = strncmp(it->path, "/etc/", 5) == 0 && S_ISREG(it->mode);

		if (!config || same_entry(it, was))
			continue;
		any_new |= same_entry(find(&now, it->path), it);
		any_old |= !same_entry(find(&now, it->path), it);
	}
	if (any_old && any_new)
		fail_msg("%s: some files are new and some old", when);
	array_foreach(it, &now.list)
		if (strstr(it->path, ".pthru-new"))
			fail_msg("%s: %s was left behind", when, it->path);
}

static void fail_at(const struct course *c, enum fake_trouble trouble, int error, unsigned n)
{
	struct machine *m;
	const char *when;
	void *state;
	int err;

	assert_int_equal(machine_setup(&state), 0);
	m = state;
	when = arena_printf(m->s->arena, "error %d (%d) at change %u", error, trouble, n);
	m->fake->trouble = trouble;
	m->fake->error = error;
	m->fake->at = n;
	err = go(m);
	if (err < 0) {
		struct snapshot now = take(m);

		assert_int_equal(err, error);
		array_foreach(it, &c->before.list)
			if (strcmp(it->path, PATH_LEDGER) != 0 &&
			    !same_entry(it, find(&now, it->path)))
				fail_msg("%s: %s was changed", when, it->path);
	} else {
		must_be_all_or_nothing(c, m, when);
		if (!m->report->failed && !m->report->diags.list.n && m->fake->attr_writes == 0)
			fail_msg("%s: and nobody was told", when);
	}
	must_be_known(m, when);
	must_converge(c, m, when);
	machine_teardown(&state);
}

static void an_error_at_any_point_is_harmless(void **unused _unused_)
{
	struct course c = undisturbed();
	void *state = c.m;

	for (unsigned n = 1; n <= c.changes; n++) {
		fail_at(&c, FAKE_ERROR, -ENOSPC, n);
		fail_at(&c, FAKE_ERROR, -EIO, n);
	}
	machine_teardown(&state);
}

/* A disk that stays full: what is written cannot be put back by writing, but by removing. */
static void a_disk_that_stays_full_is_survived(void **unused _unused_)
{
	struct course c = undisturbed();
	void *state = c.m;

	for (unsigned n = 1; n <= c.changes; n++)
		fail_at(&c, FAKE_ERROR_ON, -ENOSPC, n);
	machine_teardown(&state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cut_at_any_point_is_harmless),
		cmocka_unit_test(a_cut_while_taking_back_is_harmless),
		machine_test(an_empty_plan_cleans_up_after_a_cut),
		cmocka_unit_test(an_error_at_any_point_is_harmless),
		cmocka_unit_test(a_disk_that_stays_full_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
