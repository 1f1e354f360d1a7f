/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building JSON with json-c: an error sticks, and one is asked for at the end. Pure. */
#pragma once

#include <json.h>

#include "render-host.h"

struct doc {
	int error; /* 0 or -ENOMEM */
};

/* Adds value, which may be NULL only when memory ran out, under a key; takes it over always. */
void doc_put(struct doc *b, struct json_object *to, const char *key, struct json_object *value);
void doc_push(struct doc *b, struct json_object *to, struct json_object *value);

/* New values. Text becomes valid UTF-8; NULL text is JSON null. */
void doc_put_text(struct doc *b, struct json_object *to, const char *key, const char *text);
void doc_put_bool(struct doc *b, struct json_object *to, const char *key, bool value);
void doc_put_count(struct doc *b, struct json_object *to, const char *key, uint64_t value);
void doc_put_words(struct doc *b, struct json_object *to, const char *key,
		   const struct words *words);
struct json_object *doc_text(struct doc *b, const char *text);

/* An empty array or object, already under its key. NULL when memory ran out. */
struct json_object *doc_array(struct doc *b, struct json_object *to, const char *key);
struct json_object *doc_object(struct doc *b, struct json_object *to, const char *key);

/* An object at the end of an array. */
struct json_object *doc_row(struct doc *b, struct json_object *array);

/* Parts of the documents. */
void doc_put_verdicts(struct doc *b, struct json_object *to, const struct plan_device *device);
void doc_put_device(struct doc *b, struct json_object *array, const struct plan_device *device);
void doc_put_step(struct doc *b, struct json_object *array, const struct step *step);

/* diagnostics[] of all given lists in turn, any of which may be NULL; what is there is not
 * repeated. */
void doc_put_diags(struct doc *b, struct json_object *to,
		   const struct diags *const lists[static 3]);

/* Writes the document with a newline at its end and frees it. Returns 0 or -ENOMEM. */
int doc_finish(struct doc *b, struct json_object *document, struct strbuf *out);
