#include <stdlib.h>
#include <string.h>

#include "sandbox/alipay.h"
#include "sandbox/control.h"
#include "sandbox/inbox.h"
#include "sandbox/keys.h"
#include "sandbox/people.h"
#include "sandbox/postbox.h"
#include "sandbox/sandbox.h"
#include "sandbox/state.h"
#include "sandbox/teller.h"

static const char *const json_types[] = { "application/json", NULL };

#define OUT HTTP_OUTSIDE

static const struct http_route routes[] = {
	{ HTTP_GET, "/", .handler = control_home },
	{ HTTP_GET, "/alipay/gateway.do", .handler = alipay_page_pay },
	{ HTTP_POST, "/alipay/gateway.do", .flags = OUT, .body = HTTP_FORM,
	    .handler = alipay_gateway },
	{ HTTP_GET, "/alipay/cashier", .handler = alipay_cashier },
	{ HTTP_POST, "/alipay/cashier", .flags = OUT, .body = HTTP_FORM, .handler = alipay_decide },
	{ HTTP_POST, "/sms", .flags = OUT, .body = HTTP_FORM, .handler = inbox_send },
	{ HTTP_GET, "/inbox", .handler = inbox_page },
	{ HTTP_GET, "/mail", .handler = postbox_page },
	{ HTTP_POST, "/identity", .flags = OUT, .body = HTTP_FORM, .handler = people_check },
	{ HTTP_POST, "/bank/transfers", .flags = OUT, .body = HTTP_RAW, .types = json_types,
	    .handler = teller_transfer },
	{ HTTP_POST, "/bank/transfers/query", .flags = OUT, .body = HTTP_RAW, .types = json_types,
	    .handler = teller_query },
	{ HTTP_POST, "/bank/accounts/owner", .flags = OUT, .body = HTTP_RAW, .types = json_types,
	    .handler = teller_owner },
	{ HTTP_GET, "/bank/records", .handler = teller_records },
	{ HTTP_GET, "/control", .handler = control_get },
	{ HTTP_POST, "/control", .flags = OUT, .body = HTTP_JSON, .fields = control_fields,
	    .n_fields = CONTROL_FIELDS, .size = sizeof(struct control_body),
	    .handler = control_set },
};

/* Its credentials are worth nothing and its checks say yes to anybody. */
static bool
is_loopback(const char *listen)
{
	static const char *const hosts[] = { "127.0.0.1:", "localhost:", "[::1]:" };

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		if (strncmp(listen, hosts[i], strlen(hosts[i])) == 0)
			return true;
	return false;
}

static enum uk_rc
open_server(struct sandbox *s, struct uk_err *err)
{
	const struct httpd_config cfg = {
		.listen = s->cfg.listen,
		.origin = "http://localhost",
		.routes = routes,
		.n_routes = sizeof(routes) / sizeof(routes[0]),
		.app = s,
		/* The cashier's form ends in a redirect to the merchant, which this covers. */
		.form_action = "http://localhost:* http://127.0.0.1:* https:",
		.inline_style = true,
		.log = s->cfg.log,
		.clock = s->cfg.clock,
		.random = s->cfg.random,
	};

	return httpd_open(&cfg, &s->httpd, err);
}

static void
set_base(struct sandbox *s)
{
	const char *colon = strrchr(s->cfg.listen, ':');

	(void)snprintf(s->base, sizeof(s->base), "http://%.*s:%u", (int)(colon - s->cfg.listen),
	    s->cfg.listen, httpd_port(s->httpd));
}

enum uk_rc
sandbox_open(const struct sandbox_config *cfg, struct sandbox **out, struct uk_err *err)
{
	struct sandbox *s;
	enum uk_rc rc;

	if (!is_loopback(cfg->listen))
		return uk_fail_field(err, "listen", "not-loopback");
	s = uk_xalloc(sizeof(*s));
	s->cfg = *cfg;
	if (s->cfg.speed < 1)
		s->cfg.speed = 1;
	if (pthread_mutex_init(&s->lock, NULL) != 0)
		abort();
	s->http = http_client_new(NULL);
	s->outbox = outbox_new(s->http, cfg->clock, s->cfg.speed, cfg->log);
	rc = keys_open(&s->keys, cfg->dir, cfg->random, err);
	if (rc == UK_OK)
		rc = open_server(s, err);
	if (rc == UK_OK)
		rc = postbox_open(s, &s->postbox, err);
	if (rc == UK_OK) {
		set_base(s);
		rc = keys_publish(cfg->dir, s->base, postbox_port(s->postbox), err);
	}
	if (rc != UK_OK)
		sandbox_close(&s);
	else
		*out = s;
	return rc;
}

const char *
sandbox_base(const struct sandbox *s)
{
	return s->base;
}

static void
free_trades(struct sandbox *s)
{
	while (s->trades != NULL) {
		struct trade *t = s->trades;

		s->trades = t->next;
		while (t->refunds != NULL) {
			struct refund *r = t->refunds;

			t->refunds = r->next;
			free(r);
		}
		free(t);
	}
}

static void
free_rest(struct sandbox *s)
{
	while (s->messages != NULL) {
		struct message *m = s->messages;

		s->messages = m->next;
		explicit_bzero(m, sizeof(*m));
		free(m);
	}
	while (s->mails != NULL) {
		struct mail_kept *m = s->mails;

		s->mails = m->next;
		free(m);
	}
	while (s->transfers != NULL) {
		struct transfer *t = s->transfers;

		s->transfers = t->next;
		explicit_bzero(t, sizeof(*t));
		free(t);
	}
}

void
sandbox_close(struct sandbox **sp)
{
	struct sandbox *s;

	if (sp == NULL || *sp == NULL)
		return;
	s = *sp;
	httpd_close(&s->httpd);
	postbox_close(&s->postbox);
	outbox_free(&s->outbox);
	http_client_free(&s->http);
	free_trades(s);
	free_rest(s);
	keys_fini(&s->keys);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
	*sp = NULL;
}
