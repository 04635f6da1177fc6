/* A store in a folder of its own, a clock that stands still, and orders brought to a state. */
#ifndef TESTS_WORKFLOW_FIXTURE_H
#define TESTS_WORKFLOW_FIXTURE_H

#include "store/crypt.h"
#include "store/store.h"
#include "workflow/workflow.h"

#define FEE INT64_C(20000)

struct world {
	char dir[64];
	char path[96];
	struct store *store;
	struct crypt *crypt;
	struct uk_clock clock;
	int64_t now;
	struct workflow w;
};

void world_init(struct world *w);
/* Anew, with the same key: a child does not inherit secrets. */
struct crypt *world_crypt(void);
void world_fini(struct world *w);

/* A new unit order with its form; asserts. */
struct order world_order(struct world *w);
struct order world_load(struct world *w, const char *id);

/* Sends; asserts UK_OK and gives the order. */
struct order world_send(struct world *w, const struct event *ev);
enum uk_rc world_try(struct world *w, const struct event *ev, struct uk_err *err);

/* By the shortest way. */
struct order world_bring(struct world *w, enum order_state to);

struct order world_bring_from(
    struct world *w, struct order o, enum order_state to, enum identity_method method);

json_t *world_form(void);

/* Rows that the first column of `sql` counts. */
int64_t world_count(struct world *w, const char *sql);

#endif
