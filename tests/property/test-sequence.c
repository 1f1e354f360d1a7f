/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random sequences of changed wishes, cuts, errors, failing builders, foreign edits and drift on a
 * machine that behaves. After each event every file holds what somebody meant it to hold, nobody's
 * but ours is touched, and the ledger can be read; at the end the machine converges, and taking
 * back leaves what was there before and what others did since.
 *
 * PTHRU_SEQUENCES: how many, 300 by default; PTHRU_SEED: the first one's number, 1 by default.
 */
#include "cycle.h"

#define EVENTS_MAX  6
#define FOREIGN_MAX 24
#define CHANGES_MAX 48 /* of one apply; a cut beyond is none */

/* Where sequences play: a host, its specs, files of its that are not as its capture says. */
static const struct stage {
	const char *host, *specs[3], *shared; /* edited token by token */
	struct variant variant[2];
} stages[] = {
	{"pve8-gtx1080.host", {"guide", "ids-method", "kernel-flags"}, NULL, {{0}}},
	{"pve8-gtx1080.host",
	 {"guide", "ids-method", "kernel-flags"},
	 "/etc/default/grub",
	 {{.path = "/etc/default/grub",
	   .text = "GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n"},
	  {NULL, NULL, NO_DROPIN_HERE}}},
	{"pve8-zfs-rx6800.host",
	 {"amd-guide", "kernel-flags", NULL},
	 "/etc/kernel/cmdline",
	 {{.path = "/etc/kernel/cmdline", .text = "root=ZFS=rpool/ROOT/pve-1 boot=zfs\n"}}},
	{"arch-grub.host", {"guide", "ids-method", "kernel-flags"}, "/etc/default/grub", {{0}}},
	{"arch-booster.host",
	 {"guide", "ids-method", "kernel-flags"},
	 NULL,
	 {{.path = "/etc/booster.yaml", .text = "modules: kvm\n"}}},
};

struct foreign { /* a whole file, or a token in the shared one */
	const char *path, *text;
};

struct play {
	struct cycle c;
	const struct stage *stage;
	struct spec *specs[4]; /* the last one wishes for nothing */
	size_t specs_n;
	unsigned long seed, random;
	struct arena *a;     /* of this sequence */
	struct words meant;  /* digests of a path and of bytes that somebody meant to be there */
	struct words events; /* what happened, for people */
	ARRAY_OF(struct foreign) foreign;
	struct snapshot base;
};

/* What was really done in all sequences. */
static struct {
	unsigned long sequences, applies, cuts, errors, builders, edits, drifts;
} done;

#define tell(p, ...)                                                                               \
	fail_msg("seed %lu on %s: %s\nevents: %s", (p)->seed, (p)->stage->host,                    \
		 arena_printf((p)->a, __VA_ARGS__), story(p))

static const char *story(struct play *p)
{
	const char *text = "";

	array_foreach(it, &p->events)
		text = arena_printf(p->a, "%s%s; ", text, *it);
	return text;
}

static unsigned roll(struct play *p, unsigned n)
{
	p->random = p->random * 6364136223846793005UL + 1442695040888963407UL;
	return (unsigned)(p->random >> 33) % n;
}

#define event(p, ...) array_push((p)->a, &(p)->events, arena_printf((p)->a, __VA_ARGS__))

/* --- what may be there ------------------------------------------------------------------------ */

static const char *mark_of(struct play *p, const char *path, const char *text, size_t size)
{
	char digest[DIGEST_TEXT_SIZE];

	digest_bytes(text, size, digest);
	return arena_printf(p->a, "%s %s", path, digest);
}

static void mean(struct play *p, const char *path, const char *text, size_t size)
{
	words_add(p->a, &p->meant, mark_of(p, path, text, size));
}

static bool is_temporary(const char *path)
{
	return strstr(path, "/.") && strstr(path, ".pthru-new");
}

/* A folder stays for what somebody else has put into it. */
static bool holds_foreign(struct play *p, const char *dir)
{
	size_t n = strlen(dir);

	array_foreach(it, &p->foreign)
		if (strncmp(it->path, dir, n) == 0 && it->path[n] == '/')
			return true;
	return false;
}

static const struct foreign *foreign_file(struct play *p, const char *path)
{
	array_foreach(it, &p->foreign)
		if (strcmp(it->path, path) == 0)
			return it;
	return NULL;
}

static void must_hold(struct play *p, bool settled)
{
	struct snapshot now = {0};
	struct ledger *ledger;

	add_folder(p->c.s, "/etc", &now);
	array_foreach(it, &now.list) {
		if (!S_ISREG(it->mode))
			continue;
		if (is_temporary(it->path)) {
			if (settled)
				tell(p, "%s was left behind", it->path);
			continue;
		}
		if (!words_has(&p->meant, mark_of(p, it->path, it->text, it->size)))
			tell(p, "%s holds what nobody meant:\n%s", it->path, it->text);
	}
	array_foreach(it, &p->base.list)
		if (S_ISREG(it->mode) && !find(&now, it->path))
			tell(p, "%s is gone", it->path);
	array_foreach(it, &p->foreign) {
		const struct entry *e = find(&now, it->path);
		bool shared = p->stage->shared && strcmp(it->path, p->stage->shared) == 0;

		if (!e || (shared ? !strstr(e->text, it->text) : strcmp(e->text, it->text) != 0))
			tell(p, "%s of somebody else's is gone from %s", it->text, it->path);
	}
	assert_int_equal(ledger_load(&p->c.fake->ops, &ledger), 0);
	if (ledger->damaged)
		tell(p, "the ledger is damaged");
	ledger_free(ledger);
}

/* --- events ----------------------------------------------------------------------------------- */

/* Plans and applies with whatever trouble was set; nothing is asked of how it ends. */
static void apply_wish(struct play *p, const struct spec *wish)
{
	struct fake *f = p->c.fake;
	struct report *report = NULL;
	struct ledger *ledger;
	struct host *host = observe(&p->c);
	struct plan *plan;
	enum fake_trouble trouble = f->trouble;

	f->trouble = FAKE_NO_TROUBLE;
	ledger = load_ledger(&p->c);
	assert_int_equal(plan_make(wish, host, ledger, &plan), 0);
	array_foreach(it, &plan->steps)
		if (it->kind == STEP_WRITE_FILE)
			mean(p, it->target, it->content, it->size);
	f->changes = 0;
	f->trouble = trouble;
	(void)plan_apply(plan, ledger, &f->ops, NULL, &report);
	done.applies++;
	report_free(report);
	plan_free(plan);
	host_free(host);
	ledger_free(ledger);
}

static const struct spec *some_wish(struct play *p)
{
	unsigned which = roll(p, (unsigned)p->specs_n);

	event(p, "wish %u", which);
	return p->specs[which];
}

static void apply_well(struct play *p)
{
	apply_wish(p, some_wish(p));
}

static void apply_cut(struct play *p)
{
	static const enum fake_trouble kinds[] = {FAKE_CUT_BEFORE, FAKE_CUT_AFTER, FAKE_CUT_WITHIN};
	const struct spec *wish = some_wish(p);

	p->c.fake->trouble = kinds[roll(p, ARRAY_LEN(kinds))];
	p->c.fake->at = 1 + roll(p, CHANGES_MAX);
	event(p, "cut %d at %u", (int)p->c.fake->trouble, p->c.fake->at);
	apply_wish(p, wish);
	done.cuts += p->c.fake->dead;
}

static void apply_with_error(struct play *p)
{
	static const int errors[] = {-ENOSPC, -EIO, -EROFS, -EMFILE, -ENOMEM};
	const struct spec *wish = some_wish(p);

	p->c.fake->trouble = roll(p, 2) ? FAKE_ERROR : FAKE_ERROR_ON;
	p->c.fake->error = errors[roll(p, ARRAY_LEN(errors))];
	p->c.fake->at = 1 + roll(p, CHANGES_MAX);
	event(p, "error %d at %u%s", p->c.fake->error, p->c.fake->at,
	      p->c.fake->trouble == FAKE_ERROR_ON ? " and on" : "");
	apply_wish(p, wish);
	done.errors += p->c.fake->changes >= p->c.fake->at;
}

static void apply_with_bad_builder(struct play *p)
{
	const struct spec *wish = some_wish(p);
	enum fake_builder how = (enum fake_builder)(FAKE_FAILS + roll(p, 4));
	bool loader = roll(p, 2);

	*(loader ? &p->c.fake->loader : &p->c.fake->initramfs) = how;
	p->c.fake->good_runs = roll(p, 2);
	event(p, "%s builder %d after %u runs", loader ? "loader" : "initramfs", (int)how,
	      p->c.fake->good_runs);
	apply_wish(p, wish);
	done.builders += p->c.fake->runs > p->c.fake->good_runs;
}

/* Adds a token at the end of the line that holds flags, whatever else stands there by now. */
static const char *with_token(struct play *p, const char *text, const char *token)
{
	const char *line = strstr(text, "GRUB_CMDLINE_LINUX_DEFAULT=\"");
	const char *end = line ? strchr(line + strlen("GRUB_CMDLINE_LINUX_DEFAULT=\""), '"')
			       : text + strcspn(text, "\n");

	return end ? arena_printf(p->a, "%.*s %s%s", (int)(end - text), text, token, end) : text;
}

static void edit_shared(struct play *p)
{
	const char *path = p->stage->shared, *text = scratch_read(p->c.s, path), *next;
	struct foreign token = {.path = path,
				.text = arena_printf(p->a, "foreign%zu=1", p->foreign.n)};

	assert_non_null(text);
	next = with_token(p, text, token.text);
	scratch_write(p->c.s, path, next);
	mean(p, path, next, strlen(next));
	array_push(p->a, &p->foreign, token);
	event(p, "%s gets %s", path, token.text);
}

static void foreign_edit(struct play *p)
{
	struct foreign file = {
		.path = arena_printf(p->a, "/etc/modprobe.d/foreign%zu.conf", p->foreign.n),
		.text = arena_printf(p->a, "options foreign%zu a=b\n", p->foreign.n)};

	if (p->foreign.n == FOREIGN_MAX)
		return;
	done.edits++;
	if (p->stage->shared && roll(p, 3)) {
		edit_shared(p);
		return;
	}
	scratch_write(p->c.s, file.path, file.text);
	mean(p, file.path, file.text, strlen(file.text));
	array_push(p->a, &p->foreign, file);
	event(p, "%s comes", file.path);
}

/* Somebody removes or spoils what is ours. */
static void drift(struct play *p)
{
	static const char *const ours[] = {PATH_MODPROBE, PATH_UDEV_RULES, PATH_GRUB_DROPIN,
					   PATH_MODULES_LOAD};
	const char *path = ours[roll(p, ARRAY_LEN(ours))], *text = scratch_read(p->c.s, path);

	if (!text)
		return;
	done.drifts++;
	if (roll(p, 2)) {
		unlink(scratch_at(p->c.s, path));
		event(p, "%s is removed", path);
		return;
	}
	text = arena_printf(p->a, "%s# and more\n", text);
	scratch_write(p->c.s, path, text);
	mean(p, path, text, strlen(text));
	event(p, "%s is changed", path);
}

/* --- the whole -------------------------------------------------------------------------------- */

static void must_settle(struct play *p, const struct spec *wish, const char *what)
{
	struct turn t;

	fake_restart(p->c.fake);
	event(p, "%s", what);
	apply_wish(p, wish);
	t = turn(&p->c, wish);
	array_foreach(it, &t.report->diags.list)
		tell(p, "%s: %s", what, it->message);
	array_foreach(it, &t.after->steps)
		tell(p, "%s: there is still to do: %s %s, because of %s", what,
		     step_kind_name(it->kind), it->target, it->why);
	turn_done(&t);
	must_hold(p, true);
}

/* What was there before us, with what others have done since. */
static void must_be_as_before(struct play *p)
{
	struct snapshot now = {0};

	add_folder(p->c.s, "/etc", &now);
	array_foreach(it, &p->base.list) {
		const struct entry *e = find(&now, it->path);
		const char *wanted = it->text;

		if (p->stage->shared && strcmp(it->path, p->stage->shared) == 0)
			array_foreach(token, &p->foreign)
				if (strcmp(token->path, it->path) == 0)
					wanted = with_token(p, wanted, token->text);
		if (!e || e->mode != it->mode || strcmp(e->text, wanted) != 0)
			tell(p, "%s is not as before:\n%s\nbut\n%s", it->path, wanted,
			     e ? e->text : "absent");
	}
	array_foreach(it, &now.list)
		if (!find(&p->base, it->path) && !foreign_file(p, it->path) &&
		    !(S_ISDIR(it->mode) && holds_foreign(p, it->path)))
			tell(p, "%s was left behind", it->path);
}

/* The next sequence finds what this one found. */
static void tidy(struct play *p)
{
	array_foreach(it, &p->foreign)
		if (!p->stage->shared || strcmp(it->path, p->stage->shared) != 0)
			unlink(scratch_at(p->c.s, it->path));
	if (!find(&p->base, "/etc/modprobe.d"))
		rmdir(scratch_at(p->c.s, "/etc/modprobe.d"));
	if (p->stage->shared)
		scratch_write(p->c.s, p->stage->shared, find(&p->base, p->stage->shared)->text);
	arena_free(p->a);
	p->a = NULL;
	p->meant = p->events = (struct words){0};
	p->foreign.at = NULL;
	p->foreign.n = 0;
}

static void play(struct play *p, unsigned long seed)
{
	static void (*const events[])(struct play * p) = {
		apply_well,   apply_cut,    apply_cut, apply_with_error, apply_with_bad_builder,
		foreign_edit, foreign_edit, drift,
	};
	struct ledger *ledger;
	unsigned n;

	p->a = arena_new();
	p->seed = seed;
	p->random = seed * 0x9e3779b97f4a7c15UL;
	memset(&p->foreign, 0, sizeof(p->foreign));
	array_foreach(it, &p->base.list)
		mean(p, it->path, it->text, it->size);
	n = 2 + roll(p, EVENTS_MAX - 1);
	for (unsigned i = 0; i < n; i++) {
		fake_restart(p->c.fake);
		events[roll(p, ARRAY_LEN(events))](p);
		fake_restart(p->c.fake);
		must_hold(p, false);
	}
	must_settle(p, p->specs[roll(p, (unsigned)p->specs_n)], "settle");
	must_settle(p, p->specs[p->specs_n - 1], "take back");
	must_be_as_before(p);
	ledger = load_ledger(&p->c);
	if (ledger->files.n)
		tell(p, "the ledger still has %s", ledger->files.at[0].path);
	ledger_free(ledger);
	tidy(p);
	done.sequences++;
}

static void open_play(struct play *p, const struct stage *stage)
{
	struct host *host;

	*p = (struct play){.stage = stage, .c = open_cycle(stage->host, stage->specs[0])};
	for (size_t i = 0; i < ARRAY_LEN(stage->variant); i++)
		if (stage->variant[i].path)
			scratch_write(p->c.s, stage->variant[i].path, stage->variant[i].text);
	begin(&p->c);
	p->specs[p->specs_n++] = p->c.wish;
	host = observe(&p->c);
	for (size_t i = 1; i < ARRAY_LEN(stage->specs) && stage->specs[i]; i++) {
		p->c.spec = stage->specs[i];
		p->specs[p->specs_n++] = load_spec(&p->c, host);
	}
	host_free(host);
	p->specs[p->specs_n++] = spec_new();
	add_folder(p->c.s, "/etc", &p->base);
}

static void close_play(struct play *p)
{
	for (size_t i = 1; i < p->specs_n; i++)
		spec_free(p->specs[i]);
	close_cycle(&p->c);
}

static unsigned long number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

static void nothing_half_and_nothing_lost(void **state _unused_)
{
	unsigned long n = number("PTHRU_SEQUENCES", 300), seed = number("PTHRU_SEED", 1);

	for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
		struct play p;

		/* A machine is used for a while: what is allocated for it goes with it. */
		unsigned played = 0;

		for (unsigned long k = seed; k < seed + n; k++) {
			if (k % ARRAY_LEN(stages) != i)
				continue;
			if (played && played % 50 == 0)
				close_play(&p);
			if (played % 50 == 0)
				open_play(&p, &stages[i]);
			play(&p, k);
			played++;
		}
		if (played)
			close_play(&p);
	}
	printf("%lu sequences: %lu applies, %lu cuts, %lu errors, %lu bad builders, %lu foreign "
	       "edits, %lu drifts\n",
	       done.sequences, done.applies, done.cuts, done.errors, done.builders, done.edits,
	       done.drifts);
	assert_int_equal(done.sequences, n);
	/* One that is repeated alone need not have everything. */
	assert_true(n < 100 ||
		    (done.cuts && done.errors && done.builders && done.edits && done.drifts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_half_and_nothing_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
