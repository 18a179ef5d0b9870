"""Second factors against peers that forge: what was signed is what logs in, and a code is good once."""

import sqlite3
import threading
import time

import pytest

from lib.factor import Authenticator
from lib.procs import wait_until
from rawssh import (AUTH_FAILURE, AUTH_REQUEST, AUTH_SUCCESS, Closed, Reader, string, u32)
from test_control import Control, hello

INFO_REQUEST, INFO_RESPONSE = 60, 61
PRA = b"SSH-2.0-PRA_1.0"


def interactive(user):
    return bytes([AUTH_REQUEST]) + string(user) + string("ssh-connection") + string("keyboard-interactive") + u32(0) * 2


def response(*answers):
    return bytes([INFO_RESPONSE]) + u32(len(answers)) + b"".join(map(string, answers))


def failure(packet):
    """(methods, partial success) of a refusal."""
    assert packet[0] == AUTH_FAILURE
    r = Reader(packet[1:])
    return r.string().decode(), bool(r.byte())


def at_door(user, ours=b"SSH-2.0-raw_test"):
    c = user.connect()
    c.versions(ours)
    c.exchange().service()
    return c


def signed(user, ours=b"SSH-2.0-raw_test", name=None):
    """Its key has signed, and the gateway wants more."""
    c = at_door(user, ours)
    c.send(c.sign_request(name or user.name, user.key))
    assert failure(c.recv()) == ("keyboard-interactive", True)
    return c


def prompted(user, ours=b"SSH-2.0-raw_test"):
    c = signed(user, ours)
    c.send(interactive(user.name))
    assert c.recv()[0] == INFO_REQUEST
    return c


def answered(c, *answers):
    """The gateway's next word: a packet, or why it left."""
    try:
        c.send(response(*answers))
        return c.recv()
    except Closed as e:
        return str(e)


def succeeds(c, answer):
    got = answered(c, answer)
    return not isinstance(got, str) and got[0] == AUTH_SUCCESS


@pytest.fixture
def app(gateway, user):
    return Authenticator(gateway, user.name)


@pytest.fixture
def strict(make_user, gateway):
    """A user whose key is for the PRA client only, with his authenticator."""
    made = make_user(gateway, any_client=False)
    made.app = Authenticator(gateway, made.name)
    return made


# --- order and identity ---------------------------------------------------------------------------


def test_prompt_is_one_question_without_echo(user, app):
    c = signed(user)
    c.send(interactive(user.name))
    r = Reader(c.recv()[1:])
    assert [r.string(), r.string(), r.string()] == [b"", b"", b""] and r.u32() == 1
    assert r.string() == b"Code of your authenticator app: " and r.byte() == 0


def ends(c, packet):
    """An answer that nobody has asked for ends the connection."""
    c.send(packet)
    return c.closed_within(3)


def test_no_code_is_looked_at_before_the_key_has_signed(gateway, user, app):
    c = at_door(user)
    c.send(interactive("alice"))
    assert failure(c.recv()) == ("publickey", False)
    gateway.wait_audit("login-refused", reason="method", user="alice")
    assert ends(c, response(app.code()))
    assert ends(at_door(user), response(app.code())) and ends(at_door(user), response(""))
    assert gateway.admin("factor", "show", "alice")["wrong"] == 0
    assert succeeds(prompted(user), app.code())


def test_other_user_name_forgets_what_was_signed(gateway, user, app, make_user):
    """alice's key has signed; bob, who owes no code, is named at the prompt."""
    make_user(gateway, "bob")
    c = signed(user)
    c.send(interactive("bob"))
    for packet in (interactive("alice"), interactive("bob")):
        assert failure(c.recv()) == ("publickey", False)
        c.send(packet)
    assert failure(c.recv()) == ("publickey", False)
    assert ends(c, response(app.code()))
    assert gateway.audit("login") == []


def test_code_of_another_user_opens_nothing(gateway, user, app, make_user):
    """bob has signed with his key and a code of his own: neither takes him in as alice, nor alice as bob."""
    bob = make_user(gateway, "bob")
    his = Authenticator(gateway, "bob")
    c = prompted(user)
    c.send(c.sign_request("bob", bob.key))
    assert failure(c.recv()) == ("keyboard-interactive", True)
    c.send(response(app.code()))  # to the prompt that alice had
    assert failure(c.recv()) == ("publickey", False)
    c = prompted(user)
    assert failure(answered(c, his.code())) == ("keyboard-interactive", False)
    assert gateway.audit("login") == []
    c = prompted(bob)
    assert succeeds(c, his.code())
    event = gateway.wait_audit("login", reason="code")
    assert event["user"] == "bob" and event["device"] == bob.fingerprint()


def test_offer_of_a_key_forgets_what_was_signed(gateway, user, app):
    c = signed(user)
    assert c.offer("alice", user.key) == 60  # PK_OK: the beginning, once more
    c.send(interactive("alice"))
    assert failure(c.recv()) == ("publickey", False)


def test_two_answers_and_none_are_no_code(gateway, user, app):
    for answers in ((), (app.code(), "x"), ("x" * 64,), ("",)):
        c = prompted(user)
        assert failure(answered(c, *answers)) == ("keyboard-interactive", False)
    assert gateway.admin("factor", "show", "alice")["wrong"] == 0


def test_of_many_answers_to_one_prompt_one_counts(gateway, user, app):
    c = prompted(user)
    c.send_raw(b"".join(c.pack(response(app.wrong())) for _ in range(5)))
    assert failure(c.recv()) == ("keyboard-interactive", False)
    for _ in range(4):
        assert failure(c.recv())[0] == "publickey"
    assert gateway.admin("factor", "show", "alice")["wrong"] == 1


def test_what_comes_behind_an_answer_waits_for_it(user, app, gateway, target):
    """The code and a channel in one write: nothing is taken before the keeper has said yes."""
    t = target()
    user.allow(f"127.0.0.1:{t.port}")
    c = prompted(user)
    c.send_raw(c.pack(response(app.code())))
    assert c.recv()[0] == AUTH_SUCCESS
    assert c.direct("127.0.0.1", t.port).opened
    assert gateway.process.running()


# --- codes ----------------------------------------------------------------------------------------


def test_code_is_good_once_and_none_before_it(gateway, user, app):
    old, new = app.code(), app.code()
    assert succeeds(prompted(user), new)
    for code in (new, old):
        assert failure(answered(prompted(user), code))[0] == "keyboard-interactive"
    assert len(gateway.audit("login-refused", reason="factor-used")) == 2


def test_code_is_looked_at_while_a_large_table_is_imported(gateway, user, app, tmp_path):
    table = tmp_path / "users.csv"
    table.write_text("name,full-name,groups\n" + "".join(f"employee{i},Employee,\n" for i in range(90000)))
    c = prompted(user)
    at_work = threading.Thread(target=lambda: gateway.admin_run("user", "import", table, "--check", timeout=120).ok())
    began = time.monotonic()
    at_work.start()
    time.sleep(0.5)
    assert succeeds(c, app.code())
    waited = time.monotonic() - began
    at_work.join()
    assert waited < (time.monotonic() - began) * 0.75


def test_of_many_that_send_one_code_at_once_one_gets_in(gateway, user, app):
    doors = [prompted(user) for _ in range(24)]
    code, results = app.code(), []
    start = threading.Barrier(len(doors))

    def submit(c):
        start.wait()
        results.append(succeeds(c, code))

    threads = [threading.Thread(target=submit, args=(c,)) for c in doors]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results.count(True) == 1 and len(results) == 24


def test_used_code_stays_used_over_a_kill(gateway, user, app):
    code = app.code()
    assert succeeds(prompted(user), code)
    gateway.kill()
    gateway.start()
    assert not succeeds(prompted(user), code)


def forget_used_codes(gateway):
    """As if the last one was used long ago."""
    gateway.stop()
    with sqlite3.connect(f"{gateway.dir}/pra.db") as db:
        db.execute("UPDATE factors SET step = 0")
    db.close()
    gateway.start()


def test_skew_is_one_period_and_a_late_code_is_told(gateway, user, app):
    forget_used_codes(gateway)
    assert failure(answered(prompted(user), app.at(-4)))[0] == "keyboard-interactive"
    gateway.wait_audit("login-refused", reason="factor-late")
    assert failure(answered(prompted(user), app.at(4)))[0] == "keyboard-interactive"
    gateway.wait_audit("login-refused", reason="factor-wrong")
    assert answered(prompted(user, PRA), app.at(-5)) == "disconnect: factor-late"
    assert succeeds(prompted(user), app.code())


def test_recovery_code_is_good_once(gateway, user, app):
    code = app.recovery[3]
    assert succeeds(prompted(user), code.lower().replace("-", " "))
    gateway.wait_audit("login", reason="recovery-code")
    assert not succeeds(prompted(user), code)
    assert gateway.admin("factor", "show", "alice")["recovery-codes"] == 9


def test_guessing_is_slowed_down_and_recorded_once_a_pause(gateway, user, app, make_user):
    wrong = app.wrong()
    for _ in range(4):
        assert answered(prompted(user, PRA), wrong) == "disconnect: factor-wrong"
    assert answered(prompted(user, PRA), wrong) == "disconnect: factor-wrong"
    good = app.code()
    for _ in range(10):
        assert answered(prompted(user, PRA), good).startswith("disconnect: factor-paused-")
    assert answered(prompted(user), good).startswith("disconnect: too many wrong codes: try again in ")
    assert len(gateway.audit("login-refused", reason="factor-wrong")) == 5
    assert len(gateway.audit("login-refused", reason="factor-paused")) == 1
    shown = gateway.admin("factor", "show", "alice")
    assert shown["wrong"] == 5 and shown["paused-until"]
    bob = make_user(gateway, "bob")
    his = Authenticator(gateway, "bob")
    assert succeeds(prompted(bob), his.code())  # others are not held up
    gateway.restart()
    assert "factor-paused" in answered(prompted(user, PRA), good)  # kept
    gateway.admin("factor", "retry", "alice")
    assert succeeds(prompted(user), good)


def test_clock_that_was_set_back_makes_a_pause_no_longer(gateway, user, app):
    """It ended in ten days by the clock of before, and the audit had it already."""
    gateway.stop()
    with sqlite3.connect(f"{gateway.dir}/pra.db") as db:
        db.execute("UPDATE factors SET wrong = 6, told = 1, paused_until = ?", (int(time.time()) + 864000,))
    db.close()
    gateway.start()
    assert answered(prompted(user, PRA), app.wrong()) in ("disconnect: factor-paused-3600", "disconnect: factor-paused-3599")
    gateway.stop()
    with sqlite3.connect(f"{gateway.dir}/pra.db") as db:
        assert db.execute("SELECT paused_until FROM factors").fetchone()[0] <= time.time() + 3600, "an hour from then on"
    db.close()
    gateway.start()


def test_nobody_without_the_key_can_make_a_user_wait(gateway, user, app, make_user):
    stranger = make_user(gateway, "mallory")
    for _ in range(8):
        c = at_door(stranger)
        c.send(interactive("alice"))
        c.recv()
        assert ends(c, response(app.wrong()))
    assert gateway.admin("factor", "show", "alice")["wrong"] == 0
    assert succeeds(prompted(user), app.code())


def test_tries_of_a_connection_are_counted(gateway, user, app):
    gateway.write_config("[limits]\nmax_auth_tries = 3\n")
    gateway.restart()
    c = prompted(user)
    assert failure(answered(c, app.wrong()))
    for last in (False, True):
        c.send(interactive("alice"))
        assert c.recv()[0] == INFO_REQUEST
        got = answered(c, app.wrong())
        assert (got == "disconnect: too many authentication failures") == last
    c = at_door(user)
    with pytest.raises(Closed, match="too many"):  # nor does signing again and again hold a connection
        for _ in range(4):
            c.send(c.sign_request("alice", user.key))
            c.recv()


def test_without_an_authenticator_it_is_said_at_once(gateway, user):
    gateway.admin("user", "factor", "alice", "required")
    for ours, word in ((PRA, "factor-missing"), (b"SSH-2.0-x", "a second factor is needed and none is set up")):
        c = at_door(user, ours)
        c.send(c.sign_request("alice", user.key))
        with pytest.raises(Closed, match=word):
            c.recv()
    gateway.admin("factor", "begin", "alice")  # not confirmed: none yet
    c = at_door(user, PRA)
    c.send(c.sign_request("alice", user.key))
    with pytest.raises(Closed, match="factor-missing"):
        c.recv()


def test_who_is_asked_has_time_to_type_and_no_more(gateway, user, app):
    gateway.write_config("[login]\nsecond_factor_time = 10s\n[limits]\nlogin_grace = 2s\n")
    gateway.restart()
    c, begun = prompted(user), time.monotonic()
    assert not c.closed_within(4)
    assert c.closed_within(9) and time.monotonic() - begun > 9
    gateway.wait_audit("login-refused", reason="login-grace")


def test_key_that_is_revoked_while_its_code_is_typed_stays_out(gateway, user, app):
    c = prompted(user)
    gateway.admin("key", "revoke", user.fingerprint())
    assert failure(answered(c, app.code()))[0] == "keyboard-interactive"
    gateway.wait_audit("login-refused", reason="key-revoked")


def test_disabled_user_is_told_so_without_a_code(gateway, strict):
    gateway.admin("user", "disable", "alice")
    control = Control(strict.login())
    control.say(hello())
    assert control.hear("refused")["reason"] == "user-disabled"


# --- leases and tokens of a tunnel ---------------------------------------------------------------


def tunnel(user, answer, machine="0" * 16):
    """A PRA client's connection that answers so, as far as welcome: (control, welcome)."""
    c = prompted(user, PRA)
    assert succeeds(c, answer)
    control = Control(c)
    control.say(hello(machine=machine))
    return control, control.hear("welcome")


def leased(user):
    """A lease that is in the store: it gets there behind welcome."""
    control, welcome = tunnel(user, user.app.code())
    control.c.close()
    wait_until(lambda: user.gateway.admin("factor", "show", user.name)["leases"])
    return welcome["lease"]


def lease(token, machine="0" * 16):
    return f"lease {machine} {token}"


def wants_code(user, answer):
    """True if such an answer is no try: the person is asked next."""
    got = answered(prompted(user, PRA), answer)
    assert isinstance(got, bytes) or got.startswith("disconnect: factor")
    return isinstance(got, bytes) and got[0] == INFO_REQUEST


def test_lease_spares_the_code_over_a_restart(gateway, strict):
    token = leased(strict)
    control, welcome = tunnel(strict, lease(token))
    assert "lease" not in welcome  # the first one is good until its time is over
    gateway.wait_audit("login", reason="lease")
    gateway.kill()
    gateway.start()
    tunnel(strict, lease(token))
    del control


def test_lease_is_of_one_user_key_and_machine(gateway, strict, make_user):
    token = leased(strict)
    second = make_user(gateway, "bob", any_client=False)
    Authenticator(gateway, "bob")
    assert wants_code(second, lease(token))
    assert wants_code(strict, lease(token, "1" * 16))
    assert wants_code(strict, lease("ab" * 32)) and wants_code(strict, lease("ab")) and wants_code(strict, "lease ")
    tunnel(strict, lease(token))
    assert gateway.admin("factor", "show", "alice")["wrong"] == 0


def test_machine_that_says_another_name_than_its_lease_loses_it(gateway, strict):
    token = leased(strict)
    c = prompted(strict, PRA)
    assert succeeds(c, lease(token))
    control = Control(c)
    control.say(hello(machine="1" * 16))
    assert control.hear("refused")["reason"] == "second-factor"
    gateway.wait_audit("login-refused", reason="factor-lease")
    wait_until(lambda: gateway.admin("factor", "show", "alice")["leases"] == [])
    assert wants_code(strict, lease(token))


@pytest.mark.parametrize("change", [("factor", "forget", "alice"), ("user", "factor", "alice", "required"),
                                    ("factor", "reset", "alice"), ("user", "disable", "alice"),
                                    ("group", "factor", "sales", "required")])
def test_lease_is_revoked(gateway, strict, change):
    gateway.admin("group", "add", "sales")
    gateway.admin("group", "member", "add", "sales", "alice")
    token = leased(strict)
    gateway.admin(*change)
    if change[1] == "disable":
        gateway.admin("user", "enable", "alice")
    if change[1] == "reset":
        strict.app.renew()
    assert gateway.admin("factor", "show", "alice")["leases"] == []
    wait_until(lambda: wants_code(strict, lease(token)), 2)
    tunnel(strict, strict.app.code())


@pytest.mark.parametrize("change", [("factor", "forget", "alice"), ("user", "factor", "alice", "required")])
def test_code_from_before_a_revocation_gives_no_lease_after_it(gateway, strict, change):
    """hello may come much later than the code, and the lease is made at hello."""
    c = prompted(strict, PRA)
    assert succeeds(c, strict.app.code())
    gateway.admin(*change)
    control = Control(c)
    control.say(hello())
    token = control.hear("welcome")["lease"]
    assert wants_code(strict, lease(token))
    assert gateway.admin("factor", "show", "alice")["leases"] == []


def test_lease_ends_with_quarantine_and_with_release(gateway, strict):
    """A copy of the whole PC has the lease as well, and after a release the first ticket is for whoever comes."""
    gateway.write_config("[keys]\nclone = quarantine\n")
    gateway.restart()
    control, welcome = tunnel(strict, strict.app.code())
    wait_until(lambda: gateway.admin("factor", "show", "alice")["leases"])
    c = prompted(strict, PRA)
    assert succeeds(c, strict.app.code())
    other = Control(c)
    other.say(hello(machine="1" * 16))
    assert other.hear("refused")["reason"] == "quarantined", "on two machines"
    wait_until(lambda: gateway.admin("key", "list")[0]["state"] == "quarantined", 5)
    assert gateway.admin("factor", "show", "alice")["leases"] == []
    gateway.admin("key", "release", strict.fingerprint())
    assert wants_code(strict, lease(welcome["lease"])) and wants_code(strict, lease(other.hear("welcome")["lease"], "1" * 16))
    strict.app.renew()
    token = leased(strict)
    gateway.admin("key", "release", strict.fingerprint())
    assert wants_code(strict, lease(token))
    del control


def test_lease_ends_with_its_time_and_with_bye(gateway, strict):
    gateway.write_config("[login]\nsecond_factor_lease = 5s\n")
    gateway.restart()
    token = leased(strict)
    wait_until(lambda: wants_code(strict, lease(token)), 15, interval=0.5)
    gateway.write_config("")
    gateway.restart()
    token = leased(strict)
    gateway.write_config("[login]\nsecond_factor_lease = 0\n")
    gateway.restart()
    assert wants_code(strict, lease(token)), "what was given before follows the setting"
    strict.app.renew()
    assert "lease" not in tunnel(strict, strict.app.code())[1]
    gateway.write_config("")
    gateway.restart()
    strict.app.renew()
    control, welcome = tunnel(strict, strict.app.code())
    control.say({"type": "bye", "reason": "user"})
    wait_until(lambda: wants_code(strict, lease(welcome["lease"])), 3)


def test_lease_opens_no_channel_before_hello_even_for_any_client(gateway, user, app, target):
    t = target()
    user.allow(f"127.0.0.1:{t.port}")
    user.app = app
    token = leased(user)
    c = prompted(user, PRA)
    assert succeeds(c, lease(token))
    assert not c.direct("127.0.0.1", t.port).opened


def test_secondary_is_asked_nothing(gateway, strict):
    primary, welcome = tunnel(strict, strict.app.code())
    primary.say({"type": "join-token", "id": 1})
    token = primary.hear("join-token")["token"]
    c = prompted(strict, PRA)
    assert succeeds(c, f"join {welcome['session']} {token}")
    second = Control(c)
    second.say({"type": "join", "session": welcome["session"], "token": token})
    second.hear("joined")
    gateway.wait_audit("login", reason="join")
    assert len(gateway.sessions()) == 1


def test_join_token_lets_nobody_say_hello_or_join_another_session(gateway, strict, make_user):
    primary, welcome = tunnel(strict, strict.app.code())
    other, theirs = tunnel(strict, strict.app.code())
    tokens = []
    for number in (1, 2):
        primary.say({"type": "join-token", "id": number})
        tokens.append(primary.hear("join-token", id=number)["token"])
    other.say({"type": "join-token", "id": 1})
    foreign = other.hear("join-token")["token"]

    def joining():
        c = prompted(strict, PRA)
        assert succeeds(c, f"join {welcome['session']} {tokens[0]}")
        return Control(c)

    one = joining()
    one.say(hello())
    assert one.hear("refused")["reason"] == "second-factor"
    two = joining()
    two.say({"type": "join", "session": theirs["session"], "token": foreign})
    assert two.hear("refused")["reason"] == "join"
    bob = make_user(gateway, "bob", any_client=False)
    Authenticator(gateway, "bob")
    for text in (f"join {welcome['session']} {tokens[1]}",):
        assert wants_code(bob, text)
    assert wants_code(strict, f"join {theirs['session']} {tokens[1]}")
    assert wants_code(strict, f"join {welcome['session']} {'ab' * 32}")


def test_standard_client_gets_no_lease(gateway, user, app):
    c = prompted(user)
    assert succeeds(c, app.code())
    assert gateway.admin("factor", "show", "alice")["leases"] == []
