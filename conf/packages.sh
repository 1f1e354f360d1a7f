#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian packages that building and testing need, and how to get the missing ones. To be sourced.

# What the product is compiled from.
BUILD_PACKAGES='gcc libc6-dev make cmake ninja-build pkg-config libyaml-dev libsystemd-dev libpci-dev
libkmod-dev libjson-c-dev libarchive-dev libmd-dev libexpat1-dev'

# What the tests need besides.
TEST_PACKAGES='git libcmocka-dev universal-ctags clang clang-format clang-tidy libclang-rt-14-dev mandoc cpio zstd xz-utils
lz4 gzip debootstrap qemu-system-x86 qemu-utils e2fsprogs dosfstools mtools fdisk ovmf busybox-static kmod
python3 python3-jsonschema python3-yaml mount util-linux dbus-daemon systemd dpkg-dev lintian bash-completion zsh iproute2'

# pthru_packages_missing PACKAGE...: print those of them that are not installed.
pthru_packages_missing() {
	for package; do
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=
		[ "$status" = installed ] || printf '%s ' "$package"
	done
}

# pthru_install_packages PACKAGE...: install the missing ones, quietly; says what it installs.
pthru_install_packages() {
	missing=$(pthru_packages_missing "$@")
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "not installed, and only root can do that: $missing" >&2
		return 1
	fi
	echo "installing: $missing"
	log=$(mktemp) || return 1
	if ! {
		apt-get -q update
		# shellcheck disable=SC2086
		DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 \
			install --no-install-recommends $missing
	} >"$log" 2>&1 </dev/null; then
		tail -n 30 "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}
