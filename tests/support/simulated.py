"""A small study on the virtual clock, for tests of its rules."""

from collections import Counter

import optuna
from optuna.storages import InMemoryStorage

from study.backend.learning_curves import analytic_curve
from study.backend.simulator import Simulation
from study.search.conductor import Conductor
from study.search.ledger import StudyLedger
from study.settings.schema import StudySettings

optuna.logging.set_verbosity(optuna.logging.WARNING)
TRIALS, EPOCHS = 8, 9


def study_settings(**changed) -> StudySettings:
    content = {
        "datasets": {"scenes": {"root": "drawn:scenes"}, "fruit": {"root": "drawn:fruit"}},
        "budget": {"trials": TRIALS, "epochs": EPOCHS},
        "search": {"startup_trials": 2, "sampler": "random"},
        "finals": {"seeds": 2},
        "seed": 0,
        "replicates": 1,
        "controls": False,
    }
    for section, values in changed.items():
        content[section] = {**content.get(section, {}), **values} if isinstance(values, dict) else values
    return StudySettings(**content)


class Diary:
    """A listener that keeps what it is told."""

    def __init__(self):
        self.events = []

    def started(self, spec):
        self.events.append(("started", spec, None))

    def placed(self, spec, nodes):
        """All simulated machines have one address."""

    def reported(self, spec, report):
        self.events.append(("reported", spec, report))

    def pictured(self, spec, epoch, key):
        self.events.append(("pictured", spec, key))

    def ended(self, spec, end):
        self.events.append(("ended", spec, end))

    def noted(self, sentence):
        self.events.append(("noted", None, sentence))

    def of(self, kind):
        return [(spec, content) for what, spec, content in self.events if what == kind]


def simulate(settings, storage=None, curve=analytic_curve, workers=4, **options):
    ledger = StudyLedger(storage or InMemoryStorage(), settings)
    diary = Diary()
    conductor = Conductor(settings, ledger, [diary])
    simulation = Simulation(conductor, curve, workers, **options)
    return simulation, conductor, ledger, diary


def run(settings, **options):
    simulation, conductor, ledger, diary = simulate(settings, **options)
    simulation.run()
    assert conductor.finished
    return ledger, diary


def states(part):
    """How many trials of a cell's search or finals are in which state."""
    return Counter(trial.state for trial in part.trials())


def outcome(ledger):
    """What a study ended with: the state of each trial."""
    return {
        (cell.key, stage, trial.number): trial.state
        for cell in ledger.cells
        for stage, part in enumerate((ledger.search(cell.key), ledger.finals(cell.key)))
        for trial in part.trials()
    }
