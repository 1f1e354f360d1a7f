/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types of one value: booleans, numbers, words of a list, texts. */
#include <string.h>

#include "glob.h"
#include "near.h"
#include "schema.h"

#define COUNT_MAX 65535 /* PCI functions of one domain */
#define INDEX_MAX 15	/* hostpci0 to hostpci15 (9.1) */

static int parse_boolean(const char *text)
{
	static const char *const words[] = {"false", "true",  "False",
					    "True",  "FALSE", "TRUE"}; /* YAML 1.2, core schema */

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i], text) == 0)
			return i % 2;
	return -EINVAL;
}

static int read_boolean(struct reader *r, const struct key *key, struct node *node, void *field)
{
	char shown[NODE_SHOWN_SIZE];
	int value, err = reader_expect(r, key, node, NODE_SCALAR);

	if (err < 0)
		return err;
	value = parse_boolean(node->text);
	node_shown(node, shown);
	if (value < 0)
		return reader_refuse(r, node, CODE_TYPE_MISMATCH, "\"%s\" takes %s, not %s",
				     key->name, key->type->takes, shown);
	if (!node->plain)
		return reader_refuse(r, node, CODE_TYPE_MISMATCH, "\"%s\" takes %s without quotes",
				     key->name, key->type->takes);
	*(bool *)field = value;
	return 0;
}

static void write_boolean(const struct key *key _unused_, const void *field,
			  unsigned indent _unused_, struct strbuf *out)
{
	strbuf_add(out, *(const bool *)field ? " true\n" : " false\n");
}

static void schema_boolean(const struct key *key _unused_, struct strbuf *out)
{
	strbuf_add(out, "\"type\": [\"boolean\", \"null\"]");
}

const struct type type_boolean = {
	.takes = "true or false",
	.bare = true,
	.read = read_boolean,
	.write = write_boolean,
	.schema = schema_boolean,
};

static int read_maybe(struct reader *r, const struct key *key, struct node *node, void *field)
{
	struct maybe *maybe = field;
	int err = read_boolean(r, key, node, &maybe->value);

	maybe->given = err == 0;
	return err;
}

static void write_maybe(const struct key *key, const void *field, unsigned indent,
			struct strbuf *out)
{
	const struct maybe *maybe = field;

	write_boolean(key, &maybe->value, indent, out);
}

static bool given_maybe(const void *field)
{
	return ((const struct maybe *)field)->given;
}

const struct type type_maybe = {
	.takes = "true or false",
	.bare = true,
	.read = read_maybe,
	.given = given_maybe,
	.write = write_maybe,
	.schema = schema_boolean,
};

static int read_number(struct reader *r, const struct key *key, struct node *node,
		       unsigned long least, unsigned long most, unsigned *ret)
{
	char shown[NODE_SHOWN_SIZE];
	unsigned long value = 0;
	size_t digits;
	int err = reader_expect(r, key, node, NODE_SCALAR);

	if (err < 0)
		return err;
	digits = strspn(node->text, "0123456789");
	/* A leading zero means octal to one reader of YAML and nothing to another: never guess. */
	if (!node->plain || digits == 0 || node->text[digits] ||
	    (digits > 1 && node->text[0] == '0'))
		return reader_refuse(r, node, CODE_TYPE_MISMATCH, "\"%s\" takes %s, not %s",
				     key->name, key->type->takes, node_shown(node, shown));
	for (size_t i = 0; i < digits && value <= most; i++)
		value = value * 10 + (unsigned long)(node->text[i] - '0');
	if (value < least || value > most)
		return reader_refuse(r, node, CODE_BAD_VALUE, "\"%s\" takes %s, not %s", key->name,
				     key->type->takes, node_shown(node, shown));
	*ret = (unsigned)value;
	return 0;
}

static int read_count(struct reader *r, const struct key *key, struct node *node, void *field)
{
	return read_number(r, key, node, 1, COUNT_MAX, field);
}

static void write_count(const struct key *key _unused_, const void *field, unsigned indent _unused_,
			struct strbuf *out)
{
	strbuf_addf(out, " %u\n", *(const unsigned *)field);
}

static void schema_count(const struct key *key _unused_, struct strbuf *out)
{
	strbuf_addf(out, "\"type\": [\"integer\", \"null\"], \"minimum\": 1, \"maximum\": %u",
		    COUNT_MAX);
}

const struct type type_count = {
	.takes = "a number from 1 to 65535",
	.bare = true,
	.read = read_count,
	.write = write_count,
	.schema = schema_count,
};

static int read_index(struct reader *r, const struct key *key, struct node *node, void *field)
{
	struct maybe_index *index = field;
	int err = read_number(r, key, node, 0, INDEX_MAX, &index->value);

	index->given = err == 0;
	return err;
}

static bool given_index(const void *field)
{
	return ((const struct maybe_index *)field)->given;
}

static void write_index(const struct key *key, const void *field, unsigned indent,
			struct strbuf *out)
{
	write_count(key, &((const struct maybe_index *)field)->value, indent, out);
}

static void schema_index(const struct key *key _unused_, struct strbuf *out)
{
	strbuf_addf(out, "\"type\": [\"integer\", \"null\"], \"minimum\": 0, \"maximum\": %u",
		    INDEX_MAX);
}

const struct type type_index = {
	.takes = "a number from 0 to 15",
	.bare = true,
	.read = read_index,
	.given = given_index,
	.write = write_index,
	.schema = schema_index,
};

/* --- one word of a list -------------------------------------------------------------------- */

/* The enums hold a negative member, so their type is int for every compiler that we use. */
static int read_choice(struct reader *r, const struct key *key, struct node *node, void *field)
{
	const struct type *type = key->type;
	struct near near = {.word = node->text};
	char shown[NODE_SHOWN_SIZE], phrase[NEAR_SIZE];
	int err = reader_expect(r, key, node, NODE_SCALAR);

	if (err < 0)
		return err;
	for (int i = type->first; type->word(i); i++) {
		if (strcmp(type->word(i), node->text) == 0) {
			*(int *)field = i;
			return 0;
		}
		near_offer(&near, type->word(i));
	}
	return reader_refuse(r, node, CODE_BAD_VALUE, "\"%s\" takes %s, not %s%s", key->name,
			     type->takes, node_shown(node, shown), near_phrase(&near, phrase));
}

static void write_choice(const struct key *key, const void *field, unsigned indent _unused_,
			 struct strbuf *out)
{
	strbuf_addf(out, " %s\n", key->type->word(*(const int *)field));
}

static void schema_choice(const struct key *key, struct strbuf *out)
{
	strbuf_add(out, "\"enum\": [");
	for (int i = key->type->first; key->type->word(i); i++)
		strbuf_addf(out, "\"%s\", ", key->type->word(i));
	strbuf_add(out, "null]");
}

#define CHOICE(name, enum_, prefix, first_, takes_)                                                \
	static const char *word_##name(int value)                                                  \
	{                                                                                          \
		_Static_assert(sizeof(enum_) == sizeof(int), "read_choice writes an int");         \
		return prefix##_name((enum_)value);                                                \
	}                                                                                          \
	const struct type type_##name = {                                                          \
		.takes = takes_,                                                                   \
		.read = read_choice,                                                               \
		.write = write_choice,                                                             \
		.schema = schema_choice,                                                           \
		.word = word_##name,                                                               \
		.first = first_,                                                                   \
	}

CHOICE(method, enum bind_method, bind_method, 0, "auto, override or ids");
CHOICE(iommu_mode, enum iommu_mode, iommu_mode, 0, "pt or translated");
CHOICE(mode, enum spec_mode, spec_mode, 0, "enforce or observe");
CHOICE(vendor, enum cpu_vendor, cpu_vendor, CPU_INTEL, "intel or amd");
CHOICE(hypervisor, enum hypervisor, hypervisor, 0, "proxmox, libvirt or present");

/* --- texts ----------------------------------------------------------------------------------- */

static int read_text(struct reader *r, const struct key *key, struct node *node, void *field)
{
	char shown[NODE_SHOWN_SIZE];
	const char *why, *copy;
	int err = reader_expect(r, key, node, NODE_SCALAR);

	if (err < 0)
		return err;
	why = key->type->refused(node->text);
	if (why)
		return reader_refuse(r, node, key->type->code, "\"%s\" cannot be %s: it %s",
				     key->name, node_shown(node, shown), why);
	copy = arena_strdup(r->arena, node->text);
	if (!copy)
		return -ENOMEM;
	*(const char **)field = copy;
	return 0;
}

static bool given_text(const void *field)
{
	return *(const char *const *)field != NULL;
}

static void write_text(const struct key *key _unused_, const void *field, unsigned indent _unused_,
		       struct strbuf *out)
{
	strbuf_addc(out, ' ');
	write_quoted(*(const char *const *)field, out);
	strbuf_addc(out, '\n');
}

/* A bare 0123 or 1e5 is a number to an editor and a text to us. */
static void schema_text(const struct key *key, struct strbuf *out)
{
	strbuf_add(out, "\"type\": [\"string\", \"number\", \"null\"]");
	if (key->type->pattern) {
		strbuf_add(out, ", \"pattern\": ");
		write_quoted(key->type->pattern, out);
	}
}

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS	"0123456789"

static bool only(const char *text, const char *first, const char *rest)
{
	return *text && strchr(first, *text) && text[strspn(text, rest)] == '\0';
}

static const char *driver_refused(const char *text)
{
	/* Driver and module differ in one letter here, and sysfs knows only the driver. */
	if (strcmp(text, "vfio_pci") == 0)
		return "is the module; the driver is called vfio-pci";
	if (!only(text, LETTERS DIGITS, LETTERS DIGITS "_-.+") || strlen(text) > 64)
		return "is no driver's name: letters, digits, _ - . + and at most 64 of them";
	return NULL;
}

static const char *machine_refused(const char *text)
{
	if (!only(text, LETTERS DIGITS, LETTERS DIGITS "_-.+") || strlen(text) > 64)
		return "is no machine type: letters, digits, _ - . + and at most 64 of them";
	return NULL;
}

/* A part of a path of the hypervisor's, and of a list of options. */
static const char *rom_file_refused(const char *text)
{
	if (!only(text, LETTERS DIGITS "/", LETTERS DIGITS "_-.+/") || strlen(text) > 255)
		return "is no file's name: letters, digits, / _ - . + and at most 255 of them";
	return strstr(text, "..") ? "leads out of the folder of ROM files" : NULL;
}

/* Proxmox VE's grammar of such names. */
static const char *mapping_refused(const char *text)
{
	if (!only(text, LETTERS, LETTERS DIGITS "_-") || strlen(text) < 2 || strlen(text) > 128)
		return "is no mapping's name: a letter, then letters, digits, _ and -, at least 2 "
		       "in all";
	return NULL;
}

static const char *serial_refused(const char *text)
{
	size_t n = strlen(text);

	if (n == 0)
		return "is empty and would select nothing";
	if (n > 128)
		return "is longer than any serial number";
	if (text[strcspn(text, "*?[")])
		return "is a glob; those are read in match and label only, a serial number is "
		       "compared whole";
	for (const char *p = text; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			return "has characters that no serial number has";
	return text[0] == ' ' || text[n - 1] == ' ' ? "begins or ends with a blank" : NULL;
}

/* What nothing fails to fit would choose whatever has a slot with a name. */
static const char *label_refused(const char *text)
{
	const char *why = glob_refused(text);

	if (why)
		return why;
	return glob_names(text) ? NULL : "has nothing but wildcards and would fit every slot";
}

#define TEXT(name, takes_, pattern_)                                                               \
	const struct type type_##name = {                                                          \
		.takes = takes_,                                                                   \
		.read = read_text,                                                                 \
		.given = given_text,                                                               \
		.write = write_text,                                                               \
		.schema = schema_text,                                                             \
		.refused = name##_refused,                                                         \
		.code = CODE_BAD_VALUE,                                                            \
		.pattern = pattern_,                                                               \
	}

TEXT(driver, "a driver's name", "^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$");
TEXT(machine, "a machine type", "^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$");
TEXT(rom_file, "a file's name", "^[A-Za-z0-9/][A-Za-z0-9_.+/-]{0,254}$");
TEXT(mapping, "a mapping's name", "^[A-Za-z][A-Za-z0-9_-]{1,127}$");
TEXT(serial, "a serial number", "^[ -~]{1,128}$");
TEXT(glob, "a glob", "^.+$");
TEXT(label, "a glob for the name of a slot", "[A-Za-z0-9]");
