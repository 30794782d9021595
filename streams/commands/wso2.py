"""`odoo-cdc wso2 generate`: the artifacts that WSO2 runs."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.config import Config, load
from schemas.errors import BadUsage
from streams.wso2 import capp
from streams.wso2.artifacts import KINDS, generate, is_secret, is_stale

HELP: Final = "make the WSO2 artifacts for the targets of the file"
EXAMPLE: Final = "odoo-cdc wso2 generate --out build/wso2"


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
        "--out",
        type=Path,
        metavar="FOLDER",
        help="write them there, in folders of their kinds (default: only list them)",
    )


def run(args: argparse.Namespace) -> int:
    """List the artifacts, and write them where a folder is given."""
    config = load(args.config)
    artifacts = generate(config, to_kafka=args.acks == "kafka")
    car = None if args.car is None else _write_car(args.car, artifacts, config)
    if args.out is None:
        _list(artifacts, car, as_json=args.json)
    else:
        _report(args.out, write(artifacts, args.out), car, as_json=args.json)
    return 0


def _write_car(file: Path, artifacts: dict[str, str], config: Config) -> Car:
    """Write the Carbon application; only its owner reads it where it holds a token."""
    try:
        data = capp.car(artifacts, capp.application(config.source.name))
        done = _write(file, data, secret=bool(config.acks.token))
    except OSError as error:
        raise NotWritable(f"{error.filename or file}: {error.strerror or error}") from error
    return Car(str(file), changed=done)


def write(artifacts: dict[str, str], folder: Path) -> Written:
    """Make a folder hold exactly these artifacts; other files in it are left alone.

    Endpoints of targets that are there no more are removed. Raises NotWritable.
    """
    written = Written([], [], [])
    try:
        for path, text in artifacts.items():
            done = _write(folder / path, text.encode(), secret=is_secret(path))
            (written.changed if done else written.unchanged).append(path)
        for kind in KINDS:
            for file in sorted((folder / kind).glob("*.xml")):
                path = f"{kind}/{file.name}"
                if is_stale(path, artifacts):
                    file.unlink()
                    written.removed.append(path)
    except OSError as error:
        raise NotWritable(f"{error.filename or folder}: {error.strerror or error}") from error
    return written


def _write(file: Path, data: bytes, *, secret: bool) -> bool:
    if file.is_file() and file.read_bytes() == data:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    if secret:  # before anybody can read it
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
        file.chmod(0o600)
    file.write_bytes(data)
    return True


def _list(artifacts: dict[str, str], car: Car | None, *, as_json: bool) -> None:
    if as_json:
        said = {"out": None, "car": _of(car), "artifacts": _described(artifacts)}
        print(json.dumps(said))
        return
    for path in artifacts:
        print(path)
    print(f"\n{len(artifacts)} artifacts; --out FOLDER writes them, --car FILE as one application")
    _say(car)


def _described(artifacts: dict[str, str]) -> list[dict[str, object]]:
    """Return path and size in bytes of each; never the text, which may hold a secret."""
    return [
        {"path": path, "bytes": len(text.encode()), "secret": is_secret(path)}
        for path, text in artifacts.items()
    ]


def _report(folder: Path, written: Written, car: Car | None, *, as_json: bool) -> None:
    if as_json:
        print(
            json.dumps(
                {
                    "out": str(folder),
                    "changed": written.changed,
                    "unchanged": written.unchanged,
                    "removed": written.removed,
                    "car": _of(car),
                }
            )
        )
        return
    for path in written.changed:
        print(f"written  {path}")
    for path in written.removed:
        print(f"removed  {path}")
    print(f"{folder}: {len(written.changed)} written, {len(written.unchanged)} as they were")
    _say(car)


def _of(car: Car | None) -> dict[str, object] | None:
    return None if car is None else {"file": car.file, "changed": car.changed}


def _say(car: Car | None) -> None:
    if car is not None:
        print(f"{car.file}: {'written' if car.changed else 'as it was'}")
