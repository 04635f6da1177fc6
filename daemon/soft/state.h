/*
 * What a virtual UKEY holds, and its form on disk.  Private keys, and files that not everyone may
 * read or write, are in here only as the vault sealed them.
 */
#ifndef SOFT_STATE_H
#define SOFT_STATE_H

#include "skf.h"
#include "uk/buf.h"

#define STATE_MAX        (1024u * 1024u) /* bytes on disk: the UKEY's memory */
#define APPS_MAX         8
#define CONTAINERS_MAX   32
#define FILES_MAX        32
#define APP_NAME_MAX     48
#define CERTIFICATE_MAX  (16u * 1024u)
#define FILE_SIZE_MAX    (256u * 1024u)
#define SEALED_MORE      28 /* bytes that sealing adds */
#define PRIVATE_MAX      (2048 + SEALED_MORE)
#define MASTER_LEN       32
#define ID_LEN           16
#define AUTH_KEY_LEN     16
#define PIN_TRIES_MAX    10
#define SALT_LEN         16
#define SCRYPT_LOG_N     15
#define SCRYPT_LOG_N_MIN 10
#define SCRYPT_LOG_N_MAX 17
#define SM2_PUBLIC_LEN   64 /* X, Y */

/* The signing pair is made inside, the encryption pair comes from the CA. */
enum use {
	USE_SIGN,
	USE_ENCRYPT,
	USE__MAX
};

/* No public part: there is no such pair.  RSA's is the modulus and four bytes of exponent. */
struct pair {
	uint8_t id[ID_LEN];
	struct uk_buf public;
	struct uk_buf private; /* sealed: SM2 d, or RSAPrivateKey DER */
};

struct container {
	uint8_t id[ID_LEN];
	char name[MAX_CONTAINER_NAME_SIZE + 1];
	uint32_t type; /* CONTAINER_* */
	struct pair pairs[USE__MAX];
	struct uk_buf certificates[USE__MAX];
};

struct file {
	char name[MAX_FILE_NAME_SIZE + 1];
	uint32_t size;
	uint32_t read;
	uint32_t write;
	bool sealed;
	struct uk_buf data; /* size bytes, or those sealed */
};

/* The master key under a PIN; indexed by ADMIN_TYPE and USER_TYPE. */
struct pin {
	uint8_t salt[SALT_LEN];
	uint32_t log_n;
	uint32_t tries;   /* at most, and after a right one */
	uint32_t initial; /* still the PIN of SKF_CreateApplication */
	uint8_t wrapped[MASTER_LEN + SEALED_MORE];
};

struct app {
	uint8_t id[ID_LEN];
	char name[APP_NAME_MAX + 1];
	uint32_t slot; /* of its counters */
	uint32_t file_rights;
	struct pin pins[2];
	uint8_t mac[32]; /* under the master key, over all but the files */
	size_t n_containers;
	struct container containers[CONTAINERS_MAX];
	size_t n_files;
	struct file files[FILES_MAX];
};

struct state {
	char label[32];
	char serial[32];
	uint8_t auth_key[AUTH_KEY_LEN];
	size_t n_apps;
	struct app *apps[APPS_MAX];
};

struct state *state_new(void);
void state_free(struct state **s);

struct app *app_new(void);
void app_free(struct app **a);

/* SAR_FILEERR: not a state, or a damaged one. */
ULONG state_read(struct uk_span in, struct state **out);

/* SAR_NO_ROOM: more than the UKEY's memory.  Initialises out; changes nothing of s. */
ULONG state_write(struct state *s, struct uk_buf *out);

/* The bytes that app's mac is over. */
ULONG app_put_protected(struct app *a, struct uk_buf *out);

/* NULL: none. */
struct app *state_app(const struct state *s, const char *name);
struct app *state_app_by_id(const struct state *s, const uint8_t id[ID_LEN]);
struct container *app_container(struct app *a, const char *name);
struct container *app_container_by_id(struct app *a, const uint8_t id[ID_LEN]);
struct file *app_file(struct app *a, const char *name);

/* Takes the object out and wipes it. */
void state_drop_app(struct state *s, struct app *a);
void app_drop_container(struct app *a, struct container *c);
void app_drop_file(struct app *a, struct file *f);

void container_init(struct container *c);
void file_init(struct file *f);
void pair_fini(struct pair *p);
bool pair_there(const struct pair *p);

/* Of SKF_CreateFile and SKF_CreateApplication. */
bool rights_ok(uint32_t rights);

#endif
