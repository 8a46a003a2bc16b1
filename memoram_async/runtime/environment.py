"""Proxies and certificates that the process's environment asks for, chosen once for each destination.

The variables are those of curl, Python and httpx: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY (each in
small letters first), SSL_CERT_FILE, SSL_CERT_DIR and SSLKEYLOGFILE. A service on this machine is spoken to
directly, whatever they say.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from memoram_async.core.errors import ConfigurationError
from memoram_async.core.urls import DEFAULT_PORTS, is_host, is_loopback
from memoram_async.runtime.destination import Destination
from memoram_async.runtime.forking import no_fork

if TYPE_CHECKING:
    import httpx

_PROXY_SCHEMES: Final = frozenset({"http", "https", "socks5", "socks5h"})
_SYSTEM: Final = "the system's proxy settings"


def proxy_for(destination: Destination) -> httpx.Proxy | None:
    """The proxy that requests to a destination go through, if any.

    Raises:
        ConfigurationError: A variable that decides this cannot be used; the message names it and does not
            quote it, because it may hold a password.
    """
    if is_loopback(destination.host):
        return None
    with no_fork():  # a child that is forked meanwhile would find the import's lock held for good
        from urllib.request import getproxies  # noqa: PLC0415 - not for services on this machine
    configured = getproxies()
    direct = _is_direct(destination, configured.get("no", ""))
    for scheme in (destination.scheme, "all"):
        address = configured.get(scheme)
        if address:
            name = next(
                (name for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY") if os.environ.get(name)),
                _SYSTEM,
            )
            proxy = None if direct else _proxy(address, name=name)
            del address, configured
            return proxy
    return None


class _Unshown(bytes):
    """What no log shows: httpcore writes what it hands to a SOCKS proxy into its own."""

    def __repr__(self) -> str:
        return "b'***'"


class _UnshownText(str):
    """The same as text, which becomes bytes like these."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return _Unshown(super().encode(encoding, errors))

    def __repr__(self) -> str:
        return "'***'"


def credentials_of(proxy: httpx.Proxy) -> tuple[bytes, bytes] | None:
    """The name and password that a proxy asks for, as httpcore takes them."""
    if proxy.raw_auth is None:
        return None
    name, password = proxy.raw_auth
    return _Unshown(name), _Unshown(password)


def proxy_for_library(library: Any, proxy: httpx.Proxy | None) -> Any:
    """The same proxy as another library with httpx's interface knows it."""
    if proxy is None:
        return None
    auth = None if proxy.auth is None else tuple(_UnshownText(part) for part in proxy.auth)
    return library.Proxy(str(proxy.url), auth=auth)


def _proxy(address: str, *, name: str) -> httpx.Proxy:
    with no_fork():
        import httpx  # noqa: PLC0415 - slow to import, and not needed without a proxy
    try:
        proxy: httpx.Proxy | None = httpx.Proxy(address if "://" in address else f"http://{address}")
    except (ValueError, httpx.InvalidURL):
        proxy = None
    del address
    if proxy is None or not proxy.url.host or not is_host(proxy.url.host):
        raise ConfigurationError(
            f"{name} is not a proxy's address: it should read like http://proxy.example.com:8080"
        )
    if proxy.url.scheme.startswith("socks5") and find_spec("socksio") is None:
        raise ConfigurationError(
            f"{name} names a SOCKS proxy, which needs another package: pip install 'httpx[socks]', or pass "
            "trust_env=False"
        )
    return proxy


def _is_direct(destination: Destination, no_proxy: str) -> bool:
    """Whether NO_PROXY has a destination go without a proxy; every entry is looked at."""
    entries = [entry.strip() for entry in no_proxy.split(",")]
    if "*" in entries:
        return True
    matches = [_matches(entry, destination) for entry in entries if entry]
    return True in matches


def _matches(entry: str, destination: Destination) -> bool:
    """Whether an entry of NO_PROXY means a destination: a domain, an address, `host:port` or a URL."""
    scheme, has_scheme, place = entry.rpartition("://")
    host, port = place.rstrip("/").lower(), None
    if _address(host) is None and ":" in host:
        host, _, port = host.rpartition(":")
    domain = host.removeprefix("*").removeprefix(".")
    if not is_host(domain) or (port is not None and not port.isdigit()):
        raise ConfigurationError(
            "NO_PROXY has an entry that cannot be used: write domains, host names and addresses, separated "
            "by commas, IPv6 without brackets, and no ranges such as 10.0.0.0/8"
        )
    if has_scheme and scheme not in {"all", destination.scheme}:
        return False
    if port is not None and int(port) != (destination.port or DEFAULT_PORTS[destination.scheme]):
        return False
    wanted = destination.host
    if has_scheme or _address(host) is not None or host == "localhost":
        return _address(host) == _address(wanted) if _address(host) is not None else host == wanted
    below = wanted.endswith("." + domain)
    return below or (host == domain and wanted == domain)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


class _TLS:
    """The TLS contexts of the process: 25 ms to make, and the same for every client."""

    def __init__(self) -> None:
        self._contexts: dict[tuple[str, str, str], ssl.SSLContext] = {}

    def context(self, host: str, *, trust_env: bool = True) -> ssl.SSLContext:
        """The context for connections to a host.

        Raises:
            ConfigurationError: A variable names a file or folder that cannot be used; the message names it.
        """
        here = is_loopback(host)
        settings = _settings(here=here) if trust_env else ("", "", "")
        context = self._contexts.get(settings)
        if context is None:
            with no_fork():  # a child that is forked meanwhile would inherit locks of OpenSSL's
                context = self._contexts[settings] = make_context(*settings)
        return context


def _settings(*, here: bool) -> tuple[str, str, str]:
    """The certificate file and folder and the key log; for this machine a file at most, if it can be used."""
    file, folder, key_log = (
        os.environ.get(name, "") for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
    )
    if here:
        return (file if file and _holds_certificates(file) else "", "", "")
    return (file, folder, key_log)


def _holds_certificates(file: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        return False
    return True


def make_context(cert_file: str, cert_dir: str, key_log: str) -> ssl.SSLContext:
    """A context as `ssl.create_default_context` makes one, with errors that name the variable.

    Args:
        cert_file: SSL_CERT_FILE; by default the certificates of certifi, as in httpx.
        cert_dir: SSL_CERT_DIR, where there is no file.
        key_log: SSLKEYLOGFILE.

    Raises:
        ConfigurationError: One of them cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if sys.version_info >= (3, 13):
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    fault = ""
    if cert_file:
        try:
            context.load_verify_locations(cafile=cert_file)
        except (OSError, ValueError):
            fault = "SSL_CERT_FILE names no readable file of certificates in PEM form"
    elif cert_dir:
        if Path(cert_dir).is_dir():
            context.load_verify_locations(capath=cert_dir)
        else:
            fault = "SSL_CERT_DIR names no folder"
    else:
        import certifi  # noqa: PLC0415 - only where nothing else says whom to trust

        context.load_verify_locations(cafile=certifi.where())
    if key_log and not fault:
        try:
            context.keylog_filename = key_log
        except (OSError, ValueError):
            fault = "SSLKEYLOGFILE names no file that can be written"
    if fault:
        raise ConfigurationError(f"{fault}: correct or unset it, or pass trust_env=False")
    return context


TLS: Final = _TLS()
