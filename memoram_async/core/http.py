"""HTTP messages as plain data: what the core decides on and the runtime carries."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NoReturn

import attrs

from memoram_async.core.errors import APIResponseError, InvalidArgumentError
from memoram_async.core.info import ResponseInfo
from memoram_async.core.secret import Confidential, Secret

_REQUEST_ID_LENGTH = 128


def shown_request_id(value: object) -> str | None:
    """A service's id of a request, if it can be shown."""
    if not isinstance(value, str) or not value or len(value) > _REQUEST_ID_LENGTH:
        return None
    return value if value.isascii() and value.isprintable() else None


def _no_headers() -> dict[str, str]:
    return {}


class HeaderFields(Mapping[str, str], Confidential):
    """Header fields that many requests share, credentials maybe among them; they never change.

    Two of them are the same only if they are one object.

    Attributes:
        wire: Where a runtime keeps the same fields in the form that its HTTP library wants.
    """

    __slots__ = ("_fields", "wire")

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = dict(fields)
        self.wire: Any = None

    def __getitem__(self, name: str) -> str:
        return self._fields[name]

    def __contains__(self, name: object) -> bool:
        return name in self._fields  # Mapping would raise and catch a KeyError for each that is not there

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"<HeaderFields: {', '.join(self._fields)}>"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class HTTPRequest(Confidential):
    """A request, complete and ready to send; it can be neither pickled nor copied.

    Attributes:
        method: The HTTP method.
        url: The absolute URL, query included.
        headers: Header fields, without credentials where `complete` adds them.
        content: The body.
        timeout: Seconds that connecting, each read and each write may take.
        complete: Asked for the header fields to send when the request has its turn, so that credentials are
            no older than that; None if `headers` are all. What it raises goes to the caller: nothing is sent.
    """

    method: str
    url: str = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=_no_headers, repr=False)
    content: bytes | None = attrs.field(default=None, repr=False)
    timeout: float
    complete: Callable[[], Mapping[str, str]] | None = attrs.field(default=None, repr=False)

    def complete_headers(self) -> Mapping[str, str]:
        """The header fields to send; to be asked once, when the request has its turn."""
        return self.headers if self.complete is None else self.complete()


@attrs.frozen(kw_only=True)
class HTTPResponse(Confidential):
    """An answer, read to its end; it can be neither pickled nor copied.

    Attributes:
        status: The HTTP status.
        headers: Header fields; names in lower case.
        content: The body, decompressed.
        info: How the call went that brought it.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(factory=_no_headers, repr=False)
    content: bytes = attrs.field(default=b"", repr=False)
    info: ResponseInfo | None = attrs.field(default=None, eq=False)

    @property
    def request_id(self) -> str | None:
        """The service's id of this request, when it gave one that can be shown."""
        return shown_request_id(self.headers.get("x-request-id"))

    def json(self) -> Any:
        """The body as parsed JSON.

        Raises:
            APIResponseError: The body is not JSON, or was cut short.
        """
        return parse_json(self, operation=None if self.info is None else self.info.operation)


_NO_TEXT: Final = (
    "not text in UTF-8, as JSON is (another program answered, or something recoded or compressed it): check "
    "base_url, and any proxy on the way"
)
_NO_JSON: Final = (
    "not valid JSON (another program answered, or it was cut short): check base_url, which ends in a version "
    "path such as /api/v1, and any proxy on the way"
)


def parse_json(response: HTTPResponse, *, operation: str | None) -> Any:
    """The body of the answer to an operation as parsed JSON.

    Raises:
        APIResponseError: The body is not JSON, or was cut short.
    """
    try:
        return _read_json(response.content)
    # The parser's own error holds the whole document.
    except UnicodeError:
        fault = _NO_TEXT
    except (ValueError, RecursionError):
        fault = _NO_JSON
    error = APIResponseError(
        f"{operation or 'request'}: the service's answer is {fault}",
        status=response.status,
        request_id=response.request_id,
    )
    error.info = response.info
    raise error


def _refuse_constant(_: str) -> NoReturn:
    """Python's parser takes NaN and Infinity, which RFC 8259 does not."""
    raise ValueError


# What json.loads does, without making another decoder each time.
_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)
_WHITE_SPACE: Final = " \t\r\n"


def _read_json(content: bytes) -> Any:
    """The value of a JSON text, as json.loads reads it but for what it does to every short answer.

    Raises:
        ValueError: It is not JSON.
    """
    # JSON in UTF-16 or UTF-32 has a zero octet beside its first character, and a byte order mark is neither.
    is_plain = content[:1] in b"{[" and content[1:2] != b"\0"
    text = content.decode("utf-8" if is_plain else json.detect_encoding(content), "surrogatepass")
    try:
        value, end = _DECODER.raw_decode(text)
    except ValueError:
        return _DECODER.decode(text)  # it may begin with white space
    return _DECODER.decode(text) if text[end:].strip(_WHITE_SPACE) else value


def _unwrap(value: object) -> str:
    """What the JSON writer does with a value that it does not know."""
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError


def json_body(value: Any) -> bytes:
    """A value as a JSON body in UTF-8; a `Secret` in it is written as its text.

    Raises:
        InvalidArgumentError: The value holds something that JSON cannot carry (NaN, infinity, a lone
            surrogate, another type).
    """
    try:
        return json.dumps(
            value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_unwrap
        ).encode()
    except (TypeError, ValueError, RecursionError):
        # UnicodeEncodeError, a ValueError, holds the whole text.
        pass
    del value
    raise InvalidArgumentError(
        "the request cannot be written as JSON: it holds NaN, infinity, a lone surrogate or a value of a "
        "type that JSON lacks"
    )
