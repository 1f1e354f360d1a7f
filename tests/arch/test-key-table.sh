#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A row of the key table compiles only where the type fits the field.
# usage: test-key-table.sh BUILD SOURCE
set -eu
cc=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$1/CMakeCache.txt")
lib=$2/lib

# compiles ROW: whether the row may stand in a table
compiles() {
	printf '#include "schema.h"\nconst struct key keys[] = {%s};\n' "$1" |
		"$cc" -D_GNU_SOURCE -std=gnu17 -I"$lib/config" -I"$lib/model" -I"$lib/base" \
			-fsyntax-only -x c - 2>/dev/null
}

good='KEY(struct spec_device, count, count, "count")'
compiles "$good" || { echo "should compile: $good"; exit 1; }
good='KEY_LIST(struct document, spec.blacklist, modules, "blacklist")'
compiles "$good" || { echo "should compile: $good"; exit 1; }

for bad in \
	'KEY(struct spec_device, count, boolean, "count")' \
	'KEY(struct spec_device, driver, count, "driver")' \
	'KEY(struct document, spec.mode, iommu_mode, "mode")' \
	'KEY(struct document, spec.iommu_enable, maybe, "enable")' \
	'KEY(struct spec_device, accept, functions, "accept")' \
	'KEY(struct spec_device, selector.serial, id, "serial")' \
	'KEY_LIST(struct document, spec.options, flags, "module-options")'; do
	if compiles "$bad"; then
		echo "should not compile: $bad"
		exit 1
	fi
done
