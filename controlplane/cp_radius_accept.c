/* SPDX-License-Identifier: BSD-3-Clause */
/* Gathers the attributes of an Access-Accept. Those with the same tag are one tunnel (RFC 2868 section 3); those without
 * a tag are one, too, whatever else is there. What a server says is not believed before it is looked at. */
#include "cp_radius_accept.h"

#include <stdlib.h>
#include <string.h>

struct cp_radius_accept *cp_radius_accept_new(void)
{
	return calloc(1, sizeof(struct cp_radius_accept));
}

void cp_radius_accept_free(struct cp_radius_accept *accept)
{
	if (accept != NULL)
		explicit_bzero(accept, sizeof(*accept)); /* passwords */
	free(accept);
}

const char *cp_radius_accept_message(const struct cp_radius_accept *accept)
{
	return accept->message;
}

/* ---- attributes ---- */

static void take_number(struct number *n, const struct cp_radius_attribute *a)
{
	if (a->broken) {
		n->broken = true;
		n->length = a->length;
	} else if (n->there && n->value != a->integer) {
		n->contradictory = true;
	}
	n->there = true;
	if (!a->broken)
		n->value = a->integer;
}

static void wrong(struct set *set, enum cp_radius_counter what)
{
	if (set->wrong == 0)
		set->wrong = what;
}

static void take_tunnel_number(struct set *set, struct number *n,
			       const struct cp_radius_attribute *a)
{
	take_number(n, a);
	if (n->broken)
		wrong(set, CP_RADIUS_TUNNEL_MALFORMED);
	else if (n->contradictory)
		wrong(set, CP_RADIUS_TUNNEL_CONTRADICTORY);
}

/* A name for people and peers: printable ASCII. A tag of zero is not part of it. */
static void take_text(struct set *set, char *out, size_t size, const struct cp_radius_attribute *a)
{
	const uint8_t *octets = a->octets;
	size_t length = a->length;
	char text[LC_NAME];

	if (length > 0 && octets[0] == 0) {
		octets++;
		length--;
	}
	if (a->broken || length == 0) {
		wrong(set, CP_RADIUS_TUNNEL_MALFORMED);
		return;
	}
	if (length >= size) {
		wrong(set, CP_RADIUS_TUNNEL_OVERLONG);
		return;
	}
	cp_radius_printable(text, sizeof(text), octets, length);
	if (memcmp(text, octets, length) != 0)
		wrong(set, CP_RADIUS_TUNNEL_MALFORMED);
	else if (out[0] != 0 && strcmp(out, text) != 0)
		wrong(set, CP_RADIUS_TUNNEL_CONTRADICTORY);
	else
		strcpy(out, text);
}

/* Any octets but NUL. */
static void take_password(struct set *set, const struct cp_radius_attribute *a)
{
	struct cp_authorized_tunnel *t = &set->tunnel;

	if (a->broken || memchr(a->octets, 0, a->length) != NULL) {
		wrong(set, CP_RADIUS_TUNNEL_MALFORMED);
	} else if (a->length > CFG_SECRET_MAX) {
		wrong(set, CP_RADIUS_TUNNEL_OVERLONG);
	} else if (t->has_password && (strlen(t->password) != a->length ||
				       memcmp(t->password, a->octets, a->length) != 0)) {
		wrong(set, CP_RADIUS_TUNNEL_CONTRADICTORY);
	} else {
		memcpy(t->password, a->octets, a->length);
		t->password[a->length] = 0;
		t->has_password = true;
	}
}

static struct set *set_of(struct cp_radius_accept *accept, uint8_t tag)
{
	struct set *set = &accept->sets[tag % TAGS];

	if (!set->there) {
		set->there = true;
		set->tunnel.tag = tag;
		set->tunnel.preference = UINT32_MAX;
		accept->order[accept->n_sets++] = tag;
	}
	return set;
}

static void take_tunnel_attribute(struct cp_radius_accept *accept,
				  const struct cp_radius_attribute *a)
{
	struct set *set = set_of(accept, a->tag);
	struct cp_authorized_tunnel *t = &set->tunnel;

	switch (a->type) {
	case CP_RADIUS_TUNNEL_TYPE:
		take_tunnel_number(set, &set->type, a);
		break;
	case CP_RADIUS_TUNNEL_MEDIUM_TYPE:
		take_tunnel_number(set, &set->medium, a);
		break;
	case CP_RADIUS_TUNNEL_PREFERENCE:
		take_tunnel_number(set, &set->preference, a);
		break;
	case CP_RADIUS_TUNNEL_PASSWORD:
		take_password(set, a);
		break;
	case CP_RADIUS_TUNNEL_CLIENT_ENDPOINT:
		take_text(set, set->client, sizeof(set->client), a);
		break;
	case CP_RADIUS_TUNNEL_SERVER_ENDPOINT:
		take_text(set, set->server, sizeof(set->server), a);
		break;
	case CP_RADIUS_TUNNEL_PRIVATE_GROUP_ID:
		take_text(set, t->group, sizeof(t->group), a);
		break;
	case CP_RADIUS_TUNNEL_ASSIGNMENT_ID:
		take_text(set, t->assignment, sizeof(t->assignment), a);
		break;
	case CP_RADIUS_TUNNEL_CLIENT_AUTH_ID:
		take_text(set, t->client_auth, sizeof(t->client_auth), a);
		break;
	default:
		take_text(set, t->server_auth, sizeof(t->server_auth), a);
		break;
	}
}

static void take_class(struct cp_radius_accept *accept, const struct cp_radius_attribute *a)
{
	if (a->broken || a->length > LC_CLASS || accept->class_length != 0) {
		accept->class_lost = true;
		return;
	}
	memcpy(accept->class, a->octets, a->length);
	accept->class_length = (uint8_t)a->length;
}

void cp_radius_accept_show(void *context, const struct cp_radius_attribute *a)
{
	struct cp_radius_accept *accept = context;
	size_t said = strlen(accept->message);

	if (a->vendor == CP_RADIUS_ERX && a->type == CP_RADIUS_ERX_L2TP_RESYNCH_METHOD)
		take_number(&accept->method, a);
	else if (a->vendor == CP_RADIUS_ERX && a->type == CP_RADIUS_ERX_TUNNEL_MAXIMUM_SESSIONS)
		take_number(&accept->max_sessions, a);
	if (a->vendor != 0)
		return;
	switch (a->type) {
	case CP_RADIUS_TUNNEL_TYPE:
	case CP_RADIUS_TUNNEL_MEDIUM_TYPE:
	case CP_RADIUS_TUNNEL_CLIENT_ENDPOINT:
	case CP_RADIUS_TUNNEL_SERVER_ENDPOINT:
	case CP_RADIUS_TUNNEL_PASSWORD:
	case CP_RADIUS_TUNNEL_PRIVATE_GROUP_ID:
	case CP_RADIUS_TUNNEL_ASSIGNMENT_ID:
	case CP_RADIUS_TUNNEL_PREFERENCE:
	case CP_RADIUS_TUNNEL_CLIENT_AUTH_ID:
	case CP_RADIUS_TUNNEL_SERVER_AUTH_ID:
		take_tunnel_attribute(accept, a);
		break;
	case CP_RADIUS_CLASS:
		take_class(accept, a);
		break;
	case CP_RADIUS_REPLY_MESSAGE:
		cp_radius_printable(accept->message + said, MESSAGE - said, a->octets, a->length);
		break;
	default:
		break;
	}
}
