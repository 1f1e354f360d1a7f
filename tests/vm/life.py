# SPDX-License-Identifier: GPL-2.0-or-later
"""The life of the guide's host, whatever starts it: from one YAML file to bound devices by a real reboot, and back

A card of two functions with a driver each, an NVMe controller, and a twin of the card's first function that
nobody chose. The initramfs holds all their drivers (fact 5.13), so vfio-pci has to be there first.
"""

from product import OWNED, changed_lines, states

DEVICES = (
    "pcie-root-port,id=port1,bus=pcie.0,addr=0x4,chassis=1,slot=1",
    "pcie-root-port,id=port2,bus=pcie.0,addr=0x5,chassis=2,slot=2",
    "pcie-root-port,id=port3,bus=pcie.0,addr=0x6,chassis=3,slot=3",
    "e1000e,bus=port1,addr=0x0,multifunction=on,mac=52:54:00:00:00:01",
    "intel-hda,bus=port1,addr=0x0.0x1",
    "nvme,bus=port2,addr=0x0,serial=guest-nvme",
    "e1000e,bus=port3,addr=0x0,mac=52:54:00:00:00:03",
)

CARD, AUDIO, NVME, TWIN = "0000:01:00.0", "0000:01:00.1", "0000:02:00.0", "0000:03:00.0"
CHOSEN = (CARD, AUDIO, NVME)
HOST_DRIVERS = {CARD: "e1000e", AUDIO: "snd_hda_intel", NVME: "nvme", TWIN: "e1000e"}

# A reset method of its own is what the emulated audio function lacks, hence the consent.
SPEC = """devices:
  card:
    address: "01:00.0"
    accept: [no-reset]
  disk:
    id: 1b36:0010
blacklist: [nouveau, nvidia, radeon, pcspkr]
kernel-flags: [pcie_aspm=off]
module-options:
  kvm: {ignore_msrs: 1}
  loop: {max_loop: 3}
"""
SPEC_PATH = "/etc/passthroughd/host.yaml"
FLAGS = ("intel_iommu=on", "iommu=pt", "pcie_aspm=off")

LSINITRAMFS = "lsinitramfs /boot/initrd.img-*"

# dracut's configuration: as small an image as boots this host, with the drivers that vfio-pci has to win against.
DRACUT = """compress="lz4"
hostonly="yes"
drivers=" ext4 virtio_blk virtio_pci e1000e snd_hda_intel nvme "
dracutmodules=" base kernel-modules rootfs-block udev-rules "
"""

# A driver that has a device says so with its address.
BOUND_BY_HOST = " (e1000e|snd_hda_intel) 0000:01:00| nvme nvme[0-9]+: pci function 0000:02:00"

def drivers(product, addresses):
    return {address: product.driver(address) for address in addresses}


def blacklist_state(machine):
    return machine.run("grep -E '^(nouveau|nvidia|radeon|pcspkr) ' /proc/modules")[1]


def begin(machine, product, tally, entries):
    """Without a spec; these also show that the questions asked later can be answered with no."""
    tally.equal("without us every function is on its host driver", drivers(product, HOST_DRIVERS), HOST_DRIVERS)
    log = product.kernel_log(BOUND_BY_HOST)
    tally.check("the kernel log tells that host drivers bound them", all(a in log for a in CHOSEN), log)
    tally.check("pcspkr is loaded while nobody blacklists it", "pcspkr" in blacklist_state(machine))
    code, plan = product.json("plan")
    tally.check("no spec: the plan exits 0 and is converged", code == 0 and plan.get("converged") is True,
                "%s %s" % (code, plan))
    return product.manifest(), entries(machine)


def accept_spec(machine, product, tally):
    machine.put(SPEC_PATH, SPEC)
    code, plan = product.json("plan")
    tally.equal("with the spec there are changes pending", code, 2)
    tally.check("the plan announces a reboot with its reasons",
                plan.get("reboot", {}).get("required") and plan["reboot"]["why"], plan)
    code, output = machine.run("systemctl reload passthroughd", 300)
    tally.check("systemctl reload succeeds", code == 0, output)
    code, status = product.settle()
    tally.equal("then only a reboot is outstanding: plan exits 3", code, 3)
    tally.equal("the flags and modules are armed or active", [
        name for name, state in states(status).items() if state not in ("armed", "active")], [])
    tally.check("/run/reboot-required is there", product.exists("/run/reboot-required"))
    packages = machine.run("cat /run/reboot-required.pkgs")[1]
    tally.check("/run/reboot-required.pkgs names us", "passthroughd" in packages.split(), packages)


def after_reboot(machine, product, tally):
    tally.equal("all chosen functions are on vfio-pci and the twin is not", drivers(product, HOST_DRIVERS),
                dict(dict.fromkeys(CHOSEN, "vfio-pci"), **{TWIN: "e1000e"}))
    log = product.kernel_log(BOUND_BY_HOST)
    tally.check("no host driver ever bound them on this boot", not log, log)
    words = machine.run("cat /proc/cmdline")[1].split()
    for flag in FLAGS:
        tally.equal("%s is on the kernel's line, once" % flag, words.count(flag), 1)
    tally.equal("none of the blacklisted drivers is loaded", blacklist_state(machine), "")
    value = machine.run("modprobe kvm; cat /sys/module/kvm/parameters/ignore_msrs")[1].strip()
    tally.equal("kvm.ignore_msrs is in force", value, "Y")
    value = machine.run("modprobe loop; cat /sys/module/loop/parameters/max_loop")[1].strip()
    tally.equal("loop.max_loop is in force", value, "3")
    for module in ("vfio_pci", "vfio_iommu_type1"):
        tally.check(module + " is loaded", product.exists("/sys/module/" + module))
    tally.check("/run/reboot-required is gone", not product.exists("/run/reboot-required"))
    code, plan = product.json("plan")
    tally.check("the plan exits 0 and is converged", code == 0 and plan.get("converged") is True,
                "%s %s" % (code, plan))
    tally.check("every item and device is active",
                set(states(plan).values()) | set(states(plan, "devices").values()) == {"active"}, plan)
    code, text = machine.run("passthroughctl plan")
    tally.check("and it says so in words", code == 0 and "nothing" in text.lower(), text)
    code, text = machine.run("passthroughctl status")
    tally.check("status names both devices", code == 0 and "card" in text and "disk" in text, text)


def take_back(machine, product, tally, before, entries, inside):
    """BEFORE: of /etc, and of what ENTRIES(machine) tells. INSIDE: a command that lists all images."""
    machine.must("rm " + SPEC_PATH)
    code, output = machine.run("systemctl reload passthroughd", 300)
    tally.check("reloading without the spec succeeds", code == 0, output)
    code, _ = product.settle()
    tally.check("what it put there is taken back: plan exits 0 or 3", code in (0, 3), code)
    machine.reboot()
    for path in OWNED:
        tally.check("%s is gone" % path, not product.exists(path))
    tally.check("every other file under /etc is byte for byte as before", product.manifest() == before[0],
                changed_lines(before[0], product.manifest()))
    tally.equal("the boot entries are as before", entries(machine), before[1])
    tally.equal("nothing of ours is left in the initramfs", machine.run(inside + " | grep -i passthrough", 300)[1], "")
    tally.equal("the devices are on their own drivers", drivers(product, HOST_DRIVERS), HOST_DRIVERS)
    tally.check("pcspkr is loaded again", "pcspkr" in blacklist_state(machine))
    words = machine.run("cat /proc/cmdline")[1].split()
    tally.equal("no flag of ours is on the kernel's line", [flag for flag in FLAGS if flag in words], [])
    code, plan = product.json("plan")
    tally.check("the plan exits 0", code == 0, plan)


def grub_entries(machine):
    return machine.must("sha256sum </boot/grub/grub.cfg")


def whole(machine, product, tally, entries, inside):
    """All of it, for a scenario that has nothing else to ask."""
    before = begin(machine, product, tally, entries)
    accept_spec(machine, product, tally)
    tally.heading("reboot")
    machine.reboot()
    after_reboot(machine, product, tally)
    tally.heading("the file removed")
    take_back(machine, product, tally, before, entries, inside)
