"""Neither keys nor content leave the core through an error, whatever renders it."""

from __future__ import annotations

import math
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from memoram_async.core.answers import oauth_meaning, status_error
from memoram_async.core.arguments import (
    check_number,
    check_optional_text,
    check_reason,
    check_secret_text,
    check_stored_content,
    check_tag_filter,
    check_tags,
)
from memoram_async.core.config import resolve
from memoram_async.core.errors import MemoramError
from memoram_async.core.http import HTTPResponse, json_body
from memoram_async.core.oauth import Flow, check_oauth_params
from memoram_async.core.paging import CursorGuard
from memoram_async.core.secret import Secret
from memoram_async.core.urls import check_base_url, check_id, check_path, with_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CANARY = "canary0f5ecrecy"
STATE = "state-of-this-session"


def configured(
    *,
    api_key: Any = "mem_1",
    base_url: Any = None,
    auth_url: Any = None,
    environment: Mapping[str, str] | None = None,
    **options: Any,
) -> object:
    return resolve(
        **options,
        api_key=api_key,
        base_url=base_url,
        auth_url=auth_url,
        allow_insecure_http=False,
        environment={} if environment is None else environment,
    )


def came_back(callback: object, *, state: str = STATE) -> object:
    flow = Flow(
        endpoint="https://auth.example",
        client_id="app",
        redirect_uri="https://app.example",
        scope=None,
        params={},
        state=Secret(state),
        code_verifier=Secret(CANARY),
        began=0,
    )
    held = [callback]
    del callback
    return flow.code_from(held.pop(), wall=0)


def same_cursor_twice() -> None:
    guard = CursorGuard()
    guard.check(CANARY)
    guard.check(CANARY)


def refused(content: str, *, oauth: bool = False) -> None:
    response = HTTPResponse(status=400, headers={"x-other": CANARY}, content=content.encode())
    raise status_error(response, operation="createMemoryBlob", meaning=oauth_meaning if oauth else None)


# Each makes its secrets itself, so that no frame of the test holds them.
FAILURES: dict[str, Callable[[], object]] = {
    "key with a newline": lambda: configured(api_key=CANARY + "\n"),
    "wrapped key with a newline": lambda: configured(api_key=Secret(CANARY + "\n")),
    "key as bytes": lambda: configured(api_key=CANARY.encode()),
    "key in a list": lambda: configured(api_key=[CANARY]),
    "key with a newline in the environment": lambda: configured(
        api_key=None, environment={"MEMORAM_API_KEY": CANARY + "\n"}
    ),
    "no key in an environment of secrets": lambda: configured(api_key=None, environment={"PASSWORD": CANARY}),
    "bad address beside a good key": lambda: configured(api_key=CANARY, base_url="nowhere"),
    "bad address in an environment of secrets": lambda: configured(
        environment={"MEMORAM_BASE_URL": "nowhere", "MEMORAM_API_KEY": CANARY}
    ),
    "password in base_url": lambda: configured(base_url=f"https://user:{CANARY}@host"),
    "password in auth_url": lambda: configured(auth_url=f"https://user:{CANARY}@host"),
    "password in a variable": lambda: configured(environment={"MEMORAM_AUTH_URL": f"https://u:{CANARY}@host"}),
    "token in a base URL's query": lambda: check_base_url(f"https://host?token={CANARY}", name="base_url"),
    "password beside a bad port": lambda: check_base_url(f"https://u:{CANARY}@host:port", name="base_url"),
    "password beside a bad bracket": lambda: check_base_url(f"https://u:{CANARY}@[", name="base_url"),
    "address as bytes": lambda: check_base_url(CANARY.encode(), name="base_url"),
    "key for an id": lambda: check_id(f"{CANARY}/", name="blob_id"),
    "wrapped bytes for an id": lambda: check_id(CANARY.encode(), name="blob_id"),
    "token in a path": lambda: check_path(f"/a?token={CANARY}"),
    "content in a query": lambda: with_query("https://host", {"searchQuery": CANARY + "\ud800"}),
    "bytes in a query": lambda: with_query("https://host", {"searchQuery": CANARY.encode()}),
    "secret with a space": lambda: check_secret_text(f"{CANARY} ", name="code"),
    "wrapped secret with a space": lambda: check_secret_text(Secret(f"{CANARY} "), name="code"),
    "secret as bytes": lambda: check_secret_text(CANARY.encode(), name="code"),
    "reason too long": lambda: check_reason(CANARY * 99),
    "reason as bytes": lambda: check_reason(CANARY.encode()),
    "content as bytes": lambda: check_stored_content(CANARY.encode()),
    "title as bytes": lambda: check_optional_text(CANARY.encode(), name="title"),
    "content for a number": lambda: check_number(CANARY, name="importance"),
    "tags as one string": lambda: check_tags(CANARY),
    "an empty tag among others": lambda: check_tags([CANARY, ""]),
    "a tag with a comma": lambda: check_tag_filter([f"{CANARY},"]),
    "body with NaN": lambda: json_body({"content": CANARY, "importance": math.nan}),
    "body with a lone surrogate": lambda: json_body({"content": CANARY + "\ud800"}),
    "body with bytes": lambda: json_body({"content": CANARY.encode()}),
    "body with a secret": lambda: json_body({"memoryKey": Secret(CANARY), "importance": math.nan}),
    "answer cut short": lambda: HTTPResponse(status=200, content=f'{{"content": "{CANARY}'.encode()).json(),
    "answer that is text": lambda: HTTPResponse(status=200, content=CANARY.encode()).json(),
    "answer that is no UTF-8": lambda: HTTPResponse(status=200, content=CANARY.encode() + b"\xff").json(),
    "error that echoes": lambda: refused(f'{{"message": "{CANARY}", "code": "{CANARY}"}}'),
    "error that is the echo": lambda: refused(CANARY),
    "OAuth error that echoes": lambda: refused(f'{{"error": "{CANARY}"}}', oauth=True),
    "callback with another state": lambda: came_back(f"https://app.example?code={CANARY}&state=x"),
    "callback without a state": lambda: came_back(f"code={CANARY}"),
    "callback with two codes": lambda: came_back(f"code={CANARY}&code={CANARY}&state={STATE}"),
    "callback with a bad code": lambda: came_back(f"code={CANARY}%20&state={STATE}"),
    "callback of another server": lambda: came_back(f"code={CANARY}&state={STATE}&iss={CANARY}"),
    "callback with an error and a code": lambda: came_back(
        f"error=access_denied&error_description={CANARY}&code={CANARY}&state={STATE}"
    ),
    "callback with an error that echoes": lambda: came_back(f"error={CANARY}&state={STATE}"),
    "callback that is no address": lambda: came_back(f"https://[?code={CANARY}"),
    "callback as bytes": lambda: came_back(f"code={CANARY}".encode()),
    "callback of a flow with a secret state": lambda: came_back("code=a&state=b", state=CANARY),
    "parameter with a lone surrogate": lambda: check_oauth_params({"login_hint": CANARY + "\ud800"}),
    "parameter that is the flow's own": lambda: check_oauth_params({"state": CANARY}),
    "short secret": lambda: configured(secret=CANARY),
    "secret in bytes that is short": lambda: configured(secret=CANARY.encode()),
    "secret among others that is short": lambda: configured(secret=["s" * 32, CANARY]),
    "secret of another type": lambda: configured(secret={CANARY: 1}),
    "secret that is the API key": lambda: configured(api_key=CANARY * 4, secret=CANARY * 4),
    "client secret with a newline": lambda: configured(client_secret=CANARY + "\n"),
    "password in dashboard_url": lambda: configured(dashboard_url=f"https://user:{CANARY}@host"),
    "password in token_endpoint": lambda: configured(token_endpoint=f"https://user:{CANARY}@host"),
    "cursor given twice": same_cursor_twice,
}  # fmt: skip


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("fail", FAILURES.values(), ids=FAILURES.keys())
def test_no_error_shows_a_secret(fail: Callable[[], object]) -> None:
    with pytest.raises(MemoramError) as caught:
        fail()
    error = caught.value
    assert (error.__cause__, error.__context__) == (None, None)
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in report.stack if "memoram_async" in frame.filename]
    shown = [text for frame in frames for text in (frame.locals or {}).values()]
    shown += [f"{one} {one!r} {one.args} {vars(one)}" for one in chain(error)]
    shown.append(pickle.dumps(error).decode("latin-1"))
    assert not [text for text in shown if CANARY in text]
