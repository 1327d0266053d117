"""How an architecture learns: the interface between networks and the training loop."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

from models.average import weight_average
from models.errors import ModelError
from models.hardware import autocast, choose_precision, place
from models.settings import ModelSettings

Features = Tensor | tuple[Tensor, ...]
"""B×512 vectors, or the maps of several layers (B×C×h×w each); see `models.vgg`."""

AVERAGE = "average"


class Batch(Protocol):
    """Images of one step, all on the learner's device."""

    @property
    def grey(self) -> Tensor:
        """B×1×H×W float32 in [−1, 1]."""
        ...

    @property
    def colour(self) -> Tensor:
        """B×3×H×W float32 in [−1, 1], RGB."""
        ...

    @property
    def features(self) -> Features | None:
        """What VGG16 says of the images, or None where the architecture does not need it."""
        ...


class Learner(ABC):
    """Networks, their optimizers, and one optimisation step.

    Subclasses call `super().__init__`, fill `optimizers` and write `train_step`. The module called
    `generator` turns grey (and features) into colour; it, or the moving average of its weights where the recipe
    has one, is what a study validates and exports.

    Attributes:
        modules: Networks by name.
        optimizers: One per trained network, under the same name.
        recipe: How they are optimised.
        average: The generator with averaged weights, or None.
        share: Of each batch's images that this process has; below 1 where several train together, see
            `models.data_parallel`.
    """

    def __init__(
        self,
        modules: Mapping[str, nn.Module],
        settings: ModelSettings,
        device: torch.device,
        needs_features: bool = False,
    ) -> None:
        self.device = device
        self.precision = choose_precision(settings.precision, device)
        self.needs_features = needs_features
        self.modules = {name: place(module, device, settings) for name, module in modules.items()}
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        self.recipe = settings.recipe
        self.average = weight_average(self.generator, settings.recipe.ema)
        self.share = 1.0

    @property
    def generator(self) -> nn.Module:
        """The network that is trained to colour."""
        return self.modules["generator"]

    @property
    def finished(self) -> nn.Module:
        """The network as a user would have it: with averaged weights, where the recipe averages."""
        return self.generator if self.average is None else self.average.module

    def update_average(self) -> None:
        """Take the present weights into their average; for the training loop, after each step."""
        if self.average is not None:
            self.average.update_parameters(self.generator)

    @abstractmethod
    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """One optimisation step.

        Returns:
            Scalar losses by name, detached and still on the device: reading one here would make the host
            wait for the device in every step.
        """

    @torch.inference_mode()
    def predict(self, grey: Tensor, features: Features | None = None) -> Tensor:
        """Colour for grey, as the finished model gives it (BatchNorm by its running averages).

        Args:
            grey: B×1×H×W in [−1, 1].
            features: For architectures that need them.

        Returns:
            B×3×H×W float32 in [−1, 1].
        """
        network = self.finished
        if network.training:
            network.eval()
        return self._apply(network, grey, features).float().contiguous()

    def tensors(self) -> dict[str, Tensor]:
        """A snapshot on the CPU of everything training changes.

        Returns:
            `<network>/<tensor>`, `average/<tensor>` and `optimizer/<network>/<parameter index>/<state>`, contiguous.
        """
        snapshot = {
            f"{name}/{key}": _snapshot(tensor)
            for name, module in self._networks().items()
            for key, tensor in module.state_dict().items()
        }
        for name, optimizer in self.optimizers.items():
            for index, parameter in enumerate(_parameters(optimizer)):
                for key, tensor in optimizer.state[parameter].items():
                    snapshot[f"optimizer/{name}/{index}/{key}"] = _snapshot(tensor)
        return snapshot

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Continue from what `tensors()` gave, on whatever device it was taken.

        Raises:
            ModelError: The tensors are those of other networks.
        """
        for name, module in self._networks().items():
            _load(module, _below(tensors, f"{name}/"), name)
        for name, optimizer in self.optimizers.items():
            _load_optimizer(optimizer, _below(tensors, f"optimizer/{name}/"))

    def generator_tensors(self) -> dict[str, Tensor]:
        """A snapshot on the CPU of the finished generator alone, by the names of its state_dict."""
        return {key: _snapshot(tensor) for key, tensor in self.finished.state_dict().items()}

    def load_generator(self, tensors: Mapping[str, Tensor]) -> None:
        """Start from a generator that `generator_tensors()` gave; optimizers are left as they are.

        Its weights are the first that enter a moving average.

        Raises:
            ModelError: The tensors are those of another network.
        """
        _load(self.generator, tensors, "generator")
        if self.average is not None:
            self.average.module.load_state_dict(self.generator.state_dict())
            self.average.n_averaged.zero_()

    def _networks(self) -> dict[str, nn.Module]:
        return self.modules | ({} if self.average is None else {AVERAGE: self.average})

    def _colour(self, grey: Tensor, features: Features | None) -> Tensor:
        """What the generator makes of a batch; in training, what its loss is computed of."""
        return self._apply(self.generator, grey, features)

    def _apply(self, network: nn.Module, grey: Tensor, features: Features | None) -> Tensor:
        with autocast(self.device, self.precision):
            if not self.needs_features:
                return network(grey)  # type: ignore[no-any-return]
            if features is None:
                raise ModelError(
                    "This architecture needs VGG16's features with every image; none were given."
                )
            return network(grey, features)  # type: ignore[no-any-return]

    def _set_training(self, training: bool) -> None:
        for module in self.modules.values():
            if module.training is not training:
                module.train(training)


def _snapshot(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}


def _parameters(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _load(module: nn.Module, tensors: Mapping[str, Tensor], name: str) -> None:
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        raise ModelError(
            f"The weights do not fit the network {name!r}: they are of another architecture or width."
        ) from error


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    parameters = _parameters(optimizer)
    for key, tensor in tensors.items():
        index, name = key.split("/")
        # Fused kernels want a parameter and its moments in one memory format; files hold contiguous tensors.
        like = parameters[int(index)]
        placed = torch.empty_like(like, dtype=tensor.dtype).copy_(tensor) if tensor.ndim else tensor.clone()
        state.setdefault(int(index), {})[name] = placed.detach()
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
