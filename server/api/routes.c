#include "api/code.h"
#include "api/handlers.h"
#include "ca/ocsp.h"
#include "documents/photo.h"
#include "pay/bank.h"
#include "pay/money.h"
#include "pay/pay.h"
#include "pay/records.h"

#define VERSION_MAX INT64_MAX

/* One member of a body: where it goes, what it is. */
#define STR(body, member, min_, max_)                                                              \
	.type = UK_F_STR, .min = (min_), .max = (max_), .offset = offsetof(struct body, member)
#define B64(body, member, max_)                                                                    \
	.type = UK_F_B64, .min = 1, .max = (max_), .offset = offsetof(struct body, member)
#define OBJECT(body, member) .type = UK_F_JSON, .offset = offsetof(struct body, member)
#define VERSION(body)                                                                              \
	{                                                                                          \
		.name = "version", .type = UK_F_INT, .flags = UK_F_REQUIRED, .min = 1,             \
		.max = VERSION_MAX, .offset = offsetof(struct body, version)                       \
	}

static const struct uk_field create_fields[] = {
	{ .name = "kind", .flags = UK_F_REQUIRED, STR(create_body, kind, 1, 32) },
	{ .name = "form", .flags = UK_F_REQUIRED, OBJECT(create_body, form) },
	{ .name = "certificate", STR(create_body, certificate, 1, 32) },
};

static const struct uk_field edit_fields[] = {
	VERSION(edit_body),
	{ .name = "form", .flags = UK_F_REQUIRED, OBJECT(edit_body, form) },
};

static const struct uk_field version_fields[] = { VERSION(version_body) };

static const struct uk_field identity_fields[] = {
	{ .name = "method", .flags = UK_F_REQUIRED, STR(identity_body, method, 1, 32) },
	{ .name = "phone", STR(identity_body, phone, 0, 20) },
	{ .name = "card", STR(identity_body, card, 0, 32) },
	{ .name = "account", STR(identity_body, account, 0, 40) },
	{ .name = "bank", STR(identity_body, bank, 0, 120) },
};

static const struct uk_field code_fields[] = {
	{ .name = "code", .flags = UK_F_REQUIRED, STR(code_body, code, 1, 16) },
};

static const struct uk_field query_code_fields[] = {
	{ .name = "kind", .flags = UK_F_REQUIRED, STR(query_body, kind, 1, 16) },
	{ .name = "number", .flags = UK_F_REQUIRED, STR(query_body, number, 1, 32) },
};

static const struct uk_field query_fields[] = {
	{ .name = "kind", .flags = UK_F_REQUIRED, STR(query_body, kind, 1, 16) },
	{ .name = "number", .flags = UK_F_REQUIRED, STR(query_body, number, 1, 32) },
	{ .name = "code", .flags = UK_F_REQUIRED, STR(query_body, code, 1, 16) },
};

static const struct uk_field login_fields[] = {
	{ .name = "nonce", .flags = UK_F_REQUIRED, STR(login_body, nonce, 16, 256) },
	{ .name = "certificate",
	    .flags = UK_F_REQUIRED,
	    B64(login_body, certificate, UK_CERT_MAX) },
	{ .name = "signature", .flags = UK_F_REQUIRED, B64(login_body, signature, 1024) },
};

static const struct uk_field approve_fields[] = {
	VERSION(review_body),
	{ .name = "note", .flags = UK_F_NULLABLE, STR(review_body, note, 0, 500) },
};

static const struct uk_field reject_fields[] = {
	VERSION(review_body),
	{ .name = "reason", .flags = UK_F_REQUIRED, STR(review_body, reason, 1, 32) },
	{ .name = "note", .flags = UK_F_REQUIRED, STR(review_body, note, 1, 500) },
};

static const struct uk_field refunded_fields[] = {
	VERSION(refunded_body),
	{ .name = "payment", .flags = UK_F_REQUIRED, STR(refunded_body, payment, 1, 32) },
	{ .name = "note", .flags = UK_F_REQUIRED, STR(refunded_body, note, 1, 500) },
};

static const struct uk_field task_fields[] = {
	{ .name = "id", .flags = UK_F_REQUIRED, STR(task_body, id, 1, 160) },
};

static const struct uk_field ticket_fields[] = {
	{ .name = "token", .flags = UK_F_REQUIRED, STR(ticket_body, token, 0, 64) },
	{ .name = "channel", .flags = UK_F_REQUIRED, OBJECT(ticket_body, channel) },
	{ .name = "vouch", .flags = UK_F_REQUIRED, STR(ticket_body, vouch, 1, 2048) },
};

static const struct uk_field request_fields[] = {
	{ .name = "token", .flags = UK_F_REQUIRED, STR(request_body, token, 1, 64) },
	{ .name = "request", .flags = UK_F_REQUIRED, B64(request_body, request, 8192) },
};

static const struct uk_field number_fields[] = {
	{ .name = "number", .flags = UK_F_REQUIRED, STR(number_body, number, 1, 32) },
};

static const struct uk_field reason_fields[] = {
	{ .name = "reason", .flags = UK_F_REQUIRED, STR(reason_body, reason, 1, 32) },
};

static const struct uk_field proof_fields[] = {
	{ .name = "signature", .flags = UK_F_REQUIRED, B64(proof_body, signature, 1024) },
	{ .name = "certificate",
	    .flags = UK_F_REQUIRED,
	    B64(proof_body, certificate, UK_CERT_MAX) },
};

static const struct uk_field unlock_fields[] = {
	{ .name = "certificate",
	    .flags = UK_F_REQUIRED,
	    B64(unlock_body, certificate, UK_CERT_MAX) },
};

static const struct uk_field channel_fields[] = {
	{ .name = "token", .flags = UK_F_REQUIRED, STR(channel_body, token, 1, 64) },
	{ .name = "channel", .flags = UK_F_REQUIRED, OBJECT(channel_body, channel) },
};

static const struct uk_field remittance_fields[] = {
	{ .name = "reference", .flags = UK_F_REQUIRED, STR(remittance_body, reference, 1, 64) },
	{ .name = "payer", .flags = UK_F_REQUIRED, STR(remittance_body, payer, 1, 180) },
	{ .name = "account", STR(remittance_body, account, 0, 40) },
	{ .name = "remark", STR(remittance_body, remark, 0, 180) },
	{ .name = "amount",
	    .type = UK_F_INT,
	    .flags = UK_F_REQUIRED,
	    .min = 1,
	    .max = MONEY_MAX,
	    .offset = offsetof(struct remittance_body, amount) },
	{ .name = "receivedAt",
	    .type = UK_F_INT,
	    .flags = UK_F_REQUIRED,
	    .min = 1,
	    .max = INT64_C(253402300799),
	    .offset = offsetof(struct remittance_body, received_at) },
};

static const struct uk_field match_fields[] = {
	{ .name = "order", .flags = UK_F_REQUIRED, STR(match_body, order, 16, 16) },
	VERSION(match_body),
};

static const struct uk_field shipment_fields[] = {
	VERSION(shipment_body),
	{ .name = "carrier", .flags = UK_F_REQUIRED, STR(shipment_body, carrier, 1, 60) },
	{ .name = "tracking", .flags = UK_F_REQUIRED, STR(shipment_body, tracking, 4, 40) },
};

static const char *const photo_types[] = { "image/jpeg", "image/png", NULL };
static const char *const csv_types[] = { "text/csv", NULL };
static const char *const ocsp_types[] = { "application/ocsp-request", NULL };
static const char *const json_types[] = { "application/json", NULL };

#define FIELDS(table, body_)                                                                       \
	.body = HTTP_JSON, .fields = (table), .n_fields = sizeof(table) / sizeof((table)[0]),      \
	.size = sizeof(struct body_)
#define EMPTY .body = HTTP_JSON

#define WHO_DESK (WHO_REVIEWER | WHO_PRODUCER | WHO_FINANCE | WHO_AUDITOR | WHO_ADMINISTRATOR)

/* Who may look at certificates, and who may change their status. */
#define WHO_CERTIFICATES (WHO_REVIEWER | WHO_AUDITOR | WHO_ADMINISTRATOR)
#define WHO_STATUS       (WHO_REVIEWER | WHO_ADMINISTRATOR)

static const struct http_route routes[] = {
	{ HTTP_GET, "/api/site", .handler = site_get },

	{ HTTP_POST, "/api/orders", FIELDS(create_fields, create_body), .handler = order_create },
	{ HTTP_GET, "/api/orders/{id}", .who = WHO_OWNER, .handler = order_get },
	{ HTTP_PUT, "/api/orders/{id}/form", .who = WHO_OWNER, FIELDS(edit_fields, edit_body),
	    .handler = order_edit },
	{ HTTP_POST, "/api/orders/{id}/identity", .who = WHO_OWNER,
	    FIELDS(identity_fields, identity_body), .handler = identity_check },
	{ HTTP_POST, "/api/orders/{id}/confirm", .who = WHO_OWNER,
	    FIELDS(version_fields, version_body), .handler = order_confirm },
	{ HTTP_PUT, "/api/orders/{id}/documents/{type}", .who = WHO_OWNER, .body = HTTP_RAW,
	    .types = photo_types, .limit = PHOTO_BYTES_MAX, .handler = document_put },
	{ HTTP_GET, "/api/orders/{id}/documents/{type}", .who = WHO_OWNER,
	    .handler = document_get },
	{ HTTP_GET, "/api/orders/{id}/papers/{paper}", .who = WHO_OWNER, .handler = paper_get },
	{ HTTP_POST, "/api/orders/{id}/submit", .who = WHO_OWNER,
	    FIELDS(version_fields, version_body), .handler = order_submit },
	{ HTTP_POST, "/api/orders/{id}/signature/code", .who = WHO_OWNER, EMPTY,
	    .handler = signature_code },
	{ HTTP_POST, "/api/orders/{id}/signature", .who = WHO_OWNER, FIELDS(code_fields, code_body),
	    .handler = signature_create },
	{ HTTP_POST, "/api/orders/{id}/payment", .who = WHO_OWNER, EMPTY,
	    .handler = payment_start },
	{ HTTP_POST, "/api/orders/{id}/payment/check", .who = WHO_OWNER, EMPTY,
	    .handler = payment_check },
	{ HTTP_POST, "/api/orders/{id}/cancel", .who = WHO_OWNER,
	    FIELDS(version_fields, version_body), .handler = order_cancel },
	{ HTTP_POST, "/api/orders/{id}/refund", .who = WHO_OWNER,
	    FIELDS(version_fields, version_body), .handler = order_refund },
	{ HTTP_POST, "/api/orders/{id}/manual", .who = WHO_OWNER,
	    FIELDS(version_fields, version_body), .handler = order_manual },
	{ HTTP_POST, "/api/orders/{id}/request", .who = WHO_OWNER,
	    FIELDS(request_fields, request_body), .handler = download_request },
	{ HTTP_POST, "/api/orders/{id}/proof", .who = WHO_OWNER, FIELDS(proof_fields, proof_body),
	    .handler = download_proof },

	{ HTTP_POST, "/api/key/challenge", EMPTY, .handler = key_challenge },
	{ HTTP_POST, "/api/key/login", FIELDS(login_fields, login_body), .handler = key_login },
	{ HTTP_GET, "/api/key", .handler = key_get },
	{ HTTP_POST, "/api/key/logout", EMPTY, .handler = key_logout },

	{ HTTP_POST, "/api/unlock", FIELDS(unlock_fields, unlock_body), .handler = unlock_start },
	{ HTTP_POST, "/api/orders/{id}/unlock/code", .who = WHO_OWNER, EMPTY,
	    .handler = unlock_code },
	{ HTTP_POST, "/api/orders/{id}/unlock/other", .who = WHO_OWNER, EMPTY,
	    .handler = unlock_other },
	{ HTTP_POST, "/api/orders/{id}/unlock", .who = WHO_OWNER, FIELDS(code_fields, code_body),
	    .handler = unlock_enter },
	{ HTTP_POST, "/api/orders/{id}/unlock/ticket", .who = WHO_OWNER,
	    FIELDS(channel_fields, channel_body), .handler = unlock_ticket },
	{ HTTP_POST, "/api/orders/{id}/unlock/receipt", .who = WHO_OWNER,
	    FIELDS(proof_fields, proof_body), .handler = unlock_receipt },

	{ HTTP_POST, "/api/certificates/{serial}/suspend", EMPTY, .handler = status_suspend },
	{ HTTP_POST, "/api/certificates/{serial}/resume", EMPTY, .handler = status_resume },
	{ HTTP_POST, "/api/certificates/{serial}/revoke", FIELDS(reason_fields, reason_body),
	    .handler = status_revoke },

	{ HTTP_POST, "/api/query/code", FIELDS(query_code_fields, query_body),
	    .handler = query_code },
	{ HTTP_POST, "/api/query", FIELDS(query_fields, query_body), .handler = query_start },
	{ HTTP_GET, "/api/query", .handler = query_get },

	{ HTTP_POST, "/api/staff/challenge", EMPTY, .handler = staff_challenge },
	{ HTTP_POST, "/api/staff/login", FIELDS(login_fields, login_body), .handler = staff_login },
	{ HTTP_GET, "/api/staff/me", .who = WHO_STAFF, .handler = staff_me },
	{ HTTP_POST, "/api/staff/logout", .who = WHO_STAFF, EMPTY, .handler = staff_logout },
	{ HTTP_GET, "/api/staff/orders", .who = WHO_DESK, .handler = staff_orders },
	{ HTTP_GET, "/api/staff/tasks", .who = WHO_DESK, .handler = staff_tasks },
	{ HTTP_POST, "/api/staff/tasks/done", .who = WHO_DESK, FIELDS(task_fields, task_body),
	    .handler = staff_task_done },
	{ HTTP_GET, "/api/staff/orders/{id}", .who = WHO_DESK, .handler = staff_order },
	{ HTTP_GET, "/api/staff/orders/{id}/documents/{type}", .who = WHO_REVIEWER | WHO_AUDITOR,
	    .handler = staff_document },
	{ HTTP_GET, "/api/staff/orders/{id}/papers/{paper}",
	    .who = WHO_REVIEWER | WHO_FINANCE | WHO_AUDITOR, .handler = paper_get },
	{ HTTP_POST, "/api/staff/orders/{id}/approve", .who = WHO_REVIEWER,
	    FIELDS(approve_fields, review_body), .handler = review_approve },
	{ HTTP_POST, "/api/staff/orders/{id}/reject", .who = WHO_REVIEWER,
	    FIELDS(reject_fields, review_body), .handler = review_reject },
	{ HTTP_POST, "/api/staff/orders/{id}/redeliver", .who = WHO_REVIEWER | WHO_ADMINISTRATOR,
	    FIELDS(version_fields, version_body), .handler = review_redeliver },
	{ HTTP_POST, "/api/staff/orders/{id}/refund", .who = WHO_FINANCE | WHO_ADMINISTRATOR,
	    FIELDS(version_fields, version_body), .handler = finance_refund },
	{ HTTP_POST, "/api/staff/orders/{id}/refunded", .who = WHO_FINANCE,
	    FIELDS(refunded_fields, refunded_body), .handler = finance_refunded },
	{ HTTP_POST, "/api/staff/orders/{id}/claim", .who = WHO_PRODUCER,
	    FIELDS(version_fields, version_body), .handler = production_claim },
	{ HTTP_POST, "/api/staff/orders/{id}/release", .who = WHO_PRODUCER,
	    FIELDS(version_fields, version_body), .handler = production_release },
	{ HTTP_POST, "/api/staff/orders/{id}/ticket", .who = WHO_PRODUCER,
	    FIELDS(ticket_fields, ticket_body), .handler = production_ticket },
	{ HTTP_POST, "/api/staff/orders/{id}/request", .who = WHO_PRODUCER,
	    FIELDS(request_fields, request_body), .handler = production_request },
	{ HTTP_GET, "/api/staff/orders/{id}/encryption", .who = WHO_PRODUCER,
	    .handler = production_encryption },
	{ HTTP_POST, "/api/staff/orders/{id}/proof", .who = WHO_PRODUCER,
	    FIELDS(proof_fields, proof_body), .handler = production_proof },
	{ HTTP_POST, "/api/staff/orders/{id}/shipment", .who = WHO_PRODUCER,
	    FIELDS(shipment_fields, shipment_body), .handler = production_shipment },
	{ HTTP_GET, "/api/staff/orders/{id}/label", .who = WHO_PRODUCER,
	    .handler = production_label },

	{ HTTP_GET, "/api/staff/certificates", .who = WHO_CERTIFICATES,
	    .handler = certificates_find },
	{ HTTP_POST, "/api/staff/certificates/search", .who = WHO_CERTIFICATES,
	    FIELDS(number_fields, number_body), .handler = certificates_search },
	{ HTTP_GET, "/api/staff/certificates/{serial}", .who = WHO_CERTIFICATES,
	    .handler = certificates_get },
	{ HTTP_POST, "/api/staff/certificates/{serial}/suspend", .who = WHO_STATUS, EMPTY,
	    .handler = certificates_suspend },
	{ HTTP_POST, "/api/staff/certificates/{serial}/resume", .who = WHO_STATUS, EMPTY,
	    .handler = certificates_resume },
	{ HTTP_POST, "/api/staff/certificates/{serial}/revoke", .who = WHO_STATUS,
	    FIELDS(reason_fields, reason_body), .handler = certificates_revoke },

	{ HTTP_GET, "/api/staff/remittances", .who = WHO_FINANCE | WHO_AUDITOR,
	    .handler = remittance_list },
	{ HTTP_POST, "/api/staff/remittances", .who = WHO_FINANCE,
	    FIELDS(remittance_fields, remittance_body), .handler = remittance_enter },
	{ HTTP_POST, "/api/staff/remittances/import", .who = WHO_FINANCE, .body = HTTP_RAW,
	    .types = csv_types, .limit = RECORDS_BYTES_MAX, .handler = remittance_import },
	{ HTTP_POST, "/api/staff/remittances/{id}/match", .who = WHO_FINANCE,
	    FIELDS(match_fields, match_body), .handler = remittance_match },

	{ HTTP_POST, "/notify/alipay", .flags = HTTP_OUTSIDE, .body = HTTP_FORM,
	    .limit = PAY_NOTIFY_MAX, .handler = notify_alipay },
	{ HTTP_POST, "/notify/bank", .flags = HTTP_OUTSIDE, .body = HTTP_RAW, .types = json_types,
	    .limit = BANK_NOTIFY_MAX, .handler = notify_bank },

	{ HTTP_GET, "/ca/issuer.cer", .handler = ca_issuer },
	{ HTTP_GET, "/ca/root.cer", .handler = ca_root },
	{ HTTP_GET, "/ca/crl.crl", .handler = ca_crl },
	{ HTTP_GET, "/ca/cps", .handler = ca_cps },
	{ HTTP_POST, "/ca/ocsp", .flags = HTTP_OUTSIDE, .body = HTTP_RAW, .types = ocsp_types,
	    .limit = OCSP_REQUEST_MAX, .handler = ca_ocsp },
	{ HTTP_GET, "/ca/ocsp/{request*}", .handler = ca_ocsp_get },
};

const struct http_route *
api_routes(size_t *n)
{
	*n = sizeof(routes) / sizeof(routes[0]);
	return routes;
}
