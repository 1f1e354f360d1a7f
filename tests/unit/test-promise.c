/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a reboot is promised to bring, and what is made of it when the next boot did not. */
#include "made.h"
#include "paths.h"
#include "planner.h"
#include "strbuf.h"

#define FLAG "@ no-iommu\n"

/* A row's boots come one after the other; each one's ledger knows the promises of the one before.
 */
struct promise_row {
	const char *name;
	const char *spec;     /* of made.h; "blacklist": of nouveau, instead of a flag */
	const char *boots[4]; /* hosts; NULL ends them */
	/* By boots, a line per item that is not active and per reason for a reboot. */
	const char *expected;
	const char *changes; /* the spec's other text from the second boot on */
	bool ours;	     /* the flag was put there by us */
};

/* Files stand in the order of their paths. */
static void put_file(struct host *host, const char *path, const char *text)
{
	size_t i = host->files.n;

	array_push(host->arena, &host->files, ((struct host_file){.status = FILE_PRESENT}));
	for (; i > 0 && strcmp(host->files.at[i - 1].path, path) > 0; i--)
		host->files.at[i] = host->files.at[i - 1];
	host->files.at[i] = (struct host_file){.path = arena_strdup(host->arena, path),
					       .status = FILE_PRESENT,
					       .text = arena_strdup(host->arena, text),
					       .size = strlen(text),
					       .mode = 0644};
}

/* All is as apply leaves it, so that what is left is what a boot brings. */
static void arm(struct host *host, const struct spec *spec, const struct ledger *ledger)
{
	_cleanup_plan_ struct plan *plan = NULL;

	put_file(host, PATH_GRUB_DEFAULTS, "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet pcie_aspm=off\"\n");
	host->boot.grub_cfg = "/boot/grub/grub.cfg";
	host->boot.grub_cfg_readable = true;
	array_foreach(it, &host->boot.entries)
		it->kernel = "6.1.0";
	array_push(host->arena, &host->modules, ((struct host_module){.name = "nouveau"}));
	host->modules_known = true;
	assert_int_equal(plan_make(spec, host, ledger, &plan), 0);
	array_foreach(it, &plan->steps)
		if (it->kind == STEP_WRITE_FILE)
			put_file(host, it->target, it->content);
}

static struct spec *spec_of(const struct promise_row *row, size_t boot)
{
	const struct spec_word flag = {.text = "pcie_aspm=off"}, nouveau = {.text = "nouveau"};
	bool blacklist = strstr(row->spec, "blacklist");
	struct spec *spec = made_spec(blacklist ? FLAG : row->spec);

	if (blacklist)
		array_push(spec->arena, &spec->blacklist, nouveau);
	else
		array_push(spec->arena, &spec->kernel_flags, flag);
	spec->canonical = boot && row->changes ? row->changes : "";
	return spec;
}

/* Of a reason, what was seen. */
static void show_item(size_t boot, const struct plan_item *item, struct strbuf *out)
{
	static const char before[] = "a reboot did not bring it: ", after[] = "; no other";
	const char *text = item_state_name(item->state), *end = NULL;

	if (item->state == STATE_BLOCKED) {
		text = item->reason;
		end = strstr(text, after);
		if (strncmp(text, before, strlen(before)) == 0)
			text += strlen(before);
	}
	strbuf_addf(out, "%zu %s %.*s\n", boot, item->id,
		    end ? (int)(end - text) : (int)strlen(text), text);
}

static void show(size_t boot, const struct plan *plan, struct strbuf *out)
{
	array_foreach(it, &plan->items)
		if (it->kind != ITEM_MODULE && it->state != STATE_ACTIVE)
			show_item(boot, it, out);
	array_foreach(it, &plan->reboot_why) {
		const char *name = strchr(*it, ':') + 1;

		strbuf_addf(out, "%zu reboot for %.*s\n", boot, (int)strcspn(name, ":"), name);
	}
}

static void keep_promises_of(const struct plan *plan, struct ledger *ledger)
{
	ledger->promises.n = 0;
	array_foreach(it, &plan->promises)
		array_push(ledger->arena, &ledger->promises,
			   ((struct ledger_promise){arena_strdup(ledger->arena, it->item),
						    arena_strdup(ledger->arena, it->boot_id),
						    arena_strdup(ledger->arena, it->basis)}));
}

static void check_row(const struct promise_row *row)
{
	_cleanup_ledger_ struct ledger *ledger = ledger_new();
	_cleanup_strbuf_ struct strbuf out = {0};

	if (row->ours) {
		struct ledger_file *f = array_add(ledger->arena, &ledger->files);

		*f = (struct ledger_file){
			.path = PATH_GRUB_DEFAULTS, .before = "", .after = "", .intent = ""};
		words_add(ledger->arena, &f->tokens, "pcie_aspm=off");
	}
	for (size_t i = 0; i < ARRAY_LEN(row->boots) && row->boots[i]; i++) {
		_cleanup_host_ struct host *host = made_host(row->boots[i]);
		_cleanup_spec_ struct spec *spec = spec_of(row, i);
		_cleanup_plan_ struct plan *plan = NULL;

		arm(host, spec, ledger);
		assert_int_equal(plan_make(spec, host, ledger, &plan), 0);
		show(i + 1, plan, &out);
		keep_promises_of(plan, ledger);
	}
	if (strcmp(strbuf_text(&out), row->expected) != 0)
		fail_msg("%s:\n%s--- expected:\n%s", row->name, strbuf_text(&out), row->expected);
}

#define CARD	"@ no-iommu\ngpu id=10de:1b81 accept=boot-display"
#define MACHINE "@ vendor=amd virt ivrs remap=yes builtin=unix live "
#define ENTRY	"entry=\"root=x quiet pcie_aspm=off\" "
#define KEPT	MACHINE "cmdline=\"quiet pcie_aspm=off\" " ENTRY
#define DROPPED MACHINE "cmdline=quiet " ENTRY
#define GPU	"\n01:00.0 10de:1b81 030000 reset group=1 use=console:efifb "
#define LACKS                                                                                      \
	" kernel-flag:pcie_aspm=off the running kernel's line lacks pcie_aspm=off, which the "     \
	"entry in /boot/grub/grub.cfg, line 10, has: the boot loader dropped it\n"
#define FLAG_DUE(n) n " kernel-flag:pcie_aspm=off armed\n" n " reboot for pcie_aspm=off\n"
#define GPU_DUE(n)  n " device:gpu armed\n" n " reboot for gpu\n"

static const struct promise_row rows[] = {
	{"kept", FLAG, {DROPPED "boot=a", KEPT "boot=b", KEPT "boot=c"}, FLAG_DUE("1"), 0, false},
	{"asked for once in a boot, however often it is looked at",
	 FLAG,
	 {DROPPED "boot=a", DROPPED "boot=a", DROPPED "boot=a"},
	 FLAG_DUE("1") FLAG_DUE("2") FLAG_DUE("3"),
	 0,
	 false},
	{"dropped by the loader: not asked for again, in that boot or a later one",
	 FLAG,
	 {DROPPED "boot=a", DROPPED "boot=b", DROPPED "boot=b", DROPPED "boot=c"},
	 FLAG_DUE("1") "2" LACKS "3" LACKS "4" LACKS,
	 0,
	 false},
	{"broken, and there after all",
	 FLAG,
	 {DROPPED "boot=a", DROPPED "boot=b", KEPT "boot=c"},
	 FLAG_DUE("1") "2" LACKS,
	 0,
	 false},
	{"no boot can be told from another",
	 FLAG,
	 {DROPPED, DROPPED},
	 FLAG_DUE("1") FLAG_DUE("2"),
	 0,
	 false},
	{"promised in a boot without a name",
	 FLAG,
	 {DROPPED, DROPPED "boot=b"},
	 FLAG_DUE("1") FLAG_DUE("2"),
	 0,
	 false},
	{"another spec: once more",
	 FLAG,
	 {DROPPED "boot=a", DROPPED "boot=b", DROPPED "boot=c"},
	 FLAG_DUE("1") FLAG_DUE("2") "3" LACKS,
	 "x",
	 false},
	{"another entry: once more",
	 FLAG,
	 {DROPPED "boot=a", DROPPED "boot=b",
	  MACHINE "cmdline=quiet entry=\"root=y pcie_aspm=off\" boot=b"},
	 FLAG_DUE("1") "2" LACKS FLAG_DUE("3"),
	 0,
	 false},
	{"unknown to the kernel: no reboot would help",
	 FLAG,
	 {DROPPED "boot=a", KEPT "boot=b unknown=pcie_aspm=off", KEPT "boot=c unknown=pcie_aspm"},
	 FLAG_DUE("1") "2 kernel-flag:pcie_aspm=off the running kernel does not know "
		       "pcie_aspm=off, as its log says: it passed it to init; mend the flag or "
		       "remove it\n",
	 0,
	 true},
	{"unknown to the kernel, and put there by another hand",
	 FLAG,
	 {DROPPED "boot=a", KEPT "boot=b unknown=pcie_aspm=off"},
	 FLAG_DUE("1"),
	 0,
	 false},
	{"a driver that is loaded all the same",
	 "@ no-iommu\nblacklist",
	 {KEPT "boot=a", KEPT "boot=b"},
	 "1 blacklist:nouveau armed\n1 reboot for nouveau\n"
	 "2 blacklist:nouveau nouveau is loaded all the same, by its name or since another module "
	 "needs it\n",
	 0,
	 false},
	{"a device that its driver took",
	 CARD,
	 {KEPT "active boot=a" GPU "driver=nouveau", KEPT "active boot=b" GPU "driver=nouveau"},
	 GPU_DUE("1") "2 device:gpu 0000:01:00.0 is on nouveau, which took it although early "
		      "binding is configured\n",
	 0,
	 false},
	{"a line with words of a variable, which stand in no entry",
	 FLAG,
	 {MACHINE "cmdline=\"quiet tool=1\" entry=\"root=x quiet $tool pcie_aspm=off\" boot=a",
	  MACHINE "cmdline=\"quiet tool=1\" entry=\"root=x quiet $tool pcie_aspm=off\" boot=b"},
	 FLAG_DUE("1") "2 kernel-flag:pcie_aspm=off the running kernel's line lacks pcie_aspm=off: "
		       "the boot loader dropped it, or another entry was booted\n",
	 0,
	 false},
	{"a device that its driver took, as the log says",
	 CARD,
	 {KEPT "active boot=a" GPU "driver=nouveau",
	  KEPT "active boot=b" GPU "driver=nouveau taken=0.812345"},
	 GPU_DUE("1") "2 device:gpu 0000:01:00.0 is on nouveau, which had it by second 0.812345 of "
		      "the kernel's log although early binding is configured\n",
	 0,
	 false},
	{"a device that its driver took, under a kernel that is not installed",
	 CARD,
	 {KEPT "active boot=a" GPU "driver=nouveau",
	  KEPT "active boot=b runs=6.1.0-99" GPU "driver=nouveau"},
	 GPU_DUE("1") "2 device:gpu 0000:01:00.0 is on nouveau, which took it although every "
		      "installed kernel's initramfs binds it early: 6.1.0-99, which runs, is none "
		      "of these\n",
	 0,
	 false},
	{"a device whose IOMMU is off",
	 CARD,
	 {KEPT "off=\"iommu=off on the running line\" boot=a" GPU "driver=nouveau",
	  KEPT "off=\"iommu=off on the running line\" boot=b" GPU "driver=nouveau"},
	 GPU_DUE("1") "2 device:gpu the IOMMU is off: iommu=off on the running line\n",
	 0,
	 false},
	{"a boot that was told to bind nothing",
	 CARD,
	 {KEPT "active boot=a" GPU "driver=nouveau",
	  MACHINE "cmdline=\"passthroughd=off pcie_aspm=off\" " ENTRY "active boot=b" GPU
		  "driver=nouveau",
	  KEPT "active boot=c" GPU "driver=nouveau"},
	 GPU_DUE("1") GPU_DUE("2") "3 device:gpu 0000:01:00.0 is on nouveau, which took it "
				   "although early binding is configured\n",
	 0,
	 false},
};

static void promises_are_kept_or_broken(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(&rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(promises_are_kept_or_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
