"""A thin client: requests go out as they are given, answers come back as dictionaries."""

import hashlib
import json
import tempfile
import time
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
TRIES = 3
PAUSE_S = 1.0
CHUNK = 1 << 20


class ApiError(Exception):
    """A refusal, with what to do about it; ``fields`` has what is wrong with each value."""

    def __init__(self, status: int, error: Row) -> None:
        self.status = status
        self.code: str = error.get("code", "")
        self.remedy: str = error.get("remedy", "")
        self.fields: Any = error.get("fields", {})
        said = f"{error.get('message', '')} {self.remedy}".strip()
        super().__init__(f"{status} {said}" + (f" {self.fields}" if self.fields else ""))


class RunFailed(Exception):
    """A run that ended without success; ``run`` is its row."""

    def __init__(self, run: Row) -> None:
        super().__init__(f"{run['title']} {run['state']}: {run['error']} {run['remedy']}".strip())
        self.run = run


class Client:
    """Reading Room at ``address``, with a token of somebody whose role may do what is asked.

    What is asked for by POST carries a key, so that it is done once although it may be sent
    again where an answer did not come.
    """

    def __init__(
        self, address: str, token: str, *, timeout_s: float = 60, poll_s: float = 2
    ) -> None:
        self.address = address.rstrip("/")
        self.timeout_s = timeout_s
        self.poll_s = poll_s
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    # What every address takes

    def get(self, path: str, **query: Any) -> Row:
        answer: Row = self._ask("GET", path, params=query).json()
        return answer

    def post(self, path: str, body: Row | None = None, **options: Any) -> Row:
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        sent = options or {"json": body or {}}
        answer: Row = self._ask("POST", path, headers=headers, **sent).json()
        return answer

    def rows(self, path: str, **query: Any) -> Iterator[Row]:
        """Yields every row of a list, page after page."""
        page = 1
        while True:
            answer = self.get(path, page=page, page_size=200, **query)
            yield from answer["results"]
            if answer["next"] is None:
                return
            page += 1

    def wait(self, run: str, *, limit_s: float = 86_400) -> Row:
        """Returns the run once it has succeeded; raises RunFailed where it ends otherwise."""
        deadline = time.monotonic() + limit_s
        while (row := self.get(f"runs/{run}/"))["finished_at"] is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{row['title']} is {row['state']} after {limit_s:g} s.")
            time.sleep(self.poll_s)
        if row["state"] != "succeeded":
            raise RunFailed(row)
        return row

    # Real data and candidates

    def upload_cohort(self, folder: Path, *, name: str, **options: str) -> Row:
        """Send a folder as it is distributed, and wait until it is imported."""
        with tempfile.TemporaryFile() as archive:
            _pack(folder, archive)
            archive.seek(0)
            started = self.post(
                "cohorts/",
                data={"name": name, **options},
                files={"archive": (f"{name}.zip", archive, "application/zip")},
            )
        self.wait(started["run"])
        return self.get(f"cohorts/{name}/")

    def make_batch(self, *, limit_s: float = 86_400, **asked: Any) -> Row:
        """Ask for candidates, and wait until they are made."""
        batch = self.post("batches/", asked)
        deadline = time.monotonic() + limit_s
        while batch["is_live"] and time.monotonic() < deadline:
            time.sleep(self.poll_s)
            batch = self.get(f"batches/{batch['id']}/")
        if batch["made"] < batch["total"]:
            said = "; ".join(one["error"] for one in batch["failures"]) or "not made in time"
            raise RuntimeError(f"{batch['made']} of {batch['total']} candidates: {said}")
        return batch

    # Models that learn from real data alone

    def version(self, name: str) -> Row:
        """Returns the model version of this name."""
        found = next(self.rows("model-versions/", name=name), None)
        if found is None:
            raise LookupError(f"There is no model version {name!r}.")
        return found

    def pretrain(self, **asked: Any) -> Row:
        """Train a base model on a cohort, and wait for its version."""
        return self._trained("pretrain/", asked)

    def continue_training(self, version: str, **asked: Any) -> Row:
        """Train a version further on a cohort, and wait for the new one."""
        return self._trained(f"{self.version(version)['id']}/continue-training/", asked)

    def train_controlnet(self, version: str, **asked: Any) -> Row:
        """Teach a version to follow a cohort's masks, and wait for its child."""
        return self._trained(f"{self.version(version)['id']}/train-controlnet/", asked)

    def _trained(self, path: str, asked: Row) -> Row:
        run = self.wait(self.post(f"model-versions/{path}", asked)["id"])
        return self.version(run["result"]["model_version"])

    # Studies and readings

    def open_study(self, *, limit_s: float = 86_400, **design: Any) -> Row:
        """Design a study, and open it once its cases are there."""
        study = self.post("studies/", design)
        self._until(study, {"draft"}, limit_s=limit_s)
        self.post(f"studies/{study['id']}/open/")
        return self._until(study, {"open"}, limit_s=limit_s)

    def readings(self, study: Row | str, *, names: bool = False) -> "pd.DataFrame":
        """Returns a row for each score of a study's readings that count, as pandas has it."""
        import pandas as pd

        key = study if isinstance(study, str) else study["id"]
        query = {"study": key, "is_last": "true", "names": str(names).lower()}
        rows = [
            {
                **{name: value for name, value in reading.items() if not isinstance(value, list)},
                **score,
            }
            for reading in self.rows("readings/", **query)
            for score in reading["scores"]
        ]
        return pd.DataFrame(rows)

    # Reports that studies show

    def bring_drafts(self, name: str, reports: Mapping[str, str]) -> Row:
        """Bring reports that were written elsewhere, by the SHA-256 of their pictures."""
        lines = [json.dumps({"image": image, "text": text}) for image, text in reports.items()]
        return self.post("draft-sets/", {"name": name, "reports": "\n".join(lines)})

    def write_drafts(self, **asked: Any) -> Row:
        """Let a VLM write reports of images, and wait until they are there."""
        started = self.post("draft-sets/write/", asked)
        self.wait(started["run"])
        return self.get(f"draft-sets/{started['id']}/")

    def keep_signed(self, **asked: Any) -> Row:
        """Keep what readers of a study signed, to be compared with other reports."""
        return self.post("draft-sets/signed/", asked)

    # Learning

    def take_snapshot(self, **asked: Any) -> Row:
        made = self.post("snapshots/", asked)
        if "run" not in made:
            return made
        key = self.wait(made["run"])["result"]["snapshot"]
        return self.get(f"snapshots/{key}/")

    def fine_tune(self, **asked: Any) -> Row:
        """Start a fine-tune, and wait for the version that it gives."""
        started = self.post("fine-tunes/", asked)
        self.wait(started["run"])
        return self.get(f"fine-tunes/{started['id']}/")

    def train_reward_model(self, **asked: Any) -> Row:
        """Train what foretells readers' scores, and wait for it."""
        started = self.post("reward-models/", asked)
        self.wait(started["run"])
        return self.get(f"reward-models/{started['id']}/")

    def ask_gate(self, version: str, **asked: Any) -> Row:
        """Compare a version with its parent on held-out prompts, and wait for the verdict."""
        started = self.post("gates/", {"version": version, **asked})
        self.wait(started["run"])
        return self.get(f"gates/{started['id']}/")

    def compare_by_people(self, gate: Row | str, readers: Sequence[str]) -> Row:
        """Have people compare a gate's pairs blind; how far they are."""
        key = gate if isinstance(gate, str) else gate["id"]
        told: Row = self.post(f"gates/{key}/study/", {"readers": list(readers)})["people"]
        return told

    def promote(self, version: str, *, reason: str = "") -> Row:
        return self.post("promotions/", {"version": version, "reason": reason})

    # Curating and exporting

    def curate(self, **policy: Any) -> Row:
        """Make a policy, and apply it."""
        made = self.post("policies/", policy)
        return self.post("curated-sets/", {"policy": made["name"]})

    def export(self, curated_set: Row | str, folder: Path, *, file_format: str = "") -> Path:
        """Have a curated set written out, download it, and hold every byte against its hash."""
        key = curated_set if isinstance(curated_set, str) else curated_set["id"]
        asked = {"curated_set": key} | ({"format": file_format} if file_format else {})
        return self._fetch_export(self.post("exports/", asked), folder)

    def export_preferences(self, snapshot: Row | str, folder: Path) -> Path:
        """Have a snapshot's pairs written out for trainers of Diffusion-DPO, and download them."""
        key = snapshot if isinstance(snapshot, str) else snapshot["id"]
        return self._fetch_export(self.post("exports/preferences/", {"snapshot": key}), folder)

    def _fetch_export(self, export: Row, folder: Path) -> Path:
        self.wait(export["run"])
        export = self.get(f"exports/{export['id']}/")
        path = folder / export["file_name"]
        self.download(f"exports/{export['id']}/download/", path, sha256=export["sha256"])
        verify(path)
        return path

    def download(self, path: str, target: Path, *, sha256: str) -> None:
        """All of a file or nothing: it has its name once its hash is right."""
        part = target.with_name(f".{target.name}.part")
        sums = hashlib.sha256()
        with self._ask("GET", path, stream=True) as answer, part.open("wb") as out:
            for chunk in answer.iter_content(CHUNK):
                sums.update(chunk)
                out.write(chunk)
        if sums.hexdigest() != sha256:
            part.unlink()
            raise ValueError(f"{path} came damaged: its hash is {sums.hexdigest()}, not {sha256}.")
        part.replace(target)

    def _until(self, study: Row, states: set[str], *, limit_s: float) -> Row:
        deadline = time.monotonic() + limit_s
        while (row := self.get(f"studies/{study['id']}/"))["state"] not in states:
            run = row["run"]
            if run and run["state"] in {"failed", "cancelled"}:
                raise RunFailed({"title": row["name"], **run})
            if time.monotonic() > deadline:
                raise TimeoutError(f"The study {row['name']} is {row['state']}.")
            time.sleep(self.poll_s)
        return row

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Sends again what got no answer; every POST has a key, so that it is done once."""
        url = f"{self.address}/api/{path}"
        for left in reversed(range(TRIES)):
            try:
                answer = self._session.request(method, url, timeout=self.timeout_s, **options)
                break
            except (requests.ConnectionError, requests.Timeout):
                if not left:
                    raise
                time.sleep(PAUSE_S)
                for _, file, _ in (options.get("files") or {}).values():
                    file.seek(0)
        if not answer.ok:
            raise ApiError(answer.status_code, _error_of(answer))
        return answer


def verify(archive: Path) -> None:
    """Hold every file of an export against its manifest; raises ValueError where one differs."""
    with zipfile.ZipFile(archive) as packed:
        manifest = json.loads(packed.read("manifest.json"))
        for name, entry in manifest["files"].items():
            found = hashlib.sha256(packed.read(name)).hexdigest()
            if found != entry["sha256"]:
                raise ValueError(f"{name} of {archive.name} is not what the manifest says.")


def _pack(folder: Path, out: IO[bytes]) -> None:
    with zipfile.ZipFile(out, "w") as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(folder))


def _error_of(answer: requests.Response) -> Row:
    try:
        error: Row = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {"message": answer.reason}
    return error
