/* What handlers say: an order as its owner or the staff see it. */
#ifndef API_ANSWER_H
#define API_ANSWER_H

#include "api/api.h"

/*
 * ORDER and DETAIL of openapi.yaml; *out is the caller's.  UK_E_NOT_FOUND.  `who` are the roles of
 * who looks: the detail shows identity numbers to reviewers and auditors only.
 */
UK_CHECK enum uk_rc order_json(
    const struct api *a, struct store_tx *tx, const char *id, json_t **out, struct uk_err *err);
UK_CHECK enum uk_rc detail_json(const struct api *a, struct store_tx *tx, const char *id,
    unsigned who, json_t **out, struct uk_err *err);

/* ORDER.password */
UK_CHECK enum uk_rc password_json(const struct api *a, struct store_tx *tx, const struct order *o,
    json_t **out, struct uk_err *err);

/* ORDER.download and ORDER.unlock; *out stays NULL when the order has none. */
UK_CHECK enum uk_rc download_json(const struct api *a, struct store_tx *tx, const struct order *o,
    json_t **out, struct uk_err *err);
UK_CHECK enum uk_rc unlock_json(const struct api *a, struct store_tx *tx, const struct order *o,
    json_t **out, struct uk_err *err);

/* Is a code to the agent's phone what the order waits for? */
bool unlock_by_sms(const struct order *o);

/* Read it and answer with it. */
UK_CHECK enum uk_rc answer_order(
    const struct api *a, struct http_request *rq, int status, const char *id, struct uk_err *err);
UK_CHECK enum uk_rc answer_detail(
    const struct api *a, struct http_request *rq, const char *id, struct uk_err *err);

/* Send the event for the order {id} in the owner's or the member of staff's name, then answer with
 * the order, or the detail. */
UK_CHECK enum uk_rc answer_event(
    const struct api *a, struct http_request *rq, struct event *ev, struct uk_err *err);

/* Fill in who sends it: from the user of the request. */
void event_from(const struct http_request *rq, struct event *ev);

/* The event of a route whose body is the version only. */
UK_CHECK enum uk_rc answer_plain(
    const struct api *a, struct http_request *rq, enum order_event on, struct uk_err *err);

#endif
