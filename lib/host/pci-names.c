/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pci-names.h"

#include <dlfcn.h>
#include <errno.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <string.h>

#define LIBPCI	  "libpci.so.3"
#define NAME_SIZE 256
#define LOOK_UP                                                                                    \
	(PCI_LOOKUP_NO_NUMBERS | PCI_LOOKUP_NO_HWDB) /* the same names everywhere (11.6)           \
						      */

struct names {
	void *library;
	const char *ids;
	bool broken; /* libpci gave up in the middle of its list */
	struct pci_access *access;
	struct pci_access *(*alloc)(void);
	void (*cleanup)(struct pci_access *access);
	void (*set_list)(struct pci_access *access, char *path, int to_be_freed);
	char *(*look_up)(struct pci_access *access, char *buf, int size, int flags, ...);
};

/* A look-up under way. */
struct look_up {
	const struct pci_id *id;
	char vendor[NAME_SIZE], device[NAME_SIZE];
	const char *found_vendor, *found_device;
};

/*
 * libpci's error hook may not return, by default exits (11.2), and is given no context: this is
 * where it leaves to. Set while a call runs on this thread.
 */
static _Thread_local jmp_buf *way_out;

static void __attribute__((noreturn, format(printf, 1, 2))) leave(char *message _unused_, ...)
{
	longjmp(*way_out, 1);
}

static _printf_(1, 2) void ignore(char *message _unused_, ...)
{
}

/* Runs work; -EBADMSG when the hook was used: it is for a list that is broken. */
static int guarded(void (*work)(struct names *names, struct look_up *l), struct names *names,
		   struct look_up *l)
{
	volatile int err = -EBADMSG;
	jmp_buf out;

	way_out = &out;
	if (!setjmp(out)) {
		work(names, l);
		err = 0;
	}
	way_out = NULL;
	return err;
}

static int find_symbols(struct names *names)
{
	const struct {
		const char *name;
		void *to;
	} symbols[] = {
		{"pci_alloc", &names->alloc},
		{"pci_cleanup", &names->cleanup},
		{"pci_set_name_list_path", &names->set_list},
		{"pci_lookup_name", &names->look_up},
	};

	names->library = dlopen(LIBPCI, RTLD_NOW | RTLD_LOCAL);
	if (!names->library)
		return -ENOSYS;
	for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
		void *symbol = dlsym(names->library, symbols[i].name);

		if (!symbol)
			return -ENOSYS;
		*(void **)symbols[i].to = symbol; /* as dlsym(3) has it */
	}
	return 0;
}

static void set_up(struct names *names, struct look_up *l _unused_)
{
	names->access = names->alloc();
	names->access->error = leave;
	names->access->warning = ignore;
	names->access->debug = ignore;
	if (names->ids)
		names->set_list(names->access, (char *)(uintptr_t)names->ids, 0);
}

int names_open(const char *ids, struct names **ret)
{
	struct names *names = calloc(1, sizeof(*names));
	int err;

	if (!names)
		return -ENOMEM;
	names->ids = ids;
	err = find_symbols(names);
	if (err == 0)
		err = guarded(set_up, names, NULL);
	if (err < 0)
		names_close(names);
	else
		*ret = names;
	return err;
}

static void look_up(struct names *names, struct look_up *l)
{
	int vendor = (int)l->id->vendor, device = (int)l->id->device;

	l->found_vendor = names->look_up(names->access, l->vendor, sizeof(l->vendor),
					 LOOK_UP | PCI_LOOKUP_VENDOR, vendor);
	l->found_device = names->look_up(names->access, l->device, sizeof(l->device),
					 LOOK_UP | PCI_LOOKUP_DEVICE, vendor, device);
}

int names_look_up(struct names *names, const struct pci_id *id, struct arena *a,
		  const char **ret_vendor, const char **ret_device)
{
	struct look_up l = {.id = id};
	const char *vendor, *device;
	int err = names->broken ? -EBADMSG : guarded(look_up, names, &l);

	if (err < 0) {
		names->broken = true;
		return err;
	}
	vendor = l.found_vendor ? arena_strdup(a, l.found_vendor) : NULL;
	device = l.found_device ? arena_strdup(a, l.found_device) : NULL;
	if ((l.found_vendor && !vendor) || (l.found_device && !device))
		return -ENOMEM;
	*ret_vendor = vendor;
	*ret_device = device;
	return 0;
}

struct names *names_close(struct names *names)
{
	if (!names)
		return NULL;
	if (names->access)
		names->cleanup(names->access);
	if (names->library)
		dlclose(names->library);
	free(names);
	return NULL;
}
