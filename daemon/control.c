/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "macro.h"

#define CONNECTIONS_MAX 32

struct connection {
	struct request request; /* first: an answer leads back to the connection */
	struct control *control;
	int fd;
	bool asked;
	sd_event_source *source;
	struct connection *next;
};

struct control {
	sd_event *event;
	struct manager *manager;
	int fd;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	sd_event_source *source;
	struct connection *connections;
	unsigned n;
};

static void connection_close(struct connection *c)
{
	struct connection **at = &c->control->connections;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->control->n--;
	sd_event_source_disable_unref(c->source);
	/* A child at work may hold a copy of the descriptor: the client shall see the end now. */
	shutdown(c->fd, SHUT_RDWR);
	close(c->fd);
	free(c);
}

static void answer(struct request *request, int code, int out, int err)
{
	struct connection *c = (struct connection *)request;
	int error = wire_reply_send(c->fd, code, out, err);

	if (error < 0 && error != -EPIPE)
		log_line(LOG_PRIORITY_WARNING, "an answer could not be sent: %s", strerror(-error));
	connection_close(c);
}

static bool receive(struct connection *c)
{
	char packet[WIRE_REQUEST_SIZE];
	ssize_t n = recv(c->fd, packet, sizeof(packet) - 1, MSG_DONTWAIT);

	if (n <= 0)
		return false;
	packet[n] = '\0';
	return wire_request_parse(packet, &c->request.what) == 0;
}

static int on_packet(sd_event_source *source _unused_, int fd _unused_, uint32_t events,
		     void *userdata)
{
	struct connection *c = userdata;

	if (c->asked || !(events & EPOLLIN) || !receive(c)) {
		if (c->asked)
			manager_forget(c->control->manager, &c->request);
		connection_close(c);
		return 0;
	}
	c->asked = true;
	c->request.answer = answer;
	sd_event_source_set_io_events(c->source, 0); /* only the client's end is news now */
	manager_ask(c->control->manager, &c->request);
	return 0;
}

static bool may_ask(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static int on_connection(sd_event_source *source _unused_, int listener, uint32_t events _unused_,
			 void *userdata)
{
	_cleanup_close_ int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct control *control = userdata;
	struct connection *c;

	if (fd < 0 || control->n >= CONNECTIONS_MAX || !may_ask(fd))
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c)
		return 0;
	c->control = control;
	if (sd_event_add_io(control->event, &c->source, fd, EPOLLIN, on_packet, c) < 0) {
		free(c);
		return 0;
	}
	c->fd = take_fd(&fd);
	c->next = control->connections;
	control->connections = c;
	control->n++;
	return 0;
}

/* A socket file outlives a daemon that was killed; one that answers belongs to a living one. */
static int clear_way(int fd, const struct sockaddr_un *address)
{
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		return -EADDRINUSE;
	if (errno != ENOENT && errno != ECONNREFUSED)
		return -errno;
	return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static int listen_at(const struct sockaddr_un *address)
{
	_cleanup_close_ int probe = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask;
	int err;

	if (probe < 0 || fd < 0)
		return -errno;
	err = clear_way(probe, address);
	if (err < 0)
		return err;
	mask = umask(0177); /* never, not even for a moment, open to others */
	err = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
	umask(mask);
	if (err < 0)
		return err;
	return listen(fd, CONNECTIONS_MAX) < 0 ? -errno : take_fd(&fd);
}

int control_new(sd_event *event, struct pthru_ctx *ctx, struct manager *manager,
		struct control **ret)
{
	struct control *control = calloc(1, sizeof(*control));
	struct sockaddr_un address;
	int err;

	if (!control)
		return -ENOMEM;
	*control = (struct control){.event = event, .manager = manager, .fd = -1};
	err = pthru_control_address(ctx, &address);
	if (err == 0)
		err = listen_at(&address);
	if (err >= 0) {
		control->fd = err;
		memcpy(control->path, address.sun_path, sizeof(control->path));
		err = sd_event_add_io(event, &control->source, control->fd, EPOLLIN, on_connection,
				      control);
	}
	if (err < 0) {
		control_free(control);
		return err;
	}
	*ret = control;
	return 0;
}

struct control *control_free(struct control *control)
{
	if (!control)
		return NULL;
	for (struct connection *c = control->connections, *next; c; c = next) {
		next = c->next;
		if (c->asked)
			manager_forget(control->manager, &c->request);
		connection_close(c);
	}
	sd_event_source_disable_unref(control->source);
	if (control->fd >= 0) {
		close(control->fd);
		unlink(control->path);
	}
	free(control);
	return NULL;
}
