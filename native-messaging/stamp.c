#include <string.h>

#include "native/stamp.h"
#include "uk/json.h"

#define SCHEME     "chrome-extension://"
#define CHROME_ID  32
#define ORIGIN_LEN 255

static enum uk_rc
take(const char *id, size_t n, const char *of, char *out, struct uk_err *err)
{
	if (n < 1 || n > STAMP_EXTENSION_MAX || strspn(id, of) < n)
		return uk_fail(err, UK_E_DENIED, "extension-refused", "argv", 0);
	memcpy(out, id, n);
	out[n] = '\0';
	return UK_OK;
}

enum uk_rc
stamp_extension(int argc, char *const *argv, char out[STAMP_EXTENSION_MAX + 1], struct uk_err *err)
{
	const size_t skip = sizeof(SCHEME) - 1;

	out[0] = '\0';
	if (argc <= 1)
		return UK_OK;
	if (strncmp(argv[1], SCHEME, skip) == 0 && strlen(argv[1]) == skip + CHROME_ID + 1 &&
	    argv[1][skip + CHROME_ID] == '/')
		return take(argv[1] + skip, CHROME_ID, "abcdefghijklmnop", out, err);
	if (argv[1][0] == '/' && argc == 3)
		return take(argv[2], strlen(argv[2]),
		    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@{}", out,
		    err);
	return uk_fail(err, UK_E_DENIED, "extension-refused", "argv", argc);
}

struct envelope {
	const char *jsonrpc;
	const char *method;
	json_t *params;
};

struct params {
	const char *origin;
};

static bool
version_valid(const char *s)
{
	return strcmp(s, "2.0") == 0;
}

static bool
method_valid(const char *s)
{
	return strcmp(s, "agent.origin") == 0;
}

static const struct uk_field envelope_fields[] = {
	{ "jsonrpc", UK_F_STR, UK_F_REQUIRED, 1, 8, offsetof(struct envelope, jsonrpc),
	    version_valid },
	{ "method", UK_F_STR, UK_F_REQUIRED, 1, 64, offsetof(struct envelope, method),
	    method_valid },
	{ "params", UK_F_JSON, UK_F_REQUIRED, 0, 0, offsetof(struct envelope, params), NULL },
};

static const struct uk_field param_fields[] = {
	{ "origin", UK_F_STR, UK_F_REQUIRED, 1, ORIGIN_LEN, offsetof(struct params, origin), NULL },
};

enum uk_rc
stamp_first(struct uk_span first, const char *extension, struct uk_buf *out, struct uk_err *err)
{
	json_t *message = NULL, *stamped = NULL;
	struct envelope e = { 0 };
	struct params p = { 0 };
	struct uk_err why = { 0 };
	enum uk_rc rc;

	if ((rc = uk_json_parse(first, STAMP_FIRST_MAX, &message, &why)) != UK_OK ||
	    (rc = uk_fields_read(envelope_fields, 3, message, &e, &why)) != UK_OK ||
	    (rc = uk_fields_read(param_fields, 1, e.params, &p, &why)) != UK_OK)
		goto out;
	stamped = json_pack("{s:s, s:s, s:{s:s, s:s*}}", "jsonrpc", "2.0", "method", "agent.origin",
	    "params", "origin", p.origin, "extension", *extension != '\0' ? extension : NULL);
	rc = stamped != NULL ? uk_json_put(out, stamped) : UK_E_INPUT;
out:
	json_decref(stamped);
	json_decref(message);
	return rc == UK_OK ? UK_OK : uk_fail(err, UK_E_DENIED, "origin-refused", "first-frame", 0);
}
