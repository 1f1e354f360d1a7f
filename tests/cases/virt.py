# SPDX-License-Identifier: GPL-2.0-or-later
"""virt.py CTL [CASE...]: guests of libvirt, on small hosts with a stand-in for virsh.

As roots.py. The stand-in edits /etc/libvirt/qemu/NAME.xml as libvirt does with --config, and refuses in its words.
"""

import re

from roots import codes, items, main, registry, states

CASES, case = registry()

HEAD = "devices:\n  gpu: {id: '10de:1b81'}\n"
QEMU = "/etc/libvirt/qemu/"

# Takes elements of its own kind apart by lines, as libvirt writes them; the device's address tells it (9.14).
VIRSH = r"""#!/bin/sh
echo "$*" >> /var/log/virsh
die() { for line; do echo "error: $line" >&2; done; exit 1; }
[ "$1 $2 $5 $6" = "-c qemu:///system /dev/stdin --config" ] || die "unexpected arguments: $*"
[ ! -e /down ] || die "failed to connect to the hypervisor" "Failed to connect socket to '/var/run/libvirt/libvirt-sock': Connection refused"
verb=$3 file=/etc/libvirt/qemu/$4.xml
[ -e $file ] || die "failed to get domain '$4'"
cat > /tmp/element
address=$(sed -n "s/^ *\(<address domain=.*\/>\)$/\1/p" /tmp/element)
grep -q "^<hostdev mode='subsystem' type='pci' managed='\(yes\|no\)'>" /tmp/element && [ -n "$address" ] ||
	die "Failed to ${verb%-device} device from /dev/stdin" "XML error: unsupported configuration"
grep -qF "$address" $file && there=1 || there=0
case $verb in
attach-device)
	[ $there = 0 ] || die "Failed to attach device from /dev/stdin" "Requested operation is not valid: device is already in the domain configuration"
	slot=$(grep -c "<hostdev" $file)
	sed "/^<\/hostdev>/i\\  <address type='pci' domain='0x0000' bus='0x0$((slot + 3))' slot='0x00' function='0x0'/>" /tmp/element |
		sed 's/^/    /' > /tmp/indented
	awk '/<memballoon/ { while ((getline line < "/tmp/indented") > 0) print line } { print }' $file > /tmp/new
	echo "Device attached successfully" ;;
detach-device)
	[ $there = 1 ] || die "Failed to detach device from /dev/stdin" "device not found: device not present in domain configuration"
	awk -v address="$address" '
		/<hostdev/ { held = ""; inside = 1; mine = 0 }
		inside { held = held $0 "\n"; if (index($0, address)) mine = 1
			if (/<\/hostdev>/) { inside = 0; if (!mine) printf "%s", held }
			next }
		{ print }' $file > /tmp/new
	echo "Device detached successfully" ;;
*) die "unknown command: '$verb'" ;;
esac
cat /tmp/new > $file
"""

DOMAIN = """<!--
WARNING: THIS IS AN AUTO-GENERATED FILE. CHANGES TO IT ARE LIKELY TO BE
OVERWRITTEN AND LOST. Changes to this xml configuration should be made using:
  virsh edit %(name)s
or other application using the libvirt API.
-->

<domain type='kvm'>
  <name>%(name)s</name>
  <uuid>fd05144e-fe4d-4cb6-8f12-51f4643a431d</uuid>
  <os firmware='efi'>
    <type arch='x86_64' machine='%(machine)s'>hvm</type>
  </os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
%(devices)s    <memballoon model='virtio'>
      <address type='pci' domain='0x0000' bus='0x02' slot='0x00' function='0x0'/>
    </memballoon>
  </devices>
</domain>
"""


def element(function=0, managed="yes", rom="", bus=1):
    return ("    <hostdev mode='subsystem' type='pci' managed='%s'>\n      <source>\n        <address domain='0x0000' "
            "bus='0x%02x' slot='0x00' function='0x%d'/>\n      </source>\n%s    </hostdev>\n"
            % (managed, bus, function, "      %s\n" % rom if rom else ""))


def domain(name="win11", machine="pc-q35-8.2", devices=""):
    return DOMAIN % {"name": name, "machine": machine, "devices": devices}


def wish(gpu="", machine="", name="win11", hypervisor="hypervisor: libvirt, "):
    return HEAD + "vms:\n  %s: {%s%sdevices: {gpu: {%s}}}\n" % (
        name, hypervisor, "machine: %s, " % machine if machine else "", gpu)


def install(host):
    host.write("/usr/bin/virsh", VIRSH, 0o755)
    host.mkdir("/tmp")
    host.mkdir(QEMU)
    # The host's own side is done first, so that what follows is the guest's.
    host.spec(HEAD)
    host.json("apply")


def put(host, text, name="win11"):
    host.write(QEMU + name + ".xml", text)


def get(host, name="win11"):
    return host.read(QEMU + name + ".xml")


def calls(host):
    """The commands that have been run since the last look: verb and guest."""
    if not host.exists("/var/log/virsh"):
        return []
    lines = host.read("/var/log/virsh").splitlines()
    host.remove("/var/log/virsh")
    return [" ".join(line.split()[2:4]) for line in lines]


def devices(host, name="win11"):
    """Functions of the card that the domain is given, with what else is said of each."""
    found = {}
    for text in re.findall(r"<hostdev.*?</hostdev>", get(host, name), re.DOTALL):
        function = re.search(r"bus='0x01' slot='0x00' function='0x(.)'", text)
        rom = re.search(r"<rom (.*)/>", text)
        if function:
            found[int(function[1])] = (re.search(r"managed='(\w+)'", text)[1], rom[1] if rom else None)
    return found


def guest_steps(plan):
    return [step for step in plan.get("steps", []) if step["kind"] == "set-guest"]


def quiet(host, tally, what):
    tally.equal("%s: a second plan has no step" % what, guest_steps(host.json("plan")[1]), [])
    before = get(host)
    calls(host)
    host.json("apply")
    tally.equal("%s: a second apply runs nothing" % what, (calls(host), get(host)), ([], before))


def there_and_back(host, tally, what, gpu, expected, before):
    put(host, before)
    host.spec(wish(gpu))
    code, report = host.json("apply")
    tally.check("%s: only a reboot is left" % what, code == 3, report)
    tally.equal("%s: two commands" % what, calls(host), ["attach-device win11"] * 2)
    tally.equal("%s: both functions, and libvirt binds nothing" % what, devices(host),
                dict.fromkeys((0, 1), ("no", expected)))
    tally.equal("%s: configured" % what, states(host.json("plan")[1]).get("vm:win11/gpu"), "configured")
    quiet(host, tally, what)
    host.spec(HEAD)
    code, report = host.json("apply")
    tally.check("%s: without a wish" % what, code == 3, report)
    tally.equal("%s: two commands again" % what, calls(host), ["detach-device win11"] * 2)
    tally.equal("%s: it is as it was" % what, get(host), before)
    quiet(host, tally, what + ", gone")


@case(iommu=True)
def plain(host, tally):
    """a card of two functions: there and back"""
    install(host)
    there_and_back(host, tally, "q35", "pcie: true", None, domain())
    there_and_back(host, tally, "beside another device", "", None, domain(devices=element(bus=4)))
    there_and_back(host, tally, "no ROM bar", "rom-bar: false", "bar='off'", domain())
    there_and_back(host, tally, "a ROM's file", "rom-file: /usr/share/kvm/card-1.rom",
                   "file='/usr/share/kvm/card-1.rom'", domain())
    there_and_back(host, tally, "i440fx", "", None, domain(machine="pc-i440fx-8.2"))


@case(iommu=True)
def plan_only(host, tally):
    """plan says what will change, and runs nothing"""
    install(host)
    put(host, domain())
    host.spec(wish("pcie: true"))
    code, plan = host.json("plan")
    steps = guest_steps(plan)
    tally.check("two steps are pending", code == 2 and len(steps) == 2, plan)
    tally.equal("nothing was run", (calls(host), get(host)), ([], domain()))
    text = host.ctl("plan")[1]
    tally.check("the difference in words", "+0000:01:00.0: managed=no" in text, text)
    tally.check("and in JSON", "0000:01:00.1: managed=no" in str(plan["diffs"]), plan["diffs"])


@case(iommu=True)
def present_one(host, tally):
    """the hypervisor that is there is meant, where none is named"""
    install(host)
    put(host, domain())
    host.spec(wish(hypervisor=""))
    code, report = host.json("apply")
    tally.check("it is libvirt", code == 3 and sorted(devices(host)) == [0, 1], report)


@case(iommu=True)
def options_change(host, tally):
    """what is ours is taken out and put in again with other options; what is not given stays"""
    install(host)
    put(host, domain())
    host.spec(wish())
    host.json("apply")
    calls(host)
    host.spec(wish("rom-bar: false"))
    code, report = host.json("apply")
    tally.check("apply", code == 3, report)
    tally.equal("each is taken out and put in", calls(host), ["detach-device win11", "attach-device win11"] * 2)
    tally.equal("as it is wished", devices(host), dict.fromkeys((0, 1), ("no", "bar='off'")))
    quiet(host, tally, "changed")
    host.spec(wish())
    tally.equal("no longer given: it stays", guest_steps(host.json("plan")[1]), [])
    host.spec(HEAD)
    host.json("apply")
    tally.equal("and back", get(host), domain())


@case(iommu=True)
def others(host, tally):
    """what another hand put in serves, and stays"""
    install(host)
    text = domain(devices=element(0) + element(1))
    put(host, text)
    host.spec(wish())
    code, report = host.json("apply")
    tally.check("it is right", code == 3, report)
    tally.equal("nothing was run", calls(host), [])
    host.spec(wish("rom-file: /r"))
    code, report = host.json("apply")
    tally.check("with other options it is a conflict", code == 4 and "foreign-conflict" in codes(report), report)
    host.spec(HEAD)
    host.json("apply")
    tally.equal("it stays", (calls(host), get(host)), ([], text))
    text = domain(devices=element(1))
    put(host, text)
    host.spec(wish())
    host.json("apply")
    tally.equal("one function is missing: one command", calls(host), ["attach-device win11"])
    host.spec(HEAD)
    host.json("apply")
    tally.equal("and only that goes", get(host), text)


@case(iommu=True)
def others_change(host, tally):
    """what somebody took out comes again; what is gone already needs no command"""
    install(host)
    put(host, domain())
    host.spec(wish())
    host.json("apply")
    put(host, domain())
    calls(host)
    host.json("apply")
    tally.equal("it comes again", (calls(host), sorted(devices(host))), (["attach-device win11"] * 2, [0, 1]))
    put(host, domain())
    host.spec(HEAD)
    host.json("apply")
    tally.equal("gone already", calls(host), [])


@case(iommu=True)
def moves(host, tally):
    """from one domain to another: it is taken out of the one first"""
    install(host)
    put(host, domain())
    put(host, domain("arcade"), "arcade")
    host.spec(wish())
    host.json("apply")
    calls(host)
    host.spec(wish(name="arcade"))
    code, report = host.json("apply")
    tally.check("apply", code == 3, report)
    tally.equal("out, then in", calls(host), ["detach-device win11"] * 2 + ["attach-device arcade"] * 2)
    tally.equal("the one has none, the other all", (devices(host), sorted(devices(host, "arcade"))), ({}, [0, 1]))


STATUS = "<domstatus state='running' reason='booted' pid='4711'>\n%s</domstatus>\n"


@case(iommu=True)
def runs(host, tally):
    """a domain that runs has it once it was stopped and started"""
    install(host)
    put(host, domain())
    host.write("/run/libvirt/qemu/win11.pid", "4711")
    host.write("/run/libvirt/qemu/win11.xml", STATUS % domain())
    host.write("/proc/4711/comm", "qemu-system-x86\n")
    host.spec(wish())
    host.json("apply")
    plan = host.json("plan")[1]
    tally.check("configured, and why", states(plan)["vm:win11/gpu"] == "configured"
                and "stopped and started" in items(plan)["vm:win11/gpu"]["reason"], items(plan))
    host.write("/run/libvirt/qemu/win11.xml", STATUS % get(host).replace("      <source>", "      <driver name='vfio'/>\n"
                                                                         "      <source>"))
    tally.equal("started anew: active", states(host.json("plan")[1])["vm:win11/gpu"], "active")


REFUSED = [
    ("two domains have it", {"win11": domain(), "other": domain("other", devices=element())}, wish(), "guest-conflict"),
    ("another one by its network", {"win11": domain(), "other": domain("other", devices=element().replace(
        "hostdev mode='subsystem' type='pci'", "interface type='hostdev'").replace("</hostdev>", "</interface>"))}, wish(),
     "guest-conflict"),
    ("an unknown domain", {"other": domain("other")}, wish(), "no-such-guest"),
    ("a broken file", {"win11": domain()[:-20]}, wish(), "bad-file"),
    ("a DOCTYPE", {"win11": "<!DOCTYPE x [<!ENTITY y 'z'>]>" + domain()}, wish(), "bad-file"),
    ("PCI Express without q35", {"win11": domain(machine="pc-i440fx-8.2")}, wish("pcie: true"), "needs-q35"),
    ("another machine", {"win11": domain(machine="pc-i440fx-8.2")}, wish("", "q35"), "foreign-conflict"),
    ("a word of Proxmox VE's", {"win11": domain()}, wish("primary-gpu: true", hypervisor=""), "not-supported"),
    ("a name of digits", {"7": domain("7")}, wish(name="'7'"), "not-supported"),
]


@case(iommu=True)
def refusals(host, tally):
    """refused with a code, and nothing is run"""
    install(host)
    for what, files, spec, code in REFUSED:
        for name, text in files.items():
            put(host, text, name)
        host.spec(spec)
        exit_code, report = host.json("apply")
        tally.check("%s: exit 4, %s" % (what, code), exit_code == 4 and code in codes(report), report)
        tally.equal("%s: nothing was run" % what, calls(host), [])
        for name, text in files.items():
            tally.equal("%s: %s is as it was" % (what, name), get(host, name), text)
            host.remove(QEMU + name + ".xml")


@case(iommu=True)
def no_answer(host, tally):
    """libvirt does not answer: that is said with its words, and the next apply does it"""
    install(host)
    put(host, domain())
    host.write("/down", "")
    host.spec(wish())
    code, report = host.json("apply")
    tally.check("guest-refused, in virsh's words", code not in (0, 3) and "guest-refused" in str(report)
                and "failed to connect" in str(report), report)
    tally.equal("nothing changed", get(host), domain())
    host.remove("/down")
    code, report = host.json("apply")
    tally.check("the next one succeeds", code == 3 and sorted(devices(host)) == [0, 1], report)
    host.write("/down", "")
    host.spec(HEAD)
    code, report = host.json("apply")
    tally.check("taking back fails likewise", code not in (0, 3) and "guest-refused" in str(report), report)
    host.remove("/down")
    host.json("apply")
    tally.equal("and is done by the next one", get(host), domain())


@case(iommu=True)
def revert(host, tally):
    """revert takes the devices out again"""
    install(host)
    put(host, domain())
    host.spec(wish())
    host.json("apply")
    code, report = host.json("revert")
    tally.check("revert", code in (0, 3), report)
    tally.equal("it is as it was", get(host), domain())


if __name__ == "__main__":
    main("virt", CASES)
