/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image-library.h"

#include <dlfcn.h>
#include <errno.h>

#define LIBARCHIVE "libarchive.so.13"

int library_open(struct library *library, const struct library_symbol *symbols, size_t n)
{
	/* Stays for the next image: opening is what costs. */
	library->handle = dlopen(LIBARCHIVE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!library->handle)
		return -ENOSYS;
	for (size_t i = 0; i < n; i++) {
		void *symbol = dlsym(library->handle, symbols[i].name);

		if (!symbol)
			return -ENOSYS;
		*(void **)symbols[i].to = symbol; /* as dlsym(3) has it */
	}
	return 0;
}

void library_close(struct library *library)
{
	if (library->handle)
		dlclose(library->handle);
	library->handle = NULL;
}
