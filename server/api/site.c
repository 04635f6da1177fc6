#include "api/handlers.h"

/* The ports that each user's daemon tries in turn; the page's CSP names the same. */
static const int daemon_ports[] = { 21071, 21072, 21073, 21074, 21075 };

#define REVIEW_DAYS 3

enum uk_rc
site_get(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	json_t *ports = json_array();
	json_t *prices = json_object();
	json_t *site;

	(void)err;
	for (size_t i = 0; i < sizeof(daemon_ports) / sizeof(daemon_ports[0]); i++)
		(void)json_array_append_new(ports, json_integer(daemon_ports[i]));
	for (unsigned k = 0; k < KIND__MAX; k++)
		(void)json_object_set_new(
		    prices, order_kind_name((enum order_kind)k), json_integer(a->prices[k]));
	site = json_pack("{s:s, s:s, s:o, s:b, s:o, s:i, s:{s:s, s:s, s:s}}", "name", a->name,
	    "servicePhone", a->service_phone, "prices", prices, "development",
	    a->development ? 1 : 0, "ports", ports, "reviewDays", REVIEW_DAYS, "remittance",
	    "account", a->remittance_account, "bank", a->remittance_bank, "name",
	    a->remittance_name);
	http_answer_json(rq, 200, site);
	json_decref(site);
	return UK_OK;
}
