/* The client proves whom it talks to, against a TLS server made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/client.h"

#define TIMEOUT 5000

struct peer {
	char ca[40]; /* path of its certificate */
	SSL_CTX *ctx;
	int fd;
	unsigned port;
	pthread_t thread;
};

static X509 *
self_signed(EVP_PKEY *key, const char *name)
{
	X509 *c = X509_new();
	X509_NAME *n = X509_get_subject_name(c);
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, name);

	assert_non_null(san);
	assert_int_equal(X509_set_version(c, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(c), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(c), -60));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(c), 600));
	assert_int_equal(X509_NAME_add_entry_by_txt(
			     n, "CN", MBSTRING_ASC, (const unsigned char *)"peer", -1, -1, 0),
	    1);
	assert_int_equal(X509_set_issuer_name(c, n), 1);
	assert_int_equal(X509_set_pubkey(c, key), 1);
	assert_int_equal(X509_add_ext(c, san, -1), 1);
	assert_true(X509_sign(c, key, EVP_sha256()) > 0);
	X509_EXTENSION_free(san);
	return c;
}

static void
answer(SSL *ssl)
{
	static const char text[] =
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
	char in[2048];

	if (SSL_accept(ssl) == 1 && SSL_read(ssl, in, sizeof(in)) > 0)
		(void)SSL_write(ssl, text, (int)strlen(text));
	(void)SSL_shutdown(ssl);
}

static void *
serve(void *arg)
{
	struct peer *p = arg;
	int fd;

	while ((fd = accept(p->fd, NULL, NULL)) >= 0) {
		SSL *ssl = SSL_new(p->ctx);

		if (ssl != NULL && SSL_set_fd(ssl, fd) == 1)
			answer(ssl);
		SSL_free(ssl);
		(void)close(fd);
	}
	return NULL;
}

static void
peer_open(struct peer *p, const char *name)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *c = self_signed(key, name);
	socklen_t len = sizeof(a);
	FILE *f;
	int fd;

	(void)snprintf(p->ca, sizeof(p->ca), "/tmp/ukey-tls-XXXXXX");
	fd = mkstemp(p->ca);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_int_equal(PEM_write_X509(f, c), 1);
	(void)fclose(f);
	p->ctx = SSL_CTX_new(TLS_server_method());
	assert_int_equal(SSL_CTX_use_certificate(p->ctx, c), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(p->ctx, key), 1);
	X509_free(c);
	EVP_PKEY_free(key);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->fd, (const struct sockaddr *)(const void *)&a, sizeof(a)), 0);
	assert_int_equal(listen(p->fd, 4), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)(void *)&a, &len), 0);
	p->port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
}

static void
peer_close(struct peer *p)
{
	(void)shutdown(p->fd, SHUT_RDWR);
	(void)pthread_join(p->thread, NULL);
	(void)close(p->fd);
	SSL_CTX_free(p->ctx);
	(void)unlink(p->ca);
}

static enum uk_rc
ask(const struct peer *p, const char *ca, const char *host)
{
	const struct http_client_options o = { .ca_file = ca };
	struct http_client *client = http_client_new(&o);
	struct http_reply r;
	char url[64];
	enum uk_rc rc;

	(void)snprintf(url, sizeof(url), "https://%s:%u/", host, p->port);
	rc = http_get(client, url, TIMEOUT, 100, &r, NULL);
	if (rc == UK_OK)
		assert_string_equal(uk_buf_str(&r.body), "ok");
	http_reply_fini(&r);
	http_client_free(&client);
	return rc;
}

static void
believes_a_trusted_peer(void **state)
{
	struct peer p;

	(void)state;
	peer_open(&p, "IP:127.0.0.1,DNS:localhost");
	assert_int_equal(ask(&p, p.ca, "127.0.0.1"), UK_OK);
	assert_int_equal(ask(&p, p.ca, "localhost"), UK_OK);
	peer_close(&p);
}

static void
refuses_a_stranger(void **state)
{
	struct peer p;
	struct peer other;

	(void)state;
	peer_open(&p, "IP:127.0.0.1");
	peer_open(&other, "IP:127.0.0.1");
	assert_int_equal(ask(&p, NULL, "127.0.0.1"), UK_E_DENIED);
	assert_int_equal(ask(&p, other.ca, "127.0.0.1"), UK_E_DENIED);
	assert_int_equal(ask(&p, "/nonexistent.pem", "127.0.0.1"), UK_E_DENIED);
	peer_close(&other);
	peer_close(&p);
}

static void
refuses_another_name(void **state)
{
	struct peer p;

	(void)state;
	peer_open(&p, "DNS:bank.example");
	assert_int_equal(ask(&p, p.ca, "127.0.0.1"), UK_E_DENIED);
	peer_close(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(believes_a_trusted_peer),
		cmocka_unit_test(refuses_a_stranger),
		cmocka_unit_test(refuses_another_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
