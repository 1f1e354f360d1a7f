/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests of Proxmox VE, from its cluster file system (9.7 to 9.13): this node's, and by name those
 * of other nodes. Where that file system is not there nothing is read.
 */
#include <stdio.h>
#include <stdlib.h>

#include "digest.h"
#include "observe-parts.h"
#include "paths.h"
#include "qm-config.h"
#include "qm-property.h"

#define SUFFIX ".conf"

/* --- the cluster ------------------------------------------------------------------------------ */

/* "local" leads to nodes/NAME. */
static const char *node_name(struct observer *o)
{
	const char *target = see_link(o, PATH_PVE_LOCAL);

	if (target)
		return keep(o, base_name(target));
	return *o->host->hostname ? keep_printf(o, "%.*s", (int)strcspn(o->host->hostname, "."),
						o->host->hostname)
				  : NULL;
}

/* A node without a cluster has no quorum to lose, and the file says nothing of one. */
static enum tristate see_quorum(struct observer *o)
{
	static const char word[] = "\"quorate\":";
	const char *text = see_text(o, MAX_CONFIG, PATH_PVE_MEMBERS);
	const char *at = text ? strstr(text, word) : NULL;

	if (!text)
		return UNKNOWN;
	if (!at)
		return strstr(text, "\"nodelist\"") ? UNKNOWN : YES;
	at += sizeof(word) - 1;
	at += strspn(at, " \t");
	return *at == '1' ? YES : NO;
}

/* The text lives as long as the host: what is parsed of it points nowhere else. */
static void see_mappings(struct observer *o)
{
	struct host_guests *guests = &o->host->guests;
	const char *path = PATH_PVE_MAPPINGS, *text;
	char digest[SHA1_TEXT_SIZE];
	struct qm_mappings mappings;
	size_t size;
	int err = o->tree->ops->read(o->tree, path, MAX_CONFIG, o->scratch, &text, &size);

	if (!kept(o, err != -ENOMEM) || err < 0)
		return;
	digest_sha1(text, size, digest);
	guests->mappings_digest = keep(o, digest);
	if (!kept(o, qm_mappings_parse(o->a, text, &mappings) == 0))
		return;
	array_foreach(it, &mappings.list)
		kept(o, array_push(o->a, &guests->mappings, *it) == 0);
}

/* --- one configuration ------------------------------------------------------------------------ */

static void add_functions(struct observer *o, struct guest_device *device, const char *host)
{
	struct qm_ids ids;

	if (!qm_ids_parse(host, &ids))
		return;
	for (size_t i = 0; i < ids.n; i++)
		kept(o, array_push(o->a, &device->functions, ids.at[i]) == 0);
}

static void add_mapped(struct observer *o, struct guest_device *device, const char *node)
{
	const struct guest_mapping *mapping = guest_mapping_named(&o->host->guests,
								  device->mapping);

	for (size_t i = 0; mapping && i < mapping->maps.n; i++) {
		const struct guest_map *map = &mapping->maps.at[i];

		if (!node || strcmp(map->node, node) != 0)
			continue;
		array_foreach(it, &map->functions)
			kept(o, array_push(o->a, &device->functions, *it) == 0);
	}
}

static void add_device(struct observer *o, struct guest_config *to, unsigned index,
		       const char *text, const char *node)
{
	struct guest_device device = {
		.key = keep_printf(o, "hostpci%u", index),
		.text = keep(o, text),
	};
	struct qm_properties p = {.nameless = "host"};

	if (qm_properties_parse(o->scratch, "host", text, &p) == 0) {
		const char *host = qm_property(&p, "host");

		device.mapping = keep(o, qm_property(&p, "mapping"));
		device.mediated = qm_property(&p, "mdev") != NULL;
		if (device.mapping && !host)
			add_mapped(o, &device, node);
		else if (host && !device.mapping)
			add_functions(o, &device, host);
	}
	kept(o, array_push(o->a, &to->devices, device) == 0);
}

/* From the live section, or as it is at the next start. */
static struct guest_config read_config(struct observer *o, const struct qm_config *text, bool next,
				       const char *node)
{
	struct guest_config config = {0};
	const char *bios = NULL;
	const struct {
		const char *key, **to;
	} values[] = {{"machine", &config.machine},
		      {"bios", &bios},
		      {"vga", &config.display},
		      {"cpu", &config.cpu}};

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		*values[i].to = keep(o,
				     next ? qm_config_next(text, values[i].key)
					  : qm_section_value(qm_config_live(text), values[i].key));
	config.q35 = config.machine && strstr(config.machine, "q35");
	config.uefi = bios && strcmp(bios, "ovmf") == 0;
	for (unsigned i = 0; i < QM_HOSTPCI_MAX; i++) {
		char key[16];
		const char *value;

		snprintf(key, sizeof(key), "hostpci%u", i);
		value = next ? qm_config_next(text, key)
			     : qm_section_value(qm_config_live(text), key);
		if (value)
			add_device(o, &config, i, value, node);
	}
	return config;
}

/* A rollback brings the snapshot's lines in the place of those that are there. */
static bool differs(const struct qm_section *snapshot, const struct guest_config *config)
{
	size_t n = 0;

	array_foreach(it, &snapshot->lines) {
		const struct guest_device *device = guest_device_at(config, it->key);

		if (qm_hostpci_index(it->key) < 0)
			continue;
		if (!device || strcmp(device->text, it->value) != 0)
			return true;
		n++;
	}
	return n != config->devices.n;
}

static void see_sections(struct observer *o, struct host_guest *guest, const struct qm_config *text)
{
	array_foreach(it, &text->sections) {
		if (it->kind == QM_SNAPSHOT && differs(it, &guest->next))
			keep_word(o, &guest->snapshots, it->name);
		if (it->kind != QM_PENDING)
			continue;
		array_foreach(line, &it->lines)
			keep_word(o, &guest->pending, line->key);
		array_foreach(key, &it->deleted)
			keep_word(o, &guest->pending, *key);
	}
}

static bool is_set(const struct qm_section *live, const char *key)
{
	return qm_boolean(qm_section_value(live, key)) == YES;
}

static void see_text_of(struct observer *o, struct host_guest *guest, const char *text,
			const char *node)
{
	const struct qm_section *live;
	struct qm_config config;

	if (!kept(o, qm_config_parse(o->scratch, text, &config) == 0))
		return;
	live = qm_config_live(&config);
	guest->title = keep(o, qm_section_value(live, "name"));
	guest->lock = keep(o, qm_section_value(live, "lock"));
	guest->template_ = is_set(live, "template");
	guest->autostart = is_set(live, "onboot");
	guest->next = read_config(o, &config, true, node);
	if (guest->running == YES)
		guest->now = read_config(o, &config, false, node);
	see_sections(o, guest, &config);
}

/* --- guests ----------------------------------------------------------------------------------- */

/* A pid file stays behind when the power goes. */
static enum tristate see_running(struct observer *o, const char *name)
{
	const char *pid = see_line(o, PATH_QEMU_RUN "/%s.pid", name);

	if (!pid || !*pid || strspn(pid, "0123456789") < strlen(pid))
		return NO;
	return see_exists(o, "/proc/%s", pid) ? YES : NO;
}

static const char *trouble(int err)
{
	return err == -EFBIG ? "is too large" : "cannot be read";
}

static void read_guest(struct observer *o, struct host_guest *guest, const char *node)
{
	char digest[SHA1_TEXT_SIZE];
	const char *text;
	size_t size;
	int err = o->tree->ops->read(o->tree, guest->source, MAX_CONFIG, o->scratch, &text, &size);

	kept(o, err != -ENOMEM);
	if (err < 0) {
		guest->bad = trouble(err);
		return;
	}
	digest_sha1(text, size, digest);
	guest->digest = keep(o, digest);
	see_text_of(o, guest, text, node);
}

/* "101.conf"; names that are no number are no guests. */
static const char *guest_name(struct observer *o, const char *file)
{
	size_t n = strspn(file, "0123456789");

	return n && strcmp(file + n, SUFFIX) == 0 ? keep_printf(o, "%.*s", (int)n, file) : NULL;
}

/* Of other nodes only what a mapping may stand in is read. */
static void add_guest(struct observer *o, const char *node, const char *file)
{
	const struct host_guests *guests = &o->host->guests;
	bool here = guests->node && strcmp(node, guests->node) == 0;
	struct host_guest guest = {.hypervisor = HYPERVISOR_PROXMOX};

	guest.name = guest_name(o, file);
	if (!guest.name)
		return;
	guest.node = here ? NULL : keep(o, node);
	guest.source = keep_printf(o, PATH_PVE_NODES "/%s/qemu-server/%s", node, file);
	guest.running = here ? see_running(o, guest.name) : UNKNOWN;
	if (here || guests->mappings.n)
		read_guest(o, &guest, node);
	kept(o, array_push(o->a, &o->host->guests.list, guest) == 0);
	scratch_trim(o);
}

static void see_node(struct observer *o, const char *node)
{
	struct words files = keep_list(o, PATH_PVE_NODES "/%s/qemu-server", node);

	array_foreach(it, &files)
		add_guest(o, node, *it);
}

static void see_proxmox(struct observer *o)
{
	struct host_guests *guests = &o->host->guests;
	bool qm = words_has(&o->host->commands, "qm");
	struct words nodes;

	guests->quorate = UNKNOWN;
	if (!see_exists(o, PATH_PVE) || (!qm && !see_exists(o, PATH_PVE_NODES)))
		return;
	guests->present[HYPERVISOR_PROXMOX] = true;
	guests->tool[HYPERVISOR_PROXMOX] = qm ? "qm" : NULL;
	if (!see_exists(o, PATH_PVE_NODES))
		guests->unseen[HYPERVISOR_PROXMOX] = PATH_PVE
			" is not mounted; see whether pve-cluster.service runs";
	guests->node = node_name(o);
	guests->quorate = see_quorum(o);
	see_mappings(o);
	nodes = keep_list(o, PATH_PVE_NODES);
	array_foreach(it, &nodes)
		see_node(o, *it);
}

static int by_name(const void *a, const void *b)
{
	const struct host_guest *x = a, *y = b;
	int order = (int)x->hypervisor - (int)y->hypervisor;

	if (!order)
		order = strcmp(x->name, y->name);
	return order ? order : strcmp(x->source, y->source);
}

void observe_guests(struct observer *o)
{
	struct host_guests *guests = &o->host->guests;

	see_proxmox(o);
	observe_domains(o);
	if (guests->list.n)
		qsort(guests->list.at, guests->list.n, sizeof(*guests->list.at), by_name);
}
