/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan does with devices: how they are bound, what goes back, what the ledger will know. */
#include "made.h"
#include "paths.h"
#include "planner.h"
#include "strbuf.h"

struct plan_row {
	const char *name;
	const char *host, *spec, *ledger;
	/* A line per device, per live step of devices, per claim, per device that waits. */
	const char *expected;
};

static void show_device(const struct plan_device *device, struct strbuf *out)
{
	strbuf_addf(out, "%s %s, %s", device->name, item_state_name(device->state),
		    identity_name(device->identity));
	array_foreach(it, &device->verdicts)
		strbuf_addf(out, ", %s %s", severity_name(it->severity), code_name(it->code));
	strbuf_add(out, "\n");
}

static void show_claim(const struct ledger_device *claim, struct strbuf *out)
{
	char addr[PCI_ADDR_TEXT_SIZE];

	strbuf_addf(out, "claim %s %s%s%s%s (%s)", claim->name, pci_addr_format(claim->addr, addr),
		    *claim->previous ? " from " : "", claim->previous,
		    claim->bound ? ", bound" : "", claim->wish);
	if (*claim->consent)
		strbuf_addf(out, " accepts %s", claim->consent);
	if (claim->group_known && claim->group.n > 1)
		array_foreach(it, &claim->group)
			strbuf_addf(out, "%s%s", it == claim->group.at ? " in " : "+", *it);
	strbuf_add(out, "\n");
}

static void show(const struct plan *plan, struct strbuf *out)
{
	array_foreach(it, &plan->devices)
		show_device(it, out);
	array_foreach(it, &plan->steps)
		if (it->kind == STEP_BIND || it->kind == STEP_RETURN)
			strbuf_addf(out, "%s %s\n", step_kind_name(it->kind), it->target);
	array_foreach(it, &plan->claims)
		show_claim(it, out);
	array_foreach(it, &plan->items)
		if (it->surplus && it->state == STATE_BLOCKED)
			strbuf_addf(out, "%s blocked, exit %d: %s\n", it->id, plan_exit_code(plan),
				    it->reason);
	array_foreach(it, &plan->diags.list)
		if (it->code == CODE_IN_USE)
			strbuf_addf(out, "%s: %s\n", severity_name(it->severity), it->message);
	array_foreach(it, &plan->reboot_why)
		if (strncmp(*it, "device:", strlen("device:")) == 0)
			strbuf_addf(out, "reboot for %s\n", *it);
}

static void check_rows(const struct plan_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_host_ struct host *host = made_host(rows[i].host);
		_cleanup_spec_ struct spec *spec = made_spec(rows[i].spec);
		_cleanup_ledger_ struct ledger *ledger = made_ledger(rows[i].ledger);
		_cleanup_strbuf_ struct strbuf out = {0};
		_cleanup_plan_ struct plan *plan = NULL;

		assert_int_equal(plan_make(spec, host, ledger, &plan), 0);
		show(plan, &out);
		if (strcmp(strbuf_text(&out), rows[i].expected) != 0)
			fail_msg("%s:\n%s--- expected:\n%s", rows[i].name, strbuf_text(&out),
				 rows[i].expected);
	}
}

#define GOOD "@ vendor=intel model=\"Core i7\" virt dmar active remap=yes live\n"
#define SA   "00-11-22-33-44-55-66-aa"
#define SB   "00-11-22-33-44-55-66-bb"
#define NIC  "8086:10d3 020000 reset "
#define WAS  "nic 01:00.0 8086:10d3 previous=e1000e bound "

static const struct plan_row identity_rows[] = {
	{"chosen for the first time", GOOD "01:00.0 " NIC "group=11 driver=e1000e",
	 "nic address=01:00.0", "",
	 "nic wanted, new\n"
	 "bind 0000:01:00.0\n"
	 "claim nic 0000:01:00.0 from e1000e (address 0000:01:00.0)\n"},
	{"taken away by something else again and again: left alone, and ours all the same",
	 GOOD "01:00.0 " NIC "group=11 driver=e1000e", "nic address=01:00.0",
	 WAS "wish=\"address 0000:01:00.0\"\ncontested 0000:01:00.0",
	 "nic blocked, same\n"
	 "claim nic 0000:01:00.0 from e1000e, bound (address 0000:01:00.0)\n"},
	{"what something else took away, and is back: no matter any more",
	 GOOD "01:00.0 " NIC "group=11 driver=vfio-pci", "nic address=01:00.0",
	 WAS "wish=\"address 0000:01:00.0\"\ncontested 0000:01:00.0",
	 "nic wanted, same\n"
	 "claim nic 0000:01:00.0 from e1000e, bound (address 0000:01:00.0)\n"},
	{"swapped twins: the chosen one is bound where it is now, and the other returned",
	 GOOD "01:00.0 " NIC "group=11 driver=vfio-pci pcie-serial=" SB "\n"
	      "03:00.0 " NIC "group=13 driver=e1000e pcie-serial=" SA " mac=52:54:00:00:00:0a",
	 "nic mac=52:54:00:00:00:0a",
	 WAS "wish=\"mac 52:54:00:00:00:0a\" serial=\"serial " SA ";mac 52:54:00:00:00:0a\"",
	 "nic wanted, moved, note device-moved\n"
	 "return 0000:01:00.0\n"
	 "bind 0000:03:00.0\n"
	 "claim nic 0000:03:00.0 from e1000e (mac 52:54:00:00:00:0a)\n"},
	{"moved, and bound there at the next boot only",
	 "@ vendor=intel virt dmar live\n"
	 "01:00.0 " NIC "driver=vfio-pci pcie-serial=" SB "\n"
	 "03:00.0 " NIC "driver=e1000e pcie-serial=" SA,
	 "nic serial=" SA, WAS "wish=\"serial " SA "\" serial=\"serial " SA "\"",
	 "nic wanted, moved, note device-moved, note iommu-off\n"
	 "return 0000:01:00.0\n"
	 "claim nic 0000:03:00.0 from e1000e (serial " SA ")\n"
	 "reboot for device:nic: not on its driver yet\n"},
	{"moved, and its other function with it",
	 GOOD "02:00.0 10de:1b81 030000 reset group=12 driver=vfio-pci\n"
	      "02:00.1 10de:10f0 040300 reset group=12",
	 "gpu id=10de:1b81",
	 "gpu 01:00.0 10de:1b81 wish=\"id 10de:1b81\" previous=nouveau bound\n"
	 "gpu 01:00.1 10de:10f0 wish=\"id 10de:1b81\" previous=snd_hda_intel bound",
	 "gpu wanted, moved, note device-moved\n"
	 "bind 0000:02:00.1\n"
	 "claim gpu 0000:02:00.0 from nouveau (id 10de:1b81) in 10de:10f0+10de:1b81\n"
	 "claim gpu 0000:02:00.1 from snd_hda_intel (id 10de:1b81) in 10de:10f0+10de:1b81\n"},
	{"replaced by its like: ours no more, and given back",
	 GOOD "01:00.0 " NIC "group=11 driver=vfio-pci pcie-serial=" SB, "nic address=01:00.0",
	 WAS "wish=\"address 0000:01:00.0\" serial=\"serial " SA "\"",
	 "nic blocked, replaced, error identity-mismatch\n"
	 "return 0000:01:00.0\n"
	 "claim nic 0000:01:00.0 from e1000e, bound (address 0000:01:00.0)\n"},
	{"one of two, and nobody knows which: it stays where it is",
	 GOOD "01:00.0 " NIC "group=11 driver=vfio-pci\n03:00.0 " NIC "group=13 driver=e1000e",
	 "nic address=01:00.0", WAS "wish=\"address 0000:01:00.0\" path=0000:00:01.0/00.0",
	 "nic blocked, ambiguous-twin, error ambiguous-device\n"
	 "claim nic 0000:01:00.0 from e1000e, bound (address 0000:01:00.0)\n"},
	{"a twin that makes the wish unclear takes nothing from a guest",
	 GOOD "01:00.0 " NIC "group=11 driver=vfio-pci\n03:00.0 " NIC "group=13 driver=e1000e",
	 "nic id=8086:10d3", WAS "wish=\"id 8086:10d3\"",
	 "nic blocked, new, error ambiguous-device\n"
	 "claim nic 0000:01:00.0 from e1000e, bound (id 8086:10d3)\n"},
	{"no longer wished", GOOD "01:00.0 " NIC "group=11 driver=vfio-pci", "", WAS,
	 "return 0000:01:00.0\n"},
	{"no longer wished, and a guest has it",
	 GOOD "01:00.0 " NIC
	      "group=11 driver=vfio-pci use=open:\"/dev/vfio/11, held by qemu (900)\"",
	 "", WAS,
	 "claim nic 0000:01:00.0 from e1000e, bound ()\n"
	 "device:nic blocked, exit 4: 0000:01:00.0 is open as /dev/vfio/11, held by qemu (900): "
	 "it goes back once that lets go\n"
	 "error: 0000:01:00.0 is open as /dev/vfio/11, held by qemu (900): it goes back once that "
	 "lets go\n"},
	{"moved, and a guest has what is in the old place",
	 GOOD "01:00.0 " NIC "group=11 driver=vfio-pci pcie-serial=" SB
	      " use=open:\"/dev/vfio/11, held by qemu (900)\"\n"
	      "03:00.0 " NIC "group=13 driver=e1000e pcie-serial=" SA,
	 "nic serial=" SA, WAS "wish=\"serial " SA "\" serial=\"serial " SA "\"",
	 "nic wanted, moved, note device-moved\n"
	 "bind 0000:03:00.0\n"
	 "claim nic 0000:03:00.0 from e1000e (serial " SA ")\n"
	 "claim nic 0000:01:00.0 from e1000e, bound (serial " SA ")\n"
	 "warning: 0000:01:00.0 is open as /dev/vfio/11, held by qemu (900): it goes back once "
	 "that lets go\n"},
	{"wished, and a process has it: not unbound under its feet",
	 GOOD "01:00.0 10de:1b81 030000 driver=nvidia group=1 reset "
	      "use=open:\"/dev/nvidia0, held by Xorg (812)\"",
	 "gpu id=10de:1b81", "", "gpu blocked, new, error in-use\n"},
	{"even with consent: at the next boot",
	 GOOD "01:00.0 10de:1b81 030000 driver=nvidia group=1 reset "
	      "use=open:\"/dev/nvidia0, held by Xorg (812)\"",
	 "gpu id=10de:1b81 accept=in-use", "",
	 "gpu wanted, new, warning in-use\n"
	 "claim gpu 0000:01:00.0 from nvidia (id 10de:1b81) accepts in-use\n"
	 "reboot for device:gpu: not on its driver yet\n"},
};

/* A card of two functions behind a port, and what came into their group since. */
#define CARD                                                                                       \
	GOOD "00:01.0 8086:1901 060400 group=1\n"                                                  \
	     "01:00.0 10de:1b81 030000 driver=vfio-pci group=1 reset parent=00:01.0\n"             \
	     "01:00.1 10de:10f0 040300 driver=vfio-pci group=1 reset parent=00:01.0\n"
#define NIC_TOO "02:00.0 8086:1521 020000 driver=igb group=1 reset\n"
#define DISK	"03:00.0 144d:a808 010802 driver=nvme group=1 reset\n"
#define KNOWN(consent_, group_)                                                                    \
	"gpu 01:00.0 10de:1b81 wish=\"id 10de:1b81\" consent=" consent_ " group=" group_           \
	" bound\n"                                                                                 \
	"gpu 01:00.1 10de:10f0 wish=\"id 10de:1b81\" consent=" consent_ " group=" group_ " bound"
#define ALONE	    "10de:10f0,10de:1b81"
#define ALONE_SHOWN "10de:10f0+10de:1b81"
#define CLAIMED(consent_, in_)                                                                     \
	"claim gpu 0000:01:00.0, bound (id 10de:1b81)" consent_ in_ "\n"                           \
	"claim gpu 0000:01:00.1, bound (id 10de:1b81)" consent_ in_ "\n"
#define ACCEPTS " accepts shared-group"

static const struct plan_row group_rows[] = {
	{"at first the group is as it is", CARD NIC_TOO, "gpu address=01:00.0 accept=shared-group",
	 "gpu 01:00.0 10de:1b81 wish=\"id 10de:1b81\" bound\n"
	 "gpu 01:00.1 10de:10f0 wish=\"id 10de:1b81\" bound",
	 "gpu wanted, new, warning shared-group\n"
	 "claim gpu 0000:01:00.0, bound (address 0000:01:00.0)" ACCEPTS
	 " in 10de:10f0+10de:1b81+8086:1521\n"
	 "claim gpu 0000:01:00.1, bound (address 0000:01:00.0)" ACCEPTS
	 " in 10de:10f0+10de:1b81+8086:1521\n"},
	{"as it was", CARD NIC_TOO, "gpu id=10de:1b81 accept=shared-group",
	 KNOWN("shared-group", ALONE ",8086:1521"),
	 "gpu wanted, same, warning shared-group\n" CLAIMED(ACCEPTS,
							    " in 10de:10f0+10de:1b81+8086:1521")},
	{"a member more, which the consent does not cover", CARD NIC_TOO DISK,
	 "gpu id=10de:1b81 accept=shared-group", KNOWN("shared-group", ALONE ",8086:1521"),
	 "gpu blocked, same, warning shared-group, error group-grew\n" CLAIMED(
		 ACCEPTS, " in 10de:10f0+10de:1b81+8086:1521")},
	{"a member that went is forgotten", CARD, "gpu id=10de:1b81 accept=shared-group",
	 KNOWN("shared-group", ALONE ",8086:1521"),
	 "gpu wanted, same\n" CLAIMED(ACCEPTS, " in 10de:10f0+10de:1b81")},
	{"another consent is about the group as it is now", CARD NIC_TOO,
	 "gpu id=10de:1b81 accept=shared-group", KNOWN("", ALONE),
	 "gpu wanted, same, warning shared-group\n" CLAIMED(ACCEPTS,
							    " in 10de:10f0+10de:1b81+8086:1521")},
	{"a consent that is taken back is noted, and the old group no measure any more",
	 CARD NIC_TOO, "gpu id=10de:1b81", KNOWN("shared-group", ALONE),
	 "gpu blocked, same, error shared-group\n" CLAIMED("", "")},
	{"while the IOMMU is off nothing is known of groups, and nothing forgotten",
	 "@ vendor=intel virt dmar live\n01:00.0 10de:1b81 030000 driver=vfio-pci reset",
	 "gpu id=10de:1b81",
	 "gpu 01:00.0 10de:1b81 wish=\"id 10de:1b81\" consent= bound group=" ALONE,
	 "gpu wanted, same, note iommu-off\n"
	 "claim gpu 0000:01:00.0, bound (id 10de:1b81) in " ALONE_SHOWN "\n"},
};

#define GPU "01:00.0 10de:1b81 030000 driver=nouveau group=1 reset"

/* Why override, and what early binding has to know beside the address. */
static const struct {
	const char *name;
	const char *host, *spec, *ledger;
	const char *why;
	bool rebind, serial;
} method_rows[] = {
	{"nothing special", GOOD GPU, "gpu id=10de:1b81", "",
	 "it names this address alone and waits for no module's turn", false, false},
	{"a twin", GOOD GPU "\n02:00.0 10de:1b81 030000 driver=nouveau group=2 reset",
	 "gpu address=01:00.0", "",
	 "its twin stays with the host: only an address tells them apart", false, false},
	{"a built-in host driver",
	 GOOD "@ builtin=xhci_hcd\n00:14.0 8086:a36d 0c0330 driver=xhci_hcd group=1 reset",
	 "usb address=00:14.0", "",
	 "xhci_hcd is built into the kernel: it has to be taken from it, as no module comes before",
	 true, false},
	{"which is remembered once ours has it",
	 GOOD "@ builtin=xhci_hcd\n00:14.0 8086:a36d 0c0330 driver=vfio-pci group=1 reset",
	 "usb address=00:14.0", "usb 00:14.0 8086:a36d previous=xhci_hcd bound",
	 "xhci_hcd is built into the kernel: it has to be taken from it, as no module comes before",
	 true, false},
	{"of a module that is called otherwise",
	 GOOD "@ builtin=8250_pci\n"
	      "05:00.0 1b36:0002 070002 driver=serial module=8250_pci group=5 reset",
	 "uart id=1b36:0002", "",
	 "8250_pci is built into the kernel: it has to be taken from it, as no module comes before",
	 true, false},
	{"which is remembered too",
	 GOOD "@ builtin=8250_pci\n"
	      "05:00.0 1b36:0002 070002 driver=vfio-pci module=vfio_pci group=5 reset",
	 "uart id=1b36:0002",
	 "uart 05:00.0 1b36:0002 wish=\"id 1b36:0002\" previous=serial modules=8250_pci",
	 "8250_pci is built into the kernel: it has to be taken from it, as no module comes before",
	 true, false},
	{"built in, and no module's",
	 GOOD "05:00.0 1b36:0002 070002 driver=serial builtin-driver group=5 reset",
	 "uart id=1b36:0002", "",
	 "serial is built into the kernel: it has to be taken from it, as no module comes before",
	 true, false},
	{"which is remembered as well",
	 GOOD "05:00.0 1b36:0002 070002 driver=vfio-pci module=vfio_pci group=5 reset",
	 "uart id=1b36:0002",
	 "uart 05:00.0 1b36:0002 wish=\"id 1b36:0002\" previous=serial builtin-driver",
	 "serial is built into the kernel: it has to be taken from it, as no module comes before",
	 true, false},
	{"vfio-pci built in", GOOD "@ builtin=vfio-pci\n" GPU, "gpu id=10de:1b81", "",
	 "vfio-pci is built into the kernel: no option file reaches it", false, false},
	{"functions with drivers of their own",
	 GOOD GPU "\n01:00.1 10de:10f0 040300 driver=snd_hda_intel group=1 reset",
	 "gpu id=10de:1b81", "",
	 "its functions have drivers of their own (nouveau, snd_hda_intel), and none is waited for",
	 false, false},
	{"no driver at all", GOOD "01:00.0 10de:1b81 030000 group=1 reset", "gpu id=10de:1b81", "",
	 "no driver knows it: its address is enough", false, false},
	{"asked for", GOOD GPU, "gpu id=10de:1b81 method=override", "", "asked for", false, false},
	{"its own serial number, with the program that reads it",
	 GOOD "@ serial-tool\n" GPU " pcie-serial=" SA, "gpu id=10de:1b81", "",
	 "it names this address alone and waits for no module's turn", false, true},
	{"without it nothing could compare", GOOD GPU " pcie-serial=" SA, "gpu id=10de:1b81", "",
	 "it names this address alone and waits for no module's turn", false, false},
	{"asleep, and not looked at this time", GOOD "@ serial-tool\n" GPU, "gpu id=10de:1b81",
	 "gpu 01:00.0 10de:1b81 wish=\"id 10de:1b81\" serial=\"mac m;serial " SA "\"",
	 "it names this address alone and waits for no module's turn", false, true},
};

static const char *rules_of(const struct plan *plan)
{
	array_foreach(it, &plan->steps)
		if (it->kind == STEP_WRITE_FILE && strcmp(it->target, PATH_UDEV_RULES) == 0)
			return it->content;
	return "";
}

static void methods(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(method_rows); i++) {
		_cleanup_host_ struct host *host = made_host(method_rows[i].host);
		_cleanup_spec_ struct spec *spec = made_spec(method_rows[i].spec);
		_cleanup_ledger_ struct ledger *ledger = made_ledger(method_rows[i].ledger);
		_cleanup_plan_ struct plan *plan = NULL;
		const char *rules;

		assert_int_equal(plan_make(spec, host, ledger, &plan), 0);
		rules = rules_of(plan);
		if (plan->devices.at[0].method != METHOD_OVERRIDE ||
		    strcmp(plan->devices.at[0].method_why, method_rows[i].why) != 0 ||
		    !strstr(rules, "driver/unbind") == method_rows[i].rebind ||
		    !strstr(rules, PATH_PCI_SERIAL " 0000:01:00.0 " SA) == method_rows[i].serial)
			fail_msg("%s: %s\n%s", method_rows[i].name, plan->devices.at[0].method_why,
				 rules);
	}
}

static void groups(void **state _unused_)
{
	check_rows(group_rows, ARRAY_LEN(group_rows));
}

static void identities(void **state _unused_)
{
	check_rows(identity_rows, ARRAY_LEN(identity_rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identities),
		cmocka_unit_test(groups),
		cmocka_unit_test(methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
