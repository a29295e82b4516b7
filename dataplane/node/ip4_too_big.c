/* SPDX-License-Identifier: BSD-3-Clause */
/* ip4_too_big: frames of a core port whose packet does not fit its session (hash.usr) and must not
 * be fragmented. The source is told (RFC 1191 section 4), once a millisecond at most (RFC 1812
 * section 4.3.2.8). */
#include "dp_icmp.h"
#include "dp_node.h"

enum edge { TO_TX, DROP };

enum {
	QUOTED =
	    28, /* octets of the packet that the message carries: its header and 8 more (RFC 792) */
};

DP_DROP(ip4_too_big_drop);
DP_COUNTER(ip4_too_big)

/* Nobody is told about an error in an error, in a later fragment, or to an address that is nobody's
 * (RFC 1812 4.3.2.7). */
static bool may_answer(const struct rte_ipv4_hdr *ip)
{
	uint32_t source = rte_be_to_cpu_32(ip->src_addr);
	return ip->version_ihl == RTE_IPV4_VHL_DEF && ip->next_proto_id != IPPROTO_ICMP &&
	       (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_OFFSET_MASK)) == 0 && source != 0 &&
	       source < 0xe0000000;
}

static rte_edge_t too_big_decide(struct dp_worker *worker, struct rte_mbuf *m)
{
	const struct dp_port *port = worker->dp->by_id[m->port];
	uint16_t mtu = dp_session(worker->dp, m->hash.usr)->mtu;
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	struct rte_ipv4_hdr *ip = (void *)(frame + port->eth_size);
	struct rte_icmp_hdr *icmp = (void *)(ip + 1);
	dp_count(worker, &ip4_too_big_counter, 1);
	if (worker->last_error == worker->now || !may_answer(ip))
		return DROP;
	worker->last_error = worker->now;

	uint32_t to = rte_be_to_cpu_32(ip->src_addr);
	uint32_t total = (uint32_t)(sizeof(*ip) + sizeof(*icmp)) + QUOTED;
	memmove(icmp + 1, ip, QUOTED);
	*icmp = (struct rte_icmp_hdr){.icmp_type = DP_ICMP_UNREACHABLE,
				      .icmp_code = DP_ICMP_FRAGMENTATION_NEEDED,
				      .icmp_seq_nb = rte_cpu_to_be_16(mtu)};
	icmp->icmp_cksum = (uint16_t)~rte_raw_cksum(icmp, sizeof(*icmp) + QUOTED);
	dp_ip4_write(ip, total, worker->ip_id++, IPPROTO_ICMP, port->address, to);
	dp_trim(m, port->eth_size + total);
	dp_eth_reply(port, frame);
	return TO_TX;
}

DP_NODE(ip4_too_big, too_big_decide, [TO_TX] = "port_tx", [DROP] = "ip4_too_big_drop");
