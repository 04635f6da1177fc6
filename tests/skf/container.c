/* Containers, SM2 key pairs, signatures, certificates and the envelope of the encryption pair. */
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "place.h"

static const uint8_t e[32] = { 0xf0, 0xb4, 0x3e, 0x94, 0xba, 0x45, 0xac, 0xca, 0xac, 0xe6, 0x92,
	0xed, 0x53, 0x43, 0x82, 0xeb, 0x17, 0xe6, 0xab, 0x5a, 0x19, 0xce, 0x7b, 0x31, 0xf4, 0x48,
	0x6f, 0xdf, 0xc0, 0xd2, 0x86, 0x40 };

/* The list has the names in any order. */
static void
has_names(const char *list, ULONG n, const char *a, const char *b)
{
	const char *p = list;
	bool found_a = a == NULL, found_b = b == NULL;

	assert_int_equal(list[n - 1], '\0');
	for (; *p != '\0'; p += strlen(p) + 1) {
		found_a |= a != NULL && strcmp(p, a) == 0;
		found_b |= b != NULL && strcmp(p, b) == 0;
	}
	assert_true(found_a && found_b);
	assert_ptr_equal(p, list + n - (a == NULL && b == NULL ? 2 : 1));
}

static void
made_and_listed(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	HCONTAINER con, again;
	char names[64];
	ULONG n = 0, type = 9;

	(void)state;
	log_in(app);
	ok(m->EnumContainer(app, NULL, &n));
	assert_in_range(n, 1, sizeof(names));
	ok(m->EnumContainer(app, names, &n));
	has_names(names, n, NULL, NULL);
	ok(m->CreateContainer(app, S("one"), &con));
	ok(m->CreateContainer(app, S("\xe4\xba\x8c"), &again));
	ok(m->GetContainerType(con, &type));
	assert_int_equal(type, CONTAINER_EMPTY);
	n = 0;
	ok(m->EnumContainer(app, NULL, &n));
	assert_int_equal(n, 4 + 4 + 1);
	n--;
	assert_int_equal(m->EnumContainer(app, names, &n), SAR_BUFFER_TOO_SMALL);
	assert_int_equal(n, 9);
	ok(m->EnumContainer(app, names, &n));
	has_names(names, n, "one", "\xe4\xba\x8c");
	assert_int_not_equal(m->CreateContainer(app, S("one"), &again), SAR_OK);
	assert_int_equal(m->CreateContainer(app, S(""), &again), SAR_NAMELENERR);
	assert_int_equal(
	    m->CreateContainer(app,
		S("12345678901234567890123456789012345678901234567890123456789012345"), &again),
	    SAR_NAMELENERR);
	assert_int_not_equal(m->OpenContainer(app, S("none"), &again), SAR_OK);
	ok(m->OpenContainer(app, S("one"), &again));
	ok(m->CloseContainer(again));
	assert_int_equal(m->GetContainerType(again, &type), SAR_INVALIDHANDLEERR);
	assert_int_equal(m->CloseContainer(again), SAR_INVALIDHANDLEERR);
	ok(m->DeleteContainer(app, S("one")));
	assert_int_equal(m->GetContainerType(con, &type), SAR_INVALIDHANDLEERR);
	assert_int_not_equal(m->DeleteContainer(app, S("one")), SAR_OK);
	done(h);
}

static void
signs(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	ECCPUBLICKEYBLOB key, out;
	ECCSIGNATUREBLOB sig, other;
	HCONTAINER con, empty;
	ULONG n = 0, type = 0;

	(void)state;
	log_in(app);
	con = signing_container(app, "c", &key);
	ok(m->GetContainerType(con, &type));
	assert_int_equal(type, CONTAINER_ECC);
	ok(m->ExportPublicKey(con, TRUE, NULL, &n));
	assert_int_equal(n, sizeof(out));
	n--;
	assert_int_equal(m->ExportPublicKey(con, TRUE, (BYTE *)&out, &n), SAR_BUFFER_TOO_SMALL);
	ok(m->ExportPublicKey(con, TRUE, (BYTE *)&out, &n));
	assert_memory_equal(&key, &out, sizeof(key));
	assert_int_equal(m->ExportPublicKey(con, FALSE, (BYTE *)&out, &n), SAR_KEYNOTFOUNTERR);
	ok(m->ECCSignData(con, (BYTE *)(uintptr_t)e, 32, &sig));
	assert_true(signature_ok(&key, e, &sig));
	ok(m->ECCVerify(h, &key, (BYTE *)(uintptr_t)e, 32, &sig));
	ok(m->ECCSignData(con, (BYTE *)(uintptr_t)e, 32, &other));
	assert_memory_not_equal(&sig, &other, sizeof(sig));
	sig.s[63] ^= 1;
	assert_int_not_equal(m->ECCVerify(h, &key, (BYTE *)(uintptr_t)e, 32, &sig), SAR_OK);
	assert_int_equal(m->ECCSignData(con, (BYTE *)(uintptr_t)e, 31, &sig), SAR_INDATALENERR);
	assert_int_equal(m->ECCVerify(h, &key, (BYTE *)(uintptr_t)e, 31, &other), SAR_INDATALENERR);
	key.XCoordinate[63] ^= 1; /* off the curve */
	assert_int_not_equal(m->ECCVerify(h, &key, (BYTE *)(uintptr_t)e, 32, &other), SAR_OK);
	assert_int_equal(m->GenECCKeyPair(con, SGD_SM2_3, &key), SAR_INVALIDPARAMERR);
	ok(m->CreateContainer(app, S("empty"), &empty));
	assert_int_equal(m->ECCSignData(empty, (BYTE *)(uintptr_t)e, 32, &sig), SAR_KEYNOTFOUNTERR);
	done(h);
}

/* GB/T 32918.2 with the recommended curve: the standard's own signature. */
static void
vector_verifies(void **state)
{
	DEVHANDLE h = connected();
	ECCPUBLICKEYBLOB key;
	ECCSIGNATUREBLOB sig = { 0 };
	uint8_t xy[64];

	(void)state;
	hex("09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
	    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13",
	    xy, 64);
	public_put(xy, &key);
	hex("F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3", sig.r + 32, 32);
	hex("B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA", sig.s + 32, 32);
	ok(place()->m.ECCVerify(h, &key, (BYTE *)(uintptr_t)e, 32, &sig));
	ok(place()->m.DisConnectDev(h));
}

static void
certificates(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	uint8_t sign[300] = { 0x30, 0x82, 0x01, 0x28 }, enc[5] = { 0x30, 3, 1, 2, 3 }, out[512];
	ECCPUBLICKEYBLOB key;
	HCONTAINER con;
	ULONG n = 0;

	(void)state;
	log_in(app);
	con = signing_container(app, "c", &key);
	assert_int_equal(m->ExportCertificate(con, TRUE, NULL, &n), SAR_CERTNOTFOUNTERR);
	ok(m->ImportCertificate(con, TRUE, sign, sizeof(sign)));
	ok(m->ImportCertificate(con, FALSE, enc, sizeof(enc)));
	ok(m->ExportCertificate(con, TRUE, NULL, &n));
	assert_int_equal(n, sizeof(sign));
	n = 100;
	assert_int_equal(m->ExportCertificate(con, TRUE, out, &n), SAR_BUFFER_TOO_SMALL);
	assert_int_equal(n, sizeof(sign));
	ok(m->ExportCertificate(con, TRUE, out, &n));
	assert_memory_equal(out, sign, sizeof(sign));
	n = sizeof(out);
	ok(m->ExportCertificate(con, FALSE, out, &n));
	assert_int_equal(n, sizeof(enc));
	assert_memory_equal(out, enc, sizeof(enc));
	assert_int_equal(m->ImportCertificate(con, TRUE, sign, 0), SAR_INDATALENERR);
	assert_int_equal(m->ImportCertificate(con, TRUE, NULL, 5), SAR_INVALIDPARAMERR);
	/* another signing pair: the old certificate is not its */
	ok(m->GenECCKeyPair(con, SGD_SM2_1, &key));
	assert_int_equal(m->ExportCertificate(con, TRUE, out, &n), SAR_CERTNOTFOUNTERR);
	done(h);
}

static void
opens_with(const struct skf *m, HCONTAINER con, const ECCPUBLICKEYBLOB *key)
{
	uint8_t wrapped[CIPHER_LEN(16)], session[16] = { 7, 7, 7 }, in[16] = { 1 }, there[16],
					 here[16];
	BLOCKCIPHERPARAM none = { 0 };
	HANDLE k, mine;
	ULONG n = 16;
	DEVHANDLE h = connected();

	encrypt_for(key, session, 16, (ECCCIPHERBLOB *)(void *)wrapped);
	ok(m->ImportSessionKey(con, SGD_SM4_ECB, wrapped, sizeof(wrapped), &k));
	ok(m->EncryptInit(k, none));
	ok(m->Encrypt(k, in, 16, there, &n));
	if (m->SetSymmKey != NULL) {
		ok(m->SetSymmKey(h, session, SGD_SM4_ECB, &mine));
		ok(m->EncryptInit(mine, none));
		ok(m->Encrypt(mine, in, 16, here, &n));
		assert_memory_equal(here, there, 16);
		ok(m->CloseHandle(mine));
	}
	ok(m->CloseHandle(k));
	wrapped[10 + 128] ^= 1; /* the hash */
	assert_int_not_equal(
	    m->ImportSessionKey(con, SGD_SM4_ECB, wrapped, sizeof(wrapped), &k), SAR_OK);
	ok(m->DisConnectDev(h));
}

/* All three places that CAs put the key in. */
static void
envelopes(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	uint8_t d[32], blob[ENVELOPE_LEN], text[20], sealed[CIPHER_LEN(20)];
	ENVELOPEDKEYBLOB *env = (ENVELOPEDKEYBLOB *)(void *)blob;
	ECCPUBLICKEYBLOB sign, enc, out;
	HCONTAINER con;
	ULONG n;

	(void)state;
	log_in(app);
	con = signing_container(app, "c", &sign);
	for (int layout = LAYOUT_RIGHT; layout <= LAYOUT_WHOLE; layout++) {
		key_pair(d, &enc);
		envelope(&sign, d, &enc, (enum layout)layout, blob);
		ok(m->ImportECCKeyPair(con, env));
		n = sizeof(out);
		ok(m->ExportPublicKey(con, FALSE, (BYTE *)&out, &n));
		assert_memory_equal(&enc, &out, sizeof(enc));
		opens_with(m, con, &enc);
	}
	if (m->ECCPrvKeyDecrypt != NULL) {
		encrypt_for(&enc, (const uint8_t *)"twenty bytes of text", 20,
		    (ECCCIPHERBLOB *)(void *)sealed);
		n = 0;
		ok(m->ECCPrvKeyDecrypt(con, (ECCCIPHERBLOB *)(void *)sealed, NULL, &n));
		assert_int_equal(n, 20);
		ok(m->ECCPrvKeyDecrypt(con, (ECCCIPHERBLOB *)(void *)sealed, text, &n));
		assert_memory_equal(text, "twenty bytes of text", 20);
		sealed[CIPHER_LEN(20) - 1] ^= 1;
		assert_int_not_equal(
		    m->ECCPrvKeyDecrypt(con, (ECCCIPHERBLOB *)(void *)sealed, text, &n), SAR_OK);
	}
	done(h);
}

static void
bad_envelopes(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	uint8_t d[32], blob[ENVELOPE_LEN], good[ENVELOPE_LEN];
	ENVELOPEDKEYBLOB *env = (ENVELOPEDKEYBLOB *)(void *)blob;
	ECCPUBLICKEYBLOB sign, enc, other;
	HCONTAINER con, empty;
	ULONG n = 0;

	(void)state;
	log_in(app);
	con = signing_container(app, "c", &sign);
	key_pair(d, &enc);
	envelope(&sign, d, &enc, LAYOUT_RIGHT, good);
	memcpy(blob, good, sizeof(blob));
	env->Version = 2;
	assert_int_equal(m->ImportECCKeyPair(con, env), SAR_INVALIDPARAMERR);
	memcpy(blob, good, sizeof(blob));
	env->ulSymmAlgID = SGD_SM1_ECB;
	assert_int_equal(m->ImportECCKeyPair(con, env), SAR_NOTSUPPORTYETERR);
	env->ulSymmAlgID = SGD_SM4_CBC;
	assert_int_equal(m->ImportECCKeyPair(con, env), SAR_INVALIDPARAMERR);
	memcpy(blob, good, sizeof(blob));
	env->ulBits = 255;
	assert_int_equal(m->ImportECCKeyPair(con, env), SAR_INDATALENERR);
	memcpy(blob, good, sizeof(blob));
	env->ECCCipherBlob.CipherLen = 0x7fffffff;
	assert_int_equal(m->ImportECCKeyPair(con, env), SAR_INDATALENERR);
	memcpy(blob, good, sizeof(blob));
	env->cbEncryptedPriKey[40] ^= 1; /* d that is not the public key's */
	assert_int_equal(m->ImportECCKeyPair(con, env), SAR_INDATAERR);
	key_pair(d, &other); /* a public key of another pair */
	memcpy(blob, good, sizeof(blob));
	env->PubKey = other;
	assert_int_equal(m->ImportECCKeyPair(con, env), SAR_INDATAERR);
	env->PubKey.XCoordinate[63] ^= 1;
	assert_int_equal(m->ImportECCKeyPair(con, env), SAR_INDATAERR);
	envelope(&other, d, &other, LAYOUT_RIGHT, blob); /* for another signing pair */
	assert_int_equal(m->ImportECCKeyPair(con, env), SAR_INDATAERR);
	ok(m->CreateContainer(app, S("empty"), &empty));
	memcpy(blob, good, sizeof(blob));
	assert_int_equal(m->ImportECCKeyPair(empty, env), SAR_KEYNOTFOUNTERR);
	assert_int_equal(m->ExportPublicKey(con, FALSE, NULL, &n), SAR_KEYNOTFOUNTERR);
	ok(m->ImportECCKeyPair(con, (ENVELOPEDKEYBLOB *)(void *)good));
	ok(m->ClearSecureState(app));
	assert_int_equal(m->ImportECCKeyPair(con, env), SAR_USER_NOT_LOGGED_IN);
	done(h);
}

static void
encrypts(void **state)
{
	const struct skf *m = &place()->m;
	static const uint8_t text[] = "encryption standard";
	DEVHANDLE h = connected();
	uint8_t sealed[CIPHER_LEN(sizeof(text)) + 1], d[32], back[sizeof(text)];
	ECCCIPHERBLOB *blob = (ECCCIPHERBLOB *)(void *)sealed;
	ECCPUBLICKEYBLOB key;

	(void)state;
	key_pair(d, &key);
	sealed[sizeof(sealed) - 1] = 0xee;
	ok(m->ExtECCEncrypt(h, &key, (BYTE *)(uintptr_t)text, sizeof(text), blob));
	assert_int_equal(sealed[sizeof(sealed) - 1], 0xee); /* not a byte more than needed */
	assert_int_equal(blob->CipherLen, sizeof(text));
	assert_true(decrypt_with(d, &key, blob, back, sizeof(text)));
	assert_memory_equal(back, text, sizeof(text));
	assert_int_equal(
	    m->ExtECCEncrypt(h, &key, (BYTE *)(uintptr_t)text, 0, blob), SAR_INDATALENERR);
	key.YCoordinate[63] ^= 1;
	assert_int_not_equal(
	    m->ExtECCEncrypt(h, &key, (BYTE *)(uintptr_t)text, sizeof(text), blob), SAR_OK);
	ok(m->DisConnectDev(h));
}

#define EACH 6

/* EACH containers of its own, with a key that signs; the number that went wrong. */
static int
make_some(const char *whose)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = NULL;
	ECCPUBLICKEYBLOB key;
	ECCSIGNATUREBLOB sig;
	char name[32];
	ULONG left;
	int bad = 0;

	bad += m->OpenApplication(h, S(APP), &app) != SAR_OK;
	bad += m->VerifyPIN(app, USER_TYPE, S(USER), &left) != SAR_OK;
	for (int i = 0; i < EACH; i++) {
		HCONTAINER con = NULL;

		(void)snprintf(name, sizeof(name), "%s-%d", whose, i);
		bad += m->CreateContainer(app, name, &con) != SAR_OK ||
		       m->GenECCKeyPair(con, SGD_SM2_1, &key) != SAR_OK ||
		       m->ECCSignData(con, (BYTE *)(uintptr_t)e, 32, &sig) != SAR_OK ||
		       !signature_ok(&key, e, &sig);
	}
	(void)m->DisConnectDev(h);
	return bad;
}

/* What two processes write at once is all there afterwards. */
static void
two_processes(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	char names[1024];
	ULONG n = sizeof(names), count = 0;
	pid_t child;
	int status;

	(void)state;
	child = fork();
	if (child == 0)
		_exit(make_some("child"));
	assert_int_equal(make_some("parent"), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ok(m->EnumContainer(app, names, &n));
	for (const char *p = names; *p != '\0'; p += strlen(p) + 1)
		count++;
	assert_int_equal(count, 2 * EACH);
	done(h);
}

struct signer {
	HCONTAINER con;
	const ECCPUBLICKEYBLOB *key;
	int bad;
};

static void *
sign_often(void *p)
{
	struct signer *s = p;
	ECCSIGNATUREBLOB sig;

	for (int i = 0; i < 50; i++)
		s->bad +=
		    place()->m.ECCSignData(s->con, (BYTE *)(uintptr_t)e, 32, &sig) != SAR_OK ||
		    !signature_ok(s->key, e, &sig);
	return NULL;
}

static void
threads(void **state)
{
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	ECCPUBLICKEYBLOB keys[3];
	struct signer all[3] = { 0 };
	pthread_t t[3];

	(void)state;
	log_in(app);
	for (int i = 0; i < 3; i++) {
		char name[] = { (char)('a' + i), '\0' };

		all[i].con = signing_container(app, name, &keys[i]);
		all[i].key = &keys[i];
		assert_int_equal(pthread_create(&t[i], NULL, sign_often, &all[i]), 0);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		assert_int_equal(all[i].bad, 0);
	}
	done(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_and_listed),
		cmocka_unit_test(signs),
		cmocka_unit_test(vector_verifies),
		cmocka_unit_test(certificates),
		cmocka_unit_test(envelopes),
		cmocka_unit_test(bad_envelopes),
		cmocka_unit_test(encrypts),
		cmocka_unit_test(two_processes),
		cmocka_unit_test(threads),
	};

	return cmocka_run_group_tests(tests, place_open, place_close);
}
