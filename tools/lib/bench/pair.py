# SPDX-License-Identifier: BSD-3-Clause
"""Two chassis, a LAC and its LNS, each with both of its planes, and a fast virtual link between them."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import threading

import forwarders
from trouble import Trouble

LIMITS = {"tunnels": 65535, "sessions": 1000000}
PORT_SESSIONS = 60000  # PPPoE session IDs of an access port that are used
END_S = 20
UP_S = 30


def port(name, device, facing, **more):
    return {"name": name, "device": device, "facing": facing, **more}


def slots(*ports):
    """Four to a module."""
    return [
        {"slot": i // 4, "module": "10ge", "ports": list(ports[i : i + 4])} for i in range(0, len(ports), 4)
    ]


class Chassis:
    """One of the two, under its supervisor."""

    def __init__(self, options, name, config):
        self._options, self._tool = options, options.build / "tools/benchmark/warmline-bench-pair"
        self.name = f"bench-{os.getpid()}-{name}"
        self.path = options.scratch / f"{name}.json"
        self._log = options.scratch / f"{name}.log"
        self._log.touch()
        self._process = None
        config = {
            "chassis": {"name": self.name, "runtime_directory": str(options.scratch / "run")},
            "limits": LIMITS,
            "dataplane": {"memory_mb": 512, "mbufs": 16384, "hugepages": options.hugepages, "worker_cores": [None]},
            **config,
        }
        self.path.write_text(json.dumps(config))

    def start(self):
        command = [
            self._options.build / "tools/chassis/warmline-chassis",
            "--dataplane", self._options.build / "dataplane/warmline-dataplane",
            "--control", self._options.build / "controlplane/warmline-control", self.path,
        ]  # fmt: skip
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=forwarders.follow_us)  # fmt: skip

    def stop(self):
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None
        self.tool("clear", self.path)
        shutil.rmtree(f"/var/run/dpdk/warmline-{self.name}", ignore_errors=True)

    def tool(self, *words, timeout=120, fails=True):
        done = subprocess.run(
            [str(word) for word in (self._tool, *words)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=timeout)  # fmt: skip
        seen = json.loads(done.stdout or "null")
        if done.returncode != 0 and fails:
            raise Trouble(f"{self.name}: {words[0]} {words[2:]}: {done.stderr.strip() or seen}; {self.last_words()}")
        return seen

    def look(self):
        return self.tool("look", self.path)

    def wait(self, what, n, seconds):
        return self.tool("wait", self.path, what, n, seconds, timeout=seconds + 30)

    def last_words(self):
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def ask(self, **request):
        answer = self.ask_all([request])[0]
        if not answer.get("ok"):
            raise Trouble(f"{self.name}: {request}: {answer}")
        return answer

    def ask_all(self, requests):
        """One after the other, without waiting for an answer in between."""
        lines = b"".join(json.dumps(request).encode() + b"\n" for request in requests)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self._options.scratch / "run" / self.name / "control.sock"))
            sender = threading.Thread(target=client.sendall, args=(lines,))
            sender.start()
            with client.makefile() as answers:
                seen = [json.loads(answers.readline()) for _ in requests]
            sender.join()
        return seen

    def _planes(self):
        seen = self.look()
        return [pathlib.Path("/proc") / str(seen[plane]["pid"]) for plane in ("control", "dataplane")]

    def rss(self):
        """Private memory of both planes, octets."""
        lines = "".join((plane / "status").read_text() for plane in self._planes()).splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))

    def cpu(self):
        """Seconds of CPU that both planes have had."""
        threads = [thread for plane in self._planes() for thread in plane.glob("task/*/schedstat")]
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def geometry(self):
        return self.look()["mirror"]


class Pair:
    """Both, gone after the block."""

    def __init__(self, options, lac, lns, peer=None):
        """peer: another device than the link as the LNS's peer-facing port."""
        link = options.scratch / "link.sock"
        lac_ports = [port("peer", f"net_memif0,role=client,id=0,socket={link},socket-abstract=no,rsize=12", "peer",
                          address="10.1.0.1/24")]  # fmt: skip
        for i in range(lac.pop("access_ports", 0)):
            lac_ports.append(port(f"access{i}", f"net_null{i},no-rx=1", "access"))
        peer = peer or f"net_memif0,role=server,id=0,socket={link},socket-abstract=no,rsize=12"
        lns_ports = [
            port("peer", peer, "peer", address="10.1.0.2/24"),
            port("core", "net_null0,no-rx=1", "core", address="10.2.0.1/24", gateway="10.2.0.254"),
        ]  # fmt: skip
        self.lac = Chassis(options, "lac", {"slots": slots(*lac_ports), **lac})
        self.lns = Chassis(options, "lns", {"slots": slots(*lns_ports), **lns})

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.lac.stop()
        self.lns.stop()

    def fill(self, tunnels, sessions):
        self.lac.tool("fill", self.lac.path, self.lns.path, tunnels, sessions)

    def start(self, tunnels=0, sessions=0):
        """With so many of them up already."""
        self.fill(tunnels, sessions)
        self.lns.start()
        self.lns.wait("up", 1, UP_S)  # a memif client does not wait for its server
        self.lac.start()
        self.lac.wait("up", 1, UP_S)
