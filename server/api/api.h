/*
 * The HTTP API over the workflow.  One handler file per resource; routes.c is the table of them.
 * Everything here hangs from struct api, which main builds and every handler is given.
 */
#ifndef API_API_H
#define API_API_H

#include "http/httpd.h"
#include "store/crypt.h"
#include "store/store.h"
#include "uk/clock.h"
#include "uk/log.h"
#include "uk/random.h"
#include "uk/ticket.h"
#include "uk/x509.h"
#include "workflow/workflow.h"

struct bank;
struct jobs;
struct pay;
struct sms;
struct photo_config;
struct responders;

struct api {
	struct store *store;
	const struct crypt *crypt;
	const struct workflow *workflow;
	struct jobs *jobs;
	struct pay *pay;
	struct bank *bank;
	struct sms *sms;
	struct sender *sender; /* of codes, api/sender.h */
	const struct photo_config *photo;
	const struct uk_clock *clock;
	const struct uk_random *random;
	const struct uk_log *log;
	const struct uk_cert *root;
	const struct uk_cert *issuer;
	struct responders *responders; /* api/responder.h */
	const struct uk_jwk *ticket;   /* signs tickets */

	const char *origin;      /* "https://ukey.example.cn" */
	const char *device_auth; /* of blank SKF keys; "": tickets carry none */
	const char *name;
	const char *service_phone;
	bool development;
	int64_t prices[KIND__MAX];      /* fen; 0: free of charge */
	const char *remittance_account; /* where replacements are paid to ([L1]) */
	const char *remittance_bank;
	const char *remittance_name;
	int64_t staff_idle; /* seconds */
	int64_t staff_session;
};

/* The `who` of a route: nothing, or one of these has to hold. */
#define WHO_OWNER         0x01u /* the applicant of the order {id} */
#define WHO_STAFF         0x02u /* whoever is logged in as staff */
#define WHO_REVIEWER      0x04u
#define WHO_PRODUCER      0x08u
#define WHO_FINANCE       0x10u
#define WHO_AUDITOR       0x20u
#define WHO_ADMINISTRATOR 0x40u

/* The route table and the gate for struct httpd_config. */
const struct http_route *api_routes(size_t *n);
enum uk_rc api_gate(void *app, struct http_request *rq, unsigned who, struct uk_err *err);

/* What the gate leaves in http_user(). */
struct user {
	char staff[ORDER_ACTOR_LEN]; /* "" for an applicant */
	char name[128];
	char roles[128]; /* comma-separated */
	unsigned who;    /* WHO_REVIEWER … of the roles */
};

const struct user *api_user(const struct http_request *rq);

/* The bits of enum order_by that the user's roles make. */
enum order_by api_by(const struct user *u);

int64_t api_now(const struct api *a);

/* Of a comma-separated list of role names; UK_E_INPUT for one that is none. */
UK_CHECK enum uk_rc api_roles_read(const char *roles, unsigned *who);

#endif
