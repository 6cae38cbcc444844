"""Rule files of a git revision, such as `main:rules`, laid out in a folder of their own."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from policy_engine.diagnostics import shown_text
from policy_engine.errors import CannotRun


@dataclass(frozen=True, slots=True)
class Revision:
    """A path in a git revision, as `REVISION:PATH` names it."""

    revision: str
    path: str

    def __str__(self) -> str:
        return shown_text(f"{self.revision}:{self.path}")


def revision_of(text: str) -> Revision | None:
    """The revision and path that a text names; None where it is the name of a file, or of no form like that."""
    revision, colon, path = text.partition(":")
    return Revision(revision, path) if colon and revision and path and not Path(text).exists() else None


def laid_out(wanted: Revision, schemas: Path, folder: Path) -> tuple[Path, Path]:
    """Write the path and the schemas of a revision into a folder, and give their places there; raises `CannotRun`."""
    _refuse_missing(wanted)
    names = [wanted.path]
    if not schemas.is_absolute() and _has(wanted.revision, schemas.as_posix()):
        names.append(schemas.as_posix())
    archive = _git("archive", "--format=tar", wanted.revision, "--", *names)
    if archive.returncode:
        raise CannotRun(f"`{wanted}` cannot be read from git: {_said(archive)}")
    try:
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
            tar.extractall(folder, filter="data")
    except tarfile.TarError as error:  # such as a link that leads out of the folder
        raise CannotRun(f"`{wanted}` cannot be laid out: {error}") from None
    return folder / wanted.path, folder / schemas if len(names) > 1 else schemas


def _refuse_missing(wanted: Revision) -> None:
    if shutil.which("git") is None:
        raise CannotRun(f"`{wanted}` is in git, and there is no program `git` here; install it, or name a folder")
    path = PurePosixPath(wanted.path)
    if path.is_absolute() or ".." in path.parts:
        raise CannotRun(f"`{wanted}`: name a path below the folder you are in, such as `{wanted.revision}:rules`")
    if _git("rev-parse", "--git-dir").returncode:
        raise CannotRun(
            f"`{wanted}` names a git revision, and this folder is in no git repository; name a folder of rules"
        )
    if (
        wanted.revision.startswith("-")
        or _git("rev-parse", "--verify", "--quiet", f"{wanted.revision}^{{commit}}").returncode
    ):
        raise CannotRun(
            f"there is no git revision `{shown_text(wanted.revision)}` here; `git branch -a` and `git tag` list some"
        )
    if not _has(wanted.revision, wanted.path):
        raise CannotRun(f"the git revision `{wanted.revision}` has no `{shown_text(wanted.path)}` in this folder")


def _has(revision: str, path: str) -> bool:
    return _git("cat-file", "-e", f"{revision}:./{path}").returncode == 0


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *arguments], capture_output=True, check=False)


def _said(ran: subprocess.CompletedProcess[bytes]) -> str:
    return shown_text(ran.stderr.decode("utf-8", "replace").strip() or "git does not say why")
