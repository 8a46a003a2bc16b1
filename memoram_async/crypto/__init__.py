"""Client-side encryption: keys, the stored form, and the reading of what others stored.

Everything here is pure: no I/O, no clock, and randomness comes in as an argument.
"""

from memoram_async.crypto.codecs import Codec as Codec
from memoram_async.crypto.codecs import CodecRegistry as CodecRegistry
from memoram_async.crypto.codecs import JweCodec as JweCodec
from memoram_async.crypto.codecs import ReadPolicy as ReadPolicy
from memoram_async.crypto.content_reader import ContentReader as ContentReader
from memoram_async.crypto.decrypted import Decrypted as Decrypted
from memoram_async.crypto.decrypted import Provenance as Provenance
from memoram_async.crypto.foreign import ContentFormat as ContentFormat
from memoram_async.crypto.foreign import classify as classify
from memoram_async.crypto.jwe import MAX_PLAINTEXT_BYTES as MAX_PLAINTEXT_BYTES
from memoram_async.crypto.jwe import MAX_TOKEN_CHARS as MAX_TOKEN_CHARS
from memoram_async.crypto.jwe import encrypt as encrypt
from memoram_async.crypto.jwe_reader import decrypt as decrypt
from memoram_async.crypto.keyring import Keyring as Keyring
from memoram_async.crypto.keys import EncryptionKey as EncryptionKey
from memoram_async.crypto.legacy import LEGACY_CODECS as LEGACY_CODECS
from memoram_async.crypto.legacy import FernetCodec as FernetCodec
from memoram_async.crypto.legacy import NodeGcmBase64 as NodeGcmBase64
from memoram_async.crypto.legacy import NodeGcmHex as NodeGcmHex
from memoram_async.crypto.store_options import OnUndecryptable as OnUndecryptable
from memoram_async.crypto.store_options import StoreOptions as StoreOptions
