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
const {t, reason} = await import('./i18n.js');
const asked = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify([asked.keys.map(k => t(...[k].flat())), asked.reasons.map(([word, kind]) => reason(word, kind))]));
"""


def words_of(header, table):
    with open(os.path.join(ROOT, header)) as f:
        return re.findall(r'X\(\w+, "([a-z-]+)"', re.search(rf"#define {table}\(X\)(.*?)\nenum", f.read(), re.DOTALL)[1])


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """What t() says of keys and reason() of (word, kind), in a language."""
    folder = str(tmp_path_factory.mktemp("page") / "page")
    shutil.copytree(PAGE, folder)
    for name, text in (("package.json", '{"type": "module"}'), ("ask.js", ASK)):
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)

    def ask(lang, keys=(), reasons=()):
        asked = json.dumps({"keys": list(keys), "reasons": list(reasons)})
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
