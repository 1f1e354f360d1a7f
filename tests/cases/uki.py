# SPDX-License-Identifier: GPL-2.0-or-later
"""uki.py CTL [CASE...]: the command over small hosts that boot unified kernel images.

As roots.py; the tools are stand-ins that do what the platform facts say of them, by their numbers, and write real PE
files.
"""

import json
import re
import subprocess

import arch
import pe
from roots import GUIDE, KVER, codes, items, lasting, main, registry, states, untouched, wrong

TOKEN = "0123456789abcdef0123456789abcdef"
UKI = "/boot/efi/EFI/Linux/%s-%s.efi" % (TOKEN, KVER)
LINE = "root=UUID=abcd ro quiet"
CMDLINE = "/etc/kernel/cmdline"
BUILD = "update-initramfs -u -k " + KVER
INSTALL = "kernel-install add %s /boot/vmlinuz-%s /boot/initrd.img-%s" % (KVER, KVER, KVER)
FLAG = "kernel-flags: [pcie_aspm=off]\n"

# ukify FOLDER OUT [signed]: a PE file whose sections are those of the folder's files that are there.
UKIFY = r"""#!/bin/sh
set -e
le() { n=$1 i=0; while [ $i -lt "$2" ]; do printf "\\$(printf %03o $((n & 255)))"; n=$((n >> 8)) i=$((i + 1)); done; }
size() { wc -c < "$1" | tr -d ' '; }
padded() { echo $((($1 + 511) / 512 * 512)); }
cd "$1"
h=/tmp/ukify.$$ b=/tmp/ukify.$$.body out=$2 signed=$3
set --
for s in .osrel .cmdline .uname .initrd .linux; do [ ! -e $s ] || set -- "$@" $s; done
at=$(padded $((64 + 24 + 240 + 40 * $#)))
end=$at
for s; do end=$((end + $(padded $(size $s)))); done
printf MZ > $h
truncate -s 60 $h
{ le 64 4; printf 'PE\0\0'; le 34404 2; le $# 2; le 0 12; le 240 2; le 34 2; le 523 2; } >> $h
truncate -s 196 $h
le 16 4 >> $h
truncate -s 232 $h
[ -z "$signed" ] || { le $end 4; le 16 4; } >> $h
truncate -s 328 $h
: > $b
for s; do
	printf %s $s > $h.name
	truncate -s 8 $h.name
	{ cat $h.name; le $(size $s) 4; le $((65536 + at)) 4; le $(padded $(size $s)) 4; le $at 4; le 0 12; le 0 4; } >> $h
	cat $s >> $b
	truncate -s $(padded $(size $b)) $b
	at=$((at + $(padded $(size $s))))
done
truncate -s $(padded $(size $h)) $h
[ -z "$signed" ] || printf '\20\0\0\0\0\2\2\0PKCS 7..' >> $b
cat $h $b > "$out"
rm $h $h.name $b
"""

# 3.6, 3.8, 3.11, 3.13: with another layout nothing is written and all is well; the line is /etc/kernel/cmdline's, else
# the running one's, in words; an old image goes before the new one is there.
KERNEL_INSTALL = r"""#!/bin/sh
set -e
[ "$KERNEL_INSTALL_BYPASS" = 1 ] && exit 0
echo "kernel-install $*" >> /var/log/builders
[ "$1" = add ]
v=$2 kernel=$3
shift 3
token=$(cat /etc/machine-id)
[ -e /layout-other ] && exit 0
grep -q '^layout=uki$' /etc/kernel/install.conf || exit 0
w=/tmp/uki.$$
mkdir -p $w
if [ -e /old-line ]; then
	options=$(cat /old-line)
elif [ -f /etc/kernel/cmdline ]; then
	options=$(tr '\n' ' ' < /etc/kernel/cmdline)
else
	options=$(tr ' ' '\n' < /proc/cmdline | grep -v -e '^BOOT_IMAGE=' -e '^initrd=' -e '^systemd.machine_id=' | tr '\n' ' ')
fi
printf ' %s' "${options% } systemd.machine_id=$token" > $w/.cmdline
[ $# -gt 0 ] || { dracut -q --force /tmp/initrd.$$ $v; set -- /tmp/initrd.$$; }
cat "$@" > $w/.initrd
cp "$kernel" $w/.linux
printf %s "$v" > $w/.uname
echo ID=debian > $w/.osrel
signed=$(grep -s '^SecureBootPrivateKey=' /etc/kernel/uki.conf) || :
[ -e /forget-key ] && signed=
tries=
[ -f /etc/kernel/tries ] && tries=+$(cat /etc/kernel/tries)
out=/boot/efi/EFI/Linux/$token-$v$tries.efi
rm -f /boot/efi/EFI/Linux/$token-$v.efi
[ -e /fail-esp ] && { printf MZ > $out; echo "install: No space left on device" >&2; exit 1; }
ukify $w $out "$signed"
rm -rf $w
"""

# 5.20 to 5.23: its configuration is sourced; what is forced is loaded before udev. 3.15: in a unified image the line is
# kernel_cmdline=, which says all or nothing; what is not set comes from elsewhere. No version stands inside.
DRACUT = r"""#!/bin/sh
set -e
echo "dracut $*" >> /var/log/builders
[ -e /idle-dracut ] && exit 0
[ -e /etc/dracut.conf ] && . /etc/dracut.conf
d=/usr/lib/dracut/dracut.conf.d
for f in $(ls /etc/dracut.conf.d $d 2>/dev/null | grep 'conf$' | sort -u); do
	[ -e /etc/dracut.conf.d/$f ] && f=/etc/dracut.conf.d/$f || f=$d/$f
	eval "$(sed 's/^\([a-z_]*\)+=/\1=$\1/' $f)"
done
for last; do out=${v:-$out} v=$last; done
w=/tmp/dracut.$$
mkdir -p $w/etc/modprobe.d $w/etc/udev/rules.d $w/etc/cmdline.d $w/usr/lib/modules/$v/kernel
cp /etc/modprobe.d/* $w/etc/modprobe.d/
for f in $install_optional_items; do [ -e "$f" ] && cp "$f" $w$f; done
list=
for m in $force_drivers; do : > $w/usr/lib/modules/$v/kernel/$m.ko; list=$list,$m; done
for m in $(cat /usr/share/image-modules); do : > $w/usr/lib/modules/$v/kernel/$m.ko; done
[ -z "$list" ] || echo "rd.driver.pre=${list#,}" > $w/etc/cmdline.d/20-force_drivers.conf
for a; do [ "$a" = --uefi ] && uefi=yes; done
if [ "$uefi" = yes ]; then
	u=/tmp/uki.$$
	mkdir -p $u
	(cd $w && find . | cpio -o -H newc) > $u/.initrd 2>/dev/null
	[ -e /old-line ] && kernel_cmdline=$(cat /old-line)
	printf '%s\0' "${kernel_cmdline:-$(cat $w/etc/cmdline.d/*.conf)}" > $u/.cmdline
	cp /lib/modules/$v/vmlinuz $u/.linux
	echo ID=fedora > $u/.osrel
	[ -e /fail-esp ] && { rm -f $out; echo "cp: No space left on device" >&2; exit 1; }
	ukify $u $out "${uefi_secureboot_key:+$uefi_secureboot_cert}"
	rm -rf $u
else
	(cd $w && find . | cpio -o -H newc) > $out 2>/dev/null
fi
rm -rf $w
"""

# 3.14: the line is that of /etc/kernel/cmdline without comments, else the running one.
MKINITCPIO = arch.MKINITCPIO.replace('''		[[ -n "${!image}" ]] || continue
		words+=(-g "${!image}" ${!options})
		FROM_PRESET=1 "$me" "${words[@]}" || ret=1
''', r'''		uki="${p}_uki" u=/tmp/uki.$$
		[[ -n "${!image}" || -n "${!uki}" ]] || continue
		mkdir -p $u
		words+=(-g "${!image:-$u/.initrd}" ${!options})
		FROM_PRESET=1 "$me" "${words[@]}" || ret=1
		[[ -n "${!uki}" && ! -e /lie-idle ]] || continue
		read -r _ v < "$ALL_kver"
		cp "$ALL_kver" $u/.linux
		printf %s "$v" > $u/.uname
		echo ID=arch > $u/.osrel
		lines=/proc/cmdline
		[[ -f /etc/kernel/cmdline ]] && lines=/etc/kernel/cmdline
		[[ -e /old-line ]] && lines=/old-line
		printf '%s\n\0' "$(grep '^[^#]' $lines | tr -s '\n' ' ')" > $u/.cmdline
		ukify $u "${!uki}" "$(grep -s ^SecureBootPrivateKey= /etc/kernel/uki.conf)"
		rm -r $u
''')

# Debian's hook for kernel-install behind each image that is made (3.12).
HOOK = """
kernel-install add "$v" "/boot/vmlinuz-$v" "/boot/initrd.img-$v"
"""

GUID = "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
GLOBAL = "-8be4df61-93ca-11d2-aa0d-00e098032b8c"
PLUGINS = ("60-ukify.install", "90-uki-copy.install")

CASES, case = registry()


def raw(host, name):
    with open(host.full(name), "rb") as data:
        return data.read()


def sections(host, name=UKI):
    return pe.read(raw(host, name))


def line_of(host, name=UKI):
    return sections(host, name)[0][".cmdline"].decode().strip()


def unified(host, kver=KVER, line=LINE, signature=False):
    return pe.make([(".osrel", b"ID=debian\n"), (".cmdline", (line + " systemd.machine_id=" + TOKEN).encode()),
                    (".uname", kver.encode()), (".initrd", raw(host, "/boot/initrd.img-" + kver)),
                    (".linux", b"kernel\n")], signature)


def set_secure(host, on):
    host.write("/sys/firmware/efi/efivars/SecureBoot" + GLOBAL, b"\6\0\0\0" + (b"\1" if on else b"\0"))


def use_uki(host, signature=False):
    """Debian's tools with layout=uki, and nothing of GRUB's."""
    for name in ("/usr/sbin/update-grub", "/usr/sbin/grub-mkconfig", "/boot/grub/grub.cfg", "/etc/default/grub"):
        host.remove(name)
    host.write("/etc/machine-id", TOKEN + "\n")
    for name, text in (("LoaderInfo", "systemd-boot 254.5"), ("StubInfo", "systemd-stub 254.5")):
        host.write("/sys/firmware/efi/efivars/" + name + GUID, b"\6\0\0\0" + (text + "\0").encode("utf-16-le"))
    set_secure(host, False)
    host.write("/proc/cmdline", "%s systemd.machine_id=%s\n" % (LINE, TOKEN))
    host.write("/etc/kernel/install.conf", "layout=uki\n")
    for plugin in PLUGINS:
        host.write("/usr/lib/kernel/install.d/" + plugin, "#!/bin/sh\n", 0o755)
    host.write("/usr/bin/kernel-install", KERNEL_INSTALL, 0o755)
    host.write("/usr/bin/ukify", UKIFY, 0o755)
    for tool in ("tr", "cut", "wc", "truncate", "printf", "[", "sort"):
        host.link("/bin/" + tool, "busybox")
    host.write("/usr/sbin/update-initramfs", host.read("/usr/sbin/update-initramfs") + HOOK, 0o755)
    host.write(UKI, unified(host, signature=signature))


def is_refused(host, tally, what, *words):
    """apply writes nothing, blocks all, and says why in these words."""
    before = host.without_notes()
    code, report = host.json("apply")
    tally.equal("%s: apply: exit 4" % what, code, 4)
    tally.equal("%s: all is blocked" % what, set(states(report).values()), {"blocked"})
    for word in words:
        tally.check("%s: it says %s" % (what, word), word in str(report["diagnostics"]), report["diagnostics"])
    untouched(tally, what + ": apply", before, host.without_notes())


@case()
def life(host, tally):
    """kernel-install with ukify: the image is made anew once, proven by its sections, and taken back to the byte"""
    use_uki(host)
    before, old = host.snapshot(), line_of(host)
    host.spec(GUIDE)
    _, plan = host.json("plan")
    tally.equal("plan: files, initramfs, image", [step["target"] for step in lasting(plan) if "/" not in step["target"]],
                [KVER, "kernel-install " + KVER])
    code, report = host.json("apply")
    tally.check("apply: only a reboot is outstanding", code == 3, report)
    tally.equal("the line begins as the running one", host.read(CMDLINE).split()[:3], LINE.split())
    found, _ = sections(host)
    tally.check("the line inside has the flags", b"intel_iommu=on iommu=pt" in found[".cmdline"], found[".cmdline"])
    tally.check("the initramfs inside is the new one", found[".initrd"] == raw(host, "/boot/initrd.img-" + KVER))
    tally.check("with our rule", b"00-passthroughd.rules" in found[".initrd"])
    tally.equal("the initramfs was made once, the image once (3.8, 3.12)", host.log(), [BUILD, INSTALL])
    code, plan = host.json("plan")
    tally.equal("everything is armed or active", set(states(plan).values()) - {"armed", "active"}, set())
    tally.equal("nothing is left to do", lasting(plan), [])
    host.json("apply")
    tally.equal("and nothing is done", host.log(), [BUILD, INSTALL])
    host.remove("/etc/passthroughd/host.yaml")
    code, report = host.json("apply")
    tally.check("without a spec it goes back", code in (0, 3), report)
    tally.equal("files are as they were", [name for name in wrong(before, host.snapshot())
                                           if not name.startswith("/run/reboot-required")], [])
    tally.equal("so is the line inside", line_of(host), old)
    tally.check("and the initramfs", b"00-passthroughd.rules" not in sections(host)[0][".initrd"])


@case()
def counting(host, tally):
    """kernel-install with ukify: one run a kernel, no initramfs for a flag, no run when nothing changed"""
    use_uki(host)
    second = "6.1.0-9-amd64"
    host.write("/boot/vmlinuz-" + second, "kernel\n")
    host.image(second)
    host.write(UKI.replace(KVER, second), unified(host, second))
    host.spec(FLAG)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("a run each", host.log(), [INSTALL.replace(KVER, second), INSTALL])
    tally.check("both have it", all("pcie_aspm=off" in line_of(host, UKI.replace(KVER, kver)) for kver in (KVER, second)))
    host.json("apply")
    tally.equal("no further run", len(host.log()), 2)
    host.write(UKI.replace(KVER, second), unified(host, second))
    _, plan = host.json("plan")
    tally.equal("only what is behind is made anew", [step["target"] for step in lasting(plan)], ["kernel-install " + second])
    tally.check("and named", UKI.replace(KVER, second) in items(plan)["kernel-flag:pcie_aspm=off"]["reason"], items(plan))
    host.json("apply")
    tally.equal("one more run", host.log()[2:], [INSTALL.replace(KVER, second)])


@case()
def initramfs_behind(host, tally):
    """a unified image whose initramfs is an older one is seen, and made anew without a build"""
    use_uki(host)
    old = raw(host, "/boot/initrd.img-" + KVER)
    host.spec(GUIDE)
    host.json("apply")
    found, _ = sections(host)
    host.write(UKI, pe.make([(name, old if name == ".initrd" else data) for name, data in found.items()]))
    runs = len(host.log())
    _, plan = host.json("plan")
    tally.equal("only the image's step", [step["target"] for step in lasting(plan)], ["kernel-install " + KVER])
    tally.check("it is named", UKI in str(items(plan)["module:vfio_pci"]["reason"]), items(plan))
    host.json("apply")
    tally.equal("one run", host.log()[runs:], [INSTALL])
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])


@case()
def by_plugin(host, tally):
    """kernel and initramfs not in /boot (3.5): kernel-install has dracut make the initramfs, and it is proven inside"""
    use_uki(host)
    host.write("/lib/modules/%s/vmlinuz" % KVER, "kernel\n")
    for name in ("/boot/vmlinuz-" + KVER, "/boot/initrd.img-" + KVER, "/usr/sbin/update-initramfs"):
        host.remove(name)
    host.write("/usr/bin/dracut", DRACUT, 0o755)
    host.write("/usr/lib/kernel/install.d/50-dracut.install", "#!/bin/sh\n", 0o755)
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("one run, and no other", [line for line in host.log() if not line.startswith("dracut")],
                ["kernel-install add %s /lib/modules/%s/vmlinuz" % (KVER, KVER)])
    found, _ = sections(host)
    tally.check("flags and rule are inside", b"iommu=pt" in found[".cmdline"] and
                b"00-passthroughd.rules" in found[".initrd"], found[".cmdline"])
    tally.equal("everything is armed or active", set(states(host.json("plan")[1]).values()) - {"armed", "active"}, set())
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])


@case()
def initramfs_gone(host, tally):
    """the initramfs in /boot is gone, and no plugin makes one: an image made anew would have none"""
    use_uki(host)
    host.remove("/boot/initrd.img-" + KVER)
    host.spec("kernel-flags: [pcie_aspm=off]\n")
    is_refused(host, tally, "no initramfs in /boot", "no longer in /boot")


@case()
def layout_other(host, tally):
    """kernel-install writes nothing and says that all is well (3.6): found out, taken back"""
    use_uki(host)
    host.write("/layout-other", "")
    before, old = host.snapshot(), raw(host, UKI)
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.equal("apply: exit 1", code, 1)
    tally.check("it is named", "no-effect" in codes(report) and "kernel-install" in str(report["diagnostics"]), report)
    host.remove("/etc/passthroughd/host.yaml")
    tally.equal("files are as they were", wrong(before, host.snapshot()), [])
    tally.check("so is the image", raw(host, UKI) == old)


@case()
def old_line(host, tally):
    """a new image with the line of before, as a plugin's own configuration may put there: not called done"""
    use_uki(host)
    host.write("/old-line", LINE)
    host.spec(FLAG)
    code, report = host.json("apply")
    tally.check("apply does not say that it is done", code in (1, 2, 4), report)
    code, plan = host.json("plan")
    tally.check("nor does plan", states(plan)["kernel-flag:pcie_aspm=off"] not in ("armed", "active"), plan)
    tally.check("the image is named", UKI in str(plan), plan)


@case()
def esp_full(host, tally):
    """the ESP is full half way: files go back, and the image is made again of them"""
    use_uki(host)
    before = host.snapshot()
    host.spec(GUIDE)
    host.write("/fail-esp", "")
    code, report = host.json("apply")
    tally.equal("apply: exit 1", code, 1)
    tally.check("with its last words", "No space left on device" in str(report), report)
    tally.equal("what is left of it is no image", raw(host, UKI), b"MZ")
    host.remove("/fail-esp")
    host.remove("/etc/passthroughd/host.yaml")
    tally.equal("files are as they were", wrong(before, host.snapshot()), [])
    tally.check("it was tried again for the old state", host.log().count(INSTALL) == 2, host.log())
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("with room it converges", code == 3, report)
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])


@case()
def tries(host, tally):
    """boot counting (3.11): the name has the count, before and after"""
    use_uki(host)
    counted = UKI.replace(".efi", "+3.efi")
    host.write("/etc/kernel/tries", "3\n")
    host.write(UKI.replace(".efi", "+1-2.efi"), raw(host, UKI))
    host.remove(UKI)
    host.spec(FLAG)
    _, plan = host.json("plan")
    tally.equal("it is known by that name", [step["target"] for step in lasting(plan)], [CMDLINE, "kernel-install " + KVER])
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.check("the new one has the flag", "pcie_aspm=off" in line_of(host, counted))
    tally.check("the former one is gone", not host.exists(UKI.replace(".efi", "+1-2.efi")))
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])


@case()
def foreign(host, tally):
    """another system's image on the same ESP is none of ours"""
    use_uki(host)
    name, other = UKI.replace(TOKEN, "f" * 32), unified(host, line="root=UUID=other")
    host.write(name, other)
    host.write("/boot/efi/EFI/Linux/memtest.efi", pe.make([(".text", b"code")]))
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])
    tally.check("it is as it was", raw(host, name) == other)


# What is there instead of layout=uki with ukify, and the words of the refusal.
UNKNOWN = [
    ("nothing", {"/etc/kernel/install.conf": None}, ["layout=uki"]),
    ("another layout", {"/etc/kernel/install.conf": "layout=bls\n"}, ["layout=uki"]),
    ("a drop-in of 256", {"/etc/kernel/install.conf.d/9.conf": "layout=bls\n"}, ["layout=uki"]),
    ("another generator", {"/etc/kernel/install.conf": "layout=uki\nuki_generator=dracut\n"}, ["dracut"]),
    ("no ukify", {"/usr/bin/ukify": None}, ["ukify"]),
    ("no kernel-install", {"/usr/bin/kernel-install": None}, ["kernel-install"]),
    ("a plugin switched off (3.8)", {"/etc/kernel/install.d/60-ukify.install": "-> /dev/null"}, ["60-ukify"]),
    ("mkinitcpio", {"/etc/kernel/install.conf": None,
                    "/etc/mkinitcpio.d/linux.preset": 'default_uki="/efi/EFI/Linux/a.efi"\n'}, ["mkinitcpio", ".preset"]),
    ("two makers", {"/etc/dracut.conf.d/uki.conf": 'uefi="yes"\n'}, ["layout=uki", "dracut.conf.d/uki.conf"]),
    ("another name", {UKI: None, "/boot/efi/EFI/Linux/debian.efi": "image"}, ["debian.efi"]),
    ("none to be seen", {UKI: None}, ["mounted"]),
]


@case()
def unknown(host, tally):
    """what makes the images is not known, or not whole: refused by name, nothing is written"""
    use_uki(host)
    host.spec(GUIDE)
    for what, files, words in UNKNOWN:
        saved = {name: raw(host, name) if host.exists(name) else None for name in files}
        image = raw(host, UKI)
        for name, text in files.items():
            if text is None:
                host.remove(name)
            elif text.startswith("-> "):
                host.link(name, text[3:])
            else:
                host.write(name, image if text == "image" else text)
        is_refused(host, tally, what, "unified", *words)
        for name, data in saved.items():
            if host.exists(name):
                host.remove(name)
            if data is not None:
                host.write(name, data, 0o755 if "bin/" in name else 0o644)
    code, report = host.json("apply")
    tally.check("as it was before it converges", code == 3, report)


DRACUT_CONF = "/etc/dracut.conf.d/uki.conf"
DROPIN = "/etc/dracut.conf.d/zz-passthroughd.conf"
BY_DRACUT = "/boot/efi/EFI/Linux/linux-%s-%s.efi" % (KVER, TOKEN)
DRACUT_RUN = "dracut -q --force --uefi %s %s" % (BY_DRACUT, KVER)


def use_dracut(host, signature=False):
    """dracut with uefi=yes, and nothing of kernel-install's."""
    use_uki(host)
    found, _ = sections(host)
    for name in (UKI, "/usr/bin/kernel-install", "/etc/kernel/install.conf", "/usr/sbin/update-initramfs",
                 "/boot/initrd.img-" + KVER, "/boot/vmlinuz-" + KVER):
        host.remove(name)
    host.write("/lib/modules/%s/vmlinuz" % KVER, "kernel\n")
    host.write("/usr/bin/dracut", DRACUT, 0o755)
    host.write(DRACUT_CONF, 'uefi="yes"\nkernel_cmdline="%s"\n' % LINE)
    host.write("/proc/cmdline", LINE + "\n")
    del found[".uname"]
    found[".cmdline"] = LINE.encode() + b"\0"
    host.write(BY_DRACUT, pe.make(list(found.items()), signature))


@case()
def dracut_life(host, tally):
    """dracut with uefi=yes (3.15): its own line has the flags; the image is made once, and taken back to the byte"""
    use_dracut(host)
    before = host.snapshot()
    host.spec(GUIDE)
    _, plan = host.json("plan")
    tally.equal("plan: one run", [step["target"] for step in lasting(plan) if not step["target"].startswith("/")],
                ["dracut --uefi " + KVER])
    code, report = host.json("apply")
    tally.check("apply: only a reboot is outstanding", code == 3, report)
    found, _ = sections(host, BY_DRACUT)
    tally.equal("the line inside", found[".cmdline"].rstrip(b"\0").decode(), LINE + " intel_iommu=on iommu=pt")
    tally.check("our rule is inside", b"00-passthroughd.rules" in found[".initrd"])
    tally.equal("one run", host.log(), [DRACUT_RUN])
    tally.check("nothing in /etc/kernel/cmdline", not host.exists(CMDLINE))
    code, plan = host.json("plan")
    tally.equal("everything is armed or active", set(states(plan).values()) - {"armed", "active"}, set())
    tally.equal("nothing is left to do", lasting(plan), [])
    host.json("apply")
    tally.equal("and nothing is done", host.log(), [DRACUT_RUN])
    _, text, _ = host.ctl("explain", "boot")
    tally.check("explain boot says what makes it", DRACUT_CONF + " says uefi=yes" in " ".join(text.split()), text)
    host.remove("/etc/passthroughd/host.yaml")
    code, report = host.json("apply")
    tally.check("without a spec it goes back", code in (0, 3), report)
    tally.equal("files are as they were", [name for name in wrong(before, host.snapshot())
                                           if not name.startswith("/run/reboot-required")], [])
    tally.equal("so is the line inside", line_of(host, BY_DRACUT).rstrip("\0"), LINE)


# The administrator's configuration, whether ours can be added to it, and what is said otherwise.
DRACUT_LINES = [
    ({DRACUT_CONF: 'uefi="yes"\nkernel_cmdline="root=UUID=abcd ro"\nkernel_cmdline+=" quiet"\n'}, None),
    ({DRACUT_CONF: "uefi=yes\n", "/etc/dracut.conf": "kernel_cmdline='root=UUID=abcd ro quiet'\n"}, None),
    # The same name in /etc counts (5.20).
    ({DRACUT_CONF: "uefi=yes\n", "/usr/lib/dracut/dracut.conf.d/a.conf": 'kernel_cmdline="root=x pcie_aspm=force"\n',
      "/etc/dracut.conf.d/a.conf": 'kernel_cmdline="%s"\n' % LINE}, None),
    ({DRACUT_CONF: 'uefi="yes"\n'}, "kernel_cmdline="),
    ({DRACUT_CONF: 'uefi="yes"\nkernel_cmdline="$(cat /line)"\n'}, "uki.conf:2"),
    ({DRACUT_CONF: 'uefi="yes"\nL=(root=UUID=abcd ro)\nkernel_cmdline="${L[*]}"\n'}, "uki.conf"),
    ({"/etc/dracut.conf.d/zzz.conf": 'kernel_cmdline="%s"\n' % LINE}, "zzz.conf"),
    ({DRACUT_CONF: 'uefi="yes"\nkernel_cmdline="%s pcie_aspm=force"\n' % LINE}, "pcie_aspm=force"),
    ({"/usr/sbin/update-initramfs": "#!/bin/sh\n"}, "another initramfs builder"),
    ({"/boot/initrd.img-" + KVER: "image"}, "as well"),
    ({"/usr/bin/dracut": None}, "dracut"),
]


@case()
def dracut_lines(host, tally):
    """dracut with uefi=yes: a line that can be followed is added to, another is refused with its place"""
    use_dracut(host)
    old = raw(host, BY_DRACUT)
    for files, refusal in DRACUT_LINES:
        saved = {name: raw(host, name) if host.exists(name) else None for name in files}
        for name, text in files.items():
            if text is None:
                host.remove(name)
            else:
                host.write(name, text, 0o755 if "bin/" in name else 0o644)
        host.spec(FLAG)
        if refusal:
            is_refused(host, tally, str(files), refusal)
        else:
            code, report = host.json("apply")
            tally.check("%s: apply: exit 3" % files, code == 3, report)
            tally.equal("%s: the line inside" % files, line_of(host, BY_DRACUT).rstrip("\0"), LINE + " pcie_aspm=off")
            tally.equal("%s: nothing is left to do" % files, lasting(host.json("plan")[1]), [])
        host.remove("/etc/passthroughd/host.yaml")
        host.ctl("revert")
        tally.check("%s: ours is gone" % files, not host.exists(DROPIN))
        for name, data in saved.items():
            if host.exists(name):
                host.remove(name)
            if data is not None:
                host.write(name, data, 0o755 if "bin/" in name else 0o644)
        host.write(BY_DRACUT, old)


@case()
def dracut_lies(host, tally):
    """dracut with uefi=yes: nothing written, an old line, a full ESP: found out, and taken back"""
    use_dracut(host)
    before, old = host.snapshot(), raw(host, BY_DRACUT)
    host.spec(FLAG)
    host.write("/idle-dracut", "")
    code, report = host.json("apply")
    tally.check("an idle one is found out", code == 1 and "no-effect" in codes(report), report)
    tally.check("the image is as it was", raw(host, BY_DRACUT) == old)
    host.remove("/idle-dracut")
    host.write("/old-line", LINE)
    code, report = host.json("apply")
    tally.check("an old line is not called done", code in (1, 2, 4) and
                states(host.json("plan")[1])["kernel-flag:pcie_aspm=off"] not in ("armed", "active"), report)
    host.remove("/old-line")
    host.write("/fail-esp", "")
    code, report = host.json("apply")
    tally.check("a full ESP: exit 1, with its last words", code == 1 and "No space left" in str(report), report)
    host.remove("/fail-esp")
    host.write(BY_DRACUT, old)
    code, report = host.json("apply")
    tally.check("with room it converges", code == 3, report)
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])
    host.remove("/etc/passthroughd/host.yaml")
    host.json("apply")
    tally.equal("files are as they were", [name for name in wrong(before, host.snapshot())
                                           if not name.startswith("/run/reboot-required")], [])


@case()
def dracut_signed(host, tally):
    """dracut with uefi=yes, Secure Boot: made anew only with a key in its configuration"""
    use_dracut(host, signature=True)
    set_secure(host, True)
    host.spec(FLAG)
    is_refused(host, tally, "no key", "signed")
    host.write("/etc/dracut.conf.d/key.conf", 'uefi_secureboot_cert="/k.crt"\nuefi_secureboot_key="/k.key"\n')
    code, report = host.json("apply")
    tally.check("with one it is signed", code == 3 and sections(host, BY_DRACUT)[1], report)
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])


ARCH = "/boot/efi/EFI/Linux/arch-linux.efi"
PRESET = 'ALL_kver="/boot/vmlinuz-linux"\nPRESETS=(\'default\')\n#default_image="/boot/initramfs-linux.img"\n' \
    'default_uki="%s"\n' % ARCH


def use_mkinitcpio(host):
    """Arch Linux with a preset that makes a unified image, and no initramfs."""
    arch.use_arch(host)
    for name in ("/usr/bin/grub-mkconfig", "/boot/grub/grub.cfg", "/etc/default/grub", "/boot/initramfs-linux.img"):
        host.remove(name)
    host.write("/sys/firmware/efi/efivars/StubInfo" + GUID, b"\6\0\0\0" + "systemd-stub 258\0".encode("utf-16-le"))
    set_secure(host, False)
    host.write("/proc/cmdline", LINE + "\n")
    host.write("/usr/bin/mkinitcpio", MKINITCPIO, 0o755)
    host.write("/usr/bin/ukify", UKIFY, 0o755)
    for tool in ("tr", "wc", "truncate", "printf", "["):
        if not host.exists("/bin/" + tool):
            host.link("/bin/" + tool, "busybox")
    host.write("/etc/mkinitcpio.d/linux.preset", PRESET)
    host.mkdir("/boot/efi/EFI/Linux")
    arch.run(host, "/usr/bin/mkinitcpio", "-p", "linux")
    host.remove("/var/log/builders")


@case()
def mkinitcpio_life(host, tally):
    """a preset of mkinitcpio (3.14): one run makes line and initramfs anew, and takes them back to the byte"""
    use_mkinitcpio(host)
    tally.equal("the line as it is", line_of(host, ARCH).rstrip("\0").strip(), LINE)
    before = host.snapshot()
    host.spec(arch.CARD)
    _, plan = host.json("plan")
    tally.equal("plan: one run", [step["target"] for step in lasting(plan) if not step["target"].startswith("/")],
                ["mkinitcpio linux"])
    code, report = host.json("apply")
    tally.check("apply: only a reboot is outstanding", code == 3, report)
    found, _ = sections(host, ARCH)
    tally.check("the line inside has the flags", (LINE + " intel_iommu=on iommu=pt").encode() in found[".cmdline"], found[".cmdline"])
    tally.check("our rule is inside", b"00-passthroughd.rules" in found[".initrd"])
    tally.equal("one run", host.log(), ["mkinitcpio -p linux"])
    code, plan = host.json("plan")
    tally.equal("everything is armed or active", set(states(plan).values()) - {"armed", "active"}, set())
    tally.equal("nothing is left to do", lasting(plan), [])
    host.json("apply")
    tally.equal("and nothing is done", host.log(), ["mkinitcpio -p linux"])
    _, text, _ = host.ctl("explain", "boot")
    tally.check("explain boot says what makes it", "linux.preset has default_uki=" in text, text)
    host.remove("/etc/passthroughd/host.yaml")
    code, report = host.json("apply")
    tally.check("without a spec it goes back", code in (0, 3), report)
    tally.equal("files are as they were", [name for name in wrong(before, host.snapshot())
                                           if not name.startswith("/run/reboot-required")], [])
    tally.equal("so is the line inside", line_of(host, ARCH).rstrip("\0").strip(), LINE)


@case()
def mkinitcpio_lies(host, tally):
    """a preset of mkinitcpio: nothing written, or an old line: found out"""
    use_mkinitcpio(host)
    before, old = host.snapshot(), raw(host, ARCH)
    host.spec(FLAG)
    host.write("/lie-idle", "")
    code, report = host.json("apply")
    tally.check("an idle one is found out", code == 1 and "no-effect" in codes(report), report)
    tally.check("the image is as it was", raw(host, ARCH) == old)
    host.remove("/lie-idle")
    host.write("/old-line", LINE + "\n")
    code, report = host.json("apply")
    tally.check("an old line is not called done", code in (1, 2, 4) and
                states(host.json("plan")[1])["kernel-flag:pcie_aspm=off"] not in ("armed", "active"), report)
    host.remove("/old-line")
    code, report = host.json("apply")
    tally.check("without it, it converges", code == 3 and lasting(host.json("plan")[1]) == [], report)
    host.remove("/etc/passthroughd/host.yaml")
    host.json("apply")
    tally.equal("files are as they were", [name for name in wrong(before, host.snapshot())
                                           if not name.startswith("/run/reboot-required")], [])


# What a preset, or what stands beside it, has that is not followed here.
PRESETS = [
    ({"/etc/mkinitcpio.d/linux.preset": PRESET.replace("#default_image", "default_image")}, "an initramfs of its own"),
    ({"/etc/mkinitcpio.d/linux.preset": PRESET + 'default_cmdline="/etc/line"\n'}, "from elsewhere"),
    ({"/etc/mkinitcpio.d/linux.preset": PRESET.replace("arch-linux", "other")}, "does not make"),
    ({"/etc/mkinitcpio.d/linux.preset": PRESET + "default_kver=$(uname -r)\n"}, "linux.preset:5"),
    ({"/etc/cmdline.d/root.conf": "root=UUID=abcd\n"}, "/etc/cmdline.d/root.conf"),
    ({CMDLINE: "# pcie_aspm=off\n%s\n" % LINE}, "comments"),
    ({"/boot/initramfs-linux.img": "image"}, "as well"),
]


@case()
def mkinitcpio_presets(host, tally):
    """a preset of mkinitcpio that makes more than the image, or of another line: refused with its place"""
    use_mkinitcpio(host)
    host.spec(arch.CARD)
    for files, refusal in PRESETS:
        saved = {name: raw(host, name) if host.exists(name) else None for name in files}
        for name, text in files.items():
            host.write(name, text)
        is_refused(host, tally, str(files), refusal)
        for name, data in saved.items():
            host.remove(name)
            if data is not None:
                host.write(name, data)
    code, report = host.json("apply")
    tally.check("as it was before it converges", code == 3, report)


@case()
def mkinitcpio_signed(host, tally):
    """a preset of mkinitcpio, Secure Boot: made anew only with a key for ukify, or a hook of sbctl's"""
    use_mkinitcpio(host)
    host.write(ARCH, pe.make(list(sections(host, ARCH)[0].items()), True))
    set_secure(host, True)
    host.spec(FLAG)
    is_refused(host, tally, "no key", "signed")
    host.write("/etc/kernel/uki.conf", "[UKI]\nSecureBootPrivateKey=/etc/kernel/db.key\n")
    code, report = host.json("apply")
    tally.check("with one it is signed", code == 3 and sections(host, ARCH)[1], report)


@case()
def signed(host, tally):
    """Secure Boot (3.16): a signed image is made anew only where the new one would be signed, and is looked at"""
    use_uki(host, signature=True)
    host.spec(GUIDE)
    set_secure(host, True)
    is_refused(host, tally, "no key", "signed")
    host.remove("/sys/firmware/efi/efivars/SecureBoot" + GLOBAL)
    is_refused(host, tally, "Secure Boot not known", "signed")
    set_secure(host, True)
    host.write("/etc/kernel/uki.conf", "[UKI]\nSecureBootPrivateKey=/etc/kernel/db.key\n")
    host.write("/forget-key", "")
    code, report = host.json("apply")
    tally.check("one that came out unsigned is not called done", code in (1, 2, 4), report)
    tally.check("and is named", "not signed" in str(host.json("plan")[1]), host.json("plan")[1])
    host.remove("/forget-key")
    code, report = host.json("apply")
    tally.check("signed it is", code == 3 and sections(host)[1], report)
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])


@case()
def signed_but_off(host, tally):
    """Secure Boot off: an image need not be signed"""
    use_uki(host, signature=True)
    host.spec(FLAG)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)


@case()
def addons(host, tally):
    """addons append to the line (3.16): shown, and one that contradicts what is wished is a conflict"""
    use_uki(host)
    own, shared = UKI + ".extra.d/debug.addon.efi", "/boot/efi/loader/addons/all.addon.efi"
    host.write(own, pe.make([(".cmdline", b"pcie_aspm=force")]))
    host.write(shared, pe.make([(".cmdline", b"debug")]))
    host.spec(FLAG)
    is_refused(host, tally, "an addon against it", "debug.addon.efi", "pcie_aspm=force")
    _, text, _ = host.ctl("explain", "boot")
    tally.check("explain boot shows both", "all.addon.efi" in text and "debug.addon.efi" in text, text)
    _, found = host.json("explain", "boot")
    tally.equal("and what they say", [addon["options"] for addon in found["boot"]["unified_images"]["addons"]],
                ["debug", "pcie_aspm=force"])
    set_secure(host, True)
    code, report = host.json("apply")
    tally.check("with Secure Boot on one that is not signed does not count", code == 3, report)
    set_secure(host, False)
    host.write(own, pe.make([(".cmdline", b"pcie_aspm=off")]))
    host.json("apply")
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])


@case()
def entry_options(host, tally):
    """an entry that starts the image with options of its own (3.16): they count while Secure Boot is off"""
    use_uki(host)
    entry = "/boot/efi/loader/entries/mine.conf"
    text = "title Mine\nefi %s\noptions root=UUID=abcd ro\n" % UKI[len("/boot/efi"):]
    host.write(entry, text)
    host.spec(FLAG)
    is_refused(host, tally, "it lacks the flag", "mine.conf", "pcie_aspm=off")
    host.write(entry, text.replace(" ro\n", " ro pcie_aspm=off\n"))
    code, report = host.json("apply")
    tally.check("with it there apply goes on: exit 3", code == 3, report)
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])
    host.write(entry, text)
    set_secure(host, True)
    host.write("/etc/kernel/uki.conf", "[UKI]\nSecureBootPrivateKey=/etc/kernel/db.key\n")
    host.json("apply")
    tally.equal("with Secure Boot on it does not count", lasting(host.json("plan")[1]), [])


@case()
def left_entries(host, tally):
    """an entry of systemd-boot's from before layout=uki, which kernel-install writes no more: left over, and said"""
    use_uki(host)
    entry = "/boot/efi/loader/entries/%s-%s.conf" % (TOKEN, KVER)
    host.write(entry, "title Debian\nversion %s\nmachine-id %s\noptions %s\nlinux /%s/%s/linux\n"
               % (KVER, TOKEN, LINE, TOKEN, KVER))
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.check("it is said", "unproven" in codes(report) and "systemd-boot is left over" in str(report), report)
    tally.equal("one run each", host.log(), [BUILD, INSTALL])
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])
    host.write(entry, "title Debian\nuki %s\n" % UKI[len("/boot/efi"):])
    tally.check("one that names the image with nothing of its own is the image's",
                "left over" not in str(host.json("plan")[1]["diagnostics"]), host.json("plan")[1])


def is_captured(host, tally):
    for spec in (None, GUIDE):
        if spec:
            host.spec(spec)
            host.json("apply")
        _, plan = host.json("plan")
        _, found = host.json("explain", "boot")
        _, text, _ = host.ctl("capture")
        host.write("/tmp/host", text)
        options = ["--json", "--host", host.full("/tmp/host")]
        again = []
        for words in (["explain", "boot"], ["plan", "--spec", host.full("/etc/passthroughd")]):
            done = subprocess.run([host.command, *words, *options], check=False, stdout=subprocess.PIPE, timeout=60)
            again.append(json.loads(re.sub(b"masked-[0-9a-f]{16}", TOKEN.encode(), done.stdout)))
        tally.equal("the same evidence", again[0]["boot"], found["boot"])
        tally.equal("the same states", {name: item["boot"] for name, item in items(again[1]).items()},
                    {name: item["boot"] for name, item in items(plan).items()})
        tally.check("the line is in the capture", ".cmdline" in text and ".sections" in text, text)


@case()
def captured(host, tally):
    """a capture says the same of the images as the host itself"""
    use_uki(host, signature=True)
    host.write(UKI + ".extra.d/debug.addon.efi", pe.make([(".cmdline", b"debug")]))
    is_captured(host, tally)


@case()
def captured_dracut(host, tally):
    """so it does of dracut's"""
    use_dracut(host)
    is_captured(host, tally)


@case()
def captured_mkinitcpio(host, tally):
    """and of mkinitcpio's"""
    use_mkinitcpio(host)
    is_captured(host, tally)


@case()
def explained(host, tally):
    """explain boot names the maker and its evidence, and what a refusal would be for"""
    use_uki(host)
    _, text, _ = host.ctl("explain", "boot")
    for word in ("unified kernel image", "StubInfo", "/etc/kernel/install.conf says layout=uki", CMDLINE, UKI):
        tally.check("it has %s" % word, word in " ".join(text.split()), text)
    _, found = host.json("explain", "boot")
    tally.equal("started by", found["boot"]["started_by"], "unified-image")
    tally.equal("its row", [(row["name"], row["command"]) for row in found["boot"]["loaders"]],
                [("unified-image", "kernel-install")])


if __name__ == "__main__":
    main("uki", CASES)
