#include <string.h>

#include "policy/text.h"
#include "protocol/methods.h"

#define DESCRIPTION_LEN 2048
#define SHOWN           4

/* CA certificates say nothing about a person, so they are neither granted nor hidden. */
static bool
concerns(const struct inventory_object *o)
{
	return o->cert != NULL && !uk_cert_is_ca(o->cert);
}

static void
granted(struct call *c)
{
	call_reply(c, json_pack("{s:b}", "allowed", 1));
}

static void
grant(struct call *c)
{
	const char *fingerprints[INVENTORY_OBJECTS];
	struct uk_err err = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < c->inventory->n_objects; i++)
		if (concerns(&c->inventory->objects[i]))
			fingerprints[n++] = uk_cert_fingerprint(c->inventory->objects[i].cert);
	if (sites_grant(c->env->sites, c->origin, fingerprints, n, &err) != UK_OK)
		call_fail(c, &err);
	else
		granted(c);
}

static void
answered(struct call *c, const struct uk_err *err, struct uk_secret **pin)
{
	struct uk_err no;

	(void)pin;
	if (err == NULL) {
		grant(c);
		return;
	}
	no = *err;
	if (no.rc == UK_E_CANCELLED)
		no = (struct uk_err){ .rc = UK_E_DENIED };
	call_fail(c, &no);
}

/* At its longest it still fits a line of the protocol: what is asked is at the end. */
static void
describe(const struct call *c, struct uk_buf *text)
{
	size_t n = 0;

	call_describe(c, text);
	uk_buf_put_str(text, "\n该网站将可以看到这些证书中的姓名、证件号码等信息：");
	for (size_t i = 0; i < c->inventory->n_objects; i++) {
		if (!concerns(&c->inventory->objects[i]))
			continue;
		if (n++ < SHOWN) {
			uk_buf_put_str(text, "\n  · ");
			text_put(text, uk_cert_common_name(c->inventory->objects[i].cert), 30);
		}
	}
	if (n == 0)
		uk_buf_put_str(text, "\n  （现在没有证书）");
	else if (n > SHOWN)
		uk_buf_printf(text, "\n  等共%zu张证书", n);
	uk_buf_put_str(text, "\n90天内有效，可用命令 ukey sites 撤销。是否允许？");
}

static bool
all_shown(const struct call *c)
{
	for (size_t i = 0; i < c->inventory->n_objects; i++) {
		const struct inventory_object *o = &c->inventory->objects[i];

		if (concerns(o) && !gate_shows(c->env->gate, c->facts.local, c->origin,
				       uk_cert_fingerprint(o->cert)))
			return false;
	}
	return true;
}

static void
ask(struct call *c)
{
	struct uk_buf text;

	if (gate_allowed(c->env->gate, c->facts.local, c->origin) && all_shown(c)) {
		granted(c);
		return;
	}
	c->facts.stage = GATE_OBJECT;
	uk_buf_init(&text, DESCRIPTION_LEN);
	describe(c, &text);
	call_ask(c,
	    &(struct prompt_text){
		.kind = PROMPT_CONFIRM, .text = uk_buf_str(&text), .yes = "允许" },
	    answered);
	uk_buf_fini(&text);
}

void
site_request(struct call *c)
{
	inventory_load(c, NULL, ask);
}

void
site_list(struct call *c)
{
	call_reply(c, json_pack("{s:o}", "sites", sites_list(c->env->sites)));
}

void
site_revoke(struct call *c)
{
	const struct site_params *p = c->in;
	struct uk_err err = { 0 };

	if (sites_revoke(c->env->sites, p->origin, &err) != UK_OK) {
		call_fail(c, &err);
		return;
	}
	gate_forget(c->env->gate);
	rpc_close_site(c->rpc, p->origin);
	call_reply(c, json_object());
}
