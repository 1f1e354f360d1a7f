/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render-json.h"

#include <string.h>

void doc_put(struct doc *b, struct json_object *to, const char *key, struct json_object *value)
{
	if (!to || !value || b->error < 0 || json_object_object_add(to, key, value) < 0) {
		json_object_put(value);
		b->error = -ENOMEM;
	}
}

void doc_push(struct doc *b, struct json_object *to, struct json_object *value)
{
	if (!to || !value || b->error < 0 || json_object_array_add(to, value) < 0) {
		json_object_put(value);
		b->error = -ENOMEM;
	}
}

struct json_object *doc_text(struct doc *b, const char *text)
{
	_cleanup_strbuf_ struct strbuf shown = {0};
	struct json_object *value;

	render_escape(&shown, text, strlen(text), true);
	value = shown.error ? NULL
			    : json_object_new_string_len(strbuf_text(&shown), (int)shown.len);
	if (!value)
		b->error = -ENOMEM;
	return value;
}

void doc_put_text(struct doc *b, struct json_object *to, const char *key, const char *text)
{
	if (text)
		doc_put(b, to, key, doc_text(b, text));
	else if (!to || json_object_object_add(to, key, NULL) < 0)
		b->error = -ENOMEM;
}

void doc_put_bool(struct doc *b, struct json_object *to, const char *key, bool value)
{
	doc_put(b, to, key, json_object_new_boolean(value));
}

void doc_put_count(struct doc *b, struct json_object *to, const char *key, uint64_t value)
{
	doc_put(b, to, key, json_object_new_int64((int64_t)value));
}

struct json_object *doc_array(struct doc *b, struct json_object *to, const char *key)
{
	struct json_object *array = json_object_new_array();

	doc_put(b, to, key, array);
	return b->error < 0 ? NULL : array;
}

struct json_object *doc_object(struct doc *b, struct json_object *to, const char *key)
{
	struct json_object *object = json_object_new_object();

	doc_put(b, to, key, object);
	return b->error < 0 ? NULL : object;
}

struct json_object *doc_row(struct doc *b, struct json_object *array)
{
	struct json_object *object = json_object_new_object();

	doc_push(b, array, object);
	return b->error < 0 ? NULL : object;
}

void doc_put_words(struct doc *b, struct json_object *to, const char *key,
		   const struct words *words)
{
	struct json_object *array = doc_array(b, to, key);

	array_foreach(it, words)
		doc_push(b, array, doc_text(b, *it));
}

int doc_finish(struct doc *b, struct json_object *document, struct strbuf *out)
{
	const char *text = NULL;

	errno = 0; /* where memory runs out json-c leaves bytes out and says nothing */
	if (document && b->error == 0)
		text = json_object_to_json_string_ext(
			document, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
					  JSON_C_TO_STRING_NOSLASHESCAPE);
	if (errno == ENOMEM)
		text = NULL;
	if (text) {
		strbuf_add(out, text);
		strbuf_add(out, "\n");
	}
	json_object_put(document);
	return text ? out->error : -ENOMEM;
}
