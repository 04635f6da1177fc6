-- What the desks, the reminders and the list of revoked certificates look for among very many.
CREATE INDEX orders_newest ON orders (created_at, id);
CREATE INDEX orders_by_hand ON orders (refunds_by_hand) WHERE refunds_by_hand > 0;
CREATE INDEX certificates_suspended ON certificates (suspended_at) WHERE suspended_at > 0;
