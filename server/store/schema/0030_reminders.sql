-- Which reminder of a certificate's end has been sent: 90, 30 or 7 days before, once each.
CREATE TABLE reminders (
	serial TEXT NOT NULL REFERENCES certificates (serial),
	days BIGINT NOT NULL,
	sent_at BIGINT NOT NULL,
	PRIMARY KEY (serial, days)
);
CREATE INDEX certificates_end ON certificates (not_after);
