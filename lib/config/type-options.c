/* SPDX-License-Identifier: GPL-2.0-or-later */
/* module-options: module, parameter, value. */
#include <string.h>

#include "kcmdline.h"
#include "schema.h"

/* Options that a key of the spec stands for: consent, and the choice of devices, is given there. */
static const struct reserved {
	const char *module, *param, *why;
} reserved[] = {
	{"vfio_iommu_type1", "allow_unsafe_interrupts",
	 "is consent to be given as iommu: {unsafe-interrupts: true}"},
	{"vfio_pci", "ids", "takes devices, which are to be listed in devices:"},
};

static const char *reserved_option(const char *module, const char *param)
{
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		if (strcmp(reserved[i].module, module) == 0 &&
		    strcmp(reserved[i].param, param) == 0)
			return reserved[i].why;
	return NULL;
}

int flag_reserved(struct arena *a, const char *flag, const char **ret_why)
{
	char *name = arena_strndup(a, flag, strcspn(flag, "="));
	char *dot;

	if (!name)
		return -ENOMEM;
	for (char *p = name; *p; p++)
		if (*p == '-')
			*p = '_';
	dot = strchr(name, '.');
	if (dot)
		*dot = '\0';
	*ret_why = dot ? reserved_option(name, dot + 1) : NULL;
	return 0;
}

struct options { /* as in struct spec */
	ARRAY_OF(struct spec_option) list;
};
_Static_assert(sizeof(struct options) == sizeof(((struct spec *)0)->options), "one layout");

static int refuse_value(struct reader *r, struct node *value)
{
	char shown[NODE_SHOWN_SIZE], param[NODE_SHOWN_SIZE];
	const char *why;

	if (value->bad)
		return -EINVAL;
	node_shown(value, shown);
	node_shown(value->key, param);
	if (value->kind != NODE_SCALAR)
		return reader_refuse(r, value, CODE_TYPE_MISMATCH,
				     "%s takes a text or number, not %s", param, shown);
	/* Modules differ in what they read: 1, Y, on. A bare boolean leaves it open: never guess.
	 */
	if (value->plain &&
	    (strcasecmp(value->text, "true") == 0 || strcasecmp(value->text, "false") == 0))
		return reader_refuse(r, value, CODE_TYPE_MISMATCH,
				     "write what the module reads, as 1 or Y, not a bare %s",
				     value->text);
	why = option_value_refused(value->text);
	if (why)
		return reader_refuse(r, value, CODE_UNSAFE_VALUE, "%s cannot be %s: it %s", param,
				     shown, why);
	return 0;
}

/* Brings the names of a mapping into the kernel's spelling, so that two of them can be one. */
static int spell_names(struct reader *r, struct node *map, const char *what)
{
	char shown[NODE_SHOWN_SIZE];

	array_foreach(it, &map->entries) {
		const char *why;

		if (it->key->bad) {
			map->flawed = true;
			continue;
		}
		why = module_name_refused(it->name);
		if (why) {
			reader_refuse(r, it->key, CODE_BAD_VALUE, "%s is no name of a %s: it %s",
				      node_shown(it->key, shown), what, why);
			map->flawed = true;
			continue;
		}
		it->name = module_name_kernel(r->names, it->name);
		if (!it->name)
			return -ENOMEM;
	}
	return tree_find_repeats(r->names, map, r->diags);
}

static int take_option(struct reader *r, const char *module, struct entry *entry,
		       struct options *options)
{
	struct spec_option option = {.place = node_place(entry->key)};
	const char *why;
	char shown[NODE_SHOWN_SIZE];
	int err;

	if (entry->key->bad)
		return -EINVAL;
	why = reserved_option(module, entry->name);
	if (why)
		return reader_refuse(r, entry->key, CODE_UNSAFE_VALUE, "%s %s",
				     node_shown(entry->key, shown), why);
	if (entry->value->kind == NODE_NULL)
		return 0;
	err = refuse_value(r, entry->value);
	if (err < 0)
		return err;
	option.module = arena_strdup(r->arena, module);
	option.param = arena_strdup(r->arena, entry->name);
	option.value = arena_strdup(r->arena, entry->value->text);
	if (!option.module || !option.param || !option.value)
		return -ENOMEM;
	return array_push(r->arena, &options->list, option);
}

static int take_module(struct reader *r, const struct key *key, struct entry *entry,
		       struct options *options)
{
	char shown[NODE_SHOWN_SIZE];
	int err;

	if (entry->key->bad || entry->value->bad)
		return -EINVAL;
	if (entry->value->kind == NODE_NULL)
		return 0;
	if (entry->value->kind != NODE_MAP)
		return reader_refuse(r, entry->value, CODE_TYPE_MISMATCH,
				     "\"%s\" takes %s; for this module it is %s", key->name,
				     key->type->takes, node_shown(entry->value, shown));
	err = spell_names(r, entry->value, "parameter");
	if (err < 0)
		return err;
	array_foreach(it, &entry->value->entries) {
		err = take_option(r, entry->name, it, options);
		if (err == -ENOMEM)
			return err;
		entry->value->flawed |= err < 0;
	}
	return entry->value->flawed ? -EINVAL : 0;
}

static int read_options(struct reader *r, const struct key *key, struct node *node, void *field)
{
	struct options options = {0};
	int err = reader_expect(r, key, node, NODE_MAP);

	if (err == 0)
		err = spell_names(r, node, "module");
	if (err < 0)
		return err;
	array_foreach(it, &node->entries) {
		err = take_module(r, key, it, &options);
		if (err == -ENOMEM)
			return err;
		node->flawed |= err < 0;
	}
	memcpy(field, &options, sizeof(options));
	return node->flawed ? -EINVAL : 0;
}

/* The list is sorted by module, so that one module's options stand together. */
static void write_options(const struct key *key _unused_, const void *field, unsigned indent,
			  struct strbuf *out)
{
	struct options options;
	const char *last = "";

	memcpy(&options, field, sizeof(options));
	strbuf_add(out, options.list.n ? "\n" : " {}\n");
	array_foreach(it, &options.list) {
		if (strcmp(it->module, last) != 0) {
			write_indent(indent + 1, out);
			write_quoted(it->module, out);
			strbuf_add(out, ":\n");
			last = it->module;
		}
		write_indent(indent + 2, out);
		write_quoted(it->param, out);
		strbuf_add(out, ": ");
		write_quoted(it->value, out);
		strbuf_addc(out, '\n');
	}
}

static void schema_options(const struct key *key, struct strbuf *out)
{
	strbuf_addf(out,
		    "\"type\": [\"object\", \"null\"], "
		    "\"propertyNames\": {\"pattern\": \"%s\"}, "
		    "\"additionalProperties\": {\"type\": [\"object\", \"null\"], "
		    "\"propertyNames\": {\"pattern\": \"%s\"}, "
		    "\"additionalProperties\": {\"type\": [\"string\", \"number\", \"null\"], "
		    "\"pattern\": \"^[A-Za-z0-9._:,=/+@%%-]+$\"}}",
		    key->type->pattern, key->type->pattern);
}

const struct type type_options = {
	.takes = "a mapping from modules to a mapping from parameters to values",
	.read = read_options,
	.write = write_options,
	.schema = schema_options,
	.pattern = "^[A-Za-z0-9_][A-Za-z0-9_-]{0,54}$",
};
