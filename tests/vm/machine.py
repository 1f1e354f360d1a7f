# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU guest without KVM and without a network, and a root shell in it over a serial port.

Every wait has a limit. What the guest's console printed, and every command with its answer, stay in the
machine's work folder (console.log, agent.log, qemu.log).
"""

import base64
import os
import select
import socket
import subprocess
import time

OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd"
OVMF_VARS = "/usr/share/OVMF/OVMF_VARS_4M.fd"

# What each kind of host is made of. Interrupt remapping needs the split irqchip.
IOMMUS = {
    "intel": (["-device", "intel-iommu,intremap=on,caching-mode=on"], "GenuineIntel"),
    "intel-no-intremap": (["-device", "intel-iommu,intremap=off,caching-mode=on"], "GenuineIntel"),
    "amd": (["-device", "amd-iommu,intremap=on"], "AuthenticAMD"),
    "none": ([], "GenuineIntel"),
}

# The kernel's last words where the timer's interrupt did not come in time.
STARVED = "Kernel panic - not syncing: timer doesn't work through"


class MachineError(Exception):
    pass


class Machine:
    def __init__(self, work, disks, iommu="intel", uefi=False, devices=(), memory=2048, direct=None,
                 boot_disk="addr=0x10"):
        """WORK: a folder of its own. DISKS: (path, format, read-only) in order; the first boots, and
        the n-th is /dev/disk/by-id/virtio-diskN in the guest, from 0.
        DEVICES: words for further -device options. DIRECT: (kernel, initrd, line), else the disk boots.
        BOOT_DISK: where the first disk is plugged in."""
        self.work = work
        self.disks, self.iommu, self.uefi, self.memory = disks, iommu, uefi, memory
        self.direct, self.boot_disk = direct, boot_disk
        self.patience = 3 if uefi else 1  # that firmware alone takes minutes without KVM
        os.makedirs(work, exist_ok=True)
        self.socket_path = os.path.join(work, "agent.sock")
        self.process = None
        self.connection = None
        self.pending = b""
        self.number = 0
        self.boot_id = None
        self.restarts = 0
        self.command = self._command(devices)

    def plug(self, devices):
        """Other cards, or the same in other slots, from the next start() on."""
        self.command = self._command(devices)

    def _command(self, devices):
        options, vendor = IOMMUS[self.iommu]
        command = ["qemu-system-x86_64", "-M", "q35,kernel-irqchip=split",
                   "-accel", "tcg,thread=multi", "-cpu", "max,vendor=" + vendor,
                   "-smp", "2", "-m", str(self.memory), "-nodefaults", "-display", "none",
                   "-serial", "file:" + os.path.join(self.work, "console.log"),
                   "-serial", "unix:%s,server=on,wait=off" % self.socket_path,
                   "-rtc", "base=utc"] + options
        if self.uefi:
            variables = os.path.join(self.work, "vars.fd")
            subprocess.run(["cp", OVMF_VARS, variables], check=True)
            for unit, path, readonly in ((0, OVMF, "on"), (1, variables, "off")):
                command += ["-drive", "if=pflash,format=raw,unit=%d,readonly=%s,file=%s"
                            % (unit, readonly, path)]
        for device in devices:
            command += ["-device", device]
        for index, (path, kind, readonly) in enumerate(self.disks):
            where = self.boot_disk if index == 0 else "addr=0x%x" % (0x10 + index)
            command += ["-drive", "if=none,id=disk%d,file=%s,format=%s,cache=%s%s"
                        % (index, path, kind, "unsafe", ",readonly=on" if readonly else ""),
                        "-device", "virtio-blk-pci,drive=disk%d,serial=disk%d,bootindex=%d,%s"
                        % (index, index, index + 1, where)]
        if self.direct:
            command += ["-kernel", self.direct[0], "-initrd", self.direct[1], "-append", self.direct[2]]
        return command

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self, boot_limit=300):
        """Power on and wait for the root shell."""
        boot_limit *= self.patience
        if os.path.exists(self.socket_path):
            os.unlink(self.socket_path)
        log = open(os.path.join(self.work, "qemu.log"), "ab")
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        end = time.monotonic() + 20
        while True:
            self.connection = socket.socket(socket.AF_UNIX)
            try:
                self.connection.connect(self.socket_path)
                break
            except OSError as error:
                self.connection.close()
                if time.monotonic() > end or self.process.poll() is not None:
                    raise MachineError("qemu did not start: " + self._tail("qemu.log")) from error
                time.sleep(0.1)
        self.pending = b""
        self.wait_boot(boot_limit)

    def kill(self):
        """Power cut: nothing is flushed by the guest."""
        if self.connection:
            self.connection.close()
            self.connection = None
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def wait_boot(self, limit=300):
        """Wait for the shell of a boot other than the one known."""
        end = time.monotonic() + limit
        while True:
            try:
                line = self._line(min(end, time.monotonic() + 10), "boot")
            except MachineError:
                if self.process.poll() is not None or time.monotonic() >= end:
                    raise
                if self._starved():
                    self.kill()
                    self.start(limit)
                    return
                if "login:" in self._tail("console.log", 1):
                    self.connection.sendall(b"\n")  # what it said may have been lost to the firmware
                continue
            if line.startswith("HELLO ") and line[6:] != self.boot_id:
                self.boot_id = line[6:]
                return

    def _starved(self):
        """Whether the kernel gave up before it had a disk: without KVM its timer may come too late on a busy
        machine. Then the power is switched off and on, three times at most."""
        if STARVED not in self._tail("console.log", 200) or self.restarts == 3:
            return False
        self.restarts += 1
        print("       (the guest's kernel had too little time to find its timer: switched on again)", flush=True)
        return True

    def run(self, command, limit=60):
        """Run COMMAND by sh as root in the guest: (exit code, output). 124: took more than LIMIT seconds."""
        started = time.monotonic()
        self._send(command, limit)
        end = started + limit + 60
        output = ""
        while True:
            line = self._line(end, "answer to: " + command)
            if line == "BEGIN %d" % self.number:
                output = base64.b64decode(self._line(end, "output")).decode(errors="replace")
            elif line.startswith("END %d " % self.number):
                code = int(line.split()[2])
                self._log(command, code, output, time.monotonic() - started)
                return code, output

    def must(self, command, limit=60):
        """As run(), for what the scenario stands on: the output, or an error."""
        code, output = self.run(command, limit)
        if code:
            raise MachineError("exit code %d from: %s\n%s" % (code, command, output))
        return output

    def put(self, path, text, mode=0o644):
        data = base64.b64encode(text.encode()).decode()
        self.must("mkdir -p \"$(dirname %s)\" && printf %%s '%s' | base64 -d >%s && chmod %o %s"
                  % (path, data, path, mode, path))

    def reboot(self, limit=400):
        self._send("systemctl reboot", 60)
        self.wait_boot(limit * self.patience)

    def power_off(self, limit=120):
        self._send("systemctl poweroff", 60)
        try:
            self.process.wait(limit)
        except subprocess.TimeoutExpired as error:
            raise MachineError("the guest did not power off in %d s" % limit) from error
        self.kill()

    def _send(self, command, limit):
        self.number += 1
        text = base64.b64encode(command.encode()).decode()
        self.connection.sendall(("%d %d %s\n" % (self.number, limit, text)).encode())

    def _line(self, end, waiting_for):
        while b"\n" not in self.pending:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.connection], [], [], left)[0]:
                raise MachineError("no %s in time; console:\n%s" % (waiting_for, self._tail("console.log")))
            try:
                data = self.connection.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                raise MachineError("qemu ended while waiting for %s\n%s%s"
                                   % (waiting_for, self._tail("qemu.log"), self._tail("console.log")))
            self.pending += data
        line, self.pending = self.pending.split(b"\n", 1)
        return line.decode(errors="replace").strip("\r\0 ")

    def _log(self, command, code, output, seconds):
        with open(os.path.join(self.work, "agent.log"), "a") as log:
            log.write("$ %s\n%s[%d, %.1f s]\n" % (command, output, code, seconds))

    def _tail(self, name, lines=25):
        try:
            with open(os.path.join(self.work, name), "rb") as log:
                return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:]) + "\n"
        except OSError:
            return ""
