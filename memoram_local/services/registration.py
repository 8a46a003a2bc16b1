"""Opening accounts and checking passwords: the work that is slow on purpose, outside of any transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memoram_local.behaviour import behaviour
from memoram_local.errors import RegistrationError
from memoram_local.hashing import hash_password, verify_password
from memoram_local.services.common_passwords import is_common
from memoram_local.store.accounts import folded_email

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from memoram_local.services.services import Services
    from memoram_local.store.accounts import Account, EncryptionKey

SHORTEST_PASSWORD = 8
_LONGEST_PASSWORD = 1024


@behaviour("accounts.password", "invented", "A password has 8 to 1024 characters.")
@behaviour(
    "accounts.common-password",
    "invented",
    "The passwords that people use most are refused, also with a few digits around them, and so is the email "
    "address.",
)
def check_new_password(password: str, *, email: str) -> None:
    """Let a password pass that can be used.

    Raises:
        RegistrationError: It cannot.
    """
    if not SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise RegistrationError(f"A password needs {SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters.")
    if is_common(password, email=folded_email(email)):
        raise RegistrationError("This password is one of those that are guessed first. Choose another one.")


def open_account(services: Services, *, email: str, password: str) -> tuple[Account, EncryptionKey]:
    """Open an account. Blocks for as long as the password profile says.

    Returns:
        The account and its first encryption key.

    Raises:
        RegistrationError: The email address or the password cannot be used.
    """
    check_new_password(password, email=email)
    with services.sign_ins.turn():
        password_hash = hash_password(password, profile=services.passwords, randomness=services.randomness)

    def create(connection: Connection) -> tuple[Account, EncryptionKey]:
        account = services.accounts.create(connection, email=email, password_hash=password_hash)
        key = services.accounts.encryption_key(connection, account.id)
        assert key is not None  # noqa: S101 - it was made with the account
        return account, key

    return services.database.write_now(create)


@behaviour(
    "accounts.attempts",
    "invented",
    "Ten wrong passwords for an account, or a hundred from one address, within five minutes are followed by "
    "a pause in which none is checked.",
)
def check_password(services: Services, *, email: str, password: str, address: str = "") -> Account | None:
    """The account that email address and password prove. Blocks for as long as the password profile says.

    Args:
        services: The platform.
        email: Whose account.
        password: What was typed.
        address: Where it was typed: the client's network address.

    Raises:
        TooManyAttemptsError: Too many wrong ones came before; nothing was checked.
    """

    def find(connection: Connection) -> Account | None:
        return services.accounts.by_email(connection, email)

    with services.sign_ins.attempt(folded_email(email), address) as attempt:
        account = services.database.read_now(find)
        stored = None if account is None else account.password_hash
        with services.sign_ins.turn():
            proven = verify_password(password, stored, profile=services.passwords)
        attempt.succeeded = proven
    return account if proven else None
