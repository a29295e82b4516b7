/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of keys. What is checked, what is stored, what the default is and what the reference
 * prints all come from here; a key that is not here does not exist. Keys of one object stand
 * together, in the order in which people write them. */
#include "cfg_internal.h"

#include <stddef.h>

#define AT(type, field)  .offset = offsetof(type, field), .size = sizeof(((type *)0)->field)
#define RANGE(low, high) .min = (low), .max = (high)
#define NAME             RANGE(1, CFG_NAME_MAX)

/* clang-format off */
const struct cfg_key cfg_keys[] = {
	{CFG_IN_ROOT, "chassis", CFG_KIND_OBJECT, .of = CFG_IN_CHASSIS,
	 .help = "The chassis as a whole."},
	{CFG_IN_ROOT, "limits", CFG_KIND_OBJECT, AT(struct cfg, limits), .of = CFG_IN_LIMITS,
	 .help = "The size of the mirror. A change makes the next start a cold one."},
	{CFG_IN_ROOT, "dataplane", CFG_KIND_OBJECT, AT(struct cfg, dataplane),
	 .of = CFG_IN_DATAPLANE,
	 .help = "Cores and memory of the data plane."},
	{CFG_IN_ROOT, "slots", CFG_KIND_ARRAY, .of = CFG_IN_SLOT, RANGE(0, 32), .fallback = "[]",
	 .help = "The line modules and their ports (at most 32 ports in all)."},
	{CFG_IN_ROOT, "l2tp", CFG_KIND_OBJECT, .of = CFG_IN_L2TP,
	 .help = "L2TP: the global policy, who may open tunnels to us, which ones we open."},
	{CFG_IN_ROOT, "aaa", CFG_KIND_OBJECT, .of = CFG_IN_AAA,
	 .help = "LAC: which tunnels a subscriber's domain has."},
	{CFG_IN_ROOT, "radius", CFG_KIND_OBJECT, AT(struct cfg, radius), .of = CFG_IN_RADIUS,
	 .help = "RADIUS servers: authentication (RFC 2865, 2868) and accounting (RFC 2866, 2867)."},
	{CFG_IN_ROOT, "subscribers", CFG_KIND_ARRAY, .of = CFG_IN_SUBSCRIBERS, RANGE(0, 1048576),
	 .fallback = "[]",
	 .help = "Static subscribers, one by one or in ranges."},

	{CFG_IN_CHASSIS, "name", CFG_KIND_CHASSIS_NAME, AT(struct cfg, name), RANGE(1, 31),
	 .help = "Part of every runtime path: two chassis on one machine have two names."},
	{CFG_IN_CHASSIS, "runtime_directory", CFG_KIND_DIRECTORY, AT(struct cfg, runtime_directory),
	 RANGE(1, 48), .fallback = "\"/run/warmline\"",
	 .help = "Sockets and process files are in a directory of the chassis's name under it."},

	{CFG_IN_LIMITS, "tunnels", CFG_KIND_INTEGER, AT(struct cfg_limits, tunnels),
	 RANGE(1, 65535), .fallback = "1024",
	 .help = "Tunnels that the mirror has room for. Recovery tunnels (RFC 4951) take up to 64 more "
	         "where there is room: all of them up to 65471 tunnels, none at 65535."},
	{CFG_IN_LIMITS, "sessions", CFG_KIND_INTEGER, AT(struct cfg_limits, sessions),
	 RANGE(1, 1048576), .fallback = "65536",
	 .help = "Sessions that the mirror has room for, over all tunnels."},
	{CFG_IN_LIMITS, "message_buffers", CFG_KIND_INTEGER, AT(struct cfg_limits, message_buffers),
	 RANGE(64, 1048576), .fallback = "4096",
	 .help = "Control messages held in each direction, over all tunnels."},
	{CFG_IN_LIMITS, "accounting_records", CFG_KIND_INTEGER,
	 AT(struct cfg_limits, accounting_records), RANGE(64, 1048576), .fallback = "4096",
	 .help = "Accounting records held until a RADIUS server has acknowledged them."},

	{CFG_IN_DATAPLANE, "main_core", CFG_KIND_CORE, AT(struct cfg_dataplane, main_core),
	 RANGE(0, 1023), .fallback = "null",
	 .help = "The core that runs the control channels; null: not pinned."},
	{CFG_IN_DATAPLANE, "worker_cores", CFG_KIND_CORES, RANGE(1, CFG_MAX_WORKERS),
	 .fallback = "[null]",
	 .help = "One core a forwarding worker; null: not pinned."},
	{CFG_IN_DATAPLANE, "idle_sleep_us", CFG_KIND_INTEGER,
	 AT(struct cfg_dataplane, idle_sleep_us), RANGE(0, 100000), .fallback = "100",
	 .help = "Longest sleep of an idle worker, in microseconds (after 100 ms with few packets 1000); 0: it never sleeps."},
	{CFG_IN_DATAPLANE, "memory_mb", CFG_KIND_INTEGER, AT(struct cfg_dataplane, memory_mb),
	 RANGE(64, 65536), .fallback = "512",
	 .help = "Memory for packets and devices on ordinary pages; hugepages are taken as needed."},
	{CFG_IN_DATAPLANE, "hugepages", CFG_KIND_BOOLEAN, AT(struct cfg_dataplane, hugepages),
	 .fallback = "true",
	 .help = "false: ordinary pages, where there are no hugepages; slower, and not for NICs."},
	{CFG_IN_DATAPLANE, "mbufs", CFG_KIND_INTEGER, AT(struct cfg_dataplane, mbufs),
	 RANGE(1024, 4194303), .fallback = "16384",
	 .help = "Packet buffers."},

	{CFG_IN_SLOT, "slot", CFG_KIND_INTEGER, AT(struct cfg_slot, number), RANGE(0, 31),
	 .help = "The slot's number, unique."},
	{CFG_IN_SLOT, "module", CFG_KIND_STRING, AT(struct cfg_slot, module), NAME,
	 .help = "The line module that it holds, by its name in the capability table."},
	{CFG_IN_SLOT, "ports", CFG_KIND_ARRAY, .of = CFG_IN_PORT, RANGE(0, CFG_MAX_PORTS),
	 .fallback = "[]",
	 .help = "The module's ports."},

	{CFG_IN_PORT, "name", CFG_KIND_STRING, AT(struct cfg_port, name), NAME,
	 .help = "Unique in the chassis."},
	{CFG_IN_PORT, "device", CFG_KIND_STRING, AT(struct cfg_port, device), RANGE(1, 255),
	 .fallback = CFG_OPTIONAL,
	 .help = "A PCI address (`0000:01:00.0`) or a virtual device "
	         "(`net_af_packet0,iface=eth1`). Every port has a device or an interface."},
	{CFG_IN_PORT, "interface", CFG_KIND_INTERFACE_NAME, AT(struct cfg_port, interface),
	 RANGE(1, CFG_INTERFACE_MAX), .fallback = CFG_OPTIONAL,
	 .help = "In place of a device: a kernel interface, shared with the kernel by XDP. "
	         "`mtu` is then at most 3000."},
	{CFG_IN_PORT, "facing", CFG_KIND_FACING, AT(struct cfg_port, facing),
	 .help = "What it faces: subscribers (PPPoE), the other tunnel endpoint (L2TP), or the "
	         "network (IP)."},
	{CFG_IN_PORT, "address", CFG_KIND_INTERFACE4, AT(struct cfg_port, ipv4),
	 .fallback = CFG_OPTIONAL,
	 .help = "Our address and the on-link prefix. Peer and core ports need one, access "
	         "ports have none."},
	{CFG_IN_PORT, "gateway", CFG_KIND_HOST4, AT(struct cfg_port, gateway4),
	 .fallback = CFG_OPTIONAL,
	 .help = "Next hop for what is not on the link."},
	{CFG_IN_PORT, "address6", CFG_KIND_INTERFACE6, AT(struct cfg_port, ipv6),
	 .fallback = CFG_OPTIONAL,
	 .help = "The same for IPv6; core ports only."},
	{CFG_IN_PORT, "gateway6", CFG_KIND_HOST6, AT(struct cfg_port, gateway6),
	 .fallback = CFG_OPTIONAL,
	 .help = "On the link, or link-local."},
	{CFG_IN_PORT, "vlan", CFG_KIND_INTEGER, AT(struct cfg_port, vlan), RANGE(0, 4094),
	 .fallback = "0",
	 .help = "802.1Q VLAN; 0: untagged."},
	{CFG_IN_PORT, "mtu", CFG_KIND_INTEGER, AT(struct cfg_port, mtu), RANGE(576, 9000),
	 .fallback = "1500",
	 .help = "Largest IP packet (peer, core) or Ethernet payload (access)."},
	{CFG_IN_PORT, "worker", CFG_KIND_INTEGER, AT(struct cfg_port, worker),
	 RANGE(0, CFG_MAX_WORKERS - 1), .fallback = "0",
	 .help = "The worker that receives from it: an index into `dataplane.worker_cores`."},
	{CFG_IN_PORT, "encapsulation", CFG_KIND_STRING, AT(struct cfg_port, encapsulation), NAME,
	 .fallback = CFG_OPTIONAL,
	 .help = "One that the module has (`warmline show line-modules`); none: its first."},
	{CFG_IN_PORT, "rate_kbps", CFG_KIND_INTEGER, AT(struct cfg_port, rate_kbps),
	 RANGE(1, 10000000), .fallback = CFG_OPTIONAL,
	 .help = "Rate of the line, as subscribers' LNSs are told (Connect Speed AVPs); none: the module's."},

	{CFG_IN_L2TP, "accept_unknown_hosts", CFG_KIND_BOOLEAN,
	 AT(struct cfg, accept_unknown_hosts), .fallback = "false",
	 .help = "A peer that no profile names gets the global policy instead of a StopCCN."},
	{CFG_IN_L2TP, "destination_profiles", CFG_KIND_ARRAY, .of = CFG_IN_PROFILE, RANGE(0, 65535),
	 .fallback = "[]",
	 .help = "LNS: who may open tunnels to us. The longest prefix that holds the peer's "
	         "address decides."},
	{CFG_IN_L2TP, "tunnels", CFG_KIND_ARRAY, .of = CFG_IN_TUNNEL, RANGE(0, 65535),
	 .fallback = "[]",
	 .help = "LAC: the tunnels that we keep open, for subscribers who name them."},
	{CFG_IN_L2TP, "lockout", CFG_KIND_INTEGER, AT(struct cfg, lockout_s), RANGE(1, 86400),
	 .fallback = "300",
	 .help = "LAC: seconds for which a tunnel of a domain that could not be set up is skipped."},
	{CFG_IN_L2TP, "tunnel_idle", CFG_KIND_INTEGER, AT(struct cfg, tunnel_idle_s),
	 RANGE(0, 86400), .fallback = "60",
	 .help = "LAC: seconds without a session after which a tunnel of a domain is closed; 0: never."},

	{CFG_IN_POLICY, "host_name", CFG_KIND_STRING, AT(struct cfg_tunnel_policy, host_name), NAME,
	 .help = "Ours, in the Host Name AVP."},
	{CFG_IN_POLICY, "password", CFG_KIND_SECRET, AT(struct cfg_tunnel_policy, password),
	 RANGE(0, CFG_SECRET_MAX), .fallback = "\"\"",
	 .help = "Shared secret of the tunnel; empty: no tunnel authentication."},
	{CFG_IN_POLICY, "failover_resync", CFG_KIND_METHOD, AT(struct cfg_tunnel_policy, method),
	 .fallback = "\"failover-protocol-fallback-to-silent-failover\"",
	 .help = "How a tunnel recovers after a warm start: not at all, with its peer (RFC 4951), "
	         "by itself, or with its peer where that can and otherwise by itself. null in an "
	         "inner scope: not configured, the outer value applies."},
	{CFG_IN_POLICY, "hello_interval", CFG_KIND_INTEGER,
	 AT(struct cfg_tunnel_policy, hello_interval_s), RANGE(0, 3600), .fallback = "60",
	 .help = "Seconds of silence before a HELLO; 0: never."},
	{CFG_IN_POLICY, "receive_window", CFG_KIND_INTEGER,
	 AT(struct cfg_tunnel_policy, receive_window), RANGE(1, 64), .fallback = "16",
	 .help = "Control messages that the peer may have in flight (Receive Window Size AVP)."},
	{CFG_IN_POLICY, "retransmission", CFG_KIND_OBJECT,
	 AT(struct cfg_tunnel_policy, retransmission), .of = CFG_IN_RETRANSMISSION,
	 .help = "Of control messages (RFC 2661 section 5.8)."},
	{CFG_IN_POLICY, "failover", CFG_KIND_OBJECT, AT(struct cfg_tunnel_policy, failover),
	 .of = CFG_IN_FAILOVER,
	 .help = "The failover protocol (RFC 4951)."},
	{CFG_IN_POLICY, "hide_avps", CFG_KIND_BOOLEAN, AT(struct cfg_tunnel_policy, hide_avps),
	 .fallback = "false",
	 .help = "Hide what RFC 2661 allows to be hidden; needs a password."},
	{CFG_IN_POLICY, "data_sequencing", CFG_KIND_BOOLEAN,
	 AT(struct cfg_tunnel_policy, data_sequencing), .fallback = "false",
	 .help = "LAC: sequence numbers on data messages (Sequencing Required AVP)."},
	{CFG_IN_POLICY, "max_sessions", CFG_KIND_INTEGER,
	 AT(struct cfg_tunnel_policy, max_sessions), RANGE(1, 65535), .fallback = "65535",
	 .help = "In one tunnel."},
	{CFG_IN_POLICY, "session_mtu", CFG_KIND_INTEGER,
	 AT(struct cfg_tunnel_policy, session_mtu), RANGE(576, 9000), .fallback = "1492",
	 .help = "LNS: largest IP packet sent to a subscriber; what is larger is fragmented, or dropped "
		 "where DF forbids that."},

	{CFG_IN_RETRANSMISSION, "established", CFG_KIND_INTEGER,
	 AT(struct cfg_retransmission, established), RANGE(1, 20), .fallback = "5",
	 .help = "Retransmissions before an established tunnel is given up."},
	{CFG_IN_RETRANSMISSION, "not_established", CFG_KIND_INTEGER,
	 AT(struct cfg_retransmission, not_established), RANGE(1, 20), .fallback = "5",
	 .help = "The same for a tunnel that is being set up."},
	{CFG_IN_RETRANSMISSION, "interval_ms", CFG_KIND_INTEGER,
	 AT(struct cfg_retransmission, interval_ms), RANGE(100, 10000), .fallback = "1000",
	 .help = "The first interval; each further one is twice as long."},
	{CFG_IN_RETRANSMISSION, "max_interval_ms", CFG_KIND_INTEGER,
	 AT(struct cfg_retransmission, max_interval_ms), RANGE(8000, 60000), .fallback = "16000",
	 .help = "The longest interval."},

	{CFG_IN_FAILOVER, "control", CFG_KIND_BOOLEAN, AT(struct cfg_failover, control),
	 .fallback = "true",
	 .help = "Tell peers that we recover control channels (the C bit of our Failover Capability "
	         "AVP)."},
	{CFG_IN_FAILOVER, "data", CFG_KIND_BOOLEAN, AT(struct cfg_failover, data),
	 .fallback = "true",
	 .help = "Tell peers that we recover data channels that use sequence numbers (the D bit); "
	         "unless both ends do, a failure of the control channel ends such sessions."},
	{CFG_IN_FAILOVER, "recovery_time_ms", CFG_KIND_INTEGER,
	 AT(struct cfg_failover, recovery_time_ms), RANGE(0, UINT32_MAX), .fallback = "900000",
	 .help = "Milliseconds that peers are to wait for us when their retransmissions have run out; "
	         "0: none."},
	{CFG_IN_FAILOVER, "farewell_capability", CFG_KIND_BOOLEAN,
	 AT(struct cfg_failover, farewell_capability), .fallback = "true",
	 .help = "The StopCCN to a peer that does not answer carries a Failover Capability AVP with "
	         "recovery time 0; false: as RFC 4951 section 5.1 has it, without."},
	{CFG_IN_FAILOVER, "data_reset_packets", CFG_KIND_INTEGER,
	 AT(struct cfg_failover, data_reset_packets), RANGE(1, 255), .fallback = "5",
	 .help = "So many data packets that seem late, but are in sequence themselves, set the "
	         "number that a session expects next (n of section 3.2.3)."},

	{CFG_IN_PROFILE, "name", CFG_KIND_STRING, AT(struct cfg_profile, name), NAME,
	 .help = "Unique."},
	{CFG_IN_PROFILE, "address", CFG_KIND_NETWORK4, AT(struct cfg_profile, peers),
	 .help = "The peers that it applies to, by source address."},
	{CFG_IN_PROFILE, "remote_hosts", CFG_KIND_ARRAY, .of = CFG_IN_HOST, RANGE(1, 65535),
	 .help = "The host names that are welcome from there."},

	{CFG_IN_HOST, "name", CFG_KIND_STRING, AT(struct cfg_remote_host, name), NAME,
	 .help = "The peer's Host Name AVP; `*`: any that no other entry of the profile names."},

	{CFG_IN_TUNNEL, "name", CFG_KIND_STRING, AT(struct cfg_tunnel, name), NAME,
	 .help = "Unique; subscribers refer to it."},
	{CFG_IN_TUNNEL, "remote", CFG_KIND_HOST4, AT(struct cfg_tunnel, remote),
	 .help = "The LNS."},
	{CFG_IN_TUNNEL, "port", CFG_KIND_REFERENCE, NAME,
	 .help = "The peer-facing port that it leaves by."},

	{CFG_IN_AAA, "domain_maps", CFG_KIND_ARRAY, .of = CFG_IN_DOMAIN_MAP, RANGE(0, 65535),
	 .fallback = "[]",
	 .help = "One for each domain."},

	{CFG_IN_DOMAIN_MAP, "name", CFG_KIND_STRING, AT(struct cfg_domain_map, name), NAME,
	 .help = "The domain of `user@domain`, unique; `none`: of names without one; `default`: of all "
	         "that no other map names."},
	{CFG_IN_DOMAIN_MAP, "authentication", CFG_KIND_AUTHENTICATION,
	 AT(struct cfg_domain_map, authentication), .fallback = "\"none\"",
	 .help = "radius: an Access-Accept is needed, and its tunnels come before those of the map."},
	{CFG_IN_DOMAIN_MAP, "strip_domain", CFG_KIND_BOOLEAN,
	 AT(struct cfg_domain_map, strip_domain), .fallback = "false",
	 .help = "The User-Name for RADIUS is without `@domain`."},
	{CFG_IN_DOMAIN_MAP, "tunnels", CFG_KIND_ARRAY, .of = CFG_IN_DOMAIN_TUNNEL,
	 RANGE(0, CFG_MAX_DOMAIN_TUNNELS), .fallback = "[]",
	 .help = "Opened when a subscriber needs one, tried in the order of their preferences."},

	{CFG_IN_DOMAIN_TUNNEL, "tunnel", CFG_KIND_INTEGER, AT(struct cfg_domain_tunnel, number),
	 RANGE(1, CFG_MAX_DOMAIN_TUNNELS),
	 .help = "Its number (tag), unique in the map."},
	{CFG_IN_DOMAIN_TUNNEL, "preference", CFG_KIND_INTEGER,
	 AT(struct cfg_domain_tunnel, preference), RANGE(0, 2000), .fallback = "2000",
	 .help = "The lower, the sooner; equal ones in the order of their numbers."},
	{CFG_IN_DOMAIN_TUNNEL, "remote", CFG_KIND_HOST4, AT(struct cfg_domain_tunnel, remote),
	 .help = "The LNS."},
	{CFG_IN_DOMAIN_TUNNEL, "port", CFG_KIND_REFERENCE, NAME, .fallback = CFG_OPTIONAL,
	 .help = "The peer-facing port that it leaves by; none: the one by which `remote` is reached."},
	{CFG_IN_DOMAIN_TUNNEL, "identification", CFG_KIND_STRING,
	 AT(struct cfg_domain_tunnel, identification), NAME, .fallback = CFG_OPTIONAL,
	 .help = "Sessions share a tunnel with the same ends, names and identification."},
	{CFG_IN_DOMAIN_TUNNEL, "server_name", CFG_KIND_STRING,
	 AT(struct cfg_domain_tunnel, server_name), NAME, .fallback = CFG_OPTIONAL,
	 .help = "The Host Name that the LNS must give; none: any."},

	{CFG_IN_RADIUS, "nas_identifier", CFG_KIND_STRING, AT(struct cfg_radius, nas_identifier), NAME,
	 .fallback = CFG_OPTIONAL,
	 .help = "NAS-Identifier; none: the chassis's name."},
	{CFG_IN_RADIUS, "nas_address", CFG_KIND_HOST4, AT(struct cfg_radius, nas_address),
	 .fallback = CFG_OPTIONAL,
	 .help = "NAS-IP-Address; none: not sent."},
	{CFG_IN_RADIUS, "source_address", CFG_KIND_HOST4, AT(struct cfg_radius, source_address),
	 .fallback = CFG_OPTIONAL,
	 .help = "Of our packets, an address of the kernel's; none: as the kernel routes them."},
	{CFG_IN_RADIUS, "dead_time", CFG_KIND_INTEGER, AT(struct cfg_radius, dead_time_s),
	 RANGE(0, 86400), .fallback = "60",
	 .help = "Seconds for which a server that did not answer is asked last; 0: it keeps its turn."},
	{CFG_IN_RADIUS, "interim_interval", CFG_KIND_INTEGER,
	 AT(struct cfg_radius, interim_interval_s), RANGE(0, 86400), .fallback = "0",
	 .help = "Seconds between Interim-Updates of a session, 60 at least; 0: none."},
	{CFG_IN_RADIUS, "session_accounting", CFG_KIND_BOOLEAN,
	 AT(struct cfg_radius, session_accounting), .fallback = "true",
	 .help = "Start, Interim-Update and Stop of each session (RFC 2866)."},
	{CFG_IN_RADIUS, "tunnel_accounting", CFG_KIND_BOOLEAN,
	 AT(struct cfg_radius, tunnel_accounting), .fallback = "true",
	 .help = "Tunnel-Start, Tunnel-Stop and Tunnel-Reject of each tunnel (RFC 2867)."},
	{CFG_IN_RADIUS, "link_accounting", CFG_KIND_BOOLEAN,
	 AT(struct cfg_radius, link_accounting), .fallback = "false",
	 .help = "Tunnel-Link-Start, Tunnel-Link-Stop and Tunnel-Link-Reject of each session (RFC 2867)."},
	{CFG_IN_RADIUS, "authentication_servers", CFG_KIND_ARRAY, .of = CFG_IN_AUTHENTICATION_SERVER,
	 RANGE(0, CFG_MAX_RADIUS_SERVERS), .fallback = "[]",
	 .help = "Asked in this order; the next one's turn comes when one does not answer."},
	{CFG_IN_RADIUS, "accounting_servers", CFG_KIND_ARRAY, .of = CFG_IN_ACCOUNTING_SERVER,
	 RANGE(0, CFG_MAX_RADIUS_SERVERS), .fallback = "[]",
	 .help = "Likewise. None: no accounting."},

#define RADIUS_SERVER(object, default_port)                                                        \
	{object, "address", CFG_KIND_HOST4_OR_LOOPBACK, AT(struct cfg_radius_server, address),     \
	 .help = "The server, reached by the kernel."},                                            \
	{object, "port", CFG_KIND_INTEGER, AT(struct cfg_radius_server, port), RANGE(1, 65535),    \
	 .fallback = default_port, .help = "UDP."},                                                \
	{object, "secret", CFG_KIND_SECRET, AT(struct cfg_radius_server, secret),                  \
	 RANGE(1, CFG_SECRET_MAX), .help = "Shared with it."},                                     \
	{object, "timeout_ms", CFG_KIND_INTEGER, AT(struct cfg_radius_server, timeout_ms),         \
	 RANGE(100, 60000), .fallback = "3000", .help = "Milliseconds that an answer may take."},  \
	{object, "retransmit", CFG_KIND_INTEGER, AT(struct cfg_radius_server, retransmit),         \
	 RANGE(0, 20), .fallback = "3", .help = "Further tries before the next server's turn."}

	RADIUS_SERVER(CFG_IN_AUTHENTICATION_SERVER, "1812"),

	RADIUS_SERVER(CFG_IN_ACCOUNTING_SERVER, "1813"),

	{CFG_IN_SUBSCRIBERS, "name", CFG_KIND_STRING, AT(struct cfg_subscribers, name), NAME,
	 .help = "Unique. Of a range, `{}` stands for 1, 2, 3 and so on."},
	{CFG_IN_SUBSCRIBERS, "count", CFG_KIND_INTEGER, AT(struct cfg_subscribers, count),
	 RANGE(1, 1048576), .fallback = "1",
	 .help = "How many. Every address and ID below is the first one's."},
	{CFG_IN_SUBSCRIBERS, "port", CFG_KIND_REFERENCE, NAME, .fallback = CFG_OPTIONAL,
	 .help = "LAC: the access-facing port."},
	{CFG_IN_SUBSCRIBERS, "mac", CFG_KIND_MAC, AT(struct cfg_subscribers, mac),
	 .fallback = CFG_OPTIONAL,
	 .help = "LAC: the subscriber's Ethernet address."},
	{CFG_IN_SUBSCRIBERS, "pppoe_session", CFG_KIND_INTEGER,
	 AT(struct cfg_subscribers, pppoe_session), RANGE(1, 65535), .fallback = CFG_OPTIONAL,
	 .help = "LAC: PPPoE session ID, unique on the port."},
	{CFG_IN_SUBSCRIBERS, "tunnel", CFG_KIND_REFERENCE, NAME, .fallback = CFG_OPTIONAL,
	 .help = "LAC: the tunnel that carries the session; none: by its domain (`aaa`)."},
	{CFG_IN_SUBSCRIBERS, "password", CFG_KIND_SECRET, AT(struct cfg_subscribers, password),
	 RANGE(1, 128), .fallback = CFG_OPTIONAL,
	 .help = "LAC: the User-Password for RADIUS."},
	{CFG_IN_SUBSCRIBERS, "ipv4", CFG_KIND_HOST4, AT(struct cfg_subscribers, ipv4),
	 .fallback = CFG_OPTIONAL,
	 .help = "LNS: the subscriber's address."},
	{CFG_IN_SUBSCRIBERS, "ipv6", CFG_KIND_NETWORK6, AT(struct cfg_subscribers, ipv6),
	 .fallback = CFG_OPTIONAL,
	 .help = "LNS: the subscriber's prefix; the next subscriber has the next prefix of this "
	         "length."},
};
/* clang-format on */

const size_t cfg_n_keys = sizeof(cfg_keys) / sizeof(cfg_keys[0]);

const struct cfg_policy_scope *cfg_policy_scope(enum cfg_object object)
{
	static const struct cfg_policy_scope scopes[] = {
	    {CFG_IN_L2TP, offsetof(struct cfg, l2tp), false},
	    {CFG_IN_HOST, offsetof(struct cfg_remote_host, policy), true},
	    {CFG_IN_TUNNEL, offsetof(struct cfg_tunnel, policy), true},
	    {CFG_IN_DOMAIN_TUNNEL, offsetof(struct cfg_domain_tunnel, policy), true},
	};

	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
		if (scopes[i].object == object)
			return &scopes[i];
	return NULL;
}
