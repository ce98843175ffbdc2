"""Every command of the torch side, as ``python -m`` runs it."""

import pkgutil
import runpy
import sys

import pytest

from generation import commands

NOT_TRAININGS = {
    "answer_benchmark",
    "build_benchmark",
    "fidelity",
    "fit_report_parser",
    "model_figures",
    "run_folder",
    "score_answers",
    "teach_judge",
    "sheet",
}
TRAININGS = {module.name for module in pkgutil.iter_modules(commands.__path__)} - NOT_TRAININGS


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize("name", sorted(TRAININGS))
def test_a_training_asks_for_one_run_folder(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = f"{commands.__name__}.{name}"
    monkeypatch.setattr(sys, "argv", [module])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(module, run_name="__main__")
    assert ended.value.code == 2
    assert "give one run folder" in capsys.readouterr().err
