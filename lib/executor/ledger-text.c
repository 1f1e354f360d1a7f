/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger as JSON. Pure. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "apply.h"
#include "base64.h"
#include "ledger-json.h"
#include "utf8.h"

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

static void put_guest(struct writer *w, const struct ledger_guest *g)
{
	put_text(w, "hypervisor", hypervisor_name(g->hypervisor));
	put_text(w, "guest", g->guest);
	put_text(w, "device", g->device);
	put_text(w, "key", g->key);
	put_text(w, "text", g->text);
	put_text(w, "before", g->before);
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
	if (ledger->guests.n)
		put_records(&w, "guests", &ledger->guests, put_guest);
	if (ledger->deployed.n)
		put_words(&w, "deployed", &ledger->deployed);
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
