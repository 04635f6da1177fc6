#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/pkcs11.h"
#include "token/text.h"

#define SLOTS_MAX 64u

bool
p11_anyone_in(const struct p11_module *m)
{
	for (size_t i = 0; i < m->n_slots; i++)
		if (m->slots[i].info.logged_in)
			return true;
	return false;
}

/* PKCS #11 section 3.2: the flags say how near to locked it is, never a number. */
static int
tries_of(CK_FLAGS flags, CK_FLAGS locked, CK_FLAGS last, CK_FLAGS low)
{
	if ((flags & locked) != 0)
		return 0;
	if ((flags & last) != 0)
		return 1;
	return (flags & low) != 0 ? TOKEN_TRIES_LOW : TOKEN_TRIES_UNKNOWN;
}

/* A token that wants a PIN and has none holds nothing yet: prepare may finish it. */
static enum token_state
state_of(CK_FLAGS flags)
{
	const bool no_pin =
	    (flags & CKF_LOGIN_REQUIRED) != 0 && (flags & CKF_USER_PIN_INITIALIZED) == 0;

	if ((flags & CKF_TOKEN_INITIALIZED) == 0 || no_pin)
		return TOKEN_BLANK;
	return (flags & CKF_USER_PIN_LOCKED) != 0 ? TOKEN_PIN_LOCKED : TOKEN_READY;
}

static void
read_flags(struct token_info *t, CK_FLAGS flags)
{
	t->state = state_of(flags);
	t->tries =
	    tries_of(flags, CKF_USER_PIN_LOCKED, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_COUNT_LOW);
	t->so_tries =
	    tries_of(flags, CKF_SO_PIN_LOCKED, CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_COUNT_LOW);
	t->pin_initial = (flags & CKF_USER_PIN_TO_BE_CHANGED) != 0;
}

/* What goes on the wire is bounded by what a call can carry. */
static void
read_lengths(struct token_info *t, const struct p11_slot *s)
{
	t->pin_max = s->pin_max < MESSAGE_PIN_MAX ? (int)s->pin_max : (int)MESSAGE_PIN_MAX;
	if (s->pin_max != 0)
		t->pin_min = s->pin_min < MESSAGE_PIN_MAX ? (int)s->pin_min : (int)MESSAGE_PIN_MAX;
}

/* Of a module with readers, a slot's description is its reader's name, cut to fit. */
static void
reader_of(struct p11_module *m, CK_SLOT_ID slot, char out[65])
{
	CK_SLOT_INFO c;

	memset(&c, 0, sizeof(c));
	if (m->readers && m->fn->C_GetSlotInfo(slot, &c) == CKR_OK)
		text_copy(out, 65, uk_span(c.slotDescription, sizeof(c.slotDescription)));
}

CK_RV
p11_slot_look(struct p11_module *m, struct p11_slot *s)
{
	struct token_info t = { .logged_in = s->info.logged_in };
	CK_TOKEN_INFO c;
	CK_RV rv;

	memset(&c, 0, sizeof(c));
	rv = m->fn->C_GetTokenInfo(s->number, &c);
	if (rv != CKR_OK)
		return rv;
	text_copy(t.serial, sizeof(t.serial), uk_span(c.serialNumber, sizeof(c.serialNumber)));
	text_copy(t.label, sizeof(t.label), uk_span(c.label, sizeof(c.label)));
	text_copy(t.model, sizeof(t.model), uk_span(c.model, sizeof(c.model)));
	text_copy(t.manufacturer, sizeof(t.manufacturer),
	    uk_span(c.manufacturerID, sizeof(c.manufacturerID)));
	reader_of(m, s->number, t.reader);
	if (s->info.id[0] != '\0' && strcmp(s->info.serial, t.serial) == 0)
		memcpy(t.id, s->info.id, sizeof(t.id));
	else if (t.serial[0] != '\0')
		memcpy(t.id, t.serial, sizeof(t.id));
	else
		(void)snprintf(t.id, sizeof(t.id), "blank-%s-%lu", m->tag, s->number);
	read_flags(&t, c.flags);
	t.algs = p11_algs(m, s->number);
	s->initialised = (c.flags & CKF_TOKEN_INITIALIZED) != 0;
	s->pin_min = c.ulMinPinLen;
	s->pin_max = c.ulMaxPinLen >= c.ulMinPinLen ? c.ulMaxPinLen : 0;
	read_lengths(&t, s);
	s->info = t;
	return CKR_OK;
}

static enum uk_rc
slot_numbers(struct p11_module *m, CK_SLOT_ID out[SLOTS_MAX], CK_ULONG *n, struct token_fault *f)
{
	/* Asking for the count makes the module look (PKCS #11 section 5.5, C_GetSlotList). */
	CK_RV rv = m->fn->C_GetSlotList(CK_TRUE, NULL, n);

	if (rv == CKR_OK) {
		*n = SLOTS_MAX;
		rv = m->fn->C_GetSlotList(CK_TRUE, out, n);
	}
	if (rv == CKR_CRYPTOKI_NOT_INITIALIZED)
		m->up = false;
	if (rv != CKR_OK)
		return p11_fail(f, rv, "C_GetSlotList");
	return *n <= SLOTS_MAX ? UK_OK : token_fail(f, UK_E_LIMIT, REASON_NONE, "C_GetSlotList");
}

/* Move what is known of a token that is still where it was. */
static void
carry_over(struct p11_module *m, struct p11_slot *now, struct p11_slot *before)
{
	CK_SESSION_INFO info = { 0 };

	if (before->session == CK_INVALID_HANDLE)
		return;
	if (m->fn->C_GetSessionInfo(before->session, &info) != CKR_OK || info.slotID != now->number)
		return;
	now->session = before->session;
	before->session = CK_INVALID_HANDLE;
	now->info.logged_in = before->info.logged_in && info.state == CKS_RW_USER_FUNCTIONS;
	if (now->info.logged_in) {
		now->n_keys = before->n_keys;
		memcpy(now->keys, before->keys, sizeof(now->keys));
	}
}

static void
make_unique(struct p11_slot *slots, size_t n)
{
	struct p11_slot *s = &slots[n];

	for (size_t i = 0; i < n; i++)
		if (strcmp(slots[i].info.id, s->info.id) == 0)
			(void)snprintf(
			    s->info.id, sizeof(s->info.id), "%.40s-%lu", s->info.serial, s->number);
}

enum uk_rc
p11_slots_refresh(struct p11_module *m, struct token_fault *f)
{
	struct p11_slot *now;
	CK_SLOT_ID numbers[SLOTS_MAX];
	CK_ULONG n = 0;
	size_t count = 0;
	enum uk_rc rc;

	if (m->forgetful && !p11_anyone_in(m))
		p11_stop(m);
	if ((rc = p11_start(m, f)) != UK_OK || (rc = slot_numbers(m, numbers, &n, f)) != UK_OK)
		n = 0;
	/* No more than is needed: all of m->slots would be 100 KiB, made dirty each second. */
	now = uk_xalloc((n + 1) * sizeof(*now));
	for (CK_ULONG i = 0; i < n && count < MESSAGE_TOKENS_MAX; i++) {
		struct p11_slot *s = &now[count];

		*s = (struct p11_slot){ .number = numbers[i] };
		/* A slot that does not answer is as good as empty; the others go on. */
		if (p11_slot_look(m, s) != CKR_OK)
			continue;
		make_unique(now, count++);
		for (size_t k = 0; k < m->n_slots; k++)
			if (m->slots[k].number == s->number &&
			    strcmp(m->slots[k].info.id, s->info.id) == 0)
				carry_over(m, s, &m->slots[k]);
	}
	for (size_t k = 0; k < m->n_slots; k++)
		p11_session_close(m, &m->slots[k]);
	memcpy(m->slots, now, count * sizeof(*now));
	m->n_slots = count;
	free(now);
	return rc;
}

static struct p11_slot *
known(struct p11_module *m, const char *id)
{
	for (size_t i = 0; i < m->n_slots; i++)
		if (strcmp(m->slots[i].info.id, id) == 0)
			return &m->slots[i];
	return NULL;
}

enum uk_rc
p11_slot_find(struct p11_module *m, const char *id, struct p11_slot **out, struct token_fault *f)
{
	struct p11_slot *s = known(m, id);

	if (s == NULL) {
		const enum uk_rc rc = p11_slots_refresh(m, f);

		if (rc != UK_OK)
			return rc;
		s = known(m, id);
	}
	if (s == NULL)
		return token_fail(f, UK_E_NOT_FOUND, REASON_TOKEN_NOT_FOUND, "slot");
	*out = s;
	return UK_OK;
}

enum uk_rc
p11_slot_open(struct p11_module *m, const char *id, struct p11_slot **out, struct token_fault *f)
{
	struct p11_slot *s = NULL;
	enum uk_rc rc = p11_slot_find(m, id, &s, f);

	if (rc == UK_OK && !s->info.logged_in)
		rc = token_fail(f, UK_E_UNAUTHORIZED, REASON_NOT_LOGGED_IN, "slot");
	if (rc == UK_OK)
		rc = p11_session(m, s, f);
	if (rc == UK_OK)
		*out = s;
	return rc;
}
