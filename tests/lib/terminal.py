"""A `pra` command on a pseudo terminal of its own."""

import os
import pty
import re
import select
import signal
import time
import tty

from lib import procs


class Terminal:
    """lang: of the terminal, else the client's. Of a terminal wine makes a console of Windows."""

    def __init__(self, client, *args, lang=None):
        self.raw = self.shown = ""
        self.windows = client.windows
        self.seen = 0  # up to where read_until() has looked
        self.status = None
        env = procs.environment({**client.env, "TERM": "xterm", **({"LANG": lang} if lang else {})})
        argv = client.command(*args)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(argv[0], argv, env)
            finally:
                os._exit(127)  # never back into the tests
        if self.windows:
            tty.setraw(self.fd)  # it is the console that echoes and makes lines

    def read_until(self, word, timeout=20):
        """Reads until `word` was shown behind the last one (None: until the end)."""
        deadline = time.monotonic() + timeout
        while word is None or word not in self.shown[self.seen:]:
            assert time.monotonic() < deadline, f"no {word!r} in:\n{self.shown}"
            # Before it is looked for more, so that nothing is missed: the agent and wine's console keep the
            # terminal open behind a command of Windows that has ended.
            ended = self.windows and self._ended()
            if select.select([self.fd], [], [], 0 if ended else 0.1)[0]:
                try:
                    part = os.read(self.fd, 4096).decode(errors="replace")
                except OSError:
                    part = ""
                if part:
                    self.raw += part
                    self.shown = self._drawn() if self.windows else self.raw
                    continue
                ended = self._ended(0)
            if ended:
                assert word is None, f"ended with {self.status} before {word!r}:\n{self.shown}"
                return
        self.seen = self.shown.index(word, self.seen) + len(word)

    def _ended(self, flags=os.WNOHANG):
        if self.status is None:
            pid, status = os.waitpid(self.pid, flags)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def _drawn(self):
        """What wine's console draws, without how: it moves over blanks, and hides its cursor meanwhile."""
        text = re.sub(r"\x1b\[(?:\?25[lh]|K)", "", self.raw)
        return re.sub(r"\x1b\[(\d*)C", lambda m: " " * int(m[1] or 1), text)

    def type(self, text):
        os.write(self.fd, text.replace("\n", "\r" if self.windows else "\n").encode())

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)
