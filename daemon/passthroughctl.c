/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command: reads its words, runs one verb, prints one answer. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "call.h"
#include "fleet.h"
#include "strbuf.h"
#include "text.h"

#define NO_MEMORY                                                                                  \
	"{\"diagnostics\": [{\"severity\": \"error\", \"code\": \"out-of-memory\", "               \
	"\"message\": \"memory ran out\", \"file\": null, \"line\": null, \"column\": null}]}\n"

static bool use_color(const struct options *options, int fd)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	if (options->color != COLOR_AUTO)
		return options->color == COLOR_ALWAYS;
	return isatty(fd) && term && strcmp(term, "dumb") != 0 && !(no_color && *no_color);
}

static void set_form(struct call *call)
{
	struct winsize size = {0};
	enum pthru_form form = PTHRU_TEXT;

	if (call->options->json)
		form = PTHRU_JSON;
	else if (use_color(call->options, STDOUT_FILENO))
		form = PTHRU_COLOR;
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	pthru_ctx_set_form(call->ctx, form, size.ws_col);
}

/* Text of the program's own; as the value of one key when JSON was asked for. */
static int print_own(struct call *call, const char *key, const char *text)
{
	_cleanup_strbuf_ struct strbuf out = {0};

	if (call->options->json) {
		strbuf_addf(&out, "{\"%s\": ", key);
		text_add_json(&out, text);
		strbuf_add(&out, ", \"diagnostics\": []}\n");
	} else {
		strbuf_add(&out, text);
	}
	return strbuf_take(&out, &call->out);
}

static int show_help(struct call *call)
{
	_cleanup_strbuf_ struct strbuf help = {0};

	options_help(call->options, pthru_ctx_form(call->ctx) == PTHRU_COLOR, &help);
	return help.error ? help.error : print_own(call, "help", strbuf_text(&help));
}

static int set_up(struct call *call)
{
	const struct options *o = call->options;
	int err = 0;

	if (o->root)
		err = pthru_ctx_set_root(call->ctx, o->root, call->diags);
	if (err == 0 && o->host && !(o->verb->run == verb_plan && fleet_asked(o)))
		err = pthru_ctx_set_capture(call->ctx, o->host, call->diags);
	if (err == 0 && o->spec)
		err = pthru_ctx_set_spec(call->ctx, o->spec);
	return err;
}

static enum pthru_exit run(struct call *call, int argc, char **argv, struct options *options)
{
	int err = options_parse(argc, argv, options, call->diags);

	set_form(call);
	if (err < 0)
		return PTHRU_EXIT_INVALID;
	if (options->given & OPTION_BIT(OPTION_HELP))
		err = show_help(call);
	else if (options->given & OPTION_BIT(OPTION_VERSION))
		err = print_own(call, "version", "passthroughctl " PTHRU_VERSION "\n");
	else if (set_up(call) < 0)
		return PTHRU_EXIT_INVALID; /* a wrong --root or --host is wrong usage */
	else
		return options->verb->run(call);
	return err < 0 ? call_failed(call, err) : PTHRU_EXIT_DONE;
}

/* Diagnostics first, so that on a terminal the answer stands last. */
static int print(struct call *call)
{
	_cleanup_free_ char *text = NULL;
	int err = pthru_diags_print(call->diags, use_color(call->options, STDERR_FILENO), &text);

	if (err == 0)
		(void)text_write(STDERR_FILENO, text, strlen(text));
	if (call->err)
		(void)text_write(STDERR_FILENO, call->err, strlen(call->err));
	if (!call->out && call->options->json) {
		/* Whatever went wrong: one document. */
		err = pthru_plan_print(call->ctx, NULL, call->diags, &call->out);
		if (err < 0)
			return text_write(STDOUT_FILENO, NO_MEMORY, strlen(NO_MEMORY));
	}
	return call->out ? text_write(STDOUT_FILENO, call->out, strlen(call->out)) : 0;
}

int main(int argc, char **argv)
{
	struct options options = {0};
	struct call call = {.options = &options};
	enum pthru_exit code = PTHRU_EXIT_FAILED;
	int err = text_keep_standard_fds();

	signal(SIGPIPE, SIG_IGN);
	umask(022);
	if (err == 0)
		err = pthru_ctx_new(&call.ctx);
	if (err == 0)
		err = pthru_diags_new(&call.diags);
	if (err == 0) {
		code = run(&call, argc, argv, &options);
		err = print(&call);
	}
	/* A reader that has seen enough is no failure. */
	if (err < 0 && err != -EPIPE)
		code = pthru_exit_worse(code, PTHRU_EXIT_FAILED);
	free(call.out);
	free(call.err);
	pthru_diags_free(call.diags);
	pthru_ctx_free(call.ctx);
	return code;
}
