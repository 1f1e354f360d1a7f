/* SPDX-License-Identifier: GPL-2.0-or-later */
/* u-boot-update as it behaves (2.25): the append lines of extlinux.conf, made by a real shell. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fake-part.h"
#include "strbuf.h"

#define CONF "/boot/extlinux/extlinux.conf"

static const char script[] =
	"cd '%s' && exec env -i PATH=/usr/bin:/bin sh -e -c '"
	"if [ -e etc/default/u-boot ]; then . ./etc/default/u-boot; fi; "
	"for x in usr/share/u-boot-menu/conf.d/*.conf etc/u-boot-menu/conf.d/*.conf; do "
	"if [ -e \"$x\" ]; then . \"./$x\"; fi; done; "
	"if [ -z \"$U_BOOT_PARAMETERS\" ] && [ -f etc/kernel/cmdline ]; then "
	"U_BOOT_PARAMETERS=\"$(sed -e \"s/root=[^[:space:]]*//\" -e \"s/^[[:space:]]*//\" "
	"etc/kernel/cmdline)\"; fi; "
	"echo ${U_BOOT_PARAMETERS:-ro quiet}' 2>/dev/null";

static int read_line(struct fake *f, char *ret, int size)
{
	FILE *in = popen(arena_printf(f->arena, script, f->dir), "re");
	bool good;

	if (!in)
		return -errno;
	good = fgets(ret, size, in);
	if (pclose(in) != 0 || !good)
		return -EIO;
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

/* Which root it is stays; recovery has a word more. */
static void add_append(struct strbuf *out, const char *line, size_t n, const char *parameters)
{
	const char *root = memmem(line, n, "root=", 5);
	bool recovery = memmem(line, n, " single", 7);

	strbuf_addf(out, "\tappend %.*s %s%s\n", root ? (int)strcspn(root, " \t\n") : 0,
		    root ? root : "", parameters, recovery ? " single" : "");
}

int fake_u_boot_update(struct fake *f, const struct words *argv _unused_, bool spoil)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	const char *old = fake_read(f, CONF);
	char line[2048];

	if (spoil || !old || read_line(f, line, sizeof(line)) < 0)
		return 1;
	while (*old) {
		size_t n = strcspn(old, "\n");

		if (strncmp(old, "\tappend ", 8) == 0)
			add_append(&out, old, n, line);
		else
			strbuf_addf(&out, "%.*s\n", (int)n, old);
		old += n + (old[n] == '\n');
	}
	return fake_write(f, CONF, out.text, out.len) < 0;
}
