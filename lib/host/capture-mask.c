/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture-mask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capture-record.h"
#include "paths.h"

static bool starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static int set_text(struct tree_capture *c, uint32_t at, const struct strbuf *text)
{
	const char *copy = arena_memdup(c->arena, strbuf_text(text), text->len);

	if (text->error || !copy)
		return -ENOMEM;
	c->nodes.at[at].text = copy;
	c->nodes.at[at].raw = c->nodes.at[at].size = (uint32_t)text->len;
	return 0;
}

static int apply_rule(struct masks *m, struct tree_capture *c, uint32_t at)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	const struct node *node = &c->nodes.at[at];
	char folder[CAPTURE_PATH_MAX + 1];
	int changed;

	if (!node_path(c, node->parent, folder, sizeof(folder)))
		return 0;
	changed = mask_text(m, folder, node->name, (struct slice){node->text, node->size}, &out);
	return changed > 0 ? set_text(c, at, &out) : changed;
}

/* --- everywhere else ------------------------------------------------------------------------- */

/* Hides every identity that was found. 1 when there was one. */
static int hide(const struct masks *m, const char *text, size_t size, struct strbuf *out)
{
	const char *end = text + size;
	int found = 0;

	while (text < end) {
		const char *first = NULL, *what = NULL;
		char mask[MASK_TEXT_SIZE];

		array_foreach(it, &m->plain) {
			const char *at = memmem(text, (size_t)(end - text), *it, strlen(*it));

			if (at && (!first || at < first)) {
				first = at;
				what = *it;
			}
		}
		if (!first)
			break;
		strbuf_addn(out, text, (size_t)(first - text));
		strbuf_add(out, identity_mask(what, mask));
		text = first + strlen(what);
		found = 1;
	}
	strbuf_addn(out, text, (size_t)(end - text));
	return out->error ? out->error : found;
}

const char *masked_name(const struct masks *m, const struct node *node, struct arena *a)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	const char *copy;

	if (hide(m, node->name, node->name_len, &out) < 0 || strbuf_to_arena(&out, a, &copy) < 0)
		return NULL;
	return copy;
}

static int hide_in(struct masks *m, struct tree_capture *c, uint32_t at)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	char folder[CAPTURE_PATH_MAX + 1];
	int found;

	if (!node_path(c, c->nodes.at[at].parent, folder, sizeof(folder)) ||
	    starts(folder, "/sys/") || starts(folder, "/lib/modules") ||
	    starts(folder, "/usr/lib/modules"))
		return 0;
	found = hide(m, c->nodes.at[at].text, c->nodes.at[at].size, &out);
	return found > 0 ? set_text(c, at, &out) : found;
}

/* --- all of it ------------------------------------------------------------------------------- */

/* A file of one line, unless it is there. */
static int add_line(struct tree_capture *c, uint32_t folder, const char *name, const char *line)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	struct slice slice = {name, strlen(name)};
	uint32_t at;
	int err;

	if (node_find(c, folder, slice.at, slice.n) != NODE_NONE)
		return 0;
	err = node_add(c, folder, slice, NODE_FILE, &at);
	if (err < 0)
		return err;
	c->nodes.at[at].form = FORM_BYTES;
	strbuf_addf(&text, "%s\n", line);
	return set_text(c, at, &text);
}

/*
 * What observe found in config space, which is cut: the serial number as the attribute that newer
 * kernels have, the verdict on ACS as one that none has.
 */
static int add_config_lines(struct masks *m, struct tree_capture *c, const struct host *host)
{
	int err = 0;

	array_foreach(d, &host->devices) {
		char path[64], name[PCI_ADDR_TEXT_SIZE], mask[MASK_TEXT_SIZE];
		uint32_t folder;

		snprintf(path, sizeof(path), PATH_PCI_DEVICES "/%s",
			 pci_addr_format(d->addr, name));
		if ((!d->pcie_serial && d->acs == UNKNOWN) || node_at(c, path, &folder) < 0)
			continue;
		if (d->pcie_serial)
			mask_of(m, d->pcie_serial, mask, &err);
		if (d->pcie_serial && err == 0)
			err = add_line(c, folder, "serial_number", mask);
		if (d->acs != UNKNOWN && err == 0)
			err = add_line(c, folder, "acs", d->acs == YES ? "1" : "0");
		if (err < 0)
			return err;
	}
	return 0;
}

static bool is_text(const struct node *node)
{
	return node->kind == NODE_FILE && node->form == FORM_BYTES && node->text;
}

int masks_apply(struct masks *m, struct tree_capture *c, const struct host *host)
{
	int err = 0;

	m->host = host;
	array_foreach(d, &host->devices)
		if (d->modalias && words_add(m->arena, &m->modaliases, d->modalias) < 0)
			return -ENOMEM;
	err = add_config_lines(m, c, host);
	for (uint32_t i = 1; i < c->nodes.n && err == 0; i++)
		if (is_text(&c->nodes.at[i]))
			err = apply_rule(m, c, i);
	for (uint32_t i = 1; i < c->nodes.n && err == 0; i++)
		if (is_text(&c->nodes.at[i]))
			err = hide_in(m, c, i);
	return err;
}
