/* QR codes by libqrencode. */
#ifndef PRA_SERVER_PORTAL_QR_H
#define PRA_SERVER_PORTAL_QR_H

#include <jansson.h>

/* {"size": modules a side, "path": SVG path}; NULL: too long, or no memory. New reference. */
json_t *qr_path(const char *text);

#endif
