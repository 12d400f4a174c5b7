"""Who may send: credentials, hooks, address list, state, balance and the session windows that MOs opened."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from .parts import SCALE

STATES = ("ok", "suspended", "observation", "disabled")
HOOKS = ("dn", "mo")
START_BALANCE = 1_000_000 * SCALE  # enough for a rehearsal with ten million messages


@dataclass(slots=True)
class Account:
    """One API connection at the provider. Windows are epoch seconds of the latest WhatsApp MO by MSISDN."""

    user: str
    secret: str
    hooks: dict[str, str] = field(default_factory=dict)
    allow_list: list[str] = field(default_factory=list)
    state: str = "ok"
    balance: int = START_BALANCE
    windows: dict[str, float] = field(default_factory=dict)
    networks: list[IPv4Network | IPv6Network] = field(default_factory=list)

    def admits(self, peer: str) -> bool:
        """An empty list admits every address."""
        return not self.networks or any(ip_address(peer) in network for network in self.networks)

    def open_window(self, msisdn: str, at: float) -> None:
        """A window never moves back."""
        self.windows[msisdn] = max(at, self.windows.get(msisdn, at))

    def forget(self) -> None:
        self.balance = START_BALANCE
        self.windows.clear()

    def record(self) -> dict[str, object]:
        return {
            "kind": "account",
            "user": self.user,
            "pass": self.secret,
            "hooks": self.hooks,
            "allow_list": self.allow_list,
            "state": self.state,
        }


class Accounts(dict[str, Account]):
    """Accounts by APP_KEY."""

    def put(self, record: dict[str, Any]) -> None:
        account = self.setdefault(record["user"], Account(record["user"], record["pass"]))
        account.secret, account.state = record["pass"], record["state"]
        account.hooks, account.allow_list = record["hooks"], record["allow_list"]
        account.networks = [ip_network(entry, strict=False) for entry in account.allow_list]
