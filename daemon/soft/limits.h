/* How much one call takes. */
#ifndef SOFT_LIMITS_H
#define SOFT_LIMITS_H

#define BUFFER_MAX     (16u * 1024u * 1024u) /* of a symmetric cipher */
#define ECC_BUFFER_MAX (64u * 1024u)         /* of SKF_ExtECCEncrypt */
#define RANDOM_MAX     (1024u * 1024u)
#define ID_MAX         8191u /* Z has 16 bits for its length in bits */

#endif
