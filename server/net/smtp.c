#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/smtp.h"

struct reading {
	struct uk_span rest;
};

static size_t
on_read(char *p, size_t size, size_t n, void *ctx)
{
	struct reading *r = ctx;
	const size_t len = r->rest.n < size * n ? r->rest.n : size * n;

	if (len > 0)
		memcpy(p, r->rest.p, len);
	r->rest = uk_span(r->rest.p + len, r->rest.n - len);
	return len;
}

static bool
loopback(const char *host)
{
	return strcasecmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
	       strcmp(host, "[::1]") == 0;
}

/* *plain: no TLS is asked for, because nothing leaves this machine. */
static enum uk_rc
look_at_url(const char *url, bool *plain, struct uk_err *err)
{
	CURLU *u = curl_url();
	char *scheme = NULL;
	char *host = NULL;
	enum uk_rc rc = UK_OK;

	if (curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    (strcasecmp(scheme, "smtp") != 0 && strcasecmp(scheme, "smtps") != 0))
		rc = uk_fail(err, UK_E_INPUT, "url", "smtp-url", 0);
	else
		*plain = strcasecmp(scheme, "smtp") == 0 && loopback(host);
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(u);
	return rc;
}

enum uk_rc
smtp_check(const struct smtp_setup *s, struct uk_err *err)
{
	bool plain;

	return look_at_url(s->url, &plain, err);
}

static void
set_options(CURL *e, const struct smtp_setup *s, bool plain, int64_t timeout_ms)
{
	curl_easy_setopt(e, CURLOPT_URL, s->url);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(e, CURLOPT_USE_SSL, plain ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (s->ca_file != NULL)
		curl_easy_setopt(e, CURLOPT_CAINFO, s->ca_file);
	if (s->user != NULL && *s->user != '\0') {
		curl_easy_setopt(e, CURLOPT_USERNAME, s->user);
		curl_easy_setopt(e, CURLOPT_PASSWORD, s->password != NULL ? s->password : "");
	}
}

static enum uk_rc
rc_of(CURLcode code, long status)
{
	switch ((int)code) {
	case CURLE_OPERATION_TIMEDOUT:
		return UK_E_TIMEOUT;
	case CURLE_URL_MALFORMAT:
		return UK_E_INPUT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_USE_SSL_FAILED:
	case CURLE_LOGIN_DENIED:
		return UK_E_DENIED;
	default:
		return status >= 500 && status < 600 ? UK_E_DENIED : UK_E_UNAVAILABLE;
	}
}

enum uk_rc
smtp_send(const struct smtp_setup *s, const char *from, const char *to, struct uk_span message,
    int64_t timeout_ms, struct uk_err *err)
{
	struct reading reading = { .rest = message };
	struct curl_slist *rcpt = NULL;
	enum uk_rc rc;
	bool plain;
	long status = 0;
	CURLcode code;
	CURL *e;

	if ((rc = look_at_url(s->url, &plain, err)) != UK_OK)
		return rc;
	if ((e = curl_easy_init()) == NULL || (rcpt = curl_slist_append(NULL, to)) == NULL)
		abort();
	set_options(e, s, plain, timeout_ms);
	curl_easy_setopt(e, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(e, CURLOPT_MAIL_RCPT, rcpt);
	curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(e, CURLOPT_READDATA, &reading);
	code = curl_easy_perform(e);
	(void)curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK)
		rc = uk_fail(
		    err, rc_of(code, status), NULL, "smtp", status >= 400 ? status : (long)code);
	curl_slist_free_all(rcpt);
	curl_easy_cleanup(e);
	return rc;
}
