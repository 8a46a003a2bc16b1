"""API keys tell by their form which service and environment they are of."""

from __future__ import annotations

from typing import Any

import pytest

from memoram_async.core.errors import ConfigurationError
from memoram_async.core.key_forms import environment_of, refuse_foreign_key
from memoram_async.core.secret import Secret


@pytest.mark.parametrize(
    ("key", "environment"),
    [
        ("mem_live_a1", "live"),
        ("mem_test_a1", "test"),
        ("mem_live_test_-Z", "live"),
        ("mem_test_live_", "test"),
    ],
)
def test_a_key_is_of_its_environment(key: str, environment: str) -> None:
    assert environment_of(Secret(key)) == environment


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (7, r"^the API key must be a string, not int$"),
        (b"mem_live_a1", r"^the API key must be a string, not bytes$"),
        ("", r"^the API key holds white space"),
        ("mem_live_a1\n", r"^the API key holds white space, a control character or a non-ASCII character"),
        ("mem_live_ä", r"^the API key holds white space"),
        ("mem_0123456789abcdef", r"^this looks like a developer API key of Memoram, the other service"),
        ("mem_lives_a1", r"^this looks like a developer API key of Memoram"),
        ("mem_live_", r"^this is no API key of Memory API"),
        ("mem_test_a.b", r"^this is no API key of Memory API"),
        ("sk-0123", r"^this is no API key of Memory API: those are mem_live_\.\.\. or mem_test_\.\.\."),
    ],
)
def test_what_is_no_key_of_memory_api_is_called_what_it_looks_like(key: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        environment_of(Secret(key))


@pytest.mark.parametrize("key", ["mem_live_a1", "mem_test_a1", "mem_live_"])
def test_a_key_of_memory_api_is_no_developer_key_of_memoram(key: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^this is an API key of Memory API, .* use AsyncMemoryAPI"):
        refuse_foreign_key(Secret(key))


@pytest.mark.parametrize("key", ["mem_0123456789abcdef", "mem_lives", "live_mem_live_"])
def test_any_other_key_may_be_one_of_memoram(key: str) -> None:
    refuse_foreign_key(Secret(key))
