/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the lines of a capture that name something: files, links, folders, images. */
#include <errno.h>
#include <string.h>

#include "capture-text.h"
#include "tree-capture-parse.h"

/* --- names ----------------------------------------------------------------------------------- */

/* Whether a part of a path may stand in a capture; says why not. */
static bool good_part(struct parse *p, struct slice part, const char *at)
{
	if (!part.n)
		parse_wrong(p, at, "an empty part in a name");
	else if (parse_equals(part, ".") || parse_equals(part, ".."))
		parse_wrong(p, at, "\"%.*s\" in a name: names stand below their folder",
			    (int)part.n, part.at);
	else if (!p->plain && memchr(part.at, '\0', part.n))
		parse_wrong(p, at, "a NUL byte in a name");
	else if (part.n > CAPTURE_NAME_MAX)
		parse_wrong(p, at, "a name longer than %d bytes", CAPTURE_NAME_MAX);
	else
		return true;
	return false;
}

bool parse_good_path(struct parse *p, struct slice path, const char *at)
{
	const char *end = path.at + path.n;

	if (path.n > CAPTURE_PATH_MAX) {
		parse_wrong(p, at, "a path longer than %d bytes", CAPTURE_PATH_MAX);
		return false;
	}
	for (const char *s = path.at;;) {
		const char *slash = memchr(s, '/', (size_t)(end - s));

		if (!good_part(p, (struct slice){s, (size_t)((slash ? slash : end) - s)}, at))
			return false;
		if (!slash)
			return true;
		s = slash + 1;
	}
}

static uint32_t add(struct parse *p, uint32_t parent, struct slice name, enum node_kind kind)
{
	uint32_t at = NODE_NONE;
	int r = node_add(p->c, parent, name, kind, &at);

	if (r == 0)
		return at;
	if (r == -EEXIST)
		parse_wrong(p, p->line, "\"%.*s\" is named twice", (int)name.n, name.at);
	else if (r == -EFBIG)
		parse_wrong(p, p->line, "more than %u names in one capture", CAPTURE_NODES_MAX);
	if (r != -EEXIST)
		p->fatal = r == -EFBIG ? -EBADMSG : r;
	return NODE_NONE;
}

uint32_t parse_folder(struct parse *p, uint32_t from, struct slice path, const char *at)
{
	const char *end = path.at + path.n;

	for (const char *s = path.at; s < end;) {
		const char *slash = memchr(s, '/', (size_t)(end - s));
		struct slice part = {s, (size_t)((slash ? slash : end) - s)};
		uint32_t next = node_find(p->c, from, part.at, part.n);

		if (next == NODE_NONE)
			next = add(p, from, part, NODE_DIR);
		if (next == NODE_NONE)
			return NODE_NONE;
		if (p->c->nodes.at[next].kind != NODE_DIR) {
			parse_wrong(p, at,
				    "\"%.*s\" is no folder: it is named above as something else",
				    (int)part.n, part.at);
			return NODE_NONE;
		}
		from = next;
		s = slash ? slash + 1 : end;
	}
	return from;
}

/* Where the last part of a name goes: its folder, and what is left of the name. NODE_NONE: no. */
static uint32_t place_of(struct parse *p, struct slice *name)
{
	const char *slash = memrchr(name->at, '/', name->n);
	uint32_t dir = p->section;

	/* The usual name, quickly. */
	if (!slash && p->plain && name->n && *name->at != '.' && name->n <= CAPTURE_NAME_MAX)
		return dir;
	if (!parse_good_path(p, *name, p->line))
		return NODE_NONE;
	if (slash && !p->image) {
		struct slice above = {name->at, (size_t)(slash - name->at)};

		dir = parse_folder(p, dir, above, p->line);
		name->n -= above.n + 1;
		name->at = slash + 1;
	}
	return dir;
}

/* Adds a node for a line's name. NODE_NONE: refused. */
static uint32_t new_node(struct parse *p, struct slice name, enum node_kind kind)
{
	uint32_t dir = place_of(p, &name);

	return dir == NODE_NONE ? NODE_NONE : add(p, dir, name, kind);
}

uint32_t parse_old_node(struct parse *p, struct slice name)
{
	uint32_t dir = place_of(p, &name);

	return dir == NODE_NONE ? NODE_NONE : node_find(p->c, dir, name.at, name.n);
}

/* --- lines that name something --------------------------------------------------------------- */

static void text_line(struct parse *p, struct slice name, struct slice text, enum node_form form)
{
	uint32_t at = new_node(p, name, NODE_FILE);
	struct node *node;

	if (at == NODE_NONE)
		return;
	node = &p->c->nodes.at[at];
	node->form = (uint8_t)form;
	node->text = text.at;
	node->raw = (uint32_t)text.n;
	node->size = (uint32_t)(p->plain ? text.n : capture_decoded_size(text.at, text.n));
	node->size += form == FORM_LINE;
}

static void one_line(struct parse *p, struct slice name, struct slice text)
{
	text_line(p, name, text, FORM_LINE);
}

static void bare_line(struct parse *p, struct slice name, struct slice text)
{
	text_line(p, name, text, FORM_BARE_LINE);
}

static void open_block(struct parse *p, struct slice name, struct slice rest, enum node_form form)
{
	p->lost_block = true;
	if (rest.n) {
		parse_wrong(p, rest.at, "the text begins on the next line, behind a tab");
		return;
	}
	p->block = new_node(p, name, NODE_FILE);
	if (p->block == NODE_NONE)
		return;
	p->lost_block = false;
	p->c->nodes.at[p->block].form = (uint8_t)form;
	p->c->nodes.at[p->block].text = p->stop + (p->stop < p->end);
}

static void block(struct parse *p, struct slice name, struct slice rest)
{
	open_block(p, name, rest, FORM_BLOCK);
}

static void bare_block(struct parse *p, struct slice name, struct slice rest)
{
	open_block(p, name, rest, FORM_BARE_BLOCK);
}

void parse_block_text(struct parse *p)
{
	struct node *node;
	size_t n = (size_t)(p->stop - p->line);
	bool first;

	if (p->block == NODE_NONE) {
		if (!p->lost_block)
			parse_wrong(p, p->line,
				    "text that belongs to no file (in a file, an empty line "
				    "is a tab alone)");
		return;
	}
	node = &p->c->nodes.at[p->block];
	first = node->raw == 0;
	node->raw += (uint32_t)n + 1;
	node->size += (uint32_t)(p->plain ? n - 1 : capture_decoded_size(p->line + 1, n - 1));
	/* One newline a line; the bare form has none behind its last. */
	node->size += node->form == FORM_BLOCK || !first;
}

static void link_to(struct parse *p, struct slice name, struct slice target)
{
	const char *text = parse_word(p, target, "the link's target");
	uint32_t at;

	if (!text)
		return;
	if (strlen(text) > CAPTURE_PATH_MAX) {
		parse_wrong(p, target.at, "a target longer than %d bytes", CAPTURE_PATH_MAX);
		return;
	}
	at = new_node(p, name, NODE_LINK);
	if (at != NODE_NONE)
		p->c->nodes.at[at].text = text;
}

static void attributes(struct parse *p, struct slice name, struct slice rest)
{
	uint64_t mode, uid, gid;
	uint32_t at = parse_old_node(p, name);
	struct slice words[] = {parse_next_word(&rest), parse_next_word(&rest),
				parse_next_word(&rest)};
	struct node_attr *attr;

	if (p->fatal)
		return;
	if (at == NODE_NONE || p->c->nodes.at[at].kind == NODE_LINK) {
		parse_wrong(p, p->line, "no file or folder of that name stands above");
		return;
	}
	if (rest.n || !parse_number(words[0], 8, 07777, &mode) ||
	    !parse_number(words[1], 10, UINT32_MAX - 1, &uid) ||
	    !parse_number(words[2], 10, UINT32_MAX - 1, &gid)) {
		parse_wrong(p, words[0].at,
			    "expected an octal mode, an owner and a group by number");
		return;
	}
	attr = node_attr(p->c, at);
	if (!attr) {
		parse_no_memory(p);
		return;
	}
	if (attr->has_mode)
		parse_wrong(p, p->line, "the mode is given twice");
	attr->has_mode = true;
	attr->mode = (unsigned)mode;
	attr->uid = (unsigned)uid;
	attr->gid = (unsigned)gid;
}

static void failing(struct parse *p, struct slice name, struct slice rest)
{
	uint32_t at = parse_old_node(p, name);
	struct node_attr *attr;
	int error = 0;

	for (int i = 1; i < 134; i++) {
		const char *known = strerrorname_np(i);

		/* Want of memory is the reader's own: a capture cannot claim it. */
		if (known && i != ENOMEM && parse_equals(rest, known))
			error = -i;
	}
	if (!error) {
		parse_wrong(p, rest.at, "expected the name of an error, as EACCES");
		return;
	}
	if (p->fatal)
		return;
	if (at == NODE_NONE || p->c->nodes.at[at].kind != NODE_DIR)
		at = new_node(p, name, NODE_FILE);
	if (at == NODE_NONE)
		return;
	attr = node_attr(p->c, at);
	if (!attr) {
		parse_no_memory(p);
		return;
	}
	if (attr->error)
		parse_wrong(p, p->line, "the error is given twice");
	attr->error = error;
}

static bool image_form(struct parse *p, struct slice rest, struct node_image *image)
{
	static const char *const known[] = {"none", "gzip", "zstd", "xz", "lz4", "bzip2", "lzma"};
	struct slice first = parse_next_word(&rest);

	if (parse_equals(first, "bad") || parse_equals(first, "unreadable")) {
		image->status = first.n == 3 ? IMAGE_BAD : IMAGE_UNREADABLE;
		image->why = parse_word(p, rest, "the reason");
		return image->why;
	}
	image->status = IMAGE_READ;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (parse_equals(first, known[i]))
			image->compression = known[i];
	if (!image->compression) {
		parse_wrong(p, first.at,
			    "expected a compression (none, gzip, zstd, xz, lz4, bzip2, lzma), "
			    "\"bad\" or \"unreadable\"");
		return false;
	}
	if (!parse_number(rest, 10, INT64_MAX, &image->size)) {
		parse_wrong(p, rest.at, "expected the image's size in bytes");
		return false;
	}
	return true;
}

static void image_line(struct parse *p, struct slice name, struct slice rest)
{
	struct node_image image = {0};
	uint32_t at;

	if (!image_form(p, rest, &image))
		return;
	at = new_node(p, name, NODE_IMAGE);
	if (at == NODE_NONE)
		return;
	p->c->nodes.at[at].image = (uint32_t)p->c->images.n;
	if (array_push(p->c->arena, &p->c->images, image) < 0)
		parse_no_memory(p);
}

static const struct line_form {
	const char *sign; /* between the name and the rest */
	void (*read)(struct parse *p, struct slice name, struct slice rest);
	bool in_image;
} line_forms[] = {
	{"=", one_line, true},	  {":", bare_line, true},	{"<<", block, true},
	{"<|", bare_block, true}, {"->", link_to, false},	{"@", attributes, false},
	{"!", failing, false},	  {"image", image_line, false},
};

static void named_folder(struct parse *p, struct slice name)
{
	uint32_t at;

	if (name.n < 2 || name.at[name.n - 1] != '/' || p->image) {
		parse_wrong(p, p->line, p->image ? "unknown line in an image" : "unknown line");
		return;
	}
	name.n--;
	if (!parse_good_path(p, name, p->line))
		return;
	at = parse_folder(p, p->section, name, p->line);
	if (at == NODE_NONE)
		return;
	if (p->c->nodes.at[at].named)
		parse_wrong(p, p->line, "\"%.*s/\" is named twice", (int)name.n, name.at);
	p->c->nodes.at[at].named = true;
}

void parse_entry(struct parse *p)
{
	struct slice rest = {p->line, (size_t)(p->stop - p->line)};
	struct slice name = parse_next_word(&rest), sign;

	if (!p->folder) {
		parse_wrong(p, p->line, "a name before the first [FOLDER]");
		return;
	}
	sign = parse_next_word(&rest);
	if (memchr(name.at, '\t', name.n)) {
		parse_wrong(p, p->line, "a tab in a name: write it as \\x09");
		return;
	}
	name = parse_decoded(p, name);
	if (p->fatal)
		return;
	if (!sign.n) {
		named_folder(p, name);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(line_forms); i++) {
		if (*sign.at != *line_forms[i].sign || !parse_equals(sign, line_forms[i].sign) ||
		    (p->image && !line_forms[i].in_image))
			continue;
		line_forms[i].read(p, name, rest);
		return;
	}
	parse_wrong(p, sign.at, p->image ? "unknown line in an image" : "unknown line");
}
