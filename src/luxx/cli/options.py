"""Options that several commands share, and the settings that they make."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from luxx.core.errors import ConfigurationError
from luxx.settings import Settings

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where everything is kept (LUXX_DATA_DIR).", show_default=False)
]
Url = Annotated[
    str | None,
    typer.Option("--url", envvar="LUXX_URL", help="Address of the server, if it is not the one of the data directory."),
]


def load_settings(**given: object) -> Settings:
    """Return the settings: the options given, over the environment, over the file. Raises ConfigurationError."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # pyright: ignore[reportArgumentType] - checked by the class at run time
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, problem['loc']))} (LUXX_{str(problem['loc'][0]).upper()}): {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigurationError("These settings are wrong:\n  " + "\n  ".join(lines)) from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The settings cannot be read: {error}") from error
