"""Errors: what a tool's author raises, and what its author gets."""

OUTCOME_UNKNOWN = "The outcome is unknown: it may have taken effect or not. Find out before you call it again."
"""What a model is told of an unsafe call that was begun and gave no result."""


class ToolError(Exception):
    """A tool raises it to tell the model what is wrong; the text is shown as it is, and nothing is logged as a fault."""


class OutcomeUnknown(ToolError):
    """The same for an unsafe call that was begun and gave no result; the model is told that it may have taken effect."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text} {OUTCOME_UNKNOWN}")


class ToolDefinitionError(TypeError):
    """A function cannot become a tool, or a tool cannot stand in a box; the text says what to change."""
