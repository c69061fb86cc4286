"""From a command's end to an exit code: mistakes in words, bugs in a log without personal data, quiet broken pipes."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from compagnon.cli.command import Group
from compagnon.cli.words import speak
from compagnon.errors import BUG, DONE, FIXABLE, UserError
from compagnon.i18n import LANGUAGES, _, detect, use


def guarded(program: Group, arguments: Sequence[str]) -> int:
    """Run ``program`` and return the exit code; no traceback reaches the user."""
    speak()
    speak_utf8()
    with use(language(arguments)):
        try:
            return _run(program, arguments)
        except BrokenPipeError:
            silence()
            return DONE


def _run(program: Group, arguments: Sequence[str]) -> int:
    settings: dict[str, object] = {}
    color = False if os.environ.get("NO_COLOR") else None
    try:
        result = program.main(list(arguments), prog_name="compagnon", standalone_mode=False, obj=settings, color=color)
        sys.stdout.flush()
        return result if isinstance(result, int) else DONE
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except UserError as error:
        complain(error, as_json="--json" in arguments)
        return error.exit_code
    except BrokenPipeError:
        raise
    except (click.Abort, KeyboardInterrupt):
        click.echo("\n" + _("Stopped. What was finished is kept."), err=True)
        return FIXABLE
    except SystemExit:
        # click ends so when the reader of its output has gone away; it has seen enough.
        return DONE
    except Exception as error:
        found = settings.get("found")
        report(error, found if isinstance(found, Path) else None)
        return BUG


def complain(error: UserError, *, as_json: bool = False) -> None:
    """Say on standard error what is wrong, where, and what to do next."""
    if as_json:
        document = {"problems": [problem.as_dict() for problem in error.problems]}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2), err=True)
        return
    for problem in error.problems:
        click.secho(str(problem), err=True, fg="red" if len(error.problems) == 1 else None)


def report(error: BaseException, root: Path | None) -> None:
    """Say that this is a bug, and keep where it happened."""
    path = write_crash(error, root)
    lines = [
        _("This is a bug of Compagnon ({kind}); your solution was left as it was.").format(kind=type(error).__name__)
    ]
    if path is not None:
        lines.append(_("Where it happened is written in {path}, without your data; please send it.").format(path=path))
    click.echo("\n".join(lines), err=True)


def write_crash(error: BaseException, root: Path | None) -> Path | None:
    """Write the traceback beside the solution, else in the folder for temporary files; returns its path.

    Messages of exceptions and values of variables may hold personal data: only types and places are written.
    """
    lines: list[str] = []
    link: BaseException | None = error
    while link is not None:
        lines.append(f"{type(link).__module__}.{type(link).__qualname__}")
        lines += [
            f"  {frame.filename}:{frame.lineno} {frame.name}\n    {frame.line or ''}"
            for frame in traceback.extract_tb(link.__traceback__)
        ]
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    text = "\n".join([f"python {sys.version.split()[0]} {sys.platform}", *lines, ""])
    name = f"crash-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.log"
    home = root / ".compagnon" if root else None
    for folder in (home, Path(tempfile.gettempdir())):
        if folder is None or not folder.is_dir():
            continue
        path = folder / (name if folder == home else f"compagnon-{name}")
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            continue
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        return path
    return None


def language(arguments: Sequence[str]) -> str:
    """The language asked for with ``--lang`` wherever it stands, else that of the environment."""
    for place, argument in enumerate(arguments):
        if argument == "--":
            break
        option, sign, value = argument.partition("=")
        if option == "--lang":
            value = value if sign else next(iter(arguments[place + 1 : place + 2]), "")
            if value in LANGUAGES:
                return value
    return detect()


def speak_utf8() -> None:
    """Read and write UTF-8 whatever the locale says: French needs it, and so do files that others read."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and (stream.encoding or "").lower().replace("-", "") != "utf8":
            stream.reconfigure(encoding="utf-8", errors="replace")


def silence() -> None:
    """Send what is still to be written nowhere, so that the interpreter's last flush does not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (BrokenPipeError, ValueError):
            os.dup2(nowhere, stream.fileno())
