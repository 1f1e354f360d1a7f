# SPDX-License-Identifier: GPL-2.0-or-later
"""Intel, BIOS, GRUB: from one YAML file to bound devices by a real reboot, and all the way back"""

import re

import life
from product import changed_lines, states

MACHINE = {"iommu": "intel", "devices": life.DEVICES}

# An inner QEMU that is never let run: realising the devices is all that is asked for.
INNER = """{ echo '{"execute":"qmp_capabilities"}'; echo '{"execute":"query-pci"}'; sleep 90; } |
timeout 90 qemu-system-x86_64 -M q35 -m 64 -nodefaults -display none -S -qmp stdio \
-device vfio-pci,host=01:00.0,addr=5.0,multifunction=on -device vfio-pci,host=01:00.1,addr=5.1 \
-device vfio-pci,host=02:00.0,addr=6.0 2>&1 | tee /run/inner &
for i in $(seq 80); do grep -q '"bus"' /run/inner && break; sleep 1; done
cat /run/inner
pkill qemu-system-x86; for i in $(seq 30); do pgrep qemu-system-x86 >/dev/null || break; sleep 1; done
"""


def inner_machine(machine, tally):
    output = machine.run(INNER, 150)[1]
    for vendor, device in ((0x8086, 0x10D3), (0x8086, 0x2668), (0x1B36, 0x0010)):
        wanted = r'"device": %d, ("subsystem-vendor": \d+, )?"vendor": %d\b' % (device, vendor)
        tally.check("an inner QEMU realises %04x:%04x" % (vendor, device), re.search(wanted, output), output)


def bad_file(machine, product, tally):
    kept = product.manifest()
    machine.put("/etc/passthroughd/50-bad.yaml", "kernel-flags: [\"init=/bin/sh\"]\nblacklst: [x]\n")
    code, output = machine.run("systemctl reload passthroughd", 300)
    tally.check("reloading a bad file fails", code != 0, output)
    code, plan = product.json("plan")
    tally.equal("the bad file is an invalid spec: plan exits 5", code, 5)
    codes = {diagnostic.get("code") for diagnostic in plan.get("diagnostics", [])}
    tally.check("all of its errors are reported, not only the first", "unknown-key" in codes and len(codes) > 1,
                plan)
    tally.check("the service is still up", machine.run("systemctl is-active passthroughd")[0] == 0)
    tally.check("nothing under /etc was changed", product.manifest() == kept,
                changed_lines(kept, product.manifest()))
    _, status = product.json("status")
    tally.check("the last accepted spec stays in force", "card" in states(status, "devices"), status)
    machine.must("rm /etc/passthroughd/50-bad.yaml")
    code, output = machine.run("systemctl reload passthroughd", 300)
    tally.check("with the bad file gone reloading succeeds", code == 0, output)
    tally.equal("and there is nothing to do", product.settle()[0], 0)


def run(machine, product, tally):
    product.install()
    before = life.begin(machine, product, tally, life.grub_entries)
    life.accept_spec(machine, product, tally)
    tally.heading("reboot")
    machine.reboot()
    life.after_reboot(machine, product, tally)
    inner_machine(machine, tally)
    tally.heading("a bad file")
    bad_file(machine, product, tally)
    tally.heading("the file removed")
    life.take_back(machine, product, tally, before, life.grub_entries, life.LSINITRAMFS)
