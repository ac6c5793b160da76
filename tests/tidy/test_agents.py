"""No agent can acknowledge before it is done: how agents in streams/ are declared, read from the syntax tree.

The engine acknowledges a record whose agent raised, and drops it (docs/decisions/0003). One way to declare an agent
keeps it: concurrency 1, a supervisor that stops the worker, `noack()`, and `ack` as the last thing done for a record.
"""

import ast

import pytest

# Parts of the engine that lose or double records, or cannot be replayed, with what to use instead.
BANNED_CALLS = {
    "tumbling": "weeks are keys made by billing; the engine's windows start on Thursdays and follow the wall clock",
    "hopping": "as tumbling",
    "GlobalTable": "read a compacted topic with a plain consumer",
    "SetTable": "keep rows in the book's store",
    "group_by": "publish to a topic of our own with the right key",
    "take": "`take` acknowledges a whole batch whatever happened; use a batch agent of streams/engine",
    "send_soon": "nobody learns when it fails; await the acknowledgement",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef
Loop = ast.For | ast.AsyncFor | ast.While


def called_name(call: ast.Call) -> str:
    """The last part of what is called: `app.agent(...)` is `agent`."""
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def is_agent_declaration(node: ast.AST) -> bool:
    """`app.agent(...)`, whatever the app is called; a plain function named `agent` is none."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "agent"


def agent_faults(tree: ast.Module) -> list[str]:
    """What is wrong with the agents of one module, each with its line; empty when all is well."""
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, Function)}
    declarations = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and is_agent_declaration(node)]
    faults = [fault for declaration in declarations for fault in declaration_faults(declaration)]
    bodies: dict[int, Function] = {}
    for function in functions.values():
        for decorator in function.decorator_list:
            if isinstance(decorator, ast.Attribute) and decorator.attr == "agent":
                faults.append(f"{decorator.lineno}: a bare @agent takes the engine's defaults, which lose records")
            elif is_agent_declaration(decorator):
                bodies[id(decorator)] = function
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and is_agent_declaration(node.func)):
        if len(call.args) == 1 and isinstance(call.args[0], ast.Name) and call.args[0].id in functions:
            bodies[id(call.func)] = functions[call.args[0].id]
    for declaration in declarations:
        body = bodies.get(id(declaration))
        faults += body_faults(body) if body else [f"{declaration.lineno}: give the agent a function of this module"]
    return faults


def declaration_faults(declaration: ast.Call) -> list[str]:
    """Faults of the arguments: they must be written out, and be the safe ones."""
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in declaration.keywords}
    line = declaration.lineno
    faults = []
    if given.get("concurrency") != "1":
        faults.append(f"{line}: say concurrency=1; with more, a killed worker loses the record in flight")
    if given.get("supervisor_strategy", "").split(".")[-1] != "CrashingSupervisor":
        faults.append(f"{line}: say supervisor_strategy=CrashingSupervisor; the default skips the record that failed")
    if "name" not in given:
        faults.append(f"{line}: say name=...; topics are named after it and must not follow a rename in code")
    if "sink" in given:
        faults.append(f"{line}: no sink=; it sends without a key, before the acknowledgement")
    return faults


def body_faults(function: Function) -> list[str]:
    """Faults of an agent's function: acknowledging by itself, or before the end of the work on a record."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    acks = [call for call in calls if called_name(call) == "ack"]
    last = [loop.body[-1] for loop in ast.walk(function) if isinstance(loop, Loop)]
    faults = []
    if not any(called_name(call) in {"noack", "noack_take"} for call in calls):
        faults.append(f"{function.lineno}: {function.name} must read from .noack()")
    if not acks:
        faults.append(f"{function.lineno}: {function.name} never acknowledges, so its partition never moves on")
    for ack in acks:
        if not any(isinstance(step, ast.Expr) and any(part is ack for part in ast.walk(step)) for step in last):
            faults.append(f"{ack.lineno}: acknowledge as the last step of the loop over records, and nowhere else")
    return faults


def banned_calls(tree: ast.Module) -> list[str]:
    """Calls of engine parts we do not use, with line and reason."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    named = [(call.lineno, called_name(call)) for call in calls]
    return [f"{line}: {name}: {BANNED_CALLS[name]}" for line, name in named if name in BANNED_CALLS]


@pytest.fixture(scope="session")
def stream_modules(modules: dict[str, ast.Module]) -> dict[str, ast.Module]:
    """The modules of the conveyor."""
    return {name: tree for name, tree in modules.items() if name.startswith("streams/")}


def test_every_agent_is_declared_so_that_it_cannot_lose_a_record(stream_modules: dict[str, ast.Module]) -> None:
    """Concurrency 1, crashing supervisor, a name, `noack()`, and `ack` as the last step of its loop."""
    assert {name: faults for name, tree in stream_modules.items() if (faults := agent_faults(tree))} == {}


def test_agents_are_declared_only_in_streams(modules: dict[str, ast.Module], rooms: tuple[str, ...]) -> None:
    """No other room makes an agent, so the check above sees them all."""
    elsewhere = [name for name in modules if name.split("/")[0] in set(rooms) - {"streams"}]
    declaring = [name for name in elsewhere if any(is_agent_declaration(node) for node in ast.walk(modules[name]))]
    assert declaring == []


def test_the_engine_parts_that_lose_records_are_not_used(stream_modules: dict[str, ast.Module]) -> None:
    """Windows, global and set tables, re-keying and unawaited sends stay out."""
    assert {name: faults for name, tree in stream_modules.items() if (faults := banned_calls(tree))} == {}


def test_no_module_of_streams_is_invisible_to_the_engine(stream_modules: dict[str, ast.Module]) -> None:
    """The engine's own discovery skips modules with `test_` in their path without a word, so none is named so."""
    assert [name for name in stream_modules if "test_" in name or name.rsplit("/", 1)[-1].startswith("test")] == []


GOOD = """
@app.agent(hours_topic, name="hours", concurrency=1, supervisor_strategy=CrashingSupervisor)
async def keep_hours(stream):
    async for event in stream.noack().events():
        table[event.key] = event.value
        await stream.ack(event)
"""


def test_a_safe_agent_passes() -> None:
    """The one good way, decorated or applied by hand, has no fault."""
    by_hand = GOOD.replace("@app.agent(", "install = lambda app: app.agent(").replace(
        "Supervisor)", "Supervisor)(keep_hours)"
    )
    assert agent_faults(ast.parse(GOOD)) == []
    assert agent_faults(ast.parse(by_hand)) == []


@pytest.mark.parametrize(
    ("good", "bad", "word"),
    [
        ("concurrency=1", "concurrency=2", "concurrency=1"),
        ("concurrency=1, ", "", "concurrency=1"),
        ("concurrency=1", "concurrency=settings.concurrency", "concurrency=1"),
        ("supervisor_strategy=CrashingSupervisor", "supervisor_strategy=OneForOneSupervisor", "CrashingSupervisor"),
        (", supervisor_strategy=CrashingSupervisor", "", "CrashingSupervisor"),
        ('name="hours", ', "", "name="),
        ("concurrency=1", "concurrency=1, sink=[other]", "sink="),
        (".noack()", "", ".noack()"),
        ("        await stream.ack(event)\n", "", "never acknowledges"),
        (
            "        table[event.key] = event.value\n        await stream.ack(event)\n",
            "        await stream.ack(event)\n        table[event.key] = event.value\n",
            "last step",
        ),
        (
            "        table[event.key] = event.value\n        await stream.ack(event)\n",
            "        try:\n            work(event)\n        finally:\n            await stream.ack(event)\n",
            "last step",
        ),
        (
            "        await stream.ack(event)",
            "        if good(event):\n            await stream.ack(event)",
            "last step",
        ),
    ],
)
def test_a_changed_agent_is_refused(good: str, bad: str, word: str) -> None:
    """Every single weakening of the good agent is found and named."""
    assert good in GOOD
    assert [fault for fault in agent_faults(ast.parse(GOOD.replace(good, bad))) if word in fault] != []


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("@app.agent\nasync def f(stream): ...", "bare"),
        ("self.app.agent(t)(imported)", "concurrency"),
        ("app.agent(t, name='x', concurrency=1, supervisor_strategy=CrashingSupervisor)(imported)", "this module"),
        ("app.agent(t, **settings)(f)", "concurrency"),
    ],
)
def test_an_agent_cannot_hide(source: str, word: str) -> None:
    """Bare decorators, other names for the app, functions from elsewhere and unpacked arguments are seen."""
    assert [fault for fault in agent_faults(ast.parse(source)) if word in fault] != []


@pytest.mark.parametrize(
    "source", ["table.tumbling(60)", "app.GlobalTable('x')", "stream.take(9, within=1)", "t.send_soon(1)"]
)
def test_a_banned_part_is_found(source: str) -> None:
    """Each is seen on whatever object it is called."""
    assert banned_calls(ast.parse(source)) != []
