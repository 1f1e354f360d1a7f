/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kcmdline-token.h"

#include <string.h>

/* The kernel's ctype is Latin-1: its isspace() takes the no-break space, too. */
static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (unsigned char)c == 0xa0;
}

bool token_next(const char *line, size_t *pos, struct token *ret)
{
	size_t at = *pos, end;
	bool quoted = false;

	while (is_blank(line[at]))
		at++;
	if (!line[at])
		return false;
	for (end = at; line[end] && (quoted || !is_blank(line[end])); end++)
		if (line[end] == '"')
			quoted = !quoted;
	*ret = (struct token){.at = at, .len = end - at, .open = quoted};
	*pos = end;
	return true;
}

void token_split(const char *token, size_t len, struct piece *ret_name, struct piece *ret_value)
{
	bool quoted = len && token[0] == '"';
	size_t start = quoted, end = len, value = 0, equals;

	for (equals = start + 1; equals < len && token[equals] != '='; equals++)
		;
	if (equals < len) {
		value = equals + 1;
		if (value < len && token[value] == '"') {
			value++;
			quoted = true;
		}
	}
	if (quoted && end > start && token[end - 1] == '"')
		end--;
	if (value > end)
		value = end;
	*ret_name = (struct piece){token + start, (equals < end ? equals : end) - start};
	*ret_value = (struct piece){value ? token + value : NULL, value ? end - value : 0};
}

bool token_only(const char *text, struct token *ret)
{
	struct token first, more;
	struct piece name, value;
	size_t pos = 0;

	if (!token_next(text, &pos, &first) || first.open || token_next(text, &pos, &more))
		return false;
	token_split(text + first.at, first.len, &name, &value);
	if (!value.at && piece_is(name, "--"))
		return false;
	*ret = first;
	return true;
}

bool piece_equal(struct piece a, struct piece b)
{
	return !a.at == !b.at && a.len == b.len && (!a.at || memcmp(a.at, b.at, a.len) == 0);
}

bool piece_is(struct piece p, const char *s)
{
	return p.at && strlen(s) == p.len && memcmp(p.at, s, p.len) == 0;
}

static char underscored(char c)
{
	return c == '-' ? '_' : c;
}

bool piece_same_name(struct piece a, struct piece b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (underscored(a.at[i]) != underscored(b.at[i]))
			return false;
	return true;
}

bool piece_names(struct piece p, const char *s)
{
	return piece_same_name(p, (struct piece){s, strlen(s)});
}
