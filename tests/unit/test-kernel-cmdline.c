/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /etc/kernel/cmdline: who reads how much of it, how it is edited, mended and begun. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest.h"
#include "hosts.h"
#include "kcmdline.h"
#include "paths.h"
#include "rows.h"

#define ZFS	"root=ZFS=rpool/ROOT/pve-1 boot=zfs"
#define RUNNING "initrd=\\EFI\\proxmox\\6.8.4-2-pve\\initrd.img-6.8.4-2-pve " ZFS " quiet"
#define ABSENT	NULL

static struct host *make_host(bool proxmox, const char *file, const char *running)
{
	struct host *host = host_new();

	assert_non_null(host);
	host->boot.proxmox = proxmox;
	host->boot.proxmox_tool = proxmox;
	host->cmdline = running;
	host->cmdline_known = running[0] != '\0';
	host_add_file(host, PATH_KERNEL_CMDLINE, file);
	return host;
}

static const struct boot_loader *row(bool proxmox)
{
	return proxmox ? &loader_proxmox : &loader_systemd_boot;
}

static void presence_follows_the_uuid_file(void **state _unused_)
{
	static const struct {
		bool proxmox;
		const char *file;
		bool by_proxmox, by_systemd;
	} rows[] = {
		{false, ABSENT, false, false},
		{false, "root=/dev/sda1\n", false, true},
		{true, ABSENT, true, false},
		{true, ZFS "\n", true, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = make_host(rows[i].proxmox, rows[i].file, "");

		assert_int_equal(loader_proxmox.present(host), rows[i].by_proxmox);
		assert_int_equal(loader_systemd_boot.present(host), rows[i].by_systemd);
	}
}

static void files_says_what_is_read(void **state _unused_)
{
	static const struct {
		bool proxmox;
		const char *file, *running;
		const char *line; /* NULL: not known */
	} rows[] = {
		{true, ZFS " iommu=pt\n", "", ZFS " iommu=pt"},
		/* only the first line (4.8) */
		{true, ZFS "\niommu=pt\n", "", ZFS},
		/* and nothing without root= */
		{true, "# mine\n" ZFS "\n", "", ""},
		{true, "iommu=pt\n", "", ""},
		{false, "iommu=pt\n", "", "iommu=pt "},
		{true, "", "", ""},
		/* all lines, comments too (3.9) */
		{false, ZFS "\niommu=pt\n", "", ZFS " iommu=pt "},
		/* the running line stands in (4.9) */
		{true, ABSENT, RUNNING, ZFS " quiet"},
		{true, ABSENT, "BOOT_IMAGE=/boot/vmlinuz " ZFS, ZFS},
		{true, ABSENT, "", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = make_host(rows[i].proxmox, rows[i].file,
							     rows[i].running);
		struct loader_files f = {};

		assert_int_equal(row(rows[i].proxmox)->files(host->arena, host, &f), 0);
		assert_int_equal(f.known, rows[i].line != NULL);
		assert_string_equal(f.line, rows[i].line ? rows[i].line : "");
		assert_int_equal(f.why == NULL, f.known);
		assert_string_equal(f.where, PATH_KERNEL_CMDLINE);
	}
}

static const struct {
	const char *what;
	bool proxmox;
	const char *file, *running, *ours, *wanted, *surplus;
	const char *text;   /* NULL: no edit */
	const char *tokens; /* ours afterwards */
	const char *warning;
	const char *conflict;
} edits[] = {
	{"add one", true, ZFS "\n", RUNNING, "", "iommu=pt", "", ZFS " iommu=pt\n", "iommu=pt",
	 NULL, NULL},
	{"no last newline", true, ZFS, RUNNING, "", "iommu=pt", "", ZFS " iommu=pt", "iommu=pt",
	 NULL, NULL},
	{"blanks stay", true, "root=/dev/sda2  ro\t quiet \n", RUNNING, "", "iommu=pt", "",
	 "root=/dev/sda2  ro\t quiet iommu=pt \n", "iommu=pt", NULL, NULL},
	{"there by another hand", true, ZFS " iommu=pt\n", RUNNING, "", "iommu=pt", "", NULL, NULL,
	 NULL, NULL},
	{"before a bare --", true, ZFS " -- 3\n", RUNNING, "", "iommu=pt", "",
	 ZFS " iommu=pt -- 3\n", "iommu=pt", NULL, NULL},
	{"one of two is there", true, ZFS " intel_iommu=on\n", RUNNING, "",
	 "intel_iommu=on iommu=pt", "", ZFS " intel_iommu=on iommu=pt\n", "iommu=pt", NULL, NULL},
	{"contradicted", true, ZFS " intel_iommu=off\n", RUNNING, "", "intel_iommu=on iommu=pt", "",
	 ZFS " intel_iommu=off iommu=pt\n", "iommu=pt", NULL,
	 PATH_KERNEL_CMDLINE ": intel_iommu=off contradicts intel_iommu=on"},
	/* mending (note 8) */
	{"several lines", true, ZFS "\nintel_iommu=on\n\n  iommu=pt\n", RUNNING, "", "iommu=pt", "",
	 ZFS " intel_iommu=on iommu=pt\n", "iommu=pt",
	 PATH_KERNEL_CMDLINE " is broken into 3 lines where one is read: joined", NULL},
	{"an empty line first", true, "\n" ZFS "\n", RUNNING, "", "iommu=pt", "", ZFS " iommu=pt\n",
	 "iommu=pt", NULL, NULL},
	{"a comment first", true, "# mine\n" ZFS "\n", RUNNING, "", "iommu=pt", "",
	 ZFS " iommu=pt\n", "iommu=pt",
	 PATH_KERNEL_CMDLINE " has comments, which would reach the kernel: dropped", NULL},
	{"no root=", true, "intel_iommu=on iommu=pt\n", RUNNING, "", "iommu=pt", "",
	 ZFS " intel_iommu=on iommu=pt\n", "iommu=pt",
	 PATH_KERNEL_CMDLINE " has no root=: " ZFS " taken from the running kernel's line", NULL},
	{"an empty file", true, "", RUNNING, "", "iommu=pt", "", ZFS " iommu=pt\n", "iommu=pt",
	 PATH_KERNEL_CMDLINE " has no root=: " ZFS " taken from the running kernel's line", NULL},
	{"no root= anywhere", true, "quiet\n", "quiet", "", "iommu=pt", "", NULL, NULL, NULL,
	 PATH_KERNEL_CMDLINE " has no root=, nor has the running kernel's line"},
	{"no root= and none needed", false, "quiet\n", "quiet", "", "iommu=pt", "",
	 "quiet iommu=pt\n", "iommu=pt", NULL, NULL},
	{"lost lines that nobody needs", true, ZFS " iommu=pt\nquiet\n", RUNNING, "", "iommu=pt",
	 "", NULL, NULL, PATH_KERNEL_CMDLINE " is broken into 2 lines where one is read", NULL},
	{"lines that are all read", false, ZFS "\niommu=pt\n", RUNNING, "", "iommu=pt", "", NULL,
	 NULL, NULL, NULL},
	{"nothing wished, nothing mended", true, "quiet\n" ZFS "\n", RUNNING, "", "", "", NULL,
	 NULL, NULL, NULL},
	/* taking back */
	{"ours goes", true, ZFS " quiet iommu=pt\n", RUNNING, "iommu=pt", "", "iommu=pt",
	 ZFS " quiet\n", "", NULL, NULL},
	{"another's stays", true, ZFS " iommu=pt\n", RUNNING, "", "", "iommu=pt", NULL, NULL, NULL,
	 NULL},
	{"one goes, one comes", true, ZFS " iommu=pt\n", RUNNING, "iommu=pt", "iommu=nopt",
	 "iommu=pt", ZFS " iommu=nopt\n", "iommu=nopt", NULL, NULL},
	{"ours stays ours", true, ZFS " iommu=pt\n", RUNNING, "iommu=pt", "iommu=pt quiet", "",
	 ZFS " iommu=pt quiet\n", "iommu=pt quiet", NULL, NULL},
	{"no mending on the way out", true, ZFS " iommu=pt\nquiet\n", RUNNING, "iommu=pt", "",
	 "iommu=pt", ZFS "\nquiet\n", "", NULL, NULL},
	/* beginning (3.10, 4.9) */
	{"seeded", true, ABSENT, RUNNING, "", "iommu=pt", "", ZFS " quiet iommu=pt\n", "iommu=pt",
	 PATH_KERNEL_CMDLINE " did not exist: begun with the running kernel's line", NULL},
	{"seeded without what goes", true, ABSENT, RUNNING " iommu=pt", "", "pci=noats", "iommu=pt",
	 ZFS " quiet pci=noats\n", "pci=noats",
	 PATH_KERNEL_CMDLINE " did not exist: begun with the running kernel's line", NULL},
	{"running line does it", true, ABSENT, RUNNING " iommu=pt", "", "iommu=pt", "", NULL, NULL,
	 NULL, NULL},
	{"nothing wished", true, ABSENT, RUNNING, "", "", "", NULL, NULL, NULL, NULL},
	{"a recovery boot is no seed", true, ABSENT, ZFS " single", "", "iommu=pt", "", NULL, NULL,
	 NULL,
	 PATH_KERNEL_CMDLINE
	 " is absent, and the running line cannot stand in for it: it says single"},
	{"an unknown line is no seed", true, ABSENT, "", "", "iommu=pt", "", NULL, NULL, NULL,
	 PATH_KERNEL_CMDLINE " is absent, and the running line has no root="},
};

static void edits_are_as_tabled(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		_cleanup_host_ struct host *host = make_host(edits[i].proxmox, edits[i].file,
							     edits[i].running);
		_cleanup_ledger_ struct ledger *ledger = ledger_new();
		struct words wanted = split(host->arena, edits[i].wanted);
		struct words surplus = split(host->arena, edits[i].surplus);
		struct loader_edits got = {};
		const char *conflict = NULL;

		print_message("%s\n", edits[i].what);
		ledger_add_file(ledger, PATH_KERNEL_CMDLINE, edits[i].ours);
		assert_int_equal(row(edits[i].proxmox)
					 ->edit(host->arena, host, ledger, &wanted, &surplus, &got,
						&conflict),
				 0);
		assert_int_equal(got.list.n, edits[i].text != NULL);
		if (edits[i].text) {
			assert_string_equal(got.list.at[0].path, PATH_KERNEL_CMDLINE);
			assert_string_equal(got.list.at[0].text, edits[i].text);
			assert_int_equal(got.list.at[0].size, strlen(edits[i].text));
			assert_int_equal(got.list.at[0].mode, 0644);
			assert_false(got.list.at[0].owned);
			assert_words(&got.list.at[0].tokens, edits[i].tokens);
		}
		assert_int_equal(got.warnings.n, edits[i].warning != NULL);
		if (edits[i].warning)
			assert_string_equal(got.warnings.at[0], edits[i].warning);
		assert_int_equal(conflict == NULL, edits[i].conflict == NULL);
		if (edits[i].conflict)
			assert_string_equal(conflict, edits[i].conflict);
	}
}

/* What was written is read back as right, and writing it again changes nothing. */
static void an_edit_leaves_nothing_to_edit(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		_cleanup_host_ struct host *host = make_host(edits[i].proxmox, edits[i].file,
							     edits[i].running);
		_cleanup_ledger_ struct ledger *ledger = ledger_new();
		struct words wanted = split(host->arena, edits[i].wanted), none = {};
		struct words surplus = split(host->arena, edits[i].surplus);
		const struct boot_loader *loader = row(edits[i].proxmox);
		struct loader_edits got = {}, again = {};
		struct loader_files f = {};
		const char *conflict = NULL;

		ledger_add_file(ledger, PATH_KERNEL_CMDLINE, edits[i].ours);
		loader->edit(host->arena, host, ledger, &wanted, &surplus, &got, &conflict);
		if (got.list.n == 0)
			continue;
		host->files.n = 0;
		ledger->files.n = 0;
		host_add_file(host, PATH_KERNEL_CMDLINE, got.list.at[0].text);
		ledger_add_file(ledger, PATH_KERNEL_CMDLINE, "");
		ledger->files.at[0].tokens = got.list.at[0].tokens;
		loader->edit(host->arena, host, ledger, &wanted, &none, &again, &conflict);
		assert_int_equal(again.list.n, 0);
		assert_int_equal(loader->files(host->arena, host, &f), 0);
		for (size_t n = 0; n < wanted.n && !edits[i].conflict; n++) {
			struct kcmdline line;

			assert_int_equal(kcmdline_parse(host->arena, f.line, &line), 0);
			assert_true(kcmdline_satisfies(&line, wanted.at[n]));
		}
	}
}

/* What stands as we left it becomes what it was; what was edited since only loses our tokens. */
static void the_last_flag_takes_the_file_back(void **state _unused_)
{
#define OURS ZFS " quiet iommu=pt\n"
	static const struct {
		const char *now, *before; /* before NULL: the file did not exist */
		const char *wanted, *surplus;
		const char *text; /* NULL: removed */
		bool restore;
	} rows[] = {
		{OURS, ZFS "\nquiet\n", "", "iommu=pt", ZFS "\nquiet\n", true},
		{OURS, "", "", "iommu=pt", "", true},
		{OURS, NULL, "", "iommu=pt", NULL, true},
		{ZFS " quiet iommu=pt mine\n", ZFS "\nquiet\n", "", "iommu=pt", ZFS " quiet mine\n",
		 false},
		{ZFS " quiet iommu=pt mine\n", NULL, "", "iommu=pt", ZFS " quiet mine\n", false},
		{OURS, ZFS "\nquiet\n", "mine", "iommu=pt", ZFS " quiet mine\n", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = make_host(true, rows[i].now, RUNNING);
		_cleanup_ledger_ struct ledger *ledger = ledger_new();
		struct words wanted = split(host->arena, rows[i].wanted);
		struct words surplus = split(host->arena, rows[i].surplus);
		const char *conflict = NULL, *before = rows[i].before;
		char digest[DIGEST_TEXT_SIZE];
		struct loader_edits got = {};

		digest_bytes(OURS, strlen(OURS), digest);
		ledger_add_file(ledger, PATH_KERNEL_CMDLINE, "iommu=pt");
		ledger->files.at[0].existed = before != NULL;
		ledger->files.at[0].before = before ? before : "";
		ledger->files.at[0].before_size = before ? strlen(before) : 0;
		ledger->files.at[0].after = digest;
		assert_int_equal(loader_proxmox.edit(host->arena, host, ledger, &wanted, &surplus,
						     &got, &conflict),
				 0);
		assert_int_equal(got.list.n, 1);
		assert_int_equal(got.list.at[0].restore, rows[i].restore);
		if (rows[i].text) {
			assert_string_equal(got.list.at[0].text, rows[i].text);
			assert_int_equal(got.list.at[0].size, strlen(rows[i].text));
		} else {
			assert_null(got.list.at[0].text);
		}
	}
}

/* Blocked flags are neither wanted nor surplus: they stay, and so does the file. */
static void what_is_blocked_stays(void **state _unused_)
{
	_cleanup_host_ struct host *host = make_host(true, OURS, RUNNING);
	_cleanup_ledger_ struct ledger *ledger = ledger_new();
	char digest[DIGEST_TEXT_SIZE];
	struct words none = {};
	struct loader_edits got = {};
	const char *conflict = NULL;

	digest_bytes(OURS, strlen(OURS), digest);
	ledger_add_file(ledger, PATH_KERNEL_CMDLINE, "iommu=pt");
	ledger->files.at[0].before = ZFS "\n";
	ledger->files.at[0].before_size = strlen(ZFS "\n");
	ledger->files.at[0].after = digest;
	assert_int_equal(
		loader_proxmox.edit(host->arena, host, ledger, &none, &none, &got, &conflict), 0);
	assert_int_equal(got.list.n, 0);
}

static void what_cannot_be_read_is_not_touched(void **state _unused_)
{
	static const struct {
		enum file_status status;
		size_t size;
		const char *why;
	} rows[] = {
		{FILE_UNSAFE, 0, PATH_KERNEL_CMDLINE " is no regular file of a usual size"},
		{FILE_UNREADABLE, 0, PATH_KERNEL_CMDLINE " cannot be read"},
		{FILE_PRESENT, sizeof(ZFS "\0x") - 1, PATH_KERNEL_CMDLINE " holds NUL bytes"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = make_host(true, ZFS "\0x", RUNNING);
		_cleanup_ledger_ struct ledger *ledger = ledger_new();
		struct words wanted = split(host->arena, "iommu=pt"), none = {};
		struct loader_edits got = {};
		struct loader_files f = {};
		const char *conflict = NULL;

		host->files.at[0].status = rows[i].status;
		host->files.at[0].size = rows[i].size;
		assert_int_equal(loader_proxmox.files(host->arena, host, &f), 0);
		assert_false(f.known);
		assert_string_equal(f.why, rows[i].why);
		assert_int_equal(loader_proxmox.edit(host->arena, host, ledger, &wanted, &none,
						     &got, &conflict),
				 0);
		assert_int_equal(got.list.n, 0);
		assert_string_equal(conflict, rows[i].why);
	}
}

static void a_flag_that_stops_the_boot_is_refused(void **state _unused_)
{
	static const char *const flags[] = {"root=/dev/sdb1", "a$b", "quiet;x", "--", "single"};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		_cleanup_host_ struct host *host = make_host(true, ZFS "\n", RUNNING);
		_cleanup_ledger_ struct ledger *ledger = ledger_new();
		struct words wanted = split(host->arena, flags[i]), none = {};
		const char *conflict = "untouched";
		struct loader_edits got = {};

		assert_int_equal(loader_proxmox.edit(host->arena, host, ledger, &wanted, &none,
						     &got, &conflict),
				 -EINVAL);
		assert_string_equal(conflict, "untouched");
	}
}

static void refresh_is_proxmox_boot_tools(void **state _unused_)
{
	_cleanup_host_ struct host *host = make_host(true, ZFS "\n", RUNNING);
	struct step step = {};

	assert_null(loader_proxmox.refresh_kernel);
	assert_int_equal(loader_proxmox.refresh(host->arena, host, &step), 1);
	assert_words(&step.argv, "proxmox-boot-tool refresh");
	assert_string_equal(step.target, "proxmox-boot-tool");
	assert_null(step.produces);
	host->boot.proxmox_tool = false;
	assert_int_equal(loader_proxmox.refresh(host->arena, host, &step), 0);
}

/* An entry of a kernel, as kernel-install leaves it. */
static void add_entry(struct host *host, const char *version)
{
	struct host_entry entry = {
		.loader = LOADER_SYSTEMD_BOOT,
		.source = arena_printf(host->arena, "/efi/loader/entries/t-%s.conf", version),
		.kernel = version,
		.options = ""};

	assert_int_equal(array_push(host->arena, &host->boot.entries, entry), 0);
}

static void an_entry_is_made_by_kernel_install(void **state _unused_)
{
	_cleanup_host_ struct host *host = make_host(false, NULL, RUNNING);
	struct host_kernel kernel = {.version = "6.1.0-18-amd64",
				     .vmlinuz = "/boot/vmlinuz-6.1.0-18-amd64",
				     .image.path = "/boot/initrd.img-6.1.0-18-amd64",
				     .image.status = IMAGE_READ};
	const struct boot_loader *row = &loader_systemd_boot;
	struct step step = {}, bare = {};

	assert_null(row->refresh);
	assert_false(row->present(host));
	assert_int_equal(array_push(host->arena, &host->kernels, kernel), 0);
	assert_int_equal(words_add(host->arena, &host->commands, "kernel-install"), 1);
	add_entry(host, "6.9");
	assert_false(row->present(host)); /* nobody's kernel */
	assert_int_equal(row->refresh_kernel(host->arena, host, &kernel, &step), 0);
	add_entry(host, kernel.version);
	assert_true(row->present(host));
	assert_int_equal(row->refresh_kernel(host->arena, host, &kernel, &step), 1);
	assert_string_equal(step.target, "kernel-install 6.1.0-18-amd64");
	assert_words(&step.argv, "kernel-install add 6.1.0-18-amd64 /boot/vmlinuz-6.1.0-18-amd64 "
				 "/boot/initrd.img-6.1.0-18-amd64");
	assert_string_equal(step.produces, "/efi/loader/entries/t-6.1.0-18-amd64.conf");
	kernel.image.status = IMAGE_ABSENT;
	assert_int_equal(row->refresh_kernel(host->arena, host, &kernel, &bare), 1);
	assert_words(&bare.argv, "kernel-install add 6.1.0-18-amd64 /boot/vmlinuz-6.1.0-18-amd64");
	host->boot.proxmox = true; /* whose entries they are then (4.3) */
	assert_false(row->present(host));
	assert_int_equal(row->refresh_kernel(host->arena, host, &kernel, &bare), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presence_follows_the_uuid_file),
		cmocka_unit_test(files_says_what_is_read),
		cmocka_unit_test(edits_are_as_tabled),
		cmocka_unit_test(an_edit_leaves_nothing_to_edit),
		cmocka_unit_test(the_last_flag_takes_the_file_back),
		cmocka_unit_test(what_is_blocked_stays),
		cmocka_unit_test(what_cannot_be_read_is_not_touched),
		cmocka_unit_test(a_flag_that_stops_the_boot_is_refused),
		cmocka_unit_test(refresh_is_proxmox_boot_tools),
		cmocka_unit_test(an_entry_is_made_by_kernel_install),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
