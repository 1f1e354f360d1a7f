# SPDX-License-Identifier: GPL-2.0-or-later
"""The IOMMU is on: what is free is bound at once and given back, what the host lives on is refused

The boot disk shares its group with a card, behind a bridge of conventional PCI. One network card carries the default
route, one is free; one NVMe controller is held open, one has virtual functions.
"""

from product import states

LINE = "intel_iommu=on"
MACHINE = {
    "iommu": "intel",
    "boot_disk": "bus=bridge,addr=0x1",
    "devices": (
        "pcie-root-port,id=port1,bus=pcie.0,addr=0x4,chassis=1,slot=1",
        "pcie-root-port,id=port2,bus=pcie.0,addr=0x5,chassis=2,slot=2",
        "pcie-root-port,id=port3,bus=pcie.0,addr=0x6,chassis=3,slot=3",
        "pcie-root-port,id=port4,bus=pcie.0,addr=0x7,chassis=4,slot=4",
        "pcie-root-port,id=port5,bus=pcie.0,addr=0x8,chassis=5,slot=5",
        "pcie-pci-bridge,id=bridge,bus=port5,addr=0x0",
        "e1000e,bus=port1,addr=0x0,mac=52:54:00:00:00:01",
        "e1000e,bus=port2,addr=0x0,mac=52:54:00:00:00:02",
        "nvme,bus=port3,addr=0x0,serial=held",
        "nvme-subsys,id=subsystem",
        "nvme,bus=port4,addr=0x0,serial=parent,subsys=subsystem,sriov_max_vfs=4,sriov_vq_flexible=8,"
        "sriov_vi_flexible=4",
        "e1000,bus=bridge,addr=0x2,mac=52:54:00:00:00:05",
    ),
}

FREE, ROUTE, HELD, PARENT, SIBLING = ("0000:01:00.0", "0000:02:00.0", "0000:03:00.0", "0000:04:00.0",
                                      "0000:06:02.0")
BOOT_DISK = "0000:06:01.0"

SPEC_PATH = "/etc/passthroughd/host.yaml"
SPEC = """devices:
  free: {mac: "52:54:00:00:00:01"}
  held: {serial: held}
  parent: {serial: parent}
  route: {mac: "52:54:00:00:00:02"}
  sibling: {address: "06:02.0"}
"""

# A process that keeps the controller's node open, by a name that nothing else has. /run is mounted noexec.
HOLDER = """cp "$(command -v busybox)" /usr/local/bin/keeper
bash -c 'exec 9</dev/%s; exec -a sleep /usr/local/bin/keeper 100000' >/run/holder.log 2>&1 & echo $! >/run/holder
sleep 2; cat /run/holder.log; grep -q keeper /proc/$(cat /run/holder)/comm"""


def verdict(document, device, code):
    """The finding with that code against that device, {} without."""
    for one in document.get("devices", []):
        if one.get("name") == device:
            for finding in one.get("verdicts", []):
                if finding.get("code") == code:
                    return finding
    return {}


def evidence(document, device, code):
    return "\n".join(verdict(document, device, code).get("evidence", []))


def node_of(product, address):
    """The NVMe controller's node: nvme0, nvme1."""
    return product.machine.must("ls /sys/bus/pci/devices/%s/nvme" % address).strip()


def prepare(machine, product, tally):
    tally.check("the IOMMU is on from the start", product.exists("/sys/kernel/iommu_groups/0"))
    group = "basename $(readlink /sys/bus/pci/devices/%s/iommu_group)"
    tally.equal("the boot disk and the card beside it share a group",
                machine.must(group % BOOT_DISK), machine.must(group % SIBLING))
    link = machine.must("basename /sys/bus/pci/devices/%s/net/*" % ROUTE).strip()
    machine.must("ip address add 192.0.2.10/24 dev %s && ip link set %s up && "
                 "ip route add default via 192.0.2.1 dev %s" % (link, link, link))
    machine.must(HOLDER % node_of(product, HELD))
    machine.must("echo 2 >/sys/bus/pci/devices/%s/sriov_numvfs" % PARENT)
    machine.must("rm -f /run/reboot-required*")


def first(machine, product, tally):
    machine.put(SPEC_PATH, SPEC)
    code, plan = product.json("plan")
    tally.equal("the plan has changes pending", code, 2)
    code, output = machine.run("systemctl reload passthroughd", 300)
    tally.check("systemctl reload succeeds", code == 0, output)
    code, status = product.settle()
    tally.equal("something is refused and the rest is done: plan exits 4", code, 4)
    tally.equal("the free card is active, the others are blocked", states(status, "devices"), {
        "free": "active", "held": "blocked", "parent": "blocked", "route": "blocked", "sibling": "blocked"})
    tally.equal("it is on vfio-pci without a reboot", product.driver(FREE), "vfio-pci")
    tally.equal("the others are where they were",
                [product.driver(address) for address in (HELD, PARENT, ROUTE, SIBLING, BOOT_DISK)],
                ["nvme", "nvme", "e1000e", "e1000", "virtio-pci"])
    return status


def refusals(machine, product, tally, status):
    pid = machine.must("cat /run/holder").strip()
    text = evidence(status, "held", "in-use")
    tally.check("held: in-use names the process and the node",
                "keeper (%s)" % pid in text and "/dev/nvme" in text, status)
    text = evidence(status, "sibling", "boot-disk")
    tally.check("sibling: boot-disk tells the group, the disk and the mount",
                BOOT_DISK in text and "mounted on /" in text and "shares group" in text, status)
    tally.check("route: management-nic tells the default route",
                "default route" in evidence(status, "route", "management-nic"), status)
    text = evidence(status, "parent", "virtual-functions-active")
    tally.check("parent: virtual-functions-active tells how many", "2 virtual functions" in text, status)
    code, text = machine.run("passthroughctl plan")
    tally.check("each refusal says what would make it acceptable",
                all(word in text for word in ("accept: [management-nic]", "sriov_numvfs", "stop what uses it",
                                              "another slot")), text)
    flagged = product.exists("/run/reboot-required")
    # intel_iommu=on is there by the starter's hand; iommu=pt is what a reboot brings.
    why = product.json("plan")[1].get("reboot", {}).get("why", [])
    tally.check("no device asks for a reboot", not [line for line in why if line.startswith("device:")],
                (flagged, why))


def quiet(machine, product, tally):
    """A second look at unchanged devices writes nothing: the kernel counts bindings by uevents."""
    before = machine.must("cat /sys/kernel/uevent_seqnum")
    code, output = machine.run("passthroughctl apply --json", 300)
    tally.check("applying again does no step", '"steps":[]' in output.replace(" ", "").replace("\n", ""), output)
    tally.equal("and no device was bound, unbound or probed by it",
                machine.must("cat /sys/kernel/uevent_seqnum"), before)


def released(machine, product, tally):
    machine.must("kill $(cat /run/holder)")
    bound = machine.run("for i in $(seq 240); do [ \"$(basename $(readlink "
                        "/sys/bus/pci/devices/%s/driver))\" = vfio-pci ] && exit 0; sleep 1; done; exit 1"
                        % HELD, 300)[0]
    tally.equal("once released it is bound, and nobody had to ask", bound, 0)
    code, status = product.settle()
    tally.equal("held is active then", states(status, "devices").get("held"), "active")


def given_back(machine, product, tally):
    machine.must("rm " + SPEC_PATH)
    code, output = machine.run("systemctl reload passthroughd", 300)
    tally.check("reloading without the spec succeeds", code == 0, output)
    product.settle()
    tally.equal("un-listed devices are on their own drivers, without a reboot",
                [product.driver(FREE), product.driver(HELD)], ["e1000e", "nvme"])
    link = machine.run("ip link set $(basename /sys/bus/pci/devices/%s/net/*) up" % FREE)
    tally.check("the network card works again", link[0] == 0, link[1])
    node = node_of(product, HELD)
    tally.check("the NVMe controller answers again",
                machine.run("grep -q held /sys/class/nvme/%s/serial && grep -q live /sys/class/nvme/%s/state"
                            % (node, node))[0] == 0, node)
    override = machine.must("cat /sys/bus/pci/devices/%s/driver_override" % FREE).strip()
    tally.check("no override is left", override in ("", "(null)"), override)


def run(machine, product, tally):
    product.install()
    prepare(machine, product, tally)
    status = first(machine, product, tally)
    refusals(machine, product, tally, status)
    quiet(machine, product, tally)
    tally.heading("the holder lets go")
    released(machine, product, tally)
    tally.heading("the file removed")
    given_back(machine, product, tally)
