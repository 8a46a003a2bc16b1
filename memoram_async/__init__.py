"""The async Python SDK for Memoram: memories that users own, encrypted with their key.

from memoram_async import AsyncMemoram

async with AsyncMemoram() as memoram:  # MEMORAM_API_KEY
    store = await memoram.connect(memory_key, reason="Remembers your travel preferences")
    await store.create("Prefers window seats", tags=["travel"], importance=0.8)
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memoram_async.client import AsyncMemoram as AsyncMemoram
    from memoram_async.core.approval_verdicts import ApprovalProgress as ApprovalProgress
    from memoram_async.core.errors import AccessError as AccessError
    from memoram_async.core.errors import AccessRejected as AccessRejected
    from memoram_async.core.errors import AccessRevoked as AccessRevoked
    from memoram_async.core.errors import APIConnectionError as APIConnectionError
    from memoram_async.core.errors import APIResponseError as APIResponseError
    from memoram_async.core.errors import APIStatusError as APIStatusError
    from memoram_async.core.errors import APITimeoutError as APITimeoutError
    from memoram_async.core.errors import ApprovalRequired as ApprovalRequired
    from memoram_async.core.errors import ApprovalTimeout as ApprovalTimeout
    from memoram_async.core.errors import AuthenticationError as AuthenticationError
    from memoram_async.core.errors import BadRequestError as BadRequestError
    from memoram_async.core.errors import ClientClosedError as ClientClosedError
    from memoram_async.core.errors import ConfigurationError as ConfigurationError
    from memoram_async.core.errors import ConflictError as ConflictError
    from memoram_async.core.errors import ContentError as ContentError
    from memoram_async.core.errors import ContentNotLoadedError as ContentNotLoadedError
    from memoram_async.core.errors import ContentTooLargeError as ContentTooLargeError
    from memoram_async.core.errors import ContextMismatchError as ContextMismatchError
    from memoram_async.core.errors import CryptoError as CryptoError
    from memoram_async.core.errors import DecryptionError as DecryptionError
    from memoram_async.core.errors import IntegrityError as IntegrityError
    from memoram_async.core.errors import InternalError as InternalError
    from memoram_async.core.errors import InvalidArgumentError as InvalidArgumentError
    from memoram_async.core.errors import InvalidKeyError as InvalidKeyError
    from memoram_async.core.errors import KeyConflictError as KeyConflictError
    from memoram_async.core.errors import KeyStoreError as KeyStoreError
    from memoram_async.core.errors import MalformedCiphertextError as MalformedCiphertextError
    from memoram_async.core.errors import MemoramError as MemoramError
    from memoram_async.core.errors import NotEncryptedError as NotEncryptedError
    from memoram_async.core.errors import NotFoundError as NotFoundError
    from memoram_async.core.errors import OAuthError as OAuthError
    from memoram_async.core.errors import OAuthFlowError as OAuthFlowError
    from memoram_async.core.errors import OutcomeUnknownError as OutcomeUnknownError
    from memoram_async.core.errors import PaginationError as PaginationError
    from memoram_async.core.errors import PermissionDeniedError as PermissionDeniedError
    from memoram_async.core.errors import PlaintextDecodeError as PlaintextDecodeError
    from memoram_async.core.errors import PoolTimeoutError as PoolTimeoutError
    from memoram_async.core.errors import RateLimitedError as RateLimitedError
    from memoram_async.core.errors import RedirectError as RedirectError
    from memoram_async.core.errors import ServerError as ServerError
    from memoram_async.core.errors import UnknownKeyVersionError as UnknownKeyVersionError
    from memoram_async.core.errors import UnprocessableError as UnprocessableError
    from memoram_async.core.errors import UnsupportedAlgorithmError as UnsupportedAlgorithmError
    from memoram_async.core.errors import UnsupportedFormatError as UnsupportedFormatError
    from memoram_async.core.events import Attempt as Attempt
    from memoram_async.core.events import Outcome as Outcome
    from memoram_async.core.http import HTTPResponse as HTTPResponse
    from memoram_async.core.info import ResponseInfo as ResponseInfo
    from memoram_async.core.rate_limit import RateLimit as RateLimit
    from memoram_async.core.sealing import SealingSecret as SealingSecret
    from memoram_async.core.secret import Secret as Secret
    from memoram_async.core.unset import UNSET as UNSET
    from memoram_async.core.unset import Unset as Unset
    from memoram_async.crypto.codecs import Codec as Codec
    from memoram_async.crypto.decrypted import Decrypted as Decrypted
    from memoram_async.crypto.keyring import Keyring as Keyring
    from memoram_async.crypto.legacy import FernetCodec as FernetCodec
    from memoram_async.crypto.legacy import NodeGcmBase64 as NodeGcmBase64
    from memoram_async.crypto.legacy import NodeGcmHex as NodeGcmHex
    from memoram_async.crypto.store_options import StoreOptions as StoreOptions
    from memoram_async.grants.connections import AsyncConnections as AsyncConnections
    from memoram_async.grants.redis_store import RedisGrantStore as RedisGrantStore
    from memoram_async.grants.sql_store import SQLGrantStore as SQLGrantStore
    from memoram_async.grants.store import GrantStore as GrantStore
    from memoram_async.grants.store import MemoryGrantStore as MemoryGrantStore
    from memoram_async.keys.os_keyring import KeyringKeyStore as KeyringKeyStore
    from memoram_async.keys.store import KeyStore as KeyStore
    from memoram_async.keys.store import MemoryKeyStore as MemoryKeyStore
    from memoram_async.memory_api.client import AsyncMemoryAPI as AsyncMemoryAPI
    from memoram_async.memory_store import AsyncMemoryStore as AsyncMemoryStore
    from memoram_async.models.access import AccessCredentials as AccessCredentials
    from memoram_async.models.access import AccessRequest as AccessRequest
    from memoram_async.models.access import AccessStatus as AccessStatus
    from memoram_async.models.connections import ConnectionState as ConnectionState
    from memoram_async.models.connections import ConnectionStatus as ConnectionStatus
    from memoram_async.models.connections import Disconnected as Disconnected
    from memoram_async.models.developer_token import DeveloperToken as DeveloperToken
    from memoram_async.models.memory import Memory as Memory
    from memoram_async.models.memory import MemoryBlob as MemoryBlob
    from memoram_async.models.page import Page as Page
    from memoram_async.models.tags import Tag as Tag
    from memoram_async.models.tokens import OAuthTokens as OAuthTokens
    from memoram_async.resources.access_requests import AsyncAccessRequests as AsyncAccessRequests
    from memoram_async.resources.approval_watch import AsyncApprovalWatch as AsyncApprovalWatch
    from memoram_async.resources.memory_blobs import AsyncMemoryBlobs as AsyncMemoryBlobs
    from memoram_async.resources.oauth import AsyncOAuth as AsyncOAuth
    from memoram_async.resources.oauth_flow import AsyncOAuthFlow as AsyncOAuthFlow
    from memoram_async.resources.tags import AsyncTags as AsyncTags
    from memoram_async.runtime.anyio_runtime import AnyioRuntime as AnyioRuntime
    from memoram_async.runtime.httpx_adapter import AsyncHTTPClient as AsyncHTTPClient
    from memoram_async.runtime.protocol import Runtime as Runtime
    from memoram_async.tokens.redis_store import RedisTokenStore as RedisTokenStore
    from memoram_async.tokens.store import MemoryTokenStore as MemoryTokenStore
    from memoram_async.tokens.store import TokenStore as TokenStore
    from memoram_async.transport.hooks import Hooks as Hooks
    from memoram_async.transport.pager import AsyncItemIterator as AsyncItemIterator
    from memoram_async.transport.pager import AsyncPageIterator as AsyncPageIterator
    from memoram_async.transport.pager import AsyncPager as AsyncPager
    from memoram_async.transport.pager import AsyncReadAhead as AsyncReadAhead
else:
    from memoram_async._homes import HOMES
    from memoram_async._lazy import lazily

    __all__, __getattr__, __dir__ = lazily(globals(), HOMES)
