#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon_ticket.h"
#include "daemon_world.h"
#include "uk/b64.h"
#include "uk/clock.h"
#include "uk/receipt.h"
#include "uk/x509.h"

static struct uk_secret *
secret(const char *s)
{
	return s != NULL ? uk_secret_new(uk_span_str(s)) : NULL;
}

char *
ticket_seal(const struct ticket *how, const struct uk_jwk *ca, const json_t *jwk)
{
	const bool unlock = how->purpose == NULL;
	struct uk_ticket t = { .jti = TICKET_JTI,
		.purpose = unlock ? "unlock" : how->purpose,
		.order = TICKET_ORDER,
		.token = how->token,
		.certificate = how->certificate,
		.origin = how->origin,
		.label = "",
		.nonce = unlock ? TICKET_NONCE : NULL,
		.expires = uk_now(&uk_clock_system) + (how->life != 0 ? how->life : 60),
		.so_pin = secret(how->so),
		.so_pin_old = secret(how->old),
		.so_pin_next = unlock ? secret(how->next != NULL ? how->next : how->so) : NULL,
		.pin = unlock ? NULL : secret("735162") };
	struct uk_jwk *channel = NULL;
	struct uk_buf jwe;

	assert_int_equal(uk_jwk_from_json(jwk, &channel, NULL), UK_OK);
	uk_buf_init(&jwe, UK_TICKET_MAX);
	assert_int_equal(uk_ticket_seal(&t, ca, channel, &jwe, NULL), UK_OK);
	uk_ticket_fini(&t);
	uk_jwk_free(&channel);
	return uk_buf_steal_str(&jwe);
}

void
ticket_receipt_holds(const json_t *result, const struct ticket *t, const char *algorithm)
{
	const json_t *receipt = json_object_get(result, "receipt");
	const struct uk_receipt r = { t->origin, TICKET_ORDER, TICKET_JTI, TICKET_NONCE };
	struct uk_cert *cert = NULL;
	struct uk_buf der, sig, data;

	uk_buf_init(&der, UK_CERT_MAX);
	uk_buf_init(&sig, 1024);
	uk_buf_init(&data, 1024);
	assert_int_equal(uk_b64_get(&der, answer_str(receipt, "certificate")), UK_OK);
	assert_int_equal(uk_b64_get(&sig, answer_str(receipt, "signature")), UK_OK);
	assert_int_equal(uk_cert_parse(uk_buf_span(&der), &cert, NULL), UK_OK);
	assert_string_equal(uk_cert_fingerprint(cert), t->certificate);
	assert_string_equal(answer_str(result, "certificate"), t->certificate);
	assert_string_equal(answer_str(receipt, "algorithm"), algorithm);
	uk_receipt_put(&data, &r);
	assert_int_equal(
	    uk_verify(uk_cert_pubkey(cert), uk_buf_span(&data), uk_buf_span(&sig), NULL), UK_OK);
	uk_cert_free(&cert);
	uk_buf_fini(&der);
	uk_buf_fini(&sig);
	uk_buf_fini(&data);
}
