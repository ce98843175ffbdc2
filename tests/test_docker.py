"""The compose file is one, and its services restart, are bounded and are asked how they are."""

import subprocess
import sys

import yaml

from feedback_app.local.homes import CHECKOUT

COMPOSE = CHECKOUT / "docker" / "compose.yaml"
ONCE = {"migrate"}


def test_the_compose_file_is_as_the_specification_has_it() -> None:
    command = ("-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE))
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_service_restarts_and_is_bounded_and_web_is_asked_whether_it_is_ready() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for name, service in services.items():
        if name not in ONCE:
            assert service["restart"] == "unless-stopped", name
            assert service["deploy"]["resources"]["limits"]["memory"], name
    assert "http://localhost:8000/readyz" in str(services["web"]["healthcheck"]["test"])
    assert services["proxy"]["depends_on"]["web"]["condition"] == "service_healthy"
    public = {name for name, service in services.items() if "ports" in service}
    assert public == {"proxy"}
    assert "respond @figures 404" in (CHECKOUT / "docker" / "Caddyfile").read_text()
