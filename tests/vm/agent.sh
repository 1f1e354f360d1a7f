#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In the guest: carries out the commands that come over the serial port it has for itself.
# A request is "ID SECONDS BASE64"; the answer is "BEGIN ID", the output in base64, "END ID CODE".
# Firmware may have left half a line there. An empty request has it say again that it is there.
hello() {
	printf '\nHELLO %s\n' "$(cat /proc/sys/kernel/random/boot_id)"
}

stty raw -echo
hello
while read -r id limit text; do
	[ -n "$id" ] || {
		hello
		continue
	}
	printf %s "$text" | base64 -d >/run/agent.command
	timeout -k 5 "$limit" sh /run/agent.command >/run/agent.output 2>&1 </dev/null
	code=$?
	printf 'BEGIN %s\n' "$id"
	base64 -w 0 </run/agent.output
	printf '\nEND %s %s\n' "$id" "$code"
done
