/* SPDX-License-Identifier: GPL-2.0-or-later */
/* initramfs-tools: Debian, Proxmox, Ubuntu up to 25.04 (facts 5.1 to 5.16). */
#include <string.h>

#include "early.h"
#include "paths.h"
#include "rows.h"
#include "sources.h"
#include "systemd-boot.h"
#include "udev.h"
#include "unified.h"

static const char *const formats[] = {"/boot/initrd.img-%s", NULL};
static const char *const owned[] = {PATH_ITOOLS_HOOK, PATH_ITOOLS_INITTOP, NULL};

/* Where things of ours lie inside an image; the hook of udev moves rules to /lib (fact 5.14). */
#define IN_RULES  "lib/udev/rules.d/00-passthroughd.rules"
#define AS_RULES  "etc/udev/rules.d/00-passthroughd.rules"
#define IN_SCRIPT "scripts/init-top/00-passthroughd"
#define IN_UDEV	  "scripts/init-top/udev"
#define IN_ORDER  "scripts/init-top/ORDER"

/* Both kinds of script are asked for those that must run before them; ours needs none. */
#define PREREQS                                                                                    \
	"case $1 in\n"                                                                             \
	"prereqs)\n"                                                                               \
	"\techo \"\"\n"                                                                            \
	"\texit 0\n"                                                                               \
	"\t;;\n"                                                                                   \
	"esac\n"                                                                                   \
	"\n"

/* The hook: modules that the kernel lacks or has built in are skipped in silence (fact 5.12). */
static void render_hook(struct strbuf *b, const struct early_wish *wish, const struct words *all)
{
	if (early_wish_empty(wish))
		return;
	strbuf_add(b, "#!/bin/sh\n" MANAGED_BY
		      "# Puts the modules of early binding into the image.\n");
	strbuf_add(b, PREREQS ". /usr/share/initramfs-tools/hook-functions\n\n");
	if (early_wish_serials(wish))
		strbuf_add(b, "copy_exec " PATH_PCI_SERIAL "\n");
	array_foreach(name, all)
		strbuf_addf(b, "manual_add_modules %s\n", *name);
}

/*
 * What /init has done by then: /sys, /proc, /dev and /run are mounted, PATH is set. udev's script
 * starts coldplug, so what is written here stands before any driver is looked for; a udev rule
 * alone would lose where another card's event loads the driver that both share.
 */
static const char script_head[] =
	"#!/bin/sh\n" MANAGED_BY
	"# Gives the functions below, and no others, to their drivers before udev starts.\n"
	"# " EARLY_OFF_NAME "=" EARLY_OFF_VALUE
	" on the kernel command line switches it off.\n" PREREQS "set -f\n"
	"# shellcheck disable=SC2013\n"
	"for word in $(cat /proc/cmdline); do\n"
	"\t[ \"$word\" = " EARLY_OFF_NAME "=" EARLY_OFF_VALUE " ] && exit 0\n"
	"done\n"
	"\n";

static const char script_claim[] =
	"say()\n"
	"{\n"
	"\techo \"passthroughd: $*\" >/dev/kmsg\n"
	"}\n"
	"\n"
	"# is ATTRIBUTE VALUE: whether the function at $dev has it\n"
	"is()\n"
	"{\n"
	"\t[ -r \"$dev/$1\" ] && read -r value <\"$dev/$1\" && [ \"$value\" = \"$2\" ]\n"
	"}\n"
	"\n"
	"# claim ADDRESS DRIVER SERIAL VENDOR DEVICE [SUBSYSTEM_VENDOR SUBSYSTEM_DEVICE]\n"
	"claim()\n"
	"{\n"
	"\tdev=/sys/bus/pci/devices/$1\n"
	"\tif [ ! -e \"$dev\" ]; then\n"
	"\t\tsay \"no device at $1\"\n"
	"\telif ! is vendor \"$4\" || ! is device \"$5\" || { [ $# -gt 5 ] &&\n"
	"\t\t{ ! is subsystem_vendor \"$6\" || ! is subsystem_device \"$7\"; }; }; then\n"
	"\t\tsay \"another device is at $1 now: left alone\"\n"
	"\telif [ \"$3\" != any ] && ! " PATH_PCI_SERIAL " \"$1\" \"$3\"; then\n"
	"\t\tsay \"$1 has not the serial number that it should have: left alone\"\n"
	"\telse\n"
	"\t\techo \"$2\" >\"$dev/driver_override\"\n"
	"\tfi\n"
	"}\n"
	"\n";

static void render_claim(struct strbuf *b, const struct early_device *device)
{
	char addr[PCI_ADDR_TEXT_SIZE];
	const struct pci_id *id = &device->id;

	strbuf_addf(b, "claim %s %s %s 0x%04x 0x%04x", pci_addr_format(device->addr, addr),
		    device->driver, device->serial ? device->serial : "any", (unsigned)id->vendor,
		    (unsigned)id->device);
	if (id->subvendor != PCI_ANY && id->subdevice != PCI_ANY)
		strbuf_addf(b, " 0x%04x 0x%04x", (unsigned)id->subvendor, (unsigned)id->subdevice);
	strbuf_addc(b, '\n');
}

/*
 * Built-in drivers have their devices before any script runs. The module comes first, so that a
 * device whose new driver failed to load stays where it is (fact 7.6). Readlink and sleep are all
 * that a small image is sure to have beside the shell.
 */
static const char script_take[] =
	"\n"
	"# An unbind may never come to an end; the boot does not wait for it.\n"
	"late=\n"
	"trap 'late=yes' USR1\n"
	"{\n"
	"\tsleep 5\n"
	"\tkill -USR1 $$\n"
	"} &\n"
	"timer=$!\n"
	"\n"
	"# take ADDRESS DRIVER: from the built-in driver that has it\n"
	"take()\n"
	"{\n"
	"\tdev=/sys/bus/pci/devices/$1\n"
	"\twas=$(readlink \"$dev/driver\") || return\n"
	"\twas=${was##*/}\n"
	"\t[ \"$was\" != \"$2\" ] && is driver_override \"$2\" || return\n"
	"\tif [ ! -e \"/sys/bus/pci/drivers/$2\" ]; then\n"
	"\t\tsay \"$1 stays on $was: $2 could not be loaded\"\n"
	"\t\treturn\n"
	"\tfi\n"
	"\t{\n"
	"\t\techo \"$1\" >\"$dev/driver/unbind\"\n"
	"\t\techo \"$1\" >/sys/bus/pci/drivers_probe\n"
	"\t} &\n"
	"\t[ \"$late\" ] || wait $!\n"
	"\tnow=$(readlink \"$dev/driver\")\n"
	"\tif [ \"${now##*/}\" = \"$2\" ]; then\n"
	"\t\tsay \"$1 taken from $was\"\n"
	"\telif [ \"$late\" ]; then\n"
	"\t\tsay \"$was has not let go of $1 yet: the boot goes on\"\n"
	"\telse\n"
	"\t\tsay \"$2 did not take $1 from $was\"\n"
	"\tfi\n"
	"}\n"
	"\n";

static bool any_rebind(const struct early_wish *wish)
{
	array_foreach(device, &wish->overrides)
		if (device->rebind)
			return true;
	return false;
}

static void render_take(struct strbuf *b, const struct early_wish *wish)
{
	char addr[PCI_ADDR_TEXT_SIZE];

	if (!any_rebind(wish))
		return;
	strbuf_add(b, script_take);
	array_foreach(device, &wish->overrides)
		if (device->rebind)
			strbuf_addf(b, "take %s %s\n", pci_addr_format(device->addr, addr),
				    device->driver);
	strbuf_add(b, "kill \"$timer\"\n");
}

/* Loading comes after: a driver takes the devices that name it when it is loaded (fact 7.9). */
static void render_script(struct strbuf *b, const struct early_wish *wish, const struct words *all)
{
	if (early_wish_empty(wish))
		return;
	strbuf_add(b, script_head);
	if (wish->overrides.n)
		strbuf_add(b, script_claim);
	array_foreach(device, &wish->overrides)
		render_claim(b, device);
	if (wish->overrides.n)
		strbuf_addc(b, '\n');
	array_foreach(name, all)
		strbuf_addf(b, "/sbin/modprobe -q -b %s\n", *name);
	render_take(b, wish);
	strbuf_add(b, "exit 0\n");
}

static int render(struct arena *a, const struct host *host _unused_, const struct early_wish *wish,
		  size_t i, const char **ret, unsigned *ret_mode)
{
	static void (*const texts[])(struct strbuf *, const struct early_wish *,
				     const struct words *) = {render_hook, render_script};
	_cleanup_strbuf_ struct strbuf b = {};
	struct words all = {};
	int r;

	if (i >= ARRAY_LEN(texts) || !early_wish_safe(wish))
		return -EINVAL;
	r = early_modules(a, wish, &all);
	if (r < 0)
		return r;
	texts[i](&b, wish, &all);
	r = strbuf_to_arena(&b, a, ret);
	if (r == 0)
		*ret_mode = 0755; /* what is not executable is passed over */
	return r;
}

/*
 * One kernel a call: with "all" the first that fails stops the rest (fact 5.2). On Proxmox hosts
 * a variable keeps each image from refreshing the ESPs; that is done once, after all (4.14). The
 * other keeps Debian's hook from having an entry written (3.8, 3.12), which is a step of its own.
 */
/* Sourced by mkinitramfs and update-initramfs (5.3, 5.9). */
static const char *const check[] = {SOURCES_SOUND("sh",
						  "/etc/initramfs-tools/initramfs.conf "
						  "/etc/initramfs-tools/update-initramfs.conf "
						  "/etc/initramfs-tools/conf.d/*")};

/*
 * Runs for different kernels share no file but what hooks make (5.6, 5.8). Those of others may copy
 * to an ESP or refresh a boot loader, all at once then: only such as do nothing in this environment
 * are put up with (3.12, 4.14).
 */
static bool may_run_beside(const struct host *host, const struct step *step)
{
	static const struct {
		const char *hook, *env;
	} idle[] = {{"proxmox-boot-sync", "INITRAMFS_TOOLS_KERNEL_HOOK=1"},
		    {"systemd-boot", "KERNEL_INSTALL_BYPASS=1"}};

	array_foreach(it, &host->image_hooks) {
		bool harmless = false;

		for (size_t i = 0; i < ARRAY_LEN(idle); i++)
			harmless = harmless || (strcmp(*it, idle[i].hook) == 0 &&
						words_has(&step->env, idle[i].env));
		if (!harmless)
			return false;
	}
	return true;
}

static int command_for(struct arena *a, const struct host *host, const struct host_kernel *kernel,
		       struct step *step)
{
	bool fresh = kernel->image.status == IMAGE_ABSENT;
	const char *argv[] = {"update-initramfs", fresh ? "-c" : "-u", "-k", kernel->version};
	const char *esps[] = {"INITRAMFS_TOOLS_KERNEL_HOOK=1"};
	const char *entries[] = {"KERNEL_INSTALL_BYPASS=1"};
	const char *image = early_image_path(a, host, kernel, formats);

	if (!image || words_push(a, &step->argv, argv, ARRAY_LEN(argv)) < 0 ||
	    words_push(a, &step->check, check, ARRAY_LEN(check)) < 0)
		return -ENOMEM;
	if (host->boot.proxmox && words_push(a, &step->env, esps, ARRAY_LEN(esps)) < 0)
		return -ENOMEM;
	if ((systemd_boot_installs(host) || unified_installs(host)) &&
	    words_push(a, &step->env, entries, ARRAY_LEN(entries)) < 0)
		return -ENOMEM;
	step->produces = image;
	step->beside = may_run_beside(host, step);
	return 0;
}

/* The offset of the line of ORDER that calls script, -1 without one. */
static long order_of(const char *order, const char *script)
{
	size_t n = strlen(script);

	for (const char *line = order; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (line[0] == '/' && strncmp(line + 1, script, n) == 0 && line[1 + n] == ' ')
			return line - order;
	}
	return -1;
}

static bool proof_order(const struct host_kernel *kernel, struct arena *a, const char **ret_why)
{
	const struct image_file *order = image_file(&kernel->image, IN_ORDER);
	long ours = order ? order_of(order->text, IN_SCRIPT) : -1;
	long udev = order ? order_of(order->text, IN_UDEV) : -1;

	if (ours < 0)
		return early_disproof(a, ret_why, "%s does not call " IN_SCRIPT,
				      kernel->image.path);
	if (udev >= 0 && udev < ours)
		return early_disproof(a, ret_why, "%s calls " IN_SCRIPT " only after udev",
				      kernel->image.path);
	return true;
}

static bool proof(const struct early_wish *wish, const struct host_kernel *kernel, struct arena *a,
		  const char **ret_why)
{
	const char *rules = "", *script = "";
	unsigned mode;
	int r;

	if (!early_proof_modules(wish, kernel, a, ret_why))
		return false;
	r = udev_rules_render(a, wish, &rules);
	if (r == 0)
		r = render(a, NULL, wish, 1, &script, &mode);
	if (r < 0)
		return early_unwritten(ret_why, r);
	/* Other hooks than Debian's leave the rule where it is on the host; udevd reads both. */
	if (!early_proof_file(kernel, image_file(&kernel->image, AS_RULES) ? AS_RULES : IN_RULES,
			      rules, a, ret_why) ||
	    !early_proof_file(kernel, IN_SCRIPT, script, a, ret_why) ||
	    !early_proof_program(wish, kernel, a, ret_why))
		return false;
	return early_wish_empty(wish) || proof_order(kernel, a, ret_why);
}

const struct initramfs_builder initramfs_tools = {
	.name = "initramfs-tools",
	.command = "update-initramfs",
	.image_formats = formats,
	.owned = owned,
	.render = render,
	.command_for = command_for,
	.proof = proof,
};
