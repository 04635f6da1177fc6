/* The one thing of a JPEG's Exif data that we want. */
#ifndef DOCUMENTS_EXIF_H
#define DOCUMENTS_EXIF_H

#include "uk/buf.h"

/* 1 to 8; 1 when there is none, or none that can be read. */
unsigned exif_orientation(struct uk_span jpeg);

#endif
