"""Another machine on this one: namespaces with a hostname, machine-id, DMI and CPU of their own.

The release build of pra sees what it would read on that machine. Needs root.
"""

import os

# $1 folder with hostname, machine-id, cpuinfo and dmi/; then the command.
ENTER = r"""
set -eu
dir=$1; shift
hostname "$(cat "$dir/hostname")"
mount --bind "$dir/machine-id" /etc/machine-id
mount --bind "$dir/cpuinfo" /proc/cpuinfo
# sysfs lets nobody make folders: a copy of the classes that pra reads, its links still leading into
# the real /sys/devices, is laid over it.
mkdir -p "$dir/class/dmi/id"
cp "$dir"/dmi/* "$dir/class/dmi/id/"
[ -e "$dir/class/net" ] || cp -dR /sys/class/net /sys/class/block "$dir/class/"
mount --bind "$dir/class" /sys/class
exec "$@"
"""


def machine(folder, hostname, machine_id, uuid, board, bios, cpu):
    """Lays the files of a machine into `folder`; returns the prefix that runs a command on it."""
    dmi = os.path.join(folder, "dmi")
    os.makedirs(dmi)
    with open("/proc/cpuinfo") as f:
        cpuinfo = "".join(f"model name\t: {cpu}\n" if line.startswith("model name") else line
                          for line in f)
    files = {"hostname": hostname, "machine-id": machine_id, "cpuinfo": cpuinfo,
             "dmi/product_uuid": uuid, "dmi/board_serial": board, "dmi/bios_vendor": "Vendor",
             "dmi/bios_version": bios, "dmi/sys_vendor": "Vendor", "dmi/product_name": "Laptop"}
    for name, text in files.items():
        with open(os.path.join(folder, name), "w") as f:
            f.write(text if text.endswith("\n") else text + "\n")
    return ["unshare", "--mount", "--uts", "sh", "-c", ENTER, "sh", folder]
