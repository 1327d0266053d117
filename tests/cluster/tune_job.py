"""A driver: a Ray Tune run of trials that only count, with checkpoints on the shared folder.

Run on a host as `python -m tests.cluster.tune_job ADDRESS SHARED TRIALS STEPS`. It ends by writing
`SHARED/summary.json`, a list with one entry per trial: whether it failed, its steps, and the address of each
step. While it runs, `SHARED/places/TRIAL` lists the same addresses, lost steps included.
"""

import json
import sys
import time
from pathlib import Path

import ray
from ray import tune

SECONDS_PER_STEP = 0.3


class Counter(tune.Trainable):
    """Counts steps and tells where each was taken."""

    def setup(self, config):
        self._places = Path(config["places"])
        self._seen = []

    def step(self):
        time.sleep(SECONDS_PER_STEP)
        place = ray.util.get_node_ip_address()
        self._seen.append(place)
        with (self._places / self.trial_id).open("a") as places:
            places.write(f"{place}\n")
        return {"seen": ",".join(self._seen)}

    def save_checkpoint(self, checkpoint_dir):
        Path(checkpoint_dir, "seen.json").write_text(json.dumps(self._seen))

    def load_checkpoint(self, checkpoint_dir):
        self._seen = json.loads(Path(checkpoint_dir, "seen.json").read_text())


def main(address, shared, trials, steps):
    places = Path(shared, "places")
    places.mkdir(exist_ok=True)
    ray.init(address=address, log_to_driver=False, logging_level="error")
    results = tune.Tuner(
        tune.with_resources(Counter, {"cpu": 1}),
        param_space={"places": str(places)},
        tune_config=tune.TuneConfig(num_samples=int(trials), reuse_actors=False),
        run_config=tune.RunConfig(
            storage_path=f"{shared}/tune",
            stop={"training_iteration": int(steps)},
            failure_config=tune.FailureConfig(max_failures=3),
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=1, num_to_keep=2),
            verbose=0,
        ),
    ).fit()
    summary = [
        {
            "failed": result.error is not None,
            "steps": result.metrics["training_iteration"],
            "seen": result.metrics["seen"].split(","),
        }
        for result in results
    ]
    Path(shared, "summary.json").write_text(json.dumps(summary))


if __name__ == "__main__":
    main(*sys.argv[1:])
