#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Make a Debian tree that the sysroot and the VM tier stand on, once, and print its path.
# usage: tree.sh [--key] [SUITE]    bookworm, Debian 12, unless SUITE says trixie, Debian 13
# It lives in the cache folder under a key made of this recipe (which holds the package lists) and
# is made under another name first, so that a tree with the right name is always a whole one.
set -eu

# bookworm: the product's libraries; the platform it configures; what the checks look with. trixie:
# the platform alone, with what bookworm does not have: ukify, and kernel-install written in C.
bookworm='libyaml-0-2 libkmod2 libpci3 libjson-c5 libarchive13 libblkid1 libmount1 libmd0
libsystemd0 linux-image-amd64 initramfs-tools lz4 zstd grub-pc grub-efi-amd64-bin systemd
systemd-sysv udev kmod pciutils iproute2 procps fdisk dosfstools busybox qemu-system-x86'
trixie='linux-image-amd64 initramfs-tools lz4 zstd grub-pc systemd systemd-sysv systemd-boot
systemd-boot-efi systemd-ukify udev kmod procps busybox e2fsprogs binutils openssl sbsigntool'
# What a case may install: fetched only.
trixie_later=dracut-core

cache=${PTHRU_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/passthroughd}
key=$(sha256sum <"$0" | cut -c 1-16)
asked=${1-}
[ "$asked" != --key ] || shift
suite=${1:-bookworm}
case $suite in
bookworm) packages=$bookworm later= ;;
trixie) packages=$trixie later=$trixie_later ;;
*)
	echo "$0: no such suite: $suite" >&2
	exit 2
	;;
esac
tree=$cache/tree-$suite-$key

if [ "$asked" = --key ]; then
	echo "$suite-$key"
	exit 0
fi
mkdir -p "$cache"

# One at a time, and in a mount namespace of its own: nothing that is mounted here outlives this script.
if [ "${PTHRU_TREE_INSIDE-}" != yes ]; then
	export PTHRU_TREE_INSIDE=yes
	exec flock "$cache/tree.lock" unshare --mount --propagation private sh "$0" "$@"
fi
if [ -d "$tree" ]; then
	echo "$tree"
	exit 0
fi

work=$cache/tree-$suite-new
log=$cache/tree-$suite.log
rm -rf --one-file-system "$work" "$cache/tree-$suite"-????????????????
# A mirror of one suite has the others.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 2>/dev/null | head -n 1)

make_tree() {
	# debootstrap has a mirror of its own when we know none.
	# shellcheck disable=SC2086
	debootstrap --variant=minbase "$suite" "$work" ${mirror:+"$mirror"}
	printf '#!/bin/sh\nexit 101\n' >"$work/usr/sbin/policy-rc.d"
	chmod 755 "$work/usr/sbin/policy-rc.d"
	echo force-unsafe-io >"$work/etc/dpkg/dpkg.cfg.d/unsafe"
	echo 'Acquire::Languages "none";' >"$work/etc/apt/apt.conf.d/99small"
	mount -t proc proc "$work/proc"
	mount --bind /dev "$work/dev"
	# The fastest compressor: an image takes minutes in a guest otherwise.
	mkdir -p "$work/etc/initramfs-tools/conf.d"
	echo COMPRESS=lz4 >"$work/etc/initramfs-tools/conf.d/tree.conf"
	echo 'grub-pc grub-pc/install_devices_empty boolean true' | chroot "$work" debconf-set-selections
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 chroot "$work" \
		apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends $packages
	chroot "$work" apt-get -q clean
	[ -z "$later" ] || chroot "$work" apt-get -q -y -o Dpkg::Use-Pty=0 --download-only \
		--no-install-recommends install $later
	umount "$work/proc" "$work/dev"
	rm -rf "$work/usr/sbin/policy-rc.d" "$work/etc/dpkg/dpkg.cfg.d/unsafe" \
		"$work"/var/lib/apt/lists/* "$work"/usr/share/doc/*
}

# In the background: a function called as a condition would run on past its own errors.
make_tree >"$log" 2>&1 </dev/null &
if ! wait $!; then
	echo "the Debian tree could not be made; the end of $log:" >&2
	tail -n 20 "$log" >&2
	exit 1
fi
mv "$work" "$tree"
echo "$tree"
