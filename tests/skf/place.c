#include <stdio.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "place.h"

static struct place the;

struct place *
place(void)
{
	return &the;
}

static void
run(const char *command)
{
	assert_int_equal(system(command), 0);
}

void
place_pull(void)
{
	run(the.remove);
}

void
place_plug(void)
{
	run(the.insert);
}

static char *
text(const char *a, const char *b, const char *c)
{
	char *out = malloc(strlen(a) + strlen(b) + strlen(c) + 1);

	assert_non_null(out);
	memcpy(out, a, strlen(a));
	memcpy(out + strlen(a), b, strlen(b));
	memcpy(out + strlen(a) + strlen(b), c, strlen(c) + 1);
	return out;
}

/* A virtual UKEY in a new folder. */
static void
make_own(void)
{
	static char folder[] = "/tmp/skf-test-XXXXXX";
	static const char key[] = "00112233445566778899aabbccddeeff";
	char *file;
	FILE *f;

	assert_non_null(mkdtemp(folder));
	the.folder = folder;
	assert_int_equal(setenv("UKEY_SOFT_DIR", folder, 1), 0);
	file = text(folder, "/key", "");
	f = fopen(file, "w");
	assert_non_null(f);
	assert_true(fputs(key, f) > 0);
	assert_int_equal(fclose(f), 0);
	free(file);
	file = text(UKEY " soft create one --serial 1 --auth-key-file ", folder, "/key");
	run(file);
	free(file);
	assert_int_equal(setenv("SKF_AUTH_KEY", key, 1), 0);
	the.remove = UKEY " soft remove one";
	the.insert = UKEY " soft insert one";
	place_plug();
}

int
place_open(void **state)
{
	const char *module = getenv("SKF_MODULE");
	const char *key;
	unsigned v;

	(void)state;
	the.software = module == NULL;
	if (the.software) {
		module = OUR_MODULE;
		make_own();
	} else {
		the.remove = getenv("SKF_REMOVE");
		the.insert = getenv("SKF_INSERT");
	}
	key = getenv("SKF_AUTH_KEY");
	assert_non_null(key);
	assert_int_equal(strlen(key), 32);
	for (int i = 0; i < 16; i++) {
		assert_int_equal(sscanf(key + 2 * i, "%2x", &v), 1);
		the.auth_key[i] = (uint8_t)v;
	}
	return skf_load(module, &the.m) ? 0 : 1;
}

int
place_close(void **state)
{
	char *command;

	(void)state;
	skf_unload(&the.m);
	if (the.folder != NULL) {
		command = text("rm -rf ", the.folder, "");
		run(command);
		free(command);
	}
	return 0;
}

DEVHANDLE
connected(void)
{
	DEVHANDLE h = NULL;
	char names[1024];
	ULONG n = sizeof(names);

	ok(the.m.EnumDev(TRUE, names, &n));
	assert_true(names[0] != '\0' && strlen(names) < sizeof(the.name));
	memcpy(the.name, names, strlen(names) + 1);
	ok(the.m.ConnectDev(the.name, &h));
	return h;
}

void
authenticate(DEVHANDLE h)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t challenge[16] = { 0 }, answer[32];
	int n;

	ok(the.m.GenRandom(h, challenge, 8));
	assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_sm4_ecb(), NULL, the.auth_key, NULL), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, answer, &n, challenge, 16), 1);
	EVP_CIPHER_CTX_free(ctx);
	ok(the.m.DevAuth(h, answer, 16));
}

HAPPLICATION
application(DEVHANDLE h)
{
	HAPPLICATION app = NULL;

	authenticate(h);
	(void)the.m.DeleteApplication(h, S(APP));
	ok(the.m.CreateApplication(
	    h, S(APP), S(ADMIN), TRIES, S(USER), TRIES, SECURE_USER_ACCOUNT, &app));
	return app;
}

HCONTAINER
dual_container(HAPPLICATION app, const char *name, ECCPUBLICKEYBLOB *sign, ECCPUBLICKEYBLOB *enc)
{
	HCONTAINER con = signing_container(app, name, sign);
	uint8_t d[32], blob[ENVELOPE_LEN];

	key_pair(d, enc);
	envelope(sign, d, enc, LAYOUT_RIGHT, blob);
	ok(the.m.ImportECCKeyPair(con, (ENVELOPEDKEYBLOB *)(void *)blob));
	return con;
}

void
log_in(HAPPLICATION app)
{
	ULONG left = 0;

	ok(the.m.VerifyPIN(app, USER_TYPE, S(USER), &left));
}

HCONTAINER
signing_container(HAPPLICATION app, const char *name, ECCPUBLICKEYBLOB *key)
{
	HCONTAINER con = NULL;

	ok(the.m.CreateContainer(app, S(name), &con));
	ok(the.m.GenECCKeyPair(con, SGD_SM2_1, key));
	return con;
}

void
done(DEVHANDLE h)
{
	authenticate(h);
	ok(the.m.DeleteApplication(h, S(APP)));
	ok(the.m.DisConnectDev(h));
}
