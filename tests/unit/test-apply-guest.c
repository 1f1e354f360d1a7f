/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests: what is noted before their tool is run, and what the ledger says however that ends. */
#include "machine.h"

#define LINE "0000:01:00,pcie=1"

static const struct ledger_guest entry = {
	.hypervisor = HYPERVISOR_PROXMOX,
	.guest = "101",
	.device = "gpu",
	.key = "hostpci0",
	.text = LINE,
	.before = "0000:01:00",
};

static struct step *add_set(struct plan *p, const char *what)
{
	struct step *step = plan_step(p, STEP_SET_GUEST, "101");

	words_add(p->arena, &step->argv, "qm");
	words_add(p->arena, &step->argv, what);
	step->input = "<in>";
	return step;
}

/* The entry is given to the guest. */
static struct plan *plan_give(void)
{
	struct plan *p = plan_new();
	struct step *step = add_set(p, "set");

	p->id = "give";
	array_push(p->arena, &step->guests, entry);
	array_push(p->arena, &p->guests, entry);
	return p;
}

static struct plan *plan_take(void)
{
	struct plan *p = plan_new();

	p->id = "take";
	add_set(p, "take");
	return p;
}

static void run(struct machine *m, struct plan *p)
{
	assert_int_equal(machine_apply(m, p), 0);
	plan_free(p);
}

static void is_known(const struct machine *m, bool known)
{
	const struct ledger_guest *g = ledger_guest(m->ledger, HYPERVISOR_PROXMOX, "101",
						    "hostpci0");

	assert_int_equal(g != NULL, known);
	if (known) {
		assert_string_equal(g->text, LINE);
		assert_string_equal(g->before, "0000:01:00");
	}
}

static void given_and_taken_back(void **state)
{
	struct machine *m = *state;

	run(m, plan_give());
	assert_int_equal(m->report->steps.at[0].result, RESULT_DONE);
	scratch_holds(m->s, FAKE_GUEST, "qm set\n<in>");
	is_known(m, true);
	run(m, plan_take());
	scratch_holds(m->s, FAKE_GUEST, "qm take\n<in>");
	is_known(m, false);
}

struct failure {
	enum fake_builder manner;
	const char *says;
	enum code code;
	const char *message;
};

static const struct failure failures[] = {
	{FAKE_FAILS, "VM is locked (backup)\n", CODE_GUEST_REFUSED,
	 "qm did not change 101: it ended with exit code 1; its last lines say why"},
	{FAKE_FAILS, "detected modified configuration - file changed by other user? Try again.\n",
	 CODE_GUEST_CHANGED, "101 changed since the plan was made; plan again"},
	{FAKE_IS_KILLED, "", CODE_GUEST_REFUSED,
	 "qm did not change 101: it ended with exit code 137; its last lines say why"},
	{FAKE_IS_MISSING, "", CODE_NO_HYPERVISOR, "qm is not installed"},
};

/* It stops nothing, nothing is put back for it, and the ledger forgets nothing. */
static void a_failure_is_the_guests_alone(void **state)
{
	struct machine *m = *state;

	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		const struct failure *row = &failures[i];
		struct plan *p = plan_take();

		m->fake->guests = FAKE_BUILDS;
		run(m, plan_give());
		m->fake->guests = row->manner;
		m->fake->says = row->says;
		plan_write(p, PATH_MODPROBE, scratch_read(m->s, PATH_MODPROBE),
			   i % 2 ? MODPROBE : "# managed by passthroughd\n");
		run(m, p);
		assert_true(m->report->failed);
		assert_false(m->report->rolled_back);
		assert_int_equal(m->report->steps.at[0].code, row->code);
		assert_string_equal(m->report->steps.at[0].message, row->message);
		assert_int_equal(m->report->steps.at[1].result, RESULT_DONE);
		is_known(m, true);
	}
}

static void what_was_begun_stays_known(void **state)
{
	struct machine *m = *state;

	m->fake->guests = FAKE_SPOILS;
	run(m, plan_give());
	assert_int_equal(m->report->steps.at[0].result, RESULT_FAILED);
	is_known(m, true);
}

/* A device that was not made ready is given to nobody. */
static void nothing_is_given_after_a_failed_build(void **state)
{
	struct machine *m = *state;
	struct plan *p = plan_new();
	struct step *step;

	p->id = "build";
	plan_build(p, NEW_KERNEL);
	step = add_set(p, "set");
	array_push(p->arena, &step->guests, entry);
	array_push(p->arena, &p->guests, entry);
	m->fake->initramfs = FAKE_FAILS;
	run(m, p);
	assert_int_equal(m->report->steps.at[1].result, RESULT_SKIPPED);
	assert_null(scratch_read(m->s, FAKE_GUEST));
	is_known(m, false);
}

/* Whenever the power goes, a guest that was changed is one that the ledger knows. */
static void a_cut_hides_nothing(void **state)
{
	static const enum fake_trouble troubles[] = {FAKE_CUT_BEFORE, FAKE_CUT_AFTER};
	struct machine *m = *state;

	for (size_t i = 0; i < ARRAY_LEN(troubles); i++)
		for (unsigned at = 1;; at++) {
			struct plan *p = plan_give();
			bool dead;

			run(m, plan_take());
			unlink(scratch_at(m->s, FAKE_GUEST));
			fake_restart(m->fake);
			m->fake->trouble = troubles[i];
			m->fake->at = at;
			m->report = report_free(m->report);
			(void)plan_apply(p, m->ledger, &m->fake->ops, NULL, &m->report);
			plan_free(p);
			dead = m->fake->dead;
			fake_restart(m->fake);
			ledger_free(m->ledger);
			assert_int_equal(ledger_load(&m->fake->real, &m->ledger), 0);
			if (scratch_read(m->s, FAKE_GUEST))
				is_known(m, true);
			if (!dead) {
				assert_true(at > 5);
				break;
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(given_and_taken_back),
		machine_test(a_failure_is_the_guests_alone),
		machine_test(what_was_begun_stays_known),
		machine_test(nothing_is_given_after_a_failed_build),
		machine_test(a_cut_hides_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
