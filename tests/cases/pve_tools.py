# SPDX-License-Identifier: GPL-2.0-or-later
"""Stand-ins for qm and pvesh of Proxmox VE, and what its own start of a guest would say (facts chapter 9)."""

import os
import re

NODES = "/etc/pve/nodes"
MAPPINGS = "/etc/pve/mapping/pci.cfg"

# Reads sections; applies "set KEY VALUE" and "delete KEY" of the file OPS; prints all, keys in order (9.8, 9.9).
EDIT = r"""
function key_of(line) { return substr(line, 1, index(line, ":") - 1) }
function put(s, k, v) { if (!((s, k) in known)) keys[s] = keys[s] " " k; known[s, k] = has[s, k] = 1; value[s, k] = v }
function drop(s, k) { delete has[s, k]; value[s, k] = "" }
function all(s, list,    n, i, j, t) {
	n = split(keys[s], list, " ")
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
	return n
}
function show(s,    list, n, i) {
	printf "%s", notes[s]
	n = all(s, list)
	for (i = 1; i <= n; i++)
		if ((s, list[i]) in has) print list[i] ": " value[s, list[i]]
}
function gone(k,    list, n, i, t) {
	n = split(value["PENDING", "delete"], list, /[,; ]+/)
	t = ""
	for (i = 1; i <= n; i++)
		if (list[i] != k && list[i] != "!" k && list[i] != "") t = t (t == "" ? "" : ",") list[i]
	if (t == "") drop("PENDING", "delete"); else put("PENDING", "delete", t)
}
BEGIN { section = ""; order = 0 }
FILENAME == ops {
	k = $2; v = $0; sub(/^[a-z]+ [^ ]+ ?/, "", v)
	if ($1 == "set") { gone(k); put("PENDING", k, v) }
	else {
		if (!(("", k) in has) && !(("PENDING", k) in has)) { print "cannot delete '" k "' - not set in current configuration!" > "/dev/stderr"; next }
		drop("PENDING", k); gone(k)
		put("PENDING", "delete", (("PENDING", "delete") in has ? value["PENDING", "delete"] "," : "") k)
	}
	next
}
/^[ \t]*$/ { next }
/^\[/ { section = substr($0, 2, index($0, "]") - 2); if (section != "PENDING") sections[++order] = section; next }
/^#/ { notes[section] = notes[section] $0 "\n"; next }
/^[a-z][a-z_-]*[0-9]*:/ { v = $0; sub(/^[^:]*: */, "", v); sub(/[ \t\r]*$/, "", v); put(section, key_of($0), v) }
END {
	n = all("PENDING", list)
	for (i = 1; i <= n; i++) {
		k = list[i]
		if (!(("PENDING", k) in has) || k == "delete") continue
		if (!running) { put("", k, value["PENDING", k]); drop("PENDING", k) }
		else if ((("", k) in has) && value["", k] == value["PENDING", k]) drop("PENDING", k)
	}
	m = split(value["PENDING", "delete"], list, /[,; ]+/)
	for (i = 1; i <= m; i++) {
		k = list[i]; sub(/^!/, "", k)
		if (k == "") continue
		if (!running) { drop("", k); gone(k) }
		else if (!(("", k) in has)) gone(k)
	}
	show("")
	n = all("PENDING", list)
	for (i = left = 0; ++i <= n;) left += (("PENDING", list[i]) in has)
	if (left) { print "\n[PENDING]"; show("PENDING") }
	for (i = 1; i <= order; i++) { print "\n[" sections[i] "]"; show(sections[i]) }
}
"""

# The grammar of hostpciN (9.1, 9.2); whether pcie fits the machine is asked at the start alone.
CHECK = r"""
function bad(why) { print "400 Parameter verification failed."; print key ": invalid format - " why; exit 1 }
function is_bool(v) { return tolower(v) ~ /^(1|0|on|off|yes|no|true|false)$/ }
BEGIN {
	id = "([a-f0-9][a-f0-9][a-f0-9][a-f0-9]+:)?[a-f0-9][a-f0-9]:[a-f0-9][a-f0-9](\\.[a-f0-9])?"
	n = split(value, part, ",")
	for (i = 1; i <= n; i++) {
		if (part[i] == "") continue
		e = index(part[i], "=")
		k = e ? substr(part[i], 1, e - 1) : "host"
		v = substr(part[i], e + 1)
		if (v == "") bad("value without key, but schema does not define a default key")
		if (k in seen) bad("duplicate key in comma-separated list property: " k)
		seen[k] = v
		if (k == "host") { if (v !~ ("^" id "(;" id ")*$")) bad("host: value does not match the regex pattern") }
		else if (k == "mapping") { if (v !~ /^[A-Za-z][A-Za-z0-9_-]+$/) bad("mapping: invalid configuration ID") }
		else if (k ~ /^(pcie|x-vga|rombar|legacy-igd)$/) { if (!is_bool(v)) bad(k ": type check ('boolean') failed") }
		else if (k == "romfile") { if (v ~ /;/) bad("romfile: value does not match the regex pattern") }
		else if (k ~ /^(sub-)?(vendor|device)-id$/) { if (v !~ /^0x[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F]$/) bad(k ": value does not match the regex pattern") }
		else if (k != "mdev" && k != "driver") bad("property is not defined in schema and the schema does not allow additional properties: " k)
	}
}
"""

QM = r"""#!/bin/sh
echo "qm $*" >> /var/log/builders
die() { echo "$1"; exit 255; }
[ "$1" = set ] || die "unknown command '$1'"
id=$2; shift 2
conf=/etc/pve/nodes/$(basename $(readlink /etc/pve/local))/qemu-server/$id.conf
[ -e $conf ] || die "Configuration file '${conf#/etc/pve/}' does not exist"
ops=/tmp/qm.ops; : > $ops
while [ $# -gt 0 ]; do
	key=${1#--}; value=$2
	case $1 in --*) ;; *) die "400 unable to parse option '$1'";; esac
	[ $# -ge 2 ] || die "Option $key requires an argument"
	shift 2
	case $key in
	digest) digest=$value ;;
	delete) deleted=$(echo "$value" | sed 's/[,;]/ /g') ;;
	hostpci[0-9]|hostpci1[0-5])
		grep -q "^set $key " $ops && die "400 $key: duplicate"
		awk -v key=$key -v value="$value" -f /usr/share/check.awk < /dev/null || exit 255
		echo "set $key $value" >> $ops ;;
	machine)
		echo "$value" | grep -qE '^(type=)?(pc|q35|pc(-i440fx|-q35)?-[0-9]+(\.[0-9]+)+(\+pve[0-9]+)?)(,.*)?$' || die "400 machine: invalid format"
		echo "set $key $value" >> $ops ;;
	*) die "Unknown option: $key" ;;
	esac
done
[ ! -e /race ] || { rm /race; echo "# somebody was here" >> $conf; }
if [ -n "$digest" ] && [ "$digest" != "$(sha1sum < $conf | cut -d' ' -f1)" ]; then
	die "checksum mismatch (file change by other user?)"
fi
lock=$(sed -n '/^\[/q; s/^lock: *//p' $conf)
[ -z "$lock" ] || die "VM is locked ($lock)"
grep -q '"quorate": 0' /etc/pve/.members 2>/dev/null && die "cluster not ready - no quorum?"
for key in $deleted; do
	grep -q "^set $key " $ops && die "400 you can't use '-$key' and -delete $key' at the same time"
	echo "delete $key" >> $ops
done
echo "update VM $id"
running=0; pid=$(cat /run/qemu-server/$id.pid 2>/dev/null) && [ -e /proc/$pid ] && running=1
awk -v ops=$ops -v running=$running -f /usr/share/edit.awk $conf $ops > /tmp/qm.new || die "edit failed"
cat /tmp/qm.new > $conf
rm -f /tmp/qm.new $ops
"""

PVESH = r"""#!/bin/sh
echo "pvesh $*" >> /var/log/builders
die() { echo "$1"; exit 255; }
cfg=/etc/pve/mapping/pci.cfg
verb=$1; path=$2; shift 2
maps=/tmp/pvesh.maps; : > $maps
while [ $# -gt 0 ]; do
	case $1 in
	--id) id=$2 ;;
	--map)
		for key in node path id; do
			echo ",$2" | grep -q ",$key=[^,]" || die "400 map: invalid format - $key: property is missing and it is not optional"
		done
		printf '\tmap %s\n' "$2" >> $maps ;;
	--digest) digest=$2 ;;
	*) die "400 Unknown option: $1" ;;
	esac
	shift 2
done
grep -q '"quorate": 0' /etc/pve/.members 2>/dev/null && die "cluster not ready - no quorum?"
mkdir -p /etc/pve/mapping; touch $cfg
case $verb in
create) [ "$path" = /cluster/mapping/pci ] || die "no such path" ;;
set|delete) id=${path#/cluster/mapping/pci/} ;;
*) die "no '$verb' handler" ;;
esac
[ -z "$digest" ] || [ "$digest" = "$(sha1sum < $cfg | cut -d' ' -f1)" ] || die "detected modified configuration - file changed by other user? Try again."
there=0; grep -qx "$id" $cfg && there=1
[ $verb = create ] && [ $there = 1 ] && die "pci ID '$id' already defined"
[ $verb = set ] && [ $there = 0 ] && die "pci ID '$id' does not exist"
[ $verb = delete ] || [ -s $maps ] || die "400 map: property is missing and it is not optional"
{
	awk -v id="$id" -v verb=$verb -v maps=$maps '
		/^[^ \t]/ { mine = $1 == id; if (!mine || verb == "set") print; next }
		/^$/ { if (mine && verb == "set") while ((getline line < maps) > 0) print line; if (!mine || verb == "set") print; mine = 0; next }
		!mine || (verb == "set" && $1 != "map")' $cfg
	[ $verb != create ] || { echo "$id"; cat $maps; echo; }
} > /tmp/pvesh.new
cat /tmp/pvesh.new > $cfg
rm -f /tmp/pvesh.new $maps
"""


def install(host, node="pve1", others=()):
    """This host as a node of a cluster, with its tools."""
    for name in (node, *others):
        host.mkdir("%s/%s/qemu-server" % (NODES, name))
    host.link("/etc/pve/local", "nodes/" + node)
    host.mkdir("/run/qemu-server")
    host.mkdir("/tmp")
    quorum(host, True)
    host.write("/usr/share/edit.awk", EDIT)
    host.write("/usr/share/check.awk", CHECK)
    host.write("/usr/sbin/qm", QM, 0o755)
    host.write("/usr/sbin/pvesh", PVESH, 0o755)


def quorum(host, enough):
    host.write("/etc/pve/.members", '{\n"nodename": "pve1",\n"version": 4,\n"cluster": { "name": "c", "version": 2, '
               '"nodes": 2, "quorate": %d },\n"nodelist": {}\n}\n' % enough)


def conf_of(vmid, node="pve1"):
    return "%s/%s/qemu-server/%s.conf" % (NODES, node, vmid)


def running(host, vmid, pid=4711):
    host.write("/run/qemu-server/%s.pid" % vmid, "%d\n" % pid)
    host.write("/proc/%d/comm" % pid, "kvm\n")


def sections(text):
    """Name -> {key: value}; "" is the live one."""
    found, at = {"": {}}, ""
    for line in text.splitlines():
        if re.match(r"\[.*\]\s*$", line):
            at = line.strip()[1:-1]
            found[at] = {}
        elif ":" in line and not line.startswith("#"):
            key, value = line.split(":", 1)
            found[at][key] = value.strip()
    return found


def following(text):
    """What the next start has."""
    parts = sections(text)
    pending = parts.get("PENDING", {})
    found = dict(parts[""])
    for key in re.split("[,; ]+", pending.get("delete", "")):
        found.pop(key.lstrip("!"), None)
    found.update({key: value for key, value in pending.items() if key != "delete"})
    return found


def devices(text):
    return {key: value for key, value in following(text).items() if key.startswith("hostpci") or key == "machine"}


def options(text, nameless="host"):
    found = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        found[key if equals else nameless] = value if equals else part
    return found


def start_trouble(host, vmid, node="pve1"):
    """Why Proxmox VE would not start the guest (9.3, 9.12); None: it would."""
    keys = following(host.read(conf_of(vmid, node)))
    q35 = "q35" in keys.get("machine", "")
    for key, value in keys.items():
        if not re.match(r"hostpci\d+$", key):
            continue
        entry = options(value)
        if entry.get("pcie") == "1" and not q35:
            return "q35 machine model is not enabled"
        if "mapping" in entry:
            trouble = mapping_trouble(host, entry["mapping"], node)
            if trouble:
                return trouble
    return None


def mapping_trouble(host, name, node):
    text, inside, found = host.read(MAPPINGS), False, []
    for line in text.splitlines():
        if line and not line[0].isspace():
            inside = line == name
        elif inside and line.split()[:1] == ["map"]:
            found.append(options(line.split(None, 1)[1], ""))
    here = [entry for entry in found if entry["node"] == node]
    if not here:
        return "PCI device mapping not found for '%s'" % name
    for entry in here:
        for number, path in enumerate(entry["path"].split(";")):
            base = "/sys/bus/pci/devices/%s/" % (path if "." in path else path + ".0")
            if not host.exists(base + "vendor"):
                return "pci device '%s' not found" % path
            real = {"id": "%s:%s" % tuple(host.read(base + x).strip()[2:] for x in ("vendor", "device"))}
            if host.exists(base + "subsystem_vendor"):
                real["subsystem-id"] = "%s:%s" % tuple(
                    host.read(base + x).strip()[2:] for x in ("subsystem_vendor", "subsystem_device"))
            if number == 0:
                real["iommugroup"] = os.path.basename(os.readlink(host.full(base + "iommu_group")))
            for key, value in real.items():
                if entry.get(key) != value:
                    return "'%s' does not match (%s != %s)" % (key, value, entry.get(key))
    return None
