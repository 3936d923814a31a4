"""Runs the MCP conformance suite against Luxx's client: `make mcp-conformance`, or python -m tests.tools.mcp.conformance [WORD ...].

With words only the scenarios that have one of them in their names are run. Those that are left out are those of extensions.
"""

import subprocess
import sys
from pathlib import Path

from tests.tools.mcp.npm_servers import CONFORMANCE, NODE, install

ROOT = Path(__file__).parents[3]
_LOG_IN = (
    "auth/metadata-default",
    "auth/metadata-var1",
    "auth/metadata-var2",
    "auth/metadata-var3",
    "auth/basic-cimd",
    "auth/scope-from-www-authenticate",
    "auth/scope-from-scopes-supported",
    "auth/scope-omitted-when-undefined",
    "auth/scope-step-up",
    "auth/scope-retry-limit",
    "auth/token-endpoint-auth-basic",
    "auth/token-endpoint-auth-post",
    "auth/token-endpoint-auth-none",
    "auth/pre-registration",
)
SCENARIOS = {
    "2025-03-26": ("auth/2025-03-26-oauth-metadata-backcompat", "auth/2025-03-26-oauth-endpoint-fallback"),
    "2025-11-25": (
        "initialize",
        "tools_call",
        "elicitation-sep1034-client-defaults",
        "sse-retry",
        "json-schema-2020-12-preservation",
        *_LOG_IN,
    ),
    "2026-07-28": (
        "tools_call",
        "request-metadata",
        "sep-2322-client-request-state",
        "http-standard-headers",
        "http-custom-headers",
        "http-invalid-tool-headers",
        "json-schema-ref-no-deref",
        "json-schema-2020-12-preservation",
        *_LOG_IN,
        "auth/resource-mismatch",
        "auth/offline-access-scope",
        "auth/offline-access-not-supported",
        "auth/authorization-server-migration",
        "auth/iss-supported",
        "auth/iss-not-advertised",
        "auth/iss-supported-missing",
        "auth/iss-wrong-issuer",
        "auth/iss-unexpected",
        "auth/iss-normalized",
        "auth/metadata-issuer-mismatch",
    ),
}
_CLIENT = f"{sys.executable} -m tests.tools.mcp.conformance_client"
_RESULTS = ROOT / ".tools" / "mcp-conformance"


def main(wanted: list[str]) -> int:
    """Run the scenarios wanted, or all; return the number of those that failed, or 1 if there are none."""
    chosen = [
        (version, scenario)
        for version, scenarios in SCENARIOS.items()
        for scenario in scenarios
        if not wanted or any(word in scenario for word in wanted)
    ]
    if not chosen:
        sys.stdout.write(f"✗ no scenario has one of these words in its name: {' '.join(wanted)}\n")
        return 1
    install()
    failed = 0
    for version, scenario in chosen:
        passed, report = _run(scenario, version)
        sys.stdout.write(f"{'✓' if passed else '✗'} {version} {scenario}\n{'' if passed else report}")
        sys.stdout.flush()
        failed += not passed
    sys.stdout.write(f"{len(chosen) - failed} of {len(chosen)} scenarios passed\n")
    return failed


def _run(scenario: str, version: str) -> tuple[bool, str]:
    command = [NODE, str(CONFORMANCE), "client", "--command", _CLIENT, "--scenario", scenario]
    more = ["--spec-version", version, "--timeout", "60000", "-o", str(_RESULTS)]
    done = subprocess.run([*command, *more], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
