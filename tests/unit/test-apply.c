/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Apply: what it does when all goes well, what it refuses, what it takes back. */
#include <errno.h>

#include "machine.h"

static void all_done(const struct machine *m)
{
	assert_false(m->report->refused);
	array_foreach(it, &m->report->diags.list)
		print_message("%s\n", it->message);
	assert_false(m->report->failed);
	array_foreach(it, &m->report->steps)
		assert_int_equal(it->result, RESULT_DONE);
}

static bool said(const struct machine *m, enum code code)
{
	array_foreach(it, &m->report->diags.list)
		if (it->code == code && it->severity == SEVERITY_ERROR)
			return true;
	return false;
}

static int apply_all(struct machine *m)
{
	struct plan *p = plan_everything(m);
	int err = machine_apply(m, p);

	plan_free(p);
	return err;
}

static void one_of_everything(void **state)
{
	struct machine *m = *state;
	const struct ledger_device *card;
	const struct ledger_file *f;

	assert_int_equal(apply_all(m), 0);
	all_done(m);
	scratch_holds(m->s, PATH_MODPROBE, MODPROBE);
	scratch_holds(m->s, PATH_GRUB_DROPIN, DROPIN);
	assert_null(scratch_read(m->s, PATH_UDEV_RULES));
	assert_non_null(strstr(scratch_read(m->s, "/boot/grub/grub.cfg"), "ro  quiet iommu=pt\n"));
	assert_int_equal(memcmp(scratch_read(m->s, "/boot/initrd.img-" NEW_KERNEL), "070701", 6),
			 0);
	scratch_holds(m->s, PATH_MODULES "/kvm/parameters/ignore_msrs", "Y\n");
	assert_string_equal(machine_driver(m, CARD), "vfio-pci");
	assert_string_equal(machine_driver(m, DISK), "nvme");
	scratch_holds(m->s, PATH_PCI_DEVICES "/" DISK "/driver_override", "(null)\n");
	scratch_holds(m->s, PATH_REBOOT_PKGS, "passthroughd\n");
	assert_non_null(scratch_read(m->s, PATH_REBOOT));

	assert_int_equal(m->ledger->files.n, 2);
	f = ledger_file(m->ledger, PATH_GRUB_DROPIN);
	assert_true(f->owned && !f->existed);
	assert_int_equal(strlen(f->after), 64);
	assert_string_equal(f->intent, "");
	assert_int_equal(m->ledger->devices.n, 1);
	card = ledger_device(m->ledger, (struct pci_addr){0, 1, 0, 0});
	assert_true(card->bound);
	assert_string_equal(card->previous, "nouveau");
	assert_int_equal(m->ledger->params.n, 1);
	assert_string_equal(m->ledger->params.at[0].before, "N");
	assert_int_equal(m->ledger->unbuilt.n, 0);
	assert_string_equal(m->ledger->boot_id, "1111-2222");
	assert_int_equal(m->ledger->folders.n, 1);
	assert_string_equal(m->ledger->folders.at[0], PATH_GRUB_DIR);
}

static void the_journal_tells_all(void **state)
{
	struct machine *m = *state;
	const char *text, *line;

	assert_int_equal(apply_all(m), 0);
	text = scratch_read(m->s, PATH_JOURNAL);
	assert_non_null(strstr(text, "Z apply 0123456789ab begins: 11 steps\n"));
	assert_non_null(strstr(text, "Z 1/11 write-file " PATH_MODPROBE "\n"));
	assert_non_null(strstr(text, "Z 1/11 done\n"));
	assert_non_null(strstr(text, "Z 11/11 done\n"));
	assert_non_null(strstr(text, "Z apply 0123456789ab ends: done\n"));
	assert_int_equal(apply_unfinished(&m->fake->ops, m->s->arena, &line), 0);
}

static void a_second_apply_changes_nothing(void **state)
{
	struct machine *m = *state;
	const char *journal;

	assert_int_equal(apply_all(m), 0);
	journal = scratch_read(m->s, PATH_JOURNAL);
	fake_restart(m->fake);
	assert_int_equal(apply_all(m), 0);
	assert_int_equal(m->report->steps.n, 0);
	assert_int_equal(m->fake->changes, 0);
	scratch_holds(m->s, PATH_JOURNAL, journal);
}

/* The same plan again, as if nobody had looked: every action finds its work done. */
static void done_steps_write_nothing(void **state)
{
	struct machine *m = *state;
	struct plan *p = plan_new();

	assert_int_equal(apply_all(m), 0);
	p->id = "again";
	plan_write(p, PATH_MODPROBE, NULL, MODPROBE);
	plan_remove(p, PATH_UDEV_RULES, "gone");
	plan_step(p, STEP_LOAD_MODULE, "vfio_iommu_type1");
	plan_param(p, "1");
	plan_bind(p);
	plan_return(p);
	plan_claim_card(p, true);
	plan_step(p, STEP_FLAG_REBOOT, PATH_REBOOT);
	fake_restart(m->fake);
	assert_int_equal(machine_apply(m, p), 0);
	all_done(m);
	assert_int_equal(m->fake->attr_writes, 0);
	assert_string_equal(machine_driver(m, CARD), "vfio-pci");
	assert_string_equal(machine_driver(m, DISK), "nvme");
	assert_true(ledger_device(m->ledger, (struct pci_addr){0, 1, 0, 0})->bound);
	scratch_holds(m->s, PATH_REBOOT_PKGS, "passthroughd\n");
	plan_free(p);
}

static void below_a_root_nothing_live_is_done(void **state)
{
	struct machine *m = *state;

	m->fake->ops.live = false;
	assert_int_equal(apply_all(m), 0);
	assert_false(m->report->failed);
	array_foreach(it, &m->report->steps)
		assert_int_equal(it->result, step_kind_class(it->kind) == CLASS_LIVE
						     ? RESULT_SKIPPED
						     : RESULT_DONE);
	assert_int_equal(m->fake->attr_writes, 0);
	assert_string_equal(machine_driver(m, CARD), "nouveau");
	assert_string_equal(machine_driver(m, DISK), "vfio-pci");
	/* The disk is still there by us; the card is ours to be, not bound by us. */
	assert_true(ledger_device(m->ledger, (struct pci_addr){0, 2, 0, 0})->bound);
	assert_false(ledger_device(m->ledger, (struct pci_addr){0, 1, 0, 0})->bound);
	fake_restart(m->fake);
	assert_int_equal(apply_all(m), 0);
	assert_int_equal(m->fake->changes, 0);
}

static void observing_writes_nothing(void **state)
{
	struct machine *m = *state;
	struct plan *p = plan_everything(m);

	p->observe_only = true;
	assert_int_equal(machine_apply(m, p), 0);
	assert_int_equal(m->fake->changes, 0);
	array_foreach(it, &m->report->steps)
		assert_int_equal(it->result, RESULT_SKIPPED);
	plan_free(p);
}

static void files_that_are_right_are_adopted(void **state)
{
	struct machine *m = *state;
	struct plan *p = plan_new();
	const struct ledger_file *f;

	scratch_write(m->s, PATH_MODPROBE, MODPROBE);
	words_add(p->arena, &p->adopt, PATH_MODPROBE);
	words_add(p->arena, &p->adopt, "/etc/not/there");
	assert_int_equal(machine_apply(m, p), 0);
	f = ledger_file(m->ledger, PATH_MODPROBE);
	assert_true(f && f->owned && !f->existed && strlen(f->after) == 64);
	assert_null(ledger_file(m->ledger, "/etc/not/there"));
	fake_restart(m->fake);
	assert_int_equal(machine_apply(m, p), 0);
	assert_int_equal(m->fake->changes, 0);
	plan_free(p);
}

/* --- shared files ----------------------------------------------------------------------------- */

#define EDITED	"GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet iommu=pt\"\n"
#define EDITED2 "GRUB_DEFAULT=1\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet iommu=pt\"\n"

static void former_bytes_are_noted_once(void **state)
{
	struct machine *m = *state;
	struct plan *p = plan_new();
	const struct ledger_file *f;

	plan_shared(p, PATH_GRUB_DEFAULTS, DEFAULTS, EDITED, "iommu=pt");
	assert_int_equal(machine_apply(m, p), 0);
	all_done(m);
	assert_int_equal(scratch_mode(m->s, PATH_GRUB_DEFAULTS), 0640);
	plan_free(p);
	p = plan_new();
	plan_shared(p, PATH_GRUB_DEFAULTS, EDITED, EDITED2, "iommu=pt");
	assert_int_equal(machine_apply(m, p), 0);
	f = ledger_file(m->ledger, PATH_GRUB_DEFAULTS);
	assert_true(f->existed && !f->owned);
	assert_string_equal(f->before, DEFAULTS);
	assert_int_equal(f->mode, 0640);
	assert_string_equal(f->tokens.at[0], "iommu=pt");
	plan_free(p);

	/* Taken back: bytes and mode as they were, and the ledger forgets it. */
	assert_int_equal(chmod(scratch_at(m->s, PATH_GRUB_DEFAULTS), 0600), 0);
	p = plan_new();
	plan_shared(p, PATH_GRUB_DEFAULTS, EDITED2, DEFAULTS, NULL)->restore = true;
	assert_int_equal(machine_apply(m, p), 0);
	all_done(m);
	scratch_holds(m->s, PATH_GRUB_DEFAULTS, DEFAULTS);
	assert_int_equal(scratch_mode(m->s, PATH_GRUB_DEFAULTS), 0640);
	assert_null(ledger_file(m->ledger, PATH_GRUB_DEFAULTS));
	plan_free(p);
}

static void a_shared_file_without_tokens_is_forgotten(void **state)
{
	struct machine *m = *state;
	struct plan *p = plan_new();

	plan_shared(p, PATH_GRUB_DEFAULTS, DEFAULTS, EDITED2, NULL);
	assert_int_equal(machine_apply(m, p), 0);
	assert_null(ledger_file(m->ledger, PATH_GRUB_DEFAULTS));
	plan_free(p);
}

static void our_folders_go_when_they_are_empty(void **state)
{
	struct machine *m = *state;
	struct plan *p = plan_new();

	plan_write(p, "/etc/a/b/one", NULL, "1");
	plan_write(p, "/etc/a/two", NULL, "2");
	assert_int_equal(machine_apply(m, p), 0);
	assert_int_equal(m->ledger->folders.n, 2);
	plan_free(p);
	p = plan_new();
	plan_remove(p, "/etc/a/b/one", "1");
	assert_int_equal(machine_apply(m, p), 0);
	assert_int_equal(m->ledger->folders.n, 1);
	plan_free(p);
	scratch_write(m->s, "/etc/a/theirs", "");
	p = plan_new();
	plan_remove(p, "/etc/a/two", "2");
	assert_int_equal(machine_apply(m, p), 0);
	assert_int_equal(m->ledger->folders.n, 0);
	assert_int_equal(scratch_count(m->s, "/etc/a"), 1);
	plan_free(p);
}

/* A folder that cannot go now does later, and those above it are not given up for its sake. */
static void a_folder_that_stays_is_not_forgotten(void **state)
{
	struct machine *m = *state;
	struct plan *p = plan_new();
	struct stat st;

	plan_write(p, "/etc/a/b/one", NULL, "1");
	assert_int_equal(machine_apply(m, p), 0);
	plan_free(p);
	for (unsigned at = 1; scratch_read(m->s, "/etc/a/b/one"); at++) {
		p = plan_new();
		plan_remove(p, "/etc/a/b/one", "1");
		fake_restart(m->fake);
		m->fake->trouble = FAKE_ERROR;
		m->fake->error = -EROFS;
		m->fake->at = at;
		(void)machine_apply(m, p);
		plan_free(p);
	}
	/* The file went, its folder did not at first. */
	assert_int_equal(m->ledger->folders.n, 0);
	assert_int_equal(root_stat(m->s->root, "/etc/a", &st), -ENOENT);
}

/* While it stays: said, and kept in mind. */
static void a_folder_that_stays_is_named(void **state)
{
	struct machine *m = *state;
	struct plan *p = plan_new();

	plan_write(p, "/etc/a/one", NULL, "1");
	assert_int_equal(machine_apply(m, p), 0);
	plan_free(p);
	assert_int_equal(unlink(scratch_at(m->s, "/etc/a/one")), 0);
	p = plan_new();
	fake_restart(m->fake);
	m->fake->trouble = FAKE_ERROR;
	m->fake->error = -EROFS;
	m->fake->at = 1;
	assert_int_equal(machine_apply(m, p), 0);
	assert_true(m->report->failed);
	assert_true(said(m, CODE_READ_ONLY));
	fake_restart(m->fake);
	assert_int_equal(machine_apply(m, p), 0);
	assert_false(m->report->failed);
	assert_int_equal(m->ledger->folders.n, 0);
	plan_free(p);
}

/* --- refusals --------------------------------------------------------------------------------- */

struct refusal {
	const char *what;
	void (*arrange)(struct machine *m);
	enum code code;
};

static void no_room_for_an_image(struct machine *m)
{
	m->fake->room = 300 << 10;
	scratch_write(m->s, "/boot/initrd.img-" OLD_KERNEL, "x");
	assert_int_equal(truncate(scratch_at(m->s, "/boot/initrd.img-" OLD_KERNEL), 1 << 20), 0);
}

static void no_room_for_a_file(struct machine *m)
{
	m->fake->room = 1 << 10;
}

static void boot_read_only(struct machine *m)
{
	m->fake->read_only = "/boot";
}

static void etc_read_only(struct machine *m)
{
	m->fake->read_only = "/etc";
}

static void file_written_since(struct machine *m)
{
	scratch_write(m->s, PATH_MODPROBE, "blacklist somebody\n");
}

static void file_changed_since(struct machine *m)
{
	scratch_write(m->s, PATH_UDEV_RULES, "# somebody\n");
}

static void file_is_a_folder(struct machine *m)
{
	assert_int_equal(root_mkdirs(m->s->root, PATH_MODPROBE), 0);
}

static void ledger_damaged(struct machine *m)
{
	ledger_free(m->ledger);
	m->ledger = ledger_new();
	m->ledger->damaged = true;
}

static const struct refusal refusals[] = {
	{"no room for an image", no_room_for_an_image, CODE_NO_SPACE},
	{"no room for a file", no_room_for_a_file, CODE_NO_SPACE},
	{"/boot read-only", boot_read_only, CODE_READ_ONLY},
	{"/etc read-only", etc_read_only, CODE_READ_ONLY},
	{"a file written since the plan", file_written_since, CODE_HOST_MOVED},
	{"a file changed since the plan", file_changed_since, CODE_HOST_MOVED},
	{"a folder in a file's place", file_is_a_folder, CODE_BAD_FILE},
	{"a damaged ledger", ledger_damaged, CODE_LEDGER_LOST},
};

static void refused_before_anything_is_written(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct machine *m;
		struct plan *p;

		if (i)
			assert_int_equal(machine_setup(state), 0);
		m = *state;
		p = plan_everything(m);
		assert_non_null(array_add(p->arena, &p->items)); /* something is wished */
		refusals[i].arrange(m);
		assert_int_equal(machine_apply(m, p), 0);
		if (!m->report->refused || !said(m, refusals[i].code))
			fail_msg("%s", refusals[i].what);
		assert_false(m->report->failed);
		assert_int_equal(m->fake->changes, 0);
		array_foreach(it, &m->report->steps)
			assert_int_equal(it->result, RESULT_SKIPPED);
		plan_free(p);
		if (i + 1 < ARRAY_LEN(refusals))
			machine_teardown(state);
	}
}

/* --- builders --------------------------------------------------------------------------------- */

struct mishap {
	const char *what;
	enum fake_builder initramfs, loader;
	unsigned good_runs;
	const char *only;
	enum code code;
	unsigned runs, beside; /* all of them, those of taking back included; side by side */
};

static const struct mishap mishaps[] = {
	{"the first image fails", FAKE_FAILS, FAKE_BUILDS, 0, NULL, CODE_BUILDER_FAILED, 1, 2},
	{"the first image is not built", FAKE_IDLES, FAKE_BUILDS, 0, NULL, CODE_NO_EFFECT, 1, 2},
	{"the builder is killed", FAKE_IS_KILLED, FAKE_BUILDS, 0, NULL, CODE_BUILDER_FAILED, 1, 2},
	{"the builder is not there", FAKE_IS_MISSING, FAKE_BUILDS, 0, NULL, CODE_NO_BUILDER, 1, 2},
	{"only the first image fails", FAKE_FAILS, FAKE_BUILDS, 0, OLD_KERNEL, CODE_BUILDER_FAILED,
	 1, 3},
	{"the second image fails", FAKE_FAILS, FAKE_BUILDS, 0, NEW_KERNEL, CODE_BUILDER_FAILED, 3,
	 3},
	{"the second image is idle", FAKE_IDLES, FAKE_BUILDS, 0, NEW_KERNEL, CODE_NO_EFFECT, 3, 3},
	{"the loader fails", FAKE_BUILDS, FAKE_FAILS, 2, NULL, CODE_BUILDER_FAILED, 5, 5},
	{"the loader is idle", FAKE_BUILDS, FAKE_IDLES, 2, NULL, CODE_NO_EFFECT, 5, 5},
	{"the loader is not there", FAKE_BUILDS, FAKE_IS_MISSING, 2, NULL, CODE_NO_BUILDER, 5, 5},
};

static void check_taken_back(struct machine *m, const struct mishap *row)
{
	unsigned runs = m->fake->ops.run_all ? row->beside : row->runs;
	const char *image = scratch_read(m->s, "/boot/initrd.img-" OLD_KERNEL);

	if (!m->report->failed || !said(m, row->code) || m->fake->runs != runs)
		fail_msg("%s: failed %d, runs %u", row->what, m->report->failed, m->fake->runs);
	assert_true(m->report->rolled_back);
	assert_null(scratch_read(m->s, PATH_MODPROBE));
	assert_null(scratch_read(m->s, PATH_GRUB_DROPIN));
	scratch_holds(m->s, PATH_UDEV_RULES, "# managed by passthroughd: old\n");
	assert_int_equal(scratch_count(m->s, "/etc/modprobe.d"), 1);
	assert_int_equal(scratch_count(m->s, "/etc/default"), 1);
	/* What was built is without what was taken back: a plain archive, so it can be searched. */
	assert_null(memmem(image, 4096, "ignore_msrs", 11));
	assert_int_equal(m->ledger->files.n, 1);
	assert_int_equal(m->ledger->folders.n, 0);
	assert_int_equal(m->ledger->unbuilt.n, 0);
	assert_string_equal(machine_driver(m, CARD), "nouveau");
	assert_null(scratch_read(m->s, PATH_REBOOT));
	assert_non_null(strstr(scratch_read(m->s, PATH_JOURNAL), "ends: failed, files put back\n"));
}

static void have_mishaps(void **state, bool beside)
{
	for (size_t i = 0; i < ARRAY_LEN(mishaps); i++) {
		struct machine *m;

		if (i)
			assert_int_equal(machine_setup(state), 0);
		m = *state;
		scratch_write(m->s, "/boot/initrd.img-" OLD_KERNEL,
			      arena_printf(m->s->arena, "%04096d", 0));
		m->fake->initramfs = mishaps[i].initramfs;
		m->fake->loader = mishaps[i].loader;
		m->fake->good_runs = mishaps[i].good_runs;
		m->fake->only_version = mishaps[i].only;
		if (!beside)
			m->fake->ops.run_all = NULL;
		assert_int_equal(apply_all(m), 0);
		assert_int_equal(m->fake->beside, beside ? 2 : 0);
		check_taken_back(m, &mishaps[i]);
		fake_restart(m->fake);
		assert_int_equal(apply_all(m), 0);
		all_done(m);
		if (i + 1 < ARRAY_LEN(mishaps))
			machine_teardown(state);
	}
}

static void files_do_not_run_ahead_of_images(void **state)
{
	have_mishaps(state, false);
}

static void nor_of_images_side_by_side(void **state)
{
	have_mishaps(state, true);
}

/* Room for one image beside the old one, not for two at once: one after the other, then. */
static void little_room_makes_no_haste(void **state)
{
	struct machine *m = *state;

	for (size_t i = 0; i < 2; i++)
		scratch_write(m->s,
			      i ? "/boot/initrd.img-" NEW_KERNEL : "/boot/initrd.img-" OLD_KERNEL,
			      arena_printf(m->s->arena, "%04194304d", 0));
	m->fake->room = 8u << 20;
	assert_int_equal(apply_all(m), 0);
	all_done(m);
	assert_int_equal(m->fake->beside, 0);
}

/* What was removed comes back in its folder, which was ours and is again. */
static void folders_come_back_with_their_files(void **state)
{
	struct machine *m = *state;
	struct plan *p = plan_new();

	plan_write(p, "/etc/a/b/one", NULL, "1");
	assert_int_equal(machine_apply(m, p), 0);
	plan_free(p);
	m->fake->initramfs = FAKE_FAILS;
	p = plan_new();
	plan_remove(p, "/etc/a/b/one", "1");
	plan_build(p, OLD_KERNEL);
	assert_int_equal(machine_apply(m, p), 0);
	assert_true(m->report->failed && m->report->rolled_back);
	assert_int_equal(m->report->diags.list.n, 1);
	scratch_holds(m->s, "/etc/a/b/one", "1");
	assert_non_null(ledger_file(m->ledger, "/etc/a/b/one"));
	assert_int_equal(m->ledger->folders.n, 2);
	plan_free(p);
}

/* A copy that is cut is cut beside grub.cfg, never in it (2.9). */
static void grub_cfg_is_never_half(void **state)
{
	struct machine *m = *state;
	const char *before = scratch_read(m->s, "/boot/grub/grub.cfg");

	m->fake->loader = FAKE_SPOILS;
	m->fake->good_runs = 2;
	assert_int_equal(apply_all(m), 0);
	assert_true(m->report->failed);
	scratch_holds(m->s, "/boot/grub/grub.cfg", before);
	assert_non_null(scratch_read(m->s, "/boot/grub/grub.cfg.passthroughd"));
	fake_restart(m->fake);
	assert_int_equal(apply_all(m), 0);
	all_done(m);
	assert_null(scratch_read(m->s, "/boot/grub/grub.cfg.passthroughd"));
}

/* The image is cut, and building it again from the former files fails too: said, and remembered. */
static void what_cannot_be_built_again_is_remembered(void **state)
{
	struct machine *m = *state;

	m->fake->initramfs = FAKE_SPOILS;
	m->fake->only_version = NEW_KERNEL;
	assert_int_equal(apply_all(m), 0);
	assert_true(m->report->failed && m->report->rolled_back);
	assert_int_equal(m->report->diags.list.n, 2);
	assert_int_equal(m->ledger->unbuilt.n, 1);
	assert_string_equal(m->ledger->unbuilt.at[0], NEW_KERNEL);
}

static void the_cause_is_named(void **state)
{
	struct machine *m = *state;

	scratch_write(m->s, "/etc/initramfs-tools/update-initramfs.conf", "update_initramfs=no\n");
	m->fake->initramfs = FAKE_IDLES;
	assert_int_equal(apply_all(m), 0);
	array_foreach(it, &m->report->diags.list)
		if (it->code == CODE_NO_EFFECT) {
			assert_non_null(strstr(it->message, "update-initramfs"));
			assert_non_null(strstr(it->message, "/boot/initrd.img-" OLD_KERNEL));
			assert_non_null(strstr(it->message, "update_initramfs=no"));
			return;
		}
	fail();
}

static void steps_tell_what_became_of_them(void **state)
{
	struct machine *m = *state;

	m->fake->initramfs = FAKE_FAILS;
	assert_int_equal(apply_all(m), 0);
	assert_int_equal(m->report->steps.at[2].result, RESULT_DONE);
	assert_int_equal(m->report->steps.at[3].result, RESULT_FAILED);
	assert_int_equal(m->report->steps.at[3].code, CODE_BUILDER_FAILED);
	assert_string_equal(m->report->steps.at[3].output, "E: cannot build\n");
	assert_true(m->report->steps.at[3].error < 0);
	for (size_t i = 4; i < m->report->steps.n; i++)
		assert_int_equal(m->report->steps.at[i].result, RESULT_SKIPPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(one_of_everything),
		machine_test(the_journal_tells_all),
		machine_test(a_second_apply_changes_nothing),
		machine_test(done_steps_write_nothing),
		machine_test(below_a_root_nothing_live_is_done),
		machine_test(observing_writes_nothing),
		machine_test(files_that_are_right_are_adopted),
		machine_test(former_bytes_are_noted_once),
		machine_test(a_shared_file_without_tokens_is_forgotten),
		machine_test(our_folders_go_when_they_are_empty),
		machine_test(a_folder_that_stays_is_not_forgotten),
		machine_test(a_folder_that_stays_is_named),
		machine_test(refused_before_anything_is_written),
		machine_test(files_do_not_run_ahead_of_images),
		machine_test(nor_of_images_side_by_side),
		machine_test(little_room_makes_no_haste),
		machine_test(folders_come_back_with_their_files),
		machine_test(grub_cfg_is_never_half),
		machine_test(what_cannot_be_built_again_is_remembered),
		machine_test(the_cause_is_named),
		machine_test(steps_tell_what_became_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
