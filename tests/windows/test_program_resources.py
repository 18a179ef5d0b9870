"""What Windows reads of the programs as files: icon, version, manifest, and how they may be loaded."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pefile
import pytest

from lib.installers import BUILD, ROOT

VERSION = re.search(r"^VERSION := (.*)$", Path(ROOT, "Makefile").read_text(), re.M)[1]
SUBSYSTEM = {"pra.exe": 3, "pra-tray.exe": 2}  # of a console, of windows
ICON_SIZES = {16, 20, 24, 32, 40, 48, 64, 128, 256}
ASM = "{urn:schemas-microsoft-com:asm.%s}"
SETTINGS = "{http://schemas.microsoft.com/SMI/%s/WindowsSettings}"
WINDOWS_10 = "{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}"


class Program:
    def __init__(self, name):
        self.name = name
        self.pe = pefile.PE(f"{BUILD}/windows/{name}", fast_load=True)
        self.pe.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_RESOURCE"]])

    def resources(self, kind):
        """{id: bytes} of one kind; a number stands for each language's."""
        number = pefile.RESOURCE_TYPE[kind]
        found = [e for e in self.pe.DIRECTORY_ENTRY_RESOURCE.entries if e.struct.Id == number]
        return {one.struct.Id: self.pe.get_data(lang.data.struct.OffsetToData, lang.data.struct.Size)
                for entry in found for one in entry.directory.entries for lang in one.directory.entries}


@pytest.fixture(scope="module", params=sorted(SUBSYSTEM))
def program(request):
    made = Program(request.param)
    yield made
    made.pe.close()


def test_icon_is_there_in_every_size(program):
    group, = program.resources("RT_GROUP_ICON").values()  # the one that Explorer shows
    pictures = program.resources("RT_ICON")
    count = int.from_bytes(group[4:6], "little")
    entries = [group[6 + 14 * i:20 + 14 * i] for i in range(count)]
    assert {e[0] or 256 for e in entries} == {e[1] or 256 for e in entries} == ICON_SIZES
    assert all(int.from_bytes(e[6:8], "little") == 32 for e in entries)  # with transparency
    for e in entries:
        picture = pictures[int.from_bytes(e[12:14], "little")]
        assert len(picture) == int.from_bytes(e[8:12], "little")
        assert len(set(picture)) > 2  # not blank


def test_version_is_the_makefiles_in_both_languages(program):
    fixed, = program.pe.VS_FIXEDFILEINFO
    for high, low in ((fixed.FileVersionMS, fixed.FileVersionLS), (fixed.ProductVersionMS, fixed.ProductVersionLS)):
        assert f"{high >> 16}.{high & 0xffff}.{low >> 16}" == VERSION
    tables = [t for info in program.pe.FileInfo[0] if info.Key == b"StringFileInfo" for t in info.StringTable]
    assert {t.LangID for t in tables} == {b"041104b0", b"040904b0"}
    for t in tables:
        words = {k.decode(): v.decode() for k, v in t.entries.items()}
        assert words["FileVersion"] == words["ProductVersion"] == VERSION
        assert words["OriginalFilename"] == program.name
        assert words["ProductName"] == "PRA" and words["FileDescription"] and words["CompanyName"]


def test_manifest_asks_for_no_rights_and_says_what_the_program_can(program):
    manifest = ElementTree.fromstring(program.resources("RT_MANIFEST")[1])
    level = manifest.find(f".//{ASM % 'v3'}requestedExecutionLevel")
    assert level.attrib == {"level": "asInvoker", "uiAccess": "false"}

    def setting(year, name):
        return manifest.find(f".//{SETTINGS % year}{name}").text
    assert setting(2016, "dpiAwareness") == "PerMonitorV2"
    assert setting(2019, "activeCodePage") == "UTF-8"
    assert setting(2016, "longPathAware") == "true"
    assert [e.attrib["Id"] for e in manifest.iter("{urn:schemas-microsoft-com:compatibility.v1}supportedOS")] == [WINDOWS_10]
    controls = manifest.find(f".//{ASM % 'v1'}dependentAssembly/{ASM % 'v1'}assemblyIdentity").attrib
    assert (controls["name"], controls["version"]) == ("Microsoft.Windows.Common-Controls", "6.0.0.0")


def test_program_is_loaded_anywhere_and_runs_no_data(program):
    assert program.pe.OPTIONAL_HEADER.Subsystem == SUBSYSTEM[program.name]
    assert program.pe.FILE_HEADER.Machine == pefile.MACHINE_TYPE["IMAGE_FILE_MACHINE_AMD64"]
    flags = program.pe.OPTIONAL_HEADER
    assert flags.IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE and flags.IMAGE_DLLCHARACTERISTICS_NX_COMPAT
    assert flags.IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA
    assert program.pe.OPTIONAL_HEADER.DATA_DIRECTORY[5].Size  # with the relocations that this needs


def test_dlls_are_taken_from_the_systems_folder_alone(program):
    """A DLL beside the program (in Downloads, on a stick) is not loaded, also one that is linked."""
    where = program.pe.OPTIONAL_HEADER.DATA_DIRECTORY[10]
    assert where.VirtualAddress and where.Size
    program.pe.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG"]])
    config = program.pe.DIRECTORY_ENTRY_LOAD_CONFIG.struct
    assert config.Size == where.Size
    assert config.Reserved1 == 0x800  # DependentLoadFlags: LOAD_LIBRARY_SEARCH_SYSTEM32
    # What Windows fills with chance at the start lies in data that can be written.
    cookie = config.SecurityCookie - program.pe.OPTIONAL_HEADER.ImageBase
    section, = [s for s in program.pe.sections if s.contains_rva(cookie)]
    assert section.IMAGE_SCN_MEM_WRITE
