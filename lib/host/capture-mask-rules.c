/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of each file's text in a capture: one table by name and folder. */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "capture-mask.h"
#include "domain-xml.h"
#include "paths.h"

#define PLAIN_MIN   8	/* shorter identities stand in other texts by chance */
#define PLAIN_MAX   512 /* that are looked for in all texts */
#define CONFIG_KEPT 64	/* bytes of config space that anybody may read */

static bool starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* --- identities ------------------------------------------------------------------------------ */

static bool telling(const char *text)
{
	return strlen(text) >= PLAIN_MIN && strspn(text, "0:.-") < strlen(text) &&
	       !identity_masked(text);
}

const char *mask_of(struct masks *m, const char *text, char ret[static MASK_TEXT_SIZE], int *err)
{
	if (telling(text) && m->plain.n < PLAIN_MAX && words_add(m->arena, &m->plain, text) < 0)
		*err = -ENOMEM;
	return identity_mask(text, ret);
}

/* One identity a file. Zeros, as the loopback's address, tell nothing. */
static int mask_line(struct masks *m, const char *text, size_t size _unused_, struct strbuf *out)
{
	size_t blank = strspn(text, " \t"), n = strcspn(text + blank, "\n");
	const char *line = arena_strndup(m->arena, text + blank, n);
	char mask[MASK_TEXT_SIZE];
	int err = line ? 0 : -ENOMEM;

	if (err < 0)
		return err;
	while (n && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	line = arena_strndup(m->arena, line, n);
	if (!line)
		return -ENOMEM;
	if (strspn(line, "0:.-") == n)
		strbuf_add(out, line);
	else
		strbuf_add(out, mask_of(m, line, mask, &err));
	strbuf_add(out, text[blank + strcspn(text + blank, "\n")] ? "\n" : "");
	return err;
}

/* --- lines that stay ------------------------------------------------------------------------- */

int mask_each_line(struct masks *m, const char *text, struct strbuf *out,
		   int (*each)(struct masks *m, const char *line, struct strbuf *out))
{
	_cleanup_strbuf_ struct strbuf line = {0};
	int err = 0;

	for (const char *at = text; *at && err == 0;) {
		size_t n = strcspn(at, "\n");

		line.len = 0;
		strbuf_addn(&line, at, n);
		err = line.error ? line.error : each(m, strbuf_text(&line), out);
		at += n + (at[n] == '\n');
	}
	return err;
}

static bool has_any(const char *line, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

/* What observe looks for in logs, and what tells one boot from the next. */
static int log_line(struct masks *m _unused_, const char *line, struct strbuf *out)
{
	static const char *const words[] = {
		"DMAR", "AMD-Vi", "IOMMU",     "iommu",		 "kvm",
		"VMX",	"SVM",	  "remapping", "virtualization", "Linux version "};

	if (has_any(line, words, ARRAY_LEN(words)))
		strbuf_addf(out, "%s\n", line);
	return 0;
}

static int kconfig_line(struct masks *m _unused_, const char *line, struct strbuf *out)
{
	static const char *const words[] = {"IOMMU", "VFIO", "CONFIG_KVM", "SYSFB", "CONFIG_FB_"};

	if (has_any(line, words, ARRAY_LEN(words)))
		strbuf_addf(out, "%s\n", line);
	return 0;
}

static int mkconfig_line(struct masks *m _unused_, const char *line, struct strbuf *out)
{
	if (strstr(line, "grub.d") || strstr(line, "${grub_cfg}.new >"))
		strbuf_addf(out, "%s\n", line);
	return 0;
}

/* Whether it reads files of ours (5.29). */
static int mkinitcpio_line(struct masks *m _unused_, const char *line, struct strbuf *out)
{
	if (strstr(line, "_d_config="))
		strbuf_addf(out, "%s\n", line);
	return 0;
}

/*
 * What decides on modules; of all else that there is something, in the line where it is: addresses,
 * the password of a shell.
 */
static int booster_line(struct masks *m _unused_, const char *line, struct strbuf *out)
{
	static const char *const keys[] = {"modules", "modules_force_load", "universal"};
	size_t blank = strspn(line, " \t"), n = strcspn(line, ":");

	if (blank || !line[n] || *line == '#') {
		bool said = line[blank] && line[blank] != '#';

		strbuf_addf(out, "%s%s\n", said && blank ? "  " : "", said ? "masked" : "");
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strlen(keys[i]) == strcspn(line, ": ") && starts(line, keys[i])) {
			strbuf_addf(out, "%s\n", line);
			return 0;
		}
	strbuf_addf(out, "%.*s:%s\n", (int)n, line,
		    line[n + 1 + strspn(line + n + 1, " \t")] ? " masked" : "");
	return 0;
}

/* Which controllers there are: the first line of each kind says it. */
static int interrupts(struct masks *m _unused_, const char *text, size_t size _unused_,
		      struct strbuf *out)
{
	static const char *const words[] = {"IR-", "IO-APIC", "PCI-MSI"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const char *at = strstr(text, words[i]);

		if (!at)
			continue;
		while (at > text && at[-1] != '\n')
			at--;
		strbuf_addn(out, at, strcspn(at, "\n"));
		strbuf_add(out, "\n");
	}
	return 0;
}

/* The first CPU speaks for the others, and only what it is: clocks differ from one look to the
 * next.
 */
static int cpuinfo(struct masks *m _unused_, const char *text, size_t size _unused_,
		   struct strbuf *out)
{
	static const char *const names[] = {"vendor_id", "cpu family", "model", "flags"};

	while (*text && *text != '\n') {
		size_t n = strcspn(text, "\n");

		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (starts(text, names[i])) {
				strbuf_addn(out, text, n);
				strbuf_add(out, "\n");
			}
		text += n + (text[n] == '\n');
	}
	return 0;
}

/* The last two columns are kernel addresses and taint. */
static int modules_line(struct masks *m _unused_, const char *line, struct strbuf *out)
{
	const char *at = strstr(line, " 0x");

	strbuf_addn(out, line, at ? (size_t)(at - line) : strlen(line));
	strbuf_add(out, at ? " 0x0\n" : "\n");
	return 0;
}

/* udev's database of a block device: what it is, and the disk's serial number. */
static int udev_line(struct masks *m, const char *line, struct strbuf *out)
{
	static const char *const kept[] = {"E:ID_FS_",	 "E:ID_PART_", "E:DM_",
					   "E:ID_TYPE=", "E:ID_BUS=",  "E:ID_MODEL="};
	static const char serial[] = "E:ID_SERIAL_SHORT=";
	char mask[MASK_TEXT_SIZE];
	int err = 0;

	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (starts(line, kept[i]))
			strbuf_addf(out, "%s\n", line);
	if (starts(line, serial) && line[sizeof(serial) - 1])
		strbuf_addf(out, "%s%s\n", serial,
			    mask_of(m, line + sizeof(serial) - 1, mask, &err));
	return err;
}

/* Line numbers stay: hashes of passwords go. */
static int grub_line(struct masks *m _unused_, const char *line, struct strbuf *out)
{
	const char *at = line + strspn(line, " \t"), *secret = NULL;

	if (starts(at, "password"))
		secret = strpbrk(at, " \t");
	if (secret)
		secret += strspn(secret, " \t");
	if (secret)
		secret = strpbrk(secret, " \t");
	strbuf_addn(out, line, secret ? (size_t)(secret - line) : strlen(line));
	strbuf_add(out, secret ? " masked\n" : "\n");
	return 0;
}

/* What is mounted where, of devices: the options may hold passwords, other sources name servers. */
static int fstab_line(struct masks *m _unused_, const char *line, struct strbuf *out)
{
	static const char *const kept[] = {"UUID=", "PARTUUID=", "LABEL=", "/dev/"};
	size_t n = 0;

	for (unsigned field = 0; field < 3; field++) {
		n += strspn(line + n, " \t");
		n += strcspn(line + n, " \t");
	}
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (starts(line, kept[i])) {
			strbuf_addn(out, line, n);
			strbuf_add(out, "\n");
		}
	return 0;
}

/* Where sshd listens. */
static int sshd_line(struct masks *m _unused_, const char *line, struct strbuf *out)
{
	if (strncasecmp(line + strspn(line, " \t"), "Port", 4) == 0)
		strbuf_addf(out, "%s\n", line);
	return 0;
}

/* What of a guest of Proxmox VE has to do with its devices; its name and network are nobody's. */
static int guest_line(struct masks *m _unused_, const char *line, struct strbuf *out)
{
	static const char *const kept[] = {
		"[",	   "hostpci", "machine:",  "bios:",   "vga:",	"cpu:",
		"onboot:", "lock:",   "template:", "ostype:", "delete:"};

	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (starts(line, kept[i]))
			strbuf_addf(out, "%s\n", line);
	return 0;
}

/* Mappings without what people wrote of them. */
static int mapping_line(struct masks *m _unused_, const char *line, struct strbuf *out)
{
	if (!strstr(line, "description"))
		strbuf_addf(out, "%s\n", line);
	return 0;
}

/* Of the cluster's members no more than whether they are enough. */
static int members(struct masks *m _unused_, const char *text, size_t size _unused_,
		   struct strbuf *out)
{
	static const char word[] = "\"quorate\":";
	const char *at = strstr(text, word);

	if (at)
		at += sizeof(word) - 1;
	if (at)
		strbuf_addf(out, "{ %s %c }\n", word, at[strspn(at, " \t")] == '1' ? '1' : '0');
	else if (strstr(text, "\"nodelist\""))
		strbuf_add(out, "{ \"nodelist\": {} }\n");
	else
		strbuf_add(out, "{}\n");
	return 0;
}

/*
 * Of a domain of libvirt what observe reads, written anew: the rest has passwords, network
 * addresses, and names of servers. What cannot be read stays so.
 */
static int domain(struct masks *m, const char *text, size_t size, struct strbuf *out)
{
	struct domain_xml read;
	const char *why;
	int err = domain_xml_parse(m->arena, text, size, &read, &why);

	if (err == 0)
		domain_xml_print(&read, out);
	else if (err == -EBADMSG)
		strbuf_add(out, "<");
	return err == -ENOMEM ? err : 0;
}

/* --- kernels' indexes ------------------------------------------------------------------------ */

/* Whether a pattern of n bytes is about a function of this host. */
static bool fits_any(const struct masks *m, const char *pattern, size_t n)
{
	char text[256];

	if (n >= sizeof(text) || !starts(pattern, "pci:"))
		return false;
	memcpy(text, pattern, n);
	text[n] = '\0';
	array_foreach(it, &m->modaliases)
		if (fnmatch(text, *it, 0) == 0)
			return true;
	return false;
}

/* "alias PATTERN MODULE" */
static int alias_line(struct masks *m, const char *line, struct strbuf *out)
{
	static const char word[] = "alias ";
	const char *pattern = line + sizeof(word) - 1;

	if (starts(line, word) && fits_any(m, pattern, strcspn(pattern, " ")))
		strbuf_addf(out, "%s\n", line);
	return 0;
}

/* Records of "MODULE.alias=PATTERN", each with a NUL behind. */
static int builtin_aliases(struct masks *m, const char *text, size_t size, struct strbuf *out)
{
	static const char word[] = ".alias=";

	for (const char *at = text, *end = text + size; at < end; at += strlen(at) + 1) {
		const char *pattern = strstr(at, word);

		if (pattern)
			pattern += sizeof(word) - 1;
		if (pattern && fits_any(m, pattern, strlen(pattern)))
			strbuf_addn(out, at, strlen(at) + 1);
	}
	return 0;
}

/* Which modules there are, not what each needs. */
static int dep_line(struct masks *m _unused_, const char *line, struct strbuf *out)
{
	strbuf_addn(out, line, strcspn(line, ":"));
	strbuf_add(out, ":\n");
	return 0;
}

/* --- config space ---------------------------------------------------------------------------- */

/* What anybody may read of it, nothing of what a device is by itself. */
static int config_head(struct masks *m _unused_, const char *text, size_t size, struct strbuf *out)
{
	strbuf_addn(out, text, size < CONFIG_KEPT ? size : CONFIG_KEPT);
	return 0;
}

/* --- the table ------------------------------------------------------------------------------- */

static const struct rule {
	const char *name, *folder; /* globs */
	int (*whole)(struct masks *m, const char *text, size_t size, struct strbuf *out);
	int (*line)(struct masks *m, const char *line, struct strbuf *out);
} rules[] = {
	{"serial_number", "/sys/*", mask_line, NULL},
	{"serial", "/sys/*", mask_line, NULL},
	{"address", "/sys/*/iscsi_connection/*", server_address, NULL},
	{"persistent_address", "/sys/*/iscsi_connection/*", server_address, NULL},
	{"address", "/sys/*/net/*", mask_line, NULL},
	{"address", "/sys/class/net/*", mask_line, NULL},
	{"perm_hwaddr", "/sys/*", mask_line, NULL},
	{"config", "/sys/*", config_head, NULL},
	{"machine-id", "/etc", mask_line, NULL},
	{"fstab", "/etc", NULL, fstab_line},
	{"b*", "/run/udev/data", NULL, udev_line},
	{"sshd_config", "/etc/ssh", NULL, sshd_line},
	{"*", "/etc/ssh/sshd_config.d", NULL, sshd_line},
	{"tcp", "/proc/*", sessions, NULL},
	{"tcp6", "/proc/*", sessions, NULL},
	{"if_inet6", "/proc/*", NULL, address_line},
	{"ipv6_route", "/proc/*", routes6, NULL},
	{"route", "/proc/*", routes4, NULL},
	{"mountinfo", "/proc/*", NULL, mount_line},
	{"modules", "/proc", NULL, modules_line},
	{"cpuinfo", "/proc", cpuinfo, NULL},
	{"interrupts", "/proc", interrupts, NULL},
	{"kmsg", "/proc", NULL, log_line},
	{"*", "/var/log", NULL, log_line},
	{"config-*", "/boot", NULL, kconfig_line},
	{"config", "*/lib/modules/*", NULL, kconfig_line},
	{"modules.alias", "*/lib/modules/*", NULL, alias_line},
	{"modules.builtin.modinfo", "*/lib/modules/*", builtin_aliases, NULL},
	{"modules.dep", "*/lib/modules/*", NULL, dep_line},
	{"grub*-mkconfig", "*/*bin", NULL, mkconfig_line},
	{"mkinitcpio", "*/*bin", NULL, mkinitcpio_line},
	{"booster.yaml", "/etc", NULL, booster_line},
	{"grub.cfg", "*", NULL, grub_line},
	{"*.conf", "/etc/pve/nodes/*/qemu-server", NULL, guest_line},
	{"pci.cfg", "/etc/pve/mapping", NULL, mapping_line},
	{".members", "/etc/pve", members, NULL},
	{"*.xml", PATH_LIBVIRT_DOMAINS, domain, NULL},
	{"*.xml", PATH_LIBVIRT_RUN, domain, NULL},
};

static const struct rule *rule_of(const char *folder, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (fnmatch(rules[i].name, name, 0) == 0 &&
		    fnmatch(rules[i].folder, folder, 0) == 0)
			return &rules[i];
	return NULL;
}

int mask_text(struct masks *m, const char *folder, const char *name, struct slice text,
	      struct strbuf *out)
{
	const struct rule *rule = rule_of(folder, name);
	int err;

	if (!rule)
		return 0;
	err = rule->whole ? rule->whole(m, text.at, text.n, out)
			  : mask_each_line(m, text.at, out, rule->line);
	if (err == 0)
		err = out->error;
	return err < 0 ? err : 1;
}
