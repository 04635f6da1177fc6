/*
 * A PKCS#11 module that passes every call on to another module and spoils those it is told to.
 *
 *	UKEY_FAULT_MODULE  the module behind
 *	UKEY_FAULT_CONF    SOFTHSM2_CONF for it
 *	UKEY_FAULT_FILE    rules, one per line, read again at each call; a change of the file
 *	                   starts the counting anew:
 *
 *	C_Sign:2=CKR_DEVICE_REMOVED      the second call fails
 *	C_Sign:2+=CKR_DEVICE_REMOVED     and all later ones
 *	C_Sign:1=hang | crash | delay:MS
 *	C_Sign:1=pull | pull-after       the key is pulled in the call, before or after the token
 *	                                 has done it, and stays out until the file changes
 *	C_Sign:1=length:N                the length or count that comes back is N
 *	C_GetTokenInfo:1+=flags:N        flags are added
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#define RULES_MAX 16

enum what {
	FAULT_NONE,
	FAULT_RV,
	FAULT_HANG,
	FAULT_CRASH,
	FAULT_DELAY,
	FAULT_LENGTH,
	FAULT_FLAGS,
	FAULT_PULL,
	FAULT_PULL_AFTER,
};

struct rule {
	char function[40];
	unsigned long from;
	bool sticky;
	enum what what;
	unsigned long value;
	unsigned long seen;
};

struct name {
	const char *name;
	enum what what;
	unsigned long value;
};

static const struct name names[] = {
	{ "hang", FAULT_HANG, 0 },
	{ "crash", FAULT_CRASH, 0 },
	{ "pull", FAULT_PULL, 0 },
	{ "pull-after", FAULT_PULL_AFTER, 0 },
	{ "CKR_GENERAL_ERROR", FAULT_RV, CKR_GENERAL_ERROR },
	{ "CKR_DEVICE_ERROR", FAULT_RV, CKR_DEVICE_ERROR },
	{ "CKR_DEVICE_REMOVED", FAULT_RV, CKR_DEVICE_REMOVED },
	{ "CKR_DEVICE_MEMORY", FAULT_RV, CKR_DEVICE_MEMORY },
	{ "CKR_TOKEN_NOT_PRESENT", FAULT_RV, CKR_TOKEN_NOT_PRESENT },
	{ "CKR_SESSION_HANDLE_INVALID", FAULT_RV, CKR_SESSION_HANDLE_INVALID },
	{ "CKR_KEY_HANDLE_INVALID", FAULT_RV, CKR_KEY_HANDLE_INVALID },
	{ "CKR_PIN_INCORRECT", FAULT_RV, CKR_PIN_INCORRECT },
	{ "CKR_PIN_LOCKED", FAULT_RV, CKR_PIN_LOCKED },
	{ "CKR_PIN_INVALID", FAULT_RV, CKR_PIN_INVALID },
	{ "CKR_USER_NOT_LOGGED_IN", FAULT_RV, CKR_USER_NOT_LOGGED_IN },
};

/* PKCS#11 hands no context to a module, so the state has to be here. */
static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST ours;
static struct rule rules[RULES_MAX];
static size_t n_rules;
static char rules_text[1024];
static bool pulled;

static bool
parse_what(struct rule *r, const char *s)
{
	static const struct name numbers[] = { { "delay:", FAULT_DELAY, 0 },
		{ "length:", FAULT_LENGTH, 0 }, { "flags:", FAULT_FLAGS, 0 } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(s, names[i].name) == 0) {
			r->what = names[i].what;
			r->value = names[i].value;
			return true;
		}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const size_t n = strlen(numbers[i].name);

		if (strncmp(s, numbers[i].name, n) == 0) {
			r->what = numbers[i].what;
			r->value = strtoul(s + n, NULL, 0);
			return true;
		}
	}
	return false;
}

static void
parse(char *text)
{
	char *rest = text, *line;

	n_rules = 0;
	while ((line = strsep(&rest, "\n")) != NULL && n_rules < RULES_MAX) {
		struct rule r = { .what = FAULT_NONE };
		char plus[2] = "", what[64] = "";

		if (line[0] == '\0')
			continue;
		if ((sscanf(line, "%39[^:]:%lu%1[+]=%63s", r.function, &r.from, plus, what) != 4 &&
			sscanf(line, "%39[^:]:%lu=%63s", r.function, &r.from, what) != 3) ||
		    !parse_what(&r, what)) {
			(void)fprintf(stderr, "fault-pkcs11: bad rule: %s\n", line);
			abort();
		}
		r.sticky = plus[0] == '+';
		rules[n_rules++] = r;
	}
}

static void
read_rules(void)
{
	const char *path = getenv("UKEY_FAULT_FILE");
	FILE *f = path != NULL ? fopen(path, "re") : NULL;
	char text[sizeof(rules_text)] = "";

	if (f != NULL) {
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		(void)fclose(f);
	}
	if (strcmp(text, rules_text) == 0)
		return;
	memcpy(rules_text, text, sizeof(text));
	parse(text);
	pulled = false;
}

/* Without power a token forgets its sessions and who was logged in. */
static void
pull(void)
{
	CK_SLOT_ID slots[64];
	CK_ULONG n = 64;

	pulled = true;
	if (real->C_GetSlotList(CK_TRUE, slots, &n) != CKR_OK)
		return;
	for (CK_ULONG i = 0; i < n; i++)
		(void)real->C_CloseAllSessions(slots[i]);
}

static CK_RV
done(const struct rule *r, CK_RV rv)
{
	if (r->what != FAULT_PULL_AFTER)
		return rv;
	pull();
	return CKR_DEVICE_REMOVED;
}

/* The rule that strikes now, after what it does to the process. */
static struct rule
strike(const char *function)
{
	struct rule hit = { .what = FAULT_NONE };

	read_rules();
	if (pulled && strcmp(function, "C_GetSlotList") != 0)
		return (struct rule){ .what = FAULT_RV,
			.value = strcmp(function, "C_GetTokenInfo") == 0 ? CKR_TOKEN_NOT_PRESENT
									 : CKR_DEVICE_REMOVED };
	for (size_t i = 0; i < n_rules; i++) {
		struct rule *r = &rules[i];

		if (strcmp(r->function, function) != 0)
			continue;
		r->seen++;
		if (r->seen == r->from || (r->sticky && r->seen > r->from))
			hit = *r;
	}
	if (hit.what == FAULT_CRASH)
		_exit(139);
	if (hit.what == FAULT_PULL) {
		pull();
		hit = (struct rule){ .what = FAULT_RV, .value = CKR_DEVICE_REMOVED };
	}
	while (hit.what == FAULT_HANG)
		(void)sleep(3600);
	if (hit.what == FAULT_DELAY)
		(void)usleep((useconds_t)hit.value * 1000);
	return hit;
}

static CK_RV
fault_C_GetSlotList(CK_BBOOL present, CK_SLOT_ID_PTR list, CK_ULONG_PTR n)
{
	const struct rule r = strike("C_GetSlotList");
	const CK_RV rv = r.what == FAULT_RV ? r.value : real->C_GetSlotList(present, list, n);

	if (r.what == FAULT_LENGTH)
		*n = r.value;
	return rv;
}

static CK_RV
fault_C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
	const struct rule r = strike("C_GetTokenInfo");
	const CK_RV rv = r.what == FAULT_RV ? r.value : real->C_GetTokenInfo(slot, info);

	if (r.what == FAULT_FLAGS)
		info->flags |= r.value;
	return rv;
}

static CK_RV
fault_C_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR app, CK_NOTIFY notify,
    CK_SESSION_HANDLE_PTR session)
{
	const struct rule r = strike("C_OpenSession");

	return r.what == FAULT_RV ? r.value
				  : real->C_OpenSession(slot, flags, app, notify, session);
}

static CK_RV
fault_C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE who, CK_UTF8CHAR_PTR pin, CK_ULONG n)
{
	const struct rule r = strike("C_Login");

	return done(&r, r.what == FAULT_RV ? r.value : real->C_Login(session, who, pin, n));
}

static CK_RV
fault_C_InitPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR pin, CK_ULONG n)
{
	const struct rule r = strike("C_InitPIN");

	return done(&r, r.what == FAULT_RV ? r.value : real->C_InitPIN(session, pin, n));
}

static CK_RV
fault_C_SetPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR old, CK_ULONG n_old, CK_UTF8CHAR_PTR new,
    CK_ULONG n_new)
{
	const struct rule r = strike("C_SetPIN");

	return done(
	    &r, r.what == FAULT_RV ? r.value : real->C_SetPIN(session, old, n_old, new, n_new));
}

static CK_RV
fault_C_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR how, CK_OBJECT_HANDLE key)
{
	const struct rule r = strike("C_SignInit");

	return r.what == FAULT_RV ? r.value : real->C_SignInit(session, how, key);
}

static CK_RV
fault_C_Sign(
    CK_SESSION_HANDLE session, CK_BYTE_PTR in, CK_ULONG n_in, CK_BYTE_PTR out, CK_ULONG_PTR n)
{
	const struct rule r = strike("C_Sign");
	const CK_RV rv = r.what == FAULT_RV ? r.value : real->C_Sign(session, in, n_in, out, n);

	if (r.what == FAULT_LENGTH)
		*n = r.value;
	return done(&r, rv);
}

static CK_RV
fault_C_GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM_PTR how, CK_ATTRIBUTE_PTR public,
    CK_ULONG n_public, CK_ATTRIBUTE_PTR private, CK_ULONG n_private, CK_OBJECT_HANDLE_PTR a,
    CK_OBJECT_HANDLE_PTR b)
{
	const struct rule r = strike("C_GenerateKeyPair");

	return done(&r, r.what == FAULT_RV ? r.value
					   : real->C_GenerateKeyPair(session, how, public, n_public,
						 private, n_private, a, b));
}

static CK_RV
fault_C_CreateObject(
    CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR t, CK_ULONG n, CK_OBJECT_HANDLE_PTR out)
{
	const struct rule r = strike("C_CreateObject");

	return done(&r, r.what == FAULT_RV ? r.value : real->C_CreateObject(session, t, n, out));
}

static CK_RV
fault_C_DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE h)
{
	const struct rule r = strike("C_DestroyObject");

	return done(&r, r.what == FAULT_RV ? r.value : real->C_DestroyObject(session, h));
}

static CK_RV
fault_C_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR t, CK_ULONG n)
{
	const struct rule r = strike("C_FindObjectsInit");

	return r.what == FAULT_RV ? r.value : real->C_FindObjectsInit(session, t, n);
}

static CK_RV
fault_C_GetAttributeValue(
    CK_SESSION_HANDLE session, CK_OBJECT_HANDLE h, CK_ATTRIBUTE_PTR t, CK_ULONG n)
{
	const struct rule r = strike("C_GetAttributeValue");
	const CK_RV rv = r.what == FAULT_RV ? r.value : real->C_GetAttributeValue(session, h, t, n);

	if (r.what == FAULT_LENGTH)
		t->ulValueLen = r.value;
	return rv;
}

static CK_RV
fault_C_FindObjects(
    CK_SESSION_HANDLE session, CK_OBJECT_HANDLE_PTR out, CK_ULONG max, CK_ULONG_PTR n)
{
	const struct rule r = strike("C_FindObjects");
	const CK_RV rv = r.what == FAULT_RV ? r.value : real->C_FindObjects(session, out, max, n);

	if (r.what == FAULT_LENGTH)
		*n = r.value;
	return rv;
}

static CK_RV
load(void)
{
	const char *path = getenv("UKEY_FAULT_MODULE");
	const char *conf = getenv("UKEY_FAULT_CONF");
	void *module = path != NULL ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	CK_C_GetFunctionList list = NULL;
	void *symbol;

	if (module == NULL)
		return CKR_GENERAL_ERROR;
	if (conf != NULL)
		(void)setenv("SOFTHSM2_CONF", conf, 1);
	/* Like a module of smart cards: its slots' descriptions are then names of readers. */
	if (getenv("UKEY_FAULT_READERS") != NULL && dlopen("libpcsclite.so.1", RTLD_NOW) == NULL)
		return CKR_GENERAL_ERROR;
	symbol = dlsym(module, "C_GetFunctionList");
	memcpy(&list, &symbol, sizeof(list));
	return list != NULL ? list(&real) : CKR_GENERAL_ERROR;
}

__attribute__((visibility("default"))) CK_RV
C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR out)
{
	const CK_RV rv = real == NULL ? load() : CKR_OK;

	if (rv != CKR_OK)
		return rv;
	ours = *real;
	ours.C_GetFunctionList = C_GetFunctionList;
	ours.C_GetSlotList = fault_C_GetSlotList;
	ours.C_GetTokenInfo = fault_C_GetTokenInfo;
	ours.C_OpenSession = fault_C_OpenSession;
	ours.C_Login = fault_C_Login;
	ours.C_InitPIN = fault_C_InitPIN;
	ours.C_SetPIN = fault_C_SetPIN;
	ours.C_SignInit = fault_C_SignInit;
	ours.C_Sign = fault_C_Sign;
	ours.C_GenerateKeyPair = fault_C_GenerateKeyPair;
	ours.C_CreateObject = fault_C_CreateObject;
	ours.C_DestroyObject = fault_C_DestroyObject;
	ours.C_FindObjectsInit = fault_C_FindObjectsInit;
	ours.C_GetAttributeValue = fault_C_GetAttributeValue;
	ours.C_FindObjects = fault_C_FindObjects;
	*out = &ours;
	return CKR_OK;
}
