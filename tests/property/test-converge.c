/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For every captured host and every spec that it names, on a fake machine whose builders build and
 * whose kernel binds: apply leaves nothing to do; a second apply changes nothing; a device not
 * named keeps its driver; revert gives every byte back.
 */
#include <dirent.h>
#include <stdio.h>

#include "../unit/scratch.h"
#include "apply.h"
#include "capture.h"
#include "config.h"
#include "digest.h"
#include "fake-ops.h"
#include "observe.h"
#include "paths.h"
#include "planner.h"
#include "strbuf.h"

struct pair {
	const char *host, *spec; /* names without ending */
};

/* A plan borrows from what it was made of: all of it lives as long as the world. */
struct made {
	struct plan *plan;
	struct host *host;
	struct ledger *ledger;
};

struct world {
	struct scratch *s;
	struct fake *fake;
	struct arena *arena;
	const struct pair *pair;
	ARRAY_OF(struct made) made;
};

#define FAIL(w, fmt, ...)                                                                          \
	fail_msg("%s under %s: " fmt, (w)->pair->host, (w)->pair->spec, ##__VA_ARGS__)

/* --- files of the test --------------------------------------------------------------------------
 */

static char *slurp(struct arena *a, const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "re");
	_cleanup_free_ char *text = NULL;
	size_t cap = 0;
	ssize_t n = file ? getdelim(&text, &cap, '\0', file) : -1;

	if (n < 0)
		fail_msg("%s cannot be read", path);
	fclose(file);
	*ret_size = (size_t)n;
	return arena_memdup(a, text, (size_t)n);
}

static struct spec *load_spec(struct arena *a, const char *name)
{
	const char *path = arena_printf(a, TEST_DIR "/cases/specs/%s.yaml", name);
	struct config_input input = {.path = path};
	struct diags diags = {.arena = a};
	struct spec *spec = NULL;

	input.bytes = slurp(a, path, &input.size);
	if (config_load(&input, 1, NULL, &diags, &spec) < 0)
		fail_msg("%s is no good spec", path);
	return spec;
}

/* --- one cycle ----------------------------------------------------------------------------------
 */

static struct host *look(struct world *w, const struct spec *spec)
{
	_cleanup_tree_ struct tree *tree = NULL;
	struct words modules = {0};
	struct observe_options options = {.aliases = true, .images = true, .modules = &modules};
	struct host *host = NULL;

	array_foreach(it, &spec->options)
		words_add(w->arena, &modules, it->module);
	assert_int_equal(tree_root_new(w->s->root, NULL, &tree), 0);
	assert_int_equal(host_observe(tree, &options, &host), 0);
	return host;
}

static struct plan *plan_for(struct world *w, const struct spec *spec)
{
	struct made *made = array_add(w->arena, &w->made);

	assert_non_null(made);
	made->host = look(w, spec);
	assert_int_equal(ledger_load(&w->fake->ops, &made->ledger), 0);
	assert_false(made->ledger->damaged);
	assert_int_equal(plan_make(spec, made->host, made->ledger, &made->plan), 0);
	return made->plan;
}

static void forget_made(struct world *w)
{
	array_foreach(it, &w->made) {
		plan_free(it->plan);
		host_free(it->host);
		ledger_free(it->ledger);
	}
}

static void apply(struct world *w, const struct plan *plan)
{
	_cleanup_ledger_ struct ledger *ledger = NULL;
	_cleanup_report_ struct report *report = NULL;

	assert_int_equal(ledger_load(&w->fake->ops, &ledger), 0);
	assert_int_equal(plan_apply(plan, ledger, &w->fake->ops, NULL, &report), 0);
	array_foreach(it, &report->steps)
		if (it->result == RESULT_FAILED)
			FAIL(w, "%s %s failed: %s", step_kind_name(it->kind), it->target,
			     it->message);
	if (report->failed || report->refused)
		FAIL(w, "refused: %s",
		     report->diags.list.n ? report->diags.list.at[0].message : "");
}

static void expect_settled(struct world *w, const struct plan *plan)
{
	array_foreach(it, &plan->steps)
		if (step_kind_class(it->kind) != CLASS_REBOOT)
			FAIL(w, "still to do: %s %s (%s)", step_kind_name(it->kind), it->target,
			     it->why);
	array_foreach(it, &plan->items)
		if (!it->surplus && it->state != STATE_BLOCKED && it->state != STATE_ARMED &&
		    it->state != STATE_ACTIVE)
			FAIL(w, "%s is only %s: %s", it->id, item_state_name(it->state),
			     it->reason);
}

/* --- snapshots ----------------------------------------------------------------------------------
 */

static struct strbuf *snapshot;
static const char *snapshot_root;

/* What revert must give back: all of /etc and the images' neighbours, but not our own state. */
static int add_file(const char *path, const struct stat *st, int type, struct FTW *ftw _unused_)
{
	const char *below = path + strlen(snapshot_root);
	_cleanup_arena_ struct arena *a = arena_new();
	char digest[DIGEST_TEXT_SIZE] = "";
	size_t size;

	if (type != FTW_F && type != FTW_SL)
		return 0;
	if (type == FTW_F && S_ISREG(st->st_mode) && st->st_size)
		digest_bytes(slurp(a, path, &size), (size_t)st->st_size, digest);
	strbuf_addf(snapshot, "%s %o %s\n", below, st->st_mode, digest);
	return 0;
}

static char *take_snapshot(struct world *w, struct strbuf *into)
{
	char dir[128];

	snapshot = into;
	snapshot_root = w->s->dir;
	snprintf(dir, sizeof(dir), "%s/etc", w->s->dir);
	nftw(dir, add_file, 16, FTW_PHYS);
	return into->text;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The lines in one order: a folder is read in any. */
static const char *sorted(struct arena *a, const char *text)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	struct words lines = {0};
	const char *ret;

	while (*text) {
		size_t n = strcspn(text, "\n");

		assert_int_equal(array_push(a, &lines, (const char *)arena_strndup(a, text, n)), 0);
		text += n + (text[n] == '\n');
	}
	if (lines.n)
		qsort(lines.at, lines.n, sizeof(*lines.at), by_text);
	array_foreach(it, &lines)
		strbuf_addf(&out, "%s\n", *it);
	assert_int_equal(strbuf_to_arena(&out, a, &ret), 0);
	return ret;
}

static const char *drivers_of_others(struct world *w, const struct spec *spec,
				     const struct plan *plan)
{
	_cleanup_host_ struct host *host = look(w, spec);
	_cleanup_strbuf_ struct strbuf out = {0};
	const char *ret;

	array_foreach(it, &host->devices) {
		char addr[PCI_ADDR_TEXT_SIZE];
		bool named = false;

		array_foreach(device, &plan->devices)
			array_foreach(chosen, &device->addrs)
				named |= pci_addr_compare(*chosen, it->addr) == 0;
		if (!named)
			strbuf_addf(&out, "%s %s %s\n", pci_addr_format(it->addr, addr),
				    it->driver ? it->driver : "-",
				    it->override ? it->override : "-");
	}
	assert_int_equal(strbuf_to_arena(&out, w->arena, &ret), 0);
	return ret;
}

/* --- the property -------------------------------------------------------------------------------
 */

static void lay_out(struct world *w)
{
	struct diags diags = {.arena = w->arena};
	size_t size;
	const char *path = arena_printf(w->arena, TEST_DIR "/hosts/%s.host", w->pair->host);
	const char *text = slurp(w->arena, path, &size);

	assert_int_equal(capture_lay_out(w->pair->host, text, size, w->s->dir, &diags), 0);
	assert_int_equal(root_mkdirs(w->s->root, "/run"), 0);
	assert_int_equal(fake_new(w->s->dir, &w->fake), 0);
}

static void converge(struct world *w, const struct spec *spec)
{
	struct plan *first = plan_for(w, spec), *second, *third;
	const char *before = drivers_of_others(w, spec, first);
	unsigned changes;

	apply(w, first);
	second = plan_for(w, spec);
	expect_settled(w, second);
	assert_string_equal(drivers_of_others(w, spec, first), before);
	apply(w, second);
	changes = w->fake->changes;
	third = plan_for(w, spec);
	apply(w, third);
	if (w->fake->changes != changes)
		FAIL(w, "a settled host was changed %u times", w->fake->changes - changes);
	assert_string_equal(second->id, third->id);
}

static void take_back(struct world *w, const struct spec *nothing, const char *before)
{
	struct plan *plan = plan_for(w, nothing), *again;
	_cleanup_strbuf_ struct strbuf after = {0};
	const char *now;

	apply(w, plan);
	again = plan_for(w, nothing);
	expect_settled(w, again);
	take_snapshot(w, &after);
	now = sorted(w->arena, strbuf_text(&after));
	if (strcmp(now, before) != 0)
		FAIL(w, "not as before:\n%s\nwas:\n%s", now, before);
}

static void check_pair(const struct pair *pair)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_spec_ struct spec *spec = load_spec(a, pair->spec), *nothing = spec_new();
	struct world w = {.arena = a, .pair = pair};
	_cleanup_strbuf_ struct strbuf before = {0};
	void *state = NULL;

	assert_int_equal(scratch_setup(&state), 0);
	w.s = state;
	lay_out(&w);
	take_snapshot(&w, &before);
	converge(&w, spec);
	take_back(&w, nothing, sorted(a, strbuf_text(&before)));
	forget_made(&w);
	fake_free(w.fake);
	scratch_teardown(&state);
}

static void add_pairs(struct arena *a, const char *name, const char *text)
{
	static const char mark[] = "; specs: ";
	const char *at = strstr(text, mark);
	struct pair pair = {.host = arena_strndup(a, name, strlen(name) - strlen(".host"))};

	for (at = at ? at + strlen(mark) : ""; *at && *at != '\n'; at += strspn(at, " ")) {
		size_t n = strcspn(at, " \n");

		pair.spec = arena_strndup(a, at, n);
		check_pair(&pair);
		at += n;
	}
}

static void every_host_converges_and_comes_back(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	DIR *dir = opendir(TEST_DIR "/hosts");
	size_t hosts = 0;

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));) {
		size_t size;

		if (strlen(e->d_name) < 6 ||
		    strcmp(e->d_name + strlen(e->d_name) - 5, ".host") != 0)
			continue;
		add_pairs(a, e->d_name,
			  slurp(a, arena_printf(a, TEST_DIR "/hosts/%s", e->d_name), &size));
		hosts++;
	}
	closedir(dir);
	assert_true(hosts >= 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_host_converges_and_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
