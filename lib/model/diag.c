/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "diag.h"

#include <string.h>

#define CARET_MAX 160 /* columns of a source line that are shown */

void diags_add(struct diags *d, enum severity severity, enum code code, struct place place,
	       const char *source, const char *fmt, ...)
{
	struct diag *diag = array_add(d->arena, &d->list);
	va_list ap;

	if (!diag) {
		d->lost = true;
		return;
	}
	va_start(ap, fmt);
	diag->message = arena_vprintf(d->arena, fmt, ap);
	va_end(ap);
	diag->severity = severity;
	diag->code = code;
	diag->place = place;
	diag->place.file = place.file ? arena_strdup(d->arena, place.file) : NULL;
	diag->source = source ? arena_strdup(d->arena, source) : NULL;
	if (!diag->message || (place.file && !diag->place.file)) {
		d->list.n--;
		d->lost = true;
	}
}

bool diags_have(const struct diags *d, enum code code)
{
	array_foreach(it, &d->list)
		if (it->code == code)
			return true;
	return false;
}

bool diags_failed(const struct diags *d)
{
	array_foreach(it, &d->list)
		if (it->severity == SEVERITY_ERROR)
			return true;
	return d->lost;
}

static int compare(const struct diag *a, const struct diag *b)
{
	const char *fa = a->place.file ? a->place.file : "",
		   *fb = b->place.file ? b->place.file : "";
	int order = strcmp(fa, fb);

	if (order)
		return order;
	if (a->place.line != b->place.line)
		return a->place.line < b->place.line ? -1 : 1;
	return a->place.column < b->place.column ? -1 : a->place.column > b->place.column;
}

void diags_sort(struct diags *d)
{
	/* Insertion: stable, and lists are short. */
	for (size_t i = 1; i < d->list.n; i++) {
		struct diag one = d->list.at[i];
		size_t to = i;

		for (; to > 0 && compare(&one, &d->list.at[to - 1]) < 0; to--)
			d->list.at[to] = d->list.at[to - 1];
		d->list.at[to] = one;
	}
}

static const char *colour(enum severity severity)
{
	switch (severity) {
	case SEVERITY_NOTE:
		return "\033[36m";
	case SEVERITY_WARNING:
		return "\033[33m";
	case SEVERITY_ERROR:
		return "\033[31m";
	case _SEVERITY_MAX:
	case _SEVERITY_INVALID:
		break;
	}
	return "";
}

/* The line as a terminal may safely get it: tabs as one blank, other control bytes as '?'. */
static void show_source(const char *source, unsigned column, struct strbuf *out)
{
	unsigned at = 0;

	strbuf_add(out, "  | ");
	for (const char *p = source; *p && at < CARET_MAX; p++) {
		unsigned char c = (unsigned char)*p;

		if ((c & 0xc0) != 0x80)
			at++;
		strbuf_addc(out, c == '\t' ? ' ' : c < 0x20 || c == 0x7f ? '?' : (char)c);
	}
	strbuf_add(out, "\n");
	if (column == 0 || column > at + 1)
		return;
	strbuf_add(out, "  | ");
	for (unsigned i = 1; i < column; i++)
		strbuf_addc(out, ' ');
	strbuf_add(out, "^\n");
}

static void show(const struct diag *diag, bool color, struct strbuf *out)
{
	if (diag->place.file)
		strbuf_add(out, diag->place.file);
	if (diag->place.file && diag->place.line)
		strbuf_addf(out, ":%u:%u", diag->place.line, diag->place.column);
	if (diag->place.file)
		strbuf_add(out, ": ");
	strbuf_addf(out, "%s%s:%s %s [%s]\n", color ? colour(diag->severity) : "",
		    severity_name(diag->severity), color ? "\033[0m" : "", diag->message,
		    code_name(diag->code));
	if (diag->source)
		show_source(diag->source, diag->place.column, out);
}

void diags_render(const struct diags *d, bool color, struct strbuf *out)
{
	array_foreach(it, &d->list)
		show(it, color, out);
	if (d->lost)
		strbuf_add(out,
			   "error: out of memory while collecting diagnostics [out-of-memory]\n");
}
