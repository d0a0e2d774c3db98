"""Which device is meant, and whether it is there."""

from __future__ import annotations

import re

import torch

from segadapt.base.compute import PRECISIONS, Compute
from segadapt.base.errors import SegadaptError

FORMS = re.compile(r"auto|cpu|mps|cuda(:[0-9]+)?")


def pick_device(device: str) -> str:
    """The kind that is meant: ``cpu``, ``cuda`` or ``mps``; ``auto`` takes a GPU where one is."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device.partition(":")[0]


def picked(compute: Compute) -> int | list[int]:
    """What Fabric is told: the number of devices, or the number of the one that is meant."""
    number = compute.device.partition(":")[2]
    return [int(number)] if number else compute.devices


def check_compute(compute: Compute) -> None:
    """Raise SegadaptError where the wanted devices, or the precision, are not there."""
    device, devices = compute.device, compute.devices
    if compute.precision not in PRECISIONS:
        raise SegadaptError(f"--precision {compute.precision}: choose {' or '.join(PRECISIONS)}")
    if not FORMS.fullmatch(device):
        raise SegadaptError(
            f"--device {device}: choose auto, cpu, cuda, cuda:1 (one of several, from 0) or mps"
        )
    if devices < 1:
        raise SegadaptError(f"--devices {devices}: at least 1 is needed")
    kind, _, number = device.partition(":")
    if number and devices > 1:
        raise SegadaptError(
            f"--device {device} --devices {devices}: names one device; leave {number!r} out, or "
            "--devices"
        )
    if kind == "mps" and (devices > 1 or not torch.backends.mps.is_available()):
        raise SegadaptError(
            f"--device mps --devices {devices}: "
            + ("there is one on a Mac" if devices > 1 else "this machine has none")
            + "; take --device cpu"
        )
    there = torch.cuda.device_count()
    if pick_device(device) == "cuda" and there < max(devices, int(number or 0) + 1):
        raise SegadaptError(
            f"--device {device} --devices {devices}: this machine has {there} CUDA devices; "
            + ("ask for fewer, or for" if there else "take")
            + " --device cpu"
        )
