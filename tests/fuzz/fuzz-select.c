/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as the body of one device, against two small hosts. What is refused selects nothing;
 * what is selected fits every selector that is given, or is of the card of what does.
 */
#include "config.h"
#include "guard.h"
#include "mask.h"
#include "must.h"

#define OWN "00-11-22-33-44-55-66-77"

struct function {
	const char *addr, *id;
	uint32_t class;
	int group;
	const char *driver, *serial, *mac, *label;
	bool bridge, vf;
};

/* Twins, a card of two functions, disks and ports with numbers, a bridge. */
static const struct function large[] = {
	{"00:01.0", "8086:1901", 0x060400, 1, .driver = "pcieport", .bridge = true},
	{"01:00.0", "10de:1b81:1043:85a3", 0x030000, 1, .driver = "nouveau", .label = "Slot 1"},
	{"01:00.1", "10de:10f0:1043:85a3", 0x040300, 1, .driver = "snd_hda_intel"},
	{"02:00.0", "10de:1b81:1043:85a3", 0x030000, 2, .driver = "vfio-pci", .label = "Slot 2"},
	{"03:00.0", "8086:1521", 0x020000, 3, "igb", OWN, .mac = "52:54:00:00:00:01"},
	{"03:00.1", "8086:1521", 0x020000, 4, "igb", OWN, .mac = "52:54:00:00:00:02"},
	{"03:10.0", "8086:1520", 0x020000, 5, .mac = "52:54:00:00:00:03", .vf = true},
	{"04:00.0", "144d:a808", 0x010802, 6, "nvme", "S1", .label = "M.2 [A]"},
	{"10000:04:00.0", "144d:a808", 0x010802, -1, "nvme", .serial = "S2"},
};

static const struct function one[] = {
	{"01:00.0", "10de:1b81", 0x030000, .group = -1},
};

static struct host *make(const struct function *at, size_t n)
{
	struct host *host = host_new();

	MUST(host);
	for (size_t i = 0; i < n; i++) {
		struct host_device *d = array_add(host->arena, &host->devices);

		MUST(d && pci_addr_parse(at[i].addr, &d->addr) == 0 &&
		     pci_id_parse(at[i].id, &d->id) == 0);
		d->class = at[i].class;
		d->group = at[i].group;
		d->driver = at[i].driver;
		d->label = at[i].label;
		d->bridge = at[i].bridge;
		d->is_vf = at[i].vf;
		d->acs = UNKNOWN;
		if (at[i].serial)
			MUST(words_add(host->arena, &d->serials, at[i].serial) >= 0);
		if (at[i].mac)
			MUST(words_add(host->arena, &d->macs, at[i].mac) >= 0);
	}
	return host;
}

static bool shows(const struct words *words, const char *wished)
{
	array_foreach(it, words)
		if (identity_equal(*it, wished))
			return true;
	return false;
}

/* A label is only asked whether there is one at all: the glob has tests of its own. */
static bool fits(const struct selector *s, const struct host_device *d)
{
	return selector_may_fit(s, d) && (!s->serial || shows(&d->serials, s->serial)) &&
	       (!s->mac || shows(&d->macs, s->mac)) && (!s->label || d->label) &&
	       (!s->bound_to || d->driver);
}

static bool any_given(const struct selector *s)
{
	return s->has_id || s->has_address || s->has_class || s->has_slot || s->serial || s->mac ||
	       s->label || s->bound_to;
}

/* Whether the function goes along for one of its slot that fits itself. */
static bool goes_along(const struct spec_device *wish, const struct host *host,
		       const struct plan_device *found, const struct host_device *d)
{
	if (d->is_vf || !(wish->functions >> d->addr.fn & 1))
		return false;
	array_foreach(it, &found->addrs)
		if (pci_addr_same_slot(*it, d->addr) &&
		    fits(&wish->selector, host_device(host, *it)))
			return true;
	return false;
}

static void check_choice(const struct spec_device *wish, const struct host *host,
			 const struct plan_device *found)
{
	size_t n = 0;

	MUST(any_given(&wish->selector));
	array_foreach(it, &found->addrs) {
		const struct host_device *d = host_device(host, *it);

		MUST(d && !d->bridge);
		MUST(it == found->addrs.at || pci_addr_compare(it[-1], *it) < 0);
		MUST(fits(&wish->selector, d) || goes_along(wish, host, found, d));
		n += fits(&wish->selector, d);
	}
	MUST(n >= wish->count);
	/* An address is one function, and brings its card only. */
	array_foreach(it, &found->addrs)
		MUST(!wish->selector.has_address ||
		     pci_addr_same_slot(wish->selector.address, *it));
}

static void check_host(const struct spec *spec, const struct host *host)
{
	_cleanup_plan_ struct plan *plan = plan_new();
	struct guard g;

	MUST(plan && guard_init(&g, plan->arena, spec, host, NULL) == 0);
	array_foreach(wish, &spec->devices) {
		struct plan_device found = {0};

		MUST(guard_select(&g, wish, &found) == 0);
		MUST(plan_device_refused(&found) == (found.addrs.n == 0));
		if (found.addrs.n)
			check_choice(wish, host, &found);
	}
	MUST(guard_devices(&g, plan) == 0);
	array_foreach(it, &plan->devices)
		MUST((it->state == STATE_BLOCKED) == plan_device_refused(it));
}

/* "devices:\n  d:\n", then the bytes, each line indented below the name. */
static void put_body(const char *text, size_t size, struct strbuf *out)
{
	strbuf_add(out, "devices:\n  d:\n    ");
	for (size_t i = 0; i < size; i++) {
		strbuf_addc(out, text[i]);
		if (text[i] == '\n')
			strbuf_add(out, "    ");
	}
	strbuf_add(out, "\n");
	MUST(out->error == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_host_ struct host *first = make(large, ARRAY_LEN(large));
	_cleanup_host_ struct host *second = make(one, ARRAY_LEN(one));
	_cleanup_strbuf_ struct strbuf text = {0};
	_cleanup_spec_ struct spec *spec = NULL;
	struct config_input input = {.path = "fuzz.yaml"};
	struct diags diags = {.arena = a};

	put_body((const char *)data, size, &text);
	input.bytes = strbuf_text(&text);
	input.size = text.len;
	if (config_load(&input, 1, NULL, &diags, &spec) < 0) {
		MUST(diags_failed(&diags) && !spec);
		return 0;
	}
	check_host(spec, first);
	check_host(spec, second);
	return 0;
}
