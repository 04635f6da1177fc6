#include <assert.h>
#include <string.h>
#include <strings.h>

#include "http/route.h"

static const char *const method_names[] = {
	[HTTP_GET] = "GET",
	[HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT",
	[HTTP_DELETE] = "DELETE",
};
static_assert(
    sizeof(method_names) / sizeof(method_names[0]) == HTTP_METHOD__MAX, "one name per method");

/* HTTP_RAW has its own list. */
static const char *const body_types[] = {
	[HTTP_NO_BODY] = NULL,
	[HTTP_JSON] = "application/json",
	[HTTP_FORM] = "application/x-www-form-urlencoded",
	[HTTP_RAW] = NULL,
};
static_assert(sizeof(body_types) / sizeof(body_types[0]) == HTTP_BODY__MAX, "one row per kind");

const char *
http_method_name(enum http_method m)
{
	return method_names[m];
}

static struct uk_span
segment(const char *s)
{
	return uk_span(s, strcspn(s, "/"));
}

static bool
is_param(struct uk_span pattern)
{
	return pattern.n > 2 && pattern.p[0] == '{' && pattern.p[pattern.n - 1] == '}';
}

/* "{rest*}": all that is left, of any number of segments. */
static bool
is_rest(const char *pattern)
{
	const size_t n = strlen(pattern);

	return n > 3 && pattern[0] == '{' && strchr(pattern, '/') == NULL &&
	       strcmp(pattern + n - 2, "*}") == 0;
}

/* One decoded segment; none that is empty, or that would be read as more than one. */
static bool
take_param(struct uk_span pattern, struct uk_span s, struct http_params *out)
{
	const size_t name_n = pattern.n - 2;
	struct uk_buf b;
	bool ok = false;

	if (out->n == HTTP_PARAMS_MAX || name_n >= sizeof(out->v[0].name))
		return false;
	uk_buf_init(&b, HTTP_PARAM_LEN - 1);
	if (s.n == 0 || net_url_get(&b, s) != UK_OK || memchr(b.p, '/', b.n) != NULL)
		goto out;
	memcpy(out->v[out->n].name, pattern.p + 1, name_n);
	out->v[out->n].name[name_n] = '\0';
	memcpy(out->v[out->n].value, b.p, b.n);
	out->v[out->n].value[b.n] = '\0';
	out->n++;
	ok = true;
out:
	uk_buf_fini(&b);
	return ok;
}

bool
http_path_match(const char *pattern, const char *path, struct http_params *out)
{
	out->n = 0;
	for (;;) {
		const struct uk_span want = segment(pattern);
		const struct uk_span have = segment(path);

		if (is_rest(pattern))
			return *path != '\0';
		if (is_param(want) ? !take_param(want, have, out) : !uk_span_eq(want, have))
			return false;
		pattern += want.n;
		path += have.n;
		if (*pattern != *path)
			return false;
		if (*pattern == '\0')
			return true;
		pattern++;
		path++;
	}
}

static bool
row_ok(const struct http_route *r)
{
	struct http_params params;

	if (r->handler == NULL || r->path == NULL || *r->path != '/')
		return false;
	if ((unsigned)r->method >= HTTP_METHOD__MAX || (unsigned)r->body >= HTTP_BODY__MAX)
		return false;
	if (r->method == HTTP_GET && r->body != HTTP_NO_BODY)
		return false;
	if (r->n_fields != 0 && (r->body != HTTP_JSON || r->fields == NULL || r->size == 0))
		return false;
	return http_path_match(r->path, r->path, &params);
}

enum uk_rc
http_routes_check(const struct http_route *routes, size_t n, struct uk_err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (!row_ok(&routes[i]))
			return uk_fail(err, UK_E_INPUT, "route-malformed", "routes", (long)i);
		for (size_t j = 0; j < i; j++)
			if (routes[i].method == routes[j].method &&
			    strcmp(routes[i].path, routes[j].path) == 0)
				return uk_fail(err, UK_E_INPUT, "route-twice", "routes", (long)i);
	}
	return UK_OK;
}

/* The media type without its parameters. */
static bool
type_is(const char *type, const char *want)
{
	const size_t n = strlen(want);

	if (type == NULL || strncasecmp(type, want, n) != 0)
		return false;
	return type[n] == '\0' || type[n] == ';' || type[n] == ' ';
}

static bool
type_ok(const struct http_route *r, const char *type)
{
	if (body_types[r->body] != NULL)
		return type_is(type, body_types[r->body]);
	if (r->types == NULL)
		return true;
	for (const char *const *t = r->types; *t != NULL; t++)
		if (type_is(type, *t))
			return true;
	return false;
}

/* Digits only; what doesn't fit counts as too large. */
static bool
read_length(const char *s, size_t *out)
{
	size_t v = 0;

	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return false;
		v = v > SIZE_MAX / 16 ? v : v * 10 + (size_t)(*s - '0');
	}
	*out = v;
	return true;
}

static void
refuse(struct http_verdict *v, int status, const char *reason)
{
	v->route = NULL;
	v->status = status;
	v->reason = reason;
}

static void
judge_body(const struct http_route *r, const struct http_head *head, struct http_verdict *v)
{
	const size_t limit = r->limit != 0 ? r->limit : HTTP_BODY_DEFAULT;
	size_t length = 0;

	if (head->chunked || (head->length == NULL && r->body != HTTP_NO_BODY))
		refuse(v, 411, "length-required");
	else if (head->length != NULL && !read_length(head->length, &length))
		refuse(v, 400, "length-malformed");
	else if (r->body == HTTP_NO_BODY && length != 0)
		refuse(v, 400, "body-not-expected");
	else if (r->body != HTTP_NO_BODY && length > limit)
		refuse(v, 413, "too-large");
	else if (r->body != HTTP_NO_BODY && (length != 0 || r->body == HTTP_RAW) &&
		 !type_ok(r, head->type))
		refuse(v, 415, "content-type-refused");
	v->length = length;
}

void
http_route_judge(const struct http_route *routes, size_t n, const struct http_head *head,
    struct http_params *params, struct http_verdict *out)
{
	const char *method = strcmp(head->method, "HEAD") == 0 ? "GET" : head->method;
	struct http_params mine;

	*out = (struct http_verdict){ 0 };
	for (size_t i = 0; i < n; i++) {
		if (!http_path_match(routes[i].path, head->path, &mine))
			continue;
		out->allow |= 1u << routes[i].method;
		if (out->route == NULL && strcmp(method_names[routes[i].method], method) == 0) {
			out->route = &routes[i];
			*params = mine;
		}
	}
	if (out->allow == 0)
		refuse(out, 404, "not-found");
	else if (strcmp(method, "OPTIONS") == 0)
		out->status = 204;
	else if (out->route == NULL)
		refuse(out, 405, "method-not-allowed");
	else
		judge_body(out->route, head, out);
}
