/*
 * What the tests of keys/ share: a private folder, files in it, machines for the test provider.
 * Functions are static inline since every test is one program.
 */
#ifndef PRA_TESTS_KEYS_SUPPORT_H
#define PRA_TESTS_KEYS_SUPPORT_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/os.h"
#include "keys/machine.h"

/* Costs of scrypt for tests: 1 MiB and about 2 ms. */
#define TEST_LOG2_N 10

static char folder[64];

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline int folder_setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/pra-unit-keys.XXXXXX");
    return mkdtemp(folder) != NULL && chmod(folder, 0755) == 0 ? 0 : -1;
}

static inline int folder_teardown(void **state)
{
    (void)state;
    unsetenv("PRA_TEST_MACHINE");
    return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* folder/name; the result is one of a few static buffers. */
static inline const char *in_folder(const char *name)
{
    static char paths[8][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 8];

    assert_true(snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX);
    return path;
}

/* Writes folder/name and the folders above it. */
static inline void put_bytes(const char *name, const void *data, size_t len)
{
    char path[PATH_MAX];
    FILE *out;

    snprintf(path, sizeof(path), "%s", in_folder(name));
    for (char *p = path + strlen(folder) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
        *p = '/';
    }
    out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

static inline void put_file(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

static inline char *get_bytes(const char *name, size_t *len)
{
    char *data;

    assert_int_equal(os_file_read(in_folder(name), 1u << 20, &data, len, NULL), 0);
    return data;
}

/* --- machines --- */

/* One value for each identifier, all of the kind that real machines show. */
static const char *const office_pc[MACHINE_ID_COUNT] = {
    [MACHINE_SMBIOS_UUID] = "4c4c4544-0042-3510-8052-b4c04f573632",
    [MACHINE_BOARD_SERIAL] = "/7B5R6W2/CN1296314A00F3/",
    [MACHINE_DISK_SERIAL] = "S5GXNX0T812345",
    [MACHINE_VOLUME_ID] = "2f6d1b0e-7a3e-4e2b-9a58-8c3f0f1c2d77",
    [MACHINE_OS_ID] = "5b1c9f0e7d3a4c6b8e2f1a0d9c8b7a65",
    [MACHINE_COMPUTER_NAME] = "Sales-PC-07",
    [MACHINE_CPU_MODEL] = "Intel(R) Core(TM) i5-8365U CPU @ 1.60GHz",
    [MACHINE_MAC] = "d8:9e:f3:1a:2b:3c",
    [MACHINE_USER_NAME] = "suzuki",
    [MACHINE_BIOS_VERSION] = "Dell Inc. 1.21.0",
    [MACHINE_OS_BUILD] = "debian 12",
    [MACHINE_PRODUCT_ID] = "Latitude 7400",
};

/* The same kinds of values of a machine that shares nothing with it. */
static const char *const other_pc[MACHINE_ID_COUNT] = {
    [MACHINE_SMBIOS_UUID] = "c0ffee00-0400-0500-0006-0b0700080009",
    [MACHINE_BOARD_SERIAL] = "PF2K9XYZ1",
    [MACHINE_DISK_SERIAL] = "WD-WX11E4372819",
    [MACHINE_VOLUME_ID] = "b7a1d8c2-0d4f-4e39-8c0b-5f2e6a9d1c33",
    [MACHINE_OS_ID] = "e2d4c6b8a09182736455463728190abc",
    [MACHINE_COMPUTER_NAME] = "home-pc",
    [MACHINE_CPU_MODEL] = "AMD Ryzen 7 5700U with Radeon Graphics",
    [MACHINE_MAC] = "54:e1:ad:77:88:99",
    [MACHINE_USER_NAME] = "guest",
    [MACHINE_BIOS_VERSION] = "LENOVO N2HET75W",
    [MACHINE_OS_BUILD] = "debian 13",
    [MACHINE_PRODUCT_ID] = "ThinkPad T14",
};

#define VALUE_HIDDEN "\001" /* in place of a value: exists but cannot be read */

/* Makes the test provider show these values (NULL = missing) from now on. */
static inline void use_machine(const char *const values[MACHINE_ID_COUNT])
{
    FILE *out = fopen(in_folder("machine.json"), "w");
    const char *separator = "{";

    assert_non_null(out);
    for (int id = 0; id < MACHINE_ID_COUNT; id++) {
        if (values[id] == NULL) {
            continue;
        }
        if (strcmp(values[id], VALUE_HIDDEN) == 0) {
            fprintf(out, "%s\"%s\":{\"hidden\":true}", separator, machine_id_name(id));
        } else {
            fprintf(out, "%s\"%s\":\"%s\"", separator, machine_id_name(id), values[id]);
        }
        separator = ",";
    }
    fputs(separator[0] == '{' ? "{}" : "}", out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(setenv("PRA_TEST_MACHINE", in_folder("machine.json"), 1), 0);
}

/* The office PC with one value replaced. */
static inline void use_office_pc_but(enum machine_id id, const char *value)
{
    const char *values[MACHINE_ID_COUNT];

    memcpy(values, office_pc, sizeof(values));
    values[id] = value;
    use_machine(values);
}

#endif
