"""What was searched, and the lists that a program can fill."""

from study.comparison.finals import Evidence
from study.comparison.summary import summarise_study
from study.reporting.checklist import checklist
from study.reporting.searched import how_it_was_searched, searched_hyperparameters


def test_every_hyperparameter_has_its_range_and_scale(whole):
    found = {(one.architecture, one.name): one for one in searched_hyperparameters(whole)}
    rate = found["unet", "learning_rate"]
    assert (rate.values, rate.scale) == ("1e-05 … 0.01", "logarithmic")
    assert found["cgan", "generator_init"].values == "scratch, unet"


def test_sampler_pruner_and_rungs_are_named(whole):
    sentence = how_it_was_searched(whole)
    assert "4 trials a cell and replicate, proposed by tpe" in sentence
    assert "The pruner halving stops all but the best 1/2 of the trials" in sentence
    assert sentence.endswith("of 4 epochs it judges after 1, 2.")


def test_no_field_of_the_lists_is_empty(whole):
    items = checklist(Evidence(whole), summarise_study(whole))
    assert len(items) > 12
    assert all(one.answer for one in items)
    by_field = {one.asks: one.answer for one in items}
    assert by_field["Source code, with its version"] == "commit abc"
    assert by_field["Number of parameters of each model"].startswith("koalarization 1.00 million")
