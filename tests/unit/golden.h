/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Texts that are compared with files of unit/golden. With PTHRU_GOLDEN=write in the environment the
 * files are rewritten instead: read the difference before you commit it. Include after cmocka.h.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "macro.h"
#include "strbuf.h"

static inline void golden_close(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void assert_golden(const char *name, const char *text)
{
	const char *mode = getenv("PTHRU_GOLDEN");
	_cleanup_strbuf_ struct strbuf expected = {};
	_cleanup_(golden_close) FILE *f = NULL;
	char path[512], piece[4096];
	size_t n;

	snprintf(path, sizeof(path), "%s/unit/golden/%s", TEST_DIR, name);
	f = fopen(path, mode && strcmp(mode, "write") == 0 ? "w+" : "r");
	if (!f)
		fail_msg("%s is missing", path);
	if (mode && strcmp(mode, "write") == 0) {
		fputs(text, f);
		rewind(f);
	}
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		strbuf_addn(&expected, piece, n);
	assert_string_equal(text, strbuf_text(&expected));
}
