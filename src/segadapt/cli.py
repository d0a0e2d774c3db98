"""The command line. torch takes seconds to import, so it is imported by the verbs that need it."""

from __future__ import annotations

import io
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segadapt.base.counted import counted
from segadapt.base.errors import Interrupted, SegadaptError, Stopped, unforeseen

if TYPE_CHECKING:
    from segadapt.base.compute import ComputeSettings

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


class Precision(StrEnum):
    """Number formats that training and inference are tested in."""

    full = "32-true"
    mixed = "bf16-mixed"


class Listable(StrEnum):
    """What ``segadapt list`` can list."""

    recipes = "recipes"
    methods = "methods"
    models = "models"
    datasets = "datasets"


RecipeArgument = Annotated[str, typer.Argument(help="A shipped recipe's name, or a YAML file.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=C", help="Change a value of the recipe; repeatable."),
]
DataRootOption = Annotated[
    Path, typer.Option("--data-root", help="Folder that the datasets' folders are in.")
]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]
PrecisionOption = Annotated[Precision, typer.Option("--precision", help="Number format.")]
FamilyOption = Annotated[
    str | None,
    typer.Option(
        "--family",
        help="Whose program a published .pth file belongs to: advent, intrada, adaptsegnet, clan, "
        "bdl or crst.",
    ),
]
WithOption = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="FILE[=WEIGHT]",
        help="Average this checkpoint's score maps with the first's, which weighs 1; repeatable.",
    ),
]
ScalesOption = Annotated[
    str, typer.Option("--scales", help="Look at images at these scales, as in 0.75,1,1.25.")
]
FlipOption = Annotated[bool, typer.Option("--flip", help="Look at the mirrored image too.")]
WindowOption = Annotated[
    str | None,
    typer.Option("--window", metavar="HxW", help="Look through a sliding window of this size."),
]


@app.command()
def run(
    recipe: RecipeArgument,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The run's folder; runs/RECIPE-seedN where not given."),
    ] = None,
    data_root: DataRootOption = Path("."),
    set_: SetOption = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random.")] = 0,
    device: DeviceOption = "auto",
    devices: Annotated[int, typer.Option("--devices", min=1, help="Number of processes.")] = 1,
    precision: PrecisionOption = Precision.full,
    seeds: Annotated[
        str | None,
        typer.Option("--seeds", help="Run with several: 3 for the seeds 0, 1, 2, or as 0,4,7."),
    ] = None,
    redo: Annotated[
        str | None,
        typer.Option("--redo", help="Do this stage again, and all that depend on it."),
    ] = None,
) -> None:
    """Run a recipe. The same command again goes on where a stopped run was."""
    compute: ComputeSettings = {
        "device": device,
        "devices": devices,
        "precision": precision.value,
    }
    if seeds is not None:
        from segadapt.commands.seeds import parse_seeds, run_seeds

        numbers = parse_seeds(seeds)
        directory = run_seeds(recipe, numbers, out, data_root, set_ or (), redo=redo, **compute)
    else:
        from segadapt.runs.pipeline import run as run_recipe

        directory = run_recipe(recipe, out, data_root, set_ or (), seed, redo=redo, **compute)
    typer.echo(f"report: {directory / 'report.html'}")


@app.command()
def evaluate(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint, or a run's folder.")],
    dataset: Annotated[str, typer.Option("--dataset", help="See `segadapt list datasets`.")],
    root: Annotated[Path, typer.Option("--root", help="The dataset's folder.")],
    split: Annotated[str, typer.Option("--split", help="The split to score.")],
    classes: Annotated[
        str | None, typer.Option("--classes", help="Class map of the dataset.")
    ] = None,
    json_: Annotated[
        Path | None, typer.Option("--json", help="Write the scores to this file.")
    ] = None,
    family: FamilyOption = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = Precision.full,
    with_: WithOption = None,
    scales: ScalesOption = "1",
    flip: FlipOption = False,
    window: WindowOption = None,
    table: Annotated[
        Path | None,
        typer.Option("--table", help="Write a table of the scores: FILE.csv, .md or .tex."),
    ] = None,
) -> None:
    """Score a checkpoint, or every checkpoint of a run, at full label resolution."""
    from segadapt.base.compute import Compute
    from segadapt.commands.evaluate import score_checkpoints
    from segadapt.commands.options import ensemble_of, views_of
    from segadapt.commands.tables import print_scores, require_known_suffix, write_table

    if table is not None:
        require_known_suffix(table)
    result = score_checkpoints(
        checkpoint,
        dataset,
        root,
        split,
        classes=classes,
        family=family,
        with_=ensemble_of(with_ or ()),
        views=views_of(scales, flip, window),
        compute=Compute(device=device, precision=precision.value),
    )
    if table is not None:
        write_table(table, result)
    print_scores(result)
    if json_ is not None:
        from segadapt.artefacts import strict_json

        try:
            json_.write_text(strict_json(result, indent=1) + "\n")
        except OSError as error:
            raise SegadaptError(f"--json {json_}: cannot be written ({error.strerror})") from error


@app.command()
def predict(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint.")],
    paths: Annotated[list[Path], typer.Argument(help="Images and folders of images.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for what is written.")],
    family: FamilyOption = None,
    device: DeviceOption = "auto",
    with_: WithOption = None,
    scales: ScalesOption = "1",
    flip: FlipOption = False,
    window: WindowOption = None,
    label_ids: Annotated[
        str | None,
        typer.Option(
            "--label-ids",
            help="Write the ids that a data set (or a folder with classes.yaml) stores.",
        ),
    ] = None,
) -> None:
    """Segment images (id maps, overlays, entropy maps), or find boxes with a detector."""
    from segadapt.commands.options import ensemble_of, views_of
    from segadapt.commands.predict import predict_files

    views, with_weights = views_of(scales, flip, window), ensemble_of(with_ or ())
    done = predict_files(checkpoint, paths, out, family, device, with_weights, views, label_ids)
    written = ", ".join(f"{out}/{name}" for name in done.outputs)
    typer.echo(f"{counted(done.images, 'image')}: {written}")


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The file to read.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The new file.")],
    family: FamilyOption = None,
    classes_from: Annotated[
        str | None,
        typer.Option(
            "--classes-from", help="Data set, or folder with classes.yaml, that names its classes."
        ),
    ] = None,
) -> None:
    """Convert a published .pth checkpoint to our .safetensors, or ours to a published .pth."""
    from segadapt.commands.convert import convert_checkpoint

    trained = convert_checkpoint(source, target, family, classes_from)
    model = trained.config
    typer.echo(
        f"{target}: {model.backbone}, heads: {model.heads}, {len(trained.classes.names)} classes"
    )


@app.command()
def check(
    recipe: RecipeArgument,
    data_root: DataRootOption = Path("."),
    set_: SetOption = None,
) -> None:
    """Read a recipe and all of its data: pairs, sizes, ids, corrupt files, class shares."""
    from segadapt.config.load import load_recipe

    loaded = load_recipe(recipe, set_ or ())  # what is wrong with it is told before torch is there
    from segadapt.commands.check import check_recipe

    check_recipe(loaded, data_root)


@app.command()
def show(recipe: RecipeArgument, set_: SetOption = None) -> None:
    """Print a recipe with all of its values, defaults included."""
    from segadapt.commands.show import shown
    from segadapt.config.load import load_recipe

    typer.echo(shown(load_recipe(recipe, set_ or ())))


@app.command()
def copy(
    recipe: RecipeArgument,
    to: Annotated[Path, typer.Argument(help="The new file.")],
) -> None:
    """Copy a shipped recipe to a file, to be changed there."""
    from segadapt.config.load import whole_text

    text = whole_text(recipe)
    if to.exists():
        raise SegadaptError(f"{to}: exists already; name another file")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text)
    except OSError as error:
        raise SegadaptError(f"{to}: cannot be written ({error.strerror})") from error
    typer.echo(f"{to}: run it with `segadapt run {to}`")


@app.command()
def new(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.yaml", help="The new file.")],
    source: Annotated[Path, typer.Option("--source", help="Folder of labelled images.")],
    target: Annotated[Path, typer.Option("--target", help="Folder of images to adapt to.")],
    minutes: Annotated[
        float, typer.Option("--minutes", min=1, help="That the trainings may take together.")
    ] = 30,
    device: DeviceOption = "auto",
    weights: Annotated[
        str | None, typer.Option("--weights", help="The network's; torchvision's where not given.")
    ] = None,
) -> None:
    """Write a first recipe for images of your own, sized to this machine."""
    from segadapt.commands.new import new_recipe

    new_recipe(recipe, source, target, device, minutes, weights, typer.echo)


@app.command("help")
def help_(
    verb: Annotated[str | None, typer.Argument(help="A verb; all where not given.")] = None,
) -> None:
    """Show what there is to say, or the options of a verb."""
    app([verb, "--help"] if verb is not None else ["--help"], prog_name="segadapt")


@app.command("list")
def list_(
    what: Annotated[Listable | None, typer.Argument(help="What to list.")] = None,
) -> None:
    """List what there is."""
    from segadapt.commands import lists

    if what is None:
        for kind in Listable:
            typer.echo(f"segadapt list {kind.value}")
        return

    lines = {
        Listable.recipes: lists.recipe_lines,
        Listable.methods: lists.method_lines,
        Listable.models: lists.model_lines,
        Listable.datasets: lists.dataset_lines,
    }
    for line in lines[what]():
        typer.echo(line)


@app.command()
def report(
    run_directory: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run's folder, or that of several seeds.")
    ],
) -> None:
    """Write the report of a run again (also of one that is not finished)."""
    from segadapt.report import build_report
    from segadapt.report.summary import build_summary, is_summary

    if is_summary(run_directory):
        typer.echo(build_summary(run_directory))
        return
    if not (run_directory / "run.json").is_file():
        raise SegadaptError(f"{run_directory}: is no run (it has no run.json)")
    typer.echo(build_report(run_directory))


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
    before = {which: signal.signal(which, _stop) for which in (signal.SIGINT, signal.SIGTERM)}
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
