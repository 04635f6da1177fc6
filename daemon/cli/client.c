#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/client.h"
#include "policy/paths.h"
#include "uk/frame.h"

#define READ_SIZE 65536

struct client {
	int fd;
	json_int_t id;
	struct uk_frames in;
};

static enum uk_rc
connect_to(const char *path, int *out, struct uk_err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(a.sun_path))
		return uk_fail(err, UK_E_LIMIT, "socket-path-too-long", "connect", 0);
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0) {
		const long native = errno;

		if (fd >= 0)
			close(fd);
		return uk_fail(err, UK_E_UNAVAILABLE, "ukeyd-not-running", "connect", native);
	}
	*out = fd;
	return UK_OK;
}

enum uk_rc
client_open(const char *path, struct client **out, struct uk_err *err)
{
	char *own = path == NULL ? path_runtime("agent.sock") : NULL;
	struct client *c;
	enum uk_rc rc;
	int fd = -1;

	rc = connect_to(path != NULL ? path : own, &fd, err);
	free(own);
	if (rc != UK_OK)
		return rc;
	c = uk_xalloc(sizeof(*c));
	c->fd = fd;
	uk_frames_init(&c->in, UK_MESSAGE_MAX);
	*out = c;
	return UK_OK;
}

void
client_close(struct client **c)
{
	if (*c == NULL)
		return;
	close((*c)->fd);
	uk_frames_fini(&(*c)->in);
	free(*c);
	*c = NULL;
}

static enum uk_rc
send_all(int fd, struct uk_span s, struct uk_err *err)
{
	while (s.n > 0) {
		const ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return uk_fail(err, UK_E_UNAVAILABLE, "ukeyd-gone", "send", errno);
		s = uk_span(s.p + n, s.n - (size_t)n);
	}
	return UK_OK;
}

static enum uk_rc
send_json(struct client *c, const json_t *m, struct uk_err *err)
{
	struct uk_buf text, frame;
	enum uk_rc rc;

	uk_buf_init(&text, UK_MESSAGE_MAX);
	uk_buf_init(&frame, UK_MESSAGE_MAX + UK_FRAME_HEAD);
	rc = uk_json_put(&text, m);
	if (rc != UK_OK) {
		rc = uk_fail(err, rc, NULL, "client", 0);
	} else {
		uk_frame_put(&frame, uk_buf_span(&text));
		rc = send_all(c->fd, uk_buf_span(&frame), err);
	}
	uk_buf_fini(&text);
	uk_buf_fini(&frame);
	return rc;
}

static enum uk_rc
read_more(struct client *c, struct uk_err *err)
{
	uint8_t *to = uk_frames_room(&c->in, READ_SIZE);
	ssize_t n;

	if (to == NULL)
		return uk_fail(err, UK_E_LIMIT, NULL, "recv", 0);
	do
		n = recv(c->fd, to, READ_SIZE, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return uk_fail(err, UK_E_UNAVAILABLE, "ukeyd-gone", "recv", n < 0 ? errno : 0);
	uk_frames_add(&c->in, (size_t)n);
	return UK_OK;
}

static enum uk_rc
receive(struct client *c, json_t **out, struct uk_err *err)
{
	struct uk_span body;
	enum uk_rc rc;

	for (;;) {
		rc = uk_frames_next(&c->in, &body);
		if (rc != UK_OK)
			return uk_fail(err, rc, NULL, "client", 0);
		if (body.p != NULL)
			break;
		rc = read_more(c, err);
		if (rc != UK_OK)
			return rc;
	}
	rc = uk_json_parse(body, UK_MESSAGE_MAX, out, err);
	uk_frames_done(&c->in, body);
	return rc;
}

enum uk_rc
client_call(struct client *c, const char *method, json_t *params, json_t **result, json_t **error,
    struct uk_err *err)
{
	json_t *m = json_pack("{s:s, s:I, s:s, s:o*}", "jsonrpc", "2.0", "id", ++c->id, "method",
	    method, "params", params);
	json_t *answer = NULL;
	enum uk_rc rc;

	*error = NULL;
	rc = send_json(c, m, err);
	json_decref(m);
	if (rc == UK_OK)
		rc = receive(c, &answer, err);
	if (rc != UK_OK)
		return rc;
	*result = json_incref(json_object_get(answer, "result"));
	*error = json_incref(json_object_get(answer, "error"));
	json_decref(answer);
	if (*result != NULL && *error == NULL)
		return UK_OK;
	json_decref(*result);
	return uk_fail(err, *error != NULL ? UK_E_DENIED : UK_E_INTERNAL, NULL, "client", 0);
}
