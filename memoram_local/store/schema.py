"""The tables.

Moments are whole microseconds since 1970, which sort and compare as integers. Secrets are stored as digests,
except for users' encryption keys, which the platform must be able to hand to approved applications, and the
key that signs tokens: those are sealed under a master key that is kept elsewhere.

Tables that are written with every memory, and whose rows are short, are kept in the order of their primary
key: that is one place less to write to.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

SCHEMA_VERSION = "3"

metadata = MetaData()
"""All tables, those of the second service included, which its own room adds."""

settings = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# One row, where the data is in a file: names the master key that it needs.
master_keys = Table("master_keys", metadata, Column("id", Text, primary_key=True))

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("memory_key", Text, nullable=False, unique=True),
    # Sealed, as are the retired ones.
    Column("encryption_key", Text, nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# The newest key of an account stands with the account.
retired_keys = Table(
    "retired_keys",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("key_version", Integer, primary_key=True),
    Column("encryption_key", Text, nullable=False),
    Column("retired_at", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

apps = Table(
    "apps",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), index=True),
    Column("name", Text, nullable=False),
    Column("client_id", Text, nullable=False, unique=True),
    Column("client_secret_digest", Text, nullable=False),
    # One a line: a URI holds no line break.
    Column("redirect_uris", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("app_id", Text, ForeignKey("apps.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", Text, nullable=False, unique=True),
    # Enough of the key to tell it from others, too little to guess the rest.
    Column("prefix", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    Column("revoked_at", BigInteger),
)

access_requests = Table(
    "access_requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("app_id", Text, ForeignKey("apps.id", ondelete="CASCADE"), nullable=False),
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("approved_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index("access_requests_of_app", "app_id", "created_at"),
    Index("access_requests_of_account", "account_id", "app_id", "status"),
    Index("access_requests_by_status", "account_id", "status", "created_at"),
)

memory_blobs = Table(
    "memory_blobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("importance", Float),
    Column("confidence", Float),
    Column("source", Text),
    Column("title", Text),
    Column("summary", Text),
    # Case-folded copies, kept only of text beyond ASCII: SQL's lower() folds nothing else.
    Column("title_folded", Text),
    Column("summary_folded", Text),
    # The long columns come last, so that filters on the others never read through them.
    Column("content_folded", Text),
    Column("content", Text, nullable=False),
    # Importance comes last, so that its filter passes over memories without reading them.
    Index("memory_blobs_newest", "account_id", "created_at", "id", "importance"),
)

tags = Table(
    "tags",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("color", Text),
    Column("is_enabled", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("account_id", "name"),
)

blob_tags = Table(
    "blob_tags",
    metadata,
    Column("blob_id", Text, ForeignKey("memory_blobs.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", Text, ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, nullable=False),
    # The blob's, which never changes: lets a page of one tag be read from the index below.
    Column("blob_created_at", BigInteger, nullable=False),
    Index("blob_tags_newest", "tag_id", "blob_created_at", "blob_id"),
    sqlite_with_rowid=False,
)

idempotent_answers = Table(
    "idempotent_answers",
    metadata,
    Column("app_id", Text, ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True),
    # Method and path: a key means something else with every operation.
    Column("operation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_digest", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)

oauth_codes = Table(
    "oauth_codes",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("family", Text, nullable=False),
    Column("app_id", Text, ForeignKey("apps.id", ondelete="CASCADE"), nullable=False),
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("scope", Text),
    Column("code_challenge", Text),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Index("oauth_codes_of_account", "account_id", "app_id"),
)

oauth_tokens = Table(
    "oauth_tokens",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    # All tokens that go back to one consent, so that they can be revoked together.
    Column("family", Text, nullable=False, index=True),
    Column("app_id", Text, ForeignKey("apps.id", ondelete="CASCADE"), nullable=False),
    Column("account_id", Text, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("scope", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("rotated_at", BigInteger),
    Column("revoked_at", BigInteger),
    Index("oauth_tokens_of_account", "account_id", "app_id"),
)

# The two logs are written late, in batches: a row can outlive what it names, so there are no foreign keys.

request_log = Table(
    "request_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("app_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("millis", Float, nullable=False),
    Column("request_id", Text, nullable=False),
    Index("request_log_newest", "app_id", "id"),
)

DONE_AGAIN: Final = "action <> 'created' AND action <> 'deleted'"
"""Which entries of the access log can be added to: a memory is created and deleted once."""

access_log = Table(
    "access_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Text, nullable=False),
    # Empty for the user.
    Column("app_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    # Empty for what concerns no single memory.
    Column("blob_id", Text, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Index("access_log_newest", "account_id", "last_at", "id"),
    # Only of what may be added to: most of what is written is a memory's one beginning or end.
    Index(
        "access_log_same",
        *("account_id", "blob_id", "app_id", "action", "last_at"),
        sqlite_where=text(DONE_AGAIN),
    ),
)
