/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GRUB: whose flags count, where ours go, what undoes them; and the table of loaders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest.h"
#include "hosts.h"
#include "kcmdline.h"
#include "loader.h"
#include "paths.h"

#define MARK	      "# managed by passthroughd: change /etc/passthroughd/*.yaml instead\n"
#define DROPIN(flags) MARK "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT " flags "\"\n"
#define DEBIAN                                                                                     \
	"GRUB_DEFAULT=0\n"                                                                         \
	"GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`\n"                       \
	"GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n"                                                   \
	"GRUB_CMDLINE_LINUX=\"\"\n"
#define BROKEN	 "GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\n"
#define DEFAULTS PATH_GRUB_DEFAULTS
#define ABSENT	 NULL

struct layout {
	bool dir; /* grub.d is read */
	const char *defaults, *before, *dropin, *after;
};

#define BEFORE PATH_GRUB_DIR "/50-cloud.cfg"
#define AFTER  PATH_GRUB_DIR "/99-local.cfg"
/* Where grub.d is read, and where it is not. */
#define READ(...)                                                                                  \
	{                                                                                          \
		.dir = true, .defaults = __VA_ARGS__                                               \
	}
#define UNREAD(...)                                                                                \
	{                                                                                          \
		.dir = false, .defaults = __VA_ARGS__                                              \
	}

static struct host *make_host(const struct layout *l)
{
	struct host *host = host_new();

	assert_non_null(host);
	host->boot.grub_cfg = "/boot/grub/grub.cfg";
	host->boot.grub_mkconfig = "update-grub";
	host->boot.grub_dir_read = l->dir;
	host_add_file(host, PATH_GRUB_DEFAULTS, l->defaults);
	host_add_file(host, PATH_GRUB_DIR "/50-cloud.cfg", l->before);
	host_add_file(host, PATH_GRUB_DROPIN, l->dropin);
	host_add_file(host, PATH_GRUB_DIR "/99-local.cfg", l->after);
	host_add_file(host, PATH_GRUB_DIR "/README", "GRUB_CMDLINE_LINUX_DEFAULT=\"not read\n");
	return host;
}

static const struct boot_loader *grub(void)
{
	return boot_loader(LOADER_GRUB);
}

static void presence_needs_a_grub_cfg(void **state _unused_)
{
	static const struct {
		const char *cfg, *command;
		bool proxmox, present;
	} rows[] = {
		{"/boot/grub/grub.cfg", "update-grub", false, true},
		{"/boot/grub/grub.cfg", NULL, false, true},
		{NULL, "update-grub", false, false},
		{NULL, "update-grub", true, true},
		{NULL, NULL, true, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = host_new();

		host->boot.grub_cfg = rows[i].cfg;
		host->boot.grub_mkconfig = rows[i].command;
		host->boot.proxmox = rows[i].proxmox;
		assert_int_equal(grub()->present(host), rows[i].present);
	}
}

static void files_says_what_normal_entries_get(void **state _unused_)
{
	static const struct {
		struct layout l;
		const char *line, *where;
		const char *why;
		bool known;
	} rows[] = {
		{READ(DEBIAN), "quiet", DEFAULTS, NULL, true},
		{READ(DEBIAN "GRUB_CMDLINE_LINUX=\"a b\"\n"), "a b quiet", DEFAULTS, NULL, true},
		{READ(DEBIAN, .dropin = DROPIN("iommu=pt")), "quiet iommu=pt", PATH_GRUB_DROPIN,
		 NULL, true},
		{UNREAD(DEBIAN, .dropin = DROPIN("iommu=pt")), "quiet", DEFAULTS, NULL, true},
		{READ(DEBIAN, .before = "GRUB_CMDLINE_LINUX_DEFAULT=b\n",
		      .dropin = DROPIN("iommu=pt"),
		      .after = "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT z\"\n"),
		 "b iommu=pt z", AFTER, NULL, true},
		{READ(ABSENT), "", DEFAULTS, NULL, true},
		{READ(BROKEN), "", DEFAULTS, DEFAULTS ":2: unterminated double quote", false},
		{READ(DEBIAN, .after = "X='\n"), "", DEFAULTS,
		 AFTER ":1: unterminated single quote", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = make_host(&rows[i].l);
		struct loader_files f = {};

		assert_int_equal(grub()->files(host->arena, host, &f), 0);
		assert_string_equal(f.line, rows[i].line);
		assert_string_equal(f.where, rows[i].where);
		assert_int_equal(f.known, rows[i].known);
		assert_int_equal(f.why == NULL, rows[i].why == NULL);
		if (rows[i].why)
			assert_string_equal(f.why, rows[i].why);
	}
}

/* What a command substitution adds is not seen, and said. */
static void what_cannot_be_followed_is_said(void **state _unused_)
{
	static const struct layout l = READ("GRUB_CMDLINE_LINUX_DEFAULT=\"quiet $(cat /x)\"\n");
	_cleanup_host_ struct host *host = make_host(&l);
	struct loader_files f = {};

	assert_int_equal(grub()->files(host->arena, host, &f), 0);
	assert_true(f.known);
	assert_non_null(f.why);
	assert_ptr_equal(strstr(f.why, DEFAULTS ":1"), f.why);
}

static const struct {
	const char *what;
	struct layout l;
	const char *ours; /* tokens of ours in /etc/default/grub */
	const char *wanted, *surplus;
	const char *dropin;   /* "" stays, NULL goes */
	const char *defaults; /* "" stays */
	const char *tokens, *conflict;
} edits[] = {
	{"into the drop-in", READ(DEBIAN), "", "intel_iommu=on iommu=pt", "",
	 DROPIN("intel_iommu=on iommu=pt"), "", NULL, NULL},
	{"only what is missing", READ(DEBIAN "GRUB_CMDLINE_LINUX=\"iommu=pt\"\n"), "",
	 "intel_iommu=on iommu=pt", "", DROPIN("intel_iommu=on"), "", NULL, NULL},
	{"all there by another hand",
	 READ(DEBIAN, .before = "GRUB_CMDLINE_LINUX_DEFAULT='iommu=pt'\n"), "", "iommu=pt", "", "",
	 "", NULL, NULL},
	{"another hand came later",
	 READ(DEBIAN "GRUB_CMDLINE_LINUX=\"iommu=pt\"\n", .dropin = DROPIN("iommu=pt")), "",
	 "iommu=pt", "", NULL, "", NULL, NULL},
	{"right already", READ(DEBIAN, .dropin = DROPIN("iommu=pt")), "", "iommu=pt", "", "", "",
	 NULL, NULL},
	{"one more", READ(DEBIAN, .dropin = DROPIN("iommu=pt")), "", "iommu=pt pci=noats", "",
	 DROPIN("iommu=pt pci=noats"), "", NULL, NULL},
	{"one less", READ(DEBIAN, .dropin = DROPIN("iommu=pt pci=noats")), "", "iommu=pt",
	 "pci=noats", DROPIN("iommu=pt"), "", NULL, NULL},
	{"the last goes", READ(DEBIAN, .dropin = DROPIN("iommu=pt")), "", "", "iommu=pt", NULL, "",
	 NULL, NULL},
	{"blocked ones stay", READ(DEBIAN, .dropin = DROPIN("iommu=pt pci=noats")), "", "",
	 "pci=noats", DROPIN("iommu=pt"), "", NULL, NULL},
	{"no defaults at all", READ(ABSENT), "", "iommu=pt", "", DROPIN("iommu=pt"), "", NULL,
	 NULL},
	{"a later file appends",
	 READ(DEBIAN, .after = "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT z\"\n"),
	 "", "iommu=pt", "", DROPIN("iommu=pt"), "", NULL, NULL},
	{"a command in the value", READ("GRUB_CMDLINE_LINUX_DEFAULT=\"quiet $(x)\"\n"), "",
	 "iommu=pt", "", DROPIN("iommu=pt"), "", NULL, NULL},
	/* conflicts */
	{"contradicted", READ(DEBIAN "GRUB_CMDLINE_LINUX=\"intel_iommu=off\"\n"), "",
	 "intel_iommu=on iommu=pt", "", DROPIN("iommu=pt"), "", NULL,
	 DEFAULTS ":5: intel_iommu=off contradicts intel_iommu=on"},
	{"contradicted later",
	 READ(DEBIAN, .dropin = DROPIN("intel_iommu=on"),
	      .after = "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT "
		       "intel_iommu=off\"\n"),
	 "", "intel_iommu=on", "", NULL, "", NULL,
	 AFTER ":1: intel_iommu=off contradicts intel_iommu=on"},
	{"reset later (note 17)",
	 READ(DEBIAN, .after = "# mine\nGRUB_CMDLINE_LINUX_DEFAULT=\"z\"\n"), "", "iommu=pt", "",
	 "", "", NULL, AFTER ":2: GRUB_CMDLINE_LINUX_DEFAULT is set anew, after ours"},
	{"reset later, with it", READ(DEBIAN, .after = "GRUB_CMDLINE_LINUX_DEFAULT=\"iommu=pt\"\n"),
	 "", "iommu=pt", "", "", "", NULL, NULL},
	{"behind a bare --", READ("GRUB_CMDLINE_LINUX_DEFAULT=\"quiet -- 3\"\n"), "", "iommu=pt",
	 "", "", "", NULL, PATH_GRUB_DROPIN ":2: what is added stands behind a bare --"},
	{"an unterminated quote", READ(BROKEN), "", "iommu=pt", "", "", "", NULL,
	 DEFAULTS ":2: unterminated double quote"},
	/* where grub.d is not read */
	{"into the defaults", UNREAD(DEBIAN), "", "intel_iommu=on iommu=pt", "", "",
	 "GRUB_DEFAULT=0\n"
	 "GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`\n"
	 "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet intel_iommu=on iommu=pt\"\n"
	 "GRUB_CMDLINE_LINUX=\"\"\n",
	 "intel_iommu=on iommu=pt", NULL},
	{"one is there", UNREAD("GRUB_CMDLINE_LINUX_DEFAULT=\"iommu=pt\"\n"), "",
	 "intel_iommu=on iommu=pt", "", "",
	 "GRUB_CMDLINE_LINUX_DEFAULT=\"iommu=pt intel_iommu=on\"\n", "intel_iommu=on", NULL},
	{"ours goes", UNREAD("GRUB_CMDLINE_LINUX_DEFAULT=\"a iommu=pt b\" # c\n"), "iommu=pt", "",
	 "iommu=pt", "", "GRUB_CMDLINE_LINUX_DEFAULT=\"a b\" # c\n", "", NULL},
	{"another's stays", UNREAD("GRUB_CMDLINE_LINUX_DEFAULT=\"a iommu=pt b\"\n"), "", "",
	 "iommu=pt", "", "", NULL, NULL},
	{"one goes, its contrary comes", UNREAD("GRUB_CMDLINE_LINUX_DEFAULT=\"iommu=pt\"\n"),
	 "iommu=pt", "iommu=nopt", "iommu=pt", "", "GRUB_CMDLINE_LINUX_DEFAULT=\"iommu=nopt\"\n",
	 "iommu=nopt", NULL},
	{"grub.d is read since", READ("GRUB_CMDLINE_LINUX_DEFAULT=\"a iommu=pt\"\n"), "iommu=pt",
	 "pci=noats", "iommu=pt", DROPIN("pci=noats"), "GRUB_CMDLINE_LINUX_DEFAULT=\"a\"\n", "",
	 NULL},
	{"a drop-in that is not read", UNREAD(DEBIAN, .dropin = DROPIN("iommu=pt")), "", "",
	 "iommu=pt", NULL, "", NULL, NULL},
	{"what cannot be edited safely", UNREAD("GRUB_CMDLINE_LINUX_DEFAULT=\"quiet $(x)\"\n"), "",
	 "iommu=pt", "", "", "", NULL,
	 DEFAULTS ": GRUB_CMDLINE_LINUX_DEFAULT cannot be edited safely"},
};

static const struct loader_edit *edit_of(const struct loader_edits *list, const char *path)
{
	for (size_t i = 0; i < list->list.n; i++)
		if (strcmp(list->list.at[i].path, path) == 0)
			return &list->list.at[i];
	return NULL;
}

static void assert_edit(const struct loader_edit *edit, const char *text, bool owned)
{
	if (text && !*text) {
		assert_null(edit);
		return;
	}
	assert_non_null(edit);
	assert_int_equal(edit->owned, owned);
	if (!text) {
		assert_null(edit->text);
		return;
	}
	assert_string_equal(edit->text, text);
	assert_int_equal(edit->size, strlen(text));
	assert_int_equal(edit->mode, 0644);
}

static void edits_are_as_tabled(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		_cleanup_host_ struct host *host = make_host(&edits[i].l);
		_cleanup_ledger_ struct ledger *ledger = ledger_new();
		struct words wanted = split(host->arena, edits[i].wanted);
		struct words surplus = split(host->arena, edits[i].surplus);
		const struct loader_edit *defaults;
		const char *conflict = "untouched";
		struct loader_edits got = {};

		print_message("%s\n", edits[i].what);
		ledger_add_file(ledger, PATH_GRUB_DEFAULTS, edits[i].ours);
		assert_int_equal(
			grub()->edit(host->arena, host, ledger, &wanted, &surplus, &got, &conflict),
			0);
		if (edits[i].conflict)
			assert_string_equal(conflict, edits[i].conflict);
		else
			assert_null(conflict);
		defaults = edit_of(&got, PATH_GRUB_DEFAULTS);
		assert_edit(edit_of(&got, PATH_GRUB_DROPIN), edits[i].dropin, true);
		assert_edit(defaults, edits[i].defaults, false);
		if (defaults)
			assert_words(&defaults->tokens, edits[i].tokens);
	}
}

/* The next plan over what was written finds nothing to do, and every flag on the line. */
static void an_edit_leaves_nothing_to_edit(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		_cleanup_host_ struct host *host = make_host(&edits[i].l), *after = NULL;
		_cleanup_ledger_ struct ledger *ledger = ledger_new();
		struct words wanted = split(host->arena, edits[i].wanted), none = {};
		struct layout l = edits[i].l;
		struct loader_edits got = {};
		struct loader_files f = {};
		const char *conflict = NULL;

		if (edits[i].conflict)
			continue;
		if (!edits[i].dropin || *edits[i].dropin)
			l.dropin = edits[i].dropin;
		if (*edits[i].defaults)
			l.defaults = edits[i].defaults;
		after = make_host(&l);
		ledger_add_file(ledger, PATH_GRUB_DEFAULTS, edits[i].tokens ? edits[i].tokens : "");
		assert_int_equal(
			grub()->edit(after->arena, after, ledger, &wanted, &none, &got, &conflict),
			0);
		assert_int_equal(got.list.n, 0);
		assert_null(conflict);
		assert_int_equal(grub()->files(after->arena, after, &f), 0);
		for (size_t n = 0; n < wanted.n; n++) {
			struct kcmdline line;

			assert_int_equal(kcmdline_parse(after->arena, f.line, &line), 0);
			assert_true(kcmdline_satisfies(&line, wanted.at[n]));
		}
	}
}

static void the_defaults_come_back_whole(void **state _unused_)
{
	static const struct layout l = UNREAD(DEBIAN "# ours: iommu=pt\n");
	_cleanup_host_ struct host *host = make_host(&l);
	_cleanup_ledger_ struct ledger *ledger = ledger_new();
	struct words none = {}, surplus = split(host->arena, "iommu=pt");
	char digest[DIGEST_TEXT_SIZE];
	struct loader_edits got = {};
	const char *conflict = NULL;

	digest_bytes(l.defaults, strlen(l.defaults), digest);
	ledger_add_file(ledger, PATH_GRUB_DEFAULTS, "iommu=pt");
	ledger->files.at[0].before = DEBIAN;
	ledger->files.at[0].before_size = strlen(DEBIAN);
	ledger->files.at[0].after = digest;
	assert_int_equal(grub()->edit(host->arena, host, ledger, &none, &surplus, &got, &conflict),
			 0);
	assert_int_equal(got.list.n, 1);
	assert_true(got.list.at[0].restore);
	assert_string_equal(got.list.at[0].text, DEBIAN);
}

static void files_that_cannot_be_read_are_not_edited(void **state _unused_)
{
	static const struct layout l = READ(DEBIAN, .before = "X=1\n");

	for (size_t i = 0; i < 2; i++) {
		_cleanup_host_ struct host *host = make_host(&l);
		_cleanup_ledger_ struct ledger *ledger = ledger_new();
		struct words wanted = split(host->arena, "iommu=pt"), none = {};
		struct loader_edits got = {};
		struct loader_files f = {};
		const char *conflict = NULL;

		host->files.at[i].status = FILE_UNSAFE;
		assert_int_equal(grub()->files(host->arena, host, &f), 0);
		assert_false(f.known);
		assert_int_equal(
			grub()->edit(host->arena, host, ledger, &wanted, &none, &got, &conflict),
			0);
		assert_int_equal(got.list.n, 0);
		assert_string_equal(conflict, f.why);
		assert_ptr_equal(strstr(conflict, host->files.at[i].path), conflict);
	}
}

static void refresh_is_one_command(void **state _unused_)
{
	static const struct {
		const char *command, *cfg;
		bool proxmox, tool;
		const char *argv, *produces; /* NULL: none */
		bool copies;
	} rows[] = {
		{"update-grub", "/boot/grub/grub.cfg", false, false, "update-grub",
		 "/boot/grub/grub.cfg", false},
		{"update-grub", "/boot/grub/grub.cfg", false, false,
		 "update-grub -o /boot/grub/grub.cfg.passthroughd", "/boot/grub/grub.cfg", true},
		{"grub2-mkconfig", "/boot/grub2/grub.cfg", false, false,
		 "grub2-mkconfig -o /boot/grub2/grub.cfg.passthroughd", "/boot/grub2/grub.cfg",
		 true},
		{"grub-mkconfig", "/boot/grub/grub.cfg", false, false,
		 "grub-mkconfig -o /boot/grub/grub.cfg", "/boot/grub/grub.cfg", false},
		{"grub2-mkconfig", "/boot/grub2/grub.cfg", false, false,
		 "grub2-mkconfig -o /boot/grub2/grub.cfg", "/boot/grub2/grub.cfg", false},
		{"grub2-mkconfig", NULL, true, false, "grub2-mkconfig -o /boot/grub2/grub.cfg",
		 "/boot/grub2/grub.cfg", false},
		{"update-grub", NULL, true, true, NULL, NULL, true},
		{NULL, "/boot/grub/grub.cfg", false, false, NULL, NULL, true},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = host_new();
		struct step step = {};

		host->boot.grub_mkconfig = rows[i].command;
		host->boot.grub_cfg = rows[i].cfg;
		host->boot.grub_copies = rows[i].copies;
		host->boot.proxmox = rows[i].proxmox;
		host->boot.proxmox_tool = rows[i].tool;
		assert_int_equal(grub()->refresh(host->arena, host, &step), rows[i].argv != NULL);
		assert_words(&step.argv, rows[i].argv ? rows[i].argv : "");
		if (!rows[i].argv)
			continue;
		assert_string_equal(step.produces, rows[i].produces);
		assert_string_equal(step.target, rows[i].command);
	}
}

/* A loader's row refreshes once on any host: never GRUB and proxmox-boot-tool both (4.15). */
static void at_most_one_refresh(void **state _unused_)
{
	for (unsigned bits = 0; bits < 16; bits++) {
		_cleanup_host_ struct host *host = host_new();
		int n = 0;

		host->boot.grub_cfg = bits & 1 ? "/boot/grub/grub.cfg" : NULL;
		host->boot.grub_mkconfig = bits & 2 ? "update-grub" : NULL;
		host->boot.proxmox = bits & 4;
		host->boot.proxmox_tool = bits & 8;
		for (size_t i = 0; i < boot_loaders_n; i++) {
			struct step step = {};

			if (boot_loaders[i]->present(host))
				n += boot_loaders[i]->refresh(host->arena, host, &step);
		}
		assert_in_range(n, 0, 1);
	}
}

static void loaders_are_found_by_value(void **state _unused_)
{
	for (size_t i = 0; i < boot_loaders_n; i++)
		assert_ptr_equal(boot_loader(boot_loaders[i]->loader), boot_loaders[i]);
	assert_null(boot_loader(LOADER_NONE));
	assert_null(boot_loader(_LOADER_INVALID));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presence_needs_a_grub_cfg),
		cmocka_unit_test(files_says_what_normal_entries_get),
		cmocka_unit_test(what_cannot_be_followed_is_said),
		cmocka_unit_test(edits_are_as_tabled),
		cmocka_unit_test(an_edit_leaves_nothing_to_edit),
		cmocka_unit_test(the_defaults_come_back_whole),
		cmocka_unit_test(files_that_cannot_be_read_are_not_edited),
		cmocka_unit_test(refresh_is_one_command),
		cmocka_unit_test(at_most_one_refresh),
		cmocka_unit_test(loaders_are_found_by_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
