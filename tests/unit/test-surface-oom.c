/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The surface while memory runs out: from files to a printed plan, nothing crashes or leaks. */
#include "scratch.h"

#include <errno.h>

#include "oom.h"
#include "passthrough.h"

static const char *const files[][2] = {
	{"/etc/passthroughd/a.yaml",
	 "blacklist: [nouveau]\nmodule-options: {kvm: {ignore_msrs: 1}}\n"},
	{"/run/passthroughd/b.yaml", "kernel-flags: [pcie_aspm=off]\nmatch: {hostname: nobody}\n"},
	{"/etc/hostname", "here\n"},
	{"/proc/cmdline", "quiet\n"},
	{"/etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=quiet\n"},
	{"/sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n"},
	{"/sys/bus/pci/devices/0000:01:00.0/device", "0x1b81\n"},
	{"/sys/bus/pci/devices/0000:01:00.0/class", "0x030000\n"},
};

/* The values of one run, freed whatever became of it. */
struct values {
	struct pthru_ctx *ctx;
	struct pthru_diags *diags;
	struct pthru_spec *spec;
	struct pthru_plan *plan;
	char *summary, *document;
};

static int run(struct values *v, const char *dir)
{
	int err = pthru_ctx_new(&v->ctx);

	if (err == 0)
		err = pthru_diags_new(&v->diags);
	if (err == 0)
		err = pthru_ctx_set_root(v->ctx, dir, v->diags);
	if (err == 0)
		err = pthru_spec_load(v->ctx, v->diags, &v->spec);
	if (err == 0)
		err = pthru_plan_make(v->ctx, v->spec, false, v->diags, &v->plan);
	if (err == 0)
		err = pthru_plan_summary(v->plan, &v->summary);
	if (err == 0)
		pthru_ctx_set_form(v->ctx, PTHRU_JSON, 0);
	return err < 0 ? err : pthru_plan_print(v->ctx, v->plan, v->diags, &v->document);
}

static void done(struct values *v)
{
	free(v->document);
	free(v->summary);
	pthru_plan_free(v->plan);
	pthru_spec_free(v->spec);
	pthru_diags_free(v->diags);
	pthru_ctx_free(v->ctx);
}

/* One run in which the n-th allocation fails; false when there is none of that number. */
static bool attempt(const char *dir, unsigned n, const char *whole)
{
	struct values v = {0};
	bool failed;
	int err;

	oom_left = n;
	err = run(&v, dir);
	failed = oom_left == 0;
	oom_left = 0;
	/*
	 * Either it is told, by the answer or as a diagnostic that was lost and is an error then;
	 * or what could not be had is not missed: the plan is the very same.
	 */
	if (err == 0)
		assert_string_equal(v.document, whole);
	else if (err != -ENOMEM && !(err == -EINVAL && pthru_diags_errors(v.diags)))
		fail_msg("allocation %u failed, and the answer was %d", n, err);
	done(&v);
	return failed;
}

static void from_files_to_text(void **state)
{
	struct scratch *s = *state;
	struct values v = {0};
	unsigned n = 1;

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		scratch_write(s, files[i][0], files[i][1]);
	assert_int_equal(run(&v, s->dir), 0);
	while (attempt(s->dir, n, v.document))
		n++;
	assert_true(n > 300);
	done(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(from_files_to_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
