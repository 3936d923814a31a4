"""Settings: one frozen object, read once at start from options, the environment (``LUXX_*``) and a file, in this order."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource


def _default_data_dir() -> Path:
    return Path.home() / ".local" / "share" / "luxx"


class Settings(BaseSettings):
    """Everything that can be set; the environment variable of a field is its name in capitals after ``LUXX_``.

    Sizes are bytes, times seconds, unless a name says otherwise.
    """

    model_config = SettingsConfigDict(env_prefix="LUXX_", frozen=True, extra="forbid", env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="Address to listen on; only loopback addresses until accounts exist.")
    port: int = Field(8420, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    workers: int = Field(1, ge=1, le=64, description="Processes that serve; more than one needs PostgreSQL.")
    data_dir: Path = Field(default_factory=_default_data_dir, description="Where everything is kept.")
    database_url: SecretStr | None = Field(
        None, description="A PostgreSQL database for one server or many; without it, SQLite in the data directory."
    )
    lease_ttl: float = Field(8, ge=1, description="After this, the turns of a dead server are taken over by another.")
    secret_key: SecretStr | None = Field(None, description="Fernet keys, newest first, separated by commas.")
    secret_key_file: Path | None = Field(None, description="A file with these keys.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is logged: this and worse."
    )
    log_format: Literal["auto", "text", "json"] = Field(
        "auto", description="auto: text at a terminal, else JSON lines."
    )

    max_iterations: int = Field(10, ge=1, le=256, description="Model calls in one turn.")
    max_answer_chars: int = Field(4_000_000, ge=1, description="Longest answer of one model call; the rest is refused.")
    connect_timeout: float = Field(10, gt=0, description="To a provider's connection.")
    first_token_timeout: float = Field(120, gt=0, description="From the request to a provider's first byte.")
    token_timeout: float = Field(120, gt=0, description="Between two reads of a provider's stream.")
    provider_attempts: int = Field(3, ge=1, le=10, description="Tries before the first token.")

    tool_threads: int = Field(8, ge=1, description="Threads for tools that block.")
    parallel_tools: int = Field(16, ge=1, description="Tools of one turn that run at once.")
    max_tool_calls: int = Field(200, ge=1, description="Tool calls in one turn; the rest is refused.")
    approval_timeout: float = Field(86_400, gt=0, description="How long a call waits for a person.")
    tool_concurrency: int = Field(64, ge=1, description="Tools that run at once on this node.")
    tool_result_chars: int = Field(50_000, ge=100, description="Longest tool result; the rest is cut.")
    mcp_connect_timeout: float = Field(60, gt=0, description="From the start of an MCP server to its list of tools.")
    mcp_call_timeout: float = Field(
        120, gt=0, description="For a call of an MCP tool without a result or sign of life."
    )
    mcp_call_limit: float = Field(900, gt=0, description="For a call of an MCP tool in all, whatever its progress.")
    mcp_idle_stop: float = Field(600, gt=0, description="After the last call, an MCP server is stopped.")
    mcp_list_wait: float = Field(3, ge=0, description="How long a turn waits for an MCP server that was never listed.")
    mcp_max_tools: int = Field(128, ge=1, description="Tools of one MCP server; the rest is left out.")
    mcp_max_message: int = Field(8_000_000, ge=1_000, description="Largest message of an MCP server.")
    tool_timeouts: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        {}, description='Other times for some tools, by name: {"python": 30}.'
    )
    web_max_bytes: int = Field(5_000_000, ge=1_000, description="Largest page that is fetched; the rest is cut.")
    web_timeout: float = Field(20, gt=0, description="For one page or one search, with all redirects.")
    search: Literal["searxng", "brave", "tavily"] | None = Field(
        None, description="The search engine of web_search; without it, there is no such tool."
    )
    search_url: str | None = Field(None, description="Base URL of the SearXNG, or another address of the engine.")
    search_key: SecretStr | None = Field(None, description="The key for the search engine.")
    mcp_client_url: str | None = Field(
        None,
        pattern=r"^https://[^/]+/.+",
        description="A client metadata document that you publish, for log-ins of MCP servers that want one.",
    )
    demo: bool = Field(False, description="Offer the scripted provider and the tools for trying out durability.")
    titles: Literal["first_words", "model"] = Field("first_words", description="Who names a conversation.")

    max_body: int = Field(2_000_000, ge=1_000, description="Largest request body.")
    max_file_bytes: int = Field(20_000_000, ge=1, le=100_000_000, description="Largest file.")
    max_import_bytes: int = Field(
        500_000_000, ge=1, le=4_000_000_000, description="Largest file to import, also unpacked."
    )
    max_conversation_files_bytes: int = Field(
        200_000_000, ge=1, description="All files of a conversation; also all that is uploaded and not sent."
    )
    max_message_files: int = Field(10, ge=0, le=100, description="Files sent with one message.")
    max_message_chars: int = Field(400_000, ge=1, description="Longest message.")
    max_streams: int = Field(4_000, ge=1, description="Event streams open at once; more are refused with 429.")
    max_active_turns: int = Field(4_000, ge=1, description="Turns in progress at once; more are refused with 429.")
    heartbeat: float = Field(15, gt=0, description="Silence after which a stream gets a comment.")
    compact_after: float = Field(300, ge=0, description="From a turn's end to the compaction of its log.")
    drain_timeout: float = Field(10, ge=0, description="How long turns may go on after SIGTERM.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read options first, then the environment, then ``luxx.toml`` in the current folder."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path("luxx.toml"))
