/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * YAML to SPEC: parse, check, match, merge, fill defaults (design section 3). Pure: bytes in,
 * values out; the caller reads the files. One typed table of keys (schema.h) drives everything.
 */
#pragma once

#include "diag.h"
#include "spec.h"

#define SPEC_FILE_MAX (1u << 20) /* bytes; a larger file is CODE_TOO_LARGE before it is parsed */

struct config_input {
	const char *path;  /* as shown in diagnostics */
	const char *bytes; /* need not end in a NUL */
	size_t size;
};

/* What match: looks at; empty strings never match anything but "*". */
struct config_facts {
	const char *hostname, *machine_id;
	const char *kernel; /* the release that runs */
	enum cpu_vendor cpu_vendor;
	const char *dmi_vendor, *dmi_product, *dmi_board;
	const struct pci_id *ids; /* of all devices present */
	size_t n_ids;
};

/*
 * Builds the SPEC of all inputs, which come in merge order. Files whose match: fails are checked
 * all the same and then left out (note 16). facts NULL: match: is checked but always holds
 * (`check` on any machine); of several files with a match: among them, what only the merged whole
 * can show (a device that selects nothing, a guest's device that is not listed) is then not
 * judged, as it depends on the host. An input of more than SPEC_FILE_MAX bytes is not looked
 * into: bytes may be NULL. Diagnostics come out sorted. Returns 0; -EINVAL with errors in diags
 * (the caller's own among them count too); -ENOMEM.
 *
 * spec->canonical is a spec file: loaded alone it gives the same spec and the same text.
 */
int config_load(const struct config_input *inputs, size_t n, const struct config_facts *facts,
		struct diags *diags, struct spec **ret);

/* Where each value of the whole comes from, and which files it is made of. */
struct config_file {
	const char *path;
	const char *missed; /* why it does not count here, one phrase; NULL: it does */
};

struct config_value {
	const char *key;   /* "devices.gpu.id"; an element of a list has the list's */
	const char *value; /* as written, "{}" or "[]" when empty */
	struct place place;
};

struct config_trace {
	ARRAY_OF(struct config_file) files; /* in merge order */
	ARRAY_OF(struct config_value) values;
};

/* Of inputs that config_load has taken. Texts are the arena's and the inputs'. 0 or -ENOMEM. */
int config_trace(const struct config_input *inputs, size_t n, const struct config_facts *facts,
		 struct arena *a, struct config_trace *ret);

/* Renders the key table: JSON Schema (draft 2020-12), the manual's key reference in mdoc, and a
 * libFuzzer dictionary. */
void config_render_schema(struct strbuf *out);
void config_render_manual(struct strbuf *out);
void config_render_dictionary(struct strbuf *out);
