/*
 * Reads a Linux host: DMI tables from /sys/class/dmi/id, machine-id, names, CPU, and the permanent
 * address of the first network card that is hardware. Disks are machine_disk_linux.c.
 */
#include "keys/machine_source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/crypto.h"
#include "keys/keyhelper.h"

#define PLACE_MAX         (PATH_MAX + NAME_MAX + 4)
#define PERM_ADDR_MAX     32 /* the kernel's MAX_ADDR_LEN */
#define MAC_LEN           6
#define PASSWD_TEXT_MAX   4096
#define LINE_MAX_CPUINFO  512
#define ARPHRD_ETHER_TEXT "1"
/* addr_assign_type: the address came with the device (NET_ADDR_PERM). */
#define ADDRESS_PERMANENT_TEXT "0"

static int host_path(char dst[PATH_MAX], const char *root, const char *path)
{
    int n = snprintf(dst, PATH_MAX, "%s%s", root, path);

    return n < 0 || n >= PATH_MAX ? PRA_ETOOBIG : 0;
}

enum machine_source machine_read_line(const char *root, const char *path,
                                      char dst[MACHINE_VALUE_MAX])
{
    char full[PATH_MAX];
    char text[MACHINE_VALUE_MAX];
    ssize_t n;
    int fd;

    if (host_path(full, root, path) != 0) {
        return MACHINE_ABSENT;
    }
    fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return errno == EACCES || errno == EPERM ? MACHINE_HIDDEN : MACHINE_ABSENT;
    }
    n = read(fd, text, sizeof(text) - 1);
    if (n < 0) {
        n = errno == EACCES || errno == EPERM ? -1 : 0;
    }
    close(fd);
    if (n < 0) {
        return MACHINE_HIDDEN;
    }
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    for (n = (ssize_t)strlen(text); n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'); n--) {
        text[n - 1] = '\0';
    }
    memcpy(dst, text, sizeof(text));
    crypto_wipe(text, sizeof(text));
    return n > 0 ? MACHINE_DIRECT : MACHINE_ABSENT;
}

/* Notes what a source found. */
static void set_from(struct machine *m, enum machine_id id, enum machine_source source,
                     char raw[MACHINE_VALUE_MAX])
{
    if (source == MACHINE_DIRECT) {
        machine_set(m, id, raw);
    } else {
        m->source[id] = source;
    }
    crypto_wipe(raw, MACHINE_VALUE_MAX);
}

static void read_file(struct machine *m, enum machine_id id, const char *root, const char *path)
{
    char raw[MACHINE_VALUE_MAX];

    set_from(m, id, machine_read_line(root, path, raw), raw);
}

/* Several DMI fields as one value; the ones that are there. */
static void read_dmi(struct machine *m, enum machine_id id, const char *root,
                     const char *const *fields)
{
    char text[MACHINE_VALUE_MAX] = "";
    size_t n = 0;

    for (; *fields != NULL; fields++) {
        char path[64];
        char raw[MACHINE_VALUE_MAX];
        char usable[MACHINE_VALUE_MAX];

        snprintf(path, sizeof(path), "/sys/class/dmi/id/%s", *fields);
        if (machine_read_line(root, path, raw) == MACHINE_DIRECT &&
            machine_normalise(id, raw, usable) && n < sizeof(text)) {
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n > 0 ? " " : "", usable);
        }
    }
    machine_set(m, id, text);
}

/* "Name : value" of /proc/cpuinfo or NAME="value" of os-release: the first one of this name. */
static bool find_field(const char *root, const char *path, const char *name, char separator,
                       char dst[MACHINE_VALUE_MAX])
{
    char full[PATH_MAX];
    char line[LINE_MAX_CPUINFO];
    size_t len = strlen(name);
    bool found = false;
    FILE *in;

    if (host_path(full, root, path) != 0) {
        return false;
    }
    in = fopen(full, "re");
    if (in == NULL) {
        return false;
    }
    while (!found && fgets(line, sizeof(line), in) != NULL) {
        char *value = line + len;

        if (strncmp(line, name, len) != 0) {
            continue;
        }
        value += strspn(value, " \t");
        if (*value != separator) {
            continue;
        }
        value++;
        value += strspn(value, " \t\"'");
        value[strcspn(value, "\"'\n")] = '\0';
        snprintf(dst, MACHINE_VALUE_MAX, "%.*s", MACHINE_VALUE_MAX - 1, value);
        found = true;
    }
    fclose(in);
    return found;
}

static void read_cpu(struct machine *m, const char *root)
{
    /* x86 names its model; ARM gives three numbers that stand for it. */
    static const char *const arm[] = {"CPU implementer", "CPU part", "CPU variant", NULL};
    char text[MACHINE_VALUE_MAX] = "";
    size_t n = 0;

    if (!find_field(root, "/proc/cpuinfo", "model name", ':', text)) {
        for (int i = 0; arm[i] != NULL && n < sizeof(text); i++) {
            char part[MACHINE_VALUE_MAX];

            if (find_field(root, "/proc/cpuinfo", arm[i], ':', part)) {
                n += (size_t)snprintf(text + n, sizeof(text) - n, "%s ", part);
            }
        }
    }
    machine_set(m, MACHINE_CPU_MODEL, text);
}

static void read_os(struct machine *m, const char *root)
{
    static const char *const fields[] = {"ID", "VERSION_ID", "BUILD_ID", NULL};
    static const char *const paths[] = {"/etc/os-release", "/usr/lib/os-release"};
    char text[MACHINE_VALUE_MAX] = "";
    size_t n = 0;

    read_file(m, MACHINE_OS_ID, root, "/etc/machine-id");
    if (m->source[MACHINE_OS_ID] == MACHINE_ABSENT) {
        read_file(m, MACHINE_OS_ID, root, "/var/lib/dbus/machine-id");
    }
    for (size_t p = 0; p < 2 && n == 0; p++) {
        for (int i = 0; fields[i] != NULL && n < sizeof(text); i++) {
            char part[MACHINE_VALUE_MAX];

            if (find_field(root, paths[p], fields[i], '=', part)) {
                n += (size_t)snprintf(text + n, sizeof(text) - n, "%s ", part);
            }
        }
    }
    machine_set(m, MACHINE_OS_BUILD, text);
}

static void read_user(struct machine *m)
{
    char text[PASSWD_TEXT_MAX];
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwuid_r(geteuid(), &entry, text, sizeof(text), &found) == 0 && found != NULL) {
        machine_set(m, MACHINE_USER_NAME, found->pw_name);
    }
}

/* The address burned into a card, whatever it calls itself now. */
static bool ask_permanent_mac(const char *name, char dst[MACHINE_VALUE_MAX])
{
    union {
        struct ethtool_perm_addr request;
        uint8_t room[sizeof(struct ethtool_perm_addr) + PERM_ADDR_MAX];
    } u;
    struct ifreq ifr;
    bool ok = false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return false;
    }
    memset(&u, 0, sizeof(u));
    memset(&ifr, 0, sizeof(ifr));
    u.request.cmd = ETHTOOL_GPERMADDR;
    u.request.size = PERM_ADDR_MAX;
    snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%.*s", IFNAMSIZ - 1, name);
    ifr.ifr_data = (void *)&u;
    if (ioctl(fd, SIOCETHTOOL, &ifr) == 0 && u.request.size == MAC_LEN) {
        crypto_hex_encode(u.room + sizeof(u.request), MAC_LEN, dst);
        ok = strcmp(dst, "000000000000") != 0;
    }
    close(fd);
    return ok;
}

static bool read_mac(const char *root, const char *name, char dst[MACHINE_VALUE_MAX])
{
    char path[PATH_MAX];
    char assigned[MACHINE_VALUE_MAX];

    if (root[0] == '\0' && ask_permanent_mac(name, dst)) {
        return true;
    }
    snprintf(path, sizeof(path), "/sys/class/net/%s/addr_assign_type", name);
    if (machine_read_line(root, path, assigned) != MACHINE_DIRECT ||
        strcmp(assigned, ADDRESS_PERMANENT_TEXT) != 0) {
        return false;
    }
    snprintf(path, sizeof(path), "/sys/class/net/%s/address", name);
    return machine_read_line(root, path, dst) == MACHINE_DIRECT;
}

/* Where a network interface sits on the hardware: false for one that is software. */
static bool find_card(const char *root, const char *name, char place[PLACE_MAX])
{
    char path[PATH_MAX];
    char full[PATH_MAX];
    char device[PATH_MAX];
    char type[MACHINE_VALUE_MAX];

    snprintf(path, sizeof(path), "/sys/class/net/%s/type", name);
    if (machine_read_line(root, path, type) != MACHINE_DIRECT ||
        strcmp(type, ARPHRD_ETHER_TEXT) != 0) {
        return false;
    }
    snprintf(path, sizeof(path), "/sys/class/net/%s/device", name);
    if (host_path(full, root, path) != 0 || realpath(full, device) == NULL) {
        return false;
    }
    /* A card in a docking station is not always there, so it sorts behind all others. */
    snprintf(place, PLACE_MAX, "%d%s %s", strstr(device, "/usb") != NULL ? 1 : 0, device, name);
    return true;
}

/* The first card by its place on the bus, since interface names change. */
static void read_network(struct machine *m, const char *root)
{
    char best[PLACE_MAX] = "";
    char place[PLACE_MAX];
    char path[PATH_MAX];
    char raw[MACHINE_VALUE_MAX];
    struct dirent *entry;
    DIR *dir;

    if (host_path(path, root, "/sys/class/net") != 0 || (dir = opendir(path)) == NULL) {
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.' || !find_card(root, entry->d_name, place)) {
            continue;
        }
        if ((best[0] == '\0' || strcmp(place, best) < 0) && read_mac(root, entry->d_name, raw)) {
            machine_set(m, MACHINE_MAC, raw);
            if (m->source[MACHINE_MAC] == MACHINE_DIRECT) {
                memcpy(best, place, sizeof(best));
            }
        }
    }
    closedir(dir);
}

void machine_linux_collect_private(const char *root, struct machine *m)
{
    char raw[MACHINE_VALUE_MAX];

    read_file(m, MACHINE_SMBIOS_UUID, root, "/sys/class/dmi/id/product_uuid");
    read_file(m, MACHINE_BOARD_SERIAL, root, "/sys/class/dmi/id/board_serial");
    set_from(m, MACHINE_DISK_SERIAL, machine_disk_serial(root, raw), raw);
}

void machine_linux_collect(const char *root, struct machine *m)
{
    static const char *const bios[] = {"bios_vendor", "bios_version", NULL};
    static const char *const product[] = {"sys_vendor", "product_name", "product_sku", NULL};
    char raw[MACHINE_VALUE_MAX];

    machine_linux_collect_private(root, m);
    set_from(m, MACHINE_VOLUME_ID, machine_volume_id(root, raw), raw);
    read_os(m, root);
    read_file(m, MACHINE_COMPUTER_NAME, root, "/proc/sys/kernel/hostname");
    read_cpu(m, root);
    read_network(m, root);
    read_user(m);
    read_dmi(m, MACHINE_BIOS_VERSION, root, bios);
    read_dmi(m, MACHINE_PRODUCT_ID, root, product);
}

void machine_collect_host(struct machine *m)
{
    machine_linux_collect("", m);
    for (int id = 0; id < MACHINE_ID_COUNT; id++) {
        if (machine_id_private(id) && m->source[id] == MACHINE_HIDDEN) {
            keyhelper_ask(m);
            break;
        }
    }
}
