/* What the clients of the benchmark share: times, and how they are told. */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench {
	const char *name;
	size_t n;
	size_t done;
	double *times; /* seconds of each */
	double began;
};

double bench_now(void);
void bench_init(struct bench *b, const char *name, size_t n);
void bench_add(struct bench *b, double seconds);

/* One line: name, signatures per second, p50 and p99 in microseconds; frees. */
void bench_end(struct bench *b);

/* Ends the program. */
_Noreturn void bench_fail(const char *what, long native);

/* The paths; each times `n` signatures after some that do not count. */
void bench_pkcs11(const char *module, const char *pin, bool ec, size_t n);
void bench_skf(const char *module, const char *pin, bool verified, size_t n);
void bench_agent(const char *socket, bool ec, size_t n);

struct bench_ukeyd {
	const char *socket; /* unix; NULL: WebSocket */
	int port;
	const char *certificate;
	size_t clients;
	size_t each_origin; /* WebSocket: signatures of one origin; the gate allows 30 a minute */
	bool batch;
};
void bench_ukeyd(const struct bench_ukeyd *u, size_t n);

#endif
