/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration's words: parsing, abbreviations, faults, what may follow; and that every key has words,
 * which give the same configuration again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "cfg.h"
#include "grammar.h"

static struct grammar_edit edit;
static struct grammar_fault fault;
static json_t *root;

static int setup(void **state)
{
	root = json_object();
	grammar_edit_begin(&edit, root);
	memset(&fault, 0, sizeof(fault));
	return 0;
}

static int teardown(void **state)
{
	grammar_edit_end(&edit);
	json_decref(root);
	return 0;
}

static bool type(const char *line)
{
	struct words words;
	bool good;

	words_split(line, strlen(line), &words);
	good = grammar_apply(&edit, &words, &fault);
	words_free(&words);
	return good;
}

static void good(const char *line)
{
	if (!type(line))
		fail_msg("%s: %s (word %u)", line, fault.text, fault.word);
}

static void bad(const char *line, unsigned word, const char *text)
{
	if (type(line))
		fail_msg("%s: taken", line);
	if (fault.word != word || !strstr(fault.text, text))
		fail_msg("%s: %s (word %u)", line, fault.text, fault.word);
}

static void assert_is(const char *json)
{
	json_t *expected = json_loads(json, JSON_DECODE_ANY, NULL);

	assert_non_null(expected);
	if (!json_equal(expected, root))
		fail_msg("%s", json_dumps(root, 0));
	json_decref(expected);
}

/* ---- words ---- */

static void test_words(void **state)
{
	struct words w;
	char *quoted;

	words_split("  a \"b c\" d\"e\" \"\\\"\\\\\" ", 22, &w);
	assert_int_equal(w.n, 4);
	assert_string_equal(w.list[0].text, "a");
	assert_int_equal(w.list[0].column, 2);
	assert_false(w.list[0].quoted);
	assert_string_equal(w.list[1].text, "b c");
	assert_true(w.list[1].quoted);
	assert_string_equal(w.list[2].text, "de");
	assert_string_equal(w.list[3].text, "\"\\");
	assert_true(w.gap);
	assert_false(w.open);
	words_free(&w);
	words_split("a \"b", 4, &w);
	assert_true(w.open);
	words_free(&w);

	for (const char *const *text =
		 (const char *const[]){"", "a b", "\"", "\\", "what?", "a|b", "plain", "!x", NULL};
	     *text; text++) {
		quoted = words_quote(*text);
		words_split(quoted, strlen(quoted), &w);
		assert_int_equal(w.n, 1);
		assert_string_equal(w.list[0].text, *text);
		words_free(&w);
		free(quoted);
	}
	quoted = words_quote("plain");
	assert_string_equal(quoted, "plain");
	free(quoted);
}

/* ---- lines ---- */

static void test_values(void **state)
{
	good("l2tp failover-resync disable");
	good("l2tp host-name \"my lns\"");
	good("l2tp retransmission established 7");
	good("l2tp hide-avps");
	good("l2tp recovery data-channel false");
	good("dataplane worker-cores 1 any 3");
	good("limits tunnels 5");
	assert_is(
	    "{\"l2tp\": {\"failover_resync\": \"disable\", \"host_name\": \"my lns\", "
	    "\"retransmission\": {\"established\": 7}, \"hide_avps\": true, "
	    "\"failover\": {\"data\": false}}, \"dataplane\": {\"worker_cores\": [1, null, 3]}, "
	    "\"limits\": {\"tunnels\": 5}}");
	good("no l2tp retransmission established");
	good("no l2tp retransmission established"); /* is not configured: fine */
	good("no l2tp recovery data-channel");
	good("no l2tp hide-avps");
	good("no l2tp host-name");
	good("no l2tp failover-resync");
	good("no dataplane worker-cores");
	good("no limits tunnels 5");
	assert_is("{}");
}

static void test_modes(void **state)
{
	good("l2tp destination profile isp ip address 10.0.0.1");
	assert_string_equal(grammar_mode_name(edit.at[edit.depth].mode),
			    "config-l2tp-dest-profile");
	good("remote host lac");
	assert_string_equal(grammar_mode_name(edit.at[edit.depth].mode),
			    "config-l2tp-dest-profile-host");
	good("failover-resync silent-failover");
	good("tunnel password x");
	good("local host me");
	good("remote host *"); /* known one mode up */
	good("max-sessions 9");
	good("aaa domain-map example.net"); /* known two modes up */
	good("tunnel 1");
	good("address 10.9.0.1");
	good("client-name me");
	good("tunnel 2");
	good("address 10.9.0.2");
	good("preference 3");
	assert_is(
	    "{\"l2tp\": {\"destination_profiles\": [{\"name\": \"isp\", \"address\": "
	    "\"10.0.0.1/32\", \"remote_hosts\": [{\"name\": \"lac\", \"failover_resync\": "
	    "\"silent-failover\", \"password\": \"x\", \"host_name\": \"me\"}, {\"name\": \"*\", "
	    "\"max_sessions\": 9}]}]}, \"aaa\": {\"domain_maps\": [{\"name\": \"example.net\", "
	    "\"tunnels\": [{\"tunnel\": 1, \"remote\": \"10.9.0.1\", \"host_name\": \"me\"}, "
	    "{\"tunnel\": 2, \"remote\": \"10.9.0.2\", \"preference\": 3}]}]}}");
	good("l2tp destination profile isp"); /* enters it again */
	good("remote host lac");
	good("no failover-resync");
	good("no remote host lac"); /* the one that one is in */
	assert_int_equal(edit.depth, 1);
	bad("no remote host lac", 3, "There is none");
	good("no l2tp destination profile isp");
	good("no aaa domain-map example.net");
	assert_is("{}");
	assert_int_equal(edit.depth, 0);
}

static void test_port_on_an_interface(void **state)
{
	good("slot 0 module ge");
	good("port peer0");
	good("device net_af_packet0,iface=eth1");
	good("no device");
	good("int eth1.7");
	assert_is(
	    "{\"slots\": [{\"slot\": 0, \"module\": \"ge\", \"ports\": [{\"name\": \"peer0\", "
	    "\"interface\": \"eth1.7\"}]}]}");
	bad("interface eth1:7", 1, "Bad value: string, 1..15 bytes without /, : or space");
	bad("interface \"eth 1\"", 1, "Bad value");
	bad("interface", 1, "Incomplete command: string, 1..15 bytes");
	good("no interface");
	good("no port peer0");
	good("no slot 0");
	assert_is("{}");
}

static void test_radius_servers(void **state)
{
	good("radius authentication server 127.0.0.1 udp-port 1812");
	good("key a");
	good("radius authentication server 127.0.0.1 udp-port 1813");
	good("key b");
	good("radius authentication server 127.0.0.1 udp-port 1812");
	good("timeout 500");
	assert_is(
	    "{\"radius\": {\"authentication_servers\": [{\"address\": \"127.0.0.1\", \"port\": "
	    "1812, \"secret\": \"a\", \"timeout_ms\": 500}, {\"address\": \"127.0.0.1\", "
	    "\"port\": 1813, \"secret\": \"b\"}]}}");
	good("no radius authentication server 127.0.0.1 udp-port 1812");
	good("no radius authentication server 127.0.0.1");
	assert_is("{}");
	/* One that says nothing of its port has 1812. */
	json_object_set_new(
	    root, "radius",
	    json_loads("{\"authentication_servers\": [{\"address\": \"10.0.0.1\"}]}", 0, NULL));
	good("radius authentication server 10.0.0.1 udp-port 1812");
	assert_int_equal(json_array_size(grammar_get(root, "radius.authentication_servers")), 1);
}

static void test_abbreviations(void **state)
{
	good("l2 failover-r sil");
	good("l2 dest prof isp ip addr 10.0.0.0/8");
	good("rem h lac");
	good("fai s");
	good("l2 fail d");
	assert_is(
	    "{\"l2tp\": {\"failover_resync\": \"disable\", \"destination_profiles\": [{\"name\": "
	    "\"isp\", \"address\": \"10.0.0.0/8\", \"remote_hosts\": [{\"name\": \"lac\", "
	    "\"failover_resync\": \"silent-failover\"}]}]}}");
}

static void test_faults(void **state)
{
	bad("brew", 0, "Unknown command");
	bad("l2tp brew", 1, "Unknown command");
	bad("l2tp h", 1, "Ambiguous command: host-name, hello-interval, hide-avps");
	bad("l2tp", 1, "Incomplete command");
	bad("l2tp failover-resync", 2, "Incomplete command: one of disable,");
	bad("l2tp failover-resync always", 2, "Bad value: one of disable,");
	bad("l2tp failover-resync f", 2, "Bad value"); /* two begin so */
	bad("l2tp retransmission established 21", 3, "Bad value: integer, 1..20");
	bad("l2tp retransmission established 5x", 3, "Bad value: integer");
	bad("l2tp retransmission established 5 6", 4, "Nothing may follow");
	bad("l2tp destination profile", 3, "Incomplete");
	bad("l2tp destination profile a ip address 10.0.0.1/8", 6, "host bits zero");
	bad("l2tp destination profile a port 5", 4, "Here may follow: ip address");
	bad("slot 32", 1, "Bad value: integer, 0..31");
	bad("chassis other", 1, "cannot be changed");
	bad("l2tp host-name \"a", 3, "quotation mark");
	bad("\"l2tp\" lockout 5", 0, "Unknown command");
	assert_is("{}"); /* nothing by halves */
}

/* ---- what may follow ---- */

static char offered[8192];

static void collect_offer(void *context, const char *word, const char *help)
{
	size_t n = strlen(offered);

	snprintf(offered + n, sizeof(offered) - n, "[%s]%s\n", word, help ? help : "");
}

static void ask(const char *line)
{
	struct words words;

	offered[0] = '\0';
	words_split(line, strlen(line), &words);
	grammar_next(&edit, &words, words.gap ? words.n : words.n - 1, collect_offer, NULL);
	words_free(&words);
}

static void assert_offers(const char *text)
{
	if (!strstr(offered, text))
		fail_msg("no %s in:\n%s", text, offered);
}

static void test_next(void **state)
{
	ask("");
	assert_offers("[l2tp]\n");
	assert_offers("[subscriber]A static subscriber");
	ask("l2tp ");
	assert_offers("[failover-resync]How a tunnel recovers");
	assert_offers("[destination]\n");
	ask("l2tp failover-resync ");
	assert_offers("[disable]");
	assert_offers("[failover-protocol-fallback-to-silent-failover]");
	ask("l2tp failover-resync disable ");
	assert_offers("[<cr>]");
	ask("l2tp retransmission established ");
	assert_offers(
	    "[<integer: 1..20>]Retransmissions before an established tunnel is given up\n");
	good("l2tp destination profile isp ip address 10.0.0.0/8");
	ask("l2tp destination profile ");
	assert_offers("[isp]");
	assert_offers("[<string: 1..63 bytes>]");
	ask("l2tp destination profile isp ");
	assert_offers("[ip]");
	assert_offers("[<cr>]");
	ask("l2tp destination profile isp ip address ");
	assert_offers("[<IPv4 prefix: ");
	ask("");
	assert_offers("[remote]\n");
	assert_null(strstr(offered, "[subscriber]"));
	ask("no l2tp destination ");
	assert_offers("[profile]");
	ask("no l2tp lockout ");
	assert_string_equal(offered, "[<cr>]\n");
}

/* Every line of help fits. */
static void test_help(void **state)
{
	for (unsigned m = GRAMMAR_GLOBAL; m < GRAMMAR_MODES; m++) {
		unsigned n;
		const struct grammar_entry *entries = grammar_entries((enum grammar_mode)m, &n);

		assert_true(n > 0);
		for (unsigned i = 0; i < n; i++) {
			assert_true(strlen(entries[i].help) > 3);
			assert_null(strpbrk(entries[i].help, "`\n"));
		}
	}
}

/* ---- every key ---- */

/* Whether a path is that by which a mode is entered: "slots.slot". */
static bool is_name_of_mode(const char *path)
{
	for (unsigned m = GRAMMAR_GLOBAL; m < GRAMMAR_MODES; m++) {
		unsigned n;
		const struct grammar_entry *entries = grammar_entries((enum grammar_mode)m, &n);

		for (unsigned i = 0; i < n; i++) {
			char name[256];

			if (!entries[i].opens)
				continue;
			snprintf(name, sizeof(name), "%s.%s", grammar_mode_path(entries[i].opens),
				 entries[i].id);
			if (strcmp(name, path) == 0)
				return true;
		}
	}
	return false;
}

static unsigned keys;

static void assert_has_row(void *context, const char *path, const struct cfg_key *key)
{
	struct cfg_view view;
	enum grammar_mode mode;

	cfg_key_view(key, &view);
	keys++;
	if (view.shape != CFG_SHAPE_OBJECT && !is_name_of_mode(path) &&
	    !grammar_find_key(path, &mode))
		fail_msg("%s has no words", path);
}

static void test_every_key(void **state)
{
	cfg_keys_walk(assert_has_row, NULL);
	assert_true(keys > 150);
}

/* Every row of a mode can be typed in that mode, and no other one is meant by it. */
static void test_rows_are_distinct(void **state)
{
	for (unsigned m = GRAMMAR_GLOBAL; m < GRAMMAR_MODES; m++) {
		struct match_phrase phrases[MATCH_PHRASES_MAX];
		unsigned n;
		const struct grammar_entry *entries = grammar_entries((enum grammar_mode)m, &n);

		for (unsigned i = 0; i < n; i++)
			phrases[i] = (struct match_phrase){entries[i].words, ""};
		for (unsigned i = 0; i < n; i++) {
			struct words words;
			struct match match;

			words_split(entries[i].words, strlen(entries[i].words), &words);
			match_find(phrases, n, &words, 0, &match);
			assert_int_equal(match.fault, MATCH_FOUND);
			assert_int_equal(match.phrase, i);
			words_free(&words);
		}
	}
}

/* ---- there and back ---- */

/* Takes out what is the same as nothing. */
static void strip(json_t *value)
{
	const char *key;
	json_t *inner;
	void *next;
	size_t i;

	json_object_foreach_safe(value, next, key, inner)
	{
		strip(inner);
		if (json_is_null(inner) || ((json_is_object(inner) || json_is_array(inner)) &&
					    json_object_size(inner) + json_array_size(inner) == 0))
			json_object_del(value, key);
	}
	json_array_foreach(value, i, inner) strip(inner);
}

/* A RADIUS server is always printed with its port. */
static void spell_ports(json_t *configuration)
{
	static const struct {
		const char *path;
		int port;
	} lists[] = {{"radius.authentication_servers", 1812}, {"radius.accounting_servers", 1813}};
	json_t *server;
	size_t i;

	for (unsigned l = 0; l < 2; l++)
		json_array_foreach(grammar_get(configuration, lists[l].path), i,
				   server) if (!json_object_get(server, "port"))
		    json_object_set_new(server, "port", json_integer(lists[l].port));
}

/* Prints it, types that into a chassis that has only its name, and compares. */
static void assert_round_trip(json_t *configuration)
{
	json_t *copy = json_deep_copy(configuration);
	char *text = grammar_text(configuration), *again, *save = NULL, *typed;
	unsigned number = 0;

	json_object_set_new(
	    root, "chassis",
	    json_pack("{s:O}", "name",
		      json_object_get(json_object_get(configuration, "chassis"), "name")));
	typed = strdup(text);
	for (char *line = strtok_r(typed, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		number++;
		if (*line != '!' && !type(line))
			fail_msg("line %u: %s: %s", number, line, fault.text);
	}
	strip(copy);
	spell_ports(copy);
	if (!json_equal(copy, root))
		fail_msg("%s\nbecame\n%s", json_dumps(copy, JSON_INDENT(1) | JSON_SORT_KEYS),
			 json_dumps(root, JSON_INDENT(1) | JSON_SORT_KEYS));
	again = grammar_text(root);
	assert_string_equal(again, text);
	free(again);
	free(text);
	free(typed);
	json_decref(copy);
}

static void test_examples(void **state)
{
	for (const char *const *name = (const char *const[]){"lac", "lns", NULL}; *name; name++) {
		char path[512];
		json_t *example;

		snprintf(path, sizeof(path), "%s/%s.json", CFG_EXAMPLES, *name);
		example = json_load_file(path, 0, NULL);
		assert_non_null(example);
		assert_round_trip(example);
		json_decref(example);
		teardown(state);
		setup(state);
	}
}

static unsigned made; /* values, so that each is another */

static json_t *make_object(const char *path, unsigned elements);

/* A value that the reader takes; the names in it are hard to type. */
static json_t *make_value(const struct cfg_key *key)
{
	struct cfg_view view;
	const char *const tries[] = {
	    "10.1.2.3",      "10.1.2.3/24",       "10.1.2.0/24", "2001:db8::1", "2001:db8::1/64",
	    "2001:db8::/56", "02:00:00:00:00:01", "a-1",         "/a/b"};
	json_t *value;

	cfg_key_view(key, &view);
	made++;
	switch (view.shape) {
	case CFG_SHAPE_BOOLEAN:
		return json_boolean(made % 2);
	case CFG_SHAPE_CORE:
		return json_integer(3);
	case CFG_SHAPE_CORES:
		return json_pack("[i, n, i]", 1, 2);
	case CFG_SHAPE_WORD:
		return json_string(view.words[made % 2]);
	case CFG_SHAPE_INTEGER:
		for (long long n = made % 9 + 1; n < 100000; n += 997)
			if (cfg_key_takes(key, value = json_integer(n)))
				return value;
			else
				json_decref(value);
		break;
	default:
		value = json_sprintf("a \"%u\" \\ ? | {} !", made);
		if (cfg_key_takes(key, value))
			return value;
		json_decref(value);
		for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
			if (cfg_key_takes(key, value = json_string(tries[i])))
				return value;
			else
				json_decref(value);
	}
	fail_msg("no value for %s", view.name);
	return NULL;
}

struct maker {
	const char *path; /* of the object */
	json_t *object;
	unsigned elements;
};

static void make_member(void *context, const char *path, const struct cfg_key *key)
{
	struct maker *maker = context;
	size_t length = strlen(maker->path);
	struct cfg_view view;

	if (strncmp(path, maker->path, length) != 0 || (length && path[length] != '.') ||
	    strchr(path + length + (length > 0), '.'))
		return; /* of another object */
	cfg_key_view(key, &view);
	if (view.shape == CFG_SHAPE_OBJECT) {
		json_object_set_new(maker->object, view.name, make_object(path, maker->elements));
	} else if (view.shape == CFG_SHAPE_LIST) {
		json_t *list = json_array();

		for (unsigned i = 0; i < maker->elements; i++)
			json_array_append_new(list, make_object(path, maker->elements));
		json_object_set_new(maker->object, view.name, list);
	} else {
		json_object_set_new(maker->object, view.name, make_value(key));
	}
}

static json_t *make_object(const char *path, unsigned elements)
{
	struct maker maker = {path, json_object(), elements};

	cfg_keys_walk(make_member, &maker);
	return maker.object;
}

/* Addresses of RADIUS servers, all the same, are told apart by their ports; numbers must be unique. */
static void number(json_t *configuration)
{
	static const struct {
		const char *list, *key;
	} numbers[] = {{"slots", "slot"},
		       {"radius.authentication_servers", "port"},
		       {"radius.accounting_servers", "port"}};
	json_t *element;
	size_t i;

	for (unsigned n = 0; n < 3; n++)
		json_array_foreach(grammar_get(configuration, numbers[n].list), i, element)
		    json_object_set_new(element, numbers[n].key, json_integer((json_int_t)i + 1));
	json_array_foreach(grammar_get(configuration, "aaa.domain_maps"), i, element)
	{
		json_t *tunnel;
		size_t j;

		json_array_foreach(json_object_get(element, "tunnels"), j, tunnel)
		    json_object_set_new(tunnel, "tunnel", json_integer((json_int_t)j + 1));
	}
}

static void test_all_keys_round_trip(void **state)
{
	json_t *configuration = make_object("", 3);

	number(configuration);
	assert_true(made > 400);
	assert_round_trip(configuration);
	json_decref(configuration);
}

/* A list of many must not be searched for each line. */
static void test_large(void **state)
{
	enum { MANY = 50000 };
	json_t *configuration = json_pack("{s:{s:s}}", "chassis", "name", "big");
	json_t *list = json_array();
	clock_t begun;

	for (int i = 0; i < MANY; i++)
		json_array_append_new(
		    list, json_pack("{s:o, s:o}", "name", json_sprintf("user %d", i), "ipv4",
				    json_sprintf("10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255)));
	json_object_set_new(configuration, "subscribers", list);
	begun = clock();
	assert_round_trip(configuration);
	assert_true((clock() - begun) / CLOCKS_PER_SEC < 20);
	json_decref(configuration);
}

/* ---- differences and complaints ---- */

static void collect_change(void *context, const char *text)
{
	size_t n = strlen(offered);

	snprintf(offered + n, sizeof(offered) - n, "%s\n", text);
}

static void test_compare(void **state)
{
	json_t *before;

	good("l2tp destination profile isp ip address 10.0.0.0/8");
	good("remote host lac");
	good("failover-resync disable");
	before = json_deep_copy(root);
	good("failover-resync silent-failover");
	good("remote host other");
	good("l2tp lockout 9");
	offered[0] = '\0';
	grammar_compare(before, root, collect_change, NULL);
	assert_string_equal(
	    offered,
	    "- l2tp destination profile isp / remote host lac / failover-resync disable\n"
	    "+ l2tp lockout 9\n"
	    "+ l2tp destination profile isp / remote host lac / failover-resync silent-failover\n"
	    "+ l2tp destination profile isp / remote host other\n");
	json_decref(before);
	before = json_deep_copy(root);
	good("l2tp destination profile isp ip address 11.0.0.0/8");
	offered[0] = '\0';
	grammar_compare(before, root, collect_change, NULL);
	assert_string_equal(offered, "- l2tp destination profile isp / ip address 10.0.0.0/8\n"
				     "+ l2tp destination profile isp / ip address 11.0.0.0/8\n");
	json_decref(before);
}

static void assert_words(const char *path, const char *words)
{
	char *found = grammar_words_of(root, path);

	assert_string_equal(found, words);
	free(found);
}

static void test_words_of(void **state)
{
	good("l2tp destination profile isp ip address 10.0.0.0/8");
	good("remote host \"a lac\"");
	assert_words("l2tp.destination_profiles[0].remote_hosts[0].failover_resync",
		     "l2tp destination profile isp / remote host \"a lac\" / failover-resync");
	assert_words("l2tp.destination_profiles[0].remote_hosts[0]",
		     "l2tp destination profile isp / remote host \"a lac\"");
	assert_words("l2tp.retransmission.established", "l2tp retransmission established");
	assert_words("dataplane.worker_cores[2]", "dataplane worker-cores");
	assert_words("l2tp.destination_profiles[7].address",
		     "l2tp destination profile  / ip address");
	assert_words("", "");
	assert_words("no.such.thing[3].x", "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_words),
	    TEST(test_values),
	    TEST(test_modes),
	    TEST(test_port_on_an_interface),
	    TEST(test_radius_servers),
	    TEST(test_abbreviations),
	    TEST(test_faults),
	    TEST(test_next),
	    TEST(test_help),
	    TEST(test_every_key),
	    TEST(test_rows_are_distinct),
	    TEST(test_examples),
	    TEST(test_all_keys_round_trip),
	    TEST(test_large),
	    TEST(test_compare),
	    TEST(test_words_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
