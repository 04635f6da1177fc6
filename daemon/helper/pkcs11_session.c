#include <string.h>
#include <time.h>

#include "helper/pkcs11.h"

#define LEFT_TRIES    8
#define LEFT_PAUSE_NS 100000000

static CK_RV
open_session(struct p11_module *m, CK_SLOT_ID slot, CK_SESSION_HANDLE *out)
{
	return m->fn->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, out);
}

enum uk_rc
p11_session(struct p11_module *m, struct p11_slot *s, struct token_fault *f)
{
	CK_RV rv;

	if (s->session != CK_INVALID_HANDLE)
		return UK_OK;
	rv = open_session(m, s->number, &s->session);
	if (rv == CKR_OK)
		return UK_OK;
	s->session = CK_INVALID_HANDLE;
	return p11_slot_fail(m, s, f, rv, "C_OpenSession");
}

void
p11_session_close(struct p11_module *m, struct p11_slot *s)
{
	if (s->session != CK_INVALID_HANDLE)
		(void)m->fn->C_CloseSession(s->session);
	s->session = CK_INVALID_HANDLE;
	s->info.logged_in = false;
	s->n_keys = 0;
}

/* A log-in is the token's, not the session's (PKCS #11 section 2.4), while one is open. */
enum uk_rc
p11_session_renew(struct p11_module *m, struct p11_slot *s, struct token_fault *f)
{
	CK_SESSION_HANDLE fresh = CK_INVALID_HANDLE;
	const CK_RV rv = open_session(m, s->number, &fresh);

	if (rv != CKR_OK)
		return p11_slot_fail(m, s, f, rv, "C_OpenSession");
	(void)m->fn->C_CloseSession(s->session);
	s->session = fresh;
	s->n_keys = 0;
	return UK_OK;
}

/* pcscd looks every 400 ms whether a card is still in. */
static bool
has_left(struct p11_module *m, const struct p11_slot *s)
{
	const struct timespec pause = { .tv_nsec = LEFT_PAUSE_NS };
	CK_TOKEN_INFO info;
	CK_ULONG n;

	for (int i = 0; i < LEFT_TRIES; i++) {
		(void)m->fn->C_GetSlotList(CK_TRUE, NULL, &n);
		if (p11_is_gone(m->fn->C_GetTokenInfo(s->number, &info)))
			return true;
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

/* What OpenSC says of a card that was pulled in an operation; no session outlasts it. */
static bool
is_fatal(CK_RV rv)
{
	return rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED || rv == CKR_DEVICE_ERROR;
}

enum uk_rc
p11_slot_fail(
    struct p11_module *m, struct p11_slot *s, struct token_fault *f, CK_RV rv, const char *where)
{
	enum uk_rc rc = p11_fail(f, rv, where);

	if (m->readers && is_fatal(rv)) {
		if (has_left(m, s))
			f->rc = rc = UK_E_TOKEN_REMOVED;
		p11_session_close(m, s);
	}
	if (rv == CKR_CRYPTOKI_NOT_INITIALIZED)
		p11_stop(m);
	else if (rc == UK_E_TOKEN_REMOVED)
		p11_session_close(m, s);
	else if (rv == CKR_USER_NOT_LOGGED_IN)
		s->info.logged_in = false;
	return rc;
}

void
p11_log_out(struct p11_module *m, struct p11_slot *s)
{
	if (s->session != CK_INVALID_HANDLE)
		(void)m->fn->C_Logout(s->session);
	s->info.logged_in = false;
	s->n_keys = 0;
}

CK_RV
p11_log_in(struct p11_module *m, struct p11_slot *s, CK_USER_TYPE who, struct uk_span pin)
{
	CK_RV rv = m->fn->C_Login(s->session, who, p11_bytes(pin), pin.n);

	/* A log-in that is not ours proves nothing about this PIN. */
	if (rv == CKR_USER_ALREADY_LOGGED_IN) {
		p11_log_out(m, s);
		rv = m->fn->C_Login(s->session, who, p11_bytes(pin), pin.n);
	}
	return rv;
}

bool
p11_pin_fits(const struct p11_slot *s, struct uk_span pin)
{
	return s->pin_max == 0 || (pin.n >= s->pin_min && pin.n <= s->pin_max);
}

/* The tries are known only after the token has counted. */
enum uk_rc
p11_login_failed(
    struct p11_module *m, struct p11_slot *s, struct token_fault *f, CK_RV rv, const char *where)
{
	enum uk_rc rc = p11_slot_fail(m, s, f, rv, where);

	if (f->reason == REASON_PIN_LENGTH)
		f->rc = rc = UK_E_PIN_WRONG;
	if (rc != UK_E_PIN_WRONG && rc != UK_E_PIN_LOCKED)
		return rc;
	if (p11_slot_look(m, s) == CKR_OK)
		f->tries = s->info.tries;
	if (rc == UK_E_PIN_LOCKED || f->tries == 0) {
		f->rc = rc = UK_E_PIN_LOCKED;
		f->tries = 0;
	}
	return rc;
}

enum uk_rc
p11_slot_closed(struct p11_module *m, const char *id, struct p11_slot **out, struct token_fault *f)
{
	struct p11_slot *s = NULL;
	enum uk_rc rc = p11_slot_find(m, id, &s, f);

	if (rc != UK_OK)
		return rc;
	p11_log_out(m, s);
	/* SoftHSM goes on taking a PIN that another process has changed. */
	if (m->forgetful && !p11_anyone_in(m) &&
	    ((rc = p11_slots_refresh(m, f)) != UK_OK ||
		(rc = p11_slot_find(m, id, &s, f)) != UK_OK))
		return rc;
	if (s->info.state == TOKEN_BLANK)
		return token_fail(f, UK_E_CONFLICT, REASON_TOKEN_BLANK, "login");
	*out = s;
	return UK_OK;
}

enum uk_rc
p11_login(struct token_store *b, const char *id, struct uk_span pin, struct token_fault *f)
{
	struct p11_module *m = p11_cast(b);
	struct p11_slot *s = NULL;
	enum uk_rc rc;
	CK_RV rv;

	if ((rc = p11_slot_closed(m, id, &s, f)) != UK_OK)
		return rc;
	if (!p11_pin_fits(s, pin)) {
		rc = token_fail(f, UK_E_PIN_WRONG, REASON_PIN_LENGTH, "login");
		f->tries = s->info.tries;
		return rc;
	}
	if ((rc = p11_session(m, s, f)) != UK_OK)
		return rc;
	rv = p11_log_in(m, s, CKU_USER, pin);
	if (rv != CKR_OK)
		return p11_login_failed(m, s, f, rv, "C_Login");
	s->info.logged_in = true;
	(void)p11_slot_look(m, s);
	return UK_OK;
}

enum uk_rc
p11_logout(struct token_store *b, const char *id, struct token_fault *f)
{
	struct p11_module *m = p11_cast(b);
	struct p11_slot *s = NULL;
	const enum uk_rc rc = p11_slot_find(m, id, &s, f);

	if (rc != UK_OK)
		return rc;
	/* Closing the only session logs out as well, if C_Logout should not. */
	p11_log_out(m, s);
	p11_session_close(m, s);
	return UK_OK;
}
