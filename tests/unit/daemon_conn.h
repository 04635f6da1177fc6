/* A connection that keeps what it is sent, and tokens that do as they are told. */
#ifndef TESTS_DAEMON_CONN_H
#define TESTS_DAEMON_CONN_H

#include "loop/loop.h"
#include "protocol/conn.h"
#include "token/client.h"
#include "uk/json.h"

#define FAKE_SENT 64

struct fake_conn {
	struct conn base;
	const char *origin; /* NULL: local */
	bool peer_known;
	uid_t peer;
	json_t *sent[FAKE_SENT];
	size_t n_sent;
	size_t read;
	bool got; /* something that has not been read */
	bool closed;
};

void fake_conn_init(struct fake_conn *c, const char *origin);
void fake_conn_fini(struct fake_conn *c);

/* Stands in for token/client.c: one token with one key and its certificate. */
struct token_client {
	struct loop *loop;
	struct token_info info;
	struct uk_pubkey *key;
	struct uk_buf spki;
	struct uk_buf cert;
	void *pkey;                /* EVP_PKEY */
	enum uk_keyalg alg;        /* P-256, or SM2 */
	const char *pin;           /* what it takes */
	const char *usage;         /* keyUsage of certificates to come; NULL: none */
	unsigned logins;           /* PINs that came */
	bool wrong;                /* its signatures do not hold */
	bool silent;               /* it does not answer */
	enum token_op locks_after; /* such a call; TOKEN_LIST: none */
	enum uk_rc fail;           /* every call fails so */
	unsigned under_way;
	unsigned dropped;
	unsigned distrusted;
};

void fake_token_init(struct token_client *t, struct loop *loop);
/* The same token with an SM2 key, of an SKF module. */
void fake_token_sm2(struct token_client *t);
void fake_token_fini(struct token_client *t);

/* Another certificate for its key. */
void fake_token_certify(const struct token_client *t, int serial, struct uk_buf *out);

#endif
