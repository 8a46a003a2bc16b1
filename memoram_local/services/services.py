"""Everything that one platform is made of, for those parts of it that answer requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memoram_local.limits import Limits
from memoram_local.randomness import Randomness
from memoram_local.services.activity import Activity
from memoram_local.services.developer_tokens import DeveloperTokens
from memoram_local.services.memory_api import MemoryApi, assemble_memory_api
from memoram_local.services.sign_ins import SignIns
from memoram_local.store.access_log import AccessLog
from memoram_local.store.access_requests import AccessRequests
from memoram_local.store.accounts import Accounts, Sessions
from memoram_local.store.api_keys import ApiKeys
from memoram_local.store.apps import Apps
from memoram_local.store.changes import Changes
from memoram_local.store.consents import Consents
from memoram_local.store.idempotency import IdempotentAnswers
from memoram_local.store.memory_blobs import MemoryBlobs
from memoram_local.store.oauth_grants import OAuthGrants
from memoram_local.store.request_log import RequestLog
from memoram_local.store.resealing import SIGNING_KEY
from memoram_local.store.settings import kept, kept_sealed
from memoram_local.store.tags import Tags

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from memoram_local.clock import Clock
    from memoram_local.hashing import PasswordProfile
    from memoram_local.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts of one platform.

    Attributes:
        clock: All times come from it.
        randomness: All ids, keys, codes and tokens come from it.
        request_ids: Ids of requests come from here, so that reading shifts no other draw.
        database: Runs units of work.
        changes: Wakes those who wait for a decision.
        passwords: What a password hash costs.
        instance: Tells this platform's cookies from those of others on a host name; kept with its data.
        limits: How much it takes, and how often.
        sign_ins: Counts wrong passwords.
        base_url: The origin under which it is reached; None to believe the Host header, which is checked.
        lists_whole_account: Whether an application is shown the access requests of its developer's others.
        tokens: Developer JWTs.
        accounts: Units of work on accounts.
        sessions: Units of work on sign-ins.
        apps: Units of work on applications.
        api_keys: Units of work on their keys.
        request_log: Units of work on what applications called.
        access_log: Units of work on who read and wrote a user's memories.
        activity: Fills both logs.
        access_requests: Units of work on access requests.
        consents: Units of work on what users consented to by OAuth.
        memory_blobs: Units of work on memory blobs.
        tags: Units of work on tags.
        grants: Units of work on OAuth codes and tokens.
        idempotent_answers: Units of work on first answers.
        memory_api: The parts of the second service.
    """

    clock: Clock
    randomness: Randomness
    request_ids: Randomness
    database: Database
    changes: Changes
    passwords: PasswordProfile
    instance: str
    limits: Limits
    sign_ins: SignIns
    base_url: str | None
    lists_whole_account: bool
    tokens: DeveloperTokens
    accounts: Accounts
    sessions: Sessions
    apps: Apps
    api_keys: ApiKeys
    request_log: RequestLog
    access_log: AccessLog
    activity: Activity
    access_requests: AccessRequests
    consents: Consents
    memory_blobs: MemoryBlobs
    tags: Tags
    grants: OAuthGrants
    idempotent_answers: IdempotentAnswers
    memory_api: MemoryApi


def assemble(
    *,
    clock: Clock,
    randomness: Randomness,
    database: Database,
    passwords: PasswordProfile,
    base_url: str | None,
    lists_whole_account: bool = False,
    limits: Limits | None = None,
) -> Services:
    """Put the parts together on an open store, with the signing key that is kept in it."""

    def own_settings(connection: Connection) -> tuple[str, str]:
        signing_key = kept_sealed(
            connection, SIGNING_KEY, lambda: randomness.hexadecimal(32), seal=database.seal
        )
        # Never drawn from a seed: platforms with the same one live side by side too.
        return signing_key, kept(connection, "instance", lambda: Randomness().hexadecimal(4))

    signing_key, instance = database.write_now(own_settings)

    taken = limits or Limits()
    changes = Changes()
    tags = Tags(clock=clock, randomness=randomness)
    api_keys = ApiKeys(clock=clock, randomness=randomness, changes=changes)
    consents = Consents(clock=clock)
    request_log, access_log = RequestLog(), AccessLog()
    return Services(
        clock=clock,
        randomness=randomness,
        request_ids=randomness.stream("request ids"),
        database=database,
        changes=changes,
        passwords=passwords,
        instance=instance,
        limits=taken,
        sign_ins=SignIns(clock=clock, limits=taken),
        base_url=base_url,
        lists_whole_account=lists_whole_account,
        tokens=DeveloperTokens(
            key=bytes.fromhex(signing_key),
            clock=clock,
            randomness=randomness.stream("token ids"),
        ),
        accounts=Accounts(clock=clock, randomness=randomness, changes=changes, seal=database.seal),
        sessions=Sessions(clock=clock, randomness=randomness),
        apps=Apps(clock=clock, randomness=randomness, keys=api_keys, changes=changes),
        api_keys=api_keys,
        request_log=request_log,
        access_log=access_log,
        activity=Activity(
            clock=clock,
            database=database,
            request_log=request_log,
            access_log=access_log,
            api_keys=api_keys,
        ),
        access_requests=AccessRequests(
            clock=clock, randomness=randomness, changes=changes, consents=consents
        ),
        consents=consents,
        memory_blobs=MemoryBlobs(clock=clock, randomness=randomness, tags=tags),
        tags=tags,
        grants=OAuthGrants(clock=clock, randomness=randomness),
        idempotent_answers=IdempotentAnswers(clock=clock),
        # Of its own, so that it shifts no draw of the first service.
        memory_api=assemble_memory_api(clock=clock, randomness=randomness.stream("memory api")),
    )
