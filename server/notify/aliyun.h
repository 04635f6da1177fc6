/* One call of Aliyun's RPC-style API, signed with ACS3.  Messages and identity checks share it. */
#ifndef NOTIFY_ALIYUN_H
#define NOTIFY_ALIYUN_H

#include "net/client.h"
#include "uk/clock.h"
#include "uk/json.h"
#include "uk/random.h"
#include "uk/secret.h"

struct aliyun {
	char *url;
	char *host;       /* of url, with the port */
	const char *path; /* of url, in url; "/" without */
	char *access_key;
	struct uk_secret *secret;
	struct http_client *http;
	const struct uk_clock *clock;
	const struct uk_random *random;
	int64_t deadline_ms;
};

/* UK_E_INPUT with err->field "url", "access_key" or "secret". */
UK_CHECK enum uk_rc aliyun_init(struct aliyun *a, const char *url, const char *access_key,
    const char *secret, struct uk_err *err);
void aliyun_fini(struct aliyun *a);

struct aliyun_call {
	const char *action;
	const char *version;
	bool in_body; /* where the API's description has the parameters: form body or query */
	const struct net_pair *params;
	size_t n_params;
};

/*
 * On UK_OK *tree is the answer's object, whatever the HTTP status: errors come as
 * {"Code","Message","RequestId"} too.
 */
UK_CHECK enum uk_rc aliyun_call(struct aliyun *a, const struct aliyun_call *call, int *status,
    json_t **tree, struct uk_err *err);

#endif
