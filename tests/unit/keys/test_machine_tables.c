/* Tables of firmware and drivers: those of real machines, and what a broken or hostile one may hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "keys/machine_tables.h"

#define TABLE_MAX 1024

static uint8_t table[TABLE_MAX];
static size_t table_len;

static void begin_table(uint8_t major, uint8_t minor)
{
    memset(table, 0, sizeof(table));
    table[1] = major;
    table[2] = minor;
    table_len = 8;
}

static void end_table(void)
{
    uint32_t len = (uint32_t)(table_len - 8);

    memcpy(table + 4, &len, sizeof(len));
}

static void add_bytes(const void *data, size_t len)
{
    assert_true(table_len + len <= sizeof(table));
    memcpy(table + table_len, data, len);
    table_len += len;
}

/* The strings behind a structure, each with its NUL, and one more. */
static void add_strings(const char *const *strings)
{
    for (; *strings != NULL; strings++)
        add_bytes(*strings, strlen(*strings) + 1);
    add_bytes("", 1);
}

static const uint8_t uuid_bytes[16] = {0x44, 0x45, 0x4c, 0x4c, 0x42, 0x00, 0x10, 0x35,
                                       0x80, 0x52, 0xb4, 0xc0, 0x4f, 0x57, 0x36, 0x32};

/* As an office PC has it: BIOS, system with UUID, two boards (the second is a riser), the end. */
static void add_office_pc(void)
{
    static const char *const bios[] = {"Dell Inc.", "1.21.0", "08/02/2022", NULL};
    static const char *const system[] = {"Dell Inc.", "OptiPlex 7070", "7B5R6W2", "0924", NULL};
    static const char *const board[] = {"Dell Inc.", "0YNVJG", "A01", "/7B5R6W2/CN1296314A00F3/",
                                        NULL};
    static const char *const riser[] = {"Dell Inc.", "RISER", "A00", "RISER-1", NULL};
    static const char *const none[] = {"", NULL};
    uint8_t s[27] = {1, 27, 1, 0, 1, 2, 0, 3};

    add_bytes((const uint8_t[24]){0, 24, 0, 0, 1, 2, 0, 0xf0, 3}, 24);
    add_strings(bios);
    memcpy(s + 8, uuid_bytes, sizeof(uuid_bytes));
    s[24] = 6;
    s[25] = 4;
    add_bytes(s, sizeof(s));
    add_strings(system);
    add_bytes((const uint8_t[15]){2, 15, 2, 0, 1, 2, 3, 4}, 15);
    add_strings(board);
    add_bytes((const uint8_t[15]){2, 15, 3, 0, 1, 2, 3, 4}, 15);
    add_strings(riser);
    add_bytes((const uint8_t[4]){127, 4, 4, 0}, 4);
    add_strings(none);
}

static void an_office_pc_is_read(void **state)
{
    struct machine_smbios s;

    (void)state;
    begin_table(3, 2);
    add_office_pc();
    end_table();
    machine_parse_smbios(table, table_len, &s);
    assert_string_equal(s.uuid, "4c4c4544-0042-3510-8052-b4c04f573632");
    assert_string_equal(s.board_serial, "/7B5R6W2/CN1296314A00F3/");
    assert_string_equal(s.bios_vendor, "Dell Inc.");
    assert_string_equal(s.bios_version, "1.21.0");
}

static void an_old_table_has_its_uuid_in_order(void **state)
{
    struct machine_smbios s;

    (void)state;
    begin_table(2, 5);
    add_office_pc();
    end_table();
    machine_parse_smbios(table, table_len, &s);
    assert_string_equal(s.uuid, "44454c4c-4200-1035-8052-b4c04f573632");
}

/* A structure without strings ends with two zero bytes as well; a number that names no string. */
static void strings_that_are_not_there_are_empty(void **state)
{
    static const char *const one[] = {"only one", NULL};
    struct machine_smbios s;

    (void)state;
    begin_table(3, 0);
    add_bytes((const uint8_t[24]){0, 24, 0, 0, 1, 2}, 24);
    add_bytes("\0", 2);
    add_bytes((const uint8_t[15]){2, 15, 2, 0, 1, 2, 3, 4}, 15);
    add_strings(one);
    end_table();
    machine_parse_smbios(table, table_len, &s);
    assert_string_equal(s.bios_vendor, "");
    assert_string_equal(s.board_serial, "");
    assert_string_equal(s.uuid, "");
}

static void text_that_a_terminal_obeys_is_no_identifier(void **state)
{
    static const char *const board[] = {"a", "b", "c", "CN\033[2J42", NULL};
    struct machine_smbios s;

    (void)state;
    begin_table(3, 0);
    add_bytes((const uint8_t[15]){2, 15, 2, 0, 1, 2, 3, 4}, 15);
    add_strings(board);
    end_table();
    machine_parse_smbios(table, table_len, &s);
    assert_string_equal(s.board_serial, "");
}

/* Cut at every length, in memory of just that length: a sanitizer's build sees a byte too far. */
static void a_table_that_is_cut_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    begin_table(3, 2);
    add_office_pc();
    end_table();
    for (size_t len = 0; len <= table_len; len++) {
        uint8_t *cut = malloc(len > 0 ? len : 1);
        struct machine_smbios s;

        assert_non_null(cut);
        memcpy(cut, table, len);
        machine_parse_smbios(cut, len, &s);
        assert_true(s.uuid[0] == '\0' || strlen(s.uuid) == 36);
        free(cut);
    }
}

static void every_changed_byte_is_survived(void **state)
{
    (void)state;
    begin_table(3, 2);
    add_office_pc();
    end_table();
    for (size_t i = 0; i < table_len; i++)
        for (unsigned value = 0; value < 256; value += 51) {
            uint8_t *copy = malloc(table_len);
            struct machine_smbios s;

            assert_non_null(copy);
            memcpy(copy, table, table_len);
            copy[i] = (uint8_t)value;
            machine_parse_smbios(copy, table_len, &s);
            assert_true(strlen(s.board_serial) < MACHINE_VALUE_MAX);
            free(copy);
        }
}

/* --- storage -------------------------------------------------------------------------------- */

/* Offset of the serial number in a descriptor of 36 bytes, and the text behind it. */
static size_t make_descriptor(uint32_t offset, const char *text)
{
    size_t len = strlen(text);

    memset(table, 0, sizeof(table));
    table[0] = 40;
    memcpy(table + 24, &offset, sizeof(offset));
    memcpy(table + 36, text, len);
    return 36 + len + 1;
}

static void a_disk_s_serial_number_is_read(void **state)
{
    char serial[MACHINE_VALUE_MAX];
    size_t len = make_descriptor(36, "     S5GXNX0T812345 ");

    (void)state;
    machine_parse_storage(table, len, serial);
    assert_string_equal(serial, "     S5GXNX0T812345 "); /* blanks go when it is normalised */
}

static void a_disk_without_serial_number_has_none(void **state)
{
    static const uint32_t offsets[] = {0, UINT32_MAX, 8, 57, 58, 4096};
    char serial[MACHINE_VALUE_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        size_t len = make_descriptor(offsets[i], "     S5GXNX0T812345 ");

        machine_parse_storage(table, len, serial);
        assert_string_equal(serial, "");
    }
    machine_parse_storage(table, 0, serial);
    assert_string_equal(serial, "");
    machine_parse_storage(table, 27, serial);
    assert_string_equal(serial, "");
}

static void a_serial_number_without_end_is_none(void **state)
{
    char serial[MACHINE_VALUE_MAX];
    size_t len = make_descriptor(36, "S5GXNX0T812345");

    (void)state;
    machine_parse_storage(table, len - 1, serial);
    assert_string_equal(serial, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_office_pc_is_read),
        cmocka_unit_test(an_old_table_has_its_uuid_in_order),
        cmocka_unit_test(strings_that_are_not_there_are_empty),
        cmocka_unit_test(text_that_a_terminal_obeys_is_no_identifier),
        cmocka_unit_test(a_table_that_is_cut_is_read_as_far_as_it_goes),
        cmocka_unit_test(every_changed_byte_is_survived),
        cmocka_unit_test(a_disk_s_serial_number_is_read),
        cmocka_unit_test(a_disk_without_serial_number_has_none),
        cmocka_unit_test(a_serial_number_without_end_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
