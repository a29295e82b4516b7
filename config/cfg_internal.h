/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of config/ share. Nothing outside config/ includes this.
 *
 * Memory: cfg_zalloc() and cfg_strdup() abort when there is none: a configuration is read when a
 * process starts, and a process that cannot get a few kilobytes has nothing to go on with.
 */
#pragma once

#include <jansson.h>

#include "cfg.h"

/* ---- Places in the file ---- */

/* A value of the file and the way to it. Nodes live on the stack of whoever walks the file. */
struct cfg_node {
	const struct cfg_node *up;
	const char *key; /* member of an object; NULL: element of an array, or the root */
	size_t index;    /* element of an array */
	json_t *json;    /* NULL: absent */
	/* NULL: complaints are dropped, as an outer value is already wrong */
	struct cfg_errors *errors;
};

struct cfg_node cfg_child(const struct cfg_node *node, const char *key);
struct cfg_node cfg_item(const struct cfg_node *node, size_t index);
size_t cfg_items(const struct cfg_node *node); /* elements; 0 if it is absent or no array */
bool cfg_has(const struct cfg_node *node, const char *key);
const char *cfg_string(const struct cfg_node *node, const char *key); /* "": none */

/* ---- Errors ---- */

/* Adds a complaint about a member of the node, or about the node itself (key NULL). */
__attribute__((format(printf, 3, 4))) void cfg_complain(const struct cfg_node *node,
							const char *key, const char *format, ...);
/* Orders the list by line and makes each entry fit for one printed line. */
void cfg_errors_finish(struct cfg_errors *errors);

/* ---- Schema ---- */

/* The objects that a file is made of. */
enum cfg_object {
	CFG_IN_NONE,
	CFG_IN_ROOT,
	CFG_IN_CHASSIS,
	CFG_IN_LIMITS,
	CFG_IN_DATAPLANE,
	CFG_IN_SLOT,
	CFG_IN_PORT,
	CFG_IN_L2TP,
	CFG_IN_POLICY, /* never by itself: its keys may be given in L2TP, HOST, TUNNEL, DOMAIN_TUNNEL */
	CFG_IN_RETRANSMISSION,
	CFG_IN_FAILOVER,
	CFG_IN_PROFILE,
	CFG_IN_HOST,
	CFG_IN_TUNNEL,
	CFG_IN_AAA,
	CFG_IN_DOMAIN_MAP,
	CFG_IN_DOMAIN_TUNNEL,
	CFG_IN_RADIUS,
	CFG_IN_AUTHENTICATION_SERVER, /* the two differ by the default of their ports */
	CFG_IN_ACCOUNTING_SERVER,
	CFG_IN_SUBSCRIBERS,
};

enum cfg_kind {
	CFG_KIND_OBJECT,
	CFG_KIND_ARRAY, /* of objects */
	CFG_KIND_INTEGER,
	CFG_KIND_BOOLEAN,
	CFG_KIND_STRING,
	CFG_KIND_SECRET, /* a string that no message may repeat */
	CFG_KIND_CHASSIS_NAME,
	CFG_KIND_DIRECTORY,
	CFG_KIND_INTERFACE_NAME, /* of the kernel */
	CFG_KIND_REFERENCE, /* the name of something else: checked here, looked up by its section */
	CFG_KIND_CORE,
	CFG_KIND_CORES,
	CFG_KIND_FACING,
	CFG_KIND_METHOD,
	CFG_KIND_AUTHENTICATION,
	CFG_KIND_HOST4,
	CFG_KIND_HOST4_OR_LOOPBACK,
	CFG_KIND_INTERFACE4,
	CFG_KIND_NETWORK4,
	CFG_KIND_HOST6,
	CFG_KIND_INTERFACE6,
	CFG_KIND_NETWORK6,
	CFG_KIND_MAC,
};

#define CFG_OPTIONAL "none" /* as a default: nothing is stored */

/* One key: what the reader checks, what it stores and what the reference says. */
struct cfg_key {
	enum cfg_object in;
	const char *name;
	enum cfg_kind kind;
	size_t offset;        /* of the field, in the structure that the object is read into */
	size_t size;          /* of an integer field */
	int64_t min, max;     /* of an integer; of a string's bytes; of an array's elements */
	enum cfg_object of;   /* OBJECT, ARRAY: what it holds */
	const char *fallback; /* the default, as JSON; CFG_OPTIONAL; NULL: required */
	const char *help;
};

extern const struct cfg_key cfg_keys[];
extern const size_t cfg_n_keys;

/* An object whose members include the policy keys, and where the policy lies in its structure. */
struct cfg_policy_scope {
	enum cfg_object object;
	size_t offset;
	bool inherits; /* an absent key leaves what the structure holds: the outer scope's value */
};

const struct cfg_policy_scope *cfg_policy_scope(enum cfg_object object); /* NULL: no policy keys */

enum { CFG_DESCRIPTION_MAX = 256 };

/* "integer" and "1..65535"; the latter may be empty. */
const char *cfg_key_type(const struct cfg_key *key);
void cfg_key_range(const struct cfg_key *key, char out[CFG_DESCRIPTION_MAX]);

/* ---- Reading ---- */

/* Reads an object by the schema, with its unknown keys, types and ranges checked, into its
 * structure; whatever is wrong or absent gets its default, and a required key leaves the field as
 * it was (strings: at least ""). */
void cfg_read(const struct cfg_node *node, enum cfg_object object, void *structure);

/* Reads one value into its field: 0 or -EINVAL, the field untouched. */
int cfg_value_read(const struct cfg_key *key, json_t *value, void *field);
/* The same for the kinds that are addresses. */
int cfg_read_host4(const struct cfg_key *key, json_t *value, void *field);
int cfg_read_prefix4(const struct cfg_key *key, json_t *value, void *field);
int cfg_read_host6(const struct cfg_key *key, json_t *value, void *field);
int cfg_read_prefix6(const struct cfg_key *key, json_t *value, void *field);
int cfg_read_mac(const struct cfg_key *key, json_t *value, void *field);
bool cfg_kind_is_string(enum cfg_kind kind); /* its field is a char * */

/* Sections that are arrays, and the checks that compare one value with another. Slots go first, as
 * tunnels name ports; subscribers go last, as they name the rest. */
void cfg_read_slots(const struct cfg_node *root, struct cfg *cfg);
void cfg_read_l2tp(const struct cfg_node *root, struct cfg *cfg);
void cfg_read_radius(const struct cfg_node *root, struct cfg *cfg);
void cfg_read_aaa(const struct cfg_node *root, struct cfg *cfg);
void cfg_read_subscribers(const struct cfg_node *root, struct cfg *cfg);
void cfg_check_overlaps(const struct cfg_node *subscribers, const struct cfg *cfg);

/* Index of the port that a member names, of the facing that it must have; -1: there is none, and a
 * complaint. */
int cfg_find_port(const struct cfg_node *node, const struct cfg *cfg, enum cfg_facing facing);

/* What an inner policy scope starts from: the global values. */
void cfg_policy_inherit(const struct cfg *cfg, struct cfg_tunnel_policy *policy);
/* A scope has read its keys over what it inherited: where its method came from, and what does not fit. */
void cfg_policy_settle(const struct cfg_node *node, enum cfg_scope scope,
		       struct cfg_tunnel_policy *policy);
/* Which policy keys an object gives. */
uint32_t cfg_policy_own(const struct cfg_node *node);
/* An LNS's address and the port towards it. */
void cfg_check_remote(const struct cfg_node *node, const struct cfg_port *port, uint32_t remote);

/* Sets the line of every error from its path, and adds one for every duplicate key. text is valid
 * JSON. */
void cfg_text_lines(const char *text, size_t length, struct cfg_errors *errors);

/* ---- Small things ---- */

typedef unsigned __int128 cfg_u128;

cfg_u128 cfg_u128_get(const uint8_t bytes[16]);
void cfg_u128_put(cfg_u128 value, uint8_t bytes[16]);
uint32_t cfg_mask4(unsigned length);
cfg_u128 cfg_mask6(unsigned length);

void *cfg_zalloc(size_t count, size_t size);
char *cfg_strdup(const char *string);
__attribute__((format(printf, 1, 2))) char *cfg_format(const char *format, ...);

/* ---- cfg_names.c ---- */

/* Ranges whose names differ in the same run of digits have a name in common only if these are the same. */
uint64_t cfg_name_key(const char *pattern);
/* Any two have a name in common only if these are the same. *varying: number of the run that "{}" stands in, from 0; -1:
 * there is none. */
uint64_t cfg_name_shape(const char *pattern, int *varying);

/* ---- cfg_l2tp.c ---- */

/* Indexes of the tunnels in the order of their names, equal ones in that of the file. free(). */
unsigned *cfg_tunnel_order(const struct cfg *cfg);
