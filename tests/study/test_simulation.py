"""The scheduling rules of a study, on a virtual clock."""

import math
import random
from collections import Counter

import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from models.architectures import architecture
from models.metrics import OBJECTIVE
from study.cells import Stage, cells_of
from study.conductor import Conductor
from study.config import StudySettings
from study.curves import analytic_curve
from study.ledger import CellLedger, open_storage, sqlite_url
from study.search_space import make_pruner
from study.simulation import ProcessDied, Simulation

optuna.logging.set_verbosity(optuna.logging.WARNING)
TRIALS, EPOCHS = 8, 9


def study_settings(**changed) -> StudySettings:
    content = {
        "datasets": {"scenes": {"root": "drawn:scenes"}, "fruit": {"root": "drawn:fruit"}},
        "budget": {"trials": TRIALS, "epochs": EPOCHS},
        "search": {"startup_trials": 2, "sampler": "random"},
        "finals": {"seeds": 2},
    }
    for section, values in changed.items():
        content[section] = {**content.get(section, {}), **values} if isinstance(values, dict) else values
    return StudySettings(**content)


class Diary:
    """A listener that keeps what it is told."""

    def __init__(self):
        self.events = []

    def started(self, assignment):
        self.events.append(("started", assignment, None))

    def placed(self, assignment, nodes):
        """All simulated machines have one address."""

    def reported(self, assignment, report):
        self.events.append(("reported", assignment, report))

    def pictured(self, assignment, epoch, key):
        self.events.append(("pictured", assignment, key))

    def ended(self, assignment, end):
        self.events.append(("ended", assignment, end))

    def noted(self, sentence):
        self.events.append(("noted", None, sentence))

    def of(self, kind):
        return [(assignment, content) for what, assignment, content in self.events if what == kind]


def ledgers_in(storage, settings):
    return {
        (cell.key, stage): CellLedger(storage, settings.name, cell, stage, settings.search, settings.seed)
        for cell in cells_of(settings)
        for stage in Stage
    }


def simulate(settings, storage=None, curve=analytic_curve, workers=4, **options):
    ledgers = ledgers_in(storage or InMemoryStorage(), settings)
    diary = Diary()
    conductor = Conductor(settings, cells_of(settings), ledgers, [diary])
    simulation = Simulation(conductor, curve, workers, **options)
    return simulation, conductor, ledgers, diary


def run(settings, **options):
    simulation, conductor, ledgers, diary = simulate(settings, **options)
    simulation.run()
    assert conductor.finished
    return ledgers, diary


def states(ledgers, cell, stage=Stage.SEARCH):
    return Counter(trial.state for trial in ledgers[cell, stage].trials())


def outcome(ledgers):
    """What a study ended with: the state of each trial."""
    return {
        (cell, stage, trial.number): trial.state
        for (cell, stage), book in ledgers.items()
        for trial in book.trials()
    }


def test_every_cell_gets_the_same_budget_and_its_finals():
    ledgers, _ = run(study_settings())
    for cell in cells_of(study_settings()):
        assert states(ledgers, cell.key).total() == TRIALS
        assert states(ledgers, cell.key, Stage.FINAL) == {TrialState.COMPLETE: 2}


@pytest.mark.parametrize("workers", [1, 3, 64])
def test_the_least_charged_runnable_cell_is_next(workers):
    settings = study_settings(architectures=["koalarization", "unet"], finals={"seeds": 0})
    _, diary = run(settings, workers=workers)
    charged = Counter({cell.key: 0 for cell in cells_of(settings)})
    begun = Counter()
    for what, assignment, content in diary.events:
        if what == "started":
            open_cells = [cell for cell in charged if begun[cell] < TRIALS]
            assert charged[assignment.cell] == min(charged[cell] for cell in open_cells)
            charged[assignment.cell] += EPOCHS
            begun[assignment.cell] += 1
        elif what == "ended":
            charged[assignment.cell] -= EPOCHS - content.epochs


def test_under_a_budget_of_device_seconds_cells_take_turns_and_stop_when_it_is_spent():
    settings = study_settings(
        architectures=["koalarization", "unet"],
        budget={"trials": 100, "device_seconds": 6 * EPOCHS},
        search={"pruner": "none"},
        finals={"seeds": 0},
    )
    ledgers, diary = run(settings)
    first = [assignment.cell for assignment, _ in diary.of("started")][:4]
    assert len(set(first)) == 4
    for cell in cells_of(settings):
        assert 6 <= states(ledgers, cell.key).total() <= 9


def test_the_cgan_waits_for_its_unet_and_leaves_no_worker_idle_meanwhile(tmp_path):
    settings = study_settings()
    simulation, conductor, ledgers, diary = simulate(settings)
    searched = set()
    while simulation.advance(tmp_path):
        for assignment, _ in diary.of("started"):
            if assignment.stage is Stage.SEARCH and assignment.architecture == "cgan":
                searched.add(assignment.dataset)
        for dataset in ("scenes", "fruit"):
            done = sum(
                states(ledgers, f"{dataset}/unet")[state]
                for state in (TrialState.COMPLETE, TrialState.PRUNED)
            )
            assert dataset not in searched or done == TRIALS
        left = [
            cell
            for cell in ("scenes/koalarization", "fruit/koalarization", "scenes/unet", "fruit/unet")
            if states(ledgers, cell).total() < TRIALS
        ]
        if left:
            assert simulation.busy >= 3  # the fourth is the one that has just reported its last epoch
    assert conductor.finished


def test_a_cgan_trial_that_starts_from_the_unet_takes_the_best_one():
    ledgers, diary = run(study_settings())
    for assignment, _ in diary.of("started"):
        if assignment.params.get("generator_init") == "unet":
            complete = ledgers[f"{assignment.dataset}/unet", Stage.SEARCH].trials(TrialState.COMPLETE)
            best = min(complete, key=lambda trial: (trial.value, trial.number))
            assert assignment.generator_from == best.number
        else:
            assert assignment.generator_from is None
    assert any(assignment.generator_from is not None for assignment, _ in diary.of("started"))


def test_a_cell_is_in_its_finals_while_others_still_search():
    settings = study_settings(budget={"epochs_for": {"scenes/koalarization": 2}})
    _, diary = run(settings, workers=2)
    stages = [assignment.stage for assignment, _ in diary.of("started")]
    assert Stage.SEARCH in stages[stages.index(Stage.FINAL) :]


def test_finals_repeat_the_best_complete_configuration_with_fresh_seeds():
    ledgers, diary = run(study_settings())
    for cell in cells_of(study_settings()):
        complete = ledgers[cell.key, Stage.SEARCH].trials(TrialState.COMPLETE)
        best = min(complete, key=lambda trial: (trial.value, trial.number))
        finals = ledgers[cell.key, Stage.FINAL].trials()
        assert all(final.params == best.params for final in finals)
        assert all(OBJECTIVE in final.user_attrs["test"] for final in finals)
        seeds = {assignment.seed for assignment, _ in diary.of("started") if assignment.cell == cell.key}
        assert len(seeds) == TRIALS + 2


@pytest.mark.parametrize("pruner", ["median", "halving", "hyperband", "patient", "none"])
def test_pruning_equals_what_optunas_pruner_decides_in_a_study_of_its_own(pruner):
    search = {"pruner": pruner, "patience": 1}
    settings = study_settings(
        architectures=["unet"], search=search, finals={"seeds": 0}, budget={"trials": 20}
    )
    ledgers, diary = run(settings, workers=3)
    for cell in cells_of(settings):
        name = f"{settings.name}/{cell.key}"  # Hyperband's brackets hang on it
        plain = optuna.create_study(study_name=name, pruner=make_pruner(settings.search, EPOCHS))
        trials = {}
        for what, assignment, content in diary.events:
            if assignment is None or assignment.cell != cell.key:
                continue
            number = assignment.number
            if what == "started":
                trials[number] = plain.ask()
            elif what == "reported":
                trials[number].report(content[OBJECTIVE], int(content["epoch"]))
                stopped = int(content["epoch"]) < EPOCHS and trials[number].should_prune()
                ours = ledgers[cell.key, Stage.SEARCH].trials()[number]
                assert stopped == (ours.state is TrialState.PRUNED and content["epoch"] == ours.last_step)
            elif content.state is TrialState.PRUNED:
                plain.tell(trials[number], state=TrialState.PRUNED)
            else:
                plain.tell(trials[number], content.value)
    pruned = states(ledgers, "scenes/unet")[TrialState.PRUNED]
    assert (pruned > 0) == (pruner in ("median", "halving", "hyperband"))  # these curves always improve


def test_a_diverged_trial_is_told_fail_and_the_study_goes_on():
    def diverging(assignment, epoch):
        if assignment.number == 3 and epoch == 2:
            return {OBJECTIVE: math.nan}
        return analytic_curve(assignment, epoch)

    ledgers, _ = run(study_settings(search={"pruner": "none"}), curve=diverging)
    trial = ledgers["scenes/unet", Stage.SEARCH].trials()[3]
    assert trial.state is TrialState.FAIL
    assert trial.user_attrs["reason"] == f"diverged: {OBJECTIVE} is nan at epoch 2"
    assert states(ledgers, "scenes/unet")[TrialState.COMPLETE] == TRIALS - 1


def test_a_trial_whose_process_dies_is_tried_again_and_then_told_fail():
    deaths = Counter()

    def dying(assignment, epoch):
        lives = 5 if assignment.number == 2 else 1
        if assignment.architecture == "unet" and epoch == 3 and deaths[assignment.key] < lives:
            deaths[assignment.key] += 1
            raise ProcessDied("the node is gone")
        return analytic_curve(assignment, epoch)

    ledgers, _ = run(study_settings(search={"pruner": "none"}), curve=dying, max_failures=2)
    trials = ledgers["fruit/unet", Stage.SEARCH].trials()
    assert [trial.number for trial in trials if trial.state is TrialState.FAIL] == [2]
    assert trials[2].user_attrs["reason"] == "ProcessDied: the node is gone"
    assert all(
        list(trial.intermediate_values) == list(range(1, EPOCHS + 1)) for trial in trials if trial.number != 2
    )


def test_a_failing_cell_stops_and_its_dependant_starts_from_scratch():
    def hopeless(assignment, epoch):
        return (
            {OBJECTIVE: math.inf} if assignment.cell == "scenes/unet" else analytic_curve(assignment, epoch)
        )

    ledgers, diary = run(study_settings(), curve=hopeless, workers=1)
    assert set(states(ledgers, "scenes/unet")) == {TrialState.FAIL}
    assert states(ledgers, "scenes/unet").total() < TRIALS
    assert states(ledgers, "scenes/unet", Stage.FINAL).total() == 0
    assert states(ledgers, "scenes/cgan").total() == TRIALS
    assert any("scenes/unet stops" in sentence for _, sentence in diary.of("noted"))
    assert all(
        "generator_init" not in trial.params or trial.params["generator_init"] == "scratch"
        for trial in ledgers["scenes/cgan", Stage.SEARCH].trials()
    )


class Killed(BaseException):
    """The driver is killed."""


class MortalStorage(InMemoryStorage):
    """Dies instead of making its n-th write; what was written before stays."""

    def __init__(self, writes=math.inf):
        super().__init__()
        self.left = writes

    def _write(self):
        self.left -= 1
        if self.left < 0:
            raise Killed


def _mortal(name):
    def method(self, *args, **kwargs):
        self._write()
        return getattr(InMemoryStorage, name)(self, *args, **kwargs)

    return method


for _name in (
    "create_new_trial",
    "set_trial_param",
    "set_trial_state_values",
    "set_trial_intermediate_value",
    "set_trial_user_attr",
    "set_trial_system_attr",
    "set_study_user_attr",
    "set_study_system_attr",
):
    setattr(MortalStorage, _name, _mortal(_name))


@pytest.fixture(scope="module")
def undisturbed():
    storage = MortalStorage()
    storage.left = 10**9
    ledgers, _ = run(study_settings(search={"pruner": "none"}), storage=storage)
    return outcome(ledgers), 10**9 - storage.left


@pytest.mark.parametrize("repeat", range(25))
def test_a_study_killed_at_any_write_and_continued_ends_with_the_same_trials(repeat, undisturbed):
    expected, writes = undisturbed
    chance = random.Random(repeat)
    settings = study_settings(search={"pruner": "none"})
    storage = MortalStorage(chance.randrange(writes))
    for _ in range(3):  # killed up to three times
        try:
            simulate(settings, storage=storage, workers=chance.randint(1, 9))[0].run()
        except Killed:
            storage.left = chance.randrange(writes)
    storage.left = math.inf
    ledgers, diary = run(settings, storage=storage)
    assert outcome(ledgers) == expected
    started = Counter(assignment.key for assignment, _ in diary.of("started"))
    assert not started or max(started.values()) == 1
    for cell in cells_of(settings):
        best = min(ledgers[cell.key, Stage.SEARCH].trials(), key=lambda trial: (trial.value, trial.number))
        assert all(final.params == best.params for final in ledgers[cell.key, Stage.FINAL].trials())


def test_after_a_kill_the_orphans_come_first_with_number_and_parameters(tmp_path):
    settings, storage = study_settings(), InMemoryStorage()
    simulation, _, _, before = simulate(settings, storage=storage)
    for _ in range(60):
        simulation.advance(tmp_path)
    ended = {assignment.key for assignment, _ in before.of("ended")}
    orphans = {
        assignment.key: assignment for assignment, _ in before.of("started") if assignment.key not in ended
    }
    _, after = run(settings, storage=storage)
    again = [assignment for assignment, _ in after.of("started")][: len(orphans)]
    assert {assignment.key: assignment for assignment in again} == orphans
    assert not ended & {assignment.key for assignment, _ in after.of("started")}


def test_a_killed_study_charges_no_final_twice(tmp_path):
    settings, storage = study_settings(architectures=["unet"], finals={"seeds": 4}), InMemoryStorage()
    simulation, _, _, diary = simulate(settings, storage=storage, workers=2)
    while not any(a.stage is Stage.FINAL and report["epoch"] == 5 for a, report in diary.of("reported")):
        simulation.advance(tmp_path)
    simulation, conductor, ledgers, _ = simulate(settings, storage=storage, workers=2)
    simulation.run()
    for cell in cells_of(settings):
        epochs = sum(t.last_step for stage in Stage for t in ledgers[cell.key, stage].trials())
        assert conductor._progress[cell.key].epochs == epochs


def test_an_sqlite_ledger_ends_with_the_same_trials_as_one_in_memory(tmp_path):
    settings = study_settings(architectures=["koalarization"])
    in_file, _ = run(settings, storage=open_storage(sqlite_url(tmp_path / "ledger.db")))
    in_memory, _ = run(settings)
    assert outcome(in_file) == outcome(in_memory)


def test_a_cgan_search_begins_with_the_textbook_from_scratch_and_from_the_trained_unet():
    ledgers, _ = run(study_settings())
    first, second, *_ = ledgers["scenes/cgan", Stage.SEARCH].trials()
    assert first.params == architecture("cgan").textbook
    assert second.params == {**architecture("cgan").textbook, "generator_init": "unet"}


def test_a_search_begins_within_the_space_that_it_was_given():
    ledgers, _ = run(study_settings(search={"space": {"cgan": {"generator_init": ["unet"]}}}))
    first, second, *_ = ledgers["scenes/cgan", Stage.SEARCH].trials()
    assert first.params == {**architecture("cgan").textbook, "generator_init": "unet"}
    assert second.params["learning_rate"] != first.params["learning_rate"]
