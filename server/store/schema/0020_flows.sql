-- Every flow of the manual: what an order is about, what it needs, and money that is remitted.

ALTER TABLE orders ADD COLUMN about TEXT NOT NULL DEFAULT ''; -- serial of the old certificate
ALTER TABLE orders ADD COLUMN needs BIGINT NOT NULL DEFAULT 31; -- those of a new certificate
ALTER TABLE orders ADD COLUMN code_tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN looks BIGINT NOT NULL DEFAULT 0; -- of staff at its photos
CREATE INDEX orders_about ON orders (about);

ALTER TABLE payments ADD COLUMN method TEXT NOT NULL DEFAULT 'alipay'; -- alipay, remittance

-- What staff note is about people: sealed from here on; what was stored before is read as it is.
ALTER TABLE order_events ADD COLUMN note_sealed BYTEA;

-- What has come to our account, as the bank's record says it.
CREATE TABLE remittances (
	id TEXT PRIMARY KEY,
	reference TEXT NOT NULL UNIQUE, -- the bank's number: the same record twice is one
	payer TEXT NOT NULL,
	account BYTEA NOT NULL, -- sealed
	remark TEXT NOT NULL,
	amount BIGINT NOT NULL,
	received_at BIGINT NOT NULL,
	entered_at BIGINT NOT NULL,
	entered_by TEXT NOT NULL,
	order_id TEXT NOT NULL, -- '': not matched
	matched_at BIGINT NOT NULL,
	matched_by TEXT NOT NULL
);
CREATE INDEX remittances_order ON remittances (order_id, received_at);
