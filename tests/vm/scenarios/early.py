# SPDX-License-Identifier: GPL-2.0-or-later
"""Bound from the initramfs on, and nothing else touched: twins that change places, a built-in driver, no driver at all

Two equal network cards, one of them chosen by its MAC address; a serial port, whose driver is built into the kernel;
a USB controller; a card that no driver knows. (Debian's xhci_hcd is a module, whatever is said of it.)
"""

from product import states

PORTS = tuple("pcie-root-port,id=port%d,bus=pcie.0,addr=0x%x,chassis=%d,slot=%d" % (n, 3 + n, n, n)
              for n in (1, 2, 3, 4, 5))
OTHERS = ("qemu-xhci,bus=port2,addr=0x0", "edu,bus=port4,addr=0x0", "pci-serial,bus=port5,addr=0x0")
CHOSEN, KEPT = "52:54:00:00:00:01", "52:54:00:00:00:03"


def cards(first, third):
    """The twins in ports 1 and 3."""
    return PORTS + OTHERS + ("e1000e,bus=port1,addr=0x0,mac=" + first, "e1000e,bus=port3,addr=0x0,mac=" + third)


MACHINE = {"iommu": "intel", "devices": cards(CHOSEN, KEPT)}
FIRST, USB, THIRD, PLAIN, UART = ("0000:01:00.0", "0000:02:00.0", "0000:03:00.0", "0000:04:00.0",
                                 "0000:05:00.0")

SPEC_PATH = "/etc/passthroughd/host.yaml"
SPEC = """devices:
  card: {mac: "%s"}
  plain: {id: "1234:11e8"}
  uart: {id: "1b36:0002"}
  usb: {id: "1b36:000d"}
""" % CHOSEN


def drivers(product):
    return {address: product.driver(address) for address in (FIRST, USB, THIRD, PLAIN, UART)}


def touched(product, address):
    """What the kernel's log says of a host driver that had the function on this boot."""
    return product.kernel_log("(e1000e|xhci_hcd) %s: .*(registered|eth[0-9]|enp|PCI Express)" % address)


def seconds(log):
    """Of the first line of a kernel log."""
    return float(log.split("]")[0].strip("[ "))


def link_up(machine, address):
    return machine.run("ip link set $(basename /sys/bus/pci/devices/%s/net/*) up" % address)[0] == 0


def arm(machine, product, tally):
    tally.equal("before: host drivers have what they know", drivers(product),
                {FIRST: "e1000e", USB: "xhci_hcd", THIRD: "e1000e", PLAIN: "-", UART: "serial"})
    machine.must("grep -q /8250_pci.ko /lib/modules/$(uname -r)/modules.builtin")
    machine.put(SPEC_PATH, SPEC)
    code, output = machine.run("systemctl reload passthroughd", 300)
    tally.check("systemctl reload succeeds", code == 0, output)
    code, status = product.settle()
    tally.equal("then only a reboot is outstanding: plan exits 3", code, 3)
    why = {one["name"]: one["addresses"] for one in status.get("devices", [])}
    tally.equal("of the twins the one that was meant is chosen", why.get("card"), [FIRST])


def from_the_initramfs(machine, product, tally):
    tally.equal("the chosen ones are on vfio-pci, the twin is on its own driver", drivers(product),
                {FIRST: "vfio-pci", USB: "vfio-pci", THIRD: "e1000e", PLAIN: "vfio-pci", UART: "vfio-pci"})
    for address, name in ((FIRST, "e1000e"), (USB, "xhci_hcd")):
        log = touched(product, address)
        tally.check("%s never had %s on this boot" % (name, address), not log, log)
    # The script in the image says so in the kernel's log.
    taken = product.kernel_log("passthroughd: %s taken from serial" % UART)
    mounted = product.kernel_log("EXT4-fs .*mounted")
    tally.check("the serial port left its built-in driver before the root was mounted",
                taken and mounted and seconds(taken) < seconds(mounted), taken + mounted)
    tally.check("the twin works", link_up(machine, THIRD))
    code, plan = product.json("plan")
    tally.check("the plan exits 0 and is converged", code == 0 and plan.get("converged") is True, plan)
    tally.equal("every device is active", states(plan, "devices"),
                {"card": "active", "plain": "active", "uart": "active", "usb": "active"})


def swapped(machine, product, tally):
    """The cards have changed slots: at the chosen one's old address is its twin now."""
    tally.equal("the twin at the chosen one's old address is on its own driver", product.driver(FIRST), "e1000e")
    tally.check("and works", link_up(machine, FIRST))
    log = product.kernel_log("vfio-pci %s|%s.*vfio" % (FIRST, FIRST))
    tally.check("vfio-pci never had it", not log, log)
    code, status = product.settle()
    card = [one for one in status.get("devices", []) if one["name"] == "card"][0]
    codes = [finding["code"] for finding in card["verdicts"]]
    tally.check("the chosen one is found where it is now, and said to have moved",
                card["addresses"] == [THIRD] and ("device-moved" in codes or card.get("identity") == "same"), card)
    tally.equal("it is bound at its new address, without a reboot",
                (product.driver(THIRD), card["state"], code), ("vfio-pci", "active", 0))


def again(machine, product, tally):
    tally.equal("after one more reboot it is there from the initramfs on, and the twin is not",
                drivers(product), {FIRST: "e1000e", USB: "vfio-pci", THIRD: "vfio-pci", PLAIN: "vfio-pci",
                                   UART: "vfio-pci"})
    log = touched(product, THIRD)
    tally.check("e1000e never had it on this boot", not log, log)
    code, plan = product.json("plan")
    tally.check("the plan exits 0 and is converged", code == 0 and plan.get("converged") is True, plan)


def switched_off(machine, product, tally):
    """As by hand from the boot menu: the word is in nobody's configuration."""
    machine.must("sed -i 's/^\\(\\s*linux\\s.*\\)$/\\1 passthroughd=off/' /boot/grub/grub.cfg && sync")
    machine.reboot()
    tally.check("the word is on the kernel's line", "passthroughd=off" in machine.must("cat /proc/cmdline"))
    product.settle()
    tally.equal("passthroughd=off gives an untouched boot", drivers(product),
                {FIRST: "e1000e", USB: "xhci_hcd", THIRD: "e1000e", PLAIN: "-", UART: "serial"})
    code, text = machine.run("passthroughctl status")
    tally.check("status says why", "passthroughd=off" in text, text)


def run(machine, product, tally):
    product.install()
    arm(machine, product, tally)
    tally.heading("reboot")
    machine.reboot()
    from_the_initramfs(machine, product, tally)
    tally.heading("the twins change places")
    machine.power_off()
    machine.plug(cards(KEPT, CHOSEN))
    machine.start()
    swapped(machine, product, tally)
    tally.heading("reboot")
    machine.reboot()
    again(machine, product, tally)
    tally.heading("passthroughd=off")
    switched_off(machine, product, tally)
