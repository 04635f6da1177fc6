-- Types are those that SQLite and PostgreSQL share. Times are Unix seconds, money is fen, what is
-- sealed says so; *_index columns are keyed hashes (server/store/crypt.h).

CREATE TABLE orders (
	id TEXT PRIMARY KEY,
	kind TEXT NOT NULL,
	state TEXT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	state_since BIGINT NOT NULL,
	timeout_at BIGINT NOT NULL,
	identity_method TEXT NOT NULL,
	identity_status TEXT NOT NULL,
	identity_reason TEXT NOT NULL,
	identity_day BIGINT NOT NULL,
	identity_attempts BIGINT NOT NULL,
	identity_checks BIGINT NOT NULL,
	identity_digest TEXT NOT NULL,
	documents BIGINT NOT NULL,
	signed_at BIGINT NOT NULL,
	amount_due BIGINT NOT NULL,
	amount_paid BIGINT NOT NULL,
	payment TEXT NOT NULL,
	payments BIGINT NOT NULL,
	paid_at BIGINT NOT NULL,
	refunds_open BIGINT NOT NULL,
	refunds_by_hand BIGINT NOT NULL,
	review_due BIGINT NOT NULL,
	reviewer TEXT NOT NULL,
	reviewers TEXT NOT NULL,
	reviewed_at BIGINT NOT NULL,
	review_result TEXT NOT NULL,
	review_reason TEXT NOT NULL,
	producer TEXT NOT NULL,
	tickets BIGINT NOT NULL,
	requests BIGINT NOT NULL,
	passwords BIGINT NOT NULL,
	password_tickets BIGINT NOT NULL,
	password_sent_at BIGINT NOT NULL,
	issued_at BIGINT NOT NULL,
	proved_at BIGINT NOT NULL,
	posted_at BIGINT NOT NULL,
	number_index TEXT NOT NULL,
	phone_index TEXT NOT NULL
);
CREATE INDEX orders_state ON orders (state, created_at);
CREATE INDEX orders_number ON orders (number_index);

CREATE TABLE order_forms (
	order_id TEXT PRIMARY KEY REFERENCES orders (id),
	form BYTEA NOT NULL, -- sealed JSON
	updated_at BIGINT NOT NULL
);

CREATE TABLE order_events (
	order_id TEXT NOT NULL REFERENCES orders (id),
	seq BIGINT NOT NULL,
	at BIGINT NOT NULL,
	event TEXT NOT NULL,
	event_id TEXT, -- null: not from outside
	role TEXT NOT NULL,
	actor TEXT NOT NULL,
	from_state TEXT NOT NULL,
	to_state TEXT NOT NULL,
	detail TEXT NOT NULL, -- scalar arguments, JSON
	note TEXT NOT NULL,
	note_salt BYTEA NOT NULL, -- the chain covers a salted hash of the note, so it can be erased
	note_hash BYTEA NOT NULL,
	hash BYTEA NOT NULL,
	PRIMARY KEY (order_id, seq),
	UNIQUE (order_id, event_id)
);

CREATE TABLE strays (
	id TEXT PRIMARY KEY,
	at BIGINT NOT NULL,
	event TEXT NOT NULL,
	order_id TEXT NOT NULL, -- as it was given: there may be no such order
	detail TEXT NOT NULL
);

CREATE TABLE identity_checks (
	order_id TEXT NOT NULL REFERENCES orders (id),
	n BIGINT NOT NULL,
	method TEXT NOT NULL,
	subject BYTEA NOT NULL, -- sealed JSON: organisation, creditCode, name, idNumber, phone, card, account, bank
	outcome TEXT NOT NULL, -- '' while it runs
	evidence TEXT NOT NULL,
	started_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL,
	PRIMARY KEY (order_id, n)
);

CREATE TABLE documents (
	order_id TEXT NOT NULL REFERENCES orders (id),
	type TEXT NOT NULL,
	width BIGINT NOT NULL,
	height BIGINT NOT NULL,
	bytes BIGINT NOT NULL,
	digest BYTEA NOT NULL,
	photo BYTEA NOT NULL, -- sealed JPEG
	uploaded_at BIGINT NOT NULL,
	PRIMARY KEY (order_id, type)
);

CREATE TABLE signatures (
	order_id TEXT NOT NULL REFERENCES orders (id),
	n BIGINT NOT NULL,
	phone BYTEA NOT NULL, -- sealed
	digest BYTEA NOT NULL, -- of what was signed
	statement BYTEA NOT NULL, -- sealed: what was signed
	method TEXT NOT NULL,
	signed_at BIGINT NOT NULL,
	PRIMARY KEY (order_id, n)
);

-- id is the number the provider knows the payment by, and refund_id that of its refund.
CREATE TABLE payments (
	id TEXT PRIMARY KEY,
	order_id TEXT NOT NULL REFERENCES orders (id),
	amount BIGINT NOT NULL,
	status TEXT NOT NULL, -- waiting, paid, closed, refunding, refunded, by-hand
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	trade_no TEXT NOT NULL,
	paid_amount BIGINT NOT NULL,
	paid_at BIGINT NOT NULL,
	refund_id TEXT NOT NULL,
	refunded_at BIGINT NOT NULL
);
CREATE INDEX payments_order ON payments (order_id);

CREATE TABLE passwords (
	order_id TEXT NOT NULL REFERENCES orders (id),
	n BIGINT NOT NULL,
	sealed BYTEA, -- null: erased
	made_at BIGINT NOT NULL,
	channel TEXT NOT NULL, -- sms, remark
	reference TEXT NOT NULL,
	sent_at BIGINT NOT NULL,
	PRIMARY KEY (order_id, n)
);

CREATE TABLE tickets (
	jti TEXT PRIMARY KEY,
	order_id TEXT NOT NULL REFERENCES orders (id),
	token TEXT NOT NULL,
	station TEXT NOT NULL,
	producer TEXT NOT NULL,
	thumbprint TEXT NOT NULL,
	issued_at BIGINT NOT NULL
);
CREATE INDEX tickets_order ON tickets (order_id);

-- Newest first by n; all are kept until the newest is proved.
CREATE TABLE so_pins (
	ticket TEXT NOT NULL REFERENCES tickets (jti),
	n BIGINT NOT NULL,
	sealed BYTEA NOT NULL,
	made_at BIGINT NOT NULL,
	PRIMARY KEY (ticket, n)
);

CREATE TABLE requests (
	order_id TEXT NOT NULL REFERENCES orders (id),
	n BIGINT NOT NULL,
	token TEXT NOT NULL,
	request BYTEA NOT NULL, -- PKCS#10
	outcome TEXT NOT NULL, -- '' while it runs
	created_at BIGINT NOT NULL,
	PRIMARY KEY (order_id, n)
);

-- One certificate per intent for ever; serial and intent are there before the signature is.
CREATE TABLE certificates (
	serial TEXT PRIMARY KEY,
	intent TEXT NOT NULL UNIQUE,
	order_id TEXT NOT NULL, -- '' for staff
	profile TEXT NOT NULL,
	not_before BIGINT NOT NULL,
	not_after BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	subject TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	tbs BYTEA NOT NULL,
	der BYTEA, -- null: intended, not signed
	issued_at BIGINT NOT NULL,
	revoked_at BIGINT NOT NULL, -- 0: valid
	revoked_why TEXT NOT NULL
);
CREATE INDEX certificates_order ON certificates (order_id);
CREATE INDEX certificates_revoked ON certificates (revoked_at);
CREATE INDEX certificates_fingerprint ON certificates (fingerprint);

CREATE TABLE crls (
	number BIGINT PRIMARY KEY,
	this_update BIGINT NOT NULL,
	next_update BIGINT NOT NULL,
	der BYTEA NOT NULL
);

CREATE TABLE shipments (
	order_id TEXT PRIMARY KEY REFERENCES orders (id),
	carrier TEXT NOT NULL,
	tracking TEXT NOT NULL,
	posted_at BIGINT NOT NULL
);

CREATE TABLE jobs (
	key TEXT PRIMARY KEY, -- the same work is the same key
	kind TEXT NOT NULL,
	order_id TEXT NOT NULL, -- '' for none
	args TEXT NOT NULL, -- JSON; references, never secrets
	status TEXT NOT NULL, -- waiting, done, failed
	due_at BIGINT NOT NULL,
	lease TEXT NOT NULL, -- whose it is while it runs
	lease_until BIGINT NOT NULL,
	tries BIGINT NOT NULL,
	runs BIGINT NOT NULL,
	reason TEXT NOT NULL, -- why the last run did not do it
	created_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL
);
CREATE INDEX jobs_due ON jobs (status, due_at);
CREATE INDEX jobs_order ON jobs (order_id);

CREATE TABLE tasks (
	id TEXT PRIMARY KEY, -- the same trouble is the same task
	kind TEXT NOT NULL,
	role TEXT NOT NULL, -- whose desk it is on
	order_id TEXT NOT NULL,
	detail TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	done_at BIGINT NOT NULL,
	done_by TEXT NOT NULL
);
CREATE INDEX tasks_open ON tasks (done_at, role, created_at);
CREATE INDEX tasks_order ON tasks (order_id);

CREATE TABLE staff (
	id TEXT PRIMARY KEY,
	name TEXT NOT NULL,
	roles TEXT NOT NULL, -- comma-separated
	fingerprint TEXT NOT NULL UNIQUE, -- of the certificate
	certificate BYTEA NOT NULL,
	created_at BIGINT NOT NULL,
	disabled_at BIGINT NOT NULL
);

CREATE TABLE stations (
	thumbprint TEXT PRIMARY KEY,
	name TEXT NOT NULL,
	jwk TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	disabled_at BIGINT NOT NULL
);

-- Cookies; subject is an order, a number_index or a member of the staff.
CREATE TABLE sessions (
	id TEXT PRIMARY KEY, -- keyed hash of the cookie
	kind TEXT NOT NULL,
	subject TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	used_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE challenges (
	nonce TEXT PRIMARY KEY,
	purpose TEXT NOT NULL, -- staff, or the order whose key is proved
	expires_at BIGINT NOT NULL,
	used_at BIGINT NOT NULL
);

CREATE TABLE codes (
	purpose TEXT NOT NULL,
	subject TEXT NOT NULL,
	code TEXT NOT NULL, -- keyed hash
	phone_index TEXT NOT NULL,
	sent_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	tries_left BIGINT NOT NULL,
	PRIMARY KEY (purpose, subject)
);

CREATE TABLE rates (
	key TEXT PRIMARY KEY,
	since BIGINT NOT NULL,
	count BIGINT NOT NULL
);
