/*
 * Data that is more than a message: it comes in pieces and is hashed as it comes, its content is
 * not kept; and results that are more than a message, which are fetched in pieces.  Each belongs to
 * a connection and goes with it, or when it has not been touched for a while.
 */
#ifndef PROTOCOL_DATA_H
#define PROTOCOL_DATA_H

#include "loop/loop.h"
#include "protocol/params.h"
#include "uk/clock.h"
#include "uk/digest.h"

#define DATA_SIZE_MAX    ((uint64_t)2 * 1024 * 1024 * 1024)
#define DATA_COMING_MAX  16   /* of one connection, not whole yet */
#define DATA_WHOLE_MAX   1000 /* of one connection: as many as a batch signs */
#define DATA_RESULTS_MAX 2    /* of one connection */
#define DATA_RESULT_SIZE (4u * 1024u * 1024u)
#define DATA_IDLE_MS     (5 * 60 * 1000)

struct data_store;

struct data_store *data_store_new(struct loop *loop, const struct uk_clock *clock);
void data_store_free(struct data_store **s);

/* The connection has gone. */
void data_forget(struct data_store *s, uint64_t conn);

/* The digests of data that is whole; or "data-not-found", "data-incomplete",
 * "login-challenge-refused". */
UK_CHECK enum uk_rc data_sums(
    struct data_store *s, uint64_t conn, const char *id, struct uk_sums *out, struct uk_err *err);

/* A signature has been made of it. */
void data_use_up(struct data_store *s, uint64_t conn, const char *id);

/* Keep a result (taken over, emptied) to be fetched; *id is lent. */
UK_CHECK enum uk_rc data_keep(struct data_store *s, uint64_t conn, struct uk_buf *content,
    const char **id, struct uk_err *err);

#endif
