/* Whatever text arrives as a ticket, a vouch or a channel key: refused, or read without a fault. */
#include <stdlib.h>

#include "uk/ticket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct uk_jwk *ours;
	struct uk_jwk *theirs = NULL;
	struct uk_ticket t = { 0 };
	json_t *json = NULL;
	char *text = uk_xstrndup((const char *)data, n);

	if (ours == NULL && uk_jwk_new(&ours, NULL) != UK_OK)
		abort();
	if (uk_ticket_open(text, ours, &ours, 1, 1795329000, &t, NULL) == UK_OK ||
	    uk_station_check(text, ours, ours, "https://ca.example", 1795329000, NULL) == UK_OK)
		abort(); /* nobody but us has signed anything */
	if (uk_json_parse(uk_span(data, n), UK_TICKET_MAX, &json, NULL) == UK_OK &&
	    uk_jwk_from_json(json, &theirs, NULL) == UK_OK)
		uk_jwk_free(&theirs);
	json_decref(json);
	free(text);
	return 0;
}
