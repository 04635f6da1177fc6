/*
 * Windows on the user's desktop: pinentry over pipes (the Assuan protocol).  One at a time; the
 * others wait.
 */
#ifndef POLICY_PROMPT_H
#define POLICY_PROMPT_H

#include <stdbool.h>

#include "loop/loop.h"
#include "uk/log.h"
#include "uk/rc.h"
#include "uk/secret.h"

#define PROMPT_SECONDS 120
#define PROMPT_QUEUE   8
#define PROMPT_PIN_MAX 255

enum prompt_kind {
	PROMPT_CONFIRM,
	PROMPT_PIN,
};

struct prompt_text {
	enum prompt_kind kind;
	const char *text;  /* lines; cut to what a line of the protocol holds */
	const char *error; /* what went wrong last time; NULL */
	const char *yes;   /* the button that goes on; NULL: 确定 */
	const char *label; /* before the field of PROMPT_PIN; NULL: 证书密码 */
};

/*
 * err is NULL when the user went on; then *pin is his for PROMPT_PIN, and is taken by setting it
 * NULL; it may be empty.  UK_E_CANCELLED, UK_E_TIMEOUT, UK_E_UNAVAILABLE "prompt-unavailable".
 */
typedef void prompt_done_fn(void *ctx, const struct uk_err *err, struct uk_secret **pin);

struct prompts;
struct prompt;

/* program NULL: "pinentry" in PATH. */
struct prompts *prompts_new(struct loop *loop, const struct uk_log *log, const char *program);
void prompts_free(struct prompts **p);

/* Is there a program to show them with? */
bool prompts_usable(const struct prompts *p);

/* NULL: too many are waiting.  `done` is called later, exactly once, unless dropped first. */
struct prompt *prompt_ask(
    struct prompts *p, const struct prompt_text *text, prompt_done_fn *done, void *ctx);

/*
 * Show no further window until released, as often as held: what comes of the last one may make the
 * next one needless.
 */
void prompts_hold(struct prompts *p);
void prompts_release(struct prompts *p);

/* Nobody has seen it yet. */
bool prompt_waits(const struct prompt *p);

/* The asker has gone: its window closes. */
void prompt_drop(struct prompt **p);

#endif
