/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UAPI.5: what a section is for is said by its name. */
#include "image-unified.h"

#include <errno.h>
#include <string.h>

#include "pe.h"
#include "strbuf.h"

#define TEXT_MAX (64u << 10)

/* In the order of their names, as files of an image stand. */
static const char *const texts[] = {UNIFIED_CMDLINE, UNIFIED_OSREL, UNIFIED_SECTIONS,
				    UNIFIED_UNAME};

static int read_source(void *ctx, uint64_t at, size_t n, void *to)
{
	struct source *s = ctx;

	s->offset = at;
	return source_read(s, to, n) == n ? 0 : -EIO;
}

bool unified_begins(const struct source *s)
{
	struct source look = *s;
	char magic[2];

	return pe_begins(magic, source_read(&look, magic, sizeof(magic)));
}

/* One that is there twice would be read as its stub happens to. */
static const char *unfit(const struct pe *pe)
{
	static const char *const single[] = {UNIFIED_CMDLINE, UNIFIED_OSREL, UNIFIED_UNAME,
					     ".initrd", ".linux"};
	size_t n;

	pe_section(pe, ".profile", &n);
	if (n)
		return "it holds several profiles, and which one boots is not known here";
	for (size_t i = 0; i < ARRAY_LEN(single); i++) {
		pe_section(pe, single[i], &n);
		if (n > 1)
			return "it has a section twice, and which one counts is not known here";
	}
	return NULL;
}

static int list_sections(struct arena *a, const struct pe *pe, struct image_file *file)
{
	_cleanup_strbuf_ struct strbuf b = {0};
	int err;

	array_foreach(it, &pe->sections)
		if (strspn(it->name, "abcdefghijklmnopqrstuvwxyz0123456789._") == strlen(it->name))
			strbuf_addf(&b, "%s\n", it->name);
	if (pe->has_signature)
		strbuf_add(&b, UNIFIED_SIGNATURE "\n");
	err = strbuf_to_arena(&b, a, &file->text);
	file->size = b.len;
	return err;
}

/* 0, or -EBADMSG with a phrase; -EIO, -ENOMEM. */
static int keep_texts(struct pe_source source, const struct pe *pe, struct arena *a,
		      struct host_image *image)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct pe_section *section = pe_section(pe, texts[i], NULL);
		struct image_file file = {.path = texts[i]};
		int err = 0;

		if (strcmp(texts[i], UNIFIED_SECTIONS) == 0)
			err = list_sections(a, pe, &file);
		else if (section)
			err = pe_text(a, source, section, TEXT_MAX, &file.text, &file.size);
		if (err == -EFBIG) {
			image->why = arena_printf(a, "its %s is too long", texts[i]);
			return image->why ? -EBADMSG : -ENOMEM;
		}
		if (err == 0 && file.text)
			err = array_push(a, &image->files, file);
		if (err < 0)
			return err;
	}
	return 0;
}

int unified_open(struct source *s, struct arena *a, struct host_image *image,
		 struct source *ret_window)
{
	struct source bytes = *s;
	struct pe_source source = {read_source, &bytes, s->size};
	const struct pe_section *initrd;
	struct pe pe;
	int err = pe_open(a, source, &pe, &image->why);

	if (err == 0) {
		image->why = unfit(&pe);
		err = image->why ? -EBADMSG : keep_texts(source, &pe, a, image);
	}
	s->error = bytes.error;
	if (err < 0)
		return err;
	initrd = pe_section(&pe, ".initrd", NULL);
	if (!initrd)
		return 0;
	*ret_window = *s;
	ret_window->offset = initrd->offset;
	ret_window->size = initrd->offset + initrd->size;
	return 1;
}
