/*
 * Finds what the root filesystem lives on and asks it for its serial number: mountinfo names the
 * device, sysfs leads down through partitions, device mapper and software RAID to the disks.
 *
 * Serial numbers are preferred to WWNs, and files that only root can read are never skipped for
 * readable ones: otherwise the answer would depend on who asks.
 */
#include "keys/machine_source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/crypto.h"

#define DEPTH_MAX      8 /* filesystem on LVM on LUKS on RAID on partition is 5 */
#define LINE_MAX_BYTES 4096
#define VPD_HEADER_LEN 4 /* SPC-4 7.8.15: page 80h */
#define VPD_SERIAL_MAX 64
#define UDEV_FIELD_MAX 64

/* Linux 6.9: the UUID in the superblock of a mounted filesystem, without root. */
struct fs_uuid {
    uint8_t len;
    uint8_t uuid[16];
};
#define PRA_FS_IOC_GETFSUUID _IOR(0x15, 0, struct fs_uuid)

struct search {
    const char *root;
    char best[MACHINE_VALUE_MAX]; /* smallest serial so far, normalised for comparison */
    bool encrypted;               /* a LUKS mapping on the way */
    bool hidden;                  /* a serial that may not be read */
    unsigned disks;               /* how many were reached */
};

static bool exists(const char *dir, const char *name)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s", dir, name);

    return n > 0 && n < PATH_MAX && access(path, F_OK) == 0;
}

/* One line of DIR/NAME, where DIR is a real path. */
static enum machine_source read_at(const char *dir, const char *name, char dst[MACHINE_VALUE_MAX])
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "/%s", name);

    return n > 0 && n < PATH_MAX ? machine_read_line(dir, path, dst) : MACHINE_ABSENT;
}

/* SCSI and SATA disks give their serial as a page with a binary header. */
static enum machine_source read_vpd(const char *disk, char dst[MACHINE_VALUE_MAX])
{
    char path[PATH_MAX];
    char page[VPD_HEADER_LEN + VPD_SERIAL_MAX + 1];
    ssize_t n;
    int fd;
    int len = snprintf(path, sizeof(path), "%s/device/vpd_pg80", disk);

    if (len < 0 || len >= PATH_MAX) {
        return MACHINE_ABSENT;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return errno == EACCES || errno == EPERM ? MACHINE_HIDDEN : MACHINE_ABSENT;
    }
    n = read(fd, page, sizeof(page) - 1);
    close(fd);
    if (n <= VPD_HEADER_LEN) {
        return MACHINE_ABSENT;
    }
    page[n] = '\0';
    snprintf(dst, MACHINE_VALUE_MAX, "%s", page + VPD_HEADER_LEN);
    crypto_wipe(page, sizeof(page));
    return MACHINE_DIRECT;
}

/* "E:NAME=value" of udev's database for the block device of this sysfs folder. */
static enum machine_source read_udev(const char *root, const char *dir, const char *field,
                                     char dst[MACHINE_VALUE_MAX])
{
    char path[PATH_MAX];
    char line[LINE_MAX_BYTES];
    char number[MACHINE_VALUE_MAX];
    char prefix[UDEV_FIELD_MAX];
    enum machine_source found = MACHINE_ABSENT;
    FILE *in;
    int len;

    if (read_at(dir, "dev", number) != MACHINE_DIRECT) {
        return MACHINE_ABSENT;
    }
    len = snprintf(path, sizeof(path), "%s/run/udev/data/b%s", root, number);
    if (len < 0 || len >= PATH_MAX || (in = fopen(path, "re")) == NULL) {
        return MACHINE_ABSENT;
    }
    len = snprintf(prefix, sizeof(prefix), "E:%s=", field);
    while (found == MACHINE_ABSENT && fgets(line, sizeof(line), in) != NULL) {
        if (strncmp(line, prefix, (size_t)len) == 0) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(dst, MACHINE_VALUE_MAX, "%.*s", MACHINE_VALUE_MAX - 1, line + len);
            found = MACHINE_DIRECT;
        }
    }
    fclose(in);
    return found;
}

/* The serial of one whole disk, from the first place that has a usable one. */
static enum machine_source read_serial(const char *root, const char *disk,
                                       char dst[MACHINE_VALUE_MAX])
{
    /* NVMe and MMC; virtio; SCSI and SATA; udev's copy; world wide names. */
    static const char *const files[] = {"device/serial", "serial", NULL, NULL,
                                        "device/wwid",   "wwid"};
    char raw[MACHINE_VALUE_MAX];

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        enum machine_source source = files[i] != NULL ? read_at(disk, files[i], raw)
                                     : i == 2         ? read_vpd(disk, raw)
                                              : read_udev(root, disk, "ID_SERIAL_SHORT", raw);

        if (source == MACHINE_HIDDEN) {
            return source;
        }
        if (source == MACHINE_DIRECT && machine_normalise(MACHINE_DISK_SERIAL, raw, dst)) {
            crypto_wipe(raw, sizeof(raw));
            return source;
        }
    }
    return MACHINE_ABSENT;
}

static void visit_disk(struct search *s, const char *disk)
{
    char serial[MACHINE_VALUE_MAX];
    enum machine_source source = read_serial(s->root, disk, serial);

    s->disks++;
    if (source == MACHINE_HIDDEN) {
        s->hidden = true;
    } else if (source == MACHINE_DIRECT && (s->best[0] == '\0' || strcmp(serial, s->best) < 0)) {
        memcpy(s->best, serial, sizeof(serial));
    }
    crypto_wipe(serial, sizeof(serial));
}

/* Goes down from the block device whose sysfs folder is `dir` (a real path). */
static void descend(struct search *s, const char *dir, unsigned depth)
{
    char path[PATH_MAX];
    char below[PATH_MAX];
    char uuid[MACHINE_VALUE_MAX];
    unsigned slaves = 0;
    struct dirent *entry;
    DIR *list;
    int n;

    if (read_at(dir, "dm/uuid", uuid) == MACHINE_DIRECT && strncmp(uuid, "CRYPT-", 6) == 0) {
        s->encrypted = true;
    }
    n = snprintf(path, sizeof(path), "%s/slaves", dir);
    list = n > 0 && n < PATH_MAX ? opendir(path) : NULL;
    while (list != NULL && depth < DEPTH_MAX && (entry = readdir(list)) != NULL) {
        n = snprintf(path, sizeof(path), "%s/slaves/%s", dir, entry->d_name);
        if (entry->d_name[0] != '.' && n > 0 && n < PATH_MAX && realpath(path, below) != NULL) {
            slaves++;
            descend(s, below, depth + 1);
        }
    }
    if (list != NULL) {
        closedir(list);
    }
    if (slaves > 0 || exists(dir, "dm")) {
        return;
    }
    if (exists(dir, "partition")) {
        snprintf(path, sizeof(path), "%s/..", dir);
        if (realpath(path, below) != NULL) {
            visit_disk(s, below);
        }
        return;
    }
    visit_disk(s, dir);
}

/* A device-mapper name ("/dev/mapper/NAME") to its sysfs folder. */
static bool find_mapped(const char *root, const char *name, char dir[PATH_MAX])
{
    char path[PATH_MAX];
    char mapped[MACHINE_VALUE_MAX];
    bool found = false;
    struct dirent *entry;
    DIR *list;

    snprintf(path, sizeof(path), "%s/sys/class/block", root);
    list = opendir(path);
    while (list != NULL && !found && (entry = readdir(list)) != NULL) {
        int n = snprintf(path, sizeof(path), "%s/sys/class/block/%s", root, entry->d_name);

        if (strncmp(entry->d_name, "dm-", 3) == 0 && n > 0 && n < PATH_MAX &&
            read_at(path, "dm/name", mapped) == MACHINE_DIRECT && strcmp(mapped, name) == 0) {
            found = realpath(path, dir) != NULL;
        }
    }
    if (list != NULL) {
        closedir(list);
    }
    return found;
}

/*
 * The fields of a mountinfo line (proc(5)) that name the device of the filesystem mounted at "/":
 * its number and its source. Returns false for other lines.
 */
static bool split_mount(char *line, char **number, char **source)
{
    char *save = NULL;
    char *field = strtok_r(line, " \n", &save);

    for (int i = 0; field != NULL && i < 4; i++) {
        field = strtok_r(NULL, " \n", &save);
        if (i == 1) {
            *number = field;
        }
    }
    if (field == NULL || strcmp(field, "/") != 0) {
        return false;
    }
    while (field != NULL && strcmp(field, "-") != 0) {
        field = strtok_r(NULL, " \n", &save);
    }
    if (field == NULL || strtok_r(NULL, " \n", &save) == NULL) {
        return false;
    }
    *source = strtok_r(NULL, " \n", &save);
    return *source != NULL;
}

/* The sysfs folder of the device below "/". btrfs has a number of its own, so its source counts. */
static bool find_root_device(const char *root, char dir[PATH_MAX])
{
    char path[PATH_MAX];
    char line[LINE_MAX_BYTES];
    bool found = false;
    FILE *in;

    snprintf(path, sizeof(path), "%s/proc/self/mountinfo", root);
    in = fopen(path, "re");
    while (in != NULL && fgets(line, sizeof(line), in) != NULL) { /* the last one is on top */
        char *number = NULL;
        char *source = NULL;
        int n;

        if (!split_mount(line, &number, &source)) {
            continue;
        }
        if (strncmp(number, "0:", 2) != 0) {
            n = snprintf(path, sizeof(path), "%s/sys/dev/block/%s", root, number);
        } else if (strncmp(source, "/dev/mapper/", 12) == 0) {
            found = find_mapped(root, source + 12, dir);
            continue;
        } else if (strncmp(source, "/dev/", 5) == 0) {
            n = snprintf(path, sizeof(path), "%s/sys/class/block/%s", root, source + 5);
        } else {
            found = false; /* overlay, tmpfs, network: no disk */
            continue;
        }
        found = n > 0 && n < PATH_MAX && realpath(path, dir) != NULL;
    }
    if (in != NULL) {
        fclose(in);
    }
    return found;
}

enum machine_source machine_disk_serial(const char *root, char raw[MACHINE_VALUE_MAX])
{
    struct search s = {.root = root};
    char dir[PATH_MAX];
    enum machine_source source = MACHINE_ABSENT;

    if (!find_root_device(root, dir)) {
        return MACHINE_ABSENT;
    }
    descend(&s, dir, 0);
    if (s.hidden || (s.encrypted && s.disks == 0)) {
        source = MACHINE_HIDDEN;
    } else if (s.best[0] != '\0') {
        memcpy(raw, s.best, sizeof(s.best));
        source = MACHINE_DIRECT;
    }
    crypto_wipe(s.best, sizeof(s.best));
    return source;
}

/* The link in /dev/disk/by-uuid that points at the block device `name`. */
static bool find_uuid_link(const char *root, const char *name, char raw[MACHINE_VALUE_MAX])
{
    char path[PATH_MAX];
    char target[PATH_MAX];
    bool found = false;
    struct dirent *entry;
    DIR *list;

    snprintf(path, sizeof(path), "%s/dev/disk/by-uuid", root);
    list = opendir(path);
    while (list != NULL && !found && (entry = readdir(list)) != NULL) {
        int n = snprintf(path, sizeof(path), "%s/dev/disk/by-uuid/%s", root, entry->d_name);
        ssize_t len = n > 0 && n < PATH_MAX ? readlink(path, target, sizeof(target) - 1) : -1;
        const char *base;

        if (len <= 0) {
            continue;
        }
        target[len] = '\0';
        base = strrchr(target, '/');
        if (strcmp(base != NULL ? base + 1 : target, name) == 0) {
            snprintf(raw, MACHINE_VALUE_MAX, "%.*s", MACHINE_VALUE_MAX - 1, entry->d_name);
            found = true;
        }
    }
    if (list != NULL) {
        closedir(list);
    }
    return found;
}

static bool ask_filesystem(char raw[MACHINE_VALUE_MAX])
{
    struct fs_uuid u;
    bool ok;
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        return false;
    }
    memset(&u, 0, sizeof(u));
    ok = ioctl(fd, PRA_FS_IOC_GETFSUUID, &u) == 0 && u.len == sizeof(u.uuid);
    close(fd);
    if (ok) {
        crypto_hex_encode(u.uuid, sizeof(u.uuid), raw);
    }
    return ok;
}

enum machine_source machine_volume_id(const char *root, char raw[MACHINE_VALUE_MAX])
{
    char dir[PATH_MAX];

    if (!find_root_device(root, dir)) {
        return MACHINE_ABSENT;
    }
    if (read_udev(root, dir, "ID_FS_UUID", raw) == MACHINE_DIRECT ||
        find_uuid_link(root, strrchr(dir, '/') + 1, raw) ||
        (root[0] == '\0' && ask_filesystem(raw))) {
        return MACHINE_DIRECT;
    }
    return MACHINE_ABSENT;
}
