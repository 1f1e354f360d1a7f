# SPDX-License-Identifier: GPL-2.0-or-later
"""pve.py CTL [CASE...]: guests of Proxmox VE, on small hosts with stand-ins for its tools (pve_tools.py).

As roots.py. Each configuration is one as people have them: what is wished of it, the commands, the lines afterwards, a
second plan with nothing to do, and the same text again once nothing is wished.
"""

import hashlib
import os

from pve_tools import (MAPPINGS, conf_of, devices, install, mapping_trouble, options, quorum, running, sections,
                       start_trouble)
from roots import codes, items, main, registry, states

CASES, case = registry()

HEAD = "devices:\n  gpu: {id: '10de:1b81'}\n"
FULL = "0000:01:00"
CONF = conf_of("101")


def wish(gpu="", machine=None, more="", vmid="101"):
    return HEAD + "vms:\n  '%s':\n%s    devices: {gpu: {%s}%s}\n" % (
        vmid, "    machine: %s\n" % machine if machine else "", gpu, more)


def conf(*lines):
    return "".join(line + "\n" for line in lines)


def tools(host):
    return [line for line in host.log() if line.split()[0] in ("qm", "pvesh")]


def guest_steps(plan):
    return [step for step in plan.get("steps", []) if step["kind"] == "set-guest"]


def forget(host):
    if host.exists("/var/log/builders"):
        host.remove("/var/log/builders")


# name, the configuration, the wish, what the next start has of it; None: that is refused, with the code.
PLAIN = conf("bios: ovmf", "boot: order=scsi0;net0", "cores: 4", "cpu: host", "machine: q35", "memory: 8192",
             "meta: creation-qemu=9.0.2,ctime=1717000000", "name: games", "net0: virtio=BC:24:11:AA:BB:CC,bridge=vmbr0",
             "onboot: 1", "ostype: l26", "scsi0: local-lvm:vm-101-disk-1,iothread=1,size=64G", "scsihw: virtio-scsi-single",
             "smbios1: uuid=00000000-1111-2222-3333-444444444444", "vmgenid: 55555555-6666-7777-8888-999999999999")


def plain(*lines, without=()):
    """PLAIN with more lines, in Proxmox VE's order."""
    kept = [line for line in PLAIN.splitlines() if line.split(":")[0] not in without]
    return conf(*sorted(kept + list(lines)))


CONFIGURATIONS = [
    ("no device yet", PLAIN, wish("pcie: true"), {"machine": "q35", "hostpci0": FULL + ",pcie=1"}),
    ("all options", PLAIN, wish("pcie: true, primary-gpu: true, rom-bar: false, rom-file: vbios.bin, id: '10de:1234'"),
     {"machine": "q35", "hostpci0": FULL + ",pcie=1,x-vga=1,rombar=0,romfile=vbios.bin,vendor-id=0x10de,device-id=0x1234"}),
    ("i440fx by default, plain PCI", plain(without=("machine",)), wish(), {"hostpci0": FULL}),
    ("i440fx to q35", plain(without=("machine",)), wish("pcie: true", "q35"),
     {"machine": "q35", "hostpci0": FULL + ",pcie=1"}),
    ("an exact i440fx to q35", plain("machine: pc-i440fx-8.1", without=("machine",)), wish("pcie: true", "q35"),
     {"machine": "q35", "hostpci0": FULL + ",pcie=1"}),
    ("a pinned q35 is q35", plain("machine: pc-q35-8.1+pve0", without=("machine",)), wish("pcie: true", "q35"),
     {"machine": "pc-q35-8.1+pve0", "hostpci0": FULL + ",pcie=1"}),
    ("options of the machine stay", plain("machine: pc,viommu=virtio", without=("machine",)), wish("", "q35"),
     {"machine": "q35,viommu=virtio", "hostpci0": FULL}),
    ("short spelling serves", plain("hostpci0: 01:00"), wish(), {"machine": "q35", "hostpci0": "01:00"}),
    ("host= serves", plain("hostpci2: pcie=1,host=0000:01:00,x-vga=on"), wish("pcie: true, primary-gpu: true"),
     {"machine": "q35", "hostpci2": "pcie=1,host=0000:01:00,x-vga=on"}),
    ("a list of functions serves", plain("hostpci0: 01:00.0;01:00.1,pcie=1"), wish("pcie: true"),
     {"machine": "q35", "hostpci0": "01:00.0;01:00.1,pcie=1"}),
    ("one function becomes all", plain("hostpci0: 01:00.0,pcie=1,rombar=0"), wish("pcie: true"),
     {"machine": "q35", "hostpci0": FULL + ",pcie=1,rombar=0"}),
    ("only what is wished changes", plain("hostpci1: 0000:01:00,romfile=card.rom,x-vga=1"),
     wish("pcie: true, rom-bar: false"),
     {"machine": "q35", "hostpci1": "0000:01:00,romfile=card.rom,x-vga=1,pcie=1,rombar=0"}),
    ("a flag is taken out", plain("hostpci0: 0000:01:00,pcie=1,x-vga=1"), wish("primary-gpu: false"),
     {"machine": "q35", "hostpci0": "0000:01:00,pcie=1"}),
    ("a foreign device before it", plain("hostpci0: 0000:04:00,pcie=1"), wish("pcie: true"),
     {"machine": "q35", "hostpci0": "0000:04:00,pcie=1", "hostpci1": FULL + ",pcie=1"}),
    ("a gap is filled", plain("hostpci0: 04:00", "hostpci2: 05:00"), wish(),
     {"machine": "q35", "hostpci0": "04:00", "hostpci1": FULL, "hostpci2": "05:00"}),
    ("the index that is wished", plain("hostpci0: 04:00"), wish("index: 15"),
     {"machine": "q35", "hostpci0": "04:00", "hostpci15": FULL}),
    ("that index is taken", plain("hostpci0: 04:00"), wish("index: 0"), "foreign-conflict"),
    ("there with another index", plain("hostpci0: 01:00"), wish("index: 3"), "foreign-conflict"),
    ("all are taken", plain(*("hostpci%d: 0%x:00" % (i, i + 3) for i in range(13)), "hostpci13: 10:00", "hostpci14: 11:00",
                            "hostpci15: 12:00"), wish(), "foreign-conflict"),
    ("shared with another device", plain("hostpci0: 01:00;04:00,pcie=1"), wish("pcie: true"), "foreign-conflict"),
    ("twice there", plain("hostpci0: 01:00.0", "hostpci1: 01:00.1"), wish(), "foreign-conflict"),
    ("a share of it", plain("hostpci0: 01:00.0,mdev=nvidia-63"), wish(), "foreign-conflict"),
    ("not to be understood", plain("hostpci0: 01:00,pcie=1,pcie=1", "hostpci1: 04:00"), wish("index: 0"),
     "foreign-conflict"),
    ("legacy-igd and what it excludes", plain("hostpci0: 01:00,legacy-igd=1", without=("machine",)),
     wish("primary-gpu: true"), "foreign-conflict"),
    ("PCI Express without q35", plain(without=("machine",)), wish("pcie: true"), "needs-q35"),
    ("machine away from what needs it", plain("hostpci0: 04:00,pcie=1"), wish("", "pc"), "needs-q35"),
    ("viommu=intel needs q35", plain("machine: q35,viommu=intel", without=("machine",)), wish("", "pc"), "needs-q35"),
    ("no machine of theirs", PLAIN, wish("", "microvm"), "not-supported"),
    ("comments and a description", "#bought in May\n#%20second line\n" + PLAIN, wish("pcie: true"),
     {"machine": "q35", "hostpci0": FULL + ",pcie=1"}),
    ("snapshots", PLAIN + "\n[before-update]\ncores: 2\nhostpci0: 0000:01:00\nmachine: q35\nsnaptime: 1700000000\n",
     wish("pcie: true"), {"machine": "q35", "hostpci0": FULL + ",pcie=1"}),
    ("cloud-init", PLAIN + "\n[special:cloudinit]\nname: games\n", wish("pcie: true"),
     {"machine": "q35", "hostpci0": FULL + ",pcie=1"}),
    ("args and SeaBIOS", plain("args: -cpu 'host,kvm=off' -device ivshmem-plain,host=01:00.0", "bios: seabios",
                               without=("bios",)), wish("pcie: true"), {"machine": "q35", "hostpci0": FULL + ",pcie=1"}),
    ("a template", plain("template: 1"), wish("pcie: true"), {"machine": "q35", "hostpci0": FULL + ",pcie=1"}),
    ("nothing but memory", "memory: 128\n", wish(), {"hostpci0": FULL}),
]


def settle(host):
    """The host's own side is done first, so that what follows is the guest's."""
    host.spec(HEAD)
    host.json("apply")
    forget(host)


def refused(host, tally, name, text, code):
    exit_code, report = host.json("apply")
    tally.check("%s: exit 4, %s" % (name, code), exit_code == 4 and code in codes(report), report)
    tally.equal("%s: nothing was run" % name, tools(host), [])
    tally.equal("%s: nothing changed" % name, host.read(CONF), text)


def served(host, tally, name, text, expected):
    before = devices(text)
    code, report = host.json("apply")
    tally.check("%s: only a reboot is left" % name, code == 3, report)
    tally.equal("%s: what the next start has" % name, devices(host.read(CONF)), expected)
    tally.equal("%s: one command, or none" % name, len(tools(host)), int(before != expected))
    tally.equal("%s: it would start" % name, start_trouble(host, "101"), None)
    tally.equal("%s: configured" % name, states(host.json("plan")[1]).get("vm:101/gpu"), "configured")
    forget(host)
    after = host.read(CONF)
    tally.equal("%s: a second plan has no step" % name, guest_steps(host.json("plan")[1]), [])
    host.json("apply")
    tally.equal("%s: a second apply runs nothing" % name, (tools(host), host.read(CONF)), ([], after))
    host.spec(HEAD)
    code, report = host.json("apply")
    tally.check("%s: without a wish" % name, code == 3, report)
    tally.equal("%s: it is as it was" % name, host.read(CONF), text)
    tally.equal("%s: and stays so" % name, guest_steps(host.json("plan")[1]), [])


@case(iommu=True)
def configurations(host, tally):
    """configurations as they are found: there and back"""
    install(host)
    settle(host)
    for name, text, spec, expected in CONFIGURATIONS:
        host.write(CONF, text)
        host.spec(spec)
        forget(host)
        if isinstance(expected, str):
            refused(host, tally, name, text, expected)
        else:
            served(host, tally, name, text, expected)


@case(iommu=True)
def spelling(host, tally):
    """odd order, ends as on Windows, blanks: the tool writes it its own way, and nothing else is lost"""
    install(host)
    settle(host)
    text = "name: x\r\nmachine:   q35\r\n\r\nmemory: 512 \r\nhostpci3: 04:00\r\n"
    host.write(CONF, text)
    host.spec(wish("pcie: true"))
    code, report = host.json("apply")
    tally.check("apply: only a reboot is left", code == 3, report)
    tally.equal("all lines are there", host.read(CONF), conf("hostpci0: 0000:01:00,pcie=1", "hostpci3: 04:00",
                                                              "machine: q35", "memory: 512", "name: x"))
    host.spec(HEAD)
    host.json("apply")
    tally.equal("and back", host.read(CONF), conf("hostpci3: 04:00", "machine: q35", "memory: 512", "name: x"))


@case(iommu=True)
def command(host, tally):
    """one command, with the digest of the file as it stands (9.9)"""
    install(host)
    settle(host)
    host.write(CONF, "memory: 512\n")
    host.spec(wish("pcie: true", "q35"))
    code, plan = host.json("plan")
    tally.equal("plan: changes", code, 2)
    tally.equal("nothing is run by plan", tools(host), [])
    host.json("apply")
    tally.equal("the command", tools(host), [
        "qm set 101 --machine q35 --hostpci0 0000:01:00,pcie=1 --digest " + hashlib.sha1(b"memory: 512\n").hexdigest()])


@case(iommu=True)
def runs(host, tally):
    """a guest that runs: the change is pending until it was stopped and started"""
    install(host)
    settle(host)
    host.write(CONF, PLAIN)
    running(host, "101")
    host.spec(wish("pcie: true"))
    code, report = host.json("apply")
    tally.check("apply", code == 3, report)
    tally.equal("pending", sections(host.read(CONF))["PENDING"], {"hostpci0": "0000:01:00,pcie=1"})
    plan = host.json("plan")[1]
    tally.equal("nothing is left to do", guest_steps(plan), [])
    tally.check("configured, and why it does not have it", states(plan)["vm:101/gpu"] == "configured"
                and "stopped and started" in items(plan)["vm:101/gpu"]["reason"], items(plan)["vm:101/gpu"])
    host.write(CONF, plain("hostpci0: 0000:01:00,pcie=1"))
    tally.equal("started anew: active", states(host.json("plan")[1])["vm:101/gpu"], "active")
    host.spec(HEAD)
    host.json("apply")
    tally.equal("taken back: it goes with the next start", sections(host.read(CONF))["PENDING"], {"delete": "hostpci0"})
    tally.equal("and that is all", guest_steps(host.json("plan")[1]), [])
    host.spec(wish("pcie: true"))
    host.json("apply")
    tally.equal("wished again: it stays", host.read(CONF), plain("hostpci0: 0000:01:00,pcie=1"))


@case(iommu=True)
def pending(host, tally):
    """what is pending of others counts as it will be"""
    install(host)
    settle(host)
    running(host, "101")
    text = plain("hostpci0: 0000:01:00") + "\n[PENDING]\ndelete: hostpci0\nmachine: pc\n"
    host.write(CONF, text)
    host.spec(wish("pcie: true"))
    refused(host, tally, "q35 goes", text, "needs-q35")
    host.spec(wish("pcie: true", "q35"))
    code, report = host.json("apply")
    tally.check("both are wished", code == 3, report)
    tally.equal("what was to go stays, as it is wished", devices(host.read(CONF)),
                {"machine": "q35", "hostpci0": "0000:01:00,pcie=1"})
    tally.equal("then nothing is left to do", guest_steps(host.json("plan")[1]), [])


@case(iommu=True)
def others_change(host, tally):
    """what others change in our line stays when ours goes"""
    install(host)
    settle(host)
    host.write(CONF, plain("hostpci0: 01:00,rombar=0"))
    host.spec(wish("pcie: true"))
    host.json("apply")
    host.write(CONF, plain("hostpci0: 01:00,rombar=0,pcie=1,romfile=x.rom"))
    tally.equal("it serves still", guest_steps(host.json("plan")[1]), [])
    host.json("apply")
    host.spec(HEAD)
    host.json("apply")
    tally.equal("only pcie went", devices(host.read(CONF))["hostpci0"], "01:00,rombar=0,romfile=x.rom")

    host.write(CONF, PLAIN)
    host.spec(wish("pcie: true"))
    host.json("apply")
    text = plain("hostpci0: 04:00")
    host.write(CONF, text)
    host.spec(HEAD)
    tally.check("another device under our key: that is told", "guest-left" in codes(host.json("plan")[1]))
    tally.check("and afterwards too", "guest-left" in codes(host.json("apply")[1]))
    tally.equal("and it stays", host.read(CONF), text)

    host.write(CONF, PLAIN)
    host.spec(wish("pcie: true"))
    host.json("apply")
    host.write(CONF, PLAIN)
    host.json("apply")
    tally.equal("what somebody took out comes again", devices(host.read(CONF))["hostpci0"], "0000:01:00,pcie=1")
    host.write(CONF, PLAIN)
    host.spec(HEAD)
    forget(host)
    host.json("apply")
    tally.equal("what is gone needs no command", (tools(host), host.read(CONF)), ([], PLAIN))


@case(iommu=True)
def moves(host, tally):
    """another index, another address: the entry follows"""
    install(host)
    settle(host)
    host.write(CONF, PLAIN)
    host.spec(wish())
    host.json("apply")
    host.spec(wish("index: 4"))
    forget(host)
    host.json("apply")
    tally.equal("another index", devices(host.read(CONF)), {"machine": "q35", "hostpci4": FULL})
    tally.equal("by one command", len(tools(host)), 1)
    host.spec(HEAD)
    host.json("apply")
    tally.equal("and back", host.read(CONF), PLAIN)


@case(iommu=True)
def machine_stays(host, tally):
    """q35 does not go while another device needs it"""
    install(host)
    settle(host)
    host.write(CONF, plain(without=("machine",)))
    host.spec(wish("pcie: true", "q35"))
    host.json("apply")
    host.write(CONF, plain("hostpci0: 0000:01:00,pcie=1", "hostpci1: 04:00,pcie=1"))
    host.spec(HEAD)
    tally.check("that is told", "guest-left" in codes(host.json("plan")[1]))
    host.json("apply")
    tally.equal("ours went, q35 stayed", devices(host.read(CONF)), {"machine": "q35", "hostpci1": "04:00,pcie=1"})


@case(iommu=True)
def refusals(host, tally):
    """locked, without quorum, unknown, on another node: refused, and nothing is run"""
    install(host, others=("pve2",))
    settle(host)
    host.spec(wish("pcie: true"))
    for lock in ("backup", "migrate", "snapshot"):
        host.write(CONF, plain("lock: " + lock))
        refused(host, tally, "locked (%s)" % lock, plain("lock: " + lock), "guest-locked")
    host.write(CONF, PLAIN)
    quorum(host, False)
    refused(host, tally, "no quorum", PLAIN, "no-quorum")
    quorum(host, True)
    host.spec(wish("pcie: true", vmid="102"))
    refused(host, tally, "unknown", PLAIN, "no-such-guest")
    host.write(conf_of("102", "pve2"), PLAIN)
    refused(host, tally, "elsewhere", PLAIN, "guest-elsewhere")


@case(iommu=True)
def not_mounted(host, tally):
    """its file system is not there yet: that is told, and what is ours is not forgotten"""
    install(host)
    settle(host)
    host.write(CONF, PLAIN)
    host.spec(wish("pcie: true"))
    host.json("apply")
    os.rename(host.full("/etc/pve"), host.full("/etc/elsewhere"))
    host.mkdir("/etc/pve")
    code, report = host.json("apply")
    tally.check("apply: exit 4, and why", code == 4 and "pve-cluster" in str(report["diagnostics"]), report)
    host.spec(HEAD)
    host.json("apply")
    os.rmdir(host.full("/etc/pve"))
    os.rename(host.full("/etc/elsewhere"), host.full("/etc/pve"))
    host.json("apply")
    tally.equal("mounted: what is ours goes", host.read(CONF), PLAIN)


@case(iommu=True)
def race(host, tally):
    """somebody changes the guest between the plan and the command: nothing is overwritten"""
    install(host)
    settle(host)
    host.write(CONF, PLAIN)
    host.write("/race", "")
    host.spec(wish("pcie: true"))
    code, report = host.json("apply")
    tally.check("apply: guest-changed", code not in (0, 3) and "guest-changed" in str(report), report)
    tally.equal("theirs is there alone", host.read(CONF), PLAIN + "# somebody was here\n")
    code, report = host.json("apply")
    tally.check("the next one succeeds", code == 3 and "hostpci0" in host.read(CONF), report)


@case(iommu=True)
def advice(host, tally):
    """what people run into is said, and blocks nothing"""
    install(host)
    settle(host)
    host.write(CONF, plain("cpu: host,hidden=1", without=("bios", "cpu")))
    host.write("/sys/bus/pci/devices/0000:01:00.0/boot_vga", "1\n")
    host.spec(HEAD.replace("}", ", accept: [boot-display]}", 1) + wish("pcie: true, primary-gpu: true")[len(HEAD):])
    _, plan = host.json("plan")
    for code in ("no-ovmf", "console-lost", "not-needed", "rom-needed"):
        tally.check("plan says %s" % code, code in codes(plan), plan)


@case(iommu=True)
def two_cards(host, tally):
    """a device of two slots: an entry each, from the index that is wished on; or one entry that has both"""
    install(host)
    host.gpu("0000:03:00", 3)
    cards = "devices:\n  cards: {id: '10de:1b81', count: 2}\n"
    vms = "vms: {'101': {devices: {cards: {%s}}}}\n"
    host.spec(cards)
    host.json("apply")
    host.write(CONF, PLAIN)
    host.spec(cards + vms % "pcie: true, index: 4")
    forget(host)
    code, report = host.json("apply")
    tally.check("apply: only a reboot is left", code == 3, report)
    tally.equal("two entries", devices(host.read(CONF)), {
        "machine": "q35", "hostpci4": "0000:01:00,pcie=1", "hostpci5": "0000:03:00,pcie=1"})
    tally.equal("one command", len(tools(host)), 1)
    tally.equal("then nothing is left to do", guest_steps(host.json("plan")[1]), [])
    host.spec(cards)
    host.json("apply")
    tally.equal("and back", host.read(CONF), PLAIN)
    forget(host)
    for name, text, options_, expected in (
            ("both in one", plain("hostpci0: 01:00;03:00,pcie=1"), "pcie: true", None),
            ("both in one, and another option", plain("hostpci0: 01:00;03:00"), "pcie: true", "foreign-conflict"),
            ("a mapping for both", PLAIN, "mapping: cards", "not-supported")):
        host.write(CONF, text)
        host.spec(cards + vms % options_)
        if expected:
            refused(host, tally, name, text, expected)
        else:
            tally.equal("%s: serves" % name, (host.json("apply")[0], tools(host), host.read(CONF)), (3, [], text))


# --- mappings --------------------------------------------------------------------------------------------------------

MAP = "id=10de:1b81,iommugroup=1,node=pve1,path=0000:01:00,subsystem-id=1043:8655"
OTHER = "id=10de:1b81,iommugroup=9,node=pve2,path=0000:21:00,subsystem-id=1043:8655"


def mapping(*maps, name="gpu", head=""):
    return "%s\n%s%s\n" % (name, head, "".join("\tmap %s\n" % text for text in maps))


@case(iommu=True)
def mapping_new(host, tally):
    """a mapping is made before the guest is given by it, and goes when no guest has it"""
    install(host)
    settle(host)
    host.write(CONF, PLAIN)
    host.spec(wish("pcie: true, mapping: gpu"))
    code, report = host.json("apply")
    tally.check("apply", code == 3, report)
    tally.equal("the mapping, then the guest", [line.split()[:2] for line in tools(host)],
                [["pvesh", "create"], ["qm", "set"]])
    tally.equal("its line", host.read(MAPPINGS), mapping(MAP))
    tally.equal("the guest's", devices(host.read(CONF))["hostpci0"], "mapping=gpu,pcie=1")
    tally.equal("it would start", start_trouble(host, "101"), None)
    tally.equal("a second plan has no step", guest_steps(host.json("plan")[1]), [])
    host.write(conf_of("900"), plain("hostpci3: mapping=gpu", "template: 1"))
    host.spec(HEAD)
    host.json("apply")
    tally.equal("another guest has it: it stays", host.read(MAPPINGS), mapping(MAP))
    tally.equal("and nothing is left to do", guest_steps(host.json("plan")[1]), [])
    host.remove(conf_of("900"))
    host.json("apply")
    tally.equal("taken back: the guest", host.read(CONF), PLAIN)
    tally.equal("and the mapping", host.read(MAPPINGS).strip(), "")
    tally.equal("nothing is left to do", guest_steps(host.json("plan")[1]), [])


@case(iommu=True)
def mapping_there(host, tally):
    """another hand's mapping serves, and stays"""
    install(host)
    settle(host)
    text = mapping(OTHER, MAP, head="\tdescription the big one\n")
    host.write(MAPPINGS, text)
    host.write(CONF, plain("hostpci0: mapping=gpu"))
    host.spec(wish())
    code, report = host.json("apply")
    tally.check("by mapping, though none is wished", code == 3 and tools(host) == [], report)
    host.spec(wish("mapping: gpu, pcie: true"))
    host.json("apply")
    tally.equal("only the guest changes", [line.split()[0] for line in tools(host)], ["qm"])
    host.spec(HEAD)
    host.json("apply")
    tally.equal("it stays", host.read(MAPPINGS), text)
    tally.equal("and the guest's line is as it was", host.read(CONF), plain("hostpci0: mapping=gpu"))


@case(iommu=True)
def mapping_of_the_cluster(host, tally):
    """this node's line joins those of others, and goes alone"""
    install(host)
    settle(host)
    text = mapping(OTHER, head="\tdescription the big one\n")
    host.write(MAPPINGS, text)
    host.write(CONF, PLAIN)
    host.spec(wish("mapping: gpu"))
    code, report = host.json("apply")
    tally.check("apply", code == 3, report)
    tally.equal("both lines", host.read(MAPPINGS), mapping(OTHER, MAP, head="\tdescription the big one\n"))
    tally.equal("it would start", start_trouble(host, "101"), None)
    host.spec(HEAD)
    host.json("apply")
    tally.equal("theirs stays", host.read(MAPPINGS), text)


@case(iommu=True)
def mappings_of_two_guests(host, tally):
    """two lines for two guests in one go: the first change gives all mappings another digest"""
    install(host)
    host.device("0000:04:00.0", 0x8086, 0x1533, 0x020000, "igb", 4)
    both = HEAD + "  nic: {id: '8086:1533'}\n"
    host.spec(both)
    host.json("apply")
    host.write(MAPPINGS, mapping(OTHER) + mapping("id=8086:1533,node=pve2,path=0000:05:00", name="nic"))
    host.write(CONF, PLAIN)
    host.write(conf_of("102"), "memory: 128\n")
    host.spec(both + "vms:\n  '101': {devices: {gpu: {mapping: gpu}}}\n  '102': {devices: {nic: {mapping: nic}}}\n")
    forget(host)
    code, report = host.json("apply")
    tally.check("apply: only a reboot is left", code == 3, report)
    tally.equal("the digest is the first one's", ["--digest" in line for line in tools(host) if "pvesh" in line],
                [True, False])
    tally.equal("both would start", (start_trouble(host, "101"), start_trouble(host, "102")), (None, None))
    tally.equal("nothing is left to do", guest_steps(host.json("plan")[1]), [])
    host.spec(both)
    host.json("apply")
    tally.equal("taken back in one go", (host.read(CONF), host.read(conf_of("102"))), (PLAIN, "memory: 128\n"))
    tally.equal("the others' lines stay", host.read(MAPPINGS).count("\tmap "), 2)
    tally.check("ours do not", "pve1" not in host.read(MAPPINGS), host.read(MAPPINGS))


@case(iommu=True)
def mapping_renumbered(host, tally):
    """a group or an address that changed is put right, or the guest would not start (9.12)"""
    install(host)
    settle(host)
    host.write(CONF, plain("hostpci0: mapping=gpu"))
    host.spec(wish("mapping: gpu"))
    for name, line in (("another group", MAP.replace("group=1", "group=14")),
                       ("another address", MAP.replace("01:00", "07:00")),
                       ("no subsystem", MAP.replace(",subsystem-id=1043:8655", ""))):
        host.write(MAPPINGS, mapping(OTHER, line))
        tally.check("%s: it would not start" % name, mapping_trouble(host, "gpu", "pve1") is not None)
        code, report = host.json("apply")
        tally.check("%s: apply" % name, code == 3, report)
        tally.equal("%s: it would start" % name, start_trouble(host, "101"), None)
        tally.check("%s: the other node's line is as it was" % name, "\tmap %s\n" % OTHER in host.read(MAPPINGS))
        tally.equal("%s: nothing is left to do" % name, guest_steps(host.json("plan")[1]), [])
    host.write(MAPPINGS, mapping(MAP.replace("10de:1b81", "8086:1533").replace("01:00", "04:00")))
    text = host.read(MAPPINGS)
    code, report = host.json("apply")
    tally.check("another device's is refused", code == 4 and "foreign-conflict" in codes(report)
                and host.read(MAPPINGS) == text, report)


@case(iommu=True)
def mapping_of_unlike(host, tally):
    """functions with unlike ids have no mapping: one id stands for all (9.12)"""
    install(host)
    settle(host)
    host.write(CONF, PLAIN)
    host.device("0000:01:00.2", 0x10de, 0x1ad6, 0x0c0330, "xhci_hcd", 1)
    host.spec("devices:\n  gpu: {id: '10de:1b81', functions: [0, 1], accept: [shared-group]}\n"
              + wish("mapping: gpu")[len(HEAD):])
    _, report = host.json("plan")
    tally.check("not-supported", "not-supported" in codes(report) and states(report)["vm:101/gpu"] == "blocked", report)
    host.spec("devices:\n  gpu: {id: '10de:1b81', functions: [0, 1], accept: [shared-group]}\n" + wish()[len(HEAD):])
    host.json("apply")
    tally.equal("without one it is a list", options(devices(host.read(CONF))["hostpci0"])["host"],
                "0000:01:00.0;0000:01:00.1")


if __name__ == "__main__":
    main("pve", CASES)
