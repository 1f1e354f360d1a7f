#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: test-purity.sh BUILD SOURCE
# The folders that turn values into values import nothing that touches the world.
build=$1
impure='open(64|at|at64)?|fopen(64)?|read|pread(64)?|write|pwrite(64)?|close|unlink(at)?|rename(at)?|mkdir(at)?
opendir|readdir(64)?|stat(64)?|fstat(64|at|at64)?|access|readlink(at)?|ioctl|syscall|socket|connect
fork|vfork|exec[vl]p?e?|system|popen|posix_spawnp?|kill|wait(pid)?|exit|_exit|abort
time|gettimeofday|clock_gettime|sleep|usleep|nanosleep
(secure_)?getenv|setenv|putenv|setlocale|getpid|getuid|geteuid|gethostname|uname
printf|puts|putchar|fprintf|fputs|vprintf|syslog|perror|dlopen|dlsym|rand|random|getrandom'
pattern="^($(echo "$impure" | tr '\n' '|'))\$"
failed=0
for folder in model config text platform planner; do
	archive=$build/lib/libpthru_$folder.a
	[ -f "$archive" ] || continue
	found=$(nm -u --format=posix "$archive" | awk '$2 == "U" { print $1 }' | sort -u | grep -E "$pattern")
	if [ -n "$found" ]; then
		echo "lib/$folder is to be pure, and imports: $(echo "$found" | tr '\n' ' ')"
		failed=1
	fi
done
# No mutable state at file scope anywhere in lib/.
for archive in "$build"/lib/libpthru_*.a; do
	found=$(nm --format=posix "$archive" 2>/dev/null | awk '$2 ~ /^[bBdDC]$/ { print $1 }' |
		grep -vE '^(__|_?\.L|\.|asan|ubsan)' | grep -vE '^(lib|L)?ubsan|\.asan|odr')
	if [ -n "$found" ] && ! grep -q fsanitize "$build/build.ninja"; then
		echo "$archive has mutable variables: $(echo "$found" | tr '\n' ' ')"
		failed=1
	fi
done
exit $failed
