/* SPDX-License-Identifier: BSD-3-Clause */
/* A configuration held against its line modules. */
#include "load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lc_module.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* A well-formed configuration, written with '. */
static struct cfg *parse(const char *text)
{
	struct cfg_errors errors;
	char *copy = strdup(text);
	struct cfg *cfg;

	for (char *at = copy; (at = strchr(at, '\''));)
		*at = '"';
	cfg = cfg_parse(copy, strlen(copy), "test.json", &errors);
	if (!cfg)
		fail_msg("%s: %s\n%s", errors.list[0].path, errors.list[0].text, copy);
	cfg_errors_free(&errors);
	free(copy);
	return cfg;
}

/* Exactly this complaint; path NULL: none. */
static void assert_complaint(const char *text, const char *path, const char *complaint)
{
	struct cfg_errors errors = {0};
	struct cfg *cfg = parse(text);

	load_check_modules(cfg, &errors);
	if (!path && errors.count)
		fail_msg("%s: %s\n%s", errors.list[0].path, errors.list[0].text, text);
	if (path) {
		if (errors.count != 1)
			fail_msg("%zu complaints, not 1: %s\n%s", errors.count,
				 errors.count ? errors.list[1].text : "", text);
		assert_string_equal(errors.list[0].path, path);
		assert_string_equal(errors.list[0].text, complaint);
	}
	cfg_errors_free(&errors);
	cfg_free(cfg);
}

__attribute__((format(printf, 1, 2))) static const char *print(const char *format, ...)
{
	static char texts[4][4096];
	static unsigned next;
	char *text = texts[next++ % COUNT(texts)];
	va_list arguments;

	va_start(arguments, format);
	assert_in_range(vsnprintf(text, sizeof(texts[0]), format, arguments), 1,
			sizeof(texts[0]) - 1);
	va_end(arguments);
	return text;
}

/* ---- ports ---- */

static const char *with_port(const char *module, const char *facing, const char *keys)
{
	return print("{'chassis': {'name': 'x'}, 'l2tp': {'host_name': 'x'}, 'slots': [{'slot': 7, "
		     "'module': '%s', 'ports': [{'name': 'p', 'device': 'net_null0', 'facing': "
		     "'%s'%s%s}]}]}",
		     module, facing,
		     strcmp(facing, "access") == 0 ? "" : ", 'address': '10.0.0.1/24'", keys);
}

static void each_module_serves_each_facing(void **state)
{
	static const char *const facings[] = {"access", "peer", "core"};

	for (size_t i = 0; i < lc_n_modules; i++)
		for (size_t f = 0; f < COUNT(facings) && lc_modules[i].ports; f++)
			assert_complaint(with_port(lc_modules[i].name, facings[f], ""), NULL, NULL);
}

static void what_a_port_asks_of_its_module(void **state)
{
	static const struct {
		const char *module, *keys, *path, *complaint;
	} cases[] = {
	    {"e3-atm", ", 'encapsulation': 'aal5-mux-routed'", NULL, NULL},
	    {"ct1", ", 'encapsulation': 'cisco-hdlc'", NULL, NULL},
	    {"ge", ", 'encapsulation': 'ethernet', 'vlan': 4094, 'mtu': 9000", NULL, NULL},
	    {"ge", ", 'encapsulation': 'ppp'", "encapsulation",
	     "module ge has no encapsulation \"ppp\"; it has: ethernet"},
	    {"oc12-atm", ", 'encapsulation': 'ethernet'", "encapsulation",
	     "module oc12-atm has no encapsulation \"ethernet\"; it has: aal5-snap-bridged, "
	     "aal5-snap-routed, aal5-mux-bridged, aal5-mux-routed"},
	    {"e3-atm", ", 'rate_kbps': 34368", NULL, NULL},
	    {"e3-atm", ", 'rate_kbps': 34369", "rate_kbps",
	     "the line of module e3-atm has 34368 kb/s, not 34369: lower it, or remove it"},
	    {"ct1", ", 'rate_kbps': 1545", "rate_kbps",
	     "the line of module ct1 has 1544 kb/s, not 1545: lower it, or remove it"},
	    {"10ge", ", 'rate_kbps': 10000000", NULL, NULL},
	    {"fe", ", 'vlan': 1", NULL, NULL},
	    {"e3-atm", ", 'vlan': 1", "vlan",
	     "module e3-atm (E3) is no Ethernet and has no VLANs: remove it"},
	    {"ct1", ", 'vlan': 4094", "vlan",
	     "module ct1 (channelized T1) is no Ethernet and has no VLANs: remove it"},
	    {"fe", ", 'mtu': 1501", "mtu",
	     "module fe carries 1500 octets at most, not 1501: lower it"},
	    {"ct1", ", 'mtu': 9000", "mtu",
	     "module ct1 carries 1500 octets at most, not 9000: lower it"},
	    {"e3-atm", ", 'mtu': 9000", NULL, NULL},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_complaint(with_port(cases[i].module, "peer", cases[i].keys),
				 cases[i].path ? print("slots[0].ports[0].%s", cases[i].path)
					       : NULL,
				 cases[i].complaint);
}

static void modules_have_so_many_ports(void **state)
{
	for (size_t i = 0; i < lc_n_modules; i++) {
		const struct lc_module *m = &lc_modules[i];
		char ports[2048] = "";

		for (unsigned p = 0; p <= m->ports; p++)
			sprintf(ports + strlen(ports),
				"%s{'name': 'p%u', 'device': 'net_null%u', 'facing': 'access'}",
				p ? ", " : "", p, p);
		if (!m->ports)
			continue; /* what it says of those: test_chassis.c */
		assert_complaint(print("{'chassis': {'name': 'x'}, 'l2tp': {'host_name': 'x'}, "
				       "'slots': [{'slot': 0, 'module': '%s', 'ports': [%s]}]}",
				       m->name, ports),
				 "slots[0].ports",
				 print("module %s has %u ports, %u are configured", m->name,
				       m->ports, m->ports + 1));
	}
}

/* ---- limits ---- */

static const char *with_limits(const char *limits, const char *modules, const char *facing)
{
	return print("{'chassis': {'name': 'x'}, 'l2tp': {'host_name': 'x'}, 'limits': {%s}, "
		     "'slots': [{'slot': 0, 'module': '%s', 'ports': [{'name': 'p', 'device': "
		     "'net_null0', 'facing': '%s'%s}]}, {'slot': 1, 'module': 'fe', 'ports': "
		     "[{'name': 'q', 'device': 'net_null1', 'facing': 'peer', 'address': "
		     "'10.0.1.1/24'}]}]}",
		     limits, modules, facing,
		     strcmp(facing, "access") == 0 ? "" : ", 'address': '10.0.0.1/24'");
}

static void what_the_modules_can_hold(void **state)
{
	const char *both = "the modules that face peers (e3-atm in slot 0, fe in slot 1) hold ";

	assert_complaint(with_limits("'tunnels': 24000, 'sessions': 196608", "e3-atm", "peer"),
			 NULL, NULL);
	assert_complaint(with_limits("'tunnels': 24001", "e3-atm", "peer"), "limits.tunnels",
			 print("%s24000 tunnels, not 24001: lower it, or use other modules", both));
	assert_complaint(
	    with_limits("'sessions': 196609", "e3-atm", "peer"), "limits.sessions",
	    print("%s196608 sessions, not 196609: lower it, or use other modules", both));
	assert_complaint(
	    with_limits("'tunnels': 16001", "10ge", "access"), "limits.tunnels",
	    "the modules that face peers (fe in slot 1) hold 16000 tunnels, not 16001: lower it, "
	    "or use other modules");
	assert_complaint(with_limits("'tunnels': 65535, 'sessions': 1048576", "ge", "peer"), NULL,
			 NULL);
}

/* Whatever stands by default can be had on any module. */
static void the_default_limits_suit_each_module(void **state)
{
	for (size_t i = 0; i < lc_n_modules; i++)
		assert_true(lc_modules[i].max_tunnels >= 1024 &&
			    lc_modules[i].max_sessions >= 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_module_serves_each_facing),
	    cmocka_unit_test(what_a_port_asks_of_its_module),
	    cmocka_unit_test(modules_have_so_many_ports),
	    cmocka_unit_test(what_the_modules_can_hold),
	    cmocka_unit_test(the_default_limits_suit_each_module),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
