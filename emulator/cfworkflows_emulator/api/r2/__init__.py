"""R2 buckets over HTTP: `buckets` finds them, `s3` is the API that S3 clients speak, and `public` what everybody reads.

Both are for pages of other sites and for clients of their own, so that nothing is asked of a request but its `Host`,
and its signature.
"""

from cfworkflows_emulator.api.r2.buckets import R2Buckets

__all__ = ["R2Buckets"]
