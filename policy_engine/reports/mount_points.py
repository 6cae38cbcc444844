"""Whether a folder is a mount point, which can be neither renamed nor replaced."""

from __future__ import annotations

import os
import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
"""Linux lists its mounts here. Without it a folder that is mounted from within its own file system goes unseen."""
ESCAPED = re.compile(r"\\([0-7]{3})")


def is_mount_point(place: Path) -> bool:
    """Whether something is mounted at a resolved path."""
    return os.path.ismount(place) or str(place) in _mounted()


def _mounted() -> set[str]:
    """Every mount point; blanks and the like are written there as octal numbers."""
    try:
        lines = os.fsdecode(MOUNTS.read_bytes()).splitlines()
    except OSError:
        return set()
    return {ESCAPED.sub(lambda sign: chr(int(sign[1], 8)), line.split(" ")[4]) for line in lines if line.count(" ") > 4}
