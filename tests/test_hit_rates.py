"""How often the passage that answers a question is among the first, by its words alone.

The questions are of our own making, since no package that could be found ships a set of
questions with its passages (those known download theirs). They ask what newcomers ask,
in words of their own, of this repository's pages; the answer is a section. So the rates
say how the ranking does on a manual in English, and no more.
"""

import re

import pytest

from scripts.embeddings.rank_passages import main as rank_passages
from scripts.embeddings.split_documents import main as split_documents
from tools.operations import ROOT

AUTH = {"api_key": "tgp_none"}
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


def hit_rates(tops, size=1200):
    """The share of the questions whose section is among so many passages."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    # Rendered, or history; the FAQ answers the same once more, elsewhere.
    left_out = ("CHANGELOG.md", "OPERATIONS.md", "FLOWS.md", "faq.md")
    documents = [
        {"text": page.read_text(encoding="utf-8"), "filename": page.name}
        for page in sorted(pages)
        if page.name not in left_out
    ]
    passages = split_documents(AUTH, documents, size=size, overlap=0)["passages"]
    hits, asked = dict.fromkeys(tops, 0), 0
    for question, (source, heading) in QUESTIONS.items():
        text = next(one["text"] for one in documents if one["filename"] == source)
        section = section_of(text.strip(), heading)
        if section is None:
            continue  # a page has changed
        asked += 1
        found = rank_passages(AUTH, question, passages, top=max(tops))["passages"]
        told = [one["source"] == source and is_of(one, *section) for one in found]
        for top in tops:
            hits[top] += any(told[:top])
    assert asked >= 20, "too many sections have another name now: see to QUESTIONS"
    return {top: round(count / asked, 2) for top, count in hits.items()}


def section_of(text, heading):
    """Where a section's own text begins and ends, or None."""
    begins = re.search(rf"^##+ {re.escape(heading)}$", text, re.MULTILINE)
    if begins:
        ends = re.compile("^##+ ", re.MULTILINE).search(text, begins.end())
        return begins.end(), ends.start() if ends else len(text)
    return None


def is_of(passage, begins, ends):
    """Whether a passage has something of a section: a line or two, or half of it."""
    start = passage["start"]
    common = min(ends, start + len(passage["text"])) - max(begins, start)
    return common >= min(150, (ends - begins) / 2)


@pytest.mark.parametrize("size", [500, 1200])
def test_the_section_that_answers_is_among_the_first_by_its_words(size):
    rates = hit_rates((1, 5, 10), size)
    print(f"passages of {size} characters: {rates}")

    assert rates[10] >= 0.4, rates  # by chance about 0.1
    assert rates[1] <= rates[5] <= rates[10]
