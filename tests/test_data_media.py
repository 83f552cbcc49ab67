"""From cells to media, what escapes the folder, what is missing, and the digest of loaded samples."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from pathlib import Path

import PIL.Image
import pytest

from spatialeval.data.files import read_files
from spatialeval.data.fingerprint import fingerprint
from spatialeval.data.media import check_media, resolve_media
from spatialeval.errors import DataError, MediaError
from spatialeval.media import Media, open_image
from spatialeval.samples import Sample


def picture(kind: str = "PNG", colour: str = "red") -> bytes:
    out = io.BytesIO()
    PIL.Image.new("RGB", (4, 3), colour).save(out, format=kind)
    return out.getvalue()


def coded(kind: str = "PNG") -> str:
    return base64.b64encode(picture(kind)).decode()


def resolve(value, kind="image", root=None) -> list[Media]:
    return resolve_media(value, kind=kind, name="image", root=root)


@pytest.mark.parametrize("value", [None, "", [], {"bytes": None, "path": None}, [None, ""]])
def test_an_absent_cell_gives_no_media(value):
    assert resolve(value) == []


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
def test_every_stored_form_gives_the_stored_bytes_unchanged(kind):
    data, text = picture(kind), coded(kind)
    wrapped = "\n".join(text[start : start + 76] for start in range(0, len(text), 76))
    url = f"data:image/{kind.lower()};base64,{text}"
    for value in (data, bytearray(data), memoryview(data), {"bytes": data, "path": None}, text, wrapped, url):
        (media,) = resolve(value)
        assert (media.read(), media.kind, media.name) == (data, "image", "image")
        assert open_image(media).size == (4, 3)


def test_a_dict_with_bytes_is_called_by_its_path():
    (media,) = resolve({"bytes": picture(), "path": "a/1.png"})
    assert (media.name, media.read()) == ("a/1.png", picture())


@pytest.mark.parametrize(
    "path", ["sub/1.jpg", "sub\\1.jpg", "./sub/1.jpg", {"path": "sub/1.jpg", "bytes": None}, {"path": "sub\\1.jpg"}]
)
def test_paths_are_found_below_the_folder_whatever_the_separator(tmp_path, path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "1.jpg").write_bytes(b"held")
    (media,) = resolve(path, root=tmp_path)
    assert (media.name, media.read()) == ("sub/1.jpg", b"held")


@pytest.mark.parametrize("write", [list, tuple, json.dumps, str], ids=["list", "tuple", "JSON text", "Python text"])
def test_lists_keep_their_order(tmp_path, write):
    first, second = coded("PNG"), coded("JPEG")
    media = resolve(write([first, "b.png", second]), root=tmp_path)
    assert [one.read() for one in (media[0], media[2])] == [picture("PNG"), picture("JPEG")]
    assert [one.name for one in media] == ["image[0]", "b.png", "image[2]"]
    assert media[1].source == tmp_path / "b.png"


def test_a_long_path_of_base64_letters_is_still_a_path(tmp_path):
    path = "images/" + "abcdEFGH0123" * 8
    (media,) = resolve(path, root=tmp_path)
    assert media.source == tmp_path / path


def test_a_video_in_base64_is_told_by_its_own_head():
    data = b"\x00\x00\x00\x20ftypisom" + b"\x00" * 100
    (media,) = resolve(base64.b64encode(data).decode(), kind="video")
    assert (media.kind, media.read()) == ("video", data)


def test_damaged_base64_fails_when_read_and_not_when_loaded():
    (media,) = resolve(coded("JPEG")[:-7])
    with pytest.raises(MediaError, match="'image' is damaged base64"):
        media.read()


def test_a_path_without_a_folder_fails_when_read_and_says_what_to_pass():
    (media,) = resolve("scannet/scene0011_00.mp4", kind="video")
    assert media.name == "scannet/scene0011_00.mp4"
    with pytest.raises(MediaError, match="--media"):
        media.read()


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "\\etc\\passwd",
        "C:\\x.png",
        "C:x.png",
        "\\\\host\\x.png",
        "../x.png",
        "a/../../x.png",
        "a\\..\\x",
        "x\0",
    ],
)
def test_a_path_that_leaves_the_folder_is_refused(tmp_path, path):
    with pytest.raises(DataError, match="image: path escapes"):
        resolve(path, root=tmp_path)
    with pytest.raises(DataError, match="path escapes"):
        resolve([{"path": path}], root=None)


def test_a_link_that_leaves_the_folder_is_refused(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "secret.png"
    root.mkdir()
    outside.write_bytes(picture())
    (root / "link.png").symlink_to(outside)
    (root / "folder").symlink_to(tmp_path)
    for path in ("link.png", "folder/secret.png"):
        with pytest.raises(DataError, match=r"path escapes the media folder: .* is a link to .*secret\.png"):
            resolve(path, root=root)


def test_links_inside_the_folder_and_into_the_hub_cache_are_followed(tmp_path):
    snapshot, blobs = tmp_path / "datasets--a--b" / "snapshots" / "abc", tmp_path / "datasets--a--b" / "blobs"
    (snapshot / "images").mkdir(parents=True)
    blobs.mkdir()
    (blobs / "1f").write_bytes(picture())
    (snapshot / "images" / "1.png").symlink_to("../../../blobs/1f")
    (snapshot / "2.png").symlink_to("images/1.png")
    (tmp_path / "root").symlink_to(snapshot)
    for root in (snapshot, tmp_path / "root"):
        for path in ("images/1.png", "2.png"):
            assert resolve(path, root=root)[0].read() == picture()


@pytest.mark.parametrize("value", [3, 2.5, True, {"url": "x"}, {1, 2}, ["a.png", 3]])
def test_anything_else_names_the_column(tmp_path, value):
    with pytest.raises(DataError, match="image"):
        resolve(value, root=tmp_path)


@pytest.mark.parametrize("value", ["http://images.org/1.jpg", "https://x/y.png", "s3://b/k"])
def test_a_web_address_is_no_path(tmp_path, value):
    with pytest.raises(DataError, match="is a web address"):
        resolve(value, root=tmp_path)


@pytest.mark.parametrize("value", ["[not a list]", "[1,,]", "[__import__('os')]"])
def test_a_text_in_brackets_that_is_no_list_is_refused(tmp_path, value):
    with pytest.raises(DataError, match="cannot be read as one"):
        resolve(value, root=tmp_path)


def sample(name: str = "1", *media: Media, **changes) -> Sample:
    return replace(
        Sample(name, "number", "How many?", 2.0, media=media, meta={"a": 1, "b": {"c": 2, "d": 3}}), **changes
    )


def test_missing_media_are_counted_once_each_and_the_first_five_named(tmp_path):
    (tmp_path / "here.png").write_bytes(b"x")
    files = [Media("image", name, tmp_path / name) for name in ("here.png", *(f"{i}.png" for i in range(7)))]
    samples = [sample(str(i), file, Media("image", "held", b"x")) for i, file in enumerate(files * 2)]
    samples.append(sample("video", *resolve("scene.mp4", kind="video")))
    missing = check_media(samples)
    assert missing.count == 8
    assert missing.first == tuple(str(tmp_path / f"{i}.png") for i in range(5))
    assert check_media([sample("1", files[0])]).count == 0


def test_the_same_samples_have_the_same_fingerprint_whatever_the_order_of_keys():
    one, other = sample(), sample(meta={"b": {"d": 3, "c": 2}, "a": 1})
    assert fingerprint([one, sample("2")]) == fingerprint([other, sample("2")])
    assert len(fingerprint([])) == 64


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "2"},
        {"answer": "label"},
        {"question": "How many ?"},
        {"target": 3.0},
        {"choices": ("a", "b")},
        {"labels": ("a",)},
        {"category": "x"},
        {"group": "x"},
        {"meta": {"a": 1}},
        {"media": (Media("image", "image", b"other"),)},
        {"media": (Media("video", "image", b"bytes"),)},
        {"media": ()},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_any_changed_field_changes_the_fingerprint(changes):
    base = sample("1", Media("image", "image", b"bytes"))
    assert fingerprint([base]) != fingerprint([replace(base, **changes)])


def test_the_order_of_samples_changes_the_fingerprint_and_boundaries_do_not_blur():
    one, two = sample("1"), sample("2")
    assert fingerprint([one, two]) != fingerprint([two, one])
    joined = replace(one, choices=("a", "bc"))
    assert fingerprint([joined]) != fingerprint([replace(one, choices=("ab", "c"))])


def test_a_media_file_put_in_place_later_leaves_the_fingerprint(tmp_path):
    samples = [sample("1", Media("image", "1.png", tmp_path / "1.png"))]
    before = fingerprint(samples)
    (tmp_path / "1.png").write_bytes(b"x")
    assert fingerprint(samples) == before


def test_meta_that_json_cannot_hold_names_the_sample():
    with pytest.raises(DataError, match="sample 'odd': meta"):
        fingerprint([sample("odd", meta={"x": b"bytes"})])


def test_real_windows_paths_find_the_real_pictures(realdata):
    folder = realdata / "solidgeo"
    keys = set(json.loads((folder / "rows_with_images.json").read_text()))
    rows = [row for row in read_files([folder / "SolidGeo.json.gz"]) if row["_key"] in keys]
    media = [one for row in rows for one in resolve(row["image"], root=folder)]
    assert len(rows) == 89
    assert len(media) >= 89
    assert all(isinstance(one.source, Path) and open_image(one).mode == "RGB" for one in media)
