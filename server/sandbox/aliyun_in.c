#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "notify/acs3.h"
#include "sandbox/aliyun_in.h"
#include "uk/hmac.h"

#define SKEW        (15 * 60)
#define SIGNED_MAX  16
#define NAME_LEN    64
#define HEADER_NAME "Authorization"

struct authorization {
	char key[65];
	char names[512];
	char signature[ACS3_SIG_LEN];
};

void
aliyun_in_answer(struct sandbox *s, struct http_request *rq, int status, const char *code,
    const char *message, json_t *more)
{
	char hex[33], id[40];
	json_t *o = more != NULL ? more : json_object();

	uk_random_hex(s->cfg.random, hex, 16);
	for (char *p = hex; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	(void)snprintf(id, sizeof(id), "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
	    hex + 16, hex + 20);
	(void)json_object_set_new(o, "RequestId", json_string(id));
	(void)json_object_set_new(o, "Code", json_string(code));
	(void)json_object_set_new(o, "Message", json_string(message));
	http_answer_json(rq, status, o);
	json_decref(o);
}

static bool
read_authorization(const char *h, struct authorization *a)
{
	int n = 0;

	return h != NULL &&
	       sscanf(h,
		   ACS3_ALGORITHM
		   " Credential=%64[^,],SignedHeaders=%511[^,],Signature=%64[0-9a-f]%n",
		   a->key, a->names, a->signature, &n) == 3 &&
	       h[n] == '\0';
}

/* The signed headers' values; their names are cut out of a->names. */
static bool
collect(const struct http_request *rq, struct authorization *a, struct net_pair *v, size_t *n)
{
	char *save = NULL;

	*n = 0;
	for (char *name = strtok_r(a->names, ";", &save); name != NULL;
	     name = strtok_r(NULL, ";", &save)) {
		const char *value = http_header(rq, name);

		if (*n == SIGNED_MAX || value == NULL)
			return false;
		v[(*n)++] = (struct net_pair){ name, value };
	}
	return true;
}

static bool
all_signed(const struct net_pair *v, size_t n)
{
	static const char *const needed[] = { "host", "x-acs-action", "x-acs-version", "x-acs-date",
		"x-acs-signature-nonce", "x-acs-content-sha256" };

	for (size_t k = 0; k < sizeof(needed) / sizeof(needed[0]); k++) {
		size_t i = 0;

		while (i < n && strcmp(v[i].name, needed[k]) != 0)
			i++;
		if (i == n)
			return false;
	}
	return true;
}

static bool
signature_holds(
    const struct http_request *rq, struct authorization *a, const struct uk_secret *secret)
{
	const struct net_pairs *query = http_query_all(rq);
	char want[ACS3_SIG_LEN], hash[ACS3_SIG_LEN], path[256];
	const char *target = http_target(rq);
	struct net_pair v[SIGNED_MAX];
	struct acs3_request r = { .method = "POST", .path = path, .headers = v };

	(void)snprintf(path, sizeof(path), "%.*s", (int)strcspn(target, "?"), target);
	r.query = query->v;
	r.n_query = query->n;
	r.body = http_body(rq);
	acs3_hash(r.body, hash);
	if (!collect(rq, a, v, &r.n_headers) || !all_signed(v, r.n_headers) ||
	    strcmp(http_header(rq, "x-acs-content-sha256"), hash) != 0 ||
	    !acs3_signature(&r, uk_secret_lend(secret), want))
		return false;
	return uk_const_eq(uk_span_str(want), uk_span_str(a->signature));
}

static bool
date_fresh(struct sandbox *s, const char *date)
{
	const int64_t now = uk_now(s->cfg.clock);
	struct tm tm = { 0 };
	const char *end = strptime(date, "%Y-%m-%dT%H:%M:%SZ", &tm);
	int64_t t;

	if (end == NULL || *end != '\0')
		return false;
	t = (int64_t)timegm(&tm);
	return t > now - SKEW && t < now + SKEW;
}

static bool
nonce_new(struct sandbox *s, const char *nonce)
{
	const size_t rows = sizeof(s->nonces) / sizeof(s->nonces[0]);
	bool seen = strlen(nonce) >= sizeof(s->nonces[0]);

	(void)pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < rows && !seen; i++)
		seen = strcmp(s->nonces[i], nonce) == 0;
	if (!seen)
		memcpy(s->nonces[s->n_nonces++ % rows], nonce, strlen(nonce) + 1);
	(void)pthread_mutex_unlock(&s->lock);
	return !seen;
}

bool
aliyun_in_open(struct sandbox *s, struct http_request *rq, const char *access_key,
    const struct uk_secret *secret, struct aliyun_in *out)
{
	struct authorization a;
	const char *code = NULL;

	if (!read_authorization(http_header(rq, HEADER_NAME), &a))
		code = "MissingAuthorization";
	else if (strcmp(a.key, access_key) != 0)
		code = "InvalidAccessKeyId.NotFound";
	else if (!signature_holds(rq, &a, secret))
		code = "SignatureDoesNotMatch";
	else if (!date_fresh(s, http_header(rq, "x-acs-date")))
		code = "InvalidTimeStamp.Expired";
	else if (!nonce_new(s, http_header(rq, "x-acs-signature-nonce")))
		code = "SignatureNonceUsed";
	if (code != NULL) {
		aliyun_in_answer(s, rq, strncmp(code, "InvalidA", 8) == 0 ? 404 : 400, code,
		    "The request was refused.", NULL);
		return false;
	}
	out->action = http_header(rq, "x-acs-action");
	out->version = http_header(rq, "x-acs-version");
	out->params = http_form(rq)->n != 0 ? http_form(rq) : http_query_all(rq);
	return true;
}
