/*
 * Clients of ukeyd, in one thread: each sends a request, waits for its answer, and sends the next.
 * Over the WebSocket a client is a page of one of 32 origins.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "daemon_client.h"
#include "uk/b64.h"

#define ORIGINS   32
#define DATA_LEN  256
#define BATCH_MAX 1000

struct client {
	int fd;
	size_t left;
	double from;
};

struct run {
	const struct bench_ukeyd *u;
	struct client *clients;
	size_t n_clients;
	char *request;
	size_t length;
};

static void
put(const struct run *r, struct client *c)
{
	c->from = bench_now();
	if (!(r->u->socket != NULL ? local_put : ws_put)(c->fd, r->request, r->length))
		bench_fail("ukeyd has gone", 0);
}

static void
get(const struct run *r, struct client *c)
{
	int status;
	char *text;

	do {
		text = r->u->socket != NULL ? local_get(c->fd) : ws_get(c->fd, &status);
		if (text == NULL)
			bench_fail("ukeyd has gone", 0);
		if (strstr(text, "\"error\"") != NULL || strstr(text, "\"stopped\"") != NULL) {
			(void)fprintf(stderr, "%.300s\n", text);
			bench_fail("refused", 0);
		}
		/* a batch tells of its progress */
		if (strstr(text, "signature.progress") == NULL)
			break;
		free(text);
	} while (true);
	free(text);
}

static int
page(const struct bench_ukeyd *u, size_t i)
{
	char origin[64];
	int fd = -1;

	(void)snprintf(origin, sizeof(origin), "https://b%zu.example", i % ORIGINS);
	if (ws_open(&(struct ws_request){ .port = u->port, .origin = origin }, &fd) != 101)
		bench_fail("handshake", 0);
	return fd;
}

static char *
request(const struct bench_ukeyd *u, size_t n)
{
	uint8_t data[DATA_LEN];
	char *b64, *text = malloc(n * 400 + 1024), *p;

	memset(data, 'x', sizeof(data));
	b64 = uk_b64_dup(uk_span(data, sizeof(data)));
	p = text + sprintf(text,
		       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"signature.%s\",\"params\":{"
		       "\"certificate\":\"%s\",\"format\":\"raw\",",
		       u->batch ? "batch" : "create", u->certificate);
	if (u->batch)
		p += sprintf(p, "\"items\":[");
	for (size_t i = 0; u->batch && i < n; i++)
		p += sprintf(p, "%s{\"data\":\"%s\"}", i > 0 ? "," : "", b64);
	(void)sprintf(p, u->batch ? "]}}" : "\"data\":\"%s\"}}", b64);
	free(b64);
	return text;
}

/* All clients at the same time, until each has had its share. */
static void
rounds(struct run *r, struct bench *b)
{
	struct pollfd *fds = calloc(r->n_clients, sizeof(*fds));
	size_t under_way = 0;

	for (size_t i = 0; i < r->n_clients; i++) {
		struct client *c = &r->clients[i];

		fds[i] = (struct pollfd){ .fd = c->left > 0 ? c->fd : -1, .events = POLLIN };
		if (c->left > 0)
			put(r, c);
		under_way += c->left > 0;
	}
	while (under_way > 0) {
		if (poll(fds, r->n_clients, 20000) <= 0)
			bench_fail("no answer", 0);
		for (size_t i = 0; i < r->n_clients; i++) {
			struct client *c = &r->clients[i];

			if (fds[i].revents == 0)
				continue;
			get(r, c);
			if (b != NULL)
				bench_add(b, bench_now() - c->from);
			if (--c->left > 0) {
				put(r, c);
			} else {
				fds[i].fd = -1;
				under_way--;
			}
		}
	}
	free(fds);
}

static void
share(struct run *r, size_t from, size_t to, size_t n)
{
	for (size_t i = from; i < to; i++)
		r->clients[i].left = n / (to - from) + (i - from < n % (to - from));
}

/* A single page's client changes its origin when it has had what one may have in a minute. */
static void
one_page(struct run *r, struct bench *b)
{
	for (size_t i = 0; i < r->n_clients && b->done < b->n; i++) {
		const size_t left = b->n - b->done;

		r->clients[i].left = left < r->u->each_origin ? left : r->u->each_origin;
		rounds(r, b);
	}
}

/* Of each origin one, and one after the other: the first asks the user. */
static void
warm_up(struct run *r)
{
	for (size_t i = 0; i < r->n_clients && (r->u->socket != NULL || i < ORIGINS); i++) {
		r->clients[i].left = 1;
		rounds(r, NULL);
	}
}

void
bench_ukeyd(const struct bench_ukeyd *u, size_t n)
{
	struct run r = { .u = u };
	struct bench b;
	const bool single = u->socket == NULL && u->clients == 1;

	r.n_clients = single ? ORIGINS : u->clients;
	r.clients = calloc(r.n_clients, sizeof(*r.clients));
	for (size_t i = 0; i < r.n_clients; i++) {
		r.clients[i].fd = u->socket != NULL ? local_connect(u->socket) : page(u, i);
		if (r.clients[i].fd < 0)
			bench_fail("ukeyd is not there", 0);
	}
	r.request = request(u, n < BATCH_MAX ? n : BATCH_MAX);
	r.length = strlen(r.request);
	if (u->batch) {
		bench_init(&b, "ukeyd", n);
		for (size_t i = 0; i < n; i += BATCH_MAX) {
			put(&r, &r.clients[0]);
			get(&r, &r.clients[0]);
			while (b.done < n && b.done < i + BATCH_MAX)
				bench_add(&b, (bench_now() - r.clients[0].from) / BATCH_MAX);
		}
	} else {
		warm_up(&r);
		bench_init(&b, "ukeyd", n);
		if (single) {
			one_page(&r, &b);
		} else {
			share(&r, 0, r.n_clients, n);
			rounds(&r, &b);
		}
	}
	bench_end(&b);
	for (size_t i = 0; i < r.n_clients; i++)
		close(r.clients[i].fd);
	free(r.clients);
	free(r.request);
}
