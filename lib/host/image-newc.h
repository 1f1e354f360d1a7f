/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads newc cpio archives (magic 070701 and 070702) as their bytes come along, in pieces of any
 * size: what the kernel unpacks at boot (linux-6.1 init/initramfs.c). Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "macro.h"

#define NEWC_HEADER_SIZE 110
#define NEWC_NAME_MAX	 4096

struct newc_entry {
	const char *name;
	uint32_t mode, nlink, ino, major, minor, size;
};

/* What is done with what is found. Each returns a negative errno to stop. */
struct newc_sink {
	/* 1: the bytes are wanted, 0: not. */
	int (*entry)(void *data, const struct newc_entry *entry);
	/* All bytes of a wanted one, a NUL behind. */
	int (*body)(void *data, const struct newc_entry *entry, const char *bytes);
	size_t body_max; /* larger ones that are wanted are an error */
	uint64_t entries_max;
};

enum newc_state {
	NEWC_BETWEEN, /* zeros, or the next header */
	NEWC_HEADER,
	NEWC_NAME,
	NEWC_BODY,
	NEWC_SKIP,
};

/* Zero-initialise, set sink and data. */
struct newc {
	const struct newc_sink *sink;
	void *data;
	enum newc_state state;
	bool closed;	 /* the last entry was an archive's trailer */
	const char *why; /* of -EBADMSG, one phrase */
	uint64_t total;	 /* bytes taken */
	uint64_t entries;
	size_t have;	    /* of the part that is gathered */
	uint32_t body_size; /* with its padding */
	uint64_t skip;	    /* of what is passed over, with its padding */
	struct newc_entry entry;
	char *body;
	char header[NEWC_HEADER_SIZE];
	char name[NEWC_NAME_MAX + 4];
	uint32_t name_size; /* with its NUL */
};

void newc_done(struct newc *n);

/*
 * Takes bytes. 0: all of them; 1: stopped between archives at *ret_used, where something else
 * begins; -EBADMSG with why; -ENOMEM or what the sink returned.
 */
int newc_feed(struct newc *n, const char *bytes, size_t size, size_t *ret_used);

/* How many of the next bytes do not matter, and telling that they were passed over. */
uint64_t newc_skippable(const struct newc *n);
void newc_skipped(struct newc *n, uint64_t size);

/* Whether the bytes so far are whole archives. */
bool newc_whole(const struct newc *n);
