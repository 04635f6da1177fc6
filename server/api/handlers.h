/* The handlers that routes.c names, the bodies they read, and what they share. */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

#include "api/api.h"

/* orders.c */
http_handler order_create;
http_handler order_get;
http_handler order_edit;
http_handler order_confirm;
http_handler order_submit;
http_handler order_cancel;
http_handler order_refund;
http_handler order_manual;

/* identity.c, documents.c, signature.c, payment.c, query.c */
http_handler identity_check;
http_handler document_put;
http_handler document_get;
http_handler paper_get;
http_handler signature_code;
http_handler signature_create;
http_handler payment_start;
http_handler payment_check;
http_handler query_code;
http_handler query_start;
http_handler query_get;

/* key.c, download.c, unlock.c, status.c */
http_handler key_challenge;
http_handler key_login;
http_handler key_get;
http_handler key_logout;
http_handler download_request;
http_handler download_proof;
http_handler unlock_start;
http_handler unlock_code;
http_handler unlock_other;
http_handler unlock_enter;
http_handler unlock_ticket;
http_handler unlock_receipt;
http_handler status_suspend;
http_handler status_resume;
http_handler status_revoke;

/* remittance.c */
http_handler remittance_list;
http_handler remittance_enter;
http_handler remittance_import;
http_handler remittance_match;

/* [A1] UK_E_DENIED "same-person" when who asks has entered or matched what paid the order {id}. */
UK_CHECK enum uk_rc remittance_apart(
    const struct api *a, const struct http_request *rq, struct uk_err *err);

/* staff.c, review.c, production.c */
http_handler staff_challenge;
http_handler staff_login;
http_handler staff_me;
http_handler staff_logout;
http_handler staff_orders;
http_handler staff_task_done;
http_handler staff_order;
http_handler staff_tasks;
http_handler staff_document;
http_handler review_approve;
http_handler review_reject;
http_handler review_redeliver;
http_handler finance_refund;
http_handler finance_refunded;
http_handler production_claim;
http_handler production_release;
http_handler production_ticket;
http_handler production_request;
http_handler production_encryption;
http_handler production_proof;
http_handler production_shipment;
http_handler production_label;

/* certificates.c */
http_handler certificates_find;
http_handler certificates_search;
http_handler certificates_get;
http_handler certificates_suspend;
http_handler certificates_resume;
http_handler certificates_revoke;

/* notify.c, ca.c, ocsp.c, site.c */
http_handler notify_alipay;
http_handler notify_bank;
http_handler ca_issuer;
http_handler ca_root;
http_handler ca_crl;
http_handler ca_cps;
http_handler ca_ocsp;
http_handler ca_ocsp_get;
http_handler site_get;

/* The bodies, as the tables of routes.c fill them. */
struct create_body {
	const char *kind;
	json_t *form;
	const char *certificate;
};

struct edit_body {
	int64_t version;
	json_t *form;
};

struct version_body {
	int64_t version;
};

struct identity_body {
	const char *method;
	const char *phone;
	const char *card;
	const char *account;
	const char *bank;
};

struct code_body {
	const char *code;
};

struct query_body {
	const char *kind;
	const char *number;
	const char *code;
};

struct login_body {
	const char *nonce;
	struct uk_buf certificate;
	struct uk_buf signature;
};

struct review_body {
	int64_t version;
	const char *reason;
	const char *note;
};

struct refunded_body {
	int64_t version;
	const char *payment;
	const char *note;
};

struct task_body {
	const char *id;
};

struct ticket_body {
	const char *token;
	json_t *channel;
	const char *vouch;
};

struct request_body {
	const char *token;
	struct uk_buf request;
};

struct number_body {
	const char *number;
};

struct reason_body {
	const char *reason;
};

struct proof_body {
	struct uk_buf signature;
	struct uk_buf certificate;
};

struct unlock_body {
	struct uk_buf certificate;
};

struct channel_body {
	const char *token;
	json_t *channel;
};

struct remittance_body {
	const char *reference;
	const char *payer;
	const char *account;
	const char *remark;
	int64_t amount;
	int64_t received_at;
};

struct match_body {
	const char *order;
	int64_t version;
};

struct shipment_body {
	int64_t version;
	const char *carrier;
	const char *tracking;
};

#endif
