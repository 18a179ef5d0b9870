"""The packages with the real programs inside: installed silently, used, upgraded, removed with and without data."""

import concurrent.futures
import glob
import os
import uuid

import pytest

from lib.installedclient import NEXT, VERSION, InstalledClient, RealInstaller, make_real_packages
from lib.installers import PROGRAM
from lib.ports import free_port

CONNECTED = {"ja": "接続が完了し、ポート転送を開始しました", "en": "Connected; port forwarding has begun"}
OWN_SETTINGS = "[log]\nkeep = 3\n"
full = pytest.mark.windows_full


@pytest.fixture(params=[("msi", "ja"), ("nsis", "en"), pytest.param(("msi", "en"), marks=full),
                        pytest.param(("nsis", "ja"), marks=full)], ids="-".join)
def installation(request, folder, windows_pc, real_packages):
    kind, lang = request.param
    installer = RealInstaller(kind, real_packages(kind, lang), windows_pc)
    yield installer, lang, InstalledClient(windows_pc, lang, folder)
    if installer.version():
        installer.remove(installer.version(), lang, REMOVEKEYS=1)


@pytest.fixture
def real_packages(folder, installer_parts):
    def make(kind, lang):
        where = [f"{folder}/{version}" for version in (VERSION, NEXT)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for one in [pool.submit(make_real_packages, path, kind, lang, os.path.basename(path)) for path in where]:
                one.result()
        for path in [p for w in where for p in glob.glob(f"{w}/PRA-*")]:
            os.rename(path, f"{folder}/{os.path.basename(path)}")
        return folder
    return make


def test_installed_client_is_used_upgraded_and_removed(installation, gateway, company):
    installer, lang, client = installation
    subject, port = f"installed {uuid.uuid4()}", free_port()
    company.mail.put_mail(subject, "お世話になっております。", name="installed")
    gateway.add_user("suzuki")
    gateway.add_rule("suzuki", "POP", f"127.0.0.1:{company.mail.pop3}", port)

    def connect_and_read():
        assert CONNECTED[lang] in client.connect().out
        assert subject in client.mail(company.mail, port)

    # Nothing is set but by the installer.
    assert installer.install(VERSION, lang, SERVER=gateway.address, FINGERPRINT=gateway.fingerprint()) == 0
    assert client.run("--version").out.strip() == f"pra {VERSION}"
    client.set_own_settings(OWN_SETTINGS)
    gateway.add_key("suzuki", client.make_key("suzuki"))
    connect_and_read()
    key = installer.read_key()

    # Over a running agent: it ends, and its key, its user's settings and the installed server stay.
    assert installer.install(NEXT, lang) == 0
    assert client.run("--version").out.strip() == f"pra {NEXT}"
    assert client.run("status").status == 3
    assert installer.read_key() == key and client.own_settings() == OWN_SETTINGS.encode()
    shown = client.json("server", "show")
    assert (shown["server"], shown["fingerprint"]) == (gateway.address, gateway.fingerprint())
    connect_and_read()
    log = client.system_log()
    assert f"agent {VERSION} begins" in log and f"agent {NEXT} begins" in log

    # Removed under a running agent; what is the user's stays, and the next installation has it.
    assert installer.remove(NEXT, lang) == 0
    assert not os.path.exists(client.pc.unix_path(PROGRAM))
    assert installer.read_key() == key and client.own_settings() == OWN_SETTINGS.encode()
    assert client.system_log().startswith(log)
    assert installer.install(NEXT, lang) == 0
    connect_and_read()

    # Removed with everything.
    assert installer.remove(NEXT, lang, REMOVEKEYS=1) == 0
    assert not os.path.exists(client.data) and not client.logs()
    assert not os.path.exists(client.pc.unix_path(PROGRAM)) and installer.remembered() is None
