/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a builder finds around it. */
#include "scratch.h"
#include "strbuf.h"
#include "surroundings.h"

struct locale_row {
	const char *debian, *systemd; /* the two files, NULL: absent */
	const char *words;
};

static const struct locale_row rows[] = {
	{NULL, NULL, "LANG=C.UTF-8 "},
	{"LANG=de_DE.UTF-8\n", NULL, "LANG=de_DE.UTF-8 "},
	{"#  comment\nLANG=\"de_DE.UTF-8\"\nLANGUAGE=de:en\n", "LANG=fr_FR.UTF-8\n",
	 "LANG=de_DE.UTF-8 LANGUAGE=de:en "},
	{NULL, "LANG='sv_SE@euro'\nLC_MESSAGES=C", "LANG=sv_SE@euro LC_MESSAGES=C "},
	{"LC_TIME=en_GB.UTF-8\n", NULL, "LC_TIME=en_GB.UTF-8 LANG=C.UTF-8 "},
	{"PATH=/evil\nLD_PRELOAD=x\nLANG=$(reboot)\n", NULL, "LANG=C.UTF-8 "},
	{"LANG=\n=\nLANG\n", NULL, "LANG=C.UTF-8 "},
	{"", "LANG=C\n", "LANG=C.UTF-8 "},
};

static void put(struct scratch *s, const char *path, const char *text)
{
	static const struct file_attr attr = {.mode = 0644};

	root_unlink(s->root, path);
	if (text)
		assert_int_equal(root_replace(s->root, path, text, strlen(text), &attr), 0);
}

static void locale_is_the_hosts_own(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(root_mkdirs(s->root, "/etc/default"), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf seen = {0};
		struct words words;

		put(s, "/etc/default/locale", rows[i].debian);
		put(s, "/etc/locale.conf", rows[i].systemd);
		assert_int_equal(host_locale(s->root, s->arena, &words), 0);
		array_foreach(it, &words)
			strbuf_addf(&seen, "%s ", *it);
		assert_string_equal(strbuf_text(&seen), rows[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(locale_is_the_hosts_own, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
