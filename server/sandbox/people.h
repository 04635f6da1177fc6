/* Aliyun's identity checks over a population that README.md describes. */
#ifndef SANDBOX_PEOPLE_H
#define SANDBOX_PEOPLE_H

#include "http/route.h"

http_handler people_check; /* POST /identity */

#endif
