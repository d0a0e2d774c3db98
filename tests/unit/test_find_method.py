"""Methods are found by file name, or as package.module:Class."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from segadapt.base.errors import SegadaptError
from segadapt.base.parts import TRUNKS
from segadapt.methods.base import Method, find_method, method_names

OWN = """
from segadapt.methods.base import Method
from segadapt.base.section import Section

class Mine(Method):
    Config = Section

class NoMethod:
    pass

number = 3
"""


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "my_own_methods.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_own_methods", raising=False)
    return "my_own_methods"


def test_every_file_gives_a_class_of_its_own() -> None:
    found = {name: find_method(name) for name in method_names()}
    assert len(set(found.values())) == len(found)
    for name, kind in found.items():
        assert issubclass(kind, Method) and kind is not Method
        assert kind.__module__ == f"segadapt.methods.{name}"


def test_published_methods_are_there() -> None:
    assert {"source_only", "adaptsegnet", "minent", "advent"} <= set(method_names())
    assert "base" not in method_names()


def test_method_of_ones_own(own_module: str) -> None:
    kind = find_method(f"{own_module}:Mine")
    assert issubclass(kind, Method)
    assert kind.__module__ == own_module


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("avent", "avent: unknown; there are .*advent.*package.module:Class"),
        ("base", "base: unknown"),
        ("", "unknown"),
        ("Advent", "unknown"),
        ("no_such_package.module:Class", "cannot be imported"),
        ("my_own_methods:Missing", "cannot be imported"),
        ("my_own_methods:NoMethod", "is not a subclass"),
        ("my_own_methods:number", "is not a subclass"),
        (":", "cannot be imported"),
        (":Class", "cannot be imported"),
    ],
)
def test_what_is_no_method_is_told(own_module: str, name: str, says: str) -> None:
    with pytest.raises(SegadaptError, match=says) as caught:
        find_method(name)
    assert str(caught.value).startswith(f"method {name}: ")


@pytest.mark.parametrize("name", ["resnet:Mine", "vgg.mine:Class", "timm.models:Class"])
def test_module_of_ones_own_may_begin_as_a_file_of_ours(name: str) -> None:
    with pytest.raises(SegadaptError, match=rf"^backbone {name}: cannot be imported"):
        TRUNKS.find(name)
