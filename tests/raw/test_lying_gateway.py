"""The client against a gateway that lies, stops, floods or breaks the rules: it ends in the right
state with the right message, it neither spins nor grows, and it stays able to do the next thing."""

import os
import socket
import time

import pytest

from lib.client import dial
from lib.gateway import sanitized
from lib.messages import assert_error
from lib.ports import free_port
from lib.procs import wait_until
from rawssh import (CLOSE, DATA, EOF, OPEN, OPEN_OK, REQUEST, SERVICE_ACCEPT, SERVICE_REQUEST, Reader, string,
                    u32)

TICKS = os.sysconf("SC_CLK_TCK")


def rule(port, target="target:80", id=1, **more):
    return {"id": id, "name": f"R{id}", "local": f"127.0.0.1:{port}", "fallback": None,
            "target": target, **more}


def stay(session, seconds=30):
    """An honest gateway for a while."""
    end = time.monotonic() + seconds
    session.pump(lambda: time.monotonic() > end, seconds + 5)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_mib(pid):
    if sanitized("pra"):
        return 0  # what was freed counts for a while: there is nothing to measure
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE") / (1 << 20)


def error_state(pc, message, timeout=10, state=None):
    def there():
        now = pc.status()
        return now if now["error"] and (state is None or now["state"] == state) else None
    now = wait_until(there, timeout, f"an error; now {pc.status()}", 0.1)
    assert_error(now["error"], message)
    return now


# --- before the control channel ------------------------------------------------------------


def test_version_line_that_is_no_ssh_is_told(pc, liar):
    liar(lambda s: s._send(b"220 mail ESMTP\r\n") or time.sleep(20))
    pc.try_connect(0)
    error_state(pc, "MSG_RULES_ADDRESS", state="error")


def test_endless_lines_before_the_version_do_not_hold_the_client(pc, liar):
    def flood(s):
        while True:
            s._send(b"SSH is here soon\r\n" * 1000)
    liar(flood)
    pc.try_connect(0)
    now = error_state(pc, "MSG_RULES_ADDRESS", 25)
    assert now["state"] == "error"


def test_random_bytes_after_the_version_end_the_attempt(pc, liar):
    def noise(s):
        s._send(b"SSH-2.0-noise\r\n")
        for _ in range(100):
            s._send(os.urandom(4096))
        time.sleep(10)
    liar(noise)
    pc.try_connect(0)
    wait_until(lambda: pc.status()["error"], 10, "an error")


def test_gateway_that_stops_in_the_handshake_is_told_as_blocked(pc, liar):
    liar(lambda s: s.versions() or time.sleep(60))
    pc.try_connect(0)
    error_state(pc, "MSG_LINK_BLOCKED", 25)


def test_refused_key_is_told_once_and_not_tried_again(pc, liar):
    g = liar(lambda s: s.handshake().login(accept=False))
    pc.try_connect(0)
    error_state(pc, "MSG_KEY_UNREGISTERED", state="error")
    clients = g.clients
    time.sleep(2)
    assert g.clients == clients


def test_other_host_key_gets_no_login(pc, liar):
    seen = []

    def script(s):
        s.handshake()
        while True:
            seen.append(s.recv()[0])
            if seen[-1] == SERVICE_REQUEST:
                s.send(bytes([SERVICE_ACCEPT]) + string("ssh-userauth"))
    liar(script)
    pc.set_server(fingerprint="SHA256:" + "A" * 43)
    pc.try_connect(0)
    error_state(pc, "MSG_HOSTKEY_CHANGED", state="error")
    assert 50 not in seen, "an authentication request was sent to an unknown gateway"


def test_server_without_our_subsystem_is_no_gateway(pc, liar):
    def script(s):
        s.handshake().login()
        while True:
            p = s.recv()
            if p[0] == OPEN:
                r = Reader(p[1:])
                r.string()
                s.send(bytes([92]) + u32(r.u32()) + u32(1) + string("no") + string(""))
    liar(script)
    pc.try_connect(0)
    error_state(pc, "MSG_RULES_ADDRESS", state="error")


# --- the control channel ----------------------------------------------------------------------


@pytest.mark.parametrize("line", [
    b"not json\n", b"[1,2,3]\n", b'{"type":7}\n', b'{"type":"welcome"}\n', b"\xff\xfe{}\n",
    b'{"type":"welcome","session":"x","clock":"yesterday"}\n', b"{" * 5000 + b"\n",
    b'{"a":' * 100 + b"1" + b"}" * 100 + b"\n", b'{"type":"rules","version":1,"rules":[]}\n',
], ids=range(9))
def test_bad_line_of_the_gateway_is_a_protocol_error(pc, liar, line):
    def script(s):
        s.handshake().login()
        s.start_control()
        s.say_raw(line)
        stay(s)
    liar(script)
    pc.try_connect(0)
    error_state(pc, "MSG_PROTOCOL", state="error")


def test_line_without_an_end_is_bounded(pc, liar):
    def script(s):
        s.handshake().login()
        s.start_control()
        while True:
            s.say_raw(b"x" * 32000)
    liar(script)
    pc.try_connect(0)
    error_state(pc, "MSG_PROTOCOL", 30, state="error")
    assert rss_mib(pc.agent_pid()) < 40


def test_rule_for_an_address_that_is_not_of_this_pc_alone_is_not_followed(pc, liar):
    port, good = free_port(), free_port()

    def script(s):
        s.up({**rule(port), "local": f"0.0.0.0:{port}"}, rule(good, id=2))
        stay(s)
    liar(script)
    pc.connect()
    forwards = pc.forwards()
    assert forwards["R1"]["state"] == "denied" and forwards["R2"]["state"] == "listening"
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("broken", [{"local": "127.0.0.1:99999"}, {"target": "a b:80"}, {"id": 0},
                                    {"name": "x" * 1000}, {"local": 80}, {"target": None}])
def test_malformed_rule_is_a_protocol_error(pc, liar, broken):
    def script(s):
        s.up({**rule(free_port()), **broken})
        stay(s)
    liar(script)
    pc.try_connect(0)
    error_state(pc, "MSG_PROTOCOL", state="error")


def test_more_rules_than_the_limit_are_refused_whole(pc, liar):
    def script(s):
        s.up(*[rule(1024 + i, id=i + 1) for i in range(1500)])
        stay(s)
    liar(script)
    pc.try_connect(0)
    error_state(pc, "MSG_PROTOCOL", state="error")


def test_gateway_that_never_answers_hello_is_told(pc, liar):
    def script(s):
        s.handshake().login()
        s.start_control()
        stay(s, 40)
    liar(script)
    pc.try_connect(0)
    error_state(pc, "MSG_LINK_BLOCKED", 25)


def test_flood_of_messages_is_survived_and_the_client_still_answers(pc, liar):
    def script(s):
        s.up(rule(free_port()))
        line = b'{"type":"open-failed","origin_port":1,"target":"t:1","reason":"denied"}\n'
        for _ in range(200):
            s.say_raw(line * 100)
        stay(s)
    liar(script)
    pc.connect()
    for _ in range(10):
        begun = time.monotonic()
        assert pc.agent_call(op="status")["ok"]
        assert time.monotonic() - begun < 2
    assert rss_mib(pc.agent_pid()) < 40


# --- channels ---------------------------------------------------------------------------------


def connected(pc, liar, script):
    """Runs `script(session, open)` for one local connection; returns that connection's socket."""
    port = free_port()

    def whole(s):
        s.up(rule(port))
        script(s, s.next_open())
    liar(whole)
    pc.connect()
    return dial(port)


def test_channels_that_the_gateway_opens_are_refused(pc, liar):
    refused = []

    def script(s):
        s.up(rule(free_port()))
        for kind in ("session", "x11", "forwarded-tcpip", "auth-agent@openssh.com", "direct-tcpip"):
            s.send(bytes([OPEN]) + string(kind) + u32(77) + u32(1 << 20) + u32(32768) +
                   string("127.0.0.1") + u32(22) + string("127.0.0.1") + u32(1))
        end = time.monotonic() + 2
        while time.monotonic() < end:
            s.sock.settimeout(0.5)
            try:
                p = s.recv()
                assert p[0] != OPEN_OK
                s.take(p)
            except TimeoutError:
                pass
        refused.append(s.refused_opens)
    g = liar(script)
    pc.connect()
    assert g.done.wait(20)
    assert refused, "the session must have lived on"


def test_data_past_the_window_ends_the_session(pc, liar):
    def script(s, opened):
        channel = opened[0]
        s.confirm(channel)
        for _ in range(4000):  # 128 MB, never read by the program
            s.give(channel, bytes(32000))
    try:
        with connected(pc, liar, script) as sock:
            wait_until(lambda: pc.status()["state"] != "connected", 10, "the session to end")
            with pytest.raises(ConnectionResetError):
                while sock.recv(1 << 20):
                    pass
    except ConnectionResetError:
        pass  # as early as in connect()
    assert rss_mib(pc.agent_pid()) < 40


@pytest.mark.parametrize("said", [0, 9, 11, 2**31, 2**32 - 1])
def test_data_that_lies_about_its_length_ends_the_session(pc, liar, said):
    def script(s, opened):
        s.confirm(opened[0])
        s.send(bytes([DATA]) + u32(opened[0]) + u32(said) + b"0123456789")
        stay(s, 3)
    try:
        with connected(pc, liar, script) as sock:
            wait_until(lambda: pc.status()["state"] != "connected", 10, "the session to end")
            with pytest.raises(ConnectionResetError):
                assert sock.recv(100) == b"", "nothing of it may be delivered"
    except ConnectionResetError:
        pass  # as early as in connect()


def exit_signal(channel, name, said=None):
    length = len(name) if said is None else said
    return (bytes([REQUEST]) + u32(channel) + string("exit-signal") + b"\0" + u32(length) + name)


@pytest.mark.parametrize("said", [1, 5, 2**20, 2**31, 2**32 - 1])
def test_signal_whose_name_is_cut_short_ends_the_session(pc, liar, said):
    def script(s, opened):
        s.confirm(opened[0])
        s.send(exit_signal(opened[0], b"RST@"[:said - 1], said))
        stay(s, 3)
    try:
        with connected(pc, liar, script) as sock:
            wait_until(lambda: pc.status()["state"] != "connected", 10, "the session to end")
            with pytest.raises(ConnectionResetError):
                sock.recv(100)
    except ConnectionResetError:
        pass  # as early as in connect()


@pytest.mark.parametrize("names", [[b"RST@pra"], [b"KILL", b"", b"RST@pra"] * 300])
def test_signal_says_that_the_target_reset_its_connection(pc, liar, names):
    def script(s, opened):
        s.confirm(opened[0])
        s.give(opened[0], b"data")
        for name in names:
            s.send(exit_signal(opened[0], name))
        s.send(bytes([EOF]) + u32(opened[0]))
        s.send(bytes([CLOSE]) + u32(opened[0]))
        stay(s, 3)
    try:
        with connected(pc, liar, script) as sock:
            with pytest.raises(ConnectionResetError):
                assert sock.recv(100) == b"data"
                sock.recv(100)
    except ConnectionResetError:
        pass  # as early as in connect()
    assert pc.status()["state"] == "connected"


@pytest.mark.parametrize("names", [[], [b""], [b"KILL"], [b"RST@pra\0x"[:6]], [b"RST@pra", b"TERM"]])
def test_any_other_signal_is_an_orderly_end(pc, liar, names):
    def script(s, opened):
        s.confirm(opened[0])
        for name in names:
            s.send(exit_signal(opened[0], name))
        s.send(bytes([EOF]) + u32(opened[0]))
        s.send(bytes([CLOSE]) + u32(opened[0]))
        stay(s, 3)
    with connected(pc, liar, script) as sock:
        assert sock.recv(100) == b""


def test_slow_program_does_not_make_the_agent_hoard(pc, liar):
    """A gateway that keeps to the window: what is granted is what may be in memory."""
    peak = []

    def script(s, opened):
        channel, sent = opened[0], 0
        s.confirm(channel)
        end = time.monotonic() + 4
        s.sock.settimeout(0.2)
        while time.monotonic() < end:
            while sent + 32000 <= s.granted[channel]:
                s.give(channel, bytes(32000))
                sent += 32000
            try:
                s.take(s.recv())
            except TimeoutError:
                pass
        peak.append(sent)
    with connected(pc, liar, script):
        time.sleep(5)
    assert peak and peak[0] < 24 << 20
    assert rss_mib(pc.agent_pid()) < 40


@pytest.mark.parametrize("window, packet", [(0, 32768), (1, 1), (2**32 - 1, 2**32 - 1), (100, 0),
                                            (1 << 20, 0)])
def test_strange_windows_neither_spin_nor_crash(pc, liar, window, packet):
    def script(s, opened):
        s.confirm(opened[0], window, packet)
        stay(s, 4)
    with connected(pc, liar, script) as sock:
        sock.sendall(bytes(10000))
        time.sleep(0.5)
        pid = pc.agent_pid()
        before = cpu_seconds(pid)
        time.sleep(2)
        assert cpu_seconds(pid) - before < 0.5, "the agent spins"


def test_window_adjustments_that_overflow_are_survived(pc, liar):
    def script(s, opened):
        s.confirm(opened[0], 1000)
        for _ in range(8):
            s.send(bytes([93]) + u32(opened[0]) + u32(2**32 - 1))
        stay(s, 3)
    with connected(pc, liar, script) as sock:
        sock.sendall(bytes(100000))
        time.sleep(1)
        assert pc.agent_call(op="status")["ok"]


def test_packets_for_channels_that_do_not_exist_change_nothing(pc, liar):
    def script(s, opened):
        s.confirm(opened[0])
        for kind in (DATA, EOF, CLOSE, 93, 95, 98, 99, 100):
            for channel in (77, 2**32 - 1):
                s.send(bytes([kind]) + u32(channel) + string(b"x" * 20))
        s.give(opened[0], b"still here")
        stay(s, 3)
    with connected(pc, liar, script) as sock:
        assert sock.recv(10) == b"still here"


def test_close_and_data_after_it_end_the_connection_only(pc, liar):
    def script(s, opened):
        s.confirm(opened[0])
        s.give(opened[0], b"last")
        s.send(bytes([CLOSE]) + u32(opened[0]))
        s.give(opened[0], b"after the end")
        s.send(bytes([EOF]) + u32(opened[0]))
        stay(s, 3)
    with connected(pc, liar, script) as sock:
        assert sock.recv(4) == b"last"
        assert sock.recv(100) in (b"", b"after the end")
    assert pc.status()["state"] == "connected"


def test_opens_that_are_never_answered_hold_nobody_up(pc, liar):
    """A dead target beside a live one, by a gateway that answers the one and not the others."""
    port = free_port()

    def script(s):
        s.up(rule(port))
        for _ in range(20):
            s.next_open()
        channel = s.next_open()[0]
        s.confirm(channel)
        s.give(channel, b"alive")
        stay(s, 5)
    liar(script)
    pc.connect()
    waiting = [dial(port) for _ in range(20)]
    with dial(port) as live:
        live.settimeout(5)
        assert live.recv(5) == b"alive"
    for sock in waiting:
        sock.close()


def test_flood_of_packets_that_nobody_waits_for_does_not_fill_memory(pc, liar):
    def script(s):
        s.up(rule(free_port()))
        packets = b"".join(s.pack(bytes([kind]) + bytes(1000)) for kind in (81, 82, 99, 100, 2, 4)
                           for _ in range(50))
        s._send(packets)
        for _ in range(200):
            s._send(b"".join(s.pack(bytes([82]) + bytes(30000)) for _ in range(20)))
        stay(s, 5)
    liar(script)
    pc.connect()
    time.sleep(4)
    assert rss_mib(pc.agent_pid()) < 40
    assert pc.agent_call(op="status")["ok"]


def test_flipped_bit_ends_the_session_and_delivers_nothing(pc, liar):
    def script(s, opened):
        s.confirm(opened[0])
        s.give(opened[0], b"good")
        packet = bytearray(s.pack(bytes([DATA]) + u32(opened[0]) + string(b"evil" * 10)))
        packet[30] ^= 1
        s._send(bytes(packet))
        time.sleep(5)
    data = b""
    try:
        with connected(pc, liar, script) as sock:
            sock.settimeout(5)
            while part := sock.recv(100):
                data += part
    except ConnectionResetError:
        pass  # it may come as early as connect() returns
    assert b"evil" not in data
    wait_until(lambda: pc.status()["state"] != "connected", 5, "the session to end")


def test_rekeys_one_after_another_lose_nothing(pc, liar):
    def script(s, opened):
        s.confirm(opened[0])
        for i in range(20):
            s.give(opened[0], b"%03d" % i)
            s.exchange()
        s.give(opened[0], b"end")
        stay(s, 3)
    with connected(pc, liar, script) as sock:
        data = b""
        sock.settimeout(10)
        while not data.endswith(b"end"):
            data += sock.recv(1000)
        assert data == b"".join(b"%03d" % i for i in range(20)) + b"end"


def test_silent_gateway_is_probed_and_given_up(pc, liar):
    probes = []

    def script(s):
        s.up(rule(free_port()))
        end = time.monotonic() + 2.5
        s.sock.settimeout(0.3)
        while time.monotonic() < end:  # takes the probes, answers none
            try:
                p = s.recv()
                if p[0] == 80:
                    probes.append(p)
            except TimeoutError:
                pass
        time.sleep(5)
    path = os.path.join(pc.home, "config.ini")
    liar(script)
    with open(path) as f:
        config = f.read()
    pc.configure("dead_peer", delay="1s", timeout="3s")
    try:
        pc.connect()
        pc.wait_state("waiting", 6)
        assert probes
    finally:
        with open(path, "w") as f:
            f.write(config)


def test_idle_agent_uses_no_cpu(pc, liar):
    def script(s):
        s.up(rule(free_port()))
        stay(s, 8)
    liar(script)
    pc.connect()
    pid = pc.agent_pid()
    time.sleep(1)
    before = cpu_seconds(pid)
    time.sleep(5)
    assert cpu_seconds(pid) - before <= 0.02


def test_key_exchange_with_a_name_that_is_no_method_is_refused(pc, liar):
    """ "ext-info-c" and "kex-strict-c-v00@openssh.com" are marks in the list, not methods. """
    def script(s):
        s.versions(b"SSH-2.0-raw_gateway")
        honest = s.kexinit()
        for pseudo in ("kex-strict-c-v00@openssh.com", "ext-info-c"):
            s.send(honest[:17] + string(pseudo) + honest[17 + 4 + len("curve25519-sha256"):])
            while True:
                s.recv()
    liar(script)
    pc.try_connect(0)
    wait_until(lambda: pc.status()["error"], 10, "an error")
    assert pc.agent_call(op="info")["ok"]


def test_echo_of_the_clients_own_words_is_no_gateway(pc, liar):
    def script(s):
        while data := s.sock.recv(4096):
            s._send(data)
    liar(script)
    pc.try_connect(0)
    wait_until(lambda: pc.status()["error"], 25, "an error")
    assert pc.agent_call(op="info")["ok"]
