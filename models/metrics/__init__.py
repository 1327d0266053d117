"""How good a coloured image is: metrics per image, their summary, and the trivial predictions to beat.

The names of the package (`__init__.pyi`) are loaded when they are used: names, units and directions need no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
