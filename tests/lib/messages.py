"""People's messages as common/msg.def has them, and the check that a program shows one.

The table is read, not copied, so that a better sentence needs no change here; that each sentence
says what it must (code, cause, remedy, in both languages) is asserted in flow/test_messages.py.
"""

import re
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).resolve().parents[2] / "common" / "msg.def"
_STRING = r'"(?:[^"\\]|\\.)*"'
_ENTRY = re.compile(r"\bMSG\(\s*(MSG_\w+)\s*,((?:\s|,|%s)*)\)" % _STRING)


@dataclass
class Message:
    id: str
    code: str
    title: dict
    cause: dict
    remedy: dict


def _unescape(literal):
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], literal[1:-1])


def load():
    """Every message of the table by its id."""
    text = re.sub(r"/\*.*?\*/", "", TABLE.read_text(encoding="utf-8"), flags=re.S)
    table = {}
    for name, body in _ENTRY.findall(text):
        # Adjacent literals are one string, as in C; commas separate the members.
        members = [""]
        for token in re.findall(r"%s|," % _STRING, body):
            if token == ",":
                members.append("")
            else:
                members[-1] += _unescape(token)
        assert len(members) == 7, f"{name} has {len(members)} members"
        code, title_en, title_ja, cause_en, cause_ja, remedy_en, remedy_ja = members
        table[name] = Message(name, code, {"en": title_en, "ja": title_ja},
                              {"en": cause_en, "ja": cause_ja}, {"en": remedy_en, "ja": remedy_ja})
    return table


MESSAGES = load()


def matches(template, text):
    """True if `text` holds the template with something in each place-holder."""
    parts = [re.escape(p) for p in re.split(r"\{\w+\}", template)]
    flat = re.sub(r"\s+", " ", text)
    return re.search(".+?".join(re.sub(r"(\\ |\s)+", r"\\s+", p) for p in parts), flat) is not None


def shows(text, message_id, lang, title=True):
    """What of code, title, cause and remedy is missing in `text`: an empty list if it is all there."""
    m = MESSAGES[message_id]
    parts = {"code": m.code, "cause": m.cause[lang], "remedy": m.remedy[lang]}
    if title:
        parts["title"] = m.title[lang]
    return [f"{what}: {part}" for what, part in parts.items() if not matches(part, text)]


def assert_shows(text, message_id, lang="en", title=True):
    """title: lists of forwards have no room for one, and say code, cause and remedy."""
    missing = shows(text, message_id, lang, title)
    assert not missing, f"{message_id} ({lang}) lacks {missing} in:\n{text}"


def assert_error(error, message_id, lang="en"):
    """The same for the `error` object of `pra status --json`."""
    assert error is not None, f"no error; {message_id} expected"
    m = MESSAGES[message_id]
    assert error["code"] == m.code, error
    for member, part in (("message", m.title), ("cause", m.cause), ("remedy", m.remedy)):
        assert matches(part[lang], error[member]), f"{member} of {message_id} ({lang}): {error}"
