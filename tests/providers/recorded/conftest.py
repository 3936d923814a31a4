"""The tests of this folder need the recordings; without them they are not collected, and a line at the end says so."""

from tests.providers import cassettes

collect_ignore_glob = [] if cassettes.available() else ["test_*.py"]
