"""How often the passage that answers a question is among the first found.

The questions are of our own making, since no package that could be found ships a set of
questions with its passages (those known download theirs). They ask what newcomers ask,
in words of their own, of this repository's pages; the answer is a section. So the rates
say how a ranking does on a manual in English, and no more.

`./dev bench --workload hits` measures the words beside embeddings: wordllama, whose
vectors are those of single tokens (static: no word knows its neighbours), averaged. It
is none of Together's models, which serves no such model; it has its own environment,
made for the run, and is on no worker.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from scripts.embeddings.rank_passages import main as rank_passages
from scripts.embeddings.split_documents import main as split_documents
from tools.bench.record import Row
from tools.operations import ROOT

AUTH = {"api_key": "tgp_none"}
LOCK = ROOT / "requirements-embeddings.lock"
SIZES = (500, 1200)  # of passages
TOPS = (1, 5, 10)
QUESTIONS = {
    "How do I get rid of the whole thing again?": ("deploy.md", "To remove the pack"),
    "Can I install just the chat scripts?": ("deploy.md", "A part"),
    "Do upgrades overwrite my timetable settings?": ("deploy.md", "Schedules"),
    "How do I update to the newest release?": ("deploy.md", "A later version"),
    "Will a push delete scripts I wrote myself?": (
        "deploy.md",
        "Nothing of yours is deleted",
    ),
    "Can it live under a different path in the workspace?": (
        "deploy.md",
        "Another folder",
    ),
    "Our company uses a TLS inspection certificate, how do we trust it?": (
        "network.md",
        "An own certificate authority",
    ),
    "Which domains must the firewall let through?": (
        "network.md",
        "Hosts that a worker must reach",
    ),
    "How do I send traffic through a corporate proxy?": ("network.md", "A proxy"),
    "Our machines cannot download Python packages from the internet": (
        "network.md",
        "Without PyPI",
    ),
    "How does each team get its own budget and key?": (
        "access.md",
        "A key for each team",
    ),
    "Who is able to read my API key in the workspace?": (
        "access.md",
        "What the key can see",
    ),
    "Stop interns from running expensive scripts": (
        "access.md",
        "Keep costly steps from some",
    ),
    "Where do I report a vulnerability?": ("SECURITY.md", "How to report"),
    "Is the key ever written to logs?": ("SECURITY.md", "What is promised"),
    "Where is a generated picture stored?": (
        "use.md",
        "Pictures, sound, files: where bytes go",
    ),
    "In which formats can I hand a file to a step?": ("use.md", "Files as arguments"),
    "Why did my large integer come back as a string?": (
        "use.md",
        "Long numbers and long lists",
    ),
    "How do I use a model that is not in the dropdown?": ("use.md", "Models"),
    "Which column do results go into?": ("use.md", "Tables"),
    "What if prompt text contains $var: words?": (
        "use.md",
        "Text of others never becomes a secret",
    ),
    "How do I let Claude use these tools?": (
        "agents.md",
        "Through MCP: Claude, Cursor, a script",
    ),
    "How do I write a new operation schema?": ("CONTRIBUTING.md", "Add an operation"),
    "How do I make my own flow for the pack?": ("CONTRIBUTING.md", "Add a flow"),
    "How are the tests run?": ("CONTRIBUTING.md", "Tests"),
    "How do I try it against a real Windmill?": (
        "CONTRIBUTING.md",
        "On a real server",
    ),
}
DRIVER = """
import json, sys
from pathlib import Path
import numpy, wordllama
folder = Path(wordllama.__file__).parent  # its package holds what it would download
model = wordllama.WordLlama.load(cache_dir=folder, disable_download=True)
asked = json.load(sys.stdin)
passages = model.embed(asked["passages"], norm=True)
questions = model.embed(asked["questions"], norm=True)
order = numpy.argsort(-(questions @ passages.T), axis=1, kind="stable")
print(json.dumps(order.tolist()))
"""

# Passages and questions in, for each question the passages' numbers out, best first.
Rank = Callable[[list[dict], list[str]], list[list[int]]]


def by_words(passages: list[dict], questions: list[str]) -> list[list[int]]:
    """Rank by the words, as rank_passages does."""
    rows = [{"text": one["text"], "number": n} for n, one in enumerate(passages)]
    found = [rank_passages(AUTH, asked, rows, top=max(TOPS)) for asked in questions]
    return [[one["number"] for one in ranked["passages"]] for ranked in found]


def hit_rates(rank: Rank, size: int) -> dict[int, float]:
    """The share of the questions whose section is among so many passages of a size."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    # Rendered, or history; the FAQ answers the same once more, elsewhere.
    left_out = ("CHANGELOG.md", "OPERATIONS.md", "FLOWS.md", "faq.md")
    documents = {
        page.name: page.read_text(encoding="utf-8").strip()
        for page in sorted(pages)
        if page.name not in left_out
    }
    sections = {
        question: (source, *section)
        for question, (source, heading) in QUESTIONS.items()
        if (section := section_of(documents[source], heading))  # else a page changed
    }
    given = [{"text": text, "filename": name} for name, text in documents.items()]
    passages = split_documents(AUTH, given, size=size, overlap=0)["passages"]
    hits = dict.fromkeys(TOPS, 0)
    ranked = rank(passages, list(sections))
    for (source, *section), order in zip(sections.values(), ranked, strict=True):
        found = [passages[number] for number in order[: max(TOPS)]]
        told = [one["source"] == source and is_of(one, *section) for one in found]
        for top in TOPS:
            hits[top] += any(told[:top])
    if len(sections) < 20:
        raise ValueError("too many sections have another name now: see to QUESTIONS")
    return {top: round(count / len(sections), 2) for top, count in hits.items()}


def section_of(text: str, heading: str) -> tuple[int, int] | None:
    """Where a section's own text begins and ends, or None."""
    begins = re.search(rf"^##+ {re.escape(heading)}$", text, re.MULTILINE)
    if begins:
        ends = re.compile("^##+ ", re.MULTILINE).search(text, begins.end())
        return begins.end(), ends.start() if ends else len(text)
    return None


def is_of(passage: dict, begins: int, ends: int) -> bool:
    """Whether a passage has something of a section: a line or two, or half of it."""
    start = passage["start"]
    common = min(ends, start + len(passage["text"])) - max(begins, start)
    return common >= min(150, (ends - begins) / 2)


def hits(rounds: int) -> list[Row]:
    """Shares of the questions, by words and by static embeddings."""
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "bin/python"
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        words = ["-m", "pip", "install", "-q", "--require-hashes", "-r", str(LOCK)]
        subprocess.run([python, *words], check=True)

        def by_embeddings(
            passages: list[dict], questions: list[str]
        ) -> list[list[int]]:
            asked = {"passages": [one["text"] for one in passages]}
            done = subprocess.run(
                [python, "-c", DRIVER],
                input=json.dumps({**asked, "questions": questions}),
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            return json.loads(done.stdout)

        for size in SIZES:
            for name, rank in (
                ("ours", by_words),
                ("static embeddings", by_embeddings),
            ):
                for top, share in hit_rates(rank, size).items():
                    workload = f"hits, of {size} characters, first {top}"
                    measured.append(Row(workload, name, share=share))
    return measured
