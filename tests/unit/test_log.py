"""What a training shows while it runs."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from segadapt.engine.log import fitting, training_bar

NUMBERS = "12.1 images/s  seg_main 0.585  seg_aux 0.478  adv_main 0.818  d_source_main 0.344"


@pytest.mark.parametrize("width", [60, 80, 100, 160])
@pytest.mark.parametrize("name", ["advent", "a-very-long-name-of-a-stage-of-a-recipe"])
def test_bar_iteration_and_time_stay_and_losses_give_way(width: int, name: str) -> None:
    out = io.StringIO()
    console = Console(width=width, force_terminal=True, file=out, color_system=None)
    progress = training_bar(console)
    progress.add_task(name, total=120000, completed=45000, numbers=NUMBERS)
    with console.capture() as captured:
        console.print(progress.get_renderable())
    (line,) = captured.get().rstrip("\n").split("\n")
    assert len(line) <= width
    assert name[:10] in line and "━━━━" in line
    assert "45000/120000" in line and "-:--:--" in line
    assert ("seg_main 0.585" in line) == (width >= 100 or (name == "advent" and width >= 80))
    assert (NUMBERS in line) == (width == 160)


def test_plain_lines_are_short_and_say_where_they_end() -> None:
    numbers = NUMBERS.split("  ")
    line = fitting("advent: 45000/120000", numbers)
    assert len(line) < 100 and line.endswith(" ...")
    assert line.startswith("advent: 45000/120000  12.1 images/s  seg_main 0.585")
    assert fitting("advent: 1/2", ["seg_main 1"]) == "advent: 1/2  seg_main 1"
