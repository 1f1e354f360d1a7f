/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting until nobody but us changes what makes this host boot. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "lock.h"
#include "others.h"
#include "paths.h"
#include "surface.h"

#define LOOK_PAUSE_MS 200 /* between looks at a lock that somebody else holds */

static void pause_a_little(void)
{
	const struct timespec pause = {.tv_nsec = LOOK_PAUSE_MS * 1000000};

	nanosleep(&pause, NULL);
}

static void tell_wait(struct pthru_ctx *ctx, const char *holder)
{
	if (ctx->wait && holder)
		ctx->wait(ctx->userdata, holder);
}

/* A lock cannot be waited for and be told of at once. */
int surface_take_turn(struct pthru_ctx *ctx, struct pthru_diags *diags, int *ret_fd)
{
	_cleanup_arena_ struct arena *a = arena_new();
	pid_t holder = 0;
	bool told = false;
	int err;

	if (!a)
		return -ENOMEM;
	while ((err = apply_lock(ctx->root, ret_fd, &holder)) == -EBUSY || err == -EAGAIN) {
		if (!told)
			tell_wait(ctx,
				  arena_printf(a, "process %d, which is applying", (int)holder));
		told = true;
		pause_a_little();
	}
	if (err < 0)
		surface_errno(diags, err, PATH_LOCK);
	return err;
}

/* Our own prerm, asked to take everything back: dpkg above it waits and does nothing meanwhile. */
static bool is_our_removal(void)
{
	const char *package = getenv("DPKG_MAINTSCRIPT_PACKAGE");
	const char *script = getenv("DPKG_MAINTSCRIPT_NAME");

	return package && script && strcmp(package, "passthroughd") == 0 &&
	       strcmp(script, "prerm") == 0;
}

int surface_keep_others_out(struct pthru_ctx *ctx, struct arena *a, int *ret_fd, bool *ret_waited,
			    const char **ret_who)
{
	int64_t end = clock_ms() + (int64_t)ctx->patience * 1000;
	const char *who = NULL;
	bool above = false;
	int err;

	*ret_waited = false;
	while ((err = others_keep_out(ctx->root, a, ret_fd, &who, &above)) == -EBUSY ||
	       err == -EAGAIN) {
		if (above && is_our_removal())
			return 0;
		if (err == -EBUSY && (above || clock_ms() >= end)) {
			*ret_who = above ? arena_printf(a, "%s, below which this runs", who) : who;
			return *ret_who ? -EBUSY : -ENOMEM;
		}
		if (err == -EBUSY && !*ret_waited)
			tell_wait(ctx, who);
		*ret_waited = true;
		pause_a_little();
	}
	return err;
}
