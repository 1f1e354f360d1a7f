/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of properties of Proxmox VE: read in every spelling, edited, printed (9.1, 9.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "qm-property.h"
#include "strbuf.h"

static const struct {
	const char *text;
	const char *host; /* NULL: it cannot be read */
	const char *pcie; /* the text with pcie=1 */
	const char *bare; /* the text without rombar */
} rows[] = {
	{"01:00", "01:00", "01:00,pcie=1", "01:00"},
	{"host=01:00.0", "01:00.0", "host=01:00.0,pcie=1", "host=01:00.0"},
	{"pcie=0,01:00,rombar=0", "01:00", "pcie=1,01:00,rombar=0", "pcie=0,01:00"},
	{"rombar=0,host=01:00.0;01:00.1,x-vga=1", "01:00.0;01:00.1",
	 "rombar=0,host=01:00.0;01:00.1,x-vga=1,pcie=1", "host=01:00.0;01:00.1,x-vga=1"},
	{"mapping=gpu,rombar=1", "-", "mapping=gpu,rombar=1,pcie=1", "mapping=gpu"},
	{"01:00,newer-one=a=b,rombar=0", "01:00", "01:00,newer-one=a=b,rombar=0,pcie=1",
	 "01:00,newer-one=a=b"},
	{"01:00,,rombar=0,", "01:00", "01:00,rombar=0,pcie=1", "01:00"},
	{"", NULL, NULL, NULL},
	{",", NULL, NULL, NULL},
	{"01:00,02:00", NULL, NULL, NULL},
	{"01:00,host=02:00", NULL, NULL, NULL},
	{"01:00,pcie=1,pcie=1", NULL, NULL, NULL},
	{"01:00,pcie=", NULL, NULL, NULL},
	{"01:00,=1", NULL, NULL, NULL},
};

static const char *with(struct arena *a, const char *text, const char *key, const char *value)
{
	struct qm_properties p;

	assert_int_equal(qm_properties_parse(a, "host", text, &p), 0);
	assert_int_equal(qm_property_set(a, &p, key, value), 0);
	return qm_properties_print(a, &p);
}

static void editing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct qm_properties p = {0};
		int err = qm_properties_parse(a, "host", rows[i].text, &p);

		if (!rows[i].host) {
			assert_int_equal(err, -EBADMSG);
			assert_null(p.nameless);
			continue;
		}
		assert_int_equal(err, 0);
		assert_string_equal(qm_property(&p, "host") ? qm_property(&p, "host") : "-",
				    rows[i].host);
		assert_string_equal(with(a, rows[i].text, "pcie", "1"), rows[i].pcie);
		assert_string_equal(with(a, rows[i].text, "rombar", NULL), rows[i].bare);
	}
}

/* The one that may do so stands without its name where it is new. */
static void nameless(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct qm_properties p = {.nameless = "host"};

	(void)state;
	assert_int_equal(qm_property_set(a, &p, "host", "01:00"), 0);
	assert_int_equal(qm_property_set(a, &p, "pcie", "1"), 0);
	assert_string_equal(qm_properties_print(a, &p), "01:00,pcie=1");
	assert_int_equal(qm_properties_parse(a, "", "01:00", &p), -EBADMSG);
}

static void booleans(void **state)
{
	static const struct {
		const char *text;
		enum tristate value;
	} words[] = {{"1", YES},  {"on", YES}, {"Yes", YES},  {"TRUE", YES},  {"0", NO},
		     {"off", NO}, {"no", NO},  {"false", NO}, {"2", UNKNOWN}, {NULL, UNKNOWN}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		assert_int_equal(qm_boolean(words[i].text), words[i].value);
}

static void ids(void **state)
{
	static const struct {
		const char *text, *said; /* "": no such list */
	} lists[] = {
		{"01:00", " 0000:01:00.0*"},
		{"01:00.1", " 0000:01:00.1"},
		{"0000:01:00", " 0000:01:00.0*"},
		{"10000:e1:00.0", " 10000:e1:00.0"},
		{"0000:01:00.0;0000:01:00.1;02:1f", " 0000:01:00.0 0000:01:00.1 0000:02:1f.0*"},
		{"0000:0A:00", ""},
		{"01:00.8", ""},
		{"01:00;", ""},
		{"", ""},
		{";01:00", ""},
		{"1:0", ""},
		{"01:00 ", ""},
		{"gpu", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		_cleanup_strbuf_ struct strbuf out = {0};
		struct qm_ids list;
		char text[PCI_ADDR_TEXT_SIZE];

		if (qm_ids_parse(lists[i].text, &list))
			for (size_t k = 0; k < list.n; k++)
				strbuf_addf(&out, " %s%s", pci_addr_format(list.at[k].addr, text),
					    list.at[k].whole_slot ? "*" : "");
		assert_string_equal(strbuf_text(&out), lists[i].said);
	}
}

/* Spelling and order are nobody's business; what others changed since is theirs. */
static void comparing(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} pairs[] = {
		{"01:00,pcie=1", "pcie=on,host=0000:01:00", true},
		{"01:00.0;01:00.1", "0000:01:00.1;0000:01:00.0", true},
		{"01:00", "01:00.0", false},
		{"01:00", "01:00,pcie=0", false},
		{"01:00,romfile=a", "01:00,romfile=A", false},
		{"mapping=a", "host=01:00", false},
		{"01:00;02:00", "01:00;02:00;01:00", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct qm_properties x, y;

		assert_int_equal(qm_properties_parse(a, "host", pairs[i].a, &x), 0);
		assert_int_equal(qm_properties_parse(a, "host", pairs[i].b, &y), 0);
		assert_int_equal(qm_properties_same(&x, &y), pairs[i].same);
		assert_int_equal(qm_properties_same(&y, &x), pairs[i].same);
	}
	assert_true(qm_value_same(NULL, NULL));
	assert_false(qm_value_same(NULL, "0"));
}

static void merging(void **state)
{
	static const struct {
		const char *before, *ours, *now, *merged;
	} changes[] = {
		{"01:00", "01:00,pcie=1", "01:00,pcie=1", "01:00"},
		{"01:00", "01:00,pcie=1", "pcie=on,host=0000:01:00", "01:00"},
		{"01:00", "01:00,pcie=1", "01:00,pcie=1,romfile=x", "01:00,romfile=x"},
		{"01:00,rombar=0", "01:00,rombar=0,x-vga=1", "01:00,x-vga=1", "01:00"},
		{"01:00,pcie=1", "01:00", "01:00,pcie=0", "01:00,pcie=0"},
		{"01:00.0", "01:00,pcie=1", "01:00,pcie=1", "01:00.0"},
		{"01:00.0", "01:00,pcie=1", "02:00,pcie=1", "02:00"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct qm_properties before, ours, now, merged;

		assert_int_equal(qm_properties_parse(a, "host", changes[i].before, &before), 0);
		assert_int_equal(qm_properties_parse(a, "host", changes[i].ours, &ours), 0);
		assert_int_equal(qm_properties_parse(a, "host", changes[i].now, &now), 0);
		assert_int_equal(qm_properties_merge(a, &before, &ours, &now, &merged), 0);
		assert_string_equal(qm_properties_print(a, &merged), changes[i].merged);
		assert_string_equal(qm_properties_print(a, &before), changes[i].before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(editing), cmocka_unit_test(nameless),	cmocka_unit_test(booleans),
		cmocka_unit_test(ids),	   cmocka_unit_test(comparing), cmocka_unit_test(merging),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
