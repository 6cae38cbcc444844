"""The folder of a report: what it may replace, which files in it are not its own, and how a new report replaces an old one.

All work is done in a *staging folder* beside the report, so that a rename is all that is left to do in the end:

    .NAME.report-in-progress/
        lock    locked by the run that owns the folder; the system unlocks it when the run ends, however it ends
        new     the report that is being made
        old     the report that it replaces, from the moment at which `new` takes its place until it is deleted

So there is a whole report at every moment: in its own place, or, between two renames, in `old`. A run that was killed leaves the
staging folder behind, and the next one cleans it up before it begins (`_clean_up`).
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from policy_engine.errors import CannotRun
from policy_engine.reports.fingerprints import Fingerprint, fingerprint_of
from policy_engine.reports.manifest import MANIFEST, Digested, digested, read_manifest

LOCK, NEW, OLD = "lock", "new", "old"
MOUNTS = Path("/proc/self/mountinfo")
"""The list of mounts on Linux, which alone has folders that are mounted from within the same file system."""
ESCAPED = re.compile(r"\\([0-7]{3})")


@contextmanager
def new_report(out: Path, inputs: Iterable[Path]) -> Iterator[Path]:
    """A folder to fill, which becomes the report `out` only when all went well; raises `CannotRun`.

    A report that is there already is replaced, if every file in it is as it was written; anything else is left alone. So is
    whatever was there, where the run does not come to its end. `inputs` are files and folders that must not lie in `out`.
    """
    try:
        _refuse_place(out)
        place = out.resolve()
        with _folders_above(place), _staging_folder(out, staging_of(place)) as staging:
            _clean_up(place, staging)
            _refuse_inputs_within(out, place, inputs)
            _refuse_what_is_no_report(out)
            before = _contents(place)
            (staging / NEW).mkdir()
            try:
                yield staging / NEW
                if _contents(place) != before:
                    raise CannotRun(f"`{out}` was changed while the new report was made, and is not replaced")
                _swap(place, staging)
            finally:
                _clean_up(place, staging)
    except OSError as error:
        raise CannotRun(f"`{out}` cannot be written: {error.strerror}") from None


def staging_of(place: Path) -> Path:
    """The staging folder of a report."""
    return place.with_name(f".{place.name}.report-in-progress")


def moved_aside(report: Path) -> Path | None:
    """Where the whole report lies that a killed run was about to replace; None where there is none."""
    old = staging_of(report.resolve()) / OLD
    return old if (old / MANIFEST).is_file() and not report.exists() else None


def _refuse_place(out: Path) -> None:
    """Raises `CannotRun` for a place that cannot be replaced as a whole, or must not be."""
    if out.is_symlink():
        raise CannotRun(f"`{out}` is a link to `{out.readlink()}`; name the folder itself")
    if out.exists() and not out.is_dir():
        raise CannotRun(f"`{out}` is there already, and is not a folder; name another")
    above = next((parent for parent in out.parents if parent.exists()), Path())
    if not above.is_dir():
        raise CannotRun(f"`{out}` cannot be written: `{above}` is not a folder")
    place = out.resolve()
    refused = {
        "is the folder you are in, or holds it": Path.cwd().is_relative_to(place),
        "is your home, or holds it": _home().is_relative_to(place),
        "is a mount point, and cannot be replaced": os.path.ismount(place) or str(place) in _mounted(),
    }
    for why, is_so in refused.items():
        if is_so:
            raise CannotRun(f"`{out}` {why}; name a folder in it, such as `{out / 'report'}`")


def _home() -> Path:
    try:
        return Path.home().resolve()
    except RuntimeError:  # nobody says where it is
        return Path("/")


def _refuse_inputs_within(out: Path, place: Path, inputs: Iterable[Path]) -> None:
    """Raises `CannotRun` where an input lies in the folder that would be replaced, under whatever name."""
    files = {(found.device, found.inode) for found in _contents(place).values()}
    for path in inputs:
        within = path.resolve().is_relative_to(place)
        if within or (path.is_file() and (path.stat().st_dev, path.stat().st_ino) in files):
            raise CannotRun(f"the input `{path}` lies in `{out}`, which would be replaced; name another folder")


def _refuse_what_is_no_report(out: Path) -> None:
    """Raises `CannotRun` where a folder holds anything but a report, each file of it as it was written."""
    if not out.exists() or not any(out.iterdir()):
        return
    if not os.path.lexists(out / MANIFEST):
        raise CannotRun(f"`{out}` is there already, and is not a report; name another folder")
    try:
        manifest = read_manifest(out)
    except CannotRun as why:
        raise CannotRun(f"`{out}` is there already, and is not replaced: {why}; name another folder") from None
    stranger = next(strangers(out, manifest.outputs), None)
    if stranger is not None:
        raise CannotRun(f"`{out}` is not replaced: {stranger}; move that elsewhere, or name another folder")


def _contents(place: Path) -> dict[str, Fingerprint]:
    """Everything in a folder, with its fingerprint; nothing where there is no folder."""
    if not place.exists():
        return {}
    return {str(path.relative_to(place)): fingerprint_of(path.lstat()) for path in everything_in(place)}


@contextmanager
def _folders_above(place: Path) -> Iterator[None]:
    """Make the folders above a report; those that were made are deleted again where no report comes into them."""
    made = [folder for folder in place.parents if not folder.exists()]
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        for folder in made:
            if folder.exists() and not any(folder.iterdir()):
                folder.rmdir()


@contextmanager
def _staging_folder(out: Path, staging: Path) -> Iterator[Path]:
    """The staging folder, locked; raises `CannotRun` where another run has it. It is gone afterwards if nothing is left in it."""
    handle = _locked(out, staging)
    try:
        yield staging
    finally:
        if os.listdir(staging) == [LOCK]:
            (staging / LOCK).unlink()
            staging.rmdir()
        os.close(handle)


def _locked(out: Path, staging: Path) -> int:
    """The open lock of a staging folder, which is made where there is none."""
    while True:
        try:
            staging.mkdir(0o700, exist_ok=True)
            handle = os.open(staging / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:  # another run ended, and deleted the folder in between
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.exists(staging / LOCK) and os.path.samestat(os.fstat(handle), os.stat(staging / LOCK)):
                return handle
        except BlockingIOError:
            os.close(handle)
            raise CannotRun(f"another run is writing `{out}`; wait for its end, or name another folder") from None
        os.close(handle)  # another run ended, and deleted the lock in between


def _swap(place: Path, staging: Path) -> None:
    """Put the new report in its place; if that fails, or is interrupted, `_clean_up` puts the old one back."""
    if place.exists():
        (staging / NEW).chmod(place.stat().st_mode & 0o7777)
        place.rename(staging / OLD)
    (staging / NEW).rename(place)


def _clean_up(place: Path, staging: Path) -> None:
    """Leave one report: the old one goes back where none has taken its place, or else is deleted, as an unfinished one is."""
    old = staging / OLD
    if old.exists():
        if not place.exists() or not any(place.iterdir()):
            old.rename(place)
        elif (place / MANIFEST).is_file():
            _discard(old)
        else:
            raise CannotRun(
                f"`{place}` is not a report, and the one that was there lies in `{old}`; move one of them elsewhere"
            )
    if (staging / NEW).exists():
        shutil.rmtree(staging / NEW)


def _discard(report: Path) -> None:
    """Delete the files of a report, its manifest last; raises `CannotRun` where anything else is in its folder."""
    if (report / MANIFEST).exists():
        listed = {file.name for file in read_manifest(report).outputs}
        for path in reversed([*everything_in(report)]):
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.relative_to(report).as_posix() in listed:
                path.unlink()
        if os.listdir(report) == [MANIFEST]:
            (report / MANIFEST).unlink()
    left = next(everything_in(report), None)
    if left is not None:
        raise CannotRun(
            f"the report before this one lies in `{report}`, with files that are not its own; move them elsewhere"
        )
    report.rmdir()


def _mounted() -> set[str]:
    """Every mount point; white space and backslashes are written there as octal numbers."""
    try:
        lines = os.fsdecode(MOUNTS.read_bytes()).splitlines()
    except OSError:
        return set()
    return {ESCAPED.sub(lambda sign: chr(int(sign[1], 8)), line.split(" ")[4]) for line in lines if line.count(" ") > 4}


def missing(report: Path, files: Sequence[Digested]) -> Iterator[str]:
    """Files that are listed and not there, as sentences."""
    for file in files:
        path = report / file.name
        if not (path.exists() or path.is_symlink()):
            yield f"the output `{path}` is not there any more"


def strangers(report: Path, files: Sequence[Digested]) -> Iterator[str]:
    """Everything in the folder that is not a file of the report as it was written, as sentences; raises `CannotRun`."""
    listed = {file.name: file for file in files}
    folders = {str(parent) for name in listed for parent in Path(name).parents}
    for path in everything_in(report):
        name = path.relative_to(report).as_posix()
        kind = path.lstat().st_mode
        if stat.S_ISDIR(kind) and name in folders:
            continue
        if name not in listed and name != MANIFEST:
            yield f"`{path}` is none of the report's files"
        elif not stat.S_ISREG(kind):
            yield f"`{path}` is not a file, as the report's are"
        elif name in listed and differs(path, listed[name]):
            yield f"the output `{path}` has changed since the report was made"


def differs(path: Path, before: Digested) -> bool:
    """Whether a file has other bytes than those that were digested; raises `CannotRun`."""
    return path.stat().st_size != before.size or digested(path, before.name) != before


def everything_in(folder: Path) -> Iterator[Path]:
    """Files, links and folders below a folder, sorted, each folder before its content; links are not followed."""
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise CannotRun(f"the folder `{folder}` cannot be read: {error.strerror}") from None
    for path in found:
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from everything_in(path)
