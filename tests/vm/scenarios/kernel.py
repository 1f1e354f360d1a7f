# SPDX-License-Identifier: GPL-2.0-or-later
"""apt-get installs another kernel while passthroughd runs: it is armed without anyone asking

So is a grub.cfg that another tool wrote. The other kernel has the driver of one of the devices built in, which the
one that runs has as a module.
"""

import re

from product import states

PACKAGE = ("kernel.sh",)
LONG = True  # it takes more than ten minutes without KVM
MACHINE = {
    "iommu": "intel",
    "devices": (
        "pcie-root-port,id=port1,bus=pcie.0,addr=0x4,chassis=1,slot=1",
        "pcie-root-port,id=port2,bus=pcie.0,addr=0x5,chassis=2,slot=2",
        "e1000e,bus=port1,addr=0x0,mac=52:54:00:00:00:01",
        "nvme,bus=port2,addr=0x0,serial=guest-nvme",
    ),
}
CARD, NVME = "0000:01:00.0", "0000:02:00.0"
SPEC = "devices:\n  card: {address: \"01:00.0\"}\n  disk: {id: \"1b36:0010\"}\nkernel-flags: [pcie_aspm=off]\n"
FLAGS = {"intel_iommu=on", "iommu=pt", "pcie_aspm=off"}

INSTALL = """cd /var/tmp && tar -xf /dev/disk/by-id/virtio-disk2 &&
DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends ./linux-image-*.deb && rm *.deb"""

# What an image has of ours, and of the modules that bind.
INSIDE = """rm -rf /var/tmp/image && unmkinitramfs /boot/initrd.img-%s /var/tmp/image && cd /var/tmp/image &&
find . -name 'vfio*' && cat $(find . -name '00-passthroughd.rules')"""


def armed(machine, version):
    """What the next boot of that kernel lacks, looked up in its image and in grub.cfg."""
    inside = machine.run(INSIDE % version, 120)[1]
    lacks = [part for part in (CARD, NVME, "/vfio-pci.ko", "/vfio_iommu_type1.ko") if part not in inside]
    entries = [line.split() for line in re.findall(r"^\s+linux\s(.*)$", machine.must("cat /boot/grub/grub.cfg"),
                                                   re.MULTILINE) if " single" not in line]
    of_it = [entry for entry in entries if entry[0].endswith("vmlinuz-" + version)]
    return lacks + [flag for flag in FLAGS if not of_it or not all(flag in entry for entry in of_it)]


def told(tally, what, settled):
    code, status = settled
    tally.equal(what + ": only a reboot is outstanding", code, 3)
    tally.check("everything is armed or active",
                set(states(status).values()) | set(states(status, "devices").values()) <= {"armed", "active"}, status)


def install(machine, product, tally):
    machine.must(INSTALL, 900)
    told(tally, "after apt-get install", product.settle())
    version = machine.must("ls /lib/modules | grep cloud").strip()
    tally.equal("the new kernel's next boot lacks nothing", armed(machine, version), [])
    return version


def other_hands(machine, product, tally, version):
    """A grub.cfg without a flag of ours, written in place."""
    machine.must("sed 's/ pcie_aspm=off//' /boot/grub/grub.cfg >/var/tmp/cfg && cat /var/tmp/cfg >/boot/grub/grub.cfg")
    tally.equal("the new grub.cfg lacks what is promised", armed(machine, version), ["pcie_aspm=off"])
    told(tally, "and without anyone asking", product.settle())
    tally.equal("it is as it was promised", armed(machine, version), [])


def rebooted(machine, product, tally, version):
    machine.reboot()
    tally.equal("the new kernel runs", machine.must("uname -r").strip(), version)
    tally.equal("the devices are on vfio-pci", [product.driver(CARD), product.driver(NVME)], ["vfio-pci", "vfio-pci"])
    tally.check("the flags are on its line", FLAGS <= set(machine.must("cat /proc/cmdline").split()))
    code, status = product.settle()
    tally.equal("the plan exits 0", code, 0)
    tally.equal("everything is active", set(states(status).values()) | set(states(status, "devices").values()),
                {"active"})


def run(machine, product, tally):
    product.install()
    machine.put("/etc/passthroughd/host.yaml", SPEC)
    machine.must("systemctl reload passthroughd", 300)
    told(tally, "before", product.settle())
    tally.heading("apt-get install")
    version = install(machine, product, tally)
    tally.heading("another grub.cfg")
    other_hands(machine, product, tally, version)
    tally.heading("reboot")
    rebooted(machine, product, tally, version)
