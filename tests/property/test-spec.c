/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specs made by chance: the order of keys and the split into files change nothing, and the
 * canonical text loads as the same spec.
 */
#include <stdio.h>

#include "../unit/config-load.h"

#define CASES	   400
#define LEAVES_MAX 128

struct leaf {
	char path[80]; /* keys from the top, parted by '/' */
	char value[40];
};

struct wish {
	struct leaf leaves[LEAVES_MAX];
	size_t n;
	uint64_t seed;
};

static unsigned chance(struct wish *w, unsigned below)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return below ? (unsigned)(w->seed >> 33) % below : 0;
}

static void add(struct wish *w, const char *path, const char *value)
{
	struct leaf *leaf = &w->leaves[w->n++];

	assert_true(w->n < LEAVES_MAX);
	snprintf(leaf->path, sizeof(leaf->path), "%s", path);
	snprintf(leaf->value, sizeof(leaf->value), "%s", value);
}

/* Rows of which a wish takes some; one of the words each. */
static const struct {
	const char *key, *words[5];
} device_rows[] =
	{
		{"id", {"10de:1b81", "8086:15B8:0000:0001"}},
		{"address", {"01:00.0", "0000:0a:1f.7"}},
		{"class", {"03", "vga", "0c0330"}},
		{"slot", {"02:00", "10000:02:00"}},
		{"mac", {"52:54:00:12:34:56", "AA:bb:cc:dd:ee:ff"}},
		{"label", {"Slot 3*", "'PCIe [0-9]'"}},
		{"bound-to", {"e1000e", "nvidia"}},
		{"functions", {"all", "[1, 0]", "[7]"}},
		{"driver", {"vfio-pci", "mlx5_vfio_pci"}},
		{"method", {"auto", "ids", "override"}},
		{"accept", {"[]", "[in-use]", "[no-reset, boot-display]"}},
},
  top_rows[] = {
	  {"blacklist", {"[a]", "[snd-hda-intel, b]", "[]"}},
	  {"kernel-flags", {"[quiet]", "[a=b, c]"}},
	  {"module-options/kvm/ignore_msrs", {"1", "Y"}},
	  {"module-options/kvm-intel/nested", {"0", "'x'"}},
	  {"iommu/enable", {"true", "false"}},
	  {"iommu/mode", {"pt", "translated"}},
	  {"iommu/unsafe-interrupts", {"true", "false"}},
	  {"reboot/flag", {"true", "false"}},
	  {"mode", {"enforce", "observe"}},
};

static const char *pick(struct wish *w, const char *const *words)
{
	unsigned n = 0;

	while (n < 5 && words[n])
		n++;
	assert_true(n > 0);
	return words[chance(w, n)];
}

static void make(struct wish *w)
{
	unsigned devices = chance(w, 4);
	char path[80];

	for (unsigned d = 0; d < devices; d++) {
		snprintf(path, sizeof(path), "devices/d%u/serial", d);
		add(w, path, "S1");
		for (size_t i = 0; i < ARRAY_LEN(device_rows); i++) {
			snprintf(path, sizeof(path), "devices/d%u/%s", d, device_rows[i].key);
			if (chance(w, 3) == 0)
				add(w, path, pick(w, device_rows[i].words));
		}
		snprintf(path, sizeof(path), "vms/%u/devices/d%u/pcie", 100 + chance(w, 2), d);
		if (chance(w, 2))
			add(w, path, chance(w, 2) ? "true" : "false");
	}
	for (size_t i = 0; i < ARRAY_LEN(top_rows); i++)
		if (chance(w, 2))
			add(w, top_rows[i].key, pick(w, top_rows[i].words));
}

static void shuffle(struct wish *w)
{
	for (size_t i = w->n; i > 1; i--) {
		size_t j = chance(w, (unsigned)i);
		struct leaf leaf = w->leaves[i - 1];

		w->leaves[i - 1] = w->leaves[j];
		w->leaves[j] = leaf;
	}
}

/* The leaves below prefix that file has, as a mapping; keys come as the leaves do. */
static void emit(const struct wish *w, const char *prefix, const unsigned char *file,
		 unsigned which, struct strbuf *out)
{
	struct words done = {0};
	_cleanup_arena_ struct arena *a = arena_new();
	size_t n = strlen(prefix);

	strbuf_addc(out, '{');
	for (size_t i = 0; i < w->n; i++) {
		const char *path = w->leaves[i].path, *rest = path + n;
		_cleanup_strbuf_ struct strbuf below = {0};

		if (file[i] != which || strncmp(path, prefix, n) != 0)
			continue;
		strbuf_addn(&below, path, n + strcspn(rest, "/"));
		if (!words_add(a, &done, strbuf_text(&below)))
			continue;
		strbuf_addf(out, "%s\"%.*s\": ", done.n > 1 ? ", " : "", (int)strcspn(rest, "/"),
			    rest);
		strbuf_addc(&below, '/');
		if (strchr(rest, '/'))
			emit(w, strbuf_text(&below), file, which, out);
		else
			strbuf_add(out, w->leaves[i].value);
	}
	strbuf_addc(out, '}');
}

/* Loads the wish parted into n files. */
static void load_parted(struct wish *w, unsigned n, struct loaded *ret)
{
	struct strbuf texts[3] = {0};
	const char *files[FILES_MAX] = {NULL};
	unsigned char file[LEAVES_MAX] = {0};

	for (size_t i = 0; i < w->n; i++)
		file[i] = (unsigned char)chance(w, n);
	for (unsigned i = 0; i < n; i++) {
		emit(w, "", file, i, &texts[i]);
		files[i] = strbuf_text(&texts[i]);
	}
	load_files(files, NULL, ret);
	if (!ret->spec)
		fail_msg("%s\n%s", files[0], message(ret, 0));
	for (unsigned i = 0; i < 3; i++)
		strbuf_done(&texts[i]);
}

static void order_and_split_change_nothing(void **state _unused_)
{
	for (unsigned i = 0; i < CASES; i++) {
		struct wish w = {.seed = 0x9e3779b97f4a7c15u + i};
		_cleanup_loaded_ struct loaded first = {0};

		make(&w);
		load_parted(&w, 1, &first);
		for (unsigned n = 1; n <= 3; n++) {
			_cleanup_loaded_ struct loaded other = {0};

			shuffle(&w);
			load_parted(&w, n, &other);
			assert_string_equal(outcome(&first), outcome(&other));
		}
	}
}

static void same_selector(const struct selector *a, const struct selector *b)
{
	assert_int_equal(a->has_id, b->has_id);
	assert_memory_equal(&a->id, &b->id, sizeof(a->id));
	assert_int_equal(a->has_address, b->has_address);
	assert_int_equal(pci_addr_compare(a->address, b->address), 0);
	assert_int_equal(a->has_slot, b->has_slot);
	assert_int_equal(pci_addr_compare(a->slot, b->slot), 0);
	assert_int_equal(a->has_class, b->has_class);
	assert_int_equal(a->class, b->class);
	assert_int_equal(a->class_mask, b->class_mask);
	assert_int_equal(!a->mac, !b->mac);
	assert_int_equal(!a->label, !b->label);
	assert_int_equal(!a->bound_to, !b->bound_to);
	assert_string_equal(a->serial, b->serial);
}

/* Not by the text alone, which could lack the same field twice. */
static void same_spec(const struct spec *a, const struct spec *b)
{
	assert_string_equal(a->canonical, b->canonical);
	assert_int_equal(a->devices.n, b->devices.n);
	for (size_t i = 0; i < a->devices.n; i++) {
		const struct spec_device *da = &a->devices.at[i], *db = &b->devices.at[i];

		assert_string_equal(da->name, db->name);
		same_selector(&da->selector, &db->selector);
		assert_int_equal(da->functions, db->functions);
		assert_int_equal(da->count, db->count);
		assert_string_equal(da->driver, db->driver);
		assert_int_equal(da->method, db->method);
		assert_int_equal(da->accept, db->accept);
	}
	assert_int_equal(a->blacklist.n, b->blacklist.n);
	assert_int_equal(a->kernel_flags.n, b->kernel_flags.n);
	for (size_t i = 0; i < a->kernel_flags.n; i++)
		assert_string_equal(a->kernel_flags.at[i].text, b->kernel_flags.at[i].text);
	assert_int_equal(a->options.n, b->options.n);
	assert_int_equal(a->vms.n, b->vms.n);
	for (size_t i = 0; i < a->vms.n; i++)
		assert_int_equal(a->vms.at[i].devices.n, b->vms.at[i].devices.n);
	assert_int_equal(a->iommu_enable, b->iommu_enable);
	assert_int_equal(a->iommu_mode, b->iommu_mode);
	assert_int_equal(a->unsafe_interrupts, b->unsafe_interrupts);
	assert_int_equal(a->reboot_flag, b->reboot_flag);
	assert_int_equal(a->mode, b->mode);
}

static void canonical_text_is_the_same_spec(void **state _unused_)
{
	for (unsigned i = 0; i < CASES; i++) {
		struct wish w = {.seed = 0xd1342543de82ef95u + i};
		_cleanup_loaded_ struct loaded first = {0}, again = {0};

		make(&w);
		shuffle(&w);
		load_parted(&w, 2, &first);
		load_text(first.spec->canonical, &again);
		assert_int_equal(again.diags.list.n, 0);
		same_spec(first.spec, again.spec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_and_split_change_nothing),
		cmocka_unit_test(canonical_text_is_the_same_spec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
