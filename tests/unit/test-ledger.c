/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger's text: everything comes back as it was, anything else is refused. */
#include "scratch.h"

#include <errno.h>

#include "apply.h"
#include "paths.h"

static const struct ops_limits limits = {.write_ms = 1000, .build_ms = 60000};

struct bytes_row {
	const char *what, *bytes;
	size_t size;
	bool readable; /* stands in the text as it is */
};

#define ROW(what, text, readable)                                                                  \
	{                                                                                          \
		what, text, sizeof(text) - 1, readable                                             \
	}

static const struct bytes_row bytes[] = {
	ROW("nothing", "", true),
	ROW("a config file", "GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX=\"quiet\"\n", true),
	ROW("no last newline", "a\tb\r\nc", true),
	ROW("UTF-8", "# gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\n", true),
	ROW("control bytes", "\x01\x1f\x7f\"\\/</script>", true),
	ROW("a NUL inside", "before\0after", false),
	ROW("only NULs", "\0\0\0\0", false),
	ROW("latin-1", "# gr\xfc\xdf\n", false),
	ROW("a cut character", "abc\xe2\x82", false),
	ROW("overlong", "\xc0\xaf\xe0\x80\x80", false),
	ROW("a surrogate", "\xed\xa0\x80", false),
	ROW("beyond Unicode", "\xf4\x90\x80\x80", false),
	ROW("all lengths 1", "\xff", false),
	ROW("all lengths 2", "\xff\xfe", false),
	ROW("all lengths 3", "\xff\xfe\xfd", false),
};

static struct ledger *sample(const struct bytes_row *row)
{
	struct ledger *l = ledger_new();
	struct ledger_file *f = array_add(l->arena, &l->files);
	struct ledger_device *d = array_add(l->arena, &l->devices);
	struct ledger_param *p = array_add(l->arena, &l->params);

	*f = (struct ledger_file){
		.path = "/etc/default/grub",
		.existed = true,
		.before = row->bytes,
		.before_size = row->size,
		.mode = 04640,
		.uid = 4294967294,
		.gid = 7,
		.after = "aa",
		.intent = "bb",
	};
	words_add(l->arena, &f->tokens, "iommu=pt");
	words_add(l->arena, &f->tokens, "intel_iommu=on");
	words_add(l->arena, &f->intended, "pcie_aspm=off");
	*d = (struct ledger_device){
		.name = "gpu",
		.addr = {0x10000, 1, 2, 3},
		.id = {0x10de, 0x1b81, 0x1043, 0x8655},
		.serial = "s",
		.path = "0000:00:01.0/00.0",
		.wish = "id 10de:1b81",
		.consent = "",
		.group_known = true,
		.driver = "vfio-pci",
		.previous = "nouveau",
		.bound = true,
		.host_drivers = "nouveau nvidia",
		.builtin = true,
	};
	words_add(l->arena, &d->group, "10de:1b81:1043:8655");
	*p = (struct ledger_param){"kvm", "ignore_msrs", "N"};
	array_push(l->arena, &l->promises,
		   ((struct ledger_promise){"kernel-flag:iommu=pt", "1-2-3", "dd"}));
	array_push(l->arena, &l->guests,
		   ((struct ledger_guest){HYPERVISOR_PROXMOX, "101", "gpu", "hostpci0",
					  "0000:01:00,pcie=1", "0000:01:00"}));
	words_add(l->arena, &l->folders, "/etc/default/grub.d");
	words_add(l->arena, &l->unbuilt, "6.1.0-18-amd64");
	l->boot_id = "1-2-3";
	l->spec_digest = "cc";
	return l;
}

static void check_equal(const struct ledger *a, const struct ledger *b)
{
	const struct ledger_file *f = &a->files.at[0], *g = &b->files.at[0];
	const struct ledger_device *d = &a->devices.at[0], *e = &b->devices.at[0];

	assert_string_equal(a->boot_id, b->boot_id);
	assert_string_equal(a->spec_digest, b->spec_digest);
	assert_int_equal(b->files.n, 1);
	assert_string_equal(f->path, g->path);
	assert_int_equal(f->owned, g->owned);
	assert_int_equal(f->existed, g->existed);
	assert_int_equal(f->before_size, g->before_size);
	assert_memory_equal(f->before, g->before, f->before_size + 1);
	assert_int_equal(f->mode, g->mode);
	assert_int_equal(f->uid, g->uid);
	assert_int_equal(f->gid, g->gid);
	assert_string_equal(f->after, g->after);
	assert_string_equal(f->intent, g->intent);
	assert_int_equal(g->tokens.n, 2);
	assert_string_equal(g->tokens.at[1], "intel_iommu=on");
	assert_int_equal(g->intended.n, 1);
	assert_string_equal(g->intended.at[0], "pcie_aspm=off");
	assert_int_equal(b->devices.n, 1);
	assert_string_equal(d->name, e->name);
	assert_int_equal(pci_addr_compare(d->addr, e->addr), 0);
	assert_memory_equal(&d->id, &e->id, sizeof(d->id));
	assert_string_equal(d->previous, e->previous);
	assert_string_equal(d->host_drivers, e->host_drivers);
	assert_string_equal(d->path, e->path);
	assert_string_equal(d->wish, e->wish);
	assert_true(e->group_known);
	assert_int_equal(e->group.n, 1);
	assert_string_equal(e->group.at[0], "10de:1b81:1043:8655");
	assert_true(e->bound);
	assert_true(e->builtin);
	assert_int_equal(b->params.n, 1);
	assert_string_equal(b->params.at[0].before, "N");
	assert_int_equal(b->promises.n, 1);
	assert_string_equal(b->promises.at[0].item, "kernel-flag:iommu=pt");
	assert_string_equal(b->promises.at[0].boot_id, "1-2-3");
	assert_string_equal(b->promises.at[0].basis, "dd");
	assert_int_equal(b->guests.n, 1);
	assert_int_equal(b->guests.at[0].hypervisor, HYPERVISOR_PROXMOX);
	assert_string_equal(b->guests.at[0].guest, "101");
	assert_string_equal(b->guests.at[0].device, "gpu");
	assert_string_equal(b->guests.at[0].key, "hostpci0");
	assert_string_equal(b->guests.at[0].text, "0000:01:00,pcie=1");
	assert_string_equal(b->guests.at[0].before, "0000:01:00");
	assert_int_equal(b->folders.n, 1);
	assert_int_equal(b->unbuilt.n, 1);
	assert_string_equal(b->unbuilt.at[0], "6.1.0-18-amd64");
}

static void every_byte_survives(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(bytes); i++) {
		_cleanup_ledger_ struct ledger *l = sample(&bytes[i]), *back = NULL;
		_cleanup_strbuf_ struct strbuf text = {0}, again = {0};

		assert_int_equal(ledger_render(l, &text), 0);
		assert_int_equal(ledger_parse(text.text, text.len, &back), 0);
		check_equal(l, back);
		assert_int_equal(ledger_render(back, &again), 0);
		assert_string_equal(text.text, again.text);
		assert_int_equal(strstr(text.text, "base64") == NULL, bytes[i].readable);
	}
}

static void every_shortened_text_is_refused(void **state _unused_)
{
	_cleanup_ledger_ struct ledger *l = sample(&bytes[5]);
	_cleanup_strbuf_ struct strbuf text = {0};

	assert_int_equal(ledger_render(l, &text), 0);
	/* The last byte is a newline. */
	for (size_t n = 0; n < text.len - 1; n++) {
		_cleanup_free_ char *cut = malloc(n + 1);
		struct ledger *none = NULL;

		memcpy(cut, text.text, n);
		assert_int_equal(ledger_parse(cut, n, &none), -EBADMSG);
		assert_null(none);
	}
}

#define HEAD "{\"version\": 1, \"boot_id\": \"\", \"spec_digest\": \"\", "
#define TAIL "\"devices\": [], \"params\": [], \"folders\": [], \"unbuilt\": []}"
#define ONE_FILE(fields)                                                                           \
	HEAD "\"files\": [{\"path\": \"/f\", \"owned\": true, \"existed\": true, \"after\": "      \
	     "\"\", "                                                                              \
	     "\"intent\": \"\", \"tokens\": [], " fields "}], " TAIL

struct text_row {
	const char *text;
	int result;
};

static const struct text_row texts[] = {
	{HEAD "\"files\": [], " TAIL, 0},
	{HEAD "\"files\": [], " TAIL "\n \n", 0},
	{HEAD "\"files\": [], " TAIL "x", -EBADMSG},
	{HEAD "\"files\": [], " TAIL "{}", -EBADMSG},
	{HEAD "\"files\": {}, " TAIL, -EBADMSG},
	{HEAD "\"files\": [1], " TAIL, -EBADMSG},
	{HEAD "\"files\": [{}], " TAIL, -EBADMSG},
	{"{\"version\": 2, \"boot_id\": \"\", \"spec_digest\": \"\", \"files\": [], " TAIL,
	 -EBADMSG},
	{"{\"version\": 1, \"spec_digest\": \"\", \"files\": [], " TAIL, -EBADMSG},
	{"", -EBADMSG},
	{"[]", -EBADMSG},
	{"null", -EBADMSG},
	{"{}", -EBADMSG},
	{ONE_FILE("\"mode\": \"0644\", \"uid\": 0, \"gid\": 0, \"before\": \"x\""), 0},
	{ONE_FILE("\"mode\": \"0644\", \"uid\": 0, \"gid\": 0, \"before_base64\": \"AA==\""), 0},
	{ONE_FILE("\"mode\": \"0648\", \"uid\": 0, \"gid\": 0, \"before\": \"x\""), -EBADMSG},
	{ONE_FILE("\"mode\": \"\", \"uid\": 0, \"gid\": 0, \"before\": \"x\""), -EBADMSG},
	{ONE_FILE("\"mode\": \"10000\", \"uid\": 0, \"gid\": 0, \"before\": \"x\""), -EBADMSG},
	{ONE_FILE("\"mode\": \"0644\", \"uid\": -1, \"gid\": 0, \"before\": \"x\""), -EBADMSG},
	{ONE_FILE("\"mode\": \"0644\", \"uid\": 0, \"gid\": 4294967296, \"before\": \"x\""),
	 -EBADMSG},
	{ONE_FILE("\"mode\": \"0644\", \"uid\": 0, \"gid\": 0"), -EBADMSG},
	{ONE_FILE("\"mode\": \"0644\", \"uid\": 0, \"gid\": 0, \"before\": \"a\\u0000b\""),
	 -EBADMSG},
	{ONE_FILE("\"mode\": \"0644\", \"uid\": 0, \"gid\": 0, \"before_base64\": \"AB==\""),
	 -EBADMSG},
	{ONE_FILE("\"mode\": \"0644\", \"uid\": 0, \"gid\": 0, \"before_base64\": \"A\""),
	 -EBADMSG},
	{ONE_FILE("\"mode\": \"0644\", \"uid\": 0, \"gid\": 0, \"before_base64\": \"A=A=\""),
	 -EBADMSG},
	{ONE_FILE("\"mode\": \"0644\", \"uid\": 0, \"gid\": 0, \"before_base64\": \"AA==AAAA\""),
	 -EBADMSG},
};

static void what_is_no_ledger_is_refused(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_ledger_ struct ledger *l = NULL;
		int err = ledger_parse(texts[i].text, strlen(texts[i].text), &l);

		if (err != texts[i].result)
			print_error("row %zu: %s\n", i, texts[i].text);
		assert_int_equal(err, texts[i].result);
		assert_int_equal(l != NULL, err == 0);
	}
}

static void a_damaged_file_is_said_to_be(void **state)
{
	struct scratch *s = *state;
	struct ledger *l;
	struct ops ops;

	assert_int_equal(ops_root_new(s->root, NULL, &limits, &ops), 0);
	assert_int_equal(ledger_load(&ops, &l), 0);
	assert_false(l->damaged);
	assert_int_equal(l->files.n, 0);
	ledger_free(l);
	scratch_write(s, PATH_LEDGER, "{");
	assert_int_equal(ledger_load(&ops, &l), 0);
	assert_true(l->damaged);
	assert_int_equal(l->files.n, 0);
	ledger_free(l);
	assert_int_equal(unlink(scratch_at(s, PATH_LEDGER)), 0);
	assert_int_equal(mkdir(scratch_at(s, PATH_LEDGER), 0755), 0);
	assert_int_equal(ledger_load(&ops, &l), 0);
	assert_true(l->damaged);
	ledger_free(l);
	ops_done(&ops);
}

static void a_saved_ledger_is_loaded(void **state)
{
	struct scratch *s = *state;
	_cleanup_ledger_ struct ledger *l = sample(&bytes[1]), *back = NULL;
	struct ops ops;

	assert_int_equal(ops_root_new(s->root, NULL, &limits, &ops), 0);
	assert_int_equal(ledger_save(&ops, l), 0);
	assert_int_equal(scratch_mode(s, PATH_LEDGER), 0600);
	assert_int_equal(ledger_load(&ops, &back), 0);
	assert_false(back->damaged);
	check_equal(l, back);
	ops_done(&ops);
}

static void digests_tell_whose_a_file_is(void **state _unused_)
{
	const struct ledger_file f = {.after = "a", .intent = "b"}, bare = {0};

	assert_true(ledger_file_ours(&f, "a"));
	assert_true(ledger_file_ours(&f, "b"));
	assert_false(ledger_file_ours(&f, "c"));
	assert_false(ledger_file_ours(&f, ""));
	assert_false(ledger_file_ours(&bare, ""));
	assert_false(ledger_file_ours(&bare, "a"));
}

/* A write that was begun: its tokens are ours from the moment it is seen to be done. */
static void a_begun_write_is_settled(void **state _unused_)
{
	static const struct {
		const char *digest, *after, *token;
		size_t tokens;
		bool mixed;
	} rows[] = {
		{"b", "b", "new", 1, false}, /* it got through */
		{"a", "a", "old", 1, false}, /* it did not */
		{"c", "a", "old", 2, true},  /* somebody else wrote since, maybe after us */
	};
	_cleanup_arena_ struct arena *a = arena_new();
	const char *old = "old", *new = "new";

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ledger_file f = {.after = "a",
					.intent = "b",
					.tokens = {.at = &old, .n = 1},
					.intended = {.at = &new, .n = 1}};

		assert_int_equal(ledger_file_settle(a, &f, rows[i].digest), 0);
		assert_string_equal(f.after, rows[i].after);
		assert_string_equal(f.intent, "");
		assert_int_equal(f.tokens.n, rows[i].tokens);
		assert_string_equal(f.tokens.at[0], rows[i].token);
		assert_int_equal(f.mixed, rows[i].mixed);
		assert_int_equal(f.intended.n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_survives),
		cmocka_unit_test(every_shortened_text_is_refused),
		cmocka_unit_test(what_is_no_ledger_is_refused),
		cmocka_unit_test(digests_tell_whose_a_file_is),
		cmocka_unit_test(a_begun_write_is_settled),
		scratch_test(a_damaged_file_is_said_to_be),
		scratch_test(a_saved_ledger_is_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
