/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What passthroughctl and passthroughd say to each other, and how they write JSON of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "macro.h"
#include "strbuf.h"
#include "text.h"
#include "wire.h"

static void requests_come_back(void **state _unused_)
{
	static const enum pthru_form forms[] = {PTHRU_TEXT, PTHRU_COLOR, PTHRU_JSON};

	for (int verb = 0; verb < _WIRE_VERB_MAX; verb++) {
		for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
			const struct wire_request out = {(enum wire_verb)verb, forms[i], 99999};
			struct wire_request in = {0};
			char packet[WIRE_REQUEST_SIZE];

			size_t size = wire_request_format(&out, packet);

			assert_int_equal(size, strlen(packet));
			assert_int_equal(wire_request_parse(packet, &in), 0);
			assert_int_equal(in.verb, out.verb);
			assert_int_equal(in.form, out.form);
			assert_int_equal(in.width, out.width);
		}
	}
}

static void nonsense_is_refused(void **state _unused_)
{
	static const char *const packets[] = {
		"",
		"status",
		"status json",
		"status json x",
		"status json 0 0",
		"stop json 0",
		"status pink 0",
		"Status json 0",
		"status json 1x",
		"status json 1\n",
		"statusjson 0 json",
		"status json 123456",
	};
	struct wire_request kept = {WIRE_WAIT, PTHRU_COLOR, 7}, request = kept;

	for (size_t i = 0; i < ARRAY_LEN(packets); i++) {
		print_message("'%s'\n", packets[i]);
		assert_int_equal(wire_request_parse(packets[i], &request), -EBADMSG);
		assert_memory_equal(&request, &kept, sizeof(kept));
	}
}

static int file_of(const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(text_write(fd, text, strlen(text)), 0);
	return fd;
}

static void replies_carry_their_texts(void **state _unused_)
{
	_cleanup_close_ int out = file_of("{}\n"), err = file_of("");
	_cleanup_free_ char *document = NULL, *diags = NULL;
	int ends[2], code = -1, got_out = -1, got_err = -1;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(wire_reply_send(ends[0], PTHRU_EXIT_REFUSED, out, err), 0);
	assert_int_equal(wire_reply_receive(ends[1], &code, &got_out, &got_err), 0);
	assert_int_equal(code, PTHRU_EXIT_REFUSED);
	assert_int_equal(text_read(got_out, &document), 0);
	assert_int_equal(text_read(got_err, &diags), 0);
	assert_string_equal(document, "{}\n");
	assert_string_equal(diags, "");
	close(got_out);
	close(got_err);

	/* No descriptors, no number, a code that is none, the end. */
	assert_int_equal(send(ends[0], "0", 1, 0), 1);
	assert_int_equal(wire_reply_receive(ends[1], &code, &got_out, &got_err), -EBADMSG);
	assert_int_equal(wire_reply_send(ends[0], 6, out, err), 0);
	assert_int_equal(wire_reply_receive(ends[1], &code, &got_out, &got_err), -EBADMSG);
	assert_int_equal(wire_reply_send(ends[0], -1, out, err), 0);
	assert_int_equal(wire_reply_receive(ends[1], &code, &got_out, &got_err), -EBADMSG);
	close(ends[0]);
	assert_int_equal(wire_reply_receive(ends[1], &code, &got_out, &got_err), -ECONNRESET);
	assert_int_equal(wire_reply_send(ends[1], 0, out, err), -EPIPE);
	close(ends[1]);
	assert_int_equal(code, PTHRU_EXIT_REFUSED);
}

static void json_strings(void **state _unused_)
{
	static const struct {
		const char *text, *json;
	} rows[] = {
		{"", "\"\""},
		{"a b", "\"a b\""},
		{"\"\\/", "\"\\\"\\\\/\""},
		{"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
		{"\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
		{"\xc3\xa4", "\"\xc3\xa4\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf out = {0};

		text_add_json(&out, rows[i].text);
		assert_string_equal(strbuf_text(&out), rows[i].json);
	}
}

/* Design section 4: the first of 5, 1, 2, 4, 3 counts. */
static void the_worse_code_counts(void **state _unused_)
{
	static const enum pthru_exit order[] = {5, 1, 2, 4, 3, 0};

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		for (size_t j = i; j < ARRAY_LEN(order); j++) {
			assert_int_equal(pthru_exit_worse(order[i], order[j]), order[i]);
			assert_int_equal(pthru_exit_worse(order[j], order[i]), order[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_come_back),	     cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(replies_carry_their_texts), cmocka_unit_test(json_strings),
		cmocka_unit_test(the_worse_code_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
