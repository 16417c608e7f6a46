"""Rejects PaddleHub's ``--use_gpu`` mode, which has neither the page nor our responses.

In that mode the HTTP process never loads a module; ``paddlehub/serving/worker.py``, a child of
``hub serving start``, does. So the module can detect the mode only there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil

MESSAGE = """\
gaugan_doodle: 'hub serving start --use_gpu' is not supported. PaddleHub starts it without the \
doodle page, without /labels and /healthz, and open to the network. To paint on a GPU, start \
it without --use_gpu and set the module's own use_gpu:
    GAUGAN_USE_GPU=1 hub serving start -m gaugan_doodle -p 8866
or in the file of 'hub serving start -c': "use_gpu": false, and in the module's "init_args" \
"use_gpu": true."""


def refuse_gpu_mode() -> None:
    """In ``hub serving start --use_gpu``, print what to use instead and end all its processes.

    Raises:
        SystemExit: in that mode.
    """
    if Path(sys.argv[0]).parts[-3:] != ("paddlehub", "serving", "worker.py"):
        return
    print(MESSAGE, file=sys.stderr, flush=True)
    hub = psutil.Process().parent()
    if hub is not None and {"serving", "start"} <= set(hub.cmdline()):
        # PaddleHub and its other children would wait for this process forever
        for process in [*hub.children(recursive=True), hub]:
            if process.pid != os.getpid():
                process.terminate()
    raise SystemExit(2)
