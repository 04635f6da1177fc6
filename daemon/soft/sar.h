/* The names of the results, for people. */
#ifndef SOFT_SAR_H
#define SOFT_SAR_H

#include <stdbool.h>

#include "skf.h"

/* "SAR_PIN_LOCKED"; "SAR_?" for one that is not in annex A. */
const char *sar_name(ULONG rv);

/* A name, or a number as strtoul(3) reads it. */
bool sar_from_text(const char *text, ULONG *rv);

#endif
