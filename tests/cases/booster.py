# SPDX-License-Identifier: GPL-2.0-or-later
"""booster.py CTL [CASE...]: the command over small hosts whose images booster makes (5.34).

As chains.py; booster is a stand-in that puts inside what the real one does by its configuration, by what the host
uses and by modprobe.d, and lies where a case wants it to.
"""

import json
import os
import subprocess

import uki
from arch import bind, contents, images, inside, kept, run, use_arch, use_bash, use_systemd_boot
from roots import KVER, MODPROBE, MODULES, RULES, codes, items, lasting, main, registry, states, untouched, wrong

CONF = "/etc/booster.yaml"
IMAGE = "/boot/booster-linux.img"
LOADER = "/boot/loader/entries/2026-01-01_12-00-00_linux.conf"
CARD = """devices:
  gpu: {id: "10de:1b81"}
"""
BUILD = "booster build --force --kernel-version %s %s" % (KVER, IMAGE)
BOOSTER = r"""#!/bin/bash
echo "booster $*" >>/var/log/builders
[[ $1 == build ]] || exit 1
shift
while (($#)); do
	case "$1" in
	--force) force=1 ;;
	--kernel-version) kernel=$2; shift ;;
	*) image=$1 ;;
	esac
	shift
done
[[ -e $image && ! $force ]] && { echo "File $image exists, please specify --force" >&2; exit 1; }
[[ -e /lie-idle ]] && exit 0
[[ -e /lie-other-kernel ]] && other=6.0.0
echo "image $image of $kernel" >>/var/log/images
modules=/lib/modules/$kernel
declare -A path required options builtin
while IFS=: read -r p _; do n=${p##*/}; n=${n%%.*}; path[${n//-/_}]=$p; done <"$modules/modules.dep"
while read -r p; do n=${p##*/}; n=${n%.ko}; builtin[${n//-/_}]=1; done <"$modules/modules.builtin"

value() { sed -n "s/ #.*//; s/'//g; s/^$1: *//p" /etc/booster.yaml; }
matches() { # WORD MODULE
	[[ $1 == '*' ]] || [[ $1 == */ && ${path[$2]} == "$1"* ]] || [[ $1 == "$2" ]] || [[ ${path[$2]%.zst} == "$1" ]]
}
activate() { # FILTER WORD
	local m off=
	local word=$2
	[[ $word == -* ]] && off=1 word=${word#-}
	local found=
	for m in "${!path[@]}"; do
		matches "$word" "$m" || continue
		found=1
		[[ $1 && ! -d /sys/module/$m && $(value universal) != true ]] && continue
		if [[ $off ]]; then unset "required[$m]"; else required[$m]=1; fi
	done
	[[ $1 || $found || $word == */ || $word == '*' ]] || { echo "module $word does not exist" >&2; exit 1; }
}
for w in kernel/drivers/ata/ kernel/drivers/scsi/ kernel/drivers/usb/host/ ahci nvme; do activate 1 "$w"; done
for key in modules modules_force_load; do
	IFS=, read -ra words <<<"$(value $key)"
	for w in "${words[@]}"; do w=${w# }; [[ $w ]] && activate "" "${w% }"; done
done
grep -q '^network:' /etc/booster.yaml && activate 1 kernel/drivers/net/ethernet/
[[ -e /lie-nouveau ]] && required[nouveau]=1
for f in /lib/modprobe.d/* /etc/modprobe.d/*; do
	[[ -f $f ]] || continue
	while read -r word name rest; do
		[[ $word == options ]] && options[${name//-/_}]+="${options[${name//-/_}]:+ }$rest"
	done <"$f"
done

w=/tmp/booster.$$
rm -rf "$w"; mkdir -p "$w/etc" "$w/usr/lib/modules"
for m in "${!required[@]}"; do : >"$w/usr/lib/modules/$m.ko"; done
: >"$w/init"
: >"$w/usr/lib/modules/booster.alias"
: >"$w/etc/initrd-release"
{
	echo "network:"
	echo "    ssh_host_key: |"
	echo "        -----BEGIN OPENSSH PRIVATE KEY-----"
	echo "kernel: ${other:-$kernel}"
	first=1
	for m in "${!options[@]}"; do
		[[ ${required[$m]} ]] || continue
		[[ $first ]] && echo "modprobeoptions:"
		first=
		echo "    $m: ${options[$m]}"
	done
	echo "builtinmodules:"
	for m in "${!builtin[@]}"; do echo "    $m: true"; done
} >"$w/etc/booster.init.yaml"
(cd "$w" && find . | cpio -o -H newc) >"$image.tmp" 2>>/tmp/cpio.log
[[ -e /lie-cut ]] && { head -c 600 "$image.tmp" >"$image"; exit 0; }
[[ -e /fail ]] && { rm "$image.tmp"; echo "strip: exec: not found" >&2; exit 1; }
mv "$image.tmp" "$image"
rm -rf "$w"
"""

CASES, case = registry()


def builds(host):
    return [line for line in host.log() if line.startswith("booster")]


def use_booster(host, conf="", beside=False, used=("e1000e", "nouveau", "snd_hda_intel")):
    """Arch Linux with systemd-boot; beside: mkinitcpio's command and images stay."""
    use_arch(host)
    use_systemd_boot(host)
    host.link("/bin/head", "busybox")
    dep = "/lib/modules/%s/modules.dep" % KVER
    host.write(dep, host.read(dep) + "kernel/drivers/scsi/mpt3sas/mpt3sas.ko.zst:\n")
    for name in used:
        host.mkdir("/sys/module/" + name)
    host.write(CONF, conf)
    host.write("/usr/bin/booster", BOOSTER, 0o755)
    if not beside:
        for name in ("/usr/bin/mkinitcpio", "/boot/initramfs-linux.img"):
            host.remove(name)
    code, text = run(host, "/usr/bin/booster", "build", "--force", "--kernel-version", KVER, IMAGE)
    assert code == 0, text
    boot_with(host, "booster-linux.img")
    for name in ("/var/log/builders", "/var/log/images"):
        host.remove(name)


def boot_with(host, image):
    host.write("/proc/cmdline", "initrd=\\amd-ucode.img initrd=\\%s root=UUID=abcd rw quiet\n" % image)
    host.write(LOADER, "title Arch Linux\nlinux /vmlinuz-linux\ninitrd /amd-ucode.img\ninitrd /%s\n"
                       "options root=UUID=abcd rw quiet\n" % image)


def add_controller(host):
    """A SAS controller whose driver is one of those that booster takes by itself."""
    alias = "/lib/modules/%s/modules.alias" % KVER
    host.write(alias, host.read(alias) + "alias pci:v00001000d00000097sv*sd*bc*sc*i* mpt3sas\n")
    host.device("0000:03:00.0", 0x1000, 0x0097, 0x010700, "mpt3sas", 3)
    host.mkdir("/sys/module/mpt3sas")
    return 'devices:\n  sas: {id: "1000:0097"}\n'


def reboot(host):
    """Another boot id, the entry's line, and what our files at the real root have done."""
    options = [line for line in host.read(LOADER).splitlines() if line.startswith("options ")][0]
    host.write("/proc/sys/kernel/random/boot_id", "22222222-2222-3333-4444-555555555555\n")
    host.write("/proc/cmdline", "initrd=\\booster-linux.img %s\n" % options[len("options "):])
    host.write("/proc/modules", "".join("%s 1 0 - Live 0x0\n" % name for name in host.read(MODULES).splitlines()
                                        if not name.startswith("#")))
    bind(host)


@case(iommu=True)
def life(host, tally):
    """nothing inside takes the card: files alone, no image is built; a reboot, and back"""
    use_booster(host)
    before, image = kept(host.snapshot()), contents(host, IMAGE)
    host.spec(CARD + "blacklist: [radeon]\nmodule-options:\n  kvm: {ignore_msrs: 1}\n")
    code, report = host.json("apply")
    tally.check("apply: only a reboot is outstanding", code == 3, report)
    tally.equal("no image is built", builds(host), [])
    tally.check("our files are for the real root", host.exists(RULES) and host.exists(MODPROBE) and host.exists(MODULES))
    plan = host.json("plan")[1]
    tally.equal("the device is armed, in what boots too", [items(plan)["device:gpu"][key] for key in ("state", "boot")],
                ["armed", "right"])
    tally.equal("nothing is left to do", lasting(plan), [])
    reboot(host)
    code, plan = host.json("plan")
    tally.check("after the reboot all is there", code == 0 and set(states(plan).values()) <= {"active"}, plan)
    host.remove("/etc/passthroughd/host.yaml")
    code, report = host.json("apply")
    tally.check("without a spec it goes back", code in (0, 3), report)
    tally.equal("files are as they were", wrong(before, kept(host.snapshot())), [])
    tally.equal("no image was built for it", builds(host), [])
    tally.equal("nor touched", contents(host, IMAGE), image)


@case(vendor="AuthenticAMD", iommu=True)
def named(host, tally):
    """a person has the host's driver inside: refused with the line, until it is out; then built, and proven"""
    lines = {"modules_force_load: nouveau\n": "nouveau", "modules: kernel/drivers/gpu/\n": "kernel/drivers/gpu/",
             "modules: -e1000e, kernel/drivers/gpu/drm/nouveau/nouveau.ko\n": "nouveau.ko", "modules: '*'\n": "*"}
    for line, word in lines.items():
        if not host.exists(CONF):
            use_booster(host)
        host.write(CONF, "# mine\n" + line)
        run(host, "/usr/bin/booster", "build", "--force", "--kernel-version", KVER, IMAGE)
        runs = len(builds(host))
        host.spec(CARD + "iommu: {mode: translated}\n")
        before = host.without_notes()
        code, report = host.json("apply")
        said = str(report["diagnostics"])
        tally.check("%s: exit 4, and the place" % line.strip(), code == 4 and "foreign-conflict" in codes(report)
                    and IMAGE + " has the module nouveau" in said and CONF + ":2 names it" in said and word in said, report)
        tally.equal("its device is blocked", items(report)["device:gpu"]["state"], "blocked")
        tally.check("nothing is built or written", len(builds(host)) == runs and not host.exists(RULES))
        untouched(tally, "apply", before, host.without_notes())
    host.write(CONF, "# mine\nmodules: -e1000e\n")
    code, plan = host.json("plan")
    tally.equal("without it the image is out of date", [step["target"] for step in lasting(plan)
                                                        if step["class"] == "initramfs"], [KVER])
    runs = len(builds(host))
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("it is built once", builds(host)[runs:], [BUILD])
    tally.check("and the driver is outside", "usr/lib/modules/nouveau.ko" not in inside(host, IMAGE))
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])
    host.write(CONF, "modules: nouveau\n")
    run(host, "/usr/bin/booster", "build", "--force", "--kernel-version", KVER, IMAGE)
    code, plan = host.json("plan")
    device = items(plan)["device:gpu"]
    tally.check("one that comes back is seen", (device["state"], device["boot"]) == ("blocked", "wrong"), plan)


@case()
def usual(host, tally):
    """booster takes the driver by itself: refused with what to write, until it is written"""
    use_booster(host)
    spec = add_controller(host)
    run(host, "/usr/bin/booster", "build", "--force", "--kernel-version", KVER, IMAGE)
    host.spec(spec)
    code, report = host.json("apply")
    tally.check("apply: exit 4, and what to write", code == 4 and "add -mpt3sas to modules: in " + CONF
                in str(report["diagnostics"]), report)
    host.write(CONF, "universal: true\nmodules: -mpt3sas\n")
    runs = len(builds(host))
    code, report = host.json("apply")
    tally.check("with it all goes, with one build", code == 3 and builds(host)[runs:] == [BUILD], report)
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])


@case()
def root_needs_it(host, tally):
    """the host's own disk has the same driver: nobody is told to take it out"""
    use_booster(host)
    spec = add_controller(host)
    host.device("0000:04:00.0", 0x1000, 0x0097, 0x010700, "mpt3sas", 4)
    host.write("/sys/bus/pci/devices/0000:04:00.0/subsystem_device", "0x1111\n")
    host.write("/sys/dev/block/8:1/dev", "8:1\n")
    base = "/sys/devices/pci0000:00/0000:04:00.0/host0/block/sda/sda1"
    host.write(base + "/dev", "8:1\n")
    os.makedirs(host.full("/sys/class/block"), exist_ok=True)
    host.link("/sys/class/block/sda1", "../.." + base[len("/sys"):])
    host.write("/sys/devices/pci0000:00/0000:04:00.0/host0/block/sda/dev", "8:0\n")
    host.link("/sys/class/block/sda", "../.." + os.path.dirname(base)[len("/sys"):])
    run(host, "/usr/bin/booster", "build", "--force", "--kernel-version", KVER, IMAGE)
    host.spec(spec.replace('"1000:0097"', '"1000:0097", address: "0000:03:00.0"'))
    code, report = host.json("apply")
    said = str(report["diagnostics"])
    tally.check("apply: exit 4, and why", code == 4 and "cannot tell two devices of one driver apart" in said
                and "-mpt3sas" not in said, report)
    tally.equal("nothing is written", host.exists(RULES), False)


@case()
def network(host, tally):
    """the network is on: its drivers cannot be kept out"""
    use_booster(host)
    host.write(CONF, "modules: -e1000e\nnetwork:\n    dhcp: on\n")
    run(host, "/usr/bin/booster", "build", "--force", "--kernel-version", KVER, IMAGE)
    host.spec('devices:\n  nic: {id: "8086:10d3"}\n')
    code, report = host.json("apply")
    tally.check("apply: exit 4, and the line", code == 4 and CONF + ":2 switches the network on"
                in str(report["diagnostics"]), report)


@case()
def blacklisted(host, tally):
    """a blacklist does not count inside: the driver has to be outside"""
    use_booster(host, "modules: nouveau\n")
    host.spec("blacklist: [nouveau]\n")
    code, report = host.json("apply")
    tally.check("apply: exit 4, and where", code == 4 and CONF + ":1 names it" in str(report["diagnostics"]), report)
    host.write(CONF, "")
    code, report = host.json("apply")
    tally.check("without it all goes", code == 3 and builds(host) == [BUILD], report)
    tally.equal("and is right in what boots", items(host.json("plan")[1])["blacklist:nouveau"]["boot"], "right")


@case()
def options(host, tally):
    """options of a module inside are the image's: built when they change, and back"""
    use_booster(host, "modules: kvm\n")
    host.spec("module-options:\n  kvm: {ignore_msrs: 1}\n")
    code, report = host.json("apply")
    tally.check("apply: done or a reboot", code in (0, 3), report)
    tally.equal("built once", builds(host), [BUILD])
    tally.check("they are inside", b"kvm: ignore_msrs=1" in contents(host, IMAGE)["etc/booster.init.yaml"])
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])
    host.remove("/etc/passthroughd/host.yaml")
    code, report = host.json("apply")
    tally.check("they go back", code in (0, 3), report)
    tally.equal("with one more build", builds(host), [BUILD, BUILD])
    tally.check("and are no more inside", b"ignore_msrs" not in contents(host, IMAGE)["etc/booster.init.yaml"])


@case()
def by_ids(host, tally):
    """by ids too it is the real root that binds: softdeps count there alone"""
    use_booster(host)
    host.spec(CARD.replace('"}', '", method: ids}'))
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("no image is built", builds(host), [])
    tally.check("ids and softdeps are in our file", "softdep nouveau pre: vfio-pci" in host.read(MODPROBE))
    tally.equal("it is armed", states(host.json("plan")[1])["device:gpu"], "armed")
    host.write(CONF, "modules_force_load: vfio_pci\n")
    run(host, "/usr/bin/booster", "build", "--force", "--kernel-version", KVER, IMAGE)
    tally.equal("whoever has the driver inside has the ids there", states(host.json("plan")[1])["device:gpu"], "armed")
    runs = len(builds(host))
    host.json("revert")
    tally.equal("ids that were taken back leave it", builds(host)[runs:], [BUILD])
    tally.check("by one build", b"ids=" not in contents(host, IMAGE)["etc/booster.init.yaml"])


@case()
def loaded_beside(host, tally):
    """at the real root a list of modules races with our rule (5.19): one that has the driver is in the way"""
    use_booster(host)
    dep = "/lib/modules/%s/modules.dep" % KVER
    host.write(dep, host.read(dep) + "kernel/drivers/x/nouveau-uvm.ko: kernel/drivers/gpu/drm/nouveau/nouveau.ko\n")
    lists = {"/usr/lib/modules-load.d/gpu.conf": "kvm\nnouveau\n", "/etc/modules-load.d/uvm.conf": "nouveau-uvm\n"}
    for (name, text), said in zip(lists.items(), ("has nouveau loaded", "has nouveau_uvm, which needs nouveau loaded")):
        host.write(name, text)
        host.spec(CARD)
        code, report = host.json("apply")
        tally.check("%s: blocked, and why" % name, states(report)["device:gpu"] == "blocked"
                    and "%s %s at boot" % (name, said) in str(report["diagnostics"]), report)
        tally.equal("our rule is not written", host.exists(RULES), False)
        host.spec(CARD + "blacklist: [nouveau]\n")
        tally.equal("a blacklist counts for what is named alone", states(host.json("plan")[1])["device:gpu"] == "blocked",
                    "uvm" in name)
        host.remove(name)
    host.write("/etc/modules-load.d/uvm.conf", "nouveau-uvm\n")
    host.spec(CARD.replace('"}', '", method: ids}'))
    code, report = host.json("apply")
    tally.check("by ids it comes behind ours, by softdep (6.9)", code == 3, report)


@case()
def kernel_install(host, tally):
    """kernel-install has its plugin make images where it is asked to: those on the ESP count like the others"""
    use_booster(host)
    host.mkdir("/usr/lib/kernel/install.d")
    host.write("/usr/lib/kernel/install.d/60-booster.install", "#!/bin/bash\n", 0o755)
    host.write("/etc/kernel/install.conf", "layout=bls\ninitrd_generator=booster\n")
    folder = "/boot/id/" + KVER
    host.write(folder + "/linux", "kernel %s\n" % KVER)
    run(host, "/usr/bin/booster", "build", "--force", "--kernel-version", KVER, folder + "/initrd")
    host.remove(LOADER)
    host.write("/boot/loader/entries/id-%s.conf" % KVER, "title Arch Linux\nversion %s\nlinux /id/%s/linux\n"
               "initrd /id/%s/initrd\noptions root=UUID=abcd rw quiet\n" % (KVER, KVER, KVER))
    host.write("/etc/kernel/cmdline", "root=UUID=abcd rw quiet\n")
    host.write("/proc/cmdline", "initrd=\\id\\%s\\initrd root=UUID=abcd rw quiet\n" % KVER)
    host.remove(IMAGE)
    host.remove("/var/log/builders")
    host.spec(CARD)
    plan = host.json("plan")[1]
    tally.equal("the device is right in what boots", items(plan)["device:gpu"]["boot"], "right")
    host.write(CONF, "modules: nouveau\n")
    run(host, "/usr/bin/booster", "build", "--force", "--kernel-version", KVER, folder + "/initrd")
    plan = host.json("plan")[1]
    tally.check("a driver in the copy is seen", folder + "/initrd has the module nouveau"
                in str(plan["diagnostics"]), plan)
    host.write(CONF, "")
    plan = host.json("plan")[1]
    tally.equal("and made anew by kernel-install", [step["target"] for step in lasting(plan) if step["class"] != "files"],
                ["kernel-install " + KVER])
    host.write("/etc/kernel/install.conf", "layout=bls\n")
    tally.check("where it is not asked to it would make none, and no entry is written without",
                "kernel-install" not in [step["target"].split()[0] for step in lasting(host.json("plan")[1])])


@case()
def unified(host, tally):
    """kernel-install with booster and ukify: what is inside the unified image counts, and it is made anew by one run"""
    uki.use_uki(host)
    use_bash(host)
    for tool in ("head", "uname"):
        host.link("/bin/" + tool, "busybox")
    host.write("/lib/modules/%s/vmlinuz" % KVER, "kernel\n")
    for name in ("/boot/vmlinuz-" + KVER, "/boot/initrd.img-" + KVER, "/usr/sbin/update-initramfs"):
        host.remove(name)
    host.write("/usr/bin/booster", BOOSTER, 0o755)
    host.write("/usr/bin/kernel-install", uki.KERNEL_INSTALL.replace(
        "dracut -q --force /tmp/initrd.$$ $v", "booster build --force --kernel-version $v /tmp/initrd.$$"), 0o755)
    host.write("/usr/lib/kernel/install.d/60-booster.install", "#!/bin/bash\n", 0o755)
    host.write("/etc/kernel/install.conf", "layout=uki\ninitrd_generator=booster\nuki_generator=ukify\n")
    for name in ("e1000e", "nouveau"):
        host.mkdir("/sys/module/" + name)
    host.write(CONF, "modules: nouveau\n")
    install = ("kernel-install", "add", KVER, "/lib/modules/%s/vmlinuz" % KVER)
    tally.equal("the image that is there", run(host, "/usr/bin/" + install[0], *install[1:])[0], 0)
    host.remove("/var/log/builders")
    host.spec(CARD)
    code, report = host.json("apply")
    tally.check("apply: exit 4, and where", code == 4 and "%s has the module nouveau" % uki.UKI in str(report["diagnostics"])
                and CONF + ":1 names it" in str(report["diagnostics"]), report)
    host.write(CONF, "")
    runs = len(host.log())
    code, report = host.json("apply")
    tally.check("without it all goes", code == 3, report)
    tally.equal("by one run", [line for line in host.log()[runs:] if line.startswith("kernel-install")], [" ".join(install)])
    tally.check("the driver is outside", b"nouveau" not in uki.sections(host)[0][".initrd"])
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])


@case()
def built_in(host, tally):
    """a driver that is built in has its device before, and nothing inside could take it"""
    use_booster(host)
    builtin = "/lib/modules/%s/modules.builtin" % KVER
    host.write(builtin, host.read(builtin) + "kernel/drivers/gpu/drm/nouveau/nouveau.ko\n")
    host.spec(CARD)
    code, report = host.json("apply")
    tally.check("apply: exit 4, and why", code == 4 and "nothing in an image of booster's could take it"
                in str(report["diagnostics"]), report)
    tally.equal("nothing is written", host.exists(RULES), False)


@case()
def strange(host, tally):
    """a configuration that cannot be followed is not guessed at where a driver is inside, and keeps nothing from going"""
    use_booster(host)
    host.write("/lie-nouveau", "")
    host.spec(CARD)
    host.json("apply")
    run(host, "/usr/bin/booster", "build", "--force", "--kernel-version", KVER, IMAGE)
    for text, line in (("modules: |\n  a\n", 1), ("compression: zstd\nmodules: *mine\n", 2),
                       ("{modules: nouveau}\n", 1), ("modules:\n  - nouveau\n", 1), ("modules: a\nmodules: b\n", 2)):
        host.write(CONF, text)
        code, report = host.json("plan")
        tally.check("%r: blocked, and the line" % text, states(report)["device:gpu"] == "blocked"
                    and "%s:%d is no plain" % (CONF, line) in str(report["diagnostics"]), report)
    host.remove("/etc/passthroughd/host.yaml")
    code, report = host.json("apply")
    tally.check("it all goes back", code in (0, 3) and not host.exists(RULES), report)


@case()
def beside(host, tally):
    """mkinitcpio's images too: the builder is the one whose image boots, whatever the order"""
    use_booster(host, beside=True)
    host.spec(CARD)
    code, report = host.json("plan")
    tally.check("by booster's: no image", code == 2 and not [
        step for step in lasting(report) if step["class"] == "initramfs"], report)
    tally.check("and no file of mkinitcpio's", "mkinitcpio" not in str(report["diffs"]), report)
    boot_with(host, "initramfs-linux.img")
    code, report = host.json("apply")
    tally.check("by mkinitcpio's: exit 3", code == 3, report)
    tally.equal("it alone builds", [line.split()[0] for line in host.log()], ["mkinitcpio"])
    tally.equal("its image", images(host), ["/boot/initramfs-linux.img"])
    boot_with(host, "booster-linux.img")
    code, report = host.json("apply")
    tally.check("and back: what mkinitcpio had of ours goes", code == 3
                and not host.exists("/etc/mkinitcpio.conf.d/90-passthroughd.conf") and not builds(host), report)


@case()
def by_menu(host, tally):
    """GRUB says nothing of an initramfs on the line: its menu does"""
    use_booster(host, beside=True)
    host.remove(LOADER)
    host.write("/proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz-linux root=UUID=abcd rw quiet\n")
    for name, other in (("booster-linux.img", "initramfs-linux.img"), ("initramfs-linux.img", "booster-linux.img")):
        host.write("/boot/grub/grub.cfg", "".join(
            "menuentry 'Arch Linux' {\n\tlinux\t/boot/vmlinuz-linux root=UUID=abcd rw quiet\n"
            "\tinitrd\t/boot/amd-ucode.img /boot/%s\n}\n" % image for image in (name, other)))
        host.spec(CARD)
        plan = host.json("plan")[1]
        tally.equal("the first entry's: " + name, [
            step["target"] for step in lasting(plan) if step["class"] == "initramfs"], [KVER] * name.startswith("init"))


@case()
def foreign_image(host, tally):
    """an image of that name that somebody else made, or none of that name: nothing is built over it"""
    use_booster(host, beside=True)
    other = host.read("/boot/initramfs-linux.img")
    host.remove("/usr/bin/mkinitcpio")
    host.spec(CARD)
    host.remove(IMAGE)
    code, report = host.json("apply")
    tally.check("apply: exit 4, and which", code == 4 and "/boot/initramfs-linux.img is no image of booster's"
                in str(report["diagnostics"]), report)
    host.write(IMAGE, other)
    code, report = host.json("apply")
    tally.check("so is one of its name", code == 4 and IMAGE + " is no image of booster's"
                in str(report["diagnostics"]), report)
    tally.equal("nothing is built", builds(host), [])


def broken(host, tally, lie, code, what):
    """Apply while the image has to be built, and the stand-in lies."""
    use_booster(host, "modules: nouveau\n")
    host.write(CONF, "")
    host.write(lie, "")
    host.spec(CARD)
    got, report = host.json("apply")
    tally.check("apply: exit 1, " + code, got == 1 and code in codes(report), report)
    tally.check("and what", what in str(report), report)
    host.remove(lie)
    tally.check("the device is not taken for armed", states(host.json("plan")[1])["device:gpu"]
                in ("wanted", "configured"))
    got, report = host.json("apply")
    tally.check("once it is honest all goes", got == 3, report)


@case()
def idle(host, tally):
    """success is reported, and nothing was built"""
    broken(host, tally, "/lie-idle", "no-effect", IMAGE)


@case()
def still_inside(host, tally):
    """success is reported, and the driver is inside all the same"""
    broken(host, tally, "/lie-nouveau", "no-effect", "has the module nouveau")


@case()
def other_kernel(host, tally):
    """success is reported, and the image is another kernel's, which its /init would stop at"""
    broken(host, tally, "/lie-other-kernel", "no-effect", "made for the kernel 6.0.0")


@case()
def cut(host, tally):
    """success is reported, and the image is cut short"""
    broken(host, tally, "/lie-cut", "no-effect", IMAGE)


@case()
def fails(host, tally):
    """it fails: its words are kept, files go back, the old image stays"""
    broken(host, tally, "/fail", "builder-failed", "strip: exec")


@case()
def captured(host, tally):
    """a capture holds what the plan is made by, and neither keys nor passwords"""
    use_booster(host, "emergency_shell_password: $argon2id$secret\nmodules: nouveau # mine\nnetwork:\n"
                      "    ip: 10.9.8.7/24\n")
    host.spec(CARD)
    _, text, _ = host.ctl("capture")
    host.write("/tmp/host", text)
    done = subprocess.run([host.command, "plan", "--json", "--host", host.full("/tmp/host"), "--spec",
                           host.full("/etc/passthroughd")], check=False, stdout=subprocess.PIPE, timeout=60)
    again, plan = json.loads(done.stdout), host.json("plan")[1]
    tally.check("the same plan", all(again[key] == plan[key] for key in ("items", "steps", "diffs", "diagnostics")),
                (again, plan))
    for word in ("argon2id", "PRIVATE KEY", "10.9.8.7"):
        tally.check("%s is not in it" % word, word not in text, text)
    host.json("apply")
    cache = "/var/lib/passthroughd/images.cache"
    tally.check("nor in what is remembered of images", host.exists(cache) and "PRIVATE KEY" not in host.read(cache))


if __name__ == "__main__":
    main("booster", CASES)
