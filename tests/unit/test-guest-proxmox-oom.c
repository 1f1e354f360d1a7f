/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory runs out at every allocation in turn while a guest of Proxmox VE is matched and changed.
 */
#include "observe-text.h"

#include "hypervisor.h"
#include "oom.h"

#define HOST                                                                                       \
	"[/etc/pve]\nlocal -> nodes/pve1\n"                                                        \
	"[/sys/bus/pci/devices/0000:01:00.0]\nvendor = 0x10de\ndevice = 0x1b81\n"                  \
	"class = 0x030000\nsubsystem_vendor = 0x1043\nsubsystem_device = 0x8655\n"                 \
	"boot_vga = 1\niommu_group -> ../../../../kernel/iommu_groups/1\n"                         \
	"[/sys/bus/pci/devices/0000:01:00.1]\nvendor = 0x10de\ndevice = 0x10f0\n"                  \
	"class = 0x040300\n"
#define CONF "[/etc/pve/nodes/pve1/qemu-server]\n101.conf <<\n"
#define MAPS "[/etc/pve/mapping]\npci.cfg <<\n\tgpu\n"

struct scene {
	const char *body;
	const char *machine;
	struct spec_vm_device wish;
	struct ledger_guest known[3];
	const char *said; /* the steps' words and the part's code, to be sure of what is tried */
};

static const struct scene scenes[] = {
	{.body = CONF "\tmemory: 1\n\tcpu: host,hidden=1\n",
	 .machine = "q35",
	 .wish = {.pcie = {true, true},
		  .primary_gpu = {true, true},
		  .rom_bar = {true, false},
		  .rom_file = "a",
		  .shown = {.has_id = true, .id = {1, 2, 3, 4}}},
	 .said = "qm set 101 --machine q35 --hostpci0 0000:01:00,pcie=1,x-vga=1,rombar=0,romfile=a,"
		 "vendor-id=0x0001,device-id=0x0002,sub-vendor-id=0x0003,sub-device-id=0x0004 "},
	{.body = CONF "\tmachine: pc,viommu=virtio\n\thostpci0: 04:00\n",
	 .machine = "pc",
	 .said = "qm set 101 --hostpci1 0000:01:00 "},
	{.body = CONF "\tmachine: q35\n\thostpci0: 04:00,pcie=1\n",
	 .machine = "pc",
	 .said = "needs-q35 qm set 101 --hostpci1 0000:01:00 "},
	{.body = CONF "\thostpci0: 01:00,romfile=b,rombar=0\n",
	 .wish = {.primary_gpu = {true, true}},
	 .known = {{.key = "hostpci0", .text = "01:00,rombar=0", .before = "01:00"}},
	 .said = "qm set 101 --hostpci0 01:00,romfile=b,rombar=0,x-vga=1 "},
	{.body = CONF "\thostpci0: 07:00\n",
	 .known = {{.key = "hostpci0", .text = "07:00", .before = ""}},
	 .said = "qm set 101 --hostpci0 0000:01:00 "},
	{.body = CONF "\thostpci0: 07:00\n",
	 .wish = {.index = {true, 0}},
	 .said = "foreign-conflict "},
	{.body = CONF "\tmemory: 1\n",
	 .wish = {.mapping = "gpu"},
	 .said = "pvesh create /cluster/mapping/pci --id gpu --map id=10de:1b81,iommugroup=1,"
		 "node=pve1,path=0000:01:00,subsystem-id=1043:8655 qm set 101 --hostpci0 "
		 "mapping=gpu "},
	{.body = CONF "\thostpci0: mapping=gpu\n" MAPS
		      "\t\tmap node=pve2,path=0000:02:00,id=10de:1b81\n"
		      "\t\tmap node=pve1,path=0000:02:00,id=10de:1b81\n",
	 .wish = {.mapping = "gpu"},
	 .said = "pvesh set /cluster/mapping/pci/gpu --map node=pve2,path=0000:02:00,id=10de:1b81 "
		 "--map "
		 "node=pve1,path=0000:01:00,id=10de:1b81,iommugroup=1,subsystem-id=1043:8655 "},
	{.body = CONF "\thostpci0: 01:00\n\thostpci3: 03:00,pcie=1\n\thostpci4: 05:00\n"
		      "\tmachine: q35\n",
	 .known = {{.device = "x", .key = "hostpci3", .text = "03:00,pcie=1", .before = ""},
		   {.device = "y", .key = "hostpci4", .text = "06:00", .before = ""},
		   {.device = "", .key = "machine", .text = "q35", .before = ""}},
	 .said = "qm set 101 --delete hostpci3,machine left "},
	{.body = CONF "\thostpci0: 01:00\n\thostpci3: 03:00,pcie=1,x-vga=1\n\tmachine: q35\n",
	 .known = {{.device = "x", .key = "hostpci3", .text = "03:00,pcie=1", .before = "03:00"},
		   {.device = "", .key = "machine", .text = "q35", .before = "pc"}},
	 .said = "qm set 101 --hostpci3 03:00,x-vga=1 --machine pc "},
};

struct work {
	const struct scene *scene;
	const struct host *host;
	struct strbuf said;
};

static void set_up(struct arena *a, const struct work *work, struct ledger *ledger,
		   struct guest_task *task)
{
	const struct scene *scene = work->scene;
	struct guest_part *part;

	*task = (struct guest_task){
		.host = work->host,
		.ledger = ledger,
		.guest = guest_named(&work->host->guests, HYPERVISOR_PROXMOX, "101"),
		.machine = scene->machine,
		.machine_code = _CODE_INVALID};
	part = array_add(a, &task->parts);
	*part = (struct guest_part){
		.wish = &scene->wish, .device = "gpu", .whole_slot = true, .code = _CODE_INVALID};
	array_push(a, &part->addrs, ((struct pci_addr){0, 1, 0, 0}));
	array_push(a, &part->addrs, ((struct pci_addr){0, 1, 0, 1}));
	for (size_t i = 0; i < ARRAY_LEN(scene->known) && scene->known[i].key; i++) {
		struct ledger_guest known = scene->known[i];

		known.hypervisor = HYPERVISOR_PROXMOX;
		known.guest = "101";
		if (known.device)
			array_push(a, &task->surplus, known);
		else
			known.device = "gpu";
		array_push(ledger->arena, &ledger->guests, known);
	}
}

/* As the planner does: what cannot be is left out of the steps. */
static int change(struct arena *a, struct guest_task *task, struct guest_steps *ret)
{
	const struct hypervisor_row *row = hypervisor_row(HYPERVISOR_PROXMOX);
	const struct ledger_guest mapping = {.hypervisor = HYPERVISOR_PROXMOX,
					     .guest = "",
					     .key = "gpu",
					     .text = "node=pve1,path=0000:02:00"};
	struct guest_steps dropped = {0};
	int err = row->match(a, task);

	if (err == 0 && task->parts.at[0].code != _CODE_INVALID)
		task->parts.n = 0;
	if (err == 0)
		err = row->steps(a, task, ret);
	return err < 0 ? err : row->drop(a, task->host, &mapping, &dropped);
}

static void tell(const struct guest_task *task, const struct guest_steps *steps, struct strbuf *out)
{
	if (!task->parts.n)
		strbuf_addf(out, "%s ", code_name(task->parts.at[0].code));
	if (task->machine_code != _CODE_INVALID)
		strbuf_addf(out, "%s ", code_name(task->machine_code));
	array_foreach(step, &steps->list)
		for (size_t i = 0; i < step->argv.n; i++) {
			if (strcmp(step->argv.at[i], "--digest") == 0)
				break;
			strbuf_addf(out, "%s ", step->argv.at[i]);
		}
	strbuf_add(out, task->left.n ? "left " : "");
}

static int attempt(void *arg)
{
	struct work *work = arg;
	unsigned left = oom_left;
	struct guest_steps steps = {0};
	struct guest_task task;
	struct ledger *ledger;
	struct arena *a;
	int err;

	oom_left = 0;
	a = arena_new();
	ledger = ledger_new();
	set_up(a, work, ledger, &task);
	oom_left = left;
	err = change(a, &task, &steps);
	left = oom_left;
	oom_left = 0;
	work->said.len = 0;
	if (err == 0)
		tell(&task, &steps, &work->said);
	oom_left = left;
	ledger_free(ledger);
	arena_free(a);
	return err;
}

static void a_change_or_out_of_memory(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(scenes); i++) {
		_cleanup_strbuf_ struct strbuf body = {0};
		_cleanup_host_ struct host *host = NULL;
		struct work work = {.scene = &scenes[i]};

		strbuf_addf(&body, HOST "%s", scenes[i].body);
		host = observe_text(strbuf_text(&body), &(struct observe_options){0});
		work.host = host;
		assert_true(oom_everywhere(attempt, &work) > 0);
		assert_string_equal(strbuf_text(&work.said), scenes[i].said);
		strbuf_done(&work.said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_or_out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
