/*
 * The one place that decides (design.md section 5).  A request comes by three times at most: when
 * its connection is made, when it is called, and when its handler has found what it is about; each
 * time all steps up to there are taken again, in their order, and each fails closed.
 */
#ifndef POLICY_GATE_H
#define POLICY_GATE_H

#include <stdbool.h>
#include <sys/types.h>

#include "policy/policy.h"
#include "policy/sites.h"
#include "uk/clock.h"
#include "uk/rc.h"

/* What a method needs. */
#define NEEDS_SITE       1u  /* the user allowed this site */
#define NEEDS_PROMPT     2u  /* shows a window, so it is rated as one */
#define NEEDS_CONSENT    4u  /* the user says yes to this very use */
#define NEEDS_PIN        8u  /* the token's session is unlocked */
#define NEEDS_PRODUCTION 16u /* the administrator made this a production station */
#define NEEDS_LOCAL      32u /* the user himself, not a site */

enum gate_stage {
	GATE_CONNECT, /* peer, origin */
	GATE_CALL,    /* … needs, rate, site */
	GATE_OBJECT,  /* … certificate, consent, PIN */
};

struct gate_facts {
	enum gate_stage stage;
	bool local; /* the unix socket: the user himself */
	bool peer_known;
	uid_t peer;            /* of the process at the other end, from the kernel */
	const char *origin;    /* the browser's word; NULL: it gave none */
	bool native;           /* … by way of our extension and its host */
	const char *extension; /* its id; "": the host was told none */
	unsigned needs;
	const char *certificate; /* fingerprint; NULL: none is concerned */
	const char *object;      /* what a consent may be remembered for */
	bool consent;            /* this request's own */
	bool logged_in;
};

enum gate_answer {
	GATE_REFUSE, /* err says why */
	GATE_ASK_CONSENT,
	GATE_ASK_PIN,
	GATE_PASS,
};

struct gate;

/* Borrows all but what it makes itself.  `self` is the uid that may connect. */
struct gate *gate_new(
    const struct policy *policy, struct sites *sites, const struct uk_clock *clock, uid_t self);
void gate_free(struct gate **g);

enum gate_answer gate_decide(struct gate *g, const struct gate_facts *f, struct uk_err *err);

/* A message that is no call, such as one of no known method, counts as one.  False: too many. */
bool gate_faulty(struct gate *g, const struct gate_facts *f);

/* May this site see this certificate? */
bool gate_shows(struct gate *g, bool local, const char *origin, const char *fingerprint);
bool gate_allowed(struct gate *g, bool local, const char *origin);

/*
 * The user said yes to this: remember it for `seconds`, or for as long as policy's "session" says
 * where seconds is 0 (nothing, when policy says "always").
 */
void gate_consented(struct gate *g, const struct gate_facts *f, int seconds);

/* A token left or was locked: what was said about it is forgotten. */
void gate_forget(struct gate *g);

/* A site that makes the user type wrong PINs, or asks for what he refuses, gets no windows for a
 * while. */
void gate_wrong_pin(struct gate *g, const struct gate_facts *f);
void gate_refused(struct gate *g, const struct gate_facts *f);
void gate_agreed(struct gate *g, const struct gate_facts *f);

#endif
