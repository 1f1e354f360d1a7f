# SPDX-License-Identifier: GPL-2.0-or-later
"""An IOMMU without interrupt remapping: refused with evidence, bound by explicit consent only"""

from product import states

LINE = "intel_iommu=on"
MACHINE = {
    "iommu": "intel-no-intremap",
    "devices": (
        "pcie-root-port,id=port1,bus=pcie.0,addr=0x4,chassis=1,slot=1",
        "e1000e,bus=port1,addr=0x0,mac=52:54:00:00:00:01",
    ),
}
CARD = "0000:01:00.0"
SPEC_PATH = "/etc/passthroughd/host.yaml"
SPEC = "devices:\n  card: {id: \"8086:10d3\"}\n"
CONSENT = "iommu: {unsafe-interrupts: true}\n"
PARAMETER = "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"


def run(machine, product, tally):
    product.install()
    machine.put(SPEC_PATH, SPEC)
    code, output = machine.run("systemctl reload passthroughd", 300)
    tally.check("systemctl reload succeeds", code == 0, output)
    code, status = product.settle()
    codes = [finding for one in status.get("devices", []) for finding in one["verdicts"]
             if finding["code"] == "no-interrupt-remapping"]
    tally.check("the card is refused: no-interrupt-remapping, with evidence, plan exits 4",
                code == 4 and codes and codes[0]["severity"] == "error" and codes[0]["evidence"], status)
    tally.equal("and stays with the host", product.driver(CARD), "e1000e")
    code, text = machine.run("passthroughctl plan")
    tally.check("the refusal names the consent", "unsafe-interrupts: true" in text, text)
    machine.put(SPEC_PATH, SPEC + CONSENT)
    code, output = machine.run("systemctl reload passthroughd", 300)
    tally.check("with the consent reloading succeeds", code == 0, output)
    code, status = product.settle()
    tally.equal("the card is active without a reboot", states(status, "devices"), {"card": "active"})
    tally.equal("on vfio-pci", product.driver(CARD), "vfio-pci")
    tally.equal("the parameter is in force", machine.must("cat " + PARAMETER).strip(), "Y")
    options = machine.must("cat /etc/modprobe.d/00-passthroughd.conf")
    tally.check("and configured for the next boot", "allow_unsafe_interrupts=1" in options, options)
