"""What is said before anything is erased."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """``refusal`` is why it cannot be done yet; ``warnings`` are what somebody may want to do
    before.
    """

    name: str
    goes: tuple[str, ...]
    stays: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    refusal: str = ""

    def lines(self) -> list[str]:
        """All of it for a terminal."""
        return [
            *(f"goes: {line}" for line in self.goes),
            *(f"stays: {line}" for line in self.stays),
            *self.warnings,
            *([self.refusal] if self.refusal else []),
        ]
