"""The one exception of the pack."""

from .references import harmless


class TogetherError(Exception):
    """The one exception of the pack.

    Its attributes are plain JSON, which Windmill shows under the error and a flow's
    error handler finds in `error.extra`:

        status       HTTP status, or None when no answer came
        type, code, param   the server's classification, where it gives one
        file_id      the file that a refused or broken upload is about
        detail       the server's own words
        request_id   what to quote to Together's support
        retry_after  seconds after which another try makes sense
        ambiguous    True when the request may have been carried out unseen
        advice       what to do next
        method, path the operation
        tries        how many requests were sent
        problems     rejected input, as [{"field": ..., "problem": ...}]
        partial      what had arrived of a stream that broke
        idempotency_key  the key that a rerun may use again without repeating the work
    """

    def __init__(self, message, **facts):
        super().__init__(harmless(message)[0])
        for name, value in facts.items():
            if value is not None:
                setattr(self, name, value)

    def __setattr__(self, name, value):
        # A flow hands them to its error handler, where Windmill would resolve them.
        super().__setattr__(name, harmless(value)[0])

    @classmethod
    def refused(cls, field, problem, **facts):
        """Return the error for one argument for which nothing was sent."""
        facts.setdefault("advice", "Correct the field named and run the step again.")
        return cls.refused_all([{"field": field, "problem": problem}], **facts)

    @classmethod
    def refused_all(cls, problems, listed=None, **facts):
        """Return the error for all that is wrong with the arguments, so that nothing
        was sent; `listed` is how the message tells it."""
        if listed is None:
            listed = "; ".join(f"{p['field']} {p['problem']}" for p in problems)
        facts.setdefault("advice", "Correct the fields named and run the step again.")
        message = f"Nothing was sent: {listed}"
        return cls(message, problems=problems, ambiguous=False, **facts)
