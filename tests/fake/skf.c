/*
 * A small SKF module (GM/T 0016) that is wrong on purpose, in one way each time it is built: FLAW.
 * It knows our header only by hearsay, as vendors' modules do.  One device "FAKE" with one
 * application "APP", user PIN 123456, admin PIN 87654321, ten tries, all in memory.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

/* They are found by name, and what they are declared as elsewhere is not what they are. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

enum flaw {
	NONE,
	WIDE,         /* ULONG has 64 bits */
	WIDE_BLOBS,   /* … in structures only */
	PADDED,       /* structures are aligned as the compiler likes */
	SIZES,        /* sizes asked for are too small, too large, or those of files */
	OVERRUN,      /* writes more than it says */
	DOUBLE_HASH,  /* signs the digest of the digest */
	OFF_CURVE,    /* its key is no point of the curve */
	OPEN_LOCKED,  /* takes the PIN after the lock-out, and says nothing is left */
	CODES,        /* error codes of its own */
	EACH_USE,     /* wants the PIN before each signature (no flaw: GM/T 0027 section 9.2) */
	CRASHES,      /* in a signature */
	BLOCKS,       /* in a signature, for ever */
	BLOCKS_FIRST, /* in the very first call */
	INCOMPLETE,   /* has no SKF_VerifyPIN */
	STAYS_OPEN,   /* once opened, it is never closed, and looks at no PIN any more */
};

#define IS(f) (FLAW == (f))

#if FLAW == 1
typedef unsigned long U;
#else
typedef uint32_t U;
#endif

#define TRIES      10
#define PIN        "123456"
#define ADMIN_PIN  "87654321"
#define CONTAINERS 4
#define CERT_MAX   4096

enum {
	OK = 0,
	FAIL = 0x0A000001,
	NO_KEY = 0x0A00001B,
	NO_CERT = 0x0A00001C,
	SMALL = 0x0A000020,
	WRONG = IS(CODES) ? 0x0A000029 : 0x0A000024,
	LOCKED = IS(CODES) ? 0x0A00002A : 0x0A000025,
	ALREADY = 0x0A000028,
	OUT = 0x0A00002D,
	FULL = 0x0A000032,
};

#if FLAW != 3
#pragma pack(push, 1)
#endif
struct info {
	uint8_t version[2];
	char maker[64], issuer[64], label[32], serial[32];
	uint8_t hardware[2], firmware[2];
	U sym, asym, hash, auth, space, left, max_ecc, max;
	uint8_t reserved[64];
};

struct point {
	U bits;
	uint8_t x[64], y[64];
};
#if FLAW != 3
#pragma pack(pop)
#endif

struct signature {
	uint8_t r[64], s[64];
};

struct container {
	char name[65];
	EVP_PKEY *key;
	uint8_t cert[CERT_MAX];
	U n_cert;
};

static struct {
	U tries, admin_tries;
	bool in;
	char pin[32], admin[32];
	struct container c[CONTAINERS];
} fake = { .tries = TRIES, .admin_tries = TRIES, .pin = PIN, .admin = ADMIN_PIN };

static U
put_list(const char *names, U n, char *out, U *size)
{
	const U have = *size;

	*size = IS(SIZES) ? n - 1 : n;
	if (out == NULL)
		return OK;
	if (have < *size)
		return SMALL;
	memcpy(out, names, *size);
	return OK;
}

U
SKF_EnumDev(int present, char *names, U *size)
{
	(void)present;
	while (IS(BLOCKS_FIRST))
		(void)pause();
	return put_list("FAKE\0", 6, names, size);
}

U
SKF_ConnectDev(char *name, void **dev)
{
	(void)name;
	*dev = &fake;
	return OK;
}

U
SKF_DisConnectDev(void *dev)
{
	(void)dev;
	return OK;
}

U
SKF_GetDevInfo(void *dev, struct info *out)
{
	(void)dev;
	memset(out, 0, sizeof(*out));
	memcpy(out->maker, "Fake", 5);
	memcpy(out->label, "fake", 5);
	memcpy(out->serial, "F1", 3);
	out->asym = 0x00020700;
	out->auth = 0x401;
	return OK;
}

U
SKF_EnumApplication(void *dev, char *names, U *size)
{
	(void)dev;
	return put_list("APP\0", 5, names, size);
}

U
SKF_OpenApplication(void *dev, char *name, void **app)
{
	(void)dev;
	(void)name;
	*app = &fake;
	return OK;
}

U
SKF_CloseApplication(void *app)
{
	(void)app;
	return OK;
}

U
SKF_ClearSecureState(void *app)
{
	(void)app;
	fake.in = IS(STAYS_OPEN) && fake.in;
	return OK;
}

U
SKF_GetPINInfo(void *app, U type, U *most, U *left, int *first)
{
	(void)app;
	*most = TRIES;
	*left = type == 1 ? fake.tries : fake.admin_tries;
	*first = 0;
	return OK;
}

static U
check(const char *pin, const char *right, U *tries, U *left)
{
	if (*tries == 0 && !IS(OPEN_LOCKED)) {
		*left = 0;
		return LOCKED;
	}
	if (strcmp(pin, right) != 0) {
		*left = *tries == 0 ? 0 : --*tries;
		return *left == 0 ? LOCKED : WRONG;
	}
	if (*tries != 0)
		*tries = TRIES;
	return OK;
}

#if FLAW != 14
U
SKF_VerifyPIN(void *app, U type, char *pin, U *left)
{
	U rc;

	(void)app;
	if (IS(STAYS_OPEN) && fake.in)
		return ALREADY;
	if (type != 1)
		return check(pin, fake.admin, &fake.admin_tries, left);
	rc = check(pin, fake.pin, &fake.tries, left);
	fake.in = rc == OK;
	return rc;
}
#endif

U
SKF_UnblockPIN(void *app, char *admin, char *pin, U *left)
{
	const U rc = check(admin, fake.admin, &fake.admin_tries, left);

	(void)app;
	if (rc == OK) {
		strncpy(fake.pin, pin, sizeof(fake.pin) - 1);
		fake.tries = TRIES;
	}
	return rc;
}

/* --- containers --- */

U
SKF_EnumContainer(void *app, char *out, U *size)
{
	char names[CONTAINERS * 66] = "";
	U n = 0;

	(void)app;
	for (int i = 0; i < CONTAINERS; i++)
		if (fake.c[i].name[0] != '\0') {
			memcpy(names + n, fake.c[i].name, strlen(fake.c[i].name) + 1);
			n += (U)strlen(fake.c[i].name) + 1;
		}
	return put_list(names, n + 1, out, size);
}

static struct container *
named(const char *name)
{
	for (int i = 0; i < CONTAINERS; i++)
		if (strcmp(fake.c[i].name, name) == 0)
			return &fake.c[i];
	return NULL;
}

U
SKF_CreateContainer(void *app, char *name, void **out)
{
	struct container *c = named("");

	(void)app;
	if (!fake.in)
		return OUT;
	if (c == NULL || strlen(name) >= sizeof(c->name))
		return FULL;
	memcpy(c->name, name, strlen(name) + 1);
	*out = c;
	return OK;
}

U
SKF_DeleteContainer(void *app, char *name)
{
	struct container *c = named(name);

	(void)app;
	if (c == NULL)
		return FAIL;
	EVP_PKEY_free(c->key);
	*c = (struct container){ 0 };
	return OK;
}

U
SKF_OpenContainer(void *app, char *name, void **out)
{
	(void)app;
	*out = named(name);
	return *out != NULL ? OK : FAIL;
}

U
SKF_CloseContainer(void *c)
{
	(void)c;
	return OK;
}

U
SKF_ImportCertificate(struct container *c, int sign, uint8_t *der, U n)
{
	if (!fake.in)
		return OUT;
	if (sign == 0 || n > CERT_MAX)
		return FAIL;
	memcpy(c->cert, der, n);
	c->n_cert = n;
	return OK;
}

U
SKF_ExportCertificate(struct container *c, int sign, uint8_t *out, U *n)
{
	const U have = *n;

	if (sign == 0 || c->n_cert == 0)
		return NO_CERT;
	*n = IS(SIZES) ? CERT_MAX : c->n_cert;
	if (out == NULL)
		return OK;
	if (have < *n)
		return SMALL;
	memcpy(out, c->cert, *n);
	if (IS(OVERRUN))
		memset(out + *n, 0xaa, 2000);
	return OK;
}

/* --- keys --- */

static void
put_point(EVP_PKEY *key, struct point *out)
{
	uint8_t p[65];
	size_t n = 0;

	(void)EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, p, sizeof(p), &n);
	memset(out, 0, sizeof(*out));
	out->bits = 256;
	memcpy(out->x + 32, p + 1, 32);
	memcpy(out->y + 32, p + 33, 32);
	if (IS(OFF_CURVE))
		out->y[63] ^= 1;
}

U
SKF_GenECCKeyPair(struct container *c, U alg, struct point *out)
{
	if (!fake.in)
		return OUT;
	if (alg != 0x00020200)
		return FAIL;
	EVP_PKEY_free(c->key);
	c->key = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
	put_point(c->key, out);
	return OK;
}

U
SKF_ExportPublicKey(struct container *c, int sign, uint8_t *out, U *n)
{
	struct point p;
	const U have = *n;

	if (sign == 0 || c->key == NULL)
		return NO_KEY;
	*n = IS(SIZES) ? 256 : IS(WIDE_BLOBS) ? 136 : sizeof(p);
	if (out == NULL)
		return OK;
	if (have < *n)
		return SMALL;
	put_point(c->key, &p);
	memcpy(out, &p, sizeof(p));
	if (IS(OVERRUN))
		memset(out + sizeof(p), 0xaa, 500);
	return OK;
}

static bool
sign_e(EVP_PKEY *key, const uint8_t *e, struct signature *out)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	uint8_t der[80];
	const uint8_t *p = der;
	size_t n = sizeof(der);
	ECDSA_SIG *sig = NULL;
	bool ok;

	memset(out, 0, sizeof(*out));
	if (EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_sign(ctx, der, &n, e, 32) == 1)
		sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
	ok = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out->r + 32, 32) == 32 &&
	     BN_bn2binpad(ECDSA_SIG_get0_s(sig), out->s + 32, 32) == 32;
	ECDSA_SIG_free(sig);
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

U
SKF_ECCSignData(struct container *c, uint8_t *data, U n, struct signature *out)
{
	uint8_t e[32];

	if (IS(CRASHES))
		abort();
	while (IS(BLOCKS))
		(void)pause();
	if (!fake.in)
		return OUT;
	if (c->key == NULL || n != sizeof(e))
		return FAIL;
	memcpy(e, data, sizeof(e));
	if (IS(DOUBLE_HASH) && EVP_Digest(data, n, e, NULL, EVP_sm3(), NULL) != 1)
		return FAIL;
	if (IS(EACH_USE))
		fake.in = false;
	if (!sign_e(c->key, e, out))
		return FAIL;
	if (IS(OVERRUN))
		memset(out + 1, 0xaa, 500);
	return OK;
}
