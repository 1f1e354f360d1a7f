#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# See passthroughd at work within minutes, on a fresh Debian 12: installs what building needs, builds the
# release, and runs the main job on a captured Proxmox host that is laid out in a scratch folder. Nothing on this
# machine changes but packages and the build folder.
set -eu
cd "$(dirname "$0")/.."
. conf/packages.sh

host=tests/hosts/pve8-gtx1080.host
bold=
plain=
if [ -t 1 ]; then
	bold=$(printf '\033[1m')
	plain=$(printf '\033[0m')
fi
say() {
	printf '\n%s== %s%s\n\n' "$bold" "$1" "$plain"
}
# show WORDS...: the command as it would be typed, then what it says; its exit code does not end the tour.
show() {
	printf '%s$ passthroughctl %s%s\n' "$bold" "$*" "$plain"
	code=0
	"$ctl" "$@" || code=$?
	printf '%s[exit %d]%s\n\n' "$bold" "$code" "$plain"
}

say 'Build: packages and the release'
# shellcheck disable=SC2086
pthru_install_packages $BUILD_PACKAGES busybox-static
log=build/quickstart.log
mkdir -p build
if ! { cmake --preset release && cmake --build build/release; } >$log 2>&1; then
	tail -n 30 $log >&2
	exit 1
fi
ctl=$PWD/build/release/daemon/passthroughctl
echo "built: $("$ctl" --version)"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT INT TERM
root=$scratch/host
build/release/tests/lay-out $host "$root"
# The host's own builders cannot be in a capture: stand-ins that behave take their places.
mkdir -p "$root/bin" "$root/tmp" "$root/run" "$root/etc/passthroughd"
cp "$(command -v busybox)" "$root/bin/busybox"
for tool in sh cat cp mv rm ls mkdir find cpio sed grep head sort; do
	ln -s busybox "$root/bin/$tool"
done
for tool in update-grub update-initramfs; do
	cp tests/fake/machine/$tool "$root/usr/sbin/$tool"
done
cat >"$root/etc/passthroughd/gpu.yaml" <<'END'
devices:
  gpu: {id: "10de:1b80"}
blacklist: [nouveau, nvidia, radeon]
module-options:
  kvm: {ignore_msrs: 1}
END

say 'A captured Proxmox host, and what its owner wishes: /etc/passthroughd/gpu.yaml'
cat "$root/etc/passthroughd/gpu.yaml"
printf '\n'
show devices --root "$root"
say 'What would be done, and why. This changes nothing'
show plan --root "$root"
if [ "$(id -u)" -ne 0 ]; then
	say 'The rest runs the builders of that host by chroot: start this as root to see it'
	exit
fi
say 'Done: files first, then the images, then the boot loader. Live work waits, since the host is a folder'
show apply --root "$root"
say 'Proven: files and boot are right, a reboot is outstanding'
show status --root "$root"
say 'The folder plays its next boot: its entry, its images and its rules decide. Then the same plan again'
sh tests/fake/machine/reboot.sh "$root"
show plan --root "$root"
say 'This machine, read only'
show devices
say 'To install it here for real'
cat <<END
  cmake --install build/release
  systemctl enable --now passthroughd

Then drop a file like the one above into /etc/passthroughd/ and run: systemctl reload passthroughd
All of it is in passthroughd(8), passthroughctl(1) and passthroughd.yaml(5).
END
