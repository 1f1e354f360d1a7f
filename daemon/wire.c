/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "macro.h"

static const char *const verbs[_WIRE_VERB_MAX] = {
	[WIRE_APPLY] = "apply",	  [WIRE_PLAN] = "plan", [WIRE_RELOAD] = "reload",
	[WIRE_STATUS] = "status", [WIRE_WAIT] = "wait",
};

static const char *const forms[] = {
	[PTHRU_TEXT] = "text",
	[PTHRU_COLOR] = "color",
	[PTHRU_JSON] = "json",
};

union control { /* aligned for the header of ancillary data */
	struct cmsghdr header;
	char bytes[CMSG_SPACE(WIRE_FDS * sizeof(int))];
};

size_t wire_request_format(const struct wire_request *request, char ret[static WIRE_REQUEST_SIZE])
{
	int n = snprintf(ret, WIRE_REQUEST_SIZE, "%s %s %u", verbs[request->verb],
			 forms[request->form], request->width);

	return n > 0 ? (size_t)n : 0;
}

static int index_of(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return -EBADMSG;
}

const char *wire_form_name(enum pthru_form form)
{
	return forms[form];
}

int wire_form(const char *word)
{
	return index_of(forms, ARRAY_LEN(forms), word);
}

int wire_request_parse(const char *text, struct wire_request *ret)
{
	char verb[16], form[16], end;
	int v, f;
	unsigned width;

	if (sscanf(text, "%15s %15s %5u%c", verb, form, &width, &end) != 3) // NOLINT(cert-err34-c)
		return -EBADMSG;
	v = index_of(verbs, ARRAY_LEN(verbs), verb);
	f = wire_form(form);
	if (v < 0 || f < 0)
		return -EBADMSG;
	*ret = (struct wire_request){
		.verb = (enum wire_verb)v, .form = (enum pthru_form)f, .width = width};
	return 0;
}

int wire_reply_send(int fd, int code, int out, int err)
{
	const int fds[WIRE_FDS] = {out, err};
	union control control = {0};
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", code);
	struct iovec part = {.iov_base = text, .iov_len = (size_t)n};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(header), fds, sizeof(fds));
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static void take_fds(struct msghdr *message, int ret[static WIRE_FDS])
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);

	ret[0] = ret[1] = -1;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(WIRE_FDS * sizeof(int)))
		memcpy(ret, CMSG_DATA(header), WIRE_FDS * sizeof(int));
}

int wire_receive(int fd, int flags, char *text, size_t size, int ret_fds[static WIRE_FDS])
{
	union control control = {0};
	struct iovec part = {.iov_base = text, .iov_len = size - 1};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;

	do
		n = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	take_fds(&message, ret_fds);
	return (int)n;
}

int wire_reply_code(const char *text)
{
	char *end;
	long code = strtol(text, &end, 10);

	return end == text || *end || code < PTHRU_EXIT_DONE || code > PTHRU_EXIT_INVALID
		       ? -EBADMSG
		       : (int)code;
}

int wire_reply_receive(int fd, int *ret_code, int *ret_out, int *ret_err)
{
	char text[16] = "";
	int fds[WIRE_FDS] = {-1, -1};
	int n = wire_receive(fd, 0, text, sizeof(text), fds);
	int code = n > 0 ? wire_reply_code(text) : n == 0 ? -ECONNRESET : n;

	if (code < 0 || fds[0] < 0) {
		closep(&fds[0]);
		closep(&fds[1]);
		return code < 0 ? code : -EBADMSG;
	}
	*ret_code = code;
	*ret_out = fds[0];
	*ret_err = fds[1];
	return 0;
}
