/* SPDX-License-Identifier: BSD-3-Clause */
/* What is no configuration at all, many mistakes at once, and text that was damaged at any place.
 */
#include "cfg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_example(const char *name)
{
	char path[512], *text = calloc(1, 1 << 16);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", CFG_EXAMPLES, name);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
	fclose(file);
	return text;
}

static void no_file_and_no_json(void **state)
{
	static const struct {
		const char *json, *text;
		int line;
	} list[] = {
	    {"", "not JSON", 1},
	    {"{\n\"chassis\": {,}}", "not JSON", 2},
	    {"{}\n{}", "not JSON", 2},
	    {"{\"limits\": {\"tunnels\": 99999999999999999999}}", "not JSON", 1},
	    {"{\"a\": \"\\u0000\"}", "not JSON", 1},
	    {"\n[]", "must be an object, not an array", 2},
	    {"7", "must be an object, not 7", 1},
	};
	struct cfg_errors errors;

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		assert_null(cfg_parse(list[i].json, strlen(list[i].json), "x", &errors));
		assert_int_equal(errors.count, 1);
		assert_non_null(strstr(errors.list[0].text, list[i].text));
		assert_string_equal(errors.list[0].path, "");
		assert_int_equal(errors.list[0].line, list[i].line);
		cfg_errors_free(&errors);
	}
	assert_null(cfg_load("/nonexistent/warmline.json", &errors));
	assert_int_equal(errors.list[0].line, 0);
	assert_non_null(strstr(errors.list[0].text, "No such file"));
	cfg_errors_free(&errors);
	assert_null(cfg_load("/", &errors));
	assert_non_null(strstr(errors.list[0].text, "directory"));
	cfg_errors_free(&errors);
}

static void all_at_once_in_order_and_as_printed(void **state)
{
	static const char text[] = "{\"chassis\": {\"name\": \"lns\",\n"
				   "  \"naem\": 1},\n"
				   " \"slots\": [{\"slot\": 1, \"module\": \"ge\",\n"
				   "   \"ports\": [{\"name\": \"p\", \"device\": \"d\",\n"
				   "     \"facing\": \"pear\",\n"
				   "     \"mtu\": 1}]}],\n"
				   " \"l2tp\": {\n"
				   "   \"tunnels\": [{\"name\": \"t\",\n"
				   "      \"port\": \"q\"}]},\n"
				   " \"subscribers\": {}}\n";
	static const char expected[] =
	    "f:2: chassis.naem: unknown key: the nearest known one is \"name\"\n"
	    "f:5: slots[0].ports[0].facing: must be string (access, peer or core), not \"pear\"\n"
	    "f:6: slots[0].ports[0].mtu: must be integer (576..9000), not 1\n"
	    "f:7: l2tp.host_name: is missing, and required: string (1..63 bytes)\n"
	    "f:8: l2tp.tunnels[0].remote: is missing, and required: IPv4 address (unicast)\n"
	    "f:9: l2tp.tunnels[0].port: there is no port \"q\": it must be one that faces "
	    "peer (there is none)\n"
	    "f:10: subscribers: must be array of objects (0..1048576 of them), not an object\n";
	struct cfg_errors errors;
	char *printed;
	size_t length;
	FILE *out = open_memstream(&printed, &length);

	assert_null(cfg_parse(text, strlen(text), "f", &errors));
	cfg_errors_print(&errors, "f", out);
	fclose(out);
	assert_string_equal(printed, expected);
	free(printed);
	cfg_errors_free(&errors);
}

static void a_secret_is_never_repeated(void **state)
{
	static const char text[] =
	    "{\"chassis\": {\"name\": \"x\"}, \"l2tp\": {\"host_name\": \"x\", "
	    "\"password\": [\"hunter2\"], \"tunnels\": [{\"password\": \"hunter2\\n\"}]}}";
	struct cfg_errors errors;

	assert_null(cfg_parse(text, strlen(text), "f", &errors));
	assert_true(errors.count >= 2);
	for (size_t i = 0; i < errors.count; i++)
		assert_null(strstr(errors.list[i].text, "hunter2"));
	cfg_errors_free(&errors);
}

static void too_many_ports(void **state)
{
	struct cfg_errors errors;
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	fputs("{\"chassis\": {\"name\": \"x\"}, \"l2tp\": {\"host_name\": \"x\"}, \"slots\": [",
	      out);
	fputs("{\"slot\": 0, \"module\": \"ge\", \"ports\": [", out);
	for (int i = 0; i <= CFG_MAX_PORTS; i++) {
		if (i == CFG_MAX_PORTS / 2)
			fputs("]}, {\"slot\": 1, \"module\": \"ge\", \"ports\": [", out);
		fprintf(out, "%s\n{\"name\": \"p%d\", \"device\": \"d%d\", \"facing\": \"access\"}",
			i == 0 || i == CFG_MAX_PORTS / 2 ? "" : ",", i, i);
	}
	fputs("]}]}", out);
	fclose(out);
	assert_null(cfg_parse(text, length, "f", &errors));
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.list[0].path, "slots[1].ports[16]");
	assert_int_equal(errors.list[0].line, CFG_MAX_PORTS + 2);
	assert_non_null(strstr(errors.list[0].text, "at most 32 ports"));
	cfg_errors_free(&errors);
	free(text);
}

static void the_longest_of_files_has_a_complaint_a_line(void **state)
{
	enum { ENTRIES = 20000 };
	struct cfg_errors errors;
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	fputs(
	    "{\"chassis\": {\"name\": \"x\"}, \"l2tp\": {\"host_name\": \"x\"}, \"subscribers\": [",
	    out);
	for (int i = 0; i < ENTRIES; i++)
		fprintf(out, "%s\n{\"name\": \"s%d\", \"ipv4\": 5}", i ? "," : "", i);
	fputs("]}", out);
	fclose(out);
	assert_null(cfg_parse(text, length, "f", &errors));
	assert_int_equal(errors.count, ENTRIES);
	for (size_t i = 0; i < ENTRIES; i++)
		assert_int_equal(errors.list[i].line, i + 2);
	cfg_errors_free(&errors);
	free(text);
}

static void broken_text_is_refused_and_harms_nothing(void **state)
{
	struct cfg_errors errors;
	char *text = read_example("lns.json");
	size_t length = strlen(text) - 1; /* the last newline may go */

	for (size_t cut = 0; cut < length; cut++) {
		char *copy = malloc(cut ? cut : 1); /* exactly: a read beyond the end is seen */

		memcpy(copy, text, cut);
		assert_null(cfg_parse(copy, cut, "f", &errors));
		assert_int_equal(errors.count, 1);
		assert_true(errors.list[0].line >= 1);
		cfg_errors_free(&errors);
		free(copy);
	}
	srandom(1);
	for (int round = 0; round < 3000; round++) {
		size_t at = (size_t)random() % length;
		char before = text[at];

		text[at] = "{}[]\",:0123 \\/-.e\x01\xff"[random() % 19];
		cfg_free(cfg_parse(text, length, "f", &errors));
		cfg_errors_free(&errors);
		text[at] = before;
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_file_and_no_json),
	    cmocka_unit_test(all_at_once_in_order_and_as_printed),
	    cmocka_unit_test(a_secret_is_never_repeated),
	    cmocka_unit_test(too_many_ports),
	    cmocka_unit_test(the_longest_of_files_has_a_complaint_a_line),
	    cmocka_unit_test(broken_text_is_refused_and_harms_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
