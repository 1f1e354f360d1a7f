/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests of libvirt: what an entry lacks, whose it is, and the commands for it (9.14, 9.15). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "hypervisor.h"
#include "strbuf.h"

#define CARD  "0000:01:00.0"
#define AUDIO "0000:01:00.1"

enum { PCIE = 1, NO_PCIE = 2, BAR = 4, NO_BAR = 8, BOTH = 16, PRIMARY = 32, ID = 64, INDEX = 128 };

struct row {
	const char *next[2];   /* text of the entry of each function; NULL: none */
	const char *now[2];    /* the same of what runs; "-": it does not run */
	const char *ledger[2]; /* ours, and the text that we wrote */
	unsigned wish;
	const char *rom_file, *mapping;
	const char *said;  /* "CODE: why" or "why" or "right", live, what is ours */
	const char *steps; /* verbs with function and options */
};

static const struct row rows[] = {
	/* nothing there: ours, with libvirt's defaults or what is given */
	{.said = "it does not have " CARD "; ours .0 managed=no", .steps = "attach .0\n"},
	{.wish = BOTH,
	 .said = "it does not have " CARD "; ours .0 managed=no; ours .1 managed=no",
	 .steps = "attach .0\nattach .1\n"},
	{.wish = NO_BAR,
	 .said = "it does not have " CARD "; ours .0 managed=no rom=off",
	 .steps = "attach .0 <rom bar='off'/>\n"},
	{.wish = BAR,
	 .said = "it does not have " CARD "; ours .0 managed=no",
	 .steps = "attach .0\n"},
	{.rom_file = "/r m'",
	 .said = "it does not have " CARD "; ours .0 managed=no rom-file=/r m'",
	 .steps = "attach .0 <rom file='/r m&apos;'/>\n"},
	{.rom_file = "r.rom",
	 .said = "not-supported: libvirt takes whole paths alone; write rom-file: "
		 "/usr/share/kvm/r.rom, or where it is"},
	/* one of two is there */
	{.next = {"managed=no"},
	 .ledger = {"managed=no"},
	 .wish = BOTH,
	 .said = "it does not have " AUDIO "; ours .0 managed=no; ours .1 managed=no",
	 .steps = "attach .1\n"},
	/* right, by another hand or by us; managed or not */
	{.next = {"managed=yes"}, .said = "right"},
	{.next = {"managed=no"}, .said = "right"},
	{.next = {"managed=no"}, .ledger = {"managed=no"}, .said = "right; ours .0 managed=no"},
	{.next = {"interface managed=yes"}, .said = "right"},
	{.next = {"managed=yes rom=none"}, .wish = NO_BAR, .said = "right"},
	{.next = {"managed=yes rom=off rom-file=/r"}, .said = "right"},
	/* ours and different: what is given is changed, what is not stays */
	{.next = {"managed=no rom=off"},
	 .ledger = {"managed=no rom=off"},
	 .said = "right; ours .0 managed=no rom=off"},
	{.next = {"managed=no rom=off"},
	 .ledger = {"managed=no rom=off"},
	 .wish = BAR,
	 .said = "it has " CARD " in another way; ours .0 managed=no rom=on",
	 .steps = "detach .0 <rom bar='off'/>\nattach .0 <rom bar='on'/>\n"},
	{.next = {"managed=yes driver=x"},
	 .ledger = {"managed=no"},
	 .rom_file = "/r",
	 .said = "it has " CARD " in another way; ours .0 managed=yes driver=x rom-file=/r",
	 .steps = "detach .0\nattach .0 <rom file='/r'/>\n"},
	/* an apply was cut between the note and the command */
	{.next = {"managed=no"},
	 .ledger = {"managed=no rom=off"},
	 .wish = NO_BAR,
	 .said = "it has " CARD " in another way; ours .0 managed=no rom=off",
	 .steps = "detach .0\nattach .0 <rom bar='off'/>\n"},
	/* foreign and different */
	{.next = {"managed=yes"},
	 .wish = NO_BAR | BOTH,
	 .said = "foreign-conflict: another hand gave it " CARD " as \"managed=yes\", and "
		 "\"managed=yes rom=off\" is wished; change it by virsh edit win11"},
	{.next = {"interface managed=yes"},
	 .ledger = {"managed=no"},
	 .rom_file = "/r",
	 .said = "foreign-conflict: another hand gave it " CARD " as \"interface managed=yes\", "
		 "and \"interface managed=yes rom-file=/r\" is wished; change it by virsh edit "
		 "win11"},
	{.next = {"disk managed=yes"},
	 .said = "foreign-conflict: what is on " CARD " is a disk of it; take that out by virsh "
		 "edit win11"},
	/* while it runs */
	{.next = {"managed=no"}, .now = {"managed=no"}, .said = "right live"},
	{.next = {"managed=no", "managed=no"},
	 .now = {"managed=no"},
	 .wish = BOTH,
	 .said = "right not-live"},
	{.now = {NULL, "managed=no"},
	 .said = "it does not have " CARD " not-live; ours .0 managed=no",
	 .steps = "attach .0\n"},
	{.next = {"managed=no rom=off"}, .now = {"managed=no"}, .said = "right not-live"},
	/* no word for it */
	{.wish = PRIMARY,
	 .said = "not-supported: libvirt has no \"primary-gpu\", it is Proxmox VE's alone; take it "
		 "out"},
	{.wish = ID,
	 .said = "not-supported: libvirt has no \"id\", it is Proxmox VE's alone; take it out"},
	{.wish = INDEX,
	 .said = "not-supported: libvirt has no \"index\", it is Proxmox VE's alone; take it out"},
	{.mapping = "gpu",
	 .said = "not-supported: libvirt has no \"mapping\", it is Proxmox VE's alone; take it "
		 "out"},
	{.wish = PCIE,
	 .said = "it does not have " CARD "; ours .0 managed=no",
	 .steps = "attach .0\n"},
	{.wish = NO_PCIE,
	 .said = "not-supported: libvirt itself chooses between PCI and PCI Express on machine "
		 "type "
		 "pc-q35-8.2; take pcie out"},
};

struct ground {
	struct arena *a;
	struct host host;
	struct ledger ledger;
	struct host_guest guest;
	struct spec_vm_device wish;
	struct guest_task task;
};

static struct pci_addr function(unsigned n)
{
	return (struct pci_addr){0, 1, 0, (uint8_t)n};
}

static void give(struct ground *g, struct guest_config *to, const char *const texts[2])
{
	for (unsigned i = 0; i < 2; i++) {
		struct guest_device device = {.key = i ? AUDIO : CARD, .text = texts[i]};
		const struct guest_function f = {.addr = function(i)};

		if (!texts[i])
			continue;
		assert_int_equal(array_push(g->a, &device.functions, f), 0);
		assert_int_equal(array_push(g->a, &to->devices, device), 0);
	}
}

static struct ledger_guest noted(const char *guest, unsigned n, const char *text)
{
	return (struct ledger_guest){.hypervisor = HYPERVISOR_LIBVIRT,
				     .guest = guest,
				     .device = "gpu",
				     .key = n ? AUDIO : CARD,
				     .text = text,
				     .before = ""};
}

static void wish_of(struct ground *g, const struct row *row)
{
	g->wish = (struct spec_vm_device){
		.device = "gpu", .rom_file = row->rom_file, .mapping = row->mapping};
	g->wish.pcie = (struct maybe){row->wish & (PCIE | NO_PCIE), row->wish & PCIE};
	g->wish.rom_bar = (struct maybe){row->wish & (BAR | NO_BAR), row->wish & BAR};
	g->wish.primary_gpu = (struct maybe){row->wish & PRIMARY, row->wish & PRIMARY};
	g->wish.shown.has_id = row->wish & ID;
	g->wish.index.given = row->wish & INDEX;
}

static void lay_out(struct ground *g, const struct row *row)
{
	struct guest_part *part;

	g->guest.hypervisor = HYPERVISOR_LIBVIRT;
	g->guest.name = "win11";
	g->guest.next.machine = "pc-q35-8.2";
	g->guest.next.q35 = g->guest.next.uefi = true;
	g->guest.running = row->now[0] || row->now[1] ? YES : NO;
	give(g, &g->guest.next, row->next);
	give(g, &g->guest.now, row->now);
	wish_of(g, row);
	for (unsigned i = 0; i < 2; i++)
		if (row->ledger[i])
			assert_int_equal(array_push(g->a, &g->ledger.guests,
						    noted("win11", i, row->ledger[i])),
					 0);
	g->task = (struct guest_task){.host = &g->host,
				      .ledger = &g->ledger,
				      .guest = &g->guest,
				      .machine_code = _CODE_INVALID};
	part = array_add(g->a, &g->task.parts);
	assert_non_null(part);
	*part = (struct guest_part){.wish = &g->wish, .device = "gpu", .code = _CODE_INVALID};
	for (unsigned i = 0; i < (row->wish & BOTH ? 2 : 1); i++)
		assert_int_equal(array_push(g->a, &part->addrs, function(i)), 0);
}

static void show_part(struct strbuf *out, const struct guest_part *part)
{
	if (part->code != _CODE_INVALID)
		strbuf_addf(out, "%s: ", code_name(part->code));
	strbuf_add(out, part->why ? part->why : "right");
	strbuf_add(out, part->live == LAYER_RIGHT   ? " live"
			: part->live == LAYER_WRONG ? " not-live"
						    : "");
	array_foreach(it, &part->ours) {
		assert_string_equal(it->guest, "win11");
		assert_string_equal(it->device, "gpu");
		assert_string_equal(it->before, "");
		strbuf_addf(out, "; ours %s %s", strrchr(it->key, '.'), it->text);
	}
}

/* The verb, the function and the options of each; that the rest is as it must be is asserted. */
static void show_steps(struct strbuf *out, const struct guest_steps *steps)
{
	array_foreach(it, &steps->list) {
		const char *rom = strstr(it->input, "<rom"), *verb = it->argv.at[3];
		bool attach = strcmp(verb, "attach-device") == 0;
		const char *at = strstr(it->input, "function='0x");

		assert_int_equal(it->argv.n, 7);
		assert_string_equal(it->argv.at[0], "virsh");
		assert_string_equal(it->argv.at[2], "qemu:///system");
		assert_string_equal(it->argv.at[4], "win11");
		assert_string_equal(it->argv.at[5], "/dev/stdin");
		assert_string_equal(it->argv.at[6], "--config");
		assert_string_equal(it->target, "win11");
		assert_non_null(strstr(it->input, "<hostdev mode='subsystem' type='pci' managed="));
		assert_non_null(
			strstr(it->input, "<address domain='0x0000' bus='0x01' slot='0x00'"));
		assert_int_equal(it->guests.n, attach);
		assert_true(attach || strcmp(verb, "detach-device") == 0);
		strbuf_addf(out, "%.6s .%c", verb, at[strlen("function='0x")]);
		if (rom)
			strbuf_addf(out, " %.*s", (int)strcspn(rom, "\n"), rom);
		strbuf_add(out, "\n");
	}
}

static void entries(void **state _unused_)
{
	const struct hypervisor_row *libvirt = hypervisor_row(HYPERVISOR_LIBVIRT);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf said = {0}, done = {0};
		struct ground g = {.a = a};
		struct guest_steps steps = {0};

		lay_out(&g, &rows[i]);
		assert_int_equal(libvirt->match(a, &g.task), 0);
		show_part(&said, g.task.parts.at);
		assert_string_equal(strbuf_text(&said), rows[i].said);
		if (g.task.parts.at->code == _CODE_INVALID)
			assert_int_equal(libvirt->steps(a, &g.task, &steps), 0);
		show_steps(&done, &steps);
		assert_string_equal(strbuf_text(&done), rows[i].steps ? rows[i].steps : "");
	}
}

static void surplus(void **state _unused_)
{
	static const struct {
		const char *next[2], *steps;
	} left[] = {
		{{"managed=no", "managed=no"}, "detach .1\n"},
		{{NULL, "managed=yes rom=off"}, "detach .1 <rom bar='off'/>\n"},
		{{"managed=no", NULL}, ""},
		{{NULL, "interface managed=yes"}, ""},
		{{NULL, "disk managed=no"}, ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(left); i++) {
		const struct row row = {.next = {left[i].next[0], left[i].next[1]}};
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf done = {0};
		struct ground g = {.a = a};
		struct guest_steps steps = {0};

		lay_out(&g, &row);
		g.task.parts.n = 0;
		assert_int_equal(array_push(a, &g.task.surplus, noted("win11", 1, "managed=no")),
				 0);
		assert_int_equal(hypervisor_row(HYPERVISOR_LIBVIRT)->match(a, &g.task), 0);
		assert_int_equal(hypervisor_row(HYPERVISOR_LIBVIRT)->steps(a, &g.task, &steps), 0);
		show_steps(&done, &steps);
		assert_string_equal(strbuf_text(&done), left[i].steps);
	}
}

static void machines(void **state _unused_)
{
	static const struct {
		const char *wish, *machine, *said;
	} kinds[] = {
		{NULL, "pc-i440fx-8.2", "-"},
		{"q35", "pc-q35-8.2", "-"},
		{"q35", "q35", "-"},
		{"pc", "pc-i440fx-8.2", "-"},
		{"virt", "virt-9.0", "-"},
		{"pc-q35-8.2", "pc-q35-8.2", "-"},
		{"pc-q35-8.1", "pc-q35-8.2",
		 "foreign-conflict: its machine type is pc-q35-8.2, not pc-q35-8.1, and the "
		 "addresses of all its devices hang on that; make the guest anew, or take machine "
		 "out"},
		{"q35", NULL,
		 "foreign-conflict: its machine type is libvirt's default, not q35, and the "
		 "addresses of all its devices hang on that; make the guest anew, or take machine "
		 "out"},
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf said = {0};
		struct ground g = {.a = a};

		lay_out(&g, &rows[0]);
		g.guest.next.machine = kinds[i].machine;
		g.task.machine = kinds[i].wish;
		assert_int_equal(hypervisor_row(HYPERVISOR_LIBVIRT)->match(a, &g.task), 0);
		if (g.task.machine_code != _CODE_INVALID)
			strbuf_addf(&said, "%s: %s", code_name(g.task.machine_code),
				    g.task.machine_why);
		else
			strbuf_add(&said, "-");
		assert_string_equal(said.text, kinds[i].said);
	}
}

/* The bus of an older machine, and names that virsh takes for something else. */
static void refused_guests(void **state _unused_)
{
	static const struct {
		const char *name, *machine;
		enum code code;
	} guests[] = {
		{"win11", "pc-i440fx-8.2", CODE_NEEDS_Q35}, {"win11", NULL, CODE_NEEDS_Q35},
		{"win11", "virt-9.0", _CODE_INVALID},	    {"11", "virt-9.0", CODE_NOT_SUPPORTED},
		{"11a", "virt-9.0", _CODE_INVALID},
	};

	for (size_t i = 0; i < ARRAY_LEN(guests); i++) {
		const struct row row = {.wish = PCIE};
		_cleanup_arena_ struct arena *a = arena_new();
		struct ground g = {.a = a};

		lay_out(&g, &row);
		g.guest.name = guests[i].name;
		g.guest.next.machine = guests[i].machine;
		g.guest.next.q35 = false;
		assert_int_equal(hypervisor_row(HYPERVISOR_LIBVIRT)->match(a, &g.task), 0);
		assert_int_equal(g.task.parts.at->code, guests[i].code);
		assert_int_equal(g.task.parts.at->ours.n, guests[i].code == _CODE_INVALID);
	}
}

static void advice(void **state _unused_)
{
	static const struct {
		uint32_t class;
		bool boot_vga, uefi;
		const char *next, *rom_file, *said;
	} cards[] = {
		{0x030000, false, true, NULL, NULL, ""},
		{0x020000, true, false, NULL, NULL, ""},
		{0x030000, true, false, NULL, NULL, "no-ovmf rom-needed "},
		{0x030200, false, false, NULL, NULL, "no-ovmf "},
		{0x030000, true, true, NULL, "/r", ""},
		{0x030000, true, true, "managed=yes rom-file=/r", NULL, ""},
		{0x030000, true, true, "managed=yes", NULL, "rom-needed "},
		/* blocked: the first thing to be said is why */
		{0x030000, true, false, "disk managed=no", NULL, ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cards); i++) {
		const struct row row = {.next = {cards[i].next}, .rom_file = cards[i].rom_file};
		const struct host_device device = {.addr = {0, 1, 0, 0},
						   .class = cards[i].class,
						   .boot_vga = cards[i].boot_vga};
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf said = {0};
		struct ground g = {.a = a};

		lay_out(&g, &row);
		g.guest.next.uefi = cards[i].uefi;
		assert_int_equal(array_push(a, &g.host.devices, device), 0);
		assert_int_equal(hypervisor_row(HYPERVISOR_LIBVIRT)->match(a, &g.task), 0);
		array_foreach(it, &g.task.parts.at->advice) {
			assert_int_equal(it->severity, SEVERITY_WARNING);
			strbuf_addf(&said, "%s ", code_name(it->code));
		}
		assert_string_equal(strbuf_text(&said), cards[i].said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),  cmocka_unit_test(surplus),
		cmocka_unit_test(machines), cmocka_unit_test(refused_guests),
		cmocka_unit_test(advice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
