#!/usr/bin/python3
"""Makes the MSI of one language.

    msi.py --lang ja|en --version 1.2.3 --pra pra.exe --tray pra-tray.exe --setup-dll prasetup.dll
           --art FOLDER --licence LICENSE --work FOLDER --out FILE.msi

wixl makes files, cabinet and registry values (pra.wxs); then the tables that it does not know are
written and imported by msibuild, and everything is read back with msiinfo: what is not there as it
was meant to be ends the build.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import dialogs
from texts import LANGUAGES, text

HERE = Path(__file__).resolve().parent
UPGRADE_CODE = "{5B0C5E0E-5C53-4C5E-A9D3-0D9C3C7A6E10}"  # for ever: it says what PRA is
PRODUCT_SPACE = uuid.UUID("0f3c3c3e-6a0b-4f5d-9a51-1b7d6b0c2f11")
CODEPAGE = 65001

PERMANENT = 16
IMMEDIATE_DLL, SET_PROPERTY, REFUSE, LAUNCH = 1, 51, 19, 34 + 0xC0
AS_SYSTEM = 1024 + 2048  # in the script, without the user's rights
ON_COMMIT = 512

REMOVING = 'REMOVE = "ALL" AND NOT UPGRADINGPRODUCTCODE'
FRESH = "NOT Installed"

# Action: type, source, target.
CUSTOM_ACTIONS = {
    "PraFindOlder": (IMMEDIATE_DLL, "PraSetup", "PraFindOlder"),
    "PraRefuseOlder": (REFUSE, "", "older"),
    "PraRefuseNewer": (REFUSE, "", "newer"),
    "PraRefuseServer": (REFUSE, "", "server_bad"),
    "PraRefuseFingerprint": (REFUSE, "", "fingerprint_bad"),
    "PraRefuseAlone": (REFUSE, "", "fingerprint_alone"),
    "PraCheckServer": (IMMEDIATE_DLL, "PraSetup", "PraCheckServer"),
    "PraSetFingerprint": (SET_PROPERTY, "FINGERPRINT", "[OLDFINGERPRINT]"),
    "PraSetServer": (SET_PROPERTY, "SERVER", "[OLDSERVER]"),
    "PraSetAutostart": (SET_PROPERTY, "AUTOSTART", "1"),
    "PraSetDesktop": (SET_PROPERTY, "DESKTOP", "1"),
    "PraNoAutostart": (SET_PROPERTY, "AUTOSTART", "{}"),
    "PraNoDesktop": (SET_PROPERTY, "DESKTOP", "{}"),
    "PraChosen": (SET_PROPERTY, "PRACHOSEN", "1"),
    # Windows lets every user repair, as SYSTEM, and pass what SecureCustomProperties names: then these
    # and the folder are what they were.
    "PraTakeServer": (SET_PROPERTY, "PraServer", "[SERVER]"),
    "PraTakeFingerprint": (SET_PROPERTY, "PraFingerprint", "[FINGERPRINT]"),
    "PraRecall": (IMMEDIATE_DLL, "PraSetup", "PraRecall"),
    "PraAskData": (IMMEDIATE_DLL, "PraSetup", "PraAskData"),
    "PraCloseOwn": (IMMEDIATE_DLL, "PraSetup", "PraCloseClients"),
    "PraSetCloseAll": (SET_PROPERTY, "PraCloseAll", "[INSTALLDIR]"),
    "PraCloseAll": (IMMEDIATE_DLL + AS_SYSTEM, "PraSetup", "PraCloseClients"),
    "PraPrepareData": (IMMEDIATE_DLL + AS_SYSTEM, "PraSetup", "PraPrepareData"),
    "PraCheckFolder": (IMMEDIATE_DLL, "PraSetup", "PraCheckFolder"),
    "PraRefuseFolder": (REFUSE, "", "folder_bad"),
    "PraSetFolder": (SET_PROPERTY, "PraPrepareFolder", "[INSTALLDIR]"),
    "PraKeepFolder": (SET_PROPERTY, "PraPrepareFolder", "+[INSTALLDIR]"),
    "PraPrepareFolder": (IMMEDIATE_DLL + AS_SYSTEM, "PraSetup", "PraPrepareFolder"),
    "PraPurge": (IMMEDIATE_DLL + AS_SYSTEM + ON_COMMIT, "PraSetup", "PraPurge"),
    "PraLaunch": (LAUNCH, "INSTALLDIR", '"[INSTALLDIR]pra-tray.exe"'),
}

# What both sequences begin with. Remembered choices count unless others were given; what was chosen
# in the dialogs reaches the second sequence and is not chosen again there (PRACHOSEN).
OPENING = [
    ("FindRelatedProducts", "", 25),
    ("PraRefuseNewer", "NEWERFOUND AND NOT Installed", 26),
    ("AppSearch", "", 50),
    ("PraFindOlder", FRESH, 55),
    ("PraRefuseOlder", "OLDERCLIENT AND NOT Installed", 56),
    ("PraSetFingerprint", 'NOT PRACHOSEN AND FINGERPRINT = "" AND (SERVER = "" OR SERVER = OLDSERVER)', 60),
    ("PraSetServer", 'NOT PRACHOSEN AND SERVER = ""', 61),
    ("PraSetAutostart", 'NOT PRACHOSEN AND AUTOSTART = "" AND OLDAUTOSTART <> "on"', 62),
    ("PraSetDesktop", 'NOT PRACHOSEN AND DESKTOP = "" AND OLDDESKTOP = "on1"', 63),
    ("PraNoAutostart", 'AUTOSTART = "0"', 64),
    ("PraNoDesktop", 'DESKTOP = "0"', 65),
    ("PraChosen", "NOT PRACHOSEN", 66),
    ("LaunchConditions", "", 100),
]
EXECUTE = OPENING + [
    ("PraTakeServer", FRESH, 67),
    ("PraTakeFingerprint", FRESH, 68),
    ("PraRecall", "Installed", 69),
    ("PraCheckServer", FRESH, 70),
    ("PraRefuseServer", "SERVERBAD AND NOT Installed", 71),
    ("PraRefuseFingerprint", "FINGERPRINTBAD AND NOT Installed", 72),
    ("PraRefuseAlone", "FINGERPRINTALONE AND NOT Installed", 73),
    ("PraCheckFolder", FRESH, 1010),
    ("PraRefuseFolder", "FOLDERBAD AND NOT Installed", 1011),
    ("PraAskData", f'{REMOVING} AND REMOVEKEYS = ""', 1300),
    ("PraCloseOwn", "", 1350),
    ("RemoveExistingProducts", "", 1501),
    ("PraSetCloseAll", "", 1510),
    ("PraCloseAll", "", 1511),
    ("PraPrepareData", 'NOT (REMOVE = "ALL")', 1512),
    ("PraSetFolder", 'NOT (REMOVE = "ALL")', 1513),
    ("PraKeepFolder", 'NOT (REMOVE = "ALL") AND (Installed OR OLDERFOUND)', 1514),
    ("PraPrepareFolder", 'NOT (REMOVE = "ALL")', 1515),
    ("RemoveEnvironmentStrings", "", 3300),
    ("WriteEnvironmentStrings", "", 5200),
    ("PraPurge", f'{REMOVING} AND REMOVEKEYS = "1"', 6590),
]
# What is installed is weighed in the second sequence only: wine keeps the outcome of a first time, and
# then removes nothing.
SHOWN = OPENING + [
    ("CostInitialize", FRESH, 800),
    ("FileCost", FRESH, 900),
    ("CostFinalize", FRESH, 1000),
    ("WelcomeDlg", FRESH, 1100),
    ("MaintenanceDlg", 'Installed AND NOT RESUME AND NOT Preselected AND NOT (REMOVE = "ALL")', 1110),
    ("ProgressDlg", "", 1280),
    ("ExecuteAction", "", 1300),
    ("DoneDlg", "", -1),
    ("CancelledDlg", "", -2),
    ("FailedDlg", "", -3),
]

SCHEMAS = {
    **dialogs.SCHEMAS,
    "Environment": ("Environment", "Environment:s72 Name:l255 Value:L255 Component_:s72"),
}


def fail(message):
    sys.exit(f"msi.py: {message}")


def call(argv, **options):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, **options)
    if done.returncode != 0:
        fail(f"{' '.join(map(str, argv))} -> {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


# --- tables ------------------------------------------------------------------------------------
# Control characters within a field, as msidb and msibuild write them.
ESCAPES = {"\r": "\x11", "\n": "\x19", "\t": "\x10"}


def escape(value):
    value = str(value)
    for plain, written in ESCAPES.items():
        value = value.replace(plain, written)
    return value


def header(table):
    """The three lines that begin the text form of a table which wixl has not made."""
    keys, columns = SCHEMAS[table]
    names, types = zip(*(c.split(":") for c in columns.split()))
    return ["\t".join(names), "\t".join(types), "\t".join([table] + keys.split())]


class Package:
    """An MSI under construction."""

    def __init__(self, path, work):
        self.path, self.work = path, work

    def export(self, table):
        """(header, rows as text). Line breaks within fields are not marked, so rows are not split."""
        if table not in call(["msiinfo", "tables", self.path]).split():
            return header(table), ""
        raw = subprocess.run(["msiinfo", "export", self.path, table], capture_output=True, check=True).stdout
        lines = raw.decode().split("\r\n", 3)
        return lines[:3], lines[3]

    def read(self, table):
        """Rows of a table whose fields hold no line breaks."""
        return [line.split("\t") for line in self.export(table)[1].split("\r\n") if line]

    def write(self, table, rows):
        """The table holds exactly `rows` afterwards: read back, since tools that fail say nothing."""
        idt = self.work / f"{table}.idt"
        head, before = self.export(table)
        columns = head[0].count("\t") + 1
        full = [[str(v) for v in row] + [""] * (columns - len(row)) for row in rows]
        lines = head + ["\t".join(map(escape, row)) for row in full]
        idt.write_bytes("".join(line + "\r\n" for line in lines).encode())
        if before:
            call(["msibuild", self.path, "-q", f"DELETE FROM `{table}`"])
        call(["msibuild", self.path, "-i", idt])
        wanted = ["\t".join(row) + "\r\n" for row in full]
        found = self.export(table)[1]
        for row in wanted:
            if row not in found:
                fail(f"{table} lacks {row!r:.300}")
        if len(found) != sum(map(len, wanted)):
            fail(f"{table} holds more than was written")

    def merge(self, table, rows):
        """Rows of ours instead of those with the same first column, beside all others."""
        ours = {str(r[0]) for r in rows}
        kept = [r for r in self.read(table) if r[0] not in ours]
        self.write(table, kept + [list(map(str, r)) for r in rows])


def licence_rtf(path):
    """RTF of a plain text: what Windows Installer's scrollable text wants. No line breaks inside."""
    out = []
    for char in path.read_text(encoding="utf-8"):
        if char in "\\{}":
            out.append("\\" + char)
        elif char == "\n":
            out.append(r"\par ")
        elif ord(char) < 128:
            out.append(char)
        else:
            out.append(f"\\u{ord(char)}?")
    return r"{\rtf1\ansi\deff0{\fonttbl{\f0 Segoe UI;}}\fs16 " + "".join(out) + "}"


def product_code(args):
    """Another one for every other content, the same for the same: builds can be compared."""
    content = hashlib.sha256()
    for path in (args.pra, args.tray, args.setup_dll):
        content.update(Path(path).read_bytes())
    return "{" + str(uuid.uuid5(PRODUCT_SPACE, f"{args.version} {args.lang} {content.hexdigest()}")).upper() + "}"


def run_wixl(args, out):
    for name, source in {"pra.exe": args.pra, "pra-tray.exe": args.tray, "LICENSE.txt": args.licence,
                         "prasetup.dll": args.setup_dll}.items():
        shutil.copyfile(source, out.parent / name)
    for name in ("pra.ico", "side.bmp", "banner.bmp"):
        shutil.copyfile(Path(args.art) / name, out.parent / name)
    shutil.copyfile(HERE / "pra.wxs", out.parent / "pra.wxs")
    names = {"ProductCode": product_code(args), "UpgradeCode": UPGRADE_CODE, "Language": LANGUAGES[args.lang],
             "Version": args.version}
    defines = [word for name, value in names.items() for word in ("-D", f"{name}={value}")]
    # It ends with 0 whatever it did not understand, unless warnings are fatal.
    call(["wixl", "-a", "x64", "-o", out.name] + defines + ["pra.wxs"], cwd=out.parent,
         env={**os.environ, "G_DEBUG": "fatal-warnings"})


def properties(args):
    face, _ = dialogs.FONTS[args.lang]
    return [
        ["DefaultUIFont", "PraPlain"], ["PRA_FOLDER", "INSTALLDIR"], ["PRA_MAINTAIN", "Remove"],
        ["LicenceAccepted", "No"], ["LAUNCHPRA", "1"], ["ASKDATATEXT", text("ask_data", args.lang)],
        ["ALLUSERS", "1"], ["MSIRESTARTMANAGERCONTROL", "Disable"],
        # Files are weighed before the older version goes: without "a" one that is not newer would be
        # taken as there already, and be gone afterwards.
        ["REINSTALLMODE", "amus"],
        ["SecureCustomProperties", "AUTOSTART;DESKTOP;FINGERPRINT;INSTALLDIR;NEWERFOUND;OLDERFOUND;"
                                   "PRACHOSEN;REMOVEKEYS;SERVER"],
    ]


def fill(package, args):
    package.path.exists() or fail(f"{package.path} was not made")
    force = package.work / "codepage.idt"
    force.write_bytes(f"\r\n\r\n{CODEPAGE}\t_ForceCodepage\r\n".encode())
    call(["msibuild", package.path, "-i", force])

    for table, rows in dialogs.tables(args.lang, args.version, licence_rtf(Path(args.licence))).items():
        package.write(table, rows)
    package.write("CustomAction", [
        [name, kind, source, text(target, args.lang) if kind == REFUSE else target]
        for name, (kind, source, target) in CUSTOM_ACTIONS.items()])
    package.merge("InstallExecuteSequence", EXECUTE)
    package.write("InstallUISequence", SHOWN)
    # Any other package of this or an earlier version goes (1 + 256 + 512: features, both ends
    # included); a newer one is only detected (2).
    package.write("Upgrade", [[UPGRADE_CODE, "0.0.0", args.version, "", 1 + 256 + 512, "", "OLDERFOUND"],
                              [UPGRADE_CODE, args.version, "", "", 2, "", "NEWERFOUND"]])
    remembered = {"OLDSERVER": "Server", "OLDFINGERPRINT": "Fingerprint", "OLDAUTOSTART": "Autostart",
                  "OLDDESKTOP": "Desktop"}
    package.write("Signature", [])
    package.write("AppSearch", [[prop, f"Find{name}"] for prop, name in remembered.items()])
    package.write("RegLocator", [[f"Find{name}", 2, r"Software\PRA", name, 2 + 16]  # HKLM, 64 bit
                                 for name in remembered.values()])
    package.write("Environment", [["PraPath", "=-*PATH", "[~];[INSTALLDIR]", "Path"]])
    package.write("LaunchCondition", [["VersionNT64 AND VersionNT >= 603", text("windows_old", args.lang)],
                                      ["Privileged", text("not_admin", args.lang)]])
    package.merge("Property", properties(args))
    for table, column, old, key in (("Registry", 4, "PRA profile", "profile"), ("Shortcut", 6, "PRA", "shortcut")):
        package.write(table, [r[:column] + [text(key, args.lang) if r[column] == old else r[column]] + r[column + 1:]
                              for r in package.read(table)])

    for component in ("Server", "Choices"):
        row = next(r for r in package.read("Component") if r[0] == component)
        call(["msibuild", package.path, "-q",
              f"UPDATE `Component` SET `Attributes` = {int(row[3]) | PERMANENT} WHERE `Component` = '{component}'"])
    for component, condition in {"Server": "SERVER", "Autostart": "AUTOSTART", "Desktop": "DESKTOP"}.items():
        call(["msibuild", package.path, "-q",
              f"UPDATE `Component` SET `Condition` = '{condition}' WHERE `Component` = '{component}'"])
    check_components(package)
    call(["msibuild", package.path, "-s", f"PRA {args.version}", "PRA", f"x64;{LANGUAGES[args.lang]}",
          "{" + str(uuid.uuid4()).upper() + "}"])


def check_components(package):
    """Keys and logs are in no table, and what has to stay is marked so."""
    rows = {r[0]: r for r in package.read("Component")}
    for name, row in rows.items():
        if not int(row[3]) & 256:
            fail(f"component {name} is not 64 bit")
    for name in ("Server", "Choices"):
        if not int(rows[name][3]) & PERMANENT:
            fail(f"component {name} would go with the product")
    for name in ("Server", "Autostart", "Desktop"):
        if not rows[name][4]:
            fail(f"component {name} has no condition")
    if sorted(r[2].split("|")[-1] for r in package.read("File")) != ["LICENSE.txt", "pra-tray.exe", "pra.exe"]:
        fail("the files are not those of pra.wxs")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lang", choices=sorted(LANGUAGES), required=True)
    for name in ("version", "pra", "tray", "setup-dll", "art", "licence", "work", "out"):
        parser.add_argument(f"--{name}", required=True)
    args = parser.parse_args()
    work, out = Path(args.work), Path(args.out)
    work.mkdir(parents=True, exist_ok=True)
    unfinished = work / "unfinished.msi"
    unfinished.unlink(missing_ok=True)
    run_wixl(args, unfinished)
    fill(Package(unfinished, work), args)
    os.replace(unfinished, out)


if __name__ == "__main__":
    main()
