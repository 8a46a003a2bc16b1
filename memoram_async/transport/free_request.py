"""Requests that the SDK has no method for."""

from __future__ import annotations

from memoram_async.core.arguments import check_idempotency_key, check_method, check_params
from memoram_async.core.errors import InvalidArgumentError
from memoram_async.core.retry import READING_METHODS, Safety
from memoram_async.core.secret import Secret
from memoram_async.core.urls import check_path
from memoram_async.transport.call import Call
from memoram_async.transport.requester import Requester


def free_request(
    api: Requester,
    method: object,
    path: object,
    *,
    params: Secret | None,
    json: Secret | None,
    own_key: object = None,
) -> Call:
    """A call of whatever method and path.

    Args:
        api: Where it goes.
        method: The HTTP method.
        path: The path below the service's address.
        params: A mapping of query parameters, wrapped.
        json: The body, wrapped.
        own_key: An idempotency key of the caller's own, for a service that keeps keys.

    Raises:
        InvalidArgumentError: It cannot be written.
    """
    checked = check_method(method)
    idempotency_key = check_idempotency_key(own_key)
    if idempotency_key is not None and checked in READING_METHODS:
        raise InvalidArgumentError(f"idempotency_key goes with a request that writes, which {checked} is not")
    return Call(
        operation="request",
        method=checked,
        url=api.base_url + check_path(path),
        template=None,
        params=check_params(None if params is None else params.reveal()),
        json=None if json is None else json.reveal(),
        safety=Safety.IDEMPOTENT if checked in READING_METHODS else Safety.ONCE,
        credentials=api.credentials,
        peer=api.peer,
        meaning=api.meaning,
        idempotency_key=idempotency_key,
    )
