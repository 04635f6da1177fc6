#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "ca_place.h"
#include "uk/sm2.h"

void
place_init(struct place *p, const char *algorithm, int64_t now)
{
	*p = (struct place){ .dir = "/tmp/uk-ca-XXXXXX" };
	if (mkdtemp(p->dir) == NULL)
		abort();
	p->master = uk_secret_new(uk_span_str("a master key of thirty-two bytes"));
	p->settings = (struct authority_settings){ .dir = p->dir,
		.origin = "https://ca.example",
		.cps = "https://ca.example/cps",
		.policy = "1.2.156.99999.1",
		.master = p->master };
	if (authority_init(&p->settings, algorithm, "\xe7\xa4\xba\xe8\x8c\x83", now,
		&uk_random_system, NULL) != UK_OK ||
	    authority_open(&p->settings, &p->a, NULL) != UK_OK)
		abort();
}

void
place_fini(struct place *p)
{
	DIR *d = opendir(p->dir);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d != NULL)
		(void)closedir(d);
	(void)rmdir(p->dir);
	authority_close(&p->a);
	uk_secret_free(&p->master);
}

void
place_path(const struct place *p, const char *file, char out[128])
{
	(void)snprintf(out, 128, "%s/%s", p->dir, file);
}

void
place_spki(const char *type, struct uk_buf *out, EVP_PKEY **key)
{
	EVP_PKEY *k = strcmp(type, "RSA") == 0   ? EVP_RSA_gen(2048)
		      : strcmp(type, "SM2") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "SM2")
						 : EVP_EC_gen(type);
	unsigned char *der = NULL;
	const int n = i2d_PUBKEY(k, &der);

	if (n <= 0)
		abort();
	uk_buf_init(out, 1024);
	uk_buf_put(out, uk_span(der, (size_t)n));
	OPENSSL_free(der);
	if (key != NULL)
		*key = k;
	else
		EVP_PKEY_free(k);
}

void
place_sign_init(EVP_MD_CTX *ctx, EVP_PKEY *key)
{
	const bool sm2 = EVP_PKEY_is_a(key, "SM2") == 1;
	EVP_PKEY_CTX *sign = NULL;

	if (EVP_DigestSignInit(ctx, &sign, sm2 ? EVP_sm3() : EVP_sha256(), NULL, key) != 1 ||
	    (sm2 && EVP_PKEY_CTX_set1_id(sign, UK_SM2_ID, (int)strlen(UK_SM2_ID)) != 1))
		abort();
}

void
place_issue(const struct place *p, struct uk_span spki, int64_t not_before, struct uk_buf *der,
    char *serial)
{
	const struct issuer_order o = { .profile = PROFILE_ORGANISATION,
		.subject = { .organisation = "\xe5\x8c\x97\xe4\xba\xac\xe7\xa4\xba\xe8\x8c\x83",
		    .credit_code = "91110108722619411A" },
		.spki = spki,
		.not_before = not_before,
		.not_after = not_before + 365 * PLACE_DAY };
	struct issuer_intent i;

	uk_buf_init(der, ISSUER_CERT_MAX);
	if (issuer_prepare(p->a, &o, &uk_random_system, &i, NULL) != UK_OK ||
	    issuer_sign(p->a, uk_buf_span(&i.tbs), der, NULL) != UK_OK)
		abort();
	if (serial != NULL)
		memcpy(serial, i.serial, SERIAL_LEN);
	issuer_intent_fini(&i);
}
