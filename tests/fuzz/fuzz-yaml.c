/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as one or more spec files (a line "%%%%" parts them). Either there are errors with
 * places inside the files, or a spec whose canonical text loads as the same spec.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "config.h"

#define FILES_MAX 4
#define PART	  "\n%%%%\n"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "not so: %s\n", #condition);                               \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t split(const char *text, size_t size, struct config_input *inputs)
{
	size_t n = 0;

	while (n < FILES_MAX) {
		const char *end = n + 1 < FILES_MAX ? memmem(text, size, PART, strlen(PART)) : NULL;
		size_t length = end ? (size_t)(end - text) : size;

		inputs[n++] = (struct config_input){"fuzz.yaml", text, length};
		if (!end)
			break;
		text += length + strlen(PART);
		size -= length + strlen(PART);
	}
	return n;
}

static void check_diags(const struct diags *diags)
{
	_cleanup_strbuf_ struct strbuf out = {0};

	array_foreach(it, &diags->list) {
		MUST(code_name(it->code) && it->message[0]);
		MUST((it->place.line == 0) == (it->place.column == 0));
		MUST(!it->source || strlen(it->source) <= 4 * 160);
	}
	diags_render(diags, true, &out);
	MUST(out.error == 0);
}

static void check_again(const struct spec *spec)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_spec_ struct spec *again = NULL;
	struct config_input input = {"again.yaml", spec->canonical, strlen(spec->canonical)};
	struct diags diags = {.arena = a};

	MUST(config_load(&input, 1, NULL, &diags, &again) == 0);
	MUST(diags.list.n == 0);
	MUST(strcmp(again->canonical, spec->canonical) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pci_id ids[] = {{0x10de, 0x1b81, 0x1043, 0x85a3}};
	static const struct config_facts facts = {
		.hostname = "pve1",
		.cpu_vendor = CPU_INTEL,
		.dmi_vendor = "Maker",
		.dmi_product = "Product 7",
		.dmi_board = "",
		.ids = ids,
		.n_ids = ARRAY_LEN(ids),
	};
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_spec_ struct spec *spec = NULL;
	struct config_input inputs[FILES_MAX];
	struct diags diags = {.arena = a};
	size_t n = split((const char *)data, size, inputs);
	int err = config_load(inputs, n, size % 2 ? &facts : NULL, &diags, &spec);

	MUST(err == 0 || err == -EINVAL);
	MUST(diags_failed(&diags) == (err == -EINVAL));
	MUST((spec != NULL) == (err == 0));
	check_diags(&diags);
	if (spec)
		check_again(spec);
	return 0;
}
