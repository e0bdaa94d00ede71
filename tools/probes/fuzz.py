"""Inputs that reach what no input reached before: atheris over the readers of text.

tests/support/fuzz_targets.py says what is fed and what must hold. The inputs to begin
with are those that were kept in tests/fuzz_corpus, one in base64 on each line; the
run's own go to .cache/probe/fuzz. `./dev probe fuzz --keep` puts those of them that
reach more code than the kept ones there, small ones first.
"""

import base64
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.operations import ROOT

CORPUS = ROOT / "tests" / "fuzz_corpus"
PLACE = ROOT / ".cache" / "probe" / "fuzz"
TARGETS = ("events", "json", "tables", "documents", "forms")
MOST_INPUT = 1 << 16  # bytes
KEPT_BYTES, KEPT_INPUT = 120_000, 2_000  # of a target's corpus; of an input in it
SECONDS = 600
HUNG = 60  # seconds after which an input never ends: the run stops there
MEMORY = 2_000  # MiB of the whole run


@dataclass
class Fuzzed:
    """What became of one target's run."""

    target: str
    executions: int = 0
    inputs: int = 0
    faults: list[str] = field(default_factory=list)  # a line for each

    def __str__(self) -> str:
        return (
            f"{self.target}: {self.executions} executions, {self.inputs} inputs that "
            f"reach code of their own, {len(self.faults)} faults"
        )


def run(
    say: Callable[[str], None],
    targets: tuple[str, ...] = TARGETS,
    seconds: int = SECONDS,
    seed: int | None = None,
) -> int:
    """Fuzz one target after the other; the exit code is 1 where something was found."""
    done = []
    for target in targets:
        done.append(_fuzzed(target, seconds, seed))
        say(str(done[-1]))
        for fault in done[-1].faults:
            say(f"  {fault}")
    return int(any(one.faults for one in done))


def keep(say: Callable[[str], None], targets: tuple[str, ...] = TARGETS) -> int:
    """Add to the kept corpus what the last runs reached beyond it, as small as may be.

    What is kept stays: some of it once showed a fault. Raises ValueError.
    """
    for target in targets:
        known = list(corpus(target))
        merged = _folder(PLACE / target / "merged", known)
        words = ["-merge=1", f"-max_len={KEPT_INPUT}", str(merged)]
        done = _atheris(target, [*words, str(_filled(target))])
        if done.returncode:
            raise ValueError(f"{target} could not be merged: {done.stderr[-1500:]}")
        found, size = list(known), sum(map(len, known))
        for data in sorted(_inputs(merged) - set(known), key=len):
            size += len(data)
            if size > KEPT_BYTES:
                break
            found.append(data)
        write_corpus(target, found)
        say(f"{target}: {len(found)} inputs are kept")
    return 0


def _folder(folder: Path, inputs: Iterable[bytes]) -> Path:
    """A folder of these inputs and no others, as libFuzzer wants them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _add(folder, inputs)
    return folder


def _add(folder: Path, inputs: Iterable[bytes]) -> None:
    for data in inputs:
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


def _inputs(folder: Path) -> set[bytes]:
    return {file.read_bytes() for file in folder.iterdir()}


def corpus(target: str) -> Iterator[bytes]:
    """The kept inputs of a target."""
    for line in (CORPUS / f"{target}.txt").read_text().splitlines():
        yield base64.b64decode(line)


def write_corpus(target: str, inputs: list[bytes]) -> None:
    lines = sorted({base64.b64encode(one).decode() for one in inputs})
    CORPUS.mkdir(exist_ok=True)
    (CORPUS / f"{target}.txt").write_text("".join(f"{line}\n" for line in lines))


def _filled(target: str) -> Path:
    """The folder of a target's inputs, those that were kept among them."""
    folder = PLACE / target / "corpus"
    folder.mkdir(parents=True, exist_ok=True)
    _add(folder, corpus(target))
    return folder


def _fuzzed(target: str, seconds: int, seed: int | None) -> Fuzzed:
    folder = _filled(target)
    shutil.rmtree(PLACE / target / "found", ignore_errors=True)
    words = [
        *(str(folder), f"-max_total_time={seconds}", f"-max_len={MOST_INPUT}"),
        *(f"-dict={_dictionary(target)}", "-print_final_stats=1"),
        *(f"-timeout={HUNG}", f"-rss_limit_mb={MEMORY}"),
        f"-artifact_prefix={PLACE / target}/",
    ]
    if seed is not None:
        words.append(f"-seed={seed}")
    done = _atheris(target, words)
    executions = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    result = Fuzzed(
        target,
        int(executions[1]) if executions else 0,
        sum(1 for _ in folder.iterdir()),
        re.findall(r"^FOUND (.+)$", done.stderr, re.MULTILINE),
    )
    if done.returncode or not executions:
        result.faults.append("ended early: " + done.stderr[-1500:])
    return result


def _atheris(target: str, words: list[str]) -> subprocess.CompletedProcess[str]:
    program = PLACE / target / "again"
    command = [sys.executable, "-m", "tests.support.fuzz_run", target]
    command += [str(PLACE / target / "found"), str(program)]
    program.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    program.chmod(0o755)
    return subprocess.run(
        [*command, *words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )


def _dictionary(target: str) -> Path:
    """A file of words that inputs of a target are made of, for the fuzzer."""
    words = WORDS[target] if target != "forms" else _members()
    # What libFuzzer reads: the bytes of each word in quotes.
    coded = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in words)
    file = PLACE / target / "words.txt"
    file.write_text("".join(f'"{word}"\n' for word in coded))
    return file


def _members() -> list[str]:
    """The names and choices of what steps take."""
    found: set[str] = set()

    def collect(schema: object) -> None:
        if isinstance(schema, dict):
            for name, value in schema.items():
                if name == "properties":
                    found.update(f'"{member}":' for member in value)
                if name == "enum":
                    found.update(json.dumps(one) for one in value)
                collect(value)
        elif isinstance(schema, list):
            for one in schema:
                collect(one)

    for file in sorted((ROOT / "schemas").glob("*/*.json")):
        collect(json.loads(file.read_text()))
    found.update(('"label":', '"Set"', '"Default"', '"file":', '"value":', '"rows":'))
    return sorted(word for word in found if len(word) < 40 and word.isascii())


WORDS = {
    "events": [
        *("data: ", "event: error\n", "[DONE]", "\n\n", "\r\n", "\r", ": ping"),
        *('{"choices":[{"index":0,"delta":{"content":"a"}}]}', '"finish_reason":'),
        *('"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{"}}]'),
        *('"error":{"message":"m"}', '"usage":{"prompt_tokens":1}', '"reasoning":'),
        *('"logprobs":', '"text":', '"b64":"AAAA"', '"token":{"text":"a"}', "null"),
    ],
    "json": [
        *("NaN", "-Infinity", "1e999", "\\u0000", "\\ud83d", "\\ude00", "[[[[[[[["),
        *('{"a":{"a":{"a":', "9007199254740993", "1.5e-7", "true", "null", '""'),
    ],
    "tables": [
        *("sep=;\n", '"', '""', ",", ";", "\t", "\r\n", "\r", '{"text":"a"}\n', "[{"),
        *('{"rows":[', "NaN", "<row>", '<c r="A1" t="s">', "<v>1</v>", "</c>"),
        *('<c t="inlineStr"><is><t>a</t></is></c>', '<si><t xml:space="preserve">a'),
        *('<numFmt numFmtId="164" formatCode="yyyy-mm-dd"/>', '<xf numFmtId="14"/>'),
        *("<cellXfs>", "<rPh>", "_x000D_", "\x00", 's="1"', 't="b"', 'state="hidden"'),
    ],
    "documents": [
        *("<html>", "<script>", "</script>", "<!--", "-->", "<p>", "</p>", "<pre>"),
        *("&amp;", "&#x41;", "&nbsp", "<![CDATA[", "<table><tr><td>", "<br/>"),
        *("<w:p>", "</w:p>", "<w:r><w:t>", "</w:t></w:r>", "<w:del>", "<w:delText>"),
        *("<mc:AlternateContent>", "<mc:Fallback>", "<w:txbxContent>", "<w:tab/>"),
        *('<w:footnoteReference w:id="1"/>', '<w:footnote w:id="1">', "<w:instrText>"),
        *("<w:tbl><w:tr><w:tc>", "<w:document><w:body>", "\x00", "# ", "```", ". "),
    ],
}
