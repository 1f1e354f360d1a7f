/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qm as it behaves for a guest that does not run (9.8, 9.9): keys in order, and no other digest;
 * virsh as far as elements come to and go from a definition (9.14). */
#include <string.h>

#include "digest.h"
#include "fake-part.h"
#include "strbuf.h"

static const char *conf_of(struct fake *f, const char *vmid)
{
	struct words nodes = {0};

	root_list(f->root, "/etc/pve/nodes", f->arena, &nodes);
	array_foreach(it, &nodes) {
		const char *path = arena_printf(f->arena, "/etc/pve/nodes/%s/qemu-server/%s.conf",
						*it, vmid);

		if (fake_read(f, path))
			return path;
	}
	return NULL;
}

/* Below 0: the line's key comes before; 0: it is the key. What is no line with a key is behind. */
static int order_of(const char *line, const char *key)
{
	size_t n = strcspn(line, ":\n");
	int order;

	if (*line == '#')
		return -1;
	if (!*line || *line == '[' || *line == '\n')
		return 1;
	order = strncmp(line, key, n);
	return order ? order : key[n] ? -1 : 0;
}

/* The key's line of the live section becomes value, or a new one in its place; NULL: it goes. */
static const char *edit(struct fake *f, const char *text, const char *key, const char *value)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	const char *edited = text;

	for (int order = -1; order < 0;) {
		size_t n = strcspn(text, "\n");

		order = order_of(text, key);
		if (order < 0)
			strbuf_addn(&out, text, n + (text[n] == '\n'));
		if (order <= 0)
			text += n + (text[n] == '\n');
	}
	if (value)
		strbuf_addf(&out, "%s: %s\n", key, value);
	strbuf_add(&out, text);
	strbuf_to_arena(&out, f->arena, &edited);
	return edited;
}

static const char *edit_all(struct fake *f, const char *text, const char *keys)
{
	while (*keys) {
		size_t n = strcspn(keys, ",");

		text = edit(f, text, arena_strndup(f->arena, keys, n), NULL);
		keys += n + (keys[n] == ',');
	}
	return text;
}

static int set(struct fake *f, const struct words *argv)
{
	const char *path = conf_of(f, argv->at[2]), *text = path ? fake_read(f, path) : NULL;
	char digest[SHA1_TEXT_SIZE];

	if (!text)
		return 255;
	digest_sha1(text, strlen(text), digest);
	for (size_t i = 3; i + 1 < argv->n; i += 2) {
		const char *key = argv->at[i] + 2, *value = argv->at[i + 1];

		if (strcmp(key, "digest") != 0)
			text = strcmp(key, "delete") == 0 ? edit_all(f, text, value)
							  : edit(f, text, key, value);
		else if (strcmp(value, digest) != 0)
			return 255;
	}
	return fake_write(f, path, text, strlen(text)) < 0;
}

/* Of words that are none of its what it is told stands in a file afterwards, and what it is given
 * to read behind. */
int fake_qm(struct fake *f, const struct words *argv, bool spoil)
{
	_cleanup_strbuf_ struct strbuf line = {0};

	if (argv->n > 3 && strcmp(argv->at[1], "set") == 0)
		return spoil ? 255 : set(f, argv);
	array_foreach(it, argv)
		strbuf_addf(&line, "%s%s", line.len ? " " : "", *it);
	strbuf_addf(&line, "\n%s", f->input ? f->input : "");
	return fake_write(f, FAKE_GUEST, strbuf_text(&line), line.len) < 0 || spoil;
}

/* virsh -c URI attach-device|detach-device NAME /dev/stdin --config */
int fake_virsh(struct fake *f, const struct words *argv, bool spoil)
{
	bool attach = argv->n > 4 && strcmp(argv->at[3], "attach-device") == 0;
	const char *path = argv->n > 4
				   ? arena_printf(f->arena, "/etc/libvirt/qemu/%s.xml", argv->at[4])
				   : NULL;
	const char *text = path && f->input ? fake_read(f, path) : NULL;
	const char *at = text ? strstr(text, attach ? "</devices>" : f->input) : NULL;
	_cleanup_strbuf_ struct strbuf out = {0};

	if (!at || spoil)
		return 1;
	while (attach && at > text && at[-1] != '\n')
		at--;
	strbuf_addn(&out, text, (size_t)(at - text));
	strbuf_add(&out, attach ? f->input : "");
	strbuf_add(&out, attach ? at : at + strlen(f->input));
	return fake_write(f, path, strbuf_text(&out), out.len) < 0;
}
