/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usage: fault ROOT REPORT WHAT AT PROGRAM [WORD...]
 *
 * Runs PROGRAM, counts its system calls that change something, and has the AT-th go wrong as WHAT
 * says. A tracer sees the calls themselves, so no way around it is left: none by libraries, none by
 * syscall(2). Counting begins when PROGRAM opens ROOT, which ends the dynamic linker's own calls.
 * Forked children count too until they execute something: the builders run undisturbed.
 *
 * AT may be N:CALL:PATH: then only such calls about that path below ROOT are counted.
 *
 * REPORT gets a line for each point: its number, the call, what it is about. It ends with PROGRAM's
 * own exit code, or 128 and the signal.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include "macro.h"

#ifndef __x86_64__
#error "registers are known for x86-64 alone"
#endif

#define MAX_PROCESSES 64
#define TRACE_OPTIONS                                                                              \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK |     \
	 PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE)

/* --- calls ------------------------------------------------------------------------------------ */

/* What makes a call a point, and where its object stands. */
enum about {
	ABOUT_PATH,    /* a path in the argument named */
	ABOUT_AT,      /* a folder's descriptor there, the path behind it */
	ABOUT_FILE,    /* a descriptor there; a point when it is a file below ROOT */
	ABOUT_OPEN,    /* a path; flags behind it */
	ABOUT_OPENAT,  /* as ABOUT_AT; flags behind the path */
	ABOUT_OPENAT2, /* as ABOUT_AT; a struct open_how behind the path */
	ABOUT_MAKES,   /* nothing: makes a descriptor and changes no file */
	ABOUT_DUP,     /* fcntl: when its command makes a descriptor */
};

struct call {
	const char *name;
	unsigned long nr;
	enum about about;
	int arg;
};

#define CALL(name, about, arg)                                                                     \
	{                                                                                          \
#name, SYS_##name, about, arg                                                      \
	}

static const struct call calls[] = {
	CALL(open, ABOUT_OPEN, 0),
	CALL(openat, ABOUT_OPENAT, 0),
	CALL(openat2, ABOUT_OPENAT2, 0),
	CALL(creat, ABOUT_PATH, 0),
	CALL(write, ABOUT_FILE, 0),
	CALL(pwrite64, ABOUT_FILE, 0),
	CALL(writev, ABOUT_FILE, 0),
	CALL(pwritev, ABOUT_FILE, 0),
	CALL(pwritev2, ABOUT_FILE, 0),
	CALL(sendfile, ABOUT_FILE, 0),
	CALL(copy_file_range, ABOUT_FILE, 2),
	CALL(fallocate, ABOUT_FILE, 0),
	CALL(ftruncate, ABOUT_FILE, 0),
	CALL(fchmod, ABOUT_FILE, 0),
	CALL(fchown, ABOUT_FILE, 0),
	CALL(fsetxattr, ABOUT_FILE, 0),
	CALL(fremovexattr, ABOUT_FILE, 0),
	CALL(fsync, ABOUT_FILE, 0),
	CALL(fdatasync, ABOUT_FILE, 0),
	CALL(syncfs, ABOUT_FILE, 0),
	CALL(truncate, ABOUT_PATH, 0),
	CALL(rename, ABOUT_PATH, 0),
	CALL(renameat, ABOUT_AT, 0),
	CALL(renameat2, ABOUT_AT, 0),
	CALL(unlink, ABOUT_PATH, 0),
	CALL(unlinkat, ABOUT_AT, 0),
	CALL(link, ABOUT_PATH, 1),
	CALL(linkat, ABOUT_AT, 2),
	CALL(symlink, ABOUT_PATH, 1),
	CALL(symlinkat, ABOUT_AT, 1),
	CALL(mkdir, ABOUT_PATH, 0),
	CALL(mkdirat, ABOUT_AT, 0),
	CALL(rmdir, ABOUT_PATH, 0),
	CALL(mknod, ABOUT_PATH, 0),
	CALL(mknodat, ABOUT_AT, 0),
	CALL(chmod, ABOUT_PATH, 0),
	CALL(fchmodat, ABOUT_AT, 0),
	CALL(chown, ABOUT_PATH, 0),
	CALL(lchown, ABOUT_PATH, 0),
	CALL(fchownat, ABOUT_AT, 0),
	CALL(utime, ABOUT_PATH, 0),
	CALL(utimes, ABOUT_PATH, 0),
	CALL(futimesat, ABOUT_AT, 0),
	CALL(utimensat, ABOUT_AT, 0),
	CALL(setxattr, ABOUT_PATH, 0),
	CALL(lsetxattr, ABOUT_PATH, 0),
	CALL(removexattr, ABOUT_PATH, 0),
	CALL(lremovexattr, ABOUT_PATH, 0),
	CALL(mount, ABOUT_PATH, 1),
	CALL(umount2, ABOUT_PATH, 0),
	CALL(memfd_create, ABOUT_MAKES, 0),
	CALL(pipe, ABOUT_MAKES, 0),
	CALL(pipe2, ABOUT_MAKES, 0),
	CALL(dup, ABOUT_MAKES, 0),
	CALL(socket, ABOUT_MAKES, 0),
	CALL(socketpair, ABOUT_MAKES, 0),
	CALL(pidfd_open, ABOUT_MAKES, 0),
	CALL(epoll_create1, ABOUT_MAKES, 0),
	CALL(inotify_init1, ABOUT_MAKES, 0),
	CALL(eventfd2, ABOUT_MAKES, 0),
	CALL(fcntl, ABOUT_DUP, 1),
};

/* --- what is to go wrong ---------------------------------------------------------------------- */

enum end { END_NOTHING, END_KILL_BEFORE, END_KILL_WITHIN, END_KILL_AFTER, END_ERROR };

static const struct what {
	const char *name;
	enum end end;
	int error;
	bool stays;	  /* so does each point that follows */
	bool descriptors; /* counts calls that make a descriptor instead */
} whats[] = {
	{"count", END_NOTHING, 0, false, false},
	{"count-descriptors", END_NOTHING, 0, false, true},
	{"kill-before", END_KILL_BEFORE, 0, false, false},
	{"kill-within", END_KILL_WITHIN, 0, false, false},
	{"kill-after", END_KILL_AFTER, 0, false, false},
	{"ENOSPC", END_ERROR, ENOSPC, false, false},
	{"ENOSPC-stays", END_ERROR, ENOSPC, true, false},
	{"EIO", END_ERROR, EIO, false, false},
	{"EIO-stays", END_ERROR, EIO, true, false},
	{"EROFS", END_ERROR, EROFS, false, false},
	{"EROFS-stays", END_ERROR, EROFS, true, false},
	{"EMFILE", END_ERROR, EMFILE, false, true},
	{"EMFILE-stays", END_ERROR, EMFILE, true, true},
};

struct process {
	pid_t pid;
	int error; /* to be given when the call returns */
	bool dies; /* when the call returns */
};

struct run {
	const char *root; /* without a slash at its end */
	FILE *report;
	const struct what *what;
	unsigned long at, count;
	char *call, *path; /* NULL: whatever the call and its object */
	bool counting;
	bool over; /* nothing more is to go wrong */
	pid_t program;
	struct process list[MAX_PROCESSES];
	size_t n;
};

static void die(const char *why)
{
	perror(why);
	exit(125);
}

/* --- the other's memory and descriptors ------------------------------------------------------- */

static size_t peek(pid_t pid, uint64_t at, void *to, size_t size)
{
	struct iovec here = {to, size}, there = {(void *)(uintptr_t)at, size}; /* NOLINT */
	ssize_t n = process_vm_readv(pid, &here, 1, &there, 1, 0);

	return n > 0 ? (size_t)n : 0;
}

/* A path may end right before a page that is not there: read page by page. */
static void peek_path(pid_t pid, uint64_t at, char to[static PATH_MAX])
{
	size_t have = 0;

	while (have < PATH_MAX - 1) {
		size_t want = 4096 - (at + have) % 4096, n;

		if (want > PATH_MAX - 1 - have)
			want = PATH_MAX - 1 - have;
		n = peek(pid, at + have, to + have, want);
		if (n == 0 || memchr(to + have, '\0', n))
			break;
		have += n;
	}
	to[have < PATH_MAX - 1 ? have + strnlen(to + have, PATH_MAX - 1 - have) : have] = '\0';
}

static void path_of_fd(pid_t pid, int fd, char to[static PATH_MAX])
{
	char link[64];
	ssize_t n;

	if (fd == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
	else
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, fd);
	n = readlink(link, to, PATH_MAX - 1);
	to[n > 0 ? n : 0] = '\0';
}

static bool below(const struct run *run, const char *path)
{
	size_t n = strlen(run->root);

	return strncmp(path, run->root, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* --- points ----------------------------------------------------------------------------------- */

static bool writes(uint64_t flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
}

static uint64_t flags_of(pid_t pid, const struct call *call, const uint64_t *args)
{
	struct open_how how = {0};

	if (call->about == ABOUT_OPENAT2)
		peek(pid, args[call->arg + 2], &how, sizeof(how));
	else if (call->about == ABOUT_OPENAT)
		how.flags = args[call->arg + 2];
	else
		how.flags = args[call->arg + 1];
	return how.flags;
}

/* Names what the call is about; below ROOT as seen from there. */
static void name_object(const struct run *run, pid_t pid, const struct call *call,
			const uint64_t *args, char to[static 2 * PATH_MAX])
{
	char base[PATH_MAX] = "", path[PATH_MAX] = "";

	switch (call->about) {
	case ABOUT_FILE:
		path_of_fd(pid, (int)args[call->arg], base);
		break;
	case ABOUT_AT:
	case ABOUT_OPENAT:
	case ABOUT_OPENAT2:
		peek_path(pid, args[call->arg + 1], path);
		if (call->about == ABOUT_OPENAT2 || path[0] != '/')
			path_of_fd(pid, (int)args[call->arg], base);
		break;
	case ABOUT_PATH:
	case ABOUT_OPEN:
		peek_path(pid, args[call->arg], path);
		break;
	case ABOUT_MAKES:
	case ABOUT_DUP:
		break;
	}
	snprintf(to, 2 * PATH_MAX, "%s%s%s", base, *base && *path && *path != '/' ? "/" : "", path);
	if (below(run, to))
		memmove(to, to + strlen(run->root), strlen(to + strlen(run->root)) + 1);
}

static bool is_point(const struct run *run, pid_t pid, const struct call *call,
		     const uint64_t *args)
{
	bool fds = run->what->descriptors;
	char path[PATH_MAX];

	switch (call->about) {
	case ABOUT_OPEN:
	case ABOUT_OPENAT:
	case ABOUT_OPENAT2:
		return fds || writes(flags_of(pid, call, args));
	case ABOUT_MAKES:
		return fds;
	case ABOUT_DUP:
		return fds && (args[1] == F_DUPFD || args[1] == F_DUPFD_CLOEXEC);
	case ABOUT_FILE:
		path_of_fd(pid, (int)args[call->arg], path);
		return !fds && below(run, path);
	case ABOUT_PATH:
	case ABOUT_AT:
		return !fds;
	}
	return false;
}

static const struct call *find_call(unsigned long nr)
{
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (calls[i].nr == nr)
			return &calls[i];
	return NULL;
}

/* Whether this is the call that opens ROOT. */
static bool opens_root(const struct run *run, pid_t pid, const struct call *call,
		       const uint64_t *args)
{
	char path[PATH_MAX];

	if (call->about != ABOUT_OPEN && call->about != ABOUT_OPENAT)
		return false;
	peek_path(pid, args[call->arg + (call->about == ABOUT_OPENAT)], path);
	return strcmp(path, run->root) == 0;
}

/* --- doing it --------------------------------------------------------------------------------- */

static void set_register(pid_t pid, size_t offset, uint64_t value)
{
	if (ptrace(PTRACE_POKEUSER, pid, offset, value) < 0)
		die("PTRACE_POKEUSER");
}
#define SET_REGISTER(pid, name, value)                                                             \
	set_register(pid, offsetof(struct user_regs_struct, name), value)

static void kill_all(const struct run *run)
{
	for (size_t i = 0; i < run->n; i++)
		kill(run->list[i].pid, SIGKILL);
}

static void strike(struct run *run, struct process *p, const struct call *call,
		   const uint64_t *args)
{
	switch (run->what->end) {
	case END_NOTHING:
		break;
	case END_KILL_WITHIN:
		/* Half of the bytes; what cannot be cut is done whole. */
		if (call->nr == SYS_write)
			SET_REGISTER(p->pid, rdx, args[2] / 2);
		p->dies = true;
		break;
	case END_KILL_AFTER:
		p->dies = true;
		break;
	case END_KILL_BEFORE:
		SET_REGISTER(p->pid, orig_rax, (uint64_t)-1);
		kill_all(run);
		break;
	case END_ERROR:
		SET_REGISTER(p->pid, orig_rax, (uint64_t)-1);
		p->error = run->what->error;
		break;
	}
}

static void on_entry(struct run *run, struct process *p, const struct ptrace_syscall_info *info)
{
	const struct call *call = find_call(info->entry.nr);
	const uint64_t *args = (const uint64_t *)info->entry.args;
	char object[2 * PATH_MAX];

	if (!call)
		return;
	if (!run->counting) {
		run->counting = opens_root(run, p->pid, call, args);
		return;
	}
	if (!is_point(run, p->pid, call, args))
		return;
	if (run->call || run->what->end == END_NOTHING || run->count + 1 == run->at)
		name_object(run, p->pid, call, args, object);
	if (run->call && (strcmp(call->name, run->call) != 0 || strcmp(object, run->path) != 0))
		return;
	if (++run->count == run->at || run->what->end == END_NOTHING)
		fprintf(run->report, "%lu %s %s\n", run->count, call->name, object);
	if (run->count == run->at || (run->what->stays && run->count > run->at))
		strike(run, p, call, args);
}

static void on_exit_of(struct run *run, struct process *p)
{
	if (p->error) {
		SET_REGISTER(p->pid, rax, (uint64_t)-p->error);
		run->over = !run->what->stays;
	}
	p->error = 0;
	if (p->dies)
		kill_all(run);
}

static void on_call(struct run *run, struct process *p)
{
	struct ptrace_syscall_info info = {0};

	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof(info), &info) < 0)
		return; /* killed just now */
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		on_entry(run, p, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		on_exit_of(run, p);
}

/* --- processes -------------------------------------------------------------------------------- */

static struct process *process(struct run *run, pid_t pid)
{
	for (size_t i = 0; i < run->n; i++)
		if (run->list[i].pid == pid)
			return &run->list[i];
	if (run->n == MAX_PROCESSES)
		return NULL;
	run->list[run->n] = (struct process){.pid = pid};
	return &run->list[run->n++];
}

static void forget(struct run *run, struct process *p)
{
	*p = run->list[--run->n];
}

static void on_stop(struct run *run, pid_t pid, int status)
{
	size_t known = run->n;
	struct process *p = process(run, pid);
	int event = status >> 16, sig = WSTOPSIG(status);

	if (!p)
		die("too many processes");
	if (sig == (SIGTRAP | 0x80)) {
		on_call(run, p);
		sig = 0;
	} else if (event == PTRACE_EVENT_EXEC && pid != run->program) {
		forget(run, p);
		ptrace(PTRACE_DETACH, pid, 0, 0);
		return;
		if (run->over && run->n == 1) {
			ptrace(PTRACE_DETACH, pid, 0, 0); /* it is our child all the same */
			return;
		}
	} else if (event || (run->n > known && sig == SIGSTOP)) {
		sig = 0; /* an event, or a new child's first stop */
	}
	ptrace(PTRACE_SYSCALL, pid, 0, sig); /* it may have been killed */
}

static void launch(char **argv)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0 || raise(SIGSTOP) != 0)
		_exit(125);
	execv(argv[0], argv);
	_exit(125);
}

static int follow(struct run *run)
{
	int status;

	if (waitpid(run->program, &status, 0) < 0 || !WIFSTOPPED(status))
		die("waitpid");
	if (ptrace(PTRACE_SETOPTIONS, run->program, 0, TRACE_OPTIONS) < 0 ||
	    ptrace(PTRACE_SYSCALL, run->program, 0, 0) < 0)
		die("ptrace");
	process(run, run->program);
	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0)
			die("waitpid");
		if (WIFSTOPPED(status)) {
			on_stop(run, pid, status);
			continue;
		}
		if (pid == run->program)
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		forget(run, process(run, pid));
	}
}

static const struct what *find_what(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(whats); i++)
		if (strcmp(whats[i].name, name) == 0)
			return &whats[i];
	return NULL;
}

int main(int argc, char **argv)
{
	struct run run = {0};
	int code;

	if (argc < 6) {
		fprintf(stderr, "usage: fault ROOT REPORT WHAT AT PROGRAM [WORD...]\n");
		return 125;
	}
	run.root = argv[1];
	run.report = fopen(argv[2], "we");
	run.what = find_what(argv[3]);
	run.at = strtoul(argv[4], &run.call, 10);
	run.path = *run.call ? strchr(++run.call, ':') : NULL;
	run.call = run.path ? run.call : NULL;
	if (run.path)
		*run.path++ = '\0';
	if (!run.report || !run.what)
		die(argv[2]);
	run.program = fork();
	if (run.program < 0)
		die("fork");
	if (run.program == 0)
		launch(argv + 5);
	code = follow(&run);
	return fclose(run.report) == 0 ? code : 125;
}
