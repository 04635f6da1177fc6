/* SKF_ECCSignData of a module, by itself or with the verification that ukeyd makes of each. */
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "bench.h"
#include "table.h"

#define WARM_UP   50
#define NAME_ROOM 256
#define CONTAINER "bench"

static void
must(ULONG rv, const char *what)
{
	if (rv != SAR_OK)
		bench_fail(what, (long)rv);
}

/* The first application of the first UKEY, logged in. */
static HAPPLICATION
open_first(const struct skf *m, const char *pin)
{
	char name[NAME_ROOM];
	HAPPLICATION app = NULL;
	DEVHANDLE h = NULL;
	ULONG n = sizeof(name), left = 0;

	must(m->EnumDev(TRUE, name, &n), "SKF_EnumDev");
	must(m->ConnectDev(name, &h), "SKF_ConnectDev");
	n = sizeof(name);
	must(m->EnumApplication(h, name, &n), "SKF_EnumApplication");
	must(m->OpenApplication(h, name, &app), "SKF_OpenApplication");
	must(m->VerifyPIN(app, USER_TYPE, (char *)(uintptr_t)pin, &left), "SKF_VerifyPIN");
	return app;
}

static HCONTAINER
own_container(const struct skf *m, HAPPLICATION app, ECCPUBLICKEYBLOB *key)
{
	char name[] = CONTAINER;
	HCONTAINER con = NULL;

	(void)m->DeleteContainer(app, name);
	must(m->CreateContainer(app, name, &con), "SKF_CreateContainer");
	must(m->GenECCKeyPair(con, SGD_SM2_1, key), "SKF_GenECCKeyPair");
	return con;
}

/* A context that verifies over e. */
static EVP_PKEY_CTX *
verifier(const ECCPUBLICKEYBLOB *key)
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL), *ctx;
	uint8_t point[65] = { 4 };
	OSSL_PARAM *params;
	EVP_PKEY *k = NULL;

	memcpy(point + 1, key->XCoordinate + 32, 32);
	memcpy(point + 33, key->YCoordinate + 32, 32);
	(void)OSSL_PARAM_BLD_push_utf8_string(b, "group", "SM2", 0);
	(void)OSSL_PARAM_BLD_push_octet_string(b, "pub", point, sizeof(point));
	params = OSSL_PARAM_BLD_to_param(b);
	if (EVP_PKEY_fromdata_init(make) != 1 ||
	    EVP_PKEY_fromdata(make, &k, EVP_PKEY_PUBLIC_KEY, params) != 1)
		bench_fail("public key", 0);
	ctx = EVP_PKEY_CTX_new(k, NULL);
	if (ctx == NULL || EVP_PKEY_verify_init(ctx) != 1)
		bench_fail("verifier", 0);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(make);
	EVP_PKEY_free(k);
	return ctx;
}

static void
verify(EVP_PKEY_CTX *ctx, const uint8_t e[32], const ECCSIGNATUREBLOB *sig)
{
	ECDSA_SIG *s = ECDSA_SIG_new();
	uint8_t *der = NULL;
	int n;

	if (s == NULL || ECDSA_SIG_set0(s, BN_bin2bn(sig->r, sizeof(sig->r), NULL),
			     BN_bin2bn(sig->s, sizeof(sig->s), NULL)) != 1)
		bench_fail("signature", 0);
	n = i2d_ECDSA_SIG(s, &der);
	if (n <= 0 || EVP_PKEY_verify(ctx, der, (size_t)n, e, 32) != 1)
		bench_fail("verification", n);
	OPENSSL_free(der);
	ECDSA_SIG_free(s);
}

static void
sign_one(const struct skf *m, HCONTAINER con, uint8_t seed, EVP_PKEY_CTX *ctx)
{
	ECCSIGNATUREBLOB sig;
	uint8_t e[32];

	memset(e, seed | 1, sizeof(e));
	must(m->ECCSignData(con, e, sizeof(e), &sig), "SKF_ECCSignData");
	if (ctx != NULL)
		verify(ctx, e, &sig);
}

void
bench_skf(const char *module, const char *pin, bool verified, size_t n)
{
	EVP_PKEY_CTX *ctx = NULL;
	ECCPUBLICKEYBLOB key;
	HAPPLICATION app;
	HCONTAINER con;
	struct bench b;
	struct skf m;

	if (!skf_load(module, &m))
		bench_fail(module, 0);
	app = open_first(&m, pin);
	con = own_container(&m, app, &key);
	if (verified)
		ctx = verifier(&key);
	for (int i = 0; i < WARM_UP; i++)
		sign_one(&m, con, (uint8_t)i, ctx);
	bench_init(&b, "skf", n);
	for (size_t i = 0; i < n; i++) {
		const double from = bench_now();

		sign_one(&m, con, (uint8_t)i, ctx);
		bench_add(&b, bench_now() - from);
	}
	bench_end(&b);
	EVP_PKEY_CTX_free(ctx);
	must(m.DeleteContainer(app, (char[]){ CONTAINER }), "SKF_DeleteContainer");
	skf_unload(&m);
}
