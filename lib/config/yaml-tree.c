/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "yaml-tree.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

struct open { /* a list or mapping whose end has not been seen */
	struct node *node;
	struct node *key; /* read, its value not yet */
};

struct builder {
	struct arena *a;
	struct source *source;
	struct diags *diags;
	yaml_parser_t parser;
	struct open open[TREE_DEPTH_MAX];
	unsigned depth;
	size_t nodes, documents;
	struct node *root;
};

static void builder_done(struct builder *b)
{
	yaml_parser_delete(&b->parser);
}

static void refuse(struct builder *b, const yaml_mark_t *mark, enum code code, const char *fmt, ...)
	_printf_(4, 5);
static void refuse(struct builder *b, const yaml_mark_t *mark, enum code code, const char *fmt, ...)
{
	struct place at = {.line = (unsigned)mark->line + 1, .column = (unsigned)mark->column + 1};
	const char *message = "";
	va_list ap;

	va_start(ap, fmt);
	if (source_listens(b->source))
		message = arena_vprintf(b->diags->arena, fmt, ap);
	va_end(ap);
	source_report(b->source, b->diags, at, code, message);
}

/* An answer other than 0 ends the reading: what follows would be guesswork. */
static int stop(struct builder *b, const yaml_mark_t *mark, enum code code, const char *what)
{
	refuse(b, mark, code, "%s", what);
	b->source->cut = true;
	return 1;
}

static bool is_null(const char *text)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i], text) == 0)
			return true;
	return false;
}

/* Puts a node where it belongs: root, list item, key, or value of the key before it. */
static int attach(struct builder *b, struct node *node)
{
	struct open *in = b->depth ? &b->open[b->depth - 1] : NULL;
	struct entry entry = {.value = node};

	if (!in) {
		b->root = node;
		return 0;
	}
	if (in->node->kind == NODE_MAP && !in->key) {
		in->key = node;
		if (node->kind != NODE_SCALAR && node->kind != NODE_NULL && !node->bad) {
			node->bad = true;
			source_error(b->source, b->diags, node_place(node), CODE_TYPE_MISMATCH,
				     "a key must be a plain word");
		}
		return 0;
	}
	if (in->node->kind == NODE_MAP) {
		entry.key = node->key = TAKE(in->key);
		entry.name = entry.key->text ? entry.key->text : "";
	}
	return array_push(b->a, &in->node->entries, entry);
}

static struct node *add_node(struct builder *b, const yaml_mark_t *mark, enum node_kind kind)
{
	struct node *node = arena_new_of(b->a, struct node);

	if (!node)
		return NULL;
	node->kind = kind;
	node->source = b->source;
	node->line = (unsigned)mark->line + 1;
	node->column = (unsigned)mark->column + 1;
	return node;
}

static bool refuse_properties(struct builder *b, const yaml_event_t *event, const void *anchor,
			      const void *tag)
{
	if (anchor)
		refuse(b, &event->start_mark, CODE_SYNTAX,
		       "anchors (&name) are not read; write the value where it is needed");
	if (tag)
		refuse(b, &event->start_mark, CODE_SYNTAX,
		       "tags (!name) are not read; the key decides the type");
	return anchor || tag;
}

static int on_scalar(struct builder *b, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t n = event->data.scalar.length;
	struct node *node = add_node(b, &event->start_mark, NODE_SCALAR);

	if (!node)
		return -ENOMEM;
	node->text = arena_memdup(b->a, text, n);
	if (!node->text)
		return -ENOMEM;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (node->plain && is_null(node->text))
		node->kind = NODE_NULL;
	node->bad = refuse_properties(b, event, event->data.scalar.anchor, event->data.scalar.tag);
	if (strlen(node->text) != n) {
		refuse(b, &event->start_mark, CODE_SYNTAX, "the text holds a NUL (\"\\0\")");
		node->bad = true;
	}
	return attach(b, node);
}

static int on_open(struct builder *b, const yaml_event_t *event, enum node_kind kind)
{
	bool list = kind == NODE_LIST;
	struct node *node;
	int err;

	if (b->depth == TREE_DEPTH_MAX)
		return stop(b, &event->start_mark, CODE_TOO_LARGE,
			    "nested deeper than any spec can be");
	node = add_node(b, &event->start_mark, kind);
	if (!node)
		return -ENOMEM;
	node->bad = refuse_properties(
		b, event,
		list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor,
		list ? event->data.sequence_start.tag : event->data.mapping_start.tag);
	err = attach(b, node);
	if (err == 0)
		b->open[b->depth++] = (struct open){.node = node};
	return err;
}

static int on_close(struct builder *b)
{
	struct node *node = b->open[--b->depth].node;

	return node->kind == NODE_MAP ? tree_find_repeats(b->a, node, b->diags) : 0;
}

/* In place of an alias stands a node that nobody looks at. */
static int on_alias(struct builder *b, const yaml_event_t *event)
{
	struct node *node = add_node(b, &event->start_mark, NODE_SCALAR);

	if (!node)
		return -ENOMEM;
	node->text = "";
	node->bad = true;
	refuse(b, &event->start_mark, CODE_SYNTAX,
	       "aliases (*name) are not read; put a text that begins with * in quotes");
	return attach(b, node);
}

static int on_document(struct builder *b, const yaml_event_t *event)
{
	if (b->documents++)
		return stop(b, &event->start_mark, CODE_SYNTAX,
			    "a second document begins here; a file holds one");
	if (event->data.document_start.tag_directives.start !=
	    event->data.document_start.tag_directives.end)
		refuse(b, &event->start_mark, CODE_SYNTAX, "tags are not read");
	return 0;
}

static int on_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
	case YAML_ALIAS_EVENT:
		if (++b->nodes > TREE_NODES_MAX)
			return stop(b, &event->start_mark, CODE_TOO_LARGE,
				    "more values than any spec can have");
		break;
	case YAML_STREAM_END_EVENT:
		return 1;
	case YAML_DOCUMENT_START_EVENT:
		return on_document(b, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_close(b);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return 0;
	}
	if (event->type == YAML_SCALAR_EVENT)
		return on_scalar(b, event);
	if (event->type == YAML_ALIAS_EVENT)
		return on_alias(b, event);
	return on_open(b, event, event->type == YAML_SEQUENCE_START_EVENT ? NODE_LIST : NODE_MAP);
}

/* What people most often mean to write where YAML's grammar gives up; NULL: no idea. */
static const char *remedy(char c)
{
	switch (c) {
	case '\t':
		return "a tab stands here; YAML is indented with blanks only";
	case '*':
		return "a text that begins with * must be in quotes";
	case '@':
	case '`':
	case '%':
		return "a text that begins with this character must be in quotes";
	default:
		return NULL;
	}
}

static char char_at(const struct builder *b, const yaml_mark_t *at)
{
	return source_char(b->source, (unsigned)at->line + 1, (unsigned)at->column + 1);
}

/* Whether a bracket is still open at the end of the file: it is what has to be mended. */
static bool report_unclosed(struct builder *b)
{
	for (unsigned i = b->depth; i > 0; i--) {
		const struct node *node = b->open[i - 1].node;
		char c = source_char(b->source, node->line, node->column);

		if (c != '{' && c != '[')
			continue;
		source_error(b->source, b->diags, node_place(node), CODE_SYNTAX,
			     "this %c is not closed before the file ends", c);
		return true;
	}
	return false;
}

/* The place and the words that serve best: a remedy, else the grammar's own complaint. */
static void explain(struct builder *b)
{
	const yaml_parser_t *p = &b->parser;
	const yaml_mark_t *at = &p->problem_mark, *context = &p->context_mark;
	bool scanning = p->context && strncmp(p->context, "while scanning", 14) == 0;
	bool ended = char_at(b, at) == '\0';
	const char *hint = remedy(char_at(b, at));

	if (ended && report_unclosed(b))
		return;
	if (!hint && scanning && (hint = remedy(char_at(b, context))))
		at = context;
	if (hint)
		refuse(b, at, CODE_SYNTAX, "%s", hint);
	else if (!p->context)
		refuse(b, at, CODE_SYNTAX, "%s", p->problem);
	else if (ended)
		refuse(b, context, CODE_SYNTAX, "%s %s that begins here", p->problem, p->context);
	else if (context->line != at->line)
		refuse(b, at, CODE_SYNTAX, "%s %s that begins in line %zu", p->problem, p->context,
		       context->line + 1);
	else
		refuse(b, at, CODE_SYNTAX, "%s %s", p->problem, p->context);
}

static int report_syntax(struct builder *b)
{
	if (b->parser.error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	/* Where the text was cut, the grammar's complaint is only an echo. */
	if (!b->source->cut && b->parser.problem)
		explain(b);
	b->source->cut = true;
	return 0;
}

static int read_events(struct builder *b)
{
	for (int err = 0; err == 0;) {
		yaml_event_t event;

		if (!yaml_parser_parse(&b->parser, &event))
			return report_syntax(b);
		err = on_event(b, &event);
		yaml_event_delete(&event);
		if (err < 0)
			return err;
	}
	return 0;
}

int tree_read(struct arena *a, struct source *source, struct diags *diags, struct node **ret)
{
	_cleanup_(builder_done) struct builder b = {.a = a, .source = source, .diags = diags};
	int err;

	if (!yaml_parser_initialize(&b.parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)source->bytes, source->size);
	err = read_events(&b);
	if (err < 0)
		return err;
	*ret = b.root;
	return 0;
}

struct node *tree_get(const struct node *node, const char *name)
{
	if (!node || node->kind != NODE_MAP)
		return NULL;
	array_foreach(it, &node->entries)
		if (it->name && strcmp(it->name, name) == 0)
			return it->value;
	return NULL;
}

struct place node_place(const struct node *node)
{
	return (struct place){
		.file = node->source->path, .line = node->line, .column = node->column};
}

const char *node_shown(const struct node *node, char buf[static NODE_SHOWN_SIZE])
{
	static const char *const kinds[] = {
		[NODE_NULL] = "nothing",
		[NODE_LIST] = "a list",
		[NODE_MAP] = "a mapping",
	};
	const int most = NODE_SHOWN_SIZE - 6; /* quotes, dots, NUL */
	int n;

	if (node->kind != NODE_SCALAR) {
		snprintf(buf, NODE_SHOWN_SIZE, "%s", kinds[node->kind]);
		return buf;
	}
	/* Cut between characters. */
	n = (int)strnlen(node->text, (size_t)most);
	while (((unsigned char)node->text[n] & 0xc0) == 0x80)
		n--;
	snprintf(buf, NODE_SHOWN_SIZE, "\"%.*s%s\"", n, node->text, node->text[n] ? "..." : "");
	/* Nothing that a terminal would obey. */
	for (char *p = buf; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return buf;
}
