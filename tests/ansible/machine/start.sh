#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: start.sh ROOT NAME ADDRESS: become the first process of a host, in namespaces that are its own.
# /proc is text where a plan reads of the running kernel, and links to the real one for all else. /sys is text.
# The kernel is this machine's, so what could touch it is given up: modules, reboot, clock, raw I/O.
set -eu
cd "$1"
hostname "$2"
ip link set lo up
until ip link show eth0 >/dev/null 2>&1; do sleep 0.05; done
ip addr add "$3/24" dev eth0
ip link set eth0 up
mkdir -p run/text run/real-proc
mount --bind proc run/text
mount -t proc proc run/real-proc
mount -t tmpfs -o mode=755 tmpfs proc
cp -a run/text/. proc
for path in run/real-proc/*; do
	[ -e "proc/${path##*/}" ] || ln -s "/$path" proc
done
ln -sf /run/real-proc/self /run/real-proc/thread-self /run/real-proc/1 proc
exec setpriv --bounding-set=-sys_module,-sys_boot,-sys_time,-sys_rawio chroot . /usr/sbin/init
