/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory runs out at every allocation of an apply in turn: it ends with -ENOMEM and nothing done,
 * or with a report that says so; what is ours is known, and the next apply arrives.
 */
#include <errno.h>

#include "machine.h"
#include "oom.h"

/* --- the fake machine's table, with its own allocations spared ---------------------------- */

static struct ops under;

#define SPARED(call)                                                                               \
	({                                                                                         \
		unsigned left_ = oom_left;                                                         \
		typeof(call) result_;                                                              \
		oom_left = 0;                                                                      \
		result_ = (call);                                                                  \
		oom_left = left_;                                                                  \
		result_;                                                                           \
	})

/* Looking allocates for apply: that memory may run out. */
static int spared_read(void *ctx, const char *path, size_t max, struct arena *a, const char **ret,
		       size_t *ret_size, struct file_attr *ret_attr)
{
	return oom_now() ? -ENOMEM : SPARED(under.read(ctx, path, max, a, ret, ret_size, ret_attr));
}

static int spared_readlink(void *ctx, const char *path, struct arena *a, const char **ret)
{
	return oom_now() ? -ENOMEM : SPARED(under.readlink(ctx, path, a, ret));
}

static int spared_identity(void *ctx, const char *path, struct arena *a, const char **ret)
{
	return oom_now() ? -ENOMEM : SPARED(under.identity(ctx, path, a, ret));
}

static int spared_boot_id(void *ctx, struct arena *a, const char **ret)
{
	return oom_now() ? -ENOMEM : SPARED(under.boot_id(ctx, a, ret));
}

static int spared_replace(void *ctx, const char *path, const void *bytes, size_t size,
			  const struct file_attr *attr, bool force)
{
	return SPARED(under.replace(ctx, path, bytes, size, attr, force));
}

static int spared_append(void *ctx, const char *path, const char *bytes)
{
	return SPARED(under.append(ctx, path, bytes));
}

static int spared_append_line(void *ctx, const char *path, const char *line)
{
	return SPARED(under.append_line(ctx, path, line));
}

static int spared_unlink(void *ctx, const char *path)
{
	return SPARED(under.unlink(ctx, path));
}

static int spared_mkdirs(void *ctx, const char *path)
{
	return SPARED(under.mkdirs(ctx, path));
}

static int spared_rmdir(void *ctx, const char *path)
{
	return SPARED(under.rmdir(ctx, path));
}

static int spared_run(void *ctx, const struct ops_command *command, struct arena *a,
		      struct ops_result *ret)
{
	return oom_now() ? -ENOMEM : SPARED(under.run(ctx, command, a, ret));
}

static void spared_run_all(void *ctx, const struct ops_command *commands, size_t n, struct arena *a,
			   struct ops_outcome *ret)
{
	for (size_t i = 0; i < n; i++)
		ret[i].error = spared_run(ctx, &commands[i], a, &ret[i].result);
}

static int spared_write_attr(void *ctx, const char *path, const char *value)
{
	return SPARED(under.write_attr(ctx, path, value));
}

static int spared_load_module(void *ctx, const char *name)
{
	return SPARED(under.load_module(ctx, name));
}

static void spare(struct ops *ops)
{
	under = *ops;
	ops->read = spared_read;
	ops->readlink = spared_readlink;
	ops->identity = spared_identity;
	ops->boot_id = spared_boot_id;
	ops->replace = spared_replace;
	ops->append = spared_append;
	ops->append_line = spared_append_line;
	ops->unlink = spared_unlink;
	ops->mkdirs = spared_mkdirs;
	ops->rmdir = spared_rmdir;
	ops->run = spared_run;
	ops->run_all = spared_run_all;
	ops->write_attr = spared_write_attr;
	ops->load_module = spared_load_module;
}

/* --- one apply with the n-th allocation failing --------------------------------------------- */

static bool told(const struct report *r)
{
	return r->failed || r->refused || r->diags.lost || r->diags.list.n;
}

static void must_be_known(const struct machine *m, unsigned n)
{
	if (scratch_read(m->s, PATH_GRUB_DROPIN) && !ledger_file(m->ledger, PATH_GRUB_DROPIN))
		fail_msg("allocation %u: a file is ours, and the ledger does not know", n);
	if (strcmp(scratch_read(m->s, PATH_MODULES "/kvm/parameters/ignore_msrs"), "Y\n") == 0 &&
	    !m->ledger->params.n)
		fail_msg("allocation %u: a parameter is ours, and the ledger does not know", n);
}

static void must_arrive(struct machine *m, unsigned n)
{
	struct plan *p = plan_everything(m);

	assert_int_equal(machine_apply(m, p), 0);
	plan_free(p);
	if (m->report->failed || m->report->refused)
		fail_msg("allocation %u: the next apply failed", n);
	scratch_holds(m->s, PATH_MODPROBE, MODPROBE);
	scratch_holds(m->s, PATH_GRUB_DROPIN, DROPIN);
	assert_string_equal(machine_driver((struct machine *)m, CARD), "vfio-pci");
	assert_int_equal(m->ledger->unbuilt.n, 0);
}

/* Whether the apply got by without the n-th allocation. */
static bool survives(unsigned n, enum fake_builder loader)
{
	struct report *report = NULL;
	struct machine *m;
	struct plan *p;
	void *state;
	bool all;
	int err;

	assert_int_equal(machine_setup(&state), 0);
	m = state;
	spare(&m->fake->ops);
	m->fake->loader = loader;
	p = plan_everything(m);
	oom_left = n;
	err = plan_apply(p, m->ledger, &m->fake->ops, NULL, &report);
	all = oom_left > 0;
	oom_left = 0;
	if (err < 0) {
		assert_int_equal(err, -ENOMEM);
		assert_null(report);
		assert_int_equal(m->fake->runs, 0);
		assert_null(scratch_read(m->s, PATH_MODPROBE));
	} else if (!all && loader == FAKE_BUILDS && !told(report) && m->fake->attr_writes == 0) {
		fail_msg("allocation %u: and nobody was told", n);
	}
	report_free(report);
	plan_free(p);
	ledger_free(m->ledger);
	m->ledger = NULL;
	assert_int_equal(ledger_load(&m->fake->real, &m->ledger), 0);
	must_be_known(m, n);
	fake_restart(m->fake);
	must_arrive(m, n);
	machine_teardown(&state);
	return all;
}

static void lost_memory_is_harmless(void **state _unused_)
{
	unsigned n = 1;

	for (; !survives(n, FAKE_BUILDS); n++)
		;
	assert_true(n > 100); /* or nothing was tried */
}

static void lost_memory_while_taking_back_is_harmless(void **state _unused_)
{
	unsigned n = 1;

	for (; !survives(n, FAKE_FAILS); n++)
		;
	assert_true(n > 100); /* or nothing was tried */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lost_memory_is_harmless),
		cmocka_unit_test(lost_memory_while_taking_back_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
