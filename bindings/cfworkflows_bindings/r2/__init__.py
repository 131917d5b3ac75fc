"""R2 buckets: their objects, multipart uploads, options and refusals, over a store that `store` describes."""

from cfworkflows_bindings.r2.binding import R2Binding
from cfworkflows_bindings.r2.multipart import R2MultipartUpload
from cfworkflows_bindings.r2.objects import R2Object, R2ObjectBody
from cfworkflows_bindings.r2.store import R2Store

__all__ = ["R2Binding", "R2MultipartUpload", "R2Object", "R2ObjectBody", "R2Store"]
