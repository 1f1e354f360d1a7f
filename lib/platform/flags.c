/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flags.h"

#include <string.h>

#include "digest.h"

int flag_in_force(struct arena *a, const char *line, const char *flag)
{
	struct kcmdline parsed;
	int r = kcmdline_parse(a, line, &parsed);

	return r < 0 ? r : kcmdline_satisfies(&parsed, flag);
}

int flag_conflict(struct arena *a, const char *line, const char *flag, const char **ret)
{
	const struct kparam *against;
	struct kcmdline parsed;
	int r = kcmdline_parse(a, line, &parsed);

	if (r < 0)
		return r;
	against = kcmdline_conflict(&parsed, flag);
	*ret = against ? against->raw : NULL;
	return 0;
}

bool flags_safe(const struct words *flags)
{
	array_foreach(flag, flags)
		if (kflag_refused(*flag))
			return false;
	return true;
}

int flags_ours(struct arena *a, const struct ledger *ledger, const char *path,
	       const struct words *surplus, struct words *ret)
{
	const struct ledger_file *file = ledger_file(ledger, path);
	struct words ours = {};

	if (file && !file->owned)
		for (size_t i = file->tokens.n; i-- > 0;)
			if (words_has(surplus, file->tokens.at[i]) &&
			    words_add(a, &ours, file->tokens.at[i]) < 0)
				return -ENOMEM;
	*ret = ours;
	return 0;
}

int flags_after(struct arena *a, const struct ledger *ledger, const char *path,
		const struct words *removed, const struct words *added, struct words *ret)
{
	const struct ledger_file *file = ledger_file(ledger, path);
	struct words after = {};

	if (file && !file->owned)
		array_foreach(token, &file->tokens)
			if (!words_has(removed, *token) && words_add(a, &after, *token) < 0)
				return -ENOMEM;
	array_foreach(token, added)
		if (words_add(a, &after, *token) < 0)
			return -ENOMEM;
	*ret = after;
	return 0;
}

void edit_restore(const struct host *host, const struct ledger *ledger, struct loader_edit *edit)
{
	const struct ledger_file *known = ledger_file(ledger, edit->path);
	const struct host_file *file = host_file(host, edit->path);
	char digest[DIGEST_TEXT_SIZE];

	if (!known || known->owned || known->mixed || !file || file->status != FILE_PRESENT)
		return;
	digest_bytes(file->text, file->size, digest);
	if (!known->after || strcmp(digest, known->after) != 0)
		return;
	edit->restore = true;
	edit->text = known->existed ? known->before : NULL;
	edit->size = known->existed ? known->before_size : 0;
	edit->tokens = (struct words){};
}

int edits_add(struct arena *a, const struct host *host, struct loader_edits *edits,
	      struct loader_edit edit)
{
	const struct host_file *file = host_file(host, edit.path);
	bool there = file && file->status != FILE_ABSENT;

	if (!edit.text && !there)
		return 0;
	if (!edit.restore)
		edit.size = edit.text ? strlen(edit.text) : 0;
	if (edit.text && there && file->status == FILE_PRESENT && file->size == edit.size &&
	    memcmp(file->text, edit.text, edit.size) == 0)
		return 0;
	return array_push(a, &edits->list, edit);
}

const char *file_text(const struct host *host, const char *path)
{
	const struct host_file *file = host_file(host, path);

	return file && file->status == FILE_PRESENT ? file->text : NULL;
}

static const char *unusable(const struct host_file *file)
{
	switch (file->status) {
	case FILE_ABSENT:
		return NULL;
	case FILE_PRESENT:
		return strlen(file->text) == file->size ? NULL : "holds NUL bytes";
	case FILE_UNSAFE:
		return "is no regular file of a usual size";
	case FILE_UNREADABLE:
	case _FILE_STATUS_MAX:
	case _FILE_STATUS_INVALID:
		break;
	}
	return "cannot be read";
}

int file_unusable(struct arena *a, const struct host_file *file, const char **ret)
{
	const char *why = unusable(file);

	if (why) {
		why = arena_printf(a, "%s %s", file->path, why);
		if (!why)
			return -ENOMEM;
	}
	*ret = why;
	return 0;
}
