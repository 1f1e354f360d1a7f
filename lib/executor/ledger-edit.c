/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger-edit.h"

#include <errno.h>
#include <string.h>

/* Takes element it out of the array; the order of the others stays. */
#define take_out(arr, it)                                                                          \
	do {                                                                                       \
		size_t after_ = (size_t)((arr)->at + (arr)->n - ((it) + 1));                       \
		memmove((it), (it) + 1, after_ * sizeof(*(it)));                                   \
		(arr)->n--;                                                                        \
	} while (0)

#define copy_all(a, to, from)                                                                      \
	({                                                                                         \
		int err_ = 0;                                                                      \
		for (size_t i_ = 0; err_ == 0 && i_ < (from)->n; i_++)                             \
			err_ = array_push((a), (to), (from)->at[i_]);                              \
		err_;                                                                              \
	})

struct ledger *ledger_clone(const struct ledger *l)
{
	_cleanup_ledger_ struct ledger *copy = ledger_new();

	if (!copy)
		return NULL;
	copy->boot_id = l->boot_id;
	copy->spec_digest = l->spec_digest;
	if (copy_all(copy->arena, &copy->files, &l->files) < 0 ||
	    copy_all(copy->arena, &copy->devices, &l->devices) < 0 ||
	    copy_all(copy->arena, &copy->params, &l->params) < 0 ||
	    copy_all(copy->arena, &copy->promises, &l->promises) < 0 ||
	    copy_all(copy->arena, &copy->guests, &l->guests) < 0 ||
	    copy_all(copy->arena, &copy->folders, &l->folders) < 0 ||
	    copy_all(copy->arena, &copy->deployed, &l->deployed) < 0 ||
	    copy_all(copy->arena, &copy->unbuilt, &l->unbuilt) < 0)
		return NULL;
	return TAKE(copy);
}

struct ledger_file *edit_file(struct ledger *l, const char *path)
{
	struct ledger_file *f;

	array_foreach(it, &l->files)
		if (strcmp(it->path, path) == 0)
			return it;
	f = array_add(l->arena, &l->files);
	if (f)
		*f = (struct ledger_file){.path = path, .before = "", .after = "", .intent = ""};
	return f;
}

struct ledger_device *edit_device(struct ledger *l, struct pci_addr addr)
{
	struct ledger_device *d;

	array_foreach(it, &l->devices)
		if (pci_addr_compare(it->addr, addr) == 0)
			return it;
	d = array_add(l->arena, &l->devices);
	if (d)
		*d = (struct ledger_device){.addr = addr,
					    .name = "",
					    .serial = "",
					    .path = "",
					    .wish = "",
					    .consent = "",
					    .driver = "",
					    .previous = "",
					    .host_drivers = ""};
	return d;
}

struct ledger_guest *edit_guest(struct ledger *l, const struct ledger_guest *of)
{
	struct ledger_guest *g;

	array_foreach(it, &l->guests)
		if (ledger_guest_same(it, of))
			return it;
	g = array_add(l->arena, &l->guests);
	if (g)
		*g = (struct ledger_guest){.hypervisor = of->hypervisor,
					   .guest = of->guest,
					   .key = of->key,
					   .device = "",
					   .text = "",
					   .before = ""};
	return g;
}

struct ledger_param *find_param(struct ledger *l, const char *module, const char *param)
{
	array_foreach(it, &l->params)
		if (strcmp(it->module, module) == 0 && strcmp(it->param, param) == 0)
			return it;
	return NULL;
}

struct ledger_param *edit_param(struct ledger *l, const char *module, const char *param)
{
	struct ledger_param *p = find_param(l, module, param);

	if (p)
		return p;
	p = array_add(l->arena, &l->params);
	if (p)
		*p = (struct ledger_param){.module = module, .param = param, .before = ""};
	return p;
}

void forget_file(struct ledger *l, const char *path)
{
	array_foreach(it, &l->files)
		if (strcmp(it->path, path) == 0) {
			take_out(&l->files, it);
			return;
		}
}

void forget_device(struct ledger *l, struct pci_addr addr)
{
	array_foreach(it, &l->devices)
		if (pci_addr_compare(it->addr, addr) == 0) {
			take_out(&l->devices, it);
			return;
		}
}

void forget_guest(struct ledger *l, size_t index)
{
	take_out(&l->guests, &l->guests.at[index]);
}

void forget_param(struct ledger *l, const char *module, const char *param)
{
	struct ledger_param *p = find_param(l, module, param);

	if (p)
		take_out(&l->params, p);
}

void forget_word(struct words *w, const char *word)
{
	array_foreach(it, w)
		if (strcmp(*it, word) == 0) {
			take_out(w, it);
			return;
		}
}
