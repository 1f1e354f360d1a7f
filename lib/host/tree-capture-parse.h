/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader of the capture format: its state, and what its two files give each other. */
#pragma once

#include "tree-capture.h"

struct parse {
	struct tree_capture *c;
	struct diags *diags;
	const char *file;
	const char *end;
	const char *line, *stop; /* the line at hand, without its newline */
	unsigned number;
	bool plain;	  /* the line has no escape */
	bool image;	  /* the section is an image */
	bool folder;	  /* there is a section */
	uint32_t section; /* node of the section */
	uint32_t block;	  /* node whose text goes on, or NODE_NONE */
	bool lost_block;  /* text of a line that was refused */
	bool first_good;  /* the first line names the format */
	bool ended;
	unsigned errors;
	int fatal; /* negative errno that ends the reading */
};

/* Adds an error at a byte of the line at hand. */
void parse_wrong(struct parse *p, const char *at, const char *fmt, ...) _printf_(3, 4);
void parse_no_memory(struct parse *p);

/* A decoded copy in the tree's arena; the bytes themselves where nothing is to be decoded. */
struct slice parse_decoded(struct parse *p, struct slice raw);

/* Decoded, with a NUL behind and none inside. NULL, and an error about what, otherwise. */
const char *parse_word(struct parse *p, struct slice raw, const char *what);

/* Reads digits of a base up to max, all of the slice. */
bool parse_number(struct slice s, unsigned base, uint64_t max, uint64_t *ret);

/* Takes the bytes up to the next blank, and the blank, off the front of s. */
struct slice parse_next_word(struct slice *s);
bool parse_equals(struct slice s, const char *text);

/* Whether every part of a path may stand in a capture; at is where an error points to. */
bool parse_good_path(struct parse *p, struct slice path, const char *at);

/* The folder at path below from, made when it is not there. NODE_NONE: refused. */
uint32_t parse_folder(struct parse *p, uint32_t from, struct slice path, const char *at);

/* The node that a line adds to. NODE_NONE: there is none. */
uint32_t parse_old_node(struct parse *p, struct slice name);

/* Reads a line that names something, and one that belongs to a block. */
void parse_entry(struct parse *p);
void parse_block_text(struct parse *p);
