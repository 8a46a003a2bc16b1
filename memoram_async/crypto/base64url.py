"""Base64url without padding, the only spelling that JOSE knows (RFC 7515 2 and RFC 4648 5).

Decoding is strict: each byte string has exactly one accepted spelling, so a stored token cannot be altered
without a change of the bytes behind it.

From 1 KiB up, most of the cost of a token is here, so there are two implementations of the same functions:
one on the standard library, and one on the package `pybase64`, which is used where it is installed.
"""

from __future__ import annotations

try:
    from memoram_async.crypto.base64_fast import decode, decode_sealed, encode, encode_token
except ImportError:
    from memoram_async.crypto.base64_standard import decode, decode_sealed, encode, encode_token

__all__ = ("decode", "decode_sealed", "encode", "encode_token")
