"""How the content of a store is written and read."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Final, Literal, TypeAlias, cast

import attrs

from memoram_async.core.errors import InvalidArgumentError
from memoram_async.crypto.codecs import Codec, CodecRegistry, JweCodec, ReadPolicy
from memoram_async.crypto.jwe import MAX_PLAINTEXT_BYTES

OnUndecryptable: TypeAlias = Literal["raise", "skip", "keep"]
"""What a list does with a memory that cannot be read."""

MAX_CONTENT_BYTES: Final = 1_400_000
"""The largest value of `max_content_bytes`: what is larger makes a longer token than any reader accepts."""

_POLICIES: Final = ("encrypted-only", "allow-plaintext")
_ON_UNDECRYPTABLE: Final = ("raise", "skip", "keep")


def _one_of(values: tuple[str, ...], _: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value not in values:
        raise InvalidArgumentError(f"{attribute.name} must be one of {', '.join(map(repr, values))}")


def _flag(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{attribute.name} must be True or False")


def _size(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if type(value) is not int or not 1 <= value <= MAX_CONTENT_BYTES:
        raise InvalidArgumentError(f"{attribute.name} must be an integer from 1 to {MAX_CONTENT_BYTES}")


def _tuple(codecs: Any) -> tuple[Codec | str, ...]:
    if isinstance(codecs, str | bytes | type) or not isinstance(codecs, Iterable):
        raise InvalidArgumentError("codecs must be a sequence of names and codecs")
    return cast("tuple[Codec | str, ...]", tuple(cast("Iterable[object]", codecs)))


def _registry(options: StoreOptions) -> CodecRegistry:
    try:
        return CodecRegistry(
            JweCodec(try_all_versions=options.try_all_versions),
            *options.codecs,
            allow_unauthenticated=options.allow_unauthenticated,
        )
    except ValueError as error:
        reason = str(error)
    raise InvalidArgumentError(f"codecs: {reason}")


@attrs.frozen(kw_only=True)
class StoreOptions:
    """How the content of a store is written and read.

    Pass them to a client for all its stores, or to `connect` and `open` for one.

    Attributes:
        read_policy: `encrypted-only` treats stored plaintext as an error. `allow-plaintext` hands it out,
            marked as not encrypted; what looks like ciphertext, even if damaged, stays an error.
        codecs: Forms of other programs that are read as well, in this order: `node_gcm_hex`, `node_gcm_b64`,
            `fernet`, or an object of your own; see `Codec`. Content is always written as JWE.
        allow_unauthenticated: Permit codecs that cannot tell whether content was changed.
        require_binding: Refuse content that does not prove which field it was encrypted for. Other programs
            write such content; without this it is read and marked `bound=False`.
        try_all_versions: Try every key with content that does not name its key version. Without this, such
            content is read only if there is a single version.
        key_wrap: Encrypt each content with a random key of its own, wrapped with the user's (AES Key Wrap).
            It costs 58 characters, and lifts the limit of 2^32 writes for each key.
        bind_user: Write the user's id into the header, so that content is bound to the user as well as to the
            key. Some JOSE libraries refuse such a header in their default configuration.
        on_undecryptable: What a list does with a memory that cannot be read: `keep` it with its `error`,
            `skip` and count it, or `raise` the error.
        max_content_bytes: The largest content that is written, in bytes of UTF-8.

    Raises:
        InvalidArgumentError: An option has none of these values.
    """

    read_policy: ReadPolicy = attrs.field(default="encrypted-only", validator=partial(_one_of, _POLICIES))
    codecs: tuple[Codec | str, ...] = attrs.field(default=(), converter=_tuple)
    allow_unauthenticated: bool = attrs.field(default=False, validator=_flag)
    require_binding: bool = attrs.field(default=False, validator=_flag)
    try_all_versions: bool = attrs.field(default=False, validator=_flag)
    key_wrap: bool = attrs.field(default=False, validator=_flag)
    bind_user: bool = attrs.field(default=False, validator=_flag)
    on_undecryptable: OnUndecryptable = attrs.field(
        default="keep", validator=partial(_one_of, _ON_UNDECRYPTABLE)
    )
    max_content_bytes: int = attrs.field(default=MAX_PLAINTEXT_BYTES, validator=_size)
    registry: CodecRegistry = attrs.field(
        init=False,
        repr=False,
        eq=False,
        default=attrs.Factory(_registry, takes_self=True),
    )


def check_store_options(value: object, *, default: StoreOptions | None = None) -> StoreOptions:
    """Options for a store; None means the default ones.

    Raises:
        InvalidArgumentError: It is something else.
    """
    if value is None:
        return StoreOptions() if default is None else default
    if isinstance(value, StoreOptions):
        return value
    raise InvalidArgumentError(f"store_options must be StoreOptions, not {type(value).__name__}")
