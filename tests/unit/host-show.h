/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All of a HOST that a plan depends on, as text: two hosts are alike when their texts are. */
#pragma once

#include <string.h>

#include "host.h"
#include "mask.h"
#include "module-list.h"
#include "strbuf.h"

static inline void host_show_word(struct strbuf *b, const char *name, const char *value)
{
	strbuf_addf(b, "%s=%s\n", name, value ? value : "(null)");
}

static inline void host_show_identity(struct strbuf *b, const char *name, const char *value)
{
	char mask[MASK_TEXT_SIZE];

	host_show_word(b, name, *value ? identity_mask(value, mask) : "");
}

static inline void host_show_device(struct strbuf *b, const struct host *host,
				    const struct host_device *d)
{
	char addr[PCI_ADDR_TEXT_SIZE], id[PCI_ID_TEXT_SIZE];

	strbuf_addf(b,
		    "device %s %s class=%06x group=%d bridge=%d vga=%d reset=%d vfs=%u vf=%d "
		    "direct=%d\n",
		    pci_addr_format(d->addr, addr), pci_id_format(&d->id, id), d->class, d->group,
		    d->bridge, d->boot_vga, d->has_reset, d->vfs, d->is_vf, d->reserved_region);
	host_show_word(b, " parent", d->has_parent ? pci_addr_format(d->parent, addr) : "");
	host_show_word(b, " driver", d->driver);
	host_show_word(b, " override", d->override);
	host_show_word(b, " reset_methods", d->reset_methods);
	host_show_word(b, " label", d->label);
	host_show_identity(b, " pcie serial", d->pcie_serial ? d->pcie_serial : "");
	strbuf_addf(b, " acs=%d\n", d->acs);
	array_foreach(it, &d->serials)
		host_show_identity(b, " serial", *it);
	array_foreach(it, &d->macs)
		host_show_identity(b, " mac", *it);
	array_foreach(it, &d->uses)
		strbuf_addf(b, " %s: %s\n", use_kind_name(it->kind), it->what);
	array_foreach(kernel, &host->kernels) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct words names = {0};

		if (d->modalias)
			module_alias_lookup(a, kernel->modules_alias, kernel->builtin_modinfo,
					    d->modalias, &names);
		array_foreach(it, &names)
			host_show_word(b, " module", *it);
	}
}

static inline void host_show_kernel(struct strbuf *b, const struct host_kernel *k)
{
	strbuf_addf(b, "kernel %s running=%d iommu=%d image=%s\n", k->version, k->running,
		    k->iommu_default_on, image_status_name(k->image.status));
	host_show_word(b, " pkgbase", k->pkgbase);
	host_show_word(b, " vmlinuz", k->vmlinuz);
	host_show_word(b, " builtin", k->modules_builtin);
	host_show_word(b, " softdep", k->modules_softdep);
	for (const char *at = k->modules_dep; *at; at += strspn(at, "\n")) {
		strbuf_addf(b, " dep %.*s\n", (int)strcspn(at, ":"), at);
		at += strcspn(at, "\n");
	}
	host_show_word(b, " image", k->image.path);
	host_show_word(b, " why", k->image.why);
	host_show_word(b, " compression", k->image.compression);
	array_foreach(it, &k->image.modules)
		host_show_word(b, " inside", *it);
	array_foreach(it, &k->image.files)
		host_show_word(b, it->path, it->text);
}

static inline void host_show_boot(struct strbuf *b, const struct host *host)
{
	const struct host_boot *boot = &host->boot;

	strbuf_addf(b, "boot efi=%d dir=%d readable=%d proxmox=%d tool=%d ro=%d\n", boot->efi,
		    boot->grub_dir_read, boot->grub_cfg_readable, boot->proxmox, boot->proxmox_tool,
		    boot->boot_read_only);
	host_show_word(b, " loader", boot->loader_info);
	host_show_word(b, " grub.cfg", boot->grub_cfg);
	host_show_word(b, " mkconfig", boot->grub_mkconfig);
	array_foreach(it, &boot->esps)
		strbuf_addf(b, " esp %s %s\n", it->uuid, it->mount ? it->mount : "-");
	array_foreach(it, &boot->entries)
		strbuf_addf(b, " entry %s line %u: %s | %s | %s%s\n", loader_name(it->loader),
			    it->line, it->title ? it->title : "-", it->kernel ? it->kernel : "-",
			    it->options, it->recovery ? " (recovery)" : "");
}

static inline void host_show_machine(struct strbuf *b, const struct host *host)
{
	const struct host_iommu *iommu = &host->iommu;
	const struct host_cpu *cpu = &host->cpu;

	host_show_word(b, "hostname", host->hostname);
	host_show_identity(b, "machine-id", host->machine_id);
	host_show_word(b, "boot-id", host->boot_id);
	host_show_word(b, "running", host->running_version);
	host_show_word(b, "cmdline", host->cmdline);
	host_show_word(b, "vendor", host->dmi_vendor);
	host_show_word(b, "product", host->dmi_product);
	host_show_word(b, "board", host->dmi_board);
	host_show_word(b, "builder", host->initramfs_builder);
	strbuf_addf(b, "serial tool=%d\n", host->pci_serial_tool);
	array_foreach(it, &host->commands)
		host_show_word(b, "command", *it);
	strbuf_addf(b, "cpu %d virt=%d locked=%d\n", cpu->vendor, cpu->virt, cpu->virt_locked);
	host_show_word(b, " model", cpu->model);
	host_show_word(b, " evidence", cpu->virt_evidence);
	strbuf_addf(b, "iommu %d dmar=%d ivrs=%d active=%d groups=%u remapping=%d\n",
		    iommu->firmware, iommu->dmar, iommu->ivrs, iommu->active, iommu->groups,
		    iommu->remapping);
	host_show_word(b, " evidence", iommu->remapping_evidence);
	host_show_word(b, " off", iommu->off_evidence);
}

/* Names and digests are those of one host, and no part of a capture. */
static inline void host_show_guests(struct strbuf *b, const struct host_guests *guests)
{
	char addr[PCI_ADDR_TEXT_SIZE];

	strbuf_addf(b, "guests quorate=%d mappings=%zu\n", guests->quorate, guests->mappings.n);
	host_show_word(b, " node", guests->node);
	array_foreach(it, &guests->list) {
		strbuf_addf(b, " guest %s q35=%d uefi=%d running=%d pending=%zu", it->name,
			    it->next.q35, it->next.uefi, it->running, it->pending.n);
		array_foreach(device, &it->next.devices) {
			strbuf_addf(b, " %s: %s", device->key, device->text);
			array_foreach(f, &device->functions)
				strbuf_addf(b, " %s", pci_addr_format(f->addr, addr));
		}
		strbuf_add(b, "\n");
	}
}

static inline void host_show(struct strbuf *b, const struct host *host)
{
	host_show_machine(b, host);
	host_show_boot(b, host);
	array_foreach(it, &host->kernels)
		host_show_kernel(b, it);
	array_foreach(it, &host->devices)
		host_show_device(b, host, it);
	strbuf_addf(b, "modules known=%d\n", host->modules_known);
	array_foreach(m, &host->modules) {
		strbuf_addf(b, " %s builtin=%d", m->name, m->builtin);
		array_foreach(p, &m->params)
			strbuf_addf(b, " %s=%s%s", p->name, p->value, p->writable ? "" : " (ro)");
		strbuf_add(b, "\n");
	}
	array_foreach(f, &host->files)
		strbuf_addf(b, "file %s %d %d %04o %u %u\n%s", f->path, f->status, f->error,
			    f->mode, f->uid, f->gid, f->text);
	array_foreach(it, &host->modprobe_order)
		host_show_word(b, "modprobe", *it);
	host_show_guests(b, &host->guests);
}
