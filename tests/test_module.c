/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of line modules. */
#include "lc_module.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void each_module_is_found_by_its_name(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint64_t line_rate;
	} expected[] = {
	    {"e3-atm", 34368000},    {"ct1", 1544000},      {"oc3-atm", 155520000},
	    {"oc12-atm", 622080000}, {"fe", 100000000},     {"ge", 1000000000},
	    {"ge-2", 1000000000},    {"10ge", 10000000000}, {"service", 0},
	};
	assert_int_equal(lc_n_modules, sizeof(expected) / sizeof(expected[0]));
	for (size_t i = 0; i < lc_n_modules; i++) {
		const struct lc_module *m = lc_module_find(expected[i].name);
		assert_non_null(m);
		assert_int_equal(m->line_rate, expected[i].line_rate);
	}
	assert_null(lc_module_find("oc48"));
	assert_null(lc_module_find(""));
}

static void silent_failover_is_missing_on_e3_and_ct1_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < lc_n_modules; i++) {
		const char *name = lc_modules[i].name;
		bool missing = strcmp(name, "e3-atm") == 0 || strcmp(name, "ct1") == 0;
		assert_int_equal(lc_modules[i].silent_failover, !missing);
	}
}

static void a_module_without_ports_is_a_service_module(void **state)
{
	(void)state;
	for (size_t i = 0; i < lc_n_modules; i++) {
		const struct lc_module *m = &lc_modules[i];
		const unsigned facing = LC_MODULE_ACCESS | LC_MODULE_PEER | LC_MODULE_CORE;
		assert_int_equal((m->roles & facing) != 0, m->ports > 0);
		assert_int_equal(m->line_rate > 0, m->ports > 0);
		assert_true(m->roles != 0 && m->max_tunnels > 0 && m->max_sessions > 0);
	}
}

/* Every fact says where it is from, and every port can be used. */
static void each_row_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < lc_n_modules; i++) {
		const struct lc_module *m = &lc_modules[i];
		const struct lc_module_sources *s = &m->sources;
		assert_true(m->media && s->ports && s->line_rate && s->encapsulations && s->mtu &&
			    s->silent_failover && s->limits);
		assert_int_equal(m->encapsulations[0] != NULL, m->ports > 0);
		assert_int_equal(m->mtu >= 1500, m->ports > 0);
		assert_int_equal(m->ethernet, strstr(m->media, "Ethernet") != NULL);
	}
}

static void encapsulations_are_the_module_s(void **state)
{
	(void)state;
	const struct lc_module *ct1 = lc_module_find("ct1"), *ge = lc_module_find("ge");
	assert_true(lc_module_has_encapsulation(ct1, "ppp"));
	assert_true(lc_module_has_encapsulation(ct1, "frame-relay"));
	assert_true(lc_module_has_encapsulation(ct1, ""));
	assert_false(lc_module_has_encapsulation(ct1, "ethernet"));
	assert_true(lc_module_has_encapsulation(ge, "ethernet"));
	assert_false(lc_module_has_encapsulation(ge, "ether"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_row_is_whole),
	    cmocka_unit_test(encapsulations_are_the_module_s),
	    cmocka_unit_test(each_module_is_found_by_its_name),
	    cmocka_unit_test(silent_failover_is_missing_on_e3_and_ct1_alone),
	    cmocka_unit_test(a_module_without_ports_is_a_service_module),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
