/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests of libvirt's system instance, by the files that it keeps of them (9.14). */
#include "domain-xml.h"
#include "observe-parts.h"
#include "paths.h"

#define SUFFIX ".xml"

/* --- one file --------------------------------------------------------------------------------- */

static void add_device(struct observer *o, struct guest_config *to,
		       const struct domain_device *from)
{
	char addr[PCI_ADDR_TEXT_SIZE];
	struct guest_device device = {.key = keep(o, pci_addr_format(from->addr, addr))};
	const struct guest_function function = {.addr = from->addr};

	device.text = domain_device_text(o->a, from);
	kept(o, device.text != NULL);
	kept(o, array_push(o->a, &device.functions, function) == 0);
	kept(o, array_push(o->a, &to->devices, device) == 0);
}

/* NULL: it was read. why says so otherwise; also when the memory ran out, which is told at the end.
 */
static const char *read_domain(struct observer *o, const char *path, const char *name,
			       struct guest_config *ret)
{
	struct domain_xml domain;
	const char *text, *why = "cannot be read";
	size_t size;
	int err = o->tree->ops->read(o->tree, path, MAX_CONFIG, o->scratch, &text, &size);

	if (err == 0)
		err = domain_xml_parse(o->scratch, text, size, &domain, &why);
	if (err < 0) {
		kept(o, err != -ENOMEM);
		return err == -EFBIG ? "is too large" : why;
	}
	/* libvirt does not load it then. */
	if (strcmp(domain.name, name) != 0)
		return "holds a domain of another name";
	ret->machine = keep(o, domain.machine);
	ret->q35 = domain.machine && strstr(domain.machine, "q35");
	ret->uefi = domain.uefi;
	array_foreach(it, &domain.devices)
		add_device(o, ret, it);
	return NULL;
}

/* --- guests ----------------------------------------------------------------------------------- */

/* Both files stay behind when a guest ends while libvirt is away; no capture lists processes. */
static enum tristate see_running(struct observer *o, const char *name)
{
	const char *pid = see_line(o, PATH_LIBVIRT_RUN "/%s.pid", name);

	if (!pid || !*pid || strspn(pid, "0123456789") < strlen(pid) ||
	    !see_exists(o, PATH_LIBVIRT_RUN "/%s" SUFFIX, name))
		return NO;
	return !o->tree->live || see_exists(o, "/proc/%s", pid) ? YES : NO;
}

static void add_domain(struct observer *o, const char *file, const struct words *autostart)
{
	struct host_guest guest = {.hypervisor = HYPERVISOR_LIBVIRT};
	const char *why;

	guest.name = keep_printf(o, "%.*s", (int)(strlen(file) - strlen(SUFFIX)), file);
	guest.source = keep_printf(o, PATH_LIBVIRT_DOMAINS "/%s", file);
	guest.autostart = words_has(autostart, file);
	guest.running = see_running(o, guest.name);
	why = read_domain(o, guest.source, guest.name, &guest.next);
	guest.bad = keep(o, why);
	if (guest.running == YES) {
		why = read_domain(o, keep_printf(o, PATH_LIBVIRT_RUN "/%s", file), guest.name,
				  &guest.now);
		guest.running = why ? UNKNOWN : YES;
	}
	kept(o, array_push(o->a, &o->host->guests.list, guest) == 0);
	scratch_trim(o);
}

void observe_domains(struct observer *o)
{
	struct host_guests *guests = &o->host->guests;
	bool virsh = words_has(&o->host->commands, "virsh");
	struct words files, autostart;

	if (!virsh || !see_exists(o, PATH_LIBVIRT_DOMAINS))
		return;
	guests->present[HYPERVISOR_LIBVIRT] = true;
	guests->tool[HYPERVISOR_LIBVIRT] = "virsh";
	files = keep_list(o, PATH_LIBVIRT_DOMAINS);
	autostart = keep_list(o, PATH_LIBVIRT_DOMAINS "/autostart");
	array_foreach(it, &files)
		if (has_suffix(*it, SUFFIX) && strlen(*it) > strlen(SUFFIX))
			add_domain(o, *it, &autostart);
}
