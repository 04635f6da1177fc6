/* GM/T 0016-2012 section 7.2, and the challenge of section 8.2. */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "soft/call.h"
#include "soft/limits.h"
#include "soft/pin.h"

ULONG DEVAPI
SKF_GenRandom(DEVHANDLE hDev, BYTE *pbRandom, ULONG ulRandomLen)
{
	struct call c;
	ULONG rv;

	if (pbRandom == NULL)
		return SAR_INVALIDPARAMERR;
	if (ulRandomLen == 0 || ulRandomLen > RANDOM_MAX)
		return SAR_INDATALENERR;
	rv = call_begin(&c, __func__, hDev, KIND_DEVICE, CALL_MEMORY);
	if (rv != SAR_OK)
		return rv;
	if (RAND_bytes(pbRandom, (int)ulRandomLen) != 1)
		rv = SAR_GENRANDERR;
	c.o->challenged = rv == SAR_OK && ulRandomLen == sizeof(c.o->challenge);
	if (c.o->challenged)
		memcpy(c.o->challenge, pbRandom, sizeof(c.o->challenge));
	return call_end(&c, rv);
}

/* The challenge, zeroes after it, under the authentication key. */
static bool
right_answer(const struct state *s, const uint8_t challenge[8], uint8_t out[16])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t block[16] = { 0 };
	int n = 0;
	bool ok;

	memcpy(block, challenge, 8);
	ok = ctx != NULL && EVP_EncryptInit_ex(ctx, EVP_sm4_ecb(), NULL, s->auth_key, NULL) == 1 &&
	     EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	     EVP_EncryptUpdate(ctx, out, &n, block, sizeof(block)) == 1 && n == 16;
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

ULONG DEVAPI
SKF_DevAuth(DEVHANDLE hDev, BYTE *pbAuthData, ULONG ulLen)
{
	uint8_t right[16];
	struct call c;
	ULONG rv;

	if (pbAuthData == NULL)
		return SAR_INVALIDPARAMERR;
	if (ulLen != sizeof(right))
		return SAR_INDATALENERR;
	rv = call_begin(&c, __func__, hDev, KIND_DEVICE, 0);
	if (rv != SAR_OK)
		return rv;
	if (!c.o->challenged)
		rv = SAR_NOTINITIALIZEERR;
	else if (!right_answer(c.state, c.o->challenge, right) ||
		 CRYPTO_memcmp(right, pbAuthData, sizeof(right)) != 0)
		rv = SAR_FAIL;
	c.o->challenged = false; /* one answer to each */
	c.o->authenticated = rv == SAR_OK;
	OPENSSL_cleanse(right, sizeof(right));
	return call_end(&c, rv);
}

ULONG DEVAPI
SKF_ChangeDevAuthKey(DEVHANDLE hDev, BYTE *pbKeyValue, ULONG ulKeyLen)
{
	struct call c;
	ULONG rv;

	if (pbKeyValue == NULL)
		return SAR_INVALIDPARAMERR;
	if (ulKeyLen != AUTH_KEY_LEN)
		return SAR_INDATALENERR;
	rv = call_begin(&c, __func__, hDev, KIND_DEVICE, CALL_AUTH | CALL_WRITE);
	if (rv != SAR_OK)
		return rv;
	memcpy(c.state->auth_key, pbKeyValue, AUTH_KEY_LEN);
	return call_end(&c, call_save(&c));
}

ULONG DEVAPI
SKF_GetPINInfo(HAPPLICATION hApplication, ULONG ulPINType, ULONG *pulMaxRetryCount,
    ULONG *pulRemainRetryCount, BOOL *pbDefaultPin)
{
	uint8_t left[2];
	struct call c;
	ULONG rv;

	if (ulPINType != ADMIN_TYPE && ulPINType != USER_TYPE)
		return SAR_USER_TYPE_INVALID;
	if (pulMaxRetryCount == NULL || pulRemainRetryCount == NULL || pbDefaultPin == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hApplication, KIND_APP, 0);
	if (rv != SAR_OK)
		return rv;
	rv = disk_tries(&c.device->disk, c.app, left);
	if (rv == SAR_OK) {
		*pulMaxRetryCount = c.app->pins[ulPINType].tries;
		*pulRemainRetryCount = left[ulPINType];
		*pbDefaultPin = c.app->pins[ulPINType].initial != 0 ? TRUE : FALSE;
	}
	return call_end(&c, rv);
}

/* The PIN was right: is what its master key protects unchanged? */
static ULONG
try_pin(struct call *c, ULONG type, const char *pin, ULONG *left, struct uk_secret **master)
{
	ULONG rv = pin_try(&c->device->disk, c->app, type, pin, left, master);

	if (rv != SAR_OK)
		return rv;
	rv = vault_check(c->app, *master);
	if (rv != SAR_OK)
		uk_secret_free(master);
	return rv;
}

/* Takes master. */
static void
log_in(struct call *c, ULONG type, struct uk_secret **master)
{
	struct login *l = device_login_new(c->device, c->app->id);

	if (l->master == NULL) {
		l->master = *master;
		*master = NULL;
	} else {
		uk_secret_free(master);
	}
	l->checked = c->device->disk.stamp;
	l->may[type] = true;
}

/* A wrong PIN ends what the same PIN had given. */
static void
log_out(struct login *l, ULONG type)
{
	if (l == NULL)
		return;
	l->may[type] = false;
	if (!l->may[ADMIN_TYPE] && !l->may[USER_TYPE])
		login_end(l);
}

ULONG DEVAPI
SKF_VerifyPIN(HAPPLICATION hApplication, ULONG ulPINType, LPSTR szPIN, ULONG *pulRetryCount)
{
	struct uk_secret *master = NULL;
	struct call c;
	ULONG rv = pin_possible(szPIN);

	if (ulPINType != ADMIN_TYPE && ulPINType != USER_TYPE)
		return SAR_USER_TYPE_INVALID;
	if (rv != SAR_OK || pulRetryCount == NULL)
		return rv != SAR_OK ? rv : SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hApplication, KIND_APP, CALL_WRITE);
	if (rv != SAR_OK)
		return rv;
	rv = try_pin(&c, ulPINType, szPIN, pulRetryCount, &master);
	if (rv == SAR_OK)
		log_in(&c, ulPINType, &master);
	else if (rv == SAR_PIN_INCORRECT || rv == SAR_PIN_LOCKED)
		log_out(c.login, ulPINType);
	return call_end(&c, rv);
}

/* The master key under another PIN, and saved. */
static ULONG
set_pin(struct call *c, ULONG type, const char *pin, bool initial, const struct uk_secret *master)
{
	ULONG rv = vault_wrap(c->app, type, pin, master);

	c->app->pins[type].initial = initial;
	if (rv == SAR_OK)
		rv = vault_protect(c->app, master);
	return rv == SAR_OK ? call_save(c) : rv;
}

ULONG DEVAPI
SKF_ChangePIN(HAPPLICATION hApplication, ULONG ulPINType, LPSTR szOldPin, LPSTR szNewPin,
    ULONG *pulRetryCount)
{
	struct uk_secret *master = NULL;
	struct call c;
	ULONG rv = pin_possible(szOldPin);

	if (ulPINType != ADMIN_TYPE && ulPINType != USER_TYPE)
		return SAR_USER_TYPE_INVALID;
	if (rv == SAR_OK)
		rv = pin_possible(szNewPin);
	if (rv != SAR_OK || pulRetryCount == NULL)
		return rv != SAR_OK ? rv : SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hApplication, KIND_APP, CALL_WRITE);
	if (rv != SAR_OK)
		return rv;
	rv = try_pin(&c, ulPINType, szOldPin, pulRetryCount, &master);
	if (rv == SAR_OK)
		rv = set_pin(&c, ulPINType, szNewPin,
		    c.app->pins[ulPINType].initial != 0 && strcmp(szOldPin, szNewPin) == 0, master);
	else if (rv == SAR_PIN_INCORRECT || rv == SAR_PIN_LOCKED)
		log_out(c.login, ulPINType);
	uk_secret_free(&master);
	return call_end(&c, rv);
}

ULONG DEVAPI
SKF_UnblockPIN(
    HAPPLICATION hApplication, LPSTR szAdminPIN, LPSTR szNewUserPIN, ULONG *pulRetryCount)
{
	struct uk_secret *master = NULL;
	struct call c;
	ULONG rv = pin_possible(szAdminPIN);

	if (rv == SAR_OK)
		rv = pin_possible(szNewUserPIN);
	if (rv != SAR_OK || pulRetryCount == NULL)
		return rv != SAR_OK ? rv : SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hApplication, KIND_APP, CALL_WRITE);
	if (rv != SAR_OK)
		return rv;
	rv = try_pin(&c, ADMIN_TYPE, szAdminPIN, pulRetryCount, &master);
	/* The tries come last: a crash before leaves it locked, and unblocking works again. */
	if (rv == SAR_OK)
		rv = set_pin(&c, USER_TYPE, szNewUserPIN, false, master);
	if (rv == SAR_OK)
		rv = pin_reset_tries(&c.device->disk, c.app, USER_TYPE);
	uk_secret_free(&master);
	return call_end(&c, rv);
}

ULONG DEVAPI
SKF_ClearSecureState(HAPPLICATION hApplication)
{
	struct call c;
	const ULONG rv = call_begin(&c, __func__, hApplication, KIND_APP, 0);

	if (rv != SAR_OK)
		return rv;
	if (c.login != NULL)
		login_end(c.login);
	return call_end(&c, SAR_OK);
}
