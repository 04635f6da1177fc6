/* The shapes of RFC 5652 section 6 and RFC 5083, as far as one receiver needs them. */
#ifndef PROTOCOL_ENVELOPED_ASN1_H
#define PROTOCOL_ENVELOPED_ASN1_H

#include <openssl/asn1t.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#define ENV_BY_NAME 0 /* of a choice of who: issuer and serial */
#define ENV_BY_KEY  1 /* subject key identifier */

typedef struct {
	int type;
	union {
		PKCS7_ISSUER_AND_SERIAL *name;
		ASN1_OCTET_STRING *ski;
	} d;
} ENV_WHO;

typedef struct {
	ASN1_INTEGER *version;
	ENV_WHO *who;
	X509_ALGOR *algorithm;
	ASN1_OCTET_STRING *key;
} ENV_TRANSPORT;

typedef struct {
	X509_ALGOR *algorithm;
	ASN1_BIT_STRING *point;
} ENV_SENDER_KEY;

typedef struct {
	int type;
	union {
		PKCS7_ISSUER_AND_SERIAL *name;
		ASN1_OCTET_STRING *ski;
		ENV_SENDER_KEY *key;
	} d;
} ENV_SENDER;
#define ENV_SENDER_IS_KEY 2

typedef struct {
	ASN1_OCTET_STRING *ski;
	ASN1_GENERALIZEDTIME *date;
	ASN1_TYPE *other;
} ENV_KEY_ID;

typedef struct {
	int type;
	union {
		PKCS7_ISSUER_AND_SERIAL *name;
		ENV_KEY_ID *id;
	} d;
} ENV_AGREED_WHO;

typedef struct {
	ENV_AGREED_WHO *who;
	ASN1_OCTET_STRING *key;
} ENV_AGREED;

DEFINE_STACK_OF(ENV_AGREED)

typedef struct {
	ASN1_INTEGER *version;
	ENV_SENDER *sender;
	ASN1_OCTET_STRING *ukm;
	X509_ALGOR *algorithm;
	STACK_OF(ENV_AGREED) * keys;
} ENV_AGREEMENT;

typedef struct {
	int type;
	union {
		ENV_TRANSPORT *transport;
		ENV_AGREEMENT *agreement;
		ASN1_STRING *other; /* for shared keys and passwords: not for certificates */
	} d;
} ENV_RECEIVER;
#define ENV_IS_TRANSPORT 0
#define ENV_IS_AGREEMENT 1

DEFINE_STACK_OF(ENV_RECEIVER)

typedef struct {
	ASN1_OBJECT *type;
	X509_ALGOR *cipher;
	ASN1_OCTET_STRING *octets;
	ASN1_OCTET_STRING *shared[2]; /* GM/T 0010 only */
} ENV_CONTENT;

/* Both kinds: only AuthEnvelopedData has the MAC. */
typedef struct {
	ASN1_INTEGER *version;
	ASN1_STRING *originator;
	STACK_OF(ENV_RECEIVER) * receivers;
	ENV_CONTENT *content;
	STACK_OF(X509_ATTRIBUTE) * attributes;
	ASN1_OCTET_STRING *mac;
	STACK_OF(X509_ATTRIBUTE) * unauthenticated;
} ENV_DATA;

typedef struct {
	ASN1_OBJECT *type;
	ENV_DATA *data;
} ENV_MESSAGE;

typedef struct {
	ASN1_OCTET_STRING *nonce;
	ASN1_INTEGER *tag_len;
} ENV_GCM;

DECLARE_ASN1_ITEM(ENV_MESSAGE)
DECLARE_ASN1_ITEM(ENV_GCM)

#endif
