"""Attacks of a peer that has logged in: states to be in, messages to forge in them, and scripts of both
by chance. Everything hangs on a random.Random, so that a case that found something can be run again.

A state is a function (world, rng) -> Stand; a message is a function (stand, rng) -> payload, or bytes
for the wire where the packet itself is forged. Neither expects an answer.
"""

import os
import struct
from dataclasses import dataclass, field

from rawssh import (ADJUST, AUTH_REQUEST, CLOSE, DATA, DEBUG, DISCONNECT, ECDH_INIT, ECDH_REPLY, EOF,
                    EXT_INFO, EXTENDED, FAILURE, GLOBAL_REQUEST, IGNORE, KEXINIT, NEWKEYS, OPEN, OPEN_FAILURE,
                    OPEN_OK, REQUEST, REQUEST_FAILURE, REQUEST_SUCCESS, SERVICE_REQUEST, SUCCESS,
                    UNIMPLEMENTED, RawSsh, string, u32)

MAX = 0xffffffff
NUMBERS = [0, 1, 2, 4, 15, 16, 35, 64, 255, 1023, 1024, 32767, 32768, 65535, 65536, 0x3ffff, 0x40000, 0x40001,
           1 << 20, (1 << 31) - 1, 1 << 31, MAX - 1, MAX]


@dataclass
class Wire:
    """Bytes for the socket as they are; the packets behind them are lost."""
    data: bytes


@dataclass
class Stand:
    """Where an attack begins: a connection and the channel that it is about (None: there is none)."""
    c: RawSsh
    ch: object = None
    others: list = field(default_factory=list)
    answers: bool = True  # the gateway can answer, if it lets this peer live

    @property
    def number(self):
        """The gateway's number of the channel, or one that it might have."""
        return 1 if self.ch is None or self.ch.remote is None else self.ch.remote


# --- states ----------------------------------------------------------------------------------


def logged_in(world, rng):
    return Stand(world.user.login())


def control(world, rng):
    c = world.user.login()
    ch = c.open("session")
    c.request(ch, "subsystem", string("pra@v1"))
    c.until(lambda: ch.replies)
    return Stand(c, ch)


def session_without_subsystem(world, rng):
    c = world.user.login()
    return Stand(c, c.open("session"))


def opened(world, rng, target="echo", **options):
    c = world.user.login()
    ch = c.direct("127.0.0.1", world.port[target], **options)
    assert ch.opened, ch.failure
    return Stand(c, ch)


def window_full(world, rng):
    """The target takes nothing, and all that the window allows is sent."""
    s = opened(world, rng, "stall")
    s.c.write(s.ch, bytes(s.ch.window))
    return s


def output_full(world, rng):
    """The gateway has more to send than this peer reads."""
    c = world.user.login(rcvbuf=8192)
    return Stand(c, c.direct("127.0.0.1", world.port["flood"], window=1 << 20))


def half_closed(world, rng):
    s = opened(world, rng, "stall")
    s.c.eof(s.ch)
    return s


def target_gone(world, rng):
    s = opened(world, rng, "reset")
    s.c.write(s.ch, b"x")
    s.c.until(lambda: s.ch.closed)
    return s


def closed(world, rng):
    s = opened(world, rng)
    s.c.close_channel(s.ch)
    s.c.until(lambda: s.ch.closed)
    return s


def just_closed(world, rng):
    """The close is on its way together with what follows."""
    s = opened(world, rng)
    s.c.hold = True
    s.c.close_channel(s.ch)
    return s


def open_is_held(world, rng):
    c = world.user.login()
    return Stand(c, c.direct("127.0.0.1", world.port["hole"], wait=False))


def open_was_refused(world, rng):
    c = world.user.login()
    return Stand(c, c.direct("192.0.2.1", 1))


def keys_begun(world, rng):
    """Our KEXINIT is sent; the rest of the exchange never comes."""
    s = opened(world, rng)
    s.c.send(s.c.kexinit())
    s.answers = False
    return s


def keys_half_done(world, rng):
    """Everything of the exchange but our NEWKEYS."""
    s = opened(world, rng)
    s.c.send(s.c.kexinit())
    s.c.send(bytes([ECDH_INIT]) + string(b"\x09" + bytes(31)))
    s.answers = False
    return s


def joined(world, rng):
    """A secondary of a tunnel, with a channel."""
    primary, second = world.tunnel()
    return Stand(second, second.direct("127.0.0.1", world.port["echo"]), [primary])


def primary_of_a_tunnel(world, rng):
    primary, second = world.tunnel()
    return Stand(primary, primary.direct("127.0.0.1", world.port["echo"]), [second])


STATES = [logged_in, control, session_without_subsystem, opened, window_full, output_full, half_closed,
          target_gone, closed, just_closed, open_is_held, open_was_refused, keys_begun, keys_half_done, joined,
          primary_of_a_tunnel]

# --- messages --------------------------------------------------------------------------------


def head(kind, s):
    return bytes([kind]) + u32(s.number)


def direct_tcpip(s, rng, window=None, max_packet=None, port=None):
    window = rng.choice(NUMBERS) if window is None else window
    max_packet = rng.choice(NUMBERS) if max_packet is None else max_packet
    number = 1000 + rng.randrange(1000)
    return (bytes([OPEN]) + string("direct-tcpip") + u32(number) + u32(window) + u32(max_packet) +
            string("127.0.0.1") + u32(port or s.c.world.port["flood"]) + string("127.0.0.1") + u32(1))


def kexinit(s, rng):
    """An honest one, or with names for which nothing is compiled in."""
    names = ["curve25519-sha256", "ssh-ed25519", "aes128-gcm@openssh.com", "aes128-gcm@openssh.com",
             "hmac-sha2-256", "hmac-sha2-256", "none", "none", "", ""]
    for at in rng.sample(range(10), rng.randrange(3)):
        names[at] = rng.choice(["zlib", "zlib@openssh.com", "zlib@openssh.com,none", "none", "", ",", "aes128-cbc",
                                "kex-strict-c-v00@openssh.com", "ext-info-c", "x" * 3000, "a," * 2000,
                                "chacha20-poly1305@openssh.com", "aes256-ctr"])
    follows = rng.choice([0, 0, 1, 255])
    return bytes([KEXINIT]) + rng.randbytes(16) + b"".join(map(string, names)) + bytes([follows]) + u32(0)


def forged_length(s, rng):
    """A packet whose length, in the clear, is not what follows."""
    packet = bytearray(s.c.pack(head(DATA, s) + string(b"x" * 40)))
    packet[:4] = u32(rng.choice([*range(0, 65), 0xffff, 0x40000, 0x40001, 1 << 31, MAX, len(packet) - 16]))
    return Wire(bytes(packet))


def forged_padding(s, rng):
    """Sealed as it should be, but with more padding than there is packet, or less than four bytes."""
    body = bytes([rng.choice([0, 1, 3, 31, 32, 255])]) + rng.randbytes(31)
    return Wire(s.c.seal(body))


def flipped_bit(s, rng):
    packet = bytearray(s.c.pack(head(DATA, s) + string(b"evil")))
    packet[rng.randrange(4, len(packet))] ^= 1 << rng.randrange(8)
    return Wire(bytes(packet))


def half_a_packet(s, rng):
    packet = s.c.pack(head(DATA, s) + string(rng.randbytes(rng.choice([1, 100, 30000]))))
    return Wire(packet[:rng.randrange(1, len(packet))])


def auth_again(s, rng):
    return (bytes([AUTH_REQUEST]) + string(rng.choice(["root", "alice", ""])) + string("ssh-connection") +
            string(rng.choice(["none", "publickey", "password", "keyboard-interactive"])) + b"\0" +
            string("ssh-ed25519") + string(rng.randbytes(32)))


def channel_request(s, rng):
    name = rng.choice(["shell", "exec", "subsystem", "pty-req", "env", "window-change", "signal", "exit-status",
                       "exit-signal", "x11-req", "auth-agent-req@openssh.com", "x" * 5000, ""])
    extra = rng.choice([b"", string("pra@v1"), string("RST@pra"), u32(MAX), string("x") + u32(1) * 5,
                        rng.randbytes(20)])
    return head(REQUEST, s) + string(name) + bytes([rng.choice([0, 1, 2])]) + extra


def global_request(s, rng):
    name = rng.choice(["tcpip-forward", "cancel-tcpip-forward", "keepalive@openssh.com", "hostkeys-00@openssh.com",
                       "", "x" * 5000])
    return bytes([GLOBAL_REQUEST]) + string(name) + b"\1" + rng.choice([b"", string("0.0.0.0") + u32(22)])


def any_message(s, rng):
    return bytes([rng.randrange(256)]) + rng.randbytes(rng.choice([0, 1, 3, 4, 5, 8, 9, 12, 40, 300]))


MESSAGES = {
    "data": lambda s, r: head(DATA, s) + string(bytes(r.choice([0, 1, 64, 1000]))),
    "data past the window": lambda s, r: [head(DATA, s) + string(bytes(32768)) for _ in range(40)],
    "data in one packet above the maximum": lambda s, r: head(DATA, s) + string(bytes(200000)),
    "data that lies about its length": lambda s, r: head(DATA, s) + u32(r.choice([9, 11, 1 << 31, MAX])) + bytes(10),
    "data without a length": lambda s, r: head(DATA, s)[:r.randrange(1, 6)],
    "extended data": lambda s, r: head(EXTENDED, s) + u32(r.choice([0, 1, 2, MAX])) + string(bytes(r.choice([0, 9]))),
    "window 0": lambda s, r: head(ADJUST, s) + u32(0),
    "window overflow": lambda s, r: [head(ADJUST, s) + u32(MAX), head(ADJUST, s) + u32(MAX)],
    "window cut short": lambda s, r: head(ADJUST, s) + b"\0\0",
    "end twice": lambda s, r: [head(EOF, s), head(EOF, s), head(DATA, s) + string("late")],
    "close twice": lambda s, r: [head(CLOSE, s), head(CLOSE, s), head(EOF, s), head(DATA, s) + string("late"),
                                 head(ADJUST, s) + u32(5)],
    "confirmation nobody asked for": lambda s, r: head(OPEN_OK, s) + u32(7) + u32(MAX) + u32(r.choice(NUMBERS)),
    "failure nobody asked for": lambda s, r: head(OPEN_FAILURE, s) + u32(2) + string("no") + string(""),
    "success and failure": lambda s, r: [head(SUCCESS, s), head(FAILURE, s), bytes([REQUEST_SUCCESS]),
                                         bytes([REQUEST_FAILURE])],
    "open": direct_tcpip,
    "open with tiny packets": lambda s, r: direct_tcpip(s, r, MAX, r.randrange(65)),
    "open and close at once": lambda s, r: [direct_tcpip(s, r), bytes([CLOSE]) + u32(s.number + 1),
                                            bytes([DATA]) + u32(s.number + 1) + string("early")],
    "open of every kind": lambda s, r: bytes([OPEN]) + string(r.choice(["session", "x11", "", "y" * 9000])) +
    u32(r.choice(NUMBERS)) * 3,
    "open cut short": lambda s, r: direct_tcpip(s, r)[:r.randrange(1, 40)],
    "other channel": lambda s, r: bytes([r.randrange(91, 101)]) + u32(r.choice([0, s.number + 1, MAX])) + string("x"),
    "request": channel_request,
    "global request": global_request,
    "kexinit": kexinit,
    "kexinit twice": lambda s, r: [kexinit(s, r), kexinit(s, r)],
    "newkeys": lambda s, r: bytes([NEWKEYS]),
    "key exchange out of order": lambda s, r: bytes([r.choice([ECDH_INIT, ECDH_REPLY, 32, 34])]) +
    string(r.randbytes(r.choice([0, 31, 32, 33]))),
    "weak public value": lambda s, r: [s.c.kexinit(), bytes([ECDH_INIT]) + string(bytes(32))],
    "login again": auth_again,
    "service again": lambda s, r: bytes([SERVICE_REQUEST]) + string(r.choice(["ssh-userauth", "ssh-connection", ""])),
    "transport": lambda s, r: bytes([r.choice([IGNORE, DEBUG, UNIMPLEMENTED, EXT_INFO])]) +
    r.choice([b"", u32(MAX), string(bytes(60000))]),
    "disconnect": lambda s, r: bytes([DISCONNECT]) + u32(r.choice(NUMBERS)) + r.choice([b"", string("%s%n")]),
    "nothing": lambda s, r: b"",
    "unknown message": lambda s, r: bytes([r.choice([0, 8, 49, 79, 127, 192, 255])]) + bytes(r.choice([0, 30])),
    "anything": any_message,
    "forged length": forged_length,
    "forged padding": forged_padding,
    "flipped bit": flipped_bit,
    "half a packet": half_a_packet,
}

# What has to end the connection, where a channel is open and the gateway listens. (Data past the window
# does, too, but not while the target takes it as fast: test_channels.py.)
FATAL = {"data in one packet above the maximum", "window overflow", "weak public value",
         "forged length", "flipped bit", "newkeys"}

# Behind these mostly nothing is read any more: rare in scripts, or those would end where they begin.
LAST = FATAL | {"half a packet", "forged padding", "disconnect", "kexinit twice", "key exchange out of order",
                "login again", "service again", "transport", "kexinit", "unknown message", "anything",
                "data past the window"}


def make(name, stand, rng):
    """Wire parts of one message."""
    made = MESSAGES[name](stand, rng)
    return [m.data if isinstance(m, Wire) else stand.c.pack(m) for m in (made if isinstance(made, list) else [made])]


# --- by chance --------------------------------------------------------------------------------


def mutated(payload, rng):
    """The same with bytes changed, cut, repeated, or with another number in it."""
    p = bytearray(payload)
    for _ in range(rng.choice([1, 1, 2, 5])):
        how = rng.randrange(5)
        at = rng.randrange(len(p) + 1)
        if how == 0 and at < len(p):
            p[at] = rng.randrange(256)
        elif how == 1:
            p[at:at + 4] = struct.pack(">I", rng.choice(NUMBERS))
        elif how == 2:
            del p[at:at + rng.choice([1, 4, 100])]
        elif how == 3:
            p[at:at] = p[at:at + rng.choice([1, 4, 20])]
        else:
            p += rng.randbytes(rng.choice([1, 7, 500]))
    return bytes(p)


def script(stand, rng):
    """Some wire parts: messages of the list, about a third of them changed."""
    parts = []
    for _ in range(rng.choice([1, 3, 10, 40])):
        name = rng.choice(list(MESSAGES))
        if name in LAST and rng.random() < 0.9:
            continue
        made = MESSAGES[name](stand, rng)
        for m in made if isinstance(made, list) else [made]:
            if isinstance(m, Wire):
                parts.append(m.data)
            else:
                parts.append(stand.c.pack(mutated(m, rng) if rng.random() < 0.3 else m))
    return parts


def deliver(stand, parts, rng):
    """Sends them: in one piece, one by one, or torn apart anywhere (byte by byte if that is little)."""
    data = b"".join(parts)
    how = rng.randrange(4)
    if how == 0:
        stand.c.send_raw(data)
    elif how == 1:
        for part in parts:
            stand.c.send_raw(part)
    elif how == 2 and len(data) < 2000:
        for i in range(len(data)):
            stand.c.send_raw(data[i:i + 1])
    else:
        while data:
            n = rng.randrange(1, 20000)
            stand.c.send_raw(data[:n])
            data = data[n:]


def seed_of(name):
    """Attacks by chance are the same in every run, unless PRA_ATTACK_SEED says otherwise."""
    return f"{os.environ.get('PRA_ATTACK_SEED', '1')}-{name}"
