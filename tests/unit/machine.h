/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small fake machine for tests of apply: two kernels, GRUB, a card on its own driver, a disk
 * controller on vfio-pci by our hand, and a plan that does one of everything.
 */
#pragma once

#include "apply.h"
#include "fake-ops.h"
#include "paths.h"
#include "scratch.h"

#define OLD_KERNEL "6.1.0-17-amd64"
#define NEW_KERNEL "6.1.0-18-amd64"
#define CARD	   "0000:01:00.0"
#define DISK	   "0000:02:00.0"
#define DEFAULTS   "GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n"
#define MODPROBE   "# managed by passthroughd\noptions kvm ignore_msrs=1\n"
#define DROPIN                                                                                     \
	"# managed by passthroughd\n"                                                              \
	"GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT iommu=pt\"\n"
#define FOREIGN "# local\nvfio\n"

struct machine {
	struct scratch *s;
	struct fake *fake;
	struct ledger *ledger; /* as loaded last */
	struct report *report; /* of the last apply */
};

static inline void machine_device(struct scratch *s, const char *addr, unsigned id,
				  const char *driver)
{
	const char *dir = arena_printf(s->arena, PATH_PCI_DEVICES "/%s", addr);
	char text[16];

#define PUT(name, value) scratch_write(s, arena_printf(s->arena, "%s/" name, dir), value)
	PUT("vendor", "0x10de\n");
	snprintf(text, sizeof(text), "0x%04x\n", id);
	PUT("device", text);
	PUT("subsystem_vendor", "0x1043\n");
	PUT("subsystem_device", "0x8655\n");
	PUT("driver_override", strcmp(driver, "vfio-pci") == 0 ? "vfio-pci\n" : "(null)\n");
	snprintf(text, sizeof(text), "pci:d%04x\n", id);
	PUT("modalias", text);
#undef PUT
	assert_int_equal(symlink(arena_printf(s->arena, "../../../../bus/pci/drivers/%s", driver),
				 scratch_at(s, arena_printf(s->arena, "%s/driver", dir))),
			 0);
}

static inline void machine_kernel(struct scratch *s, const char *version)
{
	const char *dir = arena_printf(s->arena, "/lib/modules/%s", version);

	scratch_write(s, arena_printf(s->arena, "%s/modules.dep", dir),
		      "kernel/vfio.ko:\nkernel/vfio_iommu_type1.ko: kernel/vfio.ko\n"
		      "kernel/vfio-pci-core.ko: kernel/vfio.ko\n"
		      "kernel/vfio-pci.ko: kernel/vfio-pci-core.ko kernel/vfio.ko\n"
		      "kernel/nouveau.ko:\nkernel/nvme.ko:\n");
	scratch_write(s, arena_printf(s->arena, "%s/modules.alias", dir),
		      "alias pci:d1b81* nouveau\nalias pci:d2222* nvme\n");
	scratch_write(s, arena_printf(s->arena, "/boot/vmlinuz-%s", version), "kernel");
	scratch_write(s, arena_printf(s->arena, "/boot/initrd.img-%s", version), "old image");
}

static inline void machine_lay_out(struct scratch *s)
{
	machine_kernel(s, OLD_KERNEL);
	machine_kernel(s, NEW_KERNEL);
	scratch_write(s, "/proc/sys/kernel/osrelease", NEW_KERNEL "\n");
	scratch_write(s, PATH_BOOT_ID, "1111-2222\n");
	scratch_write(s, "/proc/modules", "kvm 1 0 - Live 0x0\n");
	scratch_write(s, PATH_GRUB_DEFAULTS, DEFAULTS);
	assert_int_equal(chmod(scratch_at(s, PATH_GRUB_DEFAULTS), 0640), 0);
	scratch_write(s, "/etc/modprobe.d/local.conf", "options snd power_save=1\n");
	scratch_write(s, PATH_UDEV_RULES, "# managed by passthroughd: old\n");
	scratch_write(s, "/boot/grub/grub.cfg",
		      "menuentry 'a' {\n\tlinux /boot/vmlinuz-" NEW_KERNEL " root=x ro quiet\n}\n");
	scratch_write(s, PATH_MODULES "/kvm/parameters/ignore_msrs", "N\n");
	assert_int_equal(root_mkdirs(s->root, PATH_PCI_DRIVERS "/nouveau"), 0);
	assert_int_equal(root_mkdirs(s->root, PATH_PCI_DRIVERS "/nvme"), 0);
	machine_device(s, CARD, 0x1b81, "nouveau");
	assert_int_equal(root_mkdirs(s->root, PATH_PCI_DRIVERS "/vfio-pci"), 0);
	machine_device(s, DISK, 0x2222, "vfio-pci");
}

/* The disk was bound by us, its rule written by us: an earlier apply's ledger. */
static inline void machine_ledger(struct scratch *s, struct fake *fake)
{
	_cleanup_ledger_ struct ledger *l = ledger_new();
	struct ledger_device *d = array_add(l->arena, &l->devices);
	struct ledger_file *f = array_add(l->arena, &l->files);

	assert_non_null(d);
	assert_non_null(f);
	*d = (struct ledger_device){.name = "disk",
				    .addr = {0, 2, 0, 0},
				    .id = {0x10de, 0x2222, 0x1043, 0x8655},
				    .serial = "",
				    .path = "",
				    .wish = "",
				    .consent = "",
				    .driver = "vfio-pci",
				    .previous = "nvme",
				    .bound = true,
				    .host_drivers = "nvme"};
	*f = (struct ledger_file){
		.path = PATH_UDEV_RULES, .owned = true, .before = "", .after = "0", .intent = ""};
	assert_int_equal(ledger_save(&fake->real, l), 0);
	(void)s;
}

static inline int machine_setup(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));
	void *scratch = NULL;

	*state = m;
	if (!m || scratch_setup(&scratch) < 0)
		return -1;
	m->s = scratch;
	machine_lay_out(m->s);
	if (fake_new(m->s->dir, &m->fake) < 0)
		return -1;
	machine_ledger(m->s, m->fake);
	return ledger_load(&m->fake->real, &m->ledger);
}

static inline int machine_teardown(void **state)
{
	struct machine *m = *state;
	void *scratch = m->s;

	report_free(m->report);
	ledger_free(m->ledger);
	fake_free(m->fake);
	free(m);
	return scratch_teardown(&scratch);
}

#define machine_test(f) cmocka_unit_test_setup_teardown(f, machine_setup, machine_teardown)

/* --- plans ---------------------------------------------------------------------------------- */

static inline struct step *plan_step(struct plan *p, enum step_kind kind, const char *target)
{
	struct step *step = array_add(p->arena, &p->steps);

	assert_non_null(step);
	*step = (struct step){.kind = kind, .target = target, .why = "test: test"};
	return step;
}

static inline struct step *plan_write(struct plan *p, const char *path, const char *before,
				      const char *content)
{
	struct step *step = plan_step(p, STEP_WRITE_FILE, path);

	step->content = content;
	step->size = strlen(content);
	step->before = before;
	step->before_size = before ? strlen(before) : 0;
	step->mode = 0644;
	step->owned = true;
	return step;
}

static inline struct step *plan_shared(struct plan *p, const char *path, const char *before,
				       const char *content, const char *token)
{
	struct step *step = plan_write(p, path, before, content);

	step->owned = false;
	if (token)
		words_add(p->arena, &step->tokens, token);
	return step;
}

static inline struct step *plan_remove(struct plan *p, const char *path, const char *before)
{
	struct step *step = plan_step(p, STEP_REMOVE_FILE, path);

	step->before = before;
	step->before_size = before ? strlen(before) : 0;
	step->owned = true;
	return step;
}

static inline struct step *plan_build(struct plan *p, const char *version)
{
	struct step *step = plan_step(p, STEP_BUILD_INITRAMFS, version);

	words_add(p->arena, &step->argv, "update-initramfs");
	words_add(p->arena, &step->argv, "-u");
	words_add(p->arena, &step->argv, "-k");
	words_add(p->arena, &step->argv, version);
	step->produces = arena_printf(p->arena, "/boot/initrd.img-%s", version);
	step->beside = true;
	return step;
}

static inline struct step *plan_refresh_grub(struct plan *p)
{
	struct step *step = plan_step(p, STEP_REFRESH_LOADER, "update-grub");

	step->produces = "/boot/grub/grub.cfg";
	step->staged = "/boot/grub/grub.cfg.passthroughd";
	words_add(p->arena, &step->argv, "update-grub");
	words_add(p->arena, &step->argv, "-o");
	words_add(p->arena, &step->argv, step->staged);
	return step;
}

static inline struct step *plan_param(struct plan *p, const char *value)
{
	struct step *step = plan_step(p, STEP_SET_PARAMETER, "kvm.ignore_msrs");

	step->module = "kvm";
	step->param = "ignore_msrs";
	step->value = value;
	return step;
}

static inline struct step *plan_bind(struct plan *p)
{
	struct step *step = plan_step(p, STEP_BIND, CARD);

	step->addr = (struct pci_addr){0, 1, 0, 0};
	step->id = (struct pci_id){0x10de, 0x1b81, 0x1043, 0x8655};
	step->device = "gpu";
	step->driver = "vfio-pci";
	return step;
}

static inline void plan_claim_card(struct plan *p, bool bound)
{
	struct ledger_device *claim = array_add(p->arena, &p->claims);

	assert_non_null(claim);
	*claim = (struct ledger_device){.name = "gpu",
					.addr = {0, 1, 0, 0},
					.id = {0x10de, 0x1b81, 0x1043, 0x8655},
					.serial = "",
					.path = "",
					.wish = "",
					.consent = "",
					.driver = "vfio-pci",
					.previous = "nouveau",
					.bound = bound,
					.host_drivers = "nouveau"};
}

static inline struct step *plan_return(struct plan *p)
{
	struct step *step = plan_step(p, STEP_RETURN, DISK);

	step->addr = (struct pci_addr){0, 2, 0, 0};
	step->id = (struct pci_id){0x10de, 0x2222, 0x1043, 0x8655};
	step->device = "disk";
	step->driver = "vfio-pci";
	return step;
}

/* One of everything, made from what is there now as the planner would: what is right is left out.
 */
static inline struct plan *plan_everything(struct machine *m)
{
	const struct ledger_device *known = ledger_device(m->ledger, (struct pci_addr){0, 1, 0, 0});
	struct plan *p = plan_new();
	struct scratch *s = m->s;
	const char *modprobe = scratch_read(s, PATH_MODPROBE);
	const char *dropin = scratch_read(s, PATH_GRUB_DROPIN);
	const char *rules = scratch_read(s, PATH_UDEV_RULES);
	const char *link;
	bool files;

	p->id = "0123456789abcdef";
	if (!modprobe || strcmp(modprobe, MODPROBE) != 0)
		plan_write(p, PATH_MODPROBE, modprobe, MODPROBE);
	if (!dropin || strcmp(dropin, DROPIN) != 0)
		plan_write(p, PATH_GRUB_DROPIN, dropin, DROPIN);
	if (rules)
		plan_remove(p, PATH_UDEV_RULES, rules);
	files = p->steps.n > 0;
	if (files || words_has(&m->ledger->unbuilt, OLD_KERNEL))
		plan_build(p, OLD_KERNEL);
	if (files || words_has(&m->ledger->unbuilt, NEW_KERNEL))
		plan_build(p, NEW_KERNEL);
	if (files || words_has(&m->ledger->unbuilt, "update-grub"))
		plan_refresh_grub(p);
	if (!strstr(scratch_read(s, "/proc/modules"), "vfio_iommu_type1 "))
		plan_step(p, STEP_LOAD_MODULE, "vfio_iommu_type1");
	if (strcmp(scratch_read(s, PATH_MODULES "/kvm/parameters/ignore_msrs"), "Y\n") != 0)
		plan_param(p, "1");
	if (root_readlink(s->root, PATH_PCI_DEVICES "/" DISK "/driver", s->arena, &link) == 0 &&
	    strstr(link, "vfio-pci"))
		plan_return(p);
	if (root_readlink(s->root, PATH_PCI_DEVICES "/" CARD "/driver", s->arena, &link) < 0 ||
	    !strstr(link, "vfio-pci"))
		plan_bind(p);
	plan_claim_card(p, known && known->bound);
	if (!scratch_read(s, PATH_REBOOT_PKGS))
		plan_step(p, STEP_FLAG_REBOOT, PATH_REBOOT);
	words_add(p->arena, &p->adopt, PATH_MODPROBE);
	return p;
}

/* Applies with the ledger that is on the disk, and loads it again. */
static inline int machine_apply(struct machine *m, const struct plan *plan)
{
	int err;

	m->report = report_free(m->report);
	err = plan_apply(plan, m->ledger, &m->fake->ops, NULL, &m->report);
	ledger_free(m->ledger);
	m->ledger = NULL;
	assert_int_equal(ledger_load(&m->fake->real, &m->ledger), 0);
	assert_false(m->ledger->damaged);
	return err;
}

static inline const char *machine_driver(struct machine *m, const char *addr)
{
	const char *link;

	if (root_readlink(m->s->root,
			  arena_printf(m->s->arena, PATH_PCI_DEVICES "/%s/driver", addr),
			  m->s->arena, &link) < 0)
		return "none";
	return strrchr(link, '/') + 1;
}
