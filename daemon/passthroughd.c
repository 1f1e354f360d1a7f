/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The service: wires signals, the control socket and the manager to one loop. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "bus.h"
#include "control.h"
#include "job.h"
#include "log.h"
#include "macro.h"
#include "manager.h"
#include "text.h"

static const char usage[] =
	"Usage: passthroughd [--root DIR] [--spec PATH]\n"
	"\n"
	"Keeps this host ready to hand PCI devices to virtual machines, as the files in\n"
	"/etc/passthroughd/ say. Started by systemd; controlled with passthroughctl.\n"
	"\n"
	"  --root DIR    read and write everything below DIR, the control socket too\n"
	"  --spec PATH   read this file or folder instead of the default folders\n"
	"  --workers SOCKET\n"
	"                have work done by units that systemd starts for connections to\n"
	"                SOCKET, not by children\n"
	"  --worker      be such a unit: one piece of work, asked for on standard input\n"
	"  --help        show this help\n"
	"  --version     show the version\n"
	"\n"
	"SIGHUP: read the files again. SIGTERM: end when the work under way is done.\n"
	"See passthroughd(8), passthroughctl(1) and passthroughd.yaml(5).\n";

struct words_of_call {
	const char *root, *spec;
	bool worker;		    /* one job, from standard input */
	struct sockaddr_un workers; /* where they are started for us; sun_path "": forked */
};

static bool set_address(struct sockaddr_un *address, const char *path)
{
	if (strlen(path) >= sizeof(address->sun_path)) {
		fprintf(stderr, "passthroughd: %s: too long for a socket's address\n", path);
		return false;
	}
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path, path); // NOLINT: it was measured
	return true;
}

/* 1: go on; 0: done; negative: wrong usage. */
static int parse(int argc, char **argv, struct words_of_call *ret)
{
	static const struct option options[] = {
		{"root", required_argument, NULL, 'r'},
		{"spec", required_argument, NULL, 's'},
		{"workers", required_argument, NULL, 'W'},
		{"worker", no_argument, NULL, 'w'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'r':
			ret->root = optarg;
			break;
		case 's':
			ret->spec = optarg;
			break;
		case 'W':
			if (!set_address(&ret->workers, optarg))
				return -EINVAL;
			break;
		case 'w':
			ret->worker = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'v':
			puts("passthroughd " PTHRU_VERSION);
			return 0;
		default:
			return -EINVAL;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "passthroughd: takes no arguments; see --help\n");
		return -EINVAL;
	}
	return 1;
}

static int on_hangup(sd_event_source *source _unused_, const struct signalfd_siginfo *info _unused_,
		     void *userdata)
{
	manager_reload(userdata, NULL);
	return 0;
}

static int on_terminate(sd_event_source *source _unused_,
			const struct signalfd_siginfo *info _unused_, void *userdata)
{
	manager_stop(userdata);
	return 0;
}

static int add_signals(sd_event *event, struct manager *m)
{
	static const struct {
		int signal;
		sd_event_signal_handler_t handler;
	} signals[] = {{SIGHUP, on_hangup}, {SIGTERM, on_terminate}, {SIGINT, on_terminate}};
	sigset_t set;

	/* Blocked, or sd-event refuses them (10.5). */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaddset(&set, signals[i].signal);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		int err = sd_event_add_signal(event, NULL, signals[i].signal, signals[i].handler,
					      m);

		if (err < 0)
			return err;
	}
	return 0;
}

static int open_context(const struct words_of_call *words, struct pthru_ctx **ret)
{
	struct pthru_diags *diags = NULL;
	struct pthru_ctx *ctx = NULL;
	_cleanup_free_ char *why = NULL;
	int err = pthru_diags_new(&diags);

	if (err == 0)
		err = pthru_ctx_new(&ctx);
	if (err == 0 && words->root)
		err = pthru_ctx_set_root(ctx, words->root, diags);
	if (err == 0 && words->spec)
		err = pthru_ctx_set_spec(ctx, words->spec);
	if (err == 0)
		err = pthru_run_make(ctx);
	if (err < 0) {
		if (diags && pthru_diags_print(diags, false, &why) == 0)
			log_lines(LOG_PRIORITY_ERROR, why);
		log_line(LOG_PRIORITY_ERROR, "cannot start: %s", strerror(-err));
		pthru_ctx_free(ctx);
	} else {
		*ret = ctx;
	}
	pthru_diags_free(diags);
	return err;
}

static int serve(struct pthru_ctx *ctx, const struct sockaddr_un *workers)
{
	struct control *control = NULL;
	struct bus *bus = NULL;
	struct manager *m = NULL;
	sd_event *event = NULL;
	int err = sd_event_new(&event);

	if (err >= 0)
		err = sd_event_set_watchdog(event, 1);
	if (err >= 0)
		err = manager_new(event, ctx, *workers->sun_path ? workers : NULL, &m);
	if (err >= 0)
		err = add_signals(event, m);
	if (err >= 0)
		err = control_new(event, ctx, m, &control);
	if (err == -EADDRINUSE)
		log_line(LOG_PRIORITY_ERROR, "another passthroughd serves this root");
	if (err >= 0)
		err = bus_new(event, ctx, m, &bus);
	if (err >= 0) {
		manager_reload(m, NULL);
		err = sd_event_loop(event);
	}
	if (err < 0)
		log_line(LOG_PRIORITY_ERROR, "ended: %s", strerror(-err));
	bus_free(bus);
	control_free(control);
	manager_free(m);
	sd_event_unref(event);
	return err;
}

/* What ends the service must not end a builder: files would be ahead of the images. */
static int work(struct pthru_ctx *ctx)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	(void)job_serve(ctx, STDIN_FILENO);
	return 0;
}

int main(int argc, char **argv)
{
	struct words_of_call words = {0};
	struct pthru_ctx *ctx = NULL;
	int err = text_keep_standard_fds();

	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN); /* somebody opens a file just while it is leased */
	umask(022);
	if (err == 0)
		err = parse(argc, argv, &words);
	if (err == -EINVAL)
		return PTHRU_EXIT_INVALID;
	if (err <= 0)
		return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	err = open_context(&words, &ctx);
	if (err == 0)
		err = words.worker ? work(ctx) : serve(ctx, &words.workers);
	pthru_ctx_free(ctx);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
