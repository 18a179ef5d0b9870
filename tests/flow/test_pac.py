"""The PAC file (A12), asked by node as a browser asks it."""

import json

import pytest

from lib.gateway import program
from lib.procs import run

ASK = """const fs = require("fs");
const find = new Function(fs.readFileSync(process.argv[1], "utf8") + "; return FindProxyForURL;")();
console.log(JSON.stringify(process.argv.slice(2).map(host => find("http://" + host + "/", host))));"""
TUNNEL = "PROXY 127.0.0.1:10080"


def answers(path, hosts):
    return dict(zip(hosts, json.loads(run(["node", "-e", ASK, path, *hosts]).ok().out)))


def test_only_the_companys_names_go_through_the_tunnel(folder):
    path = f"{folder}/proxy.pac"
    run([program("pra"), "pac", "Example.co.jp", "intra.example.com", "-o", path]).ok()
    company = ["example.co.jp", "www.example.co.jp", "WWW.EXAMPLE.CO.JP", "a.b.example.co.jp", "intra.example.com",
               "example.co.jp.", "intranet"]
    others = ["example.com", "badexample.co.jp", "example.co.jp.evil.test", "www.example.org", "localhost", "127.0.0.1",
              "192.0.2.1", "2001:db8::1", "co.jp"]
    found = answers(path, company + others)
    assert {h: found[h] for h in company} == dict.fromkeys(company, TUNNEL)
    assert {h: found[h] for h in others} == dict.fromkeys(others, "DIRECT")


def test_another_local_address_is_taken(folder):
    printed = run([program("pra"), "pac", "example.co.jp", "--local", "127.0.0.2:18080"]).ok().out
    path = f"{folder}/printed.pac"
    with open(path, "w") as f:
        f.write(printed)
    assert answers(path, ["example.co.jp"]) == {"example.co.jp": "PROXY 127.0.0.2:18080"}


@pytest.mark.parametrize("args", [["a b"], ['x"];alert(1);["'], ["192.0.2.1"], ["example.com", "--local", "127.0.0.1"],
                                  ["example.com", "--local", 'a"b:1'], []])
def test_what_is_no_name_or_address_is_refused(args):
    done = run([program("pra"), "pac", *args])
    assert done.status == 2 and done.out == ""
