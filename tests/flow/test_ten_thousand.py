"""A crowd of real protocol clients: held idle, and back after the gateway was killed."""

import time

import pytest

from lib import crowd as crowds
from lib.gateway import Gateway
from lib.procs import pss_kib, wait_until
from lib.servers.targets import Farm, echo


class Crowd:
    """`count` users with a key each, spread over processes."""

    def __init__(self, folder, count, processes):
        self.count, self.share = count, count // processes
        self.gateway = Gateway(f"{folder}/gw").init().start()
        self.farm = Farm(echo, 1).start()
        crowds.register(self.gateway, "seed", "u", count, f"127.0.0.1:{self.farm.ports[0]}")
        self.parts = [crowds.Crowd(folder, self.gateway.port, "seed", "u", "many", i * self.share).start()
                      for i in range(processes)]

    def all(self, *words):
        for part in self.parts:
            part.send(*words)
        return [part.answer(*words) for part in self.parts]

    def up(self):
        return sum(int(a.split()[1]) for a in self.all("stats"))

    def storm(self, sources):
        """Seconds until all are back after kill -9 and restart."""
        self.all("sources", sources)
        self.gateway.kill()
        self.gateway.start()
        answers = [a.split() for a in self.all("wait", 60)]
        assert sum(int(a[1]) for a in answers) == self.count, f"not everybody is back: {answers}"
        return max(float(a[2]) for a in answers)

    def stop(self):
        for part in self.parts:
            part.stop()
        self.gateway.stop()
        self.farm.stop()


@pytest.fixture
def make_crowd(folder, programs):
    made = []

    def make(count, processes=1):
        made.append(Crowd(folder, count, processes))
        return made[-1]

    yield make
    for crowd in made:
        crowd.stop()


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_crowd_is_back_after_the_gateway_was_killed_from_many_sources_and_from_one(make_crowd):
    crowd = make_crowd(300)
    crowd.all("sources", 100)
    crowd.all("login", crowd.share)
    for sources in (100, 1):
        print(f"figure: 300 clients from {sources} addresses are back after {crowd.storm(sources):.1f} s")
    assert crowd.up() == 300


def test_gateway_says_at_start_that_its_descriptors_do_not_do_for_its_sessions(make_gateway):
    few = make_gateway("few", prefix=["prlimit", "--nofile=1000:1000"])
    assert "descriptors-few limit=1000 clients=744 max_sessions=100000" in few.log()
    enough = make_gateway("enough", extra_config="[limits]\nmax_sessions = 700\n",
                          prefix=["prlimit", "--nofile=1000:1000"])
    assert "descriptors-few" not in enough.log()


@pytest.mark.soak
@pytest.mark.release_only
def test_ten_thousand_clients_idle_carry_traffic_and_come_back(make_crowd):
    crowd = make_crowd(10000, 2)
    pid = crowd.gateway.pid
    empty = pss_kib(pid)
    crowd.all("sources", 500)
    crowd.all("login", crowd.share)
    assert crowd.up() == 10000
    idle_kib = (pss_kib(pid) - empty) / 10000
    before, begun = cpu_seconds(pid), time.monotonic()
    time.sleep(35)  # every client was asked for a sign of life once
    idle_cpu = (cpu_seconds(pid) - before) / (time.monotonic() - begun)
    assert crowd.up() == 10000
    crowd.all("echo", "127.0.0.1", crowd.farm.ports[0], 65536)
    after_kib = wait_until(lambda: min(64.1, (pss_kib(pid) - empty) / 10000), 10, "memory")
    print(f"figure: 10,000 clients: {idle_kib:.1f} KiB each, {after_kib:.1f} after traffic, idle CPU {idle_cpu:.2%}")
    assert idle_kib <= 64 and after_kib <= 64 and idle_cpu < 0.05
    for sources in (500, 3):
        print(f"figure: from {sources} addresses: all back after {crowd.storm(sources):.1f} s")
    assert crowd.up() == 10000
