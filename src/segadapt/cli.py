"""The command line. torch takes seconds to import, so it is imported by the verbs that need it."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from segadapt.base.errors import Interrupted, SegadaptError, Stopped, unforeseen
from segadapt.base.signals import STOPPING
from segadapt.verbs import checkpoints, recipes, runs

app = typer.Typer(
    name="segadapt",
    help="Unsupervised domain adaptation of semantic segmentation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

INTERRUPTED = 130
UNFORESEEN = 1
BAD_INPUT = 2
WRITTEN = "what was written before stays"


VERBS: dict[str, Callable[..., None]] = {
    "run": runs.run,
    "evaluate": checkpoints.evaluate,
    "predict": checkpoints.predict,
    "convert": checkpoints.convert,
    "export": checkpoints.export,
    "publish": checkpoints.publish,
    "check": recipes.check,
    "show": recipes.show,
    "copy": recipes.copy,
    "new": recipes.new,
    "list": recipes.list_,
    "report": runs.report,
    "compare": runs.compare,
    "summarise": runs.summarise,
}
for name, verb in VERBS.items():
    app.command(name)(verb)


@app.command("help")
def help_(
    verb: Annotated[str | None, typer.Argument(help="A verb; all where not given.")] = None,
) -> None:
    """Show what there is to say, or the options of a verb."""
    app([verb, "--help"] if verb is not None else ["--help"], prog_name="segadapt")


def _version(value: bool) -> None:
    if value:
        from segadapt.base.version import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    # Read by main(), which must know even when the verb's own arguments do not parse.
    pass


def _stop(number: int, frame: object) -> None:
    raise Stopped(number)


def main() -> None:
    """Entry point: errors of the user's making end in one sentence and status 2."""
    debug = "--debug" in sys.argv
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files may be no text
        sys.stdout.reconfigure(errors="backslashreplace")
    # Typer ends in silence at a KeyboardInterrupt.
    before = {which: signal.signal(which, _stop) for which in STOPPING}
    try:
        app()
    except SegadaptError as error:
        if debug:
            raise
        sys.stderr.write(f"segadapt: {error}\n")
        sys.exit(BAD_INPUT)
    except (KeyboardInterrupt, Stopped) as error:
        goes_on = "the same command goes on from the last saved state"
        sys.stderr.write(f"segadapt: stopped; {goes_on if 'run' in sys.argv else WRITTEN}\n")
        sys.exit(128 + error.number if isinstance(error, Stopped) else INTERRUPTED)
    except Exception as error:
        if debug:
            raise
        if isinstance(error, Interrupted):
            sys.stderr.write(f"segadapt: {error}; the same command goes on from there\n")
            sys.exit(INTERRUPTED)
        sys.stderr.write(f"segadapt: {unforeseen(error)}\n")
        sys.exit(UNFORESEEN)
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


if __name__ == "__main__":
    main()
