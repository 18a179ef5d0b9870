"""Second factors: a user's authenticator app, enrolled as an administrator does it."""

import json
import time

from lib.portal import totp


class Authenticator:
    """Enrolled for `user`. Each code is good once, and none before it any more."""

    def __init__(self, gateway, user="suzuki", required=True):
        self.gateway, self.user = gateway, user
        if required:
            gateway.admin("user", "factor", user, "required")
        self.renew()

    def renew(self):
        """Another secret, of which no code was used but the one that confirmed it."""
        if self.gateway.admin("factor", "show", self.user)["state"] != "none":
            self.gateway.admin("factor", "reset", self.user)
        self.secret = self.gateway.admin("factor", "begin", self.user)["secret"]
        self._last = 0
        confirmed = self.gateway.admin_run("factor", "confirm", self.user, "--json", "--code-file", "-",
                                           input=f"{self.code()}\n").ok()
        self.recovery = json.loads(confirmed.out)["recovery-codes"]

    def code(self):
        """The next code that the gateway takes: of the step before, of this one or of the next."""
        while True:
            now, within = divmod(int(time.time()), 30)
            # The oldest goes first, so that there are many; not when it would be too old by the time it is looked at.
            step = max(self._last + 1, now - 1 if within < 15 else now)
            if step <= now + 1:
                self._last = step
                return totp(self.secret, step - now)
            time.sleep(0.2)  # at most until the next period; renew() is quicker

    def at(self, step):
        """The code of another period, whether it is good or not."""
        return totp(self.secret, step)

    def wrong(self):
        """Six digits that are the code of no period near."""
        near = {totp(self.secret, step) for step in range(-15, 16)}
        return next(f"{n:06d}" for n in range(10**6) if f"{n:06d}" not in near)
