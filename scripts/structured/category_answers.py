"""Reads which categories a model's answer names, and where in it.

Models are asked for a code, such as A, and nothing else; they add marks, quotes and
whole sentences, write the name of the category, or judge each of them. What may be
meant in two ways is read as no answer: to ask again costs little.
"""

from __future__ import annotations

import re
from bisect import bisect_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    Mention: TypeAlias = tuple[int, int, str]
    """Where a category is named, from and to, and its code."""


NONE = "NONE"  # the code for no category, where several may fit
MARKS = "*_`\"'()[]{}.!:- \n"  # that models put around an answer
AROUND = 80  # characters that a short answer has beside a name
WRAPPERS = 4  # around a short answer
MASK = "\0"  # stands for each letter of a name, so that what is around it can be read
# What models call what they name.
CALLED = "(final |correct |best )?(answer|category|label|class|letter|number|option)"
BEFORE = re.compile(rf"(?i)</?\w{{1,20}}>|\\boxed|\\text|(the )?{CALLED}\b\W*(is\b)?")
BEHIND = re.compile(r"</?\w{1,20}>$|\(([^()]{0,40})$")  # its end is one of MARKS
CODE_AND_NAME = re.compile(r"(\w+)\W+(.+)", re.DOTALL)
CODE = r"(?:[A-Z]|C*[0-9]+)\b"
ONE_CODE = re.compile(CODE)
# The codes that a sentence says are its answer: "the answer is B", "category: A or B". An
# "I" or an "A" that goes on is a word: "my answer: I cannot tell".
TOLD_CODE = rf"(?![AI]\s+(?!or\b|and\b|because\b|since\b)\w){CODE}"
TOLD = re.compile(
    r"(?i:answer|category|letter|number)\W+(?:is\W+)?"
    rf"({TOLD_CODE}(?:\W{{1,3}}(?:(?:or|and)\W{{1,3}})?{TOLD_CODE})*)"
)
CODE_IN_TEXT = re.compile(rf"(?<!\w){TOLD_CODE}")
CONCLUDES = re.compile(r"(?i)\banswer\b\W{0,9}(?:is\b)?")
LISTED = re.compile(r"[^,;\n]+")
AND = re.compile(r"(?<=\s)and(?=\s)")
ITEM = re.compile(r"(?:[^\n,;|.]|\.(?!\s))+")
# "A: ...", "B) ...", "- **delivery**: ...", "C (...)"; a dash needs blanks, and "e.g."
# is no E.
LABEL = re.compile(
    rf"[\s>#*_`\"'(\[\u2022-]{{0,12}}({MASK}+|[a-z]|c*[0-9]+)[*_`\"'\])]{{0,6}}"
    r"(?:(?<=[)\]])|\s?[:=]|\.(?!\w)|\s{0,3}(\(|(?<=\s)[-\u2013\u2014]\s))"
)
STRAY = re.compile(rf"(?<!\w){CODE}\s?[:=)]")  # a label that begins no item
VERDICT = re.compile(r"(?:(yes|true)|(no|false)(?![ \t]+\w))\b")
CLAUSE_END = re.compile(
    r"[.!?;,:\n]+[\s>*_\u2022-]*|\s[-\u2013\u2014]+\s|"
    r"(?=\b(?:because|since|although|though|rather than|instead of)\b)"
)
# In the languages that instructions are likely to be in: a word too many costs another
# question, one too few gives a wrong category.
DENIES = re.compile(
    r"\b(?:(?:no|without)\b(?!\s(?:an?y?\s)?doubt\b)|not|non|none|nothing|never|neither|"
    r"nor|cannot|(?:is|was|are|were|does|do|did|ca|could|wo|would|should|has|have|had)"
    r"n['\u2019]?t|hardly|barely|unlikely|except|excluding|excludes|lacks|"
    r"(?:is|are|was|were|be) (?:wrong|incorrect|false)|"
    r"(?:anything|everything|all) but|far from|rather than|instead of|"
    r"nicht|kein\w{0,2}|nie|weder|ohne|ne|pas|jamais|aucune?|sans|nunca|sin|niet|geen)\b"
)
# What is denied behind one of these is not what is named before: "the delivery that did
# not come".
RELATES = re.compile(r"\b(?:that|which|who|whose|where|when|if|as)\b")
NOT_ONLY = re.compile(r"\b(?:not (?:only|just|merely|solely|simply)|nicht nur)\b")
LONE_NO = ("no", "not", "nope", "never", "false", "wrong", "nein", "non")
# "No way" and "not sure" name no category, and "no, ..." one called no.
DENYING_NAMES = ("no", "not", "none", "never", "non")
GOES_ON = re.compile(r"[ \t]+\w")
CONNECTS = re.compile(rf"(?:{MASK}|\b(?:and|or|nor|und|oder)\b|[^\w{MASK}])+")


def codes_of(mentions: list[Mention]) -> list[str]:
    """Return the codes of mentions, each once."""
    return list(dict.fromkeys(code for _, _, code in mentions if code != NONE))


def names_of(coded: dict[str, str]) -> dict[str, str]:
    """Return {name in small letters, without marks around it: code}."""
    return {name.strip(MARKS).casefold() or name: code for code, name in coded.items()}


def last_place(text: str, word: str) -> tuple[int, int] | None:
    """Return where a word of an answer stands last in a text, from and to, or None."""
    pattern = rf"(?<!\w){re.escape(word)}(?!\w)"
    place = None
    for found in re.finditer(pattern, text):
        place = found.span()
    return place


class CategoryAnswer:
    """What a model answered, read by {code: name of a category}."""

    def __init__(self, text: str, coded: dict[str, str]) -> None:
        self.text, self.coded = text, coded
        self.names = names_of(coded)
        self.most = AROUND + max(map(len, coded.values()))
        self.named: list[Mention] = []  # by name, in the order of the text
        self.masked = ""  # the text in small letters, without those names

    def mentions(self, multiple: bool) -> list[Mention] | None:
        """Return where the categories that fit are named, one, or with `multiple` all;
        None when it is no answer. The code NONE says that none fits."""
        begin, end = self._bare(0, len(self.text))
        short = self._short(begin, end)
        if short:
            return [short]
        mentions = self._concluded(multiple)
        if not mentions and multiple:
            mentions = self._none(begin, end) or self._listed(begin, end)
        if not mentions:
            self._mask()
            labels = self._labels(begin, end)
            if labels:
                return self._judged(labels, end, multiple)
            mentions = self._in_prose()
            if mentions is not None and not multiple:
                mentions = self._head() + mentions
        if not mentions or (not multiple and len(codes_of(mentions)) > 1):
            return None
        return mentions

    # Short answers: a code, a name, or a list of them.

    def _bare(self, begin: int, end: int) -> tuple[int, int]:
        """Return where a part of the text begins and ends without marks around it."""
        part = self.text[begin:end].rstrip(MARKS)
        end = begin + len(part)
        return end - len(part.lstrip(MARKS)), end

    def _short(self, begin: int, end: int) -> Mention | None:
        """Return what a part is: "A", "a)", "A: Spam", "spam", "Answer: A", "Option A",
        "<answer>A</answer>", "\\boxed{A}", "A (95 %)"; None for anything else."""
        begin, end = self._bare(begin, end)
        if end - begin > self.most:
            return None
        beside = ""  # what stands in brackets behind it
        for tries in range(WRAPPERS + 1):
            core = self.text[begin:end]
            code = self.names.get(core.casefold())
            if not code and core.upper() in self.coded:
                # Behind other words, an "a" is a word.
                code = core.upper() if not tries or core == core.upper() else None
            place = begin, end
            pair = CODE_AND_NAME.fullmatch(core)
            if not code and pair and pair[1].upper() in self.coded:
                code = self.names.get(pair[2].strip(MARKS).casefold())
                code = code if code == pair[1].upper() else None
                place = begin, begin + len(pair[1])
            if code:
                return None if self._contradicts(beside, code) else (*place, code)
            before = BEFORE.match(self.text, begin, end)
            behind = BEHIND.search(self.text, begin, end)
            if before:
                begin = before.end()
            elif behind:
                end, beside = behind.start(), (behind[1] or "").strip(MARKS).casefold()
            else:
                return None
            begin, end = self._bare(begin, end)
        return None

    def _contradicts(self, beside: str, code: str) -> bool:
        """Say whether what stands in brackets denies a category, or is another one."""
        name = self.coded[code].casefold()
        denied = DENIES.search(beside) is not None and name in beside
        return denied or beside in LONE_NO or self.names.get(beside, code) != code

    def _listed(self, begin: int, end: int) -> list[Mention] | None:
        """Return what a list names, None where a part of it is none of the short
        answers."""
        mentions = []
        for part in LISTED.finditer(self.text, begin, end):
            whole = self._short(*part.span())
            if whole:  # a name may hold an "and"
                mentions.append(whole)
                continue
            place = part.start()
            ands = [found.span() for found in AND.finditer(self.text, *part.span())]
            for stop, after in [*ands, (part.end(), part.end())]:
                if self.text[place:stop].strip():
                    mention = self._short(place, stop)
                    if not mention:
                        return None
                    mentions.append(mention)
                place = after
        return mentions

    def _none(self, begin: int, end: int) -> list[Mention]:
        """Return [the mention of NONE] where a part says that none fits, else []."""
        begin, end = self._bare(begin, end)
        said = self.text[begin:end].casefold()
        return [(begin, end, NONE)] if said in ("none", "none of them") else []

    def _concluded(self, multiple: bool) -> list[Mention] | None:
        """Return what the end of the text says is its answer: "...\\n\\nAnswer: B"."""
        places = [found.end() for found in CONCLUDES.finditer(self.text)]
        if not places:
            return None
        mentions = self._listed(places[-1], len(self.text))
        if not mentions and multiple:
            mentions = self._none(places[-1], len(self.text))
        return mentions

    # Labels: "A: yes", "B: no", "C. It is about money".

    def _labels(self, begin: int, end: int) -> list[tuple[re.Match[str], str]]:
        """Return (label, its code) of the items of a text that begins with one."""
        labels: list[tuple[re.Match[str], str]] = []
        by_place = {place: code for place, _, code in self.named}
        after = begin
        for item in ITEM.finditer(self.masked, begin, end):
            if item.start() < after:
                continue
            label = LABEL.match(self.masked, item.start(), end)
            code = None
            if label and label[1].upper() in self.coded:
                code = label[1].upper()
            elif label and label[1][0] == MASK and label[0][-1] != ".":
                code = by_place.get(label.start(1))
            if label and code:
                labels.append((label, code))
                after = label.end()
            elif not labels:
                return []
        return labels

    def _judged(
        self, labels: list[tuple[re.Match[str], str]], end: int, multiple: bool
    ) -> list[Mention] | None:
        """Return the categories that labels say fit; None where one cannot be read."""
        ends = [label.start() for label, _ in labels[1:]] + [end]
        fitting: list[Mention] = []
        denied = set()
        for (label, code), stop in zip(labels, ends, strict=True):
            verdict = self._verdict(label, code, stop)
            if verdict is None:
                return None
            fitting += verdict
            if not verdict:
                denied.add(code)
        codes = codes_of(fitting)
        if not denied.isdisjoint(codes) or (len(codes) > 1 and not multiple):
            return None
        none_fits = multiple and len(denied) == len(self.coded)
        return fitting if codes or none_fits else None

    def _verdict(
        self, label: re.Match[str], code: str, end: int
    ) -> list[Mention] | None:
        """Return [where what stands behind a label says that it fits], [] where it says
        that it does not; None where it may mean either."""
        begin, end = self._bare(label.end(), end)
        rest = self.masked[begin:end].rstrip(",;| \n")
        end = begin + len(rest)
        unclear = (
            STRAY.search(self.text, begin, end)
            or TOLD.search(self.text, begin, end)
            or "?" in rest
            or rest.upper() in self.coded
            or re.fullmatch(r"[\d.,%/ ]+", rest)
            or {*codes_of(self._affirmed(self.named, begin, end))} - {code}
        )
        if unclear:
            return None
        verdict = VERDICT.match(rest)
        if verdict:
            return [(begin, begin + verdict.end(), code)] if verdict[1] else []
        mention = (*label.span(1), code)
        if set(rest) <= {MASK}:  # nothing, or its own name
            return [mention]
        first_words = " ".join(rest.split(maxsplit=3)[:3])
        return None if label[2] or DENIES.search(first_words) else [mention]

    # Prose: the categories that its clauses name and do not deny.

    def _head(self) -> list[Mention]:
        """Return [what a first line of its own names], before an explanation that names
        no other code; else []."""
        head, end_of_line, rest = self.text.strip().partition("\n")
        begin = len(self.text) - len(self.text.lstrip())
        mention = self._short(begin, begin + len(head)) if end_of_line else None
        if not mention:
            return []
        codes = {found[0] for found in CODE_IN_TEXT.finditer(rest)} & {*self.coded}
        return [] if codes - {mention[2]} else [mention]

    def _mask(self) -> None:
        """Look for the names of categories; a longer name hides a shorter."""
        small = self.text.lower()
        if len(small) != len(self.text):  # a letter became two
            small = "".join(c.lower() if len(c.lower()) == 1 else c for c in self.text)
        by_name = {name.strip(MARKS).lower(): code for code, name in self.coded.items()}
        for name in sorted(filter(None, by_name), key=len, reverse=True):
            pieces, place = [], 0
            for found in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", small):
                if name in DENYING_NAMES and GOES_ON.match(small, found.end()):
                    continue
                self.named.append((*found.span(), by_name[name]))
                pieces += [small[place : found.start()], MASK * len(name)]
                place = found.end()
            small = "".join([*pieces, small[place:]])
        self.named.sort()
        self.masked = small

    def _in_prose(self) -> list[Mention] | None:
        """Return what a text names in sentences; None where that is not clear."""
        if NOT_ONLY.search(self.masked):
            return None
        mentions = list(self.named)
        for told in TOLD.finditer(self.text):
            for code in ONE_CODE.finditer(self.text, *told.span(1)):
                if code[0] in self.coded and self.masked[code.start()] != MASK:
                    mentions.append((*code.span(), code[0]))
        return self._affirmed(sorted(mentions), 0, len(self.text))

    def _affirmed(self, mentions: list[Mention], begin: int, end: int) -> list[Mention]:
        """Return those mentions, given in their order, that lie in a part of the text
        and are neither denied nor asked about there."""
        first, last = (bisect_left(mentions, (place,)) for place in (begin, end))
        affirmed: list[Mention] = []
        added = 0  # of the clause before
        denied_before = False
        for start, stop, sign in self._clauses(begin, end) if first < last else ():
            inside = []
            while first < last and mentions[first][0] < stop:
                inside.append(mentions[first])
                first += 1
            clause = self.masked[start:stop]
            denial = DENIES.search(self.masked, start, stop)
            lone_no = clause.strip(MARKS) in LONE_NO
            if lone_no and ":" not in sign:  # "sports, no"
                del affirmed[len(affirmed) - added :]
            # Of "no sports, politics or science" the names alone are denied as well.
            listed = denied_before and CONNECTS.fullmatch(clause) is not None
            if denial:
                relative = [
                    one.end()
                    for one in RELATES.finditer(self.masked, start, denial.start())
                ]
                inside = [one for one in inside if relative and one[1] < relative[-1]]
            fitting = [] if listed or "?" in sign else inside
            affirmed += fitting
            added = len(fitting)
            ends = set(sign) & {".", "!", "?", ";"}
            goes_on = ":" in sign if lone_no else not ends
            denied_before = (denial is not None or listed) and goes_on
        return affirmed

    def _clauses(self, begin: int, end: int) -> Iterator[tuple[int, int, str]]:
        """Yield (from, to, the sign behind it) of each clause in a part of the text."""
        place = begin
        for sign in CLAUSE_END.finditer(self.masked, begin, end):
            yield place, sign.start(), sign[0]
            place = sign.end()
        yield place, end, ""
