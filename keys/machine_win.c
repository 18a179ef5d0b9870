/*
 * Reads a Windows host: the SMBIOS table, the registry, the disk and the volume that Windows starts
 * from, the first network card that is hardware. An ordinary user may read all of it.
 */
#include "keys/machine_source.h"

#include <iphlpapi.h>
#include <netioapi.h>
#include <winioctl.h>

#include "common/crypto.h"
#include "common/posix_win.h"
#include "keys/machine_tables.h"

#define SMBIOS_MAX     (1024u * 1024)
#define RSMB           0x52534d42u
#define DESCRIPTOR_MAX 4096u
#define EXTENTS_MAX    32u
#define MAC_LEN        6u

/* --- SMBIOS --------------------------------------------------------------------------------- */

static void read_smbios(struct machine *m)
{
    UINT len = GetSystemFirmwareTable(RSMB, 0, NULL, 0);
    uint8_t *data = len > 0 && len <= SMBIOS_MAX ? malloc(len) : NULL;
    char bios[2 * MACHINE_VALUE_MAX];
    struct machine_smbios s;
    UINT got;

    if (data == NULL)
        return;
    got = GetSystemFirmwareTable(RSMB, 0, data, len);
    if (got > 0 && got <= len) {
        machine_parse_smbios(data, got, &s);
        machine_set(m, MACHINE_SMBIOS_UUID, s.uuid);
        machine_set(m, MACHINE_BOARD_SERIAL, s.board_serial);
        (void)snprintf(bios, sizeof(bios), "%s%s%s", s.bios_vendor,
                       s.bios_vendor[0] != '\0' ? " " : "", s.bios_version);
        machine_set(m, MACHINE_BIOS_VERSION, bios);
        crypto_wipe(&s, sizeof(s));
    }
    crypto_wipe(data, len);
    free(data);
}

/* --- the registry and names ------------------------------------------------------------------ */

static void read_registry(struct machine *m, enum machine_id id, const wchar_t *key,
                          const wchar_t *name)
{
    wchar_t wide[MACHINE_VALUE_MAX];
    char text[MACHINE_VALUE_MAX * 3];
    DWORD len = sizeof(wide);

    if (RegGetValueW(HKEY_LOCAL_MACHINE, key, name, RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY, NULL,
                     wide, &len) == ERROR_SUCCESS &&
        win_utf8(wide, text, sizeof(text)))
        machine_set(m, id, text);
}

static void read_names(struct machine *m)
{
    char text[1024];
    wchar_t wide[257];
    DWORD n = sizeof(wide) / sizeof(wide[0]);
    struct utsname u;

    if (gethostname(text, sizeof(text)) == 0)
        machine_set(m, MACHINE_COMPUTER_NAME, text);
    if (GetUserNameW(wide, &n) && win_utf8(wide, text, sizeof(text)))
        machine_set(m, MACHINE_USER_NAME, text);
    if (uname(&u) == 0)
        machine_set(m, MACHINE_OS_BUILD, u.release);
}

/* --- disk and volume ------------------------------------------------------------------------- */

/* "C:" of the folder that Windows is in. */
static bool system_drive(wchar_t dst[3])
{
    wchar_t folder[MAX_PATH];
    UINT n = GetSystemWindowsDirectoryW(folder, MAX_PATH);

    if (n < 2 || n >= MAX_PATH || folder[1] != L':')
        return false;
    memcpy(dst, folder, 2 * sizeof(wchar_t));
    dst[2] = L'\0';
    return true;
}

static void read_volume(struct machine *m, const wchar_t drive[3])
{
    wchar_t root[8];
    char text[16];
    DWORD serial = 0;

    (void)_snwprintf(root, 8, L"%ls\\", drive);
    if (!GetVolumeInformationW(root, NULL, 0, &serial, NULL, NULL, NULL, 0))
        return;
    (void)snprintf(text, sizeof(text), "%08lX", (unsigned long)serial);
    machine_set(m, MACHINE_VOLUME_ID, text);
}

/* A device opened for questions only, which needs no rights. */
static HANDLE open_device(const wchar_t *name)
{
    return CreateFileW(name, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
}

/* The disks that a volume lies on; more than one below a spanned volume. */
static DWORD disks_of(const wchar_t drive[3], DWORD numbers[EXTENTS_MAX])
{
    union {
        VOLUME_DISK_EXTENTS all;
        uint8_t room[sizeof(VOLUME_DISK_EXTENTS) + EXTENTS_MAX * sizeof(DISK_EXTENT)];
    } e;
    wchar_t name[8];
    DWORD len, count = 0;
    HANDLE volume;

    (void)_snwprintf(name, 8, L"\\\\.\\%ls", drive);
    volume = open_device(name);
    if (volume == INVALID_HANDLE_VALUE)
        return 0;
    if (DeviceIoControl(volume, IOCTL_VOLUME_GET_VOLUME_DISK_EXTENTS, NULL, 0, &e, sizeof(e), &len,
                        NULL))
        for (; count < e.all.NumberOfDiskExtents && count < EXTENTS_MAX; count++)
            numbers[count] = e.all.Extents[count].DiskNumber;
    CloseHandle(volume);
    return count;
}

static enum machine_source serial_of(DWORD number, char serial[MACHINE_VALUE_MAX])
{
    STORAGE_PROPERTY_QUERY query = {.PropertyId = StorageDeviceProperty,
                                    .QueryType = PropertyStandardQuery};
    uint8_t data[DESCRIPTOR_MAX];
    wchar_t name[32];
    DWORD len = 0, error = ERROR_SUCCESS;
    HANDLE disk;

    serial[0] = '\0';
    (void)_snwprintf(name, 32, L"\\\\.\\PhysicalDrive%lu", (unsigned long)number);
    disk = open_device(name);
    if (disk == INVALID_HANDLE_VALUE)
        return GetLastError() == ERROR_ACCESS_DENIED ? MACHINE_HIDDEN : MACHINE_ABSENT;
    if (DeviceIoControl(disk, IOCTL_STORAGE_QUERY_PROPERTY, &query, sizeof(query), data,
                        sizeof(data), &len, NULL))
        machine_parse_storage(data, len, serial);
    else
        error = GetLastError();
    CloseHandle(disk);
    crypto_wipe(data, sizeof(data));
    if (error == ERROR_ACCESS_DENIED)
        return MACHINE_HIDDEN;
    return serial[0] != '\0' ? MACHINE_DIRECT : MACHINE_ABSENT;
}

/* Of several disks the smallest serial number: their order changes. */
static void read_disk(struct machine *m, const wchar_t drive[3])
{
    char best[MACHINE_VALUE_MAX] = "", serial[MACHINE_VALUE_MAX];
    DWORD numbers[EXTENTS_MAX], count = disks_of(drive, numbers);

    for (DWORD i = 0; i < count; i++) {
        enum machine_source source = serial_of(numbers[i], serial);

        if (source == MACHINE_HIDDEN)
            m->source[MACHINE_DISK_SERIAL] = MACHINE_HIDDEN;
        else if (source == MACHINE_DIRECT && (best[0] == '\0' || strcmp(serial, best) < 0))
            memcpy(best, serial, sizeof(best));
    }
    if (best[0] != '\0')
        machine_set(m, MACHINE_DISK_SERIAL, best);
    crypto_wipe(best, sizeof(best));
    crypto_wipe(serial, sizeof(serial));
}

/* --- network -------------------------------------------------------------------------------- */

static bool is_card(const MIB_IF_ROW2 *row)
{
    return (row->Type == IF_TYPE_ETHERNET_CSMACD || row->Type == IF_TYPE_IEEE80211) &&
           row->InterfaceAndOperStatusFlags.HardwareInterface &&
           row->PhysicalAddressLength == MAC_LEN;
}

/* The permanent address of the card with the lowest number, which a card keeps while it is there. */
static void read_network(struct machine *m)
{
    MIB_IF_TABLE2 *t = NULL;
    const MIB_IF_ROW2 *best = NULL;
    char text[2 * MAC_LEN + 1];

    if (GetIfTable2(&t) != NO_ERROR)
        return;
    for (ULONG i = 0; i < t->NumEntries; i++)
        if (is_card(&t->Table[i]) && (best == NULL || t->Table[i].InterfaceLuid.Info.NetLuidIndex <
                                                          best->InterfaceLuid.Info.NetLuidIndex))
            best = &t->Table[i];
    if (best != NULL) {
        crypto_hex_encode(best->PermanentPhysicalAddress, MAC_LEN, text);
        machine_set(m, MACHINE_MAC, text);
    }
    FreeMibTable(t);
}

void machine_collect_host(struct machine *m)
{
    static const wchar_t version[] = L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
    static const wchar_t cpu[] = L"HARDWARE\\DESCRIPTION\\System\\CentralProcessor\\0";
    wchar_t drive[3];

    read_smbios(m);
    if (system_drive(drive)) {
        read_disk(m, drive);
        read_volume(m, drive);
    }
    read_registry(m, MACHINE_OS_ID, L"SOFTWARE\\Microsoft\\Cryptography", L"MachineGuid");
    read_registry(m, MACHINE_CPU_MODEL, cpu, L"ProcessorNameString");
    read_registry(m, MACHINE_PRODUCT_ID, version, L"ProductId");
    read_names(m);
    read_network(m);
}
