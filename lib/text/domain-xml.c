/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads by events: where the reader is, is a path of element names, and only few count. */
#include "domain-xml.h"

#include <errno.h>
#include <expat.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#define DEPTH_MAX 512  /* live domains have chains of disk images that nest */
#define PATH_SIZE 128  /* longer ones than those that count are nothing to us */
#define NAME_MAX_ 4096 /* bytes of a domain's name */

struct reader {
	struct arena *a;
	XML_Parser parser;
	struct domain_xml domain;
	char path[PATH_SIZE]; /* "/domain/devices", of a domstatus without that */
	size_t len;
	unsigned depth,
		beyond; /* elements that are open; those of them that path has no room for */
	bool status;	/* the root is a domstatus */
	unsigned domains;
	struct domain_device device;
	bool inside, has_addr; /* in an element that may take a function */
	struct strbuf name;
	const char *why;
	bool lost;
};

/* --- words of elements ------------------------------------------------------------------------ */

static const char *attribute(const XML_Char **attributes, const char *name)
{
	for (size_t i = 0; attributes[i]; i += 2)
		if (strcmp(attributes[i], name) == 0)
			return attributes[i + 1];
	return NULL;
}

static bool says(const XML_Char **attributes, const char *name, const char *value)
{
	const char *text = attribute(attributes, name);

	return text && strcmp(text, value) == 0;
}

static const char *copy(struct reader *r, const char *text)
{
	const char *kept = text ? arena_strdup(r->a, text) : NULL;

	r->lost |= text && !kept;
	return kept;
}

static void stop(struct reader *r, const char *why)
{
	if (!r->why)
		r->why = why;
	XML_StopParser(r->parser, XML_FALSE);
}

/* libvirt reads these numbers as C does: 0x06, or 6. One that is not given is 0. */
static bool number(const XML_Char **attributes, const char *name, unsigned long max,
		   unsigned long *ret)
{
	const char *text = attribute(attributes, name);
	char *end;

	*ret = 0;
	if (!text)
		return true;
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret = strtoul(text, &end, 0);
	return !errno && !*end && *ret <= max;
}

static void take_address(struct reader *r, const XML_Char **attributes)
{
	unsigned long domain, bus, slot, function;

	if (!number(attributes, "domain", UINT32_MAX, &domain) ||
	    !number(attributes, "bus", UINT8_MAX, &bus) || !number(attributes, "slot", 31, &slot) ||
	    !number(attributes, "function", 7, &function)) {
		stop(r, "has an address of a device that is none");
		return;
	}
	r->device.addr = (struct pci_addr){(uint32_t)domain, (uint8_t)bus, (uint8_t)slot,
					   (uint8_t)function};
	r->has_addr = true;
}

/* --- elements that count ---------------------------------------------------------------------- */

static void take_rom(struct reader *r, const XML_Char **attributes)
{
	const char *bar = attribute(attributes, "bar");

	if (says(attributes, "enabled", "no"))
		r->device.rom = "none";
	else if (bar)
		r->device.rom = strcmp(bar, "off") == 0 ? "off" : "on";
	r->device.rom_file = copy(r, attribute(attributes, "file"));
}

/* "vfio" is the default; with a model it is that of a variant driver. */
static void take_driver(struct reader *r, const XML_Char **attributes)
{
	const char *name = attribute(attributes, "model");

	if (!name)
		name = attribute(attributes, "name");
	if (!name || !*name || strcmp(name, "vfio") == 0)
		return;
	if (strpbrk(name, " \t\r\n"))
		stop(r, "has a driver's name that is none");
	else
		r->device.driver = copy(r, name);
}

static const struct {
	const char *path, *type;
} kinds[] = {
	[DOMAIN_HOSTDEV] = {"/domain/devices/hostdev", "pci"},
	[DOMAIN_INTERFACE] = {"/domain/devices/interface", "hostdev"},
	[DOMAIN_DISK] = {"/domain/devices/disk", "nvme"},
};

static void begin_device(struct reader *r, const XML_Char **attributes)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(r->path, kinds[i].path) == 0 &&
		    says(attributes, "type", kinds[i].type)) {
			r->device = (struct domain_device){
				.kind = (enum domain_device_kind)i,
				.managed = says(attributes, "managed", "yes"),
			};
			r->inside = true;
			r->has_addr = false;
		}
}

/* "" when the path does not lead into an element that was begun. */
static const char *below_device(const struct reader *r)
{
	size_t n = strlen(kinds[r->device.kind].path);

	return r->inside && strncmp(r->path, kinds[r->device.kind].path, n) == 0 ? r->path + n : "";
}

static void in_device(struct reader *r, const XML_Char **attributes)
{
	const char *at = below_device(r);

	if (strcmp(at, "/source/address") == 0)
		take_address(r, attributes);
	else if (strcmp(at, "/source") == 0 && r->device.kind == DOMAIN_DISK)
		r->device.managed = says(attributes, "managed", "yes");
	else if (strcmp(at, "/rom") == 0)
		take_rom(r, attributes);
	else if (strcmp(at, "/driver") == 0 && r->device.kind != DOMAIN_DISK)
		take_driver(r, attributes);
}

static void in_domain(struct reader *r, const XML_Char **attributes)
{
	if (strcmp(r->path, "/domain") == 0)
		r->domains++;
	else if (strcmp(r->path, "/domain/os/type") == 0)
		r->domain.machine = copy(r, attribute(attributes, "machine"));
	else if (strcmp(r->path, "/domain/os") == 0)
		r->domain.uefi |= says(attributes, "firmware", "efi");
	else if (strcmp(r->path, "/domain/os/loader") == 0)
		r->domain.uefi |= says(attributes, "type", "pflash");
	else if (r->inside)
		in_device(r, attributes);
	else
		begin_device(r, attributes);
}

/* --- events ----------------------------------------------------------------------------------- */

static void on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *r = user;
	size_t n = strlen(name);

	if (r->depth++ == DEPTH_MAX) {
		stop(r, "is nested too deep");
		return;
	}
	if (r->depth == 1 && strcmp(name, "domstatus") == 0) {
		r->status = true;
		return;
	}
	if (r->beyond || r->len + 1 + n >= sizeof(r->path)) {
		r->beyond++;
		return;
	}
	r->path[r->len] = '/';
	memcpy(r->path + r->len + 1, name, n + 1);
	r->len += n + 1;
	in_domain(r, attributes);
	if (r->lost)
		stop(r, NULL);
}

static void end_device(struct reader *r)
{
	if (r->has_addr)
		r->lost |= array_push(r->a, &r->domain.devices, r->device) < 0;
	r->inside = false;
}

static void on_end(void *user, const XML_Char *name)
{
	struct reader *r = user;

	r->depth--;
	if (r->status && !r->depth)
		return;
	if (r->beyond) {
		r->beyond--;
		return;
	}
	if (r->inside && strcmp(r->path, kinds[r->device.kind].path) == 0)
		end_device(r);
	r->len -= strlen(name) + 1;
	r->path[r->len] = '\0';
	if (r->lost)
		stop(r, NULL);
}

static void on_text(void *user, const XML_Char *text, int n)
{
	struct reader *r = user;

	if (r->beyond || strcmp(r->path, "/domain/name") != 0)
		return;
	strbuf_addn(&r->name, text, (size_t)n);
	if (r->name.len > NAME_MAX_)
		stop(r, "has a name that is too long");
}

static void on_doctype(void *user, const XML_Char *name _unused_, const XML_Char *system _unused_,
		       const XML_Char *public _unused_, int internal _unused_)
{
	stop(user, "has a DOCTYPE, which libvirt never writes");
}

/* --- the whole -------------------------------------------------------------------------------- */

static int finish(struct reader *r, bool good, const char **ret_why)
{
	enum XML_Error error = XML_GetErrorCode(r->parser);

	if (r->lost || r->name.error || error == XML_ERROR_NO_MEMORY)
		return -ENOMEM;
	if (good && r->domains != 1)
		r->why = "holds no domain";
	if (!good && !r->why)
		r->why = arena_printf(r->a, "is broken XML in line %lu: %s",
				      (unsigned long)XML_GetCurrentLineNumber(r->parser),
				      XML_ErrorString(error));
	if (!good && !r->why)
		return -ENOMEM;
	if (r->why) {
		*ret_why = r->why;
		return -EBADMSG;
	}
	return strbuf_to_arena(&r->name, r->a, &r->domain.name);
}

int domain_xml_parse(struct arena *a, const char *text, size_t size, struct domain_xml *ret,
		     const char **ret_why)
{
	struct reader r = {.a = a, .parser = XML_ParserCreate(NULL)};
	int err;

	if (!r.parser)
		return -ENOMEM;
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	err = finish(&r,
		     size <= INT_MAX &&
			     XML_Parse(r.parser, text, (int)size, XML_TRUE) == XML_STATUS_OK,
		     ret_why);
	XML_ParserFree(r.parser);
	strbuf_done(&r.name);
	if (err == 0)
		*ret = r.domain;
	return err;
}
