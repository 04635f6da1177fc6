/* The bank: the gateway of pay/PROTOCOL.md, and the page with an account's records. */
#ifndef SANDBOX_TELLER_H
#define SANDBOX_TELLER_H

#include "sandbox/state.h"

http_handler teller_transfer; /* POST /bank/transfers */
http_handler teller_query;    /* POST /bank/transfers/query */
http_handler teller_owner;    /* POST /bank/accounts/owner */
http_handler teller_records;  /* GET /bank/records?account= */

/* What the bank would say of it now.  The lock is held. */
enum bank_status teller_status(const struct sandbox *s, const struct transfer *t);

#endif
