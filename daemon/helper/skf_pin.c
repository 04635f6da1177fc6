#include <string.h>

#include "helper/skf_backend.h"

/* A PIN as SKF wants it, with its NUL, in memory of its own; NULL: it can't be one. */
static struct uk_secret *
text_of(struct uk_span pin)
{
	return memchr(pin.p, '\0', pin.n) == NULL ? uk_secret_new(pin) : NULL;
}

static LPSTR
lent(const struct uk_secret *pin)
{
	return (LPSTR)skf_bytes(uk_secret_lend(pin));
}

/* In bytes; a new one only: what a token takes today is the token's affair. */
static bool
fits(const struct skf_slot *s, struct uk_span pin)
{
	return pin.n >= (size_t)s->info.pin_min && pin.n <= (size_t)s->info.pin_max &&
	       memchr(pin.p, '\0', pin.n) == NULL;
}

static int
tries_of(const struct skf_slot *s, ULONG type)
{
	return type == USER_TYPE ? s->info.tries : s->info.so_tries;
}

/* The token's own count, and the user's application; `s` is gone when this fails. */
static enum uk_rc
find(struct skf_module *m, const char *id, struct skf_slot **out, struct token_fault *f)
{
	struct skf_slot *s = NULL;
	enum uk_rc rc = skf_slot_find(m, id, &s, f);
	ULONG sar;

	if (rc != UK_OK)
		return rc;
	if (s->handle == NULL)
		return token_fail(f, UK_E_CONFLICT, REASON_TOKEN_BLANK, "pin");
	if ((sar = skf_slot_look(m, s)) != SAR_OK)
		return skf_slot_fail(m, s, f, sar, "SKF_GetPINInfo");
	*out = s;
	return UK_OK;
}

/*
 * Codes differ between modules, so the count decides: where it went down, the PIN was wrong.  An
 * SO's PIN is not the user's, and neither is what is said of it.
 */
static enum uk_rc
refused(struct skf_module *m, struct skf_slot *s, ULONG type, int before, ULONG sar, ULONG left,
    const char *where, struct token_fault *f)
{
	const ULONG looked = skf_is_gone(sar) ? sar : skf_slot_look(m, s);
	int now;

	if (looked != SAR_OK)
		return skf_slot_fail(m, s, f, looked, where);
	now = tries_of(s, type);
	(void)skf_fail(f, sar, where);
	if (f->rc != UK_E_PIN_WRONG && f->rc != UK_E_PIN_LOCKED && !(now >= 0 && now < before))
		return f->rc;
	f->tries = now >= 0 || left > 255 ? now : (int)left;
	f->rc = f->tries == 0 || sar == SAR_PIN_LOCKED ? UK_E_PIN_LOCKED : UK_E_PIN_WRONG;
	if (f->rc == UK_E_PIN_LOCKED)
		f->tries = 0;
	f->reason = REASON_NONE;
	if (type == ADMIN_TYPE)
		f->reason = f->rc == UK_E_PIN_LOCKED ? REASON_SO_PIN_LOCKED : REASON_SO_PIN_WRONG;
	return f->rc;
}

/* A module that takes a PIN after the token is locked (there is one) is not asked. */
static enum uk_rc
check_open(const struct skf_slot *s, ULONG type, struct token_fault *f)
{
	if (tries_of(s, type) != 0)
		return UK_OK;
	(void)token_fail(
	    f, UK_E_PIN_LOCKED, type == ADMIN_TYPE ? REASON_SO_PIN_LOCKED : REASON_NONE, "pin");
	f->tries = 0;
	return f->rc;
}

static ULONG
verify(struct skf_module *m, struct skf_slot *s, const struct uk_secret *pin, ULONG *left)
{
	union skf_cell n = { 0 };
	ULONG sar;

	n.v = UINT32_MAX;
	sar = m->lib.fn.VerifyPIN(s->handle, USER_TYPE, lent(pin), &n.v);
	*left = n.v;
	return sar;
}

/* DisConnectDev and CloseApplication leave a log-in as it is (GM/T 0016 section 6.4.3). */
static void
clear(struct skf_module *m, struct skf_slot *s)
{
	if (m->lib.fn.ClearSecureState != NULL)
		(void)m->lib.fn.ClearSecureState(s->handle);
	skf_slot_out(s);
}

static enum uk_rc
verified(struct skf_module *m, struct skf_slot *s, struct uk_secret **pin, struct token_fault *f)
{
	const ULONG sar = skf_slot_look(m, s);

	if (sar != SAR_OK)
		return skf_slot_fail(m, s, f, sar, "SKF_GetPINInfo");
	s->info.logged_in = true;
	s->used = false;
	if (m->base.hold_pin) {
		s->pin = *pin;
		*pin = NULL;
	}
	return UK_OK;
}

enum uk_rc
skf_pin_verify(struct skf_module *m, struct skf_slot *s, struct uk_span pin, struct token_fault *f)
{
	struct uk_secret *text = text_of(pin);
	const int before = s->info.tries;
	ULONG left = UINT32_MAX, sar;
	enum uk_rc rc;

	if (text == NULL) {
		(void)token_fail(f, UK_E_PIN_WRONG, REASON_PIN_LENGTH, "login");
		f->tries = before;
		return f->rc;
	}
	sar = verify(m, s, text, &left);
	/* Somebody else's log-in proves nothing about this PIN. */
	if (sar == SAR_USER_ALREADY_LOGGED_IN) {
		clear(m, s);
		sar = verify(m, s, text, &left);
	}
	if (sar == SAR_OK) {
		rc = verified(m, s, &text, f);
	} else if (sar == SAR_PIN_INVALID && m->lib.quirk->pin_invalid_is_initial) {
		rc = token_fail(f, UK_E_CONFLICT, REASON_PIN_EXPIRED, "SKF_VerifyPIN");
	} else {
		rc = refused(m, s, USER_TYPE, before, sar, left, "SKF_VerifyPIN", f);
		if (f->reason == REASON_PIN_LENGTH)
			f->rc = rc = UK_E_PIN_WRONG;
	}
	uk_secret_free(&text);
	return rc;
}

/* GM/T 0027-2014 section 9.2 has the PIN asked for before each signature. */
bool
skf_pin_again(struct skf_module *m, struct skf_slot *s)
{
	ULONG left;

	return s->pin != NULL && s->info.tries != 1 && verify(m, s, s->pin, &left) == SAR_OK;
}

enum uk_rc
skf_login(struct token_store *b, const char *id, struct uk_span pin, struct token_fault *f)
{
	struct skf_module *m = skf_cast(b);
	struct skf_slot *s = NULL;
	enum uk_rc rc;

	if ((rc = find(m, id, &s, f)) != UK_OK)
		return rc;
	clear(m, s);
	rc = check_open(s, USER_TYPE, f);
	return rc == UK_OK ? skf_pin_verify(m, s, pin, f) : rc;
}

enum uk_rc
skf_logout(struct token_store *b, const char *id, struct token_fault *f)
{
	struct skf_module *m = skf_cast(b);
	struct skf_slot *s = NULL;
	const enum uk_rc rc = skf_slot_find(m, id, &s, f);

	if (rc == UK_OK && s->handle != NULL)
		clear(m, s);
	return rc;
}

/* --- change-pin --- */

static enum uk_rc
change(struct skf_module *m, struct skf_slot *s, ULONG type, struct uk_span pin,
    struct uk_span new_pin, struct token_fault *f)
{
	struct uk_secret *old = text_of(pin), *new = text_of(new_pin);
	const int before = tries_of(s, type);
	union skf_cell left = { 0 };
	enum uk_rc rc = UK_OK;
	ULONG sar;

	left.v = UINT32_MAX;
	if (m->lib.fn.ChangePIN == NULL) {
		rc = token_fail(f, UK_E_UNSUPPORTED, REASON_NONE, "SKF_ChangePIN");
	} else if (old == NULL || new == NULL) {
		rc = token_fail(f, UK_E_INPUT, REASON_PIN_REFUSED, "SKF_ChangePIN");
	} else {
		sar = m->lib.fn.ChangePIN(s->handle, type, lent(old), lent(new), &left.v);
		if (sar != SAR_OK)
			rc = refused(m, s, type, before, sar, left.v, "SKF_ChangePIN", f);
	}
	uk_secret_free(&old);
	uk_secret_free(&new);
	return rc;
}

enum uk_rc
skf_change_pin(struct token_store *b, const char *id, bool admin, struct uk_span pin,
    struct uk_span new_pin, struct token_fault *f)
{
	const ULONG type = admin ? ADMIN_TYPE : USER_TYPE;
	struct skf_module *m = skf_cast(b);
	struct skf_slot *s = NULL;
	enum uk_rc rc;

	if ((rc = find(m, id, &s, f)) != UK_OK || (rc = check_open(s, type, f)) != UK_OK)
		return rc;
	if (!fits(s, new_pin))
		return token_fail(f, UK_E_INPUT, REASON_PIN_LENGTH, "change-pin");
	clear(m, s);
	if ((rc = change(m, s, type, pin, new_pin, f)) != UK_OK || admin)
		return rc;
	return skf_pin_verify(m, s, new_pin, f);
}

/* --- unblock --- */

/* One try that is known to be the last stays unspent: after it the keys are lost. */
static enum uk_rc
unblock_once(struct skf_module *m, struct skf_slot *s, struct uk_span so_pin,
    struct uk_span new_pin, struct token_fault *f)
{
	struct uk_secret *so = text_of(so_pin), *user = text_of(new_pin);
	const int before = s->info.so_tries;
	union skf_cell left = { 0 };
	enum uk_rc rc;
	ULONG sar;

	left.v = UINT32_MAX;
	if ((rc = check_open(s, ADMIN_TYPE, f)) != UK_OK)
		goto out;
	if (before == 1) {
		rc = token_fail(f, UK_E_CONFLICT, REASON_SO_PIN_LAST, "unblock");
	} else if (so == NULL || user == NULL) {
		rc = token_fail(f, UK_E_INPUT, REASON_PIN_REFUSED, "unblock");
	} else {
		sar = m->lib.fn.UnblockPIN(s->handle, lent(so), lent(user), &left.v);
		if (sar != SAR_OK)
			rc = refused(m, s, ADMIN_TYPE, before, sar, left.v, "SKF_UnblockPIN", f);
	}
out:
	uk_secret_free(&so);
	uk_secret_free(&user);
	return rc;
}

/* The user's PIN is set by now, and is not lost because of the SO's. */
static enum token_so
renew_so(struct skf_module *m, struct skf_slot *s, const struct token_unblock *u, bool old)
{
	const struct uk_span was = old ? u->so_pin_old : u->so_pin;
	const enum token_so stays = old ? TOKEN_SO_OLD : TOKEN_SO_SAME;
	struct token_fault f = { 0 };

	if (u->so_pin_next.n == 0)
		return stays;
	if (uk_span_eq(was, u->so_pin_next) ||
	    change(m, s, ADMIN_TYPE, was, u->so_pin_next, &f) == UK_OK)
		return TOKEN_SO_NEXT;
	uk_log(m->log, UK_LOG_WARN, "so-pin.kept", UK_LI("native", f.native));
	return stays;
}

enum uk_rc
skf_unblock(struct token_store *b, const char *id, const struct token_unblock *u,
    enum token_so *now, struct token_fault *f)
{
	struct skf_module *m = skf_cast(b);
	struct skf_slot *s = NULL;
	bool old = false;
	enum uk_rc rc;

	if ((rc = find(m, id, &s, f)) != UK_OK)
		return rc;
	if (m->lib.fn.UnblockPIN == NULL)
		return token_fail(f, UK_E_UNSUPPORTED, REASON_NONE, "SKF_UnblockPIN");
	if (!fits(s, u->new_pin) || (u->so_pin_next.n != 0 && !fits(s, u->so_pin_next)))
		return token_fail(f, UK_E_INPUT, REASON_PIN_LENGTH, "unblock");
	clear(m, s);
	rc = unblock_once(m, s, u->so_pin, u->new_pin, f);
	if (rc == UK_E_PIN_WRONG && u->so_pin_old.n != 0) {
		old = true;
		rc = unblock_once(m, s, u->so_pin_old, u->new_pin, f);
	}
	*now = old ? TOKEN_SO_OLD : TOKEN_SO_SAME;
	if (rc != UK_OK)
		return rc;
	*now = renew_so(m, s, u, old);
	/* Its handle may have gone with that. */
	if ((rc = find(m, id, &s, f)) != UK_OK)
		return rc;
	return skf_pin_verify(m, s, u->new_pin, f);
}
