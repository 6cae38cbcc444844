// Starts `policy lsp`; all else is in the server.
"use strict";

const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

const FILES = [
  { scheme: "file", language: "yaml" },
  { scheme: "file", pattern: "**/*.schema.json" },
  { scheme: "file", pattern: "**/*.csv" },
];

let client;

function activate() {
  const command = workspace.getConfiguration("policy").get("command", "policy");
  client = new LanguageClient("policy", "Policy rules", { command, args: ["lsp"] }, { documentSelector: FILES });
  return client.start();
}

function deactivate() {
  return client === undefined ? undefined : client.stop();
}

module.exports = { activate, deactivate };
