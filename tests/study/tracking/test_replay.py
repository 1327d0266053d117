"""A study whose tracking server is gone is read from its journal and its storage."""

from study.comparison.summary import summarise_study
from study.settings.study_folder import StudyHome
from study.tracking.replay import replayed
from tests.support.recorded_studies import Writer, complete, pruned


def test_the_journal_alone_gives_the_same_summary_and_is_left_as_it_was(tmp_path):
    writer = Writer(
        tmp_path, f"sqlite:///{tmp_path}/mlflow.db", "whole", architectures=["unet"], datasets=["fruit"]
    )
    writer.search("fruit", "unet", [complete(14, "unet"), pruned(20, "unet")])
    for number in range(2):
        writer.final("fruit", "unet", number, 0.1 + number / 100)
    mark = tmp_path / "whole" / "outbox" / "delivered"
    assert not mark.exists()
    with replayed(writer.settings, StudyHome(tmp_path / "whole")) as record:
        found = summarise_study(record)
        assert sorted(record.trivial["fruit"]) == ["best tint", "grey copy", "mean chroma", "white"]
    assert not mark.exists()
    expected = summarise_study(writer.close())
    for one, other in zip(found, expected, strict=True):
        assert one.test == other.test
        assert (one.complete, one.pruned, one.failed) == (other.complete, other.pruned, other.failed)
