# SPDX-License-Identifier: BSD-3-Clause
"""Echo requests (RFC 792, RFC 4443): as packets, and by a kernel who is pinging somebody all the while."""

import ipaddress
import socket
import struct
import threading
import time

from lab import socket_in

IDENTIFIER = 0x574c
REQUEST = {4: 8, 6: 128}
REPLY = {4: 0, 6: 129}


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def echo_packet(source, destination, number):
    """An echo request with its IP header, of the addresses' family."""
    source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    echo = struct.pack("!BBHHH", REQUEST[source.version], 0, 0, IDENTIFIER, number) + bytes(56)
    pseudo = b""
    if source.version == 6:
        pseudo = source.packed + destination.packed + struct.pack("!II", len(echo), socket.IPPROTO_ICMPV6)
        ip = struct.pack("!IHBB", 0x60000000, len(echo), socket.IPPROTO_ICMPV6, 64)
    else:
        ip = struct.pack("!BBHHHBB", 0x45, 0, 20 + len(echo), number, 0, 64, socket.IPPROTO_ICMP)
        addresses = source.packed + destination.packed
        ip += struct.pack("!H", checksum(ip + b"\0\0" + addresses))
    echo = echo[:2] + struct.pack("!H", checksum(pseudo + echo)) + echo[4:]
    return ip + source.packed + destination.packed + echo


def reply_number(packet):
    """(IP version, number) of an echo reply with its IP header; None: it is something else."""
    version = packet[0] >> 4
    at = 40 if version == 6 else (packet[0] & 15) * 4
    if packet[6 if version == 6 else 9] != {4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6}[version]:
        return None
    kind, _, _, identifier, number = struct.unpack("!BBHHH", packet[at:at + 8])
    return (version, number) if (kind, identifier) == (REPLY[version], IDENTIFIER) else None


class Pinger(threading.Thread):
    """From a namespace, one after the other. lost: requests that were not answered in a second; longest: s."""

    def __init__(self, namespace, destination, scope=None, interval=0.05):
        super().__init__(daemon=True)
        self.version = ipaddress.ip_address(destination).version
        family, protocol = {4: (socket.AF_INET, socket.IPPROTO_ICMP),
                            6: (socket.AF_INET6, socket.IPPROTO_ICMPV6)}[self.version]
        self.socket = socket_in(namespace, family, socket.SOCK_RAW, protocol)
        if scope:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, scope.encode())
        self.socket.settimeout(1)
        self.destination, self.interval = destination, interval
        self.answered, self.lost, self.longest = 0, 0, 0.0
        self.over = threading.Event()
        self.start()

    def ask(self, number):
        """Its answer came. (Raw sockets see IPv4 headers and no IPv6 ones; IPv6's checksum is the kernel's to fill in.)"""
        echo = struct.pack("!BBHHH", REQUEST[self.version], 0, 0, IDENTIFIER, number) + bytes(56)
        if self.version == 4:
            echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
        began = time.monotonic()
        self.socket.sendto(echo, (self.destination, 0))
        while time.monotonic() - began < 1:
            try:
                data = self.socket.recv(2048)
            except TimeoutError:
                break
            data = data[(data[0] & 15) * 4:] if self.version == 4 else data
            kind, _, _, identifier, answered = struct.unpack("!BBHHH", data[:8])
            if (kind, identifier, answered) == (REPLY[self.version], IDENTIFIER, number):
                self.longest = max(self.longest, time.monotonic() - began)
                return True
        return False

    def run(self):
        number = 0
        while not self.over.wait(self.interval):
            number = (number + 1) & 0xffff
            if self.ask(number):
                self.answered += 1
            else:
                self.lost += 1

    def stop(self):
        """What was wrong, as a list."""
        self.over.set()
        self.join()
        self.socket.close()
        return [f"{self.lost} pings of the kernel to {self.destination} were not answered, {self.answered} were"] \
            if self.lost or not self.answered else []
