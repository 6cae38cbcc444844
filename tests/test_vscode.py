"""The extension for VS Code: a manifest that names what is there, and a start of the server and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from tests.conftest import ROOT

FOLDER = ROOT / "examples" / "vscode"
LOADED = """\
const Module = require("module");
const load = Module._load;
const started = [];
class LanguageClient {
  constructor(id, name, server, client) { started.push({id, server, client}); }
  start() { started.push("started"); return Promise.resolve(); }
  stop() { started.push("stopped"); return Promise.resolve(); }
}
const vscode = {workspace: {getConfiguration: (name) => ({get: (key, other) => process.argv[2] || other})}};
Module._load = (name, ...rest) =>
  name === "vscode" ? vscode : name === "vscode-languageclient/node" ? {LanguageClient} : load(name, ...rest);
const extension = require(process.argv[1]);
Promise.resolve(extension.deactivate()).then(() => extension.activate()).then(() => extension.deactivate())
  .then(() => console.log(JSON.stringify(started)));
"""
"""Loads the extension with stand-ins for VS Code and its client, and prints what it makes of them."""


def started(*command: str) -> list[object]:
    """What the extension starts, with the command line of the settings where one is given."""
    node = shutil.which("node")
    if node is None:
        assert "CI" not in os.environ, "the tests of the extension need Node.js 18 or later"
        pytest.skip("there is no `node`: the tests of the extension need Node.js 18 or later")
    arguments = [node, "-e", LOADED, "--", str(FOLDER / "extension.js"), *command]
    ran = subprocess.run(arguments, capture_output=True, text=True, check=True)
    found: list[object] = json.loads(ran.stdout)
    return found


def test_it_starts_and_stops_the_server() -> None:
    client, *rest = started()
    assert isinstance(client, dict)
    assert client["server"] == {"command": "policy", "args": ["lsp"]}
    assert {"scheme": "file", "language": "yaml"} in client["client"]["documentSelector"]
    assert rest == ["started", "stopped"]


def test_it_starts_the_command_line_that_the_settings_name() -> None:
    client = started(".venv/bin/policy")[0]
    assert isinstance(client, dict)
    assert client["server"]["command"] == ".venv/bin/policy"


def test_its_manifest_names_what_is_there() -> None:
    manifest = json.loads((FOLDER / "package.json").read_text("utf-8"))
    assert (FOLDER / manifest["main"]).is_file()
    assert manifest["contributes"]["configuration"]["properties"].keys() == {"policy.command"}
    assert set(manifest["dependencies"]) == {"vscode-languageclient"}
    assert {"name", "version", "publisher", "engines", "activationEvents"} <= manifest.keys()
