/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usage: pthru_bench [CTL]
 *
 * Figures for the budgets of the design, as ratios beside a baseline of the same run; nothing is
 * asserted. CTL is the passthroughctl to measure, by default the one of the same build.
 *
 *   plan      `plan` on a converged host as a whole process, beside a bare C program (this one,
 *             started with --read) that reads the same files
 *   functions 1,000 and 10,000 PCI functions: parse the capture, observe, plan
 *   hosts     every captured host of tests/hosts: parse, observe, plan
 *   rest      the daemon when it has done its work, beside this program when it only sleeps
 */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "config.h"
#include "observe.h"
#include "planner.h"

#define RUNS 31
/* An image of this very moment is not remembered: its time stamp could be another's too. */
#define SETTLED_US 100000
#define HOST	   "guide-by-hand"

extern char **environ;

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *at, size_t n)
{
	qsort(at, n, sizeof(*at), by_value);
	return at[n / 2];
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* --- the bare reader -------------------------------------------------------------------------- */

static void read_one(const char *path)
{
	char bytes[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && read(fd, bytes, sizeof(bytes)) > 0)
		;
	close(fd);
}

/* Reads every file that the list names, as simply as it can be done. */
static int bare_reader(const char *list)
{
	char path[PATH_MAX];
	FILE *file = fopen(list, "r");

	while (file && fgets(path, sizeof(path), file)) {
		path[strcspn(path, "\n")] = '\0';
		read_one(path);
	}
	return file && fclose(file) == 0 ? 0 : 1;
}

/* --- a whole process -------------------------------------------------------------------------- */

struct cost {
	double wall, cpu; /* ms */
	int code;
};

#define WORDS_MAX 12

static void copy_words(const char *const *words, char **argv)
{
	for (size_t i = 0; words[i]; i++)
		argv[i] = strdup(words[i]);
}

static void free_words(char **argv)
{
	for (size_t i = 0; argv[i]; i++)
		free(argv[i]);
}

static struct cost spend(const char *const *words)
{
	posix_spawn_file_actions_t actions;
	char *argv[WORDS_MAX] = {0};
	struct rusage used;
	struct cost cost = {.wall = now_ms()};
	pid_t pid;
	int status;

	copy_words(words, argv);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&pid, argv[0], &actions, NULL, argv, environ) != 0)
		die(argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	if (wait4(pid, &status, 0, &used) < 0)
		die("wait4");
	cost.wall = now_ms() - cost.wall;
	free_words(argv);
	cost.cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
		   (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
	cost.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return cost;
}

/* --- plan on a converged host ------------------------------------------------------------------
 */

static FILE *listing;
static size_t listed;

/* What a capture holds is what observe reads; images are remembered and not read again. */
static int list_file(const char *path, const struct stat *st, int type, struct FTW *ftw _unused_)
{
	if (type == FTW_F && S_ISREG(st->st_mode) && !strstr(path, "/boot/initrd.img-") &&
	    !strstr(path, "bin/")) {
		fprintf(listing, "%s\n", path);
		listed++;
	}
	return 0;
}

static char *slurp(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t cap = 0;
	ssize_t n = file ? getdelim(&text, &cap, '\0', file) : -1;

	if (n < 0)
		die(path);
	fclose(file);
	*ret_size = (size_t)n;
	return text;
}

static void lay_out(const char *root)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	size_t size;
	_cleanup_free_ char *text = slurp(TEST_DIR "/hosts/" HOST ".host", &size);

	if (capture_lay_out(HOST, text, size, root, &diags) < 0)
		die("lay out " HOST);
}

static void bench_plan(const char *self, const char *ctl)
{
	char root[] = "/tmp/pthru-bench-XXXXXX", tree[PATH_MAX], list[PATH_MAX];
	char spec[] = TEST_DIR "/cases/specs/guide.yaml";
	double plan[RUNS], bare[RUNS], plan_cpu[RUNS], bare_cpu[RUNS];
	int code = 0;

	if (!mkdtemp(root))
		die(root);
	snprintf(tree, sizeof(tree), "%s/root", root);
	snprintf(list, sizeof(list), "%s/list", root);
	lay_out(tree);
	usleep(SETTLED_US);
	listing = fopen(list, "w");
	if (!listing || nftw(tree, list_file, 32, FTW_PHYS) < 0 || fclose(listing) != 0)
		die(list);
	/* The first apply has nothing to do but to remember what the images hold. */
	spend((const char *const[]){ctl, "apply", "--root", tree, "--spec", spec, NULL});
	for (size_t i = 0; i < RUNS; i++) {
		struct cost a = spend(
			(const char *const[]){ctl, "plan", "--root", tree, "--spec", spec, NULL});
		struct cost b = spend((const char *const[]){self, "--read", list, NULL});

		plan[i] = a.wall;
		plan_cpu[i] = a.cpu;
		bare[i] = b.wall;
		bare_cpu[i] = b.cpu;
		code = a.code;
	}
	printf("plan      whole process on a converged host (exit %d), %d runs each, medians\n",
	       code, RUNS);
	printf("          plan        %8.2f ms wall %8.2f ms cpu\n", median(plan, RUNS),
	       median(plan_cpu, RUNS));
	printf("          bare reader %8.2f ms wall %8.2f ms cpu, of %zu files\n",
	       median(bare, RUNS), median(bare_cpu, RUNS), listed);
	printf("          ratio       %8.2f wall    %8.2f cpu\n", plan[RUNS / 2] / bare[RUNS / 2],
	       plan_cpu[RUNS / 2] / bare_cpu[RUNS / 2]);
	spend((const char *const[]){"/bin/rm", "-rf", root, NULL});
}

/* --- inside this process ------------------------------------------------------------------------
 */

struct stages {
	double parse, observe, plan, again; /* again: with a ledger that knows every device */
	size_t functions, items;
};

#define CARDS 64u

static const char wish[] = "devices: {one: {address: '0000:01:00.0', accept: [no-reset, in-use]}}\n"
			   "blacklist: [nouveau]\n";

/* As after an apply: every function that the plan takes is remembered. */
static double plan_again(const struct spec *spec, const struct host *host, const struct plan *first)
{
	_cleanup_ledger_ struct ledger *ledger = ledger_new();
	_cleanup_plan_ struct plan *plan = NULL;
	double start;

	array_foreach(it, &first->claims)
		if (!ledger || array_push(ledger->arena, &ledger->devices, *it) < 0)
			die("memory");
	start = now_ms();
	if (plan_make(spec, host, ledger, &plan) < 0)
		die("plan");
	return now_ms() - start;
}

static struct stages run_stages(const char *name, const char *text, size_t size, const char *wished)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_ledger_ struct ledger *ledger = ledger_new();
	_cleanup_tree_ struct tree *tree = NULL;
	_cleanup_host_ struct host *host = NULL;
	_cleanup_spec_ struct spec *spec = NULL;
	_cleanup_plan_ struct plan *plan = NULL;
	struct config_input input = {.path = "bench", .bytes = wished, .size = strlen(wished)};
	struct observe_options options = {.images = true};
	struct diags diags = {.arena = a};
	struct stages s = {.parse = now_ms()};

	if (tree_capture_new(name, text, size, &diags, &tree) < 0)
		die(name);
	s.observe = now_ms();
	s.parse = s.observe - s.parse;
	if (host_observe(tree, &options, &host) < 0)
		die("observe");
	s.plan = now_ms();
	s.observe = s.plan - s.observe;
	if (config_load(&input, 1, NULL, &diags, &spec) < 0 ||
	    plan_make(spec, host, ledger, &plan) < 0)
		die("plan");
	s.plan = now_ms() - s.plan;
	s.again = plan_again(spec, host, plan);
	s.functions = host->devices.n;
	s.items = plan->items.n;
	return s;
}

static void add_function(struct strbuf *b, unsigned i)
{
	unsigned domain = i / 65536, bus = i / 256 % 256, dev = i / 8 % 32, fn = i % 8;

	strbuf_addf(b, "[/sys/bus/pci/devices/%04x:%02x:%02x.%x]\n", domain, bus, dev, fn);
	strbuf_addf(
		b,
		"vendor = 0x8086\ndevice = 0x%04x\nsubsystem_vendor = 0x8086\n"
		"subsystem_device = 0x0001\nclass = 0x020000\nmodalias = pci:v00008086d%08Xsv*\n"
		"driver_override = (null)\nreset_method = flr bus\nreset : \n",
		0x1000 + i % 64, 0x1000 + i % 64);
	strbuf_addf(b,
		    "driver -> ../../../../bus/pci/drivers/e1000e\n"
		    "iommu_group -> ../../../../kernel/iommu_groups/%u\n",
		    i / 4);
	strbuf_addf(b, "[/sys/kernel/iommu_groups/%u]\nreserved_regions : \n", i / 4);
}

static void make_functions(struct strbuf *b, unsigned n)
{
	strbuf_add(b, "# passthroughd capture 1\n"
		      "[/proc]\ncpuinfo <<\n\tvendor_id\t: GenuineIntel\n\tflags\t\t: vmx\n"
		      "cmdline = root=/dev/sda1 ro\nmodules : \n"
		      "[/sys/class/iommu]\ndmar0/\n"
		      "[/sys/firmware/acpi/tables]\nDMAR : \n");
	strbuf_addf(b, "[/sys/bus/pci/drivers/e1000e]\nmodule/\n");
	for (unsigned i = 0; i < n; i++) {
		if (i % 4 == 0)
			add_function(b, i + 256);
		else {
			/* Four functions share a group: its folder is named once. */
			struct strbuf one = {0};
			char *cut;

			add_function(&one, i + 256);
			cut = one.text ? strstr(one.text, "[/sys/kernel") : NULL;
			if (cut)
				strbuf_addn(b, one.text, (size_t)(cut - one.text));
			strbuf_done(&one);
		}
	}
	strbuf_add(b, "# end\n");
}

/* Guards at work: cards of eight functions in two groups, and one selector that fits far too many.
 */
static void make_wish(struct strbuf *b, unsigned cards)
{
	strbuf_add(b, "devices:\n  many: {id: 8086:1000}\n");
	for (unsigned i = 0; i < cards; i++)
		strbuf_addf(b, "  card%u: {slot: '0000:%02x:%02x'}\n", i, 1 + i / 32, i % 32);
}

static double bench_functions(unsigned n)
{
	_cleanup_strbuf_ struct strbuf text = {0}, wished = {0};
	double parse[5], observe[5], plan[5], again[5];
	struct stages s = {0};

	make_functions(&text, n);
	make_wish(&wished, CARDS);
	if (text.error || wished.error)
		die("memory");
	for (size_t i = 0; i < ARRAY_LEN(parse); i++) {
		s = run_stages("functions", strbuf_text(&text), text.len, strbuf_text(&wished));
		parse[i] = s.parse;
		observe[i] = s.observe;
		plan[i] = s.plan;
		again[i] = s.again;
	}
	printf("          %6zu: parse %7.2f ms, observe %7.2f ms, plan %7.2f ms (%zu items), with "
	       "a "
	       "full ledger %7.2f ms\n",
	       s.functions, median(parse, 5), median(observe, 5), median(plan, 5), s.items,
	       median(again, 5));
	return observe[2] + plan[2];
}

static void bench_hosts(void)
{
	DIR *dir = opendir(TEST_DIR "/hosts");
	double total = 0, start;
	size_t n = 0;

	for (struct dirent *e; dir && (e = readdir(dir));) {
		char path[PATH_MAX];
		size_t size;

		if (!strstr(e->d_name, ".host"))
			continue;
		snprintf(path, sizeof(path), TEST_DIR "/hosts/%s", e->d_name);
		{
			_cleanup_free_ char *text = slurp(path, &size);

			start = now_ms();
			for (int i = 0; i < 20; i++)
				run_stages(e->d_name, text, size, wish);
			total += (now_ms() - start) / 20;
			n++;
		}
	}
	if (dir)
		closedir(dir);
	if (n)
		printf("hosts     %zu captured hosts: %.2f ms each, parsed, observed and planned\n",
		       n, total / (double)n);
}

/* --- the daemon at rest ------------------------------------------------------------------------
 */

#define REST_S 10

struct rest {
	unsigned long private_kib, wakings;
};

/* The sum of the numbers behind a word in a file of /proc/PID. */
static unsigned long sum_of(pid_t pid, const char *name, const char *word)
{
	char path[64], line[256];
	unsigned long sum = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, word, strlen(word)) == 0)
			sum += strtoul(strchr(line, ':') + 1, NULL, 10);
	if (!file || fclose(file) != 0)
		die(path);
	return sum;
}

static pid_t start(const char *const *words)
{
	posix_spawn_file_actions_t actions;
	char *argv[WORDS_MAX] = {0};
	pid_t pid;

	copy_words(words, argv);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&pid, argv[0], &actions, NULL, argv, environ) != 0)
		die(argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	free_words(argv);
	return pid;
}

static struct rest measure(pid_t pid)
{
	struct rest rest = {.wakings = sum_of(pid, "status", "voluntary_ctxt_switches")};

	sleep(REST_S);
	rest.wakings = sum_of(pid, "status", "voluntary_ctxt_switches") - rest.wakings;
	rest.private_kib = sum_of(pid, "smaps_rollup", "Private_");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return rest;
}

static void bench_rest(const char *self, const char *ctl)
{
	char root[] = "/tmp/pthru-bench-XXXXXX", daemon[PATH_MAX];
	char spec[] = TEST_DIR "/cases/specs/guide.yaml";
	struct rest ours, bare;
	struct cost cost = {.code = -1};
	pid_t pid;

	if (!mkdtemp(root))
		die(root);
	snprintf(daemon, sizeof(daemon), "%.*s/passthroughd", (int)(strrchr(ctl, '/') - ctl), ctl);
	lay_out(root);
	pid = start((const char *const[]){daemon, "--root", root, "--spec", spec, NULL});
	for (int i = 0; i < 100 && cost.code != 0 && cost.code != 3; i++) {
		usleep(SETTLED_US);
		cost = spend((const char *const[]){ctl, "wait", "--root", root, NULL});
	}
	sleep(2); /* the news of what was written last have been heard */
	ours = measure(pid);
	pid = start((const char *const[]){self, "--sleep", NULL});
	sleep(1);
	bare = measure(pid);
	printf("rest      the daemon with its work done (wait: exit %d), for %d seconds\n"
	       "          passthroughd %6lu KiB private, %lu wakings\n"
	       "          bare sleeper %6lu KiB private, %lu wakings\n",
	       cost.code, REST_S, ours.private_kib, ours.wakings, bare.private_kib, bare.wakings);
	printf("          ratio        %6.1f\n",
	       (double)ours.private_kib / (double)bare.private_kib);
	spend((const char *const[]){"/bin/rm", "-rf", root, NULL});
}

int main(int argc, char **argv)
{
	char self[PATH_MAX], ctl[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	double small, large;

	if (argc == 3 && strcmp(argv[1], "--read") == 0)
		return bare_reader(argv[2]);
	if (argc == 2 && strcmp(argv[1], "--sleep") == 0)
		return pause();
	if (n < 0)
		die("/proc/self/exe");
	self[n] = '\0';
	snprintf(ctl, sizeof(ctl), "%.*s/../daemon/passthroughctl",
		 (int)(strrchr(self, '/') - self), self);
	if (argc > 1)
		snprintf(ctl, sizeof(ctl), "%s", argv[1]);
	bench_plan(self, ctl);
	printf("functions in one process, %u cards of eight wished and guarded, medians of 5\n",
	       CARDS);
	small = bench_functions(1000);
	large = bench_functions(10000);
	printf("          ratio of 10,000 to 1,000: %.1f (linear is 10)\n", large / small);
	bench_hosts();
	bench_rest(self, ctl);
	return 0;
}
