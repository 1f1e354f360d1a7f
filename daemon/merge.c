/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "merge.h"

#include <errno.h>

#include "strbuf.h"
#include "text.h"

#define KEY_WIDTH 44

struct merge {
	struct strbuf files, values;
};

static void text_file(void *userdata, const char *path, const char *missed)
{
	struct merge *m = userdata;

	strbuf_addf(&m->files, "  %s\n", path);
	if (missed)
		strbuf_addf(&m->files, "      does not count: %s\n", missed);
}

static void text_value(void *userdata, const char *key, const char *value, const char *file,
		       unsigned line)
{
	struct merge *m = userdata;
	_cleanup_strbuf_ struct strbuf left = {0};

	strbuf_addf(&left, "%s: %s", key, value);
	strbuf_addf(&m->values, "  %-*s  %s:%u\n", KEY_WIDTH, strbuf_text(&left), file, line);
}

static void json_file(void *userdata, const char *path, const char *missed)
{
	struct merge *m = userdata;

	strbuf_add(&m->files, m->files.len ? ",\n{\"file\":" : "{\"file\":");
	text_add_json(&m->files, path);
	strbuf_addf(&m->files, ",\"counts\":%s,\"reason\":", missed ? "false" : "true");
	if (missed)
		text_add_json(&m->files, missed);
	else
		strbuf_add(&m->files, "null");
	strbuf_addc(&m->files, '}');
}

static void json_value(void *userdata, const char *key, const char *value, const char *file,
		       unsigned line)
{
	struct merge *m = userdata;

	strbuf_add(&m->values, m->values.len ? ",\n{\"key\":" : "{\"key\":");
	text_add_json(&m->values, key);
	strbuf_add(&m->values, ",\"value\":");
	text_add_json(&m->values, value);
	strbuf_add(&m->values, ",\"file\":");
	text_add_json(&m->values, file);
	strbuf_addf(&m->values, ",\"line\":%u}", line);
}

int merge_print(struct call *call, const struct pthru_spec *spec, const struct pthru_plan *plan)
{
	static const struct pthru_trace forms[] = {{text_file, text_value},
						   {json_file, json_value}};
	bool json = call->options->json;
	_cleanup_strbuf_ struct strbuf out = {0};
	struct merge m = {0};
	int err = pthru_spec_trace(spec, plan, &forms[json], &m);

	if (json)
		strbuf_addf(&out, "{\"files\":[\n%s\n],\"values\":[\n%s\n]}\n",
			    strbuf_text(&m.files), strbuf_text(&m.values));
	else
		strbuf_addf(&out, "Files, the later over the earlier\n%s\nValues\n%s",
			    m.files.len ? strbuf_text(&m.files) : "  none\n",
			    m.values.len ? strbuf_text(&m.values) : "  none: nothing is wished\n");
	if (err == 0 && (m.files.error || m.values.error))
		err = -ENOMEM;
	strbuf_done(&m.files);
	strbuf_done(&m.values);
	return err < 0 ? err : strbuf_take(&out, &call->out);
}
