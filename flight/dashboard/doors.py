"""Who may look and who may command: keys in links, sessions in cookies, origins of requests.

The operator's key opens once; the viewers' key opens as often as needed and commands nothing.
Source of the dangers: OWASP's notes on request forgery across sites and on DNS rebinding.
"""

from __future__ import annotations

import hmac
import secrets
from enum import StrEnum

COOKIE = "skymist"
KEY_BYTES = 16


class Role(StrEnum):
    """What somebody may do."""

    OPERATOR = "operator"
    VIEWER = "viewer"


class Doors:
    """Keys and sessions of one dashboard; nothing outlives the program."""

    def __init__(self) -> None:
        self.operator_key: str | None = secrets.token_urlsafe(KEY_BYTES)
        self.viewer_key = secrets.token_urlsafe(KEY_BYTES)
        self._sessions: dict[str, Role] = {}

    def enter(self, key: str) -> tuple[str, Role] | None:
        """A new session for a key, or None; the operator's key is used up."""
        given = key.encode()
        if self.operator_key is not None and hmac.compare_digest(given, self.operator_key.encode()):
            self.operator_key = None
            return self._open(Role.OPERATOR)
        if hmac.compare_digest(given, self.viewer_key.encode()):
            return self._open(Role.VIEWER)
        return None

    def _open(self, role: Role) -> tuple[str, Role]:
        session = secrets.token_urlsafe(KEY_BYTES)
        self._sessions[session] = role
        return session, role

    def role(self, session: str | None) -> Role | None:
        """What a session may do; None for a stranger."""
        return self._sessions.get(session or "")


def is_same_place(host: str | None, origin: str | None, hosts: frozenset[str]) -> bool:
    """Whether a request was meant for us: to one of our hosts, and from a page of ours or none."""
    if host is None or host.lower() not in hosts:
        return False
    return origin is None or origin.lower() in {f"http://{name}" for name in hosts}
