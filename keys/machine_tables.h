/*
 * Readers of tables that firmware and drivers give: bytes in, text out, nothing else. They are the
 * same on every system; Windows hands the tables over raw (machine_win.c).
 */
#ifndef PRA_KEYS_MACHINE_TABLES_H
#define PRA_KEYS_MACHINE_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "keys/machine.h"

struct machine_smbios {
    char uuid[37]; /* "" = none, as everything here */
    char board_serial[MACHINE_VALUE_MAX];
    char bios_vendor[MACHINE_VALUE_MAX], bios_version[MACHINE_VALUE_MAX];
};

/*
 * What GetSystemFirmwareTable('RSMB') gives: RawSMBIOSData of 8 bytes (versions, length) and the
 * structures behind it (SMBIOS 3.x, 6.1). Of each kind the first structure counts. A table that is cut
 * or malformed gives what stood before the damage.
 */
void machine_parse_smbios(const uint8_t *data, size_t len, struct machine_smbios *out);

/*
 * The serial number in a STORAGE_DEVICE_DESCRIPTOR (IOCTL_STORAGE_QUERY_PROPERTY). "" if there is
 * none, or if it is not text.
 */
void machine_parse_storage(const uint8_t *data, size_t len, char serial[MACHINE_VALUE_MAX]);

#endif
