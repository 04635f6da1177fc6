#include <assert.h>
#include <stddef.h>

#include "store/sql.h"

/* The order that server/workflow/facts.c reads and binds them in. */
#define ORDER_COLUMNS                                                                              \
	"id, kind, state, version, created_at, updated_at, state_since, timeout_at, "              \
	"identity_method, identity_status, identity_reason, identity_day, identity_attempts, "     \
	"identity_checks, identity_digest, documents, signed_at, amount_due, amount_paid, "        \
	"payment, payments, paid_at, refunds_open, refunds_by_hand, review_due, reviewer, "        \
	"reviewers, reviewed_at, review_result, review_reason, producer, tickets, requests, "      \
	"passwords, password_tickets, password_sent_at, issued_at, proved_at, posted_at, "         \
	"about, needs, code_tries, looks"

/* The order that server/workflow/certificate.c reads them in. */
#define CERTIFICATE_COLUMNS                                                                        \
	"serial, pair, intent, order_id, profile, usage, token, holder, fingerprint, not_before, " \
	"not_after, issued_at, suspended_at, revoked_at, revoked_why"

/* Newest first. */
#define CERTIFICATES_ISSUED " AND der IS NOT NULL ORDER BY issued_at DESC, not_after DESC, serial"

static const char *const text[] = {
	[SQL_SCHEMA_VERSION] = "SELECT COALESCE(MAX(version), 0) FROM schema_steps",
	[SQL_SCHEMA_STEP] = "INSERT INTO schema_steps (version, name) VALUES ($1, $2)",

	/* orders */
	[SQL_ORDER_GET] = "SELECT " ORDER_COLUMNS " FROM orders WHERE id = $1 /*lock_row*/",
	[SQL_ORDER_PUT] =
	    "INSERT INTO orders (" ORDER_COLUMNS ", number_index, phone_index) VALUES ("
	    "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, "
	    "$19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, "
	    "$35, $36, $37, $38, $39, $40, $41, $42, $43"
	    ", '', '')",
	[SQL_ORDER_CAS] =
	    "UPDATE orders SET "
	    "kind = $2, state = $3, version = $4, created_at = $5, updated_at = $6, "
	    "state_since = $7, timeout_at = $8, identity_method = $9, identity_status = $10, "
	    "identity_reason = $11, identity_day = $12, identity_attempts = $13, "
	    "identity_checks = $14, identity_digest = $15, documents = $16, signed_at = $17, "
	    "amount_due = $18, amount_paid = $19, payment = $20, payments = $21, paid_at = $22, "
	    "refunds_open = $23, refunds_by_hand = $24, review_due = $25, reviewer = $26, "
	    "reviewers = $27, reviewed_at = $28, review_result = $29, review_reason = $30, "
	    "producer = $31, tickets = $32, requests = $33, passwords = $34, "
	    "password_tickets = $35, password_sent_at = $36, issued_at = $37, proved_at = $38, "
	    "posted_at = $39, about = $40, needs = $41, code_tries = $42, "
	    "looks = $43"
	    " WHERE id = $1 AND version = $44 AND state = $45",
	[SQL_ORDER_INDEX_PUT] =
	    "UPDATE orders SET number_index = $2, phone_index = $3 WHERE id = $1",
	[SQL_ORDERS_BY_NUMBER] =
	    "SELECT " ORDER_COLUMNS
	    " FROM orders WHERE number_index = $1 ORDER BY created_at DESC, id",
	/* four states; after (review_due, id) */
	[SQL_ORDERS_BY_STATE] =
	    "SELECT " ORDER_COLUMNS " FROM orders WHERE state IN ($1, $2, $3, $4)"
	    " AND (review_due > $5 OR (review_due = $5 AND id > $6)) ORDER BY review_due, id LIMIT "
	    "$7",
	/* before (created_at, id) */
	[SQL_ORDERS_ALL] = "SELECT " ORDER_COLUMNS " FROM orders"
			   " WHERE created_at < $1 OR (created_at = $1 AND id < $2)"
			   " ORDER BY created_at DESC, id DESC LIMIT $3",
	/* what somebody of the staff has to see to; after (review_due, id) */
	[SQL_ORDERS_ATTENTION] =
	    "SELECT " ORDER_COLUMNS " FROM orders WHERE (state = 'delivery-failed' OR id IN"
	    " (SELECT order_id FROM tasks WHERE done_at = 0 AND role <> 'finance'))"
	    " AND (review_due > $1 OR (review_due = $1 AND id > $2)) ORDER BY review_due, id LIMIT "
	    "$3",
	[SQL_ORDERS_FINANCE] =
	    "SELECT " ORDER_COLUMNS " FROM orders WHERE (state IN ('refunding', 'refund-by-hand')"
	    " OR refunds_by_hand > 0 OR (kind = 'unit-replacement' AND state = 'payment') OR id IN"
	    " (SELECT order_id FROM tasks WHERE done_at = 0 AND role = 'finance'))"
	    " AND (review_due > $1 OR (review_due = $1 AND id > $2)) ORDER BY review_due, id LIMIT "
	    "$3",
	[SQL_ORDER_LOOKED] = "UPDATE orders SET looks = looks + 1 WHERE id = $1",
	[SQL_ORDERS_ABOUT] =
	    "SELECT " ORDER_COLUMNS " FROM orders WHERE about = $1 ORDER BY created_at DESC, id",
	/* has the customer of this number ever unlocked a key? */
	[SQL_ORDER_UNLOCKED] = "SELECT 1 FROM orders WHERE number_index = $1 AND state = 'done'"
			       " AND kind IN ('unit-unlock', 'person-unlock') LIMIT 1",
	[SQL_ORDER_INDEX_GET] = "SELECT number_index, phone_index FROM orders WHERE id = $1",
	[SQL_FORM_GET] = "SELECT form, updated_at FROM order_forms WHERE order_id = $1",
	[SQL_FORM_PUT] = "INSERT INTO order_forms (order_id, form, updated_at) VALUES ($1, $2, $3)"
			 " ON CONFLICT (order_id) DO UPDATE SET form = excluded.form, updated_at = "
			 "excluded.updated_at",
	[SQL_EVENT_PUT] =
	    "INSERT INTO order_events (order_id, seq, at, event, event_id, role, actor, from_state,"
	    " to_state, detail, note, note_sealed, note_salt, note_hash, hash)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', $11, $12, $13, $14)",
	[SQL_EVENT_SEEN] = "SELECT seq FROM order_events WHERE order_id = $1 AND event_id = $2",
	[SQL_EVENT_LAST_HASH] =
	    "SELECT hash, seq FROM order_events WHERE order_id = $1 ORDER BY seq DESC LIMIT 1",
	[SQL_EVENT_LAST_NOTE] =
	    "SELECT seq, note, note_sealed FROM order_events WHERE order_id = $1 AND event = $2"
	    " ORDER BY seq DESC LIMIT 1",
	[SQL_EVENTS_OF_ORDER] = "SELECT at, event, role, actor, from_state, to_state, seq, "
				"note, note_sealed, detail"
				" FROM order_events WHERE order_id = $1 ORDER BY seq",
	[SQL_EVENTS_CHAIN] =
	    "SELECT seq, at, event, event_id, role, actor, from_state, to_state, "
	    "detail, note, note_salt,"
	    " note_hash, hash, note_sealed FROM order_events WHERE order_id = $1 ORDER BY seq",
	[SQL_STRAY_PUT] =
	    "INSERT INTO strays (id, at, event, order_id, detail) VALUES ($1, $2, $3, $4, $5)"
	    " ON CONFLICT (id) DO NOTHING",
	[SQL_STRAYS] =
	    "SELECT id, at, event, order_id, detail FROM strays ORDER BY at DESC LIMIT $1",

	/* identity, documents, signature */
	[SQL_CHECK_PUT] = "INSERT INTO identity_checks (order_id, n, method, subject, outcome, "
			  "evidence, started_at,"
			  " ended_at) VALUES ($1, $2, $3, $4, '', '', $5, 0)",
	[SQL_CHECK_GET] = "SELECT method, subject, outcome, evidence FROM identity_checks"
			  " WHERE order_id = $1 AND n = $2",
	[SQL_CHECK_END] =
	    "UPDATE identity_checks SET outcome = $3, evidence = $4, ended_at = $5, subject = $6"
	    " WHERE order_id = $1 AND n = $2",
	[SQL_CHECKS_OF_ORDER] =
	    "SELECT n, method, outcome, evidence, started_at, ended_at FROM identity_checks"
	    " WHERE order_id = $1 ORDER BY n",
	[SQL_DOCUMENT_PUT] =
	    "INSERT INTO documents (order_id, type, width, height, bytes, digest, photo, "
	    "uploaded_at)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
	    " ON CONFLICT (order_id, type) DO UPDATE SET width = excluded.width,"
	    " height = excluded.height, bytes = excluded.bytes, digest = excluded.digest,"
	    " photo = excluded.photo, uploaded_at = excluded.uploaded_at",
	[SQL_DOCUMENT_GET] =
	    "SELECT photo, width, height, digest FROM documents WHERE order_id = $1 AND type = $2",
	[SQL_DOCUMENTS_OF_ORDER] =
	    "SELECT type, width, height, bytes, uploaded_at, digest FROM documents"
	    " WHERE order_id = $1 ORDER BY type",
	[SQL_SIGNATURE_PUT] =
	    "INSERT INTO signatures (order_id, n, phone, digest, statement, method, signed_at)"
	    " VALUES ($1, (SELECT COUNT(*) FROM signatures WHERE order_id = $1) + 1, $2, $3, $4, "
	    "$5, $6)",
	[SQL_SIGNATURES_OF_ORDER] =
	    "SELECT n, phone, digest, statement, method, signed_at FROM signatures"
	    " WHERE order_id = $1 ORDER BY n DESC",

	/* money */
	[SQL_PAYMENT_PUT] =
	    "INSERT INTO payments (id, order_id, amount, status, created_at, expires_at, trade_no,"
	    " paid_amount, paid_at, refund_id, refunded_at)"
	    " VALUES ($1, $2, $3, 'waiting', $4, $5, '', 0, 0, '', 0)",
	[SQL_PAYMENT_REMITTED] =
	    "INSERT INTO payments (id, order_id, amount, status, created_at, expires_at, trade_no,"
	    " paid_amount, paid_at, refund_id, refunded_at, method)"
	    " VALUES ($1, $2, $3, 'paid', $4, $4, $5, $3, $6, '', 0, 'remittance')",
	[SQL_PAYMENT_GET] = "SELECT order_id, amount, status, created_at, expires_at, trade_no, "
			    "paid_amount, paid_at,"
			    " refund_id, refunded_at, method FROM payments WHERE id = $1",
	[SQL_PAYMENT_PAID] =
	    "UPDATE payments SET status = 'paid', trade_no = $3, paid_amount = $4, paid_at = $5"
	    " WHERE id = $1 AND order_id = $2 AND status IN ('waiting', 'closed')",
	[SQL_PAYMENT_CLOSED] =
	    "UPDATE payments SET status = 'closed' WHERE id = $1 AND status = 'waiting'",
	[SQL_PAYMENT_REFUND] = "UPDATE payments SET status = 'refunding', refund_id = $2 WHERE id "
			       "= $1 AND status = 'paid'",
	[SQL_PAYMENT_REFUNDED] = "UPDATE payments SET status = 'refunded', refunded_at = $2"
				 " WHERE id = $1 AND status = 'refunding'",
	[SQL_PAYMENT_BY_HAND] =
	    "UPDATE payments SET status = 'by-hand' WHERE id = $1 AND status = 'refunding'",
	[SQL_PAYMENT_REFUNDED_BY_HAND] = "UPDATE payments SET status = 'refunded', refunded_at = $2"
					 " WHERE id = $1 AND status = 'by-hand'",
	[SQL_PAYMENTS_OF_ORDER] =
	    "SELECT id, amount, status, created_at, expires_at, trade_no, paid_amount, paid_at, "
	    "refund_id,"
	    " refunded_at, method FROM payments WHERE order_id = $1 ORDER BY created_at, id",

	[SQL_REMITTANCE_PUT] =
	    "INSERT INTO remittances (id, reference, payer, account, remark, amount, received_at,"
	    " entered_at, entered_by, order_id, matched_at, matched_by)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 0, '')"
	    " ON CONFLICT (reference) DO NOTHING",
	[SQL_REMITTANCE_GET] =
	    "SELECT id, reference, payer, account, remark, amount, received_at, entered_at,"
	    " entered_by, order_id, matched_at, matched_by FROM remittances WHERE id = $1",
	[SQL_REMITTANCE_MATCH] =
	    "UPDATE remittances SET order_id = $2, matched_at = $3, matched_by = $4"
	    " WHERE id = $1 AND order_id = ''",
	[SQL_REMITTANCE_HAND] = "SELECT 1 FROM remittances WHERE order_id = $1"
				" AND (entered_by = $2 OR matched_by = $2) LIMIT 1",
	[SQL_REMITTANCES] =
	    "SELECT id, reference, payer, account, remark, amount, received_at, entered_at,"
	    " entered_by, order_id, matched_at, matched_by FROM remittances"
	    " ORDER BY CASE WHEN order_id = '' THEN 0 ELSE 1 END, received_at DESC, id LIMIT $1",

	/* password, tickets, requests, certificates */
	[SQL_PASSWORD_PUT] =
	    "INSERT INTO passwords (order_id, n, sealed, made_at, channel, reference, sent_at)"
	    " VALUES ($1, $2, $3, $4, $5, '', 0) ON CONFLICT (order_id, n) DO NOTHING",
	[SQL_PASSWORD_GET] = "SELECT sealed, channel, reference, made_at, sent_at FROM passwords"
			     " WHERE order_id = $1 AND n = $2",
	[SQL_PASSWORD_SENT] =
	    "UPDATE passwords SET reference = $3, sent_at = $4 WHERE order_id = $1 AND n = $2",
	[SQL_PASSWORD_ERASE] = "UPDATE passwords SET sealed = NULL WHERE order_id = $1",
	[SQL_TICKET_PUT] =
	    "INSERT INTO tickets (jti, order_id, token, station, producer, thumbprint, issued_at)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7)",
	[SQL_TICKETS_OF_ORDER] =
	    "SELECT jti, token, station, producer, thumbprint, issued_at FROM tickets"
	    " WHERE order_id = $1 ORDER BY issued_at, jti",
	[SQL_SO_PIN_PUT] =
	    "INSERT INTO so_pins (ticket, n, sealed, made_at) VALUES ($1, $2, $3, $4)",
	[SQL_SO_PINS_OF_TICKET] =
	    "SELECT n, sealed, made_at FROM so_pins WHERE ticket = $1 ORDER BY n DESC",
	[SQL_TOKEN_PIN_PUT] =
	    "INSERT INTO token_pins (token, state, sealed, made_at) VALUES ($1, $2, $3, $4)"
	    " ON CONFLICT (token, state) DO UPDATE SET sealed = excluded.sealed,"
	    " made_at = excluded.made_at",
	[SQL_TOKEN_PIN_GET] = "SELECT sealed FROM token_pins WHERE token = $1 AND state = $2",
	[SQL_TOKEN_PIN_DROP] = "DELETE FROM token_pins WHERE token = $1 AND state = $2",
	[SQL_REQUEST_PUT] =
	    "INSERT INTO requests (order_id, n, token, request, outcome, created_at)"
	    " VALUES ($1, $2, $3, $4, '', $5)",
	[SQL_REQUEST_GET] = "SELECT token, request, outcome, created_at FROM requests WHERE "
			    "order_id = $1 AND n = $2",
	[SQL_REQUEST_END] = "UPDATE requests SET outcome = $3 WHERE order_id = $1 AND n = $2",
	[SQL_CERTIFICATE_INTEND] =
	    "INSERT INTO certificates (serial, pair, intent, order_id, profile, usage, token,"
	    " holder, not_before, not_after, created_at, tbs, subject, fingerprint, der,"
	    " issued_at, revoked_at, revoked_why)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', '', NULL, 0, 0, '')"
	    " ON CONFLICT (intent) DO NOTHING",
	[SQL_CERTIFICATE_BY_INTENT] =
	    "SELECT " CERTIFICATE_COLUMNS " FROM certificates WHERE intent = $1",
	[SQL_CERTIFICATE_TBS] = "SELECT tbs FROM certificates WHERE serial = $1",
	[SQL_CERTIFICATE_DER] = "SELECT der FROM certificates WHERE serial = $1",
	/* what was to be signed is in the certificate now */
	[SQL_CERTIFICATE_ISSUED] =
	    "UPDATE certificates SET der = $2, fingerprint = $3, issued_at = $4, tbs = $5"
	    " WHERE serial = $1 AND der IS NULL",
	[SQL_CERTIFICATE_GET] =
	    "SELECT " CERTIFICATE_COLUMNS " FROM certificates WHERE serial = $1",
	[SQL_CERTIFICATE_BY_FINGERPRINT] =
	    "SELECT " CERTIFICATE_COLUMNS " FROM certificates WHERE fingerprint = $1",
	[SQL_CERTIFICATES_OF_ORDER] = "SELECT " CERTIFICATE_COLUMNS
				      " FROM certificates WHERE order_id = $1" CERTIFICATES_ISSUED,
	[SQL_CERTIFICATES_OF_HOLDER] = "SELECT " CERTIFICATE_COLUMNS
				       " FROM certificates WHERE holder = $1" CERTIFICATES_ISSUED,
	[SQL_CERTIFICATES_OF_TOKEN] =
	    "SELECT " CERTIFICATE_COLUMNS " FROM certificates WHERE token = $1" CERTIFICATES_ISSUED,
	/* on the same key, and not proved yet: of renewals and changes under way */
	[SQL_CERTIFICATES_FOLLOWING] =
	    "SELECT certificates.serial FROM orders JOIN certificates ON certificates.order_id ="
	    " orders.id WHERE orders.about IN ($1, $2) AND orders.state = 'installing'"
	    " AND certificates.der IS NOT NULL ORDER BY certificates.serial LIMIT $3",
	[SQL_CERTIFICATE_SUSPEND] = "UPDATE certificates SET suspended_at = $2"
				    " WHERE serial = $1 AND revoked_at = 0 AND suspended_at = 0",
	[SQL_CERTIFICATE_RESUME] = "UPDATE certificates SET suspended_at = 0"
				   " WHERE serial = $1 AND revoked_at = 0 AND suspended_at > 0",
	[SQL_CERTIFICATE_REVOKE] =
	    "UPDATE certificates SET revoked_at = $2, revoked_why = $3, suspended_at = 0"
	    " WHERE serial = $1 AND revoked_at = 0",
	[SQL_CERTIFICATE_EVENT_PUT] =
	    "INSERT INTO certificate_events (serial, n, at, event, reason, actor) VALUES ($1,"
	    " (SELECT COUNT(*) FROM certificate_events WHERE serial = $1) + 1, $2, $3, $4, $5)",
	[SQL_CERTIFICATE_EVENTS] =
	    "SELECT at, event, reason, actor FROM certificate_events WHERE serial = $1 ORDER BY n",
	/* "+": few are revoked, most have not ended; so the one is looked for, not the other */
	[SQL_CERTIFICATES_REVOKED] =
	    "SELECT serial, CASE WHEN revoked_at > 0 THEN revoked_at ELSE suspended_at END AS "
	    "since,"
	    " CASE WHEN revoked_at > 0 THEN revoked_why ELSE 'hold' END FROM certificates"
	    " WHERE (revoked_at > 0 OR suspended_at > 0) AND +not_after >= $1"
	    " ORDER BY since, serial",
	[SQL_KM_KEY_PUT] =
	    "INSERT INTO km_keys (serial, private, enveloped, made_at) VALUES ($1, $2, $3, $4)",
	[SQL_KM_KEY_GET] = "SELECT private, enveloped FROM km_keys WHERE serial = $1",
	[SQL_KM_RECOVERY_PUT] =
	    "INSERT INTO km_recoveries (nonce, serial, recipient, expires_at, used_at, approved_by)"
	    " VALUES ($1, $2, $3, $4, 0, '')",
	[SQL_KM_RECOVERY_GET] =
	    "SELECT serial, recipient, expires_at, used_at FROM km_recoveries WHERE nonce = $1",
	[SQL_KM_RECOVERY_USE] = "UPDATE km_recoveries SET used_at = $2, approved_by = $3"
				" WHERE nonce = $1 AND used_at = 0",
	[SQL_CRL_PUT] =
	    "INSERT INTO crls (number, this_update, next_update, der) VALUES ($1, $2, $3, $4)",
	[SQL_CRL_LAST] =
	    "SELECT number, this_update, next_update, der FROM crls ORDER BY number DESC LIMIT 1",
	[SQL_CRLS_EXPIRE] = "DELETE FROM crls WHERE next_update < $1",
	[SQL_SHIPMENT_PUT] = "INSERT INTO shipments (order_id, carrier, tracking, posted_at) "
			     "VALUES ($1, $2, $3, $4)",
	[SQL_SHIPMENT_GET] =
	    "SELECT carrier, tracking, posted_at FROM shipments WHERE order_id = $1",

	/* jobs and tasks */
	[SQL_JOB_PUT] = "INSERT INTO jobs (key, kind, order_id, args, status, due_at, lease, "
			"lease_until, tries,"
			" runs, reason, created_at, ended_at)"
			" VALUES ($1, $2, $3, $4, 'waiting', $5, '', 0, 0, 0, '', $6, 0)"
			" ON CONFLICT (key) DO NOTHING",
	/* the lease goes too: a run that is under way can no longer end it */
	[SQL_JOB_AGAIN] =
	    "INSERT INTO jobs (key, kind, order_id, args, status, due_at, lease, lease_until, "
	    "tries,"
	    " runs, reason, created_at, ended_at)"
	    " VALUES ($1, $2, $3, $4, 'waiting', $5, '', 0, 0, 0, '', $6, 0)"
	    " ON CONFLICT (key) DO UPDATE SET args = excluded.args, status = 'waiting',"
	    " due_at = excluded.due_at, lease = '', lease_until = 0, tries = 0, ended_at = 0",
	[SQL_JOB_DROP] = "DELETE FROM jobs WHERE key = $1",
	[SQL_JOB_NUDGE] =
	    "UPDATE jobs SET due_at = $3"
	    " WHERE order_id = $1 AND kind = $2 AND status = 'waiting' AND due_at > $3",
	[SQL_JOBS_CLAIM] =
	    "UPDATE jobs SET lease = $1, lease_until = $2, tries = tries + 1, runs = runs + 1"
	    " WHERE key IN (SELECT key FROM jobs WHERE status = 'waiting' AND due_at <= $3"
	    " AND lease_until <= $3 ORDER BY due_at, key LIMIT $4 /*skip_locked*/)"
	    " RETURNING key, kind, order_id, args, tries, runs",
	[SQL_JOB_LEASE] = "UPDATE jobs SET lease_until = $3 WHERE key = $1 AND lease = $2",
	[SQL_JOB_END] =
	    "UPDATE jobs SET status = $3, reason = $4, ended_at = $5, lease = '', lease_until = 0"
	    " WHERE key = $1 AND lease = $2",
	[SQL_JOB_LATER] =
	    "UPDATE jobs SET due_at = $3, reason = $4, tries = $5, lease = '', lease_until = 0"
	    " WHERE key = $1 AND lease = $2",
	[SQL_JOB_NEXT_DUE] =
	    "SELECT MIN(CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END)"
	    " FROM jobs WHERE status = 'waiting'",
	[SQL_JOBS_OF_ORDER] =
	    "SELECT key, kind, args, status, due_at, tries, runs, reason FROM jobs"
	    " WHERE order_id = $1 ORDER BY created_at, key",
	[SQL_TASK_PUT] =
	    "INSERT INTO tasks (id, kind, role, order_id, detail, created_at, done_at, done_by)"
	    " VALUES ($1, $2, $3, $4, $5, $6, 0, '') ON CONFLICT (id) DO NOTHING",
	[SQL_TASK_CLOSE] =
	    "UPDATE tasks SET done_at = $2, done_by = $3 WHERE id = $1 AND done_at = 0",
	[SQL_TASKS_LEAVE] = "UPDATE tasks SET done_at = $2, done_by = $3"
			    " WHERE order_id = $1 AND done_at = 0 AND kind IN ('overdue', "
			    "'delivery-failed', 'review-due')",
	[SQL_TASKS_OF_ORDER] = "SELECT id, kind, role, detail, created_at FROM tasks"
			       " WHERE order_id = $1 AND done_at = 0 ORDER BY created_at, id",
	[SQL_TASKS_OPEN] = "SELECT id, kind, role, order_id, detail, created_at FROM tasks"
			   " WHERE done_at = 0 ORDER BY created_at, id LIMIT $1",

	[SQL_TASK_GET] = "SELECT role FROM tasks WHERE id = $1",

	/* reminders */
	[SQL_CERTIFICATES_ENDING] =
	    "SELECT serial, order_id FROM certificates WHERE not_after > $1 AND not_after <= $2"
	    " AND issued_at <> 0 AND +revoked_at = 0 AND suspended_at = 0 AND usage <> 'encrypt'"
	    " AND order_id <> ''"
	    " AND NOT EXISTS (SELECT 1 FROM reminders WHERE reminders.serial = certificates.serial"
	    " AND reminders.days <= $3)"
	    " AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.about = certificates.serial"
	    " AND orders.kind IN ('unit-renewal', 'person-renewal') AND orders.state = 'done')"
	    " ORDER BY serial LIMIT $4",
	[SQL_REMINDER_PUT] = "INSERT INTO reminders (serial, days, sent_at) VALUES ($1, $2, $3)",
	[SQL_REVIEWS_DUE] = "SELECT id, review_due FROM orders WHERE state = 'review'"
			    " AND review_due > $1 AND review_due <= $2"
			    " ORDER BY review_due LIMIT $3",

	/* who may */
	[SQL_STAFF_PUT] =
	    "INSERT INTO staff (id, name, roles, fingerprint, certificate, created_at, disabled_at)"
	    " VALUES ($1, $2, $3, $4, $5, $6, 0)",
	[SQL_STAFF_GET] =
	    "SELECT name, roles, fingerprint, certificate, disabled_at FROM staff WHERE id = $1",
	[SQL_STAFF_ENABLED] =
	    "SELECT id, roles, certificate FROM staff WHERE disabled_at = 0 ORDER BY id",
	[SQL_STAFF_BY_FINGERPRINT] =
	    "SELECT id, name, roles, certificate, disabled_at FROM staff WHERE fingerprint = $1",
	[SQL_STATION_PUT] = "INSERT INTO stations (thumbprint, name, jwk, created_at, disabled_at)"
			    " VALUES ($1, $2, $3, $4, 0)",
	[SQL_STATION_GET] = "SELECT name, jwk, disabled_at FROM stations WHERE thumbprint = $1",
	[SQL_SESSION_PUT] =
	    "INSERT INTO sessions (id, kind, subject, created_at, used_at, expires_at)"
	    " VALUES ($1, $2, $3, $4, $4, $5)",
	[SQL_SESSION_GET] = "SELECT kind, subject, created_at, used_at, expires_at FROM sessions"
			    " WHERE id = $1 AND expires_at > $2",
	[SQL_SESSION_USED] = "UPDATE sessions SET used_at = $2, expires_at = $3 WHERE id = $1",
	[SQL_SESSION_DROP] = "DELETE FROM sessions WHERE id = $1",
	[SQL_SESSIONS_EXPIRE] = "DELETE FROM sessions WHERE expires_at <= $1",
	[SQL_CHALLENGE_PUT] =
	    "INSERT INTO challenges (nonce, purpose, expires_at, used_at) VALUES ($1, $2, $3, 0)",
	[SQL_CHALLENGE_USE] = "UPDATE challenges SET used_at = $3"
			      " WHERE nonce = $1 AND purpose = $2 AND used_at = 0 AND expires_at > "
			      "$3 RETURNING expires_at",
	[SQL_CHALLENGES_EXPIRE] = "DELETE FROM challenges WHERE expires_at <= $1",
	[SQL_CODE_PUT] = "INSERT INTO codes (purpose, subject, code, phone_index, sent_at, "
			 "expires_at, tries_left)"
			 " VALUES ($1, $2, $3, $4, $5, $6, $7)"
			 " ON CONFLICT (purpose, subject) DO UPDATE SET code = excluded.code,"
			 " phone_index = excluded.phone_index, sent_at = excluded.sent_at,"
			 " expires_at = excluded.expires_at, tries_left = excluded.tries_left",
	[SQL_CODE_GET] = "SELECT code, phone_index, sent_at, expires_at, tries_left FROM codes"
			 " WHERE purpose = $1 AND subject = $2",
	[SQL_CODE_TRY] =
	    "UPDATE codes SET tries_left = tries_left - 1"
	    " WHERE purpose = $1 AND subject = $2 AND tries_left > 0 RETURNING tries_left",
	[SQL_CODE_DROP] = "DELETE FROM codes WHERE purpose = $1 AND subject = $2",
	[SQL_CODES_EXPIRE] = "DELETE FROM codes WHERE expires_at <= $1",
	/* one more within the window that began after $3, or the first of a new one */
	[SQL_RATE_HIT] =
	    "INSERT INTO rates (key, since, count) VALUES ($1, $2, 1)"
	    " ON CONFLICT (key) DO UPDATE SET"
	    " count = CASE WHEN rates.since > $3 THEN rates.count + 1 ELSE 1 END,"
	    " since = CASE WHEN rates.since > $3 THEN rates.since ELSE excluded.since END"
	    " RETURNING count, since",
	[SQL_RATES_EXPIRE] = "DELETE FROM rates WHERE since <= $1",
};
static_assert(sizeof(text) / sizeof(text[0]) == SQL__MAX, "one text per statement");

const char *
sql_text(enum sql_id id)
{
	return text[id];
}
