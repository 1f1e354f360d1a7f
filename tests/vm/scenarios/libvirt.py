# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's libvirt: a domain is given a card by virsh, starts with it, and is as it was once nobody wishes that (9.14)

The domain runs without KVM inside the guest, and never has more than firmware to run: what counts is that libvirt takes
the device, and that QEMU realises it.
"""

import json
import xml.etree.ElementTree as tree

import life
from life import AUDIO, CARD, HOST_DRIVERS, SPEC_PATH, drivers
from product import states

LONG = True
LINE = "intel_iommu=on"
PACKAGE = ("../sysroot/debs.sh", "libvirt-daemon-system", "libvirt-clients", "libvirt-daemon-driver-qemu")
MACHINE = {"iommu": "intel", "devices": life.DEVICES}

INSTALL = """set -e
mkdir -p /var/tmp/debs
cd /var/tmp/debs
tar -xf /dev/disk/by-id/virtio-disk2
DEBIAN_FRONTEND=noninteractive dpkg -i --force-unsafe-io *.deb
rm -r /var/tmp/debs"""

DOMAIN = """<domain type='qemu'>
  <name>%s</name>
  <memory unit='MiB'>256</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <graphics type='vnc' port='-1' passwd='sesame99'/>
%s  </devices>
</domain>
"""

# As people write it by hand: libvirt is to bind it.
OTHERS = """    <hostdev mode='subsystem' type='pci' managed='yes'>
      <source><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source>
    </hostdev>
"""

DEVICES = """devices:
  card:
    address: "01:00.0"
    accept: [no-reset]
"""
WISH = DEVICES + "vms:\n  inner: {hypervisor: libvirt, machine: q35, devices: {card: {%s}}}\n"

VIRSH = "virsh -q -c qemu:///system "
FILE = "/etc/libvirt/qemu/inner.xml"
ITEM = "vm:inner/card"


def define(machine, name, more=""):
    machine.put("/root/%s.xml" % name, DOMAIN % (name, more))
    machine.must(VIRSH + "define /root/%s.xml" % name, 120)


def given(machine, options="--inactive"):
    """The <hostdev> elements, by the function that each gives: how, and its ROM."""
    found = {}
    for element in tree.fromstring(machine.must(VIRSH + "dumpxml inner " + options)).iter("hostdev"):
        at = element.find("source/address").attrib
        rom = element.find("rom")
        name = "%04x:%02x:%02x.%x" % tuple(int(at[word], 0) for word in ("domain", "bus", "slot", "function"))
        found[name] = (element.get("managed"), None if rom is None else rom.get("bar"))
    return found


def reload(machine, product, tally, spec, code):
    machine.put(SPEC_PATH, spec)
    done, output = machine.run("systemctl reload passthroughd", 300)
    tally.check("systemctl reload succeeds", done == 0, output)
    seen, status = product.settle()
    tally.equal("the plan then exits %d" % code, seen, code)
    return status


def attached(machine, product, tally):
    # iommu=pt is what a reboot would bring; nothing else is left.
    status = reload(machine, product, tally, WISH % "pcie: true", 3)
    tally.equal("both functions are on vfio-pci", drivers(product, (CARD, AUDIO)), dict.fromkeys((CARD, AUDIO), "vfio-pci"))
    tally.equal("the domain is given both, and libvirt binds nothing", given(machine),
                dict.fromkeys((CARD, AUDIO), ("no", None)))
    tally.equal("it is configured", states(status).get(ITEM), "configured")
    tally.check("it was not started", "running" not in machine.must(VIRSH + "list --state-running"))
    before = machine.must("cat " + FILE)
    code, output = machine.run("passthroughctl apply --json", 300)
    tally.check("applying again does no step", json.loads(output).get("steps") == [], output)
    tally.equal("and the definition stays as it is", machine.must("cat " + FILE), before)
    code, output = machine.run("passthroughctl capture", 120)
    tally.check("a capture has the domain, and not its password",
                code == 0 and "<name>inner</name>" in output and "sesame99" not in output, output[-2000:])


def started(machine, product, tally):
    code, output = machine.run(VIRSH + "start inner", 300)
    tally.check("the domain starts with the card", code == 0, output)
    seen = machine.must(VIRSH + "qemu-monitor-command inner --hmp 'info pci'", 120)
    tally.check("its QEMU has both functions", "8086:10d3" in seen and "8086:2668" in seen, seen)
    tally.equal("it is active", states(product.json("plan")[1]).get(ITEM), "active")


def changed_while_it_runs(machine, product, tally):
    status = reload(machine, product, tally, WISH % "pcie: true, rom-bar: false", 3)
    tally.equal("the next start has it as wished", given(machine), dict.fromkeys((CARD, AUDIO), ("no", "off")))
    tally.equal("what runs is not touched", given(machine, ""), dict.fromkeys((CARD, AUDIO), ("no", None)))
    tally.equal("so it is configured, not active", states(status).get(ITEM), "configured")
    machine.must(VIRSH + "destroy inner", 120)
    tally.equal("once it is off the card stays on vfio-pci", drivers(product, (CARD, AUDIO)),
                dict.fromkeys((CARD, AUDIO), "vfio-pci"))
    code, output = machine.run(VIRSH + "start inner", 300)
    tally.check("it starts again", code == 0, output)
    tally.equal("and is active", states(product.json("plan")[1]).get(ITEM), "active")
    machine.must(VIRSH + "destroy inner", 120)


def given_twice(machine, product, tally):
    define(machine, "other", OTHERS)
    code, plan = product.json("plan")
    tally.check("another domain that has the card too is a conflict",
                code == 4 and "guest-conflict" in json.dumps(plan) and "other" in json.dumps(plan), plan)
    machine.must(VIRSH + "undefine other")
    tally.equal("which ends with it", states(product.json("plan")[1]).get(ITEM), "configured")


def without_controllers(text):
    """The definition but for the PCI controllers that libvirt added for the devices, and does not take out again."""
    root = tree.fromstring(text)
    devices = root.find("devices")
    for element in devices.findall("controller[@type='pci']"):
        devices.remove(element)
    return tree.tostring(root, encoding="unicode")


def given_back(machine, product, tally, before):
    machine.must("rm " + SPEC_PATH)
    code, output = machine.run("systemctl reload passthroughd", 300)
    tally.check("reloading without the spec succeeds", code == 0, output)
    product.settle()
    after = machine.must("cat " + FILE)
    tally.equal("the domain is given nothing any more", given(machine), {})
    tally.equal("its definition is as it was, but for controllers of libvirt's", without_controllers(after),
                without_controllers(before))
    tally.equal("the functions are on their own drivers", drivers(product, HOST_DRIVERS), HOST_DRIVERS)


def run(machine, product, tally):
    machine.must(INSTALL, 1800)
    define(machine, "inner")
    before = machine.must("cat " + FILE)
    product.install()
    attached(machine, product, tally)
    tally.heading("the domain runs")
    started(machine, product, tally)
    changed_while_it_runs(machine, product, tally)
    tally.heading("another domain")
    given_twice(machine, product, tally)
    tally.heading("the file removed")
    given_back(machine, product, tally, before)
