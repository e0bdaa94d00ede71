"""The workload of passages: an index of 10,000, and a question to it, without a model.

The texts are made up of words as frequent as those of a language are (the n-th one is
n times as rare as the first), in 200 documents of 50 passages of 1,200 characters; of
Chinese signs the same, in words of two. A question has 15 words, the five most frequent
among them; "short" has 7, and two of those. Each round is a process of its own.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.bench import bench
from tools.bench.record import Row
from tools.local.job_runner import prepare

SCRIPTS = {
    "Latin letters": (26, 97, " ", 4, 9),
    "Chinese signs": (3000, 0x4E00, "", 2, 2),
}
DRIVER = """
import itertools, json, random, sys, time
sys.path.insert(0, ".")
from f.togetherai.documents import WordIndex, read_index
signs, first, blank, least, most = json.loads(sys.argv[1])
random.seed(1)
def word():
    size = random.randint(least, most)
    return "".join(chr(first + random.randrange(signs)) for _ in range(size))
words = [word() for _ in range(40_000)]
often = list(itertools.accumulate(1 / n for n in range(1, len(words) + 1)))
def passage():
    return blank.join(random.choices(words, cum_weights=often, k=600))[:1200]
documents = [[passage() for _ in range(50)] for _ in range(200)]
questions = [words[:5] + words[500:510], words[:2] + words[500:505]]
def line(text):
    return json.dumps({"start": 0, "text": text}, ensure_ascii=False) + "\\n"
started, cpu = time.perf_counter(), time.process_time()
index = WordIndex()
for number, texts in enumerate(documents):
    head = {"key": str(number), "source": str(number), "digest": ""}
    index.add(head, texts, "".join(map(line, texts)).encode())
content = index.written()
measured = [[time.perf_counter() - started, time.process_time() - cpu]]
for question in map(blank.join, questions):
    started, cpu = time.perf_counter(), time.process_time()
    index = read_index(content)
    found = [index.passage(number) for _, number in index.best(question, 12)]
    assert len(found) == 12
    measured.append([time.perf_counter() - started, time.process_time() - cpu])
print(json.dumps(measured))
"""


def words(rounds: int) -> list[Row]:
    """Medians of the seconds for the index, and for a question to its file."""
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder)
        prepare(job, "embeddings/rank_passages", {})
        (job / "driver.py").write_text(DRIVER)
        for name, given in SCRIPTS.items():
            found = []
            for _ in range(rounds):
                done = subprocess.run(
                    [sys.executable, "-u", "driver.py", json.dumps(given)],
                    cwd=job,
                    capture_output=True,
                    text=True,
                )
                if done.returncode:
                    raise OSError(f"{name} failed: {done.stderr[-2000:]}")
                found.append(json.loads(done.stdout))
            for place, what in enumerate(("index", "question", "short question")):
                seconds, cpu = (
                    bench.median([one[place] for one in found], n) for n in (0, 1)
                )
                measured.append(Row(f"{what}, {name}", "ours", seconds, None, cpu))
    return measured
