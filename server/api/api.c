#include <string.h>

#include "api/api.h"
#include "api/session.h"

static const struct {
	const char *name;
	unsigned who;
} roles[] = {
	{ "reviewer", WHO_REVIEWER },
	{ "producer", WHO_PRODUCER },
	{ "finance", WHO_FINANCE },
	{ "auditor", WHO_AUDITOR },
	{ "administrator", WHO_ADMINISTRATOR },
};

#define N_ROLES (sizeof(roles) / sizeof(roles[0]))

int64_t
api_now(const struct api *a)
{
	return uk_now(a->clock);
}

const struct user *
api_user(const struct http_request *rq)
{
	return http_user(rq);
}

static unsigned
role_bit(const char *name, size_t n)
{
	for (size_t i = 0; i < N_ROLES; i++)
		if (strlen(roles[i].name) == n && strncmp(roles[i].name, name, n) == 0)
			return roles[i].who;
	return 0;
}

enum uk_rc
api_roles_read(const char *list, unsigned *who)
{
	unsigned bits = 0;

	for (;;) {
		const size_t n = strcspn(list, ",");
		const unsigned bit = role_bit(list, n);

		if (bit == 0)
			return UK_E_INPUT;
		bits |= bit;
		if (list[n] == '\0')
			break;
		list += n + 1;
	}
	*who = bits;
	return UK_OK;
}

enum order_by
api_by(const struct user *u)
{
	unsigned by = 0;

	for (size_t i = 0; i < N_ROLES; i++)
		if ((u->who & roles[i].who) != 0)
			by |= order_by_from_role(roles[i].name);
	return (enum order_by)by;
}
