/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration of one chassis: what a file says, checked as a whole, as a tree of plain
 * values.
 *
 * Conventions for every structure here:
 * - IPv4 addresses, ports (UDP) and VLANs are in host byte order; IPv6 and MAC addresses are bytes
 * as on the wire.
 * - strings are owned by the tree, never NULL unless the comment says so; arrays have a count
 * beside them.
 * - "inherited" values are already resolved: a reader never has to look at an outer scope itself.
 * The tree is read-only after cfg_load(); it may be read from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cfg_limit {
	CFG_NAME_MAX = 63,        /* bytes of a name, without the NUL */
	CFG_SECRET_MAX = 255,     /* bytes of a tunnel password */
	CFG_INTERFACE_MAX = 15,   /* bytes of a kernel interface's name */
	CFG_INTERFACE_MTU = 3000, /* of a port on one, at most: AF_XDP wants a frame in one page */
	CFG_MAX_PORTS = 32,
	CFG_MAX_WORKERS = 16,
	CFG_MAX_RADIUS_SERVERS = 8,  /* of each kind */
	CFG_MAX_DOMAIN_TUNNELS = 31, /* in a domain map: tags of RFC 2868 go so far */
};

enum cfg_facing {
	CFG_FACING_ACCESS, /* towards subscribers: PPPoE session frames (LAC) */
	CFG_FACING_PEER,   /* towards the other tunnel endpoint: L2TP over UDP over IPv4 */
	CFG_FACING_CORE,   /* towards the network: IPv4 and IPv6 (LNS) */
};

/* Peer resynchronization. NOT_CONFIGURED appears only where a scope may be
 * silent. */
enum cfg_method {
	CFG_METHOD_NOT_CONFIGURED,
	CFG_METHOD_DISABLE,
	CFG_METHOD_FAILOVER_PROTOCOL,
	CFG_METHOD_SILENT_FAILOVER,
	CFG_METHOD_FALLBACK, /* failover-protocol-fallback-to-silent-failover, the default */
};

/* Where a tunnel's method came from; the more specific has the greater number. */
enum cfg_scope {
	CFG_SCOPE_GLOBAL,
	CFG_SCOPE_PROFILE,    /* remote host of a destination profile (LNS) */
	CFG_SCOPE_TUNNEL,     /* tunnel of the LAC that subscribers name themselves */
	CFG_SCOPE_DOMAIN_MAP, /* tunnel of an AAA domain map (LAC) */
	CFG_SCOPE_RADIUS,     /* L2TP-Resynch-Method of an Access-Accept (LAC) */
};

struct cfg_prefix4 {
	uint32_t address; /* host order; host bits may be set (an interface address keeps them) */
	uint8_t length;   /* 0..32 */
};

struct cfg_prefix6 {
	uint8_t address[16];
	uint8_t length; /* 0..128; address all zero and length 0: none */
};

struct cfg_port {
	char *name; /* unique in the chassis */
	/* DPDK: a PCI address ("0000:01:00.0") or a vdev ("net_af_packet0,iface=eth1"); "": it has
	 * an interface */
	char *device;
	char *interface; /* the kernel's, shared with it by an XDP program; "": it has a device */
	uint8_t slot;    /* the slot that it sits in */
	enum cfg_facing facing;
	/* Our address and the on-link prefix; address 0: none (access ports). */
	struct cfg_prefix4 ipv4;
	uint32_t gateway4;       /* 0: none */
	struct cfg_prefix6 ipv6; /* core ports only */
	uint8_t gateway6[16];    /* all zero: none */
	uint16_t vlan;           /* 0: untagged, else 1..4094 */
	/* Of IP (peer, core) or of the PPPoE payload's Ethernet (access): 576..9000. */
	uint16_t mtu;
	uint16_t worker;     /* index into cfg_dataplane.worker_cores */
	char *encapsulation; /* one of the module's; "": its first */
	unsigned rate_kbps;  /* of the line, 1..10000000; 0: the module's */
};

struct cfg_slot {
	uint8_t number; /* 0..31, unique */
	char *module;   /* a name of the capability table in linecard/ */
};

struct cfg_dataplane {
	int main_core;                     /* -1: not pinned, else 0..1023 */
	int worker_cores[CFG_MAX_WORKERS]; /* -1: not pinned */
	unsigned n_workers;                /* 1..CFG_MAX_WORKERS */
	unsigned idle_sleep_us; /* longest sleep of an idle worker: 0..100000; 0: never sleeps */
	unsigned memory_mb;     /* EAL memory on ordinary pages: 64..65536 */
	bool hugepages;         /* false: EAL runs on ordinary pages (--no-huge) */
	unsigned mbufs;         /* packet buffers: 1024..4194303 */
};

struct cfg_limits {
	unsigned tunnels;  /* 1..65535 */
	unsigned sessions; /* 1..1048576 */
	/* Control messages held in each direction, over all tunnels: 64..1048576. */
	unsigned message_buffers;
	/* Accounting records that no RADIUS server has acknowledged yet: 64..1048576. */
	unsigned accounting_records;
};

struct cfg_retransmission {
	unsigned established;     /* retransmissions before an established tunnel is given up */
	unsigned not_established; /* the same for one that is being set up; each 1..20 */
	unsigned interval_ms;     /* first interval: 100..10000 (RFC 2661 section 5.8: 1000) */
	unsigned max_interval_ms; /* cap on the doubled one: 8000..60000 (5.8: at least 8 s) */
};

/* The failover protocol (RFC 4951). */
struct cfg_failover {
	bool control;                /* C of our Failover Capability AVP (section 5.1) */
	bool data;                   /* D; never both false */
	unsigned recovery_time_ms;   /* what we ask our peers to wait for: 0..4294967295 */
	bool farewell_capability;    /* a StopCCN to a peer that does not answer carries Failover
				      Capability with recovery time 0 */
	unsigned data_reset_packets; /* n of section 3.2.3: 1..255 */
};

/* What any tunnel needs to know about itself, whichever scope it came from. All values resolved. */
struct cfg_tunnel_policy {
	char *host_name;             /* ours, sent in the Host Name AVP */
	char *password;              /* "" : no tunnel authentication */
	enum cfg_method method;      /* never NOT_CONFIGURED */
	enum cfg_scope method_scope; /* where the method came from */
	unsigned hello_interval_s;   /* 0: never; else 1..3600 */
	unsigned receive_window;     /* 1..64 */
	struct cfg_retransmission retransmission;
	struct cfg_failover failover;
	bool hide_avps;        /* hide what RFC 2661 allows to be hidden; needs a password */
	bool data_sequencing;  /* LAC: ask for sequencing with Sequencing Required (4.4.6) */
	unsigned max_sessions; /* in one tunnel: 1..65535 */
	unsigned
	    session_mtu; /* LNS: largest IP packet sent to a subscriber, until PPP negotiates it: 576..9000 */
	uint32_t
	    own; /* the keys that this scope gives itself, by cfg_policy_bit(); others are inherited */
};

/* A remote host of a destination profile: who may open a tunnel to us. */
struct cfg_remote_host {
	char *name; /* the peer's Host Name AVP; "*" matches any */
	struct cfg_tunnel_policy policy;
};

struct cfg_profile {
	char *name;
	struct cfg_prefix4 peers; /* their source addresses; the longest prefix wins */
	struct cfg_remote_host *hosts;
	unsigned n_hosts;
};

/* A tunnel that this LAC opens. */
struct cfg_tunnel {
	char *name;      /* unique */
	uint32_t remote; /* the LNS's address */
	unsigned port;   /* index of a peer-facing port; CFG_MAX_PORTS: it could not be read */
	struct cfg_tunnel_policy policy;
};

/* A tunnel of a domain map: opened when a subscriber of the domain needs it, shared by all who do. */
struct cfg_domain_tunnel {
	uint8_t number;      /* 1..CFG_MAX_DOMAIN_TUNNELS, unique in its map */
	uint16_t place;      /* in the file: its index in "tunnels" */
	uint16_t preference; /* 0..2000: the lower, the sooner it is tried */
	uint32_t remote;     /* the LNS's address */
	int port; /* index of a peer-facing port; -1: cfg_find_peer_port(); CFG_MAX_PORTS: it could not be read */
	char *identification; /* sessions share a tunnel with the same ends and this; "": none */
	char *server_name;    /* the Host Name that the LNS must have; "": any */
	struct cfg_tunnel_policy policy;
};

/* Where a subscriber's tunnel comes from. */
enum cfg_authentication {
	CFG_AUTHENTICATION_NONE,   /* from the domain map alone */
	CFG_AUTHENTICATION_RADIUS, /* an Access-Accept, which may bring tunnels of its own */
};

/* What applies to the subscribers of one domain (user@domain). */
struct cfg_domain_map {
	char *name; /* the domain, in any case; "none": names without one; "default": all others */
	enum cfg_authentication authentication;
	bool strip_domain;                 /* the User-Name for RADIUS is without "@domain" */
	struct cfg_domain_tunnel *tunnels; /* in the order in which they are tried */
	unsigned n_tunnels;
};

struct cfg_radius_server {
	uint32_t address;
	uint16_t port;
	char *secret;
	unsigned timeout_ms; /* for one answer: 100..60000 */
	unsigned retransmit; /* further tries before the next server's turn: 0..20 */
};

struct cfg_radius {
	char *nas_identifier;    /* "": the chassis's name */
	uint32_t nas_address;    /* NAS-IP-Address; 0: not sent */
	uint32_t source_address; /* of our packets; 0: as the kernel routes them */
	unsigned dead_time_s;    /* that a server which did not answer is left alone: 0..86400 */
	unsigned interim_interval_s;              /* 0: no interim updates; 60..86400 */
	bool session_accounting;                  /* Start, Interim-Update, Stop (RFC 2866) */
	bool tunnel_accounting;                   /* Tunnel-Start, -Stop, -Reject (RFC 2867) */
	bool link_accounting;                     /* Tunnel-Link-Start, -Stop, -Reject (RFC 2867) */
	struct cfg_radius_server *authentication; /* tried in this order */
	unsigned n_authentication;
	struct cfg_radius_server *accounting;
	unsigned n_accounting;
};

/* One or many (count) static subscribers. Member i of count has "{}" in the name replaced by i+1,
 * and i added to the MAC address, the PPPoE session ID, the IPv4 address and (in units of the
 * prefix) the IPv6 prefix. */
struct cfg_subscribers {
	char *name;              /* with "{}" exactly once if count > 1 */
	unsigned count;          /* 1..1048576 */
	int port;                /* index of an access port; -1 on an LNS */
	uint8_t mac[6];          /* LAC: the subscriber's */
	uint16_t pppoe_session;  /* LAC: 1..65535; unique on the port */
	int tunnel;              /* LAC: index of the tunnel; -1: by its domain; -1 on an LNS */
	char *password;          /* LAC: for RADIUS; "": none */
	uint32_t ipv4;           /* LNS: 0: none */
	struct cfg_prefix6 ipv6; /* LNS: length 0: none */
};

struct cfg {
	char *path; /* the file, as given */
	char *name; /* of the chassis: [a-z0-9-]{1,31}; part of every runtime path */
	/* Absolute, 1..48 bytes: a socket's path (107 bytes) has room for name and leaf. */
	char *runtime_directory;
	struct cfg_dataplane dataplane;
	struct cfg_limits limits;
	struct cfg_slot *slots;
	unsigned n_slots;
	struct cfg_port *ports;
	unsigned n_ports;
	struct cfg_tunnel_policy l2tp; /* the global values */
	/* LNS: a peer that no profile names gets the global values instead of a StopCCN. */
	bool accept_unknown_hosts;
	struct cfg_profile *profiles;
	unsigned n_profiles;
	struct cfg_tunnel *tunnels;
	unsigned n_tunnels;
	unsigned
	    lockout_s; /* LAC: a domain's tunnel that failed is skipped for so long: 1..86400 */
	unsigned
	    tunnel_idle_s; /* LAC: a domain's tunnel without sessions goes after: 0..86400; 0: never */
	struct cfg_domain_map *domain_maps;
	unsigned n_domain_maps;
	unsigned *domain_order; /* their indexes in the order of their names, for look-ups */
	struct cfg_radius radius;
	struct cfg_subscribers *subscribers;
	unsigned n_subscribers;
};

/* One complaint about a file. */
struct cfg_error {
	int line;   /* 1.., 0 where no line applies */
	char *path; /* JSON path, for instance "slots[1].ports[0].facing"; "" for the file itself */
	char *text; /* what is wrong and what would be right, one line */
};

struct cfg_errors {
	struct cfg_error *list;
	size_t count;
};

/* Reads and checks a file. Returns the tree, or NULL with every complaint in *errors (the caller
 * frees them with cfg_errors_free()). Never prints. *errors is set in both cases (empty on
 * success). */
struct cfg *cfg_load(const char *path, struct cfg_errors *errors);

/* Rules that config/ does not know, such as what a line module can serve. Called with the tree as it was read, mistakes
 * included (a value that could not be read is "", 0 or out of its range); adds its complaints with cfg_errors_add(),
 * which get their lines from their paths. */
typedef void cfg_rule(const struct cfg *cfg, struct cfg_errors *errors);

/* cfg_load() with one more rule. */
struct cfg *cfg_load_with(const char *path, cfg_rule *rule, struct cfg_errors *errors);

/* Adds a complaint. path and text are the list's from here on (malloc). */
void cfg_errors_add(struct cfg_errors *errors, int line, char *path, char *text);

/* The same from text; path is for messages only. */
struct cfg *cfg_parse(const char *text, size_t length, const char *path, struct cfg_errors *errors);

/* cfg_parse() with one more rule. */
struct cfg *cfg_parse_with(const char *text, size_t length, const char *path, cfg_rule *rule,
			   struct cfg_errors *errors);

/* The octets of a configuration file, the caller's (free()). 0 or -errno: then *text is NULL. */
int cfg_read_file(const char *path, char **text, size_t *length);

/* What shows call the file from here on: of a configuration that runs, the one that it started from. */
void cfg_set_path(struct cfg *cfg, const char *path);

void cfg_free(struct cfg *cfg); /* NULL: nothing */
void cfg_errors_free(struct cfg_errors *errors);

/* Prints "FILE:LINE: PATH: TEXT" lines to a FILE * (void *, to keep stdio out of here). */
void cfg_errors_print(const struct cfg_errors *errors, const char *file, void *stream);

/* ---- Differences (cfg_diff.c) ---- */

/* When a change can take effect. */
enum cfg_change_kind {
	CFG_CHANGE_LIVE,    /* at once; what is established keeps what it has */
	CFG_CHANGE_RESTART, /* with a cold start of both planes */
	CFG_CHANGE_NEVER, /* not in a chassis that runs: what it is called, and where its sockets are */
	CFG_N_CHANGES,
};

struct cfg_change {
	enum cfg_change_kind kind;
	char *path; /* "l2tp.destination_profiles[isp].remote_hosts[lac].hello_interval" */
	char *text; /* the path, and what becomes of it: one line; no secret is in it */
};

struct cfg_changes {
	struct cfg_change *list; /* the first ones of each kind, in the order of the schema */
	size_t count;
	size_t total[CFG_N_CHANGES]; /* by kind: as many as there are, those not in the list too */
};

enum { CFG_CHANGES_KEPT = 64 }; /* of each kind */

struct json_t;

/* What makes one configuration another, from their JSON, both as good as cfg_parse() has found them. A key that is
 * given with its default is as good as an absent one; elements of arrays are told by what must be unique in them (a
 * name, a number, an address), and their order counts. The caller frees it with cfg_changes_free(). */
struct cfg_changes cfg_diff(const struct json_t *from, const struct json_t *to);
void cfg_changes_free(struct cfg_changes *changes);

/* One subscriber of a range, spelled out. */
struct cfg_subscriber {
	char name[CFG_NAME_MAX + 1];
	uint8_t mac[6];
	uint16_t pppoe_session;
	uint32_t ipv4;
	struct cfg_prefix6 ipv6;
};

/* index: 0..count-1. */
void cfg_subscriber_expand(const struct cfg_subscribers *range, unsigned index,
			   struct cfg_subscriber *out);

/* Subscribers by name. As large as the ranges are many; keeps a reference to the tree. NULL: no memory. */
struct cfg_names;
struct cfg_names *cfg_names_new(const struct cfg *cfg);
void cfg_names_free(struct cfg_names *names);
/* name need not be NUL-terminated. *range: index into cfg->subscribers; *index: the member. */
bool cfg_names_find(const struct cfg_names *names, const char *name, size_t length, unsigned *range,
		    unsigned *index);

/* LNS: the profile entry for a peer: the profile of the longest prefix decides (a host that it does
 * not name is unknown, whatever a shorter prefix says), and in it the exact host name before "*".
 * NULL: none. *profile (may be NULL) gets the profile that it belongs to. host_name need not be
 * NUL-terminated. */
const struct cfg_remote_host *cfg_find_remote_host(const struct cfg *cfg, uint32_t address,
						   const char *host_name, size_t host_name_length,
						   const struct cfg_profile **profile);

/* The map by this name, in any case; NULL: there is none. */
const struct cfg_domain_map *cfg_domain_map(const struct cfg *cfg, const char *name);

/* LAC: what applies to a subscriber by this name: the map of its domain (what follows the last "@"), or "none", or
 * "default". NULL: none. */
const struct cfg_domain_map *cfg_find_domain_map(const struct cfg *cfg, const char *name);

/* The peer-facing port by which an address is reached: on its link, else by its gateway; the longest prefix, else the
 * first with a gateway. -1: none. */
int cfg_find_peer_port(const struct cfg *cfg, uint32_t address);

/* The bit in cfg_tunnel_policy.own of a policy key ("failover_resync", "retransmission.established"); 0: there is no such
 * key. null for a method is not configured. */
uint32_t cfg_policy_bit(const char *key);

const char *cfg_method_name(enum cfg_method method);
const char *cfg_scope_name(enum cfg_scope scope);
const char *cfg_facing_name(enum cfg_facing facing);
const char *cfg_authentication_name(enum cfg_authentication authentication);

/* Runtime paths: "<runtime_directory>/<name>/<leaf>" into buf; returns 0 or -ENAMETOOLONG. */
int cfg_runtime_path(const struct cfg *cfg, const char *leaf, char *buf, size_t size);

/* The documentation of every key as a Markdown table (the README's), to a FILE *. */
void cfg_print_reference(void *stream);
