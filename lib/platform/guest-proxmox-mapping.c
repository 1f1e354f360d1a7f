/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mappings of the cluster's: a line a node, compared with the host when a guest starts (9.11). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "early.h"
#include "guest-proxmox.h"

#define PATH "/cluster/mapping/pci"

/* --- the line as it is to be ------------------------------------------------------------------ */

/* Sets what is not so by meaning; the others keep their spelling. 1 when it did. */
static int put(struct arena *a, struct qm_properties *p, const char *key, const char *value)
{
	if (qm_value_same(qm_property(p, key), value))
		return 0;
	return qm_property_set(a, p, key, value) < 0 ? -ENOMEM : 1;
}

/* 1 when something was changed. */
static int put_all(struct arena *a, struct qm_properties *p, const struct host_device *device,
		   const char *node, const char *path)
{
	bool sub = device->id.subvendor != PCI_ANY;
	const char *id = arena_printf(a, "%04x:%04x", device->id.vendor, device->id.device);
	const char *more = sub ? arena_printf(a, "%04x:%04x", device->id.subvendor,
					      device->id.subdevice)
			       : NULL;
	const char *group = device->group >= 0 ? arena_printf(a, "%d", device->group) : NULL;
	const struct {
		const char *key, *value;
	} rows[] = {{"id", id},
		    {"iommugroup", group},
		    {"node", node},
		    {"path", path},
		    {"subsystem-id", more}};
	int changed = 0;

	if (!id || (sub && !more) || (device->group >= 0 && !group))
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int r = put(a, p, rows[i].key, rows[i].value);

		if (r < 0)
			return r;
		changed |= r;
	}
	return changed;
}

/* The start of a guest compares the ids of all functions with the one id of the line. */
static bool ids_differ(const struct host *host, const struct guest_part *part)
{
	const struct host_device *first = host_device(host, part->addrs.at[0]);

	for (size_t i = 1; i < part->addrs.n && !part->whole_slot; i++) {
		const struct host_device *it = host_device(host, part->addrs.at[i]);

		if (!it || !pci_id_match(&first->id, &it->id))
			return true;
	}
	return false;
}

/* --- the line that is there ------------------------------------------------------------------- */

/* How many of this node's there are; the first one. */
static size_t maps_here(const struct host_guests *guests, const struct guest_mapping *mapping,
			const struct guest_map **ret)
{
	size_t n = 0;

	*ret = NULL;
	for (size_t i = 0; mapping && i < mapping->maps.n; i++) {
		if (strcmp(mapping->maps.at[i].node, guests->node) != 0)
			continue;
		if (!n++)
			*ret = &mapping->maps.at[i];
	}
	return n;
}

static bool names_any(const struct guest_map *map, const struct guest_part *part)
{
	const struct guest_device device = {.functions = {map->functions.at, map->functions.n, 0}};

	array_foreach(it, &part->addrs)
		if (guest_device_has(&device, *it))
			return true;
	return false;
}

/* Of the same device, whatever its address is by now; or one that we wrote. */
static bool is_of(const struct guest_map *map, const struct guest_part *part,
		  const struct host_device *device, bool known)
{
	return known || names_any(map, part) ||
	       (map->has_id && pci_id_same_model(&map->id, &device->id));
}

static int refuse(struct mapping_line *ret, enum code code, const char *why)
{
	ret->code = code;
	ret->why = why;
	return why ? 0 : -ENOMEM;
}

static bool has_other_parts(const struct guest_task *task, const struct guest_part *part)
{
	array_foreach(it, &task->parts)
		if (it != part && strcmp(it->device, part->device) == 0)
			return true;
	return false;
}

/* 1: nothing stands in the way. */
static int may_be(struct arena *a, const struct guest_task *task, const struct guest_part *part,
		  struct mapping_line *ret)
{
	const struct host_guests *guests = &task->host->guests;
	const struct host_device *device = host_device(task->host, part->addrs.at[0]);
	const char *name = part->wish->mapping;
	bool known = ledger_guest(task->ledger, HYPERVISOR_PROXMOX, "", name) != NULL;
	size_t n;

	if (!guests->node || !device)
		return refuse(ret, CODE_NOT_SUPPORTED,
			      "this node's name in the cluster is not known");
	if (has_other_parts(task, part) || ids_differ(task->host, part))
		return refuse(ret, CODE_NOT_SUPPORTED,
			      "a mapping's line has one id, which all functions would need to "
			      "have; leave mapping out");
	ret->mapping = guest_mapping_named(guests, name);
	n = maps_here(guests, ret->mapping, &ret->map);
	if (n > 1)
		return refuse(ret, CODE_FOREIGN_CONFLICT,
			      arena_printf(a,
					   "mapping %s has %zu devices of this node to choose "
					   "from; take another name, or leave one",
					   name, n));
	if (ret->map && !is_of(ret->map, part, device, known))
		return refuse(ret, CODE_FOREIGN_CONFLICT,
			      arena_printf(a,
					   "mapping %s is of another device: %s; take another "
					   "name",
					   name, ret->map->text));
	ret->ours = known || !ret->map;
	return 1;
}

int proxmox_mapping(struct arena *a, const struct guest_task *task, const struct guest_part *part,
		    struct mapping_line *ret)
{
	struct mapping_line line = {.code = _CODE_INVALID};
	struct qm_properties p = {.nameless = ""};
	const char *path = proxmox_functions(a, part);
	int r = path ? may_be(a, task, part, &line) : -ENOMEM;

	if (r <= 0) {
		*ret = line;
		return r;
	}
	if (line.map && qm_properties_parse(a, "", line.map->text, &p) == -ENOMEM)
		return -ENOMEM;
	r = put_all(a, &p, host_device(task->host, part->addrs.at[0]), task->host->guests.node,
		    path);
	if (r < 0)
		return r;
	line.text = r ? qm_properties_print(a, &p) : line.map->text;
	if (r)
		line.why = arena_printf(a, "mapping %s is to have %s", part->wish->mapping,
					line.text ? line.text : "");
	if (!line.text || (r && !line.why))
		return -ENOMEM;
	*ret = line;
	return 0;
}

void proxmox_match_mapping(struct proxmox *p, struct guest_part *part)
{
	struct mapping_line line;
	struct ledger_guest ours = {
		.hypervisor = HYPERVISOR_PROXMOX,
		.guest = "",
		.device = part->device,
		.key = part->wish->mapping,
		.before = "",
	};

	if (!proxmox_kept(p, proxmox_mapping(p->a, p->task, part, &line) == 0))
		return;
	if (line.code != _CODE_INVALID) {
		proxmox_refuse(p, part, line.code, line.why);
		return;
	}
	if (line.why)
		part->why = line.why;
	ours.text = line.text;
	if (line.ours)
		proxmox_kept(p, array_push(p->a, &part->ours, ours) == 0);
}

/* --- steps ------------------------------------------------------------------------------------ */

static int add(struct arena *a, struct step *step, const char *const *words, size_t n)
{
	return words_push(a, &step->argv, words, n);
}

static int add_map(struct arena *a, struct step *step, const char *text)
{
	return add(a, step, (const char *const[]){"--map", text}, 2);
}

/* All lines as they are, but map's, which becomes text; NULL: it goes, or is a new one. */
static int set_maps(struct arena *a, const struct guest_mapping *mapping,
		    const struct guest_map *map, const char *text, struct step *step)
{
	const char *path = arena_printf(a, PATH "/%s", mapping->name);

	if (!path || add(a, step, (const char *const[]){"pvesh", "set", path}, 3) < 0)
		return -ENOMEM;
	array_foreach(it, &mapping->maps)
		if ((it != map || text) && add_map(a, step, it == map ? text : it->text) < 0)
			return -ENOMEM;
	return map ? 0 : add_map(a, step, text);
}

/* One digest is of all mappings: it holds for the first change of a plan alone. */
static int mapping_step(struct arena *a, const struct guest_task *task,
			const struct guest_part *part, const struct mapping_line *line, bool first,
			struct step *step)
{
	const char *name = part->wish->mapping, *digest = task->host->guests.mappings_digest;
	int err;

	step->target = name;
	array_foreach(it, &part->ours)
		if (!*it->guest && array_push(a, &step->guests, *it) < 0)
			return -ENOMEM;
	if (!line->mapping)
		return add(a, step,
			   (const char *const[]){"pvesh", "create", PATH, "--id", name, "--map",
						 line->text},
			   7);
	err = set_maps(a, line->mapping, line->map, line->text, step);
	if (err < 0 || !first || !digest)
		return err;
	return add(a, step, (const char *const[]){"--digest", digest}, 2);
}

int proxmox_mapping_steps(struct arena *a, const struct guest_task *task, struct guest_steps *ret)
{
	array_foreach(part, &task->parts) {
		struct step step = {.kind = STEP_SET_GUEST};
		struct mapping_line line;

		if (!part->wish->mapping)
			continue;
		if (proxmox_mapping(a, task, part, &line) < 0)
			return -ENOMEM;
		if (line.code != _CODE_INVALID || !line.why)
			continue;
		if (mapping_step(a, task, part, &line, !task->others_before && !ret->list.n,
				 &step) < 0 ||
		    array_push(a, &ret->list, step) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Still as we wrote it, as far as the device goes. 0, 1, -ENOMEM. */
static int is_ours(struct arena *a, const struct guest_map *map, const char *text)
{
	struct qm_properties now, then;
	int err = qm_properties_parse(a, "", map->text, &now);

	if (err == 0)
		err = qm_properties_parse(a, "", text, &then);
	if (err < 0)
		return err == -ENOMEM ? err : 0;
	return qm_value_same(qm_property(&now, "path"), qm_property(&then, "path"));
}

int proxmox_drop(struct arena *a, const struct host *host, const struct ledger_guest *mapping,
		 struct guest_steps *ret)
{
	const struct host_guests *guests = &host->guests;
	const struct guest_mapping *there = guest_mapping_named(guests, mapping->key);
	struct step step = {.kind = STEP_SET_GUEST, .target = mapping->key};
	const struct guest_map *map;
	const char *path = arena_printf(a, PATH "/%s", mapping->key);
	int r;

	if (!path)
		return -ENOMEM;
	if (!there || !guests->node || maps_here(guests, there, &map) != 1)
		return 0;
	r = is_ours(a, map, mapping->text);
	if (r <= 0)
		return r;
	if (there->maps.n > 1)
		r = set_maps(a, there, map, NULL, &step);
	else
		r = add(a, &step, (const char *const[]){"pvesh", "delete", path}, 3);
	return r < 0 ? r : array_push(a, &ret->list, step);
}
