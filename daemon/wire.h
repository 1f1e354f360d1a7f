/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What passthroughctl and passthroughd say to each other over the control socket (SOCK_SEQPACKET).
 * A request is one packet of text, "VERB FORM WIDTH". The reply is one packet, the exit code in
 * digits, with two descriptors of files: what belongs on standard output (in the JSON form one
 * document) and the diagnostics for people. A document may so be of any size, and neither side
 * ever waits for the other in the middle of one.
 */
#pragma once

#include <stddef.h>

#include "passthrough.h"

enum wire_verb {
	WIRE_APPLY, /* does all that can be done now, and gives the status of after */
	WIRE_PLAN,  /* what an apply would do */
	WIRE_RELOAD,
	WIRE_STATUS,
	WIRE_WAIT,
	_WIRE_VERB_MAX
};

struct wire_request {
	enum wire_verb verb;
	enum pthru_form form;
	unsigned width;
};

#define WIRE_REQUEST_SIZE 64

/* Writes the packet's text; returns its length. */
size_t wire_request_format(const struct wire_request *request, char ret[static WIRE_REQUEST_SIZE]);

/* 0, or -EBADMSG for what is no request. */
int wire_request_parse(const char *text, struct wire_request *ret);

/* The word for a form on the wire, and back: -EBADMSG for what is none. */
const char *wire_form_name(enum pthru_form form);
int wire_form(const char *word);

#define WIRE_FDS 2

/*
 * One packet: its length without what did not fit, 0 at the other side's end, or errno. Descriptors
 * that came along are the caller's to close; -1 where none came.
 */
int wire_receive(int fd, int flags, char *text, size_t size, int ret_fds[static WIRE_FDS]);

/* Reads a reply's text: the exit code, or -EBADMSG. */
int wire_reply_code(const char *text);

/* 0 or errno; never blocks: a client that does not read its reply loses it. */
int wire_reply_send(int fd, int code, int out, int err);

/* Waits for the reply. 0, -ECONNRESET when the other side has gone, -EBADMSG, or errno. */
int wire_reply_receive(int fd, int *ret_code, int *ret_out, int *ret_err);
