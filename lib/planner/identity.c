/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan->id: a digest of the spec and of what was observed that the plan depends on. Large indexes
 * (modules.dep, modules.alias) count by what was concluded from them, which the items and steps
 * hold; files, entries, devices and images count as they are.
 */
#include <string.h>

#include "digest.h"
#include "paths.h"
#include "planning.h"

static void add(struct strbuf *out, const char *name, const char *value)
{
	strbuf_addf(out, "%s=%s\n", name, value ? value : "(none)");
}

static void add_files(const struct host *host, struct strbuf *out)
{
	array_foreach(it, &host->files) {
		/* Our own bookkeeping and the reboot flag change with every apply. */
		if (strncmp(it->path, PATH_STATE_DIR, strlen(PATH_STATE_DIR)) == 0 ||
		    strncmp(it->path, PATH_REBOOT, strlen(PATH_REBOOT)) == 0)
			continue;
		strbuf_addf(out, "file %s %d %o %zu\n", it->path, (int)it->status, it->mode,
			    it->size);
		strbuf_addn(out, it->text, it->size);
	}
}

void identify_image(const struct host_image *image, struct strbuf *out)
{
	array_foreach(file, &image->files) {
		strbuf_addf(out, "inside %s %zu\n", file->path, file->size);
		strbuf_addn(out, file->text, file->size);
	}
	array_foreach(name, &image->modules)
		strbuf_addf(out, "%s ", *name);
}

static void add_kernels(const struct host *host, struct strbuf *out)
{
	array_foreach(it, &host->kernels) {
		strbuf_addf(out, "kernel %s %d %d %d\n", it->version, it->running,
			    (int)it->iommu_default_on, (int)it->image.status);
		add(out, "vmlinuz", it->vmlinuz);
		identify_image(&it->image, out);
		array_foreach(copy, &it->copies) {
			strbuf_addf(out, "copy %s %d\n", copy->path, (int)copy->status);
			identify_image(copy, out);
		}
	}
}

static void add_boot(const struct host *host, struct strbuf *out)
{
	array_foreach(it, &host->boot.entries) {
		strbuf_addf(out, "entry %s:%u %d\n", it->source, it->line, it->recovery);
		add(out, it->kernel ? it->kernel : "", it->options);
	}
	array_foreach(it, &host->boot.esps)
		strbuf_addf(out, "esp %s %d %d\n", it->uuid, it->there, it->seen != NULL);
	add(out, "loader", host->boot.loader_info);
	add(out, "stub", host->boot.stub_info);
	strbuf_addf(out, "boot %d %d %d %d %s\n", host->boot.efi, host->boot.proxmox,
		    host->boot.grub_dir_read, host->boot.boot_read_only,
		    host->boot.grub_mkconfig ? host->boot.grub_mkconfig : "");
	add(out, "builder", host->initramfs_builder);
	if (host->builder_old)
		add(out, "builder", "old");
	add(out, "cmdline", host->cmdline);
}

static void add_devices(const struct host *host, struct strbuf *out)
{
	array_foreach(it, &host->devices) {
		char addr[PCI_ADDR_TEXT_SIZE], id[PCI_ID_TEXT_SIZE];

		strbuf_addf(out, "device %s %s %06x %d %s %s %d %u\n",
			    pci_addr_format(it->addr, addr), pci_id_format(&it->id, id), it->class,
			    it->group, it->driver ? it->driver : "-",
			    it->override ? it->override : "-", it->boot_vga, it->vfs);
		/* Who has it open or is logged in changes by the minute: that somebody is, counts.
		 */
		array_foreach(use, &it->uses)
			strbuf_addf(out, "use %d %s\n", (int)use->kind,
				    use->kind == USE_OPEN || use->kind == USE_SSH ? "" : use->what);
	}
}

static void add_conclusions(const struct planning *p, struct strbuf *out)
{
	array_foreach(it, &p->plan->items)
		strbuf_addf(out, "item %s %d %d%d%d %s\n", it->id, (int)it->state, (int)it->files,
			    (int)it->boot, (int)it->live, it->reason ? it->reason : "");
	array_foreach(it, &p->plan->steps) {
		strbuf_addf(out, "step %d %s\n", (int)it->kind, it->target);
		strbuf_addn(out, it->content ? it->content : "", it->size);
		if (it->kind != STEP_SET_GUEST)
			continue;
		/* The digest of the guest's configuration is among them. */
		array_foreach(word, &it->argv)
			strbuf_addf(out, "word %s\n", *word);
		add(out, "input", it->input);
	}
	array_foreach(device, &p->plan->devices) {
		char addr[PCI_ADDR_TEXT_SIZE];

		strbuf_addf(out, "identity %s %d\n", device->name, (int)device->identity);
		array_foreach(it, &device->addrs)
			strbuf_addf(out, "takes %s\n", pci_addr_format(*it, addr));
	}
	array_foreach(device, &p->plan->devices)
		array_foreach(it, &device->verdicts)
			strbuf_addf(out, "verdict %s %d %s\n", device->name, (int)it->code,
				    it->message);
}

int plan_identify(struct planning *p)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	char text[DIGEST_TEXT_SIZE];

	add(&out, "spec", p->spec->canonical);
	add_files(p->host, &out);
	add_kernels(p->host, &out);
	add_boot(p->host, &out);
	add_devices(p->host, &out);
	add_conclusions(p, &out);
	if (out.error)
		return out.error;
	digest_bytes(strbuf_text(&out), out.len, text);
	p->plan->id = arena_strdup(p->a, text);
	return p->plan->id ? 0 : -ENOMEM;
}
