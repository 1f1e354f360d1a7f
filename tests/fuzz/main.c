/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a fuzzer's function over every file of a corpus folder: a corpus is an ordinary test. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *data;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return 0;
	}
	/* Exactly as large as the input, so that a read past its end is caught. */
	data = malloc((size_t)st.st_size + !st.st_size);
	if (!data || read(fd, data, (size_t)st.st_size) != st.st_size)
		abort();
	close(fd);
	LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
	free(data);
	return 1;
}

int main(int argc, char **argv)
{
	int count = 0;

	for (int i = 1; i < argc; i++) {
		DIR *dir = opendir(argv[i]);

		if (!dir) {
			perror(argv[i]);
			return 1;
		}
		for (struct dirent *e; (e = readdir(dir));)
			count += run(dirfd(dir), e->d_name);
		closedir(dir);
	}
	printf("%d inputs\n", count);
	return count ? 0 : 1;
}
