/* SPDX-License-Identifier: BSD-3-Clause */
/* The method in effect, its scope, and whether it was refused: for every combination of what the four scopes say, the
 * role, the module of the port, and what the peer has negotiated, on tunnels that are really set up. The tables are
 * written by hand from the rules.
 *
 *   method: - not configured, d disable, p failover-protocol, s silent-failover, f fallback to silent-failover
 *   scope:  g global, h host profile, t configured tunnel, m domain map, r RADIUS
 *
 * One chassis has them all: five domain maps and five answers of RADIUS make 25 tunnels of its LAC, and its peer opens
 * 25 of its LNS, so that each combination has a tunnel of its own in each role: what is not for a role is there, and
 * does not matter to it. */
#include "dial_lab.h"

#include "lc_module.h"
#include "load.h"

enum { N = 5, MAPS = N * N };

static const char letters[] = "-dpsf";
static const char *const modules[] = {"ge", "e3-atm", "ct1"};

/* clang-format off */

/* LAC: what a tunnel of a domain has. */
static const char *const lac_table[N][N][N] = {
	{ /* global: -
	    RADIUS  -     d     p     s     f            map */
		{"fg", "dr", "pr", "sr", "fr"}, /* - */
		{"dm", "dr", "pr", "sr", "fr"}, /* d */
		{"pm", "dr", "pr", "sr", "fr"}, /* p */
		{"sm", "dr", "pr", "sr", "fr"}, /* s */
		{"fm", "dr", "pr", "sr", "fr"}, /* f */
	},
	{ /* global: d
	    RADIUS  -     d     p     s     f            map */
		{"dg", "dr", "pr", "sr", "fr"}, /* - */
		{"dm", "dr", "pr", "sr", "fr"}, /* d */
		{"pm", "dr", "pr", "sr", "fr"}, /* p */
		{"sm", "dr", "pr", "sr", "fr"}, /* s */
		{"fm", "dr", "pr", "sr", "fr"}, /* f */
	},
	{ /* global: p
	    RADIUS  -     d     p     s     f            map */
		{"pg", "dr", "pr", "sr", "fr"}, /* - */
		{"dm", "dr", "pr", "sr", "fr"}, /* d */
		{"pm", "dr", "pr", "sr", "fr"}, /* p */
		{"sm", "dr", "pr", "sr", "fr"}, /* s */
		{"fm", "dr", "pr", "sr", "fr"}, /* f */
	},
	{ /* global: s
	    RADIUS  -     d     p     s     f            map */
		{"sg", "dr", "pr", "sr", "fr"}, /* - */
		{"dm", "dr", "pr", "sr", "fr"}, /* d */
		{"pm", "dr", "pr", "sr", "fr"}, /* p */
		{"sm", "dr", "pr", "sr", "fr"}, /* s */
		{"fm", "dr", "pr", "sr", "fr"}, /* f */
	},
	{ /* global: f
	    RADIUS  -     d     p     s     f            map */
		{"fg", "dr", "pr", "sr", "fr"}, /* - */
		{"dm", "dr", "pr", "sr", "fr"}, /* d */
		{"pm", "dr", "pr", "sr", "fr"}, /* p */
		{"sm", "dr", "pr", "sr", "fr"}, /* s */
		{"fm", "dr", "pr", "sr", "fr"}, /* f */
	},
};

/* LNS: what a tunnel of a host profile has. */
static const char *const lns_table[N][N] = {
	/* profile  -     d     p     s     f     global */
		{"fg", "dh", "ph", "sh", "fh"}, /* - */
		{"dg", "dh", "ph", "sh", "fh"}, /* d */
		{"pg", "dh", "ph", "sh", "fh"}, /* p */
		{"sg", "dh", "ph", "sh", "fh"}, /* s */
		{"fg", "dh", "ph", "sh", "fh"}, /* f */
};

/* LAC: what a tunnel of l2tp.tunnels has. */
static const char *const tunnel_table[N][N] = {
	/* tunnel   -     d     p     s     f     global */
		{"fg", "dt", "pt", "st", "ft"}, /* - */
		{"dg", "dt", "pt", "st", "ft"}, /* d */
		{"pg", "dt", "pt", "st", "ft"}, /* p */
		{"sg", "dt", "pt", "st", "ft"}, /* s */
		{"fg", "dt", "pt", "st", "ft"}, /* f */
};

/* What is in effect, by module and by what the peer offers: nothing (0), or to recover the control channel (C). R: refused,
 * and none in effect. X: `warmline check` does not let it come so far; should it, then as R. */
static const struct {
	char method;
	bool radius;
	const char *effect;
} effects[] = {
	/* method, RADIUS  ge e3 ct1
			   0C 0C 0C */
	{'d', false,      "dd dd dd"},
	{'d', true,       "dd dd dd"},
	{'p', false,      "pp pp pp"},
	{'p', true,       "pp pp pp"},
	{'s', false,      "ss XX XX"},
	{'s', true,       "ss RR RR"},
	{'f', false,      "sp dp dp"},
	{'f', true,       "sp dp dp"},
};

/* clang-format on */

static enum cfg_method method_of(char letter)
{
	return (enum cfg_method)(strchr(letters, letter) - letters);
}

static char effect_of(char method, char scope, unsigned module, unsigned negotiated)
{
	for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++)
		if (effects[i].method == method && effects[i].radius == (scope == 'r'))
			return effects[i].effect[3 * module + negotiated];
	fail_msg("no row for %c", method);
	return 0;
}

static enum cfg_scope scope_of(char letter)
{
	static const char scopes[] = "ghtmr";
	static const enum cfg_scope values[] = {CFG_SCOPE_GLOBAL, CFG_SCOPE_PROFILE,
						CFG_SCOPE_TUNNEL, CFG_SCOPE_DOMAIN_MAP,
						CFG_SCOPE_RADIUS};
	return values[strchr(scopes, letter) - scopes];
}

/* ---- configurations ---- */

/* ,"failover_resync":METHOD */
static const char *method_member(unsigned method)
{
	static char text[4][96];
	static unsigned turn;
	char *out = text[turn++ % 4];

	if (method == CFG_METHOD_NOT_CONFIGURED)
		return turn % 2 ? "" : ",\"failover_resync\":null"; /* both say nothing */
	snprintf(out, sizeof(text[0]), ",\"failover_resync\":\"%s\"",
		 cfg_method_name((enum cfg_method)method));
	return out;
}

/* A chassis with one value in each scope that it has: global, host profile; domain maps and configured tunnels with the
 * values from first to last. */
static char *chassis_json(unsigned module, unsigned global, unsigned profile, unsigned first,
			  unsigned last)
{
	char *json = NULL;
	size_t size;
	FILE *f = open_memstream(&json, &size);

	fprintf(
	    f,
	    "{\"chassis\":{\"name\":\"us\"},\"limits\":{\"tunnels\":60,\"sessions\":60},"
	    "\"slots\":[{\"slot\":2,\"module\":\"%s\",\"ports\":[{\"name\":\"p\",\"device\":\"y\","
	    "\"facing\":\"peer\",\"address\":\"10.1.0.1/24\"}]},"
	    "{\"slot\":0,\"module\":\"ge\",\"ports\":[{\"name\":\"a\",\"device\":\"x\","
	    "\"facing\":\"access\"}]}],",
	    modules[module]);
	/* A global null would be no value to inherit: it is left out. */
	fprintf(
	    f,
	    "\"l2tp\":{\"host_name\":\"us\"%s,\"destination_profiles\":[{\"name\":\"isp\","
	    "\"address\":\"10.1.0.0/24\",\"remote_hosts\":[{\"name\":\"peer\"%s}]}],\"tunnels\":[",
	    global == CFG_METHOD_NOT_CONFIGURED ? "" : method_member(global),
	    method_member(profile));
	/* Two of each, or a tie breaker would go with their SCCRQs. */
	for (unsigned i = 2 * first; i < 2 * last + 2; i++)
		fprintf(f, "%s{\"name\":\"%c%u\",\"remote\":\"10.1.0.2\",\"port\":\"p\"%s}",
			i > 2 * first ? "," : "", "vw"[i % 2], i / 2, method_member(i / 2));
	fprintf(f, "]},\"radius\":{\"authentication_servers\":[{\"address\":\"127.0.0.1\","
		   "\"secret\":\"s\"}]},\"aaa\":{\"domain_maps\":[");
	for (unsigned m = first; m <= last; m++)
		fprintf(
		    f,
		    "%s{\"name\":\"m%u\",\"authentication\":\"radius\",\"tunnels\":[{\"tunnel\":1,"
		    "\"remote\":\"10.1.0.2\"%s}]}",
		    m > first ? "," : "", m, method_member(m));
	fprintf(f, "]},\"subscribers\":[");
	for (unsigned m = first; m <= last; m++)
		for (unsigned r = 0; r < N; r++)
			fprintf(
			    f,
			    "%s{\"name\":\"r%u@m%u\",\"port\":\"a\",\"mac\":\"02:00:00:00:00:%02x\","
			    "\"pppoe_session\":%u}",
			    m > first || r > 0 ? "," : "", r, m, m * N + r + 1, m * N + r + 1);
	fprintf(f, "]}");
	fclose(f);
	return json;
}

static char *peer_json(unsigned negotiated, unsigned tunnels)
{
	char *json = NULL;
	size_t size;
	FILE *f = open_memstream(&json, &size);

	fprintf(
	    f,
	    "{\"chassis\":{\"name\":\"peer\"},\"limits\":{\"tunnels\":60,\"sessions\":60},"
	    "\"slots\":[{\"slot\":0,\"module\":\"ge\",\"ports\":[{\"name\":\"p\",\"device\":\"y\","
	    "\"facing\":\"peer\",\"address\":\"10.1.0.2/24\"}]}],"
	    "\"l2tp\":{\"host_name\":\"peer\",\"failover_resync\":\"%s\","
	    "\"destination_profiles\":[{\"name\":\"isp\",\"address\":\"10.1.0.0/24\","
	    "\"remote_hosts\":[{\"name\":\"us\"}]}],\"tunnels\":[",
	    negotiated ? "failover-protocol" : "silent-failover");
	for (unsigned i = 0; i < tunnels; i++)
		fprintf(f, "%s{\"name\":\"t%u\",\"remote\":\"10.1.0.1\",\"port\":\"p\"}",
			i > 0 ? "," : "", i);
	fprintf(f, "]}}");
	fclose(f);
	return json;
}

static struct lab *make_lab(char *us, char *peer)
{
	memset(&radius, 0, sizeof(radius));
	lab_authorize = dial_ask;
	struct lab *lab = lab_new(us, peer);
	lab_authorize = NULL;
	free(us);
	free(peer);
	return lab;
}

/* Every subscriber gets a tunnel to himself, with the method that his name says. */
static void answer_all(struct lab *lab)
{
	while (radius.answered < radius.n) {
		const struct dial_request *r = &radius.list[radius.answered];
		struct cp_authorization a = {.outcome = CP_ACCESS_ACCEPTED, .n_tunnels = 1};

		a.method = (enum cfg_method)(r->name[1] - '0');
		a.tunnels[0] = (struct cp_authorized_tunnel){.tag = 1, .server = 0x0a010002};
		snprintf(a.tunnels[0].assignment, LC_NAME, "%s", r->name);
		dial_answer(lab, &a);
	}
}

/* ---- every combination ---- */

struct combination {
	unsigned global, profile, map, radius, module, negotiated;
};

static unsigned compared;

static void compare(const struct lc_tunnel *t, const char *rule, const struct combination *c,
		    const char *role)
{
	char effect = effect_of(rule[0], rule[1], c->module, c->negotiated);
	bool refused = effect == 'R' || effect == 'X';
	enum cfg_method wanted = refused ? CFG_METHOD_DISABLE : method_of(effect);

	compared++;
	if (t == NULL || t->state != CP_TUNNEL_ESTABLISHED || cp_tunnel_method(t) != wanted ||
	    t->method_scope != scope_of(rule[1]) || t->method_refused != refused ||
	    t->method != (refused ? CFG_METHOD_DISABLE : method_of(rule[0])))
		fail_msg(
		    "%s, global %c, profile %c, map %c, RADIUS %c, %s, peer %s: %s, where %s of %s is right",
		    role, letters[c->global], letters[c->profile], letters[c->map],
		    letters[c->radius], modules[c->module],
		    c->negotiated ? "offers C" : "offers nothing",
		    t != NULL ? cfg_method_name(cp_tunnel_method(t)) : "no tunnel",
		    cfg_method_name(wanted), cfg_scope_name(scope_of(rule[1])));
}

static const struct lc_tunnel *next_tunnel(struct lab_end *e, unsigned *n, enum lc_role role,
					   enum lc_tunnel_origin origin)
{
	const struct lc_tunnel *t;

	while ((t = lab_tunnel(e, (*n)++)) != NULL)
		if (t->role == role && t->origin == origin)
			return t;
	return NULL;
}

static void compare_chassis(struct lab *lab, struct combination c)
{
	struct lab_end *us = &lab->end[LAC];
	const struct lc_tunnel *t, *maps[MAPS] = {0}, *tunnels[N] = {0};
	unsigned n = 0, lns = 0, refusals = 0;

	while ((t = next_tunnel(us, &n, LC_ROLE_LAC, LC_ORIGIN_RADIUS)) != NULL)
		maps[(t->assignment[4] - '0') * N + (t->assignment[1] - '0')] = t;
	for (n = 0; (t = next_tunnel(us, &n, LC_ROLE_LAC, LC_ORIGIN_CONFIGURED)) != NULL;)
		tunnels[t->profile[1] - '0'] = t;
	for (unsigned v = 0; v < N; v++)
		compare(tunnels[v], tunnel_table[c.global][v], &c, "LAC, configured");
	for (c.map = 0; c.map < N; c.map++)
		for (c.radius = 0; c.radius < N; c.radius++) {
			compare(maps[c.map * N + c.radius], lac_table[c.global][c.map][c.radius],
				&c, "LAC");
			t = next_tunnel(us, &lns, LC_ROLE_LNS, LC_ORIGIN_CONFIGURED);
			compare(t, lns_table[c.global][c.profile], &c, "LNS");
		}
	for (n = 0; (t = lab_tunnel(us, n)) != NULL; n++)
		refusals += t->method_refused;
	assert_int_equal(dial_counters(lab)->methods_refused, refusals);
}

static void test_every_combination(void **state)
{
	(void)state;
	struct combination c = {0};

	for (c.module = 0; c.module < 3; c.module++)
		for (c.negotiated = 0; c.negotiated < 2; c.negotiated++)
			for (c.global = 0; c.global < N; c.global++)
				for (c.profile = 0; c.profile < N; c.profile++) {
					struct lab *lab = make_lab(
					    chassis_json(c.module, c.global, c.profile, 0, N - 1),
					    peer_json(c.negotiated, MAPS));
					lab_run(lab, 10);
					answer_all(lab);
					lab_run(lab, 500);
					compare_chassis(lab, c);
					lab_free(lab);
				}
	assert_int_equal(compared, 7500 + 750); /* and those of l2tp.tunnels */
}

/* ---- what `warmline check` lets come so far ---- */

/* Complaints about silent-failover, as a letter for each scope that has one: g h t m. */
static void complaints(unsigned module, unsigned global, unsigned profile, unsigned value,
		       char out[8])
{
	static const struct {
		const char *path;
		char letter;
	} paths[] = {
	    {"l2tp.failover_resync", 'g'},
	    {"l2tp.destination_profiles[0].remote_hosts[0].failover_resync", 'h'},
	    {"l2tp.tunnels[0].failover_resync", 't'},
	    {"l2tp.tunnels[1].failover_resync", 't'},
	    {"aaa.domain_maps[0].tunnels[0].failover_resync", 'm'},
	};
	char *json = chassis_json(module, global, profile, value, value);
	struct cfg_errors errors;
	struct cfg *cfg =
	    cfg_parse_with(json, strlen(json), "us.json", load_check_modules, &errors);
	size_t n = 0, found = 0;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		for (size_t k = 0; k < errors.count; k++)
			if (strcmp(errors.list[k].path, paths[i].path) == 0) {
				assert_non_null(strstr(errors.list[k].text, modules[module]));
				assert_non_null(strstr(errors.list[k].text, "slot 2"));
				found++;
				if (n == 0 || out[n - 1] != paths[i].letter)
					out[n++] = paths[i].letter;
			}
	out[n] = 0;
	assert_int_equal(found, errors.count);
	assert_int_equal(cfg == NULL, errors.count > 0);
	cfg_errors_free(&errors);
	cfg_free(cfg);
	free(json);
}

/* The scopes that are refused where the module has no silent failover. The global value is one that tunnels of RADIUS
 * take, whatever the others say. Domain maps and l2tp.tunnels have the same value here. */
static const char *const refused_table[N][N][N] = {
    /* clang-format off */
	{ /* global: -
	    map     -   d   p   s     f          profile */
		{"", "", "", "tm",  ""},      /* - */
		{"", "", "", "tm",  ""},      /* d */
		{"", "", "", "tm",  ""},      /* p */
		{"h", "h", "h", "htm", "h"},  /* s */
		{"", "", "", "tm",  ""},      /* f */
	},
	{ /* global: d */
		{"", "", "", "tm",  ""},      /* - */
		{"", "", "", "tm",  ""},      /* d */
		{"", "", "", "tm",  ""},      /* p */
		{"h", "h", "h", "htm", "h"},  /* s */
		{"", "", "", "tm",  ""},      /* f */
	},
	{ /* global: p */
		{"", "", "", "tm",  ""},      /* - */
		{"", "", "", "tm",  ""},      /* d */
		{"", "", "", "tm",  ""},      /* p */
		{"h", "h", "h", "htm", "h"},  /* s */
		{"", "", "", "tm",  ""},      /* f */
	},
	{ /* global: s */
		{"g", "g", "g", "gtm", "g"},      /* - */
		{"g", "g", "g", "gtm", "g"},      /* d */
		{"g", "g", "g", "gtm", "g"},      /* p */
		{"gh", "gh", "gh", "ghtm", "gh"}, /* s */
		{"g", "g", "g", "gtm", "g"},      /* f */
	},
	{ /* global: f */
		{"", "", "", "tm",  ""},      /* - */
		{"", "", "", "tm",  ""},      /* d */
		{"", "", "", "tm",  ""},      /* p */
		{"h", "h", "h", "htm", "h"},  /* s */
		{"", "", "", "tm",  ""},      /* f */
	},
    /* clang-format on */
};

static void test_refused_by_check(void **state)
{
	char found[8];

	(void)state;
	for (unsigned module = 0; module < 3; module++)
		for (unsigned global = 0; global < N; global++)
			for (unsigned profile = 0; profile < N; profile++)
				for (unsigned map = 0; map < N; map++) {
					const char *wanted =
					    module > 0 ? refused_table[global][profile][map] : "";

					complaints(module, global, profile, map, found);
					if (strcmp(found, wanted) != 0)
						fail_msg("%s, global %c, profile %c, map %c: "
							 "\"%s\" refused, where \"%s\" is right",
							 modules[module], letters[global],
							 letters[profile], letters[map], found,
							 wanted);
				}
}

/* ---- what follows from it ---- */

/* One chassis on e3-atm or ge; its LAC has a tunnel by the map, its LNS one by the peer. */
static struct lab *small_lab(unsigned module, unsigned method, unsigned negotiated)
{
	struct lab *lab = make_lab(chassis_json(module, method, 0, 0, 0), peer_json(negotiated, 2));

	lab_run(lab, 10);
	while (radius.answered < radius.n)
		if (strcmp(radius.list[radius.answered].name, "r0@m0") == 0)
			dial_answer(lab, &(struct cp_authorization){.outcome = CP_ACCESS_ACCEPTED});
		else
			dial_reject(lab);
	lab_run(lab, 500);
	return lab;
}

static unsigned count(struct lab *lab)
{
	return lab_tunnels(&lab->end[LAC], CP_TUNNEL_ESTABLISHED);
}

static void test_refusal_is_told(void **state)
{
	(void)state;
	struct lab *lab = make_lab(chassis_json(1, CFG_METHOD_DISABLE, 0, 0, 0), peer_json(0, 0));

	lab_run(lab, 10);
	answer_all(lab);
	lab_run(lab, 500);
	lab_expect_log(&lab->end[LAC],
		       "silent-failover (radius) is refused, it comes up without a method: module "
		       "e3-atm in slot 2 does not support it when peer-facing");
	assert_int_equal(dial_counters(lab)->methods_refused, 1);
	lab_free(lab);
}

/* Fallback that has nothing to fall back to: at a restart it goes, in each role; where it was negotiated, it is
 * recovered; on another module it stays. */
static void test_restart(void **state)
{
	(void)state;
	for (unsigned module = 0; module < 2; module++)
		for (unsigned negotiated = 0; negotiated < 2; negotiated++) {
			struct lab *lab = small_lab(module, CFG_METHOD_FALLBACK, negotiated);
			struct lab_end *us = &lab->end[LAC];

			assert_int_equal(count(lab), 5); /* two configured, map, two of the LNS */
			us->log_length = 0;
			dial_restart(lab);
			lab_run(lab, 0);
			bool goes = module == 1 && !negotiated;
			assert_int_equal(cp_engine_counters(us->engine)->recoveries_started,
					 negotiated ? 5 : 0);
			if (goes)
				lab_expect_log(
				    us, "cleared with 1 sessions: no silent failover on e3-atm "
					"in slot 2, and no RFC 4951 at the peer");
			lab_run(lab, 500);
			if (!goes)
				assert_int_equal(count(lab), 5);
			lab_free(lab);
		}
}

/* One that is being set up is mortal from its first message. */
static void test_restart_while_opening(void **state)
{
	(void)state;
	for (unsigned module = 0; module < 2; module++) {
		struct lab *lab =
		    make_lab(chassis_json(module, CFG_METHOD_FALLBACK, 0, 0, 0), peer_json(1, 0));
		struct lab_end *us = &lab->end[LAC];

		lab->cut = true;
		lab_run(lab, 500);
		assert_int_equal(lab_tunnels(us, CP_TUNNEL_WAIT_CTL_REPLY), 2);
		dial_restart(lab);
		if (module == 1)
			lab_expect_log(us, "no silent failover on e3-atm in slot 2, and it was not "
					   "established");
		else
			assert_int_equal(lab_tunnels(us, CP_TUNNEL_WAIT_CTL_REPLY), 2);
		lab_free(lab);
	}
}

/* A recovery tunnel keeps the method of its tunnel, as that was set up. */
static void test_recovery(void **state)
{
	(void)state;
	struct lab *lab = small_lab(1, CFG_METHOD_FALLBACK, 1);

	dial_restart(lab);
	lab_run(lab, 30000);
	assert_int_equal(count(lab), 5);
	const struct lc_tunnel *t;
	for (unsigned i = 0; (t = lab_tunnel(&lab->end[LAC], i)) != NULL; i++) {
		assert_int_equal(t->method, CFG_METHOD_FALLBACK);
		assert_int_equal(t->no_silent, 1);
		assert_int_equal(cp_tunnel_method(t), CFG_METHOD_FAILOVER_PROTOCOL);
	}
	lab_free(lab);
}

/* ---- older choices ---- */

static struct cfg *parse(char *json)
{
	struct cfg_errors errors;
	struct cfg *cfg = cfg_parse(json, strlen(json), "new", &errors);

	if (cfg == NULL)
		fail_msg("%s: %s", errors.list[0].path, errors.list[0].text);
	cfg_errors_free(&errors);
	free(json);
	return cfg;
}

/* Of the tunnels of a map (0), of l2tp.tunnels (1), of a profile (2). */
static void expect_older(struct lab *lab, char *json, unsigned map, unsigned tunnel, unsigned host)
{
	const unsigned wanted[] = {map, tunnel, host};
	struct cfg *cfg = parse(json);
	const struct lc_tunnel *t;

	for (unsigned i = 0; (t = lab_tunnel(&lab->end[LAC], i)) != NULL; i++) {
		unsigned kind = t->role == LC_ROLE_LNS ? 2 : t->origin == LC_ORIGIN_CONFIGURED;
		assert_int_equal(cp_policy_older(cfg, t), wanted[kind]);
	}
	cfg_free(cfg);
}

static char *with(const char *old, const char *new)
{
	return dial_replace(chassis_json(0, CFG_METHOD_DISABLE, 0, 0, 0), old, new);
}

static void test_older(void **state)
{
	(void)state;
	struct lab *lab = small_lab(0, CFG_METHOD_DISABLE, 0);
	const unsigned method = CP_OLDER_METHOD;

	assert_int_equal(count(lab), 5);
	expect_older(lab, chassis_json(0, CFG_METHOD_DISABLE, 0, 0, 0), 0, 0, 0);
	expect_older(lab, chassis_json(0, CFG_METHOD_FALLBACK, 0, 0, 0), method, method, method);
	expect_older(lab, chassis_json(0, CFG_METHOD_DISABLE, CFG_METHOD_FALLBACK, 0, 0), 0, 0,
		     method);
	/* The same value from another scope is no other value. */
	expect_older(lab, chassis_json(0, CFG_METHOD_DISABLE, CFG_METHOD_DISABLE, 0, 0), 0, 0, 0);
	expect_older(lab,
		     dial_replace(with("\"name\":\"v0\"", "\"name\":\"x\""), "\"name\":\"w0\"",
				  "\"name\":\"y\""),
		     0, CP_OLDER_GONE, 0);
	expect_older(lab, with("\"name\":\"peer\"", "\"name\":\"q\""), 0, 0, CP_OLDER_GONE);
	expect_older(lab, with("\"tunnel\":1,", "\"tunnel\":2,"), CP_OLDER_GONE, 0, 0);
	expect_older(lab, with("\"host_name\":\"us\"", "\"host_name\":\"us\",\"hello_interval\":7"),
		     CP_OLDER_HELLO_INTERVAL, CP_OLDER_HELLO_INTERVAL, CP_OLDER_HELLO_INTERVAL);
	expect_older(lab,
		     with("\"tunnel\":1,", "\"tunnel\":1,\"password\":\"new\",\"receive_window\":9,"
					   "\"retransmission\":{\"established\":7},"),
		     CP_OLDER_PASSWORD | CP_OLDER_RECEIVE_WINDOW | CP_OLDER_RETRANSMISSION, 0, 0);
	/* What RADIUS may have given is not older. */
	expect_older(lab, with("\"tunnel\":1,", "\"tunnel\":1,\"max_sessions\":9,"), 0, 0, 0);
	expect_older(lab, with("\"host_name\":\"us\"", "\"host_name\":\"us\",\"max_sessions\":9"),
		     0, CP_OLDER_MAX_SESSIONS, CP_OLDER_MAX_SESSIONS);
	lab_free(lab);
	for (unsigned i = 0; i < CP_N_OLDER; i++)
		assert_non_null(cp_older_name(1u << i));
	assert_null(cp_older_name(1u << CP_N_OLDER));
}

static void test_older_of_radius(void **state)
{
	(void)state;
	struct lab *lab = make_lab(chassis_json(0, CFG_METHOD_DISABLE, 0, 0, 0), peer_json(0, 0));
	struct cfg *cfg = parse(chassis_json(0, CFG_METHOD_FALLBACK, 0, 0, 0));
	const struct lc_tunnel *t;
	unsigned seen = 0;

	lab_run(lab, 10);
	answer_all(lab);
	lab_run(lab, 500);
	for (unsigned i = 0; (t = lab_tunnel(&lab->end[LAC], i)) != NULL; i++)
		if (t->origin == LC_ORIGIN_RADIUS) {
			bool given = t->method_scope == CFG_SCOPE_RADIUS;
			assert_int_equal(cp_policy_older(cfg, t), given ? 0 : CP_OLDER_METHOD);
			seen++;
		}
	assert_int_equal(seen, N);
	cfg_free(cfg);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_combination),
	    cmocka_unit_test(test_refused_by_check),
	    cmocka_unit_test(test_refusal_is_told),
	    cmocka_unit_test(test_restart),
	    cmocka_unit_test(test_restart_while_opening),
	    cmocka_unit_test(test_recovery),
	    cmocka_unit_test(test_older),
	    cmocka_unit_test(test_older_of_radius),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
