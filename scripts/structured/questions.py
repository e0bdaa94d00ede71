"""The questions that a step asks a model until an answer can be used, and their bill."""

from __future__ import annotations

from ..catalog.fallback import Models, bill_by_model
from ..catalog.pricing import lost_usage, prefetch
from ..chat_steps import parse_completion
from ..client import TogetherError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..shapes import Auth, Json, Members


class Questions:
    """What a model was asked, or others in its place; given are the step's arguments.

    answers   (model, answer) of each question so far
    """

    def __init__(self, auth: Auth, given: Members) -> None:
        self.auth = auth
        self.models = Models(given)
        self.answers: list[tuple[str, Json]] = []
        prefetch(auth)

    def ask(self, send: Callable[[str], Json]) -> Json:
        """Return send(model) of the first model that answers. Raises TogetherError;
        where answers to earlier questions were paid for, the last one's text and the
        bill are in its `partial`."""
        asked: list[str] = []

        def send_noted(model: str, _: bool) -> Json:
            asked.append(model)
            return send(model)

        try:
            answer, model = self.models.first(send_noted)
        except TogetherError as error:
            if self.answers:
                self._tell(error, asked[-1])
            raise
        self.answers.append((model, answer))
        return answer

    def bill(self) -> Members:
        """Return {"usage", "cost_usd", "cost_note"?, "model", "fallback_from"?}."""
        return self._bill_of(self.answers)

    def _bill_of(self, answers: list[tuple[str, Json]]) -> Members:
        model, answer = self.answers[-1]
        return {
            **bill_by_model(self.auth, answers),
            "model": answer.get("model") or model,
            **self.models.told(*(name for name, _ in self.answers)),
        }

    def _tell(self, error: TogetherError, model: str) -> None:
        """Add to an error what was paid for before it, and what it may have cost."""
        lost = [] if lost_usage(error) is None else [(model, error.partial)]
        bill = self._bill_of([*self.answers, *lost])
        completion = parse_completion(self.answers[-1][1])
        text = completion["text"] or completion["reasoning"] or ""
        broken = {} if error.partial is None else {"broken_answer": error.partial}
        error.partial = {"text": text, **broken, **bill}
        error.may_be_paid = True  # for whoever looks whether the job cost nothing
        for name, value in bill.items():  # where a misfit has them
            setattr(error, name, value)
