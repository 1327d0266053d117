"""How good a coloured image is: metrics per image, their summary, and the trivial predictions to beat.

The names of the package (`__init__.pyi`) are loaded when they are used: names, units and directions need no torch.
"""

try:
    import lazy_loader
except ModuleNotFoundError:  # a GPU machine with little but torch: there, the modules alone have the names
    __all__ = []
else:
    __getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
