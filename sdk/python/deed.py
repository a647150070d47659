"""Handlers of deed in Python: one file, no dependencies, Python 3.9 or later.

A definition lets it travel with the program:

    files: [deed.py, count.py]
    steps:
      count:
        run: [python3, count.py]
        keep: true                  # or not: the same program serves both
        each: texts
        out: [counts]

and the program says what it does with one task:

    import deed

    @deed.handler
    def count(texts: str, top: int = 20):
        deed.progress(0.5, "counting")
        return {word: texts.split().count(word) for word in set(texts.split())}

    if __name__ == "__main__":
        deed.run()

Arguments are inputs and parameters of the step, by name ("-" is "_" here), and
`task`, which is the Task. How an input comes is said by its annotation:

    part: deed.Part       its path, key, name and ways to read it; also without annotation
    part: pathlib.Path    where the file is
    part: bytes, str      its content
    part: deed.JSON       the value in it; also dict, list, int, float, bool
    parts: list[...]      a list of those, for `in` and `by key`, where it is a list anyway

What is returned is the one part of the one output: bytes and str as they are, the
file of a Path, anything else as JSON. A step with several outputs gets a dict of
them. A function that yields writes a part with each value; deed.Out gives a part a
key, a name, or says which output it is for.

    raise deed.Permanent("no such column")        another attempt is pointless
    raise deed.RetryAfter(60, "the API is busy")  not before a minute has passed

Anything else that is raised fails the attempt, and the step's retry says what
follows. To test a handler without a worker: deed.call(count, {"texts": b"a b a"}).
"""

import contextlib
import functools
import inspect
import json
import math
import os
import pathlib
import shutil
import sys
import tempfile
import threading
import traceback
import typing

__all__ = ["JSON", "Out", "Part", "Permanent", "RetryAfter", "Task", "call", "current", "handler", "log", "progress", "run"]

EX_PERMANENT, EX_RETRY = 65, 75


class Permanent(Exception):
    """Fails the task: another attempt is pointless."""


class RetryAfter(Exception):
    """Fails the attempt: the next one may begin after so many seconds."""

    def __init__(self, seconds, message="to be tried again later"):
        super().__init__(message)
        self.seconds = float(seconds)


class JSON:
    """The annotation of an input that is to come as the JSON value in it."""


class Part(os.PathLike):
    """One part of an input: a file."""

    def __init__(self, path, key="", name=""):
        self.path, self.key, self.name = pathlib.Path(path), key, name

    def __fspath__(self):
        return str(self.path)

    def __repr__(self):
        return "Part(%r, key=%r, name=%r)" % (str(self.path), self.key, self.name)

    def open(self, mode="r", **how):
        if mode == "r":
            how.setdefault("encoding", "utf-8")
        return open(self.path, mode, **how)

    def bytes(self):
        return self.path.read_bytes()

    def text(self):
        return self.path.read_text(encoding="utf-8")

    def lines(self):
        """Yields the lines without their newlines; it needs little memory."""
        with self.open() as f:
            for line in f:
                yield line.rstrip("\n")

    def json(self):
        try:
            return json.loads(self.bytes())
        except ValueError as e:
            raise Permanent("%s is not JSON: %s" % (self.name or self.path.name, e)) from e


class Out:
    """A part to write: the value, and what is to be different from the rest."""

    def __init__(self, value, output=None, key=None, name=None):
        self.value, self.output, self.key, self.name = value, output, key, name


class Task:
    """What is known of the task: see $DEED_TASK_FILE in docs/programs.md."""

    def __init__(self, told):
        self.told = told
        self.id, self.process, self.address = told["task"], told["process"], told["address"]
        self.index, self.attempt = told["index"], told["attempt"]
        self.key, self.name = told.get("key") or "", told.get("name") or ""
        self.params = told.get("params") or {}
        self.outputs = list(told.get("outputs") or {})
        self.tmp = pathlib.Path(told["tmp"])
        self._types = told.get("json") or {}

    @property
    def inputs(self):
        """The inputs by name: a Part, or a list of them."""
        return {name: self._input(name, told) for name, told in (self.told.get("inputs") or {}).items()}

    def _input(self, name, told):
        path = pathlib.Path(told["path"])
        if told["kind"] == "file":
            return Part(path, self.key, self.name)
        parts = []
        for folder, folders, files in os.walk(path):
            folders.sort()
            key = pathlib.Path(folder).relative_to(path).as_posix()
            parts += [Part(pathlib.Path(folder, f), "" if key == "." else key, f) for f in files]
        return sorted(parts, key=lambda p: p.path.relative_to(path).as_posix())

    def _write(self, out, many, n):
        name = self._output(out.output)
        data, source = _encoded(out.value, name in self._types)
        to = pathlib.Path(self.told["outputs"][name])
        if many:
            to.mkdir(exist_ok=True)
            key = self.key if out.key is None else out.key
            for folder in _folders(key) if out.key is not None else []:
                to = to / folder
            to.mkdir(parents=True, exist_ok=True)
            to = to / _file(out.name if out.name is not None else "%06d" % n)
            if to.exists():
                raise ValueError("two parts of output %r would both be %r: give them names, deed.Out(value, name=...)" % (name, to.name))
        elif out.key is not None or out.name is not None:
            raise ValueError("a part with a key or a name of its own has to be yielded, not returned")
        if source is not None:
            shutil.copyfile(source, to)
        else:
            to.write_bytes(data)

    def _output(self, name):
        if name is None:
            if len(self.outputs) != 1:
                raise ValueError("the step writes %s: say which one by deed.Out(value, output=...)" % _names(self.outputs))
            return self.outputs[0]
        if name not in self.outputs:
            raise ValueError("there is no output %r: the step writes %s" % (name, _names(self.outputs)))
        return name


def _encoded(value, as_json):
    """The bytes of a value, or the file that has them."""
    if not as_json:
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value), None
        if isinstance(value, str):
            return value.encode("utf-8"), None
        if isinstance(value, os.PathLike):
            return None, value
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8"), None
    except (TypeError, ValueError) as e:
        raise ValueError("%s cannot be written: return bytes, str, a path, or what JSON can say (%s)" % (type(value).__name__, e)) from e


def _folders(key):
    """The folders that stand for a key: none may lead elsewhere."""
    folders = str(key).split("/") if key else []
    for folder in folders:
        _file(folder)
    return folders


def _file(name):
    name = str(name)
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise ValueError("%r can be no name of a part, and no step of a key" % name)
    return name


def _names(names):
    return ", ".join(repr(n) for n in names) or "nothing"


# What is said to deed, and to whom.

_events = None  # an open file; None: nobody listens
_turn = threading.Lock()
_MOST = 4 << 10  # characters of one text, of up to 12 bytes each: a line to deed has at most 64 KiB
_LATEST = 1e9  # seconds: the worker has a bound of its own, and infinity is no JSON
_task = None
_handlers = {}


def current():
    """The Task that is being executed, or None."""
    return _task


def progress(fraction, message=""):
    """Says how far the task is, from 0 to 1, for people who look at it."""
    event = {"message": str(message)[:_MOST]}
    if math.isfinite(fraction):  # no JSON says anything else, and a line that is none ends a program that is kept
        event["progress"] = float(fraction)
    _say(event)


def log(*what):
    """Writes a line to the log of the attempt, as print does to standard output."""
    text = " ".join(str(w) for w in what)
    for start in range(0, max(len(text), 1), _MOST):
        _say({"log": text[start : start + _MOST]})


def _say(event):
    if _task is not None and _task.told.get("id"):
        event["id"] = _task.told["id"]
    if _events is None:
        if event.get("log") is not None:
            print(event["log"], file=sys.stderr)
        return
    left = (json.dumps(event) + "\n").encode("ascii")
    with _turn, contextlib.suppress(OSError):  # the worker has gone: it ends this program
        while left:
            left = left[os.write(_events, left) :]


def handler(function=None, *, name=None):
    """Makes a function a handler, which run() finds by its name."""
    if function is None:
        return functools.partial(handler, name=name)
    _handlers[name or function.__name__] = function
    return function


def run(function=None):
    """Executes tasks: one, or with keep: true as many as come.

    Of several handlers the first argument of the program says which.
    """
    function = function or _chosen()
    _listen()
    if os.environ.get("DEED_KEEP"):
        _serve(function)
        return
    if not os.environ.get("DEED_TASK_FILE"):
        sys.exit("this program is started by deed, with a task: try a handler by hand with deed.call, or a task with `deed shell`")
    with open(os.environ["DEED_TASK_FILE"], encoding="utf-8") as f:
        told = json.load(f)
    failure = _perform(function, told)
    if failure is not None:
        _say(failure)
        sys.exit(EX_PERMANENT if failure.get("permanent") else EX_RETRY if "retryAfter" in failure else 1)


def _chosen():
    if len(sys.argv) > 1:
        if sys.argv[1] not in _handlers:
            sys.exit("there is no handler %r: the program has %s" % (sys.argv[1], _names(sorted(_handlers))))
        return _handlers[sys.argv[1]]
    if len(_handlers) != 1:
        sys.exit("the program has the handlers %s: give the name of one as its first argument" % _names(sorted(_handlers)))
    return next(iter(_handlers.values()))


def _listen():
    """Takes what belongs to deed out of the reach of programs that are started."""
    global _events
    number = os.environ.get("DEED_EVENTS")
    if number is None:
        return
    try:
        os.set_inheritable(int(number), False)
        _events = int(number)
    except (OSError, ValueError):
        pass  # tried by hand: nobody listens


def _serve(function):
    tasks = os.fdopen(os.dup(0), "r", encoding="utf-8")
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)  # a handler that reads standard input takes no task
    home = os.getcwd()
    for line in tasks:
        told = json.loads(line)
        failure = _perform(function, told)
        _flush()
        os.chdir(home)
        _say(dict(failure or {"done": True}, id=told["id"]))


def _flush():
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def _perform(function, told):
    """Executes one task, and says why it failed, or None."""
    global _task
    _surround(told)
    _task = task = Task(told)
    try:
        _write(task, function(**_arguments(function, task)))
        return None
    except Permanent as e:
        return {"failed": _text(e), "permanent": True}
    except RetryAfter as e:
        return {"failed": _text(e), "retryAfter": min(max(0.001, e.seconds), _LATEST)}
    except Exception as e:
        traceback.print_exc()
        return {"failed": "%s: %s" % (type(e).__name__, _text(e)) if str(e) else type(e).__name__}
    except SystemExit as e:
        return {"failed": "the handler called sys.exit(%r): raise an exception instead" % (e.code,)}
    finally:
        _task = None


def _text(e):
    return str(e)[:_MOST] or type(e).__name__


def _surround(told):
    """Sets what a program of its own would find in its environment."""
    with contextlib.suppress(KeyError):
        os.environ["DEED_IN"], os.environ["DEED_OUT"], os.environ["TMPDIR"] = told["in"], told["out"], told["tmp"]
    tempfile.tempdir = None
    for variable, key in (("TASK", "task"), ("PROCESS", "process"), ("ADDRESS", "address"), ("INDEX", "index"), ("KEY", "key"), ("ATTEMPT", "attempt")):
        os.environ["DEED_" + variable] = str(told.get(key, "")).replace("\0", "")


def _arguments(function, task):
    given = {"task": lambda _: task}
    for name, value in task.params.items():
        given[_identifier(name)] = lambda _, value=value: value
    for name, told in (task.told.get("inputs") or {}).items():
        given[_identifier(name)] = lambda wanted, name=name, told=told: _as(wanted, task._input(name, told))
    hints = typing.get_type_hints(function)
    arguments = {}
    for p in inspect.signature(function).parameters.values():
        if p.kind is p.VAR_KEYWORD or p.kind is p.VAR_POSITIONAL:
            continue
        if p.name in given:
            arguments[p.name] = given[p.name](hints.get(p.name))
        elif p.default is p.empty:
            raise Permanent("the handler wants %r, which is neither an input nor a parameter of the step: it has %s" % (p.name, _names(sorted(given))))
    return arguments


def _identifier(name):
    return "".join(c if c.isalnum() or c == "_" else "_" for c in name)


def _as(wanted, given):
    """What an annotation makes of an input."""
    if isinstance(given, list):
        of = typing.get_args(wanted)
        return [_as(of[0] if of else None, part) for part in given]
    one = [w for w in typing.get_args(wanted) if w is not type(None)]
    if len(one) == 1 and type(None) in typing.get_args(wanted):  # Optional: it is there
        wanted = one[0]
    if wanted in (None, Part, inspect.Parameter.empty, typing.Any):
        return given
    if wanted is bytes:
        return given.bytes()
    if wanted is str:
        return given.text()
    if wanted in (pathlib.Path, os.PathLike):
        return given.path
    return given.json()


def _write(task, result):
    if inspect.isgenerator(result):
        for name in task.outputs:  # one that is empty has no parts
            pathlib.Path(task.told["outputs"][name]).mkdir()
        for n, value in enumerate(result):
            task._write(value if isinstance(value, Out) else Out(value), True, n)
        return
    if not task.outputs:
        return
    if len(task.outputs) == 1:
        if result is None and task.outputs[0] not in task._types:
            raise ValueError("the handler returned nothing, but the step writes %s" % _names(task.outputs))
        task._write(result if isinstance(result, Out) else Out(result), False, 0)
        return
    if not isinstance(result, dict) or set(result) != set(task.outputs):
        got = _names(result) if isinstance(result, dict) else type(result).__name__
        raise ValueError("the step writes %s: return a dict of these, or yield parts; it is %s" % (_names(task.outputs), got))
    for name, value in result.items():
        task._write(Out(value, output=name), False, 0)


# Trying a handler without a worker.


class Written:
    """A part that a handler wrote, as call returns it."""

    def __init__(self, key, name, data):
        self.key, self.name, self.data = key, name, data

    def __repr__(self):
        return "Written(key=%r, name=%r, data=%r)" % (self.key, self.name, self.data)

    @property
    def text(self):
        return self.data.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.data)


def call(function, inputs=None, params=None, outputs=("out",), types=None, key="", name="", attempt=1):
    """Executes a handler as a worker would, in a directory that goes afterwards.

    inputs has for each name the content of a file (bytes, str, or anything else as
    JSON), or a list of them; in a list (key, name, content) gives a part a key and a
    name. It returns for each output the list of the parts that were written, and
    raises what the handler raises.
    """
    global _task
    before, cwd, outer = dict(os.environ), os.getcwd(), _task
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for made in ("in", "out", "tmp"):
            (root / made).mkdir()
        told = {
            "task": "test/step[0]", "process": "test", "address": "step", "generation": 0, "index": 0, "attempt": attempt,
            "key": key, "name": name, "params": params or {}, "inputs": {}, "json": types or {},
            "outputs": {o: str(root / "out" / o) for o in outputs},
            "in": str(root / "in"), "out": str(root / "out"), "tmp": str(root / "tmp"),
        }
        for local, content in (inputs or {}).items():
            told["inputs"][local] = _lay(root / "in" / local, content)
        try:
            _surround(told)
            _task = task = Task(told)
            _write(task, function(**_arguments(function, task)))
            return {o: _written(root / "out" / o, key, name) for o in outputs}
        finally:
            _task = outer
            os.chdir(cwd)
            os.environ.clear()
            os.environ.update(before)
            tempfile.tempdir = None


def _lay(path, content):
    if not isinstance(content, (list, tuple)):
        path.write_bytes(_encoded(content, False)[0])
        return {"path": str(path), "kind": "file"}
    path.mkdir()
    for n, part in enumerate(content):
        key, name, data = part if isinstance(part, tuple) else ("", "%05d" % n, part)
        at = path.joinpath(*_folders(key))
        at.mkdir(parents=True, exist_ok=True)
        (at / _file(name)).write_bytes(_encoded(data, False)[0])
    return {"path": str(path), "kind": "directory"}


def _written(path, key, name):
    if path.is_file():
        return [Written(key, name, path.read_bytes())]
    files = sorted((f for f in path.rglob("*") if f.is_file()), key=lambda f: f.relative_to(path).as_posix())
    keys = (f.parent.relative_to(path).as_posix() for f in files)
    return [Written(key if k == "." else k, f.name, f.read_bytes()) for k, f in zip(keys, files)]
