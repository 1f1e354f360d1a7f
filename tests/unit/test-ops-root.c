/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real table: builders in their own clean world, writes that may hang, files below a root. */
#include "scratch.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "child.h"
#include "lock.h"
#include "ops.h"
#include "paths.h"

static const struct ops_limits limits = {.write_ms = 1000, .build_ms = 60000};

struct words_of {
	const char *at[8];
};

static struct words words(struct arena *a, const struct words_of *w)
{
	struct words ret = {0};

	for (size_t i = 0; w->at[i]; i++)
		words_add(a, &ret, w->at[i]);
	return ret;
}

#define WORDS(...) words(s->arena, &(struct words_of){{__VA_ARGS__}})

/* The table over the running system: run() needs no chroot there. Only harmless commands. */
static struct ops here(struct scratch *s)
{
	struct ops ops;

	root_free(s->root);
	assert_int_equal(root_open("/", &s->root), 0);
	assert_int_equal(ops_root_new(s->root, NULL, &limits, &ops), 0);
	return ops;
}

static int run(struct ops *ops, const struct words *argv, const struct words *env, struct arena *a,
	       struct ops_result *ret)
{
	const struct ops_command command = {.argv = argv, .env = env};

	return ops->run(ops->ctx, &command, a, ret);
}

struct run_row {
	const char *script;
	int status;
	const char *output;
};

static const struct run_row runs[] = {
	{"echo out; echo err >&2", 0, "out\nerr\n"},
	{"exit 7", 7, ""},
	{"kill -TERM $$", 128 + SIGTERM, ""},
	{"cat; echo end", 0, "end\n"},
	{"pwd", 0, "/\n"},
	{"printf 'a\\377b\\033[1mc\\r\\n'", 0,
	 "a\xef\xbf\xbd"
	 "b\xef\xbf\xbd[1mc\n"},
	{"echo $PATH", 0, "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"},
	{"echo ${DPKG_MAINTSCRIPT_PACKAGE-no} ${DEB_MAINT_PARAMS-no} ${MODPROBE_OPTIONS-no} "
	 "${TMPDIR-no} ${LANG:+set}",
	 0, "no no no no set\n"},
	{"kill -0 -$$ && echo leads its group", 0, "leads its group\n"},
	{"sleep 3 & echo not waited for", 0, "not waited for\n"},
	{"[ $(nice) -ge 10 ] && ionice", 0, "best-effort: prio 7\n"},
};

static void builders_run_in_a_clean_world(void **state)
{
	struct scratch *s = *state;
	struct ops ops = here(s);

	for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
		struct words argv = WORDS("sh", "-c", runs[i].script), none = {0};
		struct ops_result result = {0};

		assert_int_equal(run(&ops, &argv, &none, s->arena, &result), 0);
		assert_string_equal(result.output, runs[i].output);
		assert_int_equal(result.status, runs[i].status);
	}
	ops_done(&ops);
}

/* By its number, and by a name that is opened anew, as virsh does. */
static void a_command_reads_what_it_is_given(void **state)
{
	static const char *const scripts[] = {"cat; echo", "cat /dev/stdin /dev/stdin"};
	static const char *const outputs[] = {"<hostdev>'\n\n", "<hostdev>'\n<hostdev>'\n"};
	struct scratch *s = *state;
	struct ops ops = here(s);

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		struct words argv = WORDS("sh", "-c", scripts[i]), none = {0};
		struct ops_command command = {.argv = &argv, .env = &none, .input = "<hostdev>'\n"};
		struct ops_result result = {0};

		assert_int_equal(ops.run(ops.ctx, &command, s->arena, &result), 0);
		assert_string_equal(result.output, outputs[i]);
	}
	ops_done(&ops);
}

static void a_command_has_its_own_deadline(void **state)
{
	struct scratch *s = *state;
	struct ops ops = here(s);
	struct words argv = WORDS("sleep", "60"), none = {0};
	struct ops_command command = {.argv = &argv, .env = &none, .deadline_ms = 50};
	struct ops_result result = {0};

	assert_int_equal(ops.run(ops.ctx, &command, s->arena, &result), -ETIMEDOUT);
	ops_done(&ops);
}

static void words_of_the_step_reach_the_builder(void **state)
{
	struct scratch *s = *state;
	struct ops ops = here(s);
	struct words argv = WORDS(
		"sh", "-c", "echo $INITRAMFS_TOOLS_KERNEL_HOOK $LC_ALL; env | grep -c LC_ALL");
	struct words env = WORDS("INITRAMFS_TOOLS_KERNEL_HOOK=1", "LC_ALL=C");
	struct ops_result result = {0};

	assert_int_equal(run(&ops, &argv, &env, s->arena, &result), 0);
	assert_string_equal(result.output, "1 C\n1\n");
	ops_done(&ops);
}

static void a_missing_command_is_said_to_be(void **state)
{
	struct scratch *s = *state;
	struct ops ops = here(s);
	struct words argv = WORDS("no-such-builder-anywhere"), none = {0}, sh = WORDS("/dev/null");
	struct ops_result result = {.status = 99};

	assert_int_equal(run(&ops, &argv, &none, s->arena, &result), -ENOENT);
	assert_int_equal(run(&ops, &sh, &none, s->arena, &result), -EACCES);
	assert_int_equal(run(&ops, &none, &none, s->arena, &result), -EINVAL);
	assert_int_equal(result.status, 99);
	ops_done(&ops);
}

/* Signals that the caller blocks or ignores are the builder's again (10.5). */
static void signals_are_reset(void **state)
{
	struct scratch *s = *state;
	struct ops ops = here(s);
	struct words argv = WORDS("sh", "-c", "kill -PIPE $$; echo survived"), none = {0};
	struct ops_result result = {0};
	sigset_t all, old;

	signal(SIGPIPE, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	assert_int_equal(run(&ops, &argv, &none, s->arena, &result), 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
	assert_string_equal(result.output, "");
	assert_int_equal(result.status, 128 + SIGPIPE);
	ops_done(&ops);
}

static void count_tick(void *ctx, unsigned seconds)
{
	unsigned *last = ctx;

	assert_true(seconds > *last);
	*last = seconds;
}

static void time_is_told_while_a_builder_runs(void **state)
{
	struct scratch *s = *state;
	struct ops ops = here(s);
	unsigned last = 0;
	struct progress progress = {.ctx = &last, .tick = count_tick};
	struct words argv = WORDS("sleep", "2.2"), none = {0};
	struct ops_result result;

	ops_done(&ops);
	assert_int_equal(ops_root_new(s->root, &progress, &limits, &ops), 0);
	assert_int_equal(run(&ops, &argv, &none, s->arena, &result), 0);
	assert_true(last >= 1);
	ops_done(&ops);
}

static void a_builder_that_never_ends_is_killed(void **state)
{
	static const struct ops_limits hasty = {.write_ms = 1000, .build_ms = 300};
	struct scratch *s = *state;
	const char *path = arena_printf(s->arena, "%s/pid", s->dir);
	const char *script = arena_printf(s->arena, "sleep 100 & echo $! >%s; echo begun; wait",
					  path);
	struct ops ops = here(s);
	struct words argv = WORDS("sh", "-c", script), none = {0};
	struct ops_result result = {0};
	char pid[32] = "";
	FILE *file;

	ops_done(&ops);
	assert_int_equal(ops_root_new(s->root, NULL, &hasty, &ops), 0);
	assert_int_equal(run(&ops, &argv, &none, s->arena, &result), -ETIMEDOUT);
	assert_string_equal(result.output, "begun\n");
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(pid, sizeof(pid), file));
	fclose(file);
	/* What it had begun itself is told to end too. */
	for (int tries = 0; tries < 500 && kill(atoi(pid), 0) == 0; tries++)
		usleep(10000);
	assert_int_equal(kill(atoi(pid), 0), -1);
	ops_done(&ops);
}

static void much_output_keeps_its_end(void **state)
{
	struct scratch *s = *state;
	struct ops ops = here(s);
	struct words argv = WORDS("sh", "-c", "seq 1 300000; echo the end"), none = {0};
	struct ops_result result;
	size_t lines = 0;

	assert_int_equal(run(&ops, &argv, &none, s->arena, &result), 0);
	for (const char *c = result.output; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 40);
	assert_int_equal(strncmp(result.output, "299962\n", 7), 0);
	assert_non_null(strstr(result.output, "\n300000\nthe end\n"));
	ops_done(&ops);
}

static const char *busybox(void)
{
	static const char *const at[] = {"/usr/bin/busybox", "/bin/busybox"};

	for (size_t i = 0; i < ARRAY_LEN(at); i++)
		if (access(at[i], X_OK) == 0)
			return at[i];
	return NULL;
}

static void builders_see_the_root_alone(void **state)
{
	struct scratch *s = *state;
	const char *from = busybox(), *copy;
	struct words argv = WORDS("/busybox", "sh", "-c",
				  "/busybox pwd; /busybox ls /; echo >/dev/null"),
		     none = {0};
	struct ops_result result = {0};
	struct ops ops;

	if (geteuid() != 0 || !from)
		skip();
	copy = arena_printf(s->arena, "cp %s %s/busybox", from, s->dir);
	assert_int_equal(system(copy), 0);
	assert_int_equal(ops_root_new(s->root, NULL, &limits, &ops), 0);
	assert_false(ops.live);
	assert_int_equal(run(&ops, &argv, &none, s->arena, &result), 0);
	if (result.status == 127) /* a busybox that needs libraries */
		skip();
	assert_string_equal(result.output, "/\nbusybox\ndev\n");
	assert_int_equal(result.status, 0);
	/* What the builder wrote to went with its mount namespace. */
	assert_int_equal(scratch_count(s, "/dev"), 0);
	ops_done(&ops);
}

static int hang(void *arg _unused_)
{
	usleep(500000);
	return 0;
}

static int die(void *arg _unused_)
{
	_exit(1);
}

static int answer(void *arg)
{
	return *(int *)arg;
}

static void a_hanging_write_is_left_behind(void **state _unused_)
{
	int zero = 0, busy = -EBUSY;

	assert_int_equal(child_call(hang, NULL, 50), -ETIMEDOUT);
	assert_int_equal(child_call(die, NULL, 5000), -EIO);
	assert_int_equal(child_call(answer, &zero, 5000), 0);
	assert_int_equal(child_call(answer, &busy, 5000), -EBUSY);
	/* Nobody is left for us to wait for. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void files_are_below_the_root(void **state)
{
	struct scratch *s = *state;
	const char *text, *before, *after, *link;
	const struct file_attr attr = {0640, geteuid(), getegid()};
	struct file_attr found;
	struct ops_room room;
	struct ops ops;
	size_t size;

	assert_int_equal(ops_root_new(s->root, NULL, &limits, &ops), 0);
	assert_false(ops.live);
	assert_int_equal(ops.mkdirs(ops.ctx, "/etc"), 0);
	assert_int_equal(ops.identity(ops.ctx, "/etc/f", s->arena, &before), -ENOENT);
	assert_int_equal(ops.replace(ops.ctx, "/etc/f", "one", 3, &attr, false), 0);
	assert_int_equal(ops.identity(ops.ctx, "/etc/f", s->arena, &before), 0);
	assert_int_equal(ops.read(ops.ctx, "/etc/f", 10, s->arena, &text, &size, &found), 0);
	assert_string_equal(text, "one");
	assert_int_equal(found.mode, 0640);
	assert_int_equal(ops.identity(ops.ctx, "/etc/f", s->arena, &after), 0);
	assert_string_equal(before, after);
	assert_int_equal(ops.replace(ops.ctx, "/etc/f", "one", 3, &attr, false), 0);
	assert_int_equal(ops.identity(ops.ctx, "/etc/f", s->arena, &after), 0);
	assert_string_not_equal(before, after);
	assert_int_equal(ops.room(ops.ctx, "/etc/f", &room), 0);
	assert_int_equal(room.size, 3);
	assert_true(room.free > 0);
	assert_int_equal(ops.room(ops.ctx, "/etc/none/at/all", &room), 0);
	assert_int_equal(room.size, 0);
	assert_int_equal(ops.write_attr(ops.ctx, "/etc/f", "two"), 0);
	scratch_holds(s, "/etc/f", "two");
	assert_int_equal(ops.write_attr(ops.ctx, "/etc/none", "two"), -ENOENT);
	assert_int_equal(symlink("../drivers/x", scratch_at(s, "/etc/l")), 0);
	assert_int_equal(ops.readlink(ops.ctx, "/etc/l", s->arena, &link), 0);
	assert_string_equal(link, "../drivers/x");
	assert_int_equal(ops.load_module(ops.ctx, "vfio_pci"), -EOPNOTSUPP);
	assert_int_equal(ops.boot_id(ops.ctx, s->arena, &link), 0);
	assert_string_equal(link, "");
	scratch_write(s, PATH_BOOT_ID, "1-2-3\n");
	assert_int_equal(ops.boot_id(ops.ctx, s->arena, &link), 0);
	assert_string_equal(link, "1-2-3");
	ops_done(&ops);
}

struct tail_row {
	const char *text;
	unsigned lines;
	size_t max;
	const char *tail;
};

static const struct tail_row tails[] = {
	{"", 2, 100, ""},
	{"a", 2, 100, "a"},
	{"a\nb\nc\n", 2, 100, "b\nc\n"},
	{"a\nb\nc", 2, 100, "b\nc"},
	{"\n\n\n", 2, 100, "\n\n"},
	{"abc\nd\n", 9, 4, "d\n"},
	{"one long line", 9, 4, "line"},
	{"\xe2\x82\xac\xe2\x82\xac", 9, 4, "\xef\xbf\xbd\xe2\x82\xac"},
	{"\xc3\xa4\xc3", 9, 100, "\xc3\xa4\xef\xbf\xbd"},
	{"\x7f\x01\t", 9, 100, "\xef\xbf\xbd\xef\xbf\xbd\t"},
};

static void tails_are_whole_lines_of_utf8(void **state)
{
	struct scratch *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(tails); i++)
		assert_string_equal(output_tail(s->arena, tails[i].text, strlen(tails[i].text),
						tails[i].lines, tails[i].max),
				    tails[i].tail);
	assert_string_equal(output_tail(s->arena, "a\0b", 3, 1, 9), "a\xef\xbf\xbd"
								    "b");
}

static int try_lock(const struct root *root)
{
	pid_t holder = -1;
	int fd, err = apply_lock(root, &fd, &holder);

	return err == -EBUSY && holder == getppid() && apply_is_running(root) ? 0 : 1;
}

static void one_apply_at_a_time(void **state)
{
	struct scratch *s = *state;
	pid_t holder = -1, pid;
	int fd, again, status;

	assert_int_equal(apply_lock(s->root, &fd, &holder), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(try_lock(s->root));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* The folder goes with a stopped service: the lock is then on a file that is no more. */
	assert_int_equal(unlink(scratch_at(s, PATH_LOCK)), 0);
	assert_int_equal(apply_lock(s->root, &again, &holder), 0);
	close(fd);
	close(again);
	assert_false(apply_is_running(s->root));
}

/* --- holders ---------------------------------------------------------------------------------- */

static void link_to(struct scratch *s, const char *path, const char *target)
{
	scratch_write(s, path, "");
	assert_int_equal(unlink(scratch_at(s, path)), 0);
	assert_int_equal(symlink(target, scratch_at(s, path)), 0);
}

/* A VM has the group, others have nodes that drivers made; some only look like it. */
static void holders_are_named(void **state)
{
	struct scratch *s = *state;
	struct words found = {0};
	struct ops ops;

	assert_int_equal(ops_root_new(s->root, NULL, &limits, &ops), 0);
	link_to(s, PATH_PCI_DEVICES "/0000:01:00.0/iommu_group", "../../../kernel/iommu_groups/14");
	link_to(s, "/sys/dev/char/226:1", "../../devices/pci0000:00/0000:01:00.0/drm/card1");
	link_to(s, "/sys/dev/char/226:0", "../../devices/pci0000:00/0000:00:02.0/drm/card0");
	link_to(s, "/sys/dev/block/259:1",
		"../../devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1/nvme0n1p1");
	scratch_write(s, "/proc/1234/comm", "qemu-system-x86\n");
	link_to(s, "/proc/1234/fd/3", "/dev/null");
	link_to(s, "/proc/1234/fd/22", "/dev/vfio/14");
	link_to(s, "/proc/1234/fd/23", "/dev/vfio/14");
	link_to(s, "/proc/98/fd/5", "/dev/nvme0n1p1");
	scratch_write(s, "/proc/99/comm", "Xorg\n");
	link_to(s, "/proc/99/fd/5", "/dev/dri/card1");
	scratch_write(s, "/proc/100/comm", "bash\n");
	link_to(s, "/proc/100/fd/0", "/dev/pts/14");
	link_to(s, "/proc/100/fd/1", "/dev/dri/card0");
	link_to(s, "/proc/100/fd/2", "/home/card1");
	link_to(s, "/proc/self/fd/2", "/dev/vfio/14");

	assert_int_equal(ops.holders(ops.ctx, (struct pci_addr){0, 1, 0, 0}, s->arena, &found), 0);
	assert_int_equal(found.n, 3);
	assert_string_equal(found.at[0], "qemu-system-x86 (1234): /dev/vfio/14");
	assert_string_equal(found.at[1], "process (98): /dev/nvme0n1p1");
	assert_string_equal(found.at[2], "Xorg (99): /dev/dri/card1");
	found = (struct words){0};
	assert_int_equal(ops.holders(ops.ctx, (struct pci_addr){0, 9, 0, 0}, s->arena, &found), 0);
	assert_int_equal(found.n, 0);
	ops_done(&ops);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(builders_run_in_a_clean_world),
		scratch_test(a_command_reads_what_it_is_given),
		scratch_test(a_command_has_its_own_deadline),
		scratch_test(words_of_the_step_reach_the_builder),
		scratch_test(a_missing_command_is_said_to_be),
		scratch_test(signals_are_reset),
		scratch_test(time_is_told_while_a_builder_runs),
		scratch_test(a_builder_that_never_ends_is_killed),
		scratch_test(much_output_keeps_its_end),
		scratch_test(builders_see_the_root_alone),
		scratch_test(files_are_below_the_root),
		scratch_test(tails_are_whole_lines_of_utf8),
		scratch_test(one_apply_at_a_time),
		scratch_test(holders_are_named),
		cmocka_unit_test(a_hanging_write_is_left_behind),
	};

	setenv("DPKG_MAINTSCRIPT_PACKAGE", "linux-image", 1);
	setenv("DEB_MAINT_PARAMS", "remove", 1);
	setenv("MODPROBE_OPTIONS", "-n", 1);
	setenv("TMPDIR", "/nowhere", 1);
	setenv("LANG", "de_DE.UTF-8", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
