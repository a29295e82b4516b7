# SPDX-License-Identifier: BSD-3-Clause
"""FreeRADIUS as Debian built it, with a configuration directory of its own: users from a file, accounting into one."""

import os
import re
import signal

from lab import Failure, wait_for

SECRET = "between-nas-and-server"
AUTHENTICATION_PORT, ACCOUNTING_PORT = 1812, 1813

# SIGNATURE: Debian's 3.2.1 signs an answer with a Message-Authenticator only where it is told to.
CONFIGURATION = """
prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = {directory}
run_dir = {directory}
logdir = {directory}
pidfile = {directory}/pid
max_request_time = 5
cleanup_delay = 5
max_requests = 16384
hostname_lookups = no
log {{
	destination = stdout
	auth = yes
}}
security {{
	max_attributes = 200
	reject_delay = 0
	status_server = no
}}
thread pool {{
	start_servers = 2
	max_servers = 4
	min_spare_servers = 1
	max_spare_servers = 2
	max_requests_per_server = 0
}}
client any {{
	ipaddr = 0.0.0.0/0
	secret = "{secret}"
	require_message_authenticator = yes
}}
modules {{
	files {{
		filename = {directory}/users
	}}
	pap {{
	}}
	detail {{
		filename = {directory}/accounting
		permissions = 0600
	}}
}}
server default {{
	listen {{
		type = auth
		ipaddr = {address}
		port = {authentication_port}
	}}
	listen {{
		type = acct
		ipaddr = {address}
		port = {accounting_port}
	}}
	authorize {{
		files
		pap
	}}
	authenticate {{
		Auth-Type PAP {{
			pap
		}}
	}}
	post-auth {{
		{signature}
		Post-Auth-Type REJECT {{
			{signature}
		}}
	}}
	accounting {{
		detail
	}}
}}
"""
SIGNATURE = "update reply { Message-Authenticator := 0x00 }"


class FreeRadius:
    """One server, running. Stops with its lab, or by stop(). signs: its answers have a Message-Authenticator."""

    def __init__(self, lab, namespace, address="127.0.0.1", secret=SECRET, signs=True, name="freeradius",
                 authentication_port=AUTHENTICATION_PORT, accounting_port=ACCOUNTING_PORT, users=None):
        self.lab = lab
        self.namespace = namespace
        self.address = address
        self.secret = secret
        self.name = name
        self.port = self.authentication_port = authentication_port
        self.accounting_port = accounting_port
        self.users = {}
        self.process = None
        self.directory = lab.path(name)
        os.mkdir(self.directory, 0o700)
        for user, (password, reply) in (users or {}).items():
            self.users[user] = (password, list(reply))
        self.write_users()
        lab.write(f"{name}/radiusd.conf", CONFIGURATION.format(
            directory=self.directory, secret=secret, address=address, authentication_port=authentication_port,
            accounting_port=accounting_port, signature=SIGNATURE if signs else ""))
        self.start()

    def configuration(self, **more):
        """The "radius" object of a chassis's configuration that uses this server alone."""
        server = {"address": self.address, "secret": self.secret, **more}
        return {"authentication_servers": [{**server, "port": self.authentication_port}],
                "accounting_servers": [{**server, "port": self.accounting_port}]}

    # ---- the process ----

    def start(self):
        log = self.lab.path(f"{self.name}.log")
        start = os.path.getsize(log) if os.path.exists(log) else 0
        self.process = self.lab.start(self.namespace, self.name, ["freeradius", "-f", "-d", self.directory])
        wait_for(f"{self.name} is ready", lambda: self.alive() and "Ready to process" in self.process.text(start), 15)

    def stop(self):
        """What it wrote stays. start() goes on."""
        return self.process.stop()

    def pause(self, pause):
        """It stops answering, without an ICMP error, or goes on."""
        self.process.popen.send_signal(signal.SIGSTOP if pause else signal.SIGCONT)

    def alive(self):
        if not self.process.running():
            raise Failure(f"{self.name} has ended: {self.process.text().strip().splitlines()[-3:]}")
        return True

    # ---- users ----

    def set_user(self, user, password, *reply):
        """Who is accepted, and with what: lines like 'Tunnel-Type:1 = L2TP' (another of the same attribute: '+=').
        None as password: nobody. In effect when this returns."""
        if password is None:
            self.users.pop(user, None)
        else:
            self.users[user] = (password, list(reply))
        self.set_users(self.users)

    def set_users(self, users):
        """All of them, in one go: {user: (password, [reply, ...])}. It is started anew: at a SIGHUP it does not read them."""
        self.users = dict(users)
        self.write_users()
        if self.process.running():
            self.stop()
            self.start()

    def write_users(self):
        text = ""
        for user, (password, reply) in self.users.items():
            text += f'"{user}" Cleartext-Password := "{password}"\n'
            text += ",\n".join(f"\t{line}" for line in reply) + "\n\n"
        self.lab.write(f"{self.name}/users", text)

    # ---- what it knows ----

    def accounting(self, **where):
        """The records that it has, in the order in which they came: dictionaries of attributes by name, without tags
        (a list, where there are several). where: only those with this, as accounting(Acct_Status_Type="Start")."""
        path = os.path.join(self.directory, "accounting")
        if not os.path.exists(path):
            return []
        with open(path) as file:
            records = [read_record(text) for text in file.read().split("\n\n") if text.strip()]
        wanted = {key.replace("_", "-"): value for key, value in where.items()}
        return [record for record in records if all(record.get(key) == value for key, value in wanted.items())]

    def log(self):
        return self.process.text()


def read_record(text):
    record = {}
    for line in text.splitlines():
        found = re.match(r"\t([\w-]+)(?::\d+)? = (.*)$", line)
        if not found:
            continue
        name, value = found[1], found[2]
        if value.startswith('"'):
            value = value[1:-1]
        if name not in record:
            record[name] = value
        elif isinstance(record[name], list):
            record[name].append(value)
        else:
            record[name] = [record[name], value]
    return record
