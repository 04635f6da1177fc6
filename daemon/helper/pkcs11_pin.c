#include <string.h>

#include "helper/pkcs11.h"

#define LABEL_LEN 32 /* PKCS #11, C_InitToken: padded with blanks, no NUL */

/* --- prepare --- */

static CK_RV
init_token(struct p11_module *m, struct p11_slot *s, struct uk_span so_pin, const char *label)
{
	CK_UTF8CHAR padded[LABEL_LEN];

	memset(padded, ' ', sizeof(padded));
	memcpy(padded, label, strlen(label));
	return m->fn->C_InitToken(s->number, p11_bytes(so_pin), so_pin.n, padded);
}

static enum uk_rc
so_login(struct p11_module *m, struct p11_slot *s, struct uk_span so_pin, struct token_fault *f)
{
	const CK_RV rv = p11_log_in(m, s, CKU_SO, so_pin);

	if (rv == CKR_OK)
		return UK_OK;
	(void)p11_slot_fail(m, s, f, rv, "C_Login(SO)");
	if (f->rc != UK_E_PIN_WRONG && f->rc != UK_E_PIN_LOCKED)
		return f->rc;
	f->reason = f->rc == UK_E_PIN_WRONG ? REASON_SO_PIN_WRONG : REASON_SO_PIN_LOCKED;
	/* Known only after the token has counted. */
	if (p11_slot_look(m, s) == CKR_OK)
		f->tries = s->info.so_tries;
	return f->rc;
}

static enum uk_rc
become_user(struct p11_module *m, struct p11_slot *s, struct uk_span pin, struct token_fault *f)
{
	const CK_RV rv = p11_log_in(m, s, CKU_USER, pin);

	if (rv != CKR_OK)
		return p11_slot_fail(m, s, f, rv, "C_Login");
	s->info.logged_in = true;
	(void)p11_slot_look(m, s);
	return UK_OK;
}

/* Give the user a PIN as the security officer, then become the user. */
static enum uk_rc
set_pin(struct p11_module *m, struct p11_slot *s, struct uk_span so_pin, struct uk_span pin,
    struct token_fault *f)
{
	enum uk_rc rc;
	CK_RV rv;

	if ((rc = p11_session(m, s, f)) != UK_OK || (rc = so_login(m, s, so_pin, f)) != UK_OK)
		return rc;
	rv = m->fn->C_InitPIN(s->session, p11_bytes(pin), pin.n);
	p11_log_out(m, s);
	return rv == CKR_OK ? become_user(m, s, pin, f) : p11_slot_fail(m, s, f, rv, "C_InitPIN");
}

/* The state in the list may be old: ask the token itself before anything is written. */
static enum uk_rc
check_blank(struct p11_module *m, struct p11_slot *s, struct token_fault *f)
{
	const CK_RV rv = p11_slot_look(m, s);

	if (rv != CKR_OK)
		return p11_slot_fail(m, s, f, rv, "C_GetTokenInfo");
	if (s->info.state != TOKEN_BLANK)
		return token_fail(f, UK_E_CONFLICT, REASON_TOKEN_NOT_BLANK, "prepare");
	return UK_OK;
}

enum uk_rc
p11_prepare(struct token_store *b, const char *id, const struct token_prepare *p, char token_id[65],
    struct token_fault *f)
{
	struct p11_module *m = p11_cast(b);
	struct p11_slot *s = NULL;
	enum uk_rc rc;
	CK_RV rv = CKR_OK;

	if (strlen(p->label) > LABEL_LEN)
		return token_fail(f, UK_E_INPUT, REASON_LABEL_LENGTH, "prepare");
	if ((rc = p11_slot_find(m, id, &s, f)) != UK_OK || (rc = check_blank(m, s, f)) != UK_OK)
		return rc;
	if (!p11_pin_fits(s, p->so_pin) || !p11_pin_fits(s, p->pin))
		return token_fail(f, UK_E_INPUT, REASON_PIN_LENGTH, "prepare");
	p11_session_close(m, s);
	if (!s->initialised)
		rv = init_token(m, s, p->so_pin, p->label);
	if (rv != CKR_OK)
		return p11_slot_fail(m, s, f, rv, "C_InitToken");
	rc = set_pin(m, s, p->so_pin, p->pin, f);
	if (rc == UK_OK && (rv = p11_slot_look(m, s)) != CKR_OK)
		rc = p11_slot_fail(m, s, f, rv, "C_GetTokenInfo");
	if (rc != UK_OK) {
		p11_session_close(m, s);
		return rc;
	}
	memcpy(token_id, s->info.id, sizeof(s->info.id));
	return UK_OK;
}

/* --- change-pin --- */

static CK_RV
change(struct p11_module *m, struct p11_slot *s, struct uk_span pin, struct uk_span new_pin)
{
	return m->fn->C_SetPIN(s->session, p11_bytes(pin), pin.n, p11_bytes(new_pin), new_pin.n);
}

/* Lengths have been checked, so it is the new PIN itself that the token dislikes. */
static enum uk_rc
not_taken(struct p11_module *m, struct p11_slot *s, struct token_fault *f, CK_RV rv)
{
	(void)p11_slot_fail(m, s, f, rv, "C_SetPIN");
	if (f->reason == REASON_PIN_LENGTH)
		f->reason = REASON_PIN_REFUSED;
	return f->rc;
}

/* In a public session, where the PIN may be one that has to be changed before any log-in. */
static enum uk_rc
change_user_pin(struct p11_module *m, struct p11_slot *s, struct uk_span pin,
    struct uk_span new_pin, struct token_fault *f)
{
	const CK_RV rv = change(m, s, pin, new_pin);

	if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED)
		return p11_login_failed(m, s, f, rv, "C_SetPIN");
	return rv == CKR_OK ? become_user(m, s, new_pin, f) : not_taken(m, s, f, rv);
}

static enum uk_rc
change_so_pin(struct p11_module *m, struct p11_slot *s, struct uk_span pin, struct uk_span new_pin,
    struct token_fault *f)
{
	const enum uk_rc rc = so_login(m, s, pin, f);
	CK_RV rv;

	if (rc != UK_OK)
		return rc;
	rv = change(m, s, pin, new_pin);
	p11_log_out(m, s);
	return rv == CKR_OK ? UK_OK : not_taken(m, s, f, rv);
}

enum uk_rc
p11_change_pin(struct token_store *b, const char *id, bool admin, struct uk_span pin,
    struct uk_span new_pin, struct token_fault *f)
{
	struct p11_module *m = p11_cast(b);
	struct p11_slot *s = NULL;
	enum uk_rc rc;

	if ((rc = p11_slot_closed(m, id, &s, f)) != UK_OK)
		return rc;
	if (!p11_pin_fits(s, pin)) {
		rc = token_fail(f, UK_E_PIN_WRONG, REASON_PIN_LENGTH, "change-pin");
		f->tries = admin ? s->info.so_tries : s->info.tries;
		return rc;
	}
	if (!p11_pin_fits(s, new_pin))
		return token_fail(f, UK_E_INPUT, REASON_PIN_LENGTH, "change-pin");
	if ((rc = p11_session(m, s, f)) != UK_OK)
		return rc;
	return admin ? change_so_pin(m, s, pin, new_pin, f)
		     : change_user_pin(m, s, pin, new_pin, f);
}

/* --- unblock --- */

/* One try that is known to be the last stays unspent: after it nothing helps but losing the keys.
 */
static enum uk_rc
so_tries_left(struct p11_module *m, struct p11_slot *s, struct token_fault *f)
{
	const CK_RV rv = p11_slot_look(m, s);

	if (rv != CKR_OK)
		return p11_slot_fail(m, s, f, rv, "C_GetTokenInfo");
	if (s->info.so_tries == 0)
		return token_fail(f, UK_E_PIN_LOCKED, REASON_SO_PIN_LOCKED, "unblock");
	if (s->info.so_tries == 1)
		return token_fail(f, UK_E_CONFLICT, REASON_SO_PIN_LAST, "unblock");
	return UK_OK;
}

/* Two tries at most. */
static enum uk_rc
so_login_either(struct p11_module *m, struct p11_slot *s, const struct token_unblock *u, bool *old,
    struct token_fault *f)
{
	enum uk_rc rc;

	*old = false;
	if ((rc = so_tries_left(m, s, f)) != UK_OK || (rc = so_login(m, s, u->so_pin, f)) == UK_OK)
		return rc;
	if (rc != UK_E_PIN_WRONG || u->so_pin_old.n == 0)
		return rc;
	*old = true;
	if ((rc = so_tries_left(m, s, f)) == UK_OK)
		rc = so_login(m, s, u->so_pin_old, f);
	return rc;
}

/* As the SO: the user's PIN first, since that is what the user waits for. */
static enum uk_rc
set_both(struct p11_module *m, struct p11_slot *s, const struct token_unblock *u, bool old,
    enum token_so *now, struct token_fault *f)
{
	const struct uk_span was = old ? u->so_pin_old : u->so_pin;
	CK_RV rv = m->fn->C_InitPIN(s->session, p11_bytes(u->new_pin), u->new_pin.n);

	*now = old ? TOKEN_SO_OLD : TOKEN_SO_SAME;
	if (rv != CKR_OK) {
		p11_log_out(m, s);
		return not_taken(m, s, f, rv);
	}
	if (u->so_pin_next.n != 0) {
		rv = uk_span_eq(was, u->so_pin_next) ? CKR_OK : change(m, s, was, u->so_pin_next);
		if (rv == CKR_OK)
			*now = TOKEN_SO_NEXT;
		else
			uk_log(m->log, UK_LOG_WARN, "so-pin.kept", UK_LI("native", (long)rv));
	}
	p11_log_out(m, s);
	return become_user(m, s, u->new_pin, f);
}

/*
 * PKCS #11 v2.40 section 5.6: the SO's log-in wants no read-only session open, and we have none but
 * our own.
 */
enum uk_rc
p11_unblock(struct token_store *b, const char *id, const struct token_unblock *u,
    enum token_so *now, struct token_fault *f)
{
	struct p11_module *m = p11_cast(b);
	struct p11_slot *s = NULL;
	bool old;
	enum uk_rc rc;

	if ((rc = p11_slot_closed(m, id, &s, f)) != UK_OK)
		return rc;
	/* Nothing is spent on what can't succeed. */
	if (!p11_pin_fits(s, u->new_pin) ||
	    (u->so_pin_next.n != 0 && !p11_pin_fits(s, u->so_pin_next)))
		return token_fail(f, UK_E_INPUT, REASON_PIN_LENGTH, "unblock");
	if ((rc = p11_session(m, s, f)) != UK_OK ||
	    (rc = so_login_either(m, s, u, &old, f)) != UK_OK)
		return rc;
	return set_both(m, s, u, old, now, f);
}
