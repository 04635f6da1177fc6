/* RSA: key pairs, signatures, the wrapped encryption pair, session keys. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "place.h"

#define BITS 2048
#define LEN  (BITS / 8)

static EVP_PKEY *
key_of(const RSAPUBLICKEYBLOB *b)
{
	const size_t n = b->BitLen / 8;
	OSSL_PARAM p[3];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;
	uint8_t modulus[LEN], exponent[4];

	/* OSSL_PARAM's numbers are in the host's order, which is little-endian where this runs */
	for (size_t i = 0; i < n; i++)
		modulus[i] = b->Modulus[MAX_RSA_MODULUS_LEN - 1 - i];
	for (size_t i = 0; i < 4; i++)
		exponent[i] = b->PublicExponent[3 - i];
	p[0] = OSSL_PARAM_construct_BN("n", modulus, n);
	p[1] = OSSL_PARAM_construct_BN("e", exponent, 4);
	p[2] = OSSL_PARAM_construct_end();
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, p), 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static bool
openssl_verifies(const RSAPUBLICKEYBLOB *b, const uint8_t *data, size_t n, const uint8_t *sig)
{
	EVP_PKEY *key = key_of(b);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	bool good;

	assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING), 1);
	good = EVP_PKEY_verify(ctx, sig, b->BitLen / 8, data, n) == 1;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	return good;
}

static void
wrap(const RSAPUBLICKEYBLOB *to, const uint8_t *in, size_t n, int padding, uint8_t out[LEN])
{
	EVP_PKEY *key = key_of(to);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	size_t len = LEN;

	assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
	assert_int_equal(EVP_PKEY_encrypt(ctx, out, &len, in, n), 1);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
}

static void
signs(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	uint8_t data[51] = { 0x30, 0x31 }, sig[LEN];
	RSAPUBLICKEYBLOB key, out;
	ECCPUBLICKEYBLOB ecc;
	HCONTAINER con;
	ULONG n = 0, type = 0;

	(void)state;
	log_in(app);
	ok(m->CreateContainer(app, S("r"), &con));
	assert_int_equal(m->RSASignData(con, data, sizeof(data), NULL, &n), SAR_KEYNOTFOUNTERR);
	assert_int_equal(m->GenRSAKeyPair(con, 512, &key), SAR_RSAMODULUSLENERR);
	ok(m->GenRSAKeyPair(con, BITS, &key));
	assert_int_equal(key.BitLen, BITS);
	ok(m->GetContainerType(con, &type));
	assert_int_equal(type, CONTAINER_RSA);
	assert_int_equal(m->GenECCKeyPair(con, SGD_SM2_1, &ecc), SAR_KEYINFOTYPEERR);
	n = 0;
	ok(m->ExportPublicKey(con, TRUE, NULL, &n));
	assert_int_equal(n, sizeof(out));
	ok(m->ExportPublicKey(con, TRUE, (BYTE *)&out, &n));
	assert_memory_equal(&key, &out, sizeof(key));
	ok(m->RSASignData(con, data, sizeof(data), NULL, &n));
	assert_int_equal(n, LEN);
	n--;
	assert_int_equal(m->RSASignData(con, data, sizeof(data), sig, &n), SAR_BUFFER_TOO_SMALL);
	ok(m->RSASignData(con, data, sizeof(data), sig, &n));
	assert_true(openssl_verifies(&key, data, sizeof(data), sig));
	ok(m->RSAVerify(h, &key, data, sizeof(data), sig, n));
	data[3] ^= 1;
	assert_int_not_equal(m->RSAVerify(h, &key, data, sizeof(data), sig, n), SAR_OK);
	assert_int_equal(m->RSAVerify(h, &key, data, sizeof(data), sig, 20), SAR_INDATALENERR);
	assert_int_equal(m->RSASignData(con, sig, LEN - 10, sig, &n), SAR_INDATALENERR);
	key.BitLen = 2047;
	assert_int_not_equal(m->RSAVerify(h, &key, data, sizeof(data), sig, n), SAR_OK);
	assert_int_equal(
	    m->ECCSignData(con, data, 32, (ECCSIGNATUREBLOB *)(void *)sig), SAR_KEYINFOTYPEERR);
	ok(m->ClearSecureState(app));
	assert_int_equal(m->RSASignData(con, data, sizeof(data), sig, &n), SAR_USER_NOT_LOGGED_IN);
	assert_int_equal(m->GenRSAKeyPair(con, BITS, &key), SAR_USER_NOT_LOGGED_IN);
	done(h);
}

/* RSAPrivateKey of a new pair under SM4-ECB; *n bytes. */
static void
wrapped_pair(const uint8_t kek[16], RSAPUBLICKEYBLOB *public, uint8_t out[2048], ULONG *n)
{
	EVP_PKEY *key = EVP_RSA_gen(BITS);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *der = NULL;
	BIGNUM *modulus = NULL;
	int len = i2d_PrivateKey(key, &der), a = 0, b = 0;

	assert_true(len > 0 && len < 1900);
	assert_int_equal(EVP_PKEY_get_bn_param(key, "n", &modulus), 1);
	memset(public, 0, sizeof(*public));
	public->AlgID = SGD_RSA;
	public->BitLen = BITS;
	assert_int_equal(BN_bn2binpad(modulus, public->Modulus, LEN), LEN);
	memcpy(public->PublicExponent, "\0\1\0\1", 4);
	assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_sm4_ecb(), NULL, kek, NULL), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, out, &a, der, len), 1);
	assert_int_equal(EVP_EncryptFinal_ex(ctx, out + a, &b), 1);
	*n = (ULONG)(a + b);
	BN_free(modulus);
	OPENSSL_free(der);
	EVP_CIPHER_CTX_free(ctx);
	EVP_PKEY_free(key);
}

static void
imports(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	uint8_t kek[16] = { 5 }, wrapped[LEN], pair[2048], text[LEN] = { 0, 1, 2 }, out[LEN];
	RSAPUBLICKEYBLOB sign, enc, got;
	HCONTAINER con;
	HANDLE k;
	ULONG n, size = sizeof(got);

	(void)state;
	log_in(app);
	ok(m->CreateContainer(app, S("r"), &con));
	wrapped_pair(kek, &enc, pair, &n);
	assert_int_equal(
	    m->ImportRSAKeyPair(con, SGD_SM4_ECB, wrapped, LEN, pair, n), SAR_KEYNOTFOUNTERR);
	ok(m->GenRSAKeyPair(con, BITS, &sign));
	wrap(&sign, kek, sizeof(kek), RSA_PKCS1_PADDING, wrapped);
	assert_int_equal(
	    m->ImportRSAKeyPair(con, SGD_SM1_ECB, wrapped, LEN, pair, n), SAR_NOTSUPPORTYETERR);
	assert_int_equal(
	    m->ImportRSAKeyPair(con, SGD_SM4_ECB, wrapped, LEN - 1, pair, n), SAR_INDATALENERR);
	assert_int_equal(
	    m->ImportRSAKeyPair(con, SGD_SM4_ECB, wrapped, LEN, pair, n - 1), SAR_INDATALENERR);
	pair[100] ^= 1;
	assert_int_not_equal(m->ImportRSAKeyPair(con, SGD_SM4_ECB, wrapped, LEN, pair, n), SAR_OK);
	pair[100] ^= 1;
	ok(m->ImportRSAKeyPair(con, SGD_SM4_ECB, wrapped, LEN, pair, n));
	ok(m->ExportPublicKey(con, FALSE, (BYTE *)&got, &size));
	assert_memory_equal(&got, &enc, sizeof(enc));
	/* what is wrapped for it opens */
	wrap(&enc, kek, sizeof(kek), RSA_PKCS1_PADDING, wrapped);
	ok(m->ImportSessionKey(con, SGD_SM4_ECB, wrapped, LEN, &k));
	assert_int_equal(
	    m->ImportSessionKey(con, SGD_SM4_ECB, wrapped, LEN - 1, &k), SAR_INDATALENERR);
	wrapped[9] ^= 1;
	assert_int_not_equal(m->ImportSessionKey(con, SGD_SM4_ECB, wrapped, LEN, &k), SAR_OK);
	if (m->RSAPrvKeyDecrypt != NULL) {
		wrap(&enc, text, LEN, RSA_NO_PADDING, wrapped);
		n = LEN;
		ok(m->RSAPrvKeyDecrypt(con, wrapped, LEN, out, &n));
		assert_memory_equal(out, text, LEN);
	}
	done(h);
}

static void
exports(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	uint8_t kek[16] = { 5 }, wrapped[LEN], pair[2048], in[16] = { 1 }, a[16], b[16];
	BLOCKCIPHERPARAM none = { 0 };
	RSAPUBLICKEYBLOB sign, enc;
	HCONTAINER con;
	HANDLE k, again;
	ULONG n;

	(void)state;
	log_in(app);
	ok(m->CreateContainer(app, S("r"), &con));
	ok(m->GenRSAKeyPair(con, BITS, &sign));
	wrapped_pair(kek, &enc, pair, &n);
	wrap(&sign, kek, sizeof(kek), RSA_PKCS1_PADDING, wrapped);
	ok(m->ImportRSAKeyPair(con, SGD_SM4_ECB, wrapped, LEN, pair, n));
	n = 0;
	ok(m->RSAExportSessionKey(con, SGD_SM4_ECB, &enc, NULL, &n, &k));
	assert_int_equal(n, LEN);
	n = 100;
	assert_int_equal(
	    m->RSAExportSessionKey(con, SGD_SM4_ECB, &enc, wrapped, &n, &k), SAR_BUFFER_TOO_SMALL);
	ok(m->RSAExportSessionKey(con, SGD_SM4_ECB, &enc, wrapped, &n, &k));
	ok(m->ImportSessionKey(con, SGD_SM4_ECB, wrapped, n, &again));
	n = 16;
	ok(m->EncryptInit(k, none));
	ok(m->Encrypt(k, in, 16, a, &n));
	ok(m->EncryptInit(again, none));
	ok(m->Encrypt(again, in, 16, b, &n));
	assert_memory_equal(a, b, 16);
	n = LEN;
	assert_int_equal(
	    m->RSAExportSessionKey(con, SGD_SM1_ECB, &enc, wrapped, &n, &k), SAR_NOTSUPPORTYETERR);
	memset(enc.Modulus, 0, sizeof(enc.Modulus));
	assert_int_not_equal(
	    m->RSAExportSessionKey(con, SGD_SM4_ECB, &enc, wrapped, &n, &k), SAR_OK);
	if (m->ExtRSAPubKeyOperation != NULL)
		assert_int_not_equal(
		    m->ExtRSAPubKeyOperation(h, &enc, wrapped, LEN, wrapped, &n), SAR_OK);
	done(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs),
		cmocka_unit_test(imports),
		cmocka_unit_test(exports),
	};

	return cmocka_run_group_tests(tests, place_open, place_close);
}
