# SPDX-License-Identifier: GPL-2.0-or-later
"""extlinux.py CTL [CASE...]: the command over small hosts that U-Boot starts by an extlinux.conf.

As chains.py; u-boot-update is a stand-in that does what that of u-boot-menu does (2.25).
"""

from roots import KVER, codes, lasting, main, registry, states, untouched, wrong

CONF = "/boot/extlinux/extlinux.conf"
DEFAULTS = "/etc/default/u-boot"
DROPIN = "/etc/u-boot-menu/conf.d/90-passthroughd.conf"
CMDLINE = "/etc/kernel/cmdline"
SPEC = "kernel-flags: [pcie_aspm=off, a.b=c]\n"
FLAGS = " pcie_aspm=off a.b=c"

UPDATE = r"""#!/bin/sh
set -e
echo u-boot-update >> /var/log/builders
[ -e /etc/default/u-boot ] && . /etc/default/u-boot
%s
[ "${U_BOOT_UPDATE:-true}" = true ] || exit 0
if [ -z "$U_BOOT_PARAMETERS" ] && [ -f /etc/kernel/cmdline ]; then
	U_BOOT_PARAMETERS=$(sed -e 's/root=[^ ]* *//' /etc/kernel/cmdline)
fi
U_BOOT_PARAMETERS=${U_BOOT_PARAMETERS:-ro quiet}
{
	echo "## Do not edit, use: u-boot-update"
	for kernel in /boot/vmlinuz-*; do
		v=${kernel#/boot/vmlinuz-}
		for more in "" " single"; do
			echo
			echo "label $v$more"
			echo "	linux $kernel"
			echo "	initrd /boot/initrd.img-$v"
			echo "	append root=UUID=abcd $U_BOOT_PARAMETERS$more"
		done
	done
} > $0.new
mv $0.new /boot/extlinux/extlinux.conf
"""
FOLDERS = 'for f in /usr/share/u-boot-menu/conf.d/*.conf /etc/u-boot-menu/conf.d/*.conf; do\n[ ! -e "$f" ] || . "$f"\ndone'

CASES, case = registry()


def conf(parameters):
    return "## Do not edit, use: u-boot-update\n" + "".join(
        "\nlabel %s%s\n\tlinux /boot/vmlinuz-%s\n\tinitrd /boot/initrd.img-%s\n\tappend root=UUID=abcd %s%s\n" % (
            KVER, more, KVER, KVER, parameters, more) for more in ("", " single"))


def use_u_boot(host, parameters="rootwait quiet", defaults='U_BOOT_PARAMETERS="rootwait quiet"\n', folders=FOLDERS):
    for name in ("/usr/sbin/update-grub", "/usr/sbin/grub-mkconfig", "/boot/grub/grub.cfg", "/etc/default/grub"):
        host.remove(name)
    host.write("/proc/cmdline", "root=UUID=abcd %s\n" % parameters)
    host.write("/usr/sbin/u-boot-update", UPDATE % folders, 0o755)
    host.write(CONF, conf(parameters))
    if defaults is not None:
        host.write(DEFAULTS, defaults)


def goes_round(host, tally, expected):
    """Apply, apply again, take back; expected: the parameters with our flags."""
    before, text = host.snapshot(), host.read(CONF)
    host.spec(SPEC)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("extlinux.conf has the flags", host.read(CONF), conf(expected))
    tally.equal("one run", host.log(), ["u-boot-update"])
    tally.equal("armed", set(states(host.json("plan")[1]).values()), {"armed"})
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])
    host.remove("/etc/passthroughd/host.yaml")
    code, report = host.json("apply")
    tally.check("without a spec it goes back", code in (0, 3), report)
    tally.equal("files are as they were", [name for name in wrong(before, host.snapshot())
                                           if not name.startswith("/run/reboot-required")], [])
    tally.equal("so is extlinux.conf", host.read(CONF), text)


@case()
def folder(host, tally):
    """a file of ours where u-boot-update reads a folder"""
    use_u_boot(host)
    goes_round(host, tally, "rootwait quiet" + FLAGS)


@case()
def nothing_set(host, tally):
    """no line is set: what stands in for it stays"""
    use_u_boot(host, "ro quiet", None)
    goes_round(host, tally, "ro quiet" + FLAGS)


@case()
def kernel_cmdline(host, tally):
    """the line is that of /etc/kernel/cmdline: flags go there"""
    use_u_boot(host, "ro panic=1", "# U_BOOT_PARAMETERS=\n")
    host.write(CMDLINE, "root=UUID=abcd ro panic=1\n")
    goes_round(host, tally, "ro panic=1" + FLAGS)


@case()
def no_folder(host, tally):
    """an older u-boot-update reads no folder: the shared file is edited, token by token"""
    use_u_boot(host, folders="")
    host.write(DROPIN, "# somebody's\n")
    goes_round(host, tally, "rootwait quiet" + FLAGS)


@case()
def switched_off(host, tally):
    """U_BOOT_UPDATE switches it off, and it says that all is well: refused, nothing is written"""
    use_u_boot(host, defaults='U_BOOT_PARAMETERS="rootwait quiet"\nU_BOOT_UPDATE="false"\n')
    host.spec(SPEC)
    before = host.without_notes()
    code, report = host.json("apply")
    tally.check("apply: exit 4, and why", code == 4 and "U_BOOT_UPDATE" in str(report["diagnostics"]), report)
    untouched(tally, "apply", before, host.without_notes())


@case()
def no_command(host, tally):
    """extlinux.conf without u-boot-update: refused, nothing is written"""
    use_u_boot(host)
    host.remove("/usr/sbin/u-boot-update")
    host.spec(SPEC)
    before = host.without_notes()
    code, report = host.json("apply")
    tally.check("apply: exit 4, no-builder", code == 4 and "no-builder" in codes(report), report)
    untouched(tally, "apply", before, host.without_notes())


if __name__ == "__main__":
    main("extlinux", CASES)
