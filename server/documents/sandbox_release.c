#include "documents/sandbox.h"

/* 40 megapixels as RGBA and as RGB, a progressive JPEG's coefficients, and the result. */
const rlim_t sandbox_address_space = (rlim_t)768 * 1024 * 1024;
const int sandbox_more_calls[] = { -1 };
const size_t sandbox_more_calls_n = 0;
