"""One user's access, opened: what memory stores stand on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs

from memoram_async.access.revocation import Approval
from memoram_async.core.errors import AccessRevoked, MemoramError
from memoram_async.core.secret import Confidential, Secret
from memoram_async.keys.store import KeyStore
from memoram_async.keys.user_keys import UserKeys
from memoram_async.models.access import AccessCredentials
from memoram_async.recall import StoreRecall
from memoram_async.resources.access_requests import AsyncAccessRequests
from memoram_async.runtime.protocol import Runtime


@attrs.frozen(kw_only=True, eq=False)
class OpenedAccess(Confidential):
    """One user's access, opened.

    Attributes:
        memory_key: Goes with every write.
        keys: The user's keys.
        approval: The access request that it stands on; None if that is not known.
        recall: Finds memories by what they say.
    """

    memory_key: Secret
    keys: UserKeys
    approval: Approval | None
    recall: StoreRecall

    def end(self, why: MemoramError) -> None:
        """Drop what was decrypted with it, and what it was decrypted with.

        Args:
            why: What the stores that stand on it raise from now on.
        """
        self.keys.end(why)
        self.recall.close()


@attrs.frozen(kw_only=True, eq=False)
class AccessOpener:
    """Opens the access of users, for one client.

    Attributes:
        runtime: The world to run in.
        requests: Reads access requests and other versions of keys.
        key_store: Where keys are kept, if anywhere.
    """

    runtime: Runtime
    requests: AsyncAccessRequests
    key_store: KeyStore | None

    def open(
        self,
        credentials: AccessCredentials,
        *,
        request_id: str | None,
        on_revoked: Callable[[AccessRevoked], None] | None = None,
    ) -> OpenedAccess:
        """The access that credentials give; nothing is sent.

        Args:
            credentials: A user's.
            request_id: The access request that they belong to; None if it is not known.
            on_revoked: Told when a call finds that the user has taken the approval back.

        Raises:
            InvalidKeyError: The credentials' encryption key cannot be used.
        """
        requests = self.requests
        fetch = _other_versions(requests, request_id)
        keys = UserKeys(credentials, runtime=self.runtime, fetch=fetch, store=self.key_store)
        approval = None if request_id is None else Approval(request_id, requests.get, on_revoked)
        recall = StoreRecall(self.runtime)
        return OpenedAccess(memory_key=credentials.memory_key, keys=keys, approval=approval, recall=recall)


def _other_versions(
    requests: AsyncAccessRequests, request_id: str | None
) -> Callable[[int], Awaitable[AccessCredentials]] | None:
    """How other versions of a key are fetched; None for credentials that name no access request."""
    if request_id is None:
        return None

    async def fetch(version: int) -> AccessCredentials:
        return await requests.credentials(request_id, key_version=version)

    return fetch
