"""Settings: keyword arguments first, then the environment, then defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from memoram_async.core import defaults
from memoram_async.core.config import (
    DEFAULT_AUTH_URL,
    DEFAULT_BASE_URL,
    Config,
    Options,
    resolve,
)
from memoram_async.core.errors import ConfigurationError, InvalidArgumentError
from memoram_async.core.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "mem_0123456789abcdef"
ENVIRONMENT = {
    "MEMORAM_API_KEY": "mem_from_the_environment",
    "MEMORAM_BASE_URL": "https://api.environment.example/",
    "MEMORAM_AUTH_URL": "https://auth.environment.example",
}


def resolved(
    *,
    api_key: Any = None,
    base_url: Any = None,
    auth_url: Any = None,
    insecure: Any = None,
    environment: Mapping[str, str] | None = None,
    **options: Any,
) -> Config:
    return resolve(
        **options,
        api_key=api_key,
        base_url=base_url,
        auth_url=auth_url,
        allow_insecure_http=insecure,
        environment={} if environment is None else environment,
    )


def test_arguments_come_first() -> None:
    config = resolved(
        api_key=KEY,
        base_url="https://api.argument.example",
        auth_url="https://auth.argument.example/",
        environment=ENVIRONMENT,
    )
    assert config.api_key.reveal() == KEY
    assert config.base_url == "https://api.argument.example"
    assert config.auth_url == "https://auth.argument.example"


def test_the_environment_comes_second() -> None:
    config = resolved(environment=ENVIRONMENT)
    assert config.api_key.reveal() == "mem_from_the_environment"
    assert config.base_url == "https://api.environment.example"
    assert config.auth_url == "https://auth.environment.example"


def test_the_hosted_service_comes_last() -> None:
    config = resolved(api_key=KEY)
    assert (config.base_url, config.auth_url) == (DEFAULT_BASE_URL, DEFAULT_AUTH_URL)


def test_an_empty_address_in_the_environment_counts_as_missing() -> None:
    config = resolved(api_key=KEY, environment={"MEMORAM_BASE_URL": "", "MEMORAM_AUTH_URL": ""})
    assert (config.base_url, config.auth_url) == (DEFAULT_BASE_URL, DEFAULT_AUTH_URL)


def test_other_variables_are_not_looked_at() -> None:
    with pytest.raises(ConfigurationError):
        resolved(environment={"API_KEY": KEY, "memoram_api_key": KEY})


def test_a_wrapped_key_is_taken() -> None:
    key = Secret(KEY)
    assert resolved(api_key=key).api_key is key


@pytest.mark.parametrize("key", [None, "", Secret("")], ids=repr)
def test_without_a_key_the_message_says_where_to_get_one(key: object) -> None:
    with pytest.raises(ConfigurationError, match=r"^no API key: .*MEMORAM_API_KEY"):
        resolved(api_key=key)


def test_an_empty_key_in_the_environment_counts_as_missing() -> None:
    with pytest.raises(ConfigurationError, match=r"^no API key"):
        resolved(environment={"MEMORAM_API_KEY": ""})


@pytest.mark.parametrize("key", [KEY + "\n", f" {KEY}", "mem key", "mem_\x00", "mem_ä", "\ud800", "\t"])
def test_a_key_that_was_copied_badly_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^the API key holds white space"):
        resolved(api_key=key)


@pytest.mark.parametrize(("key", "kind"), [(b"mem_", "bytes"), (7, "int"), ([KEY], "list")])
def test_a_key_is_text(key: object, kind: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^the API key must be a string, not {kind}$"):
        resolved(api_key=key)


@pytest.mark.parametrize("name", ["base_url", "auth_url"])
def test_an_address_that_cannot_be_used_is_refused_by_the_arguments_name(name: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{name} must be an absolute"):
        resolved(api_key=KEY, **cast("dict[str, Any]", {name: "nowhere"}))


@pytest.mark.parametrize("variable", ["MEMORAM_BASE_URL", "MEMORAM_AUTH_URL"])
def test_an_address_that_cannot_be_used_is_refused_by_the_variables_name(variable: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{variable} must be an absolute"):
        resolved(api_key=KEY, environment={variable: "nowhere"})


def test_an_empty_address_as_an_argument_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match=r"^base_url is empty"):
        resolved(api_key=KEY, base_url="", environment=ENVIRONMENT)


def test_http_to_another_machine_needs_to_be_allowed() -> None:
    with pytest.raises(ConfigurationError, match="allow_insecure_http=True"):
        resolved(api_key=KEY, base_url="http://memoram.internal")
    config = resolved(api_key=KEY, base_url="http://memoram.internal", insecure=True)
    assert config.base_url == "http://memoram.internal"


def test_a_config_does_not_show_its_key() -> None:
    assert KEY not in repr(resolved(api_key=KEY))


# --- options -----------------------------------------------------------------------------------


def test_options_have_defaults() -> None:
    options = Options()
    assert (options.timeout, options.request_timeout, options.max_retries) == (
        defaults.TIMEOUT,
        defaults.REQUEST_TIMEOUT,
        defaults.MAX_RETRIES,
    )


def test_a_call_may_take_any_time_if_so_wished() -> None:
    assert Options(timeout=None).timeout is None


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": float("inf")},
        {"timeout": "60"},
        {"request_timeout": None},
        {"request_timeout": 0},
        {"max_retries": -1},
        {"max_retries": 1.5},
        {"max_retries": True},
        {"max_retries": None},
    ],
    ids=repr,
)
def test_an_option_out_of_range_is_refused_by_name(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(InvalidArgumentError, match=f"^{name} must be"):
        Options(**options)


LINKING = {
    "MEMORAM_CLIENT_ID": "environment",
    "MEMORAM_CLIENT_SECRET": "environment",
    "MEMORAM_SECRET": "e" * 32,
    "MEMORAM_DASHBOARD_URL": "http://dashboard.environment.example/#/requests?all",
    "MEMORAM_AUTHORIZATION_ENDPOINT": "https://login.environment.example/a",
    "MEMORAM_TOKEN_ENDPOINT": "https://tokens.environment.example/t",
}


def test_the_settings_of_linking_come_from_the_environment() -> None:
    config = resolved(api_key=KEY, environment=LINKING)
    assert config.client_secret is not None
    assert (config.client_id, config.client_secret.reveal()) == ("environment", "environment")
    assert [secret.reveal() for secret in config.secrets] == ["e" * 32]
    assert config.dashboard_url == LINKING["MEMORAM_DASHBOARD_URL"]
    assert config.authorization_endpoint == "https://login.environment.example/a"
    assert config.token_endpoint == "https://tokens.environment.example/t"


def test_without_them_there_are_none_and_endpoints_lie_below_auth_url() -> None:
    config = resolved(api_key=KEY, auth_url="https://auth.example/x/")
    assert (config.client_id, config.client_secret, config.secrets, config.dashboard_url) == (
        None,
        None,
        (),
        None,
    )
    assert config.authorization_endpoint == "https://auth.example/x/oauth/authorize"
    assert config.token_endpoint == "https://auth.example/x/oauth/token"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MEMORAM_CLIENT_ID", "a b"),
        ("MEMORAM_CLIENT_SECRET", "a\n"),
        ("MEMORAM_SECRET", "short"),
        ("MEMORAM_DASHBOARD_URL", "dashboard"),
        ("MEMORAM_DASHBOARD_URL", "https://user:word@host"),
        ("MEMORAM_DASHBOARD_URL", "https://host/#\x00"),
        ("MEMORAM_DASHBOARD_URL", "javascript:alert(1)"),
        ("MEMORAM_TOKEN_ENDPOINT", "http://tokens.example"),
        ("MEMORAM_AUTHORIZATION_ENDPOINT", "login"),
    ],
)
def test_a_setting_of_linking_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{name} "):
        resolved(api_key=KEY, environment={name: value})


def test_a_dashboard_url_is_text() -> None:
    with pytest.raises(ConfigurationError, match=r"^dashboard_url "):
        resolved(api_key=KEY, dashboard_url=7)


VARIABLE = "MEMORAM_ALLOW_INSECURE_HTTP"
INTERNAL = {"MEMORAM_API_KEY": KEY, "MEMORAM_BASE_URL": "http://memoram.internal/api/v1"}


@pytest.mark.parametrize("said", ["1", "true", "TRUE", "yes", "on", " 1 "])
def test_a_variable_permits_plain_http_so_that_compose_files_can(said: str) -> None:
    config = resolved(environment={**INTERNAL, VARIABLE: said})
    assert config.base_url == "http://memoram.internal/api/v1"


@pytest.mark.parametrize("said", ["", "0", "false", "No", "off"])
def test_it_can_be_switched_off_in_words(said: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{VARIABLE}=1"):
        resolved(environment={**INTERNAL, VARIABLE: said})


def test_anything_else_in_it_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match=f"^{VARIABLE} must be 1 or 0$"):
        resolved(environment={**INTERNAL, VARIABLE: "maybe"})


def test_the_argument_comes_before_the_variable() -> None:
    with pytest.raises(ConfigurationError, match="MEMORAM_BASE_URL uses http://"):
        resolved(insecure=False, environment={**INTERNAL, VARIABLE: "1"})


@pytest.mark.parametrize("argument", ["false", 0, 1, "yes"])
def test_only_a_plain_yes_permits_it(argument: object) -> None:
    with pytest.raises(
        ConfigurationError,
        match=f"^allow_insecure_http must be True, False or None, not {type(argument).__name__}$",
    ):
        resolved(insecure=argument, environment=INTERNAL)


@pytest.mark.parametrize("mask", ["***", "Secret('***')"])
def test_a_masked_key_is_named(mask: str) -> None:
    with pytest.raises(ConfigurationError, match="the API key is masked"):
        resolved(api_key=mask)


@pytest.mark.parametrize("mask", ["***", "Secret('***')"])
def test_a_masked_setting_of_linking_is_named(mask: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^client_id is masked, .* reveal\(\)"):
        resolved(api_key=KEY, client_id=mask)
    with pytest.raises(ConfigurationError, match=r"^client_secret is masked, .* reveal\(\)"):
        resolved(api_key=KEY, client_secret=mask)


@pytest.mark.parametrize("value", [7, b"app", Secret(7)], ids=repr)  # type: ignore[arg-type]
def test_a_setting_of_linking_that_is_no_text_is_no_mask(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"^client_id must be a string"):
        resolved(api_key=KEY, client_id=value)


def test_an_endpoint_is_used_exactly_as_it_was_given() -> None:
    config = resolved(
        api_key=KEY,
        authorization_endpoint="https://login.example/authorize/",
        token_endpoint=Secret("https://login.example/token/"),
    )
    assert config.authorization_endpoint == "https://login.example/authorize/"
    assert config.token_endpoint == "https://login.example/token/"
