/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "module.h"

#include <dlfcn.h>
#include <errno.h>
#include <libkmod.h>
#include <stdbool.h>
#include <stddef.h>

#include "macro.h"

/* Loaded when the first module is: a plan pays nothing for it. */
struct kmod {
	void *library;
	struct kmod_ctx *ctx;
	typeof(&kmod_new) new;
	typeof(&kmod_unref) unref;
	typeof(&kmod_module_new_from_lookup) lookup;
	typeof(&kmod_module_unref_list) unref_list;
	typeof(&kmod_module_get_module) get_module;
	typeof(&kmod_module_unref) module_unref;
	typeof(&kmod_module_probe_insert_module) insert;
	typeof(&kmod_list_next) next;
};

static void kmod_done(struct kmod *k)
{
	if (k->ctx)
		k->unref(k->ctx);
	if (k->library)
		dlclose(k->library);
}

static int kmod_open(struct kmod *k)
{
	const struct {
		const char *name;
		void **to;
	} symbols[] = {
		{"kmod_new", (void **)&k->new},
		{"kmod_unref", (void **)&k->unref},
		{"kmod_module_new_from_lookup", (void **)&k->lookup},
		{"kmod_module_unref_list", (void **)&k->unref_list},
		{"kmod_module_get_module", (void **)&k->get_module},
		{"kmod_module_unref", (void **)&k->module_unref},
		{"kmod_module_probe_insert_module", (void **)&k->insert},
		{"kmod_list_next", (void **)&k->next},
	};

	k->library = dlopen("libkmod.so.2", RTLD_NOW | RTLD_LOCAL);
	if (!k->library)
		return -ENOSYS;
	for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
		*symbols[i].to = dlsym(k->library, symbols[i].name);
		if (!*symbols[i].to)
			return -ENOSYS;
	}
	k->ctx = k->new (NULL, NULL);
	return k->ctx ? 0 : -ENOMEM;
}

int module_load(const char *name)
{
	_cleanup_(kmod_done) struct kmod k = {0};
	struct kmod_list *found = NULL;
	int err = kmod_open(&k);

	if (err < 0)
		return err;
	err = k.lookup(k.ctx, name, &found);
	if (err < 0)
		return err;
	if (!found)
		return -ENOENT;
	for (struct kmod_list *it = found; it && err >= 0; it = k.next(found, it)) {
		struct kmod_module *m = k.get_module(it);

		err = k.insert(m, 0, NULL, NULL, NULL, NULL);
		k.module_unref(m);
	}
	k.unref_list(found);
	return err < 0 ? err : 0;
}
