/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "macro.h"
#include "passthrough.h"

#define DEVICE "device "
#define ITEM   "item "
#define REBOOT "reboot yes"

static void show(const struct state *s, const char *text, const char *more)
{
	sd_notifyf(0, "STATUS=%s%s%s",
		   s->rejected ? "spec rejected, see passthroughctl status; " : "", text, more);
}

void state_show(const struct state *s, const char *text)
{
	show(s, text, "");
}

void state_show_summary(const struct state *s)
{
	if (s->stopping)
		show(s, "stopping when the work under way is done", "");
	else
		show(s, s->summary, s->attempt);
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; (text = strchr(text, '\n')); text++)
		n++;
	return n;
}

/* "NAME STATE METHOD ADDRESS..." is cut at its blanks; false when it is not that. */
static bool read_device(char *line, struct state_device *ret)
{
	char *rest = line;

	ret->name = strsep(&rest, " ");
	ret->state = strsep(&rest, " ");
	ret->method = strsep(&rest, " ");
	if (!ret->method)
		return false;
	if (strcmp(ret->method, "-") == 0)
		ret->method = "";
	ret->addresses = rest ? rest : "";
	return true;
}

/* "ID STATE CODE" */
static bool read_item(char *line, struct state_item *ret)
{
	char *rest = line;

	ret->id = strsep(&rest, " ");
	ret->state = strsep(&rest, " ");
	if (!rest)
		return false;
	ret->code = strcmp(rest, "-") == 0 ? "" : rest;
	return true;
}

int state_read(struct state *next, const char *text)
{
	const size_t max = count_lines(text);
	struct state_devices *devices = calloc(1, sizeof(*devices) + max * sizeof(devices->at[0]));
	char *rest, *line;

	if (devices) {
		devices->text = strdup(text);
		devices->items = calloc(max + 1, sizeof(*devices->items));
	}
	if (!devices || !devices->text || !devices->items) {
		state_devices_free(devices);
		return -ENOMEM;
	}
	next->reboot = false;
	rest = devices->text;
	while ((line = strsep(&rest, "\n")) && rest) {
		if (strcmp(line, REBOOT) == 0)
			next->reboot = true;
		else if (strncmp(line, DEVICE, strlen(DEVICE)) == 0 &&
			 read_device(line + strlen(DEVICE), &devices->at[devices->n]))
			devices->n++;
		else if (strncmp(line, ITEM, strlen(ITEM)) == 0 &&
			 read_item(line + strlen(ITEM), &devices->items[devices->n_items]))
			devices->n_items++;
	}
	next->devices = devices;
	return 0;
}

void state_become(struct state *s, const struct state *next, const struct state_listener *listener)
{
	const struct state before = *s;

	*s = *next;
	if (listener->changed)
		listener->changed(listener->owner, &before, s);
	if (before.devices != s->devices)
		state_devices_free(before.devices);
}

struct state_devices *state_devices_free(struct state_devices *devices)
{
	if (devices) {
		free(devices->text);
		free(devices->items);
	}
	free(devices);
	return NULL;
}

const struct state_item *state_item(const struct state *s, const char *id)
{
	for (size_t i = 0; s->devices && i < s->devices->n_items; i++)
		if (strcmp(s->devices->items[i].id, id) == 0)
			return &s->devices->items[i];
	return NULL;
}

const struct state_device *state_device(const struct state *s, const char *name)
{
	for (size_t i = 0; s->devices && i < s->devices->n; i++)
		if (strcmp(s->devices->at[i].name, name) == 0)
			return &s->devices->at[i];
	return NULL;
}

int state_code(const struct state *s)
{
	return s->rejected ? PTHRU_EXIT_INVALID : s->code;
}

const char *state_word_of(int code)
{
	static const char *const words[] = {
		[PTHRU_EXIT_DONE] = "converged",  [PTHRU_EXIT_FAILED] = "failed",
		[PTHRU_EXIT_PENDING] = "pending", [PTHRU_EXIT_REBOOT] = "reboot",
		[PTHRU_EXIT_REFUSED] = "blocked", [PTHRU_EXIT_INVALID] = "invalid",
	};

	return code < 0 ? "unknown" : words[code];
}

const char *state_word(const struct state *s)
{
	return state_word_of(state_code(s));
}
