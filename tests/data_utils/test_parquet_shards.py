import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from data_utils.errors import DataError
from data_utils.load_dataset import load_dataset
from data_utils.parquet_shards import unpack
from data_utils.shard_images import UnusableShard
from tests.support.image_folders import picture

STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def encoded(form="PNG", number=0):
    stream = io.BytesIO()
    picture(number, 32, 32).save(stream, form)
    return stream.getvalue()


def shard(metadata=None, **columns):
    """A Parquet file of these columns."""
    table = pa.table(columns)
    if metadata:
        table = table.replace_schema_metadata({"huggingface": json.dumps(metadata)})
    stream = io.BytesIO()
    pq.write_table(table, stream, row_group_size=2)
    stream.seek(0)
    return stream


def images(*paths):
    return pa.array([{"bytes": encoded(), "path": path} for path in paths], STRUCT)


def names(paths, folder):
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def test_hugging_faces_form_with_named_categories(tmp_path):
    classes = {"info": {"features": {"label": {"names": ["apple", "a/pear"], "_type": "ClassLabel"}}}}
    file = shard(classes, id=[1, 2, 3], image=images("x/a.png", "a.png", None), label=[0, 1, 0])
    found = unpack(file, tmp_path, "7")
    assert names(found, tmp_path) == ["a-pear/7-000001-a.png", "apple/7-000000-a.png", "apple/7-000002.png"]
    assert (tmp_path / "apple" / "7-000000-a.png").read_bytes() == encoded()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_bytes_alone_get_the_suffix_of_what_they_are(tmp_path, form):
    (path,) = unpack(shard(jpg=[encoded(form)]), tmp_path, "0")
    with Image.open(path) as image:
        assert image.format == form
        assert Image.registered_extensions()[path.suffix] == form


@pytest.mark.parametrize("label", [["..", ".hidden"], ["", "x" * 61], [None, "apple"], [1.5, 2.5]])
def test_what_cannot_be_a_folder_is_no_category(tmp_path, label):
    found = unpack(shard(image=images("a.png", "b.png"), label=label), tmp_path, "0")
    assert names(found, tmp_path) == ["0-000000-a.png", "0-000001-b.png"]


def test_rows_without_an_image_are_left_out_and_no_name_leads_outside(tmp_path):
    file = shard(image=pa.array([None, {"bytes": encoded(), "path": "../../up.png"}], STRUCT))
    assert names(unpack(file, tmp_path / "in", "0"), tmp_path) == ["in/0-000001-up.png"]


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (io.BytesIO(b"nothing of the kind"), "is damaged or no Parquet file"),
        (
            io.BytesIO(shard(jpg=[encoded()]).getvalue()[:-9] + b"\0" * 5 + b"PAR1"),
            "is damaged or no Parquet file",
        ),
        (shard(text=["a"], label=[1]), "has no column of images among text, label"),
    ],
)
def test_what_is_of_no_use_is_refused(tmp_path, file, reason):
    with pytest.raises(UnusableShard, match=reason):
        unpack(file, tmp_path, "0")


def test_a_set_of_two_shards(tmp_path):
    for number in range(2):
        pictures = [{"bytes": encoded("PNG", 6 * number + k), "path": None} for k in range(6)]
        file = shard(image=pa.array(pictures, STRUCT), label=["apple", "pear"] * 3)
        (tmp_path / f"train-{number}.parquet").write_bytes(file.getvalue())
    address = f"parquet:file://{tmp_path}/train-{{0..1}}.parquet"
    found = load_dataset(address, 32, cache=tmp_path / "cache")
    assert (len(found), found.name, found.categories) == (12, "train", ("apple", "pear"))
    (tmp_path / "train-1.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"train-1\.parquet is damaged or no Parquet file .*; replace it"):
        load_dataset(address, 32, cache=tmp_path / "cache")


def test_shards_that_name_images_elsewhere_hold_none(tmp_path):
    file = shard(image=pa.array([{"bytes": None, "path": "elsewhere/a.png"}], STRUCT))
    (tmp_path / "train.parquet").write_bytes(file.getvalue())
    with pytest.raises(DataError, match=r"parquet:.*train\.parquet holds no images"):
        load_dataset(f"parquet:{tmp_path}/train.parquet", 32, cache=tmp_path / "cache")
