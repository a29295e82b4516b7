# SPDX-License-Identifier: BSD-3-Clause
"""A TCP connection between two kernels that has nothing to do with us, as somebody's ssh: a line each so often, and back."""

import socket
import sys
import threading
import time

from lab import socket_in

PORT = 2222
INTERVAL_S = 0.05
PATIENCE_S = 10
TCP_INFO_SIZE, TOTAL_RETRANSMISSIONS = 104, 100  # struct tcp_info (linux/tcp.h)


class Bystander:
    """From (namespace, address) to the same, from now on. longest: s between two answers; lines: that came back;
    repeated: segments that either kernel sent again."""

    def __init__(self, client, server):
        self.longest, self.lines, self.repeated = 0.0, 0, 0
        self.error = None
        self.over = threading.Event()
        self.listener = socket_in(server[0], socket.AF_INET, socket.SOCK_STREAM)
        self.listener.bind((server[1], PORT))
        self.listener.listen()
        self.client = socket_in(client[0], socket.AF_INET, socket.SOCK_STREAM)
        self.client.settimeout(PATIENCE_S)
        self.client.bind((client[1], 0))
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self.echo, self.talk)]
        for thread in self.threads:
            thread.start()

    def echo(self):
        connection, _ = self.listener.accept()
        with connection:
            while data := connection.recv(4096):
                connection.sendall(data)
            self.count_repeated(connection)

    def count_repeated(self, connection):
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_SIZE)
        self.repeated += int.from_bytes(info[TOTAL_RETRANSMISSIONS:], sys.byteorder)

    def talk(self):
        try:
            self.client.connect(self.listener.getsockname())
            self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.client, self.client.makefile("rb") as answers:
                last = time.monotonic()
                while not self.over.wait(INTERVAL_S):
                    line = b"line %d\n" % self.lines
                    self.client.sendall(line)
                    answer = answers.readline()
                    if answer != line:
                        raise OSError(f"{line} came back as {answer}")
                    now = time.monotonic()
                    self.longest = max(self.longest, now - last)
                    last = now
                    self.lines += 1
                self.count_repeated(self.client)
        except OSError as error:
            self.error = error

    def stop(self):
        """What was wrong with it, as a list."""
        self.over.set()
        for thread in reversed(self.threads):
            thread.join(2 * PATIENCE_S)
        self.listener.close()
        return [f"the connection to the kernel broke after {self.lines} lines: {self.error}"] if self.error else []
