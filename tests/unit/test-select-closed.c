/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Selectors fail closed: from the words of a spec file to a captured host with two equal cards,
 * each of these selects nothing and says why, at one of three gates.
 */
#include "config-load.h"

#include "capture.h"
#include "guard.h"
#include "observe.h"
#include "root.h"

#define TWIN "10de:2503:1458:3702"

struct closed_row {
	const char *body; /* of devices.d */
	enum code code;
	const char *says;
};

/* Refused as words, whatever the host. */
static const struct closed_row malformed[] = {
	{"{}", CODE_BAD_VALUE, "selects nothing"},
	{"{count: 1, functions: all}", CODE_BAD_VALUE, "selects nothing"},
	{"{accept: [in-use]}", CODE_BAD_VALUE, "selects nothing"},
	{"x", CODE_TYPE_MISMATCH, ""},
	{"[]", CODE_TYPE_MISMATCH, ""},
	{"{id: ''}", CODE_BAD_VALUE, "an id like"},
	{"{id: 10de}", CODE_BAD_VALUE, "an id like"},
	{"{id: '10de:'}", CODE_BAD_VALUE, "an id like"},
	{"{id: 10de:2503:1458}", CODE_BAD_VALUE, "an id like"},
	{"{id: 10de:25033}", CODE_BAD_VALUE, "an id like"},
	{"{id: '10de:*'}", CODE_BAD_VALUE, "label only"},
	{"{id: '10de:250?'}", CODE_BAD_VALUE, "label only"},
	{"{id: '10de:[0-9a-f]503'}", CODE_BAD_VALUE, "label only"},
	{"{id: 'ffff:ffff:ffff:zzzz'}", CODE_BAD_VALUE, "an id like"},
	{"{id: [10de:2503]}", CODE_TYPE_MISMATCH, ""},
	{"{id: {vendor: 10de}}", CODE_TYPE_MISMATCH, ""},
	{"{id: ~}", CODE_BAD_VALUE, "selects nothing"},
	{"{address: ''}", CODE_BAD_VALUE, "an address like"},
	{"{address: 01:00}", CODE_BAD_VALUE, "an address like"},
	{"{address: 01:20.0}", CODE_BAD_VALUE, "an address like"},
	{"{address: 01:00.8}", CODE_BAD_VALUE, "an address like"},
	{"{address: 100:00.0}", CODE_BAD_VALUE, "an address like"},
	{"{address: '01:00.*'}", CODE_BAD_VALUE, "label only"},
	{"{address: 01:00.0, count: 2}", CODE_BAD_VALUE, "one address is one device"},
	{"{slot: 01:00.0}", CODE_BAD_VALUE, "a slot like"},
	{"{slot: 01:2f}", CODE_BAD_VALUE, "a slot like"},
	{"{slot: '01:*'}", CODE_BAD_VALUE, "label only"},
	{"{class: ''}", CODE_BAD_VALUE, "a class as"},
	{"{class: 3}", CODE_BAD_VALUE, "a class as"},
	{"{class: vgaa}", CODE_BAD_VALUE, "a class as"},
	{"{class: '*'}", CODE_BAD_VALUE, "label only"},
	{"{serial: ''}", CODE_BAD_VALUE, "select nothing"},
	{"{serial: '*'}", CODE_BAD_VALUE, "label only"},
	{"{serial: ' 1'}", CODE_BAD_VALUE, "blank"},
	{"{mac: ''}", CODE_BAD_VALUE, "a MAC address like"},
	{"{mac: '52:54:00:12:34'}", CODE_BAD_VALUE, "a MAC address like"},
	{"{mac: 52-54-00-12-34-56}", CODE_BAD_VALUE, "a MAC address like"},
	{"{mac: '52:54:00:*'}", CODE_BAD_VALUE, "label only"},
	{"{label: ''}", CODE_BAD_VALUE, "match nothing"},
	{"{label: '*'}", CODE_BAD_VALUE, "nothing but wildcards"},
	{"{label: '?**'}", CODE_BAD_VALUE, "nothing but wildcards"},
	{"{label: '[!x]*'}", CODE_BAD_VALUE, "nothing but wildcards"},
	{"{label: 'Slot [1'}", CODE_BAD_VALUE, "never closed"},
	{"{bound-to: ''}", CODE_BAD_VALUE, "no driver's name"},
	{"{bound-to: '*'}", CODE_BAD_VALUE, "no driver's name"},
	{"{id: " TWIN ", count: 0}", CODE_BAD_VALUE, "a number from 1"},
	{"{id: " TWIN ", count: -1}", CODE_TYPE_MISMATCH, "a number from 1"},
	{"{id: " TWIN ", count: 65536}", CODE_BAD_VALUE, "a number from 1"},
	{"{id: " TWIN ", count: all}", CODE_TYPE_MISMATCH, "a number from 1"},
	{"{id: " TWIN ", functions: [8]}", CODE_BAD_VALUE, ""},
	{"{id: " TWIN ", functions: []}", CODE_BAD_VALUE, ""},
	{"{id: " TWIN ", vendor: 10de}", CODE_UNKNOWN_KEY, "no key"},
	{"{id: " TWIN ", id: 10de:228e}", CODE_DUPLICATE_KEY, ""},
};

/* Good words that this host cannot answer with one device. */
static const struct closed_row unclear[] = {
	{"{id: " TWIN "}", CODE_AMBIGUOUS_DEVICE, "2 devices fit and 1 is wanted"},
	{"{id: 10de:2503, functions: [0]}", CODE_AMBIGUOUS_DEVICE, "2 devices fit"},
	{"{class: vga}", CODE_AMBIGUOUS_DEVICE, "3 devices fit"},
	{"{class: display}", CODE_AMBIGUOUS_DEVICE, "3 devices fit"},
	{"{class: '03'}", CODE_AMBIGUOUS_DEVICE, "3 devices fit"},
	{"{class: '0403'}", CODE_AMBIGUOUS_DEVICE, "2 devices fit"},
	{"{bound-to: nouveau}", CODE_AMBIGUOUS_DEVICE, "2 devices fit"},
	{"{id: " TWIN ", count: 3}", CODE_NO_SUCH_DEVICE, "only 2 of 3"},
	{"{class: vga, count: 2}", CODE_AMBIGUOUS_DEVICE, "3 devices fit and 2 are wanted"},
	{"{class: bridge}", CODE_BRIDGE_DEVICE, "a bridge"},
	{"{id: 8086:1901}", CODE_BRIDGE_DEVICE, "a bridge"},
	{"{address: 00:1c.0}", CODE_BRIDGE_DEVICE, "a bridge"},
	{"{slot: 00:1c}", CODE_BRIDGE_DEVICE, "a bridge"},
	{"{id: 10de:2504}", CODE_NO_SUCH_DEVICE, "no device fits id"},
	{"{id: 10de:2503:1043:8655}", CODE_NO_SUCH_DEVICE, "no device fits id"},
	{"{address: 04:00.0}", CODE_NO_SUCH_DEVICE, "no device fits address"},
	{"{address: 01:00.7}", CODE_NO_SUCH_DEVICE, "no device fits address"},
	{"{address: '10000:01:00.0'}", CODE_NO_SUCH_DEVICE, "no device fits address"},
	{"{slot: 01:01}", CODE_NO_SUCH_DEVICE, "no device fits slot"},
	{"{class: '00'}", CODE_NO_SUCH_DEVICE, "no device fits class"},
	{"{serial: S0000}", CODE_NO_SUCH_DEVICE, "no device fits serial"},
	{"{mac: '02:00:00:00:00:01'}", CODE_NO_SUCH_DEVICE, "no device fits mac"},
	{"{label: Slot 9*}", CODE_NO_SUCH_DEVICE, "no device fits label"},
	{"{bound-to: vfio-pci}", CODE_NO_SUCH_DEVICE, "no device fits bound-to"},
	{"{address: 01:00.0, slot: 03:00}", CODE_NO_SUCH_DEVICE, "no device fits address, slot"},
	{"{address: 01:00.0, id: 8086:3e92}", CODE_NO_SUCH_DEVICE, "no device fits id, address"},
	{"{id: " TWIN ", class: nvme}", CODE_NO_SUCH_DEVICE, "no device fits id, class"},
	{"{slot: 01:00, bound-to: nvme}", CODE_NO_SUCH_DEVICE, "no device fits slot, bound-to"},
};

static const char *in_spec(struct arena *a, const char *body)
{
	return arena_printf(a, "devices: {d: %s}\n", body);
}

static void words_are_refused(void **state _unused_)
{
	unsigned bad = 0;

	for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_loaded_ struct loaded l;

		load_text(in_spec(a, malformed[i].body), &l);
		assert_null(l.spec);
		bad += differs(malformed[i].body, code_name(l.diags.list.at[0].code),
			       code_name(malformed[i].code));
		bad += lacks(malformed[i].body, message(&l, 0), malformed[i].says);
	}
	assert_int_equal(bad, 0);
}

static struct host *observe(struct arena *a, const char *name)
{
	const struct observe_options options = {.labels = true, .serials = true};
	_cleanup_tree_ struct tree *tree = NULL;
	struct diags diags = {.arena = a};
	const char *text = NULL;
	struct host *host = NULL;
	struct root *root = NULL;
	size_t size;

	assert_int_equal(root_open(TEST_DIR "/hosts", &root), 0);
	assert_int_equal(root_read(root, name, 16 << 20, a, &text, &size), 0);
	root_free(root);
	assert_int_equal(tree_capture_new(name, text, size, &diags, &tree), 0);
	assert_int_equal(host_observe(tree, &options, &host), 0);
	return host;
}

static unsigned check_unclear(const struct host *host, const struct closed_row *row)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct plan_device found = {0};
	_cleanup_loaded_ struct loaded l;
	struct guard g;

	load_text(in_spec(a, row->body), &l);
	if (!l.spec)
		return differs(row->body, message(&l, 0), "a spec");
	assert_int_equal(guard_init(&g, a, l.spec, host, NULL), 0);
	assert_int_equal(guard_select(&g, &l.spec->devices.at[0], &found), 0);
	if (found.addrs.n || found.verdicts.n != 1)
		return differs(row->body, "a choice", "nothing, for one reason");
	assert_int_equal(found.verdicts.at[0].severity, SEVERITY_ERROR);
	return differs(row->body, code_name(found.verdicts.at[0].code), code_name(row->code)) +
	       lacks(row->body, found.verdicts.at[0].message, row->says);
}

static void the_host_is_not_guessed_about(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_host_ struct host *host = observe(a, "/twin-rtx3060.host");
	unsigned bad = 0;

	for (size_t i = 0; i < ARRAY_LEN(unclear); i++)
		bad += check_unclear(host, &unclear[i]);
	assert_int_equal(bad, 0);
}

/* A name that is taken back is no device at all, also where a later file takes back its selector.
 */
static void what_is_taken_back_selects_nothing(void **state _unused_)
{
	static const char *const removed[] = {"devices: {d: {id: " TWIN "}}", "devices: {d: null}",
					      NULL};
	static const char *const bare[] = {"devices: {d: {id: " TWIN "}}",
					   "devices: {d: {id: null}}", NULL};
	_cleanup_loaded_ struct loaded gone, empty;

	load_files(removed, NULL, &gone);
	assert_non_null(gone.spec);
	assert_int_equal(gone.spec->devices.n, 0);
	load_files(bare, NULL, &empty);
	assert_null(empty.spec);
	assert_int_equal(empty.diags.list.at[0].code, CODE_BAD_VALUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_refused),
		cmocka_unit_test(the_host_is_not_guessed_about),
		cmocka_unit_test(what_is_taken_back_selects_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
