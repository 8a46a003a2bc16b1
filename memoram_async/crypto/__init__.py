"""Client-side encryption: keys, the stored form, and the reading of what others stored.

Everything here is pure: no I/O, no clock, and randomness comes in as an argument.
"""

from memoram_async.crypto.codecs import Codec as Codec
from memoram_async.crypto.codecs import CodecRegistry as CodecRegistry
from memoram_async.crypto.codecs import JweCodec as JweCodec
from memoram_async.crypto.codecs import ReadPolicy as ReadPolicy
from memoram_async.crypto.decrypted import Decrypted as Decrypted
from memoram_async.crypto.foreign import ContentFormat as ContentFormat
from memoram_async.crypto.foreign import classify as classify
from memoram_async.crypto.jwe import MAX_PLAINTEXT_BYTES as MAX_PLAINTEXT_BYTES
from memoram_async.crypto.jwe import MAX_TOKEN_CHARS as MAX_TOKEN_CHARS
from memoram_async.crypto.jwe import decrypt as decrypt
from memoram_async.crypto.jwe import encrypt as encrypt
from memoram_async.crypto.keyring import Keyring as Keyring
from memoram_async.crypto.keys import EncryptionKey as EncryptionKey
