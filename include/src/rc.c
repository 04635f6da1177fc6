#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "uk/rc.h"

struct rc_row {
	const char *name;
	int http;
	bool retry;
};

static const struct rc_row rows[] = {
	[UK_OK] = { "ok", 200, false },
	[UK_E_INPUT] = { "invalid-input", 400, false },
	[UK_E_LIMIT] = { "too-large", 413, false },
	[UK_E_UNAUTHORIZED] = { "login-required", 401, false },
	[UK_E_DENIED] = { "denied", 403, false },
	[UK_E_NOT_FOUND] = { "not-found", 404, false },
	[UK_E_CONFLICT] = { "conflict", 409, false },
	[UK_E_RATE] = { "too-many-attempts", 429, false },
	[UK_E_UNSUPPORTED] = { "unsupported", 501, false },
	[UK_E_CANCELLED] = { "cancelled", 403, false },
	[UK_E_TIMEOUT] = { "timeout", 504, true },
	[UK_E_UNAVAILABLE] = { "unavailable", 503, true },
	[UK_E_PIN_WRONG] = { "pin-wrong", 403, false },
	[UK_E_PIN_LOCKED] = { "pin-locked", 403, false },
	[UK_E_TOKEN_REMOVED] = { "token-removed", 409, true },
	[UK_E_INTEGRITY] = { "integrity", 422, false },
	[UK_E_INTERNAL] = { "internal", 500, false },
};
static_assert(sizeof(rows) / sizeof(rows[0]) == UK_RC__MAX, "one row per result code");

static const struct rc_row *
row(enum uk_rc rc)
{
	return (unsigned)rc < UK_RC__MAX ? &rows[rc] : &rows[UK_E_INTERNAL];
}

const char *
uk_rc_name(enum uk_rc rc)
{
	return row(rc)->name;
}

int
uk_rc_http(enum uk_rc rc)
{
	return row(rc)->http;
}

bool
uk_rc_retry(enum uk_rc rc)
{
	return row(rc)->retry;
}

enum uk_rc
uk_rc_from_name(const char *name)
{
	for (size_t i = 0; i < UK_RC__MAX; i++)
		if (strcmp(rows[i].name, name) == 0)
			return (enum uk_rc)i;
	return UK_E_INTERNAL;
}

enum uk_rc
uk_fail(struct uk_err *err, enum uk_rc rc, const char *reason, const char *where, long native)
{
	if (err != NULL)
		*err =
		    (struct uk_err){ .rc = rc, .reason = reason, .where = where, .native = native };
	return rc;
}

enum uk_rc
uk_fail_field(struct uk_err *err, const char *field, const char *reason)
{
	if (err != NULL)
		*err = (struct uk_err){ .rc = UK_E_INPUT, .reason = reason, .field = field };
	return UK_E_INPUT;
}

const char *
uk_err_reason(const struct uk_err *err)
{
	return err->reason != NULL ? err->reason : uk_rc_name(err->rc);
}
