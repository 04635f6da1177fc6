/*
 * A page's messages, one a line, through the gate to the handlers: whatever they are, every request
 * is answered once, or waits, and nobody is logged in by it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon_conn.h"
#include "protocol/rpc.h"

#define SITE "https://ca.example"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct world {
	struct loop *loop;
	struct uk_log log;
	struct policy policy;
	char *allow[1];
	struct sites *sites;
	struct journal *journal;
	struct prompts *prompts;
	struct token_client token;
};

static struct world *
world_new(void)
{
	static char dir[] = "/tmp/uk-fuzz-XXXXXX", site[] = SITE;
	struct world *w = uk_xalloc(sizeof(*w));
	char path[64];

	if (mkdtemp(dir) == NULL)
		abort();
	uk_log_init(&w->log, "fuzz");
	w->log.level = UK_LOG_ERROR;
	w->log.out = fopen("/dev/null", "w");
	w->loop = loop_poll_new();
	w->policy.production = w->policy.session = true;
	w->allow[0] = site;
	w->policy.allow = (struct policy_list){ w->allow, 1 };
	w->prompts = prompts_new(w->loop, &w->log, "/nonexistent/pinentry");
	(void)snprintf(path, sizeof(path), "%s/sites.json", dir);
	if (sites_open(path, &uk_clock_system, &w->sites, NULL) != UK_OK)
		abort();
	(void)snprintf(path, sizeof(path), "%s/journal.jsonl", dir);
	if (journal_open(path, &uk_clock_system, &w->journal, NULL) != UK_OK)
		abort();
	/* libFuzzer does not come back from here: nothing is to be left. */
	(void)unlink(path);
	(void)rmdir(dir);
	fake_token_init(&w->token, w->loop);
	return w;
}

/* All that can be said without the token's answer, and then what it answers to. */
static void
settle(struct world *w, const struct fake_conn *page)
{
	const bool never = false;

	for (int i = 0; i < 8 && w->token.under_way > 0 && page->n_sent < FAKE_SENT; i++)
		(void)loop_poll_run(w->loop, &never, 2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct world *w;
	struct fake_conn page;
	struct gate *gate;
	struct rpc *rpc;
	size_t lines = 0;

	if (w == NULL)
		w = world_new();
	gate = gate_new(&w->policy, w->sites, &uk_clock_system, geteuid());
	rpc = rpc_new(&(struct rpc_env){ .loop = w->loop,
	    .station = "/nonexistent/station.jwk",
	    .log = &w->log,
	    .clock = &uk_clock_system,
	    .random = &uk_random_system,
	    .policy = &w->policy,
	    .sites = w->sites,
	    .gate = gate,
	    .journal = w->journal,
	    .prompts = w->prompts,
	    .tokens = &w->token });
	fake_conn_init(&page, SITE);
	if (rpc_attach(rpc, &page.base, NULL) != UK_OK)
		abort();
	while (n > 0 && lines < FAKE_SENT / 2) {
		const uint8_t *end = memchr(data, '\n', n);
		const size_t len = end != NULL ? (size_t)(end - data) : n;

		rpc_message(rpc, &page.base, uk_span(data, len));
		lines++;
		data += len + (end != NULL);
		n -= len + (end != NULL);
	}
	settle(w, &page);
	if (page.n_sent + page.base.outstanding != lines || w->token.logins != 0)
		abort();
	rpc_detach(rpc, &page.base);
	if (w->token.under_way != 0)
		abort();
	fake_conn_fini(&page);
	rpc_free(&rpc);
	gate_free(&gate);
	return 0;
}
