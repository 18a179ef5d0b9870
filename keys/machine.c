/*
 * What all systems share about machine identifiers: their names, how a raw value becomes a
 * normalised one, which values are placeholders of careless vendors, and how private ones become
 * HMACs. Reading a host is machine_linux.c and machine_win.c.
 */
#include "keys/machine.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto.h"
#include "common/i18n.h"
#include "common/utf8.h"
#include "keys/machine_source.h"
#include "keys/text.h"

static const struct {
    const char *name;
    bool strong, unique, strict;
} ids[MACHINE_ID_COUNT] = {
#define X(id, name, strong, unique, strict) {name, strong, unique, strict},
    MACHINE_ID_MAP(X)
#undef X
};

const char *machine_id_name(enum machine_id id)
{
    return ids[id].name;
}

bool machine_id_strong(enum machine_id id)
{
    return ids[id].strong;
}

bool machine_id_unique(enum machine_id id)
{
    return ids[id].unique;
}

bool machine_id_strict(enum machine_id id)
{
    return ids[id].strict;
}

bool machine_id_private(enum machine_id id)
{
    return id == MACHINE_SMBIOS_UUID || id == MACHINE_BOARD_SERIAL || id == MACHINE_DISK_SERIAL;
}

const char *machine_id_label(enum machine_id id)
{
    switch (id) {
    case MACHINE_SMBIOS_UUID:
        return tr("SMBIOS UUID", "SMBIOS UUID");
    case MACHINE_BOARD_SERIAL:
        return tr("board serial", "マザーボードのシリアル番号");
    case MACHINE_DISK_SERIAL:
        return tr("disk serial", "ディスクのシリアル番号");
    case MACHINE_VOLUME_ID:
        return tr("volume id", "ボリュームシリアル");
    case MACHINE_OS_ID:
        return tr("OS installation", "OS のインストール ID");
    case MACHINE_COMPUTER_NAME:
        return tr("computer name", "コンピュータ名");
    case MACHINE_CPU_MODEL:
        return tr("CPU model", "CPU 情報");
    case MACHINE_MAC:
        return tr("MAC address", "MAC アドレス");
    case MACHINE_USER_NAME:
        return tr("user name", "ユーザ名");
    case MACHINE_BIOS_VERSION:
        return tr("BIOS version", "BIOS 情報");
    case MACHINE_OS_BUILD:
        return tr("OS version", "OS のバージョン");
    case MACHINE_PRODUCT_ID:
        return tr("product id", "製品 ID");
    case MACHINE_ID_COUNT:
        break;
    }
    return "?";
}

/* What vendors leave in when they fill in nothing; compared after normalising. */
static const char *const placeholders[] = {
    "TO BE FILLED BY O.E.M.",
    "TO BE FILLED BY O.E.M",
    "TO BE FILLED BY OEM",
    "DEFAULT STRING",
    "DEFAULT",
    "NOT SPECIFIED",
    "NOT SETTABLE",
    "NOT APPLICABLE",
    "NOT AVAILABLE",
    "NOT PRESENT",
    "NONE",
    "(NONE)",
    "NULL",
    "N/A",
    "NA",
    "EMPTY",
    "UNKNOWN",
    "UNDEFINED",
    "INVALID",
    "OEM",
    "O.E.M.",
    "SERIAL",
    "SERNUM",
    "SERIAL NUMBER",
    "SYSTEM SERIAL NUMBER",
    "BASE BOARD SERIAL NUMBER",
    "BASEBOARD SERIAL NUMBER",
    "BOARD SERIAL NUMBER",
    "MB-1234567890",
    "ABCDEFGHIJ",
    "0123456789ABCDEF",
    "0123456789",
    "1234567890",
    "123456789",
    "12345678",
    "UNINITIALIZED",
    "LOCALHOST",
    /* UUIDs that whole production runs share: a counting pattern in both byte orders, and an empty
     * service tag. */
    "03000200040005000006000700080009",
    "00020003000400050006000700080009",
    "11111111222233334444555555555555",
    "12345678123412341234123456789ABC",
    "4C4C454400002010802080C04F202020",
    /* Addresses that programs hand out when they know none. */
    "020000000000",
    "001122334455",
};

/* Values that emulators number from the same start everywhere. */
static const char *const placeholder_prefixes[] = {"QM0000", "DRIVE-SCSI", "DRIVE-VIRTIO"};

static bool is_placeholder(const char *value)
{
    char seen = '\0';
    bool varied = false;

    for (const char *p = value; *p != '\0'; p++) {
        if (strchr(" -_.:/", *p) != NULL) {
            continue;
        }
        varied = varied || (seen != '\0' && *p != seen);
        seen = *p;
    }
    if (!varied) { /* empty, separators, or one character over and over: 0000, FFFF, XXXX */
        return true;
    }
    for (size_t i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++) {
        if (strcmp(value, placeholders[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(placeholder_prefixes) / sizeof(placeholder_prefixes[0]); i++) {
        if (strncmp(value, placeholder_prefixes[i], strlen(placeholder_prefixes[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Written with separators in many ways: only the digits count. */
static bool is_digits_only(enum machine_id id)
{
    return id == MACHINE_SMBIOS_UUID || id == MACHINE_VOLUME_ID || id == MACHINE_OS_ID ||
           id == MACHINE_MAC;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

bool machine_normalise(enum machine_id id, const char *raw, char dst[MACHINE_VALUE_MAX])
{
    size_t n = 0;
    bool blank = false;

    for (const char *p = raw; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;

        if (is_digits_only(id) && strchr("-:.{}", c) != NULL) {
            continue;
        }
        if (id == MACHINE_COMPUTER_NAME && c == '.') {
            break; /* the domain comes and goes with the network */
        }
        if (c <= ' ' || c == 0x7f) {
            blank = n > 0;
            continue;
        }
        if (n + (blank ? 2 : 1) >= MACHINE_VALUE_MAX) {
            break;
        }
        if (blank) {
            dst[n++] = ' ';
            blank = false;
        }
        dst[n++] = upper(*p);
    }
    dst[n] = '\0';
    if (is_placeholder(dst)) {
        crypto_wipe(dst, MACHINE_VALUE_MAX);
        return false;
    }
    return true;
}

void machine_set(struct machine *m, enum machine_id id, const char *raw)
{
    m->source[id] = machine_normalise(id, raw, m->value[id]) ? MACHINE_DIRECT : MACHINE_ABSENT;
    if (id == MACHINE_COMPUTER_NAME && text_is_plain(raw, strlen(raw))) {
        size_t len = utf8_trim(raw, strnlen(raw, MACHINE_COMPUTER_MAX));

        memcpy(m->computer, raw, len);
        m->computer[len] = '\0';
    }
}

int machine_hmac(enum machine_id id, const char *value, const uint8_t salt[MACHINE_SALT_LEN],
                 char dst[MACHINE_VALUE_MAX])
{
    char message[64 + MACHINE_VALUE_MAX];
    uint8_t mac[CRYPTO_SHA256_LEN];
    int n =
        snprintf(message, sizeof(message), "pra identifier v1:%s:%s", machine_id_name(id), value);
    int rc = crypto_hmac(salt, MACHINE_SALT_LEN, message, (size_t)n, mac);

    if (rc == 0) {
        crypto_hex_encode(mac, sizeof(mac), dst);
    }
    crypto_wipe(message, sizeof(message));
    return rc;
}

/* Turns the private values that were read here into HMACs, in place. */
static int protect_private(struct machine *m)
{
    for (int id = 0; id < MACHINE_ID_COUNT; id++) {
        char mac[MACHINE_VALUE_MAX];

        if (machine_id_private(id) && m->source[id] == MACHINE_DIRECT) {
            int rc = machine_hmac(id, m->value[id], m->salt, mac);

            if (rc != 0) {
                return rc;
            }
            memcpy(m->value[id], mac, sizeof(mac));
        }
    }
    return 0;
}

static int collect(struct machine *m, struct fault *f)
{
#ifdef PRA_TEST_PROVIDER
    int rc = machine_test_collect(m, f);

    if (rc != PRA_ENOENT) {
        return rc;
    }
#else
    (void)f;
#endif
    machine_collect_host(m);
    return 0;
}

int machine_read(const uint8_t salt[MACHINE_SALT_LEN], struct machine *out, struct fault *f)
{
    struct machine m;
    int rc;

    memset(&m, 0, sizeof(m));
    memcpy(m.salt, salt, sizeof(m.salt));
    rc = collect(&m, f);
    if (rc == 0) {
        rc = protect_private(&m);
        if (rc != 0) {
            fault_set(f, rc, "the crypto library failed on a machine identifier");
        }
    }
    if (rc == 0) {
        *out = m;
    }
    machine_wipe(&m);
    return rc;
}

void machine_wipe(struct machine *m)
{
    crypto_wipe(m, sizeof(*m));
}

/* Is this identifier what the tag tells the machine by? */
static bool in_tag(const struct machine *m, enum machine_id id)
{
    if (id == MACHINE_MAC) {
        for (int other = 0; other < MACHINE_ID_COUNT; other++) {
            if (other != MACHINE_MAC && machine_id_unique(other) && m->value[other][0] != '\0') {
                return false;
            }
        }
    }
    return machine_id_strong(id) || machine_id_unique(id);
}

int machine_tag(const struct machine *m, char dst[17])
{
    char text[MACHINE_ID_COUNT * MACHINE_VALUE_MAX + 32];
    uint8_t mac[CRYPTO_SHA256_LEN];
    size_t n = (size_t)snprintf(text, sizeof(text), "pra machine tag v1");
    int rc;

    for (int id = 0; id < MACHINE_ID_COUNT; id++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, ":%s", in_tag(m, id) ? m->value[id] : "");
    }
    rc = crypto_hmac(m->salt, sizeof(m->salt), text, n, mac);
    if (rc == 0) {
        crypto_hex_encode(mac, 8, dst);
    }
    crypto_wipe(text, sizeof(text));
    return rc;
}
