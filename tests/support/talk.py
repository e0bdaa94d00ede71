"""Who a command talks to."""


class Talk:
    """What a command says, and an answer for its question."""

    def __init__(self, answer: bool = True) -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        self.answer = answer

    def say(self, line: str) -> None:
        self.said.append(line)

    def ask(self, question: str) -> bool:
        self.asked.append(question)
        return self.answer
