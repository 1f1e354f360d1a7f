/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For LD_PRELOAD: the FAULT_AT-th allocation of a program finds no memory, whoever asks, libraries
 * too. FAULT_REPORT gets the file name of who asked, and at the end the number of allocations.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* glibc's own, by the names under which it keeps them for such as us. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static unsigned long at, count;
static const char *report;

static void say(const char *text)
{
	int fd = report ? open(report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return;
	dprintf(fd, "%s\n", text);
	close(fd);
}

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("FAULT_AT");

	report = getenv("FAULT_REPORT");
	count = 0;
	at = text ? strtoul(text, NULL, 10) : 0;
}

__attribute__((destructor)) static void end(void)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", count);
	say(text);
}

static int fails(void *caller)
{
	Dl_info info;

	if (++count != at)
		return 0;
	say(dladdr(caller, &info) && info.dli_fname ? info.dli_fname : "?");
	errno = ENOMEM;
	return 1;
}

#define FAILS() fails(__builtin_return_address(0))

void *malloc(size_t size)
{
	return FAILS() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return FAILS() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return FAILS() ? NULL : __libc_realloc(p, size);
}

/* By itself it would ask in the C library's name. */
char *strdup(const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = FAILS() ? NULL : __libc_malloc(size);

	return copy ? memcpy(copy, s, size) : NULL;
}
