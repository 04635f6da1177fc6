/*
 * Faults on demand, of this software UKEY only: lines in the UKEY's file "fault", as
 * `ukey soft set-fault` writes them.
 *
 *	SKF_ECCSignData 2 error 0x0A000001
 *	SKF_ECCSignData 1 block 5000
 *	SKF_VerifyPIN 3 crash
 *
 * The number is that of the call of the function in a process since the file was written.
 */
#ifndef SOFT_FAULT_H
#define SOFT_FAULT_H

#include "soft/disk.h"

#define FAULT_FILE     "fault"
#define FAULTS_MAX     16
#define FAULT_FILE_MAX 4096
#define FAULT_NAME_MAX 48

enum fault_kind {
	FAULT_NONE,
	FAULT_ERROR,
	FAULT_BLOCK,
	FAULT_CRASH,
	FAULT__MAX
};

struct fault {
	char function[FAULT_NAME_MAX];
	uint32_t nth; /* 1: the first */
	enum fault_kind kind;
	uint32_t value; /* SAR_*, or milliseconds */
	uint32_t seen;
};

struct faults {
	struct stamp stamp;
	size_t n;
	struct fault all[FAULTS_MAX];
};

/* One line without its end; false: not one. */
bool fault_read(struct uk_span line, struct fault *f);
void fault_print(const struct fault *f, struct uk_buf *out);

/* Is there such a function? */
bool fault_function_ok(const char *name);

/* What this call of the function is to suffer. */
struct fault fault_next(struct faults *f, const struct disk *d, const char *function);

#endif
