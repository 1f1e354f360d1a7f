# SPDX-License-Identifier: GPL-2.0-or-later
"""D-Bus as bytes: a client, and a service in a thread. What is malformed on purpose needs no library that refuses it."""

import os
import socket
import struct
import threading

CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
NO_REPLY, INTERACTIVE = 1, 4  # flags
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, SENDER, SIGNATURE = range(1, 9)
FIELDS = {PATH: "o", INTERFACE: "s", MEMBER: "s", ERROR_NAME: "s", REPLY_SERIAL: "u", DESTINATION: "s", SENDER: "s",
          SIGNATURE: "g"}
FIXED = {"y": "B", "b": "I", "n": "h", "q": "H", "i": "i", "u": "I", "x": "q", "t": "Q", "d": "d"}
ALIGN = {"s": 4, "o": 4, "g": 1, "a": 4, "(": 8, "{": 8, "v": 1, "y": 1, "b": 4, "n": 2, "q": 2, "i": 4, "u": 4,
         "x": 8, "t": 8, "d": 8}
DBUS = "org.freedesktop.DBus"


def first(signature):
    """The first complete type, and what follows it."""
    if signature[0] == "a":
        inner, rest = first(signature[1:])
        return "a" + inner, rest
    if signature[0] in "({":
        depth = 0
        for i, c in enumerate(signature):
            depth += (c in "({") - (c in ")}")
            if depth == 0:
                return signature[:i + 1], signature[i + 1:]
    return signature[0], signature[1:]


def types(signature):
    while signature:
        one, signature = first(signature)
        yield one


def put(out, signature, values):
    """Append VALUES to the bytearray OUT; a variant is (signature, value), a dict is a list of pairs."""
    for one, value in zip(types(signature), values):
        out += b"\0" * (-len(out) % ALIGN[one[0]])
        if one in FIXED:
            out += struct.pack("<" + FIXED[one], value)
        elif one in "so":
            raw = value.encode() if isinstance(value, str) else value
            out += struct.pack("<I", len(raw)) + raw + b"\0"
        elif one == "g":
            out += bytes([len(value)]) + value.encode() + b"\0"
        elif one == "v":
            put(out, "g", [value[0]])
            put(out, value[0], [value[1]])
        elif one[0] == "a":
            at = len(out)
            out += b"\0\0\0\0" + b"\0" * (-(len(out) + 4) % ALIGN[one[1]])
            start = len(out)
            for item in value:
                put(out, one[1:], [item])
            out[at:at + 4] = struct.pack("<I", len(out) - start)
        else:
            put(out, one[1:-1], value)


def get(raw, at, signature):
    """The values of SIGNATURE at offset AT, and the offset behind them."""
    found = []
    for one in types(signature):
        at += -at % ALIGN[one[0]]
        if one in FIXED:
            value, = struct.unpack_from("<" + FIXED[one], raw, at)
            at += struct.calcsize(FIXED[one])
            found.append(bool(value) if one == "b" else value)
        elif one in "sog":
            size = raw[at] if one == "g" else struct.unpack_from("<I", raw, at)[0]
            at += 1 if one == "g" else 4
            found.append(raw[at:at + size].decode())
            at += size + 1
        elif one == "v":
            (inner,), at = get(raw, at, "g")
            (value,), at = get(raw, at, inner)
            found.append(value)
        elif one[0] == "a":
            size, = struct.unpack_from("<I", raw, at)
            at += 4
            at += -at % ALIGN[one[1]]
            end, rows = at + size, []
            while at < end:
                (row,), at = get(raw, at, one[1:])
                rows.append(row)
            found.append(dict(rows) if one[1] == "{" else rows)
        else:
            value, at = get(raw, at, one[1:-1])
            found.append(value)
    return found, at


class Message:
    def __init__(self, kind, flags, fields, body):
        self.kind, self.flags, self.fields, self.body = kind, flags, fields, body
        self.member, self.path, self.sender = [fields.get(key) for key in (MEMBER, PATH, SENDER)]
        self.error, self.interface = fields.get(ERROR_NAME), fields.get(INTERFACE)


def pack(kind, flags, serial, fields, body):
    head = bytearray(struct.pack("<cBBBII", b"l", kind, flags, 1, len(body), serial))
    put(head, "a(yv)", [[(key, (FIELDS[key], value)) for key, value in fields.items() if value is not None]])
    return bytes(head) + b"\0" * (-len(head) % 8) + bytes(body)


class Client:
    """A connection to the bus at the socket PATH, as user UID."""

    def __init__(self, path, uid=0, limit=60):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(limit)
        os.seteuid(uid)  # the bus looks at who connects
        try:
            self.socket.connect(path)
        finally:
            os.seteuid(0)
        self.socket.sendall(b"\0AUTH EXTERNAL %s\r\n" % str(uid).encode().hex().encode())
        if not self.socket.recv(200).startswith(b"OK "):
            raise ValueError("the bus does not let user %d in" % uid)
        self.socket.sendall(b"BEGIN\r\n")
        self.serial = 0
        self.raw = b""
        self.signals, self.replies = [], {}
        self.name = self.call(DBUS, "/org/freedesktop/DBus", DBUS, "Hello").body[0]

    def close(self):
        self.socket.close()

    def send(self, kind, fields, signature="", values=(), flags=0, body=None):
        if body is None:
            body = bytearray()
            put(body, signature, values)
        self.serial += 1
        self.socket.sendall(pack(kind, flags, self.serial, {**fields, SIGNATURE: signature or None}, body))
        return self.serial

    def take(self, size):
        while len(self.raw) < size:
            got = self.socket.recv(65536)
            if not got:
                raise EOFError("the bus has closed the connection")
            self.raw += got
        taken, self.raw = self.raw[:size], self.raw[size:]
        return taken

    def receive(self):
        head = self.take(16)
        _, kind, flags, _, size, _, length = struct.unpack("<cBBBIII", head)
        rest = self.take(length + -length % 8 + size)
        (fields,), _ = get(head + rest, 12, "a(yv)")
        fields = dict((key, value) for key, value in fields)
        body, _ = get(rest[length + -length % 8:], 0, fields.get(SIGNATURE, ""))
        return Message(kind, flags, fields, body), struct.unpack_from("<I", head, 8)[0]

    def begin(self, destination, path, interface, member, signature="", values=(), flags=0, body=None):
        """Calls, and does not wait: the serial number of the call."""
        return self.send(CALL, {PATH: path, INTERFACE: interface, MEMBER: member, DESTINATION: destination}, signature,
                         values, flags, body)

    def answer(self, serial):
        """The reply to the call of that number; what comes before it is kept."""
        while serial not in self.replies:
            message, _ = self.receive()
            if message.kind == SIGNAL:
                self.signals.append(message)
            else:
                self.replies[message.fields.get(REPLY_SERIAL)] = message
        return self.replies.pop(serial)

    def call(self, *words, **options):
        return self.answer(self.begin(*words, **options))

    def bus(self, member, signature="", *values):
        return self.call(DBUS, "/org/freedesktop/DBus", DBUS, member, signature, values)

    def signal(self, fits):
        """Wait for a signal that FITS; those before it are dropped."""
        while True:
            while self.signals:
                message = self.signals.pop(0)
                if fits(message):
                    return message
            message, _ = self.receive()
            if message.kind == SIGNAL:
                self.signals.append(message)


class Polkit:
    """with Polkit(path) as polkit: an authority that says what polkit.verdict is: "yes", "no", "challenge", or
    nothing at all (None). polkit.asked: (caller, action, flags) of each question, polkit.numbers theirs,
    polkit.dropped those of the ones that were taken back."""

    def __init__(self, path, verdict="no"):
        self.verdict = verdict
        self.asked, self.numbers, self.dropped = [], [], []
        self.news = threading.Condition()
        self.client = Client(path, limit=None)
        self.client.bus("RequestName", "su", "org.freedesktop.PolicyKit1", 4)

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def serve(self):
        while True:
            try:
                message, serial = self.client.receive()
            except (OSError, EOFError):
                return
            if message.kind == CALL and message.member == "CancelCheckAuthorization":
                self.dropped += message.body
            if message.kind != CALL or message.member != "CheckAuthorization":
                continue
            (_, subject), action, _, flags, number = message.body
            with self.news:
                self.asked.append((subject["name"], action, flags))
                self.numbers.append(number)
                self.news.notify()
            if self.verdict:
                self.client.send(RETURN, {REPLY_SERIAL: serial, DESTINATION: message.sender}, "(bba{ss})",
                                 [(self.verdict == "yes", self.verdict == "challenge", [])])

    def until(self, count, limit=60):
        """Wait until it was asked COUNT times."""
        with self.news:
            return self.news.wait_for(lambda: len(self.asked) >= count, limit)

    def __exit__(self, *_):
        self.client.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(60)
        self.client.close()
