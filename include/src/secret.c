#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <openssl/crypto.h>

#include "uk/secret.h"

struct uk_secret {
	size_t n;
	uint8_t bytes[UK_SECRET_MAX + 1];
};

struct uk_secret *
uk_secret_new(struct uk_span s)
{
	struct uk_secret *secret;

	if (s.n > UK_SECRET_MAX)
		abort();
	secret =
	    mmap(NULL, sizeof(*secret), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (secret == MAP_FAILED)
		abort();
	/* Best effort where RLIMIT_MEMLOCK is small; the page is in no dump and no child either
	 * way. */
	(void)mlock(secret, sizeof(*secret));
	(void)madvise(secret, sizeof(*secret), MADV_DONTDUMP);
	(void)madvise(secret, sizeof(*secret), MADV_DONTFORK);
	secret->n = s.n;
	if (s.n != 0)
		memcpy(secret->bytes, s.p, s.n);
	return secret;
}

void
uk_secret_free(struct uk_secret **s)
{
	if (s == NULL || *s == NULL)
		return;
	explicit_bzero(*s, sizeof(**s));
	(void)munlock(*s, sizeof(**s));
	(void)munmap(*s, sizeof(**s));
	*s = NULL;
}

struct uk_span
uk_secret_lend(const struct uk_secret *s)
{
	return s != NULL ? uk_span(s->bytes, s->n) : uk_span(NULL, 0);
}

bool
uk_secret_eq(const struct uk_secret *a, const struct uk_secret *b)
{
	if (a == NULL || b == NULL || a->n != b->n)
		return false;
	return CRYPTO_memcmp(a->bytes, b->bytes, a->n) == 0;
}

void
uk_secret_harden_process(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
