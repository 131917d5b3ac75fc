"""R2 buckets over HTTP: `buckets` finds them, `s3` is the API that S3 clients speak, and `public` what everybody reads.

Both are for pages of other sites and for clients of their own, so that nothing is asked of a request but its `Host`,
and its signature. Of S3, `signature` and `payload` verify a request, `bucket_calls` and `object_calls` answer it;
`cors` has the rules of buckets, `serving` makes an answer of an object.
"""

from cfworkflows_emulator.api.r2.buckets import R2Buckets
from cfworkflows_emulator.api.r2.public import R2Public
from cfworkflows_emulator.api.r2.s3 import R2S3

__all__ = ["R2S3", "R2Buckets", "R2Public"]
