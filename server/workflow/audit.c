#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "workflow/audit.h"

#define HASH_LEN 32
#define SALT_LEN 16
#define ROW_MAX  (64u * 1024u)

#define PLACE_LEN 64

static void
sha256(struct uk_span data, uint8_t out[HASH_LEN])
{
	unsigned n = 0;

	if (EVP_Digest(data.p, data.n, out, &n, EVP_sha256(), NULL) != 1 || n != HASH_LEN)
		abort();
}

static void
put_part(struct uk_buf *b, struct uk_span s)
{
	uk_buf_put_u32(b, (uint32_t)s.n);
	uk_buf_put(b, s);
}

static void
put_int(struct uk_buf *b, int64_t n)
{
	uk_buf_put_u32(b, 8);
	uk_buf_put_u32(b, (uint32_t)((uint64_t)n >> 32));
	uk_buf_put_u32(b, (uint32_t)(uint64_t)n);
}

static void
hash_note(struct uk_span salt, const char *note, uint8_t out[HASH_LEN])
{
	struct uk_buf b;

	uk_buf_init(&b, ROW_MAX);
	put_part(&b, salt);
	put_part(&b, uk_span_str(note));
	sha256(uk_buf_span(&b), out);
	uk_buf_fini(&b);
}

/* UK_E_LIMIT for a row longer than any is. */
static enum uk_rc
hash_row(const struct audit_row *r, int64_t seq, struct uk_span before, struct uk_span note_hash,
    uint8_t out[HASH_LEN])
{
	const char *const texts[] = { r->event, r->event_id, r->role, r->actor, r->from, r->to,
		r->detail };
	struct uk_buf b;
	enum uk_rc rc = UK_E_LIMIT;

	uk_buf_init(&b, ROW_MAX);
	put_part(&b, uk_span_str("ukey-order-event-1"));
	put_part(&b, before);
	put_part(&b, uk_span_str(r->order));
	put_int(&b, seq);
	put_int(&b, r->at);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		put_part(&b, uk_span_str(texts[i]));
	put_part(&b, note_hash);
	if (!uk_buf_failed(&b)) {
		sha256(uk_buf_span(&b), out);
		rc = UK_OK;
	}
	uk_buf_fini(&b);
	return rc;
}

/* Zeros and 0 before the first. */
static enum uk_rc
last_row(
    struct store_tx *tx, const char *order, uint8_t out[HASH_LEN], int64_t *seq, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_EVENT_LAST_HASH, STORE_ARGS(DB_T(order)));
	enum uk_rc rc = UK_OK;
	enum uk_rc end;

	memset(out, 0, HASH_LEN);
	*seq = 0;
	if (store_next(rows)) {
		const struct uk_span h = store_blob(rows, 0);

		*seq = store_int(rows, 1);
		if (h.n == HASH_LEN)
			memcpy(out, h.p, HASH_LEN);
		else
			rc = uk_fail(err, UK_E_INTEGRITY, "audit-broken", "audit", (long)h.n);
	}
	end = store_end(rows, err);
	return end != UK_OK ? end : rc;
}

static struct crypt_place
note_place(const char *order, int64_t seq, char row[PLACE_LEN])
{
	(void)snprintf(row, PLACE_LEN, "%s/%lld", order, (long long)seq);
	return (struct crypt_place){ .table = "order_events", .row = row, .column = "note" };
}

enum uk_rc
audit_note(const struct crypt *crypt, const char *order, int64_t seq, const char *plain,
    struct uk_span sealed, struct uk_buf *out, struct uk_err *err)
{
	char row[PLACE_LEN];
	const struct crypt_place at = note_place(order, seq, row);

	uk_buf_put_str(out, plain);
	if (sealed.n == 0)
		return UK_OK;
	return crypt_unseal(crypt, CRYPT_PERSONAL, &at, sealed, out, err);
}

/* What a row has beside what it says. */
struct links {
	int64_t seq;
	uint8_t salt[SALT_LEN];
	uint8_t note_hash[HASH_LEN];
	uint8_t hash[HASH_LEN];
	struct uk_buf sealed; /* the note; empty: there is none */
};

static enum uk_rc
link_row(const struct workflow *w, struct store_tx *tx, const struct audit_row *r, bool noted,
    struct links *l, struct uk_err *err)
{
	char row[PLACE_LEN];
	uint8_t before[HASH_LEN];
	struct crypt_place at;
	enum uk_rc rc = last_row(tx, r->order, before, &l->seq, err);

	if (rc != UK_OK)
		return rc;
	l->seq++;
	if (noted)
		w->random->bytes(w->random->ctx, l->salt, SALT_LEN);
	hash_note(uk_span(l->salt, noted ? SALT_LEN : 0), r->note, l->note_hash);
	if (hash_row(r, l->seq, uk_span(before, HASH_LEN), uk_span(l->note_hash, HASH_LEN),
		l->hash) != UK_OK)
		return uk_fail(err, UK_E_LIMIT, NULL, "audit", 0);
	if (!noted)
		return UK_OK;
	at = note_place(r->order, l->seq, row);
	return crypt_seal(w->crypt, CRYPT_PERSONAL, &at, uk_span_str(r->note), &l->sealed, err);
}

enum uk_rc
audit_put(
    const struct workflow *w, struct store_tx *tx, const struct audit_row *r, struct uk_err *err)
{
	const bool noted = r->note != NULL && r->note[0] != '\0';
	struct links l = { .seq = 0 };
	enum uk_rc rc;

	uk_buf_init(&l.sealed, AUDIT_NOTE_MAX + CRYPT_OVERHEAD);
	rc = link_row(w, tx, r, noted, &l, err);
	if (rc == UK_OK)
		rc = store_run(tx, SQL_EVENT_PUT,
		    STORE_ARGS(DB_T(r->order), DB_I(l.seq), DB_I(r->at), DB_T(r->event),
			DB_T(r->event_id), DB_T(r->role), DB_T(r->actor), DB_T(r->from),
			DB_T(r->to), DB_T(r->detail), DB_B(uk_buf_span(&l.sealed)),
			DB_B(uk_span(l.salt, noted ? SALT_LEN : 0)),
			DB_B(uk_span(l.note_hash, HASH_LEN)), DB_B(uk_span(l.hash, HASH_LEN))),
		    NULL, err);
	uk_buf_fini(&l.sealed);
	return rc;
}

/* An erased one holds. */
static bool
note_holds(const struct crypt *crypt, const char *order, const struct store_rows *rows)
{
	uint8_t hash[HASH_LEN];
	struct uk_buf note;
	bool good;

	uk_buf_init(&note, 2 * AUDIT_NOTE_MAX);
	good = audit_note(crypt, order, store_int(rows, 0), store_text(rows, 9),
		   store_blob(rows, 13), &note, NULL) == UK_OK;
	if (good && note.n != 0) {
		hash_note(store_blob(rows, 10), uk_buf_str(&note), hash);
		good = uk_span_eq(store_blob(rows, 11), uk_span(hash, HASH_LEN));
	}
	uk_buf_fini(&note);
	return good;
}

/* The current row of SQL_EVENTS_CHAIN against the hash of the one before, which it replaces. */
static bool
row_holds(const struct crypt *crypt, const char *order, const struct store_rows *rows,
    uint8_t chain[HASH_LEN])
{
	const struct audit_row r = {
		.order = order,
		.at = store_int(rows, 1),
		.event = store_text(rows, 2),
		.event_id = store_text(rows, 3),
		.role = store_text(rows, 4),
		.actor = store_text(rows, 5),
		.from = store_text(rows, 6),
		.to = store_text(rows, 7),
		.detail = store_text(rows, 8),
	};
	const struct uk_span note_hash = store_blob(rows, 11);
	uint8_t hash[HASH_LEN];

	if (!note_holds(crypt, order, rows))
		return false;
	if (hash_row(&r, store_int(rows, 0), uk_span(chain, HASH_LEN), note_hash, hash) != UK_OK ||
	    !uk_span_eq(store_blob(rows, 12), uk_span(hash, HASH_LEN)))
		return false;
	memcpy(chain, hash, HASH_LEN);
	return true;
}

/* The rows count from 1 without a gap; there are as many as the order has versions, and besides as
 * many as there were looks at it. */
enum uk_rc
workflow_verify(
    const struct workflow *w, struct store_tx *tx, const char *order, struct uk_err *err)
{
	uint8_t chain[HASH_LEN] = { 0 };
	struct store_rows *rows;
	int64_t seq = 0, looks = 0;
	bool good = true;
	struct order o;
	enum uk_rc rc = order_load(tx, order, &o, err);

	if (rc != UK_OK)
		return rc;
	rows = store_query(tx, SQL_EVENTS_CHAIN, STORE_ARGS(DB_T(order)));
	while (good && store_next(rows)) {
		seq++;
		looks += strcmp(store_text(rows, 2), AUDIT_LOOK) == 0 ? 1 : 0;
		good = store_int(rows, 0) == seq && row_holds(w->crypt, order, rows, chain);
	}
	rc = store_end(rows, err);
	if (rc == UK_OK && good && (looks != o.looks || seq != o.version + looks)) {
		seq++;
		good = false;
	}
	if (rc == UK_OK && !good)
		rc = uk_fail(err, UK_E_INTEGRITY, "audit-broken", "audit.verify", (long)seq);
	return rc;
}
