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
	[WIRE_RELOAD] = "reload",
	[WIRE_STATUS] = "status",
	[WIRE_WAIT] = "wait",
};

static const char *const forms[] = {
	[PTHRU_TEXT] = "text",
	[PTHRU_COLOR] = "color",
	[PTHRU_JSON] = "json",
};

#define REPLY_FDS 2

union control { /* aligned for the header of ancillary data */
	struct cmsghdr header;
	char bytes[CMSG_SPACE(REPLY_FDS * sizeof(int))];
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

int wire_request_parse(const char *text, struct wire_request *ret)
{
	char verb[16], form[16], end;
	int v, f;
	unsigned width;

	if (sscanf(text, "%15s %15s %5u%c", verb, form, &width, &end) != 3) // NOLINT(cert-err34-c)
		return -EBADMSG;
	v = index_of(verbs, ARRAY_LEN(verbs), verb);
	f = index_of(forms, ARRAY_LEN(forms), form);
	if (v < 0 || f < 0)
		return -EBADMSG;
	*ret = (struct wire_request){
		.verb = (enum wire_verb)v, .form = (enum pthru_form)f, .width = width};
	return 0;
}

int wire_reply_send(int fd, int code, int out, int err)
{
	const int fds[REPLY_FDS] = {out, err};
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

static bool take_fds(struct msghdr *message, int ret[static REPLY_FDS])
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(REPLY_FDS * sizeof(int)))
		return false;
	memcpy(ret, CMSG_DATA(header), REPLY_FDS * sizeof(int));
	return true;
}

int wire_reply_receive(int fd, int *ret_code, int *ret_out, int *ret_err)
{
	union control control = {0};
	char text[16] = "", *end;
	struct iovec part = {.iov_base = text, .iov_len = sizeof(text) - 1};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	int fds[REPLY_FDS];
	long code;
	ssize_t n;

	do
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET;
	if (!take_fds(&message, fds))
		return -EBADMSG;
	code = strtol(text, &end, 10);
	if (*end || code < PTHRU_EXIT_DONE || code > PTHRU_EXIT_INVALID) {
		close(fds[0]);
		close(fds[1]);
		return -EBADMSG;
	}
	*ret_code = (int)code;
	*ret_out = fds[0];
	*ret_err = fds[1];
	return 0;
}
