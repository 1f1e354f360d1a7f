/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GRUB with loader entries: which are edited, where, and what comes back (2.14 to 2.22). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosts.h"
#include "paths.h"
#include "rows.h"

#define KVER	"6.19.2-300.fc44.x86_64"
#define ROOT	"root=UUID=1 ro quiet"
#define ENTRY	"/boot/loader/entries/m-" KVER ".conf"
#define RESCUE	"/boot/loader/entries/m-0-rescue.conf"
#define GONE	"/boot/loader/entries/m-5.1.conf"
#define HEAD	"# GRUB Environment Block\n"
#define TEXT(o) "title t\noptions " o "\nlinux /v\n"

static void add_entry(struct host *host, const char *path, const char *kernel, const char *text)
{
	struct host_entry entry = {
		.loader = LOADER_BLS, .source = path, .kernel = kernel, .options = "", .title = ""};

	array_push(host->arena, &host->boot.entries, entry);
	host_add_file(host, path, text);
}

static struct host *make_host(const char *entry, const char *env, const char *line)
{
	struct host_kernel kernel = {.version = KVER, .vmlinuz = "/boot/vmlinuz-" KVER};
	struct host *host = host_new();

	assert_non_null(host);
	host->boot.blscfg = true;
	host->boot.grub_cfg = "/boot/grub2/grub.cfg";
	host->cmdline = "BOOT_IMAGE=(hd0,gpt2)/vmlinuz-" KVER " " ROOT;
	host->cmdline_known = true;
	array_push(host->arena, &host->kernels, kernel);
	if (env)
		host_add_file(host, PATH_GRUBENV, env);
	add_entry(host, RESCUE, "0-rescue-m", TEXT(ROOT));
	add_entry(host, GONE, "5.1", TEXT(ROOT));
	add_entry(host, ENTRY, KVER, entry);
	host_add_file(host, PATH_KERNEL_CMDLINE, line);
	return host;
}

static const struct loader_edit *edit_of(const struct loader_edits *edits, const char *path)
{
	array_foreach(it, &edits->list)
		if (strcmp(it->path, path) == 0)
			return it;
	return NULL;
}

static void presence_follows_the_menu(void **state _unused_)
{
	_cleanup_host_ struct host *host = make_host(TEXT(ROOT), NULL, ROOT "\n");

	assert_true(loader_bls.present(host));
	assert_false(loader_grub.present(host));
	assert_false(loader_systemd_boot.present(host));
	host->boot.bls_remade = true;
	assert_true(loader_grub.present(host));
	host->boot.ostree = true;
	assert_false(loader_bls.present(host));
	assert_false(loader_grub.present(host));
	host->boot.ostree = host->boot.blscfg = false;
	assert_false(loader_bls.present(host));
	assert_true(loader_grub.present(host));
	assert_true(loader_systemd_boot.present(host));
}

#define CONTRADICTS ENTRY ": iommu=off contradicts iommu=pt"

static void flags_go_where_lines_are_made_of(void **state _unused_)
{
	static const struct {
		const char *entry, *env;	   /* as they are */
		const char *entry_then, *env_then; /* NULL: not written */
		const char *conflict;
	} rows[] = {
		{TEXT(ROOT), NULL, TEXT(ROOT " iommu=pt"), NULL, NULL},
		/* Others' tokens stay, also those without a value in grubenv (2.26, 2.27). */
		{TEXT("$tuned_params ostree=/x  a -- b"), NULL,
		 TEXT("$tuned_params ostree=/x  a iommu=pt -- b"), NULL, NULL},
		/* There by any hand: nothing to write. */
		{TEXT("iommu=pt"), NULL, NULL, NULL, NULL},
		{TEXT("a $tuned_params"), HEAD "tuned_params=iommu=pt\nkernelopts=a\n#########",
		 NULL, HEAD "tuned_params=iommu=pt\nkernelopts=a iommu=pt\n", NULL},
		/* RHEL 8 (2.17) */
		{TEXT("$kernelopts $tuned_params"), HEAD "kernelopts=a \n##############", NULL,
		 HEAD "kernelopts=a iommu=pt \n#####", NULL},
		{TEXT("$kernelopts"), HEAD "kernelopts=iommu=pt\n####", NULL, NULL, NULL},
		/* One of several kernels has a line of its own there. */
		{TEXT("a"), HEAD "kernelopts=b\n##############", TEXT("a iommu=pt"),
		 HEAD "kernelopts=b iommu=pt\n#####", NULL},
		{TEXT("$kernelopts"), HEAD "kernelopts=b\n###", NULL, NULL,
		 PATH_GRUBENV " has no room for longer kernelopts"},
		{TEXT("$kernelopts"), HEAD "a=b\n#########", NULL, NULL,
		 PATH_GRUBENV " has no kernelopts, which entries are made of; run grub2-mkconfig"},
		{TEXT("$kernelopts"), "text\n", NULL, NULL,
		 PATH_GRUBENV " has no kernelopts, which entries are made of; run grub2-mkconfig"},
		{"title t\n", NULL, NULL, NULL,
		 ENTRY " has no options line, and what stands in for one is not known"},
		{TEXT("iommu=off"), NULL, NULL, NULL, CONTRADICTS},
		{TEXT("$kernelopts iommu=off"), HEAD "kernelopts=b\n###########", NULL, NULL,
		 CONTRADICTS},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = make_host(rows[i].entry, rows[i].env, ROOT "\n");
		_cleanup_ledger_ struct ledger *ledger = ledger_new();
		struct words wanted = split(host->arena, "iommu=pt"), none = {0};
		const struct loader_edit *edit;
		struct loader_edits edits;
		const char *conflict;

		assert_int_equal(loader_bls.edit(host->arena, host, ledger, &wanted, &none, &edits,
						 &conflict),
				 0);
		if (rows[i].conflict) {
			assert_string_equal(conflict, rows[i].conflict);
			continue;
		}
		assert_null(conflict);
		edit = edit_of(&edits, PATH_KERNEL_CMDLINE);
		assert_string_equal(edit->text, ROOT " iommu=pt\n");
		edit = edit_of(&edits, ENTRY);
		assert_int_equal(edit != NULL, rows[i].entry_then != NULL);
		if (edit)
			assert_string_equal(edit->text, rows[i].entry_then);
		edit = edit_of(&edits, PATH_GRUBENV);
		assert_int_equal(edit != NULL, rows[i].env_then != NULL);
		if (edit)
			assert_string_equal(edit->text, rows[i].env_then);
		assert_null(edit_of(&edits, RESCUE));
		assert_null(edit_of(&edits, GONE));
	}
}

/* A kernel that came after us has its line from ours (2.19): what is on it goes with ours, and what
 * was on such a line before us does not. */
static void what_was_inherited_goes_too(void **state _unused_)
{
	static const struct {
		const char *line, *other, *own; /* tokens of ours there; NULL: not in the ledger */
		const char *then;		/* NULL: not written */
	} rows[] = {
		{"iommu=pt", "iommu=pt", NULL, TEXT(ROOT)},
		{"iommu=pt", "a=b", NULL, NULL},
		{"a=b", "iommu=pt", NULL, NULL},
		{"iommu=pt", NULL, NULL, NULL},
		{"iommu=pt", "iommu=pt", "a=b", NULL},
		{"a=b", NULL, "iommu=pt", TEXT(ROOT)},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = make_host(TEXT(ROOT " iommu=pt"), NULL,
							     ROOT " iommu=pt\n");
		_cleanup_ledger_ struct ledger *ledger = ledger_new();
		struct words surplus = split(host->arena, "iommu=pt"), none = {0};
		const struct loader_edit *edit;
		struct loader_edits edits;
		const char *conflict;

		ledger_add_file(ledger, PATH_KERNEL_CMDLINE, rows[i].line);
		if (rows[i].other)
			ledger_add_file(ledger, GONE, rows[i].other);
		if (rows[i].own)
			ledger_add_file(ledger, ENTRY, rows[i].own);
		assert_int_equal(loader_bls.edit(host->arena, host, ledger, &none, &surplus, &edits,
						 &conflict),
				 0);
		assert_null(conflict);
		edit = edit_of(&edits, ENTRY);
		assert_int_equal(edit != NULL, rows[i].then != NULL);
		if (edit)
			assert_string_equal(edit->text, rows[i].then);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presence_follows_the_menu),
		cmocka_unit_test(flags_go_where_lines_are_made_of),
		cmocka_unit_test(what_was_inherited_goes_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
