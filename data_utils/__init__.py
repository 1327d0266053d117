"""From files on disk to arrays decoded once to batches on the device.

The names of the package (`__init__.pyi`) are loaded when they are used: its errors need neither torch nor Pillow.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
