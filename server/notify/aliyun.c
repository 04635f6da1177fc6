#include <stdlib.h>
#include <string.h>

#include "notify/acs3.h"
#include "notify/aliyun.h"

#define TEXT_MAX    (16u * 1024u)
#define ANSWER_MAX  (64u * 1024u)
#define HEADERS_MAX 9

enum uk_rc
aliyun_init(struct aliyun *a, const char *url, const char *access_key, const char *secret,
    struct uk_err *err)
{
	const char *host = url != NULL ? strstr(url, "://") : NULL;
	size_t n;

	if (host == NULL)
		return uk_fail_field(err, "url", NULL);
	if (access_key == NULL || *access_key == '\0')
		return uk_fail_field(err, "access_key", "missing");
	if (secret == NULL || *secret == '\0' || strlen(secret) > UK_SECRET_MAX)
		return uk_fail_field(err, "secret", "missing");
	n = strcspn(host + 3, "/");
	a->url = uk_xstrdup(url);
	a->host = uk_xstrndup(host + 3, n);
	a->path = host[3 + n] != '\0' ? a->url + (host + 3 + n - url) : "/";
	a->access_key = uk_xstrdup(access_key);
	a->secret = uk_secret_new(uk_span_str(secret));
	return UK_OK;
}

void
aliyun_fini(struct aliyun *a)
{
	free(a->url);
	free(a->host);
	free(a->access_key);
	uk_secret_free(&a->secret);
	*a = (struct aliyun){ 0 };
}

static void
put_params(const struct aliyun_call *c, struct uk_buf *out)
{
	for (size_t i = 0; i < c->n_params; i++)
		net_form_put(out, c->params[i].name, c->params[i].value);
}

/* Signs r and puts the header that says so at r->headers[*n]. */
static bool
authorize(const struct aliyun *a, struct acs3_request *r, struct uk_buf *value)
{
	char signature[ACS3_SIG_LEN];

	if (!acs3_signature(r, uk_secret_lend(a->secret), signature))
		return false;
	uk_buf_printf(value, ACS3_ALGORITHM " Credential=%s,SignedHeaders=", a->access_key);
	acs3_signed_headers(r, value);
	uk_buf_printf(value, ",Signature=%s", signature);
	return uk_buf_str(value) != NULL;
}

static enum uk_rc
send(struct aliyun *a, const struct aliyun_call *c, const char *url, struct uk_span body,
    struct http_reply *reply, struct uk_err *err)
{
	char hash[ACS3_SIG_LEN], date[UK_TIME_LEN], nonce[33];
	struct net_pair h[HEADERS_MAX];
	struct acs3_request r = {
		.method = "POST",
		.path = a->path,
		.headers = h,
		.body = body,
	};
	struct uk_buf authorization;
	enum uk_rc rc = UK_E_LIMIT;
	size_t n = 0;

	uk_buf_init(&authorization, 1024);
	acs3_hash(body, hash);
	uk_time_utc(uk_now(a->clock), date);
	uk_random_hex(a->random, nonce, 16);
	h[n++] = (struct net_pair){ "host", a->host };
	h[n++] = (struct net_pair){ "content-type", "application/x-www-form-urlencoded" };
	h[n++] = (struct net_pair){ "x-acs-action", c->action };
	h[n++] = (struct net_pair){ "x-acs-version", c->version };
	h[n++] = (struct net_pair){ "x-acs-date", date };
	h[n++] = (struct net_pair){ "x-acs-signature-nonce", nonce };
	h[n++] = (struct net_pair){ "x-acs-content-sha256", hash };
	r.n_headers = n;
	if (!c->in_body) {
		r.query = c->params;
		r.n_query = c->n_params;
	}
	if (authorize(a, &r, &authorization)) {
		h[n++] = (struct net_pair){ "authorization", uk_buf_str(&authorization) };
		rc = http_call(a->http,
		    &(struct http_call){ .method = "POST",
			.url = url,
			.headers = h,
			.n_headers = n,
			.body = body,
			.timeout_ms = a->deadline_ms,
			.max = ANSWER_MAX },
		    reply, err);
	} else {
		(void)uk_fail(err, rc, NULL, c->action, 0);
	}
	uk_buf_fini(&authorization);
	return rc;
}

enum uk_rc
aliyun_call(
    struct aliyun *a, const struct aliyun_call *c, int *status, json_t **tree, struct uk_err *err)
{
	struct http_reply reply = { 0 };
	struct uk_buf params, url;
	enum uk_rc rc = UK_E_LIMIT;

	uk_buf_init(&params, TEXT_MAX);
	uk_buf_init(&url, TEXT_MAX);
	put_params(c, &params);
	uk_buf_put_str(&url, a->url);
	if (!c->in_body) {
		uk_buf_put_str(&url, "?");
		uk_buf_put(&url, uk_buf_span(&params));
	}
	if (uk_buf_failed(&params) || uk_buf_str(&url) == NULL) {
		(void)uk_fail(err, rc, NULL, c->action, 0);
		goto out;
	}
	rc = send(a, c, uk_buf_str(&url), c->in_body ? uk_buf_span(&params) : uk_span(NULL, 0),
	    &reply, err);
	if (rc != UK_OK)
		goto out;
	*status = reply.status;
	if (uk_json_parse(uk_buf_span(&reply.body), ANSWER_MAX, tree, NULL) != UK_OK)
		rc = uk_fail(err, UK_E_UNAVAILABLE, "answer-malformed", c->action, reply.status);
	http_reply_fini(&reply);
out:
	uk_buf_fini(&params);
	uk_buf_fini(&url);
	return rc;
}
