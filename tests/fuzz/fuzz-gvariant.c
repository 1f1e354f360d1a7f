/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a dictionary of GVariant: refused, or what is found is text that lies inside. */
#include "must.h"

#include "gvariant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = {"kargs", "locked", "target"};
	_cleanup_arena_ struct arena *a = arena_new();
	struct words words = {0};

	MUST(a);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct gvariant value;
		int r = gvariant_find(data, size, keys[i], &value);

		MUST(r == 0 || r == -ENOENT || r == -EBADMSG);
		if (r < 0)
			continue;
		MUST(value.data >= data && value.data + value.size <= data + size);
		r = gvariant_strings(a, &value, &words);
		MUST(r == 0 || r == -EBADMSG);
		if (gvariant_true(&value))
			MUST(value.size == 1);
		for (size_t j = 0; r == 0 && j < words.n; j++)
			MUST(strlen(words.at[j]) < size);
	}
	return 0;
}
