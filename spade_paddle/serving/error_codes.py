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
    ErrorCode("json_not_object", 400, "The body is JSON, but not an object."),
    ErrorCode("missing_key", 400, "A required key is missing."),
    ErrorCode("unknown_key", 400, "A key that does not exist; the message suggests a similar one."),
    ErrorCode("bad_value", 400, "A key has a value of the wrong type or outside its range."),
    ErrorCode("not_base64", 400, "A string that should be base64 is not."),
    ErrorCode(
        "not_an_image", 400, "The data are not a PNG (or JPEG) file, or the file is damaged."
    ),
    ErrorCode("label_unknown", 400, "A label id that the model does not have."),
    ErrorCode("label_map_shape", 400, "Not one label id per pixel, or not width x height bytes."),
    ErrorCode("label_map_too_small", 400, "A side is shorter than the model can paint."),
    ErrorCode("label_map_too_large", 400, "More pixels than the service allows."),
    ErrorCode("lossy_labels", 400, "A JPEG whose labels cannot be recovered."),
    ErrorCode("unknown_colors", 400, "Too many pixels are far from every color of the label set."),
    ErrorCode("no_styles", 400, "A style was sent that the model does not take."),
    ErrorCode("style_unknown", 400, "A style name that the model does not have."),
    ErrorCode("photo_too_large", 400, "A photo with more pixels than the service decodes."),
    ErrorCode("bad_request", 400, "Any other malformed HTTP request."),
    ErrorCode("unauthorized", 401, "The token is missing or wrong."),
    ErrorCode("not_found", 404, "No such endpoint or file."),
    ErrorCode("method_not_allowed", 405, "The endpoint does not accept this method."),
    ErrorCode("body_too_large", 413, "The body is larger than max_body_bytes."),
    ErrorCode("unsupported_media_type", 415, "The endpoint does not accept this Content-Type."),
    ErrorCode("unknown_host", 421, "The host name of the request is not in the setting hosts."),
    ErrorCode("internal", 500, "An error in the service; the log has it under details.reference."),
    ErrorCode("model_missing", 500, "The model's files are missing, damaged or incompatible."),
    ErrorCode("out_of_memory", 500, "Not enough memory for this picture; try a smaller one."),
    ErrorCode("no_annotator", 501, "Photos are not annotated: PaddleSeg is missing, or it is off."),
    ErrorCode("busy", 503, "The queue is full; try again after Retry-After seconds."),
)
ERROR_CODES = {row.code: row for row in _ROWS}
