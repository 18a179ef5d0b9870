"""Whole machines for the test provider: build/test/pra reads one from PRA_TEST_MACHINE."""

import json

IDENTIFIERS = ("smbios_uuid", "board_serial", "disk_serial", "volume_id", "machine_id",
               "computer_name", "cpu_model", "mac")

OFFICE_PC = {
    "smbios_uuid": "4c4c4544-0042-3510-8052-b4c04f573632",
    "board_serial": "/7B5R6W2/CN1296314A00F3/",
    "bios_vendor": "Dell Inc.",
    "bios_version": "1.21.0",
    "disk_serial": "S5GXNX0T812345",
    "volume_id": "2f6d1b0e-7a3e-4e2b-9a58-8c3f0f1c2d77",
    "machine_id": "5b1c9f0e7d3a4c6b8e2f1a0d9c8b7a65",
    "computer_name": "SALES-PC-07",
    "cpu_model": "Intel(R) Core(TM) i5-8365U CPU @ 1.60GHz",
    "mac": "d8:9e:f3:1a:2b:3c",
    "user_name": "suzuki",
    "os_build": "12.11",
}

OTHER_PC = {
    "smbios_uuid": "03000200-0400-0500-0006-0b0700080009",
    "board_serial": "PF2K9XYZ1",
    "bios_vendor": "LENOVO",
    "bios_version": "N2HET75W",
    "disk_serial": "WD-WX11E4372819",
    "volume_id": "b7a1d8c2-0d4f-4e39-8c0b-5f2e6a9d1c33",
    "machine_id": "e2d4c6b8a09182736455463728190abc",
    "computer_name": "HOME-PC",
    "cpu_model": "AMD Ryzen 7 5700U with Radeon Graphics",
    "mac": "54:e1:ad:77:88:99",
    "user_name": "guest",
    "os_build": "13.1",
}


def changed(machine, **identifiers):
    """A copy with some identifiers replaced; None removes one."""
    merged = {**machine, **identifiers}
    return {k: v for k, v in merged.items() if v is not None}


def write(path, machine):
    with open(path, "w") as f:
        json.dump(machine, f)
    return str(path)
