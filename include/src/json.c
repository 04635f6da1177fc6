#include <string.h>

#include "uk/b64.h"
#include "uk/json.h"

#define DEPTH_MAX 32

/* jansson's own limit is 2048 levels; ours is checked before it recurses. */
static bool
too_deep(struct uk_span s)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (in_string) {
			if (s.p[i] == '\\')
				i++;
			else if (s.p[i] == '"')
				in_string = false;
		} else if (s.p[i] == '"') {
			in_string = true;
		} else if (s.p[i] == '{' || s.p[i] == '[') {
			if (++depth > DEPTH_MAX)
				return true;
		} else if (s.p[i] == '}' || s.p[i] == ']') {
			depth--;
		}
	}
	return false;
}

enum uk_rc
uk_json_parse(struct uk_span s, size_t max, json_t **out, struct uk_err *err)
{
	json_error_t why;
	json_t *value;

	if (s.n > max)
		return uk_fail(err, UK_E_LIMIT, NULL, "json", 0);
	if (too_deep(s))
		return uk_fail(err, UK_E_INPUT, "json-too-deep", "json", 0);
	value = json_loadb((const char *)s.p, s.n, JSON_REJECT_DUPLICATES, &why);
	if (value == NULL)
		return uk_fail(err, UK_E_INPUT, "json-malformed", "json", why.position);
	*out = value;
	return UK_OK;
}

static int
put(const char *p, size_t n, void *ctx)
{
	struct uk_buf *out = ctx;

	uk_buf_put(out, uk_span(p, n));
	return uk_buf_failed(out) ? -1 : 0;
}

enum uk_rc
uk_json_put(struct uk_buf *out, const json_t *value)
{
	if (json_dump_callback(value, put, out, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
		return uk_buf_failed(out) ? UK_E_LIMIT : UK_E_INTERNAL;
	return UK_OK;
}

void
uk_json_wipe(json_t *value)
{
	const char *s = json_string_value(value);
	const char *key;
	json_t *v;
	size_t i;

	if (s != NULL)
		explicit_bzero((char *)(uintptr_t)s, json_string_length(value));
	json_array_foreach(value, i, v) uk_json_wipe(v);
	json_object_foreach(value, key, v) uk_json_wipe(v);
}

void
uk_json_put_str(struct uk_buf *out, struct uk_span s)
{
	size_t from = 0;

	uk_buf_put_u8(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= 0x20 && s.p[i] != '"' && s.p[i] != '\\')
			continue;
		uk_buf_put(out, uk_span(s.p + from, i - from));
		uk_buf_printf(out, "\\u%04x", s.p[i]);
		from = i + 1;
	}
	uk_buf_put(out, uk_span(s.p + from, s.n - from));
	uk_buf_put_u8(out, '"');
}

static const struct uk_field *
find(const struct uk_field *table, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

static bool
within(const struct uk_field *f, int64_t v)
{
	return v >= f->min && v <= f->max;
}

static enum uk_rc
read_str(const struct uk_field *f, json_t *v, char *at, struct uk_err *err)
{
	const char *s = json_string_value(v);

	if (s == NULL || strlen(s) != json_string_length(v))
		return uk_fail_field(err, f->name, NULL);
	if (!within(f, (int64_t)json_string_length(v)))
		return uk_fail_field(err, f->name, *s == '\0' ? "missing" : "wrong-length");
	if (f->valid != NULL && !f->valid(s))
		return uk_fail_field(err, f->name, NULL);
	memcpy(at, &s, sizeof(s));
	return UK_OK;
}

static enum uk_rc
read_int(const struct uk_field *f, json_t *v, char *at, struct uk_err *err)
{
	const int64_t i = json_integer_value(v);

	if (!json_is_integer(v) || !within(f, i))
		return uk_fail_field(err, f->name, NULL);
	memcpy(at, &i, sizeof(i));
	return UK_OK;
}

static enum uk_rc
read_bool(const struct uk_field *f, json_t *v, char *at, struct uk_err *err)
{
	const bool b = json_is_true(v);

	if (!json_is_boolean(v))
		return uk_fail_field(err, f->name, NULL);
	memcpy(at, &b, sizeof(b));
	return UK_OK;
}

static enum uk_rc
read_b64(const struct uk_field *f, json_t *v, char *at, struct uk_err *err)
{
	const char *s = json_string_value(v);
	struct uk_buf b;

	if (s == NULL || strlen(s) != json_string_length(v))
		return uk_fail_field(err, f->name, NULL);
	uk_buf_init(&b, (size_t)f->max);
	if (uk_b64_get(&b, s) != UK_OK || !within(f, (int64_t)b.n)) {
		const bool long_one = uk_buf_failed(&b);

		uk_buf_fini(&b);
		return uk_fail_field(err, f->name, long_one ? "wrong-length" : NULL);
	}
	memcpy(at, &b, sizeof(b));
	return UK_OK;
}

static enum uk_rc
read_json(const struct uk_field *f, json_t *v, char *at, struct uk_err *err)
{
	if (!json_is_object(v))
		return uk_fail_field(err, f->name, NULL);
	memcpy(at, &v, sizeof(v));
	return UK_OK;
}

static enum uk_rc
read_list(const struct uk_field *f, json_t *v, char *at, struct uk_err *err)
{
	if (!json_is_array(v) || !within(f, (int64_t)json_array_size(v)))
		return uk_fail_field(err, f->name, NULL);
	memcpy(at, &v, sizeof(v));
	return UK_OK;
}

typedef enum uk_rc read_fn(const struct uk_field *, json_t *, char *, struct uk_err *);

static read_fn *const readers[] = {
	[UK_F_STR] = read_str,
	[UK_F_INT] = read_int,
	[UK_F_BOOL] = read_bool,
	[UK_F_B64] = read_b64,
	[UK_F_JSON] = read_json,
	[UK_F_LIST] = read_list,
};

static enum uk_rc
read_members(
    const struct uk_field *table, size_t n, const json_t *object, char *out, struct uk_err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct uk_field *f = &table[i];
		json_t *v = json_object_get(object, f->name);
		enum uk_rc rc;

		if (v == NULL || (json_is_null(v) && (f->flags & UK_F_NULLABLE) != 0)) {
			if ((f->flags & UK_F_REQUIRED) != 0)
				return uk_fail_field(err, f->name, "missing");
			continue;
		}
		rc = readers[f->type](f, v, out + f->offset, err);
		if (rc != UK_OK)
			return rc;
	}
	return UK_OK;
}

enum uk_rc
uk_fields_pick(
    const struct uk_field *table, size_t n, const json_t *object, void *out, struct uk_err *err)
{
	enum uk_rc rc;

	if (object != NULL && !json_is_object(object))
		return uk_fail(err, UK_E_INPUT, "json-not-an-object", "fields", 0);
	rc = read_members(table, n, object, out, err);
	if (rc != UK_OK)
		uk_fields_fini(table, n, out);
	return rc;
}

enum uk_rc
uk_fields_read(
    const struct uk_field *table, size_t n, const json_t *object, void *out, struct uk_err *err)
{
	/* jansson's iterator wants a mutable object though it changes nothing. */
	json_t *o = (json_t *)(uintptr_t)object;

	for (void *it = json_object_iter(o); it != NULL; it = json_object_iter_next(o, it))
		if (find(table, n, json_object_iter_key(it)) == NULL)
			return uk_fail(err, UK_E_INPUT, "unknown-member", "fields", 0);
	return uk_fields_pick(table, n, object, out, err);
}

void
uk_fields_fini(const struct uk_field *table, size_t n, void *out)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].type == UK_F_B64) {
			struct uk_buf b;

			memcpy(&b, (char *)out + table[i].offset, sizeof(b));
			uk_buf_fini(&b);
			memcpy((char *)out + table[i].offset, &b, sizeof(b));
		}
}
