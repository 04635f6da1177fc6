-- The status of certificates, pairs of them, what their keys are kept by, and the tokens' SO PINs.

-- From here on tbs and der are sealed, and subject, which der has, stays empty: a person's
-- certificate carries the identity number. What was stored before is read as it is.
ALTER TABLE certificates ADD COLUMN usage TEXT NOT NULL DEFAULT 'sign'; -- sign, encrypt, both
ALTER TABLE certificates ADD COLUMN pair TEXT NOT NULL DEFAULT ''; -- the serial of the other one
ALTER TABLE certificates ADD COLUMN token TEXT NOT NULL DEFAULT ''; -- the serial of the key it is on
ALTER TABLE certificates ADD COLUMN holder TEXT NOT NULL DEFAULT ''; -- keyed hash of the document number
ALTER TABLE certificates ADD COLUMN suspended_at BIGINT NOT NULL DEFAULT 0; -- 0: not suspended
CREATE INDEX certificates_holder ON certificates (holder);
CREATE INDEX certificates_token ON certificates (token);

UPDATE certificates SET
	token = COALESCE((SELECT token FROM requests
		WHERE requests.order_id || '/' || requests.n = certificates.intent), ''),
	holder = COALESCE((SELECT number_index FROM orders WHERE orders.id = certificates.order_id), '');

-- What became of a certificate, oldest first.
CREATE TABLE certificate_events (
	serial TEXT NOT NULL REFERENCES certificates (serial),
	n BIGINT NOT NULL,
	at BIGINT NOT NULL,
	event TEXT NOT NULL, -- suspended, resumed, revoked, key-recovered
	reason TEXT NOT NULL,
	actor TEXT NOT NULL, -- whose wish it was
	PRIMARY KEY (serial, n)
);

-- At most two of a token: the one it has been proved to answer to, and the one it may have been
-- given since.
CREATE TABLE token_pins (
	token TEXT NOT NULL,
	state TEXT NOT NULL, -- proved, next
	sealed BYTEA NOT NULL,
	made_at BIGINT NOT NULL,
	PRIMARY KEY (token, state)
);

-- Key management: the pairs of encryption certificates. The private keys are sealed under a key of
-- its own (km.key), not the server's.
CREATE TABLE km_keys (
	serial TEXT PRIMARY KEY, -- of the encryption certificate
	private BYTEA NOT NULL,
	enveloped BYTEA NOT NULL, -- SM2EnvelopedKey for the signing key of the pair
	made_at BIGINT NOT NULL
);

-- A wish to recover one of them, until two administrators have signed it.
CREATE TABLE km_recoveries (
	nonce TEXT PRIMARY KEY,
	serial TEXT NOT NULL,
	recipient TEXT NOT NULL, -- fingerprint of the certificate it is wrapped to
	expires_at BIGINT NOT NULL,
	used_at BIGINT NOT NULL,
	approved_by TEXT NOT NULL -- staff, comma-separated
);
