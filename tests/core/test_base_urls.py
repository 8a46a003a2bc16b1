"""Base URLs: only what may be trusted with secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core.errors import ConfigurationError
from memoram_async.core.secret import Secret
from memoram_async.core.urls import check_base_url, check_link, is_address, origin


def refused(url: object, *, insecure: bool = False) -> str:
    """The message that a URL is refused with."""
    with pytest.raises(ConfigurationError) as caught:
        check_base_url(url, name="base_url", allow_insecure_http=insecure)
    return caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "https://api.memoram.app/api/v1",
        "https://api.memoram.app",
        "https://api.memoram.app.",
        "https://xn--mller-kva.example/api",
        "https://my_host:8443/a/b.c/%7Ed",
        "https://10.0.0.1",
        "https://[2001:db8::1]:8443/api",
        "https://host:65535",
        "https://host:1",
        "HTTPS://API.Example.com/V1",
        "https://host/INBOX",
    ],
)
def test_an_https_url_is_kept_as_it_is(url: str) -> None:
    assert check_base_url(url, name="base_url") == url


@pytest.mark.parametrize("url", ["https://host/", "https://host///"])
def test_trailing_slashes_are_dropped(url: str) -> None:
    assert check_base_url(url, name="base_url") == "https://host"


def test_a_wrapped_url_is_read() -> None:
    assert check_base_url(Secret("https://host/api/"), name="base_url") == "https://host/api"


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "http://localhost:8080/api",
        "http://LOCALHOST:8080",
        "http://127.0.0.1:8080",
        "http://127.255.255.254",
        "http://[::1]:8080/api",
        "http://[0:0:0:0:0:0:0:1]",
    ],
)
def test_http_is_fine_on_this_machine(url: str) -> None:
    assert check_base_url(url, name="base_url") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://api.memoram.app",
        "HTTP://api.memoram.app",
        "http://localhost.example.com",
        "http://localhost.",
        "http://evil.localhost",
        "http://notlocalhost",
        "http://127.0.0.1.example.com",
        "http://127.1",
        "http://2130706433",
        "http://0x7f000001",
        "http://0177.0.0.1",
        "http://0.0.0.0",
        "http://192.168.0.1",
        "http://[::]",
        "http://[2001:db8::1]",
    ],
)
def test_http_to_another_machine_is_refused(url: str) -> None:
    assert "secrets would travel in clear" in refused(url)


def test_http_to_another_machine_can_be_allowed_and_is_not_by_itself() -> None:
    url = "http://memoram.internal:8080"
    with pytest.raises(ConfigurationError, match="secrets would travel in clear"):
        check_base_url(url, name="base_url")
    assert check_base_url(url, name="base_url", allow_insecure_http=True) == url


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host",
        "file:///etc/passwd",
        "ws://host",
        "host",
        "host/path",
        "//host",
        "/path",
        "https:",
        "https://",
        "https:///path",
        "https://:443",
        "mailto:a",
    ],
)
def test_what_is_no_absolute_http_url_is_refused(url: str) -> None:
    assert "must be an absolute https:// URL" in refused(url, insecure=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://user@host",
        "https://user:word@host",
        "https://@host",
        "https://:word@host",
        "https://a%40b@host",
    ],
)
def test_a_user_name_or_password_is_refused(url: str) -> None:
    assert "must not hold a user name or password" in refused(url)


@pytest.mark.parametrize(
    "url", ["https://host?", "https://host/?a=1", "https://host#", "https://host/#top", "https://host/a?b#c"]
)
def test_a_query_or_fragment_is_refused(url: str) -> None:
    assert "must not have a query or fragment" in refused(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        " https://host",
        "https://host ",
        "https://host\n",
        "https://ho st",
        "https://host/a\tb",
        "https://host\x00",
        "https://host\x7f",
    ],
)
def test_white_space_and_control_characters_are_refused(url: str) -> None:
    assert "is empty or holds white space or a control character" in refused(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://müller.example",
        "https://host/\N{NO-BREAK SPACE}",
        "https://аpi.memoram.app",  # noqa: RUF001 - a Cyrillic letter that looks like a Latin one
        "http://１２７.0.0.1",  # noqa: RUF001 - digits that a resolver may take for others
        "https://good.example\N{FULLWIDTH SOLIDUS}@evil.example",
        "https://host:\N{ARABIC-INDIC DIGIT EIGHT}",
        "https://host/\ud800",
    ],
)
def test_non_ascii_is_refused(url: str) -> None:
    assert "non-ASCII" in refused(url, insecure=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://host:0",
        "https://host:65536",
        "https://host:-1",
        "https://host:port",
        "https://[::1",
        "https://::1]",
        "https://[no-address]",
        "https://[fe80::1%25eth0]",
        "https://.",
        "https://.host",
        "https://a..b",
        "https://a%2fb",
        "http://evil.example%2f.localhost",
        "http://evil.example\\.localhost",
        "https://good.example\\evil",
        "https://host/a\\b",
        "https://a,b",
        "https://a;b",
        "https://a'b",
    ],
)
def test_a_host_or_port_that_is_none_is_refused(url: str) -> None:
    assert "is not a valid URL" in refused(url, insecure=True)


@pytest.mark.parametrize("url", [None, 7, b"https://host", ["https://host"], Secret], ids=repr)
def test_what_is_not_text_is_refused(url: object) -> None:
    assert refused(url) == "base_url must be a string"


def test_the_message_names_the_setting() -> None:
    with pytest.raises(ConfigurationError, match=r"^MEMORAM_AUTH_URL "):
        check_base_url("", name="MEMORAM_AUTH_URL")


@given(st.text() | st.from_regex(r"https?://[^/]{0,12}/?.{0,8}"))
def test_whatever_it_is_it_is_taken_or_refused(url: str) -> None:
    try:
        taken = check_base_url(url, name="base_url")
    except ConfigurationError:
        return
    assert taken.isascii()
    assert taken.lower().startswith(("https://", "http://localhost", "http://127.", "http://[::1]"))
    assert not set(" \\@?#") & set(taken)


# --- links -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://host",
        "http://host:8080/",
        "https://host/a?b=c",
        "https://host/a#b",
        "https://host/a?mail=a@b#c?d@e#f",
        "https://host/#\N{LATIN SMALL LETTER A WITH DIAERESIS}",
    ],
)
def test_a_link_is_kept_as_it_is(url: str) -> None:
    assert check_link(url, name="dashboard_url") == url
    assert check_link(Secret(url), name="dashboard_url") == url


def test_without_a_link_there_is_none() -> None:
    assert check_link(None, name="dashboard_url") is None


@pytest.mark.parametrize(
    "url",
    [
        *("", "host", "/path", "ftp://host", "javascript:1", "https://user:word@host/", "#https://host"),
        *("https://host/a b", "https://host/?a\n", "https://host/#a\x7f", "https://host/#\u2028", 7),
    ],
)
def test_what_users_cannot_be_sent_to_is_no_link(url: object) -> None:
    with pytest.raises(ConfigurationError, match=r"^dashboard_url must be an absolute https:// URL, without"):
        check_link(url, name="dashboard_url")


# --- addresses of hosts ------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "255.255.255.255", "::1", "2001:db8::1"])
def test_an_address_needs_no_resolver(host: str) -> None:
    assert is_address(host)


@pytest.mark.parametrize("host", ["localhost", "127.1", "1.2.3.4.5", "fe80::1%eth0", "[::1]", ""])
def test_a_name_is_no_address(host: str) -> None:
    assert not is_address(host)


# --- what may be shown of an address -----------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host/path?token=x#y", "https://host"),
        ("https://host:8443/path", "https://host:8443"),
        ("https://host:443/path", "https://host"),
        ("http://host:80", "http://host"),
        ("http://host:443", "http://host:443"),
        ("HTTPS://Host", "https://host"),
        ("https://user:word@host/path", "https://host"),
        ("https://[::1]:80/path", "https://[::1]:80"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, shown: str) -> None:
    assert origin(url) == shown


@pytest.mark.parametrize(
    "url", ["", "host", "ftp://host", "https://", "https://host:port", "https://[::1", "https://a\x1bb"]
)
def test_what_has_no_origin_is_not_quoted(url: str) -> None:
    assert origin(url) == "an address that is none"


@given(st.text())
def test_an_origin_is_always_printable(url: str) -> None:
    assert origin(url).isprintable()
