/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "match.h"
#include "schema.h"

struct file {
	struct source source;
	struct node *root;  /* NULL: empty */
	const char *missed; /* why it does not count; NULL: match: holds */
};

struct load {
	struct arena *work; /* trees and first readings; gone at the end */
	struct diags *diags;
	struct spec *spec;
	struct file *files;
	size_t n;
	bool broken;   /* a file is not known to its end */
	bool unjudged; /* as in struct reader */
};

static int root_is_mapping(struct load *l, struct file *file)
{
	struct reader r = {.diags = l->diags};
	char shown[NODE_SHOWN_SIZE];

	if (!file->root || file->root->kind == NODE_NULL) {
		file->root = NULL;
		return 0;
	}
	if (file->root->bad || file->root->kind == NODE_MAP)
		return file->root->bad ? -EINVAL : 0;
	return reader_refuse(&r, file->root, CODE_TYPE_MISMATCH,
			     "a spec is a mapping of keys, not %s", node_shown(file->root, shown));
}

/* Reads one file as if it were alone: every value is checked, whether the file counts or not. */
static int check_file(struct load *l, struct file *file, const struct config_facts *facts)
{
	struct reader r = {.arena = l->work, .names = l->work, .diags = l->diags};
	struct document *doc = arena_new_of(l->work, struct document);
	int err;

	if (!doc)
		return -ENOMEM;
	err = root_is_mapping(l, file);
	if (err < 0) {
		file->root = NULL;
		l->broken = true;
		return 0;
	}
	if (file->root)
		err = reader_section(&r, &section_top, file->root, doc);
	if (err == -ENOMEM)
		return err;
	if (facts && match_missed(l->work, &doc->match, facts, &file->missed) < 0)
		return -ENOMEM;
	l->unjudged |= !facts && l->n > 1 && match_given(&doc->match);
	return 0;
}

static int open_file(struct load *l, const struct config_input *input, struct file *file)
{
	struct config_input own = *input;
	int err;

	/* Places in the spec point at this copy. */
	own.path = arena_strdup(l->spec->arena, input->path);
	if (!own.path)
		return -ENOMEM;
	err = source_open(l->work, &own, l->diags, &file->source);
	if (err == 0 && file->source.bytes)
		err = tree_read(l->work, &file->source, l->diags, &file->root);
	l->broken |= file->source.cut;
	return err;
}

static int read_files(struct load *l, const struct config_input *inputs,
		      const struct config_facts *facts)
{
	for (size_t i = 0; i < l->n; i++) {
		int err = open_file(l, &inputs[i], &l->files[i]);

		if (err == 0)
			err = check_file(l, &l->files[i], facts);
		if (err < 0)
			return err;
	}
	return 0;
}

/* The trees of the files that count, or of all. */
static int collect(struct load *l, bool all, struct trees *trees)
{
	/* An empty mapping below all others: the result is never nothing. */
	struct node *ground = arena_new_of(l->work, struct node);

	if (!ground || array_push(l->work, &trees->roots, ground) < 0)
		return -ENOMEM;
	ground->kind = NODE_MAP;
	for (size_t i = 0; i < l->n; i++) {
		struct file *file = &l->files[i];

		if (file->root && (all || !file->missed) &&
		    array_push(l->work, &trees->roots, file->root) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void warn(struct load *l, struct node *const *key, enum code code, const char *message)
{
	source_warning((*key)->source, l->diags, node_place(*key), code, message);
}

/* All files are looked at: one that does not count here still shows what a removal is meant for. */
static int warn_of_doubts(struct load *l)
{
	struct trees trees = {0};
	struct doubts doubts = {0};
	struct node *merged;
	int err = collect(l, true, &trees);

	if (err == 0)
		err = tree_merge(l->work, &trees, &doubts, &merged);
	if (err < 0)
		return err;
	array_foreach(it, &doubts.idle)
		warn(l, it, CODE_NO_EFFECT,
		     "without a value this takes back what an earlier file says, and none says "
		     "anything");
	array_foreach(it, &doubts.emptied)
		warn(l, it, CODE_BAD_VALUE,
		     "left empty, this takes back all that earlier files say here; write null if "
		     "that is meant, or remove the key");
	return 0;
}

static int merge_files(struct load *l, struct node **ret)
{
	struct trees trees = {0};
	int err = collect(l, false, &trees);

	for (size_t i = 0; i < l->n && err == 0; i++)
		if (!l->files[i].missed)
			err = array_push(l->spec->arena, &l->spec->files, l->files[i].source.path);
	if (err == 0)
		err = warn_of_doubts(l);
	return err < 0 ? err : tree_merge(l->work, &trees, NULL, ret);
}

static int write_canonical(struct load *l, const struct document *doc)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	struct place nowhere = {0};

	write_section(&section_top, doc, 0, &text);
	if (text.error == 0 && text.len > SPEC_FILE_MAX)
		diags_add(l->diags, SEVERITY_ERROR, CODE_TOO_LARGE, nowhere, NULL,
			  "all files together are larger than a spec can be (%u bytes)",
			  SPEC_FILE_MAX);
	return strbuf_to_arena(&text, l->spec->arena, &l->spec->canonical);
}

/* The second reading, of all files merged; it finds what only the whole can show. */
static int build(struct load *l)
{
	struct document doc = {.spec = *l->spec};
	struct reader r = {.arena = l->spec->arena, .names = l->work, .diags = l->diags};
	struct node *merged = NULL;
	int err = l->broken ? 0 : merge_files(l, &merged);

	if (err < 0 || l->broken)
		return err;
	doc.spec.files = l->spec->files;
	r.merged = merged;
	r.unjudged = l->unjudged;
	err = reader_defaults(&r, &section_top, &doc);
	if (err == 0)
		err = reader_section(&r, &section_top, merged, &doc);
	if (err < 0)
		return err == -EINVAL ? 0 : err;
	*l->spec = doc.spec;
	return write_canonical(l, &doc);
}

int config_load(const struct config_input *inputs, size_t n, const struct config_facts *facts,
		struct diags *diags, struct spec **ret)
{
	_cleanup_arena_ struct arena *work = arena_new();
	_cleanup_spec_ struct spec *spec = spec_new();
	struct load l = {.work = work, .diags = diags, .spec = spec, .n = n};
	int err;

	if (!work || !spec)
		return -ENOMEM;
	l.files = arena_alloc(work, (n + 1) * sizeof(*l.files));
	if (!l.files)
		return -ENOMEM;
	err = read_files(&l, inputs, facts);
	if (err == 0)
		err = build(&l);
	if (err < 0)
		return err;
	diags_sort(diags);
	if (diags->lost)
		return -ENOMEM;
	if (diags_failed(diags))
		return -EINVAL;
	*ret = TAKE(spec);
	return 0;
}

int config_trace(const struct config_input *inputs, size_t n, const struct config_facts *facts,
		 struct arena *a, struct config_trace *ret)
{
	_cleanup_spec_ struct spec *spec = spec_new();
	struct diags diags = {.arena = a};
	struct load l = {.work = a, .diags = &diags, .spec = spec, .n = n};
	struct node *merged = NULL;
	int err;

	l.files = arena_alloc(a, (n + 1) * sizeof(*l.files));
	if (!spec || !l.files)
		return -ENOMEM;
	err = read_files(&l, inputs, facts);
	if (err == 0 && !l.broken)
		err = merge_files(&l, &merged);
	for (size_t i = 0; err == 0 && i < n; i++)
		err = array_push(a, &ret->files,
				 ((struct config_file){inputs[i].path, l.files[i].missed}));
	return err == 0 && merged ? trace_values(a, "", merged, ret) : err;
}
