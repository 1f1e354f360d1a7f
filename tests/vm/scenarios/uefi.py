# SPDX-License-Identifier: GPL-2.0-or-later
"""Intel, UEFI, GRUB: the same life where the firmware starts GRUB from an ESP"""

import life

LONG = True
MACHINE = {"iommu": "intel", "uefi": True, "devices": life.DEVICES}


def run(machine, product, tally):
    machine.must("update-grub", 300)  # the menu of the image was made without UEFI, and lacks an entry for it
    product.install()
    code, found = product.json("explain boot")
    boot = found.get("boot", {})
    tally.check("explain boot: GRUB on UEFI", code == 0 and (boot.get("started_by"), boot.get("firmware")) ==
                ("grub", "uefi"), found)
    life.whole(machine, product, tally, life.grub_entries, life.LSINITRAMFS)
