/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger as JSON. What is not exactly as we write it is refused, never guessed at. Pure. */
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "apply.h"
#include "base64.h"
#include "utf8.h"

#define LEDGER_VERSION 1

static struct json_object *json_free(struct json_object *json)
{
	json_object_put(json);
	return NULL;
}
DEFINE_CLEANUP(struct json_object *, json_free);

static void tokener_done(struct json_tokener **t)
{
	if (*t)
		json_tokener_free(*t);
}

/* --- writing --- */

/* Errors stick, so that a record is written without a check a field. */
struct writer {
	struct json_object *at;
	int error;
};

static void put(struct writer *w, const char *key, struct json_object *value)
{
	if (!value || json_object_object_add(w->at, key, value) < 0)
		w->error = -ENOMEM;
}

static void put_text(struct writer *w, const char *key, const char *text)
{
	put(w, key, json_object_new_string(text ? text : ""));
}

static void put_bool(struct writer *w, const char *key, bool value)
{
	put(w, key, json_object_new_boolean(value));
}

static void put_number(struct writer *w, const char *key, unsigned value)
{
	put(w, key, json_object_new_int64(value));
}

/* Text stays readable; what JSON cannot hold byte by byte goes in as base64. */
static void put_bytes(struct writer *w, const char *bytes, size_t size)
{
	_cleanup_strbuf_ struct strbuf coded = {0};

	if (utf8_text(bytes, size)) {
		put(w, "before", json_object_new_string_len(bytes, (int)size));
		return;
	}
	base64_add(&coded, bytes, size);
	if (coded.error)
		w->error = coded.error;
	put_text(w, "before_base64", strbuf_text(&coded));
}

static void put_words(struct writer *w, const char *key, const struct words *words)
{
	struct json_object *list = json_object_new_array();

	put(w, key, list);
	array_foreach(it, words) {
		struct json_object *word = json_object_new_string(*it);

		if (!list || !word || json_object_array_add(list, word) < 0)
			w->error = -ENOMEM;
	}
}

static void put_file(struct writer *w, const struct ledger_file *f)
{
	char mode[16];

	put_text(w, "path", f->path);
	put_bool(w, "owned", f->owned);
	put_bool(w, "existed", f->existed);
	if (f->existed) {
		snprintf(mode, sizeof(mode), "%04o", f->mode);
		put_text(w, "mode", mode);
		put_number(w, "uid", f->uid);
		put_number(w, "gid", f->gid);
		put_bytes(w, f->before, f->before_size);
	}
	put_text(w, "after", f->after);
	put_text(w, "intent", f->intent);
	put_words(w, "tokens", &f->tokens);
	if (f->mixed)
		put_bool(w, "mixed", true);
	if (f->intended.n)
		put_words(w, "intended", &f->intended);
}

static void put_device(struct writer *w, const struct ledger_device *d)
{
	char addr[PCI_ADDR_TEXT_SIZE], id[PCI_ID_TEXT_SIZE];

	put_text(w, "name", d->name);
	put_text(w, "address", pci_addr_format(d->addr, addr));
	put_text(w, "id", pci_id_format(&d->id, id));
	put_text(w, "serial", d->serial);
	put_text(w, "path", d->path);
	put_text(w, "wish", d->wish);
	put_text(w, "consent", d->consent);
	if (d->group_known)
		put_words(w, "group", &d->group);
	put_text(w, "driver", d->driver);
	put_text(w, "previous", d->previous);
	put_bool(w, "bound", d->bound);
	put_text(w, "host_drivers", d->host_drivers);
	if (d->builtin)
		put_bool(w, "builtin", true);
}

static void put_param(struct writer *w, const struct ledger_param *p)
{
	put_text(w, "module", p->module);
	put_text(w, "param", p->param);
	put_text(w, "before", p->before);
}

static void put_promise(struct writer *w, const struct ledger_promise *p)
{
	put_text(w, "item", p->item);
	put_text(w, "boot_id", p->boot_id);
	put_text(w, "basis", p->basis);
}

/* Opens an object at the end of list, for one record. */
static struct writer record(struct writer *top, struct json_object *list)
{
	struct json_object *object = json_object_new_object();

	if (!list || !object || json_object_array_add(list, object) < 0) {
		json_object_put(object);
		top->error = -ENOMEM;
		object = top->at; /* never written: the error sticks */
	}
	return (struct writer){.at = object};
}

#define put_records(w, key, list, put_one)                                                         \
	do {                                                                                       \
		struct json_object *array_ = json_object_new_array();                              \
		put((w), (key), array_);                                                           \
		array_foreach(it_, (list)) {                                                       \
			struct writer one_ = record((w), array_);                                  \
			if (!(w)->error)                                                           \
				put_one(&one_, it_);                                               \
			if (one_.error)                                                            \
				(w)->error = one_.error;                                           \
		}                                                                                  \
	} while (0)

int ledger_render(const struct ledger *ledger, struct strbuf *out)
{
	_cleanup_(json_freep) struct json_object *top = json_object_new_object();
	struct writer w = {.at = top};
	const char *text;

	if (!top)
		return -ENOMEM;
	put_number(&w, "version", LEDGER_VERSION);
	put_text(&w, "boot_id", ledger->boot_id);
	put_text(&w, "spec_digest", ledger->spec_digest);
	put_records(&w, "files", &ledger->files, put_file);
	put_records(&w, "devices", &ledger->devices, put_device);
	put_records(&w, "params", &ledger->params, put_param);
	if (ledger->promises.n)
		put_records(&w, "promises", &ledger->promises, put_promise);
	put_words(&w, "folders", &ledger->folders);
	put_words(&w, "unbuilt", &ledger->unbuilt);
	if (w.error)
		return w.error;
	errno = 0; /* where memory runs out json-c leaves bytes out and says nothing */
	text = json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY |
							   JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text || errno == ENOMEM)
		return -ENOMEM;
	strbuf_add(out, text);
	strbuf_addc(out, '\n');
	return out->error;
}

/* --- reading --- */

struct reader {
	struct json_object *at;
	struct arena *arena;
	int error; /* the first one sticks */
};

static void fail(struct reader *r, int error)
{
	if (!r->error)
		r->error = error;
}

static struct json_object *get(struct reader *r, const char *key, enum json_type type)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(r->at, key, &value) || json_object_get_type(value) != type) {
		fail(r, -EBADMSG);
		return NULL;
	}
	return value;
}

static const char *text_of(struct reader *r, struct json_object *value)
{
	const char *text = json_object_get_string(value), *copy;
	size_t size = (size_t)json_object_get_string_len(value);

	if (!utf8_text(text, size)) {
		fail(r, -EBADMSG);
		return "";
	}
	copy = arena_strndup(r->arena, text, size);
	if (!copy)
		fail(r, -ENOMEM);
	return copy;
}

static const char *get_text(struct reader *r, const char *key)
{
	struct json_object *value = get(r, key, json_type_string);

	return value ? text_of(r, value) : "";
}

/* A text that earlier versions did not write: "" then. */
static const char *get_new_text(struct reader *r, const char *key)
{
	return json_object_object_get_ex(r->at, key, NULL) ? get_text(r, key) : "";
}

static bool get_bool(struct reader *r, const char *key)
{
	return json_object_get_boolean(get(r, key, json_type_boolean));
}

static unsigned get_number(struct reader *r, const char *key)
{
	int64_t value = json_object_get_int64(get(r, key, json_type_int));

	if (value < 0 || value > UINT_MAX) {
		fail(r, -EBADMSG);
		return 0;
	}
	return (unsigned)value;
}

static unsigned get_mode(struct reader *r)
{
	const char *text = get_text(r, "mode");
	unsigned mode = 0;

	if (r->error)
		return 0;
	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '7' || mode > 07777)
			fail(r, -EBADMSG);
		mode = mode * 8 + (unsigned)(*c - '0');
	}
	if (!*text || mode > 07777)
		fail(r, -EBADMSG);
	return mode;
}

static void get_bytes(struct reader *r, const char **ret, size_t *ret_size)
{
	int err;

	if (json_object_object_get_ex(r->at, "before", NULL)) {
		*ret = get_text(r, "before");
		*ret_size = *ret ? strlen(*ret) : 0;
		return;
	}
	*ret = get_text(r, "before_base64");
	if (r->error)
		return;
	err = base64_read(r->arena, *ret, ret, ret_size);
	if (err < 0)
		fail(r, err);
}

static void get_words(struct reader *r, const char *key, struct words *ret)
{
	struct json_object *list = get(r, key, json_type_array);

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *value = json_object_array_get_idx(list, i);

		if (json_object_get_type(value) != json_type_string)
			fail(r, -EBADMSG);
		else if (array_push(r->arena, ret, text_of(r, value)) < 0)
			fail(r, -ENOMEM);
	}
}

static void get_file(struct reader *r, struct ledger_file *f)
{
	f->path = get_text(r, "path");
	f->owned = get_bool(r, "owned");
	f->existed = get_bool(r, "existed");
	f->before = "";
	if (f->existed) {
		f->mode = get_mode(r);
		f->uid = get_number(r, "uid");
		f->gid = get_number(r, "gid");
		get_bytes(r, &f->before, &f->before_size);
	}
	f->after = get_text(r, "after");
	f->intent = get_text(r, "intent");
	get_words(r, "tokens", &f->tokens);
	if (json_object_object_get_ex(r->at, "mixed", NULL))
		f->mixed = get_bool(r, "mixed");
	if (json_object_object_get_ex(r->at, "intended", NULL))
		get_words(r, "intended", &f->intended);
	if (!r->error && *f->path != '/')
		fail(r, -EBADMSG);
}

static void get_device(struct reader *r, struct ledger_device *d)
{
	const char *addr = get_text(r, "address"), *id = get_text(r, "id");

	d->name = get_text(r, "name");
	d->serial = get_text(r, "serial");
	d->path = get_new_text(r, "path");
	d->wish = get_new_text(r, "wish");
	d->consent = get_new_text(r, "consent");
	d->group_known = json_object_object_get_ex(r->at, "group", NULL);
	if (d->group_known)
		get_words(r, "group", &d->group);
	d->driver = get_text(r, "driver");
	d->previous = get_text(r, "previous");
	d->bound = get_bool(r, "bound");
	d->host_drivers = get_text(r, "host_drivers");
	d->builtin = json_object_object_get_ex(r->at, "builtin", NULL) && get_bool(r, "builtin");
	if (!r->error && (pci_addr_parse(addr, &d->addr) < 0 || pci_id_parse(id, &d->id) < 0))
		fail(r, -EBADMSG);
}

static void get_param(struct reader *r, struct ledger_param *p)
{
	p->module = get_text(r, "module");
	p->param = get_text(r, "param");
	p->before = get_text(r, "before");
}

static void get_promise(struct reader *r, struct ledger_promise *p)
{
	p->item = get_text(r, "item");
	p->boot_id = get_text(r, "boot_id");
	p->basis = get_text(r, "basis");
}

#define get_records(r, key, list, get_one)                                                         \
	do {                                                                                       \
		struct json_object *array_ = get((r), (key), json_type_array);                     \
		size_t n_ = array_ ? json_object_array_length(array_) : 0;                         \
		for (size_t i_ = 0; i_ < n_ && !(r)->error; i_++) {                                \
			typeof((list)->at + 0) one_ = array_add((r)->arena, (list));               \
			struct reader in_ = {.at = json_object_array_get_idx(array_, i_),          \
					     .arena = (r)->arena};                                 \
			if (!one_)                                                                 \
				fail((r), -ENOMEM);                                                \
			else if (json_object_get_type(in_.at) != json_type_object)                 \
				fail((r), -EBADMSG);                                               \
			else                                                                       \
				get_one(&in_, one_);                                               \
			if (in_.error)                                                             \
				fail((r), in_.error);                                              \
		}                                                                                  \
	} while (0)

static int read_all(struct json_object *top, struct ledger *l)
{
	struct reader r = {.at = top, .arena = l->arena};

	if (json_object_get_type(top) != json_type_object)
		return -EBADMSG;
	if (get_number(&r, "version") != LEDGER_VERSION)
		fail(&r, -EBADMSG);
	l->boot_id = get_text(&r, "boot_id");
	l->spec_digest = get_text(&r, "spec_digest");
	get_records(&r, "files", &l->files, get_file);
	get_records(&r, "devices", &l->devices, get_device);
	get_records(&r, "params", &l->params, get_param);
	if (json_object_object_get_ex(top, "promises", NULL))
		get_records(&r, "promises", &l->promises, get_promise);
	get_words(&r, "folders", &l->folders);
	get_words(&r, "unbuilt", &l->unbuilt);
	return r.error;
}

/* The text need not be terminated. */
static bool is_blank(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!text[i] || !strchr(" \t\r\n", text[i]))
			return false;
	return true;
}

static int parse(const char *text, size_t size, struct ledger **ret)
{
	_cleanup_(tokener_done) struct json_tokener *t = json_tokener_new();
	_cleanup_ledger_ struct ledger *l = ledger_new();
	_cleanup_(json_freep) struct json_object *top = NULL;
	size_t end;
	int err;

	if (!t || !l)
		return -ENOMEM;
	if (size > INT_MAX)
		return -EBADMSG;
	json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	errno = 0;
	top = json_tokener_parse_ex(t, text, (int)size);
	end = json_tokener_get_parse_end(t);
	if (!top && errno == ENOMEM)
		return -ENOMEM;
	if (!top || !is_blank(text + end, size - end))
		return -EBADMSG;
	err = read_all(top, l);
	if (err < 0)
		return err;
	*ret = TAKE(l);
	return 0;
}

static bool same_text(const struct strbuf *b, const char *text, size_t size)
{
	return b->len == size && memcmp(b->text, text, size) == 0;
}

/*
 * Former bytes of files are read here, and where memory runs out json-c leaves some out and says
 * nothing: so what was read must give the same text again. One that we did not write, and not in
 * this form, must at least read the same twice.
 */
int ledger_parse(const char *text, size_t size, struct ledger **ret)
{
	_cleanup_strbuf_ struct strbuf first = {0}, second = {0};
	_cleanup_ledger_ struct ledger *l = NULL, *again = NULL;
	int err = parse(text, size, &l);

	if (err == 0)
		err = ledger_render(l, &first);
	if (err == 0 && !same_text(&first, text, size)) {
		err = parse(text, size, &again);
		if (err == 0)
			err = ledger_render(again, &second);
		if (err == 0 && !same_text(&second, first.text, first.len))
			err = -ENOMEM;
	}
	if (err < 0)
		return err;
	*ret = TAKE(l);
	return 0;
}
