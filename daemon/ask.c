/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs that ask the daemon. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "call.h"
#include "macro.h"
#include "text.h"
#include "wire.h"

#define FOREVER (-1)

static int reach(struct call *call, int *ret)
{
	_cleanup_close_ int fd = -1;
	struct sockaddr_un address;
	int err = pthru_control_address(call->ctx, &address);

	if (err < 0)
		return err;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	*ret = take_fd(&fd);
	return 0;
}

/* -ETIMEDOUT when no answer came within timeout_ms. */
static int await(int fd, int timeout_ms)
{
	struct pollfd one = {.fd = fd, .events = POLLIN};
	int n;

	do
		n = poll(&one, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

/* Asks, and takes the answer's texts over into the call. 0 with the exit code, or errno. */
static int ask(struct call *call, enum wire_verb verb, int timeout_ms, enum pthru_exit *ret)
{
	const struct wire_request request = {.verb = verb,
					     .form = pthru_ctx_form(call->ctx),
					     .width = pthru_ctx_width(call->ctx)};
	_cleanup_close_ int fd = -1, out = -1, errors = -1;
	char packet[WIRE_REQUEST_SIZE];
	size_t size = wire_request_format(&request, packet);
	int code = 0, err = reach(call, &fd);

	if (err < 0)
		return err;
	if (send(fd, packet, size, MSG_NOSIGNAL) < 0)
		return -errno;
	err = await(fd, timeout_ms);
	if (err == 0)
		err = wire_reply_receive(fd, &code, &out, &errors);
	if (err == 0)
		err = text_read(out, &call->out);
	if (err == 0)
		err = text_read(errors, &call->err);
	if (err == 0)
		*ret = (enum pthru_exit)code;
	return err;
}

static enum pthru_exit cannot_ask(struct call *call, int error)
{
	switch (error) {
	case -ENOENT:
	case -ECONNREFUSED:
		pthru_diags_error(call->diags, "no-daemon", "passthroughd is not running here");
		break;
	case -EACCES:
	case -EPERM:
		pthru_diags_error(call->diags, "no-permission",
				  "only root may talk to passthroughd");
		break;
	case -ECONNRESET:
	case -EPIPE:
		pthru_diags_error(call->diags, "no-daemon",
				  "passthroughd went away before it answered");
		break;
	case -ETIMEDOUT:
		pthru_diags_error(call->diags, "timed-out",
				  "passthroughd is still at work after %u s, and goes on",
				  call->options->timeout);
		break;
	default:
		return call_failed(call, error);
	}
	return PTHRU_EXIT_FAILED;
}

int ask_status(struct call *call, enum pthru_exit *ret)
{
	return ask(call, WIRE_STATUS, FOREVER, ret);
}

enum pthru_exit verb_reload(struct call *call)
{
	enum pthru_exit code = PTHRU_EXIT_FAILED;
	int err = ask(call, WIRE_RELOAD, FOREVER, &code);

	return err < 0 ? cannot_ask(call, err) : code;
}

enum pthru_exit verb_wait(struct call *call)
{
	enum pthru_exit code = PTHRU_EXIT_FAILED;
	bool limited = call->options->given & OPTION_BIT(OPTION_TIMEOUT);
	int err = ask(call, WIRE_WAIT, limited ? (int)call->options->timeout * 1000 : FOREVER,
		      &code);

	return err < 0 ? cannot_ask(call, err) : code;
}
