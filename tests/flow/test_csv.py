"""Users and rules as CSV tables: out, through a spreadsheet's habits, in again; and every problem named."""

import csv
import io
import json
import re
import shutil
import time

import pytest

from lib.gateway import Gateway
from lib.portal import Portal, new_port, portal_config
from lib.procs import run


@pytest.fixture(scope="module")
def stack(tmp_path_factory, programs):
    class Stack:
        folder = str(tmp_path_factory.mktemp("p"))
        port = new_port()
    s = Stack()
    s.gateway = Gateway(f"{s.folder}/gw", extra_config=portal_config(s.port)).init().start()
    s.portal = Portal(s.gateway, s.port).start()
    s.owner = s.portal.account("tanaka", "owner")
    for name in ("sales", "it"):
        s.gateway.admin("group", "add", name)
    yield s
    s.portal.stop()
    s.gateway.stop()
    shutil.rmtree(s.folder, ignore_errors=True)


@pytest.fixture
def gateway(stack):
    for user in stack.gateway.admin("user", "list"):
        stack.gateway.admin("user", "delete", user["name"])
    return stack.gateway


def rows(text):
    """As Python's own reader sees a table, a list of dictionaries."""
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def exported(gateway, kind, *options):
    path = f"{gateway.dir}/{kind}.csv"
    gateway.admin_run(kind, "export", "-o", path, *options).ok()
    with open(path, encoding="utf-8", newline="") as f:
        return f.read()


def write(gateway, text, encoding="utf-8", name="in.csv"):
    path = f"{gateway.dir}/{name}"
    with open(path, "w", encoding=encoding, newline="") as f:
        f.write(text)
    return path


def import_(gateway, kind, text, *options):
    return gateway.admin("%s" % kind, "import", write(gateway, text), *options)


def test_users_go_out_and_come_in_again_as_they_were(gateway):
    import_(gateway, "user", "name,full-name,state,groups\r\n"
            "suzuki,\"鈴木, \"\"花子\"\"\",enabled,sales;it\r\nsato,=1+1,disabled,\r\n")
    users = {u["name"]: u for u in gateway.admin("user", "list")}
    assert users["suzuki"]["full-name"] == '鈴木, "花子"' and sorted(users["suzuki"]["groups"]) == ["it", "sales"]
    assert users["sato"]["enabled"] is False and users["sato"]["full-name"] == "=1+1"
    text = exported(gateway, "user")
    assert [r["full-name"] for r in rows(text)] == ["'=1+1", '鈴木, "花子"'], "no cell is a formula"
    again = import_(gateway, "user", text)
    assert (again["rows"], again["unchanged"]) == (2, 2)
    changed = import_(gateway, "user", text.replace("disabled", "enabled").replace("sales;it", "it").replace("it;sales", "it"))
    assert changed["changed"] == 2
    users = {u["name"]: u for u in gateway.admin("user", "list")}
    assert users["suzuki"]["groups"] == ["it"] and users["sato"]["enabled"] is True
    for gone in users:
        gateway.admin("user", "delete", gone)
    assert import_(gateway, "user", text)["added"] == 2
    assert exported(gateway, "user") == text


def test_rules_go_out_and_come_in_again_in_their_order(gateway):
    for user in ("suzuki", "sato"):
        gateway.add_user(user)
    gateway.add_rule("suzuki", "POP", "mail.example.com:110", 110, fallback=1110)
    gateway.add_rule("suzuki", "no files", "10.0.0.0/8:445", action="deny", log=True)
    gateway.add_rule("suzuki", "RDP", "10.1.2.3:3389", hours="Mon-Fri 08:00-19:00", expires="2031-03-31T09:00:00Z")
    gateway.admin("rule", "add", "--group", "sales", "--name", "Web", "--target", "[2001:db8::/32]:80-90", "--from", "192.0.2.0/24")
    before = exported(gateway, "rule")
    listed = [{k: v for k, v in r.items() if k not in ("id", "created")} for r in gateway.admin("rule", "list")]
    answer = import_(gateway, "rule", before, "--replace")
    assert (answer["added"], answer["removed"], answer["problem-count"]) == (4, 4, 0)
    assert exported(gateway, "rule") == before
    assert [{k: v for k, v in r.items() if k not in ("id", "created")} for r in gateway.admin("rule", "list")] == listed
    assert import_(gateway, "rule", "name,user,target\nLast,suzuki,10.9.9.9:22\n")["added"] == 1
    assert [r["name"] for r in gateway.admin("rule", "list", "--user", "suzuki")] == ["POP", "no files", "RDP", "Last"]
    assert rows(exported(gateway, "rule", "--group", "sales"))[0]["from"] == "192.0.2.0/24"
    # Each rule has a record of its own.
    assert [e for e in gateway.audit("admin") if e["detail"].startswith("rule.add user=suzuki name=Last")]
    gateway.admin("rule", "delete", str(gateway.admin("rule", "list", "--group", "sales")[0]["id"]))


def test_every_problem_is_named_and_nothing_is_changed(gateway):
    gateway.add_user("suzuki")
    table = ("user,name,target,local,hours,log\n"
             "suzuki,POP,mail.example.com:110,x y,never,perhaps\n"
             "nobody,POP,mail.example.com:110,110,,\n"
             "suzuki,,nonsense,110,,\n"
             "suzuki,Good,10.1.2.3:22,,,yes\n"
             "suzuki,short,10.1.2.3:22\n")
    path = write(gateway, table)
    run_ = gateway.admin_run("rule", "import", path, "--check", "--json")
    assert run_.status == 1
    found = {(p["line"], p["column"], p["cell"]) for p in json.loads(run_.out)["problems"]}
    assert found == {(2, "local", 4), (2, "hours", 5), (2, "log", 6), (3, "user", 1), (4, "name", 2), (4, "target", 3),
                     (6, None, None)}
    refused = gateway.admin_run("rule", "import", path)
    assert refused.status == 1 and "nothing was changed" in refused.err and "LINE" in refused.out
    assert gateway.admin("rule", "list") == []
    for text, line in (("", 0), ("nam\nx\n", 1), ("name,name\nx,y\n", 1), ('name\n"x\n', 2), ("name\nx\nx\n", 3), ("full-name\nx\n", 1),
                       ("name,groups\nnew,none\n", 2), ("name,state\nnew,maybe\n", 2)):
        got = gateway.admin_run("user", "import", write(gateway, text), "--check", "--json")
        problems = json.loads(got.out)["problems"]
        assert got.status == 1 and len(problems) >= 1 and problems[0]["line"] == line, (text, problems)
    assert [u["name"] for u in gateway.admin("user", "list")] == ["suzuki"]
    wrong = gateway.admin_run("user", "import", write(gateway, "name\n鈴木\n", "cp932"))
    assert wrong.status == 1 and "iconv -f CP932" in wrong.err
    api = gateway.admin_run("user", "import", "/nonexistent/x.csv")
    assert api.status == 1


def test_ten_thousand_rows_take_seconds(gateway, stack):
    users = "name,full-name,groups\r\n" + "".join(f"user{i:05},Person {i},sales\r\n" for i in range(10_000))
    began = time.monotonic()
    assert stack.owner.post("/users/import/check", {"csv": users}, timeout=60).result["added"] == 10_000
    assert stack.owner.post("/users/import", {"csv": users}, timeout=60).result["added"] == 10_000
    rules = "user,name,target,local\r\n" + "".join(
        f"user{i:05},Mail,mail{i}.example.com:110,110\r\n" for i in range(5_000)) + "".join(
        f"user00000,R{i},10.{i // 250}.{i % 250}.1:80,\r\n" for i in range(5_000))
    answer = stack.owner.post("/rules/import", {"csv": rules, "replace": True}, timeout=60).result
    took = time.monotonic() - began
    assert answer["added"] == 10_000 and took < 30, took
    page = stack.owner.get("/rules/export", timeout=60).result
    assert page["rows"] == 10_000
    removed = [{"op": "user.delete", "args": {"name": f"user{i:05}"}} for i in range(10_000)]
    path = f"{gateway.dir}/batch"
    with open(path, "w") as f:
        f.write("".join(json.dumps(r) + "\n" for r in removed))
    gateway.admin_run("batch", path, timeout=60).ok()


def test_tables_leave_the_portal_as_files_in_parts_that_make_the_whole(gateway, stack):
    """More owners than one part has; what the console writes in one answer is what the browser gets in many."""
    import_(gateway, "user", "name,full-name,state,groups\r\n" + "".join(
        f"user{i:05},社員 {i},{'disabled' if i % 50 == 0 else 'enabled'},{'sales' if i % 3 == 0 else ''}\r\n" for i in range(1200)))
    import_(gateway, "rule", "user,group,name,target\r\n" + "".join(
        f"user{i % 1200:05},,R{i},10.{i // 250}.{i % 250}.1:80\r\n" for i in range(4000)) + "".join(
        f",sales,G{i},10.99.{i}.1:80\r\n" for i in range(40)))
    for kind, options in (("user", {}), ("rule", {}), ("user", {"group": "sales"}), ("user", {"state": "disabled"}),
                          ("user", {"group": "sales", "state": "disabled"}), ("rule", {"user": "user00007"}), ("rule", {"group": "sales"})):
        answer = stack.owner.get(f"/{kind}s/table?" + "&".join(f"{k}={v}" for k, v in options.items()))
        assert answer.status == 200 and answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="{kind}s-2')
        text = answer.body.decode()
        assert text == exported(gateway, kind, *(w for k, v in options.items() for w in ("--" + k, v))), (kind, options)
    assert len(rows(stack.owner.get("/users/table").body.decode())) == 1200
    assert len(rows(stack.owner.get("/rules/table").body.decode())) == 4040
    for path in ("/users/table?group=nobody", "/users/table?state=odd", "/rules/table?user=nobody", "/rules/table?user=user00001&group=it"):
        assert stack.owner.get(path).status in (400, 404), path
    assert stack.portal.account("engineer", "engineer").get("/rules/table").code == "not-permitted"


def test_the_page_shows_what_an_import_would_do(gateway, stack, page_of):
    page = page_of(stack.portal)
    page.log_in("tanaka")
    page.goto("/#/users")
    page.do("open_details", name="CSV から登録")
    page.do("choose", label="CSV ファイル", path=write(gateway, "name,full-name,groups\r\nsuzuki,鈴木 花子,sales\r\nsa to,,none\r\n", "cp932"))
    page.click("内容を確認")
    page.see("Shift_JIS として読み取りました。")
    page.see("問題があります。すべて直すまで、何も登録されません。")
    page.look("csv-problems")
    page.do("choose", label="CSV ファイル", path=write(gateway, "name,full-name,groups\r\nsuzuki,鈴木 花子,sales\r\n", name="good.csv"))
    page.click("内容を確認")
    page.see("1 行: 追加 1、変更 0、削除 0、変更なし 0")
    page.look("csv-preview")
    assert gateway.admin("user", "list") == []
    page.click("登録する")
    page.see("登録しました。")
    page.do("see_role", role="link", name="suzuki")
    got = page.do("download", role="link", name="ユーザを CSV で保存")
    assert re.fullmatch(r"users-\d{4}-\d\d-\d\d\.csv", got["name"]) and rows(got["text"])[0]["full-name"] == "鈴木 花子"
    page.click("suzuki", role="link")
    page.do("open_details", name="氏名を変更")
    page.fill("氏名", "鈴木 花")
    page.click("保存")
    page.see("鈴木 花")
    assert gateway.admin("user", "list")[0]["full-name"] == "鈴木 花"


def test_the_spreadsheet_of_the_distribution_reads_it(gateway):
    """Python's csv is one reader; sqlite3's importer is another one."""
    gateway.admin("user", "add", "suzuki", "--full-name", 'a "b", c')
    path = f"{gateway.dir}/user.csv"
    exported(gateway, "user")
    got = run(["sqlite3", ":memory:", f".import --csv {path} t", "SELECT \"full-name\" FROM t"])
    assert got.out.strip() == 'a "b", c'
