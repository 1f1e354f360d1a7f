/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests of libvirt: one <hostdev> a function, written by virsh into the definition that counts at
 * the next start (9.14). They are managed='no', since binding is ours (9.15): libvirt then takes
 * nothing from the host, and a guest whose device is not bound does not start.
 */
#include <errno.h>
#include <string.h>

#include "domain-xml.h"
#include "rows.h"

struct libvirt {
	struct arena *a;
	struct guest_task *task;
	bool lost;
};

static bool kept(struct libvirt *l, bool ok)
{
	l->lost |= !ok;
	return ok;
}

/* The first answer holds. */
static void refuse(struct libvirt *l, struct guest_part *part, enum code code, const char *why)
{
	if (!kept(l, why != NULL) || part->code != _CODE_INVALID)
		return;
	part->code = code;
	part->why = why;
}

static const char *entry_text(const struct guest_config *config, const char *key)
{
	const struct guest_device *device = guest_device_at(config, key);

	return device ? device->text : NULL;
}

/* --- a function ------------------------------------------------------------------------------- */

/* What is given in the spec, put over what is there; what is not given stays. */
static void lay_over(struct domain_device *device, const struct spec_vm_device *wish)
{
	bool hidden = device->rom && strcmp(device->rom, "on") != 0;

	if (wish->rom_bar.given && wish->rom_bar.value == hidden)
		device->rom = wish->rom_bar.value ? "on" : "off";
	if (wish->rom_file)
		device->rom_file = wish->rom_file;
}

/* By its text: another kind begins with its word. */
static bool is_hostdev(const char *text)
{
	return strncmp(text, "managed=", strlen("managed=")) == 0;
}

/* As it is to stand there; present NULL: it is new. NULL: it is answered, or no memory. */
static const char *wanted_text(struct libvirt *l, struct guest_part *part, const char *key,
			       const char *present)
{
	struct domain_device device = {.kind = DOMAIN_HOSTDEV};
	const char *text;
	int err = present ? domain_device_parse(l->a, present, &device) : 0;

	if (!kept(l, err != -ENOMEM) || err < 0)
		return NULL;
	if (device.kind == DOMAIN_DISK) {
		refuse(l, part, CODE_FOREIGN_CONFLICT,
		       arena_printf(l->a,
				    "what is on %s is a disk of it; take that out by virsh edit %s",
				    key, l->task->guest->name));
		return NULL;
	}
	lay_over(&device, part->wish);
	text = domain_device_text(l->a, &device);
	kept(l, text != NULL);
	return text;
}

static void claim(struct libvirt *l, struct guest_part *part, const char *key, const char *text)
{
	kept(l, array_push(l->a, &part->ours,
			   ((struct ledger_guest){.hypervisor = HYPERVISOR_LIBVIRT,
						  .guest = l->task->guest->name,
						  .device = part->device,
						  .key = key,
						  .text = text,
						  .before = ""})) == 0);
}

/* Runs with it as it is to be. */
static void see_live(struct libvirt *l, struct guest_part *part, const char *key, const char *text)
{
	const char *now = entry_text(&l->task->guest->now, key);

	if (l->task->guest->running == YES && part->live != LAYER_WRONG)
		part->live = now && strcmp(now, text) == 0 ? LAYER_RIGHT : LAYER_WRONG;
}

static void match_function(struct libvirt *l, struct guest_part *part, struct pci_addr addr)
{
	const struct host_guest *guest = l->task->guest;
	char name[PCI_ADDR_TEXT_SIZE];
	const char *key = arena_strdup(l->a, pci_addr_format(addr, name)), *present, *text;
	bool ours;

	if (!kept(l, key != NULL))
		return;
	present = entry_text(&guest->next, key);
	ours = !present || (is_hostdev(present) &&
			    ledger_guest(l->task->ledger, HYPERVISOR_LIBVIRT, guest->name, key));
	text = wanted_text(l, part, key, present);
	if (!text)
		return;
	see_live(l, part, key, text);
	if (ours)
		claim(l, part, key, text);
	if (present && strcmp(present, text) == 0)
		return;
	if (!ours) {
		refuse(l, part, CODE_FOREIGN_CONFLICT,
		       arena_printf(l->a,
				    "another hand gave it %s as \"%s\", and \"%s\" is wished; "
				    "change it by virsh edit %s",
				    key, present, text, guest->name));
		return;
	}
	if (part->code != _CODE_INVALID || part->why)
		return;
	part->why = present ? arena_printf(l->a, "it has %s in another way", key)
			    : arena_printf(l->a, "it does not have %s", key);
	kept(l, part->why != NULL);
}

/* --- what libvirt has no word for ------------------------------------------------------------- */

static void refuse_foreign_words(struct libvirt *l, struct guest_part *part)
{
	const char *name = spec_proxmox_key(part->wish, 0);

	if (name)
		refuse(l, part, CODE_NOT_SUPPORTED,
		       arena_printf(l->a,
				    "libvirt has no \"%s\", it is Proxmox VE's alone; take it "
				    "out",
				    name));
}

/* Proxmox VE's files have a folder of their own; libvirt hands the path to QEMU as it is. */
static void check_rom(struct libvirt *l, struct guest_part *part)
{
	const char *file = part->wish->rom_file;

	if (file && *file != '/')
		refuse(l, part, CODE_NOT_SUPPORTED,
		       arena_printf(l->a,
				    "libvirt takes whole paths alone; write rom-file: "
				    "/usr/share/kvm/%s, or where it is",
				    file));
}

/* libvirt plugs in what is PCI Express as that where the machine has a root for it. */
static void check_bus(struct libvirt *l, struct guest_part *part)
{
	const struct guest_config *next = &l->task->guest->next;
	const char *machine = next->machine ? next->machine : "its default";
	bool express = next->q35 || strncmp(machine, "virt", 4) == 0;

	if (!part->wish->pcie.given || part->wish->pcie.value == express)
		return;
	if (express)
		refuse(l, part, CODE_NOT_SUPPORTED,
		       arena_printf(l->a,
				    "libvirt itself chooses between PCI and PCI Express on "
				    "machine type %s; take pcie out",
				    machine));
	else
		refuse(l, part, CODE_NEEDS_Q35,
		       arena_printf(l->a,
				    "PCI Express needs machine type q35, and it is %s; take pcie "
				    "out, or make the guest anew with q35",
				    machine));
}

/* --- advice ----------------------------------------------------------------------------------- */

static void say(struct libvirt *l, struct guest_part *part, enum code code, const char *text)
{
	const struct guest_advice advice = {SEVERITY_WARNING, code, text};

	kept(l, array_push(l->a, &part->advice, advice) == 0);
}

static bool has_rom_file(struct libvirt *l, const struct guest_part *part, struct pci_addr addr)
{
	char name[PCI_ADDR_TEXT_SIZE];
	const char *text = entry_text(&l->task->guest->next, pci_addr_format(addr, name));
	struct domain_device device;
	int err = text ? domain_device_parse(l->a, text, &device) : -EBADMSG;

	kept(l, err != -ENOMEM);
	return part->wish->rom_file || (err == 0 && device.rom_file);
}

static void advise(struct libvirt *l, struct guest_part *part)
{
	array_foreach(it, &part->addrs) {
		const struct host_device *card = host_device(l->task->host, *it);

		if (!card || !pci_class_is_display(card->class))
			continue;
		if (!l->task->guest->next.uefi)
			say(l, part, CODE_NO_OVMF,
			    "a graphics card works best with UEFI firmware (firmware='efi' of its "
			    "os); a guest that was installed without may need that done anew");
		if (card->boot_vga && !has_rom_file(l, part, *it))
			say(l, part, CODE_ROM_NEEDED,
			    "the host was started with this card, so the ROM that it shows was "
			    "used; give a fresh one by rom-file");
	}
}

/* --- match ------------------------------------------------------------------------------------ */

static void match_part(struct libvirt *l, struct guest_part *part)
{
	part->live = LAYER_NONE;
	refuse_foreign_words(l, part);
	check_bus(l, part);
	check_rom(l, part);
	array_foreach(it, &part->addrs)
		match_function(l, part, *it);
	if (part->code != _CODE_INVALID)
		part->ours.n = 0;
	else
		advise(l, part);
}

/* "q35" is any version of it, as libvirt itself has it. */
static bool machine_fits(const char *wish, const char *machine)
{
	static const struct {
		const char *name, *prefix;
	} families[] = {{"q35", "pc-q35-"}, {"pc", "pc-i440fx-"}, {"virt", "virt-"}};

	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (strcmp(wish, families[i].name) == 0 &&
		    strncmp(machine, families[i].prefix, strlen(families[i].prefix)) == 0)
			return true;
	return strcmp(wish, machine) == 0;
}

static void match_machine(struct libvirt *l)
{
	struct guest_task *task = l->task;
	const char *machine = task->guest->next.machine;

	if (!task->machine || (machine && machine_fits(task->machine, machine)))
		return;
	task->machine_code = CODE_FOREIGN_CONFLICT;
	task->machine_why = arena_printf(l->a,
					 "its machine type is %s, not %s, and the addresses of all "
					 "its devices hang on that; make the guest anew, or take "
					 "machine out",
					 machine ? machine : "libvirt's default", task->machine);
	kept(l, task->machine_why != NULL);
}

static int match(struct arena *a, struct guest_task *task)
{
	struct libvirt l = {a, task, false};
	const char *name = task->guest->name;

	array_foreach(it, &task->parts) {
		/* virsh would take the name for the number of a guest that runs. */
		if (name[strspn(name, "0123456789")] == '\0')
			refuse(&l, it, CODE_NOT_SUPPORTED,
			       "virsh cannot tell a name of digits from the number of a guest "
			       "that runs; rename it by virsh domrename");
		match_part(&l, it);
	}
	match_machine(&l);
	return l.lost ? -ENOMEM : 0;
}

/* --- steps ------------------------------------------------------------------------------------ */

/* virsh VERB GUEST with the element on its standard input. entry: what is ours once it is through.
 */
static int add_step(struct arena *a, const char *verb, const char *guest,
		    const struct domain_device *device, const struct ledger_guest *entry,
		    struct guest_steps *ret)
{
	const char *argv[] = {"virsh", "-c",	     "qemu:///system", verb,
			      guest,   "/dev/stdin", "--config"};
	_cleanup_strbuf_ struct strbuf xml = {0};
	struct step step = {.target = guest};

	for (size_t i = 0; i < ARRAY_LEN(argv); i++)
		if (array_push(a, &step.argv, argv[i]) < 0)
			return -ENOMEM;
	if (entry && array_push(a, &step.guests, *entry) < 0)
		return -ENOMEM;
	domain_device_element(device, &xml);
	if (strbuf_to_arena(&xml, a, &step.input) < 0)
		return -ENOMEM;
	return array_push(a, &ret->list, step);
}

static int read_entry(struct arena *a, const char *key, const char *text, struct domain_device *ret)
{
	int err = domain_device_parse(a, text, ret);

	return err < 0 ? err : pci_addr_parse(key, &ret->addr);
}

/* Gone already is well; where it is another kind of element now, another hand made that. */
static int detach(struct arena *a, const struct guest_task *task, const struct ledger_guest *entry,
		  struct guest_steps *ret)
{
	const char *present = entry_text(&task->guest->next, entry->key);
	struct domain_device device;
	int err = present ? read_entry(a, entry->key, present, &device) : -EBADMSG;

	if (err == -ENOMEM)
		return err;
	if (err < 0 || device.kind != DOMAIN_HOSTDEV)
		return 0;
	return add_step(a, "detach-device", task->guest->name, &device, NULL, ret);
}

static int attach(struct arena *a, const struct guest_task *task, const struct ledger_guest *entry,
		  struct guest_steps *ret)
{
	const char *present = entry_text(&task->guest->next, entry->key);
	struct domain_device device;
	int err;

	if (present && strcmp(present, entry->text) == 0)
		return 0;
	err = read_entry(a, entry->key, entry->text, &device);
	if (err == 0)
		err = detach(a, task, entry, ret);
	if (err == 0)
		err = add_step(a, "attach-device", task->guest->name, &device, entry, ret);
	return err == -ENOMEM ? err : 0;
}

static int steps(struct arena *a, const struct guest_task *task, struct guest_steps *ret)
{
	array_foreach(it, &task->surplus)
		if (detach(a, task, it, ret) < 0)
			return -ENOMEM;
	array_foreach(part, &task->parts)
		array_foreach(it, &part->ours)
			if (attach(a, task, it, ret) < 0)
				return -ENOMEM;
	return 0;
}

const struct hypervisor_row hypervisor_libvirt = {
	.hypervisor = HYPERVISOR_LIBVIRT,
	.title = "libvirt",
	.match = match,
	.steps = steps,
};
