/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the host stands, as the last work found it: what is shown by systemd and on the bus. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define STATE_TEXT    512 /* bytes of a line, with its end */
#define STATE_UNKNOWN (-1)

struct state_device {
	const char *name, *state, *method; /* method "": none while it is blocked */
	const char *addresses;		   /* a blank between */
};

struct state_item {
	const char *id, *state;
	const char *code; /* why it is blocked; "" */
};

/* Never changed once read: states may share them. */
struct state_devices {
	char *text; /* what the texts of the rows lie in */
	struct state_item *items;
	size_t n_items, n;
	struct state_device at[];
};

struct state {
	int code;      /* exit code of the last work, STATE_UNKNOWN before there was any */
	bool rejected; /* the files are not what is in force */
	bool working;
	bool stopping;
	bool reboot; /* one is outstanding */
	char summary[STATE_TEXT];
	char attempt[STATE_TEXT + 64]; /* what is done about devices that are in use */
	struct state_devices *devices; /* NULL: none */
};

/* Whom to tell; both are valid during the call only. */
struct state_listener {
	void *owner;
	void (*changed)(void *owner, const struct state *before, const struct state *now);
};

/* Shown by systemd: the summary, or a text of now. */
void state_show_summary(const struct state *s);
void state_show(const struct state *s, const char *text);

/*
 * Takes over what pthru_plan_state said. To be done to a copy that the state becomes then: the
 * former devices are still the state's. 0 or -ENOMEM.
 */
int state_read(struct state *next, const char *text);

/* Sets the state, tells the listener, and frees devices that are no longer in it. */
void state_become(struct state *s, const struct state *next, const struct state_listener *listener);

struct state_devices *state_devices_free(struct state_devices *devices);

/* The one of that id, or NULL. */
const struct state_item *state_item(const struct state *s, const char *id);

/* The one of that name, or NULL. */
const struct state_device *state_device(const struct state *s, const char *name);

/* Exit code for everybody: that of the last work, and that the files were rejected. */
int state_code(const struct state *s);

/* One word for it, and for an exit code. */
const char *state_word(const struct state *s);
const char *state_word_of(int code);
