"""One value for each kind of secret, found nowhere else, and the forms in which it could leak."""

from __future__ import annotations

import base64
from typing import Final

API_KEY: Final = "mem_c4n4ryApiKey0123456789abcdef"
MEMORY_API_KEY: Final = "mem_live_c4n4ryMemoryApiKey0123456789"
NEW_MEMORY_API_KEY: Final = "mem_live_c4n4ryNewMemoryApiKey9876543210"
TOKEN: Final = "eyJhbGciOiJIUzI1NiJ9.c4n4ryDeveloperToken.c2lnbmF0dXJl"
CLIENT_SECRET: Final = "c4n4ryClientSecret"
CODE: Final = "c4n4ryAuthorizationCode"
VERIFIER: Final = "c4n4ryCodeVerifier0123456789abcdefghijklmnopq"
STATE: Final = "c4n4ryState"
SEALING_SECRET: Final = "c4n4rySealingSecret0123456789abcdef"
ACCESS_TOKEN: Final = "c4n4ryAccessToken"
REFRESH_TOKEN: Final = "c4n4ryRefreshToken"
MEMORY_KEY: Final = "c4n4ryMemoryKey"
ENCRYPTION_KEY: Final = "c4a47e5ec7e7" * 5 + "beef"
CONTENT: Final = "c4n4ry content: prefers window seats"

SECRETS: Final = {
    "the API key": API_KEY,
    "the key of Memory API": MEMORY_API_KEY,
    "its successor": NEW_MEMORY_API_KEY,
    "the developer token": TOKEN,
    "the client secret": CLIENT_SECRET,
    "the code": CODE,
    "the code verifier": VERIFIER,
    "the state": STATE,
    "the sealing secret": SEALING_SECRET,
    "the access token": ACCESS_TOKEN,
    "the refresh token": REFRESH_TOKEN,
    "the memory key": MEMORY_KEY,
    "the encryption key": ENCRYPTION_KEY,
    "the content": CONTENT,
}


def _forms(secret: str) -> set[str]:
    raw = secret.encode()
    # Whatever stands before it, two of three alignments of base64 hold the middle of the text as it is here.
    encoded = {base64.b64encode(raw[start:]).decode()[4:20] for start in range(3)}
    forms = {secret, secret[:16], raw.hex(), *encoded}
    if secret == ENCRYPTION_KEY:
        key = bytes.fromhex(secret)
        forms |= {key.decode("latin-1"), repr(key)[2:-1], secret.upper(), base64.b64encode(key).decode()[:20]}
    return forms


FORMS: Final = {name: _forms(secret) for name, secret in SECRETS.items()}


def seen_in(text: str) -> list[str]:
    """Which secrets a text shows, in whatever form."""
    return [name for name, forms in FORMS.items() if any(form in text for form in forms)]


ECHO: Final = " ".join(SECRETS.values())
"""What a careless service says of what it was sent."""
