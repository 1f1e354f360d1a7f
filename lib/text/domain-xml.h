/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain of libvirt, as its files have it: what it gives its guest of the host (9.14), and what
 * machine it is. libvirt alone writes these files; here they are read. Pure.
 */
#pragma once

#include "array.h"
#include "pci.h"
#include "strbuf.h"

enum domain_device_kind {
	DOMAIN_HOSTDEV,
	DOMAIN_INTERFACE, /* <interface type='hostdev'>: a network card, given in another way */
	DOMAIN_DISK,	  /* <disk type='nvme'>: what is on a controller, and it itself is taken */
	_DOMAIN_DEVICE_MAX,
};

/* An element that takes a function of the host's. */
struct domain_device {
	enum domain_device_kind kind;
	struct pci_addr addr;
	bool managed;	      /* libvirt binds it and gives it back (9.15) */
	const char *driver;   /* another than libvirt's default, "vfio"; NULL */
	const char *rom;      /* "on", "off" (no bar), "none" (no ROM at all); NULL: default */
	const char *rom_file; /* NULL: the device's own */
};

struct domain_xml {
	const char *name;    /* "" when there is none */
	const char *machine; /* NULL: none */
	bool uefi;
	ARRAY_OF(struct domain_device) devices; /* in order */
};

/*
 * Reads size bytes: a <domain>, or the one in a <domstatus> of what runs. 0, -ENOMEM, or -EBADMSG
 * with why, one phrase: XML that libvirt would not write (a DOCTYPE is none of it) or no domain.
 */
int domain_xml_parse(struct arena *a, const char *text, size_t size, struct domain_xml *ret,
		     const char **ret_why);

/* What of a domain is read here, as XML, and nothing else. */
void domain_xml_print(const struct domain_xml *domain, struct strbuf *out);

/* The element of one device, as it is given to virsh and stands in the files. */
void domain_device_element(const struct domain_device *device, struct strbuf *out);

/*
 * What a device is but for its address, the same text for the same thing:
 * "[interface |disk ]managed=yes|no[ driver=NAME][ rom=on|off|none][ rom-file=PATH]". NULL: no
 * memory.
 */
const char *domain_device_text(struct arena *a, const struct domain_device *device);

/* Back from such a text, with pointers into the arena. 0, -EBADMSG or -ENOMEM. */
int domain_device_parse(struct arena *a, const char *text, struct domain_device *ret);
