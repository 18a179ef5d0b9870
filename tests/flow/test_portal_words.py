"""The portal's words of the audit: there are some for all that prad writes, and none says what is not so."""

import json
import os
import re
import shutil

import pytest

from lib.procs import run

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "server", "portal", "page")
ASK = """import {readFileSync} from 'fs';
globalThis.localStorage = {getItem: () => process.argv[2]};
const {t, reason, sentence} = await import('./i18n.js');
const asked = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify([asked.keys.map(k => t(...[k].flat())), asked.reasons.map(([word, kind]) => reason(word, kind)),
  asked.sentences.map(sentence)]));
"""


def words_of(header, table):
    with open(os.path.join(ROOT, header)) as f:
        return re.findall(r'X\(\w+, "([a-z-]+)"', re.search(rf"#define {table}\(X\)(.*?)\nenum", f.read(), re.DOTALL)[1])


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """What t() says of keys, reason() of (word, kind) and sentence() of sentences, in a language."""
    folder = str(tmp_path_factory.mktemp("page") / "page")
    shutil.copytree(PAGE, folder)
    for name, text in (("package.json", '{"type": "module"}'), ("ask.js", ASK)):
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)

    def ask(lang, keys=(), reasons=(), sentences=()):
        asked = json.dumps({"keys": list(keys), "reasons": list(reasons), "sentences": list(sentences)})
        return json.loads(run(["node", os.path.join(folder, "ask.js"), lang], input=asked).ok().out)
    return ask


def test_every_kind_of_record_has_words_and_can_be_chosen(page):
    kinds = words_of("server/audit/audit.h", "AUDIT_KIND_MAP")
    keys = ["kind_" + kind for kind in kinds]
    for lang in ("ja", "en"):
        assert [k for k, word in zip(keys, page(lang, keys)[0]) if word == k] == []
    with open(os.path.join(PAGE, "audit.js")) as f:
        offered = re.findall(r"'([a-z-]+)'", re.search(r"const KINDS = \[(.*?)\]", f.read(), re.DOTALL)[1])
    assert sorted(offered) == sorted(kinds)


def test_every_way_in_which_a_log_in_is_refused_has_japanese_words(page):
    words = words_of("server/prad/counters.h", "COUNTERS_LOGIN_MAP") + ["enroll-code", "enroll-many", "enroll-key", "factor-failed",
                                                                        "quarantined", "two-machines", "ticket-stale", "ticket-missing"]
    words = [w for w in words if w not in ("accepted", "other")]
    said = page("ja", reasons=[(w, "login-refused") for w in words])[1]
    assert [w for w, text in zip(words, said) if text.isascii()] == []


@pytest.mark.parametrize("lang, wrong", [("ja", "誤り"), ("en", "wrong")])
def test_a_log_in_that_succeeded_is_not_called_wrong(page, lang, wrong):
    good = [("code", "login"), ("recovery-code", "login"), ("lease", "login"), ("join", "login"),
            ("password", "account-login"), ("setup", "account-login"), ("reset", "account-login"), ("done", "account-login")]
    bad = [("password", "account-refused"), ("code", "account-refused")]
    said = page(lang, reasons=good + bad)[1]
    assert [text for text in said[:len(good)] if wrong in text] == []
    assert all(wrong in text for text in said[len(good):])


def test_the_printed_report_has_the_same_words(page):
    with open(os.path.join(ROOT, "server", "admin", "report_html.c")) as f:
        said = {kind: [ja, en] for kind, ja, en in re.findall(r'{"kind", "([a-z-]+)", "(.*?)", "(.*?)"}', re.sub(r'",\n\s+"', '", "', f.read()))}
    kinds = words_of("server/audit/audit.h", "AUDIT_KIND_MAP")
    keys = ["kind_" + kind for kind in kinds]
    assert said == {kind: list(pair) for kind, *pair in zip(kinds, page("ja", keys)[0], page("en", keys)[0])}


@pytest.mark.parametrize("name", ["a{1}b", "$&", "$'", "50 %", "{0}"])
def test_a_name_means_nothing_but_itself_in_a_sentence(page, name):
    said = page("en", [["sureApprove", name, "SHA256:x"], ["explain_rule", name]])[0]
    assert said[0] == f"Register this key for {name}?\nSHA256:x\nIs it what the user sees?" and said[1] == f'The rule "{name}" decides.'


def sentences_of_prad():
    """Every text in the sources, with {} where a value goes and without the argument in front."""
    found = set()
    for folder, _, files in os.walk(os.path.join(ROOT, "server")):
        for path in (os.path.join(folder, name) for name in files if name.endswith((".c", ".h"))):
            with open(path, encoding="utf-8") as f:
                text = f.read()
            for whole in re.findall(r'"(?:[^"\\\n]|\\.)*"(?:\s+"(?:[^"\\\n]|\\.)*")*', text):
                said = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', whole)).replace('\\"', '"')
                said = re.sub(r"%[-0-9.*]*(?:ll|l|z)?[a-zA-Z]", "{}", said)
                found.add(re.sub(r"^(?:[a-z-]+|\{\}): ", "", said))
    return found


def test_each_sentence_that_the_page_says_in_japanese_is_one_that_prad_says():
    with open(os.path.join(PAGE, "words_error.js"), encoding="utf-8") as f:
        table = re.search(r"const SENTENCES = \[\n(.*?)\n\];", f.read(), re.DOTALL)[1]
    known = [a or b for a, b in re.findall(r"""^  \[(?:'([^']*)'|"([^"]*)"),""", table, re.MULTILINE)]
    keys = set()
    with open(os.path.join(ROOT, "keys", "sshkey.c"), encoding="utf-8") as f:
        keys |= {re.sub(r"%[-0-9.*]*[a-z]", "{}", text) for text in re.findall(r'"((?:[^"\\]|\\.)*)"', f.read())}
    assert len(known) > 60 and [k for k in known if k not in sentences_of_prad() | keys] == []


def test_what_is_wrong_with_a_form_is_said_in_japanese(page, portal, owner):
    portal.gateway.add_user("suzuki")
    asked = [("/users", {"name": "a b"}), ("/users", {"name": "suzuki"}), ("/users", {"name": "x:y"}), ("/users", {}),
             ("/users", {"name": "x" * 200}), ("/groups", {"name": ""}),
             *(("/rules", {"user": "suzuki", "name": "r", **rule}) for rule in (
                 {"target": "mail"}, {"target": "mail:0"}, {"target": "10.0.0.1/8:1"}, {"target": "::1:80"}, {"target": "a_b c:1"},
                 {"target": "mail:1-9", "local": "110"}, {"target": "mail:110", "local": "0"}, {"target": "mail:110", "local": "10.0.0.1:1"},
                 {"target": "mail:110", "hours": "always"}, {"target": "mail:110", "from": "10.0.0.1/8"},
                 {"target": "mail:110", "expires": "soon"}, {"target": "mail:110", "fallback": "111"})),
             ("/rules", {"user": "nobody", "name": "r", "target": "mail:110"}),
             ("/keys", {"user": "suzuki", "line": "-----BEGIN OPENSSH PRIVATE KEY-----"}), ("/keys", {"user": "suzuki", "line": "x"}),
             ("/accounts", {"name": "tanaka", "role": "admin", "full-name": "T"}), ("/me/password", {"password": "short"})]
    said = []
    for path, body in asked:
        answer = owner.post(path, body)
        assert answer.status in (400, 404, 409), (path, body, answer.body)
        said.append(answer.json["error"]["message"])
    told = page("ja", sentences=said)[2]
    assert [(e, j) for e, j in zip(said, told) if e == j] == []
    assert page("en", sentences=said)[2] == said
    assert "ローカルポート「10.0.0.1:1」のアドレス" in told[13] and told[0].startswith("名前: ")
