#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/client.h"

/* A name or value with a line break would be a second header. */
static bool
one_line(const char *s)
{
	return s != NULL && strpbrk(s, "\r\n") == NULL;
}

enum uk_rc
http_call(
    struct http_client *c, const struct http_call *call, struct http_reply *out, struct uk_err *err)
{
	*out = (struct http_reply){ 0 };
	if (call->timeout_ms <= 0 || call->max == 0 || !one_line(call->url))
		return uk_fail(err, UK_E_INPUT, NULL, "http-call", 0);
	for (size_t i = 0; i < call->n_headers; i++)
		if (!one_line(call->headers[i].name) || !one_line(call->headers[i].value))
			return uk_fail(err, UK_E_INPUT, NULL, "http-call", 0);
	return c->ops->call(c, call, out, err);
}

enum uk_rc
http_get(struct http_client *c, const char *url, int64_t timeout_ms, size_t max,
    struct http_reply *out, struct uk_err *err)
{
	const struct http_call call = {
		.method = "GET", .url = url, .timeout_ms = timeout_ms, .max = max
	};

	return http_call(c, &call, out, err);
}

enum uk_rc
http_post(struct http_client *c, const char *url, const char *type, struct uk_span body,
    int64_t timeout_ms, size_t max, struct http_reply *out, struct uk_err *err)
{
	const struct net_pair header = { .name = "Content-Type", .value = type };
	const struct http_call call = { .method = "POST",
		.url = url,
		.headers = &header,
		.n_headers = 1,
		.body = body,
		.timeout_ms = timeout_ms,
		.max = max };

	return http_call(c, &call, out, err);
}

bool
http_reply_header(const struct http_reply *r, const char *name, char *out, size_t size)
{
	const size_t n = strlen(name);

	for (const char *line = r->headers; line != NULL && *line != '\0';) {
		const char *end = strchr(line, '\n');

		if (end == NULL)
			break;
		if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
			const char *value = line + n + 1 + strspn(line + n + 1, " \t");
			const size_t len = (size_t)(end - value);

			if (len >= size)
				return false;
			memcpy(out, value, len);
			out[len] = '\0';
			return true;
		}
		line = end + 1;
	}
	return false;
}

void
http_reply_fini(struct http_reply *r)
{
	uk_buf_fini(&r->body);
	free(r->headers);
	*r = (struct http_reply){ 0 };
}

void
http_client_free(struct http_client **c)
{
	if (*c != NULL)
		(*c)->ops->free(*c);
	*c = NULL;
}
