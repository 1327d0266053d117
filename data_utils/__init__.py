"""From files on disk to arrays decoded once to batches on the device.

The names of the package (`__init__.pyi`) are loaded when they are used: its errors need neither torch nor Pillow.
"""

try:
    import lazy_loader
except ModuleNotFoundError:  # a GPU machine with little but torch: there, the modules alone have the names
    __all__ = []
else:
    __getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
