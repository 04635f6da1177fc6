/* The agent's phone and the codes that are sent to it ([C7], [U2]). */
#ifndef API_AGENT_H
#define API_AGENT_H

#include "api/api.h"
#include "notify/notify.h"

#define AGENT_PHONE_LEN 12

/* From the form.  UK_E_INTEGRITY when there is none in it. */
UK_CHECK enum uk_rc agent_phone(
    const struct order *o, const json_t *form, char out[AGENT_PHONE_LEN], struct uk_err *err);

/*
 * Whose word an order is signed with: the agent's.  Where the certificate will say something else
 * than before and nobody reviews it, it is the phone that was proved to be the holder's ([V4]): who
 * only knows another's name, number and phone gets no certificate for him.
 */
UK_CHECK enum uk_rc agent_signer(const struct api *a, struct store_tx *tx, const struct order *o,
    const json_t *form, char out[AGENT_PHONE_LEN], struct uk_err *err);

struct agent_code {
	const char *purpose;        /* api/code.h */
	enum sms_template template; /* with code and minutes */
	enum order_event on;        /* what the code will be for: 409 while that can't come */
	bool (*allowed)(const struct order *); /* and this does not hold; NULL: always does */
};

/*
 * Makes a code for the order {id}, sends it, and answers {sentTo, expiresIn, resendAfter}.
 * UK_E_UNAVAILABLE "sms-unavailable": one that could not be sent does not hold up the next.
 */
UK_CHECK enum uk_rc agent_code_answer(const struct api *a, struct http_request *rq,
    const struct agent_code *what, struct uk_err *err);

#endif
