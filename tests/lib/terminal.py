"""A `pra` command on a pseudo terminal of its own."""

import os
import pty
import select
import signal
import time

from lib import procs


class Terminal:
    """lang: of the terminal, else the client's. wine makes a console of Windows of the terminal."""

    def __init__(self, client, *args, lang=None):
        self.shown = ""
        self.seen = 0  # up to where read_until() has looked
        self.status = None
        self.enter = "\r" if client.windows else "\n"
        env = procs.environment({**client.env, "TERM": "xterm", **({"LC_ALL": lang} if lang else {})})
        argv = client.command(*args)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(argv[0], argv, env)
            finally:
                os._exit(127)  # never back into the tests

    def read_until(self, word, timeout=20):
        """Reads until `word` was shown behind the last one (None: until the end)."""
        deadline = time.monotonic() + timeout
        while word is None or word not in self.shown[self.seen:]:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.fd], [], [], left)[0], f"no {word!r} in:\n{self.shown}"
            try:
                part = os.read(self.fd, 4096).decode(errors="replace")
            except OSError:
                part = ""
            if not part:
                self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
                assert word is None, f"ended with {self.status} before {word!r}:\n{self.shown}"
                return
            self.shown += part
        self.seen = self.shown.index(word, self.seen) + len(word)

    def type(self, text):
        os.write(self.fd, text.replace("\n", self.enter).encode())

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)
