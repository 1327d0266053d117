"""From files on disk to arrays decoded once to batches on the device."""

from data_utils.batches import Batch, Batches
from data_utils.cache import cached_arrays, default_cache
from data_utils.decode_image import decode_colour, decode_full, decode_grey
from data_utils.errors import CacheError, DataError, RefusedFiles, printable
from data_utils.layouts import Entry, Layout, recognise
from data_utils.load_dataset import ImageSet, Refused, load_dataset
from data_utils.open_image import RefusedImage
from data_utils.splits import TEST, TRAIN, VALIDATION

__all__ = [
    "TEST",
    "TRAIN",
    "VALIDATION",
    "Batch",
    "Batches",
    "CacheError",
    "DataError",
    "Entry",
    "ImageSet",
    "Layout",
    "Refused",
    "RefusedFiles",
    "RefusedImage",
    "cached_arrays",
    "decode_colour",
    "decode_full",
    "decode_grey",
    "default_cache",
    "load_dataset",
    "printable",
    "recognise",
]
