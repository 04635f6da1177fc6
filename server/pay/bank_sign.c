#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pay/bank_sign.h"
#include "uk/b64.h"
#include "uk/hmac.h"
#include "uk/pubkey.h"

#define KEY_ID_LEN 33
#define MAC_LEN    65

static void
mac(const struct bank_stamp *s, struct uk_span key, struct uk_span body, struct uk_buf *hex)
{
	uint8_t digest[32], tag[UK_HMAC_LEN];
	struct uk_buf text;

	uk_buf_init(&text, 4096);
	uk_sha256(body, digest);
	uk_buf_printf(&text, "ukey-bank-1\n%s\n%s\n%s\n%" PRId64 "\n%s\n", s->role, s->target,
	    s->key_id, s->time, s->nonce);
	uk_hex_put(&text, uk_span(digest, sizeof(digest)));
	uk_hmac_sha256(key, uk_buf_span(&text), tag);
	uk_hex_put(hex, uk_span(tag, sizeof(tag)));
	uk_buf_fini(&text);
}

void
bank_sign(const struct bank_stamp *s, struct uk_span key, struct uk_span body, struct uk_buf *out)
{
	uk_buf_printf(
	    out, "v1 key=%s,time=%" PRId64 ",nonce=%s,mac=", s->key_id, s->time, s->nonce);
	mac(s, key, body, out);
}

static bool
close_in_time(int64_t a, int64_t b)
{
	return a >= b - BANK_SKEW && a <= b + BANK_SKEW;
}

enum uk_rc
bank_sign_check(const char *header, struct bank_stamp *s, struct uk_span key, struct uk_span body,
    int64_t now, struct uk_err *err)
{
	char key_id[KEY_ID_LEN], given[MAC_LEN];
	struct bank_stamp got = *s;
	struct uk_buf want;
	int n = 0;
	bool ok;

	if (header == NULL || strlen(header) > 256 ||
	    sscanf(header, "v1 key=%32[^,],time=%" SCNd64 ",nonce=%32[0-9a-f],mac=%64[0-9a-f]%n",
		key_id, &got.time, got.nonce, given, &n) != 4 ||
	    header[n] != '\0' || strcmp(key_id, s->key_id) != 0 ||
	    (s->nonce[0] != '\0' && strcmp(s->nonce, got.nonce) != 0))
		return uk_fail(err, UK_E_INTEGRITY, "signature-wrong", "bank-sign", 0);
	uk_buf_init(&want, 128);
	mac(&got, key, body, &want);
	ok = uk_const_eq(uk_buf_span(&want), uk_span_str(given));
	uk_buf_fini(&want);
	if (!ok)
		return uk_fail(err, UK_E_INTEGRITY, "signature-wrong", "bank-sign", 0);
	if (!close_in_time(got.time, now))
		return uk_fail(err, UK_E_INTEGRITY, "signature-old", "bank-sign", 0);
	*s = got;
	return UK_OK;
}
