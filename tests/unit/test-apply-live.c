/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Live steps against a kernel that says yes and does nothing, hangs, or has other devices now. */
#include <errno.h>

#include "machine.h"

#define CARD_DIR PATH_PCI_DEVICES "/" CARD
#define DISK_DIR PATH_PCI_DEVICES "/" DISK

static bool said(const struct machine *m, enum code code, const char *part)
{
	array_foreach(it, &m->report->diags.list)
		if (it->code == code && strstr(it->message, part))
			return true;
	array_foreach(it, &m->report->diags.list)
		print_message("%s\n", it->message);
	return false;
}

/* --- bind ------------------------------------------------------------------------------------- */

static void nothing(struct machine *m _unused_)
{
}

static void kernel_refuses(struct machine *m)
{
	m->fake->refuses = CARD;
}

static void refused_with_an_override(struct machine *m)
{
	m->fake->refuses = CARD;
	scratch_write(m->s, CARD_DIR "/driver_override", "nouveau\n");
}

static void unbinding_hangs(struct machine *m)
{
	m->fake->hangs = CARD;
}

#define HOLDER "qemu-system-x86 (1234): /dev/vfio/14"

static void unbinding_hangs_held(struct machine *m)
{
	unbinding_hangs(m);
	m->fake->holder = HOLDER;
}

static void another_card(struct machine *m)
{
	scratch_write(m->s, CARD_DIR "/device", "0x1b82\n");
}

static void another_board(struct machine *m)
{
	scratch_write(m->s, CARD_DIR "/subsystem_device", "0x0001\n");
}

static void card_gone(struct machine *m)
{
	assert_int_equal(unlink(scratch_at(m->s, CARD_DIR "/vendor")), 0);
}

static void ids_unreadable(struct machine *m)
{
	scratch_write(m->s, CARD_DIR "/vendor", "nonsense\n");
}

static void unbound(struct machine *m)
{
	assert_int_equal(unlink(scratch_at(m->s, CARD_DIR "/driver")), 0);
}

static void bound_already(struct machine *m)
{
	unbound(m);
	assert_int_equal(symlink("../../../../bus/pci/drivers/vfio-pci",
				 scratch_at(m->s, CARD_DIR "/driver")),
			 0);
}

static void driver_not_loaded(struct machine *m)
{
	assert_int_equal(rmdir(scratch_at(m->s, PATH_PCI_DRIVERS "/vfio-pci")), 0);
}

static void driver_nowhere(struct machine *m)
{
	driver_not_loaded(m);
	scratch_write(m->s, "/lib/modules/" NEW_KERNEL "/modules.dep", "");
}

/* Its rule has named it, nothing has loaded the driver yet: loading takes it (7.9). */
static void waits_for_its_driver(struct machine *m)
{
	driver_not_loaded(m);
	unbound(m);
	scratch_write(m->s, CARD_DIR "/driver_override", "vfio-pci\n");
}

struct bind_row {
	const char *what;
	void (*arrange)(struct machine *m);
	enum code code; /* _CODE_INVALID: it works */
	const char *says;
	const char *driver, *override;
	unsigned writes;
	bool bound; /* by the ledger */
};

static const struct bind_row binds[] = {
	{"all is well", nothing, _CODE_INVALID, NULL, "vfio-pci", "vfio-pci\n", 3, true},
	{"no driver before", unbound, _CODE_INVALID, NULL, "vfio-pci", "vfio-pci\n", 2, true},
	{"bound already", bound_already, _CODE_INVALID, NULL, "vfio-pci", "(null)\n", 0, false},
	{"driver not loaded", driver_not_loaded, _CODE_INVALID, NULL, "vfio-pci", "vfio-pci\n", 3,
	 true},
	{"waits for it", waits_for_its_driver, _CODE_INVALID, NULL, "vfio-pci", "vfio-pci\n", 0,
	 true},
	{"driver nowhere", driver_nowhere, CODE_NO_EFFECT, "stays on driver nouveau", "nouveau",
	 "(null)\n", 0, false},
	{"refused", kernel_refuses, CODE_NO_EFFECT, "it shows driver nouveau", "nouveau",
	 "(null)\n", 5, false},
	{"refused, override kept", refused_with_an_override, CODE_NO_EFFECT,
	 "it shows driver nouveau", "nouveau", "nouveau\n", 5, false},
	{"hangs", unbinding_hangs, CODE_IN_USE,
	 CARD ": unbinding it from nouveau does not come to an end: something uses the device; it "
	      "is done once that lets go",
	 "nouveau", "vfio-pci\n", 2, true},
	{"hangs, held", unbinding_hangs_held, CODE_IN_USE,
	 CARD ": unbinding it from nouveau does not come to an end; held by " HOLDER
	      "; it is done once that lets go",
	 "nouveau", "vfio-pci\n", 2, true},
	{"another card", another_card, CODE_IDENTITY_MISMATCH, "10de:1b82", "nouveau", "(null)\n",
	 0, false},
	{"another board", another_board, CODE_IDENTITY_MISMATCH, "1043:0001", "nouveau", "(null)\n",
	 0, false},
	{"gone", card_gone, CODE_NO_SUCH_DEVICE, "no longer there", "nouveau", "(null)\n", 0,
	 false},
	{"unreadable", ids_unreadable, CODE_NO_EFFECT, "reading its ids", "nouveau", "(null)\n", 0,
	 false},
};

static void binding_is_proved_or_taken_back(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(binds); i++) {
		const struct bind_row *row = &binds[i];
		const struct ledger_device *known;
		struct plan *p = plan_new();
		struct machine *m;

		if (i)
			assert_int_equal(machine_setup(state), 0);
		m = *state;
		row->arrange(m);
		plan_bind(p);
		assert_int_equal(machine_apply(m, p), 0);
		assert_int_equal(m->report->failed, row->code != _CODE_INVALID);
		if ((row->says && !said(m, row->code, row->says)) ||
		    m->fake->attr_writes != row->writes)
			fail_msg("%s: %u writes", row->what, m->fake->attr_writes);
		assert_string_equal(machine_driver(m, CARD), row->driver);
		scratch_holds(m->s, CARD_DIR "/driver_override", row->override);
		known = ledger_device(m->ledger, (struct pci_addr){0, 1, 0, 0});
		if ((known && known->bound) != row->bound)
			fail_msg("%s: bound %d", row->what, known && known->bound);
		plan_free(p);
		if (i + 1 < ARRAY_LEN(binds))
			machine_teardown(state);
	}
}

/*
 * The kernel takes the driver link away before it waits for the holder. A function of ours in that
 * state is asked for nothing more, each write would hang as well; once it is let go it is bound.
 */
static void what_hangs_is_not_asked_again(void **state)
{
	struct machine *m = *state;
	struct plan *p = plan_new();

	unbinding_hangs_held(m);
	plan_bind(p);
	plan_claim_card(p, true);
	assert_int_equal(machine_apply(m, p), 0);
	assert_true(said(m, CODE_IN_USE, HOLDER));
	unbound(m);
	m->fake->attr_writes = 0;
	assert_int_equal(machine_apply(m, p), 0);
	assert_true(
		said(m, CODE_IN_USE, "an earlier unbind has not come to an end; held by " HOLDER));
	assert_int_equal(m->fake->attr_writes, 0);
	assert_string_equal(m->ledger->devices.at[0].previous, "nouveau");
	m->fake->hangs = NULL;
	assert_int_equal(machine_apply(m, p), 0);
	assert_false(m->report->failed);
	assert_string_equal(machine_driver(m, CARD), "vfio-pci");
	assert_string_equal(m->ledger->devices.at[0].previous, "nouveau");
	plan_free(p);
}

/* One device's failure is not another's, nor that of the parameters. */
static void other_live_steps_go_on(void **state)
{
	struct machine *m = *state;
	struct plan *p = plan_new();

	m->fake->refuses = CARD;
	plan_bind(p);
	plan_return(p);
	plan_param(p, "1");
	plan_step(p, STEP_FLAG_REBOOT, PATH_REBOOT);
	assert_int_equal(machine_apply(m, p), 0);
	assert_int_equal(m->report->steps.at[0].result, RESULT_FAILED);
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(m->report->steps.at[i].result, RESULT_DONE);
	assert_false(m->report->rolled_back);
	plan_free(p);
}

/* --- return ----------------------------------------------------------------------------------- */

static void disk_bound_elsewhere(struct machine *m)
{
	assert_int_equal(unlink(scratch_at(m->s, DISK_DIR "/driver")), 0);
	assert_int_equal(
		symlink("../../../../bus/pci/drivers/nvme", scratch_at(m->s, DISK_DIR "/driver")),
		0);
}

static void disk_not_bound_by_us(struct machine *m)
{
	m->ledger->devices.at[0].bound = false;
}

static void disk_between(struct machine *m)
{
	assert_int_equal(unlink(scratch_at(m->s, DISK_DIR "/driver")), 0);
}

static void disk_in_use(struct machine *m)
{
	m->fake->hangs = DISK;
}

static void disk_replaced(struct machine *m)
{
	scratch_write(m->s, DISK_DIR "/device", "0x3333\n");
}

static void host_driver_not_loaded(struct machine *m)
{
	assert_int_equal(rmdir(scratch_at(m->s, PATH_PCI_DRIVERS "/nvme")), 0);
}

static void disk_in_use_by(struct machine *m)
{
	disk_in_use(m);
	m->fake->holder = HOLDER;
}

/* By an earlier apply whose write still hangs. */
static void disk_leaving(struct machine *m)
{
	disk_in_use_by(m);
	disk_between(m);
}

struct return_row {
	const char *what;
	void (*arrange)(struct machine *m);
	enum code code;
	const char *says;
	const char *driver, *override;
	unsigned writes;
	bool known; /* by the ledger still */
};

static const struct return_row returns[] = {
	{"all is well", nothing, _CODE_INVALID, NULL, "nvme", "(null)\n", 3, false},
	{"bound elsewhere", disk_bound_elsewhere, _CODE_INVALID, NULL, "nvme", "vfio-pci\n", 0,
	 false},
	{"not bound by us", disk_not_bound_by_us, _CODE_INVALID, NULL, "vfio-pci", "vfio-pci\n", 0,
	 false},
	{"between two drivers", disk_between, _CODE_INVALID, NULL, "nvme", "(null)\n", 2, false},
	{"its driver is away", host_driver_not_loaded, _CODE_INVALID, NULL, "none", "(null)\n", 3,
	 false},
	{"in use", disk_in_use, CODE_IN_USE, "unbinding it from vfio-pci", "vfio-pci", "(null)\n",
	 2, true},
	{"held", disk_in_use_by, CODE_IN_USE, "; held by " HOLDER "; it is done once", "vfio-pci",
	 "(null)\n", 2, true},
	{"leaving", disk_leaving, CODE_IN_USE, "an earlier unbind has not come to an end; held by",
	 "none", "vfio-pci\n", 0, true},
	{"replaced", disk_replaced, CODE_IDENTITY_MISMATCH, "", "vfio-pci", "vfio-pci\n", 0, true},
};

static void only_what_we_bound_goes_back(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(returns); i++) {
		const struct return_row *row = &returns[i];
		struct plan *p = plan_new();
		struct machine *m;

		if (i)
			assert_int_equal(machine_setup(state), 0);
		m = *state;
		row->arrange(m);
		plan_return(p);
		assert_int_equal(machine_apply(m, p), 0);
		if ((row->code != _CODE_INVALID && !said(m, row->code, row->says)) ||
		    m->fake->attr_writes != row->writes ||
		    strcmp(machine_driver(m, DISK), row->driver) != 0)
			fail_msg("%s: %u writes, driver %s", row->what, m->fake->attr_writes,
				 machine_driver(m, DISK));
		assert_int_equal(m->report->failed, row->code != _CODE_INVALID);
		scratch_holds(m->s, DISK_DIR "/driver_override", row->override);
		assert_int_equal(m->ledger->devices.n, row->known);
		plan_free(p);
		if (i + 1 < ARRAY_LEN(returns))
			machine_teardown(state);
	}
}

/* --- parameters and modules ------------------------------------------------------------------- */

struct param_row {
	const char *now, *value; /* before, and what is wanted */
	const char *then;	 /* NULL: it fails */
	unsigned writes;
	const char *noted; /* former value in the ledger, NULL: none */
};

static const struct param_row params[] = {
	{"N\n", "1", "Y\n", 1, "N"},	 {"N\n", "Y", "Y\n", 1, "N"},
	{"Y\n", "1", "Y\n", 0, NULL},	 {"Y\n", "on", "Y\n", 0, NULL},
	{"Y\n", "0", "N\n", 1, "Y"},	 {"N\n", "n", "N\n", 0, NULL},
	{"N\n", "2", NULL, 1, NULL},	 {"16\n", "0x10", "16\n", 0, NULL},
	{"16\n", "17", "17\n", 1, "16"}, {"abc\n", "abc", "abc\n", 0, NULL},
	{"\n", "0", "0\n", 1, ""},
};

static void parameters_are_read_before_and_after(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(params); i++) {
		const struct param_row *row = &params[i];
		struct plan *p = plan_new();
		struct machine *m;

		if (i)
			assert_int_equal(machine_setup(state), 0);
		m = *state;
		scratch_write(m->s, PATH_MODULES "/kvm/parameters/ignore_msrs", row->now);
		plan_param(p, row->value);
		assert_int_equal(machine_apply(m, p), 0);
		if (m->report->failed != !row->then || m->fake->attr_writes != row->writes)
			fail_msg("%s to %s: failed %d, %u writes", row->now, row->value,
				 m->report->failed, m->fake->attr_writes);
		scratch_holds(m->s, PATH_MODULES "/kvm/parameters/ignore_msrs",
			      row->then ? row->then : row->now);
		if (row->then) {
			assert_int_equal(m->ledger->params.n, row->noted != NULL);
			if (row->noted)
				assert_string_equal(m->ledger->params.at[0].before, row->noted);
		}
		plan_free(p);
		if (i + 1 < ARRAY_LEN(params))
			machine_teardown(state);
	}
}

static void a_parameter_that_is_itself_again_is_forgotten(void **state)
{
	struct machine *m = *state;
	struct plan *p = plan_new(), *back = plan_new();

	plan_param(p, "1");
	plan_param(back, "N");
	assert_int_equal(machine_apply(m, p), 0);
	assert_int_equal(m->ledger->params.n, 1);
	assert_int_equal(machine_apply(m, back), 0);
	assert_int_equal(m->ledger->params.n, 0);
	scratch_holds(m->s, PATH_MODULES "/kvm/parameters/ignore_msrs", "N\n");
	plan_free(p);
	plan_free(back);
}

static void a_module_brings_what_it_needs(void **state)
{
	struct machine *m = *state;
	struct plan *p = plan_new();

	plan_step(p, STEP_LOAD_MODULE, "vfio_pci");
	plan_step(p, STEP_LOAD_MODULE, "vfio_virqfd"); /* not on this kernel (7.1) */
	assert_int_equal(machine_apply(m, p), 0);
	assert_int_equal(m->report->steps.at[0].result, RESULT_DONE);
	assert_non_null(strstr(scratch_read(m->s, "/proc/modules"), "\nvfio_pci_core "));
	assert_int_equal(m->report->steps.at[1].result, RESULT_FAILED);
	assert_true(said(m, CODE_NO_EFFECT, "no module vfio_virqfd"));
	plan_free(p);
}

/* Others set the flag before: it is neither changed nor repeated (8.1, 8.4). */
static void the_flag_is_shared(void **state)
{
	struct machine *m = *state;
	struct plan *p = plan_new();

	scratch_write(m->s, PATH_REBOOT, "theirs\n");
	scratch_write(m->s, PATH_REBOOT_PKGS, "linux-image-amd64\n");
	plan_step(p, STEP_FLAG_REBOOT, PATH_REBOOT);
	assert_int_equal(machine_apply(m, p), 0);
	assert_int_equal(machine_apply(m, p), 0);
	scratch_holds(m->s, PATH_REBOOT, "theirs\n");
	scratch_holds(m->s, PATH_REBOOT_PKGS, "linux-image-amd64\npassthroughd\n");
	plan_free(p);
}

/* They join the ledger as it is by then, and an apply leaves them alone. */
static void promises_are_kept(void **state)
{
	struct machine *m = *state;
	_cleanup_plan_ struct plan *promising = plan_new(), *none = plan_new(), *all = NULL;
	unsigned changes;

	array_push(promising->arena, &promising->promises,
		   ((struct ledger_promise){"device:gpu", "1111-2222", "aa"}));
	assert_int_equal(keep_promises(&m->fake->ops, promising), 0);
	changes = m->fake->changes;
	assert_true(changes > 0);
	assert_int_equal(keep_promises(&m->fake->ops, promising), 0);
	assert_int_equal(m->fake->changes, changes);
	m->ledger = ledger_free(m->ledger);
	assert_int_equal(ledger_load(&m->fake->real, &m->ledger), 0);
	assert_int_equal(m->ledger->devices.n, 1);
	all = plan_everything(m);
	assert_int_equal(machine_apply(m, all), 0);
	assert_non_null(ledger_promise(m->ledger, "device:gpu"));
	assert_int_equal(keep_promises(&m->fake->ops, none), 0);
	m->ledger = ledger_free(m->ledger);
	assert_int_equal(ledger_load(&m->fake->real, &m->ledger), 0);
	assert_int_equal(m->ledger->promises.n, 0);
	assert_non_null(ledger_file(m->ledger, PATH_MODPROBE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(binding_is_proved_or_taken_back),
		machine_test(what_hangs_is_not_asked_again),
		machine_test(other_live_steps_go_on),
		machine_test(only_what_we_bound_goes_back),
		machine_test(parameters_are_read_before_and_after),
		machine_test(a_parameter_that_is_itself_again_is_forgotten),
		machine_test(a_module_brings_what_it_needs),
		machine_test(the_flag_is_shared),
		machine_test(promises_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
