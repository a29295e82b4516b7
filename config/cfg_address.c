/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses: IPv4, IPv6 (counted with as 128-bit numbers) and Ethernet. */
#include "cfg_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cfg_u128 cfg_u128_get(const uint8_t bytes[16])
{
	cfg_u128 value = 0;

	for (int i = 0; i < 16; i++)
		value = value << 8 | bytes[i];
	return value;
}

void cfg_u128_put(cfg_u128 value, uint8_t bytes[16])
{
	for (int i = 15; i >= 0; i--, value >>= 8)
		bytes[i] = (uint8_t)value;
}

uint32_t cfg_mask4(unsigned length)
{
	return length ? UINT32_MAX << (32 - length) : 0;
}

cfg_u128 cfg_mask6(unsigned length)
{
	return length ? ~(cfg_u128)0 << (128 - length) : 0;
}

/* "ADDRESS" or, where length is not NULL, "ADDRESS/LENGTH". */
static bool parse_address(int family, json_t *value, void *address, uint8_t *length)
{
	unsigned most = family == AF_INET ? 32 : 128, bits = 0;
	const char *text = json_string_value(value), *slash;
	char copy[INET6_ADDRSTRLEN];
	size_t size;

	if (!text)
		return false;
	slash = length ? strchr(text, '/') : text + strlen(text);
	if (!slash || (size = (size_t)(slash - text)) >= sizeof(copy))
		return false;
	memcpy(copy, text, size);
	copy[size] = '\0';
	if (inet_pton(family, copy, address) != 1)
		return false;
	if (!length)
		return true;
	size = strspn(slash + 1, "0123456789");
	if (size < 1 || size > 3 || slash[1 + size] || sscanf(slash + 1, "%u", &bits) != 1 ||
	    bits > most)
		return false;
	*length = (uint8_t)bits;
	return true;
}

static bool unicast4(uint32_t address)
{
	return address >> 24 != 0 && address >> 24 != 127 && address >> 28 < 14;
}

static bool unicast6(const uint8_t address[16])
{
	return cfg_u128_get(address) > 1 && address[0] != 0xff;
}

int cfg_read_host4(const struct cfg_key *key, json_t *value, void *field)
{
	bool loopback = key->kind == CFG_KIND_HOST4_OR_LOOPBACK;
	uint32_t address;

	if (!parse_address(AF_INET, value, &address, NULL))
		return -EINVAL;
	address = ntohl(address);
	if (!unicast4(address) && !(loopback && address >> 24 == 127))
		return -EINVAL;
	*(uint32_t *)field = address;
	return 0;
}

int cfg_read_prefix4(const struct cfg_key *key, json_t *value, void *field)
{
	struct cfg_prefix4 prefix = {0};
	uint32_t host;

	if (!parse_address(AF_INET, value, &prefix.address, &prefix.length))
		return -EINVAL;
	prefix.address = ntohl(prefix.address);
	host = prefix.address & ~cfg_mask4(prefix.length);
	if (key->kind == CFG_KIND_NETWORK4 && host != 0)
		return -EINVAL;
	if (key->kind == CFG_KIND_INTERFACE4 &&
	    (!unicast4(prefix.address) || prefix.length == 0 ||
	     (prefix.length < 31 && (host == 0 || host == ~cfg_mask4(prefix.length)))))
		return -EINVAL;
	*(struct cfg_prefix4 *)field = prefix;
	return 0;
}

int cfg_read_host6(const struct cfg_key *key, json_t *value, void *field)
{
	uint8_t address[16];

	if (!parse_address(AF_INET6, value, address, NULL) || !unicast6(address))
		return -EINVAL;
	memcpy(field, address, sizeof(address));
	return 0;
}

int cfg_read_prefix6(const struct cfg_key *key, json_t *value, void *field)
{
	struct cfg_prefix6 prefix = {0};

	if (!parse_address(AF_INET6, value, prefix.address, &prefix.length) || prefix.length == 0 ||
	    !unicast6(prefix.address))
		return -EINVAL;
	if (key->kind == CFG_KIND_NETWORK6 &&
	    (cfg_u128_get(prefix.address) & ~cfg_mask6(prefix.length)) != 0)
		return -EINVAL;
	*(struct cfg_prefix6 *)field = prefix;
	return 0;
}

int cfg_read_mac(const struct cfg_key *key, json_t *value, void *field)
{
	static const char zero[6];
	const char *text = json_string_value(value);
	uint8_t mac[6];

	if (!text || strlen(text) != 17 || strspn(text, "0123456789abcdefABCDEF:") != 17)
		return -EINVAL;
	for (int i = 0; i < 6; i++) {
		char *end;

		mac[i] = (uint8_t)strtoul(text + 3 * i, &end, 16);
		if (end != text + 3 * i + 2 || *end != (i < 5 ? ':' : '\0'))
			return -EINVAL;
	}
	if ((mac[0] & 1) || memcmp(mac, zero, sizeof(mac)) == 0)
		return -EINVAL;
	memcpy(field, mac, sizeof(mac));
	return 0;
}
