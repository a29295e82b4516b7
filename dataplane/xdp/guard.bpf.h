/* SPDX-License-Identifier: BSD-3-Clause */
/* The guard: acknowledges HELLOs (RFC 2661 section 6.5) while the data plane is away or does not stir.
 *
 * Why it may, its side of the hand-over (the channel's side is in lc_guard.c). All that it promises to a peer is in one
 * word of the tunnel's entry: nr, what it has taken. It takes nothing but HELLOs, which enter no inbox, so that to have taken
 * one is to know its number; and it writes nothing but nr, by one, by compare-and-swap on the whole word, before the
 * ZLB that tells the peer leaves. So nr in the word is never behind what the peer was told. What can happen between:
 *
 * - The ZLB is lost, or never leaves. The peer sends the HELLO again; its Ns is before nr now, and it is answered as a
 *   duplicate, here or by the channel. No ZLB carries a number that is not in the word.
 * - Two CPUs have the same HELLO, or two messages of a tunnel, at once. The word is compared whole: one swaps, the other
 *   finds another word than the one that it judged by, and drops its frame. To the peer that is a loss on the
 *   way: it sends again.
 * - The data plane wakes up in the middle. It takes messages by its own counter, in the mirror, and puts that into the
 *   word by compare-and-swap before any packet with the number leaves; it adopts what the guard took before it looks
 *   at a channel. Where both take the same HELLO, both count the same message, as the same Ns of the same peer
 *   is the same message: receiving is a join (max), and both acknowledge the same number. Where the channel has taken more,
 *   the swap here fails. So it does not matter for safety whether the heartbeat is right: it only says who should answer.
 * - The channel takes a message for the control plane, which is in its inbox and not yet in the word. The guard
 *   expects that Ns still, finds that it is no HELLO and leaves it alone; the HELLO after it is early. It acknowledges
 *   nothing across a message that it did not take.
 * - The channel sends. ns in the word is its next number before the packet leaves. A ZLB with an older ns that overtakes or
 *   follows says less than the peer knows: its Nr is right all the same, and a ZLB takes no number (5.8).
 * - The entry is being rewritten, for another peer, MAC, tunnel. The writer makes the word 0 first and
 *   writes it last, with the new id and generation. We read the word, then the rest, then the word again (by the swap,
 *   or for a duplicate by reading), each a full barrier: the same word means that the rest belongs to it. The
 *   same word written again in between means the same tunnel at the same numbers, of which at most the
 *   MAC is half old and half new: a lost ZLB. A reader that was stopped between word and swap while the entry came to serve
 *   another tunnel fails: id and generation are in the word.
 *
 * What is not a HELLO in its turn changes nothing, whoever sent it. A ZLB is never answered, so that two guards cannot
 * keep each other busy. */
#pragma once

#include "lc_l2tp.h"
#include "maps.bpf.h"

enum {
	AVP_HIDDEN_RESERVED = 0x7c00,
	AVP_LENGTH = 0x03ff,
	MESSAGE_TYPE = 8, /* octets of a Message Type AVP */
	ZLB_TTL = 64,
	PADDING =
	    ETH_ZLEN - ETH_HLEN - 40, /* octets after a ZLB that make an Ethernet frame of it */
	ZLB_NO_FRAGMENTS = 0x4000,
	HELLO_NONE = -1, /* something else, and no sense in it */
};

/* A control message that is exact up to its AVPs; host order. */
struct control {
	const struct iphdr *ip;
	const struct udphdr *udp;
	const uint8_t *l2tp;
	uint16_t udp_length, length;
	uint16_t id, ns, nr;
};

struct zlb {
	struct iphdr ip;
	struct udphdr udp;
	uint8_t l2tp[LC_L2TP_CONTROL_SIZE];
} __attribute__((packed));

/* How far a is ahead of b, modulo 65536: negative where it comes before (5.8). */
INLINE int16_t seq_ahead(uint16_t a, uint16_t b)
{
	return (int16_t)(uint16_t)(a - b);
}

/* With a full barrier: what is read before was read before, and what is read after, after. */
INLINE uint64_t word_read(struct lc_guard_entry *entry)
{
	uint64_t nothing = 0;
	__asm__ volatile("" : "+r"(nothing)); /* to add 0 would be changed into something slower */
	return __sync_fetch_and_add(&entry->word.word, nothing);
}

/* IPv4 within the frame and right; UDP within IPv4; L2TP within UDP, with a control message's header (lc_l2tp_parse()). */
INLINE bool control_read(const struct frame *f, struct control *m)
{
	uint32_t header = m->ip->ihl * 4u, total = bpf_ntohs(m->ip->tot_len);

	m->l2tp = (const void *)(m->udp + 1);
	if (m->l2tp + LC_L2TP_CONTROL_SIZE > f->end)
		return false;
	m->udp_length = bpf_ntohs(m->udp->len);
	m->length = lc_get16(m->l2tp + 2);
	m->id = lc_get16(m->l2tp + 4);
	m->ns = lc_get16(m->l2tp + 8);
	m->nr = lc_get16(m->l2tp + 10);
	const uint16_t bits =
	    LC_L2TP_CONTROL | LC_L2TP_OFFSET | LC_L2TP_PRIORITY | LC_L2TP_VERSION_MASK;
	return f->network + total <= (uint64_t)(f->end - f->start) &&
	       header + m->udp_length <= total && sizeof(*m->udp) + m->length <= m->udp_length &&
	       m->length >= LC_L2TP_CONTROL_SIZE && (lc_get16(m->l2tp) & bits) == LC_L2TP_CONTROL &&
	       sum_is_right(f->ctx, f->network, header, 0);
}

/* The type in the first AVP, as lc_l2tp_message_type() reads it; HELLO_NONE where it would not. */
INLINE int control_type(const struct frame *f, const struct control *m)
{
	const uint8_t *avp = m->l2tp + LC_L2TP_CONTROL_SIZE;

	if (m->length < LC_L2TP_CONTROL_SIZE + MESSAGE_TYPE || avp + MESSAGE_TYPE > f->end)
		return HELLO_NONE;
	uint16_t head = lc_get16(avp), type = lc_get16(avp + 6);
	if (head & AVP_HIDDEN_RESERVED || (head & AVP_LENGTH) != MESSAGE_TYPE ||
	    lc_get16(avp + 2) != 0 || lc_get16(avp + 4) != 0 || type == 0)
		return HELLO_NONE;
	return type;
}

/* A HELLO longer than we can add up is left to the channel. */
INLINE bool control_sum_is_right(const struct frame *f, const struct control *m)
{
	uint32_t at = f->network + m->ip->ihl * 4u;

	if (m->udp->check == 0)
		return true;
	return sum_is_right(f->ctx, at, m->udp_length,
			    (uint64_t)m->ip->saddr + m->ip->daddr + bpf_htons(IPPROTO_UDP) +
				m->udp->len);
}

/* What to do with a message whose Ns is the next: guard_hello means that it may be taken. */
INLINE enum dp_xdp_counter hello_judge(const struct frame *f, const struct control *m,
				       union lc_guard_word word)
{
	int type = control_type(f, m);

	if (type == HELLO_NONE || seq_ahead(m->nr, word.ns) > 0)
		return DP_XDP_guard_malformed;
	if (type != LC_MSG_HELLO)
		return DP_XDP_guard_message;
	return control_sum_is_right(f, m) ? DP_XDP_guard_hello : DP_XDP_guard_malformed;
}

/* Writes the acknowledgement over the frame, which is at least as long, and cuts it there. */
INLINE bool zlb_write(const struct frame *f, const struct lc_guard_entry *to,
		      union lc_guard_word word)
{
	struct zlb zlb = {
	    .ip = {.version = 4,
		   .ihl = sizeof(struct iphdr) / 4,
		   .tot_len = bpf_htons(sizeof(zlb)),
		   .frag_off = bpf_htons(ZLB_NO_FRAGMENTS), /* so it needs no ID (RFC 6864) */
		   .ttl = ZLB_TTL,
		   .protocol = IPPROTO_UDP,
		   .saddr = to->local_address,
		   .daddr = to->peer_address},
	    .udp = {.source = to->local_udp_port,
		    .dest = to->peer_udp_port,
		    .len = bpf_htons(sizeof(zlb.udp) + sizeof(zlb.l2tp))},
	};
	lc_put16(zlb.l2tp, LC_L2TP_CONTROL);
	lc_put16(zlb.l2tp + 2, LC_L2TP_CONTROL_SIZE);
	lc_put16(zlb.l2tp + 4, to->peer_id);
	lc_put16(zlb.l2tp + 8, word.ns);
	lc_put16(zlb.l2tp + 10, word.nr);

	uint64_t sum = 0;
	for (uint32_t i = 0; i < sizeof(zlb.ip); i += 2)
		sum += load16((uint8_t *)&zlb.ip + i);
	zlb.ip.check = (uint16_t)~sum_fold(sum);
	sum = (uint64_t)to->local_address + to->peer_address + bpf_htons(IPPROTO_UDP) + zlb.udp.len;
	for (uint32_t i = 0; i < sizeof(zlb.udp) + sizeof(zlb.l2tp); i += 2)
		sum += load16((uint8_t *)&zlb.udp + i);
	zlb.udp.check = (uint16_t)~sum_fold(sum);
	if (zlb.udp.check == 0) /* which would mean none (RFC 768) */
		zlb.udp.check = 0xffff;

	uint8_t *at = f->start + f->network;
	if (at + sizeof(zlb) > f->end)
		return false;
	bool known = load16(to->mac) | load16(to->mac + 2) | load16(to->mac + 4);
	__builtin_memcpy(f->start, known ? to->mac : f->start + ETH_ALEN, ETH_ALEN);
	__builtin_memcpy(f->start + ETH_ALEN, f->port->mac, ETH_ALEN);
	__builtin_memcpy(at, &zlb, sizeof(zlb));
	int cut = (int)(f->end - at) - (int)sizeof(zlb);
	if (at + sizeof(zlb) + PADDING <= f->end) {
		int shortest = (int)(f->end - f->start) - ETH_ZLEN;
		__builtin_memset(at + sizeof(zlb), 0, PADDING);
		cut = shortest < cut ? shortest : cut;
	}
	return bpf_xdp_adjust_tail(f->ctx, -cut) == 0;
}

/* What the guard does with a message: guard_hello and guard_duplicate mean that the frame is the answer now. */
INLINE enum dp_xdp_counter guard_take(const struct frame *f, struct control *m)
{
	uint32_t none = 0;
	const struct dp_xdp_chassis *of = bpf_map_lookup_elem(&chassis, &none);

	if (of == NULL || !control_read(f, m))
		return DP_XDP_guard_malformed;
	if (*(volatile const uint64_t *)&of->mirror == 0) /* the tunnels are nobody's any more */
		return DP_XDP_guard_no_tunnel;
	uint32_t slot = m->id & of->tunnel_mask;
	struct lc_guard_entry *entry = bpf_map_lookup_elem(&tunnels, &slot), to;
	if (entry == NULL)
		return DP_XDP_guard_no_tunnel;
	union lc_guard_word word = {.word = word_read(entry)}, next = word;
	to = *entry;
	if (m->id == 0 || word.id != m->id)
		return DP_XDP_guard_no_tunnel;
	if (m->ip->saddr != to.peer_address || m->ip->daddr != to.local_address ||
	    m->udp->source != to.peer_udp_port || m->udp->dest != to.local_udp_port)
		return DP_XDP_guard_wrong_peer;
	if (m->length == LC_L2TP_CONTROL_SIZE)
		return DP_XDP_guard_zlb;
	enum dp_xdp_counter what = DP_XDP_guard_duplicate;
	if (seq_ahead(m->ns, word.nr) > 0)
		return DP_XDP_guard_early;
	if (m->ns == word.nr) {
		what = hello_judge(f, m, word);
		if (what != DP_XDP_guard_hello)
			return what;
		next.nr++;
		if (__sync_val_compare_and_swap(&entry->word.word, word.word, next.word) !=
		    word.word)
			return DP_XDP_guard_race;
	} else if (word_read(entry) != word.word) {
		return DP_XDP_guard_race;
	}
	*(volatile uint64_t *)&entry->heard = bpf_ktime_get_ns();
	zlb_write(f, &to, next); /* it cannot fail; if it did, that would be a ZLB lost */
	return what;
}

/* A control message to our address. Where there is a socket, what the guard has no answer for waits there. */
INLINE enum dp_xdp_counter guard_decide(const struct frame *f, const struct iphdr *ip,
					const struct udphdr *udp)
{
	struct control message = {.ip = ip, .udp = udp};

	if (plane_is_alive(f))
		return DP_XDP_steered_control;
	enum dp_xdp_counter what = guard_take(f, &message);
	bool answered = what == DP_XDP_guard_hello || what == DP_XDP_guard_duplicate;
	return !answered && socket_is_there(f->ctx) ? DP_XDP_steered_control : what;
}
