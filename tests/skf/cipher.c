/* Session keys, SM4 in every mode, and MACs. */
#include <openssl/evp.h>

#include "place.h"

#define TEXT_LEN 100

static const char vector_key[] = "0123456789ABCDEFFEDCBA9876543210";
static uint8_t iv[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

/* An SM4 key that is known: wrapped for the container's encryption pair. */
static HANDLE
session_key(HCONTAINER con, const ECCPUBLICKEYBLOB *enc, const uint8_t key[16], ULONG id)
{
	uint8_t wrapped[CIPHER_LEN(16)];
	HANDLE k = NULL;

	encrypt_for(enc, key, 16, (ECCCIPHERBLOB *)(void *)wrapped);
	ok(place()->m.ImportSessionKey(con, id, wrapped, sizeof(wrapped), &k));
	return k;
}

static BLOCKCIPHERPARAM
param(ULONG padding, ULONG feedback)
{
	BLOCKCIPHERPARAM p = { .IVLen = 16, .PaddingType = padding, .FeedBitLen = feedback };

	memcpy(p.IV, iv, 16);
	return p;
}

struct world {
	DEVHANDLE h;
	HCONTAINER con;
	ECCPUBLICKEYBLOB sign, enc;
	uint8_t key[16];
	uint8_t text[TEXT_LEN];
};

static void
world_open(struct world *w)
{
	HAPPLICATION app;

	w->h = connected();
	app = application(w->h);
	log_in(app);
	w->con = dual_container(app, "c", &w->sign, &w->enc);
	hex(vector_key, w->key, 16);
	for (int i = 0; i < TEXT_LEN; i++)
		w->text[i] = (uint8_t)(i * 7);
}

/* GB/T 32907 A.1, and the start of A.2. */
static void
vector(void **state)
{
	const struct skf *m = &place()->m;
	struct world w;
	uint8_t right[16], block[16];
	HANDLE k;
	ULONG n = 16;

	(void)state;
	world_open(&w);
	k = session_key(w.con, &w.enc, w.key, SGD_SM4_ECB);
	hex("681EDF34D206965E86B3E94F536E4246", right, 16);
	ok(m->EncryptInit(k, param(PADDING_NONE, 0)));
	ok(m->Encrypt(k, w.key, 16, block, &n));
	assert_memory_equal(block, right, 16);
	ok(m->DecryptInit(k, param(PADDING_NONE, 0)));
	ok(m->Decrypt(k, block, 16, block, &n));
	assert_memory_equal(block, w.key, 16);
	done(w.h);
}

/* One call, and the same in pieces: the same bytes, and back again. */
static void
round_trip(
    HANDLE k, const BLOCKCIPHERPARAM *p, const struct world *w, ULONG len, uint8_t *out, ULONG *n)
{
	const struct skf *m = &place()->m;
	static const ULONG pieces[] = { 1, 15, 16, 17, 3, 40 };
	uint8_t text[TEXT_LEN + 32], whole[TEXT_LEN + 32];
	BYTE *in = (BYTE *)(uintptr_t)w->text;
	ULONG at = 0, got = 0, more, need = 0;

	ok(m->EncryptInit(k, *p));
	ok(m->Encrypt(k, in, len, NULL, &need));
	*n = need;
	ok(m->Encrypt(k, in, len, out, n));
	assert_int_equal(*n, need);
	ok(m->EncryptInit(k, *p));
	for (size_t i = 0; at < len; i++) {
		const ULONG size = i < 6 && pieces[i] <= len - at ? pieces[i] : len - at;

		more = (ULONG)sizeof(whole) - got;
		ok(m->EncryptUpdate(k, in + at, size, whole + got, &more));
		got += more;
		at += size;
	}
	more = (ULONG)sizeof(whole) - got;
	ok(m->EncryptFinal(k, whole + got, &more));
	got += more;
	assert_int_equal(got, *n);
	assert_memory_equal(whole, out, got);
	ok(m->DecryptInit(k, *p));
	more = sizeof(text);
	ok(m->Decrypt(k, out, *n, text, &more));
	assert_int_equal(more, len);
	assert_memory_equal(text, in, len);
	ok(m->DecryptInit(k, *p));
	for (at = got = 0; at < *n; at += more) {
		const ULONG size = *n - at < 7 ? *n - at : 7;

		more = (ULONG)sizeof(text) - got;
		ok(m->DecryptUpdate(k, out + at, size, text + got, &more));
		got += more;
		more = size;
	}
	more = (ULONG)sizeof(text) - got;
	ok(m->DecryptFinal(k, text + got, &more));
	assert_int_equal(got + more, len);
	assert_memory_equal(text, in, len);
}

static void
same_as_openssl(const EVP_CIPHER *cipher, const struct world *w, bool pad, ULONG len,
    const uint8_t *got, ULONG n)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t right[TEXT_LEN + 32];
	int a = 0, b = 0;

	assert_int_equal(EVP_EncryptInit_ex(ctx, cipher, NULL, w->key, iv), 1);
	(void)EVP_CIPHER_CTX_set_padding(ctx, pad);
	assert_int_equal(EVP_EncryptUpdate(ctx, right, &a, w->text, (int)len), 1);
	assert_int_equal(EVP_EncryptFinal_ex(ctx, right + a, &b), 1);
	assert_int_equal(a + b, n);
	assert_memory_equal(right, got, n);
	EVP_CIPHER_CTX_free(ctx);
}

static void
modes(void **state)
{
	const struct {
		ULONG id;
		const EVP_CIPHER *cipher;
		bool stream;
	} all[] = { { SGD_SM4_ECB, EVP_sm4_ecb(), false }, { SGD_SM4_CBC, EVP_sm4_cbc(), false },
		{ SGD_SM4_CFB, EVP_sm4_cfb128(), true }, { SGD_SM4_OFB, EVP_sm4_ofb(), true } };
	uint8_t out[TEXT_LEN + 32];
	BLOCKCIPHERPARAM p;
	struct world w;
	ULONG n;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		HANDLE k = session_key(w.con, &w.enc, w.key, all[i].id);

		for (ULONG len = 1; len <= TEXT_LEN; len += 9) {
			p = param(PADDING_PKCS5, 0);
			round_trip(k, &p, &w, len, out, &n);
			if (!all[i].stream)
				same_as_openssl(all[i].cipher, &w, true, len, out, n);
			p = param(PADDING_NONE, all[i].stream ? 128 : 0);
			if (!all[i].stream && len % 16 != 0)
				continue;
			round_trip(k, &p, &w, len, out, &n);
			same_as_openssl(all[i].cipher, &w, false, len, out, n);
		}
		p = param(PADDING_NONE, 0);
		round_trip(k, &p, &w, 96, out, &n);
		same_as_openssl(all[i].cipher, &w, false, 96, out, n);
		ok(place()->m.CloseHandle(k));
	}
	done(w.h);
}

/* CFB-8 worked out with ECB: each byte's key stream comes from the last 16 bytes of ciphertext. */
static void
feedback_of_eight(void **state)
{
	const struct skf *m = &place()->m;
	uint8_t out[TEXT_LEN + 32], reg[16], stream[16];
	BLOCKCIPHERPARAM p = param(PADDING_NONE, 8), none = param(PADDING_NONE, 0);
	struct world w;
	HANDLE cfb, ofb, ecb;
	ULONG n, one;

	(void)state;
	world_open(&w);
	cfb = session_key(w.con, &w.enc, w.key, SGD_SM4_CFB);
	ofb = session_key(w.con, &w.enc, w.key, SGD_SM4_OFB);
	ecb = session_key(w.con, &w.enc, w.key, SGD_SM4_ECB);
	for (int ofb_mode = 0; ofb_mode < 2; ofb_mode++) {
		round_trip(ofb_mode ? ofb : cfb, &p, &w, 40, out, &n);
		memcpy(reg, iv, 16);
		for (int i = 0; i < 40; i++) {
			one = 16;
			ok(m->EncryptInit(ecb, none));
			ok(m->Encrypt(ecb, reg, 16, stream, &one));
			assert_int_equal(out[i], w.text[i] ^ stream[0]);
			memmove(reg, reg + 1, 15);
			reg[15] = ofb_mode ? stream[0] : out[i];
		}
	}
	p.FeedBitLen = 24;
	round_trip(cfb, &p, &w, 41, out, &n);
	done(w.h);
}

static void
refused(void **state)
{
	const struct skf *m = &place()->m;
	BLOCKCIPHERPARAM none = param(PADDING_NONE, 0), bad;
	uint8_t wrapped[CIPHER_LEN(16)], out[64], in[64] = { 0 };
	struct world w;
	HANDLE k, mac, bin;
	ULONG n = sizeof(out);

	(void)state;
	world_open(&w);
	encrypt_for(&w.enc, w.key, 16, (ECCCIPHERBLOB *)(void *)wrapped);
	assert_int_equal(m->ImportSessionKey(w.con, SGD_SM1_CBC, wrapped, sizeof(wrapped), &k),
	    SAR_NOTSUPPORTYETERR);
	assert_int_equal(m->ImportSessionKey(w.con, SGD_SSF33_ECB, wrapped, sizeof(wrapped), &k),
	    SAR_NOTSUPPORTYETERR);
	assert_int_equal(
	    m->ImportSessionKey(w.con, 0x403, wrapped, sizeof(wrapped), &k), SAR_INVALIDPARAMERR);
	assert_int_equal(
	    m->ImportSessionKey(w.con, SGD_SM4_CBC, wrapped, 100, &k), SAR_INDATALENERR);
	k = session_key(w.con, &w.enc, w.key, SGD_SM4_CBC);
	assert_int_equal(m->Encrypt(k, in, 16, out, &n), SAR_NOTINITIALIZEERR);
	assert_int_equal(m->EncryptFinal(k, out, &n), SAR_NOTINITIALIZEERR);
	bad = none;
	bad.IVLen = 8;
	assert_int_equal(m->EncryptInit(k, bad), SAR_INVALIDPARAMERR);
	bad = none;
	bad.PaddingType = 2;
	assert_int_equal(m->EncryptInit(k, bad), SAR_INVALIDPARAMERR);
	ok(m->EncryptInit(k, none));
	assert_int_equal(m->DecryptUpdate(k, in, 16, out, &n), SAR_NOTINITIALIZEERR);
	n = 15;
	assert_int_equal(m->Encrypt(k, in, 16, out, &n), SAR_BUFFER_TOO_SMALL);
	assert_int_equal(n, 16);
	assert_int_equal(m->EncryptUpdate(k, NULL, 16, out, &n), SAR_INVALIDPARAMERR);
	ok(m->Encrypt(k, in, 16, out, &n)); /* it was not over */
	ok(m->EncryptInit(k, none));
	n = sizeof(out);
	assert_int_equal(m->Encrypt(k, in, 17, out, &n), SAR_INDATALENERR);
	/* a padding that is none */
	ok(m->EncryptInit(k, none));
	n = sizeof(out);
	ok(m->Encrypt(k, in, 32, out, &n));
	bad = none;
	bad.PaddingType = PADDING_PKCS5;
	ok(m->DecryptInit(k, bad));
	n = sizeof(in);
	assert_int_equal(m->Decrypt(k, out, 32, in, &n), SAR_DECRYPTPADERR);
	bin = session_key(w.con, &w.enc, w.key, SGD_SM4_MAC);
	assert_int_equal(m->EncryptInit(bin, none), SAR_KEYUSAGEERR);
	ok(m->MacInit(bin, &none, &mac));
	ok(m->CloseHandle(bin)); /* the MAC has a key of its own */
	n = sizeof(out);
	ok(m->Mac(mac, in, 16, out, &n));
	ok(m->CloseHandle(mac));
	assert_int_equal(m->MacUpdate(mac, in, 16), SAR_INVALIDHANDLEERR);
	assert_int_equal(m->CloseHandle(mac), SAR_INVALIDHANDLEERR);
	done(w.h);
}

/* The last block of CBC. */
static void
macs(void **state)
{
	const struct skf *m = &place()->m;
	BLOCKCIPHERPARAM p = param(PADDING_NONE, 0);
	uint8_t cbc[96], mac[16];
	struct world w;
	HANDLE k, mk;
	ULONG n;

	(void)state;
	world_open(&w);
	k = session_key(w.con, &w.enc, w.key, SGD_SM4_CBC);
	n = sizeof(cbc);
	ok(m->EncryptInit(k, p));
	ok(m->Encrypt(k, w.text, 96, cbc, &n));
	ok(m->MacInit(k, &p, &mk));
	n = 0;
	ok(m->Mac(mk, w.text, 96, NULL, &n));
	assert_int_equal(n, 16);
	n = 15;
	assert_int_equal(m->Mac(mk, w.text, 96, mac, &n), SAR_BUFFER_TOO_SMALL);
	n = 16;
	ok(m->Mac(mk, w.text, 96, mac, &n));
	assert_memory_equal(mac, cbc + 80, 16);
	assert_int_equal(m->MacFinal(mk, mac, &n), SAR_NOTINITIALIZEERR);
	ok(m->CloseHandle(mk));
	ok(m->MacInit(k, &p, &mk));
	ok(m->MacUpdate(mk, w.text, 30));
	ok(m->MacUpdate(mk, w.text + 30, 66));
	memset(mac, 0, 16);
	ok(m->MacFinal(mk, mac, &n));
	assert_memory_equal(mac, cbc + 80, 16);
	ok(m->CloseHandle(mk));
	ok(m->MacInit(k, &p, &mk));
	assert_int_equal(m->Mac(mk, w.text, 17, mac, &n), SAR_INDATALENERR);
	ok(m->CloseHandle(mk));
	p.PaddingType = PADDING_PKCS5;
	assert_int_equal(m->MacInit(k, &p, &mk), SAR_INVALIDPARAMERR);
	assert_int_equal(m->MacInit(k, NULL, &mk), SAR_INVALIDPARAMERR);
	done(w.h);
}

/* Made here, wrapped for somebody else. */
static void
exported(void **state)
{
	const struct skf *m = &place()->m;
	uint8_t d[32], wrapped[CIPHER_LEN(16)], key[16], mine[16], here[16];
	BLOCKCIPHERPARAM none = param(PADDING_NONE, 0);
	EVP_CIPHER_CTX *ctx;
	ECCPUBLICKEYBLOB other;
	struct world w;
	HANDLE k;
	ULONG n = 16;
	int len = 0;

	(void)state;
	world_open(&w);
	key_pair(d, &other);
	ok(m->ECCExportSessionKey(
	    w.con, SGD_SM4_ECB, &other, (ECCCIPHERBLOB *)(void *)wrapped, &k));
	assert_true(decrypt_with(d, &other, (ECCCIPHERBLOB *)(void *)wrapped, key, 16));
	ok(m->EncryptInit(k, none));
	ok(m->Encrypt(k, w.text, 16, here, &n));
	ctx = EVP_CIPHER_CTX_new();
	assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_sm4_ecb(), NULL, key, NULL), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, mine, &len, w.text, 16), 1);
	EVP_CIPHER_CTX_free(ctx);
	assert_memory_equal(mine, here, 16);
	other.XCoordinate[0] = 1;
	assert_int_not_equal(m->ECCExportSessionKey(
				 w.con, SGD_SM4_ECB, &other, (ECCCIPHERBLOB *)(void *)wrapped, &k),
	    SAR_OK);
	done(w.h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vector),
		cmocka_unit_test(modes),
		cmocka_unit_test(feedback_of_eight),
		cmocka_unit_test(refused),
		cmocka_unit_test(macs),
		cmocka_unit_test(exported),
	};

	return cmocka_run_group_tests(tests, place_open, place_close);
}
