/* A question about a certificate's status, from anybody. */
#include <stdlib.h>
#include <string.h>

#include "ca/name.h"
#include "ca/ocsp.h"
#include "ca/signer.h"
#include "ca/tbs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A certificate to be asked of; its signature is of no interest here. */
static struct uk_cert *
make_issuer(void)
{
	const uint8_t serial[1] = { 1 };
	struct uk_buf name, spki, tbs, der;
	struct signer *signer = NULL;
	struct uk_cert *cert = NULL;

	uk_buf_init(&name, 256);
	uk_buf_init(&spki, 256);
	uk_buf_init(&tbs, 1024);
	uk_buf_init(&der, 2048);
	name_put(&(const struct name_part){ NAME_CN, "CA" }, 1, &name);
	if (signer_new("p256", &signer, NULL) != UK_OK || signer_put_spki(signer, &spki) != UK_OK)
		abort();
	tbs_put_key_id(&der, uk_buf_span(&name));
	tbs_put(&tbs, &(const struct tbs){ .serial = uk_span(serial, 1),
			  .algorithm = signer_algorithm(signer),
			  .issuer = uk_buf_span(&name),
			  .subject = uk_buf_span(&name),
			  .spki = uk_buf_span(&spki),
			  .extensions = uk_buf_span(&der),
			  .not_before = 1,
			  .not_after = 2 });
	uk_buf_reset(&der);
	if (signer_sign(signer, uk_buf_span(&tbs), &der, NULL) != UK_OK ||
	    uk_cert_parse(uk_buf_span(&der), &cert, NULL) != UK_OK)
		abort();
	signer_free(&signer);
	uk_buf_fini(&name);
	uk_buf_fini(&spki);
	uk_buf_fini(&tbs);
	uk_buf_fini(&der);
	return cert;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct uk_cert *issuer;
	struct ocsp_request rq;

	if (issuer == NULL)
		issuer = make_issuer();
	if (ocsp_request_read(issuer, uk_span(data, n), &rq, NULL) != UK_OK)
		return 0;
	if (rq.n == 0 || rq.n > OCSP_ASKED_MAX || rq.nonce.n > 131)
		abort();
	for (size_t i = 0; i < rq.n; i++)
		if (rq.asked[i].serial[0] == '\0' || strlen(rq.asked[i].serial) % 2 != 0 ||
		    rq.asked[i].id.p < data || rq.asked[i].id.p + rq.asked[i].id.n > data + n)
			abort();
	return 0;
}
