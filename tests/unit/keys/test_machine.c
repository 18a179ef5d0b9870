/*
 * What a machine shows: normalising, placeholders, and reading trees of files that look like the
 * hosts people have.
 */
#include "tests/unit/keys/program.h"

#include "keys/machine_source.h"

static void expect(enum machine_id id, const char *raw, const char *normal)
{
    char value[MACHINE_VALUE_MAX];
    bool usable = machine_normalise(id, raw, value);

    if (usable != (normal != NULL)) {
        fail_msg("%s '%s' is %s", machine_id_name(id), raw, usable ? "usable" : "not usable");
    }
    if (usable) {
        assert_string_equal(value, normal);
    }
}

static void values_are_normalised(void **state)
{
    char longer[2 * MACHINE_VALUE_MAX];
    char value[MACHINE_VALUE_MAX];

    (void)state;
    expect(MACHINE_BOARD_SERIAL, "  pf2k9 \t xyz1\n", "PF2K9 XYZ1");
    expect(MACHINE_SMBIOS_UUID, "4c4c4544-0042-3510-8052-b4c04f573632",
           "4C4C4544004235108052B4C04F573632");
    expect(MACHINE_SMBIOS_UUID, "{4C4C4544-0042-3510-8052-B4C04F573632}",
           "4C4C4544004235108052B4C04F573632");
    expect(MACHINE_MAC, "d8:9e:f3:1a:2b:3c", "D89EF31A2B3C");
    expect(MACHINE_MAC, "d89e.f31a.2b3c", "D89EF31A2B3C");
    expect(MACHINE_COMPUTER_NAME, "Sales-PC-07.corp.example.com", "SALES-PC-07");
    expect(MACHINE_CPU_MODEL, "Intel(R)  Core(TM)   i5", "INTEL(R) CORE(TM) I5");
    expect(MACHINE_COMPUTER_NAME, "営業-7", "営業-7");
    memset(longer, 'a', sizeof(longer));
    longer[0] = 'b';
    longer[sizeof(longer) - 1] = '\0';
    assert_true(machine_normalise(MACHINE_BOARD_SERIAL, longer, value));
    assert_int_equal(strlen(value), MACHINE_VALUE_MAX - 1);
}

static void placeholders_do_not_count(void **state)
{
    static const char *const serials[] = {
        "",
        " ",
        "To be filled by O.E.M.",
        "to be filled by o.e.m",
        "Default string",
        "Not Specified",
        "None",
        "N/A",
        "0",
        "00000000",
        "FFFFFFFF",
        "xxxxxxxxxxxx",
        "----",
        "........",
        "123456789",
        "0123456789",
        "System Serial Number",
        "Base Board Serial Number",
        "Not Applicable",
        "INVALID",
        "QM00001",
        "drive-scsi0",
    };
    static const char *const uuids[] = {
        "00000000-0000-0000-0000-000000000000",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "03000200-0400-0500-0006-000700080009",
        "00020003-0004-0005-0006-000700080009",
        "11111111-2222-3333-4444-555555555555",
        "Not Settable",
        "To be filled by O.E.M.",
        "4c4c4544-0000-2010-8020-80c04f202020",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
        expect(MACHINE_BOARD_SERIAL, serials[i], NULL);
        expect(MACHINE_DISK_SERIAL, serials[i], NULL);
    }
    for (size_t i = 0; i < sizeof(uuids) / sizeof(uuids[0]); i++) {
        expect(MACHINE_SMBIOS_UUID, uuids[i], NULL);
    }
    expect(MACHINE_MAC, "00:00:00:00:00:00", NULL);
    expect(MACHINE_MAC, "ff:ff:ff:ff:ff:ff", NULL);
    expect(MACHINE_COMPUTER_NAME, "localhost.localdomain", NULL);
    expect(MACHINE_COMPUTER_NAME, "(none)", NULL);
    expect(MACHINE_OS_ID, "uninitialized", NULL);
    expect(MACHINE_BOARD_SERIAL, "BOARD1", "BOARD1");
}

/* Every tree has a disk of its own below this. */
#define DEVICES "sys/devices/pci0000:00/"

static void put_mount(const char *number, const char *type, const char *source)
{
    char text[512];

    snprintf(text, sizeof(text),
             "22 1 0:21 / /proc rw,relatime shared:5 - proc proc rw\n"
             "30 1 %s /sub /  rw,relatime shared:1 master:2 - %s %s rw,errors=remount-ro\n"
             "31 30 8:17 / /home rw - ext4 /dev/sdb1 rw\n",
             number, type, source);
    put_file("proc/self/mountinfo", text);
}

static void expect_disk(enum machine_source source, const char *serial)
{
    char raw[MACHINE_VALUE_MAX] = "";

    assert_int_equal(machine_disk_serial(folder, raw), source);
    assert_string_equal(raw, source == MACHINE_DIRECT ? serial : "");
}

static void disk_nvme_behind_a_partition(void **state)
{
    (void)state;
    put_mount("259:2", "ext4", "/dev/nvme0n1p2");
    put_file(DEVICES "nvme/nvme0/serial", "  s5gxnx0t812345  \n");
    put_file(DEVICES "nvme/nvme0/nvme0n1/wwid", "eui.0025385b71b00d2e\n");
    put_link(DEVICES "nvme/nvme0/nvme0n1/device", "../../nvme0");
    put_file(DEVICES "nvme/nvme0/nvme0n1/nvme0n1p2/partition", "2\n");
    put_link("sys/dev/block/259:2", "../../devices/pci0000:00/nvme/nvme0/nvme0n1/nvme0n1p2");
    expect_disk(MACHINE_DIRECT, "S5GXNX0T812345");
}

static void disk_sata_by_its_vpd_page(void **state)
{
    static const char page[] = "\000\200\000\024      WD-WX11E4372819";

    (void)state;
    put_mount("8:1", "xfs", "/dev/sda1");
    put_bytes(DEVICES "ata1/host0/vpd_pg80", page, sizeof(page) - 1);
    put_link(DEVICES "ata1/host0/block/sda/device", "../../../host0");
    put_file(DEVICES "ata1/host0/block/sda/sda1/partition", "1\n");
    put_link("sys/dev/block/8:1", "../../devices/pci0000:00/ata1/host0/block/sda/sda1");
    expect_disk(MACHINE_DIRECT, "WD-WX11E4372819");
}

static void disk_virtio_without_partitions(void **state)
{
    (void)state;
    put_mount("254:0", "ext4", "/dev/root");
    put_file(DEVICES "virtio1/block/vda/serial", "vol-0a1b2c3d\n");
    put_link("sys/dev/block/254:0", "../../devices/pci0000:00/virtio1/block/vda");
    expect_disk(MACHINE_DIRECT, "VOL-0A1B2C3D");
}

static void disk_with_a_placeholder_falls_back_to_udev_and_wwid(void **state)
{
    (void)state;
    put_mount("8:0", "ext4", "/dev/sda");
    put_file(DEVICES "ata2/sda/serial", "QM00001\n");
    put_file(DEVICES "ata2/sda/dev", "8:0\n");
    put_file(DEVICES "ata2/sda/wwid", "naa.5000c500a1b2c3d4\n");
    put_link("sys/dev/block/8:0", "../../devices/pci0000:00/ata2/sda");
    expect_disk(MACHINE_DIRECT, "NAA.5000C500A1B2C3D4");
    put_file("run/udev/data/b8:0", "S:disk/by-id/x\nE:ID_SERIAL=LONG\nE:ID_SERIAL_SHORT=ab12\n");
    expect_disk(MACHINE_DIRECT, "AB12");
}

/* LVM on LUKS on a partition of the NVMe disk. */
static void disk_below_lvm_and_luks(void **state)
{
    (void)state;
    disk_nvme_behind_a_partition(state);
    put_mount("253:1", "ext4", "/dev/mapper/vg-root");
    put_file("sys/devices/virtual/block/dm-1/dm/uuid", "LVM-abcdef\n");
    put_link("sys/devices/virtual/block/dm-1/slaves/dm-0", "../../dm-0");
    put_file("sys/devices/virtual/block/dm-0/dm/uuid", "CRYPT-LUKS2-0123-luks\n");
    put_link("sys/devices/virtual/block/dm-0/slaves/nvme0n1p2",
             "../../../../pci0000:00/nvme/nvme0/nvme0n1/nvme0n1p2");
    put_link("sys/dev/block/253:1", "../../devices/virtual/block/dm-1");
    expect_disk(MACHINE_DIRECT, "S5GXNX0T812345");
}

static void disk_that_encryption_hides_is_named_so(void **state)
{
    (void)state;
    put_mount("253:0", "ext4", "/dev/mapper/luks");
    put_file("sys/devices/virtual/block/dm-0/dm/uuid", "CRYPT-PLAIN-x\n");
    put_link("sys/dev/block/253:0", "../../devices/virtual/block/dm-0");
    expect_disk(MACHINE_HIDDEN, "");
}

static void disk_mirror_gives_the_smallest_serial(void **state)
{
    (void)state;
    put_mount("9:0", "ext4", "/dev/md0");
    put_file(DEVICES "ata1/sda/serial", "ZZ9\n");
    put_file(DEVICES "ata2/sdb/serial", "AA1\n");
    put_link("sys/devices/virtual/block/md0/slaves/sda", "../../../../pci0000:00/ata1/sda");
    put_link("sys/devices/virtual/block/md0/slaves/sdb", "../../../../pci0000:00/ata2/sdb");
    put_link("sys/dev/block/9:0", "../../devices/virtual/block/md0");
    expect_disk(MACHINE_DIRECT, "AA1");
}

/* btrfs gives a number that no device has. */
static void disk_of_btrfs_is_found_by_its_source(void **state)
{
    (void)state;
    put_mount("0:27", "btrfs", "/dev/sda");
    put_file(DEVICES "ata1/sda/serial", "BT1234\n");
    put_link("sys/class/block/sda", "../../devices/pci0000:00/ata1/sda");
    expect_disk(MACHINE_DIRECT, "BT1234");
    put_mount("0:27", "btrfs", "/dev/mapper/data");
    put_file("sys/devices/virtual/block/dm-3/dm/name", "data\n");
    put_link("sys/devices/virtual/block/dm-3/slaves/sda", "../../../../pci0000:00/ata1/sda");
    put_link("sys/class/block/dm-3", "../../devices/virtual/block/dm-3");
    expect_disk(MACHINE_DIRECT, "BT1234");
}

static void containers_have_no_disk(void **state)
{
    char raw[MACHINE_VALUE_MAX];

    (void)state;
    put_mount("0:44", "overlay", "overlay");
    expect_disk(MACHINE_ABSENT, "");
    assert_int_equal(machine_volume_id(folder, raw), MACHINE_ABSENT);
}

/* Slaves that point at each other end the search instead of the program. */
static void disk_search_survives_a_loop(void **state)
{
    (void)state;
    put_mount("253:0", "ext4", "/dev/dm-0");
    put_link("sys/devices/virtual/block/dm-0/slaves/dm-1", "../../dm-1");
    put_link("sys/devices/virtual/block/dm-1/slaves/dm-0", "../../dm-0");
    put_file("sys/devices/virtual/block/dm-0/dm/name", "a\n");
    put_file("sys/devices/virtual/block/dm-1/dm/name", "b\n");
    put_link("sys/dev/block/253:0", "../../devices/virtual/block/dm-0");
    expect_disk(MACHINE_ABSENT, "");
}

static void volume_id_by_udev_or_by_link(void **state)
{
    char raw[MACHINE_VALUE_MAX];

    (void)state;
    disk_virtio_without_partitions(state);
    assert_int_equal(machine_volume_id(folder, raw), MACHINE_ABSENT);
    put_link("dev/disk/by-uuid/aaaa-bbbb", "../../sdc1");
    put_link("dev/disk/by-uuid/2f6d1b0e-7a3e", "../../vda");
    assert_int_equal(machine_volume_id(folder, raw), MACHINE_DIRECT);
    assert_string_equal(raw, "2f6d1b0e-7a3e");
    put_file(DEVICES "virtio1/block/vda/dev", "254:0\n");
    put_file("run/udev/data/b254:0", "E:ID_FS_UUID=from-udev\n");
    assert_int_equal(machine_volume_id(folder, raw), MACHINE_DIRECT);
    assert_string_equal(raw, "from-udev");
}

static void put_card(const char *name, const char *place, const char *assigned, const char *mac)
{
    char path[128];
    char target[128];

    snprintf(path, sizeof(path), "sys/class/net/%s/addr_assign_type", name);
    put_file(path, assigned);
    snprintf(path, sizeof(path), "sys/class/net/%s/address", name);
    put_file(path, mac);
    snprintf(path, sizeof(path), "sys/class/net/%s/type", name);
    put_file(path, "1\n");
    if (place != NULL) {
        snprintf(path, sizeof(path), "sys/devices/%s/uevent", place);
        put_file(path, "");
        snprintf(path, sizeof(path), "sys/class/net/%s/device", name);
        snprintf(target, sizeof(target), "../../../devices/%s", place);
        put_link(path, target);
    }
}

static void expect_mac(const char *value)
{
    struct machine m;

    memset(&m, 0, sizeof(m));
    machine_linux_collect(folder, &m);
    assert_string_equal(m.value[MACHINE_MAC], value);
}

/* By place on the bus, whatever the interfaces are called; software and docking stations last. */
static void network_card_is_the_first_that_is_hardware(void **state)
{
    (void)state;
    put_card("br0", NULL, "0\n", "02:42:00:00:00:01\n");
    expect_mac("");
    put_card("enx1", "pci0000:00/0000:00:01.0/usb1/1-2", "0\n", "aa:00:00:00:00:04\n");
    expect_mac("AA0000000004");
    put_card("a0", "pci0000:00/0000:00:1f.6", "0\n", "d8:9e:f3:00:00:02\n");
    expect_mac("D89EF3000002");
    put_card("z9", "pci0000:00/0000:00:1c.0/0000:02:00.0", "0\n", "d8:9e:f3:00:00:01\n");
    expect_mac("D89EF3000001");
}

static void network_card_with_a_set_address_does_not_count(void **state)
{
    (void)state;
    put_card("e0", "pci0000:00/0000:00:1c.0", "3\n", "de:ad:be:ef:00:01\n");
    expect_mac("");
    put_card("e1", "pci0000:00/0000:00:1d.0", "0\n", "d8:9e:f3:00:00:02\n");
    expect_mac("D89EF3000002");
}

static void put_host(void)
{
    put_file("sys/class/dmi/id/product_uuid", "4c4c4544-0042-3510-8052-b4c04f573632\n");
    put_file("sys/class/dmi/id/board_serial", "/7B5R6W2/CN1296314A00F3/\n");
    put_file("sys/class/dmi/id/bios_vendor", "Dell Inc.\n");
    put_file("sys/class/dmi/id/bios_version", "1.21.0\n");
    put_file("sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
    put_file("sys/class/dmi/id/product_name", "Latitude 7400\n");
    put_file("sys/class/dmi/id/product_sku", "To be filled by O.E.M.\n");
    put_file("etc/machine-id", "5b1c9f0e7d3a4c6b8e2f1a0d9c8b7a65\n");
    put_file("etc/os-release", "PRETTY_NAME=\"x\"\nID=debian\nVERSION_ID=\"12\"\n");
    put_file("proc/sys/kernel/hostname", "Sales-PC-07.corp.example.com\n");
    put_file("proc/cpuinfo", "processor\t: 0\nmodel\t\t: 7\nmodel name\t: Intel(R) Core(TM)\n");
}

static void a_whole_host_is_read(void **state)
{
    static const char *const values[MACHINE_ID_COUNT] = {
        [MACHINE_SMBIOS_UUID] = "4C4C4544004235108052B4C04F573632",
        [MACHINE_BOARD_SERIAL] = "/7B5R6W2/CN1296314A00F3/",
        [MACHINE_DISK_SERIAL] = "S5GXNX0T812345",
        [MACHINE_OS_ID] = "5B1C9F0E7D3A4C6B8E2F1A0D9C8B7A65",
        [MACHINE_COMPUTER_NAME] = "SALES-PC-07",
        [MACHINE_CPU_MODEL] = "INTEL(R) CORE(TM)",
        [MACHINE_BIOS_VERSION] = "DELL INC. 1.21.0",
        [MACHINE_OS_BUILD] = "DEBIAN 12",
        [MACHINE_PRODUCT_ID] = "DELL INC. LATITUDE 7400",
    };
    struct machine m;

    (void)state;
    disk_nvme_behind_a_partition(state);
    put_host();
    memset(&m, 0, sizeof(m));
    machine_linux_collect(folder, &m);
    for (int id = 0; id < MACHINE_ID_COUNT; id++) {
        if (id == MACHINE_USER_NAME) {
            continue; /* of this process, not of the tree */
        }
        assert_string_equal(m.value[id], values[id] != NULL ? values[id] : "");
        assert_int_equal(m.source[id], values[id] != NULL ? MACHINE_DIRECT : MACHINE_ABSENT);
    }
    assert_string_equal(m.computer, "Sales-PC-07.corp.example.com");
}

static void an_empty_host_is_read_without_complaint(void **state)
{
    struct machine m;

    (void)state;
    memset(&m, 0, sizeof(m));
    machine_linux_collect(folder, &m);
    for (int id = 0; id < MACHINE_ID_COUNT; id++) {
        assert_true(id == MACHINE_USER_NAME || m.source[id] == MACHINE_ABSENT);
    }
}

static void arm_processors_have_a_model_too(void **state)
{
    struct machine m;

    (void)state;
    put_file("proc/cpuinfo", "processor\t: 0\nCPU implementer\t: 0x41\nCPU variant\t: 0x0\n"
                             "CPU part\t: 0xd0b\n");
    memset(&m, 0, sizeof(m));
    machine_linux_collect(folder, &m);
    assert_string_equal(m.value[MACHINE_CPU_MODEL], "0X41 0XD0B 0X0");
}

static void this_host_can_be_read(void **state)
{
    static const uint8_t salt[MACHINE_SALT_LEN] = {1};
    struct machine m;
    struct fault f = {0};

    (void)state;
    unsetenv("PRA_TEST_MACHINE");
    assert_int_equal(machine_read(salt, &m, &f), 0);
    assert_int_equal(m.source[MACHINE_CPU_MODEL], MACHINE_DIRECT);
    for (int id = 0; id < MACHINE_ID_COUNT; id++) {
        bool known = m.source[id] == MACHINE_DIRECT || m.source[id] == MACHINE_HELPER;

        assert_int_equal(m.value[id][0] != '\0', known);
        if (machine_id_private(id) && known) {
            assert_int_equal(strlen(m.value[id]), 64);
        }
    }
}

static void private_values_never_come_out_as_they_are(void **state)
{
    static const uint8_t salt[MACHINE_SALT_LEN] = {1};
    static const uint8_t other_salt[MACHINE_SALT_LEN] = {2};
    struct machine m;
    struct machine again;
    struct fault f = {0};

    (void)state;
    use_machine(office_pc);
    assert_int_equal(machine_read(salt, &m, &f), 0);
    assert_int_equal(machine_read(other_salt, &again, &f), 0);
    for (int id = 0; id < MACHINE_ID_COUNT; id++) {
        assert_int_equal(m.source[id], MACHINE_DIRECT);
        assert_int_equal(strcmp(m.value[id], again.value[id]) != 0, machine_id_private(id));
    }
    assert_string_equal(m.computer, "Sales-PC-07");
}

static void tag_tells_clones_apart_and_says_nothing_else(void **state)
{
    static const uint8_t salt[MACHINE_SALT_LEN] = {1};
    static const uint8_t other_salt[MACHINE_SALT_LEN] = {2};
    struct machine m;
    struct fault f = {0};
    char office[17];
    char tag[17];

    (void)state;
    use_machine(office_pc);
    assert_int_equal(machine_read(salt, &m, &f), 0);
    assert_int_equal(machine_tag(&m, office), 0);
    assert_int_equal(strlen(office), 16);
    for (int id = 0; id < MACHINE_ID_COUNT; id++) {
        use_office_pc_but(id, other_pc[id]);
        assert_int_equal(machine_read(salt, &m, &f), 0);
        assert_int_equal(machine_tag(&m, tag), 0);
        assert_int_equal(strcmp(tag, office) != 0,
                         id != MACHINE_MAC && (machine_id_strong(id) || machine_id_unique(id)));
    }
    use_machine(office_pc);
    assert_int_equal(machine_read(other_salt, &m, &f), 0);
    assert_int_equal(machine_tag(&m, tag), 0);
    assert_string_not_equal(tag, office);
}

/* A dock takes the card with it; a copied virtual machine has another one, and often nothing else. */
static void card_is_in_the_tag_where_nothing_else_is_unique(void **state)
{
    static const uint8_t salt[MACHINE_SALT_LEN] = {1};
    const char *bare[MACHINE_ID_COUNT];
    struct machine m;
    struct fault f = {0};
    char first[17];
    char second[17];

    (void)state;
    memcpy(bare, office_pc, sizeof(bare));
    bare[MACHINE_SMBIOS_UUID] = bare[MACHINE_BOARD_SERIAL] = bare[MACHINE_DISK_SERIAL] = NULL;
    use_machine(bare);
    assert_int_equal(machine_read(salt, &m, &f), 0);
    assert_int_equal(machine_tag(&m, first), 0);
    bare[MACHINE_MAC] = other_pc[MACHINE_MAC];
    use_machine(bare);
    assert_int_equal(machine_read(salt, &m, &f), 0);
    assert_int_equal(machine_tag(&m, second), 0);
    assert_string_not_equal(second, first);
}

static void test_provider_says_what_is_wrong_with_its_file(void **state)
{
    static const char *const bad[][2] = {
        {"[]", "not a JSON object"},
        {"{", "not a JSON object"},
        {"{\"nonsense\":\"x\"}", "nonsense"},
        {"{\"mac\":7}", "mac"},
    };
    static const uint8_t salt[MACHINE_SALT_LEN] = {1};
    struct machine m;

    (void)state;
    setenv("PRA_TEST_MACHINE", in_folder("bad.json"), 1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct fault f = {0};

        put_file("bad.json", bad[i][0]);
        assert_int_equal(machine_read(salt, &m, &f), PRA_EINVAL);
        assert_non_null(strstr(f.text, bad[i][1]));
    }
    setenv("PRA_TEST_MACHINE", in_folder("missing.json"), 1);
    assert_int_equal(machine_read(salt, &m, NULL), PRA_EIO);
}

static bool file_holds(const char *path, const char *word)
{
    size_t len;
    char *data;
    bool found;

    assert_int_equal(os_file_read(path, 64u << 20, &data, &len, NULL), 0);
    found = memmem(data, len, word, strlen(word)) != NULL;
    free(data);
    return found;
}

static void release_builds_do_not_hold_the_test_provider(void **state)
{
    static const char *const words[] = {"PRA_TEST_MACHINE", "PRA_TEST_LOG2_N"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_true(file_holds(built("test/lib/libkeys.a"), words[i]));
        assert_false(file_holds(built("lib/libkeys.a"), words[i]));
        assert_false(file_holds(built("pra-keyhelper"), words[i]));
    }
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_normalised),
        cmocka_unit_test(placeholders_do_not_count),
        IN_FOLDER(disk_nvme_behind_a_partition),
        IN_FOLDER(disk_sata_by_its_vpd_page),
        IN_FOLDER(disk_virtio_without_partitions),
        IN_FOLDER(disk_with_a_placeholder_falls_back_to_udev_and_wwid),
        IN_FOLDER(disk_below_lvm_and_luks),
        IN_FOLDER(disk_that_encryption_hides_is_named_so),
        IN_FOLDER(disk_mirror_gives_the_smallest_serial),
        IN_FOLDER(disk_of_btrfs_is_found_by_its_source),
        IN_FOLDER(containers_have_no_disk),
        IN_FOLDER(disk_search_survives_a_loop),
        IN_FOLDER(volume_id_by_udev_or_by_link),
        IN_FOLDER(network_card_is_the_first_that_is_hardware),
        IN_FOLDER(network_card_with_a_set_address_does_not_count),
        IN_FOLDER(a_whole_host_is_read),
        IN_FOLDER(an_empty_host_is_read_without_complaint),
        IN_FOLDER(arm_processors_have_a_model_too),
        cmocka_unit_test(this_host_can_be_read),
        IN_FOLDER(private_values_never_come_out_as_they_are),
        IN_FOLDER(tag_tells_clones_apart_and_says_nothing_else),
        IN_FOLDER(card_is_in_the_tag_where_nothing_else_is_unique),
        IN_FOLDER(test_provider_says_what_is_wrong_with_its_file),
        cmocka_unit_test(release_builds_do_not_hold_the_test_provider),
    };

    return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
