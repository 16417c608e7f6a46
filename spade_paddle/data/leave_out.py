"""Scenes that a data set leaves out: ``DIR/leave_out.txt``, a file name without its ending a line.

``review.html`` of tools/annotate.py writes it. In a data set with train/ and val/ a name counts in
both. Training, evaluation and the doctor do as if the files of these scenes were not there.
"""

from __future__ import annotations

from pathlib import Path

from spade_paddle.errors import DataError

LEAVE_OUT_FILE = "leave_out.txt"


def read_leave_out(folder: str | Path) -> frozenset[str]:
    """Read the names of the scenes that a data set leaves out; none if there is no such file.

    Raises:
        DataError: the file cannot be read as UTF-8 text.
    """
    path = Path(folder) / LEAVE_OUT_FILE
    try:
        text = path.read_text(encoding="utf-8-sig")  # as editors on Windows write it, too
    except FileNotFoundError:
        return frozenset()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: expected a UTF-8 text file with the name of a photo, without its extension, "
            f"on each line, but it cannot be read ({error}); save it as UTF-8 text or remove it",
            code="leave_out_unreadable",
        ) from error
    return frozenset(line.strip() for line in text.splitlines() if line.strip())
