"""`odoo-cdc wso2 generate`: the artifacts that WSO2 runs."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.config import Config, load
from schemas.errors import BadUsage
from streams.flow import capp
from streams.flow.artifact import Artifact
from streams.flow.artifacts import FOLDERS, generate, is_stale
from streams.flow.profiles import PATH as PROFILES
from streams.flow.vault import Secret, secrets_of

HELP: Final = "make the WSO2 artifacts for the targets of the file"
EXAMPLE: Final = "odoo-cdc wso2 generate --out build/wso2"
_OTHERS: Final = 0o077  # what a file's group and everybody may do


class NotWritable(BadUsage):
    """The artifacts cannot be written there."""

    hint = "Name a folder that you may write to: `odoo-cdc wso2 generate --out FOLDER`."


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a folder: paths relative to it, each list sorted."""

    changed: list[str]
    unchanged: list[str]
    removed: list[str]


@dataclass(frozen=True, slots=True)
class Car:
    """The Carbon application that was asked for."""

    file: str
    changed: bool


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("verb", choices=["generate"], help="generate: write or list them")
    parser.add_argument(
        "--acks",
        choices=["http", "kafka"],
        default="http",
        help="where the flow says what targets answered: http, the intake at acks.url (default);"
        " kafka, the response queue (WSO2 needs its Kafka connector)",
    )
    parser.add_argument(
        "--car",
        type=Path,
        metavar="FILE",
        help="write them there as one Carbon application, for WSO2's folder carbonapps",
    )
    parser.add_argument(
        "--guard",
        choices=["basic"],
        help="let in only users of WSO2, who say so as wso2.auth.basic does (WSO2's own handler)",
    )
    parser.add_argument(
        "--vault",
        action="store_true",
        help="write names that WSO2 looks up in its Secure Vault, instead of secrets",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="write them there, in folders of their kinds (default: only list them)",
    )


def run(args: argparse.Namespace) -> int:
    """List the artifacts, and write them where a folder is given."""
    config = load(args.config)
    to_kafka = args.acks == "kafka"
    guard = args.guard is not None
    artifacts = generate(config, to_kafka=to_kafka, vault=args.vault, guard=guard)
    car = None if args.car is None else _write_car(args.car, artifacts, config)
    written = None if args.out is None else write(artifacts, args.out)
    names = list(secrets_of(config, to_kafka=to_kafka)) if args.vault else []
    if args.json:
        print(json.dumps(_as_json(artifacts, args.out, written, car, names)))
        return 0
    if written is None:
        _list(artifacts)
    else:
        _report(args.out, written)
    if car is not None:
        print(f"{car.file}: {'written' if car.changed else 'as it was'}")
    _say_what_is_left(artifacts, names)
    return 0


def _write_car(file: Path, artifacts: Mapping[str, Artifact], config: Config) -> Car:
    """Write the Carbon application; only its owner reads it where it holds a secret."""
    try:
        data = capp.car(artifacts, capp.application(config.source.name))
        done = _write(file, data, secret=any(each.secret for each in artifacts.values()))
    except OSError as error:
        raise NotWritable(f"{error.filename or file}: {error.strerror or error}") from error
    return Car(str(file), changed=done)


def write(artifacts: Mapping[str, Artifact], folder: Path) -> Written:
    """Make a folder hold exactly these artifacts; other files in it are left alone.

    Endpoints of targets that are there no more are removed. Raises NotWritable.
    """
    written = Written([], [], [])
    try:
        for path, artifact in artifacts.items():
            done = _write(folder / path, artifact.text.encode(), secret=artifact.secret)
            (written.changed if done else written.unchanged).append(path)
        for inside in FOLDERS:
            for file in sorted((folder / inside).glob("*.xml")):
                path = f"{inside}/{file.name}"
                if is_stale(path, artifacts):
                    file.unlink()
                    written.removed.append(path)
    except OSError as error:
        raise NotWritable(f"{error.filename or folder}: {error.strerror or error}") from error
    return written


def _write(file: Path, data: bytes, *, secret: bool) -> bool:
    if file.is_file() and file.read_bytes() == data:
        if secret and file.stat().st_mode & _OTHERS:  # a copy or a checkout leaves it so
            file.chmod(0o600)
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    if secret:  # before anybody can read it
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
        file.chmod(0o600)
    file.write_bytes(data)
    return True


def _as_json(
    artifacts: Mapping[str, Artifact],
    folder: Path | None,
    written: Written | None,
    car: Car | None,
    names: Sequence[Secret],
) -> dict[str, object]:
    """Describe what was made; never a text, which may hold a secret."""
    said: dict[str, object] = {
        "out": None if folder is None else str(folder),
        "car": None if car is None else {"file": car.file, "changed": car.changed},
        "secrets": [{"alias": name.alias, "where": name.where} for name in names],
    }
    if written is not None:
        return said | {
            "changed": written.changed,
            "unchanged": written.unchanged,
            "removed": written.removed,
        }
    return said | {
        "artifacts": [
            {"path": path, "bytes": len(each.text.encode()), "secret": each.secret}
            for path, each in artifacts.items()
        ]
    }


def _list(artifacts: Mapping[str, Artifact]) -> None:
    for path in artifacts:
        print(path)
    print(f"\n{len(artifacts)} artifacts; --out FOLDER writes them, --car FILE as one application")


def _report(folder: Path, written: Written) -> None:
    for path in written.changed:
        print(f"written  {path}")
    for path in written.removed:
        print(f"removed  {path}")
    print(f"{folder}: {len(written.changed)} written, {len(written.unchanged)} as they were")


def _say_what_is_left(artifacts: Mapping[str, Artifact], names: Sequence[Secret]) -> None:
    """Say what deploying the artifacts does not do."""
    if PROFILES in artifacts:
        print(f"{PROFILES} belongs to WSO2's own configuration: docs/wso2.md says where")
    if names:
        print("\nWSO2 must know these secrets, under [secrets] in its deployment.toml:")
    for name in names:
        print(f"{name.alias}  {name.where}")
