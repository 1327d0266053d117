"""A made-up architecture with every kind of hyperparameter, for studies on the virtual clock."""

from models.architectures import Architecture, Choice, Float, Int

CONDITIONAL = Architecture(
    "conditional",
    build=None,
    search_space={
        "learning_rate": Float(1e-5, 1e-2),
        "dropout": Float(0, 0.5, log=False),
        "layers": Int(2, 8, step=2),
        "loss": Choice(("l1", "bins")),
        "bins": Int(32, 512, log=True, when={"loss": "bins"}),
    },
    textbook={"learning_rate": 1e-3, "dropout": 0.0, "layers": 4, "loss": "l1", "bins": 64},
    stride=1,
)
