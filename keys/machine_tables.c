/* machine_tables.h: every offset is checked against the bytes that are there. */
#include "keys/machine_tables.h"

#include <stdio.h>
#include <string.h>

/* RawSMBIOSData: calling method, major, minor, DMI revision, length. */
#define RAW_HEAD  8u
#define RAW_MAJOR 1u
#define RAW_MINOR 2u

/* In front of each structure: type, length of the formatted part, handle. */
#define STRUCTURE_HEAD   4u
#define TYPE_BIOS        0
#define TYPE_SYSTEM      1
#define TYPE_BASEBOARD   2
#define TYPE_END         127
#define BIOS_VENDOR      0x04u
#define BIOS_VERSION     0x05u
#define SYSTEM_UUID      0x08u
#define BASEBOARD_SERIAL 0x07u

/* STORAGE_DEVICE_DESCRIPTOR: where the offset of the serial number stands, 32 bits. */
#define STORAGE_SERIAL 24u

struct structure {
    const uint8_t *data;       /* the formatted part */
    size_t len;                /* of it */
    const char *strings, *end; /* what follows; `end` is behind the last byte that may be read */
};

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Text without what a terminal would obey; anything else is no identifier. */
static void copy_text(char dst[MACHINE_VALUE_MAX], const char *src, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len && n + 1 < MACHINE_VALUE_MAX; i++) {
        if ((unsigned char)src[i] < ' ' || (unsigned char)src[i] > '~') {
            n = 0;
            break;
        }
        dst[n++] = src[i];
    }
    dst[n] = '\0';
}

/* The string whose number stands at `offset` of the formatted part. */
static void take_string(const struct structure *s, size_t offset, char dst[MACHINE_VALUE_MAX])
{
    unsigned number = offset < s->len ? s->data[offset] : 0;
    const char *at = s->strings;

    dst[0] = '\0';
    while (number > 0 && at < s->end && *at != '\0') {
        size_t room = (size_t)(s->end - at), len = strnlen(at, room);

        if (len == room)
            return; /* cut */
        if (--number == 0)
            copy_text(dst, at, len);
        at += len + 1;
    }
}

/* Since SMBIOS 2.6 the first three fields are little endian, as in a GUID of Windows. */
static void take_uuid(const struct structure *s, bool swapped, char dst[37])
{
    static const uint8_t in_order[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    static const uint8_t guid[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    const uint8_t *order = swapped ? guid : in_order, *u = s->data + SYSTEM_UUID;
    size_t n = 0;

    if (s->len < SYSTEM_UUID + 16)
        return;
    for (size_t i = 0; i < 16; i++)
        n += (size_t)snprintf(dst + n, 37 - n, "%s%02x",
                              i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[order[i]]);
}

/* Where the strings behind the formatted part end: two zero bytes. NULL if the table is cut. */
static const uint8_t *behind_strings(const uint8_t *at, const uint8_t *end)
{
    for (; end - at >= 2; at++)
        if (at[0] == 0 && at[1] == 0)
            return at + 2;
    return NULL;
}

void machine_parse_smbios(const uint8_t *data, size_t len, struct machine_smbios *out)
{
    bool seen[3] = {false, false, false}, swapped;
    const uint8_t *at, *end;

    memset(out, 0, sizeof(*out));
    if (len < RAW_HEAD)
        return;
    swapped = data[RAW_MAJOR] > 2 || (data[RAW_MAJOR] == 2 && data[RAW_MINOR] >= 6);
    at = data + RAW_HEAD;
    if (get32(data + 4) < len - RAW_HEAD)
        len = RAW_HEAD + get32(data + 4);
    end = data + len;
    while ((size_t)(end - at) >= STRUCTURE_HEAD && at[1] >= STRUCTURE_HEAD &&
           at[1] <= (size_t)(end - at) && at[0] != TYPE_END) {
        const uint8_t *next = behind_strings(at + at[1], end);
        struct structure s = {.data = at,
                              .len = at[1],
                              .strings = (const char *)at + at[1],
                              .end = (const char *)(next != NULL ? next : end)};

        if (at[0] <= TYPE_BASEBOARD && !seen[at[0]]) {
            seen[at[0]] = true;
            if (at[0] == TYPE_BIOS) {
                take_string(&s, BIOS_VENDOR, out->bios_vendor);
                take_string(&s, BIOS_VERSION, out->bios_version);
            } else if (at[0] == TYPE_SYSTEM) {
                take_uuid(&s, swapped, out->uuid);
            } else {
                take_string(&s, BASEBOARD_SERIAL, out->board_serial);
            }
        }
        if (next == NULL)
            return;
        at = next;
    }
}

void machine_parse_storage(const uint8_t *data, size_t len, char serial[MACHINE_VALUE_MAX])
{
    size_t offset, n;

    serial[0] = '\0';
    if (len < STORAGE_SERIAL + 4)
        return;
    offset = get32(data + STORAGE_SERIAL);
    if (offset < STORAGE_SERIAL + 4 || offset >= len) /* 0 and 2^32 - 1 say that there is none */
        return;
    n = strnlen((const char *)data + offset, len - offset);
    if (n < len - offset)
        copy_text(serial, (const char *)data + offset, n);
}
