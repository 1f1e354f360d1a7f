/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The typed table of keys (keys.c) and the types of values (type-*.c). One row a key drives the
 * reader, the canonical text, the manual, the JSON Schema and the fuzzer's dictionary. Pure.
 */
#pragma once

#include <stdint.h>

#include "yaml-tree.h"

/* What one file says: the wish, and the hosts on which the file counts. */
struct match_dmi {
	const char *vendor, *product, *board; /* globs, NULL: not given */
};

struct match_ids {
	ARRAY_OF(struct pci_id) list;
};

struct match {
	const char *hostname;	    /* glob, NULL: not given */
	const char *machine_id;	    /* the same */
	const char *kernel;	    /* the same */
	enum cpu_vendor cpu_vendor; /* CPU_OTHER: not given */
	struct match_dmi dmi;
	struct match_ids has_device; /* all of these */
};

struct document {
	struct spec spec;
	struct maybe iommu_enable;
	struct match match;
};

/* trace.c: adds the values below node, whose key is prefix. 0 or -ENOMEM. */
int trace_values(struct arena *a, const char *prefix, const struct node *node,
		 struct config_trace *ret);

/*
 * One pass over a tree. The first takes each file alone and reports values; the second takes the
 * merged tree and reports what is missing or does not fit together.
 */
struct reader {
	struct arena *arena; /* takes the values */
	struct arena *names; /* the trees' own */
	struct diags *diags;
	const struct node *merged; /* root of the merged tree; NULL in the first pass */
	bool unjudged;		   /* which files count is not known: so is what is missing */
};

/* Reports once a node, marks it bad. Returns -EINVAL. */
int reader_refuse(struct reader *r, struct node *node, enum code code, const char *fmt, ...)
	_printf_(4, 5);

struct key;
struct section;

/*
 * read: fills the field from a node that is not null. 0, -EINVAL (reported), -ENOMEM.
 * given: whether the field holds anything to be written; NULL: always.
 * write: " value\n" after "name:", as YAML that read takes, one text for equal meaning.
 * schema: the members of a JSON Schema object that describe the value.
 */
struct type {
	const char *takes; /* "a number from 1 to 65535" */
	int (*read)(struct reader *r, const struct key *key, struct node *node, void *field);
	bool (*given)(const void *field);
	void (*write)(const struct key *key, const void *field, unsigned indent,
		      struct strbuf *out);
	void (*schema)(const struct key *key, struct strbuf *out);
	/* Details for the functions above. */
	bool bare;			/* a default of it is JSON as it stands; else a text */
	const char *(*word)(int value); /* choices: the words in order */
	int first;			/* choices: the first value with a word here */
	const char *(*refused)(const char *); /* texts: NULL or why not */
	enum code code;			      /* texts: of a refusal */
	bool kernel_spelling;		      /* texts: '-' becomes '_' */
	const char *pattern; /* texts: what an editor can check, a regular expression */
};

/* A mapping from names that the administrator chooses to objects of one section. */
struct map {
	const char *names;		      /* "a device", for people */
	const char *(*refused)(const char *); /* a name: NULL or why not */
	const char *pattern;
	const struct section *section;
	void *(*add)(struct arena *a, void *field);
	const void *(*at)(const void *field, size_t i); /* NULL past the end */
	size_t name, place;				/* offsets in an object */
};

struct key {
	const char *name;
	const struct type *type;
	size_t offset;		   /* of the field in the section's object */
	const char *fallback;	   /* default as it would be written; NULL: none */
	const char *fallback_note; /* for people, where it is more than that */
	const char *doc;	   /* one sentence */
	const char *example;	   /* lines of YAML that show the key */
	const struct map *map;
	const struct section *section;
	bool not_merged; /* belongs to its file, no part of the wish */
};

struct section {
	const char *path;   /* for people: "devices.NAME", "" at the top */
	const char *object; /* "a device" */
	const struct key *keys;
	size_t n;
	/* Second pass: judges the object as a whole. 0, -EINVAL (reported). */
	int (*complete)(struct reader *r, struct node *node, void *object);
};

extern const struct section section_top;

/*
 * The types, each with the C type of the field that it fills. A row of the table names field and
 * type together; where they do not fit, the row does not compile.
 */
#define TYPE(name, ctype)                                                                          \
	extern const struct type type_##name;                                                      \
	struct fills_##name {                                                                      \
		ctype value;                                                                       \
	}

TYPE(boolean, bool);
TYPE(maybe, struct maybe);
TYPE(count, unsigned);
TYPE(index, struct maybe_index);
TYPE(method, enum bind_method);
TYPE(iommu_mode, enum iommu_mode);
TYPE(mode, enum spec_mode);
TYPE(vendor, enum cpu_vendor);
TYPE(hypervisor, enum hypervisor);
TYPE(driver, const char *);
TYPE(serial, const char *);
TYPE(mac, const char *);
TYPE(machine, const char *);
TYPE(rom_file, const char *);
TYPE(mapping, const char *);
TYPE(glob, const char *);
TYPE(label, const char *);
TYPE(id, struct selector);
TYPE(address, struct selector);
TYPE(slot, struct selector);
TYPE(class, struct selector);
TYPE(functions, uint8_t);
TYPE(accept, uint64_t);
TYPE(ids, struct match_ids);
/* Of lists: the C type of an element. */
TYPE(modules, struct spec_word);
TYPE(flags, struct spec_word);
TYPE(options, struct spec_option);
extern const struct type type_section, type_map;

/* Zero, or no program, when expr has not the C type that the type fills. */
#define FITS(expr, type)                                                                           \
	(0 * sizeof(struct {                                                                       \
		 _Static_assert(_Generic((expr), typeof(((struct fills_##type *)0)->value) : 1,    \
					 default : 0),                                             \
				"the type fills another kind of field");                           \
		 int unused_;                                                                      \
	 }))

#define KEY(owner_, field_, kind_, name_, ...)                                                     \
	{                                                                                          \
		.name = (name_), .type = &type_##kind_,                                            \
		.offset = offsetof(owner_, field_) + FITS(((owner_ *)0)->field_, kind_),           \
		__VA_ARGS__                                                                        \
	}
#define KEY_LIST(owner_, field_, kind_, name_, ...)                                                \
	{                                                                                          \
		.name = (name_), .type = &type_##kind_,                                            \
		.offset = offsetof(owner_, field_) + FITS(((owner_ *)0)->field_.at[0], kind_),     \
		__VA_ARGS__                                                                        \
	}
#define KEY_MAP(owner_, field_, map_, name_, ...)                                                  \
	{                                                                                          \
		.name = (name_), .type = &type_map, .map = &(map_),                                \
		.offset = offsetof(owner_, field_), __VA_ARGS__                                    \
	}
/* Keys below a section fill the object of the section around it. */
#define KEY_SECTION(section_, name_, ...)                                                          \
	{                                                                                          \
		.name = (name_), .type = &type_section, .section = &(section_), __VA_ARGS__        \
	}

/* Fills an object from a mapping, key by key. 0, -EINVAL (reported), -ENOMEM. */
int reader_section(struct reader *r, const struct section *section, struct node *node,
		   void *object);

/* Fills in the defaults of the table. 0 or -ENOMEM. */
int reader_defaults(struct reader *r, const struct section *section, void *object);

/* For the types: refuses a node that is not of the wanted kind. */
int reader_expect(struct reader *r, const struct key *key, struct node *node, enum node_kind kind);

/* Whether a kernel flag sets a module parameter that a key stands for; why, or NULL. 0, -ENOMEM. */
int flag_reserved(struct arena *a, const char *flag, const char **ret_why);

/* "key: value" lines of an object, in the table's order. */
void write_section(const struct section *section, const void *object, unsigned indent,
		   struct strbuf *out);
void write_quoted(const char *text, struct strbuf *out);
void write_indent(unsigned indent, struct strbuf *out);
