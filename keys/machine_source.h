/*
 * Between the parts of keys/ that read a machine. Private to keys/ and its tests.
 *
 * `root` is put in front of every path: "" reads this host, a folder reads a tree of files that
 * looks like one (tests). What has no file (ioctls, the user's name) is asked only of this host.
 */
#ifndef PRA_KEYS_MACHINE_SOURCE_H
#define PRA_KEYS_MACHINE_SOURCE_H

#include "keys/machine.h"

/* Reads this host, with the help of the root helper where there is one (machine_linux.c, _win.c). */
void machine_collect_host(struct machine *m);

/* All identifiers, normalised, private ones still in the clear. Sets source and value. */
void machine_linux_collect(const char *root, struct machine *m);
/* The private ones alone; touches no others. */
void machine_linux_collect_private(const char *root, struct machine *m);

/* Notes a raw value: normalised and direct, or absent if it is empty or a placeholder. */
void machine_set(struct machine *m, enum machine_id id, const char *raw);

/* HMAC of a private value under `salt`, as 64 hexadecimal digits. Returns 0, PRA_ECRYPTO. */
int machine_hmac(enum machine_id id, const char *value, const uint8_t salt[MACHINE_SALT_LEN],
                 char dst[MACHINE_VALUE_MAX]);

/*
 * Reads the first line of a small file, without blanks at its end. Returns MACHINE_DIRECT,
 * MACHINE_ABSENT (no such file, or empty) or MACHINE_HIDDEN (not permitted).
 */
enum machine_source machine_read_line(const char *root, const char *path,
                                      char dst[MACHINE_VALUE_MAX]);

/*
 * The disk that holds the root filesystem, found through partitions, device mapper (LUKS, LVM)
 * and software RAID, of which the smallest serial number is taken. MACHINE_HIDDEN if it cannot
 * be read or encryption hides it.
 */
enum machine_source machine_disk_serial(const char *root, char raw[MACHINE_VALUE_MAX]);
/* UUID of the root filesystem as udev knows it; readable without root. */
enum machine_source machine_volume_id(const char *root, char raw[MACHINE_VALUE_MAX]);

#ifdef PRA_TEST_PROVIDER
/*
 * Reads the machine described by the file that PRA_TEST_MACHINE names. Returns 0; PRA_ENOENT if the
 * variable is not set; PRA_EIO, PRA_EINVAL.
 */
int machine_test_collect(struct machine *m, struct fault *f);
#endif

#endif
