/* SPDX-License-Identifier: BSD-3-Clause */
/* The chassis: slots with their modules and ports, the mirror, the processes. */
#include "cp_show_internal.h"

#include <errno.h>
#include <signal.h>

#include "lc_module.h"

/* As configured, or as the module has it. */
static void put_line(const struct cp_show *show, json_t *port, unsigned index)
{
	const struct cfg_port *p = &show->cfg->ports[index];
	const struct lc_module *m = cp_show_module_of(show, index, NULL);
	const char *encapsulation = m && m->encapsulations[0] ? m->encapsulations[0] : "";
	uint64_t rate = p->rate_kbps ? (uint64_t)p->rate_kbps * 1000 : m ? m->line_rate : 0;

	cp_put_name(port, "encapsulation", p->encapsulation[0] ? p->encapsulation : encapsulation);
	cp_put_int(port, "line_rate", rate);
}

static json_t *show_port(const struct cp_show *show, unsigned index)
{
	const struct cfg_port *p = &show->cfg->ports[index];
	const struct lc_port_state *state = &show->mirror->ports[index];
	json_t *port = json_object();

	cp_put_name(port, "name", p->name);
	if (*p->interface)
		cp_put_name(port, "interface", p->interface);
	else
		cp_put_name(port, "device", p->device);
	cp_put_name(port, "facing", cfg_facing_name(p->facing));
	cp_put_flag(port, "up", state->up);
	cp_put(port, "mac", cp_show_mac(state->mac));
	if (p->ipv4.address)
		cp_put(port, "ipv4", cp_show_prefix(&p->ipv4.address, NULL, p->ipv4.length));
	if (p->ipv6.length)
		cp_put(port, "ipv6", cp_show_prefix(NULL, p->ipv6.address, p->ipv6.length));
	if (p->gateway4)
		cp_put(port, "gateway4", cp_show_ipv4(p->gateway4));
	if (p->vlan)
		cp_put_int(port, "vlan", p->vlan);
	put_line(show, port, index);
	cp_put_int(port, "mtu", p->mtu);
	cp_put_int(port, "worker", p->worker);
	return port;
}

static json_t *show_slots(const struct cp_show *show)
{
	json_t *slots = json_array();

	for (unsigned i = 0; i < show->cfg->n_slots; i++) {
		const struct cfg_slot *s = &show->cfg->slots[i];
		json_t *slot = json_object(), *ports = json_array();

		for (unsigned p = 0; p < show->cfg->n_ports; p++)
			if (show->cfg->ports[p].slot == s->number)
				json_array_append_new(ports, show_port(show, p));
		cp_put_int(slot, "slot", s->number);
		cp_put(slot, "module", cp_show_module(s->module));
		cp_put(slot, "ports", ports);
		json_array_append_new(slots, slot);
	}
	return slots;
}

static json_t *show_use(uint32_t used, uint32_t limit)
{
	json_t *use = json_object();

	cp_put_int(use, "used", used);
	cp_put_int(use, "limit", limit);
	return use;
}

static json_t *show_mirror(const struct cp_show *show)
{
	const struct lc_header *h = show->mirror->header;
	json_t *mirror = json_object();

	cp_put_name(mirror, "path", show->mirror_path);
	cp_put_flag(mirror, "huge", show->huge);
	cp_put_int(mirror, "size", h->size);
	cp_put_int(mirror, "age_ms", cp_show_since(show, h->created));
	cp_put(mirror, "tunnels",
	       show_use(cp_show_tally(show->mirror).tunnels, h->geometry.max_tunnels));
	cp_put(mirror, "sessions",
	       show_use(cp_show_count_sessions(show->mirror), h->geometry.max_sessions));
	return mirror;
}

static json_t *show_process(const struct cp_show *show, const char *name,
			    const struct lc_process *process)
{
	const struct lc_process p = *process;
	json_t *object = json_object();
	bool alive = p.pid != 0 && (kill((pid_t)p.pid, 0) == 0 || errno == EPERM);

	cp_put_name(object, "name", name);
	cp_put_name(object, "state", !alive ? "down" : p.ready ? "ready" : "starting");
	cp_put_int(object, "pid", p.pid);
	cp_put_int(object, "starts", p.starts);
	cp_put_int(object, "uptime_ms", alive ? cp_show_since(show, p.started) : 0);
	if (p.ready >= p.started && p.ready)
		cp_put_int(object, "ready_ms", p.ready - p.started);
	if (p.first_work >= p.started && p.first_work)
		cp_put_int(object, "first_work_ms", p.first_work - p.started);
	return object;
}

json_t *cp_show_processes(const struct cp_show *show)
{
	json_t *processes = json_array();

	json_array_append_new(processes,
			      show_process(show, "control-plane", &show->mirror->header->control));
	json_array_append_new(processes,
			      show_process(show, "data-plane", &show->mirror->header->dataplane));
	return processes;
}

json_t *cp_show_chassis(const struct cp_show *show, const struct cp_show_page *page)
{
	json_t *document = json_object();

	cp_put_name(document, "configuration", show->cfg->path);
	cp_put(document, "slots", show_slots(show));
	cp_put(document, "mirror", show_mirror(show));
	cp_put(document, "processes", cp_show_processes(show));
	return document;
}
