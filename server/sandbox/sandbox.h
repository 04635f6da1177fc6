/*
 * The outside world in one process, for the demo and the tests: Alipay, Aliyun's messages and
 * identity checks, and a bank.  README.md says what it answers to what.  Loopback only.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdint.h>

#include "uk/clock.h"
#include "uk/log.h"
#include "uk/random.h"
#include "uk/rc.h"

struct sandbox;

/* Everything pointed to outlives the sandbox. */
struct sandbox_config {
	const char *dir;    /* must exist; sandbox.json is made there, mode 0600, and read again */
	const char *listen; /* "127.0.0.1:8700"; port 0: a free one */
	int64_t speed;      /* gaps between notifications are divided by it; 1: as in real life */
	const struct uk_clock *clock;
	const struct uk_random *random;
	const struct uk_log *log;
};

UK_CHECK enum uk_rc sandbox_open(
    const struct sandbox_config *cfg, struct sandbox **out, struct uk_err *err);

/* "http://127.0.0.1:8700" */
const char *sandbox_base(const struct sandbox *s);

/* Notifications that are still to come are dropped.  NULL-safe, sets NULL. */
void sandbox_close(struct sandbox **s);

#endif
