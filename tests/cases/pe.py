# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes and reads PE files, as unified kernel images are (UAPI.5): sections by name, with or without a signature."""

import struct

ALIGNMENT = 512
PE_AT = 64
OPTIONAL = 240
CERTIFICATE = struct.pack("<IHH", 16, 0x0200, 0x0002) + b"PKCS 7.."


def padded(size):
    return (size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


def make(sections, signature=False):
    """sections: pairs of name and bytes."""
    at = padded(PE_AT + 24 + OPTIONAL + 40 * len(sections))
    end = at + sum(padded(len(data)) for _, data in sections)
    head = b"MZ".ljust(0x3c, b"\0") + struct.pack("<I", PE_AT) + b"PE\0\0"
    head += struct.pack("<HHIIIHH", 0x8664, len(sections), 0, 0, 0, OPTIONAL, 0x22)
    directories = bytearray(16 * 8)
    if signature:
        struct.pack_into("<II", directories, 4 * 8, end, len(CERTIFICATE))
    head += struct.pack("<H", 0x20b).ljust(108, b"\0") + struct.pack("<I", 16) + bytes(directories)
    body, memory = b"", 0x10000
    for name, data in sections:
        head += struct.pack("<8sIIII12sI", name.encode(), len(data), memory, padded(len(data)), at + len(body),
                            b"", 0x40000040)
        body += data.ljust(padded(len(data)), b"\0")
        memory += (len(data) + 0x2000) // 0x1000 * 0x1000
    return head.ljust(at, b"\0") + body + (CERTIFICATE if signature else b"")


def read(data):
    """Sections by name, and whether a signature is there."""
    at, = struct.unpack_from("<I", data, 0x3c)
    count, = struct.unpack_from("<H", data, at + 6)
    size, = struct.unpack_from("<H", data, at + 20)
    signature = struct.unpack_from("<I", data, at + 24 + 112 + 4 * 8)[0] != 0
    found = {}
    for i in range(count):
        name, virtual, _, raw, where = struct.unpack_from("<8sIIII", data, at + 24 + size + 40 * i)
        found[name.rstrip(b"\0").decode()] = data[where:where + min(virtual, raw)]
    return found, signature
