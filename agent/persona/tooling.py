"""The tools of a persona file: their declarations for the model, and what runs them."""

import difflib
import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from agent.conversation.built_in_tools import OURS
from agent.conversation.declaration import NO_PARAMETERS, Tool, canonical
from agent.gemini.declarations import NotDeclarable, parameters_of
from agent.persona.built_in import built_in
from agent.persona.places import Key
from agent.persona.schema import TOOL_NAME, McpTable, PersonaFile, ToolTable
from agent.persona.secure import secured
from agent.persona.sms_schema import mistakes_of
from agent.tools.function import FunctionTool, is_idempotent
from agent.tools.mcp_server import McpServer, McpTool
from agent.tools.mcp_servers import INSTALL, is_installed
from agent.tools.toolbox import Runnable, Toolbox
from agent.tools.web import NotCallable, WebTool, placeholders, web_tool

_OF_A_CALL = ("url", "method", "headers", "body", "allow_private", "parameters")
_ONE_OF = 'python = "module:function", mcp = "server:tool" or url = "https://…"'


_imported: dict[str, tuple[Path, int]] = {}
"""The modules of tools, each with its file, and the file's time of change (ns) when imported."""


def changed_modules() -> list[str]:
    """The files of modules of tools that have changed since they were imported: Python goes on with
    what it read then, until it is started again.
    """
    return sorted(str(file) for file, read in _imported.values() if _changed_ns(file) != read)


def _changed_ns(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:  # it is gone
        return 0


type Secret = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools of one agent."""

    declared: tuple[Tool, ...]
    toolbox: Toolbox
    of_mcp: tuple[McpTool, ...] = ()


class ToolMistakes(Exception):  # noqa: N818 - what it is
    """Mistakes in tools: each a key, and what was expected, what came, and the fix."""

    def __init__(self, found: list[tuple[Key, str]]) -> None:
        super().__init__(f"{len(found)} mistakes")
        self.found = found


def tools_of(given: PersonaFile, folder: Path, secret: Secret) -> Tools:
    """The tools of a file.

    Args:
        given: What the file says.
        folder: Where it is; modules are looked for there too.
        secret: The value of a variable of the environment, or None if it is not set.

    Raises:
        ToolMistakes: With every mistake.
    """
    mistakes = list(mistakes_of(given.sms, given.numbers))
    declared = built_in(given)
    runnable: dict[str, Runnable] = {}
    servers: dict[str, McpServer] = {}
    of_mcp: dict[str, McpTool] = {}
    for name, server in given.mcp.items():
        try:
            servers[name] = _server(name, server, folder, secret)
        except _Wrong as wrong:
            mistakes.append((("mcp", name, *wrong.key), wrong.what))
    for n, table in enumerate(given.tools):
        try:
            if table.mcp is not None:
                found: Tool | None = None
                if (remote := _of_mcp(table, table.mcp, given, servers)) is not None:
                    found = remote.declared
                    of_mcp.setdefault(found.name, remote)
            else:
                found, runs = _tool(table, folder, secret)
                runnable[found.name] = runs
        except _Wrong as wrong:
            mistakes.append((("tools", n, *wrong.key), wrong.what))
            continue
        if found is None:
            continue
        if found.name in declared or found.name in OURS:
            what = f"expected a name of its own, got {found.name!r}, which another tool has"
            mistakes.append((("tools", n, "name"), what))
        declared[found.name] = found
    mistakes += secured(given, declared, runnable)
    if mistakes:
        raise ToolMistakes(mistakes)
    ours = tuple(tool for name, tool in declared.items() if name not in of_mcp)
    return Tools(ours, Toolbox(runnable), tuple(of_mcp.values()))


class _Wrong(Exception):  # noqa: N818 - what it is
    def __init__(self, key: Key, what: str) -> None:
        super().__init__(what)
        self.key, self.what = key, what


def _tool(table: ToolTable, folder: Path, secret: Secret) -> tuple[Tool, Runnable]:
    if "idempotent" in table.model_fields_set:
        what = "expected idempotent only beside mcp; write @tool(idempotent=True) above a function"
        raise _Wrong(("idempotent",), f"{what}; a GET is idempotent")
    if table.python is not None:
        _alone(table, "python", _OF_A_CALL)
        return _of_python(table, table.python, folder)
    if table.url is not None:
        return _of_url(table, table.url, secret)
    raise _Wrong((), f"expected {_ONE_OF}, got none of them")


def _alone(table: BaseModel, key: str, others: Iterable[str]) -> None:
    for other in others:
        if other in table.model_fields_set:
            raise _Wrong((other,), f"expected no {other} beside {key}; leave one of them out")


def _declared(table: ToolTable, name: str, description: str, parameters: str, **more: Any) -> Tool:
    return Tool(
        name=name,
        description=description,
        parameters=parameters,
        timeout_ms=round(table.timeout_s * 1000),
        says=table.says,
        max_per_call=table.max_per_call,
        **more,
    )


def _of_python(table: ToolTable, named: str, folder: Path) -> tuple[Tool, Runnable]:
    function = _function(named, folder)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.annotation is inspect.Parameter.empty:
            what = f"expected a type for each parameter, got none for {parameter.name!r}"
            raise _Wrong(("python",), f"{what} of {named}; write {parameter.name}: str, or another")
    try:
        parameters = parameters_of(function)
    except NotDeclarable as error:
        what = f"expected parameters of simple types in {named}: {error}"
        raise _Wrong(("python",), what) from None
    description = table.description or inspect.getdoc(function) or ""
    if not description:
        what = f"expected a docstring in {named}, got none; write what it does, or a description"
        raise _Wrong(("python",), what)
    name = table.name or named.rpartition(":")[2]
    idempotent = is_idempotent(function)
    tool = _declared(table, name, description, parameters, idempotent=idempotent)
    return tool, FunctionTool(function)


def _function(named: str, folder: Path) -> Callable[..., Any]:
    module_name, colon, name = named.partition(":")
    if not (colon and module_name and name.isidentifier()):
        raise _Wrong(("python",), f'expected "module:function", got {named!r}')
    if str(folder.resolve()) not in sys.path:
        sys.path.append(str(folder.resolve()))
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # noqa: BLE001 - anybody's module, which may raise anything
        what = f"expected a module that can be imported, got {module_name!r}: {error}"
        raise _Wrong(("python",), f"{what}; it is looked for beside this file, too") from None
    if module.__file__ is not None and module_name not in _imported:
        file = Path(module.__file__)
        _imported[module_name] = file, _changed_ns(file)
    function = getattr(module, name, None)
    if not callable(function):
        known = [each for each in vars(module) if not each.startswith("_")]
        what = f"expected a function of {module_name}, got {name!r}"
        raise _Wrong(("python",), f"{what}; there are {', '.join(known) or 'none'}")
    found: Callable[..., Any] = function
    return found


def _of_url(table: ToolTable, url: str, secret: Secret) -> tuple[Tool, Runnable]:
    for key, text in (("name", table.name), ("description", table.description)):
        if not text:
            raise _Wrong((key,), f"expected this key, got nothing; add a line such as {key} = …")
    for used in placeholders(url):
        if used not in table.parameters:
            what = f"expected a parameter that is declared, got {{{used}}}"
            raise _Wrong(("url",), f"{what}; add [tools.parameters.{used}]")
        if not table.parameters[used].required:
            what = f"expected a required parameter in the url, got {used}"
            raise _Wrong(("url",), f"{what}; leave required = false out")
    headers = _with_secrets(table.headers, "headers", secret)
    try:
        runs: WebTool = web_tool(
            url,
            method=table.method,
            headers=headers,
            body=table.body,
            allow_private=table.allow_private,
        )
    except NotCallable as error:
        raise _Wrong(("url",), str(error)) from None
    idempotent = table.method == "GET"
    tool = _declared(table, table.name, table.description, _schema(table), idempotent=idempotent)
    return tool, runs


def _with_secrets(values: Mapping[str, str], key: str, secret: Secret) -> dict[str, str]:
    """The values, those that begin with ``env:`` from the environment."""
    found = dict(values)
    for name, value in values.items():
        if value.startswith("env:"):
            secret_value = secret(value.removeprefix("env:"))
            if secret_value is None:
                what = f"expected a variable that is set, got {value!r}"
                raise _Wrong((key, name), f"{what}; set {value[4:]} in the environment")
            found[name] = secret_value
    return found


def _server(name: str, table: McpTable, folder: Path, secret: Secret) -> McpServer:
    if not is_installed():
        raise _Wrong((), INSTALL)
    if table.command:
        _alone(table, "command", ("url", "headers", "allow_private"))
        env = _with_secrets(table.env, "env", secret)
        return McpServer(name, table.command, tuple(env.items()), folder=str(folder.resolve()))
    if table.url is None:
        raise _Wrong((), 'expected command = ["program", …] or url = "https://…", got neither')
    _alone(table, "url", ("env",))
    try:
        parts = urlsplit(table.url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None:
        what = f"expected a URL such as https://mcp.example.com/mcp, got {table.url!r}"
        raise _Wrong(("url",), f"{what}; a user or key belongs into headers")
    return McpServer(
        name,
        url=table.url,
        headers=tuple(_with_secrets(table.headers, "headers", secret).items()),
        allow_private=table.allow_private,
    )


def _of_mcp(
    table: ToolTable, named: str, given: PersonaFile, servers: Mapping[str, McpServer]
) -> McpTool | None:
    """A tool of an MCP server; None if its server has a mistake itself."""
    _alone(table, "mcp", ("python", *_OF_A_CALL))
    server, colon, its_name = named.partition(":")
    if not (server and colon and its_name):
        raise _Wrong(("mcp",), f'expected "server:tool", got {named!r}')
    if server not in given.mcp:
        near = difflib.get_close_matches(server, given.mcp, n=1)
        fix = f"did you mean {near[0]}?" if near else f"add [mcp.{server}]"
        raise _Wrong(("mcp",), f"expected a server that is declared, got {server!r}; {fix}")
    if server not in servers:
        return None
    name = table.name or its_name
    if not TOOL_NAME(name):
        what = f"expected a name of letters, digits and _ for the tool {its_name!r}, got none"
        raise _Wrong(("name",), f"{what}; add a line such as name = …")
    declared = _declared(table, name, table.description, NO_PARAMETERS, idempotent=table.idempotent)
    return McpTool(servers[server], its_name, declared)


def _schema(table: ToolTable) -> str:
    if not table.parameters:
        return NO_PARAMETERS
    properties: dict[str, dict[str, object]] = {}
    for name, parameter in table.parameters.items():
        properties[name] = {"type": parameter.type}
        if parameter.description:
            properties[name]["description"] = parameter.description
        if parameter.enum:
            properties[name]["enum"] = list(parameter.enum)
        if parameter.pattern:
            properties[name]["pattern"] = parameter.pattern
    required = [name for name, parameter in table.parameters.items() if parameter.required]
    return canonical({"type": "object", "properties": properties, "required": required})
