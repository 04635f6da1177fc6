#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "notify/acs3.h"
#include "uk/b64.h"
#include "uk/hmac.h"
#include "uk/pubkey.h"

#define CANONICAL_MAX (64u * 1024u)

static void
hex_into(char *out, const uint8_t *p, size_t n)
{
	struct uk_buf hex;

	uk_buf_init(&hex, 2 * n);
	uk_hex_put(&hex, uk_span(p, n));
	memcpy(out, hex.p, 2 * n);
	out[2 * n] = '\0';
	uk_buf_fini(&hex);
}

void
acs3_hash(struct uk_span body, char out[ACS3_SIG_LEN])
{
	uint8_t digest[32];

	uk_sha256(body, digest);
	hex_into(out, digest, sizeof(digest));
}

static int
by_name(const void *a, const void *b)
{
	const struct net_pair *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void
sort_into(struct net_pair *out, const struct net_pair *in, size_t n)
{
	assert(n <= NET_PAIRS_MAX);
	if (n == 0)
		return;
	memcpy(out, in, n * sizeof(*in));
	qsort(out, n, sizeof(*out), by_name);
}

void
acs3_signed_headers(const struct acs3_request *r, struct uk_buf *out)
{
	struct net_pair v[NET_PAIRS_MAX];

	sort_into(v, r->headers, r->n_headers);
	for (size_t i = 0; i < r->n_headers; i++)
		uk_buf_printf(out, "%s%s", i > 0 ? ";" : "", v[i].name);
}

static void
put_query(const struct acs3_request *r, struct uk_buf *out)
{
	struct net_pair v[NET_PAIRS_MAX];
	struct uk_buf query;

	uk_buf_init(&query, CANONICAL_MAX);
	sort_into(v, r->query, r->n_query);
	for (size_t i = 0; i < r->n_query; i++)
		net_form_put(&query, v[i].name, v[i].value);
	if (uk_buf_failed(&query))
		out->failed = true;
	uk_buf_put(out, uk_buf_span(&query));
	uk_buf_fini(&query);
}

static void
put_headers(const struct acs3_request *r, struct uk_buf *out)
{
	struct net_pair v[NET_PAIRS_MAX];

	sort_into(v, r->headers, r->n_headers);
	for (size_t i = 0; i < r->n_headers; i++) {
		const char *value = v[i].value + strspn(v[i].value, " \t");
		size_t n = strlen(value);

		while (n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'))
			n--;
		uk_buf_printf(out, "%s:", v[i].name);
		uk_buf_put(out, uk_span(value, n));
		uk_buf_put_str(out, "\n");
	}
}

bool
acs3_signature(const struct acs3_request *r, struct uk_span secret, char out[ACS3_SIG_LEN])
{
	char hash[ACS3_SIG_LEN];
	uint8_t tag[UK_HMAC_LEN];
	struct uk_buf text;
	bool ok;

	uk_buf_init(&text, CANONICAL_MAX);
	uk_buf_printf(&text, "%s\n%s\n", r->method, r->path);
	put_query(r, &text);
	uk_buf_put_str(&text, "\n");
	put_headers(r, &text);
	uk_buf_put_str(&text, "\n");
	acs3_signed_headers(r, &text);
	acs3_hash(r->body, hash);
	uk_buf_printf(&text, "\n%s", hash);
	ok = !uk_buf_failed(&text);
	acs3_hash(uk_buf_span(&text), hash);
	uk_buf_reset(&text);
	uk_buf_printf(&text, ACS3_ALGORITHM "\n%s", hash);
	uk_hmac_sha256(secret, uk_buf_span(&text), tag);
	hex_into(out, tag, sizeof(tag));
	uk_buf_fini(&text);
	return ok;
}
