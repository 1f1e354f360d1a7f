/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qm-config.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\r\f\v"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static size_t trimmed(const char *at, size_t n)
{
	while (n && strchr(BLANKS, at[n - 1]))
		n--;
	return n;
}

/* --- sections -------------------------------------------------------------------------------- */

/* A snapshot's name: a letter, then letters, digits, "_" and "-". */
static bool is_name(const char *at, size_t n)
{
	if (n < 2 || !isalpha((unsigned char)*at))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)at[i]) && !strchr("_-", at[i]))
			return false;
	return true;
}

static int add_section(struct arena *a, struct qm_config *config, const char *at, size_t n)
{
	struct qm_section *section = array_add(a, &config->sections);

	if (!section)
		return -ENOMEM;
	section->name = "";
	section->kind = QM_SPECIAL;
	if (n == 7 && strncasecmp(at, "PENDING", n) == 0) {
		section->kind = QM_PENDING;
	} else if (is_name(at, n)) {
		section->kind = QM_SNAPSHOT;
		section->name = arena_strndup(a, at, n);
	}
	return section->name ? 0 : -ENOMEM;
}

/* --- lines ----------------------------------------------------------------------------------- */

/* "hostpci0,!machine net0": some may be marked to go by force. */
static int add_deleted(struct arena *a, struct qm_section *section, const char *at, size_t n)
{
	static const char parts[] = ",; \t";

	for (const char *end = at + n; at < end;) {
		size_t size = strcspn(at, parts);
		const char *key;

		if (size > (size_t)(end - at))
			size = (size_t)(end - at);
		key = arena_strndup(a, at + (*at == '!'), size - (*at == '!'));
		if (!key || (*key && words_add(a, &section->deleted, key) < 0))
			return -ENOMEM;
		at += size + 1;
	}
	return 0;
}

/* How long the key in front of a colon is; 0: there is none. */
static size_t key_length(const char *at, size_t n)
{
	size_t size = islower((unsigned char)*at) ? strspn(at, LOWER "_-") : 0;

	size += size ? strspn(at + size, DIGITS) : 0;
	return size < n && at[size] == ':' ? size : 0;
}

static int add_line(struct arena *a, struct qm_config *config, const char *at, size_t n,
		    unsigned number)
{
	struct qm_section *section = &config->sections.at[config->sections.n - 1];
	size_t size = key_length(at, n), skip = size + 1;
	struct qm_line line;

	while (size && skip < n && strchr(BLANKS, at[skip]))
		skip++;
	if (!size || skip >= n) {
		if (!config->strange)
			config->strange = number;
		return 0;
	}
	if (section->kind == QM_PENDING && size == 6 && strncmp(at, "delete", size) == 0)
		return add_deleted(a, section, at + skip, n - skip);
	line.key = arena_strndup(a, at, size);
	line.value = arena_strndup(a, at + skip, n - skip);
	if (!line.key || !line.value)
		return -ENOMEM;
	return array_push(a, &section->lines, line);
}

static int take(struct arena *a, struct qm_config *config, const char *at, size_t n,
		unsigned number)
{
	n = trimmed(at, n);
	if (!n || *at == '#')
		return 0;
	if (*at == '[' && at[n - 1] == ']' && n > 1 && !memchr(at, ']', n - 1))
		return add_section(a, config, at + 1, n - 2);
	if (config->sections.at[config->sections.n - 1].kind == QM_SPECIAL)
		return 0;
	return add_line(a, config, at, n, number);
}

int qm_config_parse(struct arena *a, const char *text, struct qm_config *ret)
{
	struct qm_config config = {0};
	struct qm_section *live = array_add(a, &config.sections);
	int err = live ? 0 : -ENOMEM;

	if (live)
		live->name = "";
	for (unsigned number = 1; err == 0 && *text; number++) {
		size_t n = strcspn(text, "\n");

		err = take(a, &config, text, n, number);
		text += n + (text[n] == '\n');
	}
	if (err == 0)
		*ret = config;
	return err;
}

/* --- questions ------------------------------------------------------------------------------- */

const struct qm_section *qm_config_live(const struct qm_config *config)
{
	return &config->sections.at[0];
}

/* The last one counts, as for all that stands twice. */
const struct qm_section *qm_config_pending(const struct qm_config *config)
{
	const struct qm_section *found = NULL;

	array_foreach(it, &config->sections)
		if (it->kind == QM_PENDING)
			found = it;
	return found;
}

const char *qm_section_value(const struct qm_section *section, const char *key)
{
	const char *value = NULL;

	for (size_t i = 0; section && i < section->lines.n; i++)
		if (strcmp(section->lines.at[i].key, key) == 0)
			value = section->lines.at[i].value;
	return value;
}

const char *qm_config_next(const struct qm_config *config, const char *key)
{
	const struct qm_section *pending = qm_config_pending(config);
	const char *value = qm_section_value(pending, key);

	if (value || (pending && words_has(&pending->deleted, key)))
		return value;
	return qm_section_value(qm_config_live(config), key);
}

int qm_hostpci_index(const char *key)
{
	static const char name[] = "hostpci";
	const char *at = key + sizeof(name) - 1;
	int n = 0;

	if (strncmp(key, name, sizeof(name) - 1) != 0 || !*at || strlen(at) > 2 ||
	    (*at == '0' && at[1]))
		return -1;
	for (; *at; at++) {
		if (!isdigit((unsigned char)*at))
			return -1;
		n = n * 10 + (*at - '0');
	}
	return n < QM_HOSTPCI_MAX ? n : -1;
}
