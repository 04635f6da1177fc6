/* Times signatures by one path and prints one line.  `run` starts what it needs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

double
bench_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void
bench_init(struct bench *b, const char *name, size_t n)
{
	*b = (struct bench){ .name = name, .n = n, .times = calloc(n, sizeof(double)) };
	if (b->times == NULL)
		bench_fail("memory", 0);
	b->began = bench_now();
}

void
bench_add(struct bench *b, double seconds)
{
	if (b->done < b->n)
		b->times[b->done++] = seconds;
}

static int
by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void
bench_end(struct bench *b)
{
	const double took = bench_now() - b->began;

	if (b->done != b->n)
		bench_fail("too few", (long)b->done);
	qsort(b->times, b->n, sizeof(double), by_size);
	(void)printf("%s\t%.1f\t%.1f\t%.1f\n", b->name, (double)b->n / took,
	    b->times[b->n / 2] * 1e6, b->times[b->n * 99 / 100] * 1e6);
	free(b->times);
}

void
bench_fail(const char *what, long native)
{
	(void)fprintf(stderr, "bench: %s (%ld)\n", what, native);
	exit(1);
}

static int
usage(void)
{
	(void)fprintf(stderr,
	    "usage: bench pkcs11 rsa|ec N MODULE PIN\n"
	    "       bench skf raw|verified N MODULE PIN\n"
	    "       bench agent rsa|ec N SOCKET\n"
	    "       bench local|batch N CLIENTS SOCKET CERTIFICATE\n"
	    "       bench ws N CLIENTS PORT CERTIFICATE SIGNATURES-OF-AN-ORIGIN\n");
	return 2;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	const size_t n = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	struct bench_ukeyd u = { 0 };

	if (strcmp(what, "pkcs11") == 0 && argc == 6) {
		bench_pkcs11(argv[4], argv[5], strcmp(argv[2], "ec") == 0, n);
	} else if (strcmp(what, "skf") == 0 && argc == 6) {
		bench_skf(argv[4], argv[5], strcmp(argv[2], "verified") == 0, n);
	} else if (strcmp(what, "agent") == 0 && argc == 5) {
		bench_agent(argv[4], strcmp(argv[2], "ec") == 0, n);
	} else if ((strcmp(what, "local") == 0 || strcmp(what, "batch") == 0) && argc == 6) {
		u.socket = argv[4];
		u.certificate = argv[5];
		u.clients = n;
		u.batch = strcmp(what, "batch") == 0;
		bench_ukeyd(&u, strtoul(argv[2], NULL, 10));
	} else if (strcmp(what, "ws") == 0 && argc == 7) {
		u.port = (int)strtol(argv[4], NULL, 10);
		u.certificate = argv[5];
		u.clients = n;
		u.each_origin = strtoul(argv[6], NULL, 10);
		bench_ukeyd(&u, strtoul(argv[2], NULL, 10));
	} else {
		return usage();
	}
	return 0;
}
