/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builders that behave: what they make follows from the files below the root. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fake-cpio.h"
#include "fake-part.h"

#define GRUB_CFG "/boot/grub/grub.cfg"

/* --- what goes into an image ---------------------------------------------------------------- */

struct build {
	struct fake *f;
	const char *version;
	struct words modules; /* base names as in modules.dep */
	struct strbuf out;
};

static bool ends(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static bool same_module(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(strchr("-_", *a) && strchr("-_", *b)))
			return false;
	return *a == *b;
}

bool fake_has_module(const struct build *b, const char *name)
{
	array_foreach(it, &b->modules)
		if (same_module(*it, name))
			return true;
	return false;
}

void fake_keep_modules(struct build *b, bool (*keep)(const char *module, const void *data),
		       const void *data)
{
	size_t n = 0;

	array_foreach(it, &b->modules)
		if (keep(*it, data))
			b->modules.at[n++] = *it;
	b->modules.n = n;
}

const char *fake_version(const struct build *b)
{
	return b->version;
}

/* Adds the module and what it needs, as modules.dep says. */
bool fake_add_module(struct build *b, const char *name)
{
	const char *text = fake_read(
		b->f, arena_printf(b->f->arena, "/lib/modules/%s/modules.dep", b->version));
	size_t before = b->modules.n;

	while (text && *text) {
		size_t n = strcspn(text, "\n");
		char *line = arena_strndup(b->f->arena, text, n), *rest;
		bool first = true, wanted = false;

		for (char *word = strtok_r(line, ": ", &rest); word;
		     word = strtok_r(NULL, ": ", &rest)) {
			char *base = strrchr(word, '/') ? strrchr(word, '/') + 1 : word;

			base[strcspn(base, ".")] = '\0';
			wanted |= first && same_module(base, name);
			first = false;
			if (wanted)
				words_add(b->f->arena, &b->modules, base);
		}
		text += n + (text[n] == '\n');
	}
	return b->modules.n > before || fake_has_module(b, name);
}

/* Softdeps are pulled in with the module that has them (5.12). */
static void add_softdeps(struct build *b, const char *text)
{
	char *copy = arena_strdup(b->f->arena, text), *lines, *words;

	for (char *line = strtok_r(copy, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
		char *word = strtok_r(line, " \t", &words);
		char *module = word ? strtok_r(NULL, " \t", &words) : NULL;

		if (!module || strcmp(word, "softdep") != 0 || !fake_has_module(b, module))
			continue;
		while ((word = strtok_r(NULL, " \t", &words)))
			if (!ends(word, ":"))
				fake_add_module(b, word);
	}
}

void fake_add_file(struct build *b, const char *path, const char *text)
{
	cpio_add(&b->out, path, text, strlen(text));
}

/* Each file of dir that ends so, under a folder of the image. */
void fake_add_files(struct build *b, const char *dir, const char *end, const char *to)
{
	struct words names = {0};

	if (root_list(b->f->root, dir, b->f->arena, &names) < 0)
		return;
	array_foreach(it, &names) {
		const char *text = fake_read(b->f, arena_printf(b->f->arena, "%s/%s", dir, *it));

		if (!text || **it == '.' || !ends(*it, end))
			continue;
		cpio_add(&b->out, arena_printf(b->f->arena, "%s/%s", to, *it), text, strlen(text));
		if (ends(dir, "modprobe.d"))
			add_softdeps(b, text);
	}
}

/* A hook is a script: here it is one when it asks for modules in so many words. */
static void run_hooks(struct build *b, const char *dir)
{
	struct words names = {0};
	struct stat st;

	if (root_list(b->f->root, dir, b->f->arena, &names) < 0)
		return;
	array_foreach(it, &names) {
		const char *path = arena_printf(b->f->arena, "%s/%s", dir, *it);
		char *text = (char *)(uintptr_t)fake_read(b->f, path), *lines, *words;

		if (!text || root_stat(b->f->root, path, &st) < 0 || !(st.st_mode & 0100))
			continue;
		for (char *line = strtok_r(text, "\n", &lines); line;
		     line = strtok_r(NULL, "\n", &lines)) {
			if (strncmp(line, "manual_add_modules ", 19) != 0)
				continue;
			for (char *word = strtok_r(line + 19, " ", &words); word;
			     word = strtok_r(NULL, " ", &words))
				fake_add_module(b, word);
		}
	}
}

static void add_scripts(struct build *b)
{
	static const char dir[] = "/etc/initramfs-tools/scripts/init-top";
	_cleanup_strbuf_ struct strbuf order = {0};
	struct words names = {0};
	struct stat st;

	(void)root_list(b->f->root, dir, b->f->arena, &names);
	array_foreach(it, &names) {
		const char *path = arena_printf(b->f->arena, "%s/%s", dir, *it);
		const char *text = fake_read(b->f, path);

		if (!text || **it == '.' || root_stat(b->f->root, path, &st) < 0 ||
		    !(st.st_mode & 0100))
			continue;
		cpio_add(&b->out, arena_printf(b->f->arena, "scripts/init-top/%s", *it), text,
			 strlen(text));
		strbuf_addf(&order, "/scripts/init-top/%s \"$@\"\n", *it);
	}
	strbuf_add(&order, "/scripts/init-top/udev \"$@\"\n");
	cpio_add(&b->out, "scripts/init-top/ORDER", order.text, order.len);
}

static void add_module_files(struct build *b)
{
	array_foreach(it, &b->modules) {
		const char *path = arena_printf(b->f->arena, "usr/lib/modules/%s/kernel/%s.ko",
						b->version, *it);

		cpio_add(&b->out, path, "", 0);
	}
}

/* dracut takes what its configuration names: force_drivers, install_optional_items. */
void fake_by_dracut(struct build *b, struct fake *f _unused_, const char *image _unused_)
{
	const char *text = fake_read(b->f, "/etc/dracut.conf.d/90-passthroughd.conf");
	char *copy = text ? arena_strdup(b->f->arena, text) : NULL, *lines, *words;

	for (char *line = copy ? strtok_r(copy, "\n", &lines) : NULL; line;
	     line = strtok_r(NULL, "\n", &lines)) {
		bool drivers = strncmp(line, "force_drivers+=\"", 16) == 0;

		if (!drivers && strncmp(line, "install_optional_items+=\"", 25) != 0)
			continue;
		for (char *word = strtok_r(strchr(line, '"') + 1, " \"", &words); word;
		     word = strtok_r(NULL, " \"", &words)) {
			const char *file = drivers ? NULL : fake_read(b->f, word);

			if (file)
				cpio_add(&b->out, word + 1, file, strlen(file));
			if (!drivers)
				continue;
			fake_add_module(b, word);
			file = arena_printf(b->f->arena, "rd.driver.pre=%s\n", word);
			cpio_add(&b->out,
				 arena_printf(b->f->arena, "etc/cmdline.d/20-force-%s.conf", word),
				 file, strlen(file));
		}
	}
}

static int finish(struct build *b, const char *image, bool spoil)
{
	const char *next = arena_printf(b->f->arena, "%s.new", image);
	int err;

	cpio_end(&b->out);
	err = b->out.error;
	if (err == 0)
		err = fake_write(b->f, next, b->out.text, spoil ? b->out.len / 2 : b->out.len);
	if (err == 0 && rename(arena_printf(b->f->arena, "%s%s", b->f->dir, next),
			       arena_printf(b->f->arena, "%s%s", b->f->dir, image)) < 0)
		err = -errno;
	strbuf_done(&b->out);
	return err < 0 || spoil;
}

/* The modules that the present image has, but for those that only we ask for. */
static int former_modules(struct build *b, const char *image)
{
	struct words all = {0};
	const char *bytes;
	size_t size;

	if (root_read(b->f->root, image, 64u << 20, b->f->arena, &bytes, &size) < 0)
		return 0;
	if (cpio_modules(b->f->arena, bytes, size, &all) < 0)
		return -ENOMEM;
	array_foreach(it, &all)
		if (strncmp(*it, "vfio", 4) != 0 && words_add(b->f->arena, &b->modules, *it) < 0)
			return -ENOMEM;
	return 0;
}

static void by_initramfs_tools(struct build *b, struct fake *f _unused_, const char *image _unused_)
{
	run_hooks(b, "/etc/initramfs-tools/hooks");
	fake_add_files(b, "/etc/modprobe.d", ".conf", "etc/modprobe.d");
	fake_add_files(b, "/etc/udev/rules.d", ".rules", "lib/udev/rules.d");
	add_scripts(b);
}

int fake_build_image(struct fake *f, const char *image, const char *version, fake_maker *maker,
		     bool spoil)
{
	struct build b = {.f = f, .version = version};

	if (former_modules(&b, image) < 0)
		return 1;
	maker(&b, f, image);
	fake_add_files(&b, "/lib/modprobe.d", ".conf", "lib/modprobe.d");
	add_module_files(&b);
	return finish(&b, image, spoil);
}

/* --- entries ---------------------------------------------------------------------------------- */

struct flags {
	char all[2048], normal[2048]; /* GRUB_CMDLINE_LINUX, GRUB_CMDLINE_LINUX_DEFAULT */
};

/* A real shell reads what grub-mkconfig would source (2.1); its failure is grub-mkconfig's. */
static int read_flags(struct fake *f, struct flags *ret)
{
	static const char script[] =
		"cd '%s' && exec env -i PATH=/usr/bin:/bin sh -e -c '. ./etc/default/grub; "
		"for x in etc/default/grub.d/*.cfg; do if [ -e \"$x\" ]; then . \"./$x\"; fi; "
		"done; echo \"$GRUB_CMDLINE_LINUX\"; echo \"$GRUB_CMDLINE_LINUX_DEFAULT\"' "
		"2>/dev/null";
	FILE *in = popen(arena_printf(f->arena, script, f->dir), "re");
	bool good;

	if (!in)
		return -errno;
	good = fgets(ret->all, sizeof(ret->all), in) && fgets(ret->normal, sizeof(ret->normal), in);
	if (pclose(in) != 0 || !good)
		return -EIO;
	ret->all[strcspn(ret->all, "\n")] = ret->normal[strcspn(ret->normal, "\n")] = '\0';
	return 0;
}

/* "linux IMAGE ARGUMENTS" anew: where the root lies stays, the flags are those of the files. */
static void add_entry_line(struct fake *f, struct strbuf *out, const char *line,
			   const struct flags *flags)
{
	static const char *const kept[] = {"root=",  "ro",	 "rw",	      "rootflags=", "boot=",
					   "single", "recovery", "nomodeset", "rootfstype="};
	char *copy = arena_strdup(f->arena, line), *rest;
	char *command = strtok_r(copy, " \t", &rest), *image = strtok_r(NULL, " \t", &rest);
	bool recovery = false;

	strbuf_addf(out, "\t%s\t%s", command, image ? image : "");
	for (char *word; image && (word = strtok_r(NULL, " \t", &rest));)
		for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
			size_t n = strlen(kept[i]);

			if (strncmp(word, kept[i], n) != 0 || (kept[i][n - 1] != '=' && word[n]))
				continue;
			recovery |= strcmp(word, "single") == 0 || strcmp(word, "recovery") == 0;
			strbuf_addf(out, " %s", word);
		}
	strbuf_addf(out, " %s%s%s\n", flags->all, recovery ? "" : " ",
		    recovery ? "" : flags->normal);
}

static int build_grub_cfg(struct fake *f, const char *path)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	const char *old = f->grub_cfg;
	struct flags flags;

	if (!old || read_flags(f, &flags) < 0)
		return 2;
	while (*old) {
		size_t n = strcspn(old, "\n");
		const char *line = arena_strndup(f->arena, old, n);
		const char *word = line + strspn(line, " \t");

		if (strncmp(word, "linux", 5) == 0 && strchr(" \t", word[strcspn(word, " \t")]) &&
		    word[strcspn(word, " \t")])
			add_entry_line(f, &out, word, &flags);
		else
			strbuf_addf(&out, "%s\n", line);
		old += n + (old[n] == '\n');
	}
	/* Not in place as grub-mkconfig's cat does it (2.9): within one tick of the clock nobody
	 * could tell the new file from the old one. */
	if (out.error < 0 ||
	    fake_write(f, arena_printf(f->arena, "%s.new", path), out.text, out.len) < 0)
		return 1;
	return rename(arena_printf(f->arena, "%s%s.new", f->dir, path),
		      arena_printf(f->arena, "%s%s", f->dir, path)) < 0;
}

/* Options of each type 1 entry below an ESP: the first line of /etc/kernel/cmdline (4.3, 4.8). */
static int write_entries(struct fake *f, const char *esp, const char *line)
{
	const char *dir = arena_printf(f->arena, "%s/loader/entries", esp);
	struct words names = {0};

	if (root_list(f->root, dir, f->arena, &names) < 0)
		return 0;
	array_foreach(it, &names) {
		_cleanup_strbuf_ struct strbuf out = {0};
		const char *path = arena_printf(f->arena, "%s/%s", dir, *it);
		const char *old = fake_read(f, path);

		while (old && *old) {
			size_t n = strcspn(old, "\n");

			if (strncmp(old, "options", 7) == 0)
				strbuf_addf(&out, "options  %s\n", line);
			else
				strbuf_addf(&out, "%.*s\n", (int)n, old);
			old += n + (old[n] == '\n');
		}
		if (old && fake_write(f, path, out.text, out.len) < 0)
			return 1;
	}
	return 0;
}

static int refresh_proxmox(struct fake *f)
{
	static const char *const esps[] = {"/boot/efi", "/efi", "/boot"};
	const char *line = fake_read(f, "/etc/kernel/cmdline");

	if (line) {
		line = arena_strndup(f->arena, line, strcspn(line, "\n"));
		if (!strstr(line, "root="))
			return 1;
		for (size_t i = 0; i < ARRAY_LEN(esps); i++)
			if (write_entries(f, esps[i], line))
				return 1;
	}
	return fake_read(f, GRUB_CFG) ? build_grub_cfg(f, GRUB_CFG) : 0;
}

/* --- commands --------------------------------------------------------------------------------- */

static const char *after(const struct words *argv, const char *option)
{
	for (size_t i = 0; i + 1 < argv->n; i++)
		if (strcmp(argv->at[i], option) == 0)
			return argv->at[i + 1];
	return NULL;
}

static int update_initramfs(struct fake *f, const struct words *argv, bool spoil)
{
	const char *version = after(argv, "-k");

	if (!version || strcmp(version, "all") == 0)
		return 2;
	return fake_build_image(f, arena_printf(f->arena, "/boot/initrd.img-%s", version), version,
				by_initramfs_tools, spoil);
}

static int run_dracut(struct fake *f, const struct words *argv, bool spoil)
{
	if (argv->n < 2)
		return 2;
	if (words_has(argv, "--uefi"))
		return fake_dracut_uefi(f, argv, spoil);
	return fake_build_image(f, argv->at[argv->n - 2], argv->at[argv->n - 1], fake_by_dracut,
				spoil);
}

static int update_grub(struct fake *f, const struct words *argv, bool spoil)
{
	static const char half[] = "menuentry 'cut' {\n\tlinux /boot/vmlinuz-";
	const char *path = after(argv, "-o");

	path = path ? path : GRUB_CFG;
	if (spoil)
		return fake_write(f, path, half, strlen(half)) < 0 || spoil;
	return build_grub_cfg(f, path);
}

static int proxmox_boot_tool(struct fake *f, const struct words *argv _unused_, bool spoil)
{
	return spoil ? 1 : refresh_proxmox(f);
}

enum trade { OF_IMAGES, OF_LOADERS, OF_GUESTS };

static const struct command {
	const char *name;
	enum trade trade;
	int (*run)(struct fake *f, const struct words *argv, bool spoil);
} commands[] = {
	{"update-initramfs", OF_IMAGES, update_initramfs},
	{"dracut", OF_IMAGES, run_dracut},
	{"mkinitcpio", OF_IMAGES, fake_mkinitcpio},
	{"booster", OF_IMAGES, fake_booster},
	{"update-grub", OF_LOADERS, update_grub},
	{"grub-mkconfig", OF_LOADERS, update_grub},
	{"proxmox-boot-tool", OF_LOADERS, proxmox_boot_tool},
	{"kernel-install", OF_LOADERS, fake_kernel_install},
	{"u-boot-update", OF_LOADERS, fake_u_boot_update},
	{"rpm-ostree", OF_LOADERS, fake_rpm_ostree},
	{"qm", OF_GUESTS, fake_qm},
	{"virsh", OF_GUESTS, fake_virsh},
};

static enum fake_builder manner(struct fake *f, const struct command *c, const struct words *argv)
{
	if (c->trade == OF_IMAGES && f->only_version && !words_has(argv, f->only_version))
		return FAKE_BUILDS;
	if (f->good_runs) {
		f->good_runs--;
		return FAKE_BUILDS;
	}
	switch (c->trade) {
	case OF_IMAGES:
		return f->initramfs;
	case OF_LOADERS:
		return f->loader;
	case OF_GUESTS:
		return f->guests;
	}
	return FAKE_BUILDS;
}

static int run(struct fake *f, const struct command *c, const struct words *argv,
	       struct ops_result *ret)
{
	switch (manner(f, c, argv)) {
	case FAKE_BUILDS:
		ret->status = c->run(f, argv, false);
		return 0;
	case FAKE_FAILS:
		ret->status = 1;
		ret->output = f->says ? f->says : "E: cannot build\n";
		return 0;
	case FAKE_IDLES:
		ret->status = 0;
		return 0;
	case FAKE_SPOILS:
		ret->status = c->run(f, argv, true);
		return 0;
	case FAKE_IS_KILLED:
		ret->status = 128 + 9;
		return 0;
	case FAKE_IS_MISSING:
		return -ENOENT;
	}
	return -EINVAL;
}

int fake_build(struct fake *f, const struct ops_command *command, struct arena *a _unused_,
	       struct ops_result *ret)
{
	const struct words *argv = command->argv;

	*ret = (struct ops_result){.output = ""};
	f->input = command->input;
	for (size_t i = 0; argv->n && i < ARRAY_LEN(commands); i++)
		if (strcmp(argv->at[0], commands[i].name) == 0)
			return run(f, &commands[i], argv, ret);
	return -ENOENT;
}
