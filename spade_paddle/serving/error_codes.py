"""All errors of the service: their stable codes, HTTP statuses and causes.

The page translates messages by these codes, and the README lists them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorCode:
    """One error: its ``code`` in the response, its HTTP ``status``, and ``when`` it occurs."""

    code: str
    status: int
    when: str


_ROWS = (
    ErrorCode("not_json", 400, "The body is not JSON."),
    ErrorCode("json_not_object", 400, "The body is JSON but not an object."),
    ErrorCode("missing_key", 400, "A required key is missing."),
    ErrorCode("unknown_key", 400, "A key that does not exist; a similar one is suggested."),
    ErrorCode("bad_value", 400, "A value has the wrong type or is out of range."),
    ErrorCode("not_base64", 400, "A string is not valid base64."),
    ErrorCode("not_an_image", 400, "The bytes are not a PNG (or JPEG), or the file is broken."),
    ErrorCode("label_unknown", 400, "A label id that the model does not know."),
    ErrorCode("label_map_shape", 400, "Not one label id per pixel, or not width x height bytes."),
    ErrorCode("label_map_too_small", 400, "A side is shorter than the model can paint."),
    ErrorCode("label_map_too_large", 400, "More pixels than the service allows."),
    ErrorCode("lossy_labels", 400, "A JPEG, whose compression has changed the labels."),
    ErrorCode("unknown_colors", 400, "Too many pixels are far from every palette color."),
    ErrorCode("no_styles", 400, "A style picture was sent, but the model has no styles."),
    ErrorCode("style_unknown", 400, "A style name that the model does not have."),
    ErrorCode("photo_too_large", 400, "A photo with more pixels than the service decodes."),
    ErrorCode("bad_request", 400, "Any other malformed HTTP request."),
    ErrorCode("unauthorized", 401, "The token is missing or wrong."),
    ErrorCode("not_found", 404, "There is nothing at this address."),
    ErrorCode("method_not_allowed", 405, "The address does not support this method."),
    ErrorCode("body_too_large", 413, "The body is larger than max_body_bytes."),
    ErrorCode("unsupported_media_type", 415, "The address does not accept this Content-Type."),
    ErrorCode("unknown_host", 421, "The request's host name is not in the setting hosts."),
    ErrorCode("internal", 500, "An error in the service; search its log for details.reference."),
    ErrorCode("model_missing", 500, "The model's files are missing, damaged or do not fit."),
    ErrorCode("out_of_memory", 500, "Not enough memory for this picture; try a smaller one."),
    ErrorCode("no_annotator", 501, "Photos cannot be annotated: no PaddleSeg, or turned off."),
    ErrorCode("busy", 503, "Too many requests are waiting; see the header Retry-After."),
)
ERROR_CODES = {row.code: row for row in _ROWS}
