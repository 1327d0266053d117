"""Names of the attributes that the ledger keeps with a trial or a cell; renaming one breaks older studies."""

from __future__ import annotations

REASON = "reason"
DEVICE_SECONDS = "device_seconds"
NODES = "nodes"
GENERATOR_FROM = "generator_from"
SEED = "seed"
CONFIGURATION = "configuration"
TEST = "test"
EPOCHS = "epochs"
CONTINUES = "continues"
INHERITED_EPOCHS = "inherited_epochs"
WINNERS = "winners"
FINGERPRINT = "fingerprint"
RETRIES = "retries"
IDENTITY = "identity"
PRETRAINED = "pretrained"
