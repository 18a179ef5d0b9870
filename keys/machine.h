/*
 * What identifies this machine: the identifiers of "Machine binding" in normalised form.
 *
 * Missing and placeholder values are left out. SMBIOS UUID, board serial and disk serial are
 * "private": on most systems only root can read them. They never leave machine_read() as such but
 * as HMAC(key-file salt, value), whether this process could read them or the root helper did, so
 * that both ways give the same binding; nothing is cached. machine_linux.c and
 * machine_win.c read a host; builds with PRA_TEST_PROVIDER read a whole machine
 * from the file named by PRA_TEST_MACHINE instead, release builds do not hold that code.
 */
#ifndef PRA_KEYS_MACHINE_H
#define PRA_KEYS_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* Name, JSON name, strong (names one installation), unique to the hardware, strict mode only. */
#define MACHINE_ID_MAP(X)                                                                          \
    X(MACHINE_SMBIOS_UUID, "smbios_uuid", 1, 1, 0)                                                 \
    X(MACHINE_BOARD_SERIAL, "board_serial", 1, 1, 0)                                               \
    X(MACHINE_DISK_SERIAL, "disk_serial", 1, 1, 0)                                                 \
    X(MACHINE_VOLUME_ID, "volume_id", 0, 0, 0)                                                     \
    X(MACHINE_OS_ID, "machine_id", 1, 0, 0)                                                        \
    X(MACHINE_COMPUTER_NAME, "computer_name", 0, 0, 0)                                             \
    X(MACHINE_CPU_MODEL, "cpu_model", 0, 0, 0)                                                     \
    X(MACHINE_MAC, "mac", 0, 1, 0)                                                                 \
    X(MACHINE_USER_NAME, "user_name", 0, 0, 1)                                                     \
    X(MACHINE_BIOS_VERSION, "bios_version", 0, 0, 1)                                               \
    X(MACHINE_OS_BUILD, "os_build", 0, 0, 1)                                                       \
    X(MACHINE_PRODUCT_ID, "product_id", 0, 0, 1)

enum machine_id {
#define X(id, name, strong, unique, strict) id,
    MACHINE_ID_MAP(X)
#undef X
        MACHINE_ID_COUNT
};

#define MACHINE_VALUE_MAX    128
#define MACHINE_SALT_LEN     16
#define MACHINE_COMPUTER_MAX 64

enum machine_source {
    MACHINE_ABSENT = 0, /* the machine has no usable value */
    MACHINE_DIRECT,     /* read by this process */
    MACHINE_HELPER,     /* read by the root helper */
    MACHINE_HIDDEN      /* exists but could not be read (no helper; disk behind encryption) */
};

struct machine {
    enum machine_source source[MACHINE_ID_COUNT];
    /* Normalised; of a private identifier 64 hexadecimal digits; "" unless direct or helper. */
    char value[MACHINE_ID_COUNT][MACHINE_VALUE_MAX];
    uint8_t salt[MACHINE_SALT_LEN];          /* that it was read with */
    char computer[MACHINE_COMPUTER_MAX + 1]; /* its name for people, as written; "" if none */
};

/*
 * Reads this machine. `salt` is the key file's. Never fails for a value that is missing; returns
 * 0, PRA_ECRYPTO, or PRA_EIO/PRA_EINVAL when a test provider's file is bad. May wait up to
 * KEYHELPER_TIMEOUT_MS (busy: KEYHELPER_RETRY_MS more) for the root helper: call it off the event
 * loop. Wipe with machine_wipe().
 */
int machine_read(const uint8_t salt[MACHINE_SALT_LEN], struct machine *out, struct fault *f);
void machine_wipe(struct machine *m);

/* JSON name of an identifier, and words for people in the current language. */
const char *machine_id_name(enum machine_id id);
const char *machine_id_label(enum machine_id id);
bool machine_id_strong(enum machine_id id);
bool machine_id_unique(enum machine_id id);
/* Takes part in strict mode only. */
bool machine_id_strict(enum machine_id id);
/* Handled as an HMAC only (see above). */
bool machine_id_private(enum machine_id id);

/*
 * Normalises a raw value into `dst` (trim, fold inner blanks, upper case, separators of UUIDs and
 * MACs dropped). Returns false for a placeholder ("To be filled by O.E.M.", all zeros, ...).
 */
bool machine_normalise(enum machine_id id, const char *raw, char dst[MACHINE_VALUE_MAX]);

/*
 * A tag of this machine for the gateway's display and clone detection: 16 hex digits, keyed by the
 * key file's salt and so not reversible without that file. Made of every identifier that is strong
 * or unique to the hardware: the same key on a clone gives another tag, and so does the same PC
 * after one of these changed. The network card's counts only where nothing else is unique to the
 * hardware: it goes with the dock, while the gateway still holds the connection that went with it.
 * Returns 0, PRA_ECRYPTO.
 */
int machine_tag(const struct machine *m, char dst[17]);

#endif
