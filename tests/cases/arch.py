# SPDX-License-Identifier: GPL-2.0-or-later
"""arch.py CTL [CASE...]: the command over small hosts of Arch Linux.

As chains.py; mkinitcpio is a stand-in that does what the real one does with its configuration, its drop-ins and
presets (5.29 to 5.33), and lies where a case wants it to.
"""

import json
import os
import re
import shutil
import subprocess

from roots import KVER, MODPROBE, RULES, codes, items, lasting, main, registry, states, untouched, wrong

LTS = "6.1.0-9-lts"
ENTRY = "/boot/loader/entries/2026-01-01_12-00-00_%s.conf"
INFO = "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
CONF = "/etc/mkinitcpio.conf"
DROPIN = "/etc/mkinitcpio.conf.d/90-passthroughd.conf"
PRESET = "/etc/mkinitcpio.d/linux.preset"
BUSYBOX = "HOOKS=(base udev autodetect modconf kms block filesystems)\n"
SYSTEMD = "HOOKS=(base systemd autodetect modconf kms block filesystems)\n"
CARD = """devices:
  gpu: {id: "10de:1b81"}
blacklist: [radeon]
"""
MKINITCPIO = r"""#!/bin/bash
_f_config=/etc/mkinitcpio.conf
_d_config=/etc/mkinitcpio.conf.d
me="$0"

process_preset() (
	# shellcheck disable=SC1090
	. "/etc/mkinitcpio.d/$1.preset" || exit 1
	ret=0
	for p in "${PRESETS[@]}"; do
		kver="${p}_kver" image="${p}_image" options="${p}_options" config="${p}_config"
		words=(-k "${!kver:-$ALL_kver}")
		config="${!config:-$ALL_config}"
		[[ -n "$config" ]] && words+=(-c "$config")
		[[ -n "${!image}" ]] || continue
		words+=(-g "${!image}" ${!options})
		FROM_PRESET=1 "$me" "${words[@]}" || ret=1
	done
	exit "$ret"
)

error() { echo "==> ERROR: $*" >&2; ((++errors)); }

[[ $FROM_PRESET ]] || echo "mkinitcpio $*" >>/var/log/builders
presets=() skip= errors=0 dropins=1
while (($#)); do
	case "$1" in
	-p) presets+=("$2"); shift ;;
	-P) for f in /etc/mkinitcpio.d/*.preset; do f=${f##*/}; presets+=("${f%.preset}"); done ;;
	-k) kernel=$2; shift ;;
	-g) image=$2; shift ;;
	-c) _f_config=$2; dropins=; shift ;;
	-S) skip+=" ${2//,/ } "; shift ;;
	esac
	shift
done
if ((${#presets[@]})); then
	ret=0
	for one in "${presets[@]}"; do process_preset "$one" || ret=1; done
	exit "$ret"
fi
[[ -e /lie-idle ]] && exit 0
[[ -e /lie-no-dropins ]] && dropins=
[[ "$kernel" == /* ]] && read -r _ kernel <"$kernel"
echo "image $image of $kernel" >>/var/log/images
modules=/lib/modules/$kernel
text=/tmp/mkinitcpio.conf.$$
cat "$_f_config" >"$text" || exit 1
[[ -d "$_d_config" && $dropins ]] && for f in "$_d_config"/*.conf; do
	# joined to one text, whether or not the last line of each has an end
	[[ -r "$f" ]] && cat "$f" >>"$text"
done
. "$text" || { echo "==> ERROR: Failed to read configuration" >&2; exit 1; }
for list in MODULES BINARIES FILES HOOKS; do
	declare -n it=$list
	[[ ${it@a} == *a* ]] || read -ra it <<<"$it"
done

w=/tmp/mkinitcpio.$$
rm -rf "$w"; mkdir -p "$w/etc/modprobe.d" "$w/usr/lib/modules/$kernel/kernel"
declare -A added
add_module() {
	local name=${1//-/_} quiet=
	[[ "$name" == *\? ]] && quiet=1 name=${name%\?}
	if grep -q "/${name//_/[-_]}\.ko" "$modules/modules.dep"; then
		: >"$w/usr/lib/modules/$kernel/kernel/$name.ko"
		added[$name]=1
	elif ! grep -q "/${name//_/[-_]}\.ko" "$modules/modules.builtin" && [[ ! $quiet ]]; then
		error "module not found: '$name'"
	fi
}
add_file() {
	[[ -f "$1" ]] || { error "file not found: '$1'"; return; }
	mkdir -p "$w${1%/*}"; cp "$1" "$w$1"
}
for hook in "${HOOKS[@]}"; do
	[[ "$skip" == *" $hook "* ]] && continue
	case "$hook" in
	modconf) for f in /etc/modprobe.d/*.conf; do add_file "$f"; done ;;
	kms) add_module nouveau ;;
	udev) runs+=" udev" ;;
	systemd) mkdir -p "$w/etc/modules-load.d"; printf '%s\n' "${MODULES[@]}" >"$w/etc/modules-load.d/MODULES.conf" ;;
	esac
done
for m in "${MODULES[@]}"; do add_module "$m"; done
for f in "${BINARIES[@]}" "${FILES[@]}"; do add_file "$f"; done
for m in "${MODULES[@]%\?}"; do m=${m//-/_}; [[ ${added[$m]} ]] && loaded+=("$m"); done
{
	((${#loaded[@]})) && printf 'MODULES="%s"\n' "${loaded[*]}"
	printf 'EARLYHOOKS="%s"\nHOOKS="%s"\n' "${runs# }" "${runs# }"
} >"$w/config"
(cd "$w" && find . | cpio -o -H newc) >"$image.tmp" 2>>/tmp/cpio.log
mv "$image.tmp" "$image"
rm -rf "$w" "$text"
((errors)) && echo "==> WARNING: errors were encountered during the build. The image may not be complete." >&2
exit $((!!errors))
"""

MKCONFIG = r"""#!/bin/sh
# . ${sysconfdir}/default/grub
. /etc/default/grub
[ "$1" = -o ] || exit 2
echo "grub-mkconfig $*" >> /var/log/builders
: > $2.new
for k in /boot/vmlinuz-*; do
	n=${k#/boot/vmlinuz-}
	for more in "" -fallback; do
		[ -e /boot/initramfs-$n$more.img ] || continue
		echo "menuentry 'Arch Linux, with Linux $n$more' --class arch {" >> $2.new
		echo "	linux	/boot/vmlinuz-$n root=UUID=abcd rw $GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT" >> $2.new
		echo "	initrd	/boot/initramfs-$n$more.img" >> $2.new
		echo "}" >> $2.new
	done
done
mv $2.new $2
"""

CASES, case = registry()


def preset(name, more="", fallback=False):
    text = "# mkinitcpio preset file for the '%s' package\n\nALL_kver=\"/boot/vmlinuz-%s\"\nPRESETS=(%s)\n" % (
        name, name, "'default' 'fallback'" if fallback else "'default'")
    text += 'default_image="/boot/initramfs-%s.img"\n' % name
    if fallback:
        text += 'fallback_image="/boot/initramfs-%s-fallback.img"\nfallback_options="-S autodetect"\n' % name
    return text + more


def add_kernel(host, name, version, more="", fallback=False):
    host.write("/boot/vmlinuz-" + name, "kernel %s\n" % version)
    host.write("/lib/modules/%s/pkgbase" % version, name + "\n")
    host.write("/lib/modules/%s/vmlinuz" % version, "kernel %s\n" % version)
    host.write("/etc/mkinitcpio.d/%s.preset" % name, preset(name, more, fallback))


def use_bash(host):
    """A shell that has lists, and what it is linked with."""
    bash = shutil.which("bash")
    listed = subprocess.run(["ldd", bash], check=True, stdout=subprocess.PIPE).stdout.decode()
    for name in re.findall(r"(/\S+) \(0x", listed) + [bash]:
        to = host.full("/bin/bash" if name == bash else name)
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copy(name, to)


def use_arch(host, conf=BUSYBOX, lts=False, more="", fallback=False):
    for name in ("/usr/sbin/update-grub", "/usr/sbin/grub-mkconfig", "/usr/sbin/update-initramfs",
                 "/boot/vmlinuz-" + KVER, "/boot/config-" + KVER, "/boot/initrd.img-" + KVER, "/etc/debian_version",
                 "/etc/modules"):
        host.remove(name)
    os.rmdir(host.full("/etc/default/grub.d"))
    dep = host.read("/lib/modules/%s/modules.dep" % KVER).replace("kernel/drivers/vfio/vfio_virqfd.ko:\n", "")
    if lts:
        shutil.copytree(host.full("/lib/modules/" + KVER), host.full("/lib/modules/" + LTS))
        add_kernel(host, "linux-lts", LTS)
    host.write("/lib/modules/%s/modules.dep" % KVER, dep)  # 7.1
    add_kernel(host, "linux", KVER, more, fallback)
    use_bash(host)
    for tool in ("mkdir", "sort", "uname"):
        if not host.exists("/bin/" + tool):
            host.link("/bin/" + tool, "busybox")
    host.write(CONF, conf)
    host.mkdir("/etc/mkinitcpio.conf.d")
    host.write("/usr/bin/mkinitcpio", MKINITCPIO, 0o755)
    host.write("/usr/bin/grub-mkconfig", MKCONFIG, 0o755)
    host.write("/proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz-linux root=UUID=abcd rw quiet\n")
    run(host, "/usr/bin/mkinitcpio", "-P")
    run(host, "/usr/bin/grub-mkconfig", "-o", "/boot/grub/grub.cfg")
    for name in ("/var/log/builders", "/var/log/images"):
        host.remove(name)


def entry(name, options="options root=UUID=abcd rw quiet\n"):
    return "# Created by: an installer\ntitle   Arch Linux (%s)\nlinux   /vmlinuz-%s\ninitrd  /initramfs-%s.img\n" % (
        name, name, name) + options


def use_systemd_boot(host, names=("linux",)):
    for name in ("/usr/bin/grub-mkconfig", "/boot/grub/grub.cfg", "/etc/default/grub"):
        host.remove(name)
    host.write("/usr/bin/kernel-install", "#!/bin/sh\necho kernel-install $* >> /var/log/builders\n", 0o755)
    host.write(INFO, b"\6\0\0\0" + "systemd-boot 258\0".encode("utf-16-le"))
    host.write("/proc/cmdline", "initrd=\\initramfs-linux.img root=UUID=abcd rw quiet\n")
    for name in names:
        host.write(ENTRY % name, entry(name))


def run(host, *words):
    done = subprocess.run(["chroot", host.path, *words], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    return done.returncode, done.stdout.decode()


def built(host):
    """The runs of mkinitcpio."""
    return [line for line in host.log() if line.startswith("mkinitcpio")]


def images(host):
    """The images that it has made."""
    return [line.split()[1] for line in host.read("/var/log/images").splitlines()] if host.exists("/var/log/images") \
        else []


def contents(host, image):
    """{name: bytes} of a newc archive."""
    found, at = {}, 0
    with open(host.full(image), "rb") as f:
        data = f.read()
    while True:
        size, length = int(data[at + 54:at + 62], 16), int(data[at + 94:at + 102], 16)
        name = data[at + 110:at + 109 + length].decode()
        at = (at + 110 + length + 3) & ~3
        if name == "TRAILER!!!":
            return found
        found[name[2:] if name.startswith("./") else name] = data[at:at + size]
        at = (at + size + 3) & ~3


def inside(host, image):
    return sorted(contents(host, image))


def text_in(host, image, name):
    return contents(host, image)[name].decode()


def bind(host):
    """The card is on vfio-pci."""
    for name in ("vfio_pci", "vfio_iommu_type1"):
        host.mkdir("/sys/module/" + name)
    host.mkdir("/sys/bus/pci/drivers/vfio-pci")
    for function in "01":
        device = "/sys/bus/pci/devices/0000:01:00.%s/" % function
        host.remove(device + "driver")
        host.link(device + "driver", "../../drivers/vfio-pci")
        host.write(device + "driver_override", "vfio-pci\n")


def reboot(host):
    """What a reboot leaves to see: another boot id, the first entry's line, an empty /run, and all bound."""
    line = host.read("/boot/grub/grub.cfg").split("\tlinux\t")[1].splitlines()[0]
    host.write("/proc/sys/kernel/random/boot_id", "22222222-2222-3333-4444-555555555555\n")
    host.write("/proc/cmdline", "BOOT_IMAGE=%s\n" % line)
    host.write("/proc/modules", "vfio_pci 1 0 - Live 0x0\nvfio_iommu_type1 1 0 - Live 0x0\n")
    bind(host)
    shutil.rmtree(host.full("/run"), ignore_errors=True)


def kept(now):
    """What a snapshot says of lasting files."""
    return {name: what for name, what in now.items() if not name.startswith(("/run/", "/proc/", "/sys/"))}


def goes_round(host, tally, runs, made):
    """Apply, apply again, reboot, take back."""
    before = kept(host.snapshot())
    host.spec(CARD)
    code, report = host.json("apply")
    tally.check("apply: only a reboot is outstanding", code == 3, report)
    tally.equal("each kernel is built once", built(host), runs)
    tally.equal("these images", images(host), made)
    tally.equal("all is armed or active", {state for item, state in states(host.json("plan")[1]).items()
                                           if not item.startswith("module:")} - {"armed", "active"}, set())
    after = host.everything()
    code, report = host.json("apply")
    tally.equal("again: exit 3", code, 3)
    tally.equal("again: nothing is built", built(host), runs)
    untouched(tally, "again", after, host.everything())
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])
    reboot(host)
    code, plan = host.json("plan")
    tally.check("after the reboot all is there", code == 0 and set(states(plan).values()) == {"active"}, plan)
    host.remove("/etc/passthroughd/host.yaml")
    code, report = host.json("apply")
    tally.check("without a spec it goes back", code in (0, 3), report)
    tally.equal("by one more run for each kernel", built(host), runs * 2)
    tally.equal("files are as they were", wrong(before, kept(host.snapshot())), [])
    tally.check("and nothing of ours is in an image", not [
        name for image in made for name in inside(host, image) if "passthroughd" in name or "vfio" in name])


@case(iommu=True)
def busybox(host, tally):
    """an image with udev: our file, one run, a reboot, and back"""
    use_arch(host)
    goes_round(host, tally, ["mkinitcpio -p linux"], ["/boot/initramfs-linux.img"])


@case(iommu=True)
def with_fallback(host, tally):
    """a preset of two images is built once"""
    use_arch(host, fallback=True)
    goes_round(host, tally, ["mkinitcpio -p linux"],
               ["/boot/initramfs-linux.img", "/boot/initramfs-linux-fallback.img"])


@case(iommu=True)
def systemd(host, tally):
    """images with systemd, of two kernels: each is built once"""
    use_arch(host, SYSTEMD, lts=True)
    goes_round(host, tally, ["mkinitcpio -p linux-lts", "mkinitcpio -p linux"],
               ["/boot/initramfs-linux-lts.img", "/boot/initramfs-linux.img"])


@case()
def what_is_inside(host, tally):
    """what makes vfio-pci win is in the image, without the hook modconf too (5.30, 5.31)"""
    for conf in (BUSYBOX, SYSTEMD, BUSYBOX.replace("modconf ", "")):
        if not host.exists(CONF):
            use_arch(host, conf)
        else:
            host.write(CONF, conf)
            run(host, "/usr/bin/mkinitcpio", "-p", "linux")
        host.spec(CARD)
        code, report = host.json("apply")
        tally.check("apply: exit 3", code == 3, report)
        names = inside(host, "/boot/initramfs-linux.img")
        for name in (MODPROBE, RULES):
            tally.check("%s is inside" % name, name[1:] in names, names)
        tally.check("its drivers are, and their loading is said", "usr/lib/modules/%s/kernel/vfio_pci.ko" % KVER in names
                    and "vfio_pci vfio_iommu_type1" in text_in(host, "/boot/initramfs-linux.img", "config"))
    tally.equal("the file of ours is bash that says nothing", run(host, "/bin/bash", "-c", "set -e; . " + DROPIN), (0, ""))


@case()
def rival(host, tally):
    """their list loads the host's driver before any rule is read (5.30): refused until it is out, or blacklisted"""
    for conf in (BUSYBOX, SYSTEMD):
        if not host.exists(CONF):
            use_arch(host)
        host.write(CONF, conf + "MODULES=(snd_hda_intel nouveau)\n")
        run(host, "/usr/bin/mkinitcpio", "-p", "linux")
        host.spec(CARD)
        runs = len(built(host))
        code, report = host.json("apply")
        tally.check("apply: exit 4, foreign-conflict, and which", code == 4 and "foreign-conflict" in codes(report)
                    and "loads nouveau by itself" in str(report["diagnostics"]), report)
        tally.check("no image is built, no file of images written", len(built(host)) == runs and not host.exists(DROPIN)
                    and not host.exists(RULES))
    host.write(CONF, SYSTEMD)
    run(host, "/usr/bin/mkinitcpio", "-P")
    tally.equal("without it all goes", host.json("apply")[0], 3)
    host.write(CONF, SYSTEMD + "MODULES=(nouveau)\n")
    run(host, "/usr/bin/mkinitcpio", "-P")
    code, plan = host.json("plan")
    tally.check("put back there, it is seen", code in (2, 4) and items(plan)["device:gpu"]["state"] == "blocked", plan)
    host.spec(CARD.replace("[radeon]", "[nouveau, snd_hda_intel]"))
    tally.equal("blacklisted, it goes too", host.json("apply")[0], 3)


@case(iommu=True)
def by_ids(host, tally):
    """what is bound by ids wins with systemd by the softdeps in the image (5.30, 6.9)"""
    use_arch(host, SYSTEMD.replace("modconf ", ""))
    host.spec("devices:\n  gpu: {id: \"10de:1b81\", method: ids}\n")
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    options = text_in(host, "/boot/initramfs-linux.img", MODPROBE[1:])
    tally.check("they and the ids are inside", "softdep nouveau pre: vfio-pci" in options
                and "options vfio-pci ids=10de:1b81,10de:10f0" in options, options)
    host.write("/lie-no-dropins", "")
    run(host, "/usr/bin/mkinitcpio", "-p", "linux")
    code, plan = host.json("plan")
    tally.check("an image without them is built again", [step["target"] for step in lasting(plan)] == [KVER], plan)


@case()
def flags_alone(host, tally):
    """nothing that goes into an image has changed: none is built"""
    use_arch(host)
    host.spec("kernel-flags: [pcie_aspm=off]\n")
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("no image", built(host), [])
    tally.check("entries have it, also those of kernels without a version in the name",
                "rw  quiet pcie_aspm=off" in host.read("/boot/grub/grub.cfg"), host.read("/boot/grub/grub.cfg"))


@case()
def lists_as_strings(host, tally):
    """MODULES and FILES as strings, and no end of the last line"""
    use_arch(host, BUSYBOX + 'MODULES="e1000e kvm"\nFILES="/etc/hostname"\n')
    host.write("/etc/mkinitcpio.conf.d/10-mine.conf", "MODULES+=' vfio'")
    host.spec(CARD)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    config = text_in(host, "/boot/initramfs-linux.img", "config")
    tally.check("theirs stay, behind ours", 'MODULES="vfio_pci vfio_iommu_type1 e1000e kvm vfio"' in config, config)
    tally.check("so do files", "etc/hostname" in inside(host, "/boot/initramfs-linux.img"))


@case()
def no_preset(host, tally):
    """a kernel of no package: by its version"""
    use_arch(host)
    host.remove(PRESET)
    host.spec(CARD)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("one run", built(host), ["mkinitcpio -k %s -g /boot/initramfs-linux.img" % KVER])


@case(vendor="AuthenticAMD", iommu=True)
def preset_config(host, tally):
    """a preset names its configuration: our file would be ignored (5.29), so nothing is written"""
    lines = {"ALL_config=/etc/mkinitcpio.conf\n": "ALL_config", "default_config='/etc/mine.conf'\n": "default_config",
             "default_options='-c /etc/mine.conf'\n": "default_options"}
    for line, variable in lines.items():
        if not host.exists(CONF):
            use_arch(host)
            host.write("/etc/mine.conf", BUSYBOX)
        host.write(PRESET, preset("linux", line))
        host.spec("devices:\n  gpu: {id: \"10de:1b81\"}\niommu: {mode: translated}\n")
        before = host.without_notes()
        code, report = host.json("apply")
        said = str(report["diagnostics"])
        tally.check("%s: exit 4, the preset and the line are named" % variable, code == 4
                    and "foreign-conflict" in codes(report) and "%s:6 sets %s," % (PRESET, variable) in said, report)
        tally.equal("its device is blocked", items(report).get("device:gpu", {}).get("state"), "blocked")
        untouched(tally, "apply", before, host.without_notes())
    tally.equal("nothing was built", built(host), [])
    host.write(PRESET, preset("linux", "#ALL_config=/etc/mkinitcpio.conf\nfallback_config=/etc/mine.conf\n"))
    code, report = host.json("apply")
    tally.check("as a comment, or of another image, it is none", code == 3, report)


@case()
def systemd_boot(host, tally):
    """entries that an installer wrote once are edited themselves; kernel-install would write others beside them"""
    use_arch(host, SYSTEMD, lts=True)
    use_systemd_boot(host, ("linux", "linux-lts"))
    before = [host.read(ENTRY % name) for name in ("linux", "linux-lts")]
    host.spec(CARD + "kernel-flags: [pcie_aspm=off]\n")
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("only images are built", host.log(), ["mkinitcpio -p linux-lts", "mkinitcpio -p linux"])
    tally.equal("each entry has the flags, and all else of it stays",
                [host.read(ENTRY % name) for name in ("linux", "linux-lts")],
                [text.replace("quiet", "quiet intel_iommu=on iommu=pt pcie_aspm=off") for text in before])
    plan = host.json("plan")[1]
    tally.equal("the flags are armed", {state for item, state in states(plan).items() if "kernel-flag" in item}, {"armed"})
    tally.equal("nothing is left to do", lasting(plan), [])
    host.write(ENTRY % "linux-lts", before[1])
    tally.equal("one that lost them is edited again",
                [step["target"] for step in lasting(host.json("plan")[1])], [ENTRY % "linux-lts"])
    host.json("apply")
    code, report = host.json("revert")
    tally.check("revert: done", code in (0, 3), report)
    tally.equal("they are as they were", [host.read(ENTRY % name) for name in ("linux", "linux-lts")], before)


@case()
def systemd_boot_strange(host, tally):
    """options on several lines, or on none: nothing is guessed at"""
    use_arch(host)
    use_systemd_boot(host)
    for options in ("options root=UUID=abcd\noptions rw\n", ""):
        host.write(ENTRY % "linux", entry("linux", options))
        host.spec("kernel-flags: [pcie_aspm=off]\n")
        code, report = host.json("apply")
        tally.check("apply: exit 4, and which", code == 4 and ENTRY % "linux" in str(report["diagnostics"]), report)
        tally.equal("it stays", host.read(ENTRY % "linux"), entry("linux", options))


@case()
def preset_strange(host, tally):
    """a preset that is more than assignments is not guessed at"""
    host.write("/etc/more", "# more\n")
    use_arch(host, more=". /etc/more\n")
    host.spec(CARD)
    code, report = host.json("apply")
    tally.check("apply: exit 4, and where", code == 4 and PRESET + ":6 is more than" in str(report["diagnostics"]), report)
    tally.equal("nothing was built", built(host), [])
    tally.check("nor written", not host.exists(DROPIN) and not host.exists(RULES))


@case()
def too_old(host, tally):
    """before version 36 no folder was read"""
    use_arch(host)
    host.write("/usr/bin/mkinitcpio", MKINITCPIO.replace("_d_config", "_none"), 0o755)
    host.spec(CARD)
    code, report = host.json("apply")
    tally.check("apply: exit 4, and why", code == 4 and "older than version 36" in str(report["diagnostics"]), report)
    tally.check("nothing is written or built", not host.exists(DROPIN) and not built(host))


@case()
def captured(host, tally):
    """a capture holds what a plan is made by: kernels' names, presets, and whether drop-ins are read"""
    use_arch(host, SYSTEMD, lts=True, fallback=True)
    host.spec(CARD)
    for what in ("as it is", "too old", "with a configuration of its own"):
        if what == "too old":
            host.write("/usr/bin/mkinitcpio", MKINITCPIO.replace("_d_config", "_none"), 0o755)
        elif what != "as it is":
            host.write("/usr/bin/mkinitcpio", MKINITCPIO, 0o755)
            host.write(PRESET, preset("linux", "ALL_config=/etc/mkinitcpio.conf\n"))
        _, text, _ = host.ctl("capture")
        host.write("/tmp/host", text)
        done = subprocess.run([host.command, "plan", "--json", "--host", host.full("/tmp/host"), "--spec",
                               host.full("/etc/passthroughd")], check=False, stdout=subprocess.PIPE, timeout=60)
        again, plan = json.loads(done.stdout), host.json("plan")[1]
        tally.check("%s: the same plan" % what, all(again[key] == plan[key] for key in ("items", "steps", "diffs")),
                    (again, plan))
        tally.check("%s: its tool is not in it" % what, "process_preset" not in text and len(text) < 40000, len(text))


@case()
def dropin_ignored(host, tally):
    """success is reported, and our file was not read: found out in the image"""
    use_arch(host)
    host.write("/lie-no-dropins", "")
    host.spec(CARD)
    code, report = host.json("apply")
    tally.check("apply: exit 1, no-effect", code == 1 and "no-effect" in codes(report), report)
    tally.check("what is missing is named", "lacks" in str(report["diagnostics"]), report["diagnostics"])
    code, plan = host.json("plan")
    tally.check("nothing is taken for armed", states(plan)["device:gpu"] in ("wanted", "configured"), states(plan))


@case()
def dropin_overruled(host, tally):
    """a later drop-in starts the list anew: found out in the image"""
    use_arch(host)
    host.write("/etc/mkinitcpio.conf.d/99-mine.conf", "MODULES=(vfio_pci)\n")
    host.spec(CARD)
    code, report = host.json("apply")
    tally.check("apply: exit 1, no-effect", code == 1 and "no-effect" in codes(report), report)
    tally.check("what is missing is named", "vfio_iommu_type1" in str(report["diagnostics"]), report["diagnostics"])


@case()
def idle(host, tally):
    """success is reported, and nothing was built"""
    use_arch(host)
    host.write("/lie-idle", "")
    host.spec(CARD)
    code, report = host.json("apply")
    tally.check("apply: exit 1, no-effect", code == 1 and "no-effect" in codes(report), report)
    tally.check("no other system's file is named", "initramfs-tools" not in str(report["diagnostics"]), report)


@case()
def unknown_module(host, tally):
    """their list has a module that is gone: the image is written, the exit code is 1 (5.32)"""
    use_arch(host)
    host.write(CONF, BUSYBOX + "MODULES=(vfio_virqfd)\n")
    host.spec(CARD)
    code, report = host.json("apply")
    tally.check("apply: exit 1, builder-failed", code == 1 and "builder-failed" in codes(report), report)
    tally.check("its words are kept", "module not found: 'vfio_virqfd'" in str(report), report)
    host.write(CONF, BUSYBOX)
    code, report = host.json("apply")
    tally.check("without it the next apply does it all", code == 3, report)


@case()
def unsound(host, tally):
    """a configuration that is no bash is found before anything is written"""
    use_arch(host)
    host.write("/etc/mkinitcpio.conf.d/50-mine.conf", "MODULES+=(\n")
    host.spec(CARD)
    before = kept(host.snapshot())
    code, report = host.json("apply")
    tally.check("apply: bad-file, and where", code in (1, 4) and "50-mine.conf: line 1" in str(report["diagnostics"]), (code, report))
    tally.equal("nothing was built", built(host), [])
    tally.equal("files are as they were", wrong(before, kept(host.snapshot())), [])


if __name__ == "__main__":
    main("arch", CASES)
