/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is captured is observed again as it was, and says nothing that it should not. */
#include "capture-put.h"
#include "capture.h"
#include "captured-host.h"
#include "host-show.h"
#include "observe-text.h"
#include "scratch.h"

static struct tree *tree_of(const char *text, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct tree *tree = NULL;

	if (tree_capture_new("host", text, size, &diags, &tree) < 0)
		fail_msg("%s:%u: %s", diags.list.at[0].place.file, diags.list.at[0].place.line,
			 diags.list.at[0].message);
	return tree;
}

static void observed(struct tree *tree, struct strbuf *text)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_host_ struct host *host = NULL;
	struct words modules = {0};
	const struct observe_options all = {
		.aliases = true,
		.images = true,
		.holders = true,
		.serials = true,
		.labels = true,
		.modules = &modules,
	};

	assert_int_equal(words_add(a, &modules, "nouveau"), 1);
	assert_int_equal(host_observe(tree, &all, &host), 0);
	host_show(text, host);
	assert_int_equal(text->error, 0);
}

static void replace(struct strbuf *text, const char *identity, const char *by)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	const char *at = text->text;

	for (const char *found; (found = strstr(at, identity)); at = found + strlen(identity)) {
		strbuf_addn(&out, at, (size_t)(found - at));
		strbuf_add(&out, by);
	}
	strbuf_add(&out, at);
	strbuf_done(text);
	*text = out;
	out = (struct strbuf){0};
}

static void hide(struct strbuf *text, const char *identity)
{
	char mask[MASK_TEXT_SIZE];

	replace(text, identity, identity_mask(identity, mask));
}

/* Alike but for the identities that a capture hides. */
static void expect_alike(struct tree *one, struct tree *other)
{
	_cleanup_strbuf_ struct strbuf a = {0}, b = {0};

	observed(one, &a);
	observed(other, &b);
	hide(&a, MACHINE);
	hide(&a, SERIAL);
	hide(&a, MAC);
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
		replace(&a, addresses[i][0], addresses[i][1]);
	if (strcmp(a.text, b.text) != 0) {
		size_t n = 0;

		while (a.text[n] == b.text[n])
			n++;
		while (n && a.text[n - 1] != '\n')
			n--;
		fail_msg("%.200s\n--- instead of\n%.200s", b.text + n, a.text + n);
	}
}

static void captured(struct tree *tree, struct strbuf *text)
{
	assert_int_equal(capture_write(tree, text), 0);
}

static void a_capture_is_observed_as_its_host(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf from = {0}, text = {0}, again = {0};
	_cleanup_tree_ struct tree *tree = NULL, *copy = NULL;

	strbuf_addf(&from, CAPTURE("%s"), rich);
	tree = tree_of(from.text, from.len);
	captured(tree, &text);
	copy = tree_of(text.text, text.len);
	expect_alike(tree, copy);
	captured(copy, &again);
	assert_string_equal(again.text, text.text);
}

static void a_root_is_captured_as_its_capture(void **state)
{
	struct scratch *s = *state;
	_cleanup_strbuf_ struct strbuf from = {0}, text = {0};
	_cleanup_tree_ struct tree *root = NULL, *copy = NULL;
	struct diags diags = {.arena = s->arena};

	strbuf_addf(&from, CAPTURE("%s"), rich);
	assert_int_equal(capture_lay_out("host", from.text, from.len, s->dir, &diags), 0);
	assert_int_equal(tree_root_new(s->root, NULL, &root), 0);
	captured(root, &text);
	copy = tree_of(text.text, text.len);
	expect_alike(root, copy);
}

/* A running system has besides: its log, what processes hold, and all of config space. */
static const char running[] = "[/proc]\n"
			      "kmsg <<\n"
			      "\t<6>[    0.000000] Linux version 6.1.0-18-amd64\n"
			      "\t<6>[    0.100000] systemd[1]: chatter\n"
			      "\t<6>[    0.200000] x86/cpu: VMX (outside TXT) disabled by BIOS\n"
			      "1234/comm = kvm\n"
			      "1234/fd/0 -> /dev/null\n"
			      "1234/fd/7 -> /dev/dri/card0\n"
			      "1234/fd/8 -> /home/someone\n"
			      "1234/fd/9 -> /dev/nvme0n1\n"
			      "1234/fd/10 -> /dev/sdq\n"
			      "4321/comm = quiet\n"
			      "4321/fd/0 -> /dev/null\n"
			      "[/sys/dev/char]\n"
			      "1:3 -> ../../devices/virtual/mem/null\n"
			      "226:0 -> ../.." GPU_BELOW "/drm/card0\n"
			      "[" GPU "/drm/card0]\n"
			      "dev = 226:0\n";

static void add_config(struct strbuf *text)
{
	/* Device Serial Number (id 3) as the first extended capability. */
	static const char serial[] = "\x03\0\1\0\x11\x22\x33\xff\xfe\x44\x55\x66";
	/* Access Control Services (id 13) that can all that is asked, with all but one switched on.
	 */
	static const char acs[] = "\x0d\0\1\0\x1d\0\x0d\0";
	char config[4096] = {0};

	memcpy(config + 0x100, serial, sizeof(serial) - 1);
	strbuf_add(text, "[" NIC "]\n");
	capture_put_file(text, "config", config, sizeof(config));
	memcpy(config + 0x100, acs, sizeof(acs) - 1);
	config[0x06] = 0x10;
	config[0x34] = 0x40;
	config[0x40] = 0x10;
	config[0x42] = 0x42;
	strbuf_add(text, "[" PORT "]\n");
	capture_put_file(text, "config", config, sizeof(config));
}

static void a_running_host_is_captured(void **state _unused_)
{
	static const char *const left_out[] = {"chatter",  "someone",  "quiet =", "/dev/null",
					       "/dev/sdq", "mem/null", "\\xff"};
	_cleanup_strbuf_ struct strbuf from = {0}, text = {0}, again = {0}, seen = {0};
	_cleanup_tree_ struct tree *tree = NULL, *copy = NULL;
	char mask[MASK_TEXT_SIZE];

	strbuf_addf(&from, "# passthroughd capture 1\n%s%s", rich, running);
	add_config(&from);
	strbuf_add(&from, "# end\n");
	/* The log is asked where the CPU's flags leave a question. */
	memcpy(strstr(from.text, "vmx"), "xmv", 3);
	tree = tree_of(from.text, from.len);
	tree->live = true;
	tree->capture = false;
	captured(tree, &text);
	for (size_t i = 0; i < ARRAY_LEN(left_out); i++)
		if (strstr(text.text, left_out[i]))
			fail_msg("%s", left_out[i]);
	copy = tree_of(text.text, text.len);
	expect_alike(tree, copy);
	captured(copy, &again);
	assert_string_equal(again.text, text.text);
	observed(copy, &seen);
	assert_non_null(strstr(seen.text, "open: /dev/dri/card0, held by kvm (1234)\n"));
	assert_non_null(strstr(seen.text, "open: /dev/nvme0n1, held by kvm (1234)\n"));
	assert_non_null(strstr(seen.text, "evidence=kernel log: "));
	assert_non_null(strstr(seen.text, "keyboard: Some Keyboard\n"));
	assert_non_null(strstr(seen.text, "label=PCIEX16_1\n"));
	identity_mask("66-55-44-fe-ff-33-22-11", mask);
	assert_non_null(strstr(seen.text, mask));
	assert_non_null(strstr(seen.text, "acs=0\n"));
}

static void nothing_personal_is_left(void **state _unused_)
{
	static const char *const hidden[] = {
		MACHINE,	SERIAL,		 MAC,
		"0101A8C0",	"0001A8C0",	 "20010db8000000000000000000000000 40",
		"505400ff",	"pbkdf2.sha512", "ffffffffc0a0",
		"MHz",		"usb:v1234",	 "amdgpu",
		"CONFIG_64BIT", "msi_irqs",	 "resource0",
		"nas",		"KB0123456789",	 "hunter2",
		"pictures",	"=me",		 "192.168",
		"203.0.113",	"198.51",	 "A8C0",
		"200C6",	"somebody",	 "::99",
		"db9::",	"ABCDE",	 "familycluster",
		"10.77.66",	"rna",		 "BC:24",
		"topsecret",
	};
	_cleanup_strbuf_ struct strbuf from = {0}, text = {0};
	_cleanup_tree_ struct tree *tree = NULL;

	strbuf_addf(&from, CAPTURE("%s"), rich);
	tree = tree_of(from.text, from.len);
	/* As one of a running system: nothing that was not asked for stays. */
	tree->capture = false;
	captured(tree, &text);
	for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
		if (strstr(text.text, hidden[i]))
			fail_msg("%s", hidden[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_capture_is_observed_as_its_host),
		scratch_test(a_root_is_captured_as_its_capture),
		cmocka_unit_test(a_running_host_is_captured),
		cmocka_unit_test(nothing_personal_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
