"""What PRA is not for: shells, commands, agents, X11, sockets, remote forwards. Refused and audited."""

import os
import socket

import pytest

from lib.client import dial
from lib.ports import free_port
from lib.procs import port_answers, wait_until
from lib.standard import OpenSSH


@pytest.fixture
def ssh(gateway, folder):
    client = OpenSSH(f"{folder}/ssh", gateway).register()
    client.trust_host()
    gateway.add_rule("suzuki", "All", "127.0.0.0/8:1-65535")
    yield client
    client.stop()


@pytest.mark.parametrize("args", [[], ["id"], ["-tt"], ["-s", "sftp"], ["-s", "pra@v2"]],
                         ids=["shell", "exec", "pty", "sftp", "unknown-subsystem"])
def test_sessions_other_than_the_control_channel_are_refused_and_audited(gateway, ssh, args):
    options = [a for a in args if a.startswith("-")]
    words = [a for a in args if not a.startswith("-")]
    result = ssh.run(*options, "suzuki@127.0.0.1", *words)
    assert result.status != 0
    assert "uid=" not in result.out
    assert gateway.wait_audit("request-refused", user="suzuki")["device"] == ssh.fingerprint()


def test_remote_forward_is_refused_and_audited(gateway, ssh):
    remote = free_port()
    process = ssh.start("-o", "ExitOnForwardFailure=yes", "-R", f"127.0.0.1:{remote}:127.0.0.1:9")
    assert process.wait(10) != 0
    assert not port_answers(remote)
    gateway.wait_audit("request-refused", user="suzuki")


def test_remote_forward_of_a_socket_is_refused_and_audited(gateway, ssh, folder):
    process = ssh.start("-o", "ExitOnForwardFailure=yes", "-R", f"{folder}/r.sock:127.0.0.1:9")
    assert process.wait(10) != 0
    assert not os.path.exists(f"{folder}/r.sock")
    gateway.wait_audit("request-refused", user="suzuki")


def test_forward_to_a_socket_is_refused_and_audited(gateway, ssh, folder):
    path = f"{folder}/secret.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)
        local = free_port()
        ssh.start("-L", f"127.0.0.1:{local}:{path}").wait_port(local)
        with dial(local) as s:
            s.sendall(b"hello")
            try:
                assert s.recv(1) == b""
            except ConnectionResetError:
                pass
        listener.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listener.accept()
    wait_until(lambda: gateway.audit("request-refused") or gateway.audit("channel-refused"), 5,
               "the audit record")


def test_agent_forwarding_is_refused(gateway, ssh):
    with socket.socket(socket.AF_UNIX) as agent:
        path = f"{ssh.dir}/agent.sock"
        agent.bind(path)
        agent.listen(1)
        result = ssh.run("-A", "-o", f"ForwardAgent={path}", "suzuki@127.0.0.1", "id")
        assert result.status != 0
    gateway.wait_audit("request-refused", user="suzuki")


def test_x11_forwarding_is_refused_and_audited(gateway, ssh):
    result = ssh.run("-Y", "-o", "XAuthLocation=/bin/true", "suzuki@127.0.0.1", "id")
    assert result.status != 0
    gateway.wait_audit("request-refused", user="suzuki")


def test_tunnel_device_is_refused(gateway, ssh):
    result = ssh.run("-w", "0:0", "suzuki@127.0.0.1", "id")
    assert result.status != 0


def test_dynamic_forwarding_obeys_the_rules(gateway, ssh, target):
    """ssh -D opens direct-tcpip to whatever the SOCKS client names."""
    allowed = target().port
    gateway.add_rule("suzuki", "Stop", "localhost:1-65535", action="deny", position=1)
    local = free_port()
    ssh.start("-D", f"127.0.0.1:{local}").wait_port(local)
    assert socks(local, "127.0.0.1", allowed) == b"hello"
    assert socks(local, "10.255.255.1", allowed) is None


def socks(port, host, target_port):
    """SOCKS5 to host:target_port, says hello, returns the echo; None when it is refused."""
    with dial(port) as s:
        s.sendall(b"\5\1\0")
        assert s.recv(2) == b"\5\0"
        s.sendall(b"\5\1\0\3" + bytes([len(host)]) + host.encode() + target_port.to_bytes(2, "big"))
        answer = s.recv(10)
        if len(answer) < 2 or answer[1] != 0:
            return None
        s.sendall(b"hello")
        return s.recv(5)


def test_password_login_is_not_offered(gateway, ssh):
    result = ssh.run("-N", "-o", "PreferredAuthentications=password,keyboard-interactive,none",
                     "suzuki@127.0.0.1")
    assert result.status == 255
    assert "Permission denied (publickey)" in result.err
