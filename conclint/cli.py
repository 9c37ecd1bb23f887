"""The command line.  It imports click alone: what a run needs is imported when a run begins."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click

from conclint import __version__
from conclint.output import Unwritable, complain
from conclint.report import FORMATS

EPILOG = "Exit status: 0 nothing found, 1 findings, 2 conclint could not do its work."
NOT_DONE = 2
Command = TypeVar("Command", bound=Callable[..., object])


def main(arguments: Sequence[str]) -> int:
    """Runs the command; the status is for the process to end with."""
    try:
        return int(commands.main(list(arguments), prog_name="conclint", standalone_mode=False) or 0)
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        return _refuse(error)
    except Unwritable as error:
        complain([str(error)])
        return NOT_DONE


def _refuse(error: click.ClickException) -> int:
    """One line; but help, where help is the answer, as it is."""
    message = error.format_message()
    if "\n" in message:
        error.show()
    else:
        complain([message])
    return error.exit_code


def _codes(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...] | None:
    """Codes separated by commas or blanks, over all uses of the option; None where it was not used."""
    return tuple(" ".join(values).replace(",", " ").split()) if values else None


def _code_options(command: Command) -> Command:
    for name, about in [
        ("--extend-select", "Codes to run besides those."),
        ("--ignore", "Codes to leave out."),
        ("--select", "Codes to run, by prefix (CON3, CON301): CON turns every rule on."),
    ]:
        command = click.option(name, multiple=True, metavar="CODES", callback=_codes, help=about)(command)
    return command


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="conclint", message="%(prog)s %(version)s")
def commands() -> None:
    """Finds concurrency mistakes in Python programs."""


@commands.command(epilog=EPILOG)
@click.argument("paths", nargs=-1, type=click.Path())
@_code_options
@click.option("--output-format", "output", type=click.Choice(list(FORMATS)), default="text", show_default=True)
@click.option("--fix", is_flag=True, help="Mend what can be mended with the same behaviour.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: mend also what a reader must agree to.")
@click.option("--diff", is_flag=True, help="Change nothing; show what --fix would change, and exit 1 if it would.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes to use.  [default: one per core]")
@click.option("--cache/--no-cache", default=True, help="Whether to use what earlier runs computed.")
@click.option("--cache-dir", type=click.Path(path_type=Path), metavar="DIR", help="Where that is kept.")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Read this file as configuration.")
@click.option("--isolated", is_flag=True, help="Read no configuration file.")
@click.option("--stdin-filename", metavar="NAME", help='The name of what "-" reads from standard input.')
@click.option("--statistics", is_flag=True, help="Count the findings of each code.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 in spite of findings.")
@click.option("--color/--no-color", default=None, help="By default as standard output is a terminal or not.")
def check(
    paths: tuple[str, ...],
    select: tuple[str, ...] | None,
    ignore: tuple[str, ...] | None,
    extend_select: tuple[str, ...] | None,
    output: str,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    jobs: int | None,
    cache: bool,
    cache_dir: Path | None,
    config: Path | None,
    isolated: bool,
    stdin_filename: str | None,
    statistics: bool,
    exit_zero: bool,
    color: bool | None,
) -> int:
    """Checks files and folders (the current one by default) as one program; "-" reads standard input."""
    from conclint.checking import run
    from conclint.request import Choice, Mending, Request

    _refuse_contradictions(paths, stdin_filename, config if isolated else None, unsafe_fixes and not (fix or diff))
    return run(
        Request(
            paths=paths or (".",),
            choice=Choice(select, ignore, extend_select),
            mending=Mending.of(fix=fix, diff=diff, unsafe=unsafe_fixes),
            output=output,
            jobs=jobs,
            cache=cache,
            cache_folder=cache_dir,
            config=config,
            isolated=isolated,
            stdin_filename=stdin_filename,
            statistics=statistics,
            exit_zero=exit_zero,
            colour=_colour() if color is None else color,
        )
    )


def _refuse_contradictions(paths: tuple[str, ...], stdin: str | None, config: Path | None, lone_unsafe: bool) -> None:
    if "-" in paths and len(paths) > 1:
        raise click.UsageError('"-" reads standard input and takes no other paths')
    if stdin is not None and paths != ("-",):
        raise click.UsageError('--stdin-filename names what "-" reads; give "-" as the only path')
    if config is not None:
        raise click.UsageError(f"--config {config} and --isolated: two configurations; give one of the two")
    if lone_unsafe:
        raise click.UsageError("--unsafe-fixes needs --fix or --diff")


def _colour() -> bool:
    """As no-color.org and force-color.org have it."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


@commands.command()
@click.argument("wanted", metavar="[CODE|NAME]", required=False)
@click.option("--list", "listed", is_flag=True, help="One line per rule.")
@click.option("--table", is_flag=True, help="A Markdown table of the rules.")
def rule(wanted: str | None, listed: bool, table: bool) -> int:
    """Explains one rule, or all of them."""
    from conclint import pages

    if listed or table:
        return pages.show(pages.table() if table else pages.listing())
    return pages.explain(wanted)
