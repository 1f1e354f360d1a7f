/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "macro.h"
#include "strbuf.h"

struct row {
	struct option getopt;
	const char *arg; /* as shown in help */
	const char *help;
};

/* The order is that of the help. */
static const struct row rows[_OPTION_MAX] = {
	[OPTION_ROOT] = {{"root", required_argument, NULL, OPTION_ROOT},
			 "DIR",
			 "read and write everything below DIR"},
	[OPTION_HOST] = {{"host", required_argument, NULL, OPTION_HOST},
			 "FILE",
			 "look at the host that FILE, a capture, describes"},
	[OPTION_SPEC] = {{"spec", required_argument, NULL, OPTION_SPEC},
			 "PATH",
			 "read this file or folder instead of the default folders"},
	[OPTION_JSON] = {{"json", no_argument, NULL, OPTION_JSON},
			 "",
			 "print one JSON document, also on failure"},
	[OPTION_COLOR] = {{"color", optional_argument, NULL, OPTION_COLOR},
			  "[=WHEN]",
			  "auto, always or never; without WHEN always"},
	[OPTION_PLAN] = {{"plan", required_argument, NULL, OPTION_PLAN},
			 "ID",
			 "apply: only if the plan is still the one of this id"},
	[OPTION_EXPLAIN_MERGE] = {{"explain-merge", no_argument, NULL, OPTION_EXPLAIN_MERGE},
				  "",
				  "plan: show which file each value comes from"},
	[OPTION_DRY_RUN] = {{"dry-run", no_argument, NULL, OPTION_DRY_RUN},
			    "",
			    "revert: only show what would be taken back"},
	[OPTION_TIMEOUT] = {{"timeout", required_argument, NULL, OPTION_TIMEOUT},
			    "SECONDS",
			    "give up waiting then; 0 asks once"},
	[OPTION_HELP] = {{"help", no_argument, NULL, OPTION_HELP}, "", "show this help"},
	[OPTION_VERSION] = {{"version", no_argument, NULL, OPTION_VERSION}, "", "show the version"},
};

#define OPTIONS_OF_ALL                                                                             \
	(OPTION_BIT(OPTION_ROOT) | OPTION_BIT(OPTION_JSON) | OPTION_BIT(OPTION_COLOR) |            \
	 OPTION_BIT(OPTION_HELP) | OPTION_BIT(OPTION_VERSION))

static const char *const colors[_COLOR_MAX] = {
	[COLOR_AUTO] = "auto",
	[COLOR_ALWAYS] = "always",
	[COLOR_NEVER] = "never",
};

static void set_color(struct options *o, const char *word, struct pthru_diags *diags)
{
	o->color = COLOR_ALWAYS;
	if (!word)
		return;
	for (int i = 0; i < _COLOR_MAX; i++) {
		if (strcmp(word, colors[i]) == 0) {
			o->color = (enum color)i;
			return;
		}
	}
	pthru_diags_error(diags, "usage", "--color=%s: say auto, always or never", word);
}

static void set_timeout(struct options *o, const char *word, struct pthru_diags *diags)
{
	char *end;
	unsigned long seconds;

	errno = 0;
	seconds = strtoul(word, &end, 10);
	if (*word < '0' || *word > '9' || *end || errno || seconds > INT_MAX / 1000)
		pthru_diags_error(diags, "usage", "--timeout %s: say a number of seconds", word);
	else
		o->timeout = (unsigned)seconds;
}

static void set(struct options *o, enum option_id option, const char *arg,
		struct pthru_diags *diags)
{
	o->given |= OPTION_BIT(option);
	switch (option) {
	case OPTION_ROOT:
		o->root = arg;
		break;
	case OPTION_HOST:
		o->host = arg;
		break;
	case OPTION_SPEC:
		o->spec = arg;
		break;
	case OPTION_JSON:
		o->json = true;
		break;
	case OPTION_COLOR:
		set_color(o, arg, diags);
		break;
	case OPTION_PLAN:
		o->plan_id = arg;
		break;
	case OPTION_TIMEOUT:
		set_timeout(o, arg, diags);
		break;
	case OPTION_EXPLAIN_MERGE:
	case OPTION_DRY_RUN:
	case OPTION_HELP:
	case OPTION_VERSION:
	case _OPTION_MAX:
		break;
	}
}

static unsigned distance(const char *a, const char *b)
{
	unsigned row[32], up_left, n = (unsigned)strlen(b);

	if (n >= ARRAY_LEN(row))
		return UINT_MAX;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		up_left = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned best = up_left + (a[i - 1] != b[j - 1]);

			up_left = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

static void unknown_verb(const char *word, struct pthru_diags *diags)
{
	const struct verb *nearest = NULL;
	unsigned least = 3; /* more slips than two are another word */

	for (size_t i = 0; i < verbs_n; i++) {
		unsigned d = distance(word, verbs[i].name);

		if (d < least) {
			least = d;
			nearest = &verbs[i];
		}
	}
	if (nearest)
		pthru_diags_error(diags, "usage", "%s: no such verb; did you mean %s?", word,
				  nearest->name);
	else
		pthru_diags_error(diags, "usage", "%s: no such verb; see --help", word);
}

static const struct verb *find_verb(const char *word)
{
	for (size_t i = 0; i < verbs_n; i++)
		if (strcmp(verbs[i].name, word) == 0)
			return &verbs[i];
	return NULL;
}

static void check_options(const struct options *o, struct pthru_diags *diags)
{
	unsigned unknown = o->given & ~(OPTIONS_OF_ALL | o->verb->options);

	for (int i = 0; i < _OPTION_MAX; i++)
		if (unknown & OPTION_BIT(i))
			pthru_diags_error(diags, "usage", "%s does not take --%s", o->verb->name,
					  rows[i].getopt.name);
}

static void check_args(const struct options *o, struct pthru_diags *diags)
{
	const struct verb *verb = o->verb;

	if (o->n_args < verb->min_args)
		pthru_diags_error(diags, "usage", "%s %s: an argument is missing", verb->name,
				  verb->args);
	else if (verb->max_args >= 0 && o->n_args > verb->max_args)
		pthru_diags_error(diags, "usage", "%s: too many arguments, from '%s' on",
				  verb->name, o->args[verb->max_args]);
}

static void read_options(int argc, char **argv, struct options *o, struct pthru_diags *diags)
{
	struct option long_options[_OPTION_MAX + 1] = {0};
	int c;

	for (int i = 0; i < _OPTION_MAX; i++)
		long_options[i] = rows[i].getopt;
	opterr = 0;
	optind = 0; /* glibc: start anew */
	while ((c = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (c == 'h')
			set(o, OPTION_HELP, NULL, diags);
		else if (c == ':')
			pthru_diags_error(diags, "usage", "%s: its argument is missing",
					  argv[optind - 1]);
		else if (c == '?' && optopt > ' ')
			pthru_diags_error(diags, "usage", "-%c: no such option", optopt);
		else if (c == '?')
			pthru_diags_error(diags, "usage",
					  "%s: no such option, or an argument "
					  "that it does not take",
					  argv[optind - 1]);
		else
			set(o, (enum option_id)c, optarg, diags);
	}
}

int options_parse(int argc, char **argv, struct options *ret, struct pthru_diags *diags)
{
	struct options o = {.verb = &verbs[0]};
	size_t before = pthru_diags_errors(diags);

	read_options(argc, argv, &o, diags);
	if (optind < argc) {
		o.verb = find_verb(argv[optind]);
		o.verb_given = o.verb != NULL;
		if (!o.verb)
			unknown_verb(argv[optind], diags);
		o.args = argv + optind + 1;
		o.n_args = argc - optind - 1;
	}
	if (o.verb && !(o.given & OPTION_BIT(OPTION_HELP))) {
		check_options(&o, diags);
		check_args(&o, diags);
	}
	*ret = o;
	return pthru_diags_errors(diags) > before ? -EINVAL : 0;
}

static void heading(const char *text, bool color, struct strbuf *out)
{
	strbuf_addf(out, color ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text);
}

/* name and arg padded to one column, then the help. */
static void line(const char *dashes, const char *name, const char *arg, const char *help,
		 struct strbuf *out)
{
	int width = (int)(strlen(dashes) + strlen(name) + strlen(arg));

	strbuf_addf(out, "  %s%s%s%*s%s\n", dashes, name, arg, width < 22 ? 22 - width : 1, "",
		    help);
}

static void help_options(unsigned bits, struct strbuf *out)
{
	for (int i = 0; i < _OPTION_MAX; i++) {
		char arg[32] = "";

		if (!(bits & OPTION_BIT(i)))
			continue;
		if (*rows[i].arg && *rows[i].arg != '[')
			strcpy(arg, " ");
		strncat(arg, rows[i].arg, sizeof(arg) - 2);
		line("--", rows[i].getopt.name, arg, rows[i].help, out);
	}
}

static const char *const exit_codes[] = {
	[PTHRU_EXIT_DONE] = "nothing to do",
	[PTHRU_EXIT_FAILED] = "failed",
	[PTHRU_EXIT_PENDING] = "changes pending",
	[PTHRU_EXIT_REBOOT] = "only a reboot is outstanding",
	[PTHRU_EXIT_REFUSED] = "something is refused or blocked and the rest is done",
	[PTHRU_EXIT_INVALID] = "invalid spec or usage",
};

static void help_verb(const struct verb *verb, bool color, struct strbuf *out)
{
	strbuf_addf(out, "Usage: passthroughctl [OPTION...] %s%s%s\n\n", verb->name,
		    *verb->args ? " " : "", verb->args);
	strbuf_addf(out, "  %s\n", verb->help);
	if (verb->paragraph)
		strbuf_addc(out, '\n');
	for (const char *const *p = verb->paragraph; p && *p; p++)
		strbuf_addf(out, "  %s\n", *p);
	heading("Options:", color, out);
	help_options(OPTIONS_OF_ALL | verb->options, out);
}

void options_help(const struct options *options, bool color, struct strbuf *out)
{
	if (options->verb_given) {
		help_verb(options->verb, color, out);
		return;
	}
	strbuf_add(out,
		   "Usage: passthroughctl [OPTION...] [VERB [ARGUMENT...]]\n\n"
		   "Keeps this host ready to hand PCI devices to virtual machines, as the files\n"
		   "in /etc/passthroughd/ say.\n");
	heading("Verbs:", color, out);
	for (size_t i = 0; i < verbs_n; i++) {
		const char *gap = *verbs[i].args ? " " : "";
		int width = (int)(strlen(verbs[i].name) + strlen(gap) + strlen(verbs[i].args));

		strbuf_addf(out, "  %s%s%s%*s%s\n", verbs[i].name, gap, verbs[i].args,
			    width < 22 ? 22 - width : 1, "", verbs[i].help);
	}
	heading("Options:", color, out);
	help_options(~0u, out);
	heading("Exit codes (the first of 5, 1, 2, 4, 3 that holds):", color, out);
	for (size_t i = 0; i < ARRAY_LEN(exit_codes); i++)
		strbuf_addf(out, "  %zu  %s\n", i, exit_codes[i]);
	strbuf_add(out, "\nSee passthroughctl(1), passthroughd(8) and passthroughd.yaml(5).\n");
}
