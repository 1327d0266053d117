import math

import pytest

from study.tracking import outbox as module
from study.tracking.outbox import Outbox


def test_events_come_out_in_order_and_once(tmp_path):
    outbox = Outbox(tmp_path)
    for number in range(5):
        outbox.append({"number": number})
    first, position = outbox.undelivered(3)
    assert [event["number"] for event in first] == [0, 1, 2]
    outbox.mark_delivered(position)
    rest, position = outbox.undelivered(10)
    assert [event["number"] for event in rest] == [3, 4]
    assert not outbox.empty
    outbox.mark_delivered(position)
    assert outbox.empty


def test_what_was_not_delivered_survives_the_process(tmp_path):
    Outbox(tmp_path).append({"number": 1})
    events, _ = Outbox(tmp_path).undelivered(10)
    assert events == [{"number": 1}]


@pytest.mark.parametrize("block", [1, 7, 65536])
def test_a_line_cut_by_a_crash_is_dropped_and_the_next_is_whole(tmp_path, monkeypatch, block):
    monkeypatch.setattr(module, "_BLOCK", block)
    outbox = Outbox(tmp_path)
    outbox.append({"number": 1})
    outbox.close()
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'{"number": 2, "va')
    later = Outbox(tmp_path)
    later.append({"number": 3})
    assert [event["number"] for event in later.undelivered(10)[0]] == [1, 3]


def test_a_journal_that_is_one_unfinished_line_becomes_empty(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 4)
    (tmp_path / "journal.jsonl").write_bytes(b'{"number": 2, "va')
    assert Outbox(tmp_path).empty


@pytest.mark.parametrize("block", [1, 7, 65536])
def test_the_time_of_the_last_event_survives_the_process(tmp_path, monkeypatch, block):
    monkeypatch.setattr(module, "_BLOCK", block)
    outbox = Outbox(tmp_path)
    assert outbox.latest_time == 0
    for time in (5, 1795756002757):
        outbox.append({"time": time})
        assert outbox.latest_time == time
    outbox.close()
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'{"time": 179575600')
    assert Outbox(tmp_path).latest_time == 1795756002757


def test_values_that_are_no_numbers_survive(tmp_path):
    outbox = Outbox(tmp_path)
    outbox.append({"value": float("nan")})
    value = outbox.undelivered(1)[0][0]["value"]
    assert math.isnan(value)
