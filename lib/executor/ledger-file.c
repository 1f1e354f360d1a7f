/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "apply.h"
#include "paths.h"

#define LEDGER_MAX_SIZE (64u << 20)

int ledger_load(const struct ops *ops, struct ledger **ret)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_ledger_ struct ledger *empty = ledger_new();
	const char *text;
	size_t size;
	int err;

	if (!a || !empty)
		return -ENOMEM;
	err = ops->read(ops->ctx, PATH_LEDGER, LEDGER_MAX_SIZE, a, &text, &size, NULL);
	if (err == 0)
		err = ledger_parse(text, size, ret);
	if (err == 0 || err == -ENOMEM)
		return err;
	empty->damaged = err != -ENOENT;
	*ret = TAKE(empty);
	return 0;
}

int ledger_save(const struct ops *ops, const struct ledger *ledger)
{
	/* It repeats what files with narrower permissions held. */
	static const struct file_attr attr = {.mode = 0600};
	_cleanup_strbuf_ struct strbuf text = {0};
	int err = ledger_render(ledger, &text);

	if (err == 0)
		err = ops->mkdirs(ops->ctx, PATH_STATE_DIR);
	if (err < 0)
		return err;
	return ops->replace(ops->ctx, PATH_LEDGER, text.text, text.len, &attr, false);
}
