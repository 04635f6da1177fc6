#include <stdlib.h>

#include "protocol/methods.h"
#include "uk/b64.h"

static json_t *
usage_json(const struct uk_cert *cert)
{
	json_t *list = json_array();

	if (uk_cert_may_sign(cert))
		json_array_append_new(list, json_string("sign"));
	if (uk_cert_may_encrypt(cert))
		json_array_append_new(list, json_string("encrypt"));
	return list;
}

static json_t *
certificate_json(const struct inventory_object *o)
{
	const struct uk_cert *cert = o->cert;
	char *der = uk_b64_dup(uk_cert_der(cert));
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:s, s:b, s:s}",
	    "id", uk_cert_fingerprint(cert), "token", o->token->id, "label", o->label, "subject",
	    uk_cert_subject(cert), "issuer", uk_cert_issuer(cert), "commonName",
	    uk_cert_common_name(cert), "serial", uk_cert_serial(cert), "notBefore",
	    (json_int_t)uk_cert_not_before(cert), "notAfter", (json_int_t)uk_cert_not_after(cert),
	    "usage", usage_json(cert), "algorithm", uk_keyalg_name(uk_cert_alg(cert)), "hasKey",
	    (int)o->has_key, "certificate", der);

	free(der);
	return j;
}

static void
listed(struct call *c)
{
	json_t *list = json_array();
	int hidden = 0;

	for (size_t i = 0; i < c->inventory->n_objects; i++) {
		const struct inventory_object *o = &c->inventory->objects[i];

		if (o->cert == NULL || uk_cert_is_ca(o->cert))
			continue;
		if (gate_shows(
			c->env->gate, c->facts.local, c->origin, uk_cert_fingerprint(o->cert)))
			json_array_append_new(list, certificate_json(o));
		else
			hidden++;
	}
	call_reply(c, json_pack("{s:o, s:i}", "certificates", list, "hidden", hidden));
}

void
certificate_list(struct call *c)
{
	const struct certificates_params *p = c->in;

	inventory_load(c, p->token, listed);
}
