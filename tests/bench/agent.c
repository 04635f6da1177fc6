/* A small client of the SSH agent protocol (draft-ietf-sshm-ssh-agent): list, then sign. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"

#define WARM_UP      50
#define REPLY_MAX    65536u
#define IDENTITIES   11 /* SSH_AGENTC_REQUEST_IDENTITIES */
#define IDENTITIES_A 12
#define SIGN         13 /* SSH_AGENTC_SIGN_REQUEST */
#define SIGN_A       14
#define RSA_SHA2_256 2 /* SSH_AGENT_RSA_SHA2_256 */
#define DATA_LEN     256

static void
put_u32(uint8_t *p, size_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static size_t
get_u32(const uint8_t *p)
{
	return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

static void
all(int fd, bool in, uint8_t *p, size_t n)
{
	while (n > 0) {
		const ssize_t k = in ? recv(fd, p, n, 0) : send(fd, p, n, MSG_NOSIGNAL);

		if (k <= 0)
			bench_fail("agent", k);
		p += k;
		n -= (size_t)k;
	}
}

/* Sends a message that has four bytes of room before it; the answer's length, its kind is right. */
static size_t
ask(int fd, uint8_t *message, size_t n, uint8_t *reply, uint8_t want)
{
	uint8_t head[4];
	size_t len;

	put_u32(message, n);
	all(fd, false, message, n + 4);
	all(fd, true, head, 4);
	len = get_u32(head);
	if (len == 0 || len > REPLY_MAX)
		bench_fail("agent's answer", (long)len);
	all(fd, true, reply, len);
	if (reply[0] != want)
		bench_fail("agent refuses", reply[0]);
	return len;
}

/* The first key of that kind; its length. */
static size_t
find_key(int fd, bool ec, uint8_t *blob, size_t max)
{
	const char *kind = ec ? "ecdsa-sha2-nistp256" : "ssh-rsa";
	uint8_t message[5] = { 0, 0, 0, 0, IDENTITIES }, *reply = malloc(REPLY_MAX);
	const size_t len = ask(fd, message, 1, reply, IDENTITIES_A);
	size_t at = 5, n = 0;

	for (size_t i = get_u32(reply + 1); i > 0 && at + 4 < len; i--) {
		n = get_u32(reply + at);
		if (n <= max && get_u32(reply + at + 4) == strlen(kind) &&
		    memcmp(reply + at + 8, kind, strlen(kind)) == 0)
			break;
		at += 4 + n;
		at += 4 + get_u32(reply + at);
		n = 0;
	}
	if (n == 0)
		bench_fail("the agent has no such key", 0);
	memcpy(blob, reply + at + 4, n);
	free(reply);
	return n;
}

void
bench_agent(const char *path, bool ec, size_t n)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	uint8_t message[2800], *p = message + 5, *reply = malloc(REPLY_MAX);
	size_t blob, len;
	struct bench b;

	if (strlen(path) >= sizeof(a.sun_path))
		bench_fail("socket path", 0);
	memcpy(a.sun_path, path, strlen(path) + 1);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0)
		bench_fail("no agent", 0);
	message[4] = SIGN;
	blob = find_key(fd, ec, p + 4, 2048);
	put_u32(p, blob);
	p += 4 + blob;
	put_u32(p, DATA_LEN);
	memset(p + 4, 'x', DATA_LEN);
	put_u32(p + 4 + DATA_LEN, ec ? 0 : RSA_SHA2_256);
	len = 1 + 4 + blob + 4 + DATA_LEN + 4;
	for (int i = 0; i < WARM_UP; i++)
		(void)ask(fd, message, len, reply, SIGN_A);
	bench_init(&b, "agent", n);
	for (size_t i = 0; i < n; i++) {
		const double from = bench_now();

		(void)ask(fd, message, len, reply, SIGN_A);
		bench_add(&b, bench_now() - from);
	}
	bench_end(&b);
	free(reply);
	close(fd);
}
