/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan does with guests: who may have a device, what is said, what the ledger will know. */
#include "config-load.h"
#include "made.h"
#include "planner.h"

/*
 * A line a guest: "101 running autostart template lock=backup node=b bad=why machine=q35
 * hostpci0=0000:01:00,pcie=1"; "@ absent" of the hypervisor, "@ no-tool", "@ quorum=no".
 */
static void made_entry(struct arena *a, struct guest_config *config, const char *key,
		       const char *value)
{
	struct guest_device *device = array_add(a, &config->devices);
	const char *at = value;

	device->key = key;
	device->text = value;
	device->mediated = strstr(value, "mdev=") != NULL;
	while (*at && *at != ',') {
		size_t n = strcspn(at, ";,");
		const char *one = arena_strndup(a, at, n);
		struct guest_function *f = array_add(a, &device->functions);

		f->whole_slot = pci_addr_parse(one, &f->addr) < 0;
		if (f->whole_slot)
			assert_int_equal(pci_slot_parse(one, &f->addr), 0);
		at += n + (at[n] == ';');
	}
}

static void made_guest_word(struct arena *a, struct host_guest *guest, char *word)
{
	char *equals = strchr(word, '=');
	const char *v;

	if (made_value(word, "running"))
		guest->running = YES;
	else if (made_value(word, "autostart"))
		guest->autostart = true;
	else if (made_value(word, "template"))
		guest->template_ = true;
	else if ((v = made_value(word, "lock")))
		guest->lock = v;
	else if ((v = made_value(word, "node")))
		guest->node = v;
	else if ((v = made_value(word, "bad")))
		guest->bad = v;
	else if ((v = made_value(word, "snapshot")))
		words_add(a, &guest->snapshots, v);
	else if ((v = made_value(word, "machine")))
		guest->next.machine = v, guest->next.q35 = strstr(v, "q35") != NULL;
	else if (strncmp(word, "now:", 4) == 0)
		*equals = '\0', made_entry(a, &guest->now, word + 4, equals + 1);
	else
		*equals = '\0', made_entry(a, &guest->next, word, equals + 1);
}

static void made_guests(struct host *host, const char *text)
{
	struct host_guests *guests = &host->guests;

	guests->present[HYPERVISOR_PROXMOX] = true;
	guests->tool[HYPERVISOR_PROXMOX] = "qm";
	guests->node = "a";
	guests->quorate = YES;
	for (const char *line = text; *line; line = made_next_line(line)) {
		const char *at = line;
		char *word = made_word(host->arena, &at);
		struct host_guest *guest;

		if (!word)
			continue;
		if (strcmp(word, "@") == 0) {
			word = made_word(host->arena, &at);
			if (strcmp(word, "absent") == 0)
				guests->present[HYPERVISOR_PROXMOX] = false;
			else if (strcmp(word, "no-tool") == 0)
				guests->tool[HYPERVISOR_PROXMOX] = NULL;
			else
				guests->quorate = NO;
			continue;
		}
		guest = array_add(host->arena, &guests->list);
		*guest = (struct host_guest){.hypervisor = HYPERVISOR_PROXMOX,
					     .name = word,
					     .source = "101.conf",
					     .digest = "d1"};
		while ((word = made_word(host->arena, &at)))
			made_guest_word(host->arena, guest, word);
	}
}

/* "101 gpu hostpci0 TEXT BEFORE", a line each. */
static struct ledger *made_known(const char *text)
{
	struct ledger *ledger = ledger_new();

	for (const char *line = text; *line; line = made_next_line(line)) {
		const char *at = line, *words[5];
		struct ledger_guest *g = array_add(ledger->arena, &ledger->guests);

		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			words[i] = made_word(ledger->arena, &at);
		*g = (struct ledger_guest){HYPERVISOR_PROXMOX, words[0], words[1],
					   words[2],	       words[3], words[4]};
	}
	return ledger;
}

static void show(const struct plan *plan, struct strbuf *out)
{
	array_foreach(it, &plan->items)
		if (it->kind == ITEM_VM)
			strbuf_addf(out, "%s %s %s/%s: %s\n", it->id, item_state_name(it->state),
				    layer_state_name(it->files), layer_state_name(it->live),
				    it->reason ? it->reason : "");
	array_foreach(it, &plan->steps) {
		if (it->kind != STEP_SET_GUEST)
			continue;
		array_foreach(word, &it->argv)
			strbuf_addf(out, "%s%s", word == it->argv.at ? "" : " ", *word);
		strbuf_addf(out, " (%s)\n", it->why);
	}
	array_foreach(it, &plan->guests)
		strbuf_addf(out, "ours %s %s %s \"%s\" was \"%s\"\n", it->guest, it->device,
			    it->key, it->text, it->before);
	array_foreach(it, &plan->diags.list)
		if (strncmp(it->message, "guest", 5) == 0)
			strbuf_addf(out, "%s %s\n", severity_name(it->severity),
				    code_name(it->code));
}

struct row {
	const char *name;
	const char *guests, *vms, *ledger;
	const char *expected;
};

/* A card of two functions that is on vfio-pci already, and a network card. */
#define HOST                                                                                       \
	"@ vendor=intel model=\"Core i7\" virt dmar active remap=yes live\n"                       \
	"01:00.0 10de:1b81 030000 reset driver=vfio-pci group=1\n"                                 \
	"01:00.1 10de:10f0 040300 reset driver=vfio-pci group=1\n"                                 \
	"03:00.0 8086:10d3 020000 reset driver=vfio-pci group=3\n"
#define DEVICES                                                                                    \
	"devices: {gpu: {address: 01:00.0}, nic: {address: 03:00.0}, gone: {id: 1234:5678}}\n"
#define GPU  "0000:01:00"
#define OURS "101 gpu hostpci0 " GPU " \"\""

static const struct row rows[] = {
	{"a new entry", "101", "101: {devices: {gpu: {}}}", "",
	 "vm:101/gpu wanted wrong/none: its hostpci0 is not there, and is to be 0000:01:00\n"
	 "qm set 101 --hostpci0 0000:01:00 --digest d1 (vm:101/gpu: its hostpci0 is not there, and "
	 "is to be 0000:01:00)\n"
	 "ours 101 gpu hostpci0 \"0000:01:00\" was \"\"\n"
	 "warning no-ovmf\n"},
	{"two devices, one command", "101", "101: {devices: {gpu: {}, nic: {}}}", "",
	 "vm:101/gpu wanted wrong/none: its hostpci0 is not there, and is to be 0000:01:00\n"
	 "vm:101/nic wanted wrong/none: its hostpci1 is not there, and is to be 0000:03:00\n"
	 "qm set 101 --hostpci0 0000:01:00 --hostpci1 0000:03:00 --digest d1 (vm:101/gpu: its "
	 "hostpci0 is not there, and is to be 0000:01:00)\n"
	 "ours 101 gpu hostpci0 \"0000:01:00\" was \"\"\n"
	 "ours 101 nic hostpci1 \"0000:03:00\" was \"\"\n"
	 "warning no-ovmf\n"},
	{"there already, by another hand and spelled otherwise",
	 "101 machine=q35 hostpci3=0000:01:00.0;0000:01:00.1,pcie=1", "101: {devices: {gpu: {}}}",
	 "",
	 "vm:101/gpu configured right/none: it is not running\n"
	 "warning no-ovmf\n"},
	{"it runs without it", "101 running hostpci0=" GPU, "101: {devices: {gpu: {}}}", OURS,
	 "vm:101/gpu configured right/wrong: it runs, and has it once it was stopped and started\n"
	 "ours 101 gpu hostpci0 \"0000:01:00\" was \"\"\n"
	 "warning no-ovmf\n"},
	{"it runs with it", "101 running hostpci0=" GPU " now:hostpci0=" GPU,
	 "101: {devices: {gpu: {}}}", OURS,
	 "vm:101/gpu active right/right: \n"
	 "ours 101 gpu hostpci0 \"0000:01:00\" was \"\"\n"
	 "warning no-ovmf\n"},
	{"the machine with it", "101", "101: {machine: q35, devices: {gpu: {pcie: true}}}", "",
	 "vm:101/gpu wanted wrong/none: its hostpci0 is not there, and is to be 0000:01:00,pcie=1\n"
	 "qm set 101 --machine q35 --hostpci0 0000:01:00,pcie=1 --digest d1 (vm:101/gpu: its "
	 "hostpci0 is not there, and is to be 0000:01:00,pcie=1)\n"
	 "ours 101 gpu hostpci0 \"0000:01:00,pcie=1\" was \"\"\n"
	 "ours 101  machine \"q35\" was \"\"\n"
	 "warning no-ovmf\n"},
	{"the machine alone", "101 machine=pc-q35-8.1", "101: {machine: q35}", "",
	 "vm:101 configured right/none: it is not running\n"},
	{"another guest has it", "101\n102 hostpci1=" GPU, "101: {devices: {gpu: {}}}", "",
	 "vm:101/gpu blocked none/none: guest 102 has gpu too (hostpci1), and both may be started; "
	 "take it from one of them\n"
	 "error guest-conflict\n"},
	{"another guest has one of its functions", "101\n102 hostpci1=0000:01:00.1",
	 "101: {devices: {gpu: {}}}", "",
	 "vm:101/gpu blocked none/none: guest 102 has gpu too (hostpci1), and both may be started; "
	 "take it from one of them\n"
	 "error guest-conflict\n"},
	{"a template has it, and a guest of another node",
	 "101\n102 template hostpci0=" GPU "\n103 node=b hostpci0=" GPU,
	 "101: {devices: {gpu: {}}}", "",
	 "vm:101/gpu wanted wrong/none: its hostpci0 is not there, and is to be 0000:01:00\n"
	 "qm set 101 --hostpci0 0000:01:00 --digest d1 (vm:101/gpu: its hostpci0 is not there, and "
	 "is to be 0000:01:00)\n"
	 "ours 101 gpu hostpci0 \"0000:01:00\" was \"\"\n"
	 "warning no-ovmf\n"},
	{"another guest has a share of it", "101\n102 hostpci0=0000:01:00.0,mdev=nvidia-63",
	 "101: {devices: {gpu: {}}}", "",
	 "vm:101/gpu wanted wrong/none: its hostpci0 is not there, and is to be 0000:01:00\n"
	 "qm set 101 --hostpci0 0000:01:00 --digest d1 (vm:101/gpu: its hostpci0 is not there, and "
	 "is to be 0000:01:00)\n"
	 "ours 101 gpu hostpci0 \"0000:01:00\" was \"\"\n"
	 "warning no-ovmf\n"},
	{"from one guest to another", "101 hostpci0=" GPU "\n102", "102: {devices: {gpu: {}}}",
	 OURS,
	 "vm:102/gpu wanted wrong/none: its hostpci0 is not there, and is to be 0000:01:00\n"
	 "qm set 101 --delete hostpci0 --digest d1 (vm:101/gpu: no longer wished)\n"
	 "qm set 102 --hostpci0 0000:01:00 --digest d1 (vm:102/gpu: its hostpci0 is not there, and "
	 "is to be 0000:01:00)\n"
	 "ours 102 gpu hostpci0 \"0000:01:00\" was \"\"\n"
	 "warning no-ovmf\n"},
	{"the other way round, with something wished for both", "101\n102 hostpci0=" GPU,
	 "101: {devices: {gpu: {}}}, 102: {devices: {nic: {}}}", "102 gpu hostpci0 " GPU " \"\"",

	 "vm:101/gpu wanted wrong/none: its hostpci0 is not there, and is to be 0000:01:00\n"
	 "vm:102/nic wanted wrong/none: its hostpci1 is not there, and is to be 0000:03:00\n"
	 "qm set 102 --hostpci1 0000:03:00 --delete hostpci0 --digest d1 (vm:102/nic: its hostpci1 "
	 "is not there, and is to be 0000:03:00)\n"
	 "qm set 101 --hostpci0 0000:01:00 --digest d1 (vm:101/gpu: its hostpci0 is not there, and "
	 "is to be 0000:01:00)\n"
	 "ours 102 nic hostpci1 \"0000:03:00\" was \"\"\n"
	 "ours 101 gpu hostpci0 \"0000:01:00\" was \"\"\n"
	 "warning no-ovmf\n"},
	{"wished for two", "101\n102", "101: {devices: {gpu: {}}}, 102: {devices: {gpu: {}}}", "",

	 "vm:101/gpu blocked none/none: guest 101, gpu: it is wished for guest 102 too, and both "
	 "may be started; list it for one of them\n"
	 "vm:102/gpu blocked none/none: guest 102, gpu: it is wished for guest 101 too, and both "
	 "may be started; list it for one of them\n"
	 "error guest-conflict\n"
	 "error guest-conflict\n"},
	{"locked", "101 lock=backup", "101: {devices: {gpu: {}}}", "",
	 "vm:101/gpu blocked wrong/none: guest 101 is locked (backup): it is changed once that is "
	 "over\n"
	 "warning no-ovmf\n"
	 "error guest-locked\n"},
	{"locked, and all is right", "101 lock=backup hostpci0=" GPU, "101: {devices: {gpu: {}}}",
	 OURS,
	 "vm:101/gpu configured right/none: it is not running\n"
	 "ours 101 gpu hostpci0 \"0000:01:00\" was \"\"\n"
	 "warning no-ovmf\n"},
	{"locked, and to be taken back", "101 lock=backup hostpci0=" GPU, "", OURS,
	 "vm:101/gpu blocked none/none: guest 101 is locked (backup): it is changed once that is "
	 "over\n"
	 "ours 101 gpu hostpci0 \"0000:01:00\" was \"\"\n"
	 "error guest-locked\n"},
	{"no quorum", "@ quorum=no\n101", "101: {devices: {gpu: {}}}", "",
	 "vm:101/gpu blocked wrong/none: guest 101: the cluster has no quorum, and takes no "
	 "changes until it has\n"
	 "warning no-ovmf\n"
	 "error no-quorum\n"},
	{"without the command", "@ no-tool\n101", "101: {devices: {gpu: {}}}", "",
	 "vm:101/gpu blocked wrong/none: guest 101: the command that would change it is not "
	 "installed\n"
	 "warning no-ovmf\n"
	 "error no-hypervisor\n"},
	{"on another node", "101 node=b hostpci0=" GPU, "101: {devices: {gpu: {}}}", OURS,
	 "vm:101/gpu blocked none/none: guest 101 is on node b; wish for it there\n"
	 "ours 101 gpu hostpci0 \"0000:01:00\" was \"\"\n"
	 "error guest-elsewhere\n"},
	{"not known", "102", "101: {devices: {gpu: {}}}", "",
	 "vm:101/gpu blocked none/none: Proxmox VE knows no guest 101\n"},
	{"of a hypervisor that is not here", "@ absent", "101: {devices: {gpu: {}}}", OURS,
	 "vm:101/gpu blocked none/none: guest 101: neither Proxmox VE nor libvirt is on this host\n"
	 "ours 101 gpu hostpci0 \"0000:01:00\" was \"\"\n"
	 "error no-hypervisor\n"},
	{"of libvirt, which is not here", "101", "a: {hypervisor: libvirt, devices: {gpu: {}}}", "",

	 "vm:a/gpu blocked none/none: guest a: libvirt is not on this host\n"
	 "error no-hypervisor\n"},
	{"unreadable", "101 bad=\"is cut\"", "101: {devices: {gpu: {}}}", OURS,
	 "vm:101/gpu blocked none/none: guest 101: 101.conf is cut\n"
	 "ours 101 gpu hostpci0 \"0000:01:00\" was \"\"\n"
	 "error bad-file\n"},
	{"a device that is not there: what is ours stays", "101 hostpci0=" GPU,
	 "101: {devices: {gone: {}}}", "101 gone hostpci0 " GPU " \"\"",
	 "vm:101/gone blocked none/none: device:gone is blocked, and no guest is pointed at it\n"
	 "ours 101 gone hostpci0 \"0000:01:00\" was \"\"\n"},
	{"a guest that starts with the host is named", "101 autostart hostpci0=" GPU,
	 "101: {devices: {gone: {}}}", "101 gone hostpci0 " GPU " \"\"",
	 "vm:101/gone blocked none/none: device:gone is blocked, and no guest is pointed at it\n"
	 "ours 101 gone hostpci0 \"0000:01:00\" was \"\"\n"
	 "error guest-blocked\n"},
	{"a snapshot without it", "101 hostpci0=" GPU " snapshot=clean",
	 "101: {devices: {gpu: {}}}", OURS,
	 "vm:101/gpu configured right/none: it is not running\n"
	 "ours 101 gpu hostpci0 \"0000:01:00\" was \"\"\n"
	 "warning no-ovmf\n"
	 "note snapshot-differs\n"},
	{"not wished any more", "101 hostpci0=" GPU, "", OURS,
	 "qm set 101 --delete hostpci0 --digest d1 (vm:101/gpu: no longer wished)\n"},
	{"not wished any more, and another hand's before", "101 hostpci0=" GPU ",pcie=1", "",
	 "101 gpu hostpci0 " GPU ",pcie=1 " GPU,
	 "qm set 101 --hostpci0 0000:01:00 --digest d1 (vm:101/gpu: no longer wished)\n"},
	{"not wished any more, and gone", "101", "", OURS, ""},
	{"the guest is gone", "102", "", OURS, ""},
	{"nothing is seen of any guest", "", "", OURS,
	 "ours 101 gpu hostpci0 \"0000:01:00\" was \"\"\n"},
};

static void guests_are_planned_for(void **state _unused_)
{
	unsigned bad = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = made_host(HOST);
		_cleanup_ledger_ struct ledger *ledger = made_known(rows[i].ledger);
		_cleanup_loaded_ struct loaded spec;
		_cleanup_strbuf_ struct strbuf out = {0}, yaml = {0};
		_cleanup_plan_ struct plan *plan = NULL;

		strbuf_addf(&yaml, DEVICES "vms: {%s}\n", rows[i].vms);
		load_text(strbuf_text(&yaml), &spec);
		assert_non_null(spec.spec);
		made_guests(host, rows[i].guests);
		assert_int_equal(plan_make(spec.spec, host, ledger, &plan), 0);
		show(plan, &out);
		bad += differs(rows[i].name, strbuf_text(&out), rows[i].expected);
	}
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guests_are_planned_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
