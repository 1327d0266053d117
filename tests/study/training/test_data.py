"""What a study says of its data before it trains."""

from __future__ import annotations

from study.launch import main
from tests.support.image_folders import picture, save


def test_a_plan_names_what_puts_a_dataset_in_doubt_and_makes_its_name_safe(tmp_path, capsys):
    folder = tmp_path / "Früchte 2020+"
    folder.mkdir()
    for number in range(30):
        picture(number, 40, 40).save(folder / f"{number}.png")
    for number in range(30, 40):
        picture(number, 40, 40).convert("L").convert("RGB").save(folder / f"{number}.png")
    picture(3, 40, 40).save(folder / "again.jpg", quality=90)
    (folder / "notes.txt").write_text("no image")
    flags = ("--model.image_size", "16", "--model.width", "2", "--architectures", "[unet]", "--dry-run")
    assert main(["--data", str(folder), "--budget.images", "300", "--model.vgg16", "random", *flags]) == 0
    said = capsys.readouterr().out
    assert "Fruchte-2020: 41 images" in said
    assert "10 of 41 images of Fruchte-2020 are nearly colourless (24 %)" in said
    assert "1 pair of files shows one picture each" in said
    assert "1 .txt" in said
    assert "Fruchte-2020: None" not in said


def test_a_plan_of_images_at_an_address_names_the_address_and_the_set_after_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for number in range(30):
        save(tmp_path / "store" / "sets" / "fruit" / f"{number}.png", picture(number, 40, 40))
    address = f"file://{tmp_path}/store/sets/fruit"
    flags = ("--model.image_size", "16", "--model.width", "2", "--architectures", "[unet]", "--dry-run")
    assert main(["--data", address, *flags]) == 0
    said = capsys.readouterr().out
    assert f"fruit: fetching what is new at {address}" in said
    assert "fruit: 30 images" in said
