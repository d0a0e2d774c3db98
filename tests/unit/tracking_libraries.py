"""Stand-ins of tracking libraries that note what they are called with.

Their functions have the signatures of wandb 0.31, trackio 0.43 and mlflow 3.17.
"""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

Calls = list[tuple[str, Any]]


def put_wandb(monkeypatch: pytest.MonkeyPatch, has_key: bool = False) -> Calls:
    calls: Calls = []

    class Run:
        def define_metric(
            self,
            name: str,
            step_metric: str | None = None,
            step_sync: bool | None = None,
            hidden: bool | None = None,
            summary: str | None = None,
            overwrite: bool | None = None,
        ) -> None:
            calls.append(("define_metric", (name, step_metric)))

        def log(
            self, data: dict[str, Any], step: int | None = None, commit: bool | None = None
        ) -> None:
            calls.append(("log", data))

        def finish(self, exit_code: int | None = None) -> None:
            calls.append(("finish", exit_code))

    def init(
        entity: str | None = None,
        project: str | None = None,
        dir: str | None = None,
        id: str | None = None,
        name: str | None = None,
        notes: str | None = None,
        tags: Any = None,
        config: Any = None,
        *,
        mode: str | None = None,
        resume: bool | str | None = None,
        settings: Any = None,
    ) -> Run:
        calls.append(("init", {"id": id, "name": name, "mode": mode, "config": config}))
        return Run()

    def login(
        key: str | None = None,
        relogin: bool | None = None,
        host: str | None = None,
        force: bool | None = None,
        timeout: int | None = None,
        verify: bool = True,
        referrer: str | None = None,
        prompt: bool = True,
    ) -> bool:
        assert not prompt and not verify, "it would ask, or speak to the server"
        return has_key

    library: Any = ModuleType("wandb")
    library.init, library.Settings, library.Image = init, SimpleNamespace, lambda x: ("image", x)
    library.login = login
    monkeypatch.setitem(sys.modules, "wandb", library)
    return calls


def put_trackio(monkeypatch: pytest.MonkeyPatch) -> Calls:
    calls: Calls = []

    class Run:
        def log(self, metrics: dict[str, Any], step: int | None = None) -> None:
            calls.append(("log", (step, metrics)))

    def init(
        project: str,
        name: str | None = None,
        group: str | None = None,
        space_id: str | None = None,
        server_url: str | None = None,
        dataset_id: str | None = None,
        bucket_id: str | None = None,
        config: dict[str, Any] | None = None,
        resume: str = "never",
        settings: Any = None,
        private: bool | None = None,
        embed: bool = True,
    ) -> Run:
        calls.append(("init", (project, name, resume, space_id)))
        return Run()

    library: Any = ModuleType("trackio")
    library.init, library.Image = init, lambda value, caption=None: ("image", value)
    library.finish = lambda: calls.append(("finish", None))
    monkeypatch.setitem(sys.modules, "trackio", library)
    return calls


def put_mlflow(monkeypatch: pytest.MonkeyPatch) -> Calls:
    calls: Calls = []
    runs: dict[str, str] = {}

    class MlflowClient:
        def __init__(
            self,
            tracking_uri: str | None = None,
            registry_uri: str | None = None,
            workspace_store_uri: str | None = None,
        ) -> None:
            calls.append(("client", tracking_uri))

        def get_experiment_by_name(self, name: str) -> Any:
            return SimpleNamespace(experiment_id="1") if runs else None

        def create_experiment(
            self, name: str, artifact_location: str | None = None, tags: Any = None
        ) -> str:
            calls.append(("create_experiment", (name, artifact_location)))
            return "1"

        def search_runs(self, experiment_ids: list[str], filter_string: str = "") -> list[Any]:
            found = [run for run, id in runs.items() if f"'{id}'" in filter_string]
            return [SimpleNamespace(info=SimpleNamespace(run_id=run)) for run in found]

        def create_run(
            self,
            experiment_id: str,
            start_time: int | None = None,
            tags: dict[str, Any] | None = None,
            run_name: str | None = None,
        ) -> Any:
            run = f"run-{len(runs)}"
            runs[run] = (tags or {})["segadapt.id"]
            calls.append(("create_run", run_name))
            return SimpleNamespace(info=SimpleNamespace(run_id=run))

        def update_run(
            self, run_id: str, status: str | None = None, name: str | None = None
        ) -> None:
            calls.append(("update_run", (run_id, status)))

        def log_batch(
            self, run_id: str, metrics: Any = (), params: Any = (), tags: Any = ()
        ) -> None:
            assert run_id in runs and len(params) <= 100
            calls.append(("log_batch", [(m.key, m.value, m.step) for m in metrics]))

        def log_image(self, run_id: str, image: Any, artifact_file: str | None = None) -> None:
            calls.append(("log_image", artifact_file))

        def set_terminated(
            self, run_id: str, status: str | None = None, end_time: int | None = None
        ) -> None:
            calls.append(("set_terminated", (run_id, status)))

    library: Any = ModuleType("mlflow")
    entities: Any = ModuleType("mlflow.entities")
    library.MlflowClient, library.entities = MlflowClient, entities
    entities.Metric = lambda key, value, timestamp, step: SimpleNamespace(
        key=key, value=value, step=step
    )
    entities.Param = lambda key, value: SimpleNamespace(key=key, value=value)
    monkeypatch.setitem(sys.modules, "mlflow", library)
    monkeypatch.setitem(sys.modules, "mlflow.entities", entities)
    return calls
