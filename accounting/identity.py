"""Who is calling: keys are minted, digested and recognised here; a request sees only a frozen ``Caller``."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from typing import Final

from channels.db import database_sync_to_async
from django.db import DatabaseError, InterfaceError

from .errors import KeysUnavailable, NotAuthenticated, NotPermitted
from .models import Key, Team, User
from .secrets import digest, fresh_digest

SCOPES: Final = {
    "messages": "send messages and count tokens",
    "usage": "read the usage that the key's owner may see",
    "manage": "do through the API what its owner may do on the pages",
}
DEFAULT_SCOPES: Final = ["messages", "usage"]
_TOKEN = re.compile(r"tg_([0-9A-Za-z]{12})_([0-9A-Za-z]{40})")
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_REFUSAL = "invalid x-api-key"  # Anthropic's own wording; it does not tell what is wrong with a key
_MEMORY = 100_000  # recognised tokens kept in memory, the least recently used dropped first


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, as frozen values that outlive any row: the ledger copies the names beside the ids."""

    key_id: int
    key_name: str
    user_id: int | None
    user_name: str
    team_id: int | None
    team_name: str
    is_admin: bool = False
    scopes: frozenset[str] = frozenset(DEFAULT_SCOPES)
    allowed_models: tuple[str, ...] = ()
    allowed_networks: tuple[str, ...] = field(default=(), repr=False)
    expires_at: datetime | None = None
    key_public_id: str = ""

    def require(self, scope: str) -> None:
        """Raises NotPermitted where the key lacks ``scope``."""
        if scope not in self.scopes:
            raise NotPermitted(f"This key lacks the scope '{scope}'.")

    def may_use(self, *names: str) -> bool:
        """Whether any of a model's names (asked, tier, real) is allowed by the key's patterns."""
        return not self.allowed_models or any(
            fnmatchcase(name, pattern) for name in names for pattern in self.allowed_models
        )


def mint(
    user: User | None,
    *,
    team: Team | None = None,
    name: str = "default",
    expires_at: datetime | None = None,
    scopes: list[str] | None = None,
    allowed_models: Sequence[str] = (),
    allowed_networks: Sequence[str] = (),
    replaces: Key | None = None,
) -> tuple[Key, str]:
    """A new key and its token, which is nowhere kept: ``tg_<public id>_<secret>``, 238 bits of secret."""
    public_id = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    token = f"tg_{public_id}_{''.join(secrets.choice(_ALPHABET) for _ in range(40))}"
    pepper, made = fresh_digest(token)
    key = Key.objects.create(
        public_id=public_id,
        digest=made,
        pepper=pepper,
        user=user,
        team=team,
        name=name,
        expires_at=expires_at,
        scopes=DEFAULT_SCOPES if scopes is None else scopes,
        allowed_models=list(allowed_models),
        allowed_networks=list(allowed_networks),
        replaces=replaces,
    )
    return key, token


def presented_tokens(headers: Mapping[str, str]) -> list[str]:
    """The tokens a request shows, ``x-api-key`` first; clients send either header, or both.

    ``headers`` are lower case.
    """
    tokens = [headers.get("x-api-key", "").strip()]
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        tokens.append(rest.strip())
    return list(dict.fromkeys(token for token in tokens if token))


def find(token: str) -> Caller | None:
    """The caller a token stands for, read from the database; None where it stands for nobody."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    key = Key.objects.select_related("user", "team").filter(public_id=match[1], revoked_at=None).first()
    if key is None:
        return None
    made = digest(token, key.pepper)
    if made is None or not hmac.compare_digest(made, bytes(key.digest)):
        return None
    user, team = key.user, key.team
    if user is not None and not user.is_active:
        return None
    if team is None and user is not None:
        membership = user.memberships.select_related("team").first()
        team = membership.team if membership else None
    return Caller(
        key_id=key.pk,
        key_name=key.name,
        user_id=user.pk if user else None,
        user_name=user.username if user else "",
        team_id=team.pk if team else None,
        team_name=team.name if team else "",
        is_admin=bool(user and user.is_staff),
        scopes=frozenset(key.scopes),
        allowed_models=tuple(key.allowed_models),
        allowed_networks=tuple(key.allowed_networks),
        expires_at=key.expires_at,
        key_public_id=key.public_id,
    )


def authenticate(headers: Mapping[str, str], client: str = "") -> Caller | None:
    """Who shows a key, read from the database: for what is not on the line. None where no key is shown.

    ``headers`` are lower case; ``client`` is the peer's IP address. Raises NotAuthenticated.
    """
    tokens = presented_tokens(headers)
    for token in tokens:
        caller = find(token)
        if caller is not None and _is_admitted(caller, client):
            return caller
    if tokens:
        raise NotAuthenticated(_REFUSAL)
    return None


class Register:
    """The callers this worker has recognised, by a hash of their token; forgotten whenever the generation moves."""

    def __init__(self) -> None:
        self._generation = -1
        self._known: OrderedDict[bytes, Caller | None] = OrderedDict()

    def at(self, generation: int) -> None:
        """Forgets what was read before ``generation``."""
        if generation != self._generation:
            self._generation = generation
            self._known.clear()

    async def authenticate(self, headers: Mapping[str, str], client: str = "") -> Caller:
        """The caller whose key the request shows. ``client`` is the peer's IP address.

        Raises NotAuthenticated and KeysUnavailable.
        """
        tokens = presented_tokens(headers)
        if not tokens:
            raise NotAuthenticated("x-api-key header is required")
        for token in tokens:
            caller = await self._recognise(token)
            if caller is not None and _is_admitted(caller, client):
                return caller
        raise NotAuthenticated(_REFUSAL)

    async def _recognise(self, token: str) -> Caller | None:
        remembered = hashlib.sha256(token.encode()).digest()
        known = self._known
        if remembered in known:
            known.move_to_end(remembered)
            return known[remembered]
        generation = self._generation
        try:
            caller: Caller | None = await database_sync_to_async(find)(token)
        except (DatabaseError, InterfaceError) as error:
            raise KeysUnavailable("The gateway cannot look up keys at the moment. Try again shortly.") from error
        if generation == self._generation:  # else it may be of an older state than what is remembered beside it
            known[remembered] = caller
            if len(known) > _MEMORY:
                known.popitem(last=False)
        return caller


def _is_admitted(caller: Caller, client: str) -> bool:
    if caller.expires_at is not None and caller.expires_at <= datetime.now(UTC):
        return False
    if not caller.allowed_networks:
        return True
    try:
        address = ip_address(client)
    except ValueError:
        return False
    return any(address in ip_network(network, strict=False) for network in caller.allowed_networks)


register = Register()
