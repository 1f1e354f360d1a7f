/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger from JSON. What is not exactly as we write it is refused, never guessed at. Pure. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "apply.h"
#include "base64.h"
#include "ledger-json.h"
#include "utf8.h"

static void tokener_done(struct json_tokener **t)
{
	if (*t)
		json_tokener_free(*t);
}

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

static void get_guest(struct reader *r, struct ledger_guest *g)
{
	const char *name = get_text(r, "hypervisor");

	g->hypervisor = name ? hypervisor_from_name(name) : _HYPERVISOR_INVALID;
	g->guest = get_text(r, "guest");
	g->device = get_text(r, "device");
	g->key = get_text(r, "key");
	g->text = get_text(r, "text");
	g->before = get_text(r, "before");
	if (!r->error && g->hypervisor <= HYPERVISOR_PRESENT_ONE)
		fail(r, -EBADMSG);
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
	if (json_object_object_get_ex(top, "guests", NULL))
		get_records(&r, "guests", &l->guests, get_guest);
	if (json_object_object_get_ex(top, "deployed", NULL))
		get_words(&r, "deployed", &l->deployed);
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
