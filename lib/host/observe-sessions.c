/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who administers the host over SSH, and which network card they come in by. */
#include <stdio.h>

#include "observe-net.h"

#define SSH_PORT	22
#define TCP_ESTABLISHED 1

struct ports {
	ARRAY_OF(unsigned) list;
};

static bool has_port(const struct ports *ports, unsigned port)
{
	array_foreach(it, &ports->list)
		if (*it == port)
			return true;
	return false;
}

static void add_ports(struct observer *o, struct ports *ports, const char *path)
{
	const char *text = see_file(o, MAX_CONFIG, path);

	for (const char *line; text && (line = next_line(o, &text));) {
		const char *word = field_of(o, line, 0), *value = field_of(o, line, 1);

		if (value && strcasecmp(word, "Port") == 0)
			kept(o, array_push(o->scratch, &ports->list,
					   (unsigned)strtoul(value, NULL, 10)) == 0);
	}
}

/* Where sshd listens. A session may be older than its settings: the usual port always counts. */
static struct ports ssh_ports(struct observer *o)
{
	struct words names = see_list(o, "/etc/ssh/sshd_config.d");
	struct ports ports = {0};

	kept(o, array_push(o->scratch, &ports.list, SSH_PORT) == 0);
	add_ports(o, &ports, "/etc/ssh/sshd_config");
	array_foreach(it, &names) {
		const char *path = arena_printf(o->scratch, "/etc/ssh/sshd_config.d/%s", *it);

		if (kept(o, path) && has_suffix(*it, ".conf"))
			add_ports(o, &ports, path);
	}
	return ports;
}

static void use_session(struct observer *o, struct net *net, const struct net_address *here,
			const struct net_address *there)
{
	const char *name = net_local(net, here), *text, *peer;

	if (net_is_loopback(here) || memcmp(here, there, sizeof(*here)) == 0)
		return;
	/* An address that no network goes with: by the way back. */
	if (!name)
		name = net_toward(net, there);
	if (!name)
		return;
	text = net_address_text(o, here);
	peer = net_address_text(o, there);
	net_note_address(o, text, name);
	net_note_address(o, peer, NULL);
	net_use(o, net, name, USE_SSH, "", keep_printf(o, "an SSH session from %s", peer));
}

/* "   1: 0600A8C0:0016 0700A8C0:C350 01 ...", ports and state hexadecimal too. */
static void read_sessions(struct observer *o, struct net *net, const struct ports *ports,
			  const char *path)
{
	const char *text = see_file(o, MAX_INDEX, path);

	for (const char *line; text && (line = next_line(o, &text));) {
		char here[33], there[33];
		struct net_address a, b;
		unsigned port, state;

		if (sscanf(line, "%*u: %32[0-9A-Fa-f]:%4x %32[0-9A-Fa-f]:%*4x %2x", here, &port,
			   there, &state) == 4 &&
		    state == TCP_ESTABLISHED && has_port(ports, port) &&
		    net_address_words(here, &a) && net_address_words(there, &b))
			use_session(o, net, &a, &b);
	}
}

void observe_sessions(struct observer *o, struct net *net)
{
	struct ports ports = ssh_ports(o);

	read_sessions(o, net, &ports, "/proc/net/tcp");
	read_sessions(o, net, &ports, "/proc/net/tcp6");
}
