"""The texts that the provider has approved."""

from .matcher import Template, one_line_end

REMEMBERED = 4_096  # verdicts kept for texts that come again and again


class Templates:
    def __init__(self) -> None:
        self.texts: dict[str, Template] = {}
        self._verdicts: dict[str, bool] = {}

    def add(self, texts: list[str]) -> None:
        self.texts |= {text: Template(text) for text in texts}
        self._verdicts.clear()

    def match(self, text: str) -> bool:
        verdict = self._verdicts.get(text)
        if verdict is None:
            if len(self._verdicts) >= REMEMBERED:
                self._verdicts.clear()
            plain = one_line_end(text)
            verdict = self._verdicts[text] = any(template.matches(plain) for template in self.texts.values())
        return verdict
