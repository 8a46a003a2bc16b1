"""Which addresses applications may register, and which of them a request may name."""

from __future__ import annotations

import pytest

from memoram_local.errors import RegistrationError
from memoram_local.redirect_uris import checked, leads_to


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/cb",
        "https://app.example:8443/cb?a=1&a=2",
        "https://192.0.2.1/cb",
        "http://localhost/cb",
        "http://localhost:3000/cb",
        "http://127.0.0.1:65535/",
        "http://127.1.2.3/cb",
        "http://[::1]:8080/cb",
        "com.example.app:/cb",
        "https://app.example/a*b",
    ],
)
def test_what_may_be_registered(uri: str) -> None:
    assert checked(uri) == uri


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("http://app.example/cb", "https is needed there"),
        ("http://localhost.example/cb", "https is needed there"),
        ("http://192.168.1.1/cb", "https is needed there"),
        ("http://0.0.0.0/cb", "https is needed there"),
        ("https://user@app.example/cb", "names a user"),
        ("http://localhost:3000@evil.example/cb", "names a user"),
        ("https://*.app.example/cb", "wildcard"),
        ("http://localhost:*/cb", "absolute"),
        ("http://localhost:0/cb", "port that is none"),
        ("http://localhost:65536/cb", "absolute"),
        ("http://localhost:/cb", "port that is none"),
        ("https://app.example:x/cb", "absolute"),
        ("https:///cb", "absolute"),
        ("https://app.example/cb#part", "absolute"),
        ("/cb", "absolute"),
        ("javascript:alert(1)", "cannot have the scheme"),
    ],
)
def test_what_may_not_be_registered(uri: str, said: str) -> None:
    with pytest.raises(RegistrationError, match=said):
        checked(uri)


@pytest.mark.parametrize(
    ("registered", "asked"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"),
        ("http://127.0.0.1:3000/cb?a=1", "http://127.0.0.1:49152/cb?a=1"),
        ("http://[::1]/cb", "http://[::1]:49152/cb"),
        ("http://localhost:3000/cb", "http://localhost/cb"),
    ],
)
def test_on_this_machine_the_port_may_be_another(registered: str, asked: str) -> None:
    assert leads_to(registered, asked)


@pytest.mark.parametrize(
    ("registered", "asked"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:49152/other"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb?more"),
        ("http://127.0.0.1/cb", "http://localhost:49152/cb"),
        ("http://127.0.0.1/cb", "http://[::1]:49152/cb"),
        ("http://127.0.0.1/cb", "https://127.0.0.1:49152/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:0/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:49152@evil.example/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:1/cb#part"),
        ("https://app.example/cb", "https://app.example:8443/cb"),
    ],
)
def test_nothing_else_may_differ(registered: str, asked: str) -> None:
    assert not leads_to(registered, asked)
