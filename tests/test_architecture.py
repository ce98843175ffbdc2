"""What holds for the project as a whole; `make check` holds the import contracts."""

import os
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter

import grimp
import pytest

from feedback_app.local.homes import CHECKOUT
from tests.sources import code

LONGEST = 400
TORCH_SIDE = ("torch", "diffusers", "transformers", "peft", "accelerate", "datasets")


def in_a_fresh_process(program: str) -> str:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "feedback_app.settings"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_web_process_never_imports_torch() -> None:
    loaded = in_a_fresh_process(f"""if True:
        import sys
        from feedback_app.wsgi import application
        from django.urls import get_resolver
        from django.test import Client
        get_resolver().reverse_dict
        assert Client(headers={{"host": "localhost"}}).get("/healthz").status_code in {{200, 301}}
        print(*(name for name in {TORCH_SIDE!r} if name in sys.modules))
    """)
    assert loaded == ""


def test_beat_never_imports_torch() -> None:
    loaded = in_a_fresh_process(f"""if True:
        import sys
        from celery.apps.beat import Beat
        from feedback_app.celery import app
        Beat(app=app).init_loader()
        import django_celery_beat.schedulers
        print(*(name for name in {TORCH_SIDE!r} if name in sys.modules))
    """)
    assert loaded == ""


def test_the_settings_example_names_every_setting() -> None:
    settings = (CHECKOUT / "feedback_app" / "settings.py").read_text()
    read = set(re.findall(r'\b(?:text|flag|number|words|amounts|one_of)\(\s*"([A-Z_]+)"', settings))
    example = (CHECKOUT / "docker" / ".env.example").read_text()
    named = set(re.findall(r"^([A-Z_]+)=", example, flags=re.MULTILINE))
    assert named - {"POSTGRES_PASSWORD", "SITE_DOMAIN"} == read


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("IMAGE_MAX_PIXELS", "many", "IMAGE_MAX_PIXELS='many' is not a whole number"),
        ("HTTPS_ONLY", "perhaps", "HTTPS_ONLY='perhaps' is neither true nor false"),
        ("TRUSTED_PROXIES", "10.0.0.1,proxy", "TRUSTED_PROXIES: 'proxy' does not appear"),
        ("DATABASE_URL", "sqlite:///db", "DATABASE_URL must begin with postgresql://"),
    ],
)
def test_a_bad_setting_stops_the_start(name: str, value: str, complaint: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=CHECKOUT,
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert complaint in done.stderr


def test_no_template_has_a_script_or_handler_of_its_own() -> None:
    """The pages' policy would not run it: data attributes and a module do (js/confirm.js)."""
    inline = re.compile(r"""\son[a-z]+\s*=\s*["']|<script(?![^>]*\ssrc=)|javascript:|hx-on""")
    found = {
        str(path.relative_to(CHECKOUT)): inline.findall(path.read_text())
        for path in (CHECKOUT / "templates").rglob("*.html")
    }
    assert not {path: parts for path, parts in found.items() if parts}


def test_there_is_no_secret_key_in_production() -> None:
    without = {name: value for name, value in os.environ.items() if name != "SECRET_KEY"}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=CHECKOUT,
        env={**without, "DEBUG": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Set SECRET_KEY in the environment" in done.stderr


def test_every_dependency_is_pinned_and_no_pin_names_a_place() -> None:
    pins = (CHECKOUT / "constraints.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", pin) for pin in pins)
    pinned = {pin.split("==")[0].lower().replace("_", "-") for pin in pins}
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = [requirement for group in groups for requirement in group]
    assert {re.split(r"[<>=~!\[]", name)[0].lower() for name in wanted} <= pinned


def test_tests_share_modules_that_are_no_tests() -> None:
    """What several files of tests need lies beside them, under a name of its own."""
    of_tests = re.compile(
        r"^ *(?:from|import) tests[.\w]*(?:\.| import )(?:test_\w+|conftest)\b", re.MULTILINE
    )
    found = {
        str(path.relative_to(CHECKOUT)): of_tests.findall(path.read_text())
        for path in (CHECKOUT / "tests").rglob("*.py")
    }
    assert not {path: lines for path, lines in found.items() if lines}


def test_receivers_of_our_signals_are_held() -> None:
    """Django's ``Signal.connect`` gives nothing back and holds its receiver weakly: as a
    decorator it lets the function go at once. ``@receiver`` does not; Celery's signals do not.
    """
    found = [
        str(path.relative_to(CHECKOUT))
        for path in (CHECKOUT / "feedback_app").rglob("*.py")
        if re.search(r"^@\w+\.connect\b", text := path.read_text(), re.MULTILINE)
        and "from celery.signals import" not in text
    ]
    assert not found


def test_no_file_imports_in_a_circle() -> None:
    graph = grimp.build_graph("feedback_app", "generation", cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    TopologicalSorter(imports).prepare()  # its CycleError names the files


def test_no_module_is_longer_than_four_hundred_lines() -> None:
    lengths = {path: len((CHECKOUT / path).read_text().splitlines()) for path in code()}
    too_long = {path: length for path, length in lengths.items() if length > LONGEST}
    assert not too_long, f"Split by thing what is longer than {LONGEST} lines: {too_long}"
