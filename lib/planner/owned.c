/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are ours alone: what they should hold, and the steps that make it so. */
#include <string.h>

#include "paths.h"
#include "planning.h"
#include "udev.h"

struct owned {
	const char *path;
	unsigned kinds; /* of items that it serves */
	bool in_image;	/* an image is built from it */
};

static const struct owned fixed[] = {
	{PATH_MODPROBE, KIND(ITEM_MODULE_OPTION) | KIND(ITEM_BLACKLIST), true},
	{PATH_UDEV_RULES, KIND(ITEM_DEVICE), true},
	{PATH_MODULES_LOAD, KIND(ITEM_MODULE), false},
};

/* "managed by passthroughd" or the like stands in the head of every file of ours. */
static bool is_marked(const char *text)
{
	const char *mark = strstr(text, "passthroughd");

	return mark && mark - text < 200;
}

static bool is_ours(const struct planning *p, const struct host_file *file)
{
	return ledger_file(p->ledger, file->path) || is_marked(file->text);
}

static bool is_contested(const struct planning *p, const char *path)
{
	return words_has(&p->ledger->contested, path);
}

static const char *trouble(const struct planning *p, const char *path, enum code *ret_code)
{
	const struct host_file *file = host_file(p->host, path);

	if (is_contested(p, path)) {
		*ret_code = CODE_FOREIGN_CONFLICT;
		return "is changed by something else again and again, and is left alone for now; "
		       "find out what writes there, then reload passthroughd";
	}
	if (!file || file->status == FILE_ABSENT)
		return NULL;
	if (file->status != FILE_PRESENT) {
		*ret_code = CODE_BAD_FILE;
		return "is no plain file that can be read; remove it";
	}
	if (!is_ours(p, file)) {
		*ret_code = CODE_FOREIGN_CONFLICT;
		return "was not written by passthroughd; move it away";
	}
	return NULL;
}

static bool ids_in_use(const struct planning *p)
{
	array_foreach(it, &p->devices)
		if (!it->refused && !it->foreign && it->method == METHOD_IDS)
			return true;
	return false;
}

static int check_one(struct planning *p, const char *path, unsigned kinds)
{
	enum code code = _CODE_INVALID;
	const char *what = trouble(p, path, &code);
	const char *why;

	if (!what)
		return 0;
	why = arena_printf(p->a, "%s %s", path, what);
	return why ? block_kinds(p, kinds, code, why) : -ENOMEM;
}

int plan_shared_check(struct planning *p, const char *path, unsigned kinds)
{
	return is_contested(p, path) ? check_one(p, path, kinds) : 0;
}

bool plan_images_contested(const struct planning *p)
{
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (fixed[i].in_image && is_contested(p, fixed[i].path))
			return true;
	for (size_t i = 0; p->builder && p->builder->owned[i]; i++)
		if (is_contested(p, p->builder->owned[i]))
			return true;
	return false;
}

int plan_owned_checks(struct planning *p)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < ARRAY_LEN(fixed); i++)
		err = check_one(p, fixed[i].path,
				fixed[i].kinds |
					(fixed[i].kinds & KIND(ITEM_BLACKLIST) && ids_in_use(p)
						 ? KIND(ITEM_DEVICE)
						 : 0));
	for (size_t i = 0; err == 0 && p->builder && p->builder->owned[i]; i++)
		err = check_one(p, p->builder->owned[i], KIND(ITEM_DEVICE));
	return err < 0 ? err : collect_early(p);
}

/* --- steps ------------------------------------------------------------------------------------ */

static int add_write(struct planning *p, const struct file_wish *wish, const struct host_file *file)
{
	struct step *step = step_add(p, STEP_WRITE_FILE, wish->path, wish->why);

	if (!step)
		return -ENOMEM;
	step->content = wish->text;
	step->size = strlen(wish->text);
	step->mode = wish->mode;
	step->owned = wish->owned;
	step->restore = wish->restore;
	if (file && file->status == FILE_PRESENT) {
		step->before = file->text;
		step->before_size = file->size;
	}
	array_foreach(it, wish->tokens)
		if (words_add(p->a, &step->tokens, *it) < 0)
			return -ENOMEM;
	return 0;
}

static int add_remove(struct planning *p, const struct file_wish *wish,
		      const struct host_file *file)
{
	struct step *step = step_add(p, STEP_REMOVE_FILE, wish->path, wish->why);

	if (!step)
		return -ENOMEM;
	step->owned = wish->owned;
	step->before = file->text;
	step->before_size = file->size;
	return 0;
}

static bool same(const struct host_file *file, const struct file_wish *wish)
{
	/* A hook that may not be executed is passed over. */
	return file->size == strlen(wish->text) &&
	       memcmp(file->text, wish->text, file->size) == 0 &&
	       (!wish->owned || !(wish->mode & 0100 & ~file->mode));
}

int plan_file(struct planning *p, const struct file_wish *wish)
{
	static const struct words none;
	const struct host_file *file = host_file(p->host, wish->path);
	bool there = file && file->status == FILE_PRESENT;
	struct file_wish full = *wish;

	if (is_contested(p, wish->path))
		return 0;
	if (!full.tokens)
		full.tokens = &none;
	if (!full.why && !*wish->text)
		full.why = arena_printf(p->a, "%s: no longer wished", wish->path);
	if (*wish->text && there && same(file, wish))
		return wish->owned && !ledger_file(p->ledger, wish->path) &&
				       words_add(p->a, &p->plan->adopt, wish->path) < 0
			       ? -ENOMEM
			       : 0;
	if (*wish->text || wish->restore)
		return add_write(p, &full, file);
	return there && (!wish->owned || is_ours(p, file)) ? add_remove(p, &full, file) : 0;
}

static int fixed_text(struct planning *p, size_t i, const char **ret)
{
	if (fixed[i].kinds & KIND(ITEM_BLACKLIST))
		return modprobe_text(p, ret);
	if (fixed[i].kinds & KIND(ITEM_MODULE))
		return modules_load_text(p, ret);
	return udev_rules_render(p->a, &p->early, ret);
}

/* Files of a builder; of one that is not the host's, or has no image to build, none is wished. */
static int builder_files(struct planning *p, const struct initramfs_builder *builder)
{
	int err = 0;

	for (size_t i = 0; err == 0 && builder->owned[i]; i++) {
		struct file_wish wish = {.path = builder->owned[i],
					 .text = "",
					 .why = why_of_kinds(p, KIND(ITEM_DEVICE)),
					 .mode = 0644,
					 .owned = true};

		if (builder == p->builder && p->kernels.n)
			err = builder->render(p->a, p->host, &p->early, i, &wish.text, &wish.mode);
		if (err == 0)
			err = plan_file(p, &wish);
	}
	return err;
}

int plan_owned_files(struct planning *p)
{
	bool shut = p->gate != _CODE_INVALID;
	int err = 0;

	for (size_t i = 0; err == 0 && i < ARRAY_LEN(fixed); i++) {
		unsigned kinds = fixed[i].kinds;
		struct file_wish wish = {.path = fixed[i].path, .mode = 0644, .owned = true};

		if (fixed[i].in_image && shut)
			continue;
		if (kinds & KIND(ITEM_BLACKLIST) && ids_in_use(p))
			kinds |= KIND(ITEM_DEVICE);
		wish.why = why_of_kinds(p, kinds);
		err = fixed_text(p, i, &wish.text);
		if (err == 0)
			err = plan_file(p, &wish);
	}
	for (size_t i = 0; err == 0 && !shut && i < initramfs_builders_n; i++)
		err = builder_files(p, initramfs_builders[i]);
	return err;
}
