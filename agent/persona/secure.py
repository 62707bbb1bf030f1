"""What callers type in secret: `[secure_entries.NAME]`, each for one HTTP call of the same file."""

from collections.abc import Iterator, MutableMapping
from dataclasses import replace

from agent.conversation.declaration import Tool
from agent.conversation.secret_digits import SecureEntry
from agent.persona.places import Key
from agent.persona.schema import PersonaFile, ToolTable
from agent.tools.toolbox import Runnable
from agent.tools.web import WITHOUT_BODY, WebTool

TYPED = (
    " When you call it, the caller is asked to type {names} with the keys of the telephone; you "
    "do not hear it, and never learn it. Never ask the caller for it, or let them say it."
)
"""What the model is told besides of a tool that gets something which is typed in secret."""


def secured(
    given: PersonaFile, tools: MutableMapping[str, Tool], runnable: MutableMapping[str, Runnable]
) -> Iterator[tuple[Key, str]]:
    """Give each tool what callers type for it.

    Args:
        given: What the file says.
        tools: The tools of the file by name, which are changed.
        runnable: What runs them, likewise.

    Yields:
        Each mistake, with its key.
    """
    tables = {table.name: table for table in given.tools}
    entries: dict[str, list[tuple[str, SecureEntry]]] = {}
    for name, entry in given.secure_entries.items():
        parameter = entry.parameter or name
        key: Key = ("secure_entries", name)
        if what := _no_tool(tables.get(entry.tool), entry.tool, tables):
            yield (*key, "tool"), what
            continue
        table = tables[entry.tool]
        if parameter in table.parameters or parameter in table.body:
            what = f"expected a field that the tool has from nowhere else, got {parameter!r}"
            yield (*key, "parameter"), f"{what}; take it out of the tool's parameters and body"
            continue
        if any(parameter == other.parameter for _, other in entries.get(entry.tool, [])):
            what = f"expected a field of its own, got {parameter!r}, which another entry has"
            yield (*key, "parameter"), what
            continue
        if entry.min_digits > entry.max_digits:
            what = f"expected at most max_digits, {entry.max_digits}, got {entry.min_digits}"
            yield (*key, "min_digits"), what
            continue
        wanted = SecureEntry(parameter, entry.says, entry.min_digits, entry.max_digits)
        entries.setdefault(entry.tool, []).append((name, wanted))
    for tool, found in entries.items():
        runs = runnable.get(tool)
        if tool not in tools or not isinstance(runs, WebTool):
            continue  # it has a mistake of its own
        wanted_all = tuple(entry for _, entry in found)
        names = ", ".join(name.replace("_", " ") for name, _ in found)
        description = tools[tool].description + TYPED.format(names=names)
        tools[tool] = replace(tools[tool], description=description, secure=wanted_all)
        runnable[tool] = replace(runs, secure=tuple(entry.parameter for entry in wanted_all))


def _no_tool(table: ToolTable | None, name: str, known: MutableMapping[str, ToolTable]) -> str:
    """Why this is no tool that can get it; "" if it is one."""
    if table is None:
        there = ", ".join(each for each in known if each) or "none"
        return f"expected a tool of this file, got {name!r}; there are: {there}"
    if table.url is None:
        return f"expected a tool with a url, got {name!r}, which has none; only HTTP calls get it"
    if table.method in WITHOUT_BODY:
        what = f"expected a tool whose method has a body, got {name!r} with {table.method}"
        return f'{what}, which would put it into an address; write method = "POST" there'
    return ""
