#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/show.h"
#include "cli/soft.h"
#include "cli/verbs.h"
#include "policy/journal.h"
#include "policy/paths.h"
#include "policy/station.h"
#include "uk/b64.h"
#include "uk/config.h"

#define FILE_MAX (300u * 1024u)
#define CHUNK    (256u * 1024u) /* of data.put, and the most that is signed inline */

static int
fail(const char *what, const char *reason)
{
	(void)fprintf(stderr, "ukey: %s: %s\n", what, reason);
	return EXIT_FAILED;
}

/* What ukeyd answers with, told by its stable name. */
static int
refused(const char *method, json_t *error)
{
	const json_t *data = json_object_get(error, "data");
	const char *reason = json_string_value(json_object_get(data, "reason"));
	const char *field = json_string_value(json_object_get(data, "field"));
	const json_t *tries = json_object_get(data, "triesLeft");
	int code = EXIT_FAILED;

	if (reason == NULL)
		reason = "internal";
	(void)fprintf(stderr, "ukey: %s: %s%s%s", method, reason, field != NULL ? ": " : "",
	    field != NULL ? field : "");
	if (tries != NULL)
		(void)fprintf(stderr, " (%d tries left)", (int)json_integer_value(tries));
	(void)fputc('\n', stderr);
	if (strcmp(reason, "cancelled") == 0 || strcmp(reason, "denied") == 0)
		code = EXIT_CANCELLED;
	json_decref(error);
	return code;
}

static int
open_ukeyd(const struct args *a, struct client **c)
{
	struct uk_err err = { 0 };

	if (client_open(a->socket, c, &err) == UK_OK)
		return EXIT_DONE;
	(void)fail("ukeyd", uk_err_reason(&err));
	return EXIT_UNAVAILABLE;
}

/* Takes params; *result is the caller's when EXIT_DONE. */
static int
ask_on(struct client *c, const char *method, json_t *params, json_t **result)
{
	struct uk_err err = { 0 };
	json_t *error = NULL;
	enum uk_rc rc;

	rc = client_call(c, method, params, result, &error, &err);
	if (rc == UK_OK)
		return EXIT_DONE;
	*result = NULL;
	if (error != NULL)
		return refused(method, error);
	(void)fail("ukeyd", uk_err_reason(&err));
	return rc == UK_E_UNAVAILABLE ? EXIT_UNAVAILABLE : EXIT_FAILED;
}

static int
ask(const struct args *a, const char *method, json_t *params, json_t **result)
{
	struct client *c = NULL;
	int code = open_ukeyd(a, &c);

	if (code == EXIT_DONE)
		code = ask_on(c, method, params, result);
	else
		json_decref(params);
	client_close(&c);
	return code;
}

static int
ask_show(const struct args *a, const char *method, json_t *params, show_fn *show)
{
	json_t *result = NULL;
	const int code = ask(a, method, params, &result);

	if (code == EXIT_DONE)
		(a->json ? show_json : show)(result);
	json_decref(result);
	return code;
}

static void
set(json_t *o, const char *key, const char *value)
{
	if (value != NULL)
		json_object_set_new(o, key, json_string(value));
}

static bool
given(const char *value, const char *option)
{
	if (value == NULL)
		(void)fprintf(stderr, "ukey: --%s is needed (see --help)\n", option);
	return value != NULL;
}

/* --- files; "-" is standard input and output --- */

static bool
read_stdin(struct uk_buf *out)
{
	uint8_t *p;
	size_t n;

	do {
		p = uk_buf_room(out, 4096);
		n = p != NULL ? fread(p, 1, 4096, stdin) : 0;
		if (n > 0)
			uk_buf_add(out, n);
	} while (n > 0);
	return !uk_buf_failed(out) && ferror(stdin) == 0;
}

static bool
read_in(const char *path, struct uk_buf *out)
{
	struct uk_err err = { .rc = UK_E_LIMIT };
	const bool ok = strcmp(path, "-") == 0 ? read_stdin(out)
					       : uk_file_read(path, FILE_MAX, out, &err) == UK_OK;

	if (!ok)
		(void)fail(path, uk_err_reason(&err));
	return ok;
}

static bool
set_file(json_t *o, const char *key, const char *path)
{
	struct uk_buf data;
	char *b64;
	bool ok;

	uk_buf_init(&data, FILE_MAX + 8192);
	ok = read_in(path, &data);
	if (ok) {
		b64 = uk_b64_dup(uk_buf_span(&data));
		set(o, key, b64);
		free(b64);
	}
	uk_buf_fini(&data);
	return ok;
}

static int
write_out(const char *path, const char *b64)
{
	struct uk_err err = { .rc = UK_E_INTERNAL };
	struct uk_buf data;
	bool ok;

	uk_buf_init(&data, FILE_MAX * 2);
	ok = b64 != NULL && uk_b64_get(&data, b64) == UK_OK;
	if (ok && (path == NULL || strcmp(path, "-") == 0))
		ok = fwrite(data.p, 1, data.n, stdout) == data.n && fflush(stdout) == 0;
	else if (ok)
		ok = uk_file_write(path, 0644, uk_buf_span(&data), &err) == UK_OK;
	uk_buf_fini(&data);
	return ok ? EXIT_DONE : fail(path != NULL ? path : "-", uk_err_reason(&err));
}

/* One member of the answer is the file that was asked for.  Takes result. */
static int
give_file(const struct args *a, json_t *result, const char *member)
{
	int code = EXIT_DONE;

	if (a->json)
		show_json(result);
	else
		code = write_out(a->out, json_string_value(json_object_get(result, member)));
	json_decref(result);
	return code;
}

static int
ask_file(const struct args *a, const char *method, json_t *params, const char *member)
{
	json_t *result = NULL;
	const int code = ask(a, method, params, &result);

	return code == EXIT_DONE ? give_file(a, result, member) : code;
}

/* --- the verbs --- */

static int
list(const struct args *a)
{
	return ask_show(a, "token.list", NULL, show_tokens);
}

static int
login(const struct args *a)
{
	if (!given(a->token, "token"))
		return EXIT_USAGE;
	return ask_show(a, "token.login", json_pack("{s:s}", "token", a->token), show_done);
}

static int
logout(const struct args *a)
{
	if (!given(a->token, "token"))
		return EXIT_USAGE;
	return ask_show(a, "token.logout", json_pack("{s:s}", "token", a->token), show_done);
}

static int
certificates(const struct args *a)
{
	json_t *p = json_object();

	set(p, "token", a->token);
	return ask_show(a, "certificate.list", p, show_certificates);
}

/* Read the first piece.  True: it is all there is, and fits into the request. */
static bool
all_read(FILE *f, uint8_t *chunk, size_t *n)
{
	int next;

	*n = fread(chunk, 1, CHUNK, f);
	next = *n == CHUNK ? getc(f) : EOF;
	return next == EOF || ungetc(next, f) == EOF;
}

/* More than a message: piece by piece; *id is the data's, the caller's to free. */
static int
put_data(struct client *c, const struct args *a, FILE *f, uint8_t *chunk, size_t n, char **id)
{
	int code = EXIT_DONE;
	bool last = false;

	while (code == EXIT_DONE && !last) {
		json_t *p = json_object(), *result = NULL;
		char *b64 = uk_b64_dup(uk_span(chunk, n));

		last = n < CHUNK;
		set(p, *id == NULL ? "certificate" : "data", *id == NULL ? a->certificate : *id);
		set(p, "chunk", b64);
		free(b64);
		if (last)
			json_object_set_new(p, "last", json_true());
		code = ask_on(c, "data.put", p, &result);
		if (code == EXIT_DONE && *id == NULL)
			*id = uk_xstrdup(json_string_value(json_object_get(result, "data")));
		json_decref(result);
		if (!last)
			n = fread(chunk, 1, CHUNK, f);
		if (ferror(f) != 0)
			code = fail(a->in, "unavailable");
	}
	return code;
}

/* Takes params. */
static int
sign_file(const struct args *a, FILE *f, json_t *params)
{
	uint8_t *chunk = uk_xalloc(CHUNK);
	json_t *result = NULL;
	struct client *c = NULL;
	char *text = NULL;
	size_t n = 0;
	int code;

	if (all_read(f, chunk, &n)) {
		text = uk_b64_dup(uk_span(chunk, n));
		set(params, "data", text);
		code = ferror(f) != 0 ? fail(a->in, "unavailable") : open_ukeyd(a, &c);
	} else {
		code = open_ukeyd(a, &c);
		if (code == EXIT_DONE)
			code = put_data(c, a, f, chunk, n, &text);
		if (code == EXIT_DONE)
			set(params, "dataId", text);
	}
	free(text);
	free(chunk);
	if (code == EXIT_DONE)
		code = ask_on(c, "signature.create", json_incref(params), &result);
	json_decref(params);
	client_close(&c);
	return code == EXIT_DONE ? give_file(a, result, "signature") : code;
}

/* Only what was asked for: ukeyd knows the defaults, and refuses it with keys that have none. */
static json_t *
profile(const struct args *a)
{
	json_t *p = json_object();

	set(p, "arc", a->arc);
	set(p, "signatureOid", a->signature_oid);
	if (a->attributes)
		json_object_set_new(p, "attributes", json_true());
	if (json_object_size(p) > 0)
		return p;
	json_decref(p);
	return NULL;
}

static int
sign(const struct args *a)
{
	json_t *p, *how;
	FILE *f;
	int code;

	if (!given(a->certificate, "certificate") || !given(a->in, "in"))
		return EXIT_USAGE;
	f = strcmp(a->in, "-") == 0 ? stdin : fopen(a->in, "re");
	if (f == NULL)
		return fail(a->in, errno == ENOENT ? "not-found" : "unavailable");
	p = json_object();
	set(p, "certificate", a->certificate);
	set(p, "format", a->format != NULL ? a->format : "cms-detached");
	set(p, "title", a->title);
	if ((how = profile(a)) != NULL)
		json_object_set_new(p, "profile", how);
	code = sign_file(a, f, p);
	if (f != stdin)
		(void)fclose(f);
	return code;
}

static int
envelope_open(const struct args *a)
{
	json_t *p;

	if (!given(a->certificate, "certificate") || !given(a->in, "in"))
		return EXIT_USAGE;
	p = json_object();
	set(p, "certificate", a->certificate);
	if (set_file(p, "envelope", a->in))
		return ask_file(a, "envelope.open", p, "data");
	json_decref(p);
	return EXIT_FAILED;
}

static int
key_generate(const struct args *a)
{
	json_t *p;

	if (!given(a->token, "token"))
		return EXIT_USAGE;
	p = json_object();
	set(p, "token", a->token);
	set(p, "algorithm", a->algorithm != NULL ? a->algorithm : "p-256");
	set(p, "label", a->label);
	return ask_show(a, "key.generate", p, show_key);
}

static int
request(const struct args *a)
{
	json_t *p, *subject;

	if (!given(a->token, "token") || !given(a->key, "key") || !given(a->name, "name"))
		return EXIT_USAGE;
	p = json_object();
	subject = json_object();
	set(p, "token", a->token);
	set(p, "key", a->key);
	set(subject, "commonName", a->name);
	set(subject, "organization", a->organization);
	set(subject, "country", a->country);
	json_object_set_new(p, "subject", subject);
	return ask_file(a, "request.create", p, "request");
}

/* Both files, or neither. */
static bool
set_encryption(json_t *o, const struct args *a)
{
	json_t *e;
	bool ok;

	if (a->encryption == NULL && a->enveloped == NULL)
		return true;
	if (!given(a->encryption, "encryption") || !given(a->enveloped, "enveloped-key"))
		return false;
	e = json_pack("{s:s}", "format", "gbt35276");
	ok = set_file(e, "certificate", a->encryption) && set_file(e, "envelopedKey", a->enveloped);
	json_object_set_new(o, "encryption", e);
	return ok;
}

static int
pin_change(const struct args *a)
{
	if (!given(a->token, "token"))
		return EXIT_USAGE;
	return ask_show(a, "pin.change", json_pack("{s:s}", "token", a->token), show_done);
}

static int
certificate_install(const struct args *a)
{
	json_t *p, *one = json_object();
	bool ok;

	if (!given(a->token, "token") || !given(a->in, "in")) {
		json_decref(one);
		return EXIT_USAGE;
	}
	p = json_object();
	set(p, "token", a->token);
	set(p, "key", a->key);
	set(p, "replaces", a->replaces);
	ok = set_file(p, "certificate", a->in) &&
	     (a->chain == NULL || set_file(one, "issuer", a->chain)) && set_encryption(p, a);
	if (a->chain != NULL && ok)
		json_object_set_new(p, "chain", json_pack("[O]", json_object_get(one, "issuer")));
	json_decref(one);
	if (ok)
		return ask_show(a, "certificate.install", p, show_certificate);
	json_decref(p);
	return EXIT_FAILED;
}

static int
channel(const struct args *a)
{
	return ask_show(a, "agent.channel", json_pack("{s:s}", "purpose", "production"), show_json);
}

static int
token_prepare(const struct args *a)
{
	struct uk_buf text;
	json_t *p;

	if (!given(a->token, "token") || !given(a->ticket, "ticket"))
		return EXIT_USAGE;
	uk_buf_init(&text, FILE_MAX + 8192);
	if (!read_in(a->ticket, &text)) {
		uk_buf_fini(&text);
		return EXIT_FAILED;
	}
	while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		text.n--;
	p = json_object();
	set(p, "token", a->token);
	set(p, "ticket", uk_buf_str(&text));
	uk_buf_fini(&text);
	return ask_show(a, "token.prepare", p, show_token);
}

static int
sites(const struct args *a)
{
	if (a->n_rest == 0)
		return ask_show(a, "site.list", NULL, show_sites);
	if (a->n_rest != 2 || strcmp(a->rest[0], "revoke") != 0) {
		(void)fprintf(stderr, "ukey: sites [revoke ORIGIN]\n");
		return EXIT_USAGE;
	}
	return ask_show(a, "site.revoke", json_pack("{s:s}", "origin", a->rest[1]), show_done);
}

static int
status(const struct args *a)
{
	return ask_show(a, "agent.status", NULL, show_checks);
}

static int
station(const struct args *a)
{
	char *path = path_state("station.jwk");
	struct uk_jwk *key = NULL;
	struct uk_err err = { .rc = UK_E_UNAVAILABLE, .reason = "no-home" };
	json_t *jwk;
	int code = EXIT_DONE;

	(void)a;
	if (path == NULL || station_make(path, &key, &err) != UK_OK) {
		code = fail("station", uk_err_reason(&err));
	} else {
		jwk = uk_jwk_public(key);
		show_json(jwk);
		json_decref(jwk);
	}
	uk_jwk_free(&key);
	free(path);
	return code;
}

static int
journal(const struct args *a)
{
	char *path = path_state("journal.jsonl");
	struct uk_err err = { .rc = UK_E_UNAVAILABLE, .reason = "no-home" };
	size_t lines = 0;
	int code = EXIT_DONE;

	if (path == NULL || journal_check(path, &lines, &err) != UK_OK) {
		(void)fprintf(
		    stderr, "ukey: journal: %s after line %zu\n", uk_err_reason(&err), lines);
		code = EXIT_FAILED;
	} else if (a->json) {
		(void)printf("{\"lines\": %zu}\n", lines);
	} else {
		(void)printf("%s: %zu lines, unbroken\n", path, lines);
	}
	free(path);
	return code;
}

static int
version(const struct args *a)
{
	(void)a;
	(void)printf("ukey %s\n", UK_VERSION);
	return EXIT_DONE;
}

/* --- the table --- */

#define AT(m)    offsetof(struct args, m)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define SOCKET                                                                                     \
	{                                                                                          \
		"socket", "PATH", AT(socket), "ukeyd's; default: $XDG_RUNTIME_DIR/ukey/agent.sock" \
	}
#define JSON                                                                                       \
	{                                                                                          \
		"json", NULL, AT(json), "print the answer as JSON"                                 \
	}
#define TOKEN                                                                                      \
	{                                                                                          \
		"token", "ID", AT(token), "the token, as `ukey list` names it"                     \
	}

static const struct uk_opt plain_opts[] = { SOCKET, JSON };
static const struct uk_opt token_opts[] = { SOCKET, JSON, TOKEN };
static const struct uk_opt sign_opts[] = {
	SOCKET,
	JSON,
	{ "certificate", "ID", AT(certificate), "as `ukey certificates` names it" },
	{ "format", "F", AT(format), "cms-detached (default), cms-attached, der or raw" },
	{ "arc", "A", AT(arc), "of an SM2 key's CMS: gm (default) or rfc" },
	{ "signature-oid", "O", AT(signature_oid), "of an SM2 key's CMS: 301.1 (default) or 501" },
	{ "attributes", NULL, AT(attributes), "an SM2 key's CMS has signed attributes" },
	{ "in", "FILE", AT(in), "what to sign; - is standard input" },
	{ "out", "FILE", AT(out), "the signature; default: standard output" },
	{ "title", "TEXT", AT(title), "shown when the PIN is asked for" },
};
static const struct uk_opt open_opts[] = {
	SOCKET,
	JSON,
	{ "certificate", "ID", AT(certificate), "as `ukey certificates` names it" },
	{ "in", "FILE", AT(in), "CMS EnvelopedData; - is standard input" },
	{ "out", "FILE", AT(out), "what is in it; default: standard output" },
};
static const struct uk_opt key_opts[] = {
	SOCKET,
	JSON,
	TOKEN,
	{ "algorithm", "A", AT(algorithm), "p-256 (default), p-384, rsa-2048, rsa-3072, sm2" },
	{ "label", "TEXT", AT(label), "the key's name on the token" },
};
static const struct uk_opt request_opts[] = {
	SOCKET,
	JSON,
	TOKEN,
	{ "key", "ID", AT(key), "as `ukey key generate` printed it" },
	{ "name", "TEXT", AT(name), "common name" },
	{ "organization", "TEXT", AT(organization), "organisation" },
	{ "country", "CC", AT(country), "two letters" },
	{ "out", "FILE", AT(out), "PKCS#10, DER; default: standard output" },
};
static const struct uk_opt install_opts[] = {
	SOCKET,
	JSON,
	TOKEN,
	{ "key", "ID", AT(key), "its key; default: the one it is for" },
	{ "in", "FILE", AT(in), "certificate, DER" },
	{ "chain", "FILE", AT(chain), "its issuer's certificate, DER; checked" },
	{ "replaces", "ID", AT(replaces), "the certificate that leaves once this one works" },
	{ "encryption", "FILE", AT(encryption), "the encryption certificate beside it, DER" },
	{ "enveloped-key", "FILE", AT(enveloped), "its key pair, SM2EnvelopedKey" },
};
static const struct uk_opt prepare_opts[] = {
	SOCKET,
	JSON,
	TOKEN,
	{ "ticket", "FILE", AT(ticket), "the CA's sealed ticket (compact JWE)" },
};
static const struct uk_opt json_opts[] = { JSON };

#define DIR_OPT                                                                                    \
	{                                                                                          \
		"dir", "DIR", AT(dir), "of virtual UKEYs; default: $UKEY_SOFT_DIR, or the user's"  \
	}

static const struct uk_opt soft_opts[] = { DIR_OPT };
static const struct uk_opt soft_list_opts[] = { JSON, DIR_OPT };
static const struct uk_opt soft_create_opts[] = {
	DIR_OPT,
	{ "label", "TEXT", AT(label), "default: SOFTWARE TOKEN" },
	{ "serial", "TEXT", AT(serial), "its number; default: a random one" },
	{ "application", "NAME", AT(application), "made at once; without it, the UKEY is blank" },
	{ "admin-pin-file", "FILE", AT(admin_pin_file), "the application's; the first line" },
	{ "pin-file", "FILE", AT(pin_file), "the application's user PIN; the first line" },
	{ "kdf-cost", "N", AT(kdf_cost),
	    "of the application's PINs, 2^N of scrypt: 10 to 17; default: 15" },
	{ "auth-key-file", "FILE", AT(auth_key_file),
	    "device authentication key: 16 bytes or 32 hex digits; default: random, kept beside" },
};
static const struct uk_opt soft_fault_opts[] = {
	DIR_OPT,
	{ "function", "F", AT(function), "of SKF, as SKF_ECCSignData" },
	{ "nth", "N", AT(nth), "which call in a process; default: 1, the next" },
	{ "error", "E", AT(error), "it returns E, as SAR_FAIL or 0x0A000001" },
	{ "block", "MS", AT(block), "it blocks for so long" },
	{ "crash", NULL, AT(crash), "it ends the process" },
	{ "clear", NULL, AT(clear), "no faults any more" },
};

const struct verb verbs[] = {
	{ "list", "", 0, plain_opts, COUNT(plain_opts), list, "tokens that are in" },
	{ "login", "", 0, token_opts, COUNT(token_opts), login,
	    "unlock a token; asks for its PIN" },
	{ "logout", "", 0, token_opts, COUNT(token_opts), logout, "lock a token" },
	{ "certificates", "", 0, token_opts, COUNT(token_opts), certificates,
	    "certificates on the tokens" },
	{ "sign", "", 0, sign_opts, COUNT(sign_opts), sign, "sign a file" },
	{ "envelope open", "", 0, open_opts, COUNT(open_opts), envelope_open,
	    "open what was encrypted to a certificate" },
	{ "key generate", "", 0, key_opts, COUNT(key_opts), key_generate,
	    "make a key pair on a token" },
	{ "request", "", 0, request_opts, COUNT(request_opts), request,
	    "certificate request for a key" },
	{ "certificate install", "", 0, install_opts, COUNT(install_opts), certificate_install,
	    "write a certificate and prove that it works" },
	{ "channel", "", 0, plain_opts, COUNT(plain_opts), channel,
	    "one-time key for a production ticket" },
	{ "token prepare", "", 0, prepare_opts, COUNT(prepare_opts), token_prepare,
	    "make a blank token ready by a ticket" },
	{ "pin change", "", 0, token_opts, COUNT(token_opts), pin_change,
	    "give a token another PIN; asks for both" },
	{ "sites", "[revoke ORIGIN]", 2, plain_opts, COUNT(plain_opts), sites,
	    "sites that may use the keys" },
	{ "status", "", 0, plain_opts, COUNT(plain_opts), status, "is all there that is needed?" },
	{ "station", "", 0, json_opts, COUNT(json_opts), station,
	    "make this station's key; print its public part" },
	{ "journal", "", 0, json_opts, COUNT(json_opts), journal,
	    "check that the journal is unbroken" },
	{ "soft create", "NAME", 1, soft_create_opts, COUNT(soft_create_opts), soft_create,
	    "make a virtual UKEY" },
	{ "soft insert", "NAME", 1, soft_opts, COUNT(soft_opts), soft_insert, "plug one in" },
	{ "soft remove", "NAME", 1, soft_opts, COUNT(soft_opts), soft_remove, "pull it out" },
	{ "soft list", "", 0, soft_list_opts, COUNT(soft_list_opts), soft_list,
	    "virtual UKEYs, in or out" },
	{ "soft set-fault", "NAME", 1, soft_fault_opts, COUNT(soft_fault_opts), soft_set_fault,
	    "what is to go wrong with one" },
	{ "version", "", 0, json_opts, COUNT(json_opts), version, "print the version" },
};
const size_t n_verbs = COUNT(verbs);
