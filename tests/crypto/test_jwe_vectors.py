"""Tokens that others made: published vectors, and tokens frozen from JOSE libraries."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from memoram_async.core.errors import UnknownKeyVersionError, UnsupportedAlgorithmError
from memoram_async.crypto import EncryptionKey, Keyring, base64url, decrypt, encrypt
from memoram_async.crypto.jwe import seal

# RFC 7520 5, figure 72
RFC_7520_PLAINTEXT = (
    "You can trust us to stick with you through thick and thin\u2013to the bitter end. And you can trust us "
    "to keep any secret of yours\u2013closer than you keep it yourself. But you cannot trust us to let you "
    "face trouble alone, and go off without a word. We are your friends, Frodo."
)

# RFC 7520 5.6: direct encryption using AES-GCM
RFC_7520_5_6_KEY = "XctOhJAkA-pD9Lh7ZgW_2A"
RFC_7520_5_6_HEADER = b'{"alg":"dir","kid":"77c7e2b8-6e13-45cf-8672-617b5b45243a","enc":"A128GCM"}'
RFC_7520_5_6_IV = "refa467QzzKx6QAB"
RFC_7520_5_6_TOKEN = (
    "eyJhbGciOiJkaXIiLCJraWQiOiI3N2M3ZTJiOC02ZTEzLTQ1Y2YtODY3Mi02MTdiNWI0NTI0M2EiLCJlbmMiOiJBMTI4R0NNIn0"
    "..refa467QzzKx6QAB"
    ".JW_i_f52hww_ELQPGaYyeAB6HYGcR559l9TYnSovc23XJoBcW29rHP8yZOZG7YhLpT1bjFuvZPjQS-m0IFtVcXkZXdH_lr_FrdYt9"
    "HRUYkshtrMmIUAyGmUnd9zMDB2n0cRDIHAzFVeJUDxkUwVAE7_YGRPdcqMyiBoCO-FBdE-Nceb4h3-FtBP-c_BIwCPTjb9o0Sbdcd"
    "REEMJMyZBH8ySWMVi1gPD9yxi-aQpGbSv_F9N4IZAxscj5g-NJsUPbjk29-s7LJAGb15wEBtXphVCgyy53CoIKLHHeJHXex45Uz9a"
    "KZSRSInZI-wjsY0yu3cT4_aQ3i1o-tiE-F8Ios61EKgyIQ4CWao8PFMj8TTnp"
    ".vbb32Xvllea2OtmHAdccRQ"
)

# RFC 7520 5.8: key wrap with AES-KW, and AES-GCM
RFC_7520_5_8_KEY = "GZy6sIZ6wl9NJOKB-jnmVQ"
RFC_7520_5_8_CONTENT_KEY = "aY5_Ghmk9KxWPBLu_glx1w"
RFC_7520_5_8_HEADER = b'{"alg":"A128KW","kid":"81b20965-8332-43d9-a468-82160ad91ac8","enc":"A128GCM"}'
RFC_7520_5_8_WRAPPED = "CBI6oDw8MydIx1IBntf_lQcw2MmJKIQx"
RFC_7520_5_8_IV = "Qx0pmsDa8KnJc9Jo"
RFC_7520_5_8_TOKEN = (
    "eyJhbGciOiJBMTI4S1ciLCJraWQiOiI4MWIyMDk2NS04MzMyLTQzZDktYTQ2OC04MjE2MGFkOTFhYzgiLCJlbmMiOiJBMTI4R0NNIn0"
    f".{RFC_7520_5_8_WRAPPED}.{RFC_7520_5_8_IV}."
    "AwliP-KmWgsZ37BvzCefNen6VTbRK3QMA4TkvRkH0tP1bTdhtFJgJxeVmJkLD61A1hnWGetdg11c9ADsnWgL56NyxwSYjU1ZEHcG"
    "kd3EkU0vjHi9gTlb90qSYFfeF0LwkcTtjbYKCsiNJQkcIp1yeM03OmuiYSoYJVSpf7ej6zaYcMv3WwdxDFl8REwOhNImk2Xld2JX"
    "q6BR53TSFkyT7PwVLuq-1GwtGHlQeg7gDT6xW0JqHDPn_H-puQsmthc9Zg0ojmJfqqFvETUxLAF-KjcBTS5dNy6egwkYtOt8EIHK"
    "-oEsKYtZRaa8Z7MOZ7UGxGIMvEmxrGCPeJa14slv2-gaqK0kEThkaSqdYw0FkQZF"
    ".ER7MWJZ1FBI_NKvn7Zb1Lw"
)

# RFC 7520 5.9: compressed content
RFC_7520_5_9_TOKEN = (
    "eyJhbGciOiJBMTI4S1ciLCJraWQiOiI4MWIyMDk2NS04MzMyLTQzZDktYTQ2OC04MjE2MGFkOTFhYzgiLCJlbmMiOiJBMTI4R0NNI"
    "iwiemlwIjoiREVGIn0"
    ".5vUT2WOtQxKWcekM_IzVQwkGgzlFDwPi"
    ".p9pUq6XHY0jfEZIl"
    ".HbDtOsdai1oYziSx25KEeTxmwnh8L8jKMFNc1k3zmMI6VB8hry57tDZ61jXyezSPt0fdLVfe6Jf5y5-JaCap_JQBcb5opbmT60uWG"
    "ml8blyiMQmOn9J--XhhlYg0m-BHaqfDO5iTOWxPxFMUedx7WCy8mxgDHj0aBMG6152PsM-w5E_o2B3jDbrYBKhpYA7qi3AyijnCJ7B"
    "P9rr3U8kxExCpG3mK420TjOw"
    ".VILuUwuIxaLVmh5X-T7kmA"
)

FROZEN_KEY = bytes(range(32)).hex()
FROZEN_TEXT = "Prefers window seats \u2013 \u7a93\u5074"
FROZEN = {
    "jwcrypto 1.6.1": (
        "eyJhbGciOiAiZGlyIiwgImVuYyI6ICJBMjU2R0NNIiwgImtpZCI6ICIzIiwgInR5cCI6ICJtZW1vcmFtLWNvbnRlbnQrandlIn0"
        "..UqNP4PJjOjRcvvKh.suG9QSJpeIhwUMDKHo1IOjZKGLzolXyhVLfRKllZ_w.ldWbWchS14PPvag6h9EsZg"
    ),
    "joserfc 1.8.0": (
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiMyIsInR5cCI6Im1lbW9yYW0tY29udGVudCtqd2UifQ"
        "..4wdgaUWkv7f2w9Zx.l5VIFC2BRvUwq-mZIp-gYCFoPB1FqChTSMpSSQjQ0Q.558t8iQOgp3RWG5Tdtllww"
    ),
    "npm jose 6": (
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiMyIsInR5cCI6Im1lbW9yYW0tY29udGVudCtqd2UifQ"
        "..m3AfdOhY9e4kJzO_.8I1zw1EPKmvj_3nUVF_P0k9EfaWU6NGr193kGAickA.Fr8356e1-4rWMfc8wR_YDg"
    ),
}


def unpadded(text: str) -> bytes:
    data = base64url.decode(text)
    assert data is not None
    return data


def test_rfc_7520_5_6_is_reproduced_byte_for_byte() -> None:
    header = base64url.encode(RFC_7520_5_6_HEADER).encode("ascii")
    data = RFC_7520_PLAINTEXT.encode()
    iv = unpadded(RFC_7520_5_6_IV)
    key = EncryptionKey.from_hex(unpadded(RFC_7520_5_6_KEY).hex(), version=1)
    assert seal(key.cipher, header, data, iv=iv) == RFC_7520_5_6_TOKEN
    assert seal(AESGCM(unpadded(RFC_7520_5_6_KEY)), header, data, iv=iv) == RFC_7520_5_6_TOKEN


def test_rfc_7520_5_8_is_reproduced_byte_for_byte() -> None:
    content_key = unpadded(RFC_7520_5_8_CONTENT_KEY)
    wrapped = aes_key_wrap(unpadded(RFC_7520_5_8_KEY), content_key)
    assert base64url.encode(wrapped) == RFC_7520_5_8_WRAPPED
    token = seal(
        AESGCM(content_key),
        base64url.encode(RFC_7520_5_8_HEADER).encode("ascii"),
        RFC_7520_PLAINTEXT.encode(),
        iv=unpadded(RFC_7520_5_8_IV),
        wrapped_key=wrapped,
    )
    assert token == RFC_7520_5_8_TOKEN


def test_the_text_of_rfc_7520_5_8_is_read_where_its_key_has_a_version() -> None:
    """The same content key, initialization vector and text, under a header whose `kid` is a number."""
    key = EncryptionKey(unpadded(RFC_7520_5_8_KEY), version=1)
    given = iter([unpadded(RFC_7520_5_8_CONTENT_KEY), unpadded(RFC_7520_5_8_IV)])
    token = encrypt(key, RFC_7520_PLAINTEXT, key_wrap=True, random=lambda _: next(given))
    assert token.split(".")[1:3] == [RFC_7520_5_8_WRAPPED, RFC_7520_5_8_IV]
    assert decrypt(Keyring(key), token).text == RFC_7520_PLAINTEXT


def test_the_key_of_rfc_7520_5_6_is_no_version_of_a_users_key() -> None:
    ring = Keyring(EncryptionKey.from_hex(unpadded(RFC_7520_5_6_KEY).hex(), version=1))
    with pytest.raises(UnknownKeyVersionError) as caught:
        decrypt(ring, RFC_7520_5_6_TOKEN)
    assert caught.value.version == "77c7e2b8-6e13-45cf-8672-617b5b45243a"


def test_the_compressed_token_of_rfc_7520_5_9_is_refused() -> None:
    ring = Keyring(EncryptionKey.from_hex("01" * 16, version=1))
    with pytest.raises(UnsupportedAlgorithmError):
        decrypt(ring, RFC_7520_5_9_TOKEN)


@pytest.mark.parametrize("token", FROZEN.values(), ids=FROZEN.keys())
def test_tokens_that_other_libraries_made_once_stay_readable(token: str) -> None:
    decrypted = decrypt(Keyring(EncryptionKey.from_hex(FROZEN_KEY, version=3)), token)
    assert decrypted.text == FROZEN_TEXT
    assert decrypted.bound


def test_what_is_written_never_changes() -> None:
    key = EncryptionKey.from_hex(FROZEN_KEY, version=3)
    ours = seal(key.cipher, key.header("content"), FROZEN_TEXT.encode(), iv=unpadded("m3AfdOhY9e4kJzO_"))
    assert ours == FROZEN["npm jose 6"]
