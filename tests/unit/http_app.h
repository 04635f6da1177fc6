/* A small application on server/http, and the calls a page would make to it. */
#ifndef HTTP_APP_H
#define HTTP_APP_H

#include <pthread.h>
#include <stdatomic.h>

#include "http/httpd.h"
#include "net/client.h"

#define TIMEOUT   5000
#define REPLY_MAX ((size_t)4 << 20)
#define BIG       ((size_t)24 << 20) /* of /api/big: more than the kernel's buffers take */

struct app {
	struct httpd *httpd;
	struct http_client *client;
	unsigned port;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct http_request *parked[64]; /* for the answering thread */
	size_t n_parked;
	bool ending;
	pthread_t answerer;
	atomic_int handled;
	atomic_bool hold; /* the answering thread waits */
};

extern const struct httpd_config plain;

void pause_ms(long ms);

void app_open(struct app *app, const struct httpd_config *from);
void app_close(struct app *app);

/* For cmocka: a struct app with the plain configuration. */
int setup(void **state);
int teardown(void **state);

/* A call with the headers a page sends; post() sends JSON. */
struct http_reply call(
    struct app *app, const char *method, const char *path, const char *type, const char *body);
struct http_reply post(struct app *app, const char *path, const char *body);

/* What the reply must be; these free it.  An error has the shape that pages read. */
void refused(struct http_reply r, int status, const char *reason, const char *field);
void answered(struct http_reply r, int status, const char *body);
void assert_header(const struct http_reply *r, const char *name, const char *want);

#endif
