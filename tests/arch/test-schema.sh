#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The JSON Schema is one, takes the examples, and refuses what the reader refuses.
# usage: test-schema.sh BUILD SOURCE
set -eu
python3 -c 'import jsonschema, yaml' 2>/dev/null || { echo "no jsonschema or yaml for python3"; exit 77; }
exec python3 - "$1/conf/passthroughd.schema.json" "$2"/conf/examples/*.yaml <<'END'
import json
import sys

import jsonschema
import yaml

schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
# As text throughout: PyYAML reads YAML 1.1, where 52:54:00:12:34:56 is a number.
good = [open(path).read() for path in sys.argv[2:]] + [
    "", "devices: {gpu: null}", "devices: {gpu: {class: 0300, functions: [0, 1]}}",
    "module-options: {kvm: {ignore_msrs: 1, x: 'y'}}", "match: {has-device: ['10de:1b81']}",
    "devices: {d: {class: vga, accept: [in-use]}}", "devices: {d: {functions: all}}",
]
bad = [
    "device: {}", "devices: []", "devices: {gpu: {cuont: 1}}", "devices: {gpu: {count: 0}}",
    "devices: {'a b': {id: '10de:1b81'}}", "devices: {gpu: {id: '10de'}}", "mode: on",
    "devices: {d: {accept: [boot-disk]}}", "devices: {d: {functions: [8]}}",
    "kernel-flags: ['a b']", "blacklist: nouveau", "iommu: {enable: 'yes'}",
    "devices: {d: {class: card}}", "match: {cpu-vendor: other}",
]
for text in good:
    for error in validator.iter_errors(yaml.safe_load(text)):
        sys.exit("refused: %s\n%s" % (text, error))
for text in bad:
    if validator.is_valid(yaml.safe_load(text)):
        sys.exit("not refused: " + text)
END
