"""What is wrong with a rule, for those who wrote it."""

from __future__ import annotations

from sandbox.errors import UserError

__all__ = ["FaultError"]


class FaultError(UserError):
    """Words that make no rule. hint: what to do, a sentence, or ""."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__(detail, hint)
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.detail}\n  {self.hint}" if self.hint else self.detail
