"""Tests of deed.py as its users meet it: by call, and as a program. Run: python3 deed_test.py"""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import typing
import unittest

sys.dont_write_bytecode = True
import deed  # noqa: E402


class AHandlerIsGivenWhatItAsksFor(unittest.TestCase):
    def read(self, annotation, content, **more):
        got = []

        def h(x):
            got.append(x)
            return ""

        if annotation is not None:
            h.__annotations__["x"] = annotation
        deed.call(h, {"x": content}, **more)
        return got[0]

    def test_the_content_by_annotation(self):
        self.assertEqual(self.read(bytes, b"\xff"), b"\xff")
        self.assertEqual(self.read(str, "né"), "né")
        self.assertEqual(self.read(dict, {"a": 1}), {"a": 1})
        self.assertEqual(self.read(deed.JSON, b"[1]"), [1])
        self.assertEqual(self.read(pathlib.Path, b"x").name, "x")
        self.assertEqual(self.read(typing.Optional[str], "not JSON"), "not JSON")
        self.assertEqual(self.read(typing.Optional[dict], {"a": 1}), {"a": 1})

    def test_a_part_knows_its_key_and_name(self):
        part = self.read(None, b"x", key="k", name="n")
        self.assertEqual((part.key, part.name), ("k", "n"))

    def test_a_list_comes_in_the_order_of_its_paths(self):
        parts = self.read(None, [("b", "1", b"x"), ("a", "2", b"y"), ("", "z", b"z")])
        self.assertEqual([(p.key, p.name) for p in parts], [("a", "2"), ("b", "1"), ("", "z")])
        self.assertEqual(self.read(list[str], ["x", "y"]), ["x", "y"])
        self.assertEqual(self.read(list[dict], [{"a": 1}]), [{"a": 1}])
        self.assertEqual(self.read(None, []), [])

    def test_parameters_and_defaults(self):
        def h(task, top_n, mark="!"):
            return "%s%s %s" % (top_n, mark, task.id)

        self.assertEqual(deed.call(h, params={"top-n": 3})["out"][0].text, "3! test/step[0]")

    def test_what_is_not_there_is_named(self):
        def h(txt):
            return txt

        with self.assertRaisesRegex(deed.Permanent, "the handler wants 'txt', which is neither an input nor a parameter of the step: it has 'task', 'text'"):
            deed.call(h, {"text": b""})

    def test_input_that_is_no_json_is_permanent(self):
        def h(x: dict):
            return x

        with self.assertRaisesRegex(deed.Permanent, "n is not JSON"):
            deed.call(h, {"x": b"{"}, name="n")


class WhatAHandlerWrites(unittest.TestCase):
    def write(self, h, **more):
        return deed.call(h, **more)["out"]

    def test_one_part_by_return(self):
        for value, data in ((b"\xff", b"\xff"), ("é", "é".encode()), ({"é": 1}, '{"é": 1}'.encode()), (None, b"null")):
            self.assertEqual(self.write(lambda value=value: value, types={"out": "object"} if value is None else None)[0].data, data)

    def test_a_text_of_a_declared_type_is_json(self):
        self.assertEqual(self.write(lambda: "x", types={"out": "string"})[0].data, b'"x"')

    def test_a_file_by_its_path(self):
        def h(task):
            (task.tmp / "made").write_text("data")
            return task.tmp / "made"

        self.assertEqual(self.write(h)[0].text, "data")

    def test_many_parts_by_yield(self):
        def h():
            yield "a"
            yield deed.Out("b", key="k/l", name="n")

        self.assertEqual([(p.key, p.name, p.text) for p in self.write(h, key="mine")], [("mine", "000000", "a"), ("k/l", "n", "b")])

    def test_no_parts_by_a_generator_that_yields_nothing(self):
        def h():
            yield from ()

        self.assertEqual(self.write(h), [])

    def test_several_outputs(self):
        both = deed.call(lambda: {"a": "1", "b": "2"}, outputs=("a", "b"))
        self.assertEqual((both["a"][0].text, both["b"][0].text), ("1", "2"))

        def h():
            yield deed.Out("1", output="a")

        self.assertEqual(len(deed.call(h, outputs=("a", "b"))["a"]), 1)

    def test_silence_and_what_cannot_be_written_are_errors(self):
        for h, outputs, says in (
            (lambda: None, ("out",), "the handler returned nothing, but the step writes 'out'"),
            (lambda: {1, 2}, ("out",), "set cannot be written"),
            (lambda: float("nan"), ("out",), "float cannot be written"),
            (lambda: {"a": 1}, ("a", "b"), "the step writes 'a', 'b': return a dict of these, or yield parts; it is 'a'"),
            (lambda: deed.Out("x", output="b"), ("a",), "there is no output 'b': the step writes 'a'"),
        ):
            with self.assertRaisesRegex(ValueError, says):
                deed.call(h, outputs=outputs)

    def test_no_name_and_no_key_leads_out_of_the_output(self):
        for key, name in ((None, ".."), (None, "a/b"), (None, "a\0b"), (None, ""), ("../x", "n"), ("/etc", "n"), ("a//b", "n"), ("a/\0", "n")):

            def h(key=key, name=name):
                yield deed.Out("x", key=key, name=name)

            with self.assertRaisesRegex(ValueError, "can be no name of a part"):
                deed.call(h)

    def test_two_parts_of_one_name_are_refused(self):
        def h():
            yield deed.Out("x", name="n")
            yield deed.Out("y", name="n")

        with self.assertRaisesRegex(ValueError, "two parts of output 'out' would both be 'n'"):
            deed.call(h)

    def test_call_leaves_nothing_behind(self):
        before = dict(os.environ), os.getcwd()

        def h(task):
            os.chdir(task.tmp)
            return os.environ["DEED_TASK"]

        self.assertEqual(self.write(h)[0].text, "test/step[0]")
        self.assertEqual((dict(os.environ), os.getcwd()), before)
        self.assertIsNone(deed.current())


class AsAProgram(unittest.TestCase):
    """A worker is imitated: task file or lines, and the pipe of events."""

    program = """
import os, sys, deed
@deed.handler
def upper(text: str, task):
    print("printed")
    deed.progress(0.5, "half")
    deed.log("logged", task.index)
    if text == "permanent": raise deed.Permanent("bad")
    if text == "later": raise deed.RetryAfter(1.5, "busy")
    if text == "error": raise ValueError("no")
    if text == "exit": sys.exit(3)
    if text == "stdin": return sys.stdin.read() + "nothing"
    if text == "endless":
        for fraction in (float("inf"), float("-inf"), float("nan")): deed.progress(fraction, "endless")
        raise deed.RetryAfter(float("inf"), "busy")
    if text == "long": raise ValueError("x" * 1000000)
    if text == "wide":
        deed.log(chr(0x1f600) * 9000)
        raise deed.Permanent(chr(0x1f600) * 9000)
    return text.upper()
@deed.handler(name="other")
def never(): pass
if __name__ == "__main__": deed.run()
"""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.root = pathlib.Path(holder.name)
        (self.root / "program.py").write_text(self.program)
        (self.root / "deed.py").write_bytes(pathlib.Path(deed.__file__).read_bytes())

    def told(self, text, n=0):
        dir = self.root / str(n)
        for d in ("in", "out", "tmp"):
            (dir / d).mkdir(parents=True)
        (dir / "in" / "text").write_text(text)
        return {
            "id": "id%d" % n, "task": "p/s[%d]" % n, "process": "p", "address": "s", "index": n, "attempt": 1, "key": "", "name": "", "params": {},
            "inputs": {"text": {"path": str(dir / "in" / "text"), "kind": "file"}}, "outputs": {"out": str(dir / "out" / "out")},
            "in": str(dir / "in"), "out": str(dir / "out"), "tmp": str(dir / "tmp"),
        }

    def start(self, stdin, handler="upper", **env):
        with tempfile.TemporaryFile("w+") as said:  # nobody reads while it runs, so a pipe would be full some time
            w = said.fileno()
            done = subprocess.run(
                ["sh", "-c", 'exec "$0" -B program.py "$1" 3>&%d' % w, sys.executable, handler], input=stdin, capture_output=True, text=True, cwd=self.root,
                env={**os.environ, "DEED_EVENTS": "3", **env}, pass_fds=[w], timeout=60,
            )
            said.seek(0)
            return done, [json.loads(line) for line in said]

    def once(self, text):
        told = self.told(text)
        (self.root / "task.json").write_text(json.dumps(told))
        done, events = self.start("", DEED_TASK_FILE=str(self.root / "task.json"))
        return done, events, told

    def test_once(self):
        done, events, told = self.once("hello")
        self.assertEqual((done.returncode, done.stdout), (0, "printed\n"), done.stderr)
        self.assertEqual(pathlib.Path(told["outputs"]["out"]).read_text(), "HELLO")
        self.assertEqual(events, [{"message": "half", "progress": 0.5, "id": "id0"}, {"log": "logged 0", "id": "id0"}])

    def test_once_and_failed(self):
        for text, code, says in (
            ("permanent", 65, {"failed": "bad", "permanent": True}),
            ("later", 75, {"failed": "busy", "retryAfter": 1.5}),
            ("error", 1, {"failed": "ValueError: no"}),
            ("exit", 1, {"failed": "the handler called sys.exit(3): raise an exception instead"}),
        ):
            self.setUp()
            done, events, _ = self.once(text)
            self.assertEqual((done.returncode, events[-1]), (code, says))

    def test_kept(self):
        texts = ["a", "permanent", "error", "exit", "stdin", "long", "wide", "b", "endless"]
        told = [self.told(text, n) for n, text in enumerate(texts)]
        done, events = self.start("".join(json.dumps(t) + "\n" for t in told), DEED_KEEP="1")
        self.assertEqual(done.returncode, 0, done.stderr)
        answers = [e for e in events if "done" in e or "failed" in e]
        self.assertEqual([e["id"] for e in answers], [t["id"] for t in told])
        self.assertEqual(["done" in e for e in answers], [True, False, False, False, True, False, False, True, False])
        self.assertFalse([e for e in events if not math.isfinite(e.get("progress", 0) + e.get("retryAfter", 0))], "what is no JSON anywhere else")
        self.assertLess(max(len(json.dumps(e)) for e in events), 64 << 10, "no line is longer than deed reads")
        self.assertTrue(answers[6]["permanent"])
        self.assertEqual([pathlib.Path(told[n]["outputs"]["out"]).read_text() for n in (0, 4, 7)], ["A", "nothing", "B"])

    def test_by_hand_it_says_who_starts_it(self):
        done, _ = self.start("")
        self.assertEqual(done.returncode, 1)
        self.assertIn("this program is started by deed", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_an_unknown_handler_is_named(self):
        done, _ = self.start("", handler="uper")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no handler 'uper': the program has 'other', 'upper'", done.stderr)


if __name__ == "__main__":
    unittest.main()
