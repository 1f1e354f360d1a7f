# SPDX-License-Identifier: GPL-2.0-or-later
"""The power goes in a builder: the guest boots each time, status tells what is, and then it is healed

The cuts: while update-initramfs writes the image, between it and update-grub, and in grub-mkconfig's copy of
grub.cfg (fact 2.9). Wrappers hold a builder at that point until QEMU is killed.
"""

import re

from product import states

LONG = True  # it takes more than ten minutes without KVM
MACHINE = {
    "iommu": "intel",
    "devices": (
        "pcie-root-port,id=port1,bus=pcie.0,addr=0x4,chassis=1,slot=1",
        "e1000e,bus=port1,addr=0x0,mac=52:54:00:00:00:01",
    ),
}
CARD = "0000:01:00.0"
SPEC = "devices:\n  card: {address: \"01:00.0\"}\nblacklist: [pcspkr]\nkernel-flags: [pcie_aspm=off]\n"
FLAGS = ("intel_iommu=on", "iommu=pt", "pcie_aspm=off")

HOLD = "sync; : >/run/here; exec sleep 1000\n"
# Path and text of what stands before the real command. Of lz4 the real one is moved away, since mkinitramfs
# sets a PATH of its own.
IN_INITRAMFS = ("/usr/local/bin/held", "#!/bin/sh\nhead -c 4000000 | /usr/local/bin/lz4.real \"$@\"\n" + HOLD)
BETWEEN = ("/usr/local/sbin/update-grub", "#!/bin/sh\n: >/run/here; exec sleep 1000\n")
IN_COPY = ("/usr/local/bin/cat", """#!/bin/sh
case $1:$(readlink /proc/$$/fd/1) in
/boot/grub/grub.cfg*.new:/boot/grub/grub.cfg*) head -c 2000 "$1"; %s;;
esac
exec /bin/cat "$@"
""" % HOLD.strip())

# Up to the point at which the wrapper holds the builder.
APPLY = """setsid passthroughctl apply >/var/tmp/apply.log 2>&1 </dev/null &
for i in $(seq 2000); do
	[ -e /run/here ] && exit 0
	kill -0 $! || break
	sleep 0.2
done
cat /var/tmp/apply.log; exit 1"""

# The parts of an image that are ours, as the image has them.
IN_IMAGE = """rm -rf /var/tmp/image && unmkinitramfs /boot/initrd.img-$(uname -r) /var/tmp/image && cd /var/tmp/image &&
cat $(find . -name '00-passthroughd.conf' -o -name '00-passthroughd.rules')"""


def cut(machine, wrapper):
    """An apply that comes as far as the wrapper, and then the power goes."""
    path, text = wrapper
    machine.put(path, text, 0o755)
    if wrapper is IN_INITRAMFS:
        machine.must("cp /usr/bin/lz4 /usr/local/bin/lz4.real && mount --bind %s /usr/bin/lz4" % path)
    machine.must(APPLY, 450)
    machine.kill()
    machine.start()
    machine.must("rm " + path)


def layers_seen(machine, product):
    """Layer by layer what is there, without asking the product: item id -> (files, boot, live)."""
    config = machine.run("cat /etc/default/grub.d/90-passthroughd.cfg")[1].replace('"', " ").split()
    line = machine.must("cat /proc/cmdline").split()
    grub = machine.must("cat /boot/grub/grub.cfg")
    entries = [found.split() for found in re.findall(r"^\s+linux\s(.*)$", grub, re.MULTILINE) if " single" not in found]
    files = machine.run("cat /etc/modprobe.d/00-passthroughd.conf /etc/udev/rules.d/00-passthroughd.rules")[1]
    image = machine.run(IN_IMAGE, 120)[1]
    seen = {"kernel-flag:" + flag: (flag in config, bool(entries) and all(flag in entry for entry in entries),
                                    flag in line) for flag in FLAGS}
    seen["blacklist:pcspkr"] = ("blacklist pcspkr\n" in files, "blacklist pcspkr\n" in image,
                                machine.run("grep '^pcspkr ' /proc/modules")[0] != 0)
    seen["device:card"] = (CARD in files, CARD in image, product.driver(CARD) == "vfio-pci")
    return seen


def tells_the_truth(machine, product, tally, step):
    """What status says of each layer of each item is what is there; returns that. STEP: which the power cut."""
    code, status = product.json("status")
    seen = layers_seen(machine, product)
    said = {item["id"]: tuple(item.get(layer) == "right" for layer in ("files", "boot", "live"))
            for item in status.get("items", []) if item["id"] in seen}
    tally.equal("status, before anything is healed, says of each layer what is there", said, seen)
    told = [one["message"] for one in status.get("diagnostics", []) if one["code"] == "interrupted"]
    tally.check("and that an apply was cut, and where", code == 2 and len(told) == 1 and step in told[0], (code, told))
    return seen, status


def whole(machine, tally):
    """What boots is whole, and so are the files."""
    tally.check("the image that boots is whole", machine.run("lsinitramfs /boot/initrd.img-$(uname -r)", 120)[0] == 0)
    code, output = machine.run("grub-script-check /boot/grub/grub.cfg && "
                               "grep -q '^### END /etc/grub.d/41_custom ###' /boot/grub/grub.cfg")
    tally.check("grub.cfg is whole", code == 0, output)


def in_initramfs(machine, product, tally):
    cut(machine, IN_INITRAMFS)
    tally.check("the half image lies beside the old one",
                machine.run("test -s /boot/initrd.img-$(uname -r).new")[0] == 0)
    whole(machine, tally)
    seen, status = tells_the_truth(machine, product, tally, "build-initramfs")
    tally.equal("the files are written, the image and the entries are the old ones",
                {layers[:2] for layers in seen.values()}, {(True, False)})
    tally.equal("nothing is said to be armed or active", {states(status)[name] for name in seen}, {"configured"})


def between(machine, product, tally):
    cut(machine, BETWEEN)
    tally.check("the half image is gone", machine.run("ls /boot/initrd.img-*.new")[0] != 0)
    whole(machine, tally)
    seen, _ = tells_the_truth(machine, product, tally, "update-grub")
    tally.equal("the image is the new one, the entries are the old ones",
                {name: layers[1] for name, layers in seen.items()},
                dict({"kernel-flag:" + flag: False for flag in FLAGS},
                     **{"blacklist:pcspkr": True, "device:card": True}))


def in_copy(machine, product, tally):
    cut(machine, IN_COPY)
    tally.equal("the half copy lies beside grub.cfg",
                machine.run("stat -c %s /boot/grub/grub.cfg.passthroughd")[1].strip(), "2000")
    whole(machine, tally)
    seen, _ = tells_the_truth(machine, product, tally, "update-grub")
    tally.check("no entry has a flag", not [name for name in seen if name.startswith("kernel-flag:") and seen[name][1]],
                seen)


def healed(machine, product, tally):
    machine.must("systemctl enable --now passthroughd.service", 120)
    code, status = product.settle()
    tally.equal("the daemon heals it: only a reboot is outstanding", (code, product.json("plan")[0]), (3, 3))
    journal = machine.must("cat /var/lib/passthroughd/journal")
    tally.equal("the journal has three applies that were cut", journal.count("was cut"), 3)
    tally.equal("nothing half is left", machine.run("ls -A /boot/*.new /boot/grub/*.new /boot/grub/*.passthroughd "
                                                    "2>/dev/null")[1], "")
    machine.reboot()
    code, plan = product.json("plan")
    tally.check("after the reboot the plan is empty", code == 0 and plan.get("converged") is True
                and not plan.get("steps"), plan)
    tally.equal("everything is active", set(states(plan).values()) | set(states(plan, "devices").values()), {"active"})
    tally.equal("in each layer", set(layers_seen(machine, product).values()), {(True, True, True)})


def run(machine, product, tally):
    product.install()
    machine.must("systemctl disable --now passthroughd.service")
    machine.put("/etc/passthroughd/host.yaml", SPEC)
    machine.must("sync")
    tally.heading("the power goes in update-initramfs")
    in_initramfs(machine, product, tally)
    tally.heading("the power goes between update-initramfs and update-grub")
    between(machine, product, tally)
    tally.heading("the power goes in the copy of grub.cfg")
    in_copy(machine, product, tally)
    tally.heading("healed")
    healed(machine, product, tally)
