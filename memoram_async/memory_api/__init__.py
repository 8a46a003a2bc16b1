"""Memory API, the second service: memories that an application owns, in plain text, found by questions.

from memoram_async import AsyncMemoryAPI

async with AsyncMemoryAPI() as memory_api:  # MEMORY_API_KEY
    await memory_api.memories.create("Prefers window seats", metadata={"source": "chat"})
    result = await memory_api.query("Which seat should I book?")
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memoram_async.memory_api.arguments import AuthHeader as AuthHeader
    from memoram_async.memory_api.arguments import ContentType as ContentType
    from memoram_async.memory_api.arguments import EnvironmentName as EnvironmentName
    from memoram_async.memory_api.arguments import ScopeName as ScopeName
    from memoram_async.memory_api.client import AsyncMemoryAPI as AsyncMemoryAPI
    from memoram_async.memory_api.errors import APIKeyNotFoundError as APIKeyNotFoundError
    from memoram_async.memory_api.errors import ConcurrentLimitExceededError as ConcurrentLimitExceededError
    from memoram_async.memory_api.errors import ConfirmationRequiredError as ConfirmationRequiredError
    from memoram_async.memory_api.errors import DailyQuotaExceededError as DailyQuotaExceededError
    from memoram_async.memory_api.errors import DisabledAPIKeyError as DisabledAPIKeyError
    from memoram_async.memory_api.errors import ExpiredAPIKeyError as ExpiredAPIKeyError
    from memoram_async.memory_api.errors import ExtractionFailedError as ExtractionFailedError
    from memoram_async.memory_api.errors import InsufficientScopeError as InsufficientScopeError
    from memoram_async.memory_api.errors import InvalidAPIKeyError as InvalidAPIKeyError
    from memoram_async.memory_api.errors import MalformedAPIKeyError as MalformedAPIKeyError
    from memoram_async.memory_api.errors import MemoryIDExistsError as MemoryIDExistsError
    from memoram_async.memory_api.errors import MemoryNotFoundError as MemoryNotFoundError
    from memoram_async.memory_api.errors import MissingAPIKeyError as MissingAPIKeyError
    from memoram_async.memory_api.errors import OrganizationDisabledError as OrganizationDisabledError
    from memoram_async.memory_api.errors import OrganizationNotFoundError as OrganizationNotFoundError
    from memoram_async.memory_api.errors import RateLimitExceededError as RateLimitExceededError
    from memoram_async.memory_api.errors import RotationError as RotationError
    from memoram_async.memory_api.errors import ValidationError as ValidationError
    from memoram_async.memory_api.models import Answer as Answer
    from memoram_async.memory_api.models import APIKey as APIKey
    from memoram_async.memory_api.models import Environment as Environment
    from memoram_async.memory_api.models import Extraction as Extraction
    from memoram_async.memory_api.models import Match as Match
    from memoram_async.memory_api.models import Memory as Memory
    from memoram_async.memory_api.models import NewAPIKey as NewAPIKey
    from memoram_async.memory_api.models import Organization as Organization
    from memoram_async.memory_api.models import Plan as Plan
    from memoram_async.memory_api.models import QueryResult as QueryResult
    from memoram_async.memory_api.models import Report as Report
    from memoram_async.memory_api.models import Scope as Scope
    from memoram_async.memory_api.models import Signup as Signup
    from memoram_async.memory_api.resources.account import AsyncAccount as AsyncAccount
    from memoram_async.memory_api.resources.api_keys import AsyncAPIKeys as AsyncAPIKeys
    from memoram_async.memory_api.resources.memories import AsyncMemories as AsyncMemories
    from memoram_async.memory_api.resources.usage import AsyncUsage as AsyncUsage
    from memoram_async.memory_api.settings import LiveKeyWarning as LiveKeyWarning
else:
    from memoram_async._lazy import lazily
    from memoram_async.memory_api._homes import HOMES

    __all__, __getattr__, __dir__ = lazily(globals(), HOMES)
