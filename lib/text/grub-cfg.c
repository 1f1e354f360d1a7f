/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The linux commands of a grub.cfg. */
#include <errno.h>
#include <string.h>

#include "boot-entries.h"
#include "boot-words.h"
#include "grub-lexer.h"
#include "strbuf.h"

enum block_kind { BLOCK_NONE, BLOCK_BRACES, BLOCK_IF, BLOCK_LOOP };

struct block {
	enum block_kind kind;
	const char *title; /* of the menuentry, NULL for others */
};

struct parser {
	struct arena *arena;
	struct grub_lexer lexer;
	struct words command; /* words so far */
	unsigned command_line;
	ARRAY_OF(struct block) blocks;
	struct boot_lines found;
};

/* Words that count where a command could begin. */
static const struct reserved {
	const char *word;
	enum block_kind opens, closes;
	bool keep; /* the words after it are no command */
} reserved[] = {
	{"if", BLOCK_IF, BLOCK_NONE, false},	  {"then", BLOCK_NONE, BLOCK_NONE, false},
	{"elif", BLOCK_NONE, BLOCK_NONE, false},  {"else", BLOCK_NONE, BLOCK_NONE, false},
	{"fi", BLOCK_NONE, BLOCK_IF, false},	  {"while", BLOCK_LOOP, BLOCK_NONE, false},
	{"until", BLOCK_LOOP, BLOCK_NONE, false}, {"for", BLOCK_LOOP, BLOCK_NONE, true},
	{"do", BLOCK_NONE, BLOCK_NONE, false},	  {"done", BLOCK_NONE, BLOCK_LOOP, false},
	{"!", BLOCK_NONE, BLOCK_NONE, false},
};

static const struct reserved *find_reserved(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		if (strcmp(word, reserved[i].word) == 0)
			return &reserved[i];
	return NULL;
}

static int open_block(struct parser *p, enum block_kind kind, const char *title)
{
	return array_push(p->arena, &p->blocks, ((struct block){kind, title}));
}

static int close_block(struct parser *p, enum block_kind kind)
{
	if (!p->blocks.n || p->blocks.at[p->blocks.n - 1].kind != kind)
		return -EBADMSG;
	p->blocks.n--;
	return 0;
}

static bool is_command(const struct parser *p, const char *name)
{
	return p->command.n && strcmp(p->command.at[0], name) == 0;
}

/* The first argument that is no option of menuentry's. */
static const char *menuentry_title(const struct parser *p)
{
	static const char *const with_value[] = {"--class", "--users", "--hotkey", "--source",
						 "--id"};

	for (size_t i = 1; i < p->command.n; i++) {
		const char *word = p->command.at[i];
		bool skip = false;

		if (strncmp(word, "--", 2) != 0)
			return word;
		for (size_t k = 0; k < ARRAY_LEN(with_value); k++)
			skip |= strcmp(word, with_value[k]) == 0;
		i += skip;
	}
	return "";
}

static const char *title_here(const struct parser *p)
{
	for (size_t i = p->blocks.n; i > 0; i--)
		if (p->blocks.at[i - 1].title)
			return p->blocks.at[i - 1].title;
	return "";
}

static bool is_hex_escape(const char *s)
{
	return s[0] == '\\' && s[1] == 'x' && s[2] && strspn(s + 2, "0123456789abcdefABCDEF") >= 2;
}

/* A word as GRUB hands it to the kernel (1.21). */
static void add_option(struct strbuf *out, const char *word)
{
	bool quote = strchr(word, ' ');

	if (!*word)
		return;
	if (out->len)
		strbuf_addc(out, ' ');
	if (quote)
		strbuf_addc(out, '"');
	for (const char *c = word; *c; c++) {
		if (is_hex_escape(c)) {
			strbuf_addn(out, c, 4);
			c += 3;
			continue;
		}
		if (strchr("\\'\"", *c))
			strbuf_addc(out, '\\');
		strbuf_addc(out, *c);
	}
	if (quote)
		strbuf_addc(out, '"');
}

static int add_linux(struct parser *p)
{
	_cleanup_strbuf_ struct strbuf options = {0};
	struct boot_line line = {
		.line = p->command_line, .title = title_here(p), .image = p->command.at[1]};

	for (size_t i = 2; i < p->command.n; i++)
		add_option(&options, p->command.at[i]);
	if (strbuf_to_arena(&options, p->arena, &line.options) < 0)
		return -ENOMEM;
	line.kernel = kernel_version_of(p->arena, line.image);
	if (!line.kernel && version_in(line.image).at)
		return -ENOMEM;
	line.recovery = options_recover(line.options);
	return array_push(p->arena, &p->found.list, line);
}

static int end_command(struct parser *p)
{
	int r = 0;

	if (p->command.n > 1 &&
	    (is_command(p, "linux") || is_command(p, "linux16") || is_command(p, "linuxefi")))
		r = add_linux(p);
	p->command.n = 0;
	return r;
}

static int add_word(struct parser *p)
{
	const struct reserved *r = p->command.n || !p->lexer.plain ? NULL
								   : find_reserved(p->lexer.word);
	int e;

	if (!p->command.n)
		p->command_line = p->lexer.word_line;
	if (r) {
		e = r->opens	? open_block(p, r->opens, NULL)
		    : r->closes ? close_block(p, r->closes)
				: 0;
		if (e < 0 || !r->keep)
			return e;
	}
	return array_push(p->arena, &p->command, p->lexer.word);
}

static int open_braces(struct parser *p)
{
	const char *title = is_command(p, "menuentry") ? menuentry_title(p) : NULL;
	int r = end_command(p);

	return r < 0 ? r : open_block(p, BLOCK_BRACES, title);
}

static int close_braces(struct parser *p)
{
	int r = end_command(p);

	return r < 0 ? r : close_block(p, BLOCK_BRACES);
}

static int parse(struct parser *p)
{
	for (;;) {
		int r = 0;

		switch (grub_lexer_next(&p->lexer)) {
		case GRUB_WORD:
			r = add_word(p);
			break;
		case GRUB_DELIMITER:
			r = end_command(p);
			break;
		case GRUB_OPEN:
			r = open_braces(p);
			break;
		case GRUB_CLOSE:
			r = close_braces(p);
			break;
		case GRUB_CUT:
			return -EBADMSG;
		case GRUB_END:
			r = end_command(p);
			return r < 0 ? r : p->blocks.n ? -EBADMSG : 0;
		}
		if (r < 0)
			return r;
	}
}

int grub_cfg_parse(struct arena *a, const char *text, struct boot_lines *ret)
{
	struct parser p = {.arena = a};
	int r = grub_lexer_start(a, text, &p.lexer);

	if (r == 0)
		r = parse(&p);
	if (r == 0)
		*ret = p.found;
	return r;
}
