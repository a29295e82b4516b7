/* SPDX-License-Identifier: BSD-3-Clause */
/* Asking the processes of a chassis, over their sockets. */
#pragma once

#include "cli.h"

struct client;

/* Sets cli->chassis where it was not given and one chassis runs. False: none or several run, which
 * has been printed. */
bool client_choose_chassis(struct cli *cli);
bool client_find_chassis(struct cli *cli); /* the same, without a word */

/* Connects to <runtime directory>/<chassis>/<leaf>. NULL with errno; nothing is printed. timeout_s:
 * for each answer; 0: none. */
struct client *client_open(const struct cli *cli, const char *leaf, unsigned timeout_s);
void client_close(struct client *client);

/* One request (the reference is taken over), one answer, the caller's, also where it says "ok":
 * false. NULL with errno: the other end has gone (ECONNRESET) or is silent (EAGAIN). */
json_t *client_ask(struct client *client, json_t *request);

/* The supervisor's answer to one request (the reference is taken over). NULL: printed. */
json_t *client_ask_chassis(struct cli *cli, json_t *request);

/* The same, also an answer that is not good. */
json_t *client_ask_chassis_plainly(struct cli *cli, json_t *request);

/* Asks for a configuration to take effect, as a whole. Any answer ("errors": every complaint), the caller's; NULL:
 * printed. */
json_t *client_configure(struct cli *cli, const json_t *configuration, json_int_t generation);

/* The control plane's good answer to one request (the reference is taken over), the caller's. NULL: printed. */
json_t *client_ask_control(struct cli *cli, json_t *request);

/* True if an answer is good; else what it says has been printed. */
bool client_is_good(const json_t *answer);
