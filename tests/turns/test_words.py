"""Words: nodes of different versions understand each other."""

import msgspec

from luxx.turns.words import DecisionWord, read_word, write_word


def test_a_decision_names_its_turn_as_nodes_of_earlier_versions_require() -> None:
    assert msgspec.json.decode(write_word(DecisionWord("t1"))) == {"type": "decision", "turn_id": "t1"}


def test_a_word_of_another_version_is_passed_over() -> None:
    assert read_word('{"type":"weather","sun":true}') is None
    assert read_word('{"type":"decision","turn_id":"t1","more":1}') == DecisionWord("t1")
