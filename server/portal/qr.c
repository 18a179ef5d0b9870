/*
 * The otpauth URI of a new secret as a QR code, so that no secret goes to a picture service: a path
 * for SVG, one unit square a module.
 */
#include "server/portal/qr.h"

#include <stdio.h>
#include <string.h>

#include <qrencode.h>

#include "common/buf.h"

json_t *qr_path(const char *text)
{
    QRcode *qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    json_t *result = NULL;
    struct buf path;
    int rc = 0;

    if (qr == NULL)
        return NULL;
    buf_init(&path, 256 * 1024);
    for (int y = 0; y < qr->width; y++) {
        for (int x = 0; x < qr->width; x++) {
            char square[40];
            int len;

            if ((qr->data[y * qr->width + x] & 1) == 0)
                continue;
            len = snprintf(square, sizeof(square), "M%d %dh1v1h-1z", x, y);
            rc = rc != 0 ? rc : buf_append(&path, square, (size_t)len);
        }
    }
    if (rc == 0)
        result = json_pack("{s:i, s:s%}", "size", qr->width, "path", (const char *)buf_head(&path),
                           path.len);
    buf_free(&path);
    QRcode_free(qr);
    return result;
}
