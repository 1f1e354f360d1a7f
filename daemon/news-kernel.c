/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "macro.h"
#include "news.h"

#define GROUP_KERNEL 1	  /* what the kernel itself says, in every network namespace (10.10) */
#define UEVENT_MAX   8192 /* bytes; the kernel's own limit is 2 KiB of variables */

struct news_kernel {
	news_handler *hear;
	void *owner;
	int uevents, mounts;
	sd_event_source *said, *mounted;
};

static const char *value_of(const char *text, const char *end, const char *name)
{
	size_t n = strlen(name);

	for (; text < end; text += strlen(text) + 1)
		if (strncmp(text, name, n) == 0 && text[n] == '=')
			return text + n + 1;
	return "";
}

/*
 * Which news alters what is judged: PCI functions, and modules as such. Of functions that come and
 * go match: speaks too, and they are never our own doing.
 */
static void hear_uevent(const struct news_kernel *k, const char *text, const char *end, bool own)
{
	const char *action = value_of(text, end, "ACTION");
	const char *subsystem = value_of(text, end, "SUBSYSTEM");
	bool pci = strcmp(subsystem, "pci") == 0;

	if (pci && (strcmp(action, "add") == 0 || strcmp(action, "remove") == 0))
		k->hear(k->owner, true);
	else if (!own && (pci || strcmp(subsystem, "module") == 0))
		k->hear(k->owner, false);
}

/* Takes one; false when there is none. own: what is there may be our doing. */
static bool take_uevent(const struct news_kernel *k, bool own)
{
	struct sockaddr_nl from = {0};
	socklen_t size = sizeof(from);
	char text[UEVENT_MAX];
	ssize_t n = recvfrom(k->uevents, text, sizeof(text) - 1, MSG_DONTWAIT,
			     (struct sockaddr *)&from, &size);

	if (n < 0) {
		/* Some were lost: anything may have happened. */
		if (errno == ENOBUFS)
			k->hear(k->owner, true);
		return errno == ENOBUFS || errno == EINTR;
	}
	text[n] = '\0';
	if (from.nl_pid == 0) /* any process may send, the kernel is 0 */
		hear_uevent(k, text, text + n, own);
	return true;
}

static int on_uevent(sd_event_source *source _unused_, int fd _unused_, uint32_t events _unused_,
		     void *userdata)
{
	while (take_uevent(userdata, false))
		;
	return 0;
}

static int on_mount(sd_event_source *source _unused_, int fd _unused_, uint32_t events _unused_,
		    void *userdata)
{
	const struct news_kernel *k = userdata;

	k->hear(k->owner, false);
	return 0;
}

static int listen_to_kernel(struct news_kernel *k)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = GROUP_KERNEL};

	k->uevents = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			    NETLINK_KOBJECT_UEVENT);
	if (k->uevents < 0)
		return -errno;
	return bind(k->uevents, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno
											: 0;
}

int news_kernel_new(sd_event *event, news_handler *hear, void *owner, struct news_kernel **ret)
{
	struct news_kernel *k = calloc(1, sizeof(*k));
	int err;

	if (!k)
		return -ENOMEM;
	*k = (struct news_kernel){.hear = hear, .owner = owner, .uevents = -1, .mounts = -1};
	err = listen_to_kernel(k);
	if (err == 0)
		err = sd_event_add_io(event, &k->said, k->uevents, EPOLLIN, on_uevent, k);
	if (err >= 0) {
		k->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
		err = k->mounts < 0 ? -errno : 0;
	}
	/* A change of the mounts is told as exceptional data, once each. */
	if (err >= 0)
		err = sd_event_add_io(event, &k->mounted, k->mounts, EPOLLPRI | EPOLLET, on_mount,
				      k);
	if (err < 0) {
		news_kernel_free(k);
		return err;
	}
	*ret = k;
	return 0;
}

struct news_kernel *news_kernel_free(struct news_kernel *k)
{
	if (!k)
		return NULL;
	sd_event_source_disable_unref(k->said);
	sd_event_source_disable_unref(k->mounted);
	closep(&k->uevents);
	closep(&k->mounts);
	free(k);
	return NULL;
}

void news_kernel_drain(struct news_kernel *k)
{
	struct pollfd mounts;

	if (!k)
		return;
	while (take_uevent(k, true))
		;
	mounts = (struct pollfd){.fd = k->mounts, .events = POLLPRI};
	(void)poll(&mounts, 1, 0); /* that is how its news is taken */
}
